// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! What a push brings, by the lines that git gives its pre-receive hook: the old id of a
//! ref, the new one, and the name (githooks(5)). May not know what commits change.
//!
//! What the receiver trusts is its HEAD, as it was before the push; a branch that somebody
//! pushed a minute ago is not. So the zones and MAINTAINERS of HEAD count for every ref.
//! New is what HEAD's branch did not have for a push to that branch, however its old
//! commits are reached; for another ref what neither it had nor what it shares with HEAD.

use std::path::Path;

use anyhow::{Context, anyhow, bail, ensure};
use git2::{ObjectType, Oid};

use super::{History, Range};

/// Refs by which git reads one object in place of another (git-replace(1)).
const REPLACED: &str = "refs/replace/";

/// A line of a push.
#[derive(Debug)]
struct Update<'t> {
    /// What the ref was; `None` if it is new.
    old: Option<Oid>,
    /// What it becomes; `None` if it goes.
    new: Option<Oid>,
    name: &'t str,
}

impl<'t> Update<'t> {
    fn parse(line: &'t str) -> Option<Self> {
        let (old, rest) = line.split_once(' ')?;
        let (new, name) = rest.split_once(' ')?;
        let id = |text: &str| {
            let id = Oid::from_str(text).ok().filter(|_| text.len() == 40)?;
            Some((!id.is_zero()).then_some(id))
        };
        Some(Self {
            old: id(old)?,
            new: id(new)?,
            name: Some(name).filter(|name| name.starts_with("refs/"))?,
        })
    }
}

/// What is trusted.
struct Trusted {
    commit: Oid,
    /// Its branch, without the folders of branches.
    branch: Option<String>,
}

/// Reads what the updates `lines` bring to the repository that `dir` lies in. What is
/// trusted is `ground`, nothing if that is empty, and the repository's HEAD if none is
/// given. A ref that goes brings
/// nothing, and neither does one that becomes a blob, which has no path.
///
/// # Errors
/// A line is none, an object is not there, or nothing is trusted in a repository that has
/// branches.
pub fn updates(dir: &Path, lines: &str, ground: Option<&str>) -> anyhow::Result<Vec<Range>> {
    let history = History::open(dir)?;
    let trusted = history.trusted(ground, dir)?;
    let mut ranges: Vec<Range> = Vec::new();
    let mut count = 0;
    for (number, line) in lines.lines().enumerate() {
        let update = Update::parse(line).with_context(|| {
            format!(
                "line {} of the push is not \"OLD NEW refs/...\" as git has it for a pre-receive \
                 hook: {line:?}",
                number + 1
            )
        })?;
        count += 1;
        let range = history.range_of(&update, trusted.as_ref());
        let range = range.with_context(|| format!("cannot check {}", update.name))?;
        // A branch and a tag may be of one commit.
        let is_other = |range: &Range| {
            let is_same = |other: &Range| {
                (other.tip, other.base, &other.known) == (range.tip, range.base, &range.known)
            };
            !ranges.iter().any(is_same)
        };
        ranges.extend(range.filter(is_other));
    }
    ensure!(
        count > 0,
        "there is no update in the push: give lines as git has them for a pre-receive hook"
    );
    Ok(ranges)
}

impl History {
    fn trusted(&self, ground: Option<&str>, dir: &Path) -> anyhow::Result<Option<Trusted>> {
        if ground == Some("") {
            return Ok(None);
        }
        let repository = &self.repository;
        let rev = ground.unwrap_or("HEAD");
        // HEAD is a symbolic ref, and so is what a remote's is known by.
        let target = |name: &str| {
            let symbolic = repository.find_reference(name).ok()?;
            Some(symbolic.symbolic_target().ok()??.to_owned())
        };
        let branch = [rev.to_owned(), format!("refs/remotes/{rev}")];
        let branch = branch.iter().find_map(|name| target(name));
        let branch = branch.and_then(|name| name_of(&name).map(str::to_owned));
        match self.named(rev, dir) {
            Ok(commit) => Ok(Some(Trusted { commit, branch })),
            Err(error) if ground.is_some() => Err(error),
            Err(error) => {
                let unread = |error: &git2::Error| anyhow!("{}", error.message());
                let mut refs = repository.references().map_err(|error| unread(&error))?;
                match refs.next() {
                    None => Ok(None),
                    Some(_) => Err(error.context(
                        "what is trusted is not known: git symbolic-ref HEAD refs/heads/BRANCH \
                         names a branch of this repository, or give --ground REV",
                    )),
                }
            }
        }
    }

