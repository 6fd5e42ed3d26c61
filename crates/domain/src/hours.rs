//! Hours of operation of a campaign, in local time of its time zone.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Names of the days in wire properties such as `monday_open`, in the order of [`WeeklyHours::days`].
pub const DAY_NAMES: [&str; 7] =
    ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// Seconds of a day in local time. Also the maximum of [`DayHours::open`] and [`DayHours::close`], where it
/// means midnight at the end of the day.
pub const SECONDS_PER_DAY: u32 = 86_400;

/// Opening hours of a week. They apply only if the campaign does not operate around the clock
/// (`operating_24_7`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct WeeklyHours {
    /// Hours of each day, Monday first.
    pub days: [DayHours; 7],
}

/// Opening hours of one day, as sent. A day without opening and closing time is closed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DayHours {
    /// Opening time in seconds past midnight, 0–86400. If only the closing time is given, the day
    /// opens at midnight.
    pub open: Option<u32>,
    /// Closing time in seconds past midnight, 0–86400, exclusive. A closing time at or before the
    /// opening time is on the next day. If only the opening time is given, the day closes at
    /// midnight at its end.
    pub close: Option<u32>,
    /// `Some(true)` means closed regardless of the times.
    pub closed: Option<bool>,
}

impl WeeklyHours {
    /// Returns true if the campaign is open at a local time. The weekday index is 0 for Monday and
    /// is taken modulo 7.
    ///
    /// Closing times are exclusive. Hours past midnight belong to the day on which they started:
    /// they extend into a following day that is closed, and a closed day has none.
    pub fn is_open(&self, weekday_index: usize, seconds_past_midnight: u32) -> bool {
        let today = self.days[weekday_index % 7].open_interval();
        let yesterday = self.days[(weekday_index + 6) % 7].open_interval();
        let seconds_since_yesterday = seconds_past_midnight.saturating_add(SECONDS_PER_DAY);
        today.is_some_and(|interval| interval.contains(&seconds_past_midnight))
            || yesterday.is_some_and(|interval| interval.contains(&seconds_since_yesterday))
    }

    /// Returns true if the campaign is open at a timestamp, by local time in `zone`. A local hour
    /// that daylight saving skips never occurs; one that it repeats counts both times.
    pub fn is_open_at(&self, timestamp: Timestamp, zone: &TimeZone) -> bool {
        let local = zone.to_datetime(timestamp);
        let to_u32 = |number: i8| u32::try_from(number).unwrap_or(0);
        let seconds_past_midnight =
            to_u32(local.hour()) * 3600 + to_u32(local.minute()) * 60 + to_u32(local.second());
        let weekday_index = usize::try_from(local.weekday().to_monday_zero_offset()).unwrap_or(0);
        self.is_open(weekday_index, seconds_past_midnight)
    }
}

