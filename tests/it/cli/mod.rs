// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The real binary, as a user or a gate runs it: what goes to which stream, in
//! which shape, and with which exit status.

mod bad_input;
mod check;
mod explain;
mod formats;
mod list;

use crate::workplace::{BINARY, Workplace};
use snapbox::cmd::Command;

/// The binary in a folder that is in no kernel tree, with nothing in its way.
fn barepoint(place: &Workplace) -> Command {
    Command::from_std(place.command(BINARY))
}

/// A folder with `kernel`, a copy of a small tree, and `leak.patch` for it.
fn workplace() -> Workplace {
    let place = Workplace::new();
    place.write("leak.patch", LEAK);
    place
}

const LEAK: &str = "\
From 0123456789abcdef0123456789abcdef01234567 Mon Sep 17 00:00:00 2001
From: A Contributor <a@example.org>
Date: Mon, 5 Jan 2026 10:00:00 +0000
Subject: [PATCH 1/1] sched: Trace overutilization

It is useful.
---
 include/trace/events/sched.h | 6 ++++--
 1 file changed, 4 insertions(+), 2 deletions(-)

diff --git a/include/trace/events/sched.h b/include/trace/events/sched.h
--- a/include/trace/events/sched.h
+++ b/include/trace/events/sched.h
@@ -78,7 +78,9 @@ DECLARE_TRACE(pelt_cfs,
 \tTP_PROTO(struct cfs_rq *cfs_rq),
 \tTP_ARGS(cfs_rq));
 
-DECLARE_TRACE(sched_overutilized,
+/* The root domain is, or is no longer, overutilized. */
+TRACE_EVENT(sched_overutilized_tp,
 \tTP_PROTO(struct root_domain *rd, bool overutilized),
-\tTP_ARGS(rd, overutilized));
+\tTP_ARGS(rd, overutilized),
+\tTP_STRUCT__entry(), TP_fast_assign(), TP_printk(\"\"));
 
-- 
2.47.3
";

/// Says what a hook is for.
const CLEAN: &str = "\
From: A Contributor <a@example.org>
Subject: [PATCH] sched: Say what a hook is for

---
diff --git a/include/trace/events/sched.h b/include/trace/events/sched.h
--- a/include/trace/events/sched.h
+++ b/include/trace/events/sched.h
@@ -78,6 +78,7 @@ DECLARE_TRACE(pelt_cfs,
 \tTP_PROTO(struct cfs_rq *cfs_rq),
 \tTP_ARGS(cfs_rq));
 
+/* The root domain is, or is no longer, overutilized. No TRACE_EVENT(x) here. */
 DECLARE_TRACE(sched_overutilized,
 \tTP_PROTO(struct root_domain *rd, bool overutilized),
 \tTP_ARGS(rd, overutilized));
";
