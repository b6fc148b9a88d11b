// SPDX-License-Identifier: GPL-2.0-only OR MIT
use super::*;

fn info(mail: &str) -> (String, String) {
    let info = read(mail.as_bytes(), Decoding::ByHeader).expect("a mail");
    let patch = info.patch.unwrap_or_default();
    let patch = String::from_utf8_lossy(patch.text()).into_owned();
    (info.message, patch)
}

/// The message and the patch of a mail, and that nothing is refused.
#[track_caller]
fn is(mail: &str, message: &str, patch: &str) {
    assert_eq!(info(mail), (message.to_owned(), patch.to_owned()), "{mail}");
}

#[test]
fn headers() {
    // The last of a name counts, in any case; other lines end the header.
    is("Subject: a\nSUBJECT:\tb\n c\n\n---\nx\n", "b c", "---\nx\n");
    is(
        "Subject: a\nSubject : b\nno field  \n---\n",
        "a\n\nSubject : b\nno field",
        "---\n",
    );
    is("Subject: a\n \t\n b\n  \nx\n", "a b\n\nx", "");
    is(
        "From x\n>From y\n!x: y\nSubject: a\n--- x  \ny\n",
        "a",
        "--- x\ny\n",
    );
    is("Subject: a\nSubject: a\n\n", "a", "");
    // What is encoded, is so in all fields.
    is(
        "Content-Transfer-Encoding: =?utf-8?q?b=61se64?=\n\nLS0tCg==\n",
        "",
        "---\n",
    );
}

#[test]
fn fields_at_the_top_of_the_body() {
    let top = "From: a\nSubject: a\n\n";
    is(&format!("{top}\n \n"), "a", "");
    is(
        &format!("{top}\nsubject: [x] b\n c\n\nd\n---\n"),
        "b c\n\nd",
        "---\n",
    );
    is(
        &format!("{top}[PATCH] b\nSubject: c\ntext\n---\n"),
        "b\n\nSubject: c\ntext",
        "---\n",
    );
    is(
        &format!("{top}Date: x\nContent-Type: y\n---\n"),
        "a\n\nContent-Type: y",
        "---\n",
    );
    let id = "0123456789".repeat(4);
    let separator = format!(">From {id} Mon Sep 17 00:00:00 2001\n");
    is(&format!("{top}{separator}Subject: b\n---\n"), "b", "---\n");
    is(
        &format!("{top}>From {id}\nSubject: b\n---\n"),
        &format!("a\n\n>From {id}\nSubject: b"),
        "---\n",
    );
    // Without a patch they do not count.
    is(&format!("{top}Subject: b\n\ntext\n"), "a\n\ntext", "");
    // Scissors are off.
    is(
        &format!("{top}one\n-- >8 --\nSubject: b\n---\n"),
        "a\n\none\n-- >8 --\nSubject: b",
        "---\n",
    );
}

#[test]
fn parts() {
    let top = "Subject: a\nContent-Type: x/y; boundary=b\n\n";
    // Above the first part all is skipped; below the last one, too.
    is(
        &format!("{top}no\n--b\nx: y\n\none\n--b--\ntwo\n"),
        "a\n\none",
        "",
    );
    // A line that ends a part's header is dropped, and the next is no boundary.
    is(
        &format!("{top}--b\nno field\n--b\n---\n"),
        "a\n\n--b",
        "---\n",
    );
    // A part fills gaps only.
    is(&format!("{top}--b\nSubject: b\n\n---\n"), "a", "---\n");
    is(
        &format!("{}--b\nSubject: b\n\n---\n", &top[11..]),
        "b",
        "---\n",
    );
    // Encoding and charset are over at the next part, and its first line goes on.
    is(
        &format!(
            "{top}--b\nContent-Transfer-Encoding: base64\n\nLS0tCng=\n--b\n\n=\n--b--\n--b--\n"
        ),
        "a",
        "---\nx=\n\n",
    );
    // Of those that are open only the innermost is seen.
    is(
        &format!(
            "{top}--b\nContent-Type: x/y; boundary=c\n\n\n--c\n\n---\n--b\n--c--\nno\n--b\n\nx\n"
        ),
        "a",
        "---\n--b\n\nx\n",
    );
    is(
        "Subject: a\nContent-Type: x/y; boundary=\"\"\n\n--\n\n---\n--- x\n\ny\n",
        "a",
        "---\ny\n",
    );
}

