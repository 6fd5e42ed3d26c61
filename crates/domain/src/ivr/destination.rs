//! Destination of a dial.

use super::RingDestination;
use std::borrow::Cow;

/// Number to dial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Destination<'a> {
    /// National number, digits only.
    pub(crate) number: Cow<'a, str>,
    /// Country code, digits only.
    pub(crate) country_code: Cow<'a, str>,
}

impl<'a> Destination<'a> {
    pub(super) fn new(number: &'a str, country_code: &'a str) -> Self {
        Self { number: Cow::Borrowed(number), country_code: Cow::Borrowed(country_code) }
    }

    pub(super) fn of_group(target: RingDestination) -> Self {
        let code = target.ring_group_country_code.unwrap_or_else(|| "1".to_owned());
        Self { number: Cow::Owned(target.ring_group_number), country_code: Cow::Owned(code) }
    }

    /// Returns the number with its country code, unless that is 1: `8004377950`, `+442071838750`.
    pub(crate) fn to_text(&self) -> String {
        match self.country_code.as_ref() {
            "" | "1" => self.number.clone().into_owned(),
            code => format!("+{code}{}", self.number),
        }
    }

    /// Returns true if a reported number, with or without the country code, is this one.
    pub(super) fn matches(&self, reported: &str) -> bool {
        let digits: String = reported.chars().filter(char::is_ascii_digit).collect();
        let national = digits.strip_prefix(self.country_code.as_ref()).unwrap_or_default();
        digits == self.number || national == self.number
    }
}
