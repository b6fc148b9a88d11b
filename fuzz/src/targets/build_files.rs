// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! MAINTAINERS, build files and the version, which decide on approval and clashes.

use barepoint::kernel::kbuild::{are_alternatives, options_of};
use barepoint::kernel::maintainers::{Maintainers, address};
use barepoint::kernel::version::of_makefile;
use crate::shared::text_of;

pub fn fuzz(input: &[u8]) {
    let text = text_of(input);
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
}
