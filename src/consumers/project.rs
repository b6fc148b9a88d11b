// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The uses of one consumer: its files put together.

use super::c::{self, Found, Look, may_look_up};
use super::files::{self, Language, Source};
use super::library::Library;
use super::names::Names;
use super::preprocess::{Flat, flatten};
use super::scripts::{self, Program};
use super::{Reading, Use, versions};
use crate::parallel;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// Adds the uses in `sources`, which are of one consumer.
///
/// # Errors
/// One cannot be read.
pub(super) fn read(
    sources: &[&Source],
    names: &Names,
    reading: &mut Reading,
) -> anyhow::Result<()> {
    let (c, others): (Vec<&Source>, Vec<&Source>) = sources
        .iter()
        .partition(|source| source.language == Language::C);
    let Some(consumer) = sources.first().map(|source| source.consumer.to_string()) else {
        return Ok(());
    };
    let library = Library::read(&c, names, &mut reading.skipped)?;
    let project = Project::of(&library, names);
    reading.uses.extend(project.uses(&consumer, names));
    let read = parallel::map(others.len(), |number| {
        let source = others.get(number)?;
        let uses = |text: Arc<[u8]>| scripted(&text, source, &consumer, names);
        Some(files::text(source).map(|text| text.map(uses)))
    });
    for (source, uses) in others.iter().zip(read.into_iter().flatten()) {
        match uses? {
            Ok(uses) => reading.uses.extend(uses),
            // Data of any kind has such names.
            Err(_) if source.language == Language::Lines => {}
            Err(skipped) => reading.skipped.push(skipped),
        }
    }
    Ok(())
}

/// The uses in what is no C, and in the programs that are strings of it.
fn scripted(text: &[u8], source: &Source, consumer: &str, names: &Names) -> Vec<Use> {
    let look = scripts::look(text, source.language, names);
    let hits = look.hits.into_iter().map(|hit| Use {
        tracepoint: real(&hit.name, names),
        consumer: consumer.to_owned(),
        file: source.file.clone(),
        line: hit.line,
        way: hit.way,
        gate: None,
        prototype: None,
    });
    let mut uses: Vec<Use> = hits.collect();
    for program in look.programs {
        let own = of_program(&program, consumer, names).into_iter();
        uses.extend(own.map(|one| Use {
            file: source.file.clone(),
            ..one
        }));
    }
    uses
}

/// The uses in a program that is a string of a script.
fn of_program(program: &Program, consumer: &str, names: &Names) -> Vec<Use> {
    let library = Library::of_text(&program.text);
    let uses = Project::of(&library, names).uses(consumer, names);
    let uses = uses.into_iter().map(|one| Use {
        line: program.line + one.line.saturating_sub(1),
        prototype: None,
        ..one
    });
    uses.collect()
}

fn real(name: &str, names: &Names) -> String {
    names.real(name).unwrap_or(name).to_owned()
}

/// The C files of one consumer, read as translation units.
#[derive(Default)]
struct Project {
    units: Vec<Unit>,
    looks_up: bool,
    /// The functions of all units, with the parameters that they have in any.
    functions: HashMap<String, BTreeSet<Vec<String>>>,
}

/// What one unit comes to for each range of versions.
struct Unit {
    /// The first version of each range; a single one if versions make no difference.
    starts: Vec<u32>,
    looks: Vec<Arc<Look>>,
}

impl Project {
    fn of(library: &Library, names: &Names) -> Self {
        let mut project = Self::default();
        for unit in units(library, names) {
            for look in &unit.looks {
                project.looks_up |= look.looks_up;
                for (name, all) in &look.functions {
                    let known = project.functions.entry(name.clone()).or_default();
                    known.extend(all.iter().cloned());
                }
            }
            if unit.looks.iter().any(|look| !look.found.is_empty()) {
                project.units.push(unit);
            }
        }
        project
    }

