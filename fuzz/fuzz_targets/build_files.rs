// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! MAINTAINERS, build files and the version, which decide on approval and clashes.

#![no_main]

use barepoint::kernel::kbuild::{are_alternatives, options_of};
use barepoint::kernel::maintainers::{Maintainers, address};
use barepoint::kernel::version::of_makefile;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let maintainers = Maintainers::parse(text);
    let _ = maintainers.covering("kernel/sched/core.c").count();
    let _ = (
        maintainers.section("SCHEDULER"),
        address(text),
        of_makefile(text),
    );
    let read = |_: &str| Some(text.as_bytes().into());
    let _ = options_of("kernel/sched/core.c", &read);
    let _ = are_alternatives("drivers/a/x.c", "drivers/b/y.c", &read);
});
