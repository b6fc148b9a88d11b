// SPDX-License-Identifier: GPL-2.0-only OR MIT
use super::super::patch::{DiffLine, LineKind, Person};
use super::*;

const DIFF: &str = "\
diff --git a/fs/x.c b/fs/x.c
index 0123abc..4567def 100644
--- a/fs/x.c
+++ b/fs/x.c
@@ -1,2 +1,2 @@
 a = 1;
-b = 2;
+b = 3;
";

fn head(more: &str) -> String {
    format!("From: A B <a@b.c>\nSubject: [PATCH v2 3/4] sched: change\n b\n{more}\n")
}

fn whole(text: &str) -> Content {
    let mails = split(text.as_bytes());
    assert_eq!(mails.len(), 1);
    let content = read(&mails[0], "x.patch");
    assert!(content.problems.is_empty(), "{:?}", content.problems);
    assert_eq!(content.patch.changes.len(), 1);
    content
}

fn added(content: &Content) -> (String, u32) {
    let line = content.patch.changes[0].hunks[0]
        .lines
        .last()
        .expect("a line");
    (line.verbatim(), line.line)
}

#[test]
fn a_mail_of_b4() {
    // No `From ` line, a stale header, a decoded body.
    let stale = "MIME-Version: 1.0\nContent-Type: text/plain; charset=\"utf-8\"\nContent-Transfer-Encoding: quoted-printable\n";
    let body = "Why =20 so.\n\nAcked-by: C <c@d.e>\n---\n fs/x.c | 2 +-\n\n";
    let diff = DIFF.replace("b = 3", "b =20");
    let content = whole(&format!("{}{body}{diff}-- \n2.47\n", head(stale)));
    let patch = &content.patch;
    assert_eq!(patch.subject, "[PATCH v2 3/4] sched: change b");
    assert_eq!(patch.title(), "sched: change b");
    let person = Person {
        name: "A B".into(),
        email: "a@b.c".into(),
    };
    assert_eq!(patch.author, person);
    // Git decodes it once more; who takes it from b4 does not.
    let of = |text: &str| format!("sched: change b\n\nWhy {text} so.\n\nAcked-by: C <c@d.e>");
    assert_eq!(patch.message, of(" "));
    assert_eq!(added(&content), ("+b  ;".to_owned(), 21));
    let other = content.patch.other.expect("another reading");
    assert_eq!(other.message, of("=20"));
    assert_eq!(other.changes[0].hunks[0].lines[2].verbatim(), "+b =20;");
}

#[test]
fn a_decoded_body_is_all_there_is() {
    for encoding in ["base64", "quoted-printable"] {
        let header = head(&format!("Content-Transfer-Encoding: {encoding}\n"));
        let content = whole(&format!("{header}Why so.\n---\n{DIFF}-- \n2.47\n"));
        assert_eq!(content.patch.message, "sched: change b\n\nWhy so.");
        assert_eq!(added(&content), ("+b = 3;".to_owned(), 15));
        assert_eq!(content.patch.other, None, "{encoding}");
    }
}

#[test]
fn what_git_finds_corrupt_is_what_it_stands_for() {
    // A line that ends in `=`, which git joins to the next one
    let diff = DIFF
        .replace(",2 +1,2", ",2 +1,3")
        .replace("+b = 3;", "+b =\n+\t3;");
    let header = head("Content-Transfer-Encoding: quoted-printable\n");
    let content = whole(&format!("{header}Why.\n---\n{diff}-- \n2.47\n"));
    assert_eq!(added(&content).0, "+\t3;");
    assert_eq!(content.patch.other, None);
    // Not so if only we refuse it.
    let path = DIFF.replace("/fs/x.c", "/fs/=FF.c");
    let content = read(&split(format!("{header}{path}").as_bytes())[0], "x");
    assert!(content.problems[0].message.contains("UTF-8"));
}

/// What each reading of a mail adds.
fn readings(text: &str) -> Vec<Vec<String>> {
    let content = read(&split(text.as_bytes())[0], "x");
    assert_eq!(content.problems, []);
    let added = |patch: &Patch| {
        let hunks = patch.changes.iter().flat_map(|change| &change.hunks);
        let lines = hunks.flat_map(|hunk| &hunk.lines);
        let added = lines.filter(|line| line.kind == LineKind::Added);
        added.map(DiffLine::verbatim).collect()
    };
    let other = content.patch.other.as_deref();
    [Some(&content.patch), other]
        .into_iter()
        .flatten()
        .map(added)
        .collect()
}

const SECOND: &str = "--- a/y\n+++ b/y\n@@ -1 +1 @@\n-1\n+2\n";
/// The same in base64.
const BASE64: &str = "LS0tIGEveQorKysgYi95CkBAIC0xICsxIEBACi0xCisyCg==\n";

