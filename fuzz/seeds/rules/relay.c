5static void on(void *data, int x) { helper(x); }
static void helper(int x) { trace_event_sco(x); seq_printf(m, "%d", x); }
static int enable(void) { rv_attach_trace_probe("sco", pelt_cfs_tp, on); tracepoint_probe_register(&__tracepoint_x, on, NULL); }
