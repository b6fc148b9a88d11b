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
