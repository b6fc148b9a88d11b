// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Mails around diffs: single ones, mailboxes, parts in parts, right and broken.

use std::path::Path;

use super::chance::Chance;
use super::diffs::{any_harmless, any_leak};
use super::encode::{any_base64, any_quoted, flowed};

const FROM: &str = "From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001\n";
const TYPES: &[&str] = &[
    "text/plain",
    "text/plain; charset=utf-8",
    "text/plain; charset=\"UTF-8\"",
    "text/x-patch; name=x.patch",
    "text/html",
    "application/pdf; name=\"x.pdf\"",
    "image/png",
    "message/rfc822",
    "application/octet-stream",
];
const CHARSETS: &[&str] = &[
    "utf-8",
    "UTF8",
    "us-ascii",
    "iso-8859-1",
    "windows-1252",
    "koi8-r",
    "gb2312",
    "utf-7",
    "iso-2022-jp",
    "utf-16",
    "x-unknown",
];

/// The mail, or mailbox, of a seed.
pub fn of_seed(tree: &Path, seed: u64) -> Vec<u8> {
    let mut chance = Chance::of(seed);
    let mut maker = Maker {
        tree,
        chance: &mut chance,
    };
    let mut text = maker.input();
    if maker.chance.one_in(9) {
        text = text.replace('\n', "\r\n");
    }
    let mut bytes = text.into_bytes();
    if maker.chance.one_in(6) {
        maker.harm(&mut bytes);
    }
    bytes
}

struct Maker<'c> {
    tree: &'c Path,
    chance: &'c mut Chance,
}

