// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The uses in everything that is not C: loaders in Go, Python and Rust, shell scripts,
//! bpftrace programs, and lines for tracefs.

use super::Way;
use super::bpf::{is_name, section};
use super::files::Language;
use super::masked::{Kind, Masked, Piece, mask};
use super::names::Names;
use super::text::{self, Named};
use crate::syntax::lines::Lines;
use memchr::memmem;
use std::cell::LazyCell;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

/// How far before a string the call may begin that it is given to, in pieces.
const DISTANCE: usize = 256;

/// What a script holds, in no order.
#[derive(Debug, Default)]
pub(super) struct Look {
    pub hits: Vec<Hit>,
    pub programs: Vec<Program>,
}

/// A tracepoint that a script names.
#[derive(Debug)]
pub(super) struct Hit {
    pub way: Way,
    pub name: String,
    pub line: u32,
}

/// A BPF program in C that is a string of another program, as bcc has it.
#[derive(Debug)]
pub(super) struct Program {
    pub text: Vec<u8>,
    /// The line that it starts on.
    pub line: u32,
}

/// Looks at a script.
pub(super) fn look(text: &[u8], language: Language, names: &Names) -> Look {
    let masked = mask(text, language);
    let script = Script {
        text,
        language,
        masked: &masked,
        names,
        mentions: Mentions::of(&masked.text),
    };
    let mut found = match language {
        Language::Bpftrace => script.probes(&without_strings(&masked), 0),
        Language::Lines => text::tprobes(&ascii(&masked.text), names),
        Language::SystemTap => text::systemtap(&ascii(&masked.text), names),
        Language::Shell => script.shell(),
        _ => script.program(),
    };
    if language == Language::Lines {
        // Without a program around them, only what is known is more than a coincidence.
        found.retain(|one| names.real(&one.name).is_some());
    }
    let lines = Lines::of(text);
    let line = |offset: usize| lines.line(offset.min(text.len()) as u32);
    let mut look = Look::default();
    look.hits.extend(found.into_iter().map(|one| Hit {
        line: line(one.offset),
        way: one.way,
        name: one.name,
    }));
    if matches!(language, Language::Rust | Language::Go | Language::Python) {
        let strings = script.strings().map(|(_, piece)| piece);
        let programs = strings.filter(|piece| is_program(script.of(piece)));
        look.programs.extend(programs.map(|piece| Program {
            text: script.of(piece).to_vec(),
            line: line(piece.start),
        }));
    }
    look
}

fn is_program(text: &[u8]) -> bool {
    let signs: [&[u8]; 2] = [b"TRACEPOINT_PROBE", b"SEC("];
    signs.iter().any(|sign| memmem::find(text, sign).is_some())
}

/// Which programs and files a script speaks of at all.
struct Mentions {
    bpftrace: bool,
    systemtap: bool,
    dynamic_events: bool,
    events: bool,
    /// trace-cmd and not perf.
    only_trace_command: bool,
}

impl Mentions {
    fn of(text: &[u8]) -> Self {
        let has = |word: &str| memmem::find(text, word.as_bytes()).is_some();
        let command = has("trace-cmd") || has("trace_cmd");
        let perf = has("perf");
        Self {
            bpftrace: has("bpftrace"),
            systemtap: has("stap"),
            dynamic_events: has("dynamic_events"),
            events: command || perf || has("set_event") || has("events/"),
            only_trace_command: command && !perf,
        }
    }

    fn usual(&self) -> Way {
        if self.only_trace_command {
            Way::TraceCommand
        } else {
            Way::Perf
        }
    }
}

/// Bytes of another encoding are replaced one by one, so that offsets stay.
fn ascii(text: &[u8]) -> String {
    text.iter()
        .map(|&byte| {
            if byte.is_ascii() {
                char::from(byte)
            } else {
                '?'
            }
        })
        .collect()
}

