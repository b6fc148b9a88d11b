// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The past of hooks by the commits of a git repository.
//!
//! The first parents are walked, as a merge brings to the branch what it merges. Only
//! the files that hooks are declared in or called from are compared from commit to
//! commit, and what such a commit changes in them is read like a patch. Where a hook
//! comes with a commit, all of that commit is read, since the hook may have been in
//! another file before.

use super::follow::{Followed, Moment};
use super::{Commit, History};
use crate::inventory::snapshot::{Knows, Snapshot};
use crate::inventory::state::{NewText, State};
use crate::kernel::semantics::is_framework_header;
use crate::source::git::{self, GitTree};
use crate::source::{SIZE_LIMIT, differing};
use anyhow::{Context, anyhow};
use git2::{DiffOptions, Oid, Repository, Sort, Tree};
use memchr::memmem;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

/// The past of the hooks `names` of the tree whose top `dir` is, which has `state`, back
/// to the revision `since` or to the first commit there is. `None` if `dir` is no git
/// repository, or one without a commit.
///
/// # Errors
/// The repository cannot be read, or has no such revision.
pub fn of_git<'n>(
    dir: &Path,
    since: Option<&str>,
    state: &State,
    names: impl IntoIterator<Item = &'n str>,
) -> anyhow::Result<Option<History>> {
    let Some(repository) = git::open(dir)? else {
        return Ok(None);
    };
    // One that was made and nothing committed to it yet.
    if matches!(repository.head(), Err(error) if error.code() == git2::ErrorCode::UnbornBranch) {
        return Ok(None);
    }
    let walk = Walk {
        tags: tags(&repository)?,
        repository: &repository,
    };
    walk.history(since, state, names)
        .with_context(|| format!("cannot read the history of {}", dir.display()))
        .map(Some)
}

/// Where the headers of the tracing core are: what declarations mean is written there.
const CORE: [&str; 4] = [
    "include/linux/tracepoint.h",
    "include/linux/tracepoint-defs.h",
    "include/linux/trace_events.h",
    "include/trace",
];

/// A text without any of these declares no tracepoint, but by macros of its own.
const DECLARING: [&[u8]; 4] = [
    b"DECLARE_TRACE",
    b"TRACE_EVENT",
    b"DEFINE_EVENT",
    b"TP_PROTO",
];

struct Walk<'r> {
    repository: &'r Repository,
    tags: HashMap<Oid, String>,
}

/// The text of one file before and after a commit.
struct Changed {
    old: NewText,
    new: NewText,
}

