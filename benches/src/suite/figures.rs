//! Measurements, by round.

use super::options::DatabaseKind;
use std::collections::BTreeMap;

/// Server that is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Subject {
    /// axum with a constant response.
    Constant,
    /// axum with one `SELECT` for each request.
    Select(DatabaseKind),
    /// axum with one commit for each request.
    Commit(DatabaseKind),
    /// Trunkline's server.
    Trunkline(DatabaseKind),
}

/// Kind of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Workload {
    /// Read of one affiliate.
    GetAffiliate,
    /// Read of one campaign.
    GetCampaign,
    /// Update of one affiliate.
    PutAffiliate,
    /// Report of one call.
    Call,
    /// Reports of calls as NDJSON, in this many concurrent requests.
    Lines(usize),
    /// List of all affiliates.
    List,
    /// Status change of a relationship that cascades to this many affiliate campaigns.
    Cascade(u64),
}

/// Row of the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) workload: Workload,
    pub(crate) subject: Subject,
    /// Affiliates in the database; 0 for baselines that do not depend on it.
    pub(crate) rows: u64,
}

/// Measurements of one round.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sample {
    /// Requests, calls, objects or rows.
    pub(crate) count: u64,
    /// Measured time.
    pub(crate) seconds: f64,
    /// Median latency (microseconds).
    pub(crate) p50: f64,
    /// 99th percentile of the latency (microseconds).
    pub(crate) p99: f64,
    /// CPU time of the server for each of `count` (microseconds).
    pub(crate) server_cpu: f64,
    /// CPU time of the client for each of `count` (microseconds).
    pub(crate) client_cpu: f64,
    /// Peak memory of the server (KiB).
    pub(crate) peak: u64,
    /// Write transactions.
    pub(crate) writes: u64,
    /// Commits, each of one or more write transactions.
    pub(crate) commits: u64,
    /// Bytes received.
    pub(crate) bytes: u64,
}

impl Sample {
    /// Number of `count` per second.
    pub(crate) fn rate(&self) -> f64 {
        self.count as f64 / self.seconds
    }
}

/// Median, minimum and maximum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Spread {
    /// Computes the spread; `None` for no figures.
    pub(crate) fn from_figures(mut figures: Vec<f64>) -> Option<Self> {
        figures.sort_by(f64::total_cmp);
        let middle = figures.len() / 2;
        let upper = *figures.get(middle)?;
        let lower = figures.get(middle.saturating_sub(1)).copied()?;
        let median = if figures.len() % 2 == 1 { upper } else { (lower + upper) / 2.0 };
        Some(Self { median, min: *figures.first()?, max: *figures.last()? })
    }
}

/// All measurements.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    samples: BTreeMap<Key, Vec<Sample>>,
    /// Memory of a server before its first request (KiB), by kind of database and affiliates in it.
    pub(crate) idle: BTreeMap<(DatabaseKind, u64), u64>,
}

impl Figures {
    pub(crate) fn add(&mut self, key: Key, sample: Sample) {
        self.samples.entry(key).or_default().push(sample);
    }

    /// Keys of the samples, in order.
    pub(crate) fn keys(&self) -> impl Iterator<Item = Key> {
        self.samples.keys().copied()
    }

    pub(crate) fn samples(&self, key: Key) -> &[Sample] {
        self.samples.get(&key).map(Vec::as_slice).unwrap_or_default()
    }

    /// Spread of a figure over the rounds of a row.
    pub(crate) fn spread(&self, key: Key, figure: impl Fn(&Sample) -> f64) -> Option<Spread> {
        Spread::from_figures(self.samples(key).iter().map(figure).collect())
    }

    /// Spread of the ratio of a figure of `key` to that of `other`, round by round.
    pub(crate) fn ratio(
        &self,
        key: Key,
        other: Key,
        figure: impl Fn(&Sample) -> f64,
    ) -> Option<Spread> {
        let pairs = self.samples(key).iter().zip(self.samples(other));
        let ratios = pairs.map(|(sample, other)| figure(sample) / figure(other));
        Spread::from_figures(ratios.collect())
    }

    /// Peak memory over the rounds of a row (KiB).
    pub(crate) fn peak(&self, key: Key) -> u64 {
        self.samples(key).iter().map(|sample| sample.peak).max().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spread_contains_the_median() {
        let spread = |figures: &[f64]| Spread::from_figures(figures.to_vec());
        let median = |figures: &[f64]| spread(figures).map(|spread| spread.median);
        assert_eq!(spread(&[]), None);
        assert_eq!(median(&[7.0]), Some(7.0));
        assert_eq!(median(&[3.0, 1.0]), Some(2.0));
        assert_eq!(spread(&[9.0, 1.0, 4.0]), Some(Spread { median: 4.0, min: 1.0, max: 9.0 }));
    }
}