#[test]
fn each_part_is_text_whatever_its_type() {
    let mixed = head("Content-Type: multipart/mixed; boundary=xx\n");
    let text = format!("{mixed}--xx\n\n{DIFF}");
    for part in [
        format!("--xx\nContent-Type: application/zip; name=x.zip\n\n{SECOND}--xx--\n"),
        format!("--xx\nContent-Type: audio/ogg\nContent-Transfer-Encoding: base64\n\n{BASE64}"),
        format!(
            "--xx\nContent-Type: multipart/alternative; boundary=\"y y\"\n\nx\n--y y\nA: b\n\nno\n\
             --y y\nContent-Type: text/html\n\n{SECOND}--y y--\n"
        ),
        // A line that only starts as the boundary does, and one above all parts.
        format!("--xxl\n\n{SECOND}"),
    ] {
        let all = readings(&format!("{text}{part}"));
        assert!(
            all.contains(&vec!["+b = 3;".into(), "+2".into()]),
            "{part}: {all:?}"
        );
    }
}

#[test]
fn encodings_are_undone_line_by_line() {
    let head = |encoding: &str| head(&format!("Content-Transfer-Encoding: {encoding}\n"));
    let quoted = head("Quoted-Printable");
    let plus = |line: &str| vec![vec![line.to_owned()]];
    // A signature, a long line, and bytes that should have been encoded
    let long = "K\u{f6}ln ".repeat(30);
    let odd = SECOND.replace("+2", "=2b2=ZZ");
    let own = readings(&format!("{quoted}{long}\n---\n{odd}-- \n2.47\n"));
    assert_eq!(own, plus("+2=ZZ"));
    let hidden = SECOND.replace("---", "=2d--").replace("@@ -1", "=40@ -1");
    assert_eq!(readings(&format!("{quoted}{hidden}")), plus("+2"));
    // Lines of base64 that end anywhere, padded or not
    let split = BASE64.replace("YQ", "Y*Q").replace("K0BAIC", "K!0BAIC");
    assert_eq!(readings(&format!("{}{split}", head("base64"))), plus("+2"));
    let glued = "LS0tIGEveQ\n==\nCisrKyBiL3kK==\nQEAgLTEgKzEgQEAK\nLTEK\nKzIK\n";
    assert_eq!(readings(&format!("{}{glued}", head("base64"))), plus("+2"));
    // The last field counts.
    let twice = "7bit\nContent-transfer-ENCODING: x-base64-y";
    assert_eq!(readings(&format!("{}{BASE64}", head(twice))), plus("+2"));
}

#[test]
fn soft_breaks_are_undone() {
    let flowed = head("Content-Type: text/plain; format=\"Flowed\"; DelSp=Yes\n");
    let text = "--- a/y\n+++ b/y\n@@ -1 +1,2 @@\n  1\n+TRACE_ \nEVENT(x)\n";
    let joined = vec!["+TRACE_EVENT(x)".to_owned()];
    assert!(readings(&format!("{flowed}{text}")).contains(&joined));
    // A part keeps it, and stuffing goes off.
    let parts = head("Content-Type: multipart/mixed; boundary=xx; format=flowed\n");
    let text = text
        .replace("---", " ---")
        .replace("+TRACE_ \n", " +TRACE_");
    assert_eq!(readings(&format!("{parts}--xx\n\n{text}")), [joined]);
}

#[test]
fn what_git_cannot_read_is_a_problem() {
    let said = |header: &str, body: &str| {
        let text = format!("{}{body}", head(header));
        let content = read(&split(text.as_bytes())[0], "x");
        assert_eq!(content.problems.len(), 1, "{text}");
        (content.problems[0].to_string(), content.patch.changes.len())
    };
    for charset in ["utf-7", "UTF-16LE", "iso-2022-jp", "hz-gb-2312", "IBM1047"] {
        let header = format!("Content-Type: text/plain; charset={charset}\n");
        let (problem, changes) = said(&header, DIFF);
        assert!(problem.contains(&charset.to_lowercase()), "{problem}");
        // It is checked as it stands, nevertheless.
        assert_eq!(changes, 1);
    }
    assert!(
        said("subject: =?utf-8?q?x\n", DIFF)
            .0
            .contains("encoded word")
    );
    let mut parts = String::new();
    for name in ["a", "b", "c", "d", "e"] {
        parts.push_str(&format!("Content-Type: x/y; boundary={name}\n"));
    }
    assert!(said(&parts, DIFF).0.contains("boundaries"));
    let context = "*** a/y\n--- b/y\n***************\n*** 1 ****\n! 1\n--- 1 ----\n! 2\n";
    let (problem, changes) = said("", &format!("{DIFF}{context}"));
    assert!(problem.starts_with("x:14: a context diff"), "{problem}");
    assert_eq!(changes, 1);
}

