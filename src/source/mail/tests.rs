// SPDX-License-Identifier: GPL-2.0-only OR MIT
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
    let content = read(mails[0], "x.patch");
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
    assert_eq!(
        patch.message,
        "sched: change b\n\nWhy =20 so.\n\nAcked-by: C <c@d.e>"
    );
    assert_eq!(
        patch.author,
        Person {
            name: "A B".into(),
            email: "a@b.c".into()
        }
    );
    assert_eq!(added(&content), ("+b =20;".to_owned(), 21));
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
fn a_mbox_is_split_and_unquoted() {
    let from = "From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001\n";
    let mail = format!(
        "{from}{}From here on\n>From there\nFrom: nowhere\n---\n{DIFF}\n",
        head("")
    );
    let text = format!("{mail}{mail}");
    let mails = split(text.as_bytes());
    assert_eq!(mails.len(), 2);
    assert_eq!(mails[1].line, 19);
    let content = read(mails[1], "x.mbox");
    assert_eq!(
        content.patch.commit.as_deref(),
        Some("0123456789012345678901234567890123456789")
    );
    assert!(
        content
            .patch
            .message
            .ends_with("From here on\nFrom there\nFrom: nowhere")
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
        let content = read(split(text.as_bytes())[0], "x");
        assert!(!content.has_diff());
        content.may_be_bare()
    };
    assert!(bare("[PATCH 0/3] cover") && bare("Re: [PATCH 1/3] yes") && bare("hello"));
    assert!(!bare("[PATCH 1/3] lost") && !bare("[PATCH] lost"));
    assert!(!read(split(b"nothing")[0], "x").may_be_bare());
}

#[test]
fn nested_parts_do_not_exhaust_the_stack() {
    let mut text = String::from("Subject: x\n");
    for depth in 0..20_000 {
        text.push_str(&format!(
            "Content-Type: multipart/mixed; boundary=\"b{depth}\"\n\n--b{depth}\n"
        ));
    }
    assert!(!read(split(text.as_bytes())[0], "x").has_diff());
}

#[test]
fn a_field_without_end_is_not_decoded() {
    let words = "=?utf-8?q?x?= ".repeat(1 << 20);
    let content = whole(&format!("Subject: {words}\n\n{DIFF}"));
    assert!(content.patch.subject.starts_with("=?utf-8?q?x?= =?utf-8"));
}
