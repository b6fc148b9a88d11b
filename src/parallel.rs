// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Work shared out among the processors.
//!
//! It may not know what the work is.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// More threads than this gain little, and each may hold a large file.
const MOST_THREADS: usize = 16;

/// What `work` makes of each number below `count`, in order. Each thread takes the
/// next number when it is done with one; the calling thread is one of them.
///
/// # Panics
/// As `work` does.
pub fn map<T: Send>(count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    map_with(count, || (), |(), number| work(number))
}

/// As [`map`]; `start` makes what each thread keeps between numbers.
///
/// # Panics
/// As `start` and `work` do.
pub fn map_with<K, T: Send>(
    count: usize,
    start: impl Fn() -> K + Sync,
    work: impl Fn(&mut K, usize) -> T + Sync,
) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let share = || {
        let mut kept = None;
        let mut done = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                return done;
            }
            let kept = kept.get_or_insert_with(&start);
            done.push((number, work(kept, number)));
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let threads = threads.min(MOST_THREADS).min(count);
    let mut all = thread::scope(|scope| {
        // Where no thread is to be had, those that run do all of it.
        let others: Vec<_> = (1..threads)
            .map_while(|_| thread::Builder::new().spawn_scoped(scope, share).ok())
            .collect();
        let mut all = share();
        for other in others {
            all.extend(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        all
    });
    all.sort_unstable_by_key(|(number, _)| *number);
    all.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_once_and_in_order() {
        for count in [0, 1, 2, 1000] {
            let all: Vec<usize> = (0..count).collect();
            assert_eq!(map(count, |number| number), all);
        }
    }

    #[test]
    fn a_thread_keeps_what_it_started_with() {
        let counts = map_with(
            100,
            || 0,
            |kept, _| {
                *kept += 1;
                *kept
            },
        );
        let starts = counts.iter().filter(|count| **count == 1).count();
        let threads = thread::available_parallelism().map_or(1, usize::from);
        assert!((1..=threads).contains(&starts), "{starts}");
    }
}
