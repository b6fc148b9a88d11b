// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! barepoint keeps bare kernel tracepoints bare.
//!
//! Data flows one way, a folder a stage, and no stage knows a later one:
//!
//! ```text
//! source -> syntax -> kernel -> inventory -> rules -> review -> output
//! ```
//!
//! `source` gives bytes, `syntax` tokens and macro calls, `kernel` what the
//! tree's own macros do, `inventory` every tracepoint with how visible it is,
//! `rules` findings, `review` which of them an input brought, `output` their shapes. `cli` wires them together.
//!
//! Beside them, and before `output`: `consumers` says who attaches to which tracepoint,
//! `history` how one changed, `report` which have earned an event, and `promotion` drafts
//! it. `elf` and `tracefs` say what a built and a running kernel have, and `verify` holds
//! an inventory against that. `budget`, `globs` and
//! `parallel` know no stage.

mod budget;
pub mod cli;
pub mod consumers;
pub mod elf;
mod globs;
pub mod history;
pub mod inventory;
pub mod kernel;
pub mod output;
mod parallel;
pub mod promotion;
pub mod report;
pub mod review;
pub mod rules;
pub mod source;
pub mod syntax;
pub mod tracefs;
pub mod verify;