impl Maker<'_> {
    fn input(&mut self) -> String {
        match self.chance.below(12) {
            0 | 1 => {
                let count = 2 + self.chance.below(2);
                let mails = (0..count).map(|_| format!("{}{}\n", self.mbox_line(), self.mail()));
                mails.collect()
            }
            2 => self.mail(),
            3 => format!("{}{}", self.chance.pick(&["\n", " \n", "\t"]), self.mail()),
            _ => format!("{}{}", self.mbox_line(), self.mail()),
        }
    }

    fn mbox_line(&mut self) -> String {
        match self.chance.below(6) {
            0 => "From x Thu Jan  1 00:00:00 1970\n".into(),
            1 => "From mboxrd@z Thu Jan  1 00:00:00 1970\n".into(),
            _ => FROM.into(),
        }
    }

    fn mail(&mut self) -> String {
        match self.chance.below(10) {
            0..=3 => self.single(),
            4..=7 => self.parts(),
            8 => self.flowing(),
            _ => self.cut(),
        }
    }

    /// The fields of a header, with those given.
    fn header(&mut self, more: &[String]) -> String {
        let subject = match self.chance.below(9) {
            0 => "=?utf-8?q?=5BPATCH=5D_sched=3A_K=C3=B6ln?=",
            1 => "[PATCH] =?UTF-8?B?c2NoZWQ6IHg=?= =?utf-8?q?y?=",
            2 => "[PATCH] sched: a\n long one\n\tindeed",
            3 => "Re: [PATCH] sched: x",
            4 if self.chance.one_in(6) => "=?utf-8?q?broken",
            5 if self.chance.one_in(6) => "[PATCH] =?none?q?x?=",
            _ => "[PATCH] sched: x",
        };
        let mut fields = vec![
            "From: A B <a@example.org>".to_owned(),
            format!("Subject: {subject}"),
            "Date: Mon, 17 Sep 2001 00:00:00 +0000".to_owned(),
            "MIME-Version: 1.0".to_owned(),
        ];
        if self.chance.one_in(6) {
            fields.push(
                self.chance
                    .pick(&[
                        "X-Y: boundary=no",
                        ">From x",
                        "Message-ID: <1@x>",
                        "x!y: z",
                        "Subject : no",
                    ])
                    .into(),
            );
        }
        for field in more {
            fields.push(field.clone());
            if self.chance.one_in(15) {
                fields.push(field.to_uppercase());
            }
        }
        let mut header = String::new();
        for field in fields {
            let folded = match self.chance.below(12) {
                0 => field.replacen("; ", ";\n ", 1),
                1 => field.replacen(": ", ":\t", 1),
                2 if self.chance.one_in(9) => field.replacen(": ", " : ", 1),
                _ => field,
            };
            header.push_str(&folded);
            header.push_str(if self.chance.one_in(30) {
                "  \n \n"
            } else {
                "\n"
            });
        }
        header
    }

    /// The line between a header and its body.
    fn gap(&mut self) -> &'static str {
        match self.chance.below(25) {
            0 => " \t\n",
            1 => "no header\n",
            2 => "\n\n",
            _ => "\n",
        }
    }

    /// What stands above a diff.
    fn prose(&mut self) -> String {
        let mut text = match self.chance.below(12) {
            0 => "From: C D <c@example.org>\nSubject: [PATCH] other\n\nText.\n",
            1 => "[PATCH] other\n\nText.\n",
            2 => ">From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001\nText.\n",
            3 => "subject: other\n folded\n\nK\u{f6}ln = x.\n",
            4 => "Text.\n-- >8 --\nSubject: cut\n\nMore.\n",
            5 => "@@ -1 +1 @@ is no diff here.\n",
            6 => "\n \nText\n\n\n with a = 3. \nindex 1..2\n",
            7 => "Content-Transfer-Encoding: base64\n\nText.\n",
            _ => "Why it is so.\n\nSigned-off-by: A B <a@example.org>\n",
        }
        .to_owned();
        text.push_str(match self.chance.below(9) {
            0 => "",
            1 => "--- \n",
            2 => "---\t\n",
            3 => "---  x\n",
            4 => "---\n x | 2 +-\n 1 file changed, 1 insertion(+), 1 deletion(-)\n\n",
            _ => "---\n\n",
        });
        text
    }

    /// The text of a patch: a message and diffs, of which some may leak.
    fn text(&mut self) -> String {
        let mut text = self.prose();
        let leak = self.chance.below(3);
        for index in 0..1 + self.chance.below(2) {
            let diff = if leak == index + 1 {
                any_leak(self.tree, self.chance)
            } else {
                any_harmless(self.tree, self.chance)
            };
            text.push_str(&diff);
            if self.chance.one_in(10) {
                text.push_str(self.chance.pick(&[
                    "Some prose.\n",
                    "\n",
                    "@@ -1 +1 @@\n",
                    "*** x\n--- y\n",
                ]));
            }
        }
        text.push_str(self.chance.pick(&[
            "-- \n2.47.3\n",
            "-- \n2.47.3\n\n",
            "",
            "\n",
            "_____\nlist <x@y.z>\n",
        ]));
        text
    }

    /// A text in an encoding, and the field that says which; at times another, or none.
    fn encoded(&mut self, text: &str) -> (String, Vec<String>) {
        let field = |name: &str| vec![format!("Content-Transfer-Encoding: {name}")];
        let sent = match self.chance.below(7) {
            0 | 1 => (any_base64(text.as_bytes(), self.chance), field("base64")),
            2 | 3 => (
                any_quoted(text.as_bytes(), self.chance),
                field("quoted-printable"),
            ),
            4 => (text.to_owned(), field("8bit")),
            // As b4 hands it over
            5 => (
                text.to_owned(),
                field(self.chance.pick(&["base64", "quoted-printable"])),
            ),
            _ => (text.to_owned(), Vec::new()),
        };
        match self.chance.below(20) {
            0 => (sent.0, field("x-BASE64; quoted-printable")),
            1 => (sent.0, [field("7bit"), sent.1].concat()),
            2 => (sent.0.replacen('\n', "\0\n", 1), sent.1),
            3 => (sent.0.replace('\n', "\r\n"), sent.1),
            4 => (
                any_base64(text.replace('\n', "\r\n").as_bytes(), self.chance),
                field("Base64"),
            ),
            _ => sent,
        }
    }

    fn single(&mut self) -> String {
        let text = self.text();
        let (body, mut fields) = self.encoded(&text);
        if self.chance.one_in(4) {
            let charset = self.chance.pick(CHARSETS);
            fields.push(format!("Content-Type: text/plain; charset={charset}"));
        } else if self.chance.one_in(3) {
            fields.push(format!("Content-Type: {}", self.chance.pick(TYPES)));
        }
        self.header(&fields) + self.gap() + &body
    }

    fn flowing(&mut self) -> String {
        let delsp = self.chance.one_in(2);
        let text = self.text();
        let text = flowed(&text, delsp, self.chance);
        let (body, mut fields) = self.encoded(&text);
        let delsp = if delsp { "; delsp=yes" } else { "" };
        let flowed = self
            .chance
            .pick(&["flowed", "\"Flowed\"", "flowed\t", "fixed"]);
        fields.push(format!("Content-Type: text/plain; format={flowed}{delsp}"));
        self.header(&fields) + self.gap() + &body
    }

    fn parts(&mut self) -> String {
        let (body, field) = self.multipart(0);
        let mut fields = vec![field];
        if self.chance.one_in(8) {
            fields.push("Content-Transfer-Encoding: base64".to_owned());
        }
        self.header(&fields) + self.gap() + &body
    }

    /// Some parts, and the field that announces them.
    fn multipart(&mut self, depth: usize) -> (String, String) {
        let boundary = match self.chance.below(14) {
            0 => String::new(),
            1 => "=_x; y".to_owned(),
            2 => "-".to_owned(),
            _ => format!("bound{depth}"),
        };
        let kind = self
            .chance
            .pick(&["mixed", "alternative", "signed; micalg=x", "related"]);
        let field = match self.chance.below(8) {
            0 => format!("Content-Type: multipart/{kind}; boundary={boundary}"),
            1 => format!("Content-Type: text/plain; x-boundary=\"{boundary}\""),
            2 => format!(
                "Content-Type: multipart/{kind}; charset=utf-8; BOUNDARY=\"{boundary}\"; format=flowed"
            ),
            _ => format!("Content-Type: multipart/{kind}; boundary=\"{boundary}\""),
        };
        let mut body = self
            .chance
            .pick(&["", "This is a preamble.\n", "\n"])
            .to_owned();
        for _ in 0..1 + self.chance.below(3) {
            let more = self.chance.pick(&["", "", "", "foo", " "]);
            body.push_str(&format!("--{boundary}{more}\n"));
            body.push_str(&self.part(depth));
            if !self.chance.one_in(6) && !body.ends_with('\n') {
                body.push('\n');
            }
        }
        if !self.chance.one_in(4) {
            body.push_str(&format!("--{boundary}--\n"));
            if self.chance.one_in(6) {
                body.push_str(&any_leak(self.tree, self.chance));
            }
        }
        (body, field)
    }

    fn part(&mut self, depth: usize) -> String {
        if depth < 5 && self.chance.one_in(4) {
            let (body, field) = self.multipart(depth + 1);
            return format!("{field}\n\n{body}");
        }
        let text = match self.chance.below(4) {
            0 => self.text(),
            1 => any_leak(self.tree, self.chance),
            2 => any_harmless(self.tree, self.chance),
            _ => self.prose(),
        };
        let (body, fields) = self.encoded(&text);
        let mut header = format!("Content-Type: {}\n", self.chance.pick(TYPES));
        for field in fields {
            header.push_str(&field);
            header.push('\n');
        }
        if self.chance.one_in(5) {
            header
                .push_str("Content-Disposition: attachment; filename=x.pdf\nSubject: of a part\n");
        }
        let gap = self.gap();
        if self.chance.one_in(12) {
            return format!("{gap}{body}");
        }
        header + gap + &body
    }

    /// A mail with another one's first line in its middle.
    fn cut(&mut self) -> String {
        let mail = self.single();
        let at = self.chance.below(mail.len());
        let Some(newline) = mail[..].as_bytes()[at..]
            .iter()
            .position(|byte| *byte == b'\n')
        else {
            return mail;
        };
        let (above, below) = mail.split_at(at + newline + 1);
        let line = self.chance.pick(&[
            FROM,
            "From x Mon Sep 17 00:00:00 PST 2001\n",
            "From x 10:20:30 91\n",
            "From here on it is 10:20:30 o'clock\n",
            ">From x Mon Sep 17 00:00:00 2001\n",
        ]);
        let next = self.chance.pick(&[
            "",
            "",
            "Subject: y\n\n",
            "!x: y\nContent-Transfer-Encoding: base64\n\n",
        ]);
        format!("{above}{line}{next}{below}")
    }

    /// Breaks something.
    fn harm(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..1 + self.chance.below(3) {
            let at = self.chance.below(bytes.len());
            let newlines = |bytes: &[u8]| bytes.iter().position(|byte| *byte == b'\n');
            match self.chance.below(7) {
                0 => bytes[at] = self.chance.below(256) as u8,
                1 => {
                    bytes.remove(at);
                }
                2 => bytes.insert(
                    at,
                    *b" \n\r\0=-@+\t:"
                        .get(self.chance.below(10))
                        .unwrap_or(&b'x'),
                ),
                3 => {
                    let end = newlines(&bytes[at..]).map_or(bytes.len(), |end| at + end + 1);
                    bytes.drain(at..end);
                }
                4 => {
                    let end = newlines(&bytes[at..]).map_or(bytes.len(), |end| at + end + 1);
                    let line = bytes[at..end].to_vec();
                    bytes.splice(at..at, line);
                }
                5 => bytes.truncate(at.max(bytes.len() / 2)),
                _ => bytes[at] = bytes[at].to_ascii_uppercase(),
            }
            if bytes.is_empty() {
                bytes.push(b'x');
            }
        }
    }
}
