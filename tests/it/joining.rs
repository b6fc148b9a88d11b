// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! A state that patches lead to is the state of the tree that they make: what is read
//! and joined again after each is enough. And so is what the rules look at again.

use crate::series::{Texts, findings, mail};
use barepoint::inventory::resolve::Inventory;
use barepoint::inventory::state::{NewText, State};
use barepoint::rules::zones::Zones;
use barepoint::source::disk::DiskTree;
use barepoint::source::overlay::OverlayTree;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

const KERNEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/kernel-7.3");

/// Few names, of which one may be read as another's: `trace_a_enabled()` may guard a, or
/// call a_enabled.
const NAME: &str = "(a|a_enabled|a_enabled|event_a)";

const HEADERS: [&str; 4] = [
    "include/trace/events/one.h",
    "include/trace/events/two.h",
    "include/trace/three.h",
    "arch/x86/include/asm/trace/four.h",
];

const SOURCES: [&str; 4] = ["kernel/a.c", "kernel/b.c", "arch/x86/c.c", "arch/arm64/d.c"];

/// As it is used: `DECLARE_TRACE()` adds an ending of its own.
const USED: &str = "(a|a|a_tp|a_enabled|event_a)";

fn include() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(&HEADERS[..3])
            .prop_map(|path| format!("#include <{}>\n", &path["include/".len()..])),
        Just("#include <asm/trace/four.h>\n".to_owned()),
    ]
}

fn declaration() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => NAME.prop_map(|name| {
            format!("DECLARE_TRACE({name}, TP_PROTO(int x), TP_ARGS(x));\n")
        }),
        4 => NAME.prop_map(|name| {
            format!(
                "TRACE_EVENT({name}, TP_PROTO(int x), TP_ARGS(x), TP_STRUCT__entry(), \
                 TP_fast_assign(), TP_printk(\"\"));\n"
            )
        }),
        1 => NAME.prop_map(|name| {
            format!("DECLARE_TRACE_MORE({name}, TP_PROTO(int x), TP_ARGS(x));\n")
        }),
        1 => Just("#ifndef CREATE_TRACE_POINTS\n#include <trace/three.h>\n#endif\n".to_owned()),
        1 => include(),
        1 => Just("\n".to_owned()),
    ]
}

fn header() -> impl Strategy<Value = String> {
    let lines = prop::collection::vec(declaration(), 0..5);
    (lines, any::<bool>()).prop_map(|(lines, is_trace_header)| {
        let end = if is_trace_header {
            "#include <trace/define_trace.h>\n"
        } else {
            ""
        };
        format!("{}{end}", lines.concat())
    })
}

fn line() -> impl Strategy<Value = String> {
    let body = |line: String| format!("void f(void)\n{{\n\t{line}\n}}\n");
    prop_oneof![
        2 => include(),
        2 => include().prop_map(|line| format!("#define CREATE_TRACE_POINTS\n{line}#undef CREATE_TRACE_POINTS\n")),
        2 => USED.prop_map(|name| format!("EXPORT_TRACEPOINT_SYMBOL_GPL({name});\n")),
        4 => USED.prop_map(move |name| body(format!("trace_{name}(1);"))),
        4 => USED.prop_map(move |name| body(format!("if (trace_{name}_enabled())\n\t\tg();"))),
        2 => USED.prop_map(move |name| body(format!("register_trace_{name}(probe, NULL);"))),
        1 => USED.prop_map(|name| format!("DEFINE_TRACE({name}, TP_PROTO(int x), TP_ARGS(x));\n")),
        1 => Just(body("g(trace_event_);".to_owned())),
        1 => Just("#define CALL(x) trace_##x(1)\n".to_owned()),
        1 => USED.prop_map(move |name| body(format!("CALL({name});"))),
        1 => Just("\n".to_owned()),
    ]
}

fn source() -> impl Strategy<Value = String> {
    prop::collection::vec(line(), 0..6).prop_map(|lines| lines.concat())
}

const CORE: &str = "include/linux/tracepoint.h";

