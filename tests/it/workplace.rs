// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! A scratch folder in which programs run that have to end, the binary above all, with
//! nothing of the user's in their way.

use crate::fixtures::{copy, fixture};
use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;
use tempfile::TempDir;

/// The real binary.
pub const BINARY: &str = env!("CARGO_BIN_EXE_barepoint");

/// More than any run needs on a busy machine; what waits for a fifo needs more.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// What git needs to commit without a user.
const USER: [&str; 4] = ["-c", "user.name=A", "-c", "user.email=a@example.org"];

/// A scratch folder, which goes with its owner.
pub struct Workplace(TempDir);

impl Workplace {
    /// An empty one.
    pub fn empty() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    /// One with `kernel`, a copy of a small kernel.
    pub fn new() -> Self {
        Self::empty().with("kernel-7.3", "kernel")
    }

    /// The same with a copy of the fixture `name` at `path`.
    pub fn with(self, name: &str, path: &str) -> Self {
        copy(&fixture(name), &self.path(path));
        self
    }

    /// The folder.
    pub fn top(&self) -> &Path {
        self.0.path()
    }

    /// Where `path` is, which is given as seen from the folder.
    pub fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.top().join(path)
    }

    /// The same as an argument.
    pub fn name(&self, path: &str) -> String {
        self.path(path).display().to_string()
    }

    /// Writes a file, and makes the folders around it.
    pub fn write(&self, path: impl AsRef<Path>, text: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("written");
    }

    /// The text of a file.
    pub fn read(&self, path: impl AsRef<Path>) -> String {
        fs::read_to_string(self.path(path)).expect("a file")
    }

    /// Writes something else for `from`, which has to stand in a file, and for nothing
    /// else.
    pub fn edit(&self, path: &str, from: &str, to: &str) {
        let text = self.read(path);
        assert!(text.contains(from), "{from} is not in {path}");
        self.write(path, text.replace(from, to));
    }

    /// A command in the folder, with nothing of the user's.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("GIT_") || text.starts_with("BAREPOINT_") {
                command.env_remove(name);
            }
        }
        for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "XDG_CONFIG_HOME"] {
            command.env_remove(name);
        }
        // The folder for scratch may lie in a repository of its own.
        let around = self.top().parent().expect("a folder around");
        command
            .current_dir(self.top())
            .stdin(Stdio::null())
            .env("GIT_CEILING_DIRECTORIES", around)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("HOME", self.top())
            .env("LC_ALL", "C")
            .env("TERM", "dumb");
        command
    }

    /// The binary with arguments.
    pub fn barepoint(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(BINARY);
        command.args(arguments);
        command
    }

    /// Runs the binary.
    pub fn run(&self, arguments: &[&str]) -> Output {
        finished(&mut self.barepoint(arguments))
    }

    /// What a shell does, with `$B` for the binary, which the gates run, too.
    pub fn shell(&self, script: &str) -> Output {
        let mut command = self.command("sh");
        let command = command.args(["-c", script]);
        finished(command.env("B", BINARY).env("BAREPOINT", BINARY))
    }

    /// The same, for what has to succeed; gives what it prints.
    pub fn sh(&self, script: &str) -> String {
        let output = self.shell(script);
        assert!(output.status.success(), "{script}: {}", told(&output));
        text(&output.stdout)
    }

    /// What git says in `folder`, which has to succeed.
    pub fn git(&self, folder: impl AsRef<Path>, arguments: &[&str]) -> String {
        let mut command = self.command("git");
        command.arg("-C").arg(self.path(folder)).args(USER);
        let output = finished(command.args(arguments));
        assert!(
            output.status.success(),
            "git {arguments:?}: {}",
            told(&output)
        );
        text(&output.stdout)
    }

    /// Commits all that `folder` has.
    pub fn commit(&self, folder: &str, subject: &str) {
        self.git(folder, &["add", "-A", "-f"]);
        self.git(folder, &["commit", "-q", "--allow-empty", "-m", subject]);
    }

    /// Makes a repository of `folder` with one commit of all that it has.
    pub fn repository(&self, folder: &str) {
        self.git(folder, &["init", "-q"]);
        self.commit(folder, "base");
    }
}

/// Runs a command, which has to end.
pub fn finished(command: &mut Command) -> Output {
    fed(command.stdin(Stdio::null()), b"")
}

/// The same for one that reads `input`, if its standard input is a pipe.
pub fn fed(command: &mut Command, input: &[u8]) -> Output {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let id = child.id().to_string();
    if let Some(mut pipe) = child.stdin.take() {
        let input = input.to_vec();
        // It need not read all.
        std::thread::spawn(move || pipe.write_all(&input));
    }
    let (ended, end) = mpsc::channel();
    std::thread::spawn(move || ended.send(child.wait_with_output()));
    let output = end.recv_timeout(PATIENCE).unwrap_or_else(|_| {
        let killed = Command::new("kill").args(["-KILL", &id]).status();
        panic!("{command:?} hangs; killed: {killed:?}")
    });
    output.expect("it ends")
}

/// Bytes as text.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// All that was printed, behind the status.
pub fn told(output: &Output) -> String {
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    format!("{}: {stdout}{stderr}", output.status)
}

/// What was printed as JSON by a run that complained of nothing.
pub fn json(output: &Output) -> serde_json::Value {
    assert_eq!(text(&output.stderr), "");
    serde_json::from_slice(&output.stdout).expect("JSON")
}
