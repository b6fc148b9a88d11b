/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* fuzz/run makes a module and a vmlinux of it. */
#include "../../../tests/fixtures/image/image.h"
BARE(pelt_cfs_tp) TRACED(sched_switch, sched) CALL(alone, sched, .data = 0)
