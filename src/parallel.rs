// SPDX-License-Identifier: GPL-2.0-only OR MIT
//! Work shared out among the processors.
//!
//! It may not know what the work is.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
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
    let mut all: Vec<_> = on_threads(count, share).into_iter().flatten().collect();
    all.sort_unstable_by_key(|(number, _)| *number);
    all.into_iter().map(|(_, result)| result).collect()
}

/// Does `work` for each of `first`, and for each of what it gives, in no order. `start`
/// makes what each thread keeps.
///
/// # Panics
/// As `start` and `work` do.
pub fn spread<K, T: Send>(
    first: Vec<T>,
    start: impl Fn() -> K + Sync,
    work: impl Fn(&mut K, T) -> Vec<T> + Sync,
) {
    let pending = Pending {
        state: Mutex::new((first, 0)),
        changed: Condvar::new(),
    };
    let share = || {
        let mut kept = start();
        while let Some((item, busy)) = pending.next() {
            let more = work(&mut kept, item);
            busy.done(more);
        }
    };
    on_threads(MOST_THREADS, share);
}

/// What is still to be done, and how many threads are at it.
struct Pending<T> {
    state: Mutex<(Vec<T>, usize)>,
    changed: Condvar,
}

impl<T> Pending<T> {
    fn state(&self) -> MutexGuard<'_, (Vec<T>, usize)> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next item; `None` if there is none and nobody is left who could bring one.
    fn next(&self) -> Option<(T, Busy<'_, T>)> {
        let mut state = self.state();
        loop {
            if let Some(item) = state.0.pop() {
                state.1 += 1;
                return Some((item, Busy(self)));
            }
            if state.1 == 0 {
                return None;
            }
            let waited = self.changed.wait(state);
            state = waited.unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// A thread at work. It stops being one even if it panics, as others wait for it.
struct Busy<'p, T>(&'p Pending<T>);

impl<T> Busy<'_, T> {
    fn done(self, more: Vec<T>) {
        self.0.state().0.extend(more);
    }
}

impl<T> Drop for Busy<'_, T> {
    fn drop(&mut self) {
        self.0.state().1 -= 1;
        self.0.changed.notify_all();
    }
}

/// What each of at most `most` threads makes of `share`.
fn on_threads<T: Send>(most: usize, share: impl Fn() -> T + Copy + Send) -> Vec<T> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let threads = threads.min(MOST_THREADS).min(most);
    thread::scope(|scope| {
        // Where no thread is to be had, those that run do all of it.
        let others: Vec<_> = (1..threads)
            .map_while(|_| thread::Builder::new().spawn_scoped(scope, share).ok())
            .collect();
        let mut all = vec![share()];
        for other in others {
            all.push(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        all
    })
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
    fn work_that_brings_more() {
        let seen = Mutex::new(Vec::new());
        let halves = |_: &mut (), number: usize| {
            seen.lock().expect("a lock").push(number);
            if number < 64 {
                vec![2 * number, 2 * number + 1]
            } else {
                Vec::new()
            }
        };
        spread(Vec::new(), || (), halves);
        spread(vec![1], || (), halves);
        let mut seen = seen.into_inner().expect("a lock");
        seen.sort_unstable();
        assert_eq!(seen, (1..128).collect::<Vec<_>>());
    }

    #[test]
    fn a_panic_leaves_nobody_waiting() {
        let work = |_: &mut (), number: usize| {
            assert!(number < 9, "a bug");
            vec![number + 1]
        };
        let done = std::panic::catch_unwind(|| spread(vec![0, 1, 2], || (), work));
        assert!(done.is_err());
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
