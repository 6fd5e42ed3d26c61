//! Distribution of call times: by hour of the day, by weekday, and by the opening hours of the
//! campaign, in the campaign's time zone.

use super::seeded_rng::SeededRng;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::ops::Range;
use trunkline_domain::hours::WeeklyHours;

/// Relative number of calls by hour of the day, from midnight.
const WEIGHT_BY_HOUR: [u64; 24] =
    [2, 1, 1, 1, 1, 2, 5, 9, 14, 19, 22, 22, 20, 20, 21, 21, 20, 18, 15, 12, 10, 7, 5, 3];
/// Maximum of [`WEIGHT_BY_HOUR`].
const MAX_HOUR_WEIGHT: u64 = 22;
/// Relative number of calls by weekday, Monday first, in percent of Monday.
const WEIGHT_BY_WEEKDAY: [u64; 7] = [100, 98, 96, 95, 90, 52, 40];
/// Relative number of calls during opening hours; outside of them it is 1.
const OPEN_HOURS_WEIGHT: u64 = 5;
/// Maximum number of draws; the last one is accepted unconditionally.
const MAX_DRAWS: u32 = 64;

/// Inputs of the call time distribution of a campaign.
pub(super) struct CallTimeDistribution<'a> {
    pub(super) zone: &'a TimeZone,
    /// Opening hours; `None` for 24/7.
    pub(super) hours: Option<&'a WeeklyHours>,
    /// Range of start times, in seconds since 1970.
    pub(super) seconds: Range<i64>,
}

/// Draws a start time, in seconds since 1970, by rejection sampling: uniform candidates are
/// accepted in proportion to their weight.
pub(super) fn draw_call_time(rng: &mut SeededRng, times: &CallTimeDistribution<'_>) -> i64 {
    let length = times.seconds.end.saturating_sub(times.seconds.start);
    let length = u64::try_from(length).unwrap_or(0);
    let mut at = times.seconds.start;
    for _ in 0..MAX_DRAWS {
        at = times.seconds.start + i64::try_from(rng.below(length)).unwrap_or(0);
        if rng.below(MAX_HOUR_WEIGHT * 100 * OPEN_HOURS_WEIGHT) < weight_at(at, times) {
            break;
        }
    }
    at
}

fn weight_at(second: i64, times: &CallTimeDistribution<'_>) -> u64 {
    let at = Timestamp::from_second(second).unwrap_or_default();
    let local = times.zone.to_datetime(at);
    let lookup = |table: &[u64], index: i8| {
        usize::try_from(index).ok().and_then(|index| table.get(index)).copied().unwrap_or(0)
    };
    let hour = lookup(&WEIGHT_BY_HOUR, local.hour());
    let day = lookup(&WEIGHT_BY_WEEKDAY, local.weekday().to_monday_zero_offset());
    let is_open = times.hours.is_none_or(|hours| hours.is_open_at(at, times.zone));
    hour * day * if is_open { OPEN_HOURS_WEIGHT } else { 1 }
}
