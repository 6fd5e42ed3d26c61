//! When people call: in the day more than at night, on working days more than at the weekend, and
//! while the campaign is open more than while it is not. By the clock on the wall of the campaign.

use super::seeded_rng::SeededRng;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::ops::Range;
use trunkline_domain::hours::Hours;

/// How many call in an hour of the day, from midnight on, to each other.
const WEIGHT_BY_HOUR: [u64; 24] =
    [2, 1, 1, 1, 1, 2, 5, 9, 14, 19, 22, 22, 20, 20, 21, 21, 20, 18, 15, 12, 10, 7, 5, 3];
/// The most of [`WEIGHT_BY_HOUR`].
const MAX_HOUR_WEIGHT: u64 = 22;
/// How many call on a day of the week, Monday first, of a hundred.
const WEIGHT_BY_WEEKDAY: [u64; 7] = [100, 98, 96, 95, 90, 52, 40];
/// How many call while the campaign is open, for one who calls when it is not.
const OPEN_HOURS_WEIGHT: u64 = 5;
/// Moments that are drawn before one is taken as it is.
const MAX_DRAWS: u32 = 64;

/// The times of a campaign.
pub(super) struct CallTimeDistribution<'a> {
    pub(super) zone: &'a TimeZone,
    /// `None` is around the clock.
    pub(super) hours: Option<&'a Hours>,
    /// Seconds since 1970.
    pub(super) seconds: Range<i64>,
}

/// A moment when somebody calls, in seconds since 1970: moments are drawn, all alike, and kept as
/// often as somebody would call then.
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
    let of = |table: &[u64], index: i8| {
        usize::try_from(index).ok().and_then(|index| table.get(index)).copied().unwrap_or(0)
    };
    let hour = of(&WEIGHT_BY_HOUR, local.hour());
    let day = of(&WEIGHT_BY_WEEKDAY, local.weekday().to_monday_zero_offset());
    let is_open = times.hours.is_none_or(|hours| hours.is_open_at(at, times.zone));
    hour * day * if is_open { OPEN_HOURS_WEIGHT } else { 1 }
}
