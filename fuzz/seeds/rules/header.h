2#undef TRACE_SYSTEM
#define TRACE_SYSTEM sched
#if !defined(_TRACE_SCHED_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_SCHED_H
#include <linux/tracepoint.h>
#define DEFINE_MINE(name) DEFINE_EVENT(mine, sched_##name, TP_PROTO(int a), TP_ARGS(a))
DECLARE_EVENT_CLASS(mine, TP_PROTO(int a), TP_ARGS(a), TP_STRUCT__entry(), TP_fast_assign(), TP_printk(""));
#ifdef CONFIG_A
DEFINE_MINE(one);
#else
/* barepoint: allow(event-in-zone): it was always there */
DEFINE_MINE(two);
#endif
/* Says what. Not exported in tracefs. */
DECLARE_TRACE(pelt_cfs, TP_PROTO(struct cfs_rq *cfs_rq, int), TP_ARGS(cfs_rq));
DECLARE_TRACE_CONDITION(c_tp, TP_PROTO(int a), TP_ARGS(b), TP_CONDITION(a));
#endif
#include <trace/define_trace.h>
