// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! What an input introduced: which states there are to be compared, and which patch or
//! commit brought a finding. A series of patches, a range of commits with its merges and
//! a push are reviewed by the same rules. May not know how findings are shown, nor what
//! the rules are.

mod kept;
mod path;
pub mod range;
mod scope;
pub mod series;
