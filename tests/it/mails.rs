// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Generated mails, of all kinds that git's reader is peculiar about, held against git.
//!
//! A seed makes a mail or a mailbox. `git mailsplit -b`, `git mailinfo` and `git apply`
//! say what it comes to; patches that we take have to come to the same texts, and no
//! mail that brings a leak may leave `check` with status 0. What git said is kept in
//! tests/data/mails.tsv, so that thousands of seeds need no git; some go through git in
//! each run, so that the table stays true.
//!
//! `BAREPOINT_MAILS=20000 cargo test --test it mails::git` is the long run,
//! `BAREPOINT_MAIL=12` one seed, whose mail is printed, and `BAREPOINT_MAILS_WRITE=4000`
//! makes the table again.

#[path = "mails/chance.rs"]
mod chance;
#[path = "mails/diffs.rs"]
mod diffs;
#[path = "mails/encode.rs"]
mod encode;
#[path = "mails/git.rs"]
mod git;
#[path = "mails/shapes.rs"]
mod shapes;

use barepoint::source::disk::DiskTree;
use barepoint::source::input::load_bytes;
use barepoint::source::series::Series;
use barepoint::source::{Blobs, Tree};
use git::{Repository, Staged};
use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::ops::Range;
use std::path::Path;
use std::process::{Command, Stdio};

const TREE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/kernel-7.3");
const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/mails.tsv");
const BINARY: &str = env!("CARGO_BIN_EXE_barepoint");

/// Tells whoever asked for a long run, or for one mail.
macro_rules! say {
    ($($what:tt)*) => {
        if ["BAREPOINT_MAILS", "BAREPOINT_MAIL"].iter().any(|name| number(name).is_some()) {
            let _ = writeln!(std::io::stderr(), $($what)*);
        }
    };
}

/// How many seeds go through git in each run.
const THROUGH_GIT: u64 = 200;

/// Of a hundred mails that bring something by git, as many may end in status 2.
const MOST_REFUSED: usize = 8;

/// The id of each file's text after a mailbox, `None` for one that is gone; files that
/// stay as they were are left out.
type Texts = BTreeMap<String, Option<String>>;

/// What we make of a mailbox.
struct Ours {
    /// Something could not be read or placed: `check` ends with status 2.
    problems: Vec<String>,
    /// What it comes to, for each way to read it.
    answers: Vec<Texts>,
}

impl Ours {
    fn of(tree: &DiskTree, input: &[u8]) -> Self {
        let loaded = load_bytes("mail", input);
        let mut problems: Vec<String> = loaded.problems.iter().map(ToString::to_string).collect();
        let all = Series::alternatives(loaded.patches, Some(tree), None::<&dyn Blobs>);
        // As `check` has it: the first answer tells what does not fit.
        let misfits = all.iter().take(1).flat_map(|series| &series.problems);
        problems.extend(misfits.map(ToString::to_string));
        let texts = |series: &Series| {
            let files = series.files_after(series.patches.len()).into_iter();
            let changed = files.filter_map(|(path, text)| {
                let before = tree.read(&path).expect("a file").map(|text| id(&text));
                let after = text.map(|text| id(&text.bytes));
                (before != after).then_some((path, after))
            });
            changed.collect()
        };
        Self {
            problems,
            answers: all.iter().map(texts).collect(),
        }
    }

    /// What is wrong about it, where git came to `staged`.
    fn wrong(&self, staged: &str) -> Option<String> {
        let own: Vec<String> = self.answers.iter().map(short).collect();
        let is_right = !self.problems.is_empty()
            || staged == short(&Texts::new())
            || own.iter().any(|own| own == staged);
        (!is_right).then(|| format!("git came to {staged}, we to {own:?}"))
    }
}

fn id(text: &[u8]) -> String {
    let id = git2::Oid::hash_object(git2::ObjectType::Blob, text);
    id.expect("an id").to_string()
}