#[test]
fn encoded_bodies_are_decoded() {
    let plain = whole(&format!("{}text\n---\n{DIFF}-- \n2.47\n", head("")));
    let quoted = format!("text\n---\n{DIFF}-- \n2.47\n")
        .replace('=', "=3D")
        .replace("-- \n", "--=20\n");
    let quoted = whole(&format!(
        "{}{quoted}",
        head("Content-Transfer-Encoding: quoted-printable\n")
    ));
    assert_eq!(added(&quoted).0, "+b = 3;");
    assert_eq!(quoted.patch.message, plain.patch.message);
    // A soft break tears a line of the raw body apart.
    let soft = format!(
        "text\n---\n{}",
        DIFF.replace('=', "=3D").replace("b =3D 3", "b =\n=3D 3")
    );
    let soft = whole(&format!(
        "{}{soft}",
        head("Content-Transfer-Encoding: quoted-printable\n")
    ));
    assert_eq!(added(&soft).0, "+b = 3;");
}

#[test]
fn attachments_and_base64() {
    let head = head("Content-Type: multipart/mixed; boundary=\"xx\"\n");
    let part = format!("--xx\nContent-Type: text/x-patch; name=x.patch\n\n{DIFF}--xx--\n");
    let text = format!("{head}--xx\nContent-Type: text/plain\n\nHello.\n---\n\n{part}");
    assert_eq!(added(&whole(&text)).0, "+b = 3;");
    let base64 = "ZGlmZiAtLWdpdCBhL3ggYi94CmluZGV4IDAxMjNhYmMuLjQ1NjdkZWYgMTAwNjQ0Ci0tLSBhL3gK\nKysrIGIveApAQCAtMSArMSBAQAotYQorYgo=\n";
    let text = format!("From: a@b.c\nSubject: x\nContent-Transfer-Encoding: base64\n\n{base64}");
    assert_eq!(added(&whole(&text)).0, "+b");
}

#[test]
fn a_mbox_is_split() {
    let from = "From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001\n";
    let mail = format!(
        "{from}{}From here on\n>From there\nFrom: nowhere\n---\n{DIFF}\n",
        head("")
    );
    let text = format!("{mail}{mail}");
    let mails = split(text.as_bytes());
    assert_eq!(mails.len(), 2);
    assert_eq!(mails[1].line, 19);
    let content = read(&mails[1], "x.mbox");
    assert_eq!(
        content.patch.commit.as_deref(),
        Some("0123456789012345678901234567890123456789")
    );
    assert!(
        content
            .patch
            .message
            .ends_with("From here on\n>From there\nFrom: nowhere")
    );
    assert_eq!(added(&content).1, 19 + 8 + 8);
}

#[test]
fn a_bare_diff_and_git_show() {
    let content = whole(DIFF);
    assert!(!content.is_mail && content.patch.message.is_empty());
    let id = "0123456789012345678901234567890123456789";
    let show = format!(
        "commit {id}\nAuthor: A <a@b.c>\nDate:   now\n\n    Title\n    \n    Body\n\n{DIFF}"
    );
    let content = whole(&show);
    assert_eq!(content.patch.message, "Title\n\nBody");
    assert_eq!(content.patch.author.email, "a@b.c");
    assert_eq!(content.patch.commit.as_deref(), Some(id));
}

#[test]
fn what_may_come_without_a_diff() {
    let bare = |subject: &str| {
        let text = format!("From: a@b.c\nSubject: {subject}\n\nHello.\n");
        let content = read(&split(text.as_bytes())[0], "x");
        assert!(!content.has_diff());
        content.may_be_bare()
    };
    assert!(bare("[PATCH 0/3] cover") && bare("Re: [PATCH 1/3] yes") && bare("hello"));
    assert!(!bare("[PATCH 1/3] lost") && !bare("[PATCH] lost"));
    assert!(!read(&split(b"nothing")[0], "x").may_be_bare());
}

#[test]
fn nested_parts_do_not_exhaust_the_stack() {
    let mut text = String::from("Subject: x\n");
    for depth in 0..20_000 {
        text.push_str(&format!(
            "Content-Type: multipart/mixed; boundary=\"b{depth}\"\n\n--b{depth}\n"
        ));
    }
    let content = read(&split(text.as_bytes())[0], "x");
    assert!(content.problems[0].message.contains("boundaries"));
    assert_eq!(content.patch.changes, []);
}

#[test]
fn endless_lines_take_no_endless_time() {
    let words = "=?utf-8?q?x?= ".repeat(1 << 18);
    let content = whole(&format!("Subject: {words}\n\n{DIFF}"));
    assert_eq!(content.patch.subject.len(), 1 << 18);
    let res = "Re: ".repeat(1 << 18);
    let content = whole(&format!("Subject: {res}x\nFrom: {res}\n\n{DIFF}"));
    assert_eq!(content.patch.message, "x");
    // A body without newlines, and a line that flows on and on
    let header = head("Content-Type: x/y; format=flowed\nContent-Transfer-Encoding: base64\n");
    let text = "ICAg\n".repeat(1 << 18) + &"ICAK\n".repeat(1 << 18);
    let content = read(&split(format!("{header}{text}").as_bytes())[0], "x");
    assert!(!content.has_diff());
}
