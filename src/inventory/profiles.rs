// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Inventories from profiles, and profiles from inventories.

use super::facts::{At, Declaration, Export, Facts, FactsByPath, Include, Makes};
use super::state::{NewText, State};
use crate::kernel::maintainers::Maintainers;
use crate::kernel::profile::{Declared, Profile};
use crate::syntax::conditions::Condition;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The state that a profile stands for.
pub fn state(profile: &Profile) -> State {
    let mut facts: BTreeMap<Arc<str>, Facts> = BTreeMap::new();
    for (path, file) in &profile.files {
        let system: Option<Arc<str>> = file.system.as_deref().map(Into::into);
        let entry = facts.entry(path.as_str().into()).or_default();
        for declared in &file.declares {
            entry
                .declarations
                .push(declaration(declared.clone(), system.clone()).into());
        }
        // A profile only has headers that define_trace.h reads, or no BPF entries.
        entry.includes.push(Include {
            given: Vec::new(),
            target: "trace/define_trace.h".into(),
            quoted: false,
            creates: false,
            at: At::default(),
            condition: Condition::default(),
        });
    }
    for (path, exports) in &profile.exports {
        let entry = facts.entry(path.as_str().into()).or_default();
        entry
            .exports
            .extend(exports.iter().map(|(name, gpl)| export(name, *gpl)));
    }
    let facts: FactsByPath = facts
        .into_iter()
        .map(|(path, facts)| (path, Arc::new(facts)))
        .collect();
    State::joined(Arc::new(profile.semantics.clone()), facts)
}

fn declaration(declared: Declared, system: Option<Arc<str>>) -> Declaration {
    Declaration {
        name: declared.name.into(),
        framework: declared.framework.into(),
        via: Vec::new(),
        makes: Makes {
            tracepoint: true,
            event: declared.event,
            bpf: declared.bpf,
        },
        at: At {
            line: declared.line,
            column: 1,
            offset: 0,
        },
        condition: Condition::default(),
        prototype: declared.prototype.into_iter().map(Into::into).collect(),
        arguments: Vec::new(),
        class: None,
        system,
    }
}

fn export(name: &str, gpl: bool) -> Export {
    Export {
        name: name.into(),
        gpl,
        at: At {
            line: 1,
            column: 1,
            offset: 0,
        },
        condition: Condition::default(),
    }
}

/// The profile of a state.
pub fn profile(
    state: &State,
    version: &str,
    maintainers: &Maintainers,
    sections: &[&str],
) -> Profile {
    let mut profile = Profile {
        version: version.to_owned(),
        semantics: state.semantics.as_ref().clone(),
        ..Profile::default()
    };
    for title in sections {
        if let Some(section) = maintainers.section(title) {
            profile
                .maintainers
                .insert((*title).to_owned(), section.maintainers.clone());
        }
    }
    let mut all: Vec<_> = state.inventory.tracepoints.iter().collect();
    all.sort_by_key(|one| (&one.file, one.declaration.at));
    for one in all {
        let declaration = &one.declaration;
        let declared = Declared {
            name: declaration.name.to_string(),
            framework: declaration.framework.to_string(),
            event: declaration.makes.event,
            bpf: one.bpf,
            line: declaration.at.line,
            prototype: declaration
                .prototype
                .iter()
                .map(ToString::to_string)
                .collect(),
        };
        let file = profile.files.entry(one.file.to_string()).or_default();
        if file.system.is_none() {
            file.system = declaration.system.as_deref().map(str::to_owned);
        }
        file.declares.push(declared);
    }
    for (path, facts) in state.facts.iter() {
        let exports: Vec<(String, bool)> = facts
            .exports
            .iter()
            .map(|one| (one.name.to_string(), one.gpl))
            .collect();
        if !exports.is_empty() {
            profile.exports.insert(path.to_string(), exports);
        }
    }
    profile
}

/// The embedded profile that the first patches of a series, `changes`, fit best:
/// the one that knows most of the names in what they show of the text before.
/// Of equals, the newest.
///
/// # Errors
/// An embedded profile is damaged.
pub fn fitting(changes: &[BTreeMap<String, NewText>]) -> anyhow::Result<(Profile, State)> {
    let mut best: Option<(i64, Profile, State)> = None;
    for name in Profile::names() {
        let profile = Profile::embedded(name)?;
        let state = state(&profile);
        let score = changes.iter().map(|changes| fit(&state, changes)).sum();
        if best.as_ref().is_none_or(|(most, _, _)| score >= *most) {
            best = Some((score, profile, state));
        }
    }
    let (_, profile, state) = best.ok_or_else(|| anyhow::anyhow!("no embedded profile"))?;
    Ok((profile, state))
}

/// The files that declare one of `names`, with or without the suffix of bare
/// tracepoints, as far as the newest embedded profile knows.
///
/// # Errors
/// The profile is damaged.
pub fn files_that_declare(names: &BTreeSet<String>) -> anyhow::Result<BTreeSet<String>> {
    let Some(newest) = Profile::names().last() else {
        return Ok(BTreeSet::new());
    };
    let profile = Profile::embedded(newest)?;
    let known = |name: &str| {
        names.contains(name)
            || name
                .strip_suffix("_tp")
                .is_some_and(|stem| names.contains(stem))
    };
    let files = profile.files.into_iter();
    Ok(files
        .filter(|(_, file)| file.declares.iter().any(|one| known(&one.name)))
        .map(|(path, _)| path)
        .collect())
}

/// How well a series fits a release: names that it shows of the text before are
/// known or not, and what it declares is what it exports and calls.
fn fit(state: &State, changes: &BTreeMap<String, NewText>) -> i64 {
    let mut score = 0;
    let mut new = Facts::default();
    for (path, change) in changes {
        let NewText::Hunks { before, after } = change else {
            continue;
        };
        score += i64::from(state.facts.contains_key(path.as_str()));
        let shown = super::partial::read(path, before, &state.semantics, &[]);
        let names = shown.declarations.iter().map(|one| &one.name);
        for name in names.chain(shown.exports.iter().map(|one| &one.name)) {
            score += if state.inventory.contains(name) {
                2
            } else {
                -2
            };
        }
        let shown = super::partial::read(path, after, &state.semantics, &[]);
        new.declarations.extend(shown.declarations);
        new.exports.extend(shown.exports);
        new.mentions.extend(shown.mentions);
    }
    let unknown = new
        .declarations
        .iter()
        .filter(|one| !state.inventory.contains(&one.name));
    score
        + unknown
            .map(|one| {
                if is_used(state, &new, &one.name) {
                    2
                } else {
                    -2
                }
            })
            .sum::<i64>()
}

fn is_used(state: &State, facts: &Facts, name: &str) -> bool {
    facts
        .exports
        .iter()
        .any(|export| export.name.as_ref() == name)
        || facts.mentions.iter().any(|mention| {
            state
                .semantics
                .calls_of(&mention.identifier)
                .any(|(called, _)| called == name)
        })
}
