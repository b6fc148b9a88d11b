// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! `barepoint explain`.

use crate::output::explain;
use crate::rules::page::Page;
use crate::rules::{RULES, pages, rule};
use anyhow::bail;
use clap::Args;
use std::io::Write;

/// The command line of `explain`.
#[derive(Args)]
pub(super) struct Arguments {
    /// Id of a rule; all are listed if none is given
    rule: Option<String>,
}

/// Shows a rule's page, or the list of all rules.
pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> anyhow::Result<u8> {
    match &arguments.rule {
        None => {
            explain::list(out, &pages()?)?;
        }
        Some(id) => {
            let id = id.to_lowercase().replace('_', "-");
            let Some(rule) = rule(&id) else {
                let known: Vec<&str> = RULES.iter().map(|rule| rule.id).collect();
                bail!("no rule \"{id}\"; there are {}", known.join(", "));
            };
            explain::page(out, &Page::parse(rule.id, rule.page)?)?;
        }
    }
    Ok(0)
}
