// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! `barepoint explain`.

use super::stream::Output;
use crate::output::explain;
use crate::rules::page::Page;
use crate::rules::{RULES, pages, rule};
use crate::verify;
use anyhow::bail;
use clap::Args;

/// The command line of `explain`.
#[derive(Args)]
pub(super) struct Arguments {
    /// Id of a rule; all are listed if none is given
    rule: Option<String>,
}

/// Shows a rule's page, or the list of all rules.
pub(super) fn run(arguments: &Arguments, out: &mut Output) -> anyhow::Result<u8> {
    match &arguments.rule {
        None => {
            let pages = [pages()?, verify::pages()?].concat();
            explain::list(&mut out.styled(), &pages)?;
        }
        Some(id) => {
            let id = id.to_lowercase().replace('_', "-");
            let page = if let Some(rule) = rule(&id) {
                Page::parse(rule.id, rule.page)?
            } else if let Some(kind) = verify::kind(&id) {
                Page::parse_without_cases(kind.id, kind.page)?
            } else {
                let rules = RULES.iter().map(|rule| rule.id);
                let kinds = verify::KINDS.iter().map(|kind| kind.id);
                let known: Vec<&str> = rules.chain(kinds).collect();
                bail!("no rule \"{id}\"; there are {}", known.join(", "));
            };
            explain::page(&mut out.styled(), &page)?;
        }
    }
    Ok(0)
}
