// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Commits by `check --git`: a range has the answer that its patches have together, and a
//! merge is charged with what none of its parents has.

use crate::workplace::{Workplace, text, told};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

/// What the scripts below are written in. They run in a repository of a small kernel,
/// whose only commit has the tag base.
const WORDS: &str = r#"
set -eu
header=include/trace/events/sched.h
say() { echo "/* $2 */" >>"$1"; }
# above TEXT: into the header, behind all that it declares
above() { sed -i "s|^#endif /\* _TRACE_SCHED_H \*/|$1\\
&|" $header; }
event() { above "TRACE_EVENT($1, TP_PROTO(int x), TP_ARGS(x), TP_STRUCT__entry(), TP_fast_assign(), TP_printk(\"\"));"; }
# rename FROM TO: what was declared as FROM, and nothing that uses it; uses FROM TO: that
rename() { sed -i "s/^DECLARE_TRACE($1,/DECLARE_TRACE($2,/" $header; }
uses() { sed -i "s/\\b\\(trace_\\)\\?$1_tp/\\1$2_tp/" kernel/sched/*.c; }
hook() { above "/* What $1 is for. */\\
DECLARE_TRACE($1, TP_PROTO(int x), TP_ARGS(x));"; }
# promote NAME: a hook of hook() becomes an event
promote() { sed -i "s|^DECLARE_TRACE($1, \(.*\));|TRACE_EVENT($1, \1, TP_STRUCT__entry(), TP_fast_assign(), TP_printk(\"\"));|" $header; }
calls() { printf 'EXPORT_TRACEPOINT_SYMBOL_GPL(%s_tp);\nvoid f_%s(int x)\n{\n\ttrace_%s_tp(x);\n}\n' $1 $1 $1 >>kernel/sched/core.c; }
save() { git add -A; git commit -q -m "$1" ${2:+-m "$2"}; }
ack='Acked-by: Ingrid Sched <ingrid@example.org>'
"#;

struct Place(Workplace);

impl Place {
    /// A repository, and in it what `script` does.
    fn of(script: &str) -> Self {
        let place = Workplace::new();
        place.sh("cd kernel && git init -q -b master . \
             && git config user.name A && git config user.email a@example.net \
             && git add -A && git commit -qm base && git tag base");
        place.sh(&format!("{WORDS}\ncd kernel\n{script}"));
        Self(place)
    }

    fn check(&self, arguments: &[&str]) -> Vec<Value> {
        let output = self
            .0
            .run(&[&["check", "--format", "json"], arguments].concat());
        let is_done = output.status.code().is_some_and(|code| code < 2);
        assert!(is_done, "{arguments:?}: {}", told(&output));
        let json: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        json["findings"].as_array().expect("findings").clone()
    }

    /// Of a range in the repository, which finding is of which commit, as
    /// `rule tracepoint: subject`.
    fn charged(&self, range: &str) -> BTreeSet<String> {
        let findings = self.check(&["--tree", "kernel", "--git", range]);
        let of = |one: &Value| {
            let id = one["patch"].as_str().expect("a commit");
            let subject = self.0.sh(&format!("git -C kernel log -1 --format=%s {id}"));
            let text = |part: &str| one[part].as_str().unwrap_or_default().to_owned();
            format!(
                "{} {}: {}",
                text("rule"),
                text("tracepoint"),
                subject.trim()
            )
        };
        findings.iter().map(of).collect()
    }

    /// The errors of [`Place::charged`].
    fn leaks(&self, range: &str) -> Vec<String> {
        let mut all: Vec<String> = self.charged(range).into_iter().collect();
        all.retain(|one| one.starts_with("event-in-zone") || one.starts_with("promotion"));
        all
    }
}

/// A finding without what names its input, but for its place in the series.
fn of_patch(number: usize, finding: &Value) -> String {
    let mut finding = finding.clone();
    finding["patch"] = Value::from(number);
    finding.to_string()
}

/// Holds the range from base to HEAD against its patches.
fn has_one_answer(script: &str) -> Vec<String> {
    let place = Place::of(script);
    place.0.sh(
        "cd kernel && git format-patch -q -o ../mails base && git push -q . HEAD:refs/heads/tip",
    );
    let ids = place.0.sh("git -C kernel rev-list --reverse base..HEAD");
    let ids: Vec<&str> = ids.lines().collect();
    let commit = |one: &Value| {
        let id = one["patch"].as_str().expect("a commit");
        ids.iter()
            .position(|other| *other == id)
            .expect("of the range")
    };
    let mail = |one: &Value| {
        let path = Path::new(one["patch"].as_str().expect("a mail"));
        let name = path.file_name().expect("a name").to_string_lossy();
        name[..4].parse::<usize>().expect("a number") - 1
    };
    let findings = place.check(&["--tree", "kernel", "--git", "base..HEAD"]);
    let range: Vec<String> = findings
        .iter()
        .map(|one| of_patch(commit(one), one))
        .collect();
    let of_mails = |place: &Place| -> Vec<String> {
        let findings = place.check(&["--tree", "kernel", "mails"]);
        findings
            .iter()
            .map(|one| of_patch(mail(one), one))
            .collect()
    };
    assert_eq!(of_mails(&place), range, "applied already");
    // By a push to a repository that has the base, too.
    let old = place.0.sh("git -C kernel rev-parse base");
    let push = format!("{} {} refs/heads/master\n", old.trim(), ids[ids.len() - 1]);
    place.0.write("push", push);
    let pushed = place.check(&["--tree", "kernel", "--push", "push", "--ground", "base"]);
    let pushed: Vec<String> = pushed
        .iter()
        .map(|one| of_patch(commit(one), one))
        .collect();
    assert_eq!(pushed, range, "pushed");
    place.0.sh("cd kernel && git checkout -q base");
    assert_eq!(of_mails(&place), range, "not applied");
    place.0.sh("rm -rf kernel/.git");
    assert_eq!(of_mails(&place), range, "a plain tree");
    range
}

mod as_patches {
    use super::*;

    #[test]
    fn a_call_that_comes_later() {
        let found = has_one_answer(
            "hook one; save declare; say fs/inode.c x; save other; calls one; save call",
        );
        assert_eq!(found, [""; 0]);
    }

    #[test]
    fn a_call_that_never_comes() {
        let found = has_one_answer("hook one; save declare; say fs/inode.c x; save other");
        assert!(
            found.iter().any(|one| one.contains("never-called")),
            "{found:?}"
        );
    }

    #[test]
    fn a_leak_that_is_taken_back() {
        let found = has_one_answer("event one; save leak; git revert -n HEAD; save back");
        assert_eq!(found, [""; 0]);
    }

    #[test]
    fn a_hook_that_becomes_an_event() {
        let found =
            has_one_answer("hook one; save hook; calls one; save call; promote one; save event");
        assert!(
            found.iter().any(|one| one.contains("promotion")),
            "{found:?}"
        );
    }

    #[test]
    fn an_event_that_goes_and_comes_again() {
        let gone = "s/^TRACE_EVENT(sched_switch/DECLARE_TRACE(sched_switch/";
        let found = has_one_answer(&format!(
            "sed -i '{gone}' $header; save bare; git revert -n HEAD; save 'An event again'"
        ));
        assert!(
            found.iter().any(|one| one.contains("promotion")),
            "{found:?}"
        );
    }

    #[test]
    fn what_does_not_build_until_the_next_patch() {
        let found = has_one_answer(
            "say kernel/sched/core.c x; save before; rename pelt_cfs pelt_queue; save rename
             sed -i 1i/**/ kernel/sched/fair.c; uses pelt_cfs pelt_queue; save uses",
        );
        let [export, call] = &found[..] else {
            panic!("{found:?}");
        };
        for (finding, rule, line) in [
            (export, "dangling-export", 15),
            (call, "undeclared-call", 7),
        ] {
            for part in [
                format!("\"rule\":\"{rule}\""),
                format!("\"line\":{line},"),
                "\"patch\":1,".to_owned(),
                "until a later patch mends it".to_owned(),
            ] {
                assert!(finding.contains(&part), "{part}: {finding}");
            }
        }
    }

    #[test]
    fn what_one_patch_breaks_and_another_mends_in_steps() {
        let found = has_one_answer(
            "hook one; calls one; printf '#include <trace/events/sched.h>\nvoid g(int x)\n{\n\ttrace_one_tp(x);\n}\n' >kernel/sched/more.c; save hook
             sed -i '/DECLARE_TRACE(one,/s/int x), TP_ARGS(x)/int x, int y), TP_ARGS(x, y)/' $header; save prototype
             git mv kernel/sched/more.c kernel/sched/less.c; save move
             sed -i 's/trace_one_tp(x)/trace_one_tp(x, 0)/' kernel/sched/core.c; save core
             sed -i 's/trace_one_tp(x)/trace_one_tp(x, 0)/' kernel/sched/less.c; save less",
        );
        let [finding] = &found[..] else {
            panic!("{found:?}");
        };
        assert!(finding.contains("argument-mismatch"), "{finding}");
        assert!(finding.contains("\"patch\":1,"), "{finding}");
        assert!(finding.contains("as in another place"), "{finding}");
    }

    #[test]
    fn what_was_broken_before_and_is_again() {
        let place = "sed -i 's/trace_pelt_cfs_tp(/&0, /' kernel/sched/fair.c";
        let found = has_one_answer(&format!(
            "{place}; save break; git revert -n HEAD; save mend; {place}; save again"
        ));
        let [again, first] = &found[..] else {
            panic!("{found:?}");
        };
        assert!(first.contains("until a later patch"), "{first}");
        assert!(first.contains("\"patch\":0,"), "{first}");
        assert!(!again.contains("until a later patch"), "{again}");
        assert!(again.contains("\"patch\":2,"), "{again}");
    }

    /// While only one of two headers is made, all builds.
    #[test]
    fn a_header_that_replaces_another_in_steps() {
        let header = "include/trace/events/ext4.h";
        let found = has_one_answer(&format!(
            "sed 's/_TRACE_EXT4_H/_TRACE_EXTRA_H/' {header} >include/trace/events/extra.h; save new
             sed -i s,trace/events/ext4.h,trace/events/extra.h, $(grep -rl trace/events/ext4.h fs); save switch
             git rm -q {header}; save old"
        ));
        assert!(
            !found.iter().any(|one| one.contains("name-clash")),
            "{found:?}"
        );
    }

    #[test]
    fn files_that_move() {
        let found = has_one_answer(
            "git mv kernel/sched/core.c kernel/sched/main.c; sed -i s/core.o/main.o/ kernel/sched/Makefile
             save move; event one; save \"leak\" \"$ack\"; printf 'void g(void)\\n{\\n\\ttrace_printk(\"x\");\\n}\\n' >>kernel/sched/main.c
             save print; git mv kernel/sched/main.c kernel/sched/core.c; save back",
        );
        assert!(
            found.iter().any(|one| one.contains("trace-printk")),
            "{found:?}"
        );
        assert!(
            found.iter().any(|one| one.contains("Acked-by")),
            "{found:?}"
        );
    }
}

mod merges {
    use super::*;

    #[test]
    fn are_charged_with_what_no_parent_has() {
        let place = Place::of(
            "git checkout -q -b side; event theirs
             (export GIT_COMMITTER_DATE=2020-01-01T00:00:00Z; save side); git checkout -q master
             event ours; save main; ! git merge -q side
             sed -i '/^<<<<<<</d; /^=======/d; /^>>>>>>>/d' $header; event evil; save merge
             say fs/inode.c x; save last",
        );
        let evil = "event-in-zone evil: merge";
        let (ours, theirs) = ("event-in-zone ours: main", "event-in-zone theirs: side");
        assert_eq!(place.leaks("HEAD~1"), [evil]);
        assert_eq!(place.leaks("HEAD"), [""; 0]);
        assert_eq!(place.leaks("base..HEAD"), [evil, ours, theirs]);
        let all = place.leaks("HEAD-9");
        for one in [evil, ours, theirs, "event-in-zone sched_switch: base"] {
            assert!(all.contains(&one.to_owned()), "{all:?}");
        }
        assert_eq!(place.leaks("side..HEAD"), [evil, ours]);
        // The side is older, and before the last two.
        assert_eq!(place.leaks("HEAD-2"), [evil, ours]);
    }

    #[test]
    fn of_many_sides() {
        let place = Place::of(
            "for one in a b c d; do git checkout -q -b $one base; say fs/$one.c x
                [ $one = b ] || printf '#undef X%s\\n' $one >>fs/$one.c
                save side-$one; done
             git checkout -q c; event three; save three; git checkout -q -b octopus base
             say fs/inode.c x; save main; git merge -q a b c d -m octopus
             event evil; git add -A; git commit -q --amend -m octopus",
        );
        assert_eq!(
            place.leaks("base..HEAD"),
            ["event-in-zone evil: octopus", "event-in-zone three: three"]
        );
        assert_eq!(place.leaks("HEAD"), ["event-in-zone evil: octopus"]);
        assert_eq!(place.leaks("c..HEAD"), ["event-in-zone evil: octopus"]);
    }

    #[test]
    fn that_cross() {
        let place = Place::of(
            "git checkout -q -b a; say fs/inode.c x; save a1; git checkout -q -b b base
             event b1; save b1; git checkout -q -b x a; git merge -q b -m x
             git checkout -q -b y b; git merge -q a -m y; git checkout -q x; say fs/namei.c x
             save x1; git merge -q y -m cross; event evil; git add -A; git commit -q --amend -m cross",
        );
        assert_eq!(place.leaks("y..x"), ["event-in-zone evil: cross"]);
        let both = ["event-in-zone b1: b1", "event-in-zone evil: cross"];
        assert_eq!(place.leaks("base..x"), both);
    }

    #[test]
    fn are_weighed_by_the_commit_that_brings_it() {
        let place = Place::of(
            "git checkout -q -b side; event agreed; save side \"$ack\"
             event stranger; save more; git checkout -q master; say fs/inode.c x; save main
             git merge -q side -m merge -m \"$ack\"",
        );
        let findings = place.check(&["--tree", "kernel", "--git", "base..HEAD"]);
        let level = |name: &str| {
            let mut of = findings.iter();
            let one = of.find(|one| one["tracepoint"] == name && one["rule"] == "event-in-zone");
            one.expect("a finding")["level"].clone()
        };
        assert_eq!(
            (level("agreed"), level("stranger")),
            ("note".into(), "error".into())
        );
    }

    #[test]
    fn in_which_a_hook_was_bare() {
        let place = Place::of(
            "git checkout -q -b side; hook one; save hook; promote one; save event
             git checkout -q master; say fs/inode.c x; save main; git merge -q side -m merge",
        );
        assert_eq!(place.leaks("base..HEAD"), ["promotion one_tp: event"]);
    }

    #[test]
    fn of_a_root() {
        let place = Place::of(
            "git checkout -q --orphan other; git rm -rfq .; say notes x; save root
             mkdir -p include/trace/events; git show master:$header >$header; event one; save header
             git checkout -q master; git merge -q -X theirs --allow-unrelated-histories other -m merge",
        );
        assert_eq!(place.leaks("base..HEAD"), ["event-in-zone one: header"]);
    }
}

/// What is of no kernel that can be built, wherever in the graph.
mod does_not_build {
    use super::*;

    const BREAK: &str = "rename pelt_cfs pelt_queue; save break";
    const MEND: &str = "uses pelt_cfs pelt_queue; save mend";
    const CHARGED: [&str; 2] = [
        "dangling-export pelt_cfs_tp: break",
        "undeclared-call pelt_cfs_tp: break",
    ];

    fn charged(place: &Place, range: &str) -> Vec<String> {
        let mut all: Vec<String> = place.charged(range).into_iter().collect();
        all.retain(|one| one.starts_with("undeclared-") || one.starts_with("dangling-"));
        all
    }

    #[test]
    fn on_a_side_that_mends_it() {
        let place = Place::of(&format!(
            "git checkout -q -b side; {BREAK}; {MEND}; git checkout -q master
             say fs/inode.c x; save main; git merge -q side -m merge; say fs/inode.c y; save last"
        ));
        assert_eq!(charged(&place, "base..HEAD"), CHARGED);
        assert_eq!(charged(&place, "HEAD-9"), CHARGED);
        assert_eq!(charged(&place, "side..HEAD"), [""; 0]);
    }

    #[test]
    fn on_a_side_that_the_merge_mends() {
        let place = Place::of(&format!(
            "git checkout -q -b side; {BREAK}; git checkout -q master
             say fs/inode.c x; save main; git merge -q --no-commit side; {MEND}"
        ));
        assert_eq!(charged(&place, "base..HEAD"), CHARGED);
        assert_eq!(charged(&place, "side..HEAD"), [""; 0]);
    }

    #[test]
    fn until_a_commit_above_the_merge() {
        let place = Place::of(&format!(
            "git checkout -q -b side; {BREAK}; git checkout -q master
             say fs/inode.c x; save main; git merge -q side -m merge; {MEND}"
        ));
        assert_eq!(charged(&place, "base..HEAD"), CHARGED);
        // What the side has is not of this range.
        assert_eq!(charged(&place, "side..HEAD"), [""; 0]);
    }

    #[test]
    fn for_one_of_many_commits() {
        let place = Place::of(&format!(
            "for n in $(seq 330); do say fs/inode.c $n; save $n; done
             {BREAK}; {MEND}
             for n in $(seq 50); do say fs/inode.c $n; save $n; done"
        ));
        assert_eq!(charged(&place, "base..HEAD"), CHARGED);
    }
}

/// What a commit has no text of is not passed over, as it is not in a patch.
#[test]
fn what_leads_elsewhere_is_not_read() {
    for (script, path) in [
        (
            "event one; mv $header event.txt; ln -s ../../../event.txt $header; save link",
            "include/trace/events/sched.h",
        ),
        (
            "ln -s ../../x.txt kernel/sched/new.h; save link; say fs/inode.c x; save more",
            "kernel/sched/new.h",
        ),
        (
            "git update-index --add --cacheinfo 160000,$(git rev-parse HEAD),kernel/sched/sub
             git commit -qm sub",
            "kernel/sched/sub",
        ),
    ] {
        let place = Place::of(script);
        let output = place
            .0
            .run(&["check", "--tree", "kernel", "--git", "base..HEAD"]);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{path}: {said}");
        assert!(said.contains(path), "{path}: {said}");
        assert_eq!(said.lines().count(), 1, "{path}: {said}");
    }
    let place = Place::of("mkdir tools; ln -s ../fs tools/fs; save link");
    assert_eq!(place.leaks("base..HEAD"), [""; 0]);
}

#[test]
fn a_root_brings_everything() {
    let place = Place::of("event one; git add -A; git commit -q --amend -m base");
    let found = place.leaks("HEAD");
    assert!(
        found.contains(&"event-in-zone one: base".to_owned()),
        "{found:?}"
    );
    assert!(
        found.contains(&"event-in-zone sched_switch: base".to_owned()),
        "{found:?}"
    );
}

/// More commits than are looked at at once.
#[test]
fn of_a_long_range_each_finding_has_its_commit() {
    let place = Place::of(
        "for n in $(seq 400); do
            case $n in
            7) hook one; calls one ;;
            23) event early ;;
            99) event gone ;;
            101) sed -i '/(gone,/d' $header ;;
            211) promote one; sed -i 's/one_tp/one/' kernel/sched/core.c ;;
            *) say fs/inode.c $n ;;
            esac
            save $n
         done
         git checkout -q HEAD~50; event late; save picked",
    );
    assert_eq!(
        place.leaks("base..master"),
        ["event-in-zone early: 23", "promotion one_tp: 211"]
    );
    assert_eq!(
        place.leaks("base..HEAD"),
        [
            "event-in-zone early: 23",
            "event-in-zone late: picked",
            "promotion one_tp: 211"
        ]
    );
}

