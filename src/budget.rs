// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! How much of a thing one run takes in before it gives up. A file of a few kilobytes may
//! unpack to gigabytes, and a repository may have one large file in a thousand places.
//!
//! Whoever reads charges what it reads, from whatever thread. It may not know what is
//! read, and no limit is passed over in silence: [`Spent`] names the place and the limit.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// What may be taken in of one thing.
#[derive(Debug)]
pub struct Budget {
    what: &'static str,
    most: u64,
    taken: AtomicU64,
}

impl Budget {
    /// At most `most` of `what`, such as `MiB of text`; bytes are counted in MiB.
    pub const fn new(what: &'static str, most: u64) -> Self {
        Self {
            what,
            most,
            taken: AtomicU64::new(0),
        }
    }

    /// Takes `amount`.
    ///
    /// # Errors
    /// That is more than is left, now or before.
    pub fn charge(&self, amount: u64) -> Result<(), Spent> {
        let before = self.taken.fetch_add(amount, Ordering::Relaxed);
        if before.saturating_add(amount) <= self.most {
            return Ok(());
        }
        // Not to wrap around, however often it is charged.
        self.taken
            .store(self.most.saturating_add(1), Ordering::Relaxed);
        Err(Spent {
            what: self.what,
            most: self.most,
        })
    }
}

/// That a budget is spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spent {
    what: &'static str,
    most: u64,
}

impl fmt::Display for Spent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = self.what;
        let most = if what.starts_with("MiB") {
            self.most >> 20
        } else {
            self.most
        };
        write!(f, "over {most} {what} in one run with it")
    }
}

impl std::error::Error for Spent {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spent_stays_spent() {
        let budget = Budget::new("MiB of text", 3 << 20);
        assert_eq!(budget.charge(2 << 20), Ok(()));
        assert_eq!(budget.charge(1 << 20), Ok(()));
        for amount in [1, u64::MAX, 0, 1] {
            let spent = budget.charge(amount).expect_err("nothing is left");
            assert_eq!(spent.to_string(), "over 3 MiB of text in one run with it");
        }
    }
}
