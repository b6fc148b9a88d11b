// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! What is only known at the end of a file.

use super::{Origin, Reader};
use crate::inventory::allowances;
use crate::inventory::facts::{Facts, Makes, Target};
use crate::inventory::pasting;
use crate::inventory::uses::text_of;
use crate::syntax::conditions::Condition;

impl<'a> Reader<'a> {
    pub(super) fn finish(mut self) -> Facts {
        self.weigh_overrides();
        self.attach_looked_up();
        self.take_events_made_by_hand();
        self.facts.allowances = allowances::of(self.text, self.tokens);
        pasting::resolve_in_file(
            self.text,
            self.tokens,
            &self.lines,
            &self.macros,
            &mut self.facts,
        );
        self.keep_macros();
        self.facts.prune(self.system.is_some());
        self.facts
    }

    /// What the redefined macros come to, now that all of the file's are known.
    fn weigh_overrides(&mut self) {
        for one in &mut self.facts.overrides {
            let cores = self.macros.core_macros_of(&one.name, self.semantics);
            one.makes = cores
                .iter()
                .filter_map(|core| self.semantics.effect(core))
                .map(crate::inventory::declarations::makes)
                .fold(Makes::default(), Makes::or);
        }
    }

    /// Strings in a file that looks tracepoints up by name may be their names.
    fn attach_looked_up(&mut self) {
        for &index in &self.pointers {
            if let Some(attachment) = self.facts.attachments.get_mut(index) {
                attachment
                    .probes
                    .extend(self.probes_of_some.iter().cloned());
            }
        }
        if !self.looks_up || self.probes_of_some.is_empty() {
            return;
        }
        for index in std::mem::take(&mut self.strings) {
            let literal = self.tokens().word(index);
            let Some(name) = literal
                .strip_prefix(b"\"")
                .and_then(|rest| rest.strip_suffix(b"\""))
            else {
                continue;
            };
            let mut probes = self.tokens().companions(index);
            probes.extend(self.probes_of_some.iter().cloned());
            let origin = Origin {
                at: self.at(self.tokens[index].span.start),
                condition: Condition::default(),
                function: None,
            };
            self.attach(Target::Name(text_of(name)), probes, &origin);
        }
    }

    /// A file that has to do with `struct trace_event_call` (include/linux/trace_events.h)
    /// and takes the address of a tracepoint without registering a probe there makes an
    /// event of it without any macro: `.tp = &__tracepoint_X`.
    fn take_events_made_by_hand(&mut self) {
        let makes_events = self
            .facts
            .mentions
            .iter()
            .any(|one| one.identifier.as_ref() == "trace_event_call");
        if makes_events {
            self.facts.custom_events.append(&mut self.addresses);
        }
    }

    /// Keeps the macros that other files may need.
    fn keep_macros(&mut self) {
        if !self.macros.matter() {
            return;
        }
        let wrappers = self.macros.all_wrappers(self.semantics);
        self.facts.wrappers = self.macros.definitions(&wrappers);
    }
}
