/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * A leak, which build plants in fs/vfs_trace.c of a scratch copy to see that it is
 * found: a trace event made by hand, on the bare tracepoint vfs_fput_tp. No header
 * says TRACE_EVENT(), and the tracepoint stays as it is declared.
 */
#include <linux/trace_events.h>

static void leak_probe(void *data, struct file *file)
{
}

static enum print_line_t leak_print(struct trace_iterator *iter, int flags,
				    struct trace_event *event)
{
	return TRACE_TYPE_HANDLED;
}

static struct trace_event_fields leak_fields[] = { {} };

static struct trace_event_class leak_class = {
	.system		= "vfs",
	.fields_array	= leak_fields,
	.fields		= LIST_HEAD_INIT(leak_class.fields),
	.raw_init	= trace_event_raw_init,
	.probe		= leak_probe,
#ifdef CONFIG_PERF_EVENTS
	.perf_probe	= leak_probe,
#endif
	.reg		= trace_event_reg,
};

static struct trace_event_functions leak_functions = { .trace = leak_print };

static struct trace_event_call __used leak_call = {
	.class		= &leak_class,
	.tp		= &__tracepoint_vfs_fput_tp,
	.event.funcs	= &leak_functions,
	.print_fmt	= "\"\"",
	.flags		= TRACE_EVENT_FL_TRACEPOINT,
};

static struct trace_event_call __used __section("_ftrace_events")
	*leak_pointer = &leak_call;
