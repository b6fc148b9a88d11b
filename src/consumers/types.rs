// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Whether two parameter lists are of the same types: names make no difference.

/// Whether `probe` can be attached where `parameters` are handed over.
pub(super) fn same_types(parameters: &[String], probe: &[String]) -> bool {
    parameters.len() == probe.len() && starts_with_types(parameters, probe)
}

/// Whether the first of `parameters` are of the types of `probe`.
pub(super) fn starts_with_types(parameters: &[String], probe: &[String]) -> bool {
    parameters.len() >= probe.len()
        && parameters
            .iter()
            .zip(probe)
            .all(|(one, other)| one == other || type_of(one) == type_of(other))
}

/// A parameter's words and stars without its name. `unsigned` alone is `unsigned int`,
/// and an array is a pointer.
fn type_of(parameter: &str) -> Vec<String> {
    // Of a pointer to a function, the name is within.
    if parameter.contains('(') {
        return vec![parameter.split_whitespace().collect()];
    }
    let (parameter, array) = match parameter.split_once('[') {
        Some((before, _)) => (before, true),
        None => (parameter, false),
    };
    let spaced = parameter.replace('*', " * ");
    let mut words: Vec<String> = spaced.split_whitespace().map(str::to_owned).collect();
    if words.len() > 1 && words.last().is_some_and(|last| is_name(last, &words)) {
        words.pop();
    }
    if array {
        words.push("*".to_owned());
    }
    for word in &mut words {
        *word = match word.as_str() {
            "u8" | "__u8" | "uint8_t" => "u8",
            "u16" | "__u16" | "uint16_t" => "u16",
            "u32" | "__u32" | "uint32_t" => "u32",
            "u64" | "__u64" | "uint64_t" => "u64",
            "_Bool" => "bool",
            other => other,
        }
        .to_owned();
    }
    if words == ["unsigned"] {
        words.push("int".to_owned());
    }
    words
}

/// Whether the last word is the parameter's name: `unsigned int` has none.
fn is_name(last: &str, words: &[String]) -> bool {
    const TYPES: [&str; 9] = [
        "*", "int", "long", "short", "char", "unsigned", "signed", "const", "bool",
    ];
    // `struct rq` has none either.
    let tagged =
        words.len() == 2 && matches!(words[0].as_str(), "struct" | "enum" | "union" | "const");
    !TYPES.contains(&last) && !tagged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_make_no_difference() {
        let same = |one: &str, other: &str| same_types(&[one.to_owned()], &[other.to_owned()]);
        assert!(same("struct rq *rq", "struct rq *this"));
        assert!(same("struct rq *rq", "struct rq *"));
        assert!(same("unsigned int a", "unsigned int"));
        assert!(same("u32 x", "__u32 y"));
        assert!(same("char a[16]", "char *a"));
        assert!(same("bool", "bool over"));
        assert!(!same("struct rq *rq", "struct cfs_rq *rq"));
        assert!(!same("struct rq *rq", "struct rq rq"));
        assert!(!same("int a", "bool a"));
        assert!(!same("const char *a", "char *a"));
        assert!(!same_types(&["int a".to_owned()], &[]));
        assert!(starts_with_types(&["int a".to_owned()], &[]));
    }
}
