// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Which file an `#include` means, without a compiler's command line.
//!
//! Only files that are known to say something about tracepoints can be found:
//! all others are of no interest here.

use super::facts::{FactsByPath, Include};
use crate::syntax::directives::{Directive, IncludeTarget};
use crate::syntax::lexer::is_word_byte;
use memchr::memmem;
use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Finds files by the way that they are included.
#[derive(Debug)]
pub struct Includes<'a> {
    facts: &'a FactsByPath,
    by_name: HashMap<&'a str, Vec<&'a Arc<str>>>,
    /// What the includes of each file that has any mean, once they were asked for.
    found: HashMap<&'a str, OnceCell<Vec<Found<'a>>>>,
}

/// An include, and the file that it means.
type Found<'a> = (&'a Include, &'a Arc<str>);

impl<'a> Includes<'a> {
    /// Indexes the paths of `facts`.
    pub fn of(facts: &'a FactsByPath) -> Self {
        let mut by_name: HashMap<&str, Vec<&Arc<str>>> = HashMap::new();
        let mut found = HashMap::new();
        for (path, says) in facts {
            by_name.entry(file_name(path)).or_default().push(path);
            if !says.includes.is_empty() {
                found.insert(&**path, OnceCell::new());
            }
        }
        Self {
            facts,
            by_name,
            found,
        }
    }

    /// The includes of the file `path` of which it is known what they mean.
    pub fn found_in(&self, path: &str) -> &[Found<'a>] {
        let Some(found) = self.found.get(path) else {
            return &[];
        };
        found.get_or_init(|| {
            let says = self.facts.get(path).into_iter();
            let includes = says.flat_map(|says| &says.includes);
            let found = includes.filter_map(|include| Some((include, self.find(path, include)?)));
            found.collect()
        })
    }

    /// The file that `include` in the file `from` means. Beside the standard
    /// places, the nearest trace header is taken whose path ends as the include
    /// does, as Kbuild's `-I $(src)` has it.
    pub fn find(&self, from: &str, include: &Include) -> Option<&'a Arc<str>> {
        let target: &str = &include.target;
        // Of most includes no file is known, wherever it may lie.
        self.by_name.get(file_name(target))?;
        for place in places(from, target, include.quoted) {
            if let Some((path, _)) = self.facts.get_key_value(place.as_str()) {
                return Some(path);
            }
        }
        if target.starts_with("asm/") {
            return self.of_an_architecture(from, target);
        }
        self.nearest(from, target)
    }

    /// `<asm/…>` in a file outside of arch/: that of the architecture whose name
    /// is a folder of its path, as in drivers/s390, or the first.
    fn of_an_architecture(&self, from: &str, target: &str) -> Option<&'a Arc<str>> {
        let all = self.by_name.get(file_name(target))?.iter();
        let mut fitting = all.filter(|path| {
            let rest = path
                .strip_prefix("arch/")
                .and_then(|rest| rest.split_once('/'));
            let tail = rest.and_then(|(_, rest)| rest.strip_prefix("include/"));
            tail.is_some_and(|tail| tail.strip_prefix("uapi/").unwrap_or(tail) == target)
        });
        let first = *fitting.clone().next()?;
        let named = fitting.find(|path| {
            let name = path.split('/').nth(1);
            from.split('/').any(|folder| Some(folder) == name)
        });
        Some(named.copied().unwrap_or(first))
    }

    fn nearest(&self, from: &str, target: &str) -> Option<&'a Arc<str>> {
        if !file_name(target).contains("trace") {
            return None;
        }
        let tail = target.trim_start_matches("../").trim_start_matches("./");
        self.by_name
            .get(file_name(target))?
            .iter()
            .filter(|path| ends_with_path(path, tail))
            .max_by_key(|path| (shared_folders(from, path), std::cmp::Reverse(path.len())))
            .copied()
    }

    /// All files that `start` reaches through includes of any kind, itself with
    /// them.
    pub fn reachable(&self, start: &'a Arc<str>) -> Vec<&'a Arc<str>> {
        self.reached(start, |_, _| true)
    }

    /// All files that `start` reaches through includes that `follow` lets pass,
    /// given each and the file that it means; `start` with them.
    pub fn reached(
        &self,
        start: &'a Arc<str>,
        follow: impl Fn(&Include, &'a Arc<str>) -> bool,
    ) -> Vec<&'a Arc<str>> {
        let mut reached = vec![start];
        let mut seen = HashSet::from([start]);
        let mut next = 0;
        while let Some(&path) = reached.get(next) {
            next += 1;
            for &(include, found) in self.found_in(path) {
                if !seen.contains(found) && follow(include, found) {
                    seen.insert(found);
                    reached.push(found);
                }
            }
        }
        reached
    }
}

