// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The pages of rules.

use barepoint::rules::page::Page;
use crate::shared::text_of;

pub fn fuzz(input: &[u8]) {
    let text = text_of(input);
    let _ = Page::parse("promotion", text);
}
