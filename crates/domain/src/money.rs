//! Amounts of money, in decimal and never in binary floating point.

use rust_decimal::Decimal;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// An entered amount is at most 10 to this power: 1,000,000.
const ENTERED: i64 = 6;
/// A sum of amounts is at most 10 to this power, so that a hundredth of it fits 64 bits.
const SUMMED: i64 = 15;

/// An amount of no currency in particular: not negative, in hundredths.
///
/// What people enter is at most 1,000,000 ([`Money::parse`]); a sum of such amounts may be more,
/// up to 10¹⁵. Equal amounts are equal however they were written: `7`, `7.0` and `7.00`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(Decimal);

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(Decimal::ZERO);

    /// Reads an entered amount: a decimal number, also with an exponent as JSON has it, from 0 to
    /// 1,000,000 and with at most 2 digits after the point (further zeros are no digits).
    ///
    /// The error is the message of Rails' numericality validation. Time and memory are linear in
    /// the text's length; an exponent costs nothing.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let message = |fault| match fault {
            Fault::NotANumber => crate::problem::NOT_A_NUMBER,
            Fault::Negative => "must be greater than or equal to 0",
            Fault::TooMuch => "must be less than or equal to 1000000",
            Fault::TooFine => "has too many decimal places (maximum is 2)",
        };
        read(text, ENTERED).map_err(message)
    }

    /// The amount as a decimal number, without trailing zeros.
    pub fn decimal(self) -> Decimal {
        self.0
    }

    /// The amount in hundredths.
    pub fn cents(self) -> i64 {
        let cents = self.0 * Decimal::from(100);
        i64::try_from(cents).expect("an amount is at most 10^15, in hundredths")
    }

    /// An amount of so many hundredths; `None` if it is negative or over 10¹⁵.
    pub fn from_cents(cents: i64) -> Option<Self> {
        let most = 10_i64.pow(SUMMED.unsigned_abs() as u32 + 2);
        (0..=most).contains(&cents).then(|| Self(Decimal::new(cents, 2).normalize()))
    }

    /// Whether this is at least so many percent of another amount.
    pub fn reaches(self, percent: u32, of: Self) -> bool {
        self.0 * Decimal::from(100) >= of.0 * Decimal::from(percent)
    }

    /// The sum; `None` if it is over 10¹⁵, which is no sum of real amounts.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let sum = self.0.checked_add(other.0)?;
        (sum <= Decimal::from(10_i64.pow(15))).then(|| Self(sum.normalize()))
    }

    /// The amount as a JSON number with 1 or 2 digits after the point, as the source documents
    /// print it: `7.0`, `4.5`, `2.75`.
    pub fn to_json_number(self) -> serde_json::Number {
        let mut shown = self.0;
        shown.rescale(shown.scale().max(1));
        let digits = shown.to_string();
        digits.parse().expect("digits, a point and digits are a JSON number")
    }
}

impl fmt::Display for Money {
    /// Two digits after the point and the thousands grouped: `1,250.00`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = self.0;
        shown.rescale(2);
        let plain = shown.to_string();
        let (whole, hundredths) = plain.split_once('.').unwrap_or((&plain, "00"));
        let mut grouped = String::with_capacity(plain.len() + plain.len() / 3);
        for (index, digit) in whole.chars().enumerate() {
            if index > 0 && (whole.len() - index).is_multiple_of(3) {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        f.pad(&format!("{grouped}.{hundredths}"))
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        read(&text, SUMMED).map_err(|_| D::Error::custom("is not an amount of money"))
    }
}

/// What a text can have wrong, in the order of complaint.
enum Fault {
    NotANumber,
    Negative,
    TooMuch,
    TooFine,
}

/// A decimal number's parts, as written: the value is `digits` × 10^`exponent`.
struct Written {
    negative: bool,
    /// ASCII digits without zeros at either end; empty is 0.
    digits: Vec<u8>,
    exponent: i64,
}

/// Reads an amount of at most 10 to the power `most`.
fn read(text: &str, most: i64) -> Result<Money, Fault> {
    let written = take_apart(text.trim()).ok_or(Fault::NotANumber)?;
    if written.digits.is_empty() {
        return Ok(Money::ZERO);
    }
    if written.negative {
        return Err(Fault::Negative);
    }
    // The first digit is no zero, so the number of digits before the point tells the size, and
    // 10^most is the only number with one digit more that is not too much.
    let whole = length(&written.digits).saturating_add(written.exponent);
    if whole > most + 1 || (whole == most + 1 && written.digits != b"1") {
        return Err(Fault::TooMuch);
    }
    if written.exponent < -2 {
        return Err(Fault::TooFine);
    }
    let mut hundredths: i64 = 0;
    for digit in &written.digits {
        hundredths = hundredths * 10 + i64::from(digit - b'0');
    }
    for _ in -2..written.exponent {
        hundredths *= 10;
    }
    Ok(Money(Decimal::new(hundredths, 2).normalize()))
}

/// `[+-] digits [. digits] [e [+-] digits]`, where the digits before the point may be missing.
fn take_apart(text: &str) -> Option<Written> {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent)?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) if all_digits(fraction) => (whole, fraction),
        Some(_) => return None,
        None => (mantissa, ""),
    };
    if !(all_digits(whole) || (whole.is_empty() && !fraction.is_empty())) {
        return None;
    }
    let all = [whole.as_bytes(), fraction.as_bytes()].concat();
    let end = all.iter().rposition(|digit| *digit != b'0').map_or(0, |last| last + 1);
    let start = all.iter().position(|digit| *digit != b'0').unwrap_or(end);
    let exponent =
        exponent.saturating_sub(length(fraction.as_bytes())).saturating_add(length(&all[end..]));
    Some(Written { negative, digits: all[start..end].to_vec(), exponent })
}