/// gates/sendemail-validate gets one mail after the other.
#[test]
fn mails_are_sent_as_a_series() {
    let place = Place::of(
        "hook one; save declare; calls one; save call; event one; save leak
         git format-patch -q -o ../clean --cover-letter base..HEAD~1
         git format-patch -q -o ../leak base",
    );
    let gate = concat!(env!("CARGO_MANIFEST_DIR"), "/gates/sendemail-validate");
    let send = |mails: &str, more: &str| {
        let script = format!(
            "cd kernel; total=$(ls ../{mails} | wc -l); n=0; for mail in ../{mails}/*; do
                n=$((n + 1)); {more}
                GIT_SENDEMAIL_FILE_COUNTER=$n GIT_SENDEMAIL_FILE_TOTAL=$total '{gate}' $mail || exit
             done; [ ! -e .git/barepoint-sendemail ]"
        );
        let output = place.0.shell(&script);
        (output.status.code(), text(&output.stderr))
    };
    let (status, said) = send("clean", ":");
    assert_eq!(status, Some(0), "{said}");
    assert!(!said.contains("never-called"), "{said}");
    let (status, said) = send("leak", ":");
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("error[promotion]"), "{said}");
    // What is left of a run that was ended is not taken for this one's.
    let (status, said) = send("leak", "[ $n != 3 ] || exit 0");
    assert_eq!(status, Some(0), "{said}");
    let (status, said) = send("clean", ":");
    assert_eq!(status, Some(0), "{said}");
    let (status, said) = send("leak", "[ $n != 2 ] || continue");
    assert_eq!(status, Some(2), "{said}");
    let (status, said) = send("leak", "export BAREPOINT=/nowhere");
    assert_eq!(status, Some(2), "{said}");
}
