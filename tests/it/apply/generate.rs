// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Patches of all sorts, and the small trees that they are for.

use super::Files;
use crate::random::Random;

/// A tree and a patch for it.
pub struct Case {
    pub files: Files,
    pub patch: Vec<u8>,
}

/// Lines that stand in a file again and again, so that a hunk fits in several places.
const LINES: [&str; 9] = ["a", "b", "b ", "}", "", "#if 0", "#endif", "f(x);", "\tb"];
const PATHS: [&str; 7] = [
    "x.c",
    "d/y.h",
    "d/e/z.c",
    "s p.c",
    "d/empty",
    "tools/q.h",
    "kernel/k.c",
];
const NEW_PATHS: [&str; 8] = [
    "n.c",
    "d/n.h",
    "new/deep/n.c",
    "d/t\tb.c",
    "q\"q.c",
    "\u{e4}.c",
    "a b/c d.c",
    "x.c.orig",
];

/// The case with this number.
pub fn case(seed: u64) -> Case {
    let mut random = Random::of(seed);
    let files = files(&mut random);
    let mut maker = Maker {
        random,
        files: &files,
    };
    let mut patch = String::new();
    let count = maker.random.pick(&[1, 1, 1, 2, 3]);
    for _ in 0..count {
        patch += &maker.diff();
        if maker.random.one_in(20) {
            patch += maker.random.pick(&BETWEEN);
        }
    }
    if maker.random.one_in(12) {
        patch = maker.spoilt(&patch);
    }
    // What stands above the first diff is a mail's message for us.
    if !patch.starts_with("diff -") && !patch.starts_with("--- ") {
        patch.insert_str(0, "---\n");
    }
    Case {
        patch: patch.into_bytes(),
        files,
    }
}

/// Text that may stand between diffs.
const BETWEEN: [&str; 8] = [
    "text\n",
    "\n",
    "-- \n2.47.3\n",
    "@@ -1,2 +1,2 @@ text\n",
    "@@ -x\n",
    "diff --git a/x.c b/x.c\n\n",
    "diff --git rubbish\n",
    "Index: x.c\n=====\n",
];

fn files(random: &mut Random) -> Files {
    let mut files = Files::new();
    for path in PATHS {
        if random.one_in(7) {
            continue;
        }
        let mut text = String::new();
        if !path.ends_with("empty") {
            for number in 0..2 + random.below(14) {
                if random.one_in(4) {
                    text += &format!("l{number}\n");
                } else {
                    text += random.pick(&LINES);
                    text += "\n";
                }
            }
            if random.one_in(8) {
                text.pop();
            }
        }
        files.insert(path.to_owned(), text.into_bytes());
    }
    files
}

/// What a diff says of its file.
struct Names {
    old: String,
    new: String,
    /// What stands before both.
    prefixes: (&'static str, &'static str),
}

struct Maker<'f> {
    random: Random,
    files: &'f Files,
}