    fn range_of(
        &self,
        update: &Update<'_>,
        trusted: Option<&Trusted>,
    ) -> anyhow::Result<Option<Range>> {
        let Some(new) = update.new else {
            return Ok(None);
        };
        ensure!(
            !update.name.starts_with(REPLACED),
            "it makes another object of one that was checked, for git but not for others: \
             do not push {REPLACED}"
        );
        let ground = trusted.map(|trusted| trusted.commit);
        let (tip, kind) = self.peeled(new)?;
        let mut range = Range {
            name: update.name.to_owned(),
            tip,
            commits: Vec::new(),
            base: ground,
            known: Vec::new(),
            ground,
            is_counted: false,
        };
        match kind {
            ObjectType::Commit => {}
            ObjectType::Tree => return Ok(Some(range)),
            _ => return Ok(None),
        }
        let old = match update.old.map(|old| self.peeled(old)).transpose()? {
            Some((old, ObjectType::Commit)) => Some(old),
            _ => None,
        };
        let shared = match ground {
            Some(ground) => self.merge_bases(tip, ground)?,
            None => Vec::new(),
        };
        let mut hidden: Vec<Oid> = ground.into_iter().collect();
        match old {
            Some(old) if trusted.is_some_and(|trusted| trusted.is_at(old, update.name)) => {
                range.base = Some(old);
                hidden = vec![old];
            }
            Some(old) if self.merge_bases(tip, old)?.contains(&old) => {
                range.base = Some(old);
                range.known = shared;
                hidden.push(old);
            }
            // It was rebased, or goes back.
            Some(old) if !shared.is_empty() => {
                range.known = shared.into_iter().chain([old]).collect();
                range.base = Some(range.known.remove(0));
            }
            Some(old) => {
                range.base = Some(old);
                hidden.push(old);
            }
            None => {
                range.base = shared.first().copied();
                range.known = shared.into_iter().skip(1).collect();
            }
        }
        range.ground = ground.or(old);
        let commits = self.walk(&[tip], &hidden, None);
        range.commits = commits.context("cannot read its commits")?;
        Ok(Some(range))
    }

    /// What a tag is of, and that of which other tags are; all others as they are.
    fn peeled(&self, id: Oid) -> anyhow::Result<(Oid, ObjectType)> {
        let read = || self.repository.find_object(id, None);
        let mut object = read().map_err(|error| {
            anyhow!(
                "cannot read {id}: {}; if it is a remote's, git fetch gets it",
                error.message()
            )
        })?;
        while let Some(tag) = object.as_tag() {
            object = match tag.target() {
                Ok(target) => target,
                Err(error) => bail!("cannot read the tag {id}: {}", error.message()),
            };
        }
        match object.kind() {
            Some(kind) => Ok((object.id(), kind)),
            None => bail!("{id} is of no kind that git has"),
        }
    }
}

impl Trusted {
    /// Whether the ref `name`, which is `old`, is what is trusted.
    fn is_at(&self, old: Oid, name: &str) -> bool {
        match &self.branch {
            Some(branch) => name.strip_prefix("refs/heads/") == Some(branch),
            None => self.commit == old,
        }
    }
}

/// The name of a branch, here or of a remote.
fn name_of(target: &str) -> Option<&str> {
    target.strip_prefix("refs/heads/").or_else(|| {
        let remote = target.strip_prefix("refs/remotes/")?;
        Some(remote.split_once('/')?.1)
    })
}
