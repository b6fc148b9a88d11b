// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! How a profile is written down: names and parameters share their beginnings
//! with the one before, and what is the same as before is left out.
//!
//! A declaration is `SHARED/REST LINES[ MACRO KIND PARAMETERS]`: how many bytes
//! its name shares with the one before, the rest of it, how many lines further
//! down it stands, the number of its macro, its kind as one letter (`e` an event,
//! `b` bare, in capitals without a BPF entry), and the numbers of its parameters.

use super::{Declared, FileProfile};
use crate::kernel::semantics::Semantics;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Serialize, Deserialize)]
pub(super) struct Profile {
    schema: u32,
    version: String,
    semantics: Semantics,
    maintainers: BTreeMap<String, Vec<String>>,
    macros: Vec<String>,
    parameters: Vec<String>,
    files: BTreeMap<String, File>,
    exports: BTreeMap<String, Vec<String>>,
}

#[derive(Serialize, Deserialize)]
struct File {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    system: Option<String>,
    declares: String,
}

/// What two neighbours can share.
#[derive(Clone, Default, PartialEq)]
struct Rest {
    framework: usize,
    kind: char,
    parameters: Vec<usize>,
}

impl Profile {
    pub(super) fn of(profile: &super::Profile) -> Self {
        let all = || profile.files.values().flat_map(|file| &file.declares);
        let macros: BTreeSet<&str> = all().map(|one| one.framework.as_str()).collect();
        let macros: Vec<&str> = macros.into_iter().collect();
        let parameters: BTreeSet<&str> = all()
            .flat_map(|one| one.prototype.iter().map(String::as_str))
            .collect();
        let parameters: Vec<&str> = parameters.into_iter().collect();
        let files = profile.files.iter().map(|(path, file)| {
            let file = File {
                system: file.system.clone(),
                declares: declares(&file.declares, &macros, &parameters),
            };
            (path.clone(), file)
        });
        let exports = profile.exports.iter().map(|(path, exports)| {
            let exports = exports
                .iter()
                .map(|(name, gpl)| format!("{name} {}", if *gpl { "gpl" } else { "plain" }));
            (path.clone(), exports.collect())
        });
        Self {
            schema: 1,
            version: profile.version.clone(),
            semantics: profile.semantics.clone(),
            maintainers: profile.maintainers.clone(),
            files: files.collect(),
            exports: exports.collect(),
            parameters: shared(&parameters),
            macros: macros.into_iter().map(str::to_owned).collect(),
        }
    }

    pub(super) fn unpack(self) -> Option<super::Profile> {
        let parameters = unshared(&self.parameters)?;
        let mut files = BTreeMap::new();
        for (path, file) in self.files {
            let declares = undeclared(&file.declares, &self.macros, &parameters)?;
            let file = FileProfile {
                system: file.system,
                declares,
            };
            files.insert(path, file);
        }
        let exports = self.exports.into_iter().map(|(path, exports)| {
            let exports = exports.iter().map(|packed| {
                let (name, licence) = packed.split_once(' ')?;
                Some((name.to_owned(), licence == "gpl"))
            });
            Some((path, exports.collect::<Option<Vec<_>>>()?))
        });
        Some(super::Profile {
            version: self.version,
            semantics: self.semantics,
            maintainers: self.maintainers,
            files,
            exports: exports.collect::<Option<_>>()?,
        })
    }
}

/// Length of the beginning that two words share, at a character's border.
fn common(a: &str, b: &str) -> usize {
    let same = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    (0..=same)
        .rev()
        .find(|&at| b.is_char_boundary(at))
        .unwrap_or(0)
}

fn shared(words: &[&str]) -> Vec<String> {
    let mut before = "";
    let mut packed = Vec::new();
    for word in words {
        let length = common(before, word);
        packed.push(format!("{length}/{}", &word[length..]));
        before = word;
    }
    packed
}

fn unshared(packed: &[String]) -> Option<Vec<String>> {
    let mut words: Vec<String> = Vec::new();
    for one in packed {
        let before = words.last().map_or("", String::as_str);
        words.push(joined(before, one)?);
    }
    Some(words)
}

fn joined(before: &str, packed: &str) -> Option<String> {
    let (length, rest) = packed.split_once('/')?;
    Some(format!("{}{rest}", before.get(..length.parse().ok()?)?))
}

fn number(table: &[&str], word: &str) -> usize {
    table.binary_search(&word).unwrap_or_default()
}

fn declares(all: &[Declared], macros: &[&str], parameters: &[&str]) -> String {
    let (mut name, mut line, mut rest) = ("", 0, Rest::default());
    let mut packed = Vec::new();
    for one in all {
        let length = common(name, &one.name);
        let mut entry = format!(
            "{length}/{} {}",
            &one.name[length..],
            i64::from(one.line) - line
        );
        let own = Rest {
            framework: number(macros, &one.framework),
            kind: match (one.event, one.bpf) {
                (true, true) => 'e',
                (true, false) => 'E',
                (false, true) => 'b',
                (false, false) => 'B',
            },
            parameters: one
                .prototype
                .iter()
                .map(|word| number(parameters, word))
                .collect(),
        };
        if own != rest {
            let numbers: Vec<String> = own.parameters.iter().map(ToString::to_string).collect();
            entry.push_str(&format!(
                " {} {} {}",
                own.framework,
                own.kind,
                numbers.join(",")
            ));
        }
        packed.push(entry);
        (name, line, rest) = (&one.name, i64::from(one.line), own);
    }
    packed.join(";")
}

fn undeclared(packed: &str, macros: &[String], parameters: &[String]) -> Option<Vec<Declared>> {
    let mut all: Vec<Declared> = Vec::new();
    let (mut line, mut rest) = (0i64, Rest::default());
    for entry in packed.split(';').filter(|entry| !entry.is_empty()) {
        let words: Vec<&str> = entry.split(' ').collect();
        let name = joined(all.last().map_or("", |before| &before.name), words.first()?)?;
        line += words.get(1)?.parse::<i64>().ok()?;
        if let [_, _, framework, kind, numbers] = words.as_slice() {
            let numbers = numbers.split(',').filter(|number| !number.is_empty());
            rest = Rest {
                framework: framework.parse().ok()?,
                kind: kind.chars().next()?,
                parameters: numbers
                    .map(|number| number.parse().ok())
                    .collect::<Option<_>>()?,
            };
        }
        let prototype = rest
            .parameters
            .iter()
            .map(|&number| parameters.get(number).cloned());
        all.push(Declared {
            name,
            framework: macros.get(rest.framework)?.clone(),
            event: rest.kind.eq_ignore_ascii_case(&'e'),
            bpf: rest.kind.is_ascii_lowercase(),
            line: u32::try_from(line).ok()?,
            prototype: prototype.collect::<Option<_>>()?,
        });
    }
    Some(all)
}
