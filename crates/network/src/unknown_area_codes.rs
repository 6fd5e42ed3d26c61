//! Counts of calls with unknown area codes, for the metrics of a server.

use std::sync::atomic::{AtomicU64, Ordering};
use trunkline_domain::call::CallFacts;

/// Number of calls of this process by area code. An area code has three digits.
static COUNTS: [AtomicU64; 1_000] = [const { AtomicU64::new(0) }; 1_000];

/// Counts a new call if the area code of its caller is unknown.
pub(crate) fn count_call(facts: &CallFacts) {
    let index = facts.unknown_area_code().and_then(|code| code.parse::<usize>().ok());
    if let Some(count) = index.and_then(|index| COUNTS.get(index)) {
        count.fetch_add(1, Ordering::Relaxed);
    }
}

/// Number of calls from an unknown area code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownAreaCode {
    /// Area code, three digits.
    pub area_code: usize,
    /// Number of calls.
    pub calls: u64,
}

/// Returns the unknown area codes of the calls that this process has ingested since its start, in
/// ascending order.
pub fn counts() -> impl Iterator<Item = UnknownAreaCode> {
    let counts = COUNTS.iter().map(|count| count.load(Ordering::Relaxed)).enumerate();
    let counts = counts.map(|(area_code, calls)| UnknownAreaCode { area_code, calls });
    counts.filter(|found| found.calls > 0)
}