    fn uses(&self, consumer: &str, names: &Names) -> Vec<Use> {
        let own: HashSet<&str> = self.functions.keys().map(String::as_str).collect();
        let mut uses = Vec::new();
        for unit in &self.units {
            let mut ranges: BTreeMap<Use, Vec<bool>> = BTreeMap::new();
            for (number, look) in unit.looks.iter().enumerate() {
                for found in &look.found {
                    if !self.counts(found, &own) {
                        continue;
                    }
                    let one = Use {
                        tracepoint: real(&found.name, names),
                        consumer: consumer.to_owned(),
                        file: found.file.clone(),
                        line: found.line,
                        way: found.way,
                        gate: None,
                        prototype: self.prototype(found, look),
                    };
                    let covered = ranges
                        .entry(one)
                        .or_insert_with(|| vec![false; unit.looks.len()]);
                    covered[number] = true;
                }
            }
            for (one, covered) in ranges {
                for gate in versions::gates(&covered, &unit.starts) {
                    uses.push(Use {
                        gate,
                        ..one.clone()
                    });
                }
            }
        }
        merged(uses)
    }

    fn counts(&self, found: &Found, own: &HashSet<&str>) -> bool {
        match &found.looked_up {
            None => true,
            Some(None) => self.looks_up,
            Some(Some(function)) => self.looks_up && may_look_up(function, own),
        }
    }

    /// The parameters of the only function that can be the probe, first in the same unit.
    fn prototype(&self, found: &Found, look: &Look) -> Option<Vec<String>> {
        if found.prototype.is_some() {
            return found.prototype.clone();
        }
        for name in &found.probes {
            if let Some([only]) = look.functions.get(name).map(Vec::as_slice) {
                return Some(only.clone());
            }
        }
        let elsewhere = found
            .probes
            .iter()
            .find_map(|name| self.functions.get(name))?;
        let mut all = elsewhere.iter();
        let only = all.next()?;
        all.next().is_none().then(|| only.clone())
    }
}

/// A header counts once, however many units include it; and if one of them has it for
/// all versions, that is what counts.
fn merged(mut uses: Vec<Use>) -> Vec<Use> {
    uses.sort();
    uses.dedup();
    let always: HashSet<(String, u32, String)> = uses
        .iter()
        .filter(|one| one.gate.is_none())
        .map(place)
        .collect();
    uses.retain(|one| one.gate.is_none() || !always.contains(&place(one)));
    uses
}

fn place(one: &Use) -> (String, u32, String) {
    (one.file.clone(), one.line, one.tracepoint.clone())
}

/// All units of a consumer, in order.
fn units(library: &Library, names: &Names) -> Vec<Unit> {
    let files = library.units();
    let units = parallel::map(files.len(), |number| {
        let file = files.get(number)?;
        Some(unit(file, library, names))
    });
    units.into_iter().flatten().collect()
}

/// What a unit comes to for the first version of each range; most are as the one before.
fn looks(
    file: &str,
    text: &[u8],
    starts: &[u32],
    library: &Library,
    names: &Names,
) -> Vec<Arc<Look>> {
    let mut looks: Vec<Arc<Look>> = Vec::with_capacity(starts.len());
    let mut before: Option<Flat> = None;
    for &start in starts {
        let flat = flatten(file, text, Some(start), library);
        let look = match (looks.last(), &before) {
            (Some(last), Some(before)) if *before == flat => last.clone(),
            _ => Arc::new(c::look(&flat, names)),
        };
        looks.push(look);
        before = Some(flat);
    }
    looks
}

/// Reads one unit for every range of versions in which it may differ. Most have nothing
/// whatever the version, and are read once.
fn unit(file: &str, library: &Library, names: &Names) -> Unit {
    let text = library.text(file).cloned().unwrap_or_else(|| [].into());
    let flat = flatten(file, &text, None, library);
    let any = Arc::new(c::look(&flat, names));
    let mut codes = flat.codes;
    if any.found.is_empty() {
        codes.clear();
    }
    match versions::starts(&codes) {
        Some(starts) => Unit {
            looks: looks(file, &text, &starts, library, names),
            starts,
        },
        None => Unit {
            starts: vec![0],
            looks: vec![any],
        },
    }
}
