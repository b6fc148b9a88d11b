// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! A tree's version: the first lines of its Makefile.

use std::fmt;

/// A release as `KERNEL_VERSION(a, b, c)` has it (the top Makefile, which writes
/// include/generated/uapi/linux/version.h). What comes after the numbers is left out:
/// a release candidate counts as its release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KernelVersion {
    /// `VERSION`.
    pub major: u16,
    /// `PATCHLEVEL`.
    pub minor: u16,
    /// `SUBLEVEL`; as there, 255 at most.
    pub patch: u8,
}

impl KernelVersion {
    /// Of the three numbers.
    pub fn new(major: u16, minor: u16, patch: u16) -> Self {
        Self {
            major,
            minor,
            patch: u8::try_from(patch).unwrap_or(u8::MAX),
        }
    }

    /// Reads `7.3.4`, `6.12`, `v6.1` or `7.4.0-rc1+`; `None` if it does not begin so.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.');
        let mut parts = text[..end.unwrap_or(text.len())].split('.');
        let major = parts.next()?.parse().ok()?;
        let minor = parts.next().and_then(|part| part.parse().ok())?;
        let patch = parts.next().and_then(|part| part.parse().ok());
        Some(Self::new(major, minor, patch.unwrap_or(0)))
    }
}

impl fmt::Display for KernelVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)?;
        match self.patch {
            0 => Ok(()),
            patch => write!(f, ".{patch}"),
        }
    }
}

/// The version that a kernel's top Makefile states, such as `7.3.4` or `7.4.0-rc1`.
pub fn of_makefile(text: &str) -> Option<String> {
    let value = |key: &str| {
        text.lines()
            .take(20)
            .filter_map(|line| line.split_once('='))
            .find(|(name, _)| name.trim() == key)
            .map(|(_, value)| value.trim().to_owned())
    };
    let version = value("VERSION").filter(|version| !version.is_empty())?;
    let mut parts = vec![version];
    parts.extend(value("PATCHLEVEL").filter(|part| !part.is_empty()));
    parts.extend(value("SUBLEVEL").filter(|part| !part.is_empty()));
    let extra = value("EXTRAVERSION").unwrap_or_default();
    Some(parts.join(".") + &extra)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_read_and_ordered() {
        let parse = |text| KernelVersion::parse(text).map(|one| one.to_string());
        assert_eq!(parse("7.3.4").as_deref(), Some("7.3.4"));
        assert_eq!(parse("v6.12").as_deref(), Some("6.12"));
        assert_eq!(parse("7.4.0-rc1").as_deref(), Some("7.4"));
        assert_eq!(parse("5.4.300").as_deref(), Some("5.4.255"));
        for text in ["", "next", "6", "6.", "v", "99999999.1"] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert!(KernelVersion::parse("6.12") > KernelVersion::parse("6.2.9"));
    }

    #[test]
    fn versions() {
        let text = "# SPDX\nVERSION = 7\nPATCHLEVEL = 4\nSUBLEVEL = 0\nEXTRAVERSION = -rc1\n";
        assert_eq!(of_makefile(text).as_deref(), Some("7.4.0-rc1"));
        assert_eq!(of_makefile("all:\n"), None);
    }
}
