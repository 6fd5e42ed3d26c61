//! A campaign's hours of operation, on the clock on the wall of its time zone.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// The days as the wire's properties name them (`monday_open`), in the order of [`Hours::days`].
pub const DAY_NAMES: [&str; 7] =
    ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// The seconds of a day on the clock on the wall, and the last value of [`Day::open`] and
/// [`Day::close`]: midnight at the day's end.
pub const DAY_SECONDS: u32 = 86_400;

/// The hours of a week. Whether a campaign operates around the clock instead
/// (`operating_24_7`) is not theirs to say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Hours {
    /// The days, Monday first.
    pub days: [Day; 7],
}

/// The hours of one day, as they were sent. A day with neither an opening nor a closing time is
/// closed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Day {
    /// When it opens, in seconds past midnight, 0–86400. Absent where there is a closing time:
    /// at midnight.
    pub open: Option<u32>,
    /// When it closes, in seconds past midnight, 0–86400; at or before the opening means on the
    /// next day. Absent where there is an opening time: at the day's end.
    pub close: Option<u32>,
    /// `Some(true)`: closed, whatever the times say.
    pub closed: Option<bool>,
}

impl Hours {
    /// Whether it is open on a day (0 is Monday; days go round) at a second past its midnight.
    ///
    /// Closing times are exclusive. Hours that run past midnight belong to the day they began:
    /// they go on into a day that is closed, and fall away with a day that is.
    pub fn is_open(&self, weekday_index: usize, seconds_past_midnight: u32) -> bool {
        let today = self.days[weekday_index % 7].span();
        let yesterday = self.days[(weekday_index + 6) % 7].span();
        let since_yesterday = seconds_past_midnight.saturating_add(DAY_SECONDS);
        today.is_some_and(|(open, close)| (open..close).contains(&seconds_past_midnight))
            || yesterday.is_some_and(|(open, close)| (open..close).contains(&since_yesterday))
    }

    /// Whether it is open at a moment, by the clock on the wall in `zone`: an hour that summer time
    /// skips is no one's, and one that comes twice counts twice.
    pub fn is_open_at(&self, timestamp: Timestamp, zone: &TimeZone) -> bool {
        let local = zone.to_datetime(timestamp);
        let part = |number: i8| u32::try_from(number).unwrap_or(0);
        let seconds = part(local.hour()) * 3600 + part(local.minute()) * 60 + part(local.second());
        let day = usize::try_from(local.weekday().to_monday_zero_offset()).unwrap_or(0);
        self.is_open(day, seconds)
    }
}

impl Day {
    /// From when until when it is open, in seconds past the day's midnight; the end may lie in the
    /// next day. `None`: closed.
    fn span(&self) -> Option<(u32, u32)> {
        if self.closed == Some(true) || (self.open.is_none() && self.close.is_none()) {
            return None;
        }
        let open = self.open.unwrap_or(0);
        let close = self.close.unwrap_or(DAY_SECONDS);
        Some((open, if close <= open { close.saturating_add(DAY_SECONDS) } else { close }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timezone::ZoneName;
    use proptest::prelude::*;

    const HOUR: u32 = 3600;

    fn day(open: u32, close: u32) -> Day {
        Day { open: Some(open), close: Some(close), closed: None }
    }

    /// Hours with one day open, 0 is Monday.
    fn only(index: usize, day: Day) -> Hours {
        let mut hours = Hours::default();
        hours.days[index] = day;
        hours
    }

    #[test]
    fn a_day_is_open_from_its_opening_until_its_closing() {
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
    fn a_close_at_or_before_the_open_is_on_the_next_day() {
        let late = only(6, day(22 * HOUR, 2 * HOUR));
        for (weekday, second, open) in [
            (6, 2 * HOUR - 1, false),
            (6, 22 * HOUR - 1, false),
            (6, 22 * HOUR, true),
            (6, DAY_SECONDS - 1, true),
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
        for whole in [day(0, DAY_SECONDS), day(0, 0)] {
            let whole = only(2, whole);
            assert!(whole.is_open(2, 0) && whole.is_open(2, DAY_SECONDS - 1));
            assert!(!whole.is_open(3, 0) && !whole.is_open(1, DAY_SECONDS - 1));
        }
    }

    #[test]
    fn closed_days_are_closed_but_do_not_cut_the_night_before_short() {
        let mut hours = only(4, day(22 * HOUR, 2 * HOUR));
        hours.days[5] = Day { closed: Some(true), ..day(0, DAY_SECONDS) };
        assert!(hours.is_open(5, HOUR));
        assert!(!hours.is_open(5, 2 * HOUR) && !hours.is_open(6, HOUR));
        hours.days[4].closed = Some(true);
        assert!(!hours.is_open(4, 23 * HOUR) && !hours.is_open(5, HOUR));
        hours.days[4].closed = Some(false);
        assert!(hours.is_open(4, 23 * HOUR));
    }

    #[test]
    fn half_given_days_run_to_midnight() {
        assert!(!Hours::default().is_open(0, 12 * HOUR));
        let opens = only(0, Day { open: Some(12 * HOUR), ..Day::default() });
        assert!(!opens.is_open(0, 0) && opens.is_open(0, DAY_SECONDS - 1) && !opens.is_open(1, 0));
        let closes = only(0, Day { close: Some(12 * HOUR), ..Day::default() });
        assert!(closes.is_open(0, 0) && !closes.is_open(0, 12 * HOUR));
    }

    #[test]
    fn the_clock_on_the_wall_decides_over_changes_of_the_clock() {
        let zone = ZoneName::PACIFIC.zone();
        // 2015-03-08 and 2015-11-01 are Sundays.
        let morning = only(6, day(9 * HOUR, 17 * HOUR));
        let night = only(5, day(22 * HOUR, 2 * HOUR));
        for (hours, moment, open) in [
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
            // 01:59:59 comes twice.
            (&night, "2015-11-01T08:59:59Z", true),
            (&night, "2015-11-01T09:59:59Z", true),
            (&night, "2015-11-01T10:00:00Z", false),
        ] {
            assert_eq!(hours.is_open_at(moment.parse().unwrap(), &zone), open, "{moment}");
        }
    }

    #[test]
    fn hours_read_back_from_json() {
        let hours = only(3, Day { closed: Some(false), ..day(0, DAY_SECONDS) });
        let json = serde_json::to_string(&hours).unwrap();
        assert_eq!(serde_json::from_str::<Hours>(&json).unwrap(), hours);
    }

    proptest! {
        #[test]
        fn a_day_is_open_as_long_as_its_times_say(
            index in 0usize..7, open in 0u32..=DAY_SECONDS, close in 0u32..=DAY_SECONDS,
        ) {
            let hours = only(index, day(open, close));
            let seconds = (0..7).flat_map(|day| (0..DAY_SECONDS).step_by(60).map(move |s| (day, s)));
            let open_minutes = seconds.filter(|(day, s)| hours.is_open(*day, *s)).count();
            let span = if close > open { close - open } else { close + DAY_SECONDS - open };
            prop_assert!(open_minutes.abs_diff(span as usize / 60) <= 1);
        }
    }
}