impl Maker<'_> {
    fn known(&mut self) -> String {
        let known: Vec<&String> = self.files.keys().collect();
        if known.is_empty() || self.random.one_in(50) {
            return "x.c".to_owned();
        }
        self.random.pick(&known).clone()
    }

    fn fresh(&mut self) -> String {
        if self.random.one_in(15) {
            return self.known();
        }
        self.random.pick(&NEW_PATHS).to_owned()
    }

    fn lines(&self, path: &str) -> Vec<String> {
        let text = self.files.get(path).map(Vec::as_slice).unwrap_or_default();
        let text = String::from_utf8_lossy(text);
        text.split_inclusive('\n').map(str::to_owned).collect()
    }

    fn prefixes(&mut self) -> (&'static str, &'static str) {
        const ODD: [(&str, &str); 7] = [
            ("kernel/", "kernel/"),
            ("linux.orig/", "linux/"),
            ("./", "./"),
            ("a//", "b/"),
            ("", ""),
            ("/", "/"),
            ("i/", "w/"),
        ];
        if self.random.one_in(15) {
            self.random.pick(&ODD)
        } else {
            ("a/", "b/")
        }
    }

    fn diff(&mut self) -> String {
        match self.random.below(14) {
            0 => self.added(),
            1 => self.deleted(),
            2 | 3 => self.moved(),
            4 => self.mode(),
            5..=7 => self.plain(),
            8 => self.renamed_by_names(),
            _ => self.modified(),
        }
    }

    fn named(&mut self, old: &str, new: &str) -> Names {
        Names {
            old: old.to_owned(),
            new: new.to_owned(),
            prefixes: self.prefixes(),
        }
    }

    fn modified(&mut self) -> String {
        let path = self.known();
        let names = self.named(&path, &path);
        let mut header = vec![names.old_line(""), names.new_line("")];
        if self.random.one_in(2) {
            header.insert(0, "index 0123abc..4567def 100644".to_owned());
        }
        if self.random.one_in(9) {
            header.insert(0, "new mode 100755".to_owned());
            header.insert(0, "old mode 100644".to_owned());
        }
        let hunks = self.hunks(&path);
        self.git(&names, header, &hunks)
    }

    fn renamed_by_names(&mut self) -> String {
        let (old, new) = (self.known(), self.fresh());
        let names = self.named(&old, &new);
        let header = vec![names.old_line(""), names.new_line("")];
        let hunks = self.hunks(&old);
        self.git(&names, header, &hunks)
    }

    fn moved(&mut self) -> String {
        let (old, new) = (self.known(), self.fresh());
        let names = self.named(&old, &new);
        let (from, to) = self.random.pick(&[
            ("rename from ", "rename to "),
            ("rename old ", "rename new "),
            ("copy from ", "copy to "),
        ]);
        let mut header = vec![
            "similarity index 90%".to_owned(),
            format!("{from}{}", quoted(&names.old)),
            format!("{to}{}", quoted(&names.new)),
        ];
        let mut hunks = String::new();
        if self.random.one_in(2) {
            header.push(names.old_line(""));
            header.push(names.new_line(""));
            hunks = self.hunks(&old);
        }
        self.git(&names, header, &hunks)
    }

    fn added(&mut self) -> String {
        let path = self.fresh();
        let names = self.named(&path, &path);
        let mode = self
            .random
            .pick(&["100644", "100644", "100755", "100644", "120000"]);
        let mut header = vec![format!("new file mode {mode}")];
        let mut hunks = String::new();
        if !self.random.one_in(5) {
            header.push("--- /dev/null".to_owned());
            header.push(names.new_line(""));
            hunks = self.new_text();
        }
        self.git(&names, header, &hunks)
    }

    fn new_text(&mut self) -> String {
        let count = 1 + self.random.below(3);
        let start = self.random.pick(&["0,0", "0,0", "0", "1,0", "7,0"]);
        let lines: String = (0..count).map(|number| format!("+n{number}\n")).collect();
        let end = self
            .random
            .pick(&["", "", "\\ No newline at end of file\n"]);
        format!("@@ -{start} +1,{count} @@\n{lines}{end}")
    }

    fn deleted(&mut self) -> String {
        let path = self.known();
        let names = self.named(&path, &path);
        let lines = self.lines(&path);
        let mut header = vec!["deleted file mode 100644".to_owned()];
        let mut hunks = String::new();
        if !lines.is_empty() && !self.random.one_in(6) {
            header.push(names.old_line(""));
            header.push("+++ /dev/null".to_owned());
            hunks = format!("@@ -1,{} +0,0 @@\n", lines.len());
            for line in lines {
                hunks += &shown('-', &line);
            }
        }
        self.git(&names, header, &hunks)
    }

    fn mode(&mut self) -> String {
        let path = self.known();
        let names = self.named(&path, &path);
        let new = self
            .random
            .pick(&["100755", "100755", "100644", "120000", "1007x5"]);
        let header = vec!["old mode 100644".to_owned(), format!("new mode {new}")];
        self.git(&names, header, "")
    }

    /// A diff as git makes it, more or less.
    fn git(&mut self, names: &Names, mut header: Vec<String>, hunks: &str) -> String {
        if self.random.one_in(5) {
            self.random.shuffle(&mut header);
        }
        if self.random.one_in(25) {
            let known = [
                "copy from x.c",
                "new file mode 100644",
                "index 1234",
                "other",
            ];
            let at = self.random.below(header.len() + 1);
            header.insert(at, self.random.pick(&known).to_owned());
        }
        if self.random.one_in(25) && !header.is_empty() {
            let at = self.random.below(header.len());
            header.remove(at);
        }
        let header: String = header.into_iter().map(|line| line + "\n").collect();
        let (old, new) = (&names.old, &names.new);
        let first = quoted(&format!("{}{old}", names.prefixes.0));
        let second = quoted(&format!("{}{new}", names.prefixes.1));
        format!("diff --git {first} {second}\n{header}{hunks}")
    }

    fn plain(&mut self) -> String {
        const TIMES: [&str; 6] = [
            "",
            "",
            "\t2024-01-05 10:11:12.000000001 +0100",
            "  2024-01-05 10:11:12 +0100",
            "\t1970-01-01 01:00:00.000000000 +0100",
            "\ttext",
        ];
        let is_new = self.random.one_in(4);
        let path = if is_new { self.fresh() } else { self.known() };
        let mut names = self.named(&path, &path);
        if self.random.one_in(6) {
            names.new += self.random.pick(&[".orig", "~", ""]);
        }
        let (first, second) = (self.random.pick(&TIMES), self.random.pick(&TIMES));
        let hunks = if is_new {
            self.new_text()
        } else {
            self.hunks(&path)
        };
        let old = match self.random.below(8) {
            0 if is_new => "--- /dev/null".to_owned(),
            _ => names.old_line(first),
        };
        let new = match self.random.below(30) {
            0 => "+++ /dev/null".to_owned(),
            _ => names.new_line(second),
        };
        format!("{old}\n{new}\n{hunks}")
    }

    fn hunks(&mut self, path: &str) -> String {
        let lines = self.lines(path);
        let count = 1 + self.random.below(3);
        let mut hunks = Vec::new();
        let mut shift = 0_i64;
        let mut start = 0;
        for _ in 0..count {
            if start > lines.len() {
                break;
            }
            let (hunk, end) = self.hunk(&lines, start, &mut shift);
            hunks.push(hunk);
            // They may overlap, and twins may be taken for each other.
            start = if self.random.one_in(6) { start } else { end };
        }
        if self.random.one_in(6) {
            self.random.shuffle(&mut hunks);
        }
        if self.random.one_in(25) {
            let between = self.random.pick(&["text\n", "\n", "@@ -1 x\n"]).to_owned();
            let at = self.random.below(hunks.len() + 1);
            hunks.insert(at, between);
        }
        hunks.concat()
    }

    /// A hunk at or below line `from`; gives the line behind it, too.
    fn hunk(&mut self, lines: &[String], from: usize, shift: &mut i64) -> (String, usize) {
        let room = lines.len() - from;
        let start = from + self.random.below(room.min(6) + 1);
        let mut at = start;
        let mut body = Vec::new();
        let take = |random: &mut Random, most: usize, at: &mut usize| {
            let count = random.below(most + 1).min(lines.len() - *at);
            let taken = lines[*at..*at + count].to_vec();
            *at += count;
            taken
        };
        let most = self.random.pick(&[0, 1, 2, 3, 3, 3]);
        for line in take(&mut self.random, most, &mut at) {
            body.push((' ', line));
        }
        for _ in 0..1 + self.random.below(2) {
            for line in take(&mut self.random, 2, &mut at) {
                body.push(('-', line));
            }
            for _ in 0..self.random.below(3) {
                let line = format!("{}\n", self.random.pick(&["new", "b", "}", ""]));
                body.push(('+', line));
            }
            for line in take(&mut self.random, most, &mut at) {
                body.push((' ', line));
            }
        }
        let count = |without: char| body.iter().filter(|(sign, _)| *sign != without).count();
        let (old_len, new_len) = (count('+'), count('-'));
        let noise = |random: &mut Random| match random.below(8) {
            0 => random.below(7) as i64 - 3,
            _ => 0,
        };
        let first = |len: usize| if len == 0 { 0 } else { 1 };
        let old = start as i64 + first(old_len) + noise(&mut self.random);
        let new = start as i64 + first(new_len) + *shift + noise(&mut self.random);
        *shift += new_len as i64 - old_len as i64;
        let range = |random: &mut Random, start: i64, len: usize| {
            let start = start.max(0);
            if len == 1 && random.one_in(2) {
                format!("{start}")
            } else {
                format!("{start},{len}")
            }
        };
        let wrong = usize::from(self.random.one_in(60));
        let old = range(&mut self.random, old, old_len + wrong);
        let new = range(&mut self.random, new, new_len);
        let section = self.random.pick(&["", " f(void)", "text"]);
        let mut text = format!("@@ -{old} +{new} @@{section}\n");
        for (sign, line) in &body {
            if *sign == ' ' && line == "\n" && self.random.one_in(3) {
                text += "\n";
            } else {
                text += &shown(*sign, line);
            }
            if self.random.one_in(80) {
                text += self
                    .random
                    .pick(&["\\ No newline at end of file\n", "\\ No\n"]);
            }
        }
        (text, at)
    }

    /// The patch with something wrong in it.
    fn spoilt(&mut self, patch: &str) -> String {
        let mut lines: Vec<String> = patch.split_inclusive('\n').map(str::to_owned).collect();
        let at = self.random.below(lines.len());
        match self.random.below(7) {
            0 => {
                lines.remove(at);
            }
            1 => {
                let line = lines[at].clone();
                lines.insert(at, line);
            }
            2 => {
                let other = self.random.below(lines.len());
                lines.swap(at, other);
            }
            3 => {
                lines.truncate(at + 1);
            }
            4 => {
                if let Some(last) = lines.last_mut() {
                    last.pop();
                }
            }
            // The first line of a mail's body loses them.
            5 if at > 0 => lines[at] = lines[at].replace('\n', " \n"),
            _ => {
                let other = self.random.pick(&BETWEEN);
                lines.insert(at, other.to_owned());
            }
        }
        lines.concat()
    }
}

impl Names {
    fn old_line(&self, time: &str) -> String {
        format!(
            "--- {}{time}",
            quoted(&format!("{}{}", self.prefixes.0, self.old))
        )
    }

    fn new_line(&self, time: &str) -> String {
        format!(
            "+++ {}{time}",
            quoted(&format!("{}{}", self.prefixes.1, self.new))
        )
    }
}

/// A line of a hunk.
fn shown(sign: char, line: &str) -> String {
    if line.ends_with('\n') {
        format!("{sign}{line}")
    } else {
        format!("{sign}{line}\n\\ No newline at end of file\n")
    }
}

/// A name as git writes it.
fn quoted(name: &str) -> String {
    if name
        .bytes()
        .all(|byte| byte.is_ascii() && !byte.is_ascii_control() && byte != b'"')
    {
        return name.to_owned();
    }
    let mut text = "\"".to_owned();
    for byte in name.bytes() {
        match byte {
            b'\t' => text += "\\t",
            b'"' | b'\\' => text += &format!("\\{}", char::from(byte)),
            b' '..=b'~' => text.push(char::from(byte)),
            _ => text += &format!("\\{byte:03o}"),
        }
    }
    text + "\""
}
