2#undef DEFINE_EVENT
#define DEFINE_EVENT(template, call, proto, args) \
	static struct trace_event_call __used __section("_ftrace_events") *__event_##call = &event_##call; \
	static struct bpf_raw_event_map __used __section("__bpf_raw_tp_map") __bpf_trace_tp_map_##call
#undef TRACE_EVENT
#define TRACE_EVENT(name, proto, args, tstruct, assign, print) \
	DECLARE_EVENT_CLASS(name, PARAMS(proto), PARAMS(args)) \
	DEFINE_EVENT(name, name, PARAMS(proto), PARAMS(args));
