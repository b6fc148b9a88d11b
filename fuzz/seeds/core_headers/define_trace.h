1#ifdef CREATE_TRACE_POINTS
#undef TRACE_EVENT
#define TRACE_EVENT(name, proto, args, tstruct, assign, print) DEFINE_TRACE(name, PARAMS(proto), PARAMS(args))
#undef DECLARE_TRACE
#define DECLARE_TRACE(name, proto, args) DEFINE_TRACE(name##_tp, PARAMS(proto), PARAMS(args))
#define TRACE_INCLUDE(system) __stringify(system.h)
#include TRACE_INCLUDE(TRACE_INCLUDE_FILE)
#include <trace/trace_events.h>
#endif
