// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The macro evaluator: a file that includes itself, then one line expanded by
//! what it defined, and what each of its macros would make, also where one is missing.

use std::sync::Arc;

use barepoint::kernel::expand::{MacroTable, expand};
use barepoint::kernel::preprocessor::{Follow, run};
use barepoint::kernel::probing::{forms, probe};
use crate::shared::halves;

pub fn fuzz(input: &[u8]) {
    let (header, line) = halves(input);
    let itself: Arc<[u8]> = header.into();
    let mut left = 20;
    let mut table = MacroTable::default();
    run("x.h", header, &mut table, &mut |_, _, _| {
        if left == 0 {
            return Follow::Skip;
        }
        left -= 1;
        Follow::File("x.h".to_owned(), itself.clone())
    });
    let _ = expand(line, &table);
    let names: Vec<_> = table.names().take(4).map(<[u8]>::to_vec).collect();
    let mut other = table.clone();
    names.iter().take(1).for_each(|name| other.undefine(name));
    let varied = MacroTable::varied(&[&table, &other]);
    for name in names {
        let _ = forms(&name, &table);
        // What no macro that differs has a part in is the same in both tables.
        let (effect, varies) = probe(&name, &table, &varied);
        assert!(varies || effect == probe(&name, &other, &varied).0);
    }
}
