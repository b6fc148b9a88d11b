0#ifndef DECLARE_TRACE
#define PARAMS(args...) args
#define TP_PROTO(args...) args
#define TP_ARGS(args...) args
#define __DECLARE_TRACE(name, proto, args, cond) \
	extern struct tracepoint __tracepoint_##name; \
	static inline void trace_##name(proto) { } \
	static inline int register_trace_##name(void (*probe)(proto)) { }
#define DECLARE_TRACE(name, proto, args) \
	__DECLARE_TRACE(name##_tp, PARAMS(proto), PARAMS(args), 1)
#define TRACE_EVENT(name, proto, args, struct, assign, print) \
	__DECLARE_TRACE(name, PARAMS(proto), PARAMS(args), 1)
#endif
