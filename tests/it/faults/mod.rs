// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The real binary where the machine, the tree or the repository is not what it
//! should be: it says so in one line, or it does not matter; it never hangs, crashes
//! or passes over what it could not read.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const BINARY: &str = env!("CARGO_BIN_EXE_barepoint");
const HEADER: &str = "include/trace/events/sched.h";

/// More than any run here needs on a busy machine; what waits for a fifo needs more.
const PATIENCE: Duration = Duration::from_secs(120);

/// A scratch folder with `kernel`, a copy of a small tree.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().expect("a folder"));
        let fixture = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/kernel-7.3");
        place.sh(&format!("cp -r '{fixture}' kernel"));
        place
    }

    fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(path)
    }

    fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path(path), text).expect("written");
    }

    /// What a shell does here, with `$B` for the binary.
    fn shell(&self, script: &str) -> Output {
        let mut command = Command::new("sh");
        command.args(["-c", script]).env("B", BINARY);
        self.bounded(command)
    }

    /// As [`Place::shell`], for what has to succeed.
    fn sh(&self, script: &str) {
        let output = self.shell(script);
        assert!(output.status.success(), "{script}: {}", told(&output));
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(BINARY);
        command.args(arguments);
        self.bounded(command)
    }

    /// Runs a command, which has to end.
    fn bounded(&self, mut command: Command) -> Output {
        let child = command
            .current_dir(self.0.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("HOME", self.0.path())
            .spawn()
            .expect("it runs");
        let id = child.id().to_string();
        let waiter = std::thread::spawn(move || child.wait_with_output().expect("it ends"));
        let end = Instant::now() + PATIENCE;
        while !waiter.is_finished() {
            if Instant::now() > end {
                Command::new("kill").arg(&id).status().expect("kill runs");
                panic!("{command:?} hangs");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        waiter.join().expect("it ends")
    }

    /// Runs the binary, which has to fail with one line that has all of `parts`.
    fn fails(&self, arguments: &[&str], parts: &[&str]) {
        one_line(&self.run(arguments), &format!("{arguments:?}"), parts);
    }

    /// A repository of the tree with three commits: the tree, and two clean patches.
    fn repository(&self) {
        self.sh(
            "cd kernel && git init -q . && git config user.name A && git config user.email a@b.c \
             && git add -A && git commit -qm one \
             && for x in two three; do echo '/* x */' >>fs/inode.c && git commit -qam $x; done \
             && git format-patch -q -1 -o ..",
        );
    }
}

fn told(output: &Output) -> String {
    format!(
        "{}: {}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

fn one_line(output: &Output, what: &str, parts: &[&str]) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{what}: {}", told(output));
    assert_eq!(stderr.lines().count(), 1, "{what}: {stderr}");
    for part in parts {
        assert!(stderr.contains(part), "{what}: no {part:?} in {stderr}");
    }
}

fn succeeds(output: &Output, what: &str) {
    assert_eq!(output.status.code(), Some(0), "{what}: {}", told(output));
    assert!(output.stderr.is_empty(), "{what}: {}", told(output));
}

const LIST: &[&str] = &["list", "--tree", "kernel"];
const CHECK: &[&str] = &["check", "--tree", "kernel"];

/// A patch of the file that `repository` patches, with nothing to find in it.
const PATCH: &str = "\
From: A <a@b.c>
Subject: [PATCH] sched: Say what a hook is for

---
diff --git a/include/trace/events/sched.h b/include/trace/events/sched.h
--- a/include/trace/events/sched.h
+++ b/include/trace/events/sched.h
@@ -78,6 +78,7 @@ DECLARE_TRACE(pelt_cfs,
 \tTP_PROTO(struct cfs_rq *cfs_rq),
 \tTP_ARGS(cfs_rq));
 
+/* The root domain is, or is no longer, overutilized. */
 DECLARE_TRACE(sched_overutilized,
 \tTP_PROTO(struct root_domain *rd, bool overutilized),
 \tTP_ARGS(rd, overutilized));
";

mod tree {
    use super::*;

    #[test]
    fn what_may_not_be_read_is_named() {
        let place = Place::new();
        fs::copy(BINARY, place.path("barepoint")).expect("copied");
        for path in ["", "kernel", "barepoint"] {
            let mode = fs::Permissions::from_mode(0o755);
            fs::set_permissions(place.path(path), mode).expect("a mode");
        }
        let shut = |path: &str, mode: u32| {
            let mode = fs::Permissions::from_mode(mode);
            fs::set_permissions(place.path(path), mode).expect("a mode");
        };
        // Modes do not keep root out.
        let run = "setpriv --reuid=65534 --regid=65534 --clear-groups";
        let is_root = place.shell("test $(id -u) = 0").status.success();
        let run = if is_root { run } else { "" };
        for (path, mode, open) in [
            ("kernel/fs/inode.c", 0o000, 0o644),
            ("kernel/fs/ext4", 0o000, 0o755),
            ("kernel/include/trace/bpf_probe.h", 0o000, 0o644),
        ] {
            shut(path, mode);
            for arguments in ["list --tree kernel", "check --tree kernel"] {
                let output = place.shell(&format!("{run} ./barepoint {arguments}"));
                one_line(&output, path, &[path, "Permission denied"]);
            }
            shut(path, open);
        }
        place.write("own.patch", PATCH);
        shut(&format!("kernel/{HEADER}"), 0o000);
        let output = place.shell(&format!("{run} ./barepoint check --tree kernel own.patch"));
        assert_eq!(output.status.code(), Some(2), "{}", told(&output));
        assert!(told(&output).contains(HEADER), "{}", told(&output));
    }

    #[test]
    fn a_file_of_a_gigabyte_is_refused_by_name() {
        let place = Place::new();
        let huge = |path: &str| {
            let file = File::create(place.path(path)).expect("a file");
            file.set_len(1 << 30).expect("a length");
        };
        for path in ["kernel/fs/huge.c", "kernel/.barepoint.toml"] {
            huge(path);
            place.fails(CHECK, &[path, "larger than 64 MiB"]);
            fs::remove_file(place.path(path)).expect("removed");
        }
        huge("huge");
        let larger = "larger than 64 MiB";
        place.fails(&[CHECK, &["huge"]].concat(), &["huge", larger]);
        place.fails(&[CHECK, &["--zones", "huge"]].concat(), &["huge", larger]);
        place.fails(
            &[CHECK, &["--baseline", "huge"]].concat(),
            &["huge", larger],
        );
        place.fails(&["diff", "huge", "7.3"], &["huge", larger]);
    }

    #[test]
    fn what_never_ends_is_refused() {
        let place = Place::new();
        for arguments in [
            &["--zones", "/dev/zero"][..],
            &["--baseline", "/dev/zero"],
            &["/dev/zero"],
        ] {
            place.fails(&[CHECK, arguments].concat(), &["/dev/zero", "larger than"]);
        }
        place.fails(&["diff", "/dev/zero", "7.3"], &["/dev/zero", "larger than"]);
    }

    #[test]
    fn links_and_fifos_are_no_files() {
        let place = Place::new();
        let before = place.run(LIST);
        succeeds(&before, "before");
        place.sh("mkfifo kernel/fs/fifo.c && mkfifo kernel/.barepoint.toml");
        for (to, at) in [
            ("..", "up"),
            ("loop.c", "loop.c"),
            ("nowhere", "dangling.c"),
            ("/etc", "out"),
            ("/dev/zero", "zero.c"),
            ("inode.c", "twin.c"),
        ] {
            symlink(to, place.path("kernel/fs").join(at)).expect("a link");
        }
        let after = place.run(LIST);
        succeeds(&after, "after");
        assert_eq!(before.stdout, after.stdout);
        succeeds(&place.run(CHECK), "check");
    }

    #[test]
    fn zones_that_cannot_be_read_are_not_passed_over() {
        for to in ["/etc/passwd", "/proc/self/mem", ".barepoint.toml"] {
            let place = Place::new();
            let own = "kernel/.barepoint.toml";
            symlink(to, place.path(own)).expect("a link");
            place.write("own.patch", PATCH);
            place.fails(CHECK, &[own]);
            place.fails(&[CHECK, &["own.patch"]].concat(), &[own]);
        }
    }

    #[test]
    fn a_fifo_among_patches_is_not_waited_for() {
        let place = Place::new();
        place.sh("mkdir queue && mkfifo queue/a.patch");
        place.fails(&[CHECK, &["queue"]].concat(), &["queue", "no patch"]);
        place.write("queue/series", "a.patch\n");
        let said = ["queue/a.patch", "no regular file"];
        place.fails(&[CHECK, &["queue"]].concat(), &said);
    }

    #[test]
    fn a_patched_file_that_is_a_fifo_or_out_of_the_tree() {
        for make in ["mkfifo", "ln -s /etc/passwd", "ln -s sched.h", "mkdir"] {
            let place = Place::new();
            place.write("own.patch", PATCH);
            place.sh(&format!(
                "cd kernel/include/trace/events && rm sched.h && {make} sched.h"
            ));
            place.fails(&[CHECK, &["own.patch"]].concat(), &["own.patch", HEADER]);
        }
    }

    #[test]
    fn names_that_are_not_utf_8() {
        let place = Place::new();
        let name = OsStr::from_bytes(b"kernel/fs/\xff.c");
        fs::write(
            place.path(name),
            "DECLARE_TRACE(x, TP_PROTO(void), TP_ARGS());",
        )
        .expect("a file");
        place.fails(LIST, &["kernel/fs/\u{fffd}.c", "not UTF-8"]);
        place.fails(CHECK, &["kernel/fs/\u{fffd}.c", "not UTF-8"]);
        // Nobody would look for a tracepoint there.
        let other = OsStr::from_bytes(b"kernel/fs/\xff.png");
        fs::rename(place.path(name), place.path(other)).expect("renamed");
        succeeds(&place.run(LIST), "a picture");
    }

    #[test]
    fn text_that_is_not_utf_8() {
        let place = Place::new();
        let text = b"/* caf\xe9 */\nDECLARE_TRACE(caf\xe9, TP_PROTO(int x), TP_ARGS(x));\n";
        place.write("kernel/fs/latin.c", text);
        let output = place.run(&[LIST, &["--format", "json", "--name", "caf*"]].concat());
        succeeds(&output, "list");
        let list: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(list["tracepoints"][0]["name"], "caf\u{fffd}_tp");
    }

    /// Files come, go and change length during each of many runs.
    #[test]
    fn a_tree_that_changes_while_it_is_read() {
        let place = Place::new();
        let folder = place.path("kernel/kernel/sched");
        for number in 0..200 {
            let text = "DECLARE_TRACE(x, TP_PROTO(int x), TP_ARGS(x));\n".repeat(number % 7);
            fs::write(folder.join(format!("{number}.h")), text).expect("written");
        }
        place.write("own.patch", PATCH);
        let stop = std::sync::atomic::AtomicBool::new(false);
        let change = || {
            let mut round = 0;
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                round += 1;
                let path = folder.join(format!("{}.h", round * 7 % 200));
                let text = "TRACE_EVENT(y,\n".repeat(round % 3000);
                let _ = match round % 4 {
                    0 => fs::remove_file(&path),
                    1 => File::create(&path).map(drop),
                    2 => fs::create_dir(&path).or_else(|_| fs::remove_dir(&path)),
                    _ => fs::write(&path, text),
                };
            }
        };
        std::thread::scope(|scope| {
            scope.spawn(change);
            for round in 0..40 {
                let arguments =
                    [LIST, CHECK, &["check", "--tree", "kernel", "own.patch"]][round % 3];
                let output = place.run(arguments);
                let stderr = String::from_utf8_lossy(&output.stderr);
                match output.status.code() {
                    Some(0 | 1) => assert_eq!(stderr, "", "{arguments:?}"),
                    Some(2) => {
                        assert!(stderr.starts_with("barepoint: "), "{arguments:?}: {stderr}");
                        assert!(stderr.contains("kernel/sched/"), "{arguments:?}: {stderr}");
                    }
                    _ => panic!("{arguments:?}: {}", told(&output)),
                }
                assert!(!stderr.contains("panicked"), "{arguments:?}: {stderr}");
            }
            stop.store(true, std::sync::atomic::Ordering::Relaxed);
        });
    }
}

mod output {
    use super::*;

    /// Every command that prints, in every shape.
    fn commands() -> Vec<String> {
        let formats = "human checkpatch json sarif github gitlab b4";
        let check = "check --tree kernel leak.patch --format";
        let mut all: Vec<String> = formats.split(' ').map(|f| format!("{check} {f}")).collect();
        for format in ["table", "json", "csv"] {
            all.push(format!("list --tree kernel --format {format}"));
        }
        for other in [
            "diff 6.1 6.12",
            "diff 6.1 6.12 --format json",
            "explain",
            "explain promotion",
            "completions zsh",
        ] {
            all.push(other.to_owned());
        }
        all
    }

    fn place() -> Place {
        let place = Place::new();
        let leak = PATCH.replace(
            "+/* The root domain is, or is no longer, overutilized. */",
            "+TRACE_EVENT(x, TP_PROTO(int x), TP_ARGS(x), TP_STRUCT__entry(), TP_fast_assign(), TP_printk(\"\"));",
        );
        place.write("leak.patch", leak);
        assert_eq!(
            place.run(&[CHECK, &["leak.patch"]].concat()).status.code(),
            Some(1)
        );
        place
    }

    #[test]
    fn a_full_disk() {
        let place = place();
        for command in commands() {
            let output = place.shell(&format!("exec \"$B\" {command} >/dev/full"));
            one_line(&output, &command, &["standard output", "No space left"]);
        }
    }

    #[test]
    fn a_full_disk_for_help_and_for_complaints() {
        let place = place();
        for command in ["--help", "check --help", "--version"] {
            let output = place.shell(&format!("exec \"$B\" {command} >/dev/full"));
            one_line(&output, command, &["standard output", "No space left"]);
        }
        for command in [
            "check --tree kernel none.patch",
            "check --tree nowhere",
            "none",
        ] {
            let output = place.shell(&format!("exec \"$B\" {command} 2>/dev/full"));
            assert_eq!(
                output.status.code(),
                Some(2),
                "{command}: {}",
                told(&output)
            );
        }
    }

    #[test]
    fn a_reader_that_went_away() {
        let place = place();
        for command in commands() {
            // The first `:` ends at once; the second sees to it that it has.
            let script = format!(
                "mkfifo pipe; : <pipe & exec 3>pipe; wait; rm pipe; exec \"$B\" {command} >&3"
            );
            let output = place.shell(&script);
            assert_eq!(
                output.status.code(),
                Some(2),
                "{command}: {}",
                told(&output)
            );
            assert!(output.stderr.is_empty(), "{command}: {}", told(&output));
        }
    }

    #[test]
    fn standard_output_that_is_closed() {
        let place = place();
        let output = place.shell("exec \"$B\" check --tree kernel leak.patch >&-");
        assert!(
            matches!(output.status.code(), Some(1 | 2)),
            "{}",
            told(&output)
        );
        assert!(!told(&output).contains("panicked"), "{}", told(&output));
    }

    /// A limit on the size of files is as good as a full disk.
    #[test]
    fn a_baseline_that_cannot_be_written_stays_as_it_was() {
        let place = place();
        let command = "\"$B\" check --tree kernel leak.patch --baseline known --write-baseline";
        place.sh(&format!("{command} >/dev/null"));
        let known = fs::read(place.path("known")).expect("a baseline");
        let output = place.shell(&format!("trap '' XFSZ; ulimit -f 0; exec {command}"));
        one_line(&output, command, &["cannot write known", "File too large"]);
        assert_eq!(fs::read(place.path("known")).expect("a baseline"), known);
        let left: Vec<_> = fs::read_dir(place.path(""))
            .expect("a folder")
            .map(|entry| entry.expect("an entry").file_name())
            .filter(|name| name.as_bytes().starts_with(b"known."))
            .collect();
        assert!(left.is_empty(), "{left:?}");
    }

    #[test]
    fn man_pages_that_cannot_be_written() {
        let place = place();
        let output = place.shell("trap '' XFSZ; ulimit -f 0; exec \"$B\" man pages");
        one_line(
            &output,
            "man",
            &["cannot write man pages to pages", "File too large"],
        );
    }
}

mod repository {
    use super::*;

    const LAST: &[&str] = &["check", "--tree", "kernel", "--git", "HEAD"];

    /// A repository that something was done to: `--git` says what is wrong, and a
    /// patch, which needs none, is checked against the files on disk.
    fn broken(damage: &str, parts: &[&str]) {
        let place = Place::new();
        place.repository();
        succeeds(&place.run(LAST), "before");
        place.sh(&format!("cd kernel && chmod -R u+w .git && {damage}"));
        place.fails(LAST, parts);
        place.fails(&["diff", "kernel@HEAD", "kernel"], &["kernel"]);
        succeeds(&place.run(&[CHECK, &["0001-three.patch"]].concat()), damage);
        succeeds(&place.run(LIST), damage);
    }

    #[test]
    fn without_objects() {
        broken("rm -r .git/objects/??", &["no commit HEAD in kernel"]);
    }

    #[test]
    fn with_garbage_for_objects() {
        let damage = "find .git/objects -type f -exec sh -c 'echo garbage >\"$1\"' _ {} \\;";
        broken(damage, &["kernel"]);
    }

    /// libgit2 up to 1.9.7 reads such an object forever; libgit2#7346 mends it.
    #[test]
    fn with_cut_objects() {
        for length in [0, 1, 20] {
            let damage =
                format!("find .git/objects -type f -exec truncate -s '<{length}' {{}} \\;");
            broken(
                &damage,
                &["kernel/.git/objects/", "not all there", "git fsck"],
            );
        }
    }

    /// A tree within a tree, which libgit2 comes upon by itself.
    #[test]
    fn with_one_cut_object() {
        let place = Place::new();
        place.repository();
        place.sh(
            "cd kernel && chmod -R u+w .git && tree=$(git rev-parse HEAD:fs) \
             && truncate -s -4 .git/objects/$(echo $tree | sed 's|..|&/|')",
        );
        let said = ["kernel/.git/objects/", "git fsck"];
        place.fails(LAST, &said);
        place.fails(&["diff", "kernel@HEAD", "kernel"], &said);
        place.fails(&["report", "--tree", "kernel"], &said);
        succeeds(
            &place.run(&[CHECK, &["0001-three.patch"]].concat()),
            "a patch",
        );
    }

    /// The blob that the patch was made against.
    #[test]
    fn with_a_cut_blob() {
        let place = Place::new();
        place.repository();
        place.sh(
            "cd kernel && chmod -R u+w .git && blob=$(git rev-parse HEAD~1:fs/inode.c) \
             && truncate -s -4 .git/objects/$(echo $blob | sed 's|..|&/|')",
        );
        succeeds(
            &place.run(&[CHECK, &["0001-three.patch"]].concat()),
            "a patch",
        );
    }

    #[test]
    fn with_a_cut_pack() {
        let damage = "git gc -q && truncate -s 300 .git/objects/pack/*.pack";
        broken(damage, &["kernel"]);
    }

    #[test]
    fn with_a_head_that_is_none() {
        broken("echo junk >.git/HEAD", &["no commit HEAD in kernel"]);
        broken(
            "echo 'ref: refs/heads/gone' >.git/HEAD",
            &["no commit HEAD in kernel"],
        );
    }

    #[test]
    fn that_is_somewhere_else() {
        let gone = "rm -r .git && echo 'gitdir: /nowhere' >.git";
        broken(gone, &["cannot open a git repository at kernel"]);
        let empty = "rm -r .git && mkdir .git";
        broken(empty, &["cannot open a git repository at kernel"]);
    }

    #[test]
    fn with_a_broken_configuration() {
        let place = Place::new();
        place.repository();
        place.write("kernel/.git/config", "[core\n");
        for arguments in [LAST, &[CHECK, &["0001-three.patch"]].concat()] {
            place.fails(arguments, &["kernel", "config"]);
        }
    }

    #[test]
    fn of_somebody_else() {
        let place = Place::new();
        place.repository();
        if !place.shell("chown -R 65534 kernel").status.success() {
            // Only root can give files away, and only root's runs can see this.
            return;
        }
        for arguments in [LAST, &[CHECK, &["0001-three.patch"]].concat()] {
            place.fails(
                arguments,
                &[
                    "kernel",
                    "owned",
                    "git config --global --add safe.directory",
                ],
            );
        }
    }

    #[test]
    fn that_is_shallow() {
        let place = Place::new();
        place.repository();
        place.sh("git clone -q --depth 2 \"file://$PWD/kernel\" shallow");
        let check = |range: &str| place.run(&["check", "--tree", "shallow", "--git", range]);
        succeeds(&check("HEAD"), "the last");
        succeeds(&check("HEAD-1"), "the last one");
        for range in ["HEAD~1", "HEAD-2", "HEAD~2", "HEAD~2..HEAD"] {
            one_line(&check(range), range, &["shallow", "git fetch --unshallow"]);
        }
        place.fails(
            &["diff", "shallow@HEAD~2", "shallow"],
            &["git fetch --unshallow"],
        );
    }

    #[test]
    fn without_a_work_tree() {
        let place = Place::new();
        place.repository();
        place.sh("git clone -q --bare kernel bare && mkdir bare/sub");
        let checked = |tree: &str| {
            let output = place.run(&["check", "--tree", tree, "--git", "HEAD-2", "--format=json"]);
            succeeds(&output, tree);
            String::from_utf8_lossy(&output.stdout).replace(&format!("\"{tree}\""), "DIR")
        };
        assert_eq!(checked("kernel"), checked("bare"));
        let binary = env!("CARGO_BIN_EXE_barepoint");
        place.sh(&format!("cd bare && {binary} check --git HEAD"));
        place.fails(
            &["check", "--tree", "bare/sub", "--git", "HEAD"],
            &["bare/sub"],
        );
        place.fails(&["check", "--tree", "bare", "0001-three.patch"], &["bare"]);
        place.sh(
            "git init -q other && cd other && git config user.name A && git config user.email a@b.c \
             && for x in one two; do echo >>file; git add -A; git commit -qm $x; done \
             && git clone -q --bare . ../others",
        );
        place.fails(
            &["check", "--tree", "others", "--git", "HEAD"],
            &["others is not a kernel tree"],
        );
    }

    #[test]
    fn whose_first_commit_is_asked_for() {
        let place = Place::new();
        place.repository();
        let output = place.run(&["check", "--tree", "kernel", "--git", "HEAD-9"]);
        // Nothing was there before it, so that all events of the kernel are new.
        assert_eq!(output.status.code(), Some(1), "{}", told(&output));
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        for part in ["new trace event sched_switch", "3 patches"] {
            assert!(said.contains(part), "no {part:?}: {said}");
        }
    }

    #[test]
    fn that_has_more_than_the_kernel() {
        let place = Place::new();
        place.sh(
            "mkdir -p all/linux && mv kernel/* all/linux && rmdir kernel && cd all \
             && git init -q . && git config user.name A && git config user.email a@b.c \
             && for x in one two; do echo >>linux/fs/inode.c; git add -A; git commit -qm $x; done \
             && git format-patch -q -1 --relative=linux -o ..",
        );
        let check = ["check", "--tree", "all/linux"];
        place.fails(
            &[&check[..], &["--git", "HEAD"]].concat(),
            &["all/linux is not the top", "--relative"],
        );
        succeeds(
            &place.run(&[&check[..], &["0001-two.patch"]].concat()),
            "relative",
        );
    }

    #[test]
    fn with_a_name_that_is_not_utf_8() {
        let place = Place::new();
        place.repository();
        let name = OsStr::from_bytes(b"kernel/fs/\xff.c");
        let event = "TRACE_EVENT(x, TP_PROTO(int x), TP_ARGS(x), , , );\n";
        fs::write(place.path(name), event).expect("a file");
        place.sh("cd kernel && git add -A && git commit -qm four");
        place.fails(LAST, &["fs/\u{fffd}.c", "not UTF-8"]);
        place.fails(
            &["diff", "kernel@HEAD", "7.3"],
            &["fs/\u{fffd}.c", "not UTF-8"],
        );
        // The mail of it, too.
        place.sh("cd kernel && git format-patch -q -1 -o ..");
        place.fails(
            &[CHECK, &["0001-four.patch"]].concat(),
            &["0001-four.patch", "not UTF-8"],
        );
    }

    #[test]
    fn with_a_blob_that_is_too_large() {
        let place = Place::new();
        place.repository();
        place.sh("cd kernel && truncate -s 100M fs/huge.c && git add -A && git commit -qm four");
        place.fails(LAST, &["fs/huge.c", "cannot be checked"]);
        place.fails(
            &["diff", "kernel@HEAD", "7.3"],
            &["fs/huge.c", "larger than 64 MiB"],
        );
    }
}

/// What takes a time or a memory that grows with the square of it takes minutes or
/// everything for one of these; tests/mutations has the same limits.
mod hostile {
    use super::*;
    use std::fmt::Write as _;

    /// Checks a patch that adds `lines` as the file at `path`: it has to end soon.
    fn ends(path: &str, lines: &[String], format: &str) {
        let place = Place::new();
        let mut patch = format!(
            "From: A <a@b.c>\nSubject: [PATCH] x\n\n---\ndiff --git a/{path} b/{path}\n\
             new file mode 100644\n--- /dev/null\n+++ b/{path}\n@@ -0,0 +1,{} @@\n",
            lines.len()
        );
        for line in lines {
            writeln!(patch, "+{line}").expect("a string");
        }
        place.write("hostile.patch", patch);
        let script = format!(
            "ulimit -t 20; ulimit -v 1500000; \
             exec \"$B\" check --tree kernel --format {format} hostile.patch >out"
        );
        let output = place.shell(&script);
        let is_done = matches!(output.status.code(), Some(0 | 1));
        assert!(
            is_done && output.stderr.is_empty(),
            "{path}: {}",
            told(&output)
        );
    }

    fn function(body: impl Iterator<Item = String>) -> Vec<String> {
        let head = ["void f(struct cfs_rq *cfs_rq)".to_owned(), "{".to_owned()];
        let end = ["}".to_owned()];
        head.into_iter().chain(body).chain(end).collect()
    }

    fn repeated(line: &str, count: usize) -> impl Iterator<Item = String> {
        std::iter::repeat_n(line.to_owned(), count)
    }

    #[test]
    fn a_finding_far_to_the_right() {
        let spaces = " ".repeat(70_000);
        let event = "TRACE_EVENT(x, TP_PROTO(int x), TP_ARGS(x), , , );";
        ends("kernel/sched/x.h", &[format!("{spaces}{event}")], "human");
    }

    #[test]
    fn a_line_with_all_findings() {
        let line = "trace_printk(1);".repeat(50_000);
        for format in ["human", "checkpatch", "json", "sarif", "b4"] {
            ends("kernel/sched/x.c", std::slice::from_ref(&line), format);
        }
    }

    #[test]
    fn a_function_of_calls() {
        let calls = repeated("\ttrace_pelt_cfs_tp(work(cfs_rq));", 20_000);
        ends("kernel/sched/x.c", &function(calls), "json");
    }

    #[test]
    fn a_function_of_questions() {
        let asks = repeated("\tif (trace_pelt_cfs_tp_enabled()) g();", 20_000);
        let call = repeated("\ttrace_pelt_cfs_tp(work(cfs_rq));", 1);
        ends("kernel/sched/x.c", &function(asks.chain(call)), "json");
    }

    #[test]
    fn calls_with_too_many_arguments() {
        let calls = repeated("\ttrace_pelt_cfs_tp(a, b);", 20_000);
        ends("kernel/sched/x.c", &function(calls), "json");
    }

    #[test]
    fn calls_that_branches_cut() {
        const COUNT: usize = 60_000;
        let all = |start: &str, again: &str, end: &str| -> Vec<String> {
            let lines = format!("{start}\n{}{end}", again.repeat(COUNT));
            lines.lines().map(str::to_owned).collect()
        };
        let arguments = ", TP_PROTO(int a), TP_ARGS(a));\n";
        let closed = "#endif\n".repeat(COUNT);
        for lines in [
            all(
                "TRACE_EVENT(",
                "#ifdef A\n",
                &format!("x\n{closed}{arguments}"),
            ),
            all(
                "",
                "#ifdef A\nTRACE_EVENT(\n#else\n",
                &format!("{closed}x{arguments}"),
            ),
            all(
                "#ifdef A",
                "TRACE_EVENT(x,\n#elif B\n",
                &format!("#endif\n{arguments}"),
            ),
            all("TRACE_EVENT(", "#ifdef A\nx\n#else\ny\n#endif\n", arguments),
        ] {
            ends("include/trace/events/x.h", &lines, "json");
        }
    }

    #[test]
    fn a_page_of_references() {
        let path = "Documentation/trace/x.rst";
        for line in [
            "t:a/b pelt_cfs_tp ".repeat(20_000),
            format!("sched{}", ":pelt_cfs_tp".repeat(40_000)),
        ] {
            ends(path, &[line], "json");
        }
        let lines: Vec<String> = repeated("sched:pelt_cfs_tp", 20_000).collect();
        ends(path, &lines, "json");
    }

    #[test]
    fn probes_that_call_each_other() {
        const COUNT: usize = 2000;
        let probes = (0..COUNT).map(|n| {
            let calls = (n + 1..n + 4).map(|m| format!("f{}(d, c);", m % COUNT));
            let calls: String = calls.collect();
            format!("static void f{n}(void *d, struct cfs_rq *c) {{ {calls} }}")
        });
        let mut lines: Vec<String> = probes.collect();
        let attach = (0..COUNT).map(|n| format!("\tregister_trace_pelt_cfs_tp(f{n}, 0);"));
        lines.extend(function(attach));
        lines.push("void g(void) { trace_printk(1); }".to_owned());
        ends("kernel/sched/x.c", &lines, "json");
    }
}

#[test]
fn more_patches_than_one_series_can_have() {
    let place = Place::new();
    let patches: String = (0..161)
        .map(|number| {
            format!(
                "From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001\n\
                 From: A <a@example.org>\nSubject: [PATCH {number}/161] New file\n\n---\n\
                 diff --git a/new{number}.c b/new{number}.c\nnew file mode 100644\n\
                 --- /dev/null\n+++ b/new{number}.c\n@@ -0,0 +1 @@\n+int x;\n\n"
            )
        })
        .collect();
    place.write("many.mbox", patches);
    let output = place.run(&["check", "--tree", "kernel", "many.mbox"]);
    one_line(
        &output,
        "many.mbox",
        &["161 patches", "160 at most", "in parts"],
    );
}

/// Files that are made to keep whoever reads them busy, or to hide something in what he
/// gives up on.
mod a_hostile_file {
    use super::*;

    /// A patch that adds `path` with these lines.
    fn added(path: &str, lines: &[String]) -> String {
        let count = lines.len();
        let text: String = lines.iter().map(|line| format!("+{line}\n")).collect();
        format!("--- /dev/null\n+++ b/{path}\n@@ -0,0 +1,{count} @@\n{text}")
    }

    /// Checks a patch that adds such a file.
    fn check(path: &str, lines: &[String]) -> Output {
        let place = Place::new();
        place.write("x.patch", added(path, lines));
        place.run(&[CHECK, &["x.patch"]].concat())
    }

    /// Checks it, which has to do.
    fn is_read(path: &str, lines: &[String]) {
        let output = check(path, lines);
        let status = output.status.code();
        assert!(matches!(status, Some(0 | 1)), "{}", told(&output));
    }

    fn each(count: usize, line: impl Fn(usize) -> String) -> Vec<String> {
        (0..count).map(line).collect()
    }

    fn event(name: &str) -> String {
        format!("DECLARE_TRACE({name}, TP_PROTO(int x), TP_ARGS(x));")
    }

    const HEADER: &str = "kernel/sched/x.h";

    #[test]
    fn with_deep_conditions() {
        let minus = format!("#if {}1", "-".repeat(300_000));
        let sum = format!("#if {}1", "1+".repeat(300_000));
        let any = format!("#if {}1", "A||".repeat(300_000));
        for condition in [minus, sum, any] {
            is_read(HEADER, &[condition, event("a"), "#endif".to_owned()]);
        }
    }

    #[test]
    fn with_macros_that_branch_and_come_to_nothing() {
        let mut lines = Vec::new();
        for at in 0..40 {
            let both = format!("L{next} K{next}", next = at + 1);
            lines.extend([
                format!("#define L{at} {both}"),
                format!("#define K{at} {both}"),
            ]);
        }
        lines.extend(["#define Z(x) L0 TRACE_EVENT(x)", "L0(a)", "Z(b)"].map(str::to_owned));
        is_read(HEADER, &lines);
    }

    #[test]
    fn with_a_hundred_thousand_of_anything() {
        is_read(HEADER, &each(200_000, |at| format!("A{at}();")));
        is_read(HEADER, &each(100_000, |_| "TRACE_EVENT([)".to_owned()));
        let mut probes = vec!["void *x[] = {".to_owned()];
        probes.extend(each(20_000, |at| {
            format!("probe{at}, &__tracepoint_x{at},")
        }));
        is_read("kernel/sched/x.c", &probes);
        let mut calls = vec!["#define T(x) trace_##x(1)".to_owned()];
        calls.extend(each(50_000, |at| {
            format!("void f{at}(void) {{ T(a{at}); }}")
        }));
        is_read("kernel/sched/x.c", &calls);
        let mut rust = each(5000, |_| "declare_trace!".to_owned());
        rust.extend(each(5000, |_| "fn a();".to_owned()));
        is_read("kernel/sched/x.rs", &rust);
    }

    /// What is said of a place in it costs memory, not only time.
    #[test]
    fn with_hunks_far_down() {
        let place = Place::new();
        let far = |at| format!("--- a/x{at}.c\n+++ b/x{at}.c\n@@ -999990 +999990 @@\n-a\n+b\n");
        place.write("x.patch", each(3000, far).concat());
        let output =
            place.shell("ulimit -v 2000000; $B check --tree kernel x.patch 2>&1 | tail -1");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains("too large to be true"), "{said}");
    }

    #[test]
    fn in_the_tracing_core() {
        let place = Place::new();
        for (path, line) in [
            (
                "include/trace/define_trace.h",
                "#include <trace/define_trace.h>",
            ),
            (
                "include/trace/define_trace.h",
                "#include TRACE_INCLUDE(TRACE_INCLUDE_FILE)",
            ),
            ("include/linux/tracepoint.h", "#define C{} C{+}"),
        ] {
            let text = fs::read_to_string(place.path(format!("kernel/{path}"))).expect("a header");
            let old: Vec<&str> = text.lines().take(3).collect();
            let new = each(50_000, |at| {
                let (own, next) = (at.to_string(), (at + 1).to_string());
                format!("+{}\n", line.replace("{}", &own).replace("{+}", &next))
            });
            let hunk = format!("@@ -1,3 +1,50003 @@\n {}\n{}", old[0], new.concat());
            place.write(
                "x.patch",
                format!(
                    "--- a/{path}\n+++ b/{path}\n{hunk} {}\n {}\n",
                    old[1], old[2]
                ),
            );
            let output = place.run(&[CHECK, &["x.patch"]].concat());
            assert!(output.status.code().is_some(), "{path}: {}", told(&output));
        }
    }

    /// Pages of code in an event do not hide it, by whatever macro.
    #[test]
    fn with_an_event_of_many_pages() {
        let code = "__entry->x = 1;\n".repeat(10_000);
        for (define, name) in [
            ("", "TRACE_EVENT"),
            ("#define E(n, x...) TRACE_EVENT(n, x)", "E"),
        ] {
            let event = format!(
                "{define}\n{name}(hidden, TP_PROTO(int x), TP_ARGS(x), \
                 TP_STRUCT__entry(__field(int, x)), TP_fast_assign({code}), \
                 TP_printk(\"%d\", __entry->x));"
            );
            let lines: Vec<String> = event.lines().map(str::to_owned).collect();
            let output = check(HEADER, &lines);
            assert_eq!(output.status.code(), Some(1), "{}", told(&output));
            assert!(told(&output).contains("hidden"), "{}", told(&output));
        }
    }

    #[test]
    fn that_includes_what_can_be_no_file() {
        let place = Place::new();
        for include in [
            "",
            "a\0b.h",
            "x/".repeat(3000).as_str(),
            "x".repeat(300).as_str(),
        ] {
            place.write(
                "kernel/kernel/sched/x.c",
                format!("#include \"{include}\"\n"),
            );
            place.write("kernel/x.c", format!("#include \"{include}\"\n"));
            let one = added("kernel/sched/y.c", &["int y;".to_owned()]);
            let two = format!(
                "--- a/x.c\n+++ b/x.c\n@@ -1,1 +1,2 @@\n #include \"{include}\"\n+int x;\n"
            );
            place.write("x.patch", format!("{one}{two}"));
            succeeds(&place.run(&[CHECK, &["x.patch"]].concat()), include);
        }
    }
}