/// An exponent too long for 64 bits stands for one far out of range, whatever it is exactly.
fn parse_exponent(text: &str) -> Option<i64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if !all_digits(unsigned) {
        return None;
    }
    // Half the range, so that the digits of the number can't carry it over the edge unseen.
    let size = unsigned.parse::<i64>().unwrap_or(i64::MAX).min(i64::MAX / 2);
    Some(if text.starts_with('-') { -size } else { size })
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn length(digits: &[u8]) -> i64 {
    i64::try_from(digits.len()).unwrap_or(i64::MAX)
}

/// The currencies that terms and budgets can be in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Currency {
    /// United States dollar.
    #[serde(rename = "USD")]
    Usd,
    /// Pound sterling.
    #[serde(rename = "GBP")]
    Gbp,
    /// Euro.
    #[serde(rename = "EUR")]
    Eur,
}

impl Currency {
    /// Reads an ISO 4217 code, exactly.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "USD" => Some(Self::Usd),
            "GBP" => Some(Self::Gbp),
            "EUR" => Some(Self::Eur),
            _ => None,
        }
    }

    /// The ISO 4217 code: `USD`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Usd => "USD",
            Self::Gbp => "GBP",
            Self::Eur => "EUR",
        }
    }

    /// The sign before an amount: `$`, `£` or `€`.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Usd => "$",
            Self::Gbp => "£",
            Self::Eur => "€",
        }
    }
}

