3#define CREATE_TRACE_POINTS
#include <trace/events/sched.h>
#undef CREATE_TRACE_POINTS
EXPORT_TRACEPOINT_SYMBOL_GPL(pelt_cfs_tp);
EXPORT_TRACEPOINT_SYMBOL(sched_overutilized_tp);
DEFINE_TRACE(x, int a, a);
static void probe(void *data, struct cfs_rq *cfs_rq) { trace_printk("%p", cfs_rq); trace_one(1); }
static noinstr int f(struct rq *rq)
{
	if (trace_pelt_cfs_tp_enabled()) {
		trace_pelt_cfs_tp(cfs_of(rq));
		instrumentation_begin();
	}
	trace_sched_overutilized_tp(work(rq), "\"", 'x');
	return register_trace_pelt_cfs_tp(probe, NULL);
}
