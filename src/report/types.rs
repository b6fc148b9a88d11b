// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Of what kind the arguments of a hook are: what an event would make known for good.

use crate::source::Tree;
use crate::syntax::lexer::{Kind as Token, lex};
use memchr::memmem;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

/// One argument of a hook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Argument {
    /// As it is declared.
    pub declared: String,
    /// What it is.
    pub kind: Kind,
}

/// What an argument is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A number.
    Scalar,
    /// Text.
    Text,
    /// A structure that a header below include/ defines: the file.
    Public(String),
    /// A structure that only its subsystem knows: the file that defines it.
    Private(String),
    /// A pointer to something whose definition was not found.
    Unknown,
}

/// Where structures are defined: the first place of each, headers below include/ first.
#[derive(Debug, Default)]
pub struct Definitions(BTreeMap<String, String>);

impl Definitions {
    /// Looks for `names` in the headers below include/, and in all of the folders
    /// `folders`.
    ///
    /// # Errors
    /// One of the files cannot be read.
    pub fn find(
        tree: &dyn Tree,
        names: &BTreeSet<String>,
        folders: &BTreeSet<String>,
    ) -> anyhow::Result<Self> {
        let found: Mutex<BTreeMap<String, String>> = Mutex::default();
        let is_wanted = |path: &str| {
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            (path.starts_with("include/") && path.ends_with(".h"))
                || (folders.contains(folder) && (path.ends_with(".h") || path.ends_with(".c")))
        };
        tree.visit(&is_wanted, &|path, text| {
            for name in names.iter().filter(|name| defines(text, name)) {
                let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                let known = found.entry(name.clone()).or_insert_with(|| path.to_owned());
                if (!is_public(path), path) < (!is_public(known), known) {
                    path.clone_into(known);
                }
            }
        })?;
        Ok(Self(
            found.into_inner().unwrap_or_else(PoisonError::into_inner),
        ))
    }

    /// The argument that is declared so.
    pub fn argument(&self, declared: &str) -> Argument {
        Argument {
            declared: declared.to_owned(),
            kind: self.kind(declared),
        }
    }

    fn kind(&self, declared: &str) -> Kind {
        match structure(declared) {
            Some(name) => match self.0.get(&name) {
                Some(file) if is_public(file) => Kind::Public(file.clone()),
                Some(file) => Kind::Private(file.clone()),
                None => Kind::Unknown,
            },
            None if !declared.contains(['*', '[', '(']) => Kind::Scalar,
            None if is_text(declared) => Kind::Text,
            None => Kind::Unknown,
        }
    }
}

fn is_public(path: &str) -> bool {
    path.starts_with("include/")
}

fn is_text(declared: &str) -> bool {
    let mut words = words(declared).into_iter().filter(|word| word != "const");
    words.next().as_deref() == Some("char") && declared.matches('*').count() == 1
}

/// The structure or union that a parameter is of or points to.
pub fn structure(declared: &str) -> Option<String> {
    let words = words(declared);
    let at = words
        .iter()
        .position(|word| word == "struct" || word == "union")?;
    words.into_iter().nth(at + 1)
}

fn words(text: &str) -> Vec<String> {
    let tokens = lex(text.as_bytes(), false).tokens;
    let names = tokens.iter().filter(|one| one.kind == Token::Identifier);
    names
        .map(|one| String::from_utf8_lossy(one.span.of(text.as_bytes())).into_owned())
        .collect()
}

/// Whether `text` has `struct NAME {`, in whatever spelling.
fn defines(text: &[u8], name: &str) -> bool {
    let mut places = memmem::find_iter(text, name.as_bytes());
    places.any(|at| {
        let before = text[..at].trim_ascii_end();
        let after = text[at + name.len()..].trim_ascii_start();
        before.len() < at
            && (before.ends_with(b"struct") || before.ends_with(b"union"))
            && after.first() == Some(&b'{')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structures_of_parameters() {
        assert_eq!(structure("const struct rq *rq").as_deref(), Some("rq"));
        assert_eq!(structure("union u x").as_deref(), Some("u"));
        assert_eq!(structure("int structure"), None);
        assert_eq!(structure(""), None);
    }

    #[test]
    fn definitions_and_mentions() {
        assert!(defines(b"x; struct  rq\n{ int a; };", "rq"));
        assert!(!defines(b"struct rq *rq; struct rq_flags {", "rq"));
        assert!(!defines(b"mystruct_rq {", "rq"));
    }

    #[test]
    fn kinds() {
        let definitions = Definitions(BTreeMap::from([
            ("rq".to_owned(), "kernel/sched/sched.h".to_owned()),
            ("file".to_owned(), "include/linux/fs.h".to_owned()),
        ]));
        let kind = |declared| definitions.argument(declared).kind;
        assert_eq!(
            kind("struct rq *rq"),
            Kind::Private("kernel/sched/sched.h".into())
        );
        assert_eq!(
            kind("struct file *file"),
            Kind::Public("include/linux/fs.h".into())
        );
        assert_eq!(kind("struct gone *x"), Kind::Unknown);
        assert_eq!(kind("const char *name"), Kind::Text);
        assert_eq!(kind("loff_t *pos"), Kind::Unknown);
        assert_eq!(kind("unsigned long x"), Kind::Scalar);
    }
}
