// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The files of a folder of consumers, and whose they are.
//!
//! Regular files only: neither links nor fifos are opened. `.git` is left out, and so
//! is what is generated (`vmlinux.h`), binary, or larger than 4 MiB. It may not know
//! what a use looks like.

use super::Skipped;
use crate::syntax::lexer::looks_binary;
use anyhow::{Context, bail};
use ignore::WalkBuilder;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Larger files are not written by hand.
const SIZE_LIMIT: u64 = 4 << 20;

/// A larger folder is not that of a consumer.
const MOST_FILES: usize = 1 << 20;

/// What a file is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    /// C and C++, and what they include.
    C,
    /// Rust.
    Rust,
    /// Go.
    Go,
    /// Python.
    Python,
    /// A shell script or a Makefile.
    Shell,
    /// bpftrace.
    Bpftrace,
    /// SystemTap.
    SystemTap,
    /// Lines for a file in tracefs.
    Lines,
}

/// One file that may be read.
#[derive(Clone, Debug)]
pub(super) struct Source {
    /// Whose it is.
    pub consumer: Arc<str>,
    /// Its path below the consumer's root.
    pub file: String,
    /// Where it is.
    pub path: PathBuf,
    /// What it is written in.
    pub language: Language,
}

/// Files whose text is not looked at: prose, and data of other programs.
const PROSE: [&str; 23] = [
    "adoc", "bib", "csv", "dat", "diff", "html", "json", "lock", "log", "md", "org", "patch",
    "pdf", "po", "png", "rst", "svg", "tex", "toml", "txt", "xml", "yaml", "yml",
];

/// The files below `root`, in order.
///
/// # Errors
/// A folder cannot be read.
pub(super) fn below(root: &Path) -> anyhow::Result<Vec<Source>> {
    let full = root
        .canonicalize()
        .with_context(|| format!("cannot open {}", root.display()))?;
    if !full.is_dir() {
        bail!("{} is not a directory", root.display());
    }
    let projects = projects(&full)?;
    let whole: Arc<str> = name(&full).into();
    let walk = WalkBuilder::new(&full)
        .standard_filters(false)
        .follow_links(false)
        .filter_entry(|entry| entry.file_name() != ".git")
        .sort_by_file_name(Ord::cmp)
        .build();
    let mut sources = Vec::new();
    for entry in walk {
        let entry = entry.with_context(|| format!("cannot read {}", root.display()))?;
        if !entry.file_type().is_some_and(|kind| kind.is_file()) {
            continue;
        }
        let Some(language) = language(entry.path()) else {
            continue;
        };
        if sources.len() == MOST_FILES {
            bail!(
                "{} has over {MOST_FILES} files: give the folder of a consumer",
                root.display()
            );
        }
        let below = entry.path().strip_prefix(&full).unwrap_or(entry.path());
        let (consumer, file) = owned(below, &projects, &whole);
        sources.push(Source {
            consumer,
            file,
            path: entry.into_path(),
            language,
        });
    }
    Ok(sources)
}

fn name(folder: &Path) -> String {
    folder.file_name().map_or_else(
        || folder.display().to_string(),
        |name| name.to_string_lossy().into_owned(),
    )
}

/// The subfolders that are consumers of their own: all, if `root` is no repository and
/// one of them is; none otherwise.
fn projects(root: &Path) -> anyhow::Result<BTreeSet<PathBuf>> {
    let mut folders = BTreeSet::new();
    if root.join(".git").exists() {
        return Ok(folders);
    }
    let context = || format!("cannot read {}", root.display());
    for entry in root.read_dir().with_context(context)? {
        let entry = entry.with_context(context)?;
        if entry.file_type().with_context(context)?.is_dir() {
            folders.insert(PathBuf::from(entry.file_name()));
        }
    }
    if !folders
        .iter()
        .any(|one| root.join(one).join(".git").exists())
    {
        folders.clear();
    }
    Ok(folders)
}

/// The consumer of a file and its path there.
fn owned(below: &Path, projects: &BTreeSet<PathBuf>, whole: &Arc<str>) -> (Arc<str>, String) {
    let mut parts = below.components();
    let first = parts.next().map(|part| PathBuf::from(part.as_os_str()));
    let rest = parts.as_path();
    match first.filter(|first| projects.contains(first) && rest != Path::new("")) {
        Some(first) => (name(&first).into(), rest.to_string_lossy().into_owned()),
        None => (whole.clone(), below.to_string_lossy().into_owned()),
    }
}

/// By its name, or by its first line if that does not say.
fn language(path: &Path) -> Option<Language> {
    let file = path.file_name()?.to_string_lossy();
    if file == "vmlinux.h" {
        return None;
    }
    if matches!(file.as_ref(), "Makefile" | "GNUmakefile" | "Kbuild") {
        return Some(Language::Shell);
    }
    let extension = file.rsplit_once('.').map_or("", |(_, extension)| extension);
    match extension.to_ascii_lowercase().as_str() {
        "c" | "h" | "cc" | "cpp" | "cxx" | "hh" | "hpp" | "hxx" | "inc" | "def" => {
            Some(Language::C)
        }
        "rs" => Some(Language::Rust),
        "go" => Some(Language::Go),
        "py" => Some(Language::Python),
        "sh" | "bash" | "zsh" | "mk" => Some(Language::Shell),
        "bt" => Some(Language::Bpftrace),
        "stp" | "stpm" => Some(Language::SystemTap),
        other if PROSE.contains(&other) => None,
        _ => Some(by_first_line(path)),
    }
}

fn by_first_line(path: &Path) -> Language {
    let mut start = Vec::new();
    // What cannot be read is met again, and reported, when its text is asked for.
    if let Ok(file) = File::open(path) {
        let _ = file.take(128).read_to_end(&mut start);
    }
    let line = start
        .split(|&byte| byte == b'\n')
        .next()
        .unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    match line.strip_prefix("#!") {
        Some(program) if program.contains("bpftrace") => Language::Bpftrace,
        Some(program) if program.contains("stap") => Language::SystemTap,
        Some(program) if program.contains("python") => Language::Python,
        Some(program) if program.contains("sh") => Language::Shell,
        _ => Language::Lines,
    }
}

/// The text of a file, or why it is left out.
///
/// # Errors
/// It cannot be read.
pub(super) fn text(source: &Source) -> anyhow::Result<Result<Arc<[u8]>, Skipped>> {
    let context = || format!("cannot read {}", source.path.display());
    let file = File::open(&source.path).with_context(context)?;
    let mut text = Vec::new();
    file.take(SIZE_LIMIT + 1)
        .read_to_end(&mut text)
        .with_context(context)?;
    let why = if text.len() as u64 > SIZE_LIMIT {
        "larger than 4 MiB"
    } else if looks_binary(&text) {
        "binary"
    } else {
        return Ok(Ok(text.into()));
    };
    Ok(Err(Skipped {
        consumer: source.consumer.to_string(),
        file: source.file.clone(),
        why,
    }))
}
