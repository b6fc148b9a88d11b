// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Whether a patch has the approval of those who have to answer for it.
//!
//! Approval is an `Acked-by`, `Reviewed-by` or `Signed-off-by` of a maintainer,
//! an `M:` of the section, in the patch's own message. MAINTAINERS is taken as
//! it was before the series, so that no patch can appoint its approver.

use crate::kernel::maintainers::{Maintainers, address};
use crate::rules::zones::Zone;

const APPROVING: [&str; 3] = ["acked-by", "reviewed-by", "signed-off-by"];

/// The addresses of all who approve in a commit message, in lower case.
fn approvers(message: &str) -> impl Iterator<Item = (&str, String)> {
    message.lines().filter_map(|line| {
        let (tag, who) = line.split_once(':')?;
        let approves = APPROVING.contains(&tag.to_lowercase().as_str());
        Some((line, address(who)?)).filter(|_| approves)
    })
}

/// The line of `message` by which a maintainer approves of a change to `path`:
/// one of the zone's section, or where there is no zone, one of the sections
/// that cover the file.
pub fn approval<'m>(
    message: &'m str,
    zone: Option<&Zone>,
    path: &str,
    maintainers: &Maintainers,
) -> Option<&'m str> {
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
        .map(|(line, _)| line.trim_end())
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
            Some("Acked-by: Some P <P@Example.org> # sched")
        );
        assert_eq!(found("Acked-by: R <r@example.org>"), None);
        assert_eq!(found("> Acked-by: P <p@example.org>"), None);
        assert_eq!(
            found("Cc: P <p@example.org>\nTested-by: P <p@example.org>"),
            None
        );
        Ok(())
    }
}