#[test]
fn encoded_lines() {
    let top = "Subject: a\nContent-Transfer-Encoding: quoted-printable\n\n";
    is(
        &format!("{top}---=0Ax=\n=0Ay= \nz\0no\nz\n"),
        "a",
        "---\nx\ny= \nzz\n",
    );
    is(&format!("{top}---\nx=00y\n"), "a", "---\nx\0y\n");
    // A CR that is decoded stays.
    is(&format!("{top}---=0D\nx=0D\n"), "a", "---\r\nx\r\n");
    is("Subject: a\n\n---\nx\0y\n", "a", "---\nx\0y\n");
}

#[test]
fn flowing_lines() {
    let top = "Subject: a\nContent-Type: x/y; format=flowed\n\n---\n";
    let patch = |text: &str| info(&format!("{top}{text}")).1;
    assert_eq!(patch("  x\n >y \n z\n"), "---\n x\n>y z\n");
    assert_eq!(patch("x \n-- \ny\n"), "---\nx -- \ny\n");
    assert_eq!(patch("x \n \ny \n"), "---\nx \ny ");
    let delsp = top.replace("flowed", "flowed; delsp=yes");
    assert_eq!(info(&format!("{delsp}+a_ \nb\n")).1, "---\n+a_b\n");
    let encoded = top.replace(
        "Content-T",
        "Content-Transfer-Encoding: quoted-printable\nContent-T",
    );
    assert_eq!(
        info(&format!("{encoded}x=20\n y\n =\n z\n")).1,
        "---\nx  y\n z\n"
    );
}

#[test]
fn charsets() {
    let top = "Subject: a\nContent-Type: x/y; charset=";
    let raw = [top.as_bytes(), b"latin1\n\n\xfc\n--- \xfc\n\xfc\n"].concat();
    let info = read(&raw, Decoding::ByHeader).expect("a mail");
    assert_eq!(info.message, "a\n\n\u{fc}");
    // The message, and the first line of the patch
    let patch = info.patch.expect("a patch");
    assert_eq!(patch.text(), b"--- \xc3\xbc\n\xfc\n");
    let raw = [top.as_bytes(), b"us-ascii\n\n\xfc\n---\n"].concat();
    assert!(read(&raw, Decoding::ByHeader).is_err());
    let raw = [top.as_bytes(), b"us-ascii\n\n---\n\xfc\n"].concat();
    assert!(read(&raw, Decoding::ByHeader).is_ok());
}

#[test]
fn numbers_are_those_of_the_mail() {
    let mail = "Subject: a\nContent-Transfer-Encoding: quoted-printable\n\n---\na=\nb\nc=0Ad\n";
    let info = read(mail.as_bytes(), Decoding::ByHeader).expect("a mail");
    match info.patch {
        Some(Stream::Built { text, numbers }) => {
            assert_eq!(text, b"---\nab\nc\nd\n");
            assert_eq!(numbers, [3, 4, 6, 6]);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_plain_mail_is_not_copied() {
    let mail = b"\nSubject: a\n\ntext\n---\nx\n";
    let info = read(mail, Decoding::ByHeader).expect("a mail");
    match info.patch {
        Some(Stream::Rest { text, number }) => assert_eq!((text, number), (&b"---\nx\n"[..], 4)),
        other => panic!("{other:?}"),
    }
    assert!(!info.is_encoded && !info.has_odd_start);
}
