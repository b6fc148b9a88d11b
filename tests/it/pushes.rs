// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! gates/pre-push where pushes arrive: a bare repository that has it as its pre-receive
//! hook, real pushes, and what a stranger may try.

use crate::workplace::{Workplace, told};

/// What the scripts below are written in. They run in `work`, whose remote is the bare
/// repository `server.git`; both have the branch master with a small kernel.
const WORDS: &str = r#"
set -eu
header=include/trace/events/sched.h
# say FILE TEXT: one more line
say() { echo "/* $2 */" >>"$1"; }
# event NAME [FILE]: one more trace event
event() {
	sed -i "s|^#endif /\* _TRACE_SCHED_H \*/|TRACE_EVENT($1, TP_PROTO(int x), TP_ARGS(x),\\
	TP_STRUCT__entry(), TP_fast_assign(), TP_printk(\"\"));\\
&|" "${2:-$header}"
	grep -q "TRACE_EVENT($1," "${2:-$header}"
}
# save SUBJECT [TRAILER]: commits everything
save() { git add -A; git commit -q -m "$1" ${2:+-m "$2"}; }
# push REFSPEC...: has to be taken; refused REFSPEC...: must not be
push() { git push -q origin "$@"; }
refused() {
	if git push -q origin "$@" 2>err; then
		echo "this push was taken: $*" >&2
		exit 3
	fi
	cat err >&2
}
# off RULE: what turns a rule off
off() { printf '[levels]\n%s = "off"\n' "$1" >.barepoint.toml; }
# allow RULE BEFORE [FILE]: a comment in the line above the one that begins with BEFORE
allow() { sed -i "s|^$2|/* barepoint: allow($1): agreed */\\
&|" "${3:-$header}"; grep -q "allow($1)" "${3:-$header}"; }
# promote: pelt_cfs becomes an event
promote() {
	sed -i '/^DECLARE_TRACE(pelt_cfs,/,/);/{s/DECLARE_TRACE/TRACE_EVENT/;s/);$/, TP_STRUCT__entry(), TP_fast_assign(), TP_printk(""));/}' $header
	sed -i 's/trace_pelt_cfs_tp/trace_pelt_cfs/' kernel/sched/fair.c
	sed -i 's/(pelt_cfs_tp)/(pelt_cfs)/' kernel/sched/core.c
}
# unchecked REFSPEC...: what came before the hook did
unchecked() {
	mv ../server.git/hooks/pre-receive ..
	push "$@"
	mv ../pre-receive ../server.git/hooks
}
# M of the scheduler, and a stranger
ack='Acked-by: Ingrid Sched <ingrid@example.org>'
mallory='Acked-by: Mallory <mallory@example.net>'
appoint() { sed -i '/^SCHEDULER$/a M:\tMallory <mallory@example.net>' MAINTAINERS; }
"#;

/// Runs a script in `work`, which has to go as it says.
fn pushed(script: &str) -> String {
    let place = Workplace::empty().with("kernel-7.3", "work");
    let gate = concat!(env!("CARGO_MANIFEST_DIR"), "/gates/pre-push");
    place.sh(&format!(
        "cd work && git init -q -b master . \
         && git config user.name A && git config user.email a@example.net \
         && git add -A && git commit -qm base && git init -q --bare -b master ../server.git \
         && git remote add origin ../server.git && git push -q origin master \
         && ln -s '{gate}' ../server.git/hooks/pre-receive"
    ));
    let output = place.shell(&format!("{WORDS}\ncd work\n{script}"));
    let told = told(&output);
    assert!(output.status.success(), "{script}: {told}");
    told
}

/// Attempts, each with what the last refusal has to say.
macro_rules! attempts {
    ($($name:ident: $script:literal says $said:expr;)*) => { $(
        #[test]
        fn $name() {
            let said = pushed($script);
            for part in $said {
                assert!(said.contains(part), "no {part:?} in {said}");
            }
        }
    )* };
}

/// Pushes that bring an event, in which the event is not all that is done.
mod refused {
    use super::*;

    attempts! {
        an_event: "event a; save one; refused master" says ["event-in-zone", "new trace event a"];

        // What counts as before
        config_on_a_side_that_is_merged:
            "git checkout -q -b side; off event-in-zone; save config
             git checkout -q master; say fs/inode.c x; save one; git merge -q side -m two
             event a; save three; refused master"
            says ["new trace event a"];
        config_in_a_root_that_is_merged:
            "git checkout -q --orphan side; git rm -rfq .; off event-in-zone; save config
             git checkout -q master; git merge -q --allow-unrelated-histories side -m two
             event a; save three; refused master"
            says ["new trace event a"];
        config_on_another_branch_of_the_push:
            "git checkout -q -b a; off event-in-zone; save config
             git checkout -q -b b; event a; save two; refused a b"
            says ["new trace event a"];
        config_of_the_branch_itself_before_the_hook_came:
            "git checkout -q -b topic; off event-in-zone; save config
             mv ../server.git/hooks/pre-receive ..; push topic; mv ../pre-receive ../server.git/hooks
             event a; save two; refused topic"
            says ["new trace event a"];
        config_that_there_was_long_ago:
            "mv ../server.git/hooks/pre-receive ..; off event-in-zone; save lenient
             git rm -q .barepoint.toml; save strict; push master
             mv ../pre-receive ../server.git/hooks
             git checkout -q -b topic HEAD~1; push topic; event a; save two; refused topic"
            says ["new trace event a"];
        zones_in_two_pushes:
            "git checkout -q -b topic
             printf '[[zone]]\\nname = \"scheduler\"\\nsection = \"EXT4 FILE SYSTEM\"\\nvisibility = \"bpf\"\\npaths = [\"kernel/none/**\"]\\n' >.barepoint.toml
             save zones; mv ../server.git/hooks/pre-receive ..; push topic
             mv ../pre-receive ../server.git/hooks
             git checkout -q -b more; event a; save two; refused more"
            says ["new trace event a"];
        an_approver_who_was_pushed_elsewhere_a_minute_ago:
            "git checkout -q -b people; appoint; save appoint
             mv ../server.git/hooks/pre-receive ..; push people; mv ../pre-receive ../server.git/hooks
             git checkout -q -b topic; event a; save two \"$mallory\"; refused topic topic:master"
            says ["new trace event a", "without the approval"];
        an_approver_behind_a_merge:
            "git checkout -q -b side; say fs/inode.c x; save one; git checkout -q master
             appoint; save appoint; git merge -q side -m merge
             event a; save two \"$mallory\"; refused master"
            says ["new trace event a", "without the approval"];
        an_approver_who_has_been_one:
            "mv ../server.git/hooks/pre-receive ..; appoint; save appoint; git branch then
             sed -i '/mallory/d' MAINTAINERS; save dismiss; push master
             mv ../pre-receive ../server.git/hooks
             git checkout -q then; event a; save two \"$mallory\"; refused HEAD:refs/heads/then"
            says ["new trace event a", "without the approval"];

        // Merges
        a_merge_that_does_it_itself:
            "git checkout -q -b side; say fs/inode.c x; save one; git checkout -q master
             say fs/namei.c x; save two; git merge -q --no-commit side; event a
             save 'Merge side'; refused master"
            says ["Merge side", "new trace event a"];
        a_merge_of_a_side_that_was_pushed_before:
            "git checkout -q -b side; say fs/inode.c x; save one; push side
             git checkout -q master; git merge -q --no-ff --no-commit side; event a
             save 'Merge side'; refused master"
            says ["Merge side", "new trace event a"];
        an_octopus_that_does_it_itself:
            "for one in a b c; do git checkout -q -b $one master; say fs/$one.c x; save $one; done
             git checkout -q master; git merge -q a b c -m octopus; event a
             git add -A; git commit -q --amend -m octopus; refused master"
            says ["octopus", "new trace event a"];
        the_third_side_of_an_octopus:
            "for one in a b c; do git checkout -q -b $one master; say fs/$one.c x
                [ $one != c ] || event c; save \"side $one\"; done
             git checkout -q master; git merge -q a b c -m octopus; refused master"
            says ["side c", "new trace event c"];
        a_conflict_and_how_it_is_resolved:
            "git checkout -q -b side; sed -i 's/DECLARE_TRACE(pelt_cfs,/DECLARE_TRACE(pelt_cfs, \\/* s *\\//' $header
             save side; git checkout -q master
             sed -i 's/DECLARE_TRACE(pelt_cfs,/DECLARE_TRACE(pelt_cfs, \\/* m *\\//' $header; save main
             ! git merge -q side; sed -i '/^<<<<<<</,/^=======/d; /^>>>>>>>/d' $header
             sed -i 's/DECLARE_TRACE(pelt_cfs, .*/TRACE_EVENT(pelt_cfs,/' $header
             sed -i '/TRACE_EVENT(pelt_cfs,/{n;n;s/);/, TP_STRUCT__entry(), TP_fast_assign(), TP_printk(\"\"));/}' $header
             save 'Resolve it'; refused master"
            says ["Resolve it", "promotion"];
        one_parent_as_it_was_by_ours:
            "event a; save event \"$ack\"; push master; git branch old
             git revert -n HEAD; save 'Take it back'; push master
             git checkout -q old; say fs/inode.c x; save work; git merge -q -s ours master -m ours
             refused HEAD:master"
            says ["ours", "new trace event a"];
        an_old_commit_by_theirs:
            "event a; save event \"$ack\"; push master; old=$(git rev-parse HEAD)
             git revert -n HEAD; save 'Take it back'; push master
             tree=$(git rev-parse $old^{tree})
             new=$(git commit-tree $tree -p HEAD -p $old -m theirs); refused $new:refs/heads/master"
            says ["theirs", "new trace event a"];
        both_sides_clean_but_not_together:
            "git checkout -q -b side; sed -i 's/^DECLARE_TRACE(pelt_cfs,/HOOK(pelt_cfs,/' $header
             sed -i 's/^struct cfs_rq;/#include <linux\\/sched_hook.h>\\n&/' $header
             printf '#define HOOK(n, p, a) DECLARE_TRACE(n, PARAMS(p), PARAMS(a))\\n' >include/linux/sched_hook.h
             save side; git checkout -q master; say fs/inode.c x; save main
             git merge -q --no-commit side
             printf '#define HOOK(n, p, a) TRACE_EVENT(n, PARAMS(p), PARAMS(a), TP_STRUCT__entry(), TP_fast_assign(), TP_printk(\"\"))\\n' >include/linux/sched_hook.h
             save 'Merge side'; refused master"
            says ["promotion"];
        a_folder_that_a_merge_puts_elsewhere:
            "git checkout -q --orphan sub; git rm -rfq .; git show master:$header >sched.h
             event a sched.h; save 'The header alone'
             git checkout -q master; git merge -q -s ours --no-commit --allow-unrelated-histories sub
             git show sub:sched.h >$header; save 'Merge it as a subtree'; refused master"
            says ["subtree", "new trace event a"];

        // Roots
        a_root: "git checkout -q --orphan root; event a; save root; refused root"
            says ["new trace event a"];
        a_root_that_is_no_kernel:
            "git checkout -q --orphan root; git rm -rfq .; mkdir -p include/trace/events
             git show master:$header >$header; event a; save root; refused root"
            says ["new trace event a"];
        a_root_and_a_commit_above_it:
            "git checkout -q --orphan root; git rm -rfq .; mkdir -p include/trace/events
             say readme x; save root; git show master:$header >$header; event a; save above
             refused root"
            says ["above", "new trace event a"];
        a_root_in_place_of_the_trunk:
            "git checkout -q --orphan root; event a; save root; refused +root:master"
            says ["root", "new trace event a"];
        everything_in_an_empty_repository:
            "git init -q --bare -b master ../new.git
             ln ../server.git/hooks/pre-receive ../new.git/hooks/; git remote set-url origin ../new.git
             event a; save event; refused master"
            says ["new trace event a"];

        // Force
        a_trunk_that_is_forced:
            "say fs/inode.c x; save one; push master; git reset -q --hard HEAD~1
             event a; save other; refused +master"
            says ["other", "new trace event a"];
        a_trunk_that_goes_back:
            "event a; save event \"$ack\"; push master; git revert -n HEAD; save 'Take it back'
             push master; refused +HEAD~1:master"
            says ["refs/heads/master", "new trace event a"];
        a_trunk_that_goes_back_and_on:
            "event a; save event \"$ack\"; push master; git revert -n HEAD; save 'Take it back'
             push master; git reset -q --hard HEAD~1; say fs/inode.c x; save other; refused +master"
            says ["refs/heads/master", "new trace event a"];
        a_branch_that_is_forced:
            "git checkout -q -b topic; say fs/inode.c x; save one; push topic
             git commit -q --amend -m two; event a; save three; refused +topic"
            says ["three", "new trace event a"];
        a_branch_at_a_commit_in_the_middle_of_another:
            "git checkout -q -b topic; event a; save event; git revert -n HEAD; save back; push topic
             refused HEAD~1:refs/heads/middle"
            says ["new trace event a"];
        a_branch_that_goes_back_to_its_middle:
            "git checkout -q -b topic; event a; save event; git revert -n HEAD; save back; push topic
             refused +HEAD~1:topic"
            says ["new trace event a"];
        a_branch_that_went_and_comes_again:
            "git checkout -q -b topic; say fs/inode.c x; save one; push topic; push :topic
             event a; save two; refused topic"
            says ["new trace event a"];

        // Tags, and several refs
        a_tag: "event a; save one; git tag v1; refused v1" says ["new trace event a"];
        a_tag_of_a_tag:
            "event a; save one; git tag -m x v1; git tag -m y v2 v1; refused v2"
            says ["new trace event a"];
        a_tag_of_a_tree:
            "event a; git add -A; git tag -m x v1 $(git write-tree); refused v1"
            says ["refs/tags/v1", "new trace event a"];
        a_tag_that_moves:
            "git tag v1; push v1; event a; save one; git tag -f v1 >/dev/null; refused +v1"
            says ["new trace event a"];
        the_last_of_several_refs:
            "git checkout -q -b a; say fs/inode.c x; save one; git tag v1 master
             git checkout -q -b b; event b; save two; refused a v1 b"
            says ["new trace event b"];
        a_deletion_beside_it:
            "push master:gone; event a; save one; refused :gone master"
            says ["new trace event a"];
        another_name_space:
            "event a; save one; refused HEAD:refs/for/master" says ["new trace event a"];

        a_blob_that_git_reads_in_place_of_another:
            "old=$(git rev-parse HEAD:$header); event a; new=$(git hash-object -w $header)
             git replace $old $new; refused refs/replace/$old"
            says ["refs/replace/"];
        where_head_is_no_branch:
            "git -C ../server.git update-ref --no-deref HEAD $(git rev-parse HEAD)
             event a; save one; refused master master:other"
            says ["new trace event a"];

        // Comments that allow it
        a_comment_in_the_same_commit:
            "allow promotion 'DECLARE_TRACE(pelt_cfs,'; promote; save one; refused master"
            says ["gate-change", "promotion"];
        a_comment_one_commit_ahead:
            "allow promotion 'DECLARE_TRACE(pelt_cfs,'; save one; promote; save two; refused master"
            says ["gate-change", "promotion"];
        a_comment_one_push_ahead:
            "allow promotion 'DECLARE_TRACE(pelt_cfs,'; save one; refused master" says ["gate-change"];
        a_comment_one_push_ahead_to_a_branch:
            "git checkout -q -b topic; allow promotion 'DECLARE_TRACE(pelt_cfs,'; save one
             refused topic; promote; save two; refused topic"
            says ["gate-change", "promotion"];
        a_comment_on_a_side_that_is_merged:
            "git checkout -q -b side; allow promotion 'DECLARE_TRACE(pelt_cfs,'; save comment
             git checkout -q master; say fs/inode.c x; save one; git merge -q side -m two
             promote; save three; refused master"
            says ["gate-change", "promotion"];
        a_comment_on_a_side_that_was_pushed_and_is_merged:
            "git checkout -q -b side; allow promotion 'DECLARE_TRACE(pelt_cfs,'; save comment
             unchecked side; git checkout -q master; say fs/inode.c x; save one
             git merge -q side -m two; promote; save three; refused master"
            says ["gate-change", "promotion"];
        a_comment_by_the_merge_itself:
            "git checkout -q -b side; say fs/namei.c x; save side
             git checkout -q master; say fs/inode.c x; save one; git merge -q --no-commit side
             allow promotion 'DECLARE_TRACE(pelt_cfs,'; save merge; promote; save three; refused master"
            says ["merge", "gate-change", "promotion"];
        a_comment_that_a_merge_brings_back:
            "allow promotion 'DECLARE_TRACE(pelt_cfs,'; save one; git branch then
             git revert -n HEAD; save two; unchecked master
             git checkout -q then; say fs/inode.c x; save work; git merge -q -s ours master -m ours
             promote; save three; refused HEAD:master"
            says ["gate-change", "promotion"];
        a_comment_that_was_agreed_on_for_another_hook:
            "allow promotion 'DECLARE_TRACE(sched_overutilized,'; save one \"$ack\"; push master
             sed -i '/allow(promotion)/d' $header; allow promotion 'DECLARE_TRACE(pelt_cfs,'
             promote; save two; refused master"
            says ["gate-change", "promotion"];
        a_comment_of_another_zone:
            "sed -i 's|^void call_trace_sched_update|/* barepoint: allow(trace-printk): agreed */\\n&|' kernel/sched/core.c
             save one 'Acked-by: Vera Namei <vera@example.org>'; refused master"
            says ["gate-change"];
        a_hook_that_moves_first:
            "sed -n '/^DECLARE_TRACE(pelt_cfs,/,/);/p' $header >hook
             sed -i '/^DECLARE_TRACE(pelt_cfs,/,/);/d' $header
             (echo '#include <linux/tracepoint.h>'; cat hook) >include/trace/events/elsewhere.h; rm hook
             save one; refused master"
            says ["gate-change", "leaves zone scheduler"];

        // The second of two pushes
        bare_first_and_an_event_later:
            "git checkout -q -b topic
             sed -i 's|^#endif /\\* _TRACE_SCHED_H|DECLARE_TRACE(new_hook, TP_PROTO(int x), TP_ARGS(x));\\n&|' $header
             save hook; push topic
             sed -i 's|^DECLARE_TRACE(new_hook.*|TRACE_EVENT(new_hook, TP_PROTO(int x), TP_ARGS(x), TP_STRUCT__entry(), TP_fast_assign(), TP_printk(\"\"));|' $header
             save event; refused topic"
            says ["promotion"];
        a_side_that_was_pushed_is_not_known_to_the_trunk:
            "mv ../server.git/hooks/pre-receive ..; git checkout -q -b side; event a; save one; push side
             mv ../pre-receive ../server.git/hooks
             git checkout -q master; git merge -q --no-ff side -m merge; refused master"
            says ["one", "new trace event a"];
    }
}

/// Pushes in which there is nothing to find.
mod taken {
    use super::*;

    attempts! {
        what_a_maintainer_agrees_to:
            "event a; save one \"$ack\"; push master" says ["note[event-in-zone]"];
        a_merge_of_what_a_maintainer_agreed_to:
            "git checkout -q -b side; event a; save one \"$ack\"; git checkout -q master
             say fs/inode.c x; save two; git merge -q side -m merge; push master"
            says ["note[event-in-zone]", "one"];
        a_branch_that_merges_the_trunk:
            "git checkout -q -b topic; say fs/inode.c x; save one; push topic
             git checkout -q master; event a; save two \"$ack\"; push master
             git checkout -q topic; git merge -q master -m merge; push topic
             say fs/inode.c y; save three; push topic"
            says [""];
        a_branch_that_is_rebased:
            "git checkout -q -b topic; say fs/inode.c x; save one; push topic
             git checkout -q master; event a; save two \"$ack\"; push master
             git checkout -q topic; git rebase -q master; push +topic; push +topic~1:topic"
            says [""];
        a_trunk_that_merges_a_branch:
            "git checkout -q -b topic; say fs/inode.c x; save one; push topic
             git checkout -q master; say fs/namei.c x; save two; git merge -q topic -m merge
             push master topic master:copy"
            says [""];
        a_release_that_there_was:
            "event a; save one \"$ack\"; push master; git revert -n HEAD; save two; push master
             git tag -m x v1 HEAD~1; push v1; push HEAD~1:refs/heads/stable
             git checkout -q --detach HEAD~1; say fs/inode.c x; save three; push HEAD:stable"
            says [""];
        // Whoever writes a patch may say why a hook is placed as it is; that is told.
        a_comment_for_a_placement_rule:
            "sed -i 's|^EXPORT_TRACEPOINT_SYMBOL_GPL(pelt_cfs_tp);|EXPORT_TRACEPOINT_SYMBOL(pelt_cfs_tp); /* barepoint: allow(non-gpl-export): agreed */|' kernel/sched/core.c
             save one; push master"
            says ["note[non-gpl-export]"];
        a_comment_for_a_placement_rule_one_push_ahead:
            "allow non-gpl-export 'EXPORT_TRACEPOINT_SYMBOL_GPL(pelt_cfs_tp)' kernel/sched/core.c; save one
             git push origin master 2>&1 | tee ../out; grep -q 'note.non-gpl-export' ../out
             sed -i 's|^EXPORT_TRACEPOINT_SYMBOL_GPL(pelt_cfs_tp)|EXPORT_TRACEPOINT_SYMBOL(pelt_cfs_tp)|' kernel/sched/core.c
             save two; push master"
            says [""];
        a_comment_on_a_side_is_told_of_at_the_merge:
            "git checkout -q -b side
             allow non-gpl-export 'EXPORT_TRACEPOINT_SYMBOL_GPL(pelt_cfs_tp)' kernel/sched/core.c; save side
             git checkout -q master; say fs/inode.c x; save one; git merge -q side -m merge; push master"
            says ["note[non-gpl-export]", "side"];
        a_comment_for_a_leak_that_was_agreed_on:
            "allow promotion 'DECLARE_TRACE(pelt_cfs,'; save one \"$ack\"; push master
             promote; save two; push master"
            says ["note[gate-change]", "note[promotion]"];
        what_is_no_code:
            "git tag key $(git hash-object -w MAINTAINERS); push key
             git notes add -m x HEAD; push refs/notes/commits
             git checkout -q --orphan pages; git rm -rfq .; say index.html x; save pages; push pages
             say index.html y; save more; push pages; push :pages :key"
            says [""];
        a_hook_whose_call_comes_later:
            "sed -i 's|^#endif /\\* _TRACE_SCHED_H|/* A hook. */\\nDECLARE_TRACE(new_hook, TP_PROTO(int x), TP_ARGS(x));\\n&|' $header
             save declare; say kernel/sched/core.c x
             printf 'EXPORT_TRACEPOINT_SYMBOL_GPL(new_hook_tp);\\nvoid f(int x)\\n{\\n\\ttrace_new_hook_tp(x);\\n}\\n' >>kernel/sched/core.c
             save call; git push origin master 2>&1 | tee ../out
             ! grep -q 'never-called\\|missing-export' ../out"
            says [""];
    }
}

/// Where the gate itself cannot do its work.
mod unchecked {
    use super::*;

    attempts! {
        without_barepoint:
            "export BAREPOINT=/nowhere/barepoint; say fs/inode.c x; save one; refused master"
            says ["nothing was checked"];
        where_barepoint_is_killed:
            "printf '#!/bin/sh\\nkill -9 $$\\n' >../b; chmod +x ../b; export BAREPOINT=$PWD/../b
             say fs/inode.c x; save one; refused master"
            says ["not all was checked", "137"];
        where_barepoint_crashes:
            "printf '#!/bin/sh\\nexit 101\\n' >../b; chmod +x ../b; export BAREPOINT=$PWD/../b
             say fs/inode.c x; save one; refused master"
            says ["not all was checked", "101"];
        without_a_place_for_temporary_files:
            "export TMPDIR=/nowhere; event a; save one; refused master" says ["event-in-zone"];
        where_head_names_no_branch:
            "git -C ../server.git symbolic-ref HEAD refs/heads/none; say fs/inode.c x; save one
             refused master"
            says ["git symbolic-ref HEAD", "--ground"];
        where_the_macros_go:
            "git rm -q include/linux/tracepoint.h; save one; refused master" says ["tracepoint.h"];
        where_the_config_of_head_is_broken:
            "mv ../server.git/hooks/pre-receive ..; echo '{' >.barepoint.toml; save one; push master
             mv ../pre-receive ../server.git/hooks; say fs/inode.c x; save two; refused master"
            says [".barepoint.toml"];
    }
}
