// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Whether a call is reached only where its tracepoint was asked for.
//!
//! `walk` follows the statements to the call, `truth` knows what follows from the
//! conditions on the way, `callers` looks into the functions around.

mod callers;
mod truth;
mod walk;

pub(super) use callers::Asking;

use super::sites::Around;
use std::collections::BTreeSet;
use truth::Guards;
use walk::Walk;

/// What is known of a tracepoint at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Answer {
    /// Nothing.
    None,
    /// Another tracepoint is on.
    Other,
    /// It is on itself.
    Own,
    /// Nobody gets there.
    Never,
}

/// Whether a tracepoint is on, as somebody may ask.
struct Question<'q> {
    /// The tracepoint.
    name: &'q str,
    /// Whether there is a tracepoint of that name; what else is asked for is a helper.
    is_tracepoint: &'q dyn Fn(&str) -> bool,
    /// Functions that say yes only if it is on.
    predicates: &'q BTreeSet<String>,
}

impl Question<'_> {
    fn is_tracepoint(&self, name: &[u8]) -> bool {
        std::str::from_utf8(name).is_ok_and(|name| (self.is_tracepoint)(name))
    }

    fn is_predicate(&self, word: &[u8]) -> bool {
        std::str::from_utf8(word).is_ok_and(|word| self.predicates.contains(word))
    }
}

/// Whether the call in `around` is made only where the tracepoint is on.
fn is_guarded(around: &Around<'_>, question: &Question<'_>) -> bool {
    let walk = Walk::to(around, around.call);
    Guards::of(around, question).hold(&walk) >= Answer::Own
}

/// The tracepoints one of which is on wherever the call in `around` is reached, where
/// its own is not asked for.
fn asked_instead<'a>(around: &Around<'a>, question: &Question<'_>) -> BTreeSet<&'a [u8]> {
    let walk = Walk::to(around, around.call);
    let guards = Guards::of(around, question);
    if guards.hold(&walk) != Answer::Other {
        return BTreeSet::new();
    }
    let mut conditions = walk.conditions.iter();
    let instead =
        conditions.find(|one| guards.implied(one.words.clone(), one.holds) == Answer::Other);
    let words = instead.map_or(walk.expression.start..walk.target, |one| one.words.clone());
    let asked = words.filter_map(|index| asked(around, index));
    asked.filter(|name| question.is_tracepoint(name)).collect()
}

/// The tracepoint that the word at `index` asks for.
fn asked<'a>(around: &Around<'a>, index: usize) -> Option<&'a [u8]> {
    let word = around.word(index);
    if word == b"tracepoint_enabled" {
        return Some(around.word(index + 2));
    }
    let rest = word
        .strip_prefix(b"__trace_")
        .or_else(|| word.strip_prefix(b"trace_"))?;
    rest.strip_suffix(b"_enabled")
}

/// Helpers around the question: foo_trace_enabled(), static_branch_unlikely().
fn is_helper(word: &[u8]) -> bool {
    let holds = |part: &[u8]| memchr::memmem::find(word, part).is_some();
    let asks = (word.ends_with(b"enabled") || word.ends_with(b"_on")) && holds(b"trace");
    asks || word.starts_with(b"static_branch_") || word.starts_with(b"static_key_")
}

#[cfg(test)]
mod tests {
    use super::super::sites::Source;
    use super::*;