impl Walk<'_> {
    fn history<'n>(
        &self,
        since: Option<&str>,
        state: &State,
        names: impl IntoIterator<Item = &'n str>,
    ) -> anyhow::Result<History> {
        let mut followed = Followed::of(names);
        let mut watched = watched_files(state, &followed);
        let mut state = narrowed(state, &watched);
        let mut releases = Vec::new();
        let mut release = None;
        let mut end = None;
        let mut count = 0_usize;
        let start = since.map(|since| self.commit_of(since)).transpose()?;
        // The state before the last commit that is read, if that is known to be there.
        let mut before = Some(self.repository.head()?.peel_to_commit()?.id());
        for id in self.commits(start)? {
            let id = id?;
            if let Some(tag) = self.tags.get(&id) {
                release = Some(tag.clone());
                releases.push(tag.clone());
            }
            count += 1;
            end = Some(id);
            let commit = self.repository.find_commit(id)?;
            let Ok(parent) = commit.parent(0) else {
                before = None;
                break;
            };
            before = Some(parent.id());
            if followed.is_done() {
                continue;
            }
            let trees = (parent.tree()?, commit.tree()?);
            let mut changed = self.changed(&trees, Some(&watched))?;
            if changed.is_empty() {
                continue;
            }
            let macros_changed = changed.keys().any(|path| is_framework_header(path));
            changed.retain(|path, _| !is_framework_header(path));
            let at = Moment {
                release: release.clone(),
                commit: Some(described(&commit)),
            };
            let mut sides = self.sides(&state, &changed, macros_changed, parent.id())?;
            if followed.came(&sides.0.1, &sides.1.1)? {
                let mut all = self.changed(&trees, None)?;
                all.retain(|path, one| {
                    !is_framework_header(path) && (watched.contains(path) || one.declares())
                });
                sides = self.sides(&state, &all, macros_changed, parent.id())?;
            }
            let ((older, old), (_, new)) = sides;
            followed.back(&old, &new, &at)?;
            watched.extend(watched_files(&older, &followed));
            state = older;
        }
        if let Some(tag) = start
            .filter(|_| start == before)
            .and_then(|id| self.tags.get(&id))
        {
            releases.push(tag.clone());
        }
        releases.reverse();
        let oldest = self.oldest(since, &releases, end);
        Ok(History {
            source: format!("git, {count} commits"),
            lives: followed.finish(oldest.as_deref()),
            releases,
        })
    }

    fn commit_of(&self, revision: &str) -> anyhow::Result<Oid> {
        let object = self.repository.revparse_single(revision);
        let commit = object.and_then(|object| object.peel_to_commit());
        commit
            .map(|commit| commit.id())
            .map_err(|error| anyhow!("no revision {revision}: {}", error.message()))
    }

    fn commits(&self, since: Option<Oid>) -> anyhow::Result<git2::Revwalk<'_>> {
        let mut walk = self.repository.revwalk()?;
        walk.set_sorting(Sort::TOPOLOGICAL)?;
        walk.simplify_first_parent()?;
        walk.push_head()?;
        if let Some(since) = since {
            walk.hide(since)?;
        }
        Ok(walk)
    }

    /// The name of the oldest state that was looked at.
    fn oldest(&self, since: Option<&str>, releases: &[String], end: Option<Oid>) -> Option<String> {
        let short = |id: Oid| id.to_string().chars().take(12).collect();
        let tag = end.and_then(|id| self.tags.get(&id).cloned());
        since
            .map(str::to_owned)
            .or(tag)
            .or_else(|| releases.first().map(|first| format!("before {first}")))
            .or_else(|| end.map(short))
    }

    /// The sources among `files`, or all, that differ between two trees.
    fn changed(
        &self,
        (old, new): &(Tree<'_>, Tree<'_>),
        files: Option<&BTreeSet<String>>,
    ) -> Result<BTreeMap<String, Changed>, git2::Error> {
        let options = || {
            let mut options = DiffOptions::new();
            options.disable_pathspec_match(true).skip_binary_check(true);
            options
        };
        let diff = match files {
            Some(files) => {
                let mut options = options();
                for file in files.iter().map(String::as_str).chain(CORE) {
                    options.pathspec(file);
                }
                self.repository
                    .diff_tree_to_tree(Some(old), Some(new), Some(&mut options))?
            }
            None => differing::diff(self.repository, Some(old), new, options)?,
        };
        let mut changed = BTreeMap::new();
        for delta in diff.deltas() {
            let path = delta.new_file().path().or_else(|| delta.old_file().path());
            let Some(path) = path.and_then(Path::to_str).filter(|path| is_c(path)) else {
                continue;
            };
            let asked =
                |files: &BTreeSet<String>| files.contains(path) || is_framework_header(path);
            if !files.is_none_or(asked) {
                continue;
            }
            let change = Changed {
                old: self.text(delta.old_file().id())?,
                new: self.text(delta.new_file().id())?,
            };
            changed.insert(path.to_owned(), change);
        }
        Ok(changed)
    }

    /// The state before and after what changed, where `state` is that after it of the
    /// watched files, and `parent` the commit before.
    fn sides(
        &self,
        state: &State,
        changed: &BTreeMap<String, Changed>,
        macros_changed: bool,
        parent: Oid,
    ) -> anyhow::Result<(Side, Side)> {
        let texts = |side: fn(&Changed) -> &NewText| -> BTreeMap<String, NewText> {
            let texts = changed.iter();
            texts
                .map(|(path, one)| (path.clone(), side(one).clone()))
                .collect()
        };
        let new = state.after(&texts(|one| &one.new), None)?;
        let old = if macros_changed {
            // The declarations of then mean what the macros of then say.
            let tree = GitTree::open(self.repository.path(), &parent.to_string())?;
            let wanted = |path: &str| state.facts.contains_key(path) || changed.contains_key(path);
            State::of_where(&tree, &wanted)?
        } else {
            state.after(&texts(|one| &one.old), None)?
        };
        Ok((with_snapshot(old), with_snapshot(new)))
    }

    fn text(&self, id: Oid) -> Result<NewText, git2::Error> {
        if id.is_zero() {
            return Ok(NewText::Absent);
        }
        let (size, _) = self.repository.odb()?.read_header(id)?;
        if size as u64 > SIZE_LIMIT {
            return Ok(NewText::Absent);
        }
        let blob = self.repository.find_blob(id)?;
        Ok(NewText::Whole(Arc::from(blob.content())))
    }
}

type Side = (State, Snapshot);

fn with_snapshot(state: State) -> Side {
    let snapshot = Snapshot::of(&state.inventory, Knows::default());
    (state, snapshot)
}

impl Changed {
    /// Whether there may be a declaration on either side.
    fn declares(&self) -> bool {
        let has = |side: &NewText| match side {
            NewText::Whole(text) => DECLARING
                .iter()
                .any(|word| memmem::find(text, word).is_some()),
            _ => false,
        };
        has(&self.old) || has(&self.new)
    }
}

/// The facts of some files only: what else there is need not be joined each time.
fn narrowed(state: &State, files: &BTreeSet<String>) -> State {
    let mut facts = (*state.facts).clone();
    facts.retain(|path, _| files.contains(&**path));
    State::joined(state.semantics.clone(), facts)
}

/// Where the hooks are declared and called.
fn watched_files(state: &State, followed: &Followed) -> BTreeSet<String> {
    let mut files = BTreeSet::new();
    for name in followed.names() {
        for hook in state.inventory.named(name) {
            files.insert(hook.file.to_string());
            files.extend(hook.call_sites.iter().map(|one| one.site.file.to_string()));
        }
    }
    files
}

fn is_c(path: &str) -> bool {
    path.ends_with(".c") || path.ends_with(".h")
}

fn described(commit: &git2::Commit<'_>) -> Commit {
    Commit {
        id: commit.id().to_string().chars().take(12).collect(),
        subject: commit
            .summary()
            .ok()
            .flatten()
            .unwrap_or_default()
            .to_owned(),
    }
}

/// The tags by the commits that they are of. Of several on one commit the shortest
/// counts; release candidates are no releases.
fn tags(repository: &Repository) -> Result<HashMap<Oid, String>, git2::Error> {
    let mut tags: HashMap<Oid, String> = HashMap::new();
    for reference in repository.references_glob("refs/tags/*")? {
        let reference = reference?;
        let Ok(name) = reference.shorthand().map(str::to_owned) else {
            continue;
        };
        let Ok(commit) = reference.peel_to_commit() else {
            continue;
        };
        if name.contains("-rc") {
            continue;
        }
        let known = tags.entry(commit.id()).or_insert_with(|| name.clone());
        if (name.len(), &name) < (known.len(), known) {
            *known = name;
        }
    }
    Ok(tags)
}