/// A short name for what a mailbox comes to (FNV-1a).
fn short(texts: &Texts) -> String {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in format!("{texts:?}").bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    format!("{:08x}", hash >> 32)
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// What git came to by seed, and the mail at which it stopped, or 0.
fn table() -> Vec<(u64, usize, String)> {
    let text = fs::read_to_string(TABLE).expect("the table");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let row = |line: &str| {
        let mut fields = line.split('\t');
        let mut next = || fields.next().expect("a field");
        let seed = next().parse().expect("a seed");
        (seed, next().parse().expect("a number"), next().to_owned())
    };
    lines.map(row).collect()
}

/// How many came to what.
#[derive(Default)]
struct Tally {
    mails: usize,
    staged: usize,
    leaks: usize,
    /// What we refuse, and a seed of each kind.
    refused: BTreeMap<String, (usize, u64)>,
    wrong: Vec<String>,
}

impl Tally {
    /// Counts a mailbox; where git went through it, a refusal of ours is one too many.
    fn add(&mut self, (seed, stopped, staged): &(u64, usize, String), ours: &Ours) {
        self.mails += 1;
        if *staged == short(&Texts::new()) {
            return;
        }
        self.staged += 1;
        if let Some(problem) = ours.problems.first().filter(|_| *stopped == 0) {
            let (count, example) = self.refused.entry(kind(problem)).or_default();
            (*count, *example) = (*count + 1, *seed);
        }
        if let Some(how) = ours.wrong(staged) {
            self.wrong.push(format!("seed {seed}: {how}"));
        }
    }

    fn refused(&self) -> usize {
        self.refused.values().map(|(count, _)| count).sum()
    }

    fn finish(&self) {
        let refused = self.refused();
        say!(
            "{} mailboxes, of which git applied something of {}, leaks {}; we refuse {refused} of those:",
            self.mails,
            self.staged,
            self.leaks
        );
        let mut kinds: Vec<_> = self.refused.iter().collect();
        kinds.sort_by_key(|(_, count)| std::cmp::Reverse(count.0));
        for (kind, (count, seed)) in kinds {
            say!("{count:6} {kind} (seed {seed})");
        }
        let shown = self.wrong.len().min(20);
        let wrong = self.wrong[..shown].join("\n");
        assert!(
            self.wrong.is_empty(),
            "{} wrong:\n{wrong}",
            self.wrong.len()
        );
    }
}

/// A problem without what tells it from others of its kind.
fn kind(problem: &str) -> String {
    let text = problem.split_once(": ").map_or(problem, |(_, text)| text);
    let shown: String = text
        .chars()
        .filter(|c| !c.is_ascii_digit())
        .take(70)
        .collect();
    shown
}

fn seeds() -> Range<u64> {
    match number("BAREPOINT_MAIL") {
        Some(seed) => {
            say!(
                "{}",
                String::from_utf8_lossy(&shapes::of_seed(Path::new(TREE), seed))
            );
            seed..seed + 1
        }
        None => 0..number("BAREPOINT_MAILS").unwrap_or(THROUGH_GIT),
    }
}

/// The exit status of `check`.
fn check(input: &Path) -> i32 {
    let mut command = Command::new(BINARY);
    command.args(["check", "-q", "--tree", TREE]).arg(input);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let status = command.status().expect("it runs");
    status.code().expect("a status")
}

#[test]
fn git_applies_nothing_that_is_not_checked() {
    let repository = Repository::of(Path::new(TREE));
    let tree = DiskTree::open(Path::new(TREE)).expect("a tree");
    let known = table();
    let mut tally = Tally::default();
    for seed in seeds() {
        let input = shapes::of_seed(Path::new(TREE), seed);
        let Staged {
            texts,
            stopped,
            leaks,
        } = repository.stage(&input);
        let row = (seed, stopped, short(&texts));
        if let Some(own) = known.iter().find(|own| own.0 == seed)
            && *own != row
        {
            tally
                .wrong
                .push(format!("git says {row:?} now, the table {own:?}"));
        }
        let ours = Ours::of(&tree, &input);
        tally.add(&row, &ours);
        if number("BAREPOINT_MAIL").is_some() {
            say!("{row:?} {texts:?}\n{:?}\n{:?}", ours.problems, ours.answers);
        }
        if leaks {
            tally.leaks += 1;
            let status = check(&repository.input());
            if status == 0 {
                tally
                    .wrong
                    .push(format!("seed {seed} leaks, and status is 0"));
            }
        }
    }
    tally.finish();
}

#[test]
fn git_said_so() {
    if let Some(count) = number("BAREPOINT_MAILS_WRITE") {
        write_table(count);
    }
    let tree = DiskTree::open(Path::new(TREE)).expect("a tree");
    let mut tally = Tally::default();
    for row in table() {
        let input = shapes::of_seed(Path::new(TREE), row.0);
        tally.add(&row, &Ours::of(&tree, &input));
    }
    tally.finish();
    let refused = tally.refused();
    assert!(
        refused * 100 <= tally.staged * MOST_REFUSED,
        "{refused} of {}",
        tally.staged
    );
}

fn write_table(count: u64) {
    let repository = Repository::of(Path::new(TREE));
    let mut text =
        "# What git makes of the mailbox of each seed (tests/it/mails.rs): the mail at\n\
                    # which it stops, or 0, and a hash of the names and texts that it stages.\n"
            .to_owned();
    for seed in 0..count {
        let staged = repository.stage(&shapes::of_seed(Path::new(TREE), seed));
        text += &format!("{seed}\t{}\t{}\n", staged.stopped, short(&staged.texts));
    }
    fs::write(TABLE, text).expect("written");
}
