//! What was measured, round by round.

use super::options::Kind;
use std::collections::BTreeMap;

/// Who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Who {
    /// axum with an answer that is there.
    Constant,
    /// axum with one `SELECT`.
    Select(Kind),
    /// axum with one commit.
    Commit(Kind),
    /// The server.
    Ours(Kind),
}

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum What {
    /// One affiliate, of those that there are.
    GetAffiliate,
    /// One campaign.
    GetCampaign,
    /// A change of one affiliate.
    PutAffiliate,
    /// One call.
    Call,
    /// Calls, a line each, in so many requests at once.
    Lines(usize),
    /// All affiliates.
    List,
    /// A relationship that carries over to so many affiliate campaigns.
    Cascade(u64),
}

/// A line of the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) what: What,
    pub(crate) who: Who,
    /// Affiliates in the database; 0 where that is not asked.
    pub(crate) rows: u64,
}

/// One round of it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sample {
    /// Requests, calls, objects or rows.
    pub(crate) count: u64,
    pub(crate) seconds: f64,
    /// Microseconds.
    pub(crate) p50: f64,
    /// Microseconds.
    pub(crate) p99: f64,
    /// Processors' time of who answers, for each of them (microseconds).
    pub(crate) cost: f64,
    /// The client's (microseconds).
    pub(crate) client: f64,
    /// The server's memory at most (KiB).
    pub(crate) peak: u64,
    /// Units of work that wrote, and the commits that they shared.
    pub(crate) writes: u64,
    pub(crate) commits: u64,
    pub(crate) bytes: u64,
}

impl Sample {
    /// How many a second.
    pub(crate) fn rate(&self) -> f64 {
        self.count as f64 / self.seconds
    }
}

/// The middle of some figures, and how far they go.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Spread {
    pub(crate) fn of(mut figures: Vec<f64>) -> Option<Self> {
        figures.sort_by(f64::total_cmp);
        let middle = figures.len() / 2;
        let upper = *figures.get(middle)?;
        let lower = figures.get(middle.saturating_sub(1)).copied()?;
        let median = if figures.len() % 2 == 1 { upper } else { (lower + upper) / 2.0 };
        Some(Self { median, least: *figures.first()?, most: *figures.last()? })
    }
}

/// Everything that was measured.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    samples: BTreeMap<Key, Vec<Sample>>,
    /// The memory of a server that nobody has asked anything (KiB), by database and affiliates in it.
    pub(crate) idle: BTreeMap<(Kind, u64), u64>,
}

impl Figures {
    pub(crate) fn add(&mut self, key: Key, sample: Sample) {
        self.samples.entry(key).or_default().push(sample);
    }

    /// What was measured, in order.
    pub(crate) fn keys(&self) -> impl Iterator<Item = Key> {
        self.samples.keys().copied()
    }

    pub(crate) fn samples(&self, key: Key) -> &[Sample] {
        self.samples.get(&key).map(Vec::as_slice).unwrap_or_default()
    }

    /// One figure of a line.
    pub(crate) fn spread(&self, key: Key, figure: impl Fn(&Sample) -> f64) -> Option<Spread> {
        Spread::of(self.samples(key).iter().map(figure).collect())
    }

    /// One figure of a line against another's, each round against the same round.
    pub(crate) fn ratio(
        &self,
        [key, other]: [Key; 2],
        figure: impl Fn(&Sample) -> f64,
    ) -> Option<Spread> {
        let pairs = self.samples(key).iter().zip(self.samples(other));
        Spread::of(pairs.map(|(ours, other)| figure(ours) / figure(other)).collect())
    }

    /// The most memory of a line (KiB).
    pub(crate) fn peak(&self, key: Key) -> u64 {
        self.samples(key).iter().map(|sample| sample.peak).max().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_has_its_middle() {
        let spread = |figures: &[f64]| Spread::of(figures.to_vec());
        let middle = |figures: &[f64]| spread(figures).map(|spread| spread.median);
        assert_eq!(spread(&[]), None);
        assert_eq!(middle(&[7.0]), Some(7.0));
        assert_eq!(middle(&[3.0, 1.0]), Some(2.0));
        assert_eq!(spread(&[9.0, 1.0, 4.0]), Some(Spread { median: 4.0, least: 1.0, most: 9.0 }));
    }
}
