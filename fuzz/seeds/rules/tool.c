9SEC("tp_btf/pelt_cfs_tp") int BPF_PROG(f) { return 0; }
SEC("raw_tp/sched_overutilized_tp")
