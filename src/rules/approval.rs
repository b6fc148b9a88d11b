// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Whether a patch has the approval of those who have to answer for it.
//!
//! Approval is an `Acked-by`, `Reviewed-by` or `Signed-off-by` of a maintainer,
//! an `M:` of the section, among the trailers of the patch's own message. MAINTAINERS
//! is taken as it was before the series, so that no patch can appoint its approver.

use crate::kernel::maintainers::{Maintainers, address};
use crate::rules::zones::Zone;

const APPROVING: [&str; 3] = ["acked-by", "reviewed-by", "signed-off-by"];

/// All who approve in a commit message: the trailer, and the address in lower case.
fn approvers(message: &str) -> impl Iterator<Item = (String, String)> {
    trailers(message).into_iter().filter_map(|trailer| {
        let (tag, who) = trailer.split_once(':')?;
        let approves = APPROVING.contains(&tag.to_lowercase().as_str());
        let address = signer(who).filter(|_| approves)?;
        Some((trailer, address))
    })
}

/// The trailers of a message, each on one line: the paragraphs that hold nothing else,
/// so that prose that starts a line by `Acked-by:` is none.
fn trailers(message: &str) -> Vec<String> {
    let lines: Vec<&str> = message.lines().skip(1).collect();
    let paragraphs = lines.split(|line| line.trim().is_empty());
    let of_trailers = paragraphs.filter(|lines| lines.iter().all(|line| may_be_trailer(line)));
    let mut trailers: Vec<String> = Vec::new();
    for line in of_trailers.flatten() {
        let is_folded = line.starts_with([' ', '\t']);
        match trailers.last_mut().filter(|_| is_folded) {
            Some(trailer) => *trailer = format!("{trailer} {}", line.trim()),
            None => trailers.push(line.trim_end().to_owned()),
        }
    }
    trailers
}

/// Whether a line can stand among trailers: `Tag: value`, the rest of one, or what
/// maintainers add in brackets.
fn may_be_trailer(line: &str) -> bool {
    let is_tag = |(tag, _): (&str, &str)| {
        !tag.is_empty()
            && tag
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    line.starts_with([' ', '\t', '[', '(', '#', '>']) || line.split_once(':').is_some_and(is_tag)
}

/// The address of `Name <address> # what of` or `address`, and no other that the rest
/// may name.
fn signer(who: &str) -> Option<String> {
    let who = who.split(" #").next().unwrap_or_default().trim();
    if who.contains('<') {
        return address(who);
    }
    who.split_whitespace().next().and_then(address)
}

/// The line of `message` by which a maintainer approves of a change to `path`:
/// one of the zone's section, or where there is no zone, one of the sections
/// that cover the file.
pub fn approval(
    message: &str,
    zone: Option<&Zone>,
    path: &str,
    maintainers: &Maintainers,
) -> Option<String> {
    let may_approve = |who: &String| match zone {
        Some(zone) => maintainers
            .section(&zone.section)
            .is_some_and(|section| section.maintainers.contains(who)),
        None => maintainers
            .covering(path)
            .any(|section| section.maintainers.contains(who)),
    };
    approvers(message)
        .find(|(_, who)| may_approve(who))
        .map(|(trailer, _)| trailer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::zones::Zones;

    #[test]
    fn only_a_maintainer_approves() -> anyhow::Result<()> {
        let maintainers = Maintainers::parse(
            "SCHEDULER\nM:\tP <p@example.org>\nR:\tR <r@example.org>\nF:\tkernel/sched/\n",
        );
        let zones = Zones::built_in()?;
        let zone = zones.of("kernel/sched/core.c");
        let found = |message| approval(message, zone, "kernel/sched/core.c", &maintainers);
        assert_eq!(
            found("x\n\nAcked-by: Some P <P@Example.org> # sched\n"),
            Some("Acked-by: Some P <P@Example.org> # sched".to_owned())
        );
        let folded =
            "x\n\nLink: https://example.org/1\n[r: a comma]\nAcked-by: P\n <p@example.org>\n";
        let unfolded = Some("Acked-by: P <p@example.org>".to_owned());
        assert_eq!(found(folded), unfolded);
        for not_signed in [
            "x\n\nAcked-by: Foo # p@example.org said so",
            "x\n\nAcked-by: Foo <foo@example.org> # for <p@example.org>",
            "x\n\nAcked-by: nobody, p@example.org is to be asked",
            "In v1 this had an\nAcked-by: P <p@example.org>\nbut it changed.",
        ] {
            assert_eq!(found(not_signed), None, "{not_signed}");
        }
        assert_eq!(found("Acked-by: R <r@example.org>"), None);
        assert_eq!(found("> Acked-by: P <p@example.org>"), None);
        assert_eq!(
            found("Cc: P <p@example.org>\nTested-by: P <p@example.org>"),
            None
        );
        Ok(())
    }
}
