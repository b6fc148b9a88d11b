4static inline void g(int x) { trace_pelt_cfs_tp(x); }
#define HOOK(name, ...) do { if (tracepoint_enabled(name)) do_trace_##name(__VA_ARGS__); } while (0)
