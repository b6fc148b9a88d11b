// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The past of hooks by the profiles that the program has in it, where there is no git.

use super::History;
use super::follow::{Followed, Moment};
use crate::inventory::profiles;
use crate::inventory::snapshot::{Knows, Snapshot};
use crate::kernel::profile::Profile;
use crate::kernel::version::KernelVersion;

/// What profiles know of a hook: its name, its arguments, whether it has an event.
const KNOWS: Knows = Knows {
    conditions: false,
    call_sites: false,
    events: true,
};

/// The past of the hooks `names` of `now`, by the embedded profiles of kernels that are
/// not newer than `version`, which is the one of `now`.
///
/// # Errors
/// A profile is damaged.
pub fn of_profiles<'n>(
    now: &Snapshot,
    version: Option<&str>,
    names: impl IntoIterator<Item = &'n str>,
) -> anyhow::Result<History> {
    let now = Snapshot {
        knows: KNOWS,
        ..now.clone()
    };
    let newest = version.and_then(KernelVersion::parse);
    let mut releases: Vec<(&str, Snapshot)> = Vec::new();
    for name in Profile::names() {
        if newest.is_none_or(|newest| KernelVersion::parse(name).is_some_and(|one| one <= newest)) {
            let state = profiles::state(&Profile::embedded(name)?);
            releases.push((name, Snapshot::of(&state.inventory, KNOWS)));
        }
    }
    let mut followed = Followed::of(names);
    let mut newer: &Snapshot = &now;
    let mut release = None;
    for (name, older) in releases.iter().rev() {
        let at = Moment {
            release,
            commit: None,
        };
        followed.back(older, newer, &at)?;
        release = Some((*name).to_owned());
        newer = older;
    }
    let names: Vec<String> = releases
        .iter()
        .map(|(name, _)| (*name).to_owned())
        .collect();
    Ok(History {
        source: if names.is_empty() {
            "none: no embedded profile is as old as this kernel".to_owned()
        } else {
            format!("the embedded profiles {}", names.join(", "))
        },
        lives: followed.finish(names.first().map(String::as_str)),
        releases: names,
    })
}
