// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Generated mails, held against the git of this machine byte by byte.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use super::super::mailsplit;
use super::{Decoding, read};

#[path = "../../../tests/it/mails/chance.rs"]
mod chance;
#[path = "../../../tests/it/mails/diffs.rs"]
mod diffs;
#[path = "../../../tests/it/mails/encode.rs"]
mod encode;
#[path = "../../../tests/it/mails/shapes.rs"]
mod shapes;

const TREE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/kernel-7.3");

/// How many mails go through git.
const MAILS: u64 = 100;

fn say(text: &str) {
    // Whoever closed stderr does not want to know.
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// The seeds: `BAREPOINT_MAILS=20000` makes a long run, `BAREPOINT_MAIL=12` prints that one.
fn seeds() -> std::ops::Range<u64> {
    let number = |name| {
        std::env::var(name)
            .ok()
            .and_then(|value| value.parse().ok())
    };
    match number("BAREPOINT_MAIL") {
        Some(seed) => {
            let mail = shapes::of_seed(Path::new(TREE), seed);
            say(&String::from_utf8_lossy(&mail));
            seed..seed + 1
        }
        None => 0..number("BAREPOINT_MAILS").unwrap_or(MAILS),
    }
}

/// What git makes of a mailbox: for each mail the message and the patch, or nothing.
fn by_git(folder: &Path, input: &[u8]) -> Vec<Option<(Vec<u8>, Vec<u8>)>> {
    let _ = fs::remove_dir_all(folder);
    fs::create_dir(folder).expect("a folder");
    let git = |arguments: &[&str], input: &Path| {
        let mut command = Command::new("git");
        command
            .args(arguments)
            .current_dir(folder)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null")
            .stdin(fs::File::open(input).expect("an input"))
            .stderr(Stdio::null());
        command.output().expect("git runs")
    };
    let mbox = folder.join("mbox");
    fs::write(&mbox, input).expect("written");
    git(&["mailsplit", "-b", "-o.", "mbox"], &mbox);
    let mut mails = Vec::new();
    for number in 1.. {
        let mail = folder.join(format!("{number:04}"));
        if !mail.exists() {
            break;
        }
        let info = git(&["mailinfo", "msg", "patch"], &mail);
        let output = |name: &str| fs::read(folder.join(name)).expect("written by git");
        mails.push(info.status.success().then(|| {
            let info = String::from_utf8_lossy(&info.stdout).into_owned();
            let subjects = info
                .lines()
                .filter_map(|line| line.strip_prefix("Subject: "));
            let title: Vec<&str> = subjects.collect();
            let message = [title.join("\n").as_bytes(), b"\n\n", &output("msg")].concat();
            (super::message::without_excess(&message), output("patch"))
        }));
    }
    mails
}

/// How ours differs from what git made of a mail; `Err` if only we refuse it, which we may
/// for its charset.
fn difference(raw: &[u8], git: Option<(Vec<u8>, Vec<u8>)>) -> Result<Option<String>, String> {
    let shown = |bytes: &[u8]| format!("{:?}", String::from_utf8_lossy(bytes));
    Ok(match (read(raw, Decoding::ByHeader), git) {
        (Ok(info), Some((message, patch))) => {
            let own = info.patch.map(|patch| patch.text().to_vec());
            let own = own.unwrap_or_default();
            if own != patch {
                Some(format!("{}\nbut git {}", shown(&own), shown(&patch)))
            } else {
                let message = String::from_utf8_lossy(&message).into_owned();
                let own = info.message;
                (own != message).then(|| format!("{own:?}\nbut git {message:?}"))
            }
        }
        (Ok(_), None) => Some("git refuses it".to_owned()),
        (Err(why), Some(_)) => return Err(why.message),
        (Err(_), None) => None,
    })
}

#[test]
fn generated_mails() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut all, mut stricter) = (0, 0);
    let mut wrong = Vec::new();
    for seed in seeds() {
        let input = shapes::of_seed(Path::new(TREE), seed);
        let mails = mailsplit::split(&input);
        let git = by_git(&folder.path().join("mails"), &input);
        if mails.len() != git.len() {
            wrong.push(format!(
                "seed {seed}: {} mails, git has {}",
                mails.len(),
                git.len()
            ));
        }
        for (mail, git) in mails.iter().zip(git) {
            all += 1;
            match difference(&mail.raw, git) {
                Ok(None) => {}
                Ok(Some(how)) => wrong.push(format!("seed {seed}: {how}")),
                Err(why) if why.contains("in the charset") => stricter += 1,
                Err(why) => wrong.push(format!("seed {seed}: git takes it, we do not: {why}")),
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {all}\n{}",
        wrong.len(),
        wrong[..wrong.len().min(9)].join("\n")
    );
    say(&format!(
        "{all} mails, {stricter} refused by us alone for their charset"
    ));
}
