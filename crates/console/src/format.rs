//! Formatting of values for people.

use jiff::Timestamp;
use maud::{Markup, html};
use trunkline_domain::hours::{DayHours, SECONDS_PER_DAY};
use trunkline_domain::phone::PhoneNumber;
use trunkline_domain::timezone::{TimeZoneName, format_iso8601};

/// Formats a date and time: `13 May 2015, 7:45 am PDT`.
pub(crate) fn date_time(time: Timestamp, zone: TimeZoneName) -> Markup {
    let text = time.to_zoned(zone.to_time_zone()).strftime("%-d %b %Y, %-I:%M %P %Z").to_string();
    html! { time datetime=(format_iso8601(time, zone)) { (text) } }
}

/// Formats the opening hours of a day: `9:00 am – 5:00 pm`, or `Closed`.
pub(crate) fn opening_hours(day: DayHours) -> String {
    if day.closed == Some(true) || (day.open.is_none() && day.close.is_none()) {
        return "Closed".to_owned();
    }
    let open = day.open.unwrap_or(0);
    let close = day.close.unwrap_or(SECONDS_PER_DAY);
    if close <= open {
        return format!("{} – {} the next day", time_of_day(open), time_of_day(close));
    }
    if (open, close) == (0, SECONDS_PER_DAY) {
        return "All day".to_owned();
    }
    format!("{} – {}", time_of_day(open), time_of_day(close))
}

/// Formats a time of day, given in seconds past midnight.
fn time_of_day(seconds: u32) -> String {
    let hour = seconds / 3600 % 24;
    let minute = seconds / 60 % 60;
    let second = seconds % 60;
    let suffix = if hour < 12 { "am" } else { "pm" };
    let hour_12 = (hour + 11) % 12 + 1;
    match (hour, minute, second) {
        (0, 0, 0) => "midnight".to_owned(),
        (12, 0, 0) => "noon".to_owned(),
        (_, _, 0) => format!("{hour_12}:{minute:02} {suffix}"),
        _ => format!("{hour_12}:{minute:02}:{second:02} {suffix}"),
    }
}

/// Formats a duration in its largest whole unit: `30 minutes`.
pub(crate) fn duration(seconds: u32) -> String {
    let units = [(86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")];
    let (size, unit) = units
        .into_iter()
        .find(|(size, _)| seconds >= *size && seconds.is_multiple_of(*size))
        .unwrap_or((1, "second"));
    let count = seconds / size;
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

/// Formats a destination number: `800-437-7950`, `+44 2071838750`.
pub(crate) fn destination(number: &str, country_code: &str) -> String {
    match country_code {
        "" | "1" => PhoneNumber::parse(number).map_or(number.to_owned(), |number| number.display()),
        code => format!("+{code} {number}"),
    }
}

/// Renders a phone number as a `tel:` link.
pub(crate) fn phone_link(number: &PhoneNumber) -> Markup {
    html! { a.number href={ "tel:" (number.e164()) } { (number.display()) } }
}

/// Renders a boolean as "Yes" or "No".
pub(crate) fn yes_no(yes: bool) -> Markup {
    html! { (if yes { "Yes" } else { "No" }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opening_hours_are_formatted() {
        let hours = |open, close| DayHours { open, close, closed: None };
        for (day, text) in [
            (DayHours::default(), "Closed"),
            (DayHours { closed: Some(true), ..hours(Some(0), Some(3_600)) }, "Closed"),
            (hours(Some(32_400), Some(61_200)), "9:00 am – 5:00 pm"),
            (hours(Some(79_200), Some(7_200)), "10:00 pm – 2:00 am the next day"),
            (hours(Some(43_200), None), "noon – midnight"),
            (hours(None, Some(1_801)), "midnight – 12:30:01 am"),
            (hours(Some(0), Some(SECONDS_PER_DAY)), "All day"),
        ] {
            assert_eq!(opening_hours(day), text);
        }
    }

    #[test]
    fn date_times_are_in_the_given_time_zone() {
        let time = "2015-05-13T14:45:08Z".parse().unwrap();
        assert_eq!(
            date_time(time, TimeZoneName::PACIFIC).into_string(),
            "<time datetime=\"2015-05-13T07:45:08-07:00\">13 May 2015, 7:45 am PDT</time>"
        );
    }

    #[test]
    fn durations_and_destinations_are_formatted() {
        assert_eq!(
            [1, 1_800, 86_400, 2_592_000, 90].map(duration).join(", "),
            "1 second, 30 minutes, 1 day, 30 days, 90 seconds"
        );
        assert_eq!(destination("8004377950", "1"), "800-437-7950");
        assert_eq!(destination("2071838750", "44"), "+44 2071838750");
    }
}
