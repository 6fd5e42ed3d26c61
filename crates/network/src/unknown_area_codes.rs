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

/// Returns the unknown area codes of the calls that this process has ingested since its start, in
/// ascending order, each with the number of calls.
pub fn counts() -> impl Iterator<Item = (usize, u64)> {
    let counts = COUNTS.iter().map(|count| count.load(Ordering::Relaxed)).enumerate();
    counts.filter(|(_, count)| *count > 0)
}
