// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The patches that a command line names: files, folders of them, mboxes, and
//! standard input as `-`.
//!
//! All of them are one series, in the order in which they are given; a folder's
//! by its quilt `series` file, else by name, a mbox's as it lies, but by the
//! `n/m` of the subjects where each has one, a log's from the oldest on. What cannot be used is listed, and
//! the rest is given nevertheless. May not know what the patches apply to.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::SIZE_LIMIT;
use super::mail::{self, Content};
use super::mailsplit::Mail;
use super::patch::{Patch, Problem, Tags};
use super::{paths, special, versions};

/// What the names of patches end in.
const ENDINGS: &[&str] = &["patch", "diff", "mbox", "mbx", "eml"];

/// What all patches together may have, in bytes. A `series` file may name one many times.
const TOTAL: u64 = 2 * SIZE_LIMIT;

/// What the inputs hold.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// The patches that change something, in order.
    pub patches: Vec<Patch>,
    /// Those of older versions of the same series, which are only checked if all of them
    /// apply together.
    pub older: Vec<Patch>,
    /// What there is to say of what was taken.
    pub notices: Vec<String>,
    /// What could not be used.
    pub problems: Vec<Problem>,
    /// There are cover letters and nothing else, which is a problem to all but those
    /// who are given whatever comes.
    pub only_covers: bool,
}

/// Reads all patches that `inputs` name; `stdin` is read for `-`.
pub fn load(inputs: &[PathBuf], stdin: &mut dyn Read) -> Loaded {
    let mut loader = Loader::default();
    for input in inputs {
        let name = input.display().to_string();
        if input.as_os_str() == "-" {
            loader.text(name, bounded(stdin));
        } else if input.is_dir() {
            loader.folder(input, &name);
        } else {
            loader.text(name, read(input));
        }
    }
    loader.finish()
}

/// Reads the patches in `text`, which came from an input called `name`.
pub fn load_bytes(name: &str, text: &[u8]) -> Loaded {
    let mut loader = Loader::default();
    loader.text(name.to_owned(), Ok(text.to_vec()));
    loader.finish()
}

/// Reads the file at `path`, which the command line names.
///
/// # Errors
/// It cannot be read, or is larger than [`SIZE_LIMIT`].
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    bounded(&mut special::open_named(path)?)
}

/// As [`read`], of a text.
///
/// # Errors
/// As [`read`], or it is not UTF-8.
pub fn read_text(path: &Path) -> io::Result<String> {
    String::from_utf8(read(path)?).map_err(|_| io::Error::other("it is not UTF-8"))
}

/// As [`read`], of a file that nobody named: what it is has to be looked at, since
/// to open a fifo is to wait for its writer.
fn read_regular(path: &Path) -> io::Result<Vec<u8>> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    read(path)
}

fn bounded(from: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    from.take(SIZE_LIMIT + 1).read_to_end(&mut text)?;
    if text.len() as u64 > SIZE_LIMIT {
        return Err(io::Error::other(format!(
            "it is larger than {} MiB",
            SIZE_LIMIT >> 20
        )));
    }
    Ok(text)
}

#[derive(Default)]
struct Loader {
    loaded: Loaded,
    /// Something had a diff, if a flawed one.
    any_diff: bool,
    /// Mails without a diff that need none, unless nothing has one.
    bare: Vec<Problem>,
    /// How many of them are cover letters.
    covers: usize,
    /// Bytes read so far.
    size: u64,
}

impl Loader {
    fn problem(&mut self, input: &str, message: impl Into<String>) {
        let (input, message) = (input.to_owned(), message.into());
        self.loaded.problems.push(Problem {
            input,
            line: None,
            message,
        });
    }

