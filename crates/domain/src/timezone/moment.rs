//! Moments as the wire writes and reads them.

use super::ZoneName;
use crate::text;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, ToSpan};

/// The longest text that is looked at, in bytes; the longest sensible one has about 40.
const LONGEST: usize = 128;

/// A moment as the responses have it: `2015-05-13 07:45:08 -0800`, to the second, in `zone`.
pub fn stamp(timestamp: Timestamp, zone: ZoneName) -> String {
    timestamp.to_zoned(zone.zone()).strftime("%Y-%m-%d %H:%M:%S %z").to_string()
}

/// A moment in ISO 8601: `2014-04-17T00:00:00-07:00`, to the second, in `zone`; UTC is `+00:00`.
pub fn iso(timestamp: Timestamp, zone: ZoneName) -> String {
    timestamp.to_zoned(zone.zone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// Reads a moment, to the second (a fraction is dropped).
///
/// Taken are a date (`2015-01-01`, `2015/01/01`), which means its first second in `zone`, or its
/// last with `end_of_day`; a date and a time, with `T` or a space between; and these with an
/// offset (`Z`, `UTC`, `-0700`, `-07:00`), which then counts instead of `zone`.
///
/// A wall-clock time that a change to summer time skips is read by the offset before the change;
/// one that comes twice is the first. Years are 1970–9999 as written.
pub fn parse_moment(text: &str, zone: ZoneName, end_of_day: bool) -> Option<Timestamp> {
    if text.len() > LONGEST {
        return None;
    }
    let text = text::plain(text);
    let (date, rest) = split_date(text.trim())?;
    if rest.is_empty() {
        return whole_day(date, &zone.zone(), end_of_day);
    }
    let (time, rest) = split_time(rest.strip_prefix(['T', 't', ' '])?)?;
    let local = DateTime::from_parts(date, time);
    match rest.trim_start() {
        "" => zone.zone().to_timestamp(local).ok(),
        offset => parse_offset(offset)?.to_timestamp(local).ok(),
    }
}

/// The first or the last second of a day, where the day may start later than midnight or have 23
/// or 25 hours.
fn whole_day(date: Date, zone: &TimeZone, end: bool) -> Option<Timestamp> {
    if !end {
        return Some(date.to_zoned(zone.clone()).ok()?.timestamp());
    }
    let next = date.tomorrow().ok()?.to_zoned(zone.clone()).ok()?.timestamp();
    next.checked_sub(1.second()).ok()
}

/// Takes `2015-01-01` or `2015/01/01` off the front.
fn split_date(text: &str) -> Option<(Date, &str)> {
    let (year, rest) = split_digits(text, 4)?;
    let separator = if rest.starts_with('/') { '/' } else { '-' };
    let (month, rest) = split_digits(rest.strip_prefix(separator)?, 2)?;
    let (day, rest) = split_digits(rest.strip_prefix(separator)?, 2)?;
    if year < 1970 {
        return None;
    }
    let date = Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    Some((date, rest))
}

/// Takes `15:59:00` off the front, and a fraction of a second, which is dropped.
fn split_time(text: &str) -> Option<(Time, &str)> {
    let (hour, rest) = split_digits(text, 2)?;
    let (minute, rest) = split_digits(rest.strip_prefix(':')?, 2)?;
    let (second, rest) = split_digits(rest.strip_prefix(':')?, 2)?;
    let part = |number: i16| i8::try_from(number).ok();
    let time = Time::new(part(hour)?, part(minute)?, part(second)?, 0).ok()?;
    let Some(fraction) = rest.strip_prefix('.') else {
        return Some((time, rest));
    };
    let rest = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
    (rest.len() < fraction.len()).then_some((time, rest))
}

/// Reads `Z`, `UTC`, `-0700` or `-07:00`, and nothing after it.
fn parse_offset(text: &str) -> Option<Offset> {
    if matches!(text, "Z" | "z" | "UTC") {
        return Some(Offset::UTC);
    }
    let sign = match text.chars().next()? {
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    let (hours, rest) = split_digits(&text[1..], 2)?;
    let (minutes, rest) = split_digits(rest.strip_prefix(':').unwrap_or(rest), 2)?;
    if !rest.is_empty() || hours > 23 || minutes > 59 {
        return None;
    }
    let seconds = i32::from(hours) * 3600 + i32::from(minutes) * 60;
    Offset::from_seconds(sign * seconds).ok()
}

/// Takes exactly `count` (at most 4) ASCII digits off the front.
fn split_digits(text: &str, count: usize) -> Option<(i16, &str)> {
    let (digits, rest) = text.split_at_checked(count)?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some((digits.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn utc(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn moments_go_out_in_their_zone() {
        let moment = utc("2014-04-17T07:00:00.9Z");
        assert_eq!(stamp(moment, ZoneName::PACIFIC), "2014-04-17 00:00:00 -0700");
        assert_eq!(iso(moment, ZoneName::PACIFIC), "2014-04-17T00:00:00-07:00");
        assert_eq!(stamp(moment, ZoneName::UTC), "2014-04-17 07:00:00 +0000");
        assert_eq!(iso(moment, ZoneName::UTC), "2014-04-17T07:00:00+00:00");
        let kathmandu = ZoneName::parse("Kathmandu").unwrap();
        assert_eq!(iso(moment, kathmandu), "2014-04-17T12:45:00+05:45");
    }

    #[test]
    fn every_form_is_read() {
        for (text, expected) in [
            ("2015-01-01 15:59:00 -0700", "2015-01-01T22:59:00Z"),
            ("2015-05-18T23:59:59-08:00", "2015-05-19T07:59:59Z"),
            ("2015-05-18T23:59:59\u{2212}08:00", "2015-05-19T07:59:59Z"),
            ("2015-05-18T23:59:59Z", "2015-05-18T23:59:59Z"),
            ("2015-05-18 23:59:59 UTC", "2015-05-18T23:59:59Z"),
            ("2015-05-18T23:59:59.999999999999Z", "2015-05-18T23:59:59Z"),
            ("2015-01-01 15:59:00", "2015-01-01T23:59:00Z"),
            ("2015-07-01 15:59:00", "2015-07-01T22:59:00Z"),
            ("2015-07-01T15:59:00.5", "2015-07-01T22:59:00Z"),
            (" 2015-01-01 ", "2015-01-01T08:00:00Z"),
            ("2015/01/01", "2015-01-01T08:00:00Z"),
        ] {
            assert_eq!(parse_moment(text, ZoneName::PACIFIC, false), Some(utc(expected)), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "now",
            "2015",
            "2015-1-1",
            "2015-01/01",
            "2015-02-29",
            "2015-13-01",
            "2015-00-10",
            "1969-12-31",
            "0001-01-01",
            "12015-01-01",
            "-2015-01-01",
            "2015-01-01T",
            "2015-01-01 ab",
            "2015-01-01T24:00:00Z",
            "2015-01-01T23:60:00Z",
            "2015-01-01T23:59:61Z",
            "2015-01-01T9:00:00",
            "2015-01-01T09:00",
            "2015-01-01T09:00:00.",
            "2015-01-01T09:00:00.Z",
            "2015-01-01T09:00:00+",
            "2015-01-01T09:00:00+1",
            "2015-01-01T09:00:00+24:00",
            "2015-01-01T09:00:00+01:60",
            "2015-01-01T09:00:00+01:00x",
            "2015-01-01T09:00:00 PST",
            "٢٠١٥-01-01",
            "2015-01-01T09:00:00é",
        ] {
            assert_eq!(parse_moment(text, ZoneName::PACIFIC, false), None, "{text:?}");
        }
        let long = format!("2015-01-01T09:00:00.{}Z", "0".repeat(1000));
        assert_eq!(parse_moment(&long, ZoneName::PACIFIC, false), None);
    }

    #[test]
    fn the_last_second_of_a_day_is_found_over_changes_of_the_clock() {
        let santiago = ZoneName::parse("Santiago").unwrap();
        let samoa = ZoneName::parse("Samoa").unwrap();
        for (date, zone, first, last) in [
            ("2015-01-01", ZoneName::PACIFIC, "2015-01-01T08:00:00Z", "2015-01-02T07:59:59Z"),
            ("2015-03-08", ZoneName::PACIFIC, "2015-03-08T08:00:00Z", "2015-03-09T06:59:59Z"),
            ("2015-11-01", ZoneName::PACIFIC, "2015-11-01T07:00:00Z", "2015-11-02T07:59:59Z"),
            // The day starts at 01:00.
            ("2019-09-08", santiago, "2019-09-08T04:00:00Z", "2019-09-09T02:59:59Z"),
            // The day has its last hour twice.
            ("2019-04-06", santiago, "2019-04-06T03:00:00Z", "2019-04-07T03:59:59Z"),
            // There was no such day: it ends before it starts, and nothing falls into it.
            ("2011-12-30", samoa, "2011-12-30T10:00:00Z", "2011-12-30T09:59:59Z"),
        ] {
            assert_eq!(parse_moment(date, zone, false), Some(utc(first)), "{date} starts");
            assert_eq!(parse_moment(date, zone, true), Some(utc(last)), "{date} ends");
        }
        let time = "2015-01-01T10:00:00Z";
        assert_eq!(parse_moment(time, ZoneName::PACIFIC, true), Some(utc(time)));
    }

    #[test]
    fn the_end_of_time_is_no_crash() {
        assert_eq!(parse_moment("9999-12-31T23:59:59-23:59", ZoneName::PACIFIC, false), None);
        assert_eq!(parse_moment("9999-12-31", ZoneName::PACIFIC, true), None);
        assert!(parse_moment("1970-01-01T00:00:00+23:59", ZoneName::PACIFIC, false).is_some());
    }

    proptest! {
        #[test]
        fn what_goes_out_reads_back(second in 100_000_000i64..250_000_000_000, index in 0usize..153) {
            let zone = ZoneName::all().nth(index).unwrap();
            let moment = Timestamp::from_second(second).unwrap();
            let reader = ZoneName::UTC;
            prop_assert_eq!(parse_moment(&stamp(moment, zone), reader, false), Some(moment));
            prop_assert_eq!(parse_moment(&iso(moment, zone), reader, true), Some(moment));
        }

        #[test]
        fn no_text_is_a_crash(text in "\\PC{0,40}|[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:. +-]{0,20}") {
            parse_moment(&text, ZoneName::PACIFIC, true);
        }
    }
}
