// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Which of the tracepoints that went came back under another name.
//!
//! A rename keeps the prototype, the place and some of the name. The place is the
//! file or, if a header was split or moved, the trace system. How much of the name
//! has to stay depends on the place: less is asked for where the declaration before
//! or after is still the same one. What all names of a file share, the system's name
//! and `_tp`, says nothing and is left out.

use super::snapshot::Hook;
use anyhow::anyhow;
use similar::TextDiff;
use std::collections::{BTreeMap, HashMap, HashSet};

/// How alike two names have to be between the same neighbours.
const BETWEEN_NEIGHBOURS: f32 = 0.6;
/// How alike two names have to be elsewhere in the same place.
const ELSEWHERE: f32 = 0.75;

/// What it counts for to stand where the other stood. Names of opposites, as online
/// and offline, are too alike to be told apart without it.
const SAME_PLACE: f32 = 0.2;

/// How many names are compared at most, of hooks that can be the same by their prototype
/// and their place; and how many hooks are asked whether they can. From 6.1 to 7.3 there
/// are 340,000 pairs.
const MOST_COMPARED: usize = 1 << 20;
const MOST_PAIRS: usize = 1 << 26;

/// One that went and one that came.
struct Candidate<'a> {
    score: f32,
    old: &'a Hook,
    new: &'a Hook,
}

/// The pairs, best first; each hook is in one at most. `old` and `new` are whole
/// sides, `gone` and `come` what is in one of them only.
///
/// # Errors
/// There are more than can be compared.
pub(super) fn pairs<'a>(
    gone: &[&'a Hook],
    come: &[&'a Hook],
    old: &'a [Hook],
    new: &'a [Hook],
) -> anyhow::Result<Vec<(&'a Hook, &'a Hook)>> {
    let too_many = || {
        let (went, came) = (gone.len(), come.len());
        anyhow!("{went} tracepoints went and {came} came: too many to tell which were renamed")
    };
    if gone.len().saturating_mul(come.len()) > MOST_PAIRS {
        return Err(too_many());
    }
    let neighbours = Neighbours::of(old, new);
    let (mut candidates, mut compared) = (Vec::new(), 0);
    for &old in gone {
        let fitting = come.iter().copied();
        for new in fitting.filter(|new| can_be_same(old, new)) {
            compared += 1;
            if compared > MOST_COMPARED {
                return Err(too_many());
            }
            candidates.extend(neighbours.candidate(old, new));
        }
    }
    candidates.sort_by(|a, b| {
        let names = |one: &Candidate<'a>| (&one.old.name, &one.new.name);
        b.score
            .total_cmp(&a.score)
            .then_with(|| names(a).cmp(&names(b)))
    });
    let mut taken = HashSet::new();
    candidates.retain(|one| {
        let both = [key(true, one.old), key(false, one.new)];
        let free = both.iter().all(|key| !taken.contains(key));
        if free {
            taken.extend(both);
        }
        free
    });
    Ok(candidates.iter().map(|one| (one.old, one.new)).collect())
}

type Key<'a> = (bool, &'a str, &'a str);

fn key(is_old: bool, hook: &Hook) -> Key<'_> {
    (is_old, &hook.name, &hook.file)
}

/// Whether one may be the other by all but its name.
fn can_be_same(old: &Hook, new: &Hook) -> bool {
    let same_system = old.system.is_some() && old.system == new.system;
    old.prototypes == new.prototypes && (old.file == new.file || same_system)
}

/// Where a declaration stands among those of its file that both sides have.
#[derive(Default)]
struct Spot<'a> {
    before: Option<&'a str>,
    after: Option<&'a str>,
    /// How many between `before` and it are on one side only.
    distance: usize,
}

/// The spot of every declaration of both sides.
struct Neighbours<'a>(HashMap<Key<'a>, Spot<'a>>);

impl<'a> Neighbours<'a> {
    fn of(old: &'a [Hook], new: &'a [Hook]) -> Self {
        let names = |side: &'a [Hook]| -> HashSet<&str> {
            side.iter().map(|hook| hook.name.as_str()).collect()
        };
        let (in_old, in_new) = (names(old), names(new));
        let stays = |name: &str| in_old.contains(name) && in_new.contains(name);
        let mut spots = HashMap::new();
        for (is_old, side) in [(true, old), (false, new)] {
            let mut files: BTreeMap<&str, Vec<&Hook>> = BTreeMap::new();
            for hook in side {
                files.entry(&hook.file).or_default().push(hook);
            }
            for mut file in files.into_values() {
                file.sort_by_key(|hook| hook.line);
                let keys = file.iter().map(|hook| key(is_old, hook));
                spots.extend(keys.zip(spots_of(&file, &stays)));
            }
        }
        Self(spots)
    }

    fn spots<'s>(&'s self, old: &'s Hook, new: &'s Hook) -> Option<(&'s Spot<'s>, &'s Spot<'s>)> {
        let old_spot = self.0.get(&key(true, old))?;
        let new_spot = self.0.get(&key(false, new))?;
        (old.file == new.file).then_some((old_spot, new_spot))
    }

    fn candidate<'h>(&self, old: &'h Hook, new: &'h Hook) -> Option<Candidate<'h>> {
        let spots = self.spots(old, new);
        let near = spots.is_some_and(|(a, b)| {
            a.before.is_some() && a.before == b.before || a.after.is_some() && a.after == b.after
        });
        let same_place =
            spots.is_some_and(|(a, b)| a.before == b.before && a.distance == b.distance);
        let least = match (old.event == new.event, near) {
            // Whoever makes an event of a hook, or a hook of an event, has more in
            // mind than a better name; only the suffix goes along with that.
            (false, _) => 1.0,
            (true, true) => BETWEEN_NEIGHBOURS,
            (true, false) => ELSEWHERE,
        };
        let likeness = likeness(old, new);
        let score = match (likeness >= 1.0, same_place) {
            (true, _) => 1.0 + SAME_PLACE,
            (false, true) => likeness + SAME_PLACE,
            (false, false) => likeness,
        };
        (likeness >= least).then_some(Candidate { score, old, new })
    }
}

