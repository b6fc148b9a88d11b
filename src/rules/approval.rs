// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Whether a patch has the approval of those who have to answer for it.
//!
//! Approval is an `Acked-by`, `Reviewed-by` or `Signed-off-by` of a maintainer, an `M:` of
//! the section, among the trailers of the patch's own message. MAINTAINERS is taken as it
//! was before the whole input, so that no patch can appoint its approver. What a trailer
//! says is a claim: anybody can write one, and every message says so.

use super::finding::Approval;
use crate::kernel::maintainers::Maintainers;
use crate::rules::zones::Zone;
use crate::source::trailers::{Trailer, trailers};

const APPROVING: [&str; 3] = ["Acked-by", "Reviewed-by", "Signed-off-by"];

/// What counts as an approval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Approvals {
    /// The trailers of a patch.
    #[default]
    Trailers,
    /// Nothing: of mail from strangers nobody knows who wrote its trailers.
    None,
}

/// Who may approve.
#[derive(Clone, Copy, Debug)]
pub enum Authority<'a> {
    /// The maintainers of the zone's section.
    Zone(&'a Zone),
    /// The maintainers of the sections that cover the file, which is in no zone.
    File(&'a str),
}

impl Authority<'_> {
    /// Whether `who`, an address in lower case, is one of them.
    fn has(&self, who: &str, maintainers: &Maintainers) -> bool {
        let of = |addresses: &[String]| addresses.iter().any(|one| one == who);
        match self {
            Self::Zone(zone) => maintainers
                .section(&zone.section)
                .is_some_and(|section| of(&section.maintainers)),
            Self::File(path) => maintainers
                .covering(path)
                .any(|section| of(&section.maintainers)),
        }
    }

    /// How a sentence calls one of them.
    pub fn name(&self) -> String {
        match self {
            Self::Zone(zone) => format!("a maintainer of {}", zone.section),
            Self::File(_) => "a maintainer of the file".to_owned(),
        }
    }
}

/// The trailer of `message` by which somebody of `authority` approves.
pub fn approval(
    message: &str,
    authority: Authority<'_>,
    maintainers: &Maintainers,
) -> Option<Approval> {
    let claims = trailers(message).into_iter().filter_map(claim);
    let mut approved = claims.filter(|claim| authority.has(&claim.address, maintainers));
    approved.next()
}

/// The approval in a trailer, if it is one.
fn claim(trailer: Trailer) -> Option<Approval> {
    let mut approving = APPROVING.iter();
    let approves = approving.any(|key| key.eq_ignore_ascii_case(&trailer.key));
    let address = address(&trailer.value).filter(|_| approves)?;
    Some(Approval {
        trailer: format!("{}: {}", trailer.key, trailer.value),
        address,
    })
}

/// The address of `Name <address> # what of`, in lower case; `None` of everything that
/// could be read in another way: without brackets or with more of them, with another
/// address beside it, in a comment or a quoted string.
fn address(value: &str) -> Option<String> {
    let (name, rest) = value.split_once('<')?;
    let (address, behind) = rest.split_once('>')?;
    let said = behind.split('#').next().unwrap_or_default();
    let is_one = ![name, address, behind].concat().contains(['<', '>'])
        && ![name, said].concat().contains('@');
    let is_open = name.contains('#')
        || name.matches('"').count() % 2 > 0
        || name.matches('(').count() != name.matches(')').count();
    (is_one && !is_open && is_plain(address)).then(|| address.to_ascii_lowercase())
}

/// Whether an address is of letters that look like nothing else, and needs no quotes
/// (RFC 5322, `dot-atom`).
fn is_plain(address: &str) -> bool {
    let of_atoms = |part: &str| {
        let is_atom = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
        !part.is_empty() && part.chars().all(is_atom)
    };
    address
        .split_once('@')
        .is_some_and(|(name, host)| of_atoms(name) && of_atoms(host))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::zones::Zones;

    const WHO: &str = "SCHEDULER\nM:\tK P <kp@example.org>\nR:\tR <r@example.org>\n\
        F:\tkernel/sched/\n";

    fn found(message: &str) -> Option<String> {
        let zones = Zones::built_in().expect("zones");
        let zone = zones.of("kernel/sched/core.c").expect("a zone");
        let maintainers = Maintainers::parse(WHO);
        let found = approval(message, Authority::Zone(zone), &maintainers);
        found.map(|one| {
            assert_eq!(one.address, "kp@example.org");
            one.trailer
        })
    }

    #[test]
    fn only_a_maintainer_approves() {
        for trailer in [
            "Acked-by: Some P <KP@Example.org> # sched, not sched@example.org",
            "reviewed-by : <kp@example.org> (for the scheduler)",
            "Signed-off-by: \"P, K\" (of X) <kp@example.org>",
            "Acked-by: =?utf-8?q?K?= P <kp@example.org>",
        ] {
            assert!(found(&format!("x\n\n{trailer}")).is_some(), "{trailer}");
        }
        for trailer in [
            "Acked-by: R <r@example.org>",
            "Nacked-by: P <kp@example.org>",
            "Cc: P <kp@example.org>",
        ] {
            assert_eq!(found(&format!("x\n\n{trailer}")), None, "{trailer}");
        }
        let folded = "x\n\nLink: https://example.org/1\nAcked-by: P\n <kp@example.org>\n";
        let unfolded = Some("Acked-by: P <kp@example.org>".to_owned());
        assert_eq!(found(folded), unfolded);
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_no_approval() {
        for value in [
            "kp@example.org",
            "P <kp@example.org> <other@example.org>",
            "P <other@example.org> <kp@example.org>",
            "P <other@example.org>, <kp@example.org>",
            "P <kp@example.org>, other@example.org",
            "other@example.org <kp@example.org>",
            "Other <other@example.org> # for <kp@example.org>",
            "Other # P <kp@example.org>",
            "Other (P <kp@example.org>)",
            "\"P <kp@example.org>\"",
            "P <<kp@example.org>>",
            "P < kp@example.org >",
            "P <kp@example.org",
            "P <kp@example.org@other.example.org>",
            "P <kp@example.org,other@example.org>",
            "P <\"kp\"@example.org>",
            "P <kp(a)@example.org>",
            // KELVIN SIGN, CYRILLIC SMALL LETTER ER, FULLWIDTH COMMERCIAL AT, SOFT HYPHEN
            "P <\u{212a}p@example.org>",
            "P <k\u{440}@example.org>",
            "P <kp\u{ff20}example.org>",
            "P <kp@example\u{ad}.org>",
        ] {
            assert_eq!(found(&format!("x\n\nAcked-by: {value}")), None, "{value}");
        }
    }

    #[test]
    fn where_git_finds_no_trailer_there_is_none() {
        for message in [
            "Acked-by: P <kp@example.org>",
            "x\n\n> Acked-by: P <kp@example.org>",
            "x\n\nAcked-by: P <kp@example.org>\n\nIs to be asked.",
            "x\n\nIn v1 this had an\nAcked-by: P <kp@example.org>\nbut it changed.",
            "x\n\n---\nAcked-by: P <kp@example.org>",
        ] {
            assert_eq!(found(message), None, "{message}");
        }
    }
}
