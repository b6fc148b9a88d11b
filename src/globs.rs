// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Globs, which may be a stranger's: of MAINTAINERS, of a tree's zones, of a script.
//!
//! globset makes a regular expression of a glob. Of one that comes out too large it
//! panics, and of one that nests too deep it may run out of stack, so that both are
//! refused here. It may not know what the globs are for.

use anyhow::{Context, bail};
use globset::{GlobBuilder, GlobSet};

/// The longest glob, in bytes: a path has 4096, and those of MAINTAINERS 80 at most.
const LONGEST: usize = 1024;
/// The most braces of a glob.
const MOST_BRACES: usize = 32;
/// The most globs at once.
const MOST: usize = 4096;

/// Globs of which any may match. They are equal if they are written so.
#[derive(Clone, Debug, Default)]
pub struct Globs {
    patterns: Vec<String>,
    set: GlobSet,
}

impl PartialEq for Globs {
    fn eq(&self, other: &Self) -> bool {
        self.patterns == other.patterns
    }
}

impl Globs {
    /// Globs of paths, in which only `**` stands for a slash.
    ///
    /// # Errors
    /// One is none, or too large; the message names it.
    pub fn of_paths<'p>(patterns: impl IntoIterator<Item = &'p str>) -> anyhow::Result<Self> {
        Self::of(patterns, true)
    }

    /// A glob of names.
    ///
    /// # Errors
    /// As [`Globs::of_paths`].
    pub fn of_name(pattern: &str) -> anyhow::Result<Self> {
        Self::of([pattern], false)
    }

    fn of<'p>(
        patterns: impl IntoIterator<Item = &'p str>,
        literal_separator: bool,
    ) -> anyhow::Result<Self> {
        let mut set = GlobSet::builder();
        let mut written = Vec::new();
        for (number, pattern) in patterns.into_iter().enumerate() {
            if number >= MOST {
                bail!("more than {MOST} globs");
            }
            check(pattern)?;
            let glob = GlobBuilder::new(pattern)
                .literal_separator(literal_separator)
                .build()
                .with_context(|| format!("not a glob: {pattern}"))?;
            set.add(glob);
            written.push(pattern.to_owned());
        }
        Ok(Self {
            patterns: written,
            set: set.build().context("the globs are too large")?,
        })
    }

    /// Whether one of them matches.
    pub fn is_match(&self, text: &str) -> bool {
        self.set.is_match(text)
    }
}

fn check(pattern: &str) -> anyhow::Result<()> {
    let start = || pattern.chars().take(40).collect::<String>();
    if pattern.len() > LONGEST {
        bail!("the glob {}… is longer than {LONGEST} bytes", start());
    }
    if pattern.bytes().filter(|&byte| byte == b'{').count() > MOST_BRACES {
        bail!("the glob {}… has more than {MOST_BRACES} braces", start());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slashes() {
        let globs = Globs::of_paths(["kernel/*.c", "fs/**"]).expect("globs");
        for (path, is_in) in [
            ("kernel/x.c", true),
            ("kernel/a/x.c", false),
            ("fs/a/b", true),
            ("mm/x", false),
        ] {
            assert_eq!(globs.is_match(path), is_in, "{path}");
        }
        assert!(Globs::of_name("a*").expect("a glob").is_match("a/b"));
        assert!(!Globs::default().is_match(""));
    }

    #[test]
    fn bombs_are_refused() {
        let deep = format!("{}{}", "{a,".repeat(3000), "}".repeat(3000));
        let wide = format!("{{{}}}", "[!a-y]?*,".repeat(100));
        let many = ["{a,b}".repeat(100), "{".repeat(1000)];
        let long = "[\u{80}-\u{10ffff}]".repeat(90);
        for glob in [&deep, &many[0], &many[1], &"x".repeat(1 << 20)] {
            assert!(Globs::of_name(glob).is_err(), "{glob:.20}");
        }
        // Whatever it says, it does not panic.
        for glob in [&wide, &long, &"[".repeat(1000), &"**/".repeat(300)] {
            let _ = Globs::of_name(glob).map(|globs| globs.is_match("x/y"));
        }
        let all: Vec<&str> = std::iter::repeat_n(&*long, 4000).collect();
        assert!(Globs::of_paths(all).is_err());
        let all: Vec<&str> = std::iter::repeat_n("a", 5000).collect();
        assert!(Globs::of_paths(all).is_err());
    }
}