/// An amount as people read it: `$1,250.00`.
pub fn format(money: Money, currency: Currency) -> String {
    format!("{}{money}", currency.symbol())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::NOT_A_NUMBER;
    use proptest::prelude::*;

    const TOO_MUCH: &str = "must be less than or equal to 1000000";
    const TOO_FINE: &str = "has too many decimal places (maximum is 2)";
    const NEGATIVE: &str = "must be greater than or equal to 0";

    fn money(text: &str) -> Money {
        Money::parse(text).unwrap()
    }

    #[test]
    fn amounts_print_as_the_documents_have_them() {
        for (text, json, shown) in [
            ("7", "7.0", "7.00"),
            ("7.0", "7.0", "7.00"),
            ("4.5", "4.5", "4.50"),
            ("4.50000000000000000000000000000000000000000", "4.5", "4.50"),
            ("2.75", "2.75", "2.75"),
            (" .5 ", "0.5", "0.50"),
            ("+0.01", "0.01", "0.01"),
            ("0", "0.0", "0.00"),
            ("-0.0", "0.0", "0.00"),
            ("007", "7.0", "7.00"),
            ("999", "999.0", "999.00"),
            ("1250", "1250.0", "1,250.00"),
            ("999999.99", "999999.99", "999,999.99"),
            ("1000000.00", "1000000.0", "1,000,000.00"),
            ("1E2", "100.0", "100.00"),
            ("1e+6", "1000000.0", "1,000,000.00"),
            ("125e-2", "1.25", "1.25"),
            ("0.000001e6", "1.0", "1.00"),
            ("0e400", "0.0", "0.00"),
            ("0e-99999999999999999999", "0.0", "0.00"),
        ] {
            assert_eq!(money(text).to_json_number().to_string(), json, "{text}");
            assert_eq!(money(text).to_string(), shown, "{text}");
        }
        assert_eq!(money("7"), money("7.00"));
    }

    #[test]
    fn what_is_no_amount_is_told_why() {
        for (text, message) in [
            ("", NOT_A_NUMBER),
            (" ", NOT_A_NUMBER),
            ("NaN", NOT_A_NUMBER),
            ("inf", NOT_A_NUMBER),
            ("$4", NOT_A_NUMBER),
            ("1,250", NOT_A_NUMBER),
            ("1_000", NOT_A_NUMBER),
            ("0x10", NOT_A_NUMBER),
            ("7.", NOT_A_NUMBER),
            (".", NOT_A_NUMBER),
            ("1.2.3", NOT_A_NUMBER),
            ("--1", NOT_A_NUMBER),
            ("1e", NOT_A_NUMBER),
            ("1e+", NOT_A_NUMBER),
            ("e5", NOT_A_NUMBER),
            ("1e5e5", NOT_A_NUMBER),
            ("٧", NOT_A_NUMBER),
            ("-1", NEGATIVE),
            ("-0.001", NEGATIVE),
            ("-1e400", NEGATIVE),
            ("1000000.01", TOO_MUCH),
            ("1000000.001", TOO_MUCH),
            ("2000000", TOO_MUCH),
            ("1e7", TOO_MUCH),
            ("1e400", TOO_MUCH),
            ("1E99999999999999999999999", TOO_MUCH),
            ("1.005", TOO_FINE),
            ("0.001", TOO_FINE),
            ("1e-3", TOO_FINE),
            ("1e-99999999999999999999999", TOO_FINE),
        ] {
            assert_eq!(Money::parse(text), Err(message), "{text:?}");
        }
    }

    #[test]
    fn a_million_digits_are_no_trouble() {
        let nines = "9".repeat(1_000_000);
        assert_eq!(Money::parse(&nines), Err(TOO_MUCH));
        assert_eq!(Money::parse(&format!("0.{nines}")), Err(TOO_FINE));
        assert_eq!(Money::parse(&format!("{}7", "0".repeat(1_000_000))), Ok(money("7")));
        assert_eq!(Money::parse(&format!("1e{nines}")), Err(TOO_MUCH));
    }

    #[test]
    fn a_sum_may_be_over_the_limit_of_its_parts() {
        assert_eq!(money("4.5").checked_add(money("2.75")), Some(money("7.25")));
        assert_eq!(money("4.5").checked_add(money("2.5")), Some(money("7")));
        let sum = money("1000000").checked_add(money("0.01")).unwrap();
        assert_eq!(sum.to_string(), "1,000,000.01");
        let json = serde_json::to_string(&sum).unwrap();
        assert_eq!(json, r#""1000000.01""#);
        assert_eq!(serde_json::from_str::<Money>(&json).unwrap(), sum);
        let most: Money = serde_json::from_str(r#""1000000000000000""#).unwrap();
        assert_eq!(most.checked_add(money("0.01")), None);
        assert!(serde_json::from_str::<Money>(r#""1000000000000000.01""#).is_err());
        assert!(serde_json::from_str::<Money>(r#""-1""#).is_err());
    }

    #[test]
    fn currencies_have_codes_and_signs() {
        for (code, shown) in [("USD", "$1,250.00"), ("GBP", "£1,250.00"), ("EUR", "€1,250.00")] {
            let currency = Currency::parse(code).unwrap();
            assert_eq!(currency.as_str(), code);
            assert_eq!(serde_json::to_value(currency).unwrap(), code);
            assert_eq!(format(money("1250"), currency), shown);
        }
        assert_eq!(Currency::parse("usd"), None);
    }

    proptest! {
        #[test]
        fn every_amount_reads_back(hundredths in 0i64..=100_000_000) {
            let amount = Money(Decimal::new(hundredths, 2).normalize());
            prop_assert_eq!(Money::parse(&amount.to_json_number().to_string()), Ok(amount));
            prop_assert_eq!(Money::parse(&amount.to_string().replace(',', "")), Ok(amount));
            let json = serde_json::to_string(&amount).unwrap();
            prop_assert_eq!(serde_json::from_str::<Money>(&json).unwrap(), amount);
        }

        #[test]
        fn cents_are_the_amount(hundredths in 0i64..=100_000_000_000) {
            let amount = Money::from_cents(hundredths).unwrap();
            prop_assert_eq!(amount.cents(), hundredths);
            prop_assert_eq!(amount, Money(Decimal::new(hundredths, 2).normalize()));
        }

        #[test]
        fn the_exponent_moves_the_point(hundredths in 0i64..=100_000_000, by in 0u32..40) {
            let plain = Money(Decimal::new(hundredths, 2).normalize());
            let zeros = "0".repeat(by as usize);
            prop_assert_eq!(Money::parse(&format!("{hundredths}{zeros}e-{}", by + 2)), Ok(plain));
        }

        #[test]
        fn no_text_is_a_crash(text in "\\PC{0,40}|[-+0-9.eE]{0,30}") {
            if let Ok(amount) = Money::parse(&text) {
                prop_assert!(amount.decimal() <= Decimal::from(1_000_000));
            }
        }
    }
}
