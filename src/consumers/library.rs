// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The C files of one consumer: their texts, and which of them includes which.

use super::Skipped;
use super::files::{self, Source};
use super::names::Names;
use crate::syntax::directives::{Directive, IncludeTarget};
use aho_corasick::AhoCorasick;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

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

/// The C files of one consumer.
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
    /// The files of the consumer that it includes.
    includes: Vec<String>,
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
        for source in sources {
            match files::text(source)? {
                Ok(text) => library.add(&source.file, text),
                Err(why) => skipped.push(why),
            }
        }
        library.study(names)?;
        Ok(library)
    }

    /// One text without a name, which is of interest.
    pub fn of_text(text: &[u8]) -> Self {
        let mut library = Self::default();
        library.add("", text.into());
        let facts = Facts {
            speaks: true,
            ..Facts::default()
        };
        library.facts.insert(String::new(), facts);
        library
    }

    fn add(&mut self, file: &str, text: Arc<[u8]>) {
        let name = file.rsplit('/').next().unwrap_or(file);
        let same = self.by_name.entry(name.to_owned()).or_default();
        same.push(file.to_owned());
        self.texts.insert(file.to_owned(), text);
    }

    fn study(&mut self, names: &Names) -> anyhow::Result<()> {
        let signs = AhoCorasick::new(SIGNS)?;
        let known = AhoCorasick::new(names.written().filter(|name| name.len() > 2))?;
        let mut facts = BTreeMap::new();
        for (file, text) in &self.texts {
            let looks_up = memchr::memmem::find(text, b"for_each_kernel_tracepoint").is_some();
            facts.insert(
                file.clone(),
                Facts {
                    speaks: signs.is_match(text.as_ref()),
                    looks_up,
                    names: known.is_match(text.as_ref()),
                    includes: self.includes(file, text),
                },
            );
        }
        self.facts = facts;
        Ok(())
    }

    fn includes(&self, file: &str, text: &[u8]) -> Vec<String> {
        let lines = text.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
        let directives = lines.filter(|line| line.starts_with(b"#"));
        directives
            .filter_map(|line| match Directive::parse(line) {
                Directive::Include(target) => self.resolve(file, &target),
                _ => None,
            })
            .collect()
    }

    /// The file that `from` means, with its text, if it is the consumer's own.
    pub fn included(&self, from: &str, target: &IncludeTarget<'_>) -> Option<(String, Arc<[u8]>)> {
        let path = self.resolve(from, target)?;
        let text = self.texts.get(&path)?.clone();
        Some((path, text))
    }

    fn resolve(&self, from: &str, target: &IncludeTarget<'_>) -> Option<String> {
        let (target, quoted) = match target {
            IncludeTarget::Quoted(target) => (*target, true),
            IncludeTarget::Angled(target) => (*target, false),
            IncludeTarget::Macro(_) => return None,
        };
        if OTHERS.iter().any(|folder| target.starts_with(folder)) {
            return None;
        }
        let target = String::from_utf8_lossy(target);
        let beside = normal(
            from.rsplit_once('/').map_or("", |(folder, _)| folder),
            &target,
        );
        if quoted && let Some(path) = beside.filter(|path| self.texts.contains_key(path)) {
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
        let looks_up = self.facts.values().any(|facts| facts.looks_up);
        let interesting = |file: &str| {
            self.facts
                .get(file)
                .is_some_and(|facts| facts.speaks || looks_up && facts.names)
        };
        let mut units = Vec::new();
        let mut reached: HashSet<&str> = HashSet::new();
        let (headers, sources): (Vec<&str>, Vec<&str>) = self
            .facts
            .keys()
            .map(String::as_str)
            .partition(|file| is_header(file));
        for file in sources {
            let all = self.reached_from(file);
            if all.iter().any(|file| interesting(file)) {
                reached.extend(all);
                units.push(file);
            }
        }
        for file in headers {
            if interesting(file) && !reached.contains(file) {
                reached.extend(self.reached_from(file));
                units.push(file);
            }
        }
        units
    }

    /// A file and all that it includes, directly or not.
    pub fn reached_from<'a>(&'a self, file: &'a str) -> BTreeSet<&'a str> {
        let mut reached = BTreeSet::from([file]);
        let mut open = vec![file];
        while let Some(file) = open.pop() {
            let includes = self.facts.get(file).map(|facts| &facts.includes);
            for next in includes.into_iter().flatten() {
                if reached.insert(next) {
                    open.push(next);
                }
            }
        }
        reached
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
