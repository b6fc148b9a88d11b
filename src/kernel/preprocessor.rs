// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! A preprocessor that only keeps the macro table, for a kernel in which every
//! option is on.
//!
//! Which includes are followed is the caller's choice. It may not know which
//! headers there are.

use super::expand::MacroTable;
use crate::syntax::directives::{Directive, IncludeTarget};
use crate::syntax::expressions::Expression;
use crate::syntax::lexer::{Kind, lex};
use std::sync::Arc;

/// How deep includes may nest.
const DEEPEST: usize = 16;

/// How many includes are followed; the tracing core's headers have some dozens.
const MOST_FOLLOWED: usize = 1 << 8;

/// What to do with an include.
pub enum Follow {
    /// Read this file, under this path.
    File(String, Arc<[u8]>),
    /// Go on without it.
    Skip,
}

/// Decides on the includes of a file: given its path, the target, and the
/// macro table at that place.
pub type Policy<'a> = dyn FnMut(&str, &IncludeTarget<'_>, &MacroTable) -> Follow + 'a;

/// One open `#if`.
struct Frame {
    live: bool,
    taken: bool,
    outer_live: bool,
}

/// Runs over `text`, the file `path`, and changes `table` as its directives say.
pub fn run(path: &str, text: &[u8], table: &mut MacroTable, policy: &mut Policy<'_>) {
    let mut run = Run {
        table,
        policy,
        left: MOST_FOLLOWED,
    };
    run.file(path, text, 0);
}

struct Run<'r, 'p> {
    table: &'r mut MacroTable,
    policy: &'r mut Policy<'p>,
    /// How many includes may still be followed.
    left: usize,
}

impl Run<'_, '_> {
    fn file(&mut self, path: &str, text: &[u8], depth: usize) {
        let mut frames: Vec<Frame> = Vec::new();
        for token in lex(text, true).tokens {
            if token.kind != Kind::Directive {
                continue;
            }
            let line = token.span.of(text);
            let directive = Directive::parse(line);
            if conditional(&directive, &mut frames, self.table) {
                continue;
            }
            if frames.last().is_some_and(|frame| !frame.live) {
                continue;
            }
            match directive {
                Directive::Define(define) => self.table.define_as(&define, line),
                Directive::Undef(name) => self.table.undefine(name),
                Directive::Include(target) if depth < DEEPEST => {
                    self.include(path, &target, depth);
                }
                _ => {}
            }
        }
    }

    fn include(&mut self, from: &str, target: &IncludeTarget<'_>, depth: usize) {
        if let Follow::File(path, text) = (self.policy)(from, target, self.table)
            && self.left > 0
        {
            self.left -= 1;
            self.file(&path, &text, depth + 1);
        }
    }
}

/// Handles `directive` if it is one of a conditional.
fn conditional(directive: &Directive<'_>, frames: &mut Vec<Frame>, table: &MacroTable) -> bool {
    let outer_live = frames.last().is_none_or(|frame| frame.live);
    match directive {
        Directive::If(text) => open(frames, outer_live, holds(text, table)),
        Directive::Ifdef(name) => open(frames, outer_live, is_defined(name, table)),
        Directive::Ifndef(name) => open(frames, outer_live, !is_defined(name, table)),
        Directive::Elif(text) => next(frames, holds(text, table)),
        Directive::Elifdef(name) => next(frames, is_defined(name, table)),
        Directive::Elifndef(name) => next(frames, !is_defined(name, table)),
        Directive::Else => next(frames, true),
        Directive::Endif => drop(frames.pop()),
        _ => return false,
    }
    true
}

fn open(frames: &mut Vec<Frame>, outer_live: bool, holds: bool) {
    frames.push(Frame {
        live: outer_live && holds,
        taken: holds,
        outer_live,
    });
}

fn next(frames: &mut [Frame], holds: bool) {
    if let Some(frame) = frames.last_mut() {
        frame.live = frame.outer_live && !frame.taken && holds;
        frame.taken |= holds;
    }
}

fn is_defined(name: &[u8], table: &MacroTable) -> bool {
    name.starts_with(b"CONFIG_") || table.contains(name)
}

fn holds(text: &[u8], table: &MacroTable) -> bool {
    let value = Expression::parse(text).value(&|atom| match atom {
        Expression::Defined(name) => Some(i64::from(is_defined(name.as_bytes(), table))),
        Expression::Call(name, _) => Some(i64::from(name.starts_with("IS_"))),
        Expression::Name(name) => Some(value_of(name, table)),
        _ => None,
    });
    value.unwrap_or(0) != 0
}

fn value_of(name: &str, table: &MacroTable) -> i64 {
    let number = table.body(name.as_bytes()).next().and_then(|(text, _)| {
        let text = std::str::from_utf8(text).ok()?;
        text.parse().ok()
    });
    number.unwrap_or(i64::from(name.starts_with("CONFIG_")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditionals_defines_and_includes() {
        let text = b"#ifdef CONFIG_A\n#define X 1\n#else\n#define Y 1\n#endif\n#if defined(X) && !defined(Y)\n#include <a.h>\n#endif\n#undef X\n";
        let mut table = MacroTable::default();
        run("b.h", text, &mut table, &mut |from, _, table| {
            assert!(from == "b.h" && table.contains(b"X"));
            Follow::File("a.h".to_owned(), Arc::from(*b"#define Z 1\n"))
        });
        assert!(table.contains(b"Z") && !table.contains(b"X") && !table.contains(b"Y"));
    }

    #[test]
    fn a_header_that_includes_itself_ends() {
        let text: Arc<[u8]> = Arc::from(*b"#include \"a.h\"\n#include \"a.h\"\n");
        let mut count = 0;
        run(
            "a.h",
            &text.clone(),
            &mut MacroTable::default(),
            &mut |_, _, _| {
                count += 1;
                Follow::File("a.h".to_owned(), text.clone())
            },
        );
        assert!((10..=2 * MOST_FOLLOWED + 2).contains(&count), "{count}");
    }
}
