// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! What `barepoint list --format json` wrote, read again.

use super::snapshot::{Caller, Export, Hook, Knows, Snapshot, parameters};
use anyhow::{Context, bail};
use serde::Deserialize;

#[derive(Deserialize)]
struct Document {
    schema: u32,
    tree: Option<TreeName>,
    tracepoints: Vec<Entry>,
}

#[derive(Deserialize)]
struct TreeName {
    version: Option<String>,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    kind: Kind,
    system: Option<String>,
    file: String,
    line: u32,
    condition: Option<String>,
    prototype: Vec<String>,
    bpf: bool,
    export: Option<Exported>,
    call_sites: Vec<Call>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Bare,
    Event,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Exported {
    Gpl,
    Plain,
}

#[derive(Deserialize)]
struct Call {
    file: String,
    function: Option<String>,
    form: Option<String>,
}

/// The kernel's version, if it is known, and its tracepoints.
///
/// # Errors
/// `text` is something else.
pub fn read(text: &[u8]) -> anyhow::Result<(Option<String>, Snapshot)> {
    let document: Document =
        serde_json::from_slice(text).context("not what `list --format json` writes")?;
    if document.schema != 1 {
        bail!(
            "its schema is {}, and only 1 is known here",
            document.schema
        );
    }
    let all = document.tracepoints;
    let knows = Knows {
        // No kernel is without events, but `list --bare` is.
        events: all.iter().any(|one| one.kind == Kind::Event),
        ..Knows::default()
    };
    // Of the other sides, none has these.
    let all = all
        .into_iter()
        .filter(|one| !one.file.starts_with("tools/"));
    let version = document.tree.and_then(|tree| tree.version);
    Ok((version, Snapshot::new(all.map(hook).collect(), knows)))
}

fn hook(entry: Entry) -> Hook {
    let calls = entry.call_sites.into_iter();
    Hook {
        name: entry.name,
        event: entry.kind == Kind::Event,
        bpf: entry.bpf,
        system: entry.system,
        file: entry.file,
        line: entry.line,
        condition: entry.condition,
        prototypes: vec![parameters(entry.prototype.iter().map(String::as_str))],
        export: entry.export.map(|export| match export {
            Exported::Gpl => Export::Gpl,
            Exported::Plain => Export::Plain,
        }),
        calls: calls
            .filter(|call| call.form.as_deref() != Some("guard"))
            .map(|call| Caller {
                function: call.function,
                file: call.file,
            })
            .collect(),
    }
}
