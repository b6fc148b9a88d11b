// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The C files of one consumer: their texts, and which of them includes which.

use super::Skipped;
use super::files::{self, Source};
use super::names::Names;
use crate::budget::Budget;
use crate::parallel;
use crate::syntax::directives::{Directive, IncludeTarget};
use aho_corasick::AhoCorasick;
use anyhow::Context;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// The most bytes of texts that are kept: a hundred times LTTng's.
const MOST: u64 = 192 << 20;

/// What a file has to hold to be of any interest by itself.
const SIGNS: [&[u8]; 8] = [
    b"register_trace_",
    b"tracepoint",
    b"TRACEPOINT",
    b"raw_tp",
    b"tp_btf",
    b"rv_attach_trace_probe",
    b"dynamic_events",
    b"SEC(\"tp/",
];

/// What is included from these folders is the kernel's, libbpf's or LTTng's own, also
/// where a consumer brings a copy along.
const OTHERS: [&[u8]; 7] = [
    b"linux/",
    b"trace/",
    b"asm/",
    b"uapi/",
    b"bpf/",
    b"lttng/",
    b"generated/",
];

/// The C files of one consumer. Only of those that are read as units, or included by
/// one, the text is kept: a folder of several gigabytes may have a dozen.
#[derive(Debug, Default)]
pub(super) struct Library {
    texts: HashMap<String, Arc<[u8]>>,
    /// Paths by their last part.
    by_name: HashMap<String, Vec<String>>,
    facts: BTreeMap<String, Facts>,
}

/// What is known of a file before it is preprocessed.
#[derive(Debug, Default)]
struct Facts {
    /// Whether it holds one of the [`SIGNS`].
    speaks: bool,
    /// Whether it walks over all tracepoints.
    looks_up: bool,
    /// Whether it holds the name of a tracepoint.
    names: bool,
    /// What it includes, as it is written.
    targets: Vec<Target>,
    /// The files of the consumer that it includes.
    includes: Vec<String>,
}

/// What an `#include` names.
#[derive(Debug)]
struct Target {
    name: Vec<u8>,
    quoted: bool,
}

/// What is looked for in every file.
struct Search {
    signs: AhoCorasick,
    known: AhoCorasick,
}

impl Search {
    fn of(names: &Names) -> anyhow::Result<Self> {
        Ok(Self {
            signs: AhoCorasick::new(SIGNS)?,
            known: AhoCorasick::new(names.written().filter(|name| name.len() > 2))?,
        })
    }

    fn facts(&self, text: &[u8]) -> Facts {
        Facts {
            speaks: self.signs.is_match(text),
            looks_up: memchr::memmem::find(text, b"for_each_kernel_tracepoint").is_some(),
            names: self.known.is_match(text),
            targets: targets(text),
            includes: Vec::new(),
        }
    }
}

impl Library {
    /// Reads all of `sources`, which are C and of one consumer.
    ///
    /// # Errors
    /// One cannot be read.
    pub fn read(
        sources: &[&Source],
        names: &Names,
        skipped: &mut Vec<Skipped>,
    ) -> anyhow::Result<Self> {
        let mut library = Self::default();
        let search = Search::of(names)?;
        let studied = parallel::map(sources.len(), |number| {
            let source = sources.get(number)?;
            let text = files::text(source);
            Some(text.map(|text| text.map(|text| (*source, search.facts(&text)))))
        });
        let mut kept: HashMap<&str, &Source> = HashMap::new();
        for one in studied.into_iter().flatten() {
            match one? {
                Ok((source, facts)) => {
                    library.add(&source.file, facts);
                    kept.insert(&source.file, source);
                }
                Err(why) => skipped.push(why),
            }
        }
        library.resolve_all();
        let mut wanted = HashSet::new();
        for unit in library.units() {
            library.reach(unit, &mut wanted);
        }
        let wanted: Vec<&Source> = wanted
            .into_iter()
            .filter_map(|file| kept.get(file).copied())
            .collect();
        let budget = Budget::new("MiB of text that uses tracepoints", MOST);
        let texts = parallel::map(wanted.len(), |number| {
            let source = wanted.get(number)?;
            let read = files::text(source).and_then(|text| {
                let size = text.as_ref().map_or(0, |text| text.len());
                let charged = budget.charge(size as u64);
                charged.with_context(|| source.path.display().to_string())?;
                Ok((source.file.clone(), text))
            });
            Some(read)
        });
        for one in texts.into_iter().flatten() {
            // What has become binary meanwhile is no longer there.
            if let (file, Ok(text)) = one? {
                library.texts.insert(file, text);
            }
        }
        Ok(library)
    }

    /// One text without a name, which is of interest.
    pub fn of_text(text: &[u8]) -> Self {
        let mut library = Self::default();
        let facts = Facts {
            speaks: true,
            ..Facts::default()
        };
        library.add("", facts);
        library.texts.insert(String::new(), text.into());
        library
    }

    fn add(&mut self, file: &str, facts: Facts) {
        let name = file.rsplit('/').next().unwrap_or(file);
        let same = self.by_name.entry(name.to_owned()).or_default();
        same.push(file.to_owned());
        self.facts.insert(file.to_owned(), facts);
    }

