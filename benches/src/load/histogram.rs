//! How long answers took, in buckets that are at most 0.8 % wide.

use std::time::Duration;

/// Buckets to each doubling.
const PARTS: u64 = 128;
/// Doublings of nanoseconds that a `u64` has beyond the first 128.
const DOUBLINGS: u64 = 58;

/// Counts of latencies.
#[derive(Debug, Clone)]
pub(crate) struct Histogram {
    counts: Vec<u32>,
    total: u64,
}

impl Histogram {
    pub(crate) fn new() -> Self {
        let buckets = (PARTS * DOUBLINGS) as usize;
        Self { counts: vec![0; buckets], total: 0 }
    }

    pub(crate) fn record(&mut self, took: Duration) {
        let nanoseconds = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        if let Some(count) = self.counts.get_mut(bucket(nanoseconds)) {
            *count += 1;
            self.total += 1;
        }
    }

    /// How many were recorded.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// What so large a part of them (0.0–1.0) took at the most, in microseconds.
    pub(crate) fn at(&self, part: f64) -> f64 {
        let rank = (self.total as f64 * part).ceil() as u64;
        let mut seen = 0;
        for (index, count) in self.counts.iter().enumerate() {
            seen += u64::from(*count);
            if seen >= rank {
                return longest(index) as f64 / 1_000.0;
            }
        }
        0.0
    }
}

fn bucket(nanoseconds: u64) -> usize {
    if nanoseconds < PARTS {
        return nanoseconds as usize;
    }
    let doublings = u64::from((nanoseconds / PARTS).ilog2());
    ((doublings + 1) * PARTS + (nanoseconds >> doublings) - PARTS) as usize
}

/// The longest time that falls into a bucket, in nanoseconds.
fn longest(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < PARTS {
        return bucket;
    }
    let doublings = bucket / PARTS - 1;
    ((bucket % PARTS + PARTS + 1) << doublings) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_in_a_bucket_that_is_not_wide() {
        let mut last = 0;
        let times = (2..40).flat_map(|bits| [0, 1, 2, 3].map(|more| (1_u64 << bits) + more));
        for nanoseconds in times {
            let bucket = bucket(nanoseconds);
            assert!(bucket >= last, "buckets are in order");
            last = bucket;
            let longest = longest(bucket);
            assert!(longest >= nanoseconds, "{nanoseconds}");
            assert!(longest - nanoseconds <= nanoseconds / PARTS, "{nanoseconds} is in {longest}");
        }
    }

    #[test]
    fn percentiles_are_ranks() {
        let mut histogram = Histogram::new();
        for microseconds in 1..=100 {
            histogram.record(Duration::from_micros(microseconds));
        }
        assert_eq!(histogram.total(), 100);
        for (part, expected) in [(0.5, 50.0), (0.99, 99.0), (1.0, 100.0)] {
            let said = histogram.at(part);
            assert!((expected..expected * 1.01).contains(&said), "{part} is {said}");
        }
    }
}
