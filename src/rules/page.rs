// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The page of a rule: what `explain` shows and what the tests run.
//!
//! A page is Markdown with TOML front matter between lines of `+++`. Its cases
//! are made of fenced blocks, over one of the small kernels of the tests:
//!
//! ````text
//! ### A promotion in one patch {kernel=6.12}
//!
//! ```c PATH                     a file of the tree before, whole
//! ```diff PATH [patch=N]        a change: lines with ` `, `-` and `+`, no `@@`
//! ```message [patch=N]          what stands below the patch's subject
//! ```toml zones                 zones that the case has
//! ```expect                     LEVEL RULE PATH[:LINE] [TRACEPOINT], one a line
//! ````
//!
//! `{tree}` behind a case's title has the tree checked as it is, without a patch.
//! It may not know what any rule does.

use super::finding::Level;
use anyhow::{Context, anyhow, bail};
use serde::Deserialize;
use std::collections::BTreeMap;

/// A rule's page.
#[derive(Clone, Debug)]
pub struct Page {
    /// The rule's id.
    pub id: &'static str,
    /// Level of its findings.
    pub level: Level,
    /// What it is about, in one line.
    pub summary: String,
    /// The version of barepoint that it came with.
    pub since: String,
    /// Why it is there.
    pub why: String,
    /// What to do about a finding.
    pub fix: String,
    /// Cases with findings.
    pub bad: Vec<Case>,
    /// Cases that look alike and have none of this rule.
    pub good: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Front {
    level: Level,
    summary: String,
    since: String,
}

/// One finding that a case must have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Expected {
    /// Its level.
    pub level: String,
    /// Id of its rule.
    pub rule: String,
    /// The file.
    pub file: String,
    /// The line, where it is given.
    pub line: Option<u32>,
    /// The tracepoint, where there is one.
    pub tracepoint: Option<String>,
}

/// A change to one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// Path.
    pub path: String,
    /// Lines with their signs.
    pub lines: Vec<String>,
}

/// A made-up patch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CasePatch {
    /// What stands below its subject.
    pub message: String,
    /// Its changes.
    pub edits: Vec<Edit>,
}

/// A made-up change, or tree.
#[derive(Clone, Debug, Default)]
pub struct Case {
    /// Its title.
    pub title: String,
    /// Which of the small kernels it is over.
    pub kernel: String,
    /// Whether the tree is checked as it is.
    pub whole_tree: bool,
    /// Files of the tree before.
    pub files: BTreeMap<String, String>,
    /// The patches, by their number.
    pub patches: BTreeMap<usize, CasePatch>,
    /// Zones of its own.
    pub zones: Option<String>,
    /// What must be found, by any rule.
    pub expected: Vec<Expected>,
}

impl Page {
    /// Reads the page of the rule `id`.
    ///
    /// # Errors
    /// The page is not of the form; the message names it and the line.
    pub fn parse(id: &'static str, text: &str) -> anyhow::Result<Self> {
        let parser = Parser::new(id, text);
        let page = parser.page()?;
        parser.finished(&page)?;
        Ok(page)
    }

    /// As [`Page::parse`], of a page that has no cases, as what it is about is no
    /// change of sources.
    ///
    /// # Errors
    /// As [`Page::parse`].
    pub fn parse_without_cases(id: &'static str, text: &str) -> anyhow::Result<Self> {
        let parser = Parser::new(id, text);
        let page = parser.page()?;
        parser.explained(&page)?;
        Ok(page)
    }
}

/// A piece of a page: a line, or a fenced block.
enum Piece<'a> {
    Line(&'a str),
    Block { info: &'a str, body: Vec<&'a str> },
}

struct Parser<'a> {
    id: &'static str,
    text: &'a str,
}

impl<'a> Parser<'a> {
    fn new(id: &'static str, text: &'a str) -> Self {
        Self { id, text }
    }

    fn error(&self, line: usize, what: impl std::fmt::Display) -> anyhow::Error {
        anyhow!("rules/{}.md:{line}: {what}", self.id)
    }

    fn page(&self) -> anyhow::Result<Page> {
        let rest = self
            .text
            .strip_prefix("+++\n")
            .ok_or_else(|| self.error(1, "no front matter"))?;
        let (front, body) = rest
            .split_once("\n+++\n")
            .ok_or_else(|| self.error(1, "the front matter does not end"))?;
        let front: Front =
            toml::from_str(front).with_context(|| format!("rules/{}.md", self.id))?;
        let skipped = self.text.len() - body.len();
        let first_line = self.text[..skipped].lines().count() + 1;
        let mut page = Page {
            id: self.id,
            level: front.level,
            summary: front.summary,
            since: front.since,
            why: String::new(),
            fix: String::new(),
            bad: Vec::new(),
            good: Vec::new(),
        };
        let mut section = String::new();
        for (line, piece) in self.pieces(body, first_line)? {
            self.piece(&mut page, &mut section, line, piece)?;
        }
        Ok(page)
    }

    /// The lines and fenced blocks of a body, with their line numbers.
    fn pieces(&self, body: &'a str, first_line: usize) -> anyhow::Result<Vec<(usize, Piece<'a>)>> {
        let mut pieces = Vec::new();
        let mut lines = body.lines().enumerate();
        while let Some((index, line)) = lines.next() {
            let number = first_line + index;
            let Some(info) = line.strip_prefix("```") else {
                pieces.push((number, Piece::Line(line)));
                continue;
            };
            let mut inside = Vec::new();
            loop {
                match lines.next() {
                    Some((_, "```")) => break,
                    Some((_, line)) => inside.push(line),
                    None => bail!(self.error(number, "the block does not end")),
                }
            }
            pieces.push((number, Piece::Block { info, body: inside }));
        }
        Ok(pieces)
    }

