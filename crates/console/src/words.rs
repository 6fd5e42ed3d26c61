//! Values in the words of people.

use jiff::Timestamp;
use maud::{Markup, html};
use trunkline_domain::hours::{DAY_SECONDS, Day};
use trunkline_domain::phone::PhoneNumber;
use trunkline_domain::timezone::{ZoneName, iso};

/// A moment: `13 May 2015, 7:45 am PDT`.
pub(crate) fn moment(at: Timestamp, zone: ZoneName) -> Markup {
    let words = at.to_zoned(zone.zone()).strftime("%-d %b %Y, %-I:%M %P %Z").to_string();
    html! { time datetime=(iso(at, zone)) { (words) } }
}

/// When a day is open: `9:00 am – 5:00 pm`, or `Closed`.
pub(crate) fn day(day: Day) -> String {
    if day.closed == Some(true) || (day.open.is_none() && day.close.is_none()) {
        return "Closed".to_owned();
    }
    let (open, close) = (day.open.unwrap_or(0), day.close.unwrap_or(DAY_SECONDS));
    if close <= open {
        return format!("{} – {} the next day", time(open), time(close));
    }
    if (open, close) == (0, DAY_SECONDS) {
        return "All day".to_owned();
    }
    format!("{} – {}", time(open), time(close))
}

/// A time of day, in seconds past midnight.
fn time(seconds: u32) -> String {
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    let half = if hour < 12 { "am" } else { "pm" };
    let on_dial = if hour % 12 == 0 { 12 } else { hour % 12 };
    match (hour, minute, second) {
        (0, 0, 0) => "midnight".to_owned(),
        (12, 0, 0) => "noon".to_owned(),
        (_, _, 0) => format!("{on_dial}:{minute:02} {half}"),
        _ => format!("{on_dial}:{minute:02}:{second:02} {half}"),
    }
}

/// A length of time in its largest whole unit: `30 minutes`.
pub(crate) fn length(seconds: u32) -> String {
    let units = [(86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")];
    let (size, unit) = units
        .into_iter()
        .find(|(size, _)| seconds >= *size && seconds.is_multiple_of(*size))
        .unwrap_or((1, "second"));
    let count = seconds / size;
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

/// A destination as people write it: `800-437-7950`, `+44 2071838750`.
pub(crate) fn destination(number: &str, country_code: &str) -> String {
    match country_code {
        "" | "1" => PhoneNumber::parse(number).map_or(number.to_owned(), |it| it.display()),
        code => format!("+{code} {number}"),
    }
}

/// A number to call.
pub(crate) fn phone(number: &PhoneNumber) -> Markup {
    html! { a.number href={ "tel:" (number.e164()) } { (number.display()) } }
}

/// Yes or no.
pub(crate) fn yes_no(yes: bool) -> Markup {
    html! { (if yes { "Yes" } else { "No" }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_read_as_people_say_them() {
        let hours = |open, close| Day { open, close, closed: None };
        for (of, words) in [
            (Day::default(), "Closed"),
            (Day { closed: Some(true), ..hours(Some(0), Some(3_600)) }, "Closed"),
            (hours(Some(32_400), Some(61_200)), "9:00 am – 5:00 pm"),
            (hours(Some(79_200), Some(7_200)), "10:00 pm – 2:00 am the next day"),
            (hours(Some(43_200), None), "noon – midnight"),
            (hours(None, Some(1_801)), "midnight – 12:30:01 am"),
            (hours(Some(0), Some(DAY_SECONDS)), "All day"),
        ] {
            assert_eq!(day(of), words);
        }
    }

    #[test]
    fn moments_are_in_the_networks_zone() {
        let at = "2015-05-13T14:45:08Z".parse().unwrap();
        assert_eq!(
            moment(at, ZoneName::PACIFIC).into_string(),
            "<time datetime=\"2015-05-13T07:45:08-07:00\">13 May 2015, 7:45 am PDT</time>"
        );
    }

    #[test]
    fn lengths_and_destinations_are_in_whole_words() {
        assert_eq!(
            [1, 1_800, 86_400, 2_592_000, 90].map(length).join(", "),
            "1 second, 30 minutes, 1 day, 30 days, 90 seconds"
        );
        assert_eq!(destination("8004377950", "1"), "800-437-7950");
        assert_eq!(destination("2071838750", "44"), "+44 2071838750");
    }
}
