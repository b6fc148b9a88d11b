// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Every tracepoint of a tree: where it is declared, defined, exported, called
//! and probed, and how visible it is.
//!
//! [`facts`] says what one file holds, and depends on that file alone;
//! [`scan`] gathers the facts of a tree; [`joining`] makes an
//! [`Inventory`](resolve::Inventory) of them. [`difference`] compares two kernels by their
//! [`snapshot`]s. What lives here may not judge.

mod allowances;
mod declarations;
pub mod definitions;
pub mod difference;
mod extensions;
pub mod facts;
pub mod headings;
pub mod includes;
pub mod joining;
mod macros;
mod odd;
mod partial;
mod parts;
mod pasted;
mod pasted_names;
mod pasting;
pub mod profiles;
pub mod reader;
mod renames;
pub mod resolve;
mod rust;
pub mod saved;
pub mod scan;
pub mod snapshot;
mod sought;
pub mod state;
pub(crate) mod uses;
pub mod vicinity;
