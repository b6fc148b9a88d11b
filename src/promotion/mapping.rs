// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! What an event may record of each type: rules/promote.toml, which says more.

use anyhow::Context;
use serde::Deserialize;
use std::collections::BTreeMap;

const BUILT_IN: &str = include_str!("../../rules/promote.toml");

/// The mapping from argument types to fields.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    scalar: Vec<Scalar>,
    address: Address,
    enumeration: Scalar,
    #[serde(rename = "type")]
    types: Vec<Type>,
}

/// Types that are recorded as they are.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Scalar {
    #[serde(default)]
    types: Vec<String>,
    /// The field's type, if not the argument's.
    #[serde(rename = "type")]
    pub(super) as_type: Option<String>,
    pub(super) value: Option<String>,
    pub(super) format: String,
    pub(super) show: Option<Vec<String>>,
    pub(super) decide: Option<String>,
}

/// Numbers that are addresses.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Address {
    types: Vec<String>,
    /// The words of a name that tell.
    words: Vec<String>,
    decide: String,
}

/// What a pointer may be instead of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Guard {
    /// NULL.
    Null,
    /// NULL or an `ERR_PTR()`.
    Error,
}

/// A type of which something can be recorded.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Type {
    #[serde(rename = "type")]
    name: String,
    pub(super) header: Option<String>,
    pub(super) guard: Option<Guard>,
    /// Why that is safe, for those who read the file.
    why: String,
    pub(super) decide: Option<String>,
    pub(super) field: Vec<FieldRule>,
    pub(super) helper: Option<HelperRule>,
}

/// One field of a type.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct FieldRule {
    pub(super) name: String,
    #[serde(flatten)]
    pub(super) kind: FieldKind,
    pub(super) format: String,
    pub(super) show: Option<Vec<String>>,
    /// A word that the hook's comment must have.
    pub(super) needs: Option<String>,
    /// What is left to decide if it has not.
    pub(super) decide: Option<String>,
    /// What is left to decide if it has.
    pub(super) confirm: Option<String>,
}

/// How a field is stored.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum FieldKind {
    /// A string of any length.
    String {
        /// The expression that gives it.
        string: String,
    },
    /// A string of a fixed size.
    Array {
        /// The type of its elements.
        array: String,
        /// Their number.
        length: String,
        /// The statement that fills it.
        assign: String,
    },
    /// A number.
    Value {
        /// Its type.
        #[serde(rename = "type")]
        of: String,
        /// The expression that gives it.
        value: String,
        /// What stands there if there is no object.
        otherwise: Option<String>,
    },
}

/// A function to be drafted where a type is known.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HelperRule {
    pub(super) below: String,
    pub(super) includes: String,
    pub(super) declare: String,
    pub(super) define: String,
}

/// What is known of a type.
#[derive(Clone, Copy, Debug)]
pub(super) enum Known<'a> {
    Scalar(&'a Scalar),
    Enumeration(&'a Scalar),
    Type(&'a Type),
    Nothing,
}

impl Mapping {
    /// The built-in mapping.
    ///
    /// # Errors
    /// It is damaged.
    pub fn built_in() -> anyhow::Result<Self> {
        Self::parse(BUILT_IN).context("rules/promote.toml")
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let mapping: Self = toml::from_str(text)?;
        let mut seen = BTreeMap::new();
        let scalars = mapping.scalar.iter().flat_map(|one| &one.types);
        for name in scalars.chain(mapping.types.iter().map(|one| &one.name)) {
            anyhow::ensure!(seen.insert(name, ()).is_none(), "{name} is there twice");
        }
        for one in &mapping.types {
            anyhow::ensure!(!one.why.is_empty(), "{} does not say why", one.name);
        }
        Ok(mapping)
    }

    /// Why a number of type `of` is not to be recorded, if it is an address by its name.
    pub(super) fn address(&self, of: &str, name: &str) -> Option<&str> {
        let is_one = |all: &[String], one: &str| all.iter().any(|other| other == one);
        let address = &self.address;
        let told =
            is_one(&address.types, of) && name.split('_').any(|word| is_one(&address.words, word));
        told.then_some(address.decide.as_str())
    }

    /// What is known of a type, spelled without qualifiers: `struct rq *`.
    pub(super) fn of(&self, name: &str) -> Known<'_> {
        if name.starts_with("enum ") && !name.contains('*') {
            return Known::Enumeration(&self.enumeration);
        }
        let is_it = |one: &&Scalar| one.types.iter().any(|known| known == name);
        if let Some(scalar) = self.scalar.iter().find(is_it) {
            return Known::Scalar(scalar);
        }
        let found = self.types.iter().find(|one| one.name == name);
        found.map_or(Known::Nothing, Known::Type)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_mapping_is_whole() {
        let mapping = Mapping::built_in().expect("it parses");
        assert!(matches!(mapping.of("u64"), Known::Scalar(_)));
        assert!(matches!(mapping.of("enum pid_type"), Known::Enumeration(_)));
        assert!(matches!(mapping.of("struct rq *"), Known::Type(_)));
        assert!(matches!(mapping.of("enum pid_type *"), Known::Nothing));
        assert!(matches!(mapping.of("struct rq"), Known::Nothing));
    }

    #[test]
    fn a_pointer_is_never_recorded() {
        let mapping = Mapping::built_in().expect("it parses");
        for field in mapping.types.iter().flat_map(|one| &one.field) {
            assert!(!field.format.contains("%p"), "{}", field.name);
            if let FieldKind::Value { of, .. } = &field.kind {
                assert!(!of.contains('*'), "{}", field.name);
            }
        }
    }

    #[test]
    fn addresses_are_told_by_their_names() {
        let mapping = Mapping::built_in().expect("it parses");
        for (of, name, is_address) in [
            ("unsigned long", "ip", true),
            ("unsigned long", "parent_ip", true),
            ("u64", "addr", true),
            ("unsigned long", "flip", false),
            ("u32", "ip", false),
            ("unsigned long", "energy", false),
        ] {
            let address = mapping.address(of, name);
            assert_eq!(address.is_some(), is_address, "{of} {name}");
        }
    }

    #[test]
    fn a_type_cannot_mean_two_things() {
        let twice = BUILT_IN.replace("\"int\", ", "\"int\", \"int\", ");
        assert_ne!(twice, BUILT_IN);
        assert!(Mapping::parse(&twice).is_err());
    }
}