    fn text(&mut self, name: String, text: io::Result<Vec<u8>>) {
        let text = match text {
            Ok(text) => text,
            Err(error) => return self.problem(&name, format!("cannot read it: {error}")),
        };
        self.size += text.len() as u64;
        if self.is_full() {
            let most = TOTAL >> 20;
            let message =
                format!("more than {most} MiB of patches with this one: check them in parts");
            return self.problem(&name, message);
        }
        let mails = mail::split(&text);
        let many = mails.len() > 1;
        let mut contents = Vec::new();
        for (index, mail) in mails.into_iter().enumerate() {
            let mut content = mail::read(&mail, &name);
            let number = many.then_some(index + 1);
            content.patch.mail = number;
            if let Some(other) = &mut content.patch.other {
                other.mail = number;
            }
            if content.has_diff() {
                contents.push(content);
            } else {
                self.without_diff(&content, &mail, many);
            }
        }
        let mut versions = versions::sort(contents);
        if let Some(problem) = versions.problem {
            self.any_diff = true;
            return self.problem(&name, problem);
        }
        if !versions.said.is_empty() {
            self.loaded
                .notices
                .push(format!("{name} {}", versions.said));
        }
        sort_by_number(&mut versions.older);
        let older = versions.older.into_iter().map(|content| content.patch);
        self.loaded.older.extend(older);
        let mut contents = versions.newest;
        sort_by_number(&mut contents);
        sort_log(&mut contents);
        for content in contents {
            self.any_diff = true;
            self.loaded.problems.extend(content.problems);
            if !content.patch.changes.is_empty() {
                self.loaded.patches.push(content.patch);
            }
        }
    }

    fn without_diff(&mut self, content: &Content, mail: &Mail<'_>, many: bool) {
        let lost = content.is_mail && !content.may_be_bare();
        let message = match disguise(&mail.raw) {
            Some(message) => message,
            None if lost => {
                "the mail is said to be a patch but holds no diff: it is cut off; get it again"
            }
            None => "not a patch: it holds no diff",
        };
        let problem = Problem {
            input: content.patch.input.clone(),
            line: many.then_some(mail.line),
            message: message.to_owned(),
        };
        if content.may_be_bare() {
            self.covers += usize::from(content.is_cover());
            self.bare.push(problem);
        } else {
            self.loaded.problems.push(problem);
        }
    }

    fn folder(&mut self, folder: &Path, name: &str) {
        let series = folder.join("series");
        let files = if series.is_file() {
            self.quilt(&series, folder)
        } else {
            by_name(folder)
        };
        let files = match files {
            Ok(files) => files,
            Err(error) => return self.problem(name, format!("cannot read it: {error}")),
        };
        if files.is_empty() {
            let endings = ENDINGS.join(", .");
            let message = format!("no patch in this folder: none of its files ends in .{endings}");
            return self.problem(name, message);
        }
        for file in files {
            if self.is_full() {
                return;
            }
            self.text(file.display().to_string(), read_regular(&file));
        }
    }

    fn is_full(&self) -> bool {
        self.size > TOTAL
    }

    /// The files that a `series` file names.
    fn quilt(&mut self, series: &Path, folder: &Path) -> io::Result<Vec<PathBuf>> {
        let text = read_regular(series)?;
        let mut files = Vec::new();
        for line in String::from_utf8_lossy(&text).lines() {
            let Some(name) = line
                .split_whitespace()
                .next()
                .filter(|n| !n.starts_with('#'))
            else {
                continue;
            };
            match paths::inside(name) {
                Ok(()) => files.push(folder.join(name)),
                Err(why) => self.problem(&series.display().to_string(), why),
            }
        }
        Ok(files)
    }

    fn finish(mut self) -> Loaded {
        if !self.any_diff {
            let covers = self.covers > 0 && self.covers == self.bare.len();
            self.loaded.only_covers = covers && self.loaded.problems.is_empty();
            self.loaded.problems.append(&mut self.bare);
        }
        self.loaded
    }
}

