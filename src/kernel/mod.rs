// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! What a kernel tree says of itself: what its tracing macros do, who maintains
//! what, which version it is.
//!
//! The tree's own headers are the specification; nothing per version is
//! written down here. It may not know which tracepoints a tree has.

use std::sync::Arc;

pub mod expand;
pub mod kbuild;
pub mod maintainers;
pub mod preprocessor;
pub mod probing;
pub mod profile;
pub mod semantics;
pub mod version;

/// Gives the text of a file of the tree; `None` if there is none.
pub type ReadFile<'a> = dyn Fn(&str) -> Option<Arc<[u8]>> + 'a;
