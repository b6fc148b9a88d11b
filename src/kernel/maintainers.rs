// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Who maintains what: MAINTAINERS.
//!
//! It may not know what maintainers are asked for.

use crate::globs::Globs;
use std::collections::{BTreeMap, BTreeSet};

/// One section.
#[derive(Clone, Debug, Default)]
pub struct Section {
    /// Its title.
    pub title: String,
    /// The addresses of its `M:` entries, in lower case.
    pub maintainers: Vec<String>,
    /// Its `M:` entries as they stand, and its `R:` and `L:` entries.
    named: Vec<String>,
    copied: Vec<String>,
    /// Its `F:` and `X:` entries. There are thousands, of which few are asked
    /// for, so they become globs when they are.
    files: Vec<String>,
    excluded: Vec<String>,
}

impl Section {
    /// Whether an `F:` of the section covers `path`.
    pub fn covers(&self, path: &str) -> bool {
        let matches = |pattern: &String| {
            may_match(pattern, path) && glob(pattern).is_some_and(|glob| glob.is_match(path))
        };
        self.files.iter().any(matches) && !self.excluded.iter().any(matches)
    }
}

/// The file MAINTAINERS.
#[derive(Clone, Debug, Default)]
pub struct Maintainers {
    sections: Vec<Section>,
}

/// Whom a patch goes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contacts {
    /// Maintainers.
    pub to: Vec<String>,
    /// Reviewers and lists.
    pub cc: Vec<String>,
}

/// The section that covers everything.
const THE_REST: &str = "THE REST";

impl Maintainers {
    /// Reads the file. What does not look like an entry is passed over.
    pub fn parse(text: &str) -> Self {
        let mut sections: Vec<Section> = Vec::new();
        let mut title_may_follow = true;
        for line in text.lines() {
            let entry = line.split_once(":\t").filter(|(tag, _)| tag.len() == 1);
            match entry {
                Some((tag, value)) => {
                    if let Some(section) = sections.last_mut() {
                        section.add(tag, value.trim());
                    }
                }
                None if line.trim().is_empty() => title_may_follow = true,
                None if title_may_follow && !line.starts_with([' ', '\t', '.', '-', '=']) => {
                    title_may_follow = false;
                    sections.push(Section {
                        title: line.trim().to_owned(),
                        ..Section::default()
                    });
                }
                None => {}
            }
        }
        Self { sections }
    }

    /// Sections of which only titles and addresses are known.
    pub fn known(sections: &BTreeMap<String, Vec<String>>) -> Self {
        let sections = sections.iter().map(|(title, maintainers)| Section {
            title: title.clone(),
            maintainers: maintainers.clone(),
            ..Section::default()
        });
        Self {
            sections: sections.collect(),
        }
    }

    /// The section with this title.
    pub fn section(&self, title: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.title == title)
    }

    /// The sections that cover the file at `path`, but for the one that covers all.
    pub fn covering(&self, path: &str) -> impl Iterator<Item = &Section> {
        self.sections
            .iter()
            .filter(move |section| section.title != THE_REST && section.covers(path))
    }

    /// Where files may be that get another maintainer than by `before`: the folders, and
    /// whether a file in one of them is covered by an entry that is new.
    pub fn gaining<'m>(
        &'m self,
        before: &Self,
    ) -> (Vec<String>, impl Fn(&str) -> bool + Sync + use<'m>) {
        let known: BTreeSet<_> = before.sections.iter().map(Section::kept).collect();
        let new = self
            .sections
            .iter()
            .filter(|section| section.title != THE_REST && !known.contains(&section.kept()));
        let new: Vec<&Section> = new.collect();
        let patterns = new.iter().flat_map(|section| &section.files);
        let folder = |pattern: &String| {
            let plain = plain_start(pattern);
            let (folder, _) = plain.rsplit_once('/').unwrap_or_default();
            folder.to_owned()
        };
        let folders: BTreeSet<String> = patterns.map(folder).collect();
        let covered = move |path: &str| new.iter().any(|section| section.covers(path));
        (folders.into_iter().collect(), covered)
    }

    /// Whom a patch to the files `paths` goes to: each address once, and the lists of
    /// the section that covers everything.
    pub fn contacts(&self, paths: &BTreeSet<&str>) -> Contacts {
        let concerned = |section: &&Section| {
            section.title != THE_REST && paths.iter().any(|path| section.covers(path))
        };
        let sections: Vec<&Section> = self.sections.iter().filter(concerned).collect();
        let mut known = BTreeSet::new();
        let mut new = |one: &&String| address(one).is_some_and(|address| known.insert(address));
        let to = sections.iter().flat_map(|section| &section.named);
        let to = to.filter(&mut new).cloned().collect();
        let rest = self.section(THE_REST).into_iter();
        let copied = sections.iter().copied().chain(rest);
        let copied = copied.flat_map(|section| &section.copied);
        let cc = copied.filter(&mut new).cloned().collect();
        Contacts { to, cc }
    }
}