/// The spots of a file's declarations, which are in order.
fn spots_of<'a>(file: &[&'a Hook], stays: &dyn Fn(&str) -> bool) -> Vec<Spot<'a>> {
    let mut spots: Vec<Spot<'a>> = Vec::with_capacity(file.len());
    let (mut before, mut distance) = (None, 0);
    for hook in file {
        spots.push(Spot {
            before,
            after: None,
            distance,
        });
        distance += 1;
        if stays(&hook.name) {
            (before, distance) = (Some(hook.name.as_str()), 0);
        }
    }
    let mut after = None;
    for (hook, spot) in file.iter().zip(&mut spots).rev() {
        spot.after = after;
        if stays(&hook.name) {
            after = Some(hook.name.as_str());
        }
    }
    spots
}

/// From 0 to 1, of what is the names' own.
fn likeness(old: &Hook, new: &Hook) -> f32 {
    let (old, new) = (stem(old), stem(new));
    if old == new {
        return 1.0;
    }
    TextDiff::from_chars(old, new).ratio()
}

/// The name without the system before it and the suffix behind it.
fn stem(hook: &Hook) -> &str {
    let name = hook.name.strip_suffix("_tp").unwrap_or(&hook.name);
    let own = hook
        .system
        .as_deref()
        .and_then(|system| name.strip_prefix(system)?.strip_prefix('_'));
    own.unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(names: &[&str], file: &str) -> Vec<Hook> {
        let lines = (1..).zip(names);
        let hook = |(line, name): (u32, &&str)| Hook {
            name: (*name).to_owned(),
            file: file.to_owned(),
            line,
            system: Some("power".to_owned()),
            ..Hook::default()
        };
        lines.map(hook).collect()
    }

    fn renamed(old: &[&str], new: &[&str], file: &str) -> Vec<(String, String)> {
        let (before, after) = (side(old, "a.h"), side(new, file));
        let only = |one: &[&str], hook: &&Hook| !one.contains(&hook.name.as_str());
        let gone: Vec<&Hook> = before.iter().filter(|hook| only(new, hook)).collect();
        let come: Vec<&Hook> = after.iter().filter(|hook| only(old, hook)).collect();
        let pairs = pairs(&gone, &come, &before, &after).expect("few");
        pairs
            .iter()
            .map(|(old, new)| (old.name.clone(), new.name.clone()))
            .collect()
    }

    fn is(old: &str, new: &str) -> (String, String) {
        (old.to_owned(), new.to_owned())
    }

    #[test]
    fn opposites_keep_their_order() {
        let old = ["start", "tmigr_cpu_online", "tmigr_cpu_offline", "stop"];
        let new = [
            "start",
            "tmigr_cpu_available",
            "tmigr_cpu_unavailable",
            "stop",
        ];
        let found = renamed(&old, &new, "a.h");
        assert!(found.contains(&is("tmigr_cpu_online", "tmigr_cpu_available")));
        assert!(found.contains(&is("tmigr_cpu_offline", "tmigr_cpu_unavailable")));
    }

    #[test]
    fn neighbours_make_up_for_likeness() {
        let is_hw = [is("pelt_thermal_tp", "pelt_hw_tp")];
        let old = ["pelt_dl_tp", "pelt_thermal_tp", "pelt_irq_tp"];
        let new = ["pelt_dl_tp", "pelt_hw_tp", "pelt_irq_tp"];
        assert_eq!(renamed(&old, &new, "a.h"), is_hw);
        assert_eq!(renamed(&["pelt_thermal_tp"], &["pelt_hw_tp"], "a.h"), []);
        assert_eq!(renamed(&old, &new, "b.h"), []);
    }

    #[test]
    fn what_all_names_have_is_no_likeness() {
        let found = renamed(&["x", "power_up_tp"], &["x", "power_idle_tp"], "a.h");
        assert_eq!(found, []);
        let found = renamed(&["map_page"], &["power_map_page"], "b.h");
        assert_eq!(found, [is("map_page", "power_map_page")]);
    }
}
