// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! A tree's version: the first lines of its Makefile.

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
    fn versions() {
        let text = "# SPDX\nVERSION = 7\nPATCHLEVEL = 4\nSUBLEVEL = 0\nEXTRAVERSION = -rc1\n";
        assert_eq!(of_makefile(text).as_deref(), Some("7.4.0-rc1"));
        assert_eq!(of_makefile("all:\n"), None);
    }
}
