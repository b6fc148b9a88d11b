// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! How BPF programs and their loaders name a tracepoint, in whatever language.

use super::Way;

/// What the section of a BPF program (libbpf's `section_defs`) says: how it attaches,
/// and to what.
pub(super) fn section(text: &str) -> Option<(Way, &str)> {
    // libbpf does not load `?` programs unless it is asked to.
    let text = text.strip_prefix('?').unwrap_or(text);
    let (kind, name) = text.split_once('/')?;
    let way = match kind {
        "raw_tp" | "raw_tp.w" | "raw_tracepoint" | "raw_tracepoint.w" => Way::BpfRawTracepoint,
        "tp_btf" | "tp_btf.s" => Way::BpfBtf,
        "tp" | "tracepoint" => {
            let (_system, name) = name.split_once('/')?;
            return is_name(name).then_some((Way::Perf, name));
        }
        _ => return None,
    };
    is_name(name).then_some((way, name))
}

/// Functions that are given the name of a tracepoint as a string, with the place of
/// that among the arguments: of libbpf, bcc and libtracefs.
pub(super) const LOADERS: [(&[u8], usize, Way); 10] = [
    (b"bpf_raw_tracepoint_open", 0, Way::BpfRawTracepoint),
    (b"bpf_raw_tracepoint_open_opts", 0, Way::BpfRawTracepoint),
    (b"bpf_attach_raw_tracepoint", 1, Way::BpfRawTracepoint),
    (
        b"bpf_program__attach_raw_tracepoint",
        1,
        Way::BpfRawTracepoint,
    ),
    (
        b"bpf_program__attach_raw_tracepoint_opts",
        1,
        Way::BpfRawTracepoint,
    ),
    (b"attach_raw_tracepoint", 0, Way::BpfRawTracepoint),
    (b"attach_tracepoint", 0, Way::Perf),
    (b"bpf_program__attach_tracepoint", 2, Way::Perf),
    (b"bpf_program__attach_tracepoint_opts", 2, Way::Perf),
    (b"tracefs_event_enable", 2, Way::Perf),
];

/// Whether `text` can be the name of a tracepoint.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() < 128
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections() {
        assert_eq!(section("raw_tp/a_b"), Some((Way::BpfRawTracepoint, "a_b")));
        assert_eq!(
            section("?raw_tracepoint.w/a"),
            Some((Way::BpfRawTracepoint, "a"))
        );
        assert_eq!(section("tp_btf/a"), Some((Way::BpfBtf, "a")));
        assert_eq!(section("tp/sched/a"), Some((Way::Perf, "a")));
        for text in [
            "raw_tp",
            "raw_tp/",
            "kprobe/a",
            "tp/a",
            "raw_tp/a b",
            "license",
        ] {
            assert_eq!(section(text), None, "{text}");
        }
    }
}
