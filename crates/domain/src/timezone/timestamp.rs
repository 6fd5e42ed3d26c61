//! Timestamp formats of the wire.

use super::TimeZoneName;
use crate::text;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, ToSpan};

/// Maximum length of a timestamp text, in bytes. Realistic timestamps have at most about 40.
const MAX_TEXT_BYTES: usize = 128;

/// Formats a timestamp in `zone` as responses show it: `2015-05-13 07:45:08 -0800`. Fractions of a
/// second are omitted.
pub fn format_legacy(timestamp: Timestamp, zone: TimeZoneName) -> String {
    timestamp.to_zoned(zone.to_time_zone()).strftime("%Y-%m-%d %H:%M:%S %z").to_string()
}

/// Formats a timestamp in `zone` by ISO 8601: `2014-04-17T00:00:00-07:00`. Fractions of a second
/// are omitted; the offset of UTC is `+00:00`.
pub fn format_iso8601(timestamp: Timestamp, zone: TimeZoneName) -> String {
    timestamp.to_zoned(zone.to_time_zone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// Parses a timestamp. A fraction of a second is discarded.
///
/// Accepted forms:
///
/// - a date (`2015-01-01`, `2015/01/01`): the first second of that day in `zone`, or the last one
///   if `end_of_day` is true;
/// - a date and a time, separated by `T` or a space, in `zone`; the time may lack seconds, and may be
///   followed by `AM` or `PM`, which an hour after 12 makes void;
/// - a date, a time and an offset (`Z`, `UTC`, `-0700`, `-07:00`, `-07`), which replaces `zone`;
/// - the basic form of ISO 8601 (`20150118T2359Z`, `20150118T235959-0800`).
///
/// A local time in a daylight saving gap is read with the offset before the transition. An
/// ambiguous local time is the earlier of the two. The year must be 1970–9999 as written.
pub fn parse_timestamp(text: &str, zone: TimeZoneName, end_of_day: bool) -> Option<Timestamp> {
    if text.len() > MAX_TEXT_BYTES {
        return None;
    }
    let text = text::normalize_plain_text(text);
    let (local, rest) = match split_basic(text.trim()) {
        Some(basic) => basic,
        None => {
            let (date, rest) = split_date(text.trim())?;
            if rest.is_empty() {
                return day_boundary(date, &zone.to_time_zone(), end_of_day);
            }
            let (time, rest) = split_time(rest.strip_prefix(['T', 't', ' '])?)?;
            let (time, rest) = apply_meridiem(time, rest)?;
            (DateTime::from_parts(date, time), rest)
        }
    };
    match rest.trim_start() {
        "" => zone.to_time_zone().to_timestamp(local).ok(),
        offset => parse_offset(offset)?.to_timestamp(local).ok(),
    }
}

/// Returns the first or the last second of a day. With daylight saving transitions, a day may
/// start after midnight and may have 23 or 25 hours.
fn day_boundary(date: Date, zone: &TimeZone, end_of_day: bool) -> Option<Timestamp> {
    if !end_of_day {
        return Some(date.to_zoned(zone.clone()).ok()?.timestamp());
    }
    let next = date.tomorrow().ok()?.to_zoned(zone.clone()).ok()?.timestamp();
    next.checked_sub(1.second()).ok()
}

/// Splits `2015-01-01` or `2015/01/01` off the front.
fn split_date(text: &str) -> Option<(Date, &str)> {
    let (year, rest) = split_digits(text, 4)?;
    let separator = if rest.starts_with('/') { '/' } else { '-' };
    let (month, rest) = split_digits(rest.strip_prefix(separator)?, 2)?;
    let (day, rest) = split_digits(rest.strip_prefix(separator)?, 2)?;
    Some((date_of(year, month, day)?, rest))
}

fn date_of(year: i16, month: i16, day: i16) -> Option<Date> {
    if year < 1970 {
        return None;
    }
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

/// Splits `15:59:00` or `15:59` off the front, and a fraction of a second, which is discarded.
fn split_time(text: &str) -> Option<(Time, &str)> {
    let (hour, rest) = split_digits(text, 2)?;
    let (minute, rest) = split_digits(rest.strip_prefix(':')?, 2)?;
    let Some(seconds) = rest.strip_prefix(':') else {
        return Some((time_of(hour, minute, 0)?, rest));
    };
    let (second, rest) = split_digits(seconds, 2)?;
    Some((time_of(hour, minute, second)?, skip_fraction(rest)?))
}

fn time_of(hour: i16, minute: i16, second: i16) -> Option<Time> {
    let to_i8 = |number: i16| i8::try_from(number).ok();
    Time::new(to_i8(hour)?, to_i8(minute)?, to_i8(second)?, 0).ok()
}

/// Skips the fraction of a second, if there is one.
fn skip_fraction(text: &str) -> Option<&str> {
    let Some(fraction) = text.strip_prefix(['.', ',']) else { return Some(text) };
    let rest = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
    (rest.len() < fraction.len()).then_some(rest)
}

/// Splits the basic form off the front: `20150118T2359` or `20150118T235959`.
fn split_basic(text: &str) -> Option<(DateTime, &str)> {
    let (year, rest) = split_digits(text, 4)?;
    let (month, rest) = split_digits(rest, 2)?;
    let (day, rest) = split_digits(rest, 2)?;
    let (hour, rest) = split_digits(rest.strip_prefix(['T', 't', ' '])?, 2)?;
    let (minute, rest) = split_digits(rest, 2)?;
    let (second, rest) = split_digits(rest, 2).unwrap_or((0, rest));
    Some((
        DateTime::from_parts(date_of(year, month, day)?, time_of(hour, minute, second)?),
        skip_fraction(rest)?,
    ))
}

/// Applies a following `AM` or `PM`. An hour after 12 is one of 24.
fn apply_meridiem(time: Time, rest: &str) -> Option<(Time, &str)> {
    let word = rest.trim_start();
    let is_followed_by =
        |suffix: &str| word.get(..2).is_some_and(|start| start.eq_ignore_ascii_case(suffix));
    let hour = match time.hour() {
        12 if is_followed_by("AM") => 0,
        hour @ 1..12 if is_followed_by("PM") => hour + 12,
        hour if is_followed_by("AM") || is_followed_by("PM") => hour,
        _ => return Some((time, rest)),
    };
    Some((Time::new(hour, time.minute(), time.second(), 0).ok()?, &word[2..]))
}

/// Parses the 17 digits `YYYYMMDDhhmmssSSS`, in UTC. The milliseconds are discarded.
pub fn parse_timestamp_digits(text: &str) -> Option<Timestamp> {
    let (year, rest) = split_digits(text, 4)?;
    let mut parts = [0; 5];
    let mut rest = rest;
    for part in &mut parts {
        (*part, rest) = split_digits(rest, 2)?;
    }
    let (_, rest) = split_digits(rest, 3)?;
    let [month, day, hour, minute, second] = parts;
    let local = DateTime::from_parts(date_of(year, month, day)?, time_of(hour, minute, second)?);
    if rest.is_empty() { Offset::UTC.to_timestamp(local).ok() } else { None }
}

/// Parses `Z`, `UTC`, `-0700`, `-07:00` or `-07`. Trailing text is an error.
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
    let (minutes, rest) = match rest {
        "" => (0, rest),
        _ => split_digits(rest.strip_prefix(':').unwrap_or(rest), 2)?,
    };
    if !rest.is_empty() || hours > 23 || minutes > 59 {
        return None;
    }
    let seconds = i32::from(hours) * 3600 + i32::from(minutes) * 60;
    Offset::from_seconds(sign * seconds).ok()
}

/// Splits exactly `count` (at most 4) ASCII digits off the front.
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
    fn timestamps_are_formatted_in_the_given_zone() {
        let timestamp = utc("2014-04-17T07:00:00.9Z");
        assert_eq!(format_legacy(timestamp, TimeZoneName::PACIFIC), "2014-04-17 00:00:00 -0700");
        assert_eq!(format_iso8601(timestamp, TimeZoneName::PACIFIC), "2014-04-17T00:00:00-07:00");
        assert_eq!(format_legacy(timestamp, TimeZoneName::UTC), "2014-04-17 07:00:00 +0000");
        assert_eq!(format_iso8601(timestamp, TimeZoneName::UTC), "2014-04-17T07:00:00+00:00");
        let kathmandu = TimeZoneName::parse("Kathmandu").unwrap();
        assert_eq!(format_iso8601(timestamp, kathmandu), "2014-04-17T12:45:00+05:45");
    }

    #[test]
    fn all_documented_forms_are_parsed() {
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
            ("2015-01-01T09:00", "2015-01-01T17:00:00Z"),
            ("2015-01-01 09:00", "2015-01-01T17:00:00Z"),
            ("2015-01-01T10:00Z", "2015-01-01T10:00:00Z"),
            ("2015-01-01T10:00+02", "2015-01-01T08:00:00Z"),
            ("2015-01-01T10:00:00-07", "2015-01-01T17:00:00Z"),
            ("2015-01-01T10:00:00,25Z", "2015-01-01T10:00:00Z"),
            ("20150101T100000Z", "2015-01-01T10:00:00Z"),
            ("20150101T1000Z", "2015-01-01T10:00:00Z"),
            ("20150101T100000.123-0700", "2015-01-01T17:00:00Z"),
            ("20150101T100000", "2015-01-01T18:00:00Z"),
            ("2016/04/11T13:00:00-07:00", "2016-04-11T20:00:00Z"),
            ("2015/01/01 03:04:05 PM", "2015-01-01T23:04:05Z"),
            ("2015/01/01 03:04:05 AM", "2015-01-01T11:04:05Z"),
            ("2015/01/01 12:04:05 am", "2015-01-01T08:04:05Z"),
            ("2015/01/01 12:04:05 PM", "2015-01-01T20:04:05Z"),
            ("2015/01/01 15:04:05 PM", "2015-01-01T23:04:05Z"),
            ("2015/01/01 15:04:05 AM", "2015-01-01T23:04:05Z"),
            ("2015/01/01 00:04:05 PM", "2015-01-01T08:04:05Z"),
            ("2015-01-01 03:04PM", "2015-01-01T23:04:00Z"),
        ] {
            assert_eq!(
                parse_timestamp(text, TimeZoneName::PACIFIC, false),
                Some(utc(expected)),
                "{text}"
            );
        }
    }

    #[test]
    fn malformed_timestamps_are_rejected() {
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
            "2015-01-01T09",
            "2015-01-01T09:",
            "2015-01-01T09:00:",
            "20150101T10",
            "20150101T",
            "20150101",
            "20150101T100000X",
            "20150101T256100Z",
            "2015-01-01T09:00 XM",
            "2015-01-01T09:00 PMX",
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
            assert_eq!(parse_timestamp(text, TimeZoneName::PACIFIC, false), None, "{text:?}");
        }
        let long = format!("2015-01-01T09:00:00.{}Z", "0".repeat(1000));
        assert_eq!(parse_timestamp(&long, TimeZoneName::PACIFIC, false), None);
    }

    #[test]
    fn day_boundaries_respect_daylight_saving_transitions() {
        let santiago = TimeZoneName::parse("Santiago").unwrap();
        let samoa = TimeZoneName::parse("Samoa").unwrap();
        for (date, zone, first, last) in [
            ("2015-01-01", TimeZoneName::PACIFIC, "2015-01-01T08:00:00Z", "2015-01-02T07:59:59Z"),
            ("2015-03-08", TimeZoneName::PACIFIC, "2015-03-08T08:00:00Z", "2015-03-09T06:59:59Z"),
            ("2015-11-01", TimeZoneName::PACIFIC, "2015-11-01T07:00:00Z", "2015-11-02T07:59:59Z"),
            // The day starts at 01:00.
            ("2019-09-08", santiago, "2019-09-08T04:00:00Z", "2019-09-09T02:59:59Z"),
            // The day's last hour is repeated.
            ("2019-04-06", santiago, "2019-04-06T03:00:00Z", "2019-04-07T03:59:59Z"),
            // The day was skipped. Its end precedes its start, so no timestamp is in it.
            ("2011-12-30", samoa, "2011-12-30T10:00:00Z", "2011-12-30T09:59:59Z"),
        ] {
            assert_eq!(parse_timestamp(date, zone, false), Some(utc(first)), "{date} starts");
            assert_eq!(parse_timestamp(date, zone, true), Some(utc(last)), "{date} ends");
        }
        let time = "2015-01-01T10:00:00Z";
        assert_eq!(parse_timestamp(time, TimeZoneName::PACIFIC, true), Some(utc(time)));
    }

    #[test]
    fn out_of_range_timestamps_do_not_panic() {
        assert_eq!(
            parse_timestamp("9999-12-31T23:59:59-23:59", TimeZoneName::PACIFIC, false),
            None
        );
        assert_eq!(parse_timestamp("9999-12-31", TimeZoneName::PACIFIC, true), None);
        assert!(
            parse_timestamp("1970-01-01T00:00:00+23:59", TimeZoneName::PACIFIC, false).is_some()
        );
    }

    #[test]
    fn seventeen_digits_are_utc() {
        let parsed = parse_timestamp_digits("20150118235959123");
        assert_eq!(parsed, Some(utc("2015-01-18T23:59:59Z")));
        for text in
            ["20151318235959123", "2015011823595912", "201501182359591234", "1965011823595912x"]
        {
            assert_eq!(parse_timestamp_digits(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn formatted_timestamp_parses_to_itself(second in 100_000_000i64..250_000_000_000, index in 0usize..155) {
            let zone = TimeZoneName::all().nth(index).unwrap();
            let timestamp = Timestamp::from_second(second).unwrap();
            let other_zone = TimeZoneName::UTC;
            prop_assert_eq!(parse_timestamp(&format_legacy(timestamp, zone), other_zone, false), Some(timestamp));
            prop_assert_eq!(parse_timestamp(&format_iso8601(timestamp, zone), other_zone, true), Some(timestamp));
        }

        #[test]
        fn parse_never_panics(text in "\\PC{0,40}|[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:. +-]{0,20}") {
            parse_timestamp(&text, TimeZoneName::PACIFIC, true);
        }
    }
}
