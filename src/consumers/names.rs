// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The names that a consumer may write, and the tracepoint that each stands for.

use crate::inventory::resolve::Inventory;
use std::collections::BTreeMap;

/// Names that a consumer may write, and the real tracepoint each stands for.
#[derive(Clone, Debug, Default)]
pub struct Names(BTreeMap<String, String>);

impl Names {
    /// Those of a tree's tracepoints. A bare hook is also known by its name without the
    /// `_tp`, or with it: since Linux 6.16 `DECLARE_TRACE()` appends it, and a consumer
    /// may have been written for a kernel before or after.
    pub fn of(inventory: &Inventory) -> Self {
        let mut names: BTreeMap<String, String> = inventory
            .tracepoints
            .iter()
            .map(|one| (one.name().to_owned(), one.name().to_owned()))
            .collect();
        for name in inventory.bare_names() {
            let other = match name.strip_suffix("_tp") {
                Some(stem) => stem.to_owned(),
                None => format!("{name}_tp"),
            };
            names.entry(other).or_insert_with(|| name.to_owned());
        }
        Self(names)
    }

    /// These, each standing for itself.
    pub fn exactly<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let names = names.into_iter();
        Self(
            names
                .map(|name| (name.to_owned(), name.to_owned()))
                .collect(),
        )
    }

    /// The real tracepoint that `written` stands for.
    pub fn real(&self, written: &str) -> Option<&str> {
        self.0.get(written).map(String::as_str)
    }

    /// What a consumer may write, in order.
    pub fn written(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}
