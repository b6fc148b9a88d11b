// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Which file an `#include` means, without a compiler's command line.
//!
//! Only files that are known to say something about tracepoints can be found:
//! all others are of no interest here.

use super::facts::{FactsByPath, Include};
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
        let beside = normalised(folder(from), target);
        let standard = normalised("include", target);
        let architecture = from
            .strip_prefix("arch/")
            .and_then(|rest| rest.split('/').next());
        let own = architecture.map(|name| normalised(&format!("arch/{name}/include"), target));
        let places = [include.quoted.then_some(beside), own, Some(standard)];
        for place in places.into_iter().flatten().flatten() {
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
            rest.is_some_and(|(_, rest)| rest.strip_prefix("include/") == Some(target))
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
pub fn normalised(folder: &str, target: &str) -> Option<String> {
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