/// What hides a patch, where something well known does, and how it is taken off.
fn disguise(text: &[u8]) -> Option<&'static str> {
    let packed: [&[u8]; 4] = [b"\x1f\x8b", b"\xfd7zXZ\0", b"BZh", b"\x28\xb5\x2f\xfd"];
    let wide: [&[u8]; 2] = [b"\xff\xfe", b"\xfe\xff"];
    let starts = |with: &&[u8]| text.starts_with(with);
    let has = |what: &[u8]| memchr::memmem::find(text, what).is_some();
    if packed.iter().any(starts) {
        Some("it is compressed: unpack it first, or pipe it through zcat, xzcat or the like into -")
    } else if wide.iter().any(starts) {
        Some("it is UTF-16: turn it into UTF-8 first (iconv -f UTF-16 -t UTF-8)")
    } else if has(b"\x1b[") && has(b"@@ -") {
        Some("it is coloured for a terminal: make it again with --color=never")
    } else if has(b"\n***************") {
        Some("it is a context diff: make it again with diff -u")
    } else {
        None
    }
}

/// The patches in a folder, by name.
fn by_name(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let ending = path.extension().and_then(|ending| ending.to_str());
        if ending.is_some_and(|ending| ENDINGS.contains(&ending)) && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Sorts the patches of one series by their `n/m`, if each has its own.
fn sort_by_number(contents: &mut [Content]) {
    let numbers: Option<Vec<_>> = contents
        .iter()
        .map(|content| Tags::of(&content.patch.subject).number)
        .collect();
    let Some(mut numbers) = numbers else {
        return;
    };
    numbers.sort_unstable();
    let apart = numbers.windows(2).all(|pair| match pair {
        [(n, m), (next_n, next_m)] => m == next_m && n < next_n,
        _ => true,
    });
    if apart {
        contents.sort_by_key(|content| Tags::of(&content.patch.subject).number);
    }
}

/// Puts the commits of `git log -p`, which begins with the newest, in the order in which
/// they were made: there, what a commit changes is what a later one in the text made.
fn sort_log(contents: &mut [Content]) {
    if contents
        .iter()
        .any(|one| one.is_mail || one.patch.commit.is_none())
    {
        return;
    }
    let mut wanted: BTreeMap<&str, &str> = BTreeMap::new();
    let mut changes = contents.iter().flat_map(|content| &content.patch.changes);
    let newest_first = changes.any(|change| {
        let made = change.new_path.as_deref().zip(change.new_blob.as_deref());
        let follows = made.is_some_and(|(path, id)| {
            let id_before = wanted.get(path);
            id_before.is_some_and(|old| old.starts_with(id) || id.starts_with(old))
        });
        wanted.extend(change.old_path.as_deref().zip(change.old_blob.as_deref()));
        follows
    });
    if newest_first {
        contents.reverse();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_that_names_one_patch_many_times() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut patch = b"--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n".to_vec();
        patch.resize(40 << 20, b'\n');
        fs::write(folder.path().join("x.patch"), patch).expect("written");
        fs::write(folder.path().join("series"), "x.patch\n".repeat(1 << 20)).expect("written");
        let loaded = load(&[folder.path().to_owned()], &mut io::empty());
        assert_eq!(loaded.patches.len(), 3);
        let problems = loaded.problems.iter().map(|one| one.message.as_str());
        let said: Vec<&str> = problems.filter(|one| one.contains("in parts")).collect();
        assert_eq!(said.len(), 1, "{said:?}");
    }

    fn mail(subject: &str, file: &str) -> String {
        let from = "From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001";
        let diff = format!("--- a/{file}\n+++ b/{file}\n@@ -1 +1 @@\n-a\n+b\n");
        let diff = if file.is_empty() { "talk\n" } else { &diff };
        format!("{from}\nFrom: A <a@b.c>\nSubject: {subject}\n\ntext\n---\n{diff}-- \n2.47\n\n")
    }

    fn subjects(loaded: &Loaded) -> Vec<String> {
        loaded
            .patches
            .iter()
            .map(|patch| patch.title().to_owned())
            .collect()
    }

    #[test]
    fn a_mbox_goes_by_the_numbers() {
        let mbox = [
            mail("[PATCH v2 2/2] two", "y"),
            mail("[PATCH v2 0/2] cover", ""),
            mail("Re: [PATCH v2 1/2] one", ""),
            mail("[PATCH v2 1/2] one", "x"),
        ];
        let loaded = load_bytes("x.mbox", mbox.concat().as_bytes());
        assert_eq!(loaded.problems, []);
        assert_eq!(subjects(&loaded), ["one", "two"]);
        assert_eq!(loaded.patches[0].name(), "x.mbox (mail 4)");
        let unnumbered = [mail("[PATCH] b", "y"), mail("[PATCH] a", "x")].concat();
        assert_eq!(
            subjects(&load_bytes("x", unnumbered.as_bytes())),
            ["b", "a"]
        );
    }

    #[test]
    fn of_a_whole_thread_the_newest_version_counts() {
        let one = |subject: &str, file: &str| mail(&format!("[PATCH {subject}"), file);
        let thread = [
            one("0/2] cover", ""),
            one("2/2] two", "y"),
            one("1/2] one", "x"),
            "From x Thu Jan  1 00:00:00 1970\nSubject: Re: [PATCH 1/2] one\n\nNo.\n".to_owned(),
            one("RFC v3 2/2] another", "x"),
            one("RFC v3 1/2] two", "z"),
            one("v2] one", "x"),
        ];
        let loaded = load_bytes("x", thread.concat().as_bytes());
        assert_eq!(loaded.problems, []);
        assert_eq!(subjects(&loaded), ["two", "another"]);
        assert_eq!(loaded.older.len(), 3);
        let said = ["x has v1, v2 and v3 of a series: v3 is checked"];
        assert_eq!(loaded.notices, said);
        // What has nothing to do with it stays.
        let apart = [one("] a", "x"), one("v2] b", "y")];
        let loaded = load_bytes("x", apart.concat().as_bytes());
        assert_eq!(subjects(&loaded), ["a", "b"]);
        assert!(loaded.notices.is_empty() && loaded.older.is_empty());
    }

    #[test]
    fn a_part_of_a_version_is_none() {
        for part in ["v2 2/2] two", "v2 1/3] one"] {
            let thread = [
                mail("[PATCH 1/2] one", "x"),
                mail("[PATCH 2/2] two", "y"),
                mail(&format!("[PATCH {part}"), "y"),
            ];
            let loaded = load_bytes("x", thread.concat().as_bytes());
            assert_eq!(loaded.problems.len(), 1, "{part}");
            let problem = &loaded.problems[0].message;
            assert!(problem.contains("only a part of v2"), "{problem}");
            assert!(loaded.patches.is_empty());
        }
    }

    #[test]
    fn a_folder_goes_by_name_or_by_its_series_file() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let put = |name: &str, text: &str| fs::write(dir.path().join(name), text).expect("a file");
        let load = || load(&[dir.path().to_owned()], &mut io::empty());
        put("readme", "not a patch");
        assert_eq!(load().problems.len(), 1);
        put("0000-cover.patch", &mail("[PATCH 0/2] cover", ""));
        assert_eq!(load().problems.len(), 1, "a cover letter alone is no patch");
        assert!(load().only_covers);
        put("0001-b.patch", &mail("Re: [PATCH 1/2] b", ""));
        assert!(!load().only_covers, "an answer is no cover letter");
        put("0001-b.patch", &mail("[PATCH 1/2] b", "x"));
        put("0002-a.patch", &mail("[PATCH 2/2] a", "x"));
        assert_eq!(subjects(&load()), ["b", "a"]);
        assert_eq!(load().problems, []);
        put("0003-c.patch", "garbage");
        assert_eq!(load().problems.len(), 1);
        put(
            "series",
            "# first\n0002-a.patch -p1\n\n0001-b.patch # last\n",
        );
        assert_eq!(subjects(&load()), ["a", "b"]);
        put("series", "0002-a.patch\n../0001-b.patch\ngone.patch\n");
        assert_eq!(load().problems.len(), 2);
    }

    #[test]
    fn what_b4_writes_into_a_folder_is_found() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let put = |name: &str, text: &str| fs::write(dir.path().join(name), text).expect("a file");
        put("v2_20260105_a_one.cover", &mail("[PATCH v2 0/1] cover", ""));
        put("v2_20260105_a_one.mbx", &mail("[PATCH v2 1/1] one", "x"));
        let loaded = load(&[dir.path().to_owned()], &mut io::empty());
        assert_eq!(loaded.problems, []);
        assert_eq!(subjects(&loaded), ["one"]);
    }

    #[test]
    fn a_log_is_read_from_the_oldest_commit_on() {
        let commit = |name: &str, blobs: &str| {
            let id = name.repeat(40);
            let diff = format!(
                "diff --git a/x b/x\nindex {blobs} 100644\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n"
            );
            let diff = if blobs.is_empty() { "" } else { &diff };
            format!(
                "commit {id}\nAuthor: A <a@b.c>\nDate:   now\n\n    {name}\n    \n    \
                 commit {id}\n    Acked-by: {name}\n\n{diff}\n"
            )
        };
        let (old, new) = (
            commit("a", "0123abc..4567def"),
            commit("b", "4567def..89ab012"),
        );
        let merge = commit("c", "").replace("Author", "Merge: 1 2\nAuthor");
        for log in [[&*new, &merge, &old].concat(), [&*old, &new].concat()] {
            let loaded = load_bytes("-", log.as_bytes());
            assert_eq!(loaded.problems, []);
            assert_eq!(subjects(&loaded), ["a", "b"]);
            let messages = loaded.patches.iter().map(|patch| &patch.message);
            assert!(
                messages
                    .zip(["a", "b"])
                    .all(|(text, own)| { text.ends_with(&format!("Acked-by: {own}")) })
            );
        }
        assert_eq!(load_bytes("-", merge.as_bytes()).problems.len(), 1);
    }

    #[test]
    fn what_hides_a_patch_is_named() {
        let problem = |text: &[u8]| load_bytes("x", text).problems[0].message.clone();
        assert!(problem(b"\x1f\x8b\x08\0").contains("unpack it"));
        assert!(problem(b"\xff\xfed\0i\0f\0f\0").contains("iconv"));
        assert!(problem(b"\x1b[1m--- a/x\x1b[m\n\x1b[36m@@ -1 +1 @@\n").contains("--color"));
        assert!(problem(b"*** a/x\n--- b/x\n***************\n*** 1 ***\n").contains("diff -u"));
        assert!(
            load_bytes("x", mail("[PATCH] x\x1b[ @@ -", "x").as_bytes())
                .problems
                .is_empty()
        );
    }

    #[test]
    fn what_is_no_patch_is_said_to_be_none() {
        let problem = |text: &str| {
            let loaded = load_bytes("-", text.as_bytes());
            assert!(loaded.patches.is_empty());
            assert_eq!(loaded.problems.len(), 1);
            loaded.problems[0].to_string()
        };
        assert_eq!(problem("garbage"), "-: not a patch: it holds no diff");
        assert_eq!(problem(""), "-: not a patch: it holds no diff");
        assert!(problem(&mail("[PATCH 1/2] lost", "")).contains("cut off"));
        let missing = load(&["/nowhere/x.patch".into()], &mut io::empty());
        assert!(missing.problems[0].message.starts_with("cannot read it"));
    }

    #[test]
    fn stdin_is_named_by_its_dash() {
        let text = mail("[PATCH] one", "x");
        let loaded = load(&["-".into()], &mut text.as_bytes());
        assert_eq!(loaded.patches[0].name(), "-");
        assert_eq!(loaded.patches[0].changes[0].hunks[0].lines[1].line, 11);
    }
}
