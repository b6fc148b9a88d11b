// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Which option builds a file, as far as its folder's Makefile says, and which
//! options keep each other out.
//!
//! It may not know what the files are for.

use super::ReadFile;
use std::collections::{BTreeMap, BTreeSet};

/// Whether two `.c` files are never built into one kernel: the options that
/// build them exclude each other, or both are variants of one architecture's
/// code under different options.
pub fn are_alternatives(a: &str, b: &str, read: &ReadFile<'_>) -> bool {
    let (of_a, of_b) = (options_of(a, read), options_of(b, read));
    if of_a.is_empty() || of_b.is_empty() || of_a.intersection(&of_b).next().is_some() {
        return false;
    }
    let excluded = |from: &BTreeSet<String>, to: &BTreeSet<String>, path: &str| {
        from.iter()
            .all(|option| to.iter().all(|other| excludes(option, other, path, read)))
    };
    // The variants of an architecture's KVM stand under options of which only
    // one can be chosen, through chains of dependencies.
    let variants = a.starts_with("arch/") && b.starts_with("arch/");
    variants || excluded(&of_a, &of_b, a) || excluded(&of_b, &of_a, b)
}

fn text(path: &str, read: &ReadFile<'_>) -> Option<String> {
    read(path).map(|text| String::from_utf8_lossy(&text).into_owned())
}

/// The options of which one builds the file; empty if it is always built, or if
/// that cannot be told.
pub fn options_of(path: &str, read: &ReadFile<'_>) -> BTreeSet<String> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let makefile = ["Kbuild", "Makefile"]
        .iter()
        .find_map(|file| text(&joined(folder, file), read))
        .unwrap_or_default();
    let targets = targets(&makefile.replace("\\\n", " "));
    let mut options = BTreeSet::new();
    let object = format!("{}.o", name.strip_suffix(".c").unwrap_or(name));
    let mut seen = BTreeSet::from([object.clone()]);
    let mut next = vec![object];
    while let Some(object) = next.pop() {
        for target in targets.get(&object).into_iter().flatten() {
            if let Some(option) = option_in(target) {
                options.insert(option);
                continue;
            }
            let stem = target.trim_end_matches("-y").trim_end_matches("-objs");
            let named = [format!("{stem}.o"), format!("$({target})")];
            let named = named.into_iter().filter(|one| one != "obj.o");
            next.extend(named.filter(|one| seen.insert(one.clone())));
        }
    }
    options
}

fn joined(folder: &str, name: &str) -> String {
    if folder.is_empty() {
        name.to_owned()
    } else {
        format!("{folder}/{name}")
    }
}

/// The option in `obj-$(CONFIG_X)`.
fn option_in(target: &str) -> Option<String> {
    let (_, rest) = target.split_once("$(CONFIG_")?;
    Some(rest.split_once(')')?.0.to_owned())
}

/// For each word that a makefile, its continuations joined, assigns: to what.
fn targets(makefile: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut targets: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let lines = makefile.lines().filter_map(|line| line.split('#').next());
    for (target, words) in lines.filter_map(|line| line.split_once('=')) {
        let target = target.trim_end_matches(['+', ':', ' ', '\t']).trim();
        for word in words.split_whitespace() {
            let of_word = targets.entry(word.to_owned()).or_default();
            of_word.insert(target.to_owned());
        }
    }
    targets
}

/// Whether the entry of `option`, in a Kconfig of the folder of `path` or of one
/// above it, depends on `other` being off.
fn excludes(option: &str, other: &str, path: &str, read: &ReadFile<'_>) -> bool {
    let mut folder = path;
    while let Some((above, _)) = folder.rsplit_once('/') {
        folder = above;
        let Some(kconfig) = text(&joined(folder, "Kconfig"), read) else {
            continue;
        };
        if let Some(entry) = entry_of(option, &kconfig) {
            return entry.iter().any(|line| {
                line.strip_prefix("depends on")
                    .is_some_and(|on| denies(on, other))
            });
        }
    }
    false
}

/// Whether a dependency asks for `other` to be off: `!OTHER`, `OTHER=n`.
fn denies(expression: &str, other: &str) -> bool {
    let packed: String = expression.chars().filter(|c| !c.is_whitespace()).collect();
    let whole = |rest: &str| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    packed.split(&format!("!{other}")).skip(1).any(whole)
        || packed.split(&format!("{other}=n")).skip(1).any(whole)
}

/// The lines of the entry `config NAME`.
fn entry_of<'a>(name: &str, kconfig: &'a str) -> Option<Vec<&'a str>> {
    let mut lines = kconfig.lines().skip_while(|line| {
        let mut words = line.split_whitespace();
        !matches!(words.next(), Some("config" | "menuconfig")) || words.next() != Some(name)
    });
    lines.next()?;
    let inside = lines.take_while(|line| line.is_empty() || line.starts_with([' ', '\t']));
    Some(inside.map(str::trim).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn read(path: &str) -> Option<Arc<[u8]>> {
        let text = match path {
            "d/Makefile" => {
                "obj-$(CONFIG_A) += a.o\nobj-$(CONFIG_B) += b.o\nb-y := b_main.o \\\n  b_trace.o\nobj-y += c.o\n"
            }
            "arch/p/Makefile" => {
                "e-objs := \\\n\te.o\nkvm-objs-$(CONFIG_E) := $(e-objs)\nobj-$(CONFIG_E) += kvm.o\npr-y := pr.o\nobj-$(CONFIG_P) += pr.o\n"
            }
            "d/Kconfig" => "config A\n\tbool\n\nconfig B\n\tbool \"B\"\n\tdepends on RUST && !A\n",
            _ => return None,
        };
        Some(Arc::from(text.as_bytes()))
    }

    #[test]
    fn options_and_exclusion() {
        let options = |path| options_of(path, &read).into_iter().collect::<Vec<_>>();
        assert_eq!(options("d/a.c"), ["A"]);
        assert_eq!(options("d/b_trace.c"), ["B"]);
        assert_eq!(options("d/c.c"), [""; 0]);
        assert!(are_alternatives("d/a.c", "d/b_trace.c", &read));
        assert!(!are_alternatives("d/a.c", "d/c.c", &read));
        assert!(are_alternatives("arch/p/e.c", "arch/p/pr.c", &read));
    }

    #[test]
    fn a_long_chain_of_objects() {
        let line = |at| format!("o{}-y := o{at}.o\n", at + 1);
        let chain: String = (0..20_000).map(line).collect();
        let makefile = chain + "obj-$(CONFIG_A) += o20000.o\n";
        let read = |path: &str| (path == "Makefile").then(|| Arc::from(makefile.as_bytes()));
        assert_eq!(options_of("o0.c", &read), BTreeSet::from(["A".to_owned()]));
    }
}
