// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Nobody approves himself: what an input brings lowers nothing of it, however it is
//! asked, and whoever approves of what the gate goes by does it in that very patch.

use crate::workplace::Workplace;
use serde_json::Value;
use std::process::Output;

/// What scenarios are written in. They run in a repository of a small kernel.
const WORDS: &str = r#"
set -eu
header=include/trace/events/sched.h
# above TEXT: into the header, behind all that it declares
above() { sed -i "s|^#endif /\* _TRACE_SCHED_H \*/|$1\\
&|" $header; }
event() { above "${2-}TRACE_EVENT($1, TP_PROTO(int x), TP_ARGS(x), TP_STRUCT__entry(), TP_fast_assign(), TP_printk(\"\"));"; }
appoint() { sed -i "s|^M:	Ingrid Sched.*|&\\
M:	E <e@example.net>|" MAINTAINERS; }
say() { echo "/* $2 */" >>"$1"; }
save() { git add -A; git commit -q -m "$1" ${2:+-m "$2"}; }
ack='Acked-by: Ingrid Sched <ingrid@example.org>'
acks="$ack
Acked-by: Vera Namei <vera@example.org>"
own='Acked-by: E <e@example.net>'
"#;

struct Place(Workplace);

impl Place {
    /// A repository whose first commit, with the tag base, is the kernel with what
    /// `before` makes of it; then what `script` commits.
    fn of(before: &str, script: &str) -> Self {
        let place = Workplace::new();
        place.sh(&format!(
            "{WORDS}
            cd kernel; git init -q -b master .
            git config user.name A; git config user.email a@example.net
            {before}
            save base; git tag base
            {script}
            git format-patch -q -o ../patches base..HEAD
            for one in base HEAD; do
                mkdir ../$one; git archive $one | tar -x -C ../$one
            done
            git clone -q . ../clone; cd ../clone; git checkout -q base"
        ));
        Self(place)
    }

    fn check(&self, arguments: &[&str]) -> Output {
        let all = [&["check", "--format", "json"], arguments].concat();
        self.0.run(&all)
    }

    /// The errors and notes, `level rule`, in order.
    fn found(&self, arguments: &[&str]) -> Vec<String> {
        let output = self.check(arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_ne!(output.status.code(), Some(2), "{arguments:?}: {said}");
        let json: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let mut found: Vec<String> = json["findings"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|one| {
                let word = |key: &str| one[key].as_str().expect("a word").to_owned();
                format!("{} {}", word("level"), word("rule"))
            })
            .filter(|one| !one.starts_with("warning"))
            .collect();
        found.sort();
        found
    }

    /// What is found however the commits are given.
    fn found_by_all(&self, more: &[&str]) -> Vec<String> {
        let ways: [&[&str]; 6] = [
            &["--tree", "base", "patches"],
            &["--tree", "HEAD", "patches"],
            &["--tree", "clone", "patches"],
            &["--tree", "kernel", "patches"],
            &["--tree", "base", "--whole-tree", "patches"],
            &["--tree", "kernel", "--git", "base..HEAD"],
        ];
        let mut all = ways
            .map(|way| self.found(&[way, more].concat()))
            .into_iter();
        let first = all.next().unwrap_or_default();
        for (found, way) in all.zip(&ways[1..]) {
            assert_eq!(found, first, "{way:?}");
        }
        first
    }
}

fn found(before: &str, script: &str) -> Vec<String> {
    Place::of(before, script).found_by_all(&[])
}

/// A hook that may become an event.
const BARE: &str = "above '/* barepoint: allow(promotion): if ever */\\\n\
    DECLARE_TRACE(old, TP_PROTO(int x), TP_ARGS(x));'";

/// It becomes one.
const PROMOTE: &str = "sed -i 's/^DECLARE_TRACE(old, \\(.*\\));/TRACE_EVENT(old, \\1, TP_STRUCT__entry(), \
     TP_fast_assign(), TP_printk(\"\"));/' $header; save promote";

const LEAK: &str = "event new; save leak";

#[test]
fn a_comment_approves_of_nothing() {
    let errors = ["error event-in-zone", "error gate-change"];
    let comment = "/* barepoint: allow(event-in-zone): agreed */";
    // In the same patch, behind the code; and in the one before, above it.
    let behind = format!("event new; sed -i 's|^TRACE_EVENT(new.*|& {comment}|' $header; save x");
    assert_eq!(found("", &behind), errors);
    let ahead = format!("above '{comment}'; save x \"$own\"; event new; save y");
    assert_eq!(found("", &ahead), errors);
    // Only in the patch that makes the comment say so the approval counts.
    let of_another =
        format!("event new '{comment} '; save x; sed -i 1s/^/\\n/ $header; save y \"$ack\"");
    assert_eq!(found("", &of_another), errors);
    let ahead = format!("{BARE}; save x \"$ack\"; {PROMOTE}");
    assert_eq!(found("", &ahead), ["note gate-change", "note promotion"]);
    // Of what a comment will stand over nobody has approved before it does.
    let blank = format!("above '{comment}'; save x \"$ack\"; event new; save y");
    assert_eq!(found("", &blank), errors);
}

#[test]
fn a_comment_that_was_there_counts_for_what_it_was_about() {
    assert_eq!(found(BARE, PROMOTE), ["note promotion"]);
    // The same comment over another event, the old hook below it.
    let other = "sed -i 's|^DECLARE_TRACE(old|\\\n&|' $header
        sed -i '/allow(promotion)/r /dev/stdin' $header <<END
TRACE_EVENT(sched_overutilized, TP_PROTO(int x), TP_ARGS(x), TP_STRUCT__entry(), TP_fast_assign(), TP_printk(\"\"));
END
        save x";
    let all = found(BARE, other);
    assert!(all.contains(&"error gate-change".to_owned()), "{all:?}");
    assert!(all.contains(&"error promotion".to_owned()), "{all:?}");
}

#[test]
fn nothing_of_the_input_is_what_the_gate_goes_by() {
    let errors = ["error event-in-zone", "error gate-change"];
    for disarm in [
        // A level, a zone that is nowhere, and one with another section.
        "printf '[levels]\\nevent-in-zone = \"off\"\\n' >.barepoint.toml",
        "printf '[[zone]]\\nname = \"scheduler\"\\nsection = \"SCHEDULER\"\\nvisibility = \"bpf\"\\npaths = [\"x\"]\\n' >.barepoint.toml",
        "printf '[[zone]]\\nname = \"scheduler\"\\nsection = \"TRACING\"\\nvisibility = \"bpf\"\\npaths = [\"kernel/sched/**\"]\\n' >x.toml; git add x.toml; git commit -qm half; git mv x.toml .barepoint.toml",
        "appoint",
        // The section that stands first is the one that counts.
        "sed -i 's|^EXT4 FILE SYSTEM|SCHEDULER\\nM:\tE <e@example.net>\\n\\n&|' MAINTAINERS",
    ] {
        let all = found(
            "",
            &format!("{disarm}; save x \"$own\"; event new; save y \"$own\""),
        );
        let mut all = all;
        all.dedup();
        assert_eq!(all, errors, "{disarm}");
    }
    // What it takes away counts, too.
    let off = "printf '[[zone]]\\nname = \"scheduler\"\\nsection = \"SCHEDULER\"\\nvisibility = \"module\"\\npaths = [\"kernel/sched/**\", \"include/trace/events/sched.h\", \"mm/**\"]\\n' >.barepoint.toml";
    let gone = found(off, &format!("git rm -q .barepoint.toml; save x; {LEAK}"));
    assert!(gone.contains(&"error gate-change".to_owned()), "{gone:?}");
}

#[test]
fn who_may_change_what_the_gate_goes_by() {
    let note = ["note gate-change"];
    let error = ["error gate-change"];
    assert_eq!(found("", "appoint; save x \"$ack\""), note);
    // The first patch has it, the second goes on without.
    let more = "appoint; save x \"$ack\"; sed -i 's|^M:\tE <|M:\tF <f@example.net>\\n&|' MAINTAINERS; save y";
    assert_eq!(found("", more), ["error gate-change", "note gate-change"]);
    let level = "printf '[levels]\\nsuffix = \"error\"\\n' >.barepoint.toml; save x";
    assert_eq!(found("", &format!("{level} \"$acks\"")), note);
    assert_eq!(found("", &format!("{level} \"$ack\"")), error);
    // What is undone is none.
    let undone = format!("{level}; git rm -q .barepoint.toml; save y");
    assert_eq!(found("", &undone), [""; 0]);
}

#[test]
fn a_hook_does_not_leave_its_zone_by_itself() {
    // That nothing makes the hook is beside the point.
    let gate = |before: &str, script: &str| {
        let mut all = found(before, script);
        all.retain(|one| one.ends_with("gate-change"));
        all
    };
    let header = "kernel/sched/hooks.h";
    let before = format!(
        "printf '#include <linux/tracepoint.h>\n/* x */\nDECLARE_TRACE(old, TP_PROTO(int x), TP_ARGS(x));\n' >{header}"
    );
    let there = format!("git mv {header} include/trace/hooks.h; save x");
    assert_eq!(gate(&before, &there), ["error gate-change"]);
    assert_eq!(
        gate(&before, &there.replace("save x", "save x \"$ack\"")),
        ["note gate-change"]
    );
    let many = "git mv $header include/trace/other.h; save x";
    assert_eq!(gate("", many), ["error gate-change"], "one mistake");
    // By steps, and without its suffix.
    let steps = format!(
        "printf '#include <linux/tracepoint.h>\n/* x */\nDECLARE_TRACE_EVENT(old, TP_PROTO(int x), TP_ARGS(x));\n' >include/trace/hooks.h
         sed -i '/DECLARE/d' {header}; save x \"$own\"; say fs/inode.c x; save y \"$ack\""
    );
    assert_eq!(gate(&before, &steps), ["error gate-change"]);
    // Whoever agreed to its end has not agreed to what comes after, nor who let it go to
    // where it goes then.
    let gone = format!(
        "cp {header} x; git rm -q {header}; save x \"$ack\"; mv x include/trace/hooks.h; save y"
    );
    assert_eq!(gate(&before, &gone), ["error gate-change"]);
    let on = format!(
        "git mv {header} include/trace/hooks.h; save x \"$ack\"; git mv include/trace/hooks.h fs/ext4/hooks.h; save y"
    );
    assert_eq!(
        gate(&before, &on),
        ["error gate-change", "note gate-change"]
    );
    let back = format!("{there}; git mv include/trace/hooks.h {header}; save y");
    assert_eq!(gate(&before, &back), [""; 0]);
}

#[test]
fn a_second_declaration_makes_nobody_else_approve() {
    let before = "printf '#include <linux/tracepoint.h>\nDECLARE_TRACE(old, TP_PROTO(int x), TP_ARGS(x));\n' | tee fs/aaa.h >kernel/sched/hooks.h";
    let promote = "sed -i 's/^DECLARE_TRACE(old, \\(.*\\));/TRACE_EVENT(old, \\1, TP_STRUCT__entry(), TP_fast_assign(), TP_printk(\"\"));/' kernel/sched/hooks.h; save promote";
    for (trailer, level) in [
        ("Acked-by: Vera Namei <vera@example.org>", "error promotion"),
        ("$ack", "error promotion"),
        ("$acks", "note promotion"),
    ] {
        let all = found(before, &format!("{promote} \"{trailer}\""));
        assert!(all.contains(&level.to_owned()), "{trailer}: {all:?}");
    }
}

#[test]
fn a_file_of_the_gate_may_become_executable() {
    let toml = "printf '[levels]\nsuffix = \"error\"\n' >.barepoint.toml";
    for file in [".barepoint.toml", "MAINTAINERS"] {
        let all = found(
            toml,
            &format!("chmod +x {file}; save x; say fs/inode.c x; save y"),
        );
        assert_eq!(all, [""; 0], "{file}");
    }
}

#[test]
fn no_trailer_counts_where_none_is_to() {
    let place = Place::of("", "event new; save x \"$ack\"");
    assert_eq!(place.found_by_all(&[]), ["note event-in-zone"]);
    let none = place.found_by_all(&["--approvals", "none"]);
    assert_eq!(none, ["error event-in-zone"]);
    let output = place.check(&["--tree", "base", "patches"]);
    let json: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let approvals: Vec<&Value> = json["findings"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| &one["approval"])
        .filter(|one| !one.is_null())
        .collect();
    let expected = serde_json::json!({
        "trailer": "Acked-by: Ingrid Sched <ingrid@example.org>",
        "address": "ingrid@example.org",
        "verified": false,
    });
    assert_eq!(approvals, [&expected]);
}

#[test]
fn a_trailer_where_git_sees_none_approves_of_nothing() {
    for message in [
        "$ack\n\nThat is what she might say.",
        "$ack\n[ingrid: shorter]",
        "# ------------------------ >8 ------------------------\n\n$ack",
        "Acked-by: Ingrid <ingrid@example.org>, E <e@example.net>",
        "Acked-by: \"Ingrid <ingrid@example.org>\" E",
    ] {
        let script = format!(
            "event new; git add -A; printf 'x\\n\\n%b\\n' \"{}\" | git commit -q --cleanup=verbatim -F -",
            message.replace('"', "\\\"")
        );
        assert_eq!(found("", &script), ["error event-in-zone"], "{message}");
    }
}

#[test]
fn a_file_that_was_named_counts_as_it_was_before() {
    let known = "# barepoint baseline 1: rule, file, tracepoint or what else it is about\n\
        event-in-zone\tinclude/trace/events/sched.h\tnew\n";
    let zones = "[levels]\nevent-in-zone = \"off\"\n";
    for (option, name, text) in [
        ("--baseline", "known", known),
        ("--zones", "my.conf", zones),
    ] {
        // An empty file of the kind is there before.
        let first = text.lines().next().filter(|_| option == "--baseline");
        let first = first.unwrap_or("# none");
        let before = format!("printf '%s\\n' '{first}' >{name}");
        let script = format!("printf '%s' '{text}' >{name}; {LEAK}");
        let place = Place::of(&before, &script);
        for tree in ["base", "clone"] {
            let file = format!("{tree}/{name}");
            let all = place.found(&["--tree", tree, option, &file, "patches"]);
            assert_eq!(all, ["error event-in-zone", "error gate-change"], "{tree}");
        }
        for way in [
            &["--tree", "kernel", "patches"],
            &["--git", "base..HEAD", "--tree=kernel"],
        ] {
            let file = format!("kernel/{name}");
            let output = place.check(&[&way[..], &[option, &file]].concat());
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{way:?}: {said}");
            assert!(said.contains("counts as it was before"), "{said}");
        }
    }
}

#[test]
fn what_the_gate_goes_by_is_no_link() {
    let place = Place::of("ln -s fs/x.toml .barepoint.toml; echo >fs/x.toml", LEAK);
    for way in [
        ["--tree", "base", "patches"],
        ["--tree=kernel", "--git", "base..HEAD"],
    ] {
        let output = place.check(&way);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{way:?}: {said}");
        assert!(said.contains("is a link"), "{said}");
    }
    let place = Place::of("", "ln -s fs/x.toml .barepoint.toml; save x");
    let all = place.found(&["--tree=kernel", "--git", "base..HEAD"]);
    assert_eq!(all, ["error gate-change"]);
    assert_eq!(
        place.found(&["--tree", "base", "patches"]),
        ["error gate-change"]
    );
}
