// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! What speaks for a promotion and what it would promise, as paragraphs of a message.

use super::{Exports, Promotion};
use crate::inventory::resolve::{CallSite, Inventory, Probe, Site};
use crate::kernel::profile::Profile;
use std::collections::BTreeMap;

/// How many places a paragraph names.
const MOST: usize = 6;

/// What the tree and the embedded profiles know of the hook's use, a paragraph each.
///
/// # Errors
/// An embedded profile is damaged.
pub fn paragraphs(promotion: &Promotion, inventory: &Inventory) -> anyhow::Result<Vec<String>> {
    let hook = &promotion.hook;
    let mut paragraphs = vec![calls(&hook.call_sites), consumers(&hook.probes)];
    paragraphs.push(history(promotion)?);
    if let Some(paragraph) = neighbours(promotion, inventory) {
        paragraphs.push(paragraph);
    }
    Ok(paragraphs)
}

/// What user space may rely on once there is an event.
pub fn promise(promotion: &Promotion) -> String {
    let system = promotion
        .hook
        .declaration
        .system
        .as_deref()
        .unwrap_or("its system");
    let fields = promotion.fields.iter();
    let fields: Vec<String> = fields
        .map(|one| format!("{} ({})", one.name, one.of))
        .collect();
    let fields = if fields.is_empty() {
        "no field at all".to_owned()
    } else {
        format!("the fields {}", fields.join(", "))
    };
    format!(
        "Once there is an event, user space may rely on it for good: that {system}:{} exists, \
         has {fields}, and fires where the hook is called now.",
        promotion.event
    )
}

/// What becomes of modules that attach to the hook.
pub fn exports(promotion: &Promotion) -> String {
    let (old, new) = (promotion.hook.name(), &promotion.event);
    match (promotion.hook.exports.is_empty(), promotion.exports) {
        (true, _) => "The hook is not exported, and neither is the event.".to_owned(),
        (false, Exports::Keep) if old == new => {
            "The export is kept: modules that attach to the tracepoint go on as before.".to_owned()
        }
        (false, Exports::Keep) => format!(
            "The export is kept under the new name, so that modules that attach to {old} can go \
             on with {new}: the fields may not be all that they look at."
        ),
        (false, Exports::Drop) => format!(
            "The export is dropped: what modules took from {old} is to be had from the event. \
             Those that look at more than its fields no longer can."
        ),
    }
}

fn calls(sites: &[CallSite]) -> String {
    match sites.len() {
        0 => "No call of it was found in the tree.".to_owned(),
        1 => format!("It is called at one place: {}.", called(sites)),
        n => format!("It is called at {n} places: {}.", called(sites)),
    }
}

fn called(sites: &[CallSite]) -> String {
    let shown = sites.iter().map(|site| {
        let function = site.function.as_deref();
        let function = function.map_or_else(String::new, |name| format!(" in {name}()"));
        format!("{}{function}", site_of(&site.site))
    });
    some(shown.collect())
}

fn consumers(probes: &[Probe]) -> String {
    let mut by_file: BTreeMap<&str, &Probe> = BTreeMap::new();
    for probe in probes {
        by_file.entry(&probe.site.file).or_insert(probe);
    }
    let places: Vec<String> = by_file.values().map(|probe| site_of(&probe.site)).collect();
    if places.is_empty() {
        "Nothing in the tree attaches to it. Users outside of the tree are not known here."
            .to_owned()
    } else {
        format!(
            "Attached to it in the tree: {}. Users outside of it are not known here.",
            some(places)
        )
    }
}

fn history(promotion: &Promotion) -> anyhow::Result<String> {
    let name = promotion.hook.name();
    let mut known = Vec::new();
    let mut changed = Vec::new();
    for release in Profile::names() {
        let profile = Profile::embedded(release)?;
        let mut declared = profile.files.values().flat_map(|file| &file.declares);
        let Some(one) = declared.find(|one| *one.name == *name) else {
            continue;
        };
        known.push(release);
        let ours = promotion.hook.declaration.prototype.iter();
        if !one
            .prototype
            .iter()
            .map(String::as_str)
            .eq(ours.map(AsRef::as_ref))
        {
            changed.push(release);
        }
    }
    let all: Vec<&str> = Profile::names().collect();
    Ok(if known.is_empty() {
        format!("It is new: {} do not have it.", all.join(", "))
    } else if changed.is_empty() {
        format!(
            "It has this prototype in {} (of {}).",
            known.join(", "),
            all.join(", ")
        )
    } else {
        format!(
            "It is in {} (of {}); its prototype was another in {}.",
            known.join(", "),
            all.join(", "),
            changed.join(", ")
        )
    })
}

/// Events that are called in the same functions.
fn neighbours(promotion: &Promotion, inventory: &Inventory) -> Option<String> {
    let places = |sites: &[CallSite]| -> Vec<(String, String)> {
        let named = sites.iter().filter(|site| !site.pasted);
        named
            .filter_map(|one| {
                Some((
                    one.site.file.to_string(),
                    one.function.as_deref()?.to_owned(),
                ))
            })
            .collect()
    };
    let own = places(&promotion.hook.call_sites);
    let mut names: Vec<String> = inventory
        .tracepoints
        .iter()
        .filter(|one| !one.is_bare())
        .filter(|one| {
            places(&one.call_sites)
                .iter()
                .any(|place| own.contains(place))
        })
        .map(|one| one.name().to_owned())
        .collect();
    names.dedup();
    (!names.is_empty()).then(|| {
        format!(
            "The same functions have these events already: {}. See that they don't tell the same.",
            some(names)
        )
    })
}

fn some(items: Vec<String>) -> String {
    let more = items.len().saturating_sub(MOST);
    let shown: Vec<String> = items.into_iter().take(MOST).collect();
    match more {
        0 => shown.join(", "),
        _ => format!("{} and {more} more", shown.join(", ")),
    }
}

fn site_of(site: &Site) -> String {
    format!("{}:{}", site.file, site.at.line)
}
