//! Histogram of write latency, from submission to commit.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Upper bounds of the buckets, in seconds. A commit is an fsync: 0.1 ms on a good disk, tens of
/// milliseconds on a bad one.
const BOUNDS: [f64; 13] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0];

/// Snapshot of the write latency histogram.
#[derive(Debug, Clone, PartialEq)]
pub struct WriteLatencySnapshot {
    /// Upper bounds of the buckets, in seconds.
    pub bounds: [f64; 13],
    /// Number of writes in each bucket. The last bucket has those above every bound.
    pub counts: [u64; 14],
    /// Sum of all latencies.
    pub total: Duration,
}

#[derive(Debug, Default)]
pub(super) struct WriteLatency {
    counts: [AtomicU64; 14],
    microseconds: AtomicU64,
}

impl WriteLatency {
    pub(super) fn record(&self, latency: Duration) {
        let bucket = BOUNDS.partition_point(|bound| *bound < latency.as_secs_f64());
        if let Some(count) = self.counts.get(bucket) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        let microseconds = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        self.microseconds.fetch_add(microseconds, Ordering::Relaxed);
    }

    pub(super) fn snapshot(&self) -> WriteLatencySnapshot {
        WriteLatencySnapshot {
            bounds: BOUNDS,
            counts: self.counts.each_ref().map(|count| count.load(Ordering::Relaxed)),
            total: Duration::from_micros(self.microseconds.load(Ordering::Relaxed)),
        }
    }
}
