// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Calls at file scope of which an `#if` decides what they declare, or by which macro.

use super::{MOST_UNCLOSED, Origin, Reader};
use crate::inventory::declarations::merge_variants;
use crate::inventory::facts::Facts;
use crate::inventory::uses::Tokens;
use crate::syntax::alternatives::{Alternative, alternatives};
use crate::syntax::conditions::Condition;
use crate::syntax::directives::Directive;
use crate::syntax::groups::joined;

impl Reader<'_> {
    /// Reads each call that the one at `index` may be, if an `#if` decides on that. Gives
    /// the index of the last token that is then done with, if any of them says something
    /// about tracepoints.
    pub(super) fn alternatives(&mut self, index: usize) -> Option<usize> {
        let name = std::str::from_utf8(self.tokens().word(index)).ok()?;
        let is_wrapper = self.macros.is_wrapper(name, self.semantics);
        if !is_wrapper && self.semantics.effect(name).is_none() {
            return None;
        }
        if self.unclosed > MOST_UNCLOSED {
            return None;
        }
        let all = alternatives(self.text, self.tokens, index)?;
        self.unclosed += all.passed;
        let before = std::mem::take(&mut self.facts);
        let calls = all.calls.iter();
        let says = calls.filter_map(|call| self.alternative(call, index, name, is_wrapper));
        let variants: Vec<Facts> = says.collect();
        self.facts = before;
        if variants.is_empty() {
            return None;
        }
        merge_variants(&mut self.facts, variants);
        for end in all.crossed {
            self.directive(end);
        }
        Some(all.resume - 1)
    }

    /// What one of them says; `None` if it says nothing, or is never compiled.
    fn alternative(
        &mut self,
        call: &Alternative,
        index: usize,
        name: &str,
        is_wrapper: bool,
    ) -> Option<Facts> {
        let condition = self.condition_behind(&call.directives)?;
        let origin = Origin {
            condition,
            ..self.origin(index)
        };
        let (text, all) = (self.text, call.tokens.as_slice());
        let mut speaks = true;
        if is_wrapper {
            speaks = self.expand_call(joined(text, all).as_bytes(), name, &origin);
        } else {
            self.declare(Tokens { text, all }, 0..all.len() - 1, &origin, &[]);
        }
        let says = std::mem::take(&mut self.facts);
        speaks.then_some(says)
    }

    /// The condition behind these directives; `None` where nothing is compiled.
    fn condition_behind(&self, directives: &[usize]) -> Option<Condition> {
        if directives.is_empty() {
            return Some(self.conditions.condition());
        }
        let mut conditions = self.conditions.clone();
        for &index in directives {
            let directive = self.tokens[index].span.of(self.text);
            conditions.directive(&Directive::parse(directive));
        }
        (!conditions.is_dead()).then(|| conditions.condition())
    }
}
