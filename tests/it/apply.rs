// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Patches as `git apply --index` takes them: what it makes of a tree is what we make of
//! it, byte by byte, or we say that we cannot; what it refuses, we say we cannot.
//!
//! The patches are made here, from numbers, so that each can be made again:
//! BAREPOINT_SEED is one number, BAREPOINT_SEEDS how many there are.

#![expect(
    clippy::print_stdout,
    reason = "--nocapture shows how many of each verdict there were"
)]

mod generate;

use barepoint::source::Tree;
use barepoint::source::input::load_bytes;
use barepoint::source::overlay::OverlayTree;
use barepoint::source::series::{How, Series};
use generate::{Case, case};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

/// How many patches an ordinary run makes.
const SEEDS: u64 = 300;

type Files = BTreeMap<String, Vec<u8>>;

/// A work tree with an index, which git is let loose on.
struct Workplace {
    dir: tempfile::TempDir,
}

impl Workplace {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let repository = git2::Repository::init(dir.path()).expect("a repository");
        let mut config = repository.config().expect("a configuration");
        config.set_str("core.autocrlf", "false").expect("set");
        Self { dir }
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Puts `files` there, and nothing else.
    fn fill(&self, files: &Files) {
        for entry in fs::read_dir(self.path()).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.ends_with(".git") {
                continue;
            }
            if path.is_dir() && !path.is_symlink() {
                fs::remove_dir_all(path).expect("removed");
            } else {
                fs::remove_file(path).expect("removed");
            }
        }
        // Git is killed by an assertion of its own now and then.
        let _ = fs::remove_file(self.path().join(".git/index.lock"));
        let repository = git2::Repository::open(self.path()).expect("a repository");
        let mut index = repository.index().expect("an index");
        index.clear().expect("an empty index");
        for (path, text) in files {
            let file = self.path().join(path);
            fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
            fs::write(file, text).expect("a file");
            index.add_path(Path::new(path)).expect("an entry");
        }
        index.write().expect("an index");
    }

    fn git_apply(&self, patch: &[u8], options: &[&str]) -> bool {
        let file = self.path().join(".git/patch");
        fs::write(&file, patch).expect("a patch");
        let status = Command::new("git")
            .current_dir(self.path())
            .args(["-c", "core.quotePath=true", "apply", "--index"])
            .args(options)
            .arg(&file)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .stderr(Stdio::null())
            .status();
        status.expect("git").success()
    }

    /// The regular files that git staged, and the links.
    fn staged(&self) -> (Files, Vec<String>) {
        let repository = git2::Repository::open(self.path()).expect("a repository");
        let index = repository.index().expect("an index");
        let mut files = Files::new();
        let mut links = Vec::new();
        for entry in index.iter() {
            let path = String::from_utf8_lossy(&entry.path).into_owned();
            if entry.mode & 0o170_000 == 0o100_000 {
                let blob = repository.find_blob(entry.id).expect("a blob");
                files.insert(path, blob.content().to_vec());
            } else {
                links.push(path);
            }
        }
        (files, links)
    }
}

/// What we make of a patch.
#[derive(Debug)]
enum Ours {
    /// These files; and whether it was taken for applied already.
    Made(Files, bool),
    /// Something cannot be read or placed.
    Refused(String),
}

fn ours(files: &Files, patch: &[u8]) -> Ours {
    let own = |(path, text): (&String, &Vec<u8>)| (path.clone(), Some(Arc::from(&**text)));
    let tree = OverlayTree::of(None, files.iter().map(own).collect());
    let loaded = load_bytes("x.patch", patch);
    if let Some(problem) = loaded.problems.first() {
        return Ours::Refused(problem.to_string());
    }
    let mut all = Series::alternatives(loaded.patches, Some(&tree), None);
    assert_eq!(all.len(), 1, "there is no history to go by");
    let series = all.remove(0);
    if let Some(problem) = series.problems.first() {
        return Ours::Refused(problem.to_string());
    }
    let after = OverlayTree::after(Some(&tree), &series, series.patches.len());
    let paths = after.paths(&|_| true).expect("all is in memory");
    let read = |path: String| {
        let text = after.read(&path).expect("in memory").expect("a file");
        (path, text.to_vec())
    };
    let is_applied = series.steps.iter().any(|step| step.how == How::Backward);
    Ours::Made(paths.into_iter().map(read).collect(), is_applied)
}

/// How git and we agree on a patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    BothTake,
    BothRefuse,
    OnlyGitTakes,
    Applied,
}

fn compare(workplace: &Workplace, seed: u64) -> Result<Verdict, String> {
    let Case { files, patch } = case(seed);
    workplace.fill(&files);
    let git = workplace.git_apply(&patch, &[]);
    let shown = || format!("seed {seed}\n{}", String::from_utf8_lossy(&patch));
    match (git, ours(&files, &patch)) {
        (true, Ours::Made(made, false)) => {
            let (staged, links) = workplace.staged();
            let made: Files = made
                .into_iter()
                .filter(|(path, _)| !links.contains(path))
                .collect();
            if made == staged {
                return Ok(Verdict::BothTake);
            }
            let text = |files: &Files| -> String {
                let line = |(path, text): (&String, &Vec<u8>)| {
                    format!("{path:?}: {:?}\n", String::from_utf8_lossy(text))
                };
                files.iter().map(line).collect()
            };
            Err(format!(
                "{}\nbefore\n{}\ngit\n{}\nwe\n{}",
                shown(),
                text(&files),
                text(&staged),
                text(&made)
            ))
        }
        (true, Ours::Made(_, true)) => Err(format!("{}\ntaken for applied", shown())),
        (true, Ours::Refused(why)) => {
            if std::env::var_os("BAREPOINT_SEED").is_some() {
                println!("we refuse what git takes: {why}\n{}", shown());
            }
            Ok(Verdict::OnlyGitTakes)
        }
        (false, Ours::Refused(_)) => Ok(Verdict::BothRefuse),
        (false, Ours::Made(_, true)) => {
            workplace.fill(&files);
            if workplace.git_apply(&patch, &["-R", "--check"]) {
                return Ok(Verdict::Applied);
            }
            Err(format!("{}\nnot applied", shown()))
        }
        (false, Ours::Made(made, false)) => Err(format!(
            "{}\ngit refuses it, we make\n{:?}",
            shown(),
            made.iter()
                .map(|(path, text)| (path, String::from_utf8_lossy(text)))
                .collect::<Vec<_>>()
        )),
    }
}

#[test]
fn a_patch_does_what_git_makes_of_it() {
    let number = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
    let seeds = match number("BAREPOINT_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("BAREPOINT_SEEDS").unwrap_or(SEEDS),
    };
    let workplace = Workplace::new();
    let mut verdicts: BTreeMap<Verdict, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for seed in seeds.clone() {
        match compare(&workplace, seed) {
            Ok(verdict) => *verdicts.entry(verdict).or_default() += 1,
            Err(why) => wrong.push(why),
        }
    }
    println!("{verdicts:?}");
    assert!(
        wrong.is_empty(),
        "{} of them:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    if seeds.end - seeds.start >= SEEDS {
        // A generator of patches that nobody takes would show nothing.
        let of = |verdict| verdicts.get(&verdict).copied().unwrap_or(0) as u64;
        let all = seeds.end - seeds.start;
        assert!(of(Verdict::BothTake) > all / 5, "{verdicts:?}");
        assert!(of(Verdict::BothRefuse) > all / 10, "{verdicts:?}");
        assert!(of(Verdict::OnlyGitTakes) < all / 20, "{verdicts:?}");
    }
}
