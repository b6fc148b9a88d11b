// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! All fuzz targets, in one binary: what they share is compiled and linked once.
//! TARGET in the environment names the one that runs, so that the arguments are all
//! libFuzzer's.

#![no_main]

use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

mod shared;

/// Declares the modules of the targets, and what runs each by its name.
macro_rules! targets {
    ($($name:ident),* $(,)?) => {
        mod targets {
            $(pub mod $name;)*
        }

        const TARGETS: &[(&str, fn(&[u8]))] = &[$((stringify!($name), targets::$name::fuzz)),*];
    };
}

targets![
    baseline,
    build_files,
    conditions,
    consumers,
    core_headers,
    drafts,
    elf,
    lexer,
    macros,
    mail,
    overlay,
    packed,
    pages,
    rules,
    saved,
    tracefs,
    zones,
];

/// The target that was asked for.
static TARGET: LazyLock<fn(&[u8])> = LazyLock::new(|| {
    let wanted = std::env::var("TARGET").unwrap_or_default();
    let found = TARGETS.iter().find(|(name, _)| *name == wanted);
    found.map(|(_, fuzz)| *fuzz).unwrap_or_else(|| {
        let names: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
        eprintln!("TARGET={wanted:?}: give one of {}", names.join(" "));
        std::process::exit(2)
    })
});

fuzz_target!(
    init: {
        LazyLock::force(&TARGET);
    },
    |input: &[u8]| TARGET(input)
);