    fn piece(
        &self,
        page: &mut Page,
        section: &mut String,
        number: usize,
        piece: Piece<'_>,
    ) -> anyhow::Result<()> {
        let cases = match section.as_str() {
            "Bad" => Some(&mut page.bad),
            "Good" => Some(&mut page.good),
            _ => None,
        };
        match piece {
            Piece::Line(line) if line.starts_with("## ") => {
                *section = line[3..].trim().to_owned();
                if !["Why", "How to fix", "Bad", "Good"].contains(&section.as_str()) {
                    bail!(self.error(number, format!("no section \"{section}\" is known")));
                }
            }
            Piece::Line(line) => match (cases, line.strip_prefix("### ")) {
                (Some(cases), Some(title)) => cases.push(self.case(title, number)?),
                (Some(_), None) => {}
                (None, _) => {
                    let text = if section == "Why" {
                        &mut page.why
                    } else {
                        &mut page.fix
                    };
                    text.push_str(line);
                    text.push('\n');
                }
            },
            Piece::Block { info, body } => {
                let case = cases.and_then(|cases| cases.last_mut());
                let case = case.ok_or_else(|| self.error(number, "a block outside of a case"))?;
                self.block(case, info.trim(), &body, number)?;
            }
        }
        Ok(())
    }

    fn case(&self, title: &str, number: usize) -> anyhow::Result<Case> {
        let (title, options) = match title.split_once('{') {
            Some((title, options)) => (title.trim(), options.trim_end_matches('}')),
            None => (title.trim(), ""),
        };
        let mut case = Case {
            title: title.to_owned(),
            kernel: "7.3".to_owned(),
            ..Case::default()
        };
        for option in options.split_whitespace() {
            match option.split_once('=') {
                None if option == "tree" => case.whole_tree = true,
                Some(("kernel", kernel)) => case.kernel = kernel.to_owned(),
                _ => bail!(self.error(number, format!("no option \"{option}\" is known"))),
            }
        }
        Ok(case)
    }

    fn block(
        &self,
        case: &mut Case,
        info: &str,
        body: &[&str],
        number: usize,
    ) -> anyhow::Result<()> {
        let mut words: Vec<&str> = info.split_whitespace().collect();
        let patch = match words.last().and_then(|word| word.strip_prefix("patch=")) {
            Some(patch) => {
                words.pop();
                patch
                    .parse()
                    .map_err(|_| self.error(number, "not a number of a patch"))?
            }
            None => 1,
        };
        let text = || {
            body.iter()
                .map(|line| format!("{line}\n"))
                .collect::<String>()
        };
        match words.as_slice() {
            ["c", path] => drop(case.files.insert((*path).to_owned(), text())),
            ["diff", path] => case.patches.entry(patch).or_default().edits.push(Edit {
                path: (*path).to_owned(),
                lines: body.iter().map(|line| (*line).to_owned()).collect(),
            }),
            ["message"] => case.patches.entry(patch).or_default().message = text(),
            ["toml", "zones"] => case.zones = Some(text()),
            ["expect"] => {
                for (index, line) in body.iter().enumerate() {
                    case.expected.push(expected(line).ok_or_else(|| {
                        self.error(
                            number + index + 1,
                            "not LEVEL RULE PATH[:LINE] [TRACEPOINT]",
                        )
                    })?);
                }
            }
            _ => bail!(self.error(number, format!("no block \"{info}\" is known"))),
        }
        Ok(())
    }

    fn lacks_none(&self, parts: [(bool, &str); 2]) -> anyhow::Result<()> {
        match parts.iter().find(|(is_missing, _)| *is_missing) {
            Some((_, what)) => bail!(self.error(1, format!("it lacks {what}"))),
            None => Ok(()),
        }
    }

    fn explained(&self, page: &Page) -> anyhow::Result<()> {
        self.lacks_none([
            (page.why.trim().is_empty(), "Why"),
            (page.fix.trim().is_empty(), "How to fix"),
        ])
    }

    fn finished(&self, page: &Page) -> anyhow::Result<()> {
        self.explained(page)?;
        self.lacks_none([
            (page.bad.is_empty(), "a bad case"),
            (page.good.is_empty(), "a good case"),
        ])?;
        let own = |case: &Case| {
            case.expected
                .iter()
                .any(|one| one.rule == self.id && one.level != "note")
        };
        if let Some(case) = page.bad.iter().find(|case| !own(case)) {
            bail!(self.error(
                1,
                format!(
                    "the bad case \"{}\" expects nothing of this rule",
                    case.title
                )
            ));
        }
        if let Some(case) = page.good.iter().find(|case| own(case)) {
            bail!(self.error(
                1,
                format!(
                    "the good case \"{}\" expects this rule's finding",
                    case.title
                )
            ));
        }
        Ok(())
    }
}

fn expected(line: &str) -> Option<Expected> {
    let mut words = line.split_whitespace();
    let (level, rule, place) = (words.next()?, words.next()?, words.next()?);
    let (file, line) = match place.rsplit_once(':') {
        Some((file, line)) => (file, Some(line.parse().ok()?)),
        None => (place, None),
    };
    Some(Expected {
        level: level.to_owned(),
        rule: rule.to_owned(),
        file: file.to_owned(),
        line,
        tracepoint: words.next().filter(|word| *word != "-").map(str::to_owned),
    })
}
