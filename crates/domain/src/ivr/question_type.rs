//! Kinds of numbers that a NumberQuestion asks for, and the validation of answers.

use crate::phone::PhoneNumber;
use jiff::civil;
use serde::{Deserialize, Serialize};

/// Maximum number of keys of an answer.
const MAX_ANSWER_KEYS: u32 = 32;

/// Kind of number that a NumberQuestion asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum QuestionType {
    /// Digit sequence.
    Digits,
    /// Number; `*` is the decimal point.
    Number,
    /// Phone number: 10 digits, or with a prefix.
    PhoneNumber,
    /// Date: `MMDDYYYY`.
    Date,
    /// Amount of money; `*` is the decimal point, before 1 or 2 digits.
    Currency,
    /// Time of day: `HHMM` of 24 hours, with or without the leading 0.
    Time,
    /// Zip code of 5 digits.
    ZipCode,
}

impl QuestionType {
    /// All types with their wire values.
    pub const ALL: [(&'static str, Self); 7] = [
        ("Digits", Self::Digits),
        ("Number", Self::Number),
        ("PhoneNumber", Self::PhoneNumber),
        ("Date", Self::Date),
        ("Currency", Self::Currency),
        ("Time", Self::Time),
        ("ZipCode", Self::ZipCode),
    ];

    /// Returns the wire value.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, kind)| *kind == self).map_or("", |(word, _)| word)
    }

    /// Returns the number of keys after which the input ends without the finishing key.
    pub fn max_keys(self) -> u32 {
        match self {
            Self::Digits | Self::Number | Self::Currency => MAX_ANSWER_KEYS,
            Self::PhoneNumber => 18,
            Self::Date => 8,
            Self::Time => 4,
            Self::ZipCode => 5,
        }
    }

    /// Returns an answer of digits and `*` in its normalized form: dates as `YYYY-MM-DD`, times as `HH:MM`,
    /// numbers with a decimal point, phone numbers as they are shown elsewhere. `None` if it is invalid.
    pub fn normalize_answer(self, input: &str) -> Option<String> {
        let is_digits = !input.is_empty() && input.bytes().all(|byte| byte.is_ascii_digit());
        let part = |range: std::ops::Range<usize>| input.get(range)?.parse::<i16>().ok();
        let small = |range| part(range).and_then(|number| i8::try_from(number).ok());
        match self {
            Self::Number => normalize_decimal(input, MAX_ANSWER_KEYS as usize),
            Self::Currency => normalize_decimal(input, 2),
            _ if !is_digits => None,
            Self::Digits => Some(input.to_owned()),
            Self::PhoneNumber => {
                PhoneNumber::parse(input).map(|number| number.compact().to_owned())
            }
            Self::Date if input.len() == 8 => {
                let date = civil::Date::new(part(4..8)?, small(0..2)?, small(2..4)?).ok()?;
                Some(date.to_string())
            }
            Self::Time if (3..=4).contains(&input.len()) => {
                let (hour, minute) = input.split_at(input.len() - 2);
                let time = civil::Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()?;
                Some(format!("{:02}:{:02}", time.hour(), time.minute()))
            }
            Self::ZipCode if input.len() == 5 => Some(input.to_owned()),
            Self::Date | Self::Time | Self::ZipCode => None,
        }
    }
}

/// Returns digits with at most one `*` as a decimal number without leading zeros.
fn normalize_decimal(input: &str, max_fraction_digits: usize) -> Option<String> {
    let (whole, fraction) = match input.split_once('*') {
        Some(parts) => parts,
        None if input.is_empty() => return None,
        None => (input, "0"),
    };
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let has_fraction = (1..=max_fraction_digits).contains(&fraction.len());
    if !has_fraction || !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        digits => digits,
    };
    Some(if input.contains('*') { format!("{whole}.{fraction}") } else { whole.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::QuestionType;

    #[test]
    fn answers_are_validated_by_their_type() {
        for (kind, input, expected) in [
            ("Digits", "0123", Some("0123")),
            ("Digits", "1*2", None),
            ("Number", "007", Some("7")),
            ("Number", "3*14159", Some("3.14159")),
            ("Number", "*5", Some("0.5")),
            ("Number", "5*", None),
            ("Number", "1*2*3", None),
            ("PhoneNumber", "8055551234", Some("8055551234")),
            ("PhoneNumber", "18055551234", Some("8055551234")),
            ("PhoneNumber", "12345", None),
            ("Date", "02292024", Some("2024-02-29")),
            ("Date", "02292023", None),
            ("Date", "2292024", None),
            ("Currency", "12*5", Some("12.5")),
            ("Currency", "12*345", None),
            ("Currency", "1200", Some("1200")),
            ("Time", "930", Some("09:30")),
            ("Time", "2359", Some("23:59")),
            ("Time", "2400", None),
            ("Time", "60", None),
            ("ZipCode", "93101", Some("93101")),
            ("ZipCode", "9310", None),
        ] {
            let (_, question) =
                QuestionType::ALL.into_iter().find(|(name, _)| *name == kind).unwrap();
            assert_eq!(question.normalize_answer(input).as_deref(), expected, "{kind} {input}");
        }
    }
}