    const QUESTION: Question<'_> = Question {
        name: "a",
        is_tracepoint: &|name| matches!(name, "a" | "b" | "c"),
        predicates: &BTreeSet::new(),
    };

    fn in_function(body: &str) -> String {
        format!("static void f(struct rq *rq)\n{{\n{body}\n}}\n")
    }

    fn guarded(text: &str) -> bool {
        let source = Source::of(text.as_bytes());
        let at = text.find("trace_a(").unwrap_or_default() as u32;
        source
            .around(at)
            .is_some_and(|one| is_guarded(&one, &QUESTION))
    }

    #[test]
    fn forms_of_guards() {
        for body in [
            "if (trace_a_enabled()) trace_a(g());",
            "if (unlikely(trace_a_enabled()) && x) { y(); trace_a(g()); }",
            "if (tracepoint_enabled(a)) { if (x) z(); else trace_a(g()); }",
            "if (!trace_a_enabled()) return; trace_a(g());",
            "if (!trace_a_enabled() || !x) { y(); return -1; } trace_a(g());",
            "if (!trace_a_enabled()) { y(); } else { trace_a(g()); }",
            "bool on = trace_a_enabled(); x(); if (on) trace_a(g());",
            "x && trace_a_enabled() && (trace_a(g()), 1);",
            "trace_a_enabled() ? trace_a(g()) : (void)0;",
            "for (;;) { if (!trace_a_enabled()) continue; trace_a(g()); }",
            "if (!trace_a_enabled()) { x(); goto out; } trace_a(g());",
            "if (!trace_a_enabled()) return f(x, y); trace_a(g());",
            "switch (x) { case 1: if (trace_a_enabled()) trace_a(g()); }",
            "if (trace_a_enabled() || trace_b_enabled()) trace_a(g());",
            "if (rq_trace_enabled(rq)) trace_a(g());",
            "if (trace_all_enabled()) trace_a(g());",
            "list_for_each_entry(p, q, r) { if (trace_a_enabled()) trace_a(g()); }",
        ] {
            assert!(guarded(&in_function(body)), "{body}");
        }
    }

    #[test]
    fn conditions_in_parentheses_negations_and_comparisons() {
        for body in [
            "if (trace_a_enabled() && (x || y)) trace_a(g());",
            "if ((x || y) && trace_a_enabled()) trace_a(g());",
            "if (unlikely((x | y) && trace_a_enabled())) trace_a(g());",
            "if ((bool)trace_a_enabled() && x) trace_a(g());",
            "if (x & trace_a_enabled()) trace_a(g());",
            "if (!(trace_a_enabled() && x)) return; trace_a(g());",
            "if (!trace_a_enabled() || (x && y)) return; trace_a(g());",
            "if (!trace_a_enabled() || x && y) return; trace_a(g());",
            "if (likely(!trace_a_enabled())) return; trace_a(g());",
            "if (!(!trace_a_enabled())) trace_a(g());",
            "if (!!trace_a_enabled()) trace_a(g());",
            "if (trace_a_enabled() == 0) return; trace_a(g());",
            "if (false == trace_a_enabled()) return; trace_a(g());",
            "if (trace_a_enabled() != false) trace_a(g());",
            "if (x ? trace_a_enabled() : false) trace_a(g());",
            "if (x && (on = trace_a_enabled())) trace_a(g());",
            "(void)(!trace_a_enabled() || (trace_a(g()), 1));",
            "!trace_a_enabled() ? (void)0 : trace_a(g());",
            "if (trace_a_enabled() && (trace_a(g()), x)) y();",
        ] {
            assert!(guarded(&in_function(body)), "{body}");
        }
        for body in [
            "if (!(trace_a_enabled() || x)) return; trace_a(g());",
            "if (trace_a_enabled() == 0) trace_a(g());",
            "if (trace_a_enabled() != 0) return; trace_a(g());",
            "if (trace_a_enabled() || (x && y)) trace_a(g());",
            "if (x ? trace_a_enabled() : true) trace_a(g());",
            "trace_a_enabled() ? (void)0 : trace_a(g());",
            "(void)(trace_a_enabled() || (trace_a(g()), 1));",
        ] {
            assert!(!guarded(&in_function(body)), "{body}");
        }
    }

    #[test]
    fn variables_that_hold_the_answer() {
        for body in [
            "bool off = !trace_a_enabled(); if (off) return; trace_a(g());",
            "bool on = x && trace_a_enabled(); if (on) trace_a(g());",
            "int on = 0; if (trace_a_enabled()) on = 1; if (on) trace_a(g());",
            "bool on = false; on |= trace_a_enabled(); if (on) trace_a(g());",
            "u64 t = trace_a_enabled() ? now() : 0; if (t) trace_a(now() - t);",
            "bool x, on = trace_a_enabled(), y; if (on && x) trace_a(g());",
            "p->on = trace_a_enabled(); if (p->on) trace_a(g());",
        ] {
            assert!(guarded(&in_function(body)), "{body}");
        }
        for body in [
            "bool off = !trace_a_enabled(); if (off) trace_a(g());",
            "bool on = x || trace_a_enabled(); if (on) trace_a(g());",
            "bool on = trace_a_enabled(); on = x; if (on) trace_a(g());",
            "int on = 1; if (trace_a_enabled()) on = 2; if (on) trace_a(g());",
            "bool on = false; if (on) trace_a(g());",
            "a = b; b = a; if (a) trace_a(g());",
        ] {
            assert!(!guarded(&in_function(body)), "{body}");
        }
    }

    #[test]
    fn ways_through_statements() {
        for body in [
            "while (trace_a_enabled() && x--) trace_a(g());",
            "for (; trace_a_enabled() && x; x--) { trace_a(g()); }",
            "do { if (!trace_a_enabled()) break; trace_a(g()); } while (0);",
            "int x = ({ if (trace_a_enabled()) trace_a(g()); 1; });",
            "h(({ if (!trace_a_enabled()) return; trace_a(g()); 1; }));",
            "scoped_guard(rcu) if (trace_a_enabled()) trace_a(g());",
            "scoped_guard(rcu) { if (trace_a_enabled()) trace_a(g()); }",
            "guard(rcu)(); if (trace_a_enabled()) trace_a(g());",
            "if (trace_a_enabled()) x(); else return; trace_a(g());",
            "if (!trace_a_enabled()) { if (x) return; else return; } trace_a(g());",
            "if (x) return; else if (!trace_a_enabled()) return; trace_a(g());",
            "if (trace_a_enabled()) { again: trace_a(g()); if (x) goto again; }",
            "if (x)\n#ifdef Y\nif (y)\n#endif\nif (trace_a_enabled())\ntrace_a(g());",
            "if (trace_a_enabled()) { switch (x) { case 1: trace_a(g()); } }",
        ] {
            assert!(guarded(&in_function(body)), "{body}");
        }
        for body in [
            "do { trace_a(g()); } while (trace_a_enabled());",
            "for (;;) if (!trace_a_enabled()) continue; trace_a(g());",
            "if (!trace_a_enabled()) goto note; x(); note: trace_a(g());",
            "if (x) goto note; if (!trace_a_enabled()) return; note: trace_a(g());",
            "switch (x) { case 1: if (!trace_a_enabled()) break; case 2: trace_a(g()); }",
            "if (x) { if (!trace_a_enabled()) return; } trace_a(g());",
            "int x = ({ if (trace_a_enabled()) y(); 1; }); trace_a(g());",
        ] {
            assert!(!guarded(&in_function(body)), "{body}");
        }
    }

    #[test]
    fn guards_in_macros() {
        for text in [
            "#define M(x) do { if (trace_a_enabled()) trace_a(g(x)); } while (0)\n",
            "#define M(x) ({ int r = h(x);\\\n\tif (trace_a_enabled())\\\n\t\ttrace_a(g(r));\\\n r; })\n",
            "#define M(x) (trace_a_enabled() ? trace_a(g(x)) : (void)0)\n",
        ] {
            assert!(guarded(text), "{text}");
        }
        assert!(!guarded(
            "#define M(x) do { if (x) trace_a(g(x)); } while (0)\n"
        ));
    }

    #[test]
    fn what_is_asked_for_instead() {
        for (body, expected) in [
            ("trace_a(g());", ""),
            ("if (trace_b_enabled()) trace_a(x);", "b"),
            ("if (y && trace_b_enabled()) { if (z) trace_a(x); }", "b"),
            ("if (trace_b_enabled() && (y || z)) trace_a(x);", "b"),
            (
                "if (trace_b_enabled() || tracepoint_enabled(c)) trace_a(x);",
                "b c",
            ),
            ("if (!trace_b_enabled()) return; trace_a(x);", "b"),
            ("if (trace_b_enabled() || y) trace_a(x);", ""),
            (
                "if (trace_b_enabled() || trace_a_enabled()) trace_a(x);",
                "",
            ),
            (
                "if (trace_b_enabled()) { if (trace_a_enabled()) trace_a(x); }",
                "",
            ),
            ("if (trace_b_enabled()) trace_b(x); trace_a(x);", ""),
            ("if (!trace_b_enabled()) trace_a(x);", ""),
            ("if (b_trace_enabled(x)) trace_a(x);", ""),
            ("if (trace_d_enabled()) trace_a(x);", ""),
            ("y && trace_b_enabled() && (trace_a(x), 1);", "b"),
        ] {
            let text = in_function(body);
            let source = Source::of(text.as_bytes());
            let at = text.find("trace_a(").unwrap_or_default() as u32;
            let around = source.around(at).expect("a function");
            let asked = asked_instead(&around, &QUESTION)
                .into_iter()
                .map(String::from_utf8_lossy);
            assert_eq!(asked.collect::<Vec<_>>().join(" "), expected, "{body}");
        }
    }

    #[test]
    fn forms_that_guard_nothing() {
        for body in [
            "trace_a(g());",
            "if (x) trace_a(g());",
            "if (trace_a_enabled()) x(); trace_a(g());",
            "if (!trace_a_enabled()) trace_a(g());",
            "if (!trace_a_enabled()) x(); trace_a(g());",
            "if (trace_b_on(x)) y(); else trace_a(g());",
            "if (trace_b_enabled()) trace_a(g());",
            "if (x || trace_a_enabled()) trace_a(g());",
            "if (trace_a_enabled()) return; trace_a(g());",
            "if (trace_a_enabled()) { x(); } else { trace_a(g()); }",
            "{ if (!trace_a_enabled()) x(); } trace_a(g());",
            "if (!trace_a_enabled()) { if (y) return; } trace_a(g());",
            "if (!trace_a_enabled()) if (y) return; trace_a(g());",
            "if (!trace_a_enabled()) { if (y) { return; } } trace_a(g());",
            "if (!trace_a_enabled() && y) return; trace_a(g());",
            "{ if (!trace_a_enabled()) break; } trace_a(g());",
        ] {
            assert!(!guarded(&in_function(body)), "{body}");
        }
    }
}