impl DayHours {
    /// Returns the open interval in seconds past the day's midnight. Its end may be on the next
    /// day. `None` if the day is closed.
    fn open_interval(&self) -> Option<Range<u32>> {
        if self.closed == Some(true) || (self.open.is_none() && self.close.is_none()) {
            return None;
        }
        let open = self.open.unwrap_or(0);
        let close = self.close.unwrap_or(SECONDS_PER_DAY);
        Some(open..if close <= open { close.saturating_add(SECONDS_PER_DAY) } else { close })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timezone::TimeZoneName;
    use proptest::prelude::*;

    const HOUR: u32 = 3600;

    fn day(open: u32, close: u32) -> DayHours {
        DayHours { open: Some(open), close: Some(close), closed: None }
    }

    /// Builds hours with one open day; index 0 is Monday.
    fn only(index: usize, day: DayHours) -> WeeklyHours {
        let mut hours = WeeklyHours::default();
        hours.days[index] = day;
        hours
    }

    #[test]
    fn day_is_open_from_opening_to_closing_time() {
        let hours = only(0, day(9 * HOUR, 17 * HOUR));
        for (weekday, second, open) in [
            (0, 9 * HOUR - 1, false),
            (0, 9 * HOUR, true),
            (0, 17 * HOUR - 1, true),
            (0, 17 * HOUR, false),
            (1, 9 * HOUR, false),
            (6, 9 * HOUR, false),
            (7, 9 * HOUR, true),
        ] {
            assert_eq!(hours.is_open(weekday, second), open, "{weekday} {second}");
        }
    }

    #[test]
    fn close_at_or_before_open_is_on_the_next_day() {
        let late = only(6, day(22 * HOUR, 2 * HOUR));
        for (weekday, second, open) in [
            (6, 2 * HOUR - 1, false),
            (6, 22 * HOUR - 1, false),
            (6, 22 * HOUR, true),
            (6, SECONDS_PER_DAY - 1, true),
            (0, 0, true),
            (0, 2 * HOUR - 1, true),
            (0, 2 * HOUR, false),
            (0, 22 * HOUR, false),
        ] {
            assert_eq!(late.is_open(weekday, second), open, "{weekday} {second}");
        }
        let round = only(2, day(9 * HOUR, 9 * HOUR));
        assert!(!round.is_open(2, 9 * HOUR - 1) && round.is_open(2, 9 * HOUR));
        assert!(round.is_open(3, 9 * HOUR - 1) && !round.is_open(3, 9 * HOUR));
        for whole in [day(0, SECONDS_PER_DAY), day(0, 0)] {
            let whole = only(2, whole);
            assert!(whole.is_open(2, 0) && whole.is_open(2, SECONDS_PER_DAY - 1));
            assert!(!whole.is_open(3, 0) && !whole.is_open(1, SECONDS_PER_DAY - 1));
        }
    }

    #[test]
    fn closed_day_keeps_hours_that_started_the_day_before() {
        let mut hours = only(4, day(22 * HOUR, 2 * HOUR));
        hours.days[5] = DayHours { closed: Some(true), ..day(0, SECONDS_PER_DAY) };
        assert!(hours.is_open(5, HOUR));
        assert!(!hours.is_open(5, 2 * HOUR) && !hours.is_open(6, HOUR));
        hours.days[4].closed = Some(true);
        assert!(!hours.is_open(4, 23 * HOUR) && !hours.is_open(5, HOUR));
        hours.days[4].closed = Some(false);
        assert!(hours.is_open(4, 23 * HOUR));
    }

    #[test]
    fn missing_open_or_close_is_midnight() {
        assert!(!WeeklyHours::default().is_open(0, 12 * HOUR));
        let opens = only(0, DayHours { open: Some(12 * HOUR), ..DayHours::default() });
        assert!(
            !opens.is_open(0, 0) && opens.is_open(0, SECONDS_PER_DAY - 1) && !opens.is_open(1, 0)
        );
        let closes = only(0, DayHours { close: Some(12 * HOUR), ..DayHours::default() });
        assert!(closes.is_open(0, 0) && !closes.is_open(0, 12 * HOUR));
    }

    #[test]
    fn local_time_decides_across_daylight_saving_transitions() {
        let zone = TimeZoneName::PACIFIC.to_time_zone();
        // 2015-03-08 and 2015-11-01 are Sundays.
        let morning = only(6, day(9 * HOUR, 17 * HOUR));
        let night = only(5, day(22 * HOUR, 2 * HOUR));
        for (hours, timestamp, open) in [
            (&morning, "2015-03-01T16:59:59Z", false),
            (&morning, "2015-03-01T17:00:00Z", true),
            (&morning, "2015-03-08T16:00:00Z", true),
            (&morning, "2015-03-08T23:59:59Z", true),
            (&morning, "2015-03-09T00:00:00Z", false),
            (&morning, "2015-11-01T16:59:59Z", false),
            (&morning, "2015-11-01T17:00:00Z", true),
            // 01:59:59 is followed by 03:00:00.
            (&night, "2015-03-08T09:59:59Z", true),
            (&night, "2015-03-08T10:00:00Z", false),
            // 01:59:59 is repeated.
            (&night, "2015-11-01T08:59:59Z", true),
            (&night, "2015-11-01T09:59:59Z", true),
            (&night, "2015-11-01T10:00:00Z", false),
        ] {
            assert_eq!(hours.is_open_at(timestamp.parse().unwrap(), &zone), open, "{timestamp}");
        }
    }

    #[test]
    fn hours_round_trip_through_json() {
        let hours = only(3, DayHours { closed: Some(false), ..day(0, SECONDS_PER_DAY) });
        let json = serde_json::to_string(&hours).unwrap();
        assert_eq!(serde_json::from_str::<WeeklyHours>(&json).unwrap(), hours);
    }

    proptest! {
        #[test]
        fn open_duration_matches_the_times(
            index in 0usize..7, open in 0u32..=SECONDS_PER_DAY, close in 0u32..=SECONDS_PER_DAY,
        ) {
            let hours = only(index, day(open, close));
            let seconds = (0..7).flat_map(|day| (0..SECONDS_PER_DAY).step_by(60).map(move |s| (day, s)));
            let open_minutes = seconds.filter(|(day, s)| hours.is_open(*day, *s)).count();
            let span = if close > open { close - open } else { close + SECONDS_PER_DAY - open };
            prop_assert!(open_minutes.abs_diff(span as usize / 60) <= 1);
        }
    }
}