/// Whether an include may lead to a trace header. Others were as a rule read
/// before, and are guarded.
pub fn is_followed(include: &Include) -> bool {
    include.quoted || include.target.contains("trace")
}

/// Where Kbuild looks for what no file of the same folder is.
const FOLDERS: [&str; 3] = ["include", "include/uapi", "include/asm-generic"];

/// The paths at which a file that the file `from` includes as `target` may lie, in the
/// order in which the compiler looks there. Folders that a Makefile adds are not known, nor
/// which architecture's headers a file outside of arch/ gets.
pub fn places(from: &str, target: &str, quoted: bool) -> impl Iterator<Item = String> {
    let beside = quoted.then(|| normalised(folder(from), target)).flatten();
    let architecture = from
        .strip_prefix("arch/")
        .and_then(|rest| rest.split('/').next());
    let own = architecture.into_iter().flat_map(|name| {
        [
            format!("arch/{name}/include"),
            format!("arch/{name}/include/uapi"),
        ]
    });
    let folders = own.chain(FOLDERS.map(str::to_owned));
    let others = folders.filter_map(|folder| normalised(&folder, target));
    let all: Vec<String> = beside.into_iter().chain(others).collect();
    all.into_iter()
}

/// What an `#include` in the file with this `text` names, and whether in quotes; all that
/// it may be, if it names a macro of the file.
pub fn targets<'t>(text: &'t [u8], target: &IncludeTarget<'t>) -> Vec<(&'t [u8], bool)> {
    match target {
        IncludeTarget::Quoted(target) => vec![(target, true)],
        IncludeTarget::Angled(target) => vec![(target, false)],
        IncludeTarget::Macro(name) => named_by(text, name),
    }
}

fn named_by<'t>(text: &'t [u8], name: &[u8]) -> Vec<(&'t [u8], bool)> {
    let mut targets = Vec::new();
    if name.is_empty() || !name.iter().all(|&byte| is_word_byte(byte)) {
        return targets;
    }
    for at in memmem::find_iter(text, name) {
        let start = memchr::memrchr(b'\n', &text[..at]).map_or(0, |newline| newline + 1);
        let line = &text[start..];
        let line = &line[..memchr::memchr(b'\n', line).unwrap_or(line.len())];
        let Directive::Define(define) = Directive::parse(line.trim_ascii()) else {
            continue;
        };
        if define.name != name || define.parameters.is_some() {
            continue;
        }
        match define.body.of(line.trim_ascii()).trim_ascii() {
            [b'"', target @ .., b'"'] => targets.push((target, true)),
            [b'<', target @ .., b'>'] => targets.push((target, false)),
            _ => {}
        }
    }
    targets
}

/// Whether `text` has a `#define` of `name`.
pub fn defines(text: &[u8], name: &[u8]) -> bool {
    memmem::find_iter(text, name).any(|at| {
        let (before, rest) = text.split_at(at);
        let is_whole = !rest.get(name.len()).is_some_and(|&byte| is_word_byte(byte));
        let keyword = before.trim_ascii_end();
        is_whole && keyword.len() < before.len() && keyword.ends_with(b"define")
    })
}

/// The last part of a path.
pub fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The folder that a path is in; empty at the root.
pub fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

fn ends_with_path(path: &str, tail: &str) -> bool {
    path.strip_suffix(tail)
        .is_some_and(|head| head.is_empty() || head.ends_with('/'))
}

fn shared_folders(a: &str, b: &str) -> usize {
    let folders = std::iter::zip(folder(a).split('/'), folder(b).split('/'));
    folders.take_while(|(a, b)| a == b).count()
}

/// `target` seen from `folder`, without `.` and `..`; `None` if it leaves the tree.
fn normalised(folder: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}
