// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Paths of a tree: whether they stay inside it, and what they can be of. May not look at
//! any file, nor know how diffs name them.

/// Folders of a kernel tree in which nothing is built into the kernel.
const BESIDE: &[&str] = &["Documentation/", "samples/", "scripts/", "tools/"];
/// Endings of files that no compiler for C reads.
const NO_C: &[&str] = &["dts", "dtsi", "dtso", "rst", "sh", "txt", "yaml"];

/// Whether the file at `path` is none that the kernel is built from as C. One whose name
/// begins with a dot is for tools; what the gate goes by itself has a rule of its own.
pub(crate) fn is_beside_the_kernel(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    name.starts_with('.')
        || BESIDE.iter().any(|folder| path.starts_with(folder))
        || NO_C.contains(&ending)
}

/// Checks that `path` is one that a tree can hold, relative and inside it.
///
/// # Errors
/// It is not; the message says why, and names it.
pub(crate) fn inside(path: &str) -> Result<(), String> {
    match misfit(path) {
        Some(why) => Err(format!("the path {why}: \"{}\"", path.escape_debug())),
        None => Ok(()),
    }
}

fn misfit(path: &str) -> Option<&'static str> {
    if path.is_empty() {
        return Some("is empty");
    }
    if path.contains('\0') {
        return Some("holds a NUL byte");
    }
    if path.starts_with('/') {
        return Some("is absolute");
    }
    path.split('/').find_map(|part| match part {
        ".." => Some("leaves the tree"),
        "" | "." => Some("has an empty part"),
        _ if is_dot_git(part) => Some("is in git's own folder"),
        _ => None,
    })
}

/// Whether some file system takes `part` for `.git`, which git lets no patch touch
/// (verify_path() in its read-cache.c).
fn is_dot_git(part: &str) -> bool {
    let part = part.to_ascii_lowercase();
    let rest = part.strip_prefix(".git").or(part.strip_prefix("git~1"));
    rest.is_some_and(|rest| {
        rest.starts_with([':', '\\']) || rest.trim_end_matches([' ', '.']).is_empty()
    })
}

/// [`inside`] for the raw bytes of a diff.
pub(crate) fn checked(raw: &[u8]) -> Result<String, String> {
    let shown = String::from_utf8_lossy(raw);
    let path =
        std::str::from_utf8(raw).map_err(|_| format!("the path \"{shown}\" is not UTF-8"))?;
    inside(path)?;
    Ok(path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_leave_the_tree_are_refused() {
        for path in [
            "",
            "/etc/passwd",
            "../../etc/passwd",
            "kernel/../../x",
            "a\0b",
            "a//b",
            ".",
            "x/.GIT/config",
            "git~1/config",
            ".git . ./config",
        ] {
            assert!(inside(path).is_err(), "{path:?}");
        }
        assert!(inside("kernel/sched/core.c").is_ok());
        assert!(inside("a..b/..c").is_ok());
        assert!(inside(".gitignore").is_ok());
        assert!(inside("x/.gitattributes").is_ok());
    }
}