fn without_strings(masked: &Masked) -> Vec<u8> {
    let mut text = masked.text.clone();
    for piece in masked.pieces.iter().filter(|one| one.kind == Kind::String) {
        for byte in &mut text[piece.start..piece.end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
    }
    text
}

struct Script<'a> {
    text: &'a [u8],
    language: Language,
    masked: &'a Masked,
    names: &'a Names,
    mentions: Mentions,
}

impl Script<'_> {
    fn strings(&self) -> impl Iterator<Item = (usize, &Piece)> {
        let pieces = self.masked.pieces.iter().enumerate();
        pieces.filter(|(_, one)| one.kind == Kind::String)
    }

    fn of(&self, piece: &Piece) -> &[u8] {
        self.text.get(piece.start..piece.end).unwrap_or_default()
    }

    fn probes(&self, program: &[u8], base: usize) -> Vec<Named> {
        moved(text::bpftrace(&ascii(program), self.names), base)
    }

    /// Shell: words count whether they are quoted or not.
    fn shell(&self) -> Vec<Named> {
        let mut found = Vec::new();
        let whole = ascii(&self.masked.text);
        if self.mentions.bpftrace {
            found.extend(self.probes(&without_strings(self.masked), 0));
            for (_, piece) in self.strings() {
                let program = mask(self.of(piece), Language::Bpftrace);
                found.extend(self.probes(&without_strings(&program), piece.start));
            }
        }
        if self.mentions.systemtap {
            found.extend(text::systemtap(&whole, self.names));
        }
        if self.mentions.dynamic_events {
            found.extend(text::tprobes(&whole, self.names));
            for (_, piece) in self.strings() {
                found.extend(self.tprobes_in(piece));
            }
        }
        if self.mentions.events {
            found.extend(text::events(&whole, self.names, self.mentions.usual()));
        }
        found.sort_by_key(|one| (one.offset, one.way));
        found.dedup();
        found
    }

    fn tprobes_in(&self, piece: &Piece) -> Vec<Named> {
        moved(
            text::tprobes(&ascii(self.of(piece)), self.names),
            piece.start,
        )
    }

    /// A program: what its strings are given to, and what they say by themselves.
    fn program(&self) -> Vec<Named> {
        let mut found = Vec::new();
        if self.language == Language::Rust {
            found.extend(self.declared());
        }
        for (index, piece) in self.strings() {
            let content = self.of(piece);
            found.extend(self.attached(index, content, piece.start));
            if self.mentions.bpftrace {
                let program = mask(content, Language::Bpftrace);
                found.extend(self.probes(&without_strings(&program), piece.start));
            }
            if self.mentions.dynamic_events {
                found.extend(self.tprobes_in(piece));
            }
            if self.mentions.events {
                let usual = self.mentions.usual();
                found.extend(moved(
                    text::events(&ascii(content), self.names, usual),
                    piece.start,
                ));
            }
        }
        found.extend(self.constants());
        found
    }

    // Loaders.

    /// A string that is given to something whose name says that it attaches.
    fn attached(&self, index: usize, content: &[u8], offset: usize) -> Option<Named> {
        let content = std::str::from_utf8(content).ok()?;
        let (way, name) = match section(content) {
            // A program's section, by which loaders find it, or to which they set it.
            Some((way, name)) if self.is_section(index) => (way, name),
            _ => match self.way_of(index) {
                Some(way) => (way, content),
                None => (Way::Perf, self.event(index, content)?),
            },
        };
        is_name(name).then(|| Named {
            way,
            name: name.to_owned(),
            offset,
        })
    }

    fn is_section(&self, index: usize) -> bool {
        let group = self.group(index);
        group.is_some_and(|(open, path)| {
            self.masked.pieces[open].kind == Kind::Other(b'(')
                && matches!(self.last_word(&path), b"link_section" | b"section" | b"SEC")
        }) || self.key(index) == Some(b"link_section")
    }

    /// How the call around the piece at `index` attaches.
    fn way_of(&self, index: usize) -> Option<Way> {
        let (open, path) = self.group(index)?;
        // A map of programs is asked for a program.
        if self.masked.pieces[open].kind == Kind::Other(b'[') {
            return None;
        }
        let key = self.key(index);
        let says_name = key.is_none_or(|key| {
            matches!(
                key.to_ascii_lowercase().as_slice(),
                b"name" | b"tp" | b"tracepoint" | b"tp_name" | b"function"
            )
        });
        if !says_name {
            return None;
        }
        let last = self.last_word(&path).to_ascii_lowercase();
        if last.starts_with(b"detach") {
            return None;
        }
        let any = |part: &[u8]| {
            let all = self.masked.pieces[path.clone()].iter();
            all.filter(|one| one.kind == Kind::Word)
                .any(|one| memmem::find(&self.of(one).to_ascii_lowercase(), part).is_some())
        };
        if memmem::find(&last, b"raw_tracepoint").is_some()
            || memmem::find(&last, b"rawtracepoint").is_some()
        {
            return self
                .is_first(open, index, key)
                .then_some(Way::BpfRawTracepoint);
        }
        if last == b"btf_tracepoint" {
            return Some(Way::BpfBtf);
        }
        let finds = matches!(
            last.as_slice(),
            b"lookup" | b"find" | b"get" | b"find_tracepoint"
        );
        let finds = finds && (any(b"tracepoint") || last == b"find_tracepoint");
        (self.language == Language::Rust && finds).then_some(Way::Rust)
    }

    /// The event that a call attaches to: bcc names it `system:event`, libbpf-rs and
    /// cilium's `link.Tracepoint()` name its system first.
    fn event<'c>(&self, index: usize, content: &'c str) -> Option<&'c str> {
        let (open, path) = self.group(index)?;
        let key = self.key(index);
        let last = self.last_word(&path).to_ascii_lowercase();
        let is_link = || {
            let first = self.masked.pieces.get(path.start);
            self.language == Language::Go
                && last == b"tracepoint"
                && first.is_some_and(|first| self.of(first) == b"link")
        };
        if !matches!(last.as_slice(), b"attach_tracepoint" | b"attachtracepoint") && !is_link() {
            return None;
        }
        match content.split_once(':') {
            Some((_, name)) if key.is_none_or(|key| key == b"tp") => Some(name),
            None if key.is_none() && self.strings_before(open, index) == 1 => Some(content),
            _ => None,
        }
    }

    /// How many strings stand between what opens a group and the piece at `index`.
    fn strings_before(&self, open: usize, index: usize) -> usize {
        let between = self.masked.pieces[open + 1..index].iter();
        between.filter(|one| one.kind == Kind::String).count()
    }

    /// Whether a string without a key is the first in its call: the others name
    /// programs.
    fn is_first(&self, open: usize, index: usize, key: Option<&[u8]>) -> bool {
        key.is_some() || self.strings_before(open, index) == 0
    }

    fn last_word(&self, path: &Range<usize>) -> &[u8] {
        let mut pieces = self.masked.pieces[path.clone()].iter().rev();
        pieces
            .find(|one| one.kind == Kind::Word)
            .map_or(&[], |one| self.of(one))
    }

    /// What opens the innermost group around `index`, and the path before it:
    /// `link.RawTracepointOptions`, `Tracepoint::<…>::lookup`.
    fn group(&self, index: usize) -> Option<(usize, Range<usize>)> {
        let pieces = &self.masked.pieces;
        let mut depth = 0u32;
        for at in (index.saturating_sub(DISTANCE)..index).rev() {
            match pieces[at].kind {
                Kind::Other(b')' | b'}' | b']') => depth += 1,
                Kind::Other(b'(' | b'{' | b'[') if depth == 0 => {
                    return Some((at, self.path_before(at)));
                }
                Kind::Other(b'(' | b'{' | b'[') => depth -= 1,
                _ => {}
            }
        }
        None
    }

    fn path_before(&self, open: usize) -> Range<usize> {
        let pieces = &self.masked.pieces;
        let mut start = open;
        let mut angles = 0u32;
        while let Some(before) = start.checked_sub(1) {
            match pieces[before].kind {
                Kind::Other(b'>') => angles += 1,
                Kind::Other(b'<') => angles = angles.saturating_sub(1),
                _ if angles > 0 => {}
                Kind::Word | Kind::Other(b'.' | b':') => {}
                _ => break,
            }
            start = before;
            if open - start > DISTANCE {
                break;
            }
        }
        start..open
    }

    /// `Name: "x"`, `tp="x"`, `tp=b"x"`: the name.
    fn key(&self, index: usize) -> Option<&[u8]> {
        let pieces = &self.masked.pieces;
        let mut at = index.checked_sub(1)?;
        let prefix = pieces[at].kind == Kind::Word && pieces[at].end + 1 == pieces[index].start;
        if prefix {
            at = at.checked_sub(1)?;
        }
        let is_key = matches!(pieces[at].kind, Kind::Other(b':' | b'='));
        let word = pieces.get(at.checked_sub(1)?)?;
        (is_key && word.kind == Kind::Word).then(|| self.of(word))
    }

    /// `Name: hook` of a `const hook = "x"`.
    fn constants(&self) -> Vec<Named> {
        let mut found = Vec::new();
        let values = LazyCell::new(|| self.values());
        for (index, piece) in self.masked.pieces.iter().enumerate() {
            if piece.kind != Kind::Word || !self.stands_alone(index) {
                continue;
            }
            let Some(way) = self.way_of(index) else {
                continue;
            };
            if let Some(Some(value)) = values.get(self.of(piece))
                && let Ok(name) = std::str::from_utf8(self.of(value))
                && is_name(name)
            {
                found.push(Named {
                    way,
                    name: name.to_owned(),
                    offset: piece.start,
                });
            }
        }
        found
    }

    /// Whether a word is a whole argument.
    fn stands_alone(&self, index: usize) -> bool {
        let pieces = &self.masked.pieces;
        let before = index.checked_sub(1).map(|before| pieces[before].kind);
        let after = pieces.get(index + 1).map(|after| after.kind);
        matches!(before, Some(Kind::Other(b'(' | b',' | b':' | b'=' | b'{')))
            && matches!(after, Some(Kind::Other(b')' | b',' | b'}')))
    }

    /// The string that a `word = "…"` gives each word, if only one does in the file.
    fn values(&self) -> HashMap<&[u8], Option<&Piece>> {
        let pieces = &self.masked.pieces;
        let mut values: HashMap<&[u8], Option<&Piece>> = HashMap::new();
        for (index, value) in self.strings() {
            let equals = index.checked_sub(1);
            if !equals.is_some_and(|at| pieces[at].kind == Kind::Other(b'=')) {
                continue;
            }
            let before = pieces[index.saturating_sub(8)..index].iter();
            let words: HashSet<&[u8]> = before.map(|one| self.of(one)).collect();
            for word in words {
                let known = values.entry(word);
                known.and_modify(|one| *one = None).or_insert(Some(value));
            }
        }
        values
    }

    /// The functions of each `declare_trace! { … }` (rust/kernel/tracepoint.rs).
    fn declared(&self) -> Vec<Named> {
        let pieces = &self.masked.pieces;
        let mut found = Vec::new();
        let mut inside = false;
        for (index, piece) in pieces.iter().enumerate() {
            match piece.kind {
                Kind::Word if self.of(piece) == b"declare_trace" => {
                    inside = pieces
                        .get(index + 1)
                        .is_some_and(|next| next.kind == Kind::Other(b'!'));
                }
                Kind::Word if inside && self.of(piece) == b"fn" => {
                    if let Some(name) = pieces.get(index + 1) {
                        found.push(Named {
                            way: Way::Rust,
                            name: String::from_utf8_lossy(self.of(name)).into_owned(),
                            offset: name.start,
                        });
                    }
                }
                Kind::Other(b'}') => inside = false,
                _ => {}
            }
        }
        found
    }
}

fn moved(found: Vec<Named>, base: usize) -> Vec<Named> {
    found
        .into_iter()
        .map(|one| Named {
            offset: one.offset + base,
            ..one
        })
        .collect()
}
