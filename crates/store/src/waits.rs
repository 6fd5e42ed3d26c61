//! How long writes wait for their commit, counted in buckets.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The buckets' upper bounds, in seconds. A commit is an fsync: from a tenth of a millisecond on a
/// good disk to tens of them on a bad one.
const BOUNDS: [f64; 13] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0];

/// Writes by how long they waited.
#[derive(Debug, Clone, PartialEq)]
pub struct WriteWaits {
    /// The buckets' upper bounds, in seconds.
    pub bounds: [f64; 13],
    /// Writes in each bucket; the last is for what is above every bound.
    pub counts: [u64; 14],
    /// All waits together.
    pub total: Duration,
}

#[derive(Debug, Default)]
pub(super) struct Waits {
    counts: [AtomicU64; 14],
    microseconds: AtomicU64,
}

impl Waits {
    pub(super) fn record(&self, waited: Duration) {
        let at = BOUNDS.partition_point(|bound| *bound < waited.as_secs_f64());
        if let Some(count) = self.counts.get(at) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        let microseconds = u64::try_from(waited.as_micros()).unwrap_or(u64::MAX);
        self.microseconds.fetch_add(microseconds, Ordering::Relaxed);
    }

    pub(super) fn so_far(&self) -> WriteWaits {
        WriteWaits {
            bounds: BOUNDS,
            counts: self.counts.each_ref().map(|count| count.load(Ordering::Relaxed)),
            total: Duration::from_micros(self.microseconds.load(Ordering::Relaxed)),
        }
    }
}
