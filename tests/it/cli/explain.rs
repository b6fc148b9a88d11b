// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! `barepoint explain`.

use super::barepoint;
use crate::workplace::{Workplace, text};

#[test]
fn all_rules_and_each() {
    let place = Workplace::empty();
    let output = barepoint(&place).arg("explain").output().expect("it runs");
    assert_eq!(output.status.code(), Some(0));
    let table = text(&output.stdout);
    for rule in barepoint::rules::RULES {
        assert!(table.contains(rule.id), "{}", rule.id);
        let output = barepoint(&place)
            .args(["explain", rule.id])
            .output()
            .expect("it runs");
        let page = text(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{}", rule.id);
        for heading in ["Why", "How to fix", "Bad", "Good"] {
            assert!(page.contains(heading), "{}: no {heading}", rule.id);
        }
        assert!(!page.contains("```expect"), "{}", rule.id);
    }
}
