//! Histogram of latencies, with buckets that are at most 0.8 % wide.

use std::time::Duration;

/// Buckets of each doubling of the latency.
const BUCKETS_PER_DOUBLING: u64 = 128;
/// Doublings of a `u64` of nanoseconds beyond the first 128.
const DOUBLINGS: u64 = 58;

/// Histogram of latencies.
#[derive(Debug, Clone)]
pub(crate) struct Histogram {
    counts: Vec<u32>,
    total: u64,
}

impl Histogram {
    pub(crate) fn new() -> Self {
        let buckets = (BUCKETS_PER_DOUBLING * DOUBLINGS) as usize;
        Self { counts: vec![0; buckets], total: 0 }
    }

    pub(crate) fn record(&mut self, latency: Duration) {
        let nanoseconds = u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX);
        if let Some(count) = self.counts.get_mut(bucket(nanoseconds)) {
            *count += 1;
            self.total += 1;
        }
    }

    /// Number of recorded latencies.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// Quantile, 0.0–1.0, of the latencies (microseconds).
    pub(crate) fn quantile(&self, quantile: f64) -> f64 {
        let rank = (self.total as f64 * quantile).ceil() as u64;
        let mut seen = 0;
        for (index, count) in self.counts.iter().enumerate() {
            seen += u64::from(*count);
            if seen >= rank {
                return bucket_max(index) as f64 / 1_000.0;
            }
        }
        0.0
    }
}

fn bucket(nanoseconds: u64) -> usize {
    if nanoseconds < BUCKETS_PER_DOUBLING {
        return nanoseconds as usize;
    }
    let doublings = u64::from((nanoseconds / BUCKETS_PER_DOUBLING).ilog2());
    ((doublings + 1) * BUCKETS_PER_DOUBLING + (nanoseconds >> doublings) - BUCKETS_PER_DOUBLING)
        as usize
}

/// Largest latency of a bucket (nanoseconds).
fn bucket_max(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < BUCKETS_PER_DOUBLING {
        return bucket;
    }
    let doublings = bucket / BUCKETS_PER_DOUBLING - 1;
    ((bucket % BUCKETS_PER_DOUBLING + BUCKETS_PER_DOUBLING + 1) << doublings) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_ordered_and_narrow() {
        let mut last = 0;
        let times = (2..40).flat_map(|bits| [0, 1, 2, 3].map(|more| (1_u64 << bits) + more));
        for nanoseconds in times {
            let bucket = bucket(nanoseconds);
            assert!(bucket >= last, "buckets are in order");
            last = bucket;
            let bucket_max = bucket_max(bucket);
            assert!(bucket_max >= nanoseconds, "{nanoseconds}");
            assert!(
                bucket_max - nanoseconds <= nanoseconds / BUCKETS_PER_DOUBLING,
                "{nanoseconds} is in {bucket_max}"
            );
        }
    }

    #[test]
    fn quantiles_are_ranks() {
        let mut histogram = Histogram::new();
        for microseconds in 1..=100 {
            histogram.record(Duration::from_micros(microseconds));
        }
        assert_eq!(histogram.total(), 100);
        for (quantile, expected) in [(0.5, 50.0), (0.99, 99.0), (1.0, 100.0)] {
            let value = histogram.quantile(quantile);
            assert!((expected..expected * 1.01).contains(&value), "{quantile} is {value}");
        }
    }
}
