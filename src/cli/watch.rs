// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! The last bound of a run: how long it may keep the processor busy. Whatever comes that
//! no reader has a limit for, a gate ends, and says that nothing was decided.
//!
//! Time that passes does not count, as a pipe may be slow and a machine busy.

use super::{NOT_DONE, complain};
use std::fs;
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

/// What any run may take, in seconds: a hundred times a look at a whole kernel.
const MOST: u64 = 1800;
/// What a check of patches may take for the kernel, and for each patch.
const MOST_OF_KERNEL: u64 = 120;
const MOST_OF_PATCH: u64 = 10;
/// By how much a build with assertions is slower.
const SLOWER: u64 = if cfg!(debug_assertions) { 20 } else { 1 };
/// How often it is looked.
const EVERY: Duration = Duration::from_millis(500);

static LIMIT: AtomicU64 = AtomicU64::new(MOST * SLOWER);

/// Watches the run, if a thread can be had for it.
pub(super) fn start() {
    let watch = || {
        loop {
            thread::sleep(EVERY);
            let limit = LIMIT.load(Ordering::Relaxed);
            if seconds().is_some_and(|seconds| seconds > limit) {
                complain(&format!(
                    "given up after {limit} seconds of the processor's time, and nothing is \
                     said about what was read: it may be made to keep whoever reads it busy"
                ));
                process::exit(NOT_DONE.into());
            }
        }
    };
    // Without it, all other bounds are still there.
    let _ = thread::Builder::new().spawn(watch);
}

/// Allows for a check of so many patches, and no more.
pub(super) fn allow_patches(count: usize) {
    let patches = u64::try_from(count).unwrap_or(u64::MAX);
    let limit = MOST_OF_PATCH.saturating_mul(patches) + MOST_OF_KERNEL;
    LIMIT.store(limit.min(MOST) * SLOWER, Ordering::Relaxed);
}

/// The time of the processor that this process has had.
fn seconds() -> Option<u64> {
    seconds_in(&fs::read_to_string("/proc/self/stat").ok()?)
}

/// The fields utime and stime of /proc/PID/stat, which are in hundredths of a second
/// (proc_pid_stat(5), USER_HZ). The name before them may hold anything.
fn seconds_in(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace().skip(11);
    let mut next = || fields.next()?.parse::<u64>().ok();
    Some((next()? + next()?) / 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_process() {
        let stat = "7 (a) 1 2) S 1 2 3 4 5 6 7 8 9 10 1250 360 0 0 20 0 1 0 5 6 7";
        assert_eq!(seconds_in(stat), Some(16));
        assert_eq!(seconds_in("7 (a) S"), None);
        assert!(seconds().is_some());
    }
}