impl Section {
    /// What decides about who maintains which files.
    fn kept(&self) -> (&str, &[String], &[String], &[String]) {
        (&self.title, &self.maintainers, &self.files, &self.excluded)
    }

    fn add(&mut self, tag: &str, value: &str) {
        match tag {
            "M" => {
                self.maintainers.extend(address(value));
                self.named.extend(contact(value));
            }
            "R" | "L" => self.copied.extend(contact(value)),
            "F" => self.files.push(value.to_owned()),
            "X" => self.excluded.push(value.to_owned()),
            _ => {}
        }
    }
}

/// The address of `Name <address>` or of a bare one, in lower case.
pub fn address(text: &str) -> Option<String> {
    let inner = match text.split_once('<') {
        Some((_, rest)) => rest.split_once('>')?.0,
        None => text.split_whitespace().find(|word| word.contains('@'))?,
    };
    let inner = inner.trim();
    // No other letter may come to one of these: U+212A is not k.
    inner.contains('@').then(|| inner.to_ascii_lowercase())
}

/// An entry as a mail's header has it: `Name <address>`, or a list's address, without
/// what is said of it in parentheses.
fn contact(value: &str) -> Option<String> {
    address(value)?;
    Some(match value.split_once('>') {
        Some((person, _)) => format!("{person}>"),
        None => value
            .split_whitespace()
            .find(|word| word.contains('@'))?
            .to_owned(),
    })
}

/// Whether `path` starts as the pattern does, up to its first special character.
fn may_match(pattern: &str, path: &str) -> bool {
    path.starts_with(plain_start(pattern))
}

/// What stands before the first special character of a pattern.
fn plain_start(pattern: &str) -> &str {
    let mut parts = pattern.split(['*', '?', '[', '{', '\\']);
    parts.next().unwrap_or_default()
}

/// A file pattern: a slash at the end stands for all below (get_maintainer.pl).
fn glob(text: &str) -> Option<Globs> {
    let pattern = if text.ends_with('/') {
        format!("{text}**")
    } else {
        text.to_owned()
    };
    Globs::of_paths([pattern.as_str()]).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Descriptions\n\n\tM: *Mail*\n\nMaintainers List\n----------------\n\n\
        SCHEDULER\nM:\tA B <A@Example.org>\nM:\tc@example.org (x)\nR:\tR <r@example.org>\nF:\tkernel/sched/\nX:\tkernel/sched/ext*\n\n\
        THE REST\nM:\tT <t@example.org>\nL:\tl@example.org (open list)\nF:\t*\nF:\t*/\n";

    #[test]
    fn sections() {
        let maintainers = Maintainers::parse(TEXT);
        let found = maintainers
            .section("SCHEDULER")
            .map(|section| section.maintainers.clone());
        assert_eq!(
            found.unwrap_or_default(),
            ["a@example.org", "c@example.org"]
        );
        let titles = |path| {
            maintainers
                .covering(path)
                .map(|section| section.title.as_str())
                .collect::<Vec<_>>()
        };
        assert_eq!(titles("kernel/sched/core.c"), ["SCHEDULER"]);
        assert_eq!(titles("kernel/sched/ext.c"), [""; 0]);
        assert_eq!(titles("mm/mmap.c"), [""; 0]);
        let contacts = maintainers.contacts(&BTreeSet::from(["kernel/sched/core.c", "x"]));
        assert_eq!(contacts.to, ["A B <A@Example.org>", "c@example.org"]);
        assert_eq!(contacts.cc, ["R <r@example.org>", "l@example.org"]);
    }
}