/// The tracing core's header as it is, or with another macro.
fn core() -> impl Strategy<Value = String> {
    any::<bool>().prop_map(|has_more| {
        let more = if has_more {
            "#define DECLARE_TRACE_MORE(name, proto, args) \\\n\
             \tDECLARE_TRACE(name, PARAMS(proto), PARAMS(args))\n"
        } else {
            ""
        };
        let text = fs::read_to_string(format!("{KERNEL}/{CORE}")).expect("a header");
        text + more
    })
}

/// What a patch does: files and their new texts, or none.
fn patch() -> impl Strategy<Value = BTreeMap<String, Option<String>>> {
    let file = prop_oneof![
        1 => (Just(CORE), core().prop_map(Some)),
        4 => (
            prop::sample::select(&HEADERS[..]),
            prop::option::weighted(0.9, header())
        ),
        4 => (
            prop::sample::select(&SOURCES[..]),
            prop::option::weighted(0.9, source())
        ),
    ];
    let file = file.prop_map(|(path, text)| (path.to_owned(), text));
    prop::collection::vec(file, 1..3).prop_map(|files| files.into_iter().collect())
}

/// The texts of all files that a patch may change.
fn all(texts: &BTreeMap<String, Option<Arc<[u8]>>>) -> Texts {
    let core = fs::read_to_string(format!("{KERNEL}/{CORE}")).expect("a header");
    let paths = HEADERS.iter().chain(&SOURCES);
    let mut all: Texts = paths
        .map(|path| ((*path).to_owned(), String::new()))
        .collect();
    all.insert(CORE.to_owned(), core);
    for (path, text) in texts {
        let text = text.as_deref().unwrap_or_default();
        all.insert(path.clone(), String::from_utf8_lossy(text).into_owned());
    }
    all
}

/// A series may change what the macros of the core mean so many times.
const MOST_MEANINGS: usize = 4;

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_patches_lead_to_is_what_the_tree_says(
        first in prop::collection::vec(patch(), 4..8),
        patches in prop::collection::vec(patch(), 1..6),
    ) {
        let kernel = DiskTree::open(Path::new(KERNEL)).expect("a small kernel");
        let mut texts: BTreeMap<String, Option<Arc<[u8]>>> = BTreeMap::new();
        let bytes = |text: &Option<String>| text.as_ref().map(|text| Arc::from(text.as_bytes()));
        for (path, text) in first.iter().flatten() {
            texts.insert(path.clone(), bytes(text));
        }
        let start = all(&texts);
        let mut state = State::of(&OverlayTree::of(Some(&kernel), texts.clone())).expect("a state");
        let mut mails = Vec::new();
        for patch in &patches {
            let old = all(&texts);
            let mut changes = BTreeMap::new();
            for (path, text) in patch {
                texts.insert(path.clone(), bytes(text));
                let new = bytes(text).map_or(NewText::Absent, NewText::Whole);
                changes.insert(path.clone(), new);
            }
            let tree = OverlayTree::of(Some(&kernel), texts.clone());
            state = state.after(&changes, Some(&tree)).expect("a state");
            prop_assert_eq!(&*state.inventory, &Inventory::of(&state.facts, &state.semantics));
            let whole = State::of(&tree).expect("a state");
            prop_assert_eq!(&state.facts, &whole.facts);
            prop_assert_eq!(&state.inventory, &whole.inventory);
            let new = all(&texts);
            if old != new {
                mails.push(mail("Change", "", &old, &new));
            }
        }
        mails.truncate(MOST_MEANINGS);
        if !mails.is_empty() {
            // An empty file is none, as far as a mail can say.
            let files = start.into_iter().map(|(path, text)| {
                let text = (!text.is_empty()).then(|| Arc::from(text.as_bytes()));
                (path, text)
            });
            let before = OverlayTree::of(Some(&kernel), files.collect());
            let first = State::of(&before).expect("a state");
            let zones = Zones::built_in().expect("zones");
            findings(&before, &first, &mails, &zones, "patches");
        }
    }
}
