// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! A repository of the small kernel, and what git stages of a mailbox in it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Where an event must not be made.
const ZONES: [&str; 3] = [
    "kernel/sched/",
    "include/trace/events/sched.h",
    "include/linux/sched",
];

/// A scratch repository.
pub struct Repository {
    folder: tempfile::TempDir,
    /// How many events each file of a zone makes.
    events: BTreeMap<String, usize>,
}

/// What a mailbox comes to.
pub struct Staged {
    /// The id of each changed file's text; `None` for one that is gone.
    pub texts: BTreeMap<String, Option<String>>,
    /// The mail at which git stopped, from 1; 0 if it did not.
    pub stopped: usize,
    /// A file of a zone makes more events than before.
    pub leaks: bool,
}

impl Repository {
    /// One whose only commit is `tree`.
    pub fn of(tree: &Path) -> Self {
        let mut repository = Self {
            folder: tempfile::tempdir().expect("a folder"),
            events: BTreeMap::new(),
        };
        let from = tree.display();
        let script = format!(
            "cp -r '{from}' tree && cd tree && git init -q . && git add -A && \
             git -c user.name=A -c user.email=a@b.c commit -qm one && cp ../used ../index"
        );
        let mut shell = Command::new("sh");
        let status = repository
            .command(&mut shell, ".")
            .args(["-c", &script])
            .status();
        assert!(status.expect("a shell").success());
        let listed = repository.git(&["ls-files"], None);
        for path in String::from_utf8_lossy(&listed.stdout).lines() {
            let events = repository.events_of(path);
            repository.events.insert(path.to_owned(), events);
        }
        repository
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The file of the mailbox that was staged last.
    pub fn input(&self) -> PathBuf {
        self.path("mbox")
    }

    fn command<'c>(&self, command: &'c mut Command, folder: &str) -> &'c mut Command {
        command
            .current_dir(self.path(folder))
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null")
            .env("GIT_INDEX_FILE", self.path("used"))
            .env_remove("GIT_DIR")
            .stderr(Stdio::null())
    }

    fn git(&self, arguments: &[&str], input: Option<&Path>) -> Output {
        let _ = input.is_none_or(Path::exists)
            && self.path("index").exists()
            && !self.path("used").exists()
            && fs::copy(self.path("index"), self.path("used")).is_ok();
        let mut git = Command::new("git");
        let git = self.command(git.args(arguments), "tree");
        match input {
            Some(input) => git.stdin(File::open(input).expect("an input")),
            None => git.stdin(Stdio::null()),
        };
        git.output().expect("git runs")
    }

    fn events_of(&self, path: &str) -> usize {
        if !ZONES.iter().any(|zone| path.starts_with(zone)) {
            return 0;
        }
        let text = self
            .git(&["cat-file", "blob", &format!(":{path}")], None)
            .stdout;
        let text = String::from_utf8_lossy(&text).into_owned();
        // A call that a broken line leaves open is none, and does not compile.
        if text.matches('(').count() != text.matches(')').count() {
            return 0;
        }
        text.matches("TRACE_EVENT(").count() + text.matches("DEFINE_EVENT(").count()
    }

    /// What git makes of a mailbox, up to the first mail that it refuses.
    pub fn stage(&self, input: &[u8]) -> Staged {
        let mails = self.path("mails");
        let _ = fs::remove_dir_all(&mails);
        let _ = fs::remove_file(self.path("used"));
        // There are patches at which git aborts, and this is what it leaves behind.
        let _ = fs::remove_file(self.path("used.lock"));
        fs::create_dir(&mails).expect("a folder");
        fs::write(self.input(), input).expect("written");
        self.git(&["mailsplit", "-b", "-o../mails", "../mbox"], None);
        let mut stopped = 0;
        for number in 1.. {
            let mail = mails.join(format!("{number:04}"));
            if !mail.exists() {
                break;
            }
            if !self.apply(&mail) {
                stopped = number;
                break;
            }
        }
        let texts = self.changed();
        let leaks = texts.iter().any(|(path, id)| {
            id.is_some() && self.events_of(path) > self.events.get(path).copied().unwrap_or(0)
        });
        Staged {
            texts,
            stopped,
            leaks,
        }
    }

    /// Applies a mail. Of one in which git finds no diff, what stands there counts, as it
    /// may be decoded already; that may be refused.
    fn apply(&self, mail: &Path) -> bool {
        let info = self.git(&["mailinfo", "../msg", "../patch"], Some(mail));
        if !info.status.success() {
            return false;
        }
        let listed = self.git(&["apply", "--numstat", "--allow-empty", "../patch"], None);
        let is_empty = listed.status.success() && listed.stdout.is_empty();
        let patch = if is_empty {
            mail
        } else {
            Path::new("../patch")
        };
        let patch = patch.to_str().expect("a path");
        let applied = self.git(&["apply", "--cached", "--allow-empty", patch], None);
        is_empty || applied.status.success()
    }

    /// The names and texts that differ from the commit's.
    fn changed(&self) -> BTreeMap<String, Option<String>> {
        let raw = [
            "diff",
            "--cached",
            "--raw",
            "-z",
            "--no-renames",
            "--no-abbrev",
            "HEAD",
        ];
        let output = self.git(&raw, None).stdout;
        let text = String::from_utf8_lossy(&output).into_owned();
        let mut fields = text.split('\0');
        let mut texts = BTreeMap::new();
        while let (Some(change), Some(path)) = (fields.next(), fields.next()) {
            let ids: Vec<&str> = change.split(' ').collect();
            let &[_, _, old, new, _] = &ids[..] else {
                continue;
            };
            let is_gone = new.bytes().all(|digit| digit == b'0');
            if old != new {
                texts.insert(path.to_owned(), (!is_gone).then(|| new.to_owned()));
            }
        }
        texts
    }
}
