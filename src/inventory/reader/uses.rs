// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Uses of generated functions, and probes being attached.

use super::{MOST_PROBES, Origin, Reader};
use crate::inventory::facts::{Attachment, CustomEvent, Mention, Target, Use};
use crate::inventory::uses::{Sign, Tokens, text_of};

impl<'a> Reader<'a> {
    pub(super) fn used(
        &mut self,
        tokens: Tokens<'_>,
        index: usize,
        sign: Sign,
        origin: &Origin,
        defined: bool,
    ) {
        match sign {
            Sign::Function { called } => {
                let usage = match (called, defined) {
                    (true, true) => Use::Definition,
                    (true, false) => Use::Call,
                    (false, _) => Use::Pointer,
                };
                self.mention(text_of(tokens.word(index)), usage, origin);
            }
            Sign::Guard(name) => {
                let identifier = format!("trace_{name}_enabled").into();
                self.mention(identifier, Use::Guard, origin);
            }
            Sign::Registers(probe) => {
                let target = Target::Function(text_of(tokens.word(index)));
                self.attach(target, probe.into_iter().collect(), origin);
            }
            Sign::Symbol {
                name,
                probes,
                registered,
            } => {
                if !registered {
                    self.pointers.push(self.facts.attachments.len());
                    if index.checked_sub(1).is_some_and(|one| tokens.is(one, b'&')) {
                        self.addresses.push(CustomEvent {
                            tracepoint: name.clone(),
                            at: origin.at,
                            condition: origin.condition.clone(),
                        });
                    }
                }
                self.attach(Target::Symbol(name), probes, origin);
            }
            Sign::RegistersSome(probe) => {
                let known = &mut self.probes_of_some;
                let new = probe.filter(|one| known.len() < MOST_PROBES && !known.contains(one));
                known.extend(new);
            }
            Sign::LooksUp => self.looks_up = true,
        }
    }

    fn mention(&mut self, identifier: Box<str>, usage: Use, origin: &Origin) {
        self.facts.mentions.push(Mention {
            identifier,
            usage,
            function: origin.function.clone(),
            at: origin.at,
            condition: origin.condition.clone(),
            pasted: false,
        });
    }

    pub(super) fn attach(&mut self, target: Target, probes: Vec<Box<str>>, origin: &Origin) {
        self.facts.attachments.push(Attachment {
            target,
            probes,
            function: origin.function.clone(),
            at: origin.at,
            condition: origin.condition.clone(),
        });
    }
}