    fn resolve_all(&mut self) {
        let found: Vec<Vec<String>> = self
            .facts
            .iter()
            .map(|(file, facts)| {
                let targets = facts.targets.iter();
                targets
                    .filter_map(|target| self.resolve(file, &target.name, target.quoted))
                    .collect()
            })
            .collect();
        for (facts, includes) in self.facts.values_mut().zip(found) {
            facts.includes = includes;
            facts.targets = Vec::new();
        }
    }

    /// The file that `from` means, with its text, if it is the consumer's own.
    pub fn included(&self, from: &str, target: &IncludeTarget<'_>) -> Option<(String, Arc<[u8]>)> {
        let (name, quoted) = named(target)?;
        let path = self.resolve(from, name, quoted)?;
        let text = self.texts.get(&path)?.clone();
        Some((path, text))
    }

    fn resolve(&self, from: &str, target: &[u8], quoted: bool) -> Option<String> {
        if OTHERS.iter().any(|folder| target.starts_with(folder)) {
            return None;
        }
        let target = String::from_utf8_lossy(target);
        let beside = normal(
            from.rsplit_once('/').map_or("", |(folder, _)| folder),
            &target,
        );
        if quoted && let Some(path) = beside.filter(|path| self.facts.contains_key(path)) {
            return Some(path);
        }
        // It is found by a -I of which only the build knows.
        let tail = normal("", &target)?;
        let name = tail.rsplit('/').next()?;
        let fits = |path: &&String| {
            path.strip_suffix(tail.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
        };
        let mut all = self.by_name.get(name)?.iter().filter(fits);
        all.next().filter(|_| all.next().is_none()).cloned()
    }

    /// The text of a file.
    pub fn text(&self, file: &str) -> Option<&Arc<[u8]>> {
        self.texts.get(file)
    }

    /// The files to be read as translation units: sources that are, include or name
    /// something of interest, and headers that none of them includes.
    pub fn units(&self) -> Vec<&str> {
        let (headers, sources): (Vec<&str>, Vec<&str>) = self
            .facts
            .keys()
            .map(String::as_str)
            .partition(|file| is_header(file));
        let interesting = self.interesting();
        let leading = self.leading_to(&interesting);
        let mut units: Vec<&str> = sources
            .into_iter()
            .filter(|file| leading.contains(file))
            .collect();
        let mut reached = HashSet::new();
        for unit in &units {
            self.reach(unit, &mut reached);
        }
        for file in headers {
            if interesting.contains(file) && !reached.contains(file) {
                self.reach(file, &mut reached);
                units.push(file);
            }
        }
        units
    }

    fn interesting(&self) -> HashSet<&str> {
        let looks_up = self.facts.values().any(|facts| facts.looks_up);
        let all = self.facts.iter();
        all.filter(|(_, facts)| facts.speaks || looks_up && facts.names)
            .map(|(file, _)| file.as_str())
            .collect()
    }

    /// The files in `wanted`, and all that include one of them, directly or not.
    fn leading_to<'a>(&'a self, wanted: &HashSet<&'a str>) -> HashSet<&'a str> {
        let mut including: HashMap<&str, Vec<&str>> = HashMap::new();
        for (file, facts) in &self.facts {
            for one in &facts.includes {
                including.entry(one).or_default().push(file);
            }
        }
        let mut leading = wanted.clone();
        let mut open: Vec<&str> = leading.iter().copied().collect();
        while let Some(file) = open.pop() {
            for &next in including.get(file).into_iter().flatten() {
                if leading.insert(next) {
                    open.push(next);
                }
            }
        }
        leading
    }

    /// Adds a file and all that it includes, directly or not.
    fn reach<'a>(&'a self, file: &'a str, reached: &mut HashSet<&'a str>) {
        let mut open = vec![file];
        while let Some(file) = open.pop() {
            if reached.insert(file) {
                let facts = self.facts.get(file);
                open.extend(
                    facts
                        .iter()
                        .flat_map(|facts| &facts.includes)
                        .map(String::as_str),
                );
            }
        }
    }
}

/// What a text includes, but for what a macro names.
fn targets(text: &[u8]) -> Vec<Target> {
    let mut found = Vec::new();
    for at in memchr::memmem::find_iter(text, b"include") {
        let start = memchr::memrchr(b'\n', &text[..at]).map_or(0, |newline| newline + 1);
        let end = memchr::memchr(b'\n', &text[at..]).map_or(text.len(), |length| at + length);
        let line = text[start..end].trim_ascii();
        if let Directive::Include(target) = Directive::parse(line)
            && line.starts_with(b"#")
            && let Some((name, quoted)) = named(&target)
        {
            let name = name.to_vec();
            found.push(Target { name, quoted });
        }
    }
    found
}

/// What a target names, and whether in quotes.
fn named<'t>(target: &IncludeTarget<'t>) -> Option<(&'t [u8], bool)> {
    match target {
        IncludeTarget::Quoted(name) => Some((name, true)),
        IncludeTarget::Angled(name) => Some((name, false)),
        IncludeTarget::Macro(_) => None,
    }
}

fn is_header(file: &str) -> bool {
    let extension = file.rsplit_once('.').map_or("", |(_, extension)| extension);
    !matches!(extension, "c" | "cc" | "cpp" | "cxx")
}

/// `target` as seen from `folder`, without `.` and `..`; `None` if it leads out.
fn normal(folder: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(target.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}
