//! Amounts of money as exact decimals. Binary floating point is not used.

use rust_decimal::Decimal;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// Decimal exponent of the largest amount in a request: 10⁶.
const MAX_ENTERED_EXPONENT: i64 = 6;
/// Decimal exponent of the largest sum: 10¹⁵. In hundredths it fits into an `i64`.
const MAX_SUM_EXPONENT: i64 = 15;

/// Non-negative amount in units of 0.01, without a currency.
///
/// An amount in a request is at most 1,000,000 ([`Money::parse`]). A sum of amounts is at most
/// 10¹⁵. Equality is numeric: `7`, `7.0` and `7.00` are equal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(Decimal);

impl Money {
    /// The amount 0.
    pub const ZERO: Self = Self(Decimal::ZERO);

    /// Parses an amount of a request: a decimal number from 0 to 1,000,000, optionally with a JSON
    /// exponent, with at most 2 significant digits after the decimal point.
    ///
    /// The error is the message of Rails' numericality validation. Time and memory are linear in
    /// the number of digits of the text and independent of the exponent's value.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        parse_amount(text, MAX_ENTERED_EXPONENT).map_err(|error| match error {
            AmountError::NotANumber => crate::problem::NOT_A_NUMBER,
            AmountError::Negative => "must be greater than or equal to 0",
            AmountError::TooLarge => "must be less than or equal to 1000000",
            AmountError::TooManyDecimals => "has too many decimal places (maximum is 2)",
        })
    }

    /// The amount as a decimal number without trailing zeros.
    pub fn decimal(self) -> Decimal {
        self.0
    }

    /// The amount in hundredths.
    pub fn cents(self) -> i64 {
        let cents = self.0 * Decimal::from(100);
        i64::try_from(cents).expect("an amount is at most 10^15, in hundredths")
    }

    /// Creates an amount from hundredths. Returns `None` if it is negative or greater than 10¹⁵.
    pub fn from_cents(cents: i64) -> Option<Self> {
        let max_cents = 10_i64.pow(MAX_SUM_EXPONENT.unsigned_abs() as u32 + 2);
        (0..=max_cents).contains(&cents).then(|| Self(Decimal::new(cents, 2).normalize()))
    }

    /// Returns true if this amount is at least `percent` % of the amount `of`.
    pub fn is_at_least_percent_of(self, percent: u32, of: Self) -> bool {
        self.0 * Decimal::from(100) >= of.0 * Decimal::from(percent)
    }

    /// Adds two amounts. Returns `None` if the sum is greater than 10¹⁵.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let sum = self.0.checked_add(other.0)?;
        (sum <= Decimal::from(10_i64.pow(15))).then(|| Self(sum.normalize()))
    }

    /// The amount as a JSON number with 1 or 2 digits after the decimal point, as in the source
    /// documents: `7.0`, `4.5`, `2.75`.
    pub fn to_json_number(self) -> serde_json::Number {
        let mut rescaled = self.0;
        rescaled.rescale(rescaled.scale().max(1));
        let digits = rescaled.to_string();
        digits.parse().expect("digits, a point and digits are a JSON number")
    }
}

impl fmt::Display for Money {
    /// Formats with two digits after the decimal point and grouped thousands: `1,250.00`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rescaled = self.0;
        rescaled.rescale(2);
        let digits = rescaled.to_string();
        let (whole, hundredths) = digits.split_once('.').unwrap_or((&digits, "00"));
        let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
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
        parse_amount(&text, MAX_SUM_EXPONENT)
            .map_err(|_| D::Error::custom("is not an amount of money"))
    }
}

/// Reason why a text is not an amount, in the order of the checks.
enum AmountError {
    NotANumber,
    Negative,
    TooLarge,
    TooManyDecimals,
}

/// Parts of a decimal number. Its absolute value is `digits` × 10^`exponent`.
struct DecimalParts {
    negative: bool,
    /// ASCII digits without leading and trailing zeros. Empty for 0.
    digits: Vec<u8>,
    exponent: i64,
}

/// Parses an amount from 0 to 10^`max_exponent`.
fn parse_amount(text: &str, max_exponent: i64) -> Result<Money, AmountError> {
    let parts = parse_decimal(text.trim()).ok_or(AmountError::NotANumber)?;
    if parts.digits.is_empty() {
        return Ok(Money::ZERO);
    }
    if parts.negative {
        return Err(AmountError::Negative);
    }
    // The first digit is not 0, so the number of integer digits bounds the value. The only
    // allowed number with `max_exponent + 1` integer digits is 10^max_exponent itself.
    let integer_digits = digit_count(&parts.digits).saturating_add(parts.exponent);
    if integer_digits > max_exponent + 1
        || (integer_digits == max_exponent + 1 && parts.digits != b"1")
    {
        return Err(AmountError::TooLarge);
    }
    if parts.exponent < -2 {
        return Err(AmountError::TooManyDecimals);
    }
    let mut hundredths: i64 = 0;
    for digit in &parts.digits {
        hundredths = hundredths * 10 + i64::from(digit - b'0');
    }
    for _ in -2..parts.exponent {
        hundredths *= 10;
    }
    Ok(Money(Decimal::new(hundredths, 2).normalize()))
}

/// Parses `[+-] digits [. digits] [e [+-] digits]`. The digits before the point may be missing if
/// there are digits after it.
fn parse_decimal(text: &str) -> Option<DecimalParts> {
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
    let digits = [whole.as_bytes(), fraction.as_bytes()].concat();
    let end = digits.iter().rposition(|digit| *digit != b'0').map_or(0, |last| last + 1);
    let start = digits.iter().position(|digit| *digit != b'0').unwrap_or(end);
    let exponent = exponent
        .saturating_sub(digit_count(fraction.as_bytes()))
        .saturating_add(digit_count(&digits[end..]));
    Some(DecimalParts { negative, digits: digits[start..end].to_vec(), exponent })
}

/// Parses an exponent. One that exceeds 64 bits is clamped: it is out of range in any case.
fn parse_exponent(text: &str) -> Option<i64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if !all_digits(unsigned) {
        return None;
    }
    // Clamped to half the range, so that adding the number of digits cannot overflow.
    let size = unsigned.parse::<i64>().unwrap_or(i64::MAX).min(i64::MAX / 2);
    Some(if text.starts_with('-') { -size } else { size })
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn digit_count(digits: &[u8]) -> i64 {
    i64::try_from(digits.len()).unwrap_or(i64::MAX)
}

/// Currency of terms and budgets.
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
    /// Parses an ISO 4217 code. Case-sensitive.
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

    /// The currency symbol: `$`, `£` or `€`.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Usd => "$",
            Self::Gbp => "£",
            Self::Eur => "€",
        }
    }
}

/// Formats an amount with its currency symbol: `$1,250.00`.
pub fn format_with_symbol(money: Money, currency: Currency) -> String {
    format!("{}{money}", currency.symbol())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::NOT_A_NUMBER;
    use proptest::prelude::*;

    const TOO_LARGE: &str = "must be less than or equal to 1000000";
    const TOO_MANY_DECIMALS: &str = "has too many decimal places (maximum is 2)";
    const NEGATIVE: &str = "must be greater than or equal to 0";

    fn money(text: &str) -> Money {
        Money::parse(text).unwrap()
    }

    #[test]
    fn amounts_are_formatted_as_in_the_source_documents() {
        for (text, json, formatted) in [
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
            assert_eq!(money(text).to_string(), formatted, "{text}");
        }
        assert_eq!(money("7"), money("7.00"));
    }

    #[test]
    fn invalid_amount_is_rejected_with_its_reason() {
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
            ("1000000.01", TOO_LARGE),
            ("1000000.001", TOO_LARGE),
            ("2000000", TOO_LARGE),
            ("1e7", TOO_LARGE),
            ("1e400", TOO_LARGE),
            ("1E99999999999999999999999", TOO_LARGE),
            ("1.005", TOO_MANY_DECIMALS),
            ("0.001", TOO_MANY_DECIMALS),
            ("1e-3", TOO_MANY_DECIMALS),
            ("1e-99999999999999999999999", TOO_MANY_DECIMALS),
        ] {
            assert_eq!(Money::parse(text), Err(message), "{text:?}");
        }
    }

    #[test]
    fn million_digit_amounts_are_parsed() {
        let nines = "9".repeat(1_000_000);
        assert_eq!(Money::parse(&nines), Err(TOO_LARGE));
        assert_eq!(Money::parse(&format!("0.{nines}")), Err(TOO_MANY_DECIMALS));
        assert_eq!(Money::parse(&format!("{}7", "0".repeat(1_000_000))), Ok(money("7")));
        assert_eq!(Money::parse(&format!("1e{nines}")), Err(TOO_LARGE));
    }

    #[test]
    fn sum_may_exceed_the_limit_of_entered_amounts() {
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
    fn currencies_have_codes_and_symbols() {
        for (code, formatted) in [("USD", "$1,250.00"), ("GBP", "£1,250.00"), ("EUR", "€1,250.00")]
        {
            let currency = Currency::parse(code).unwrap();
            assert_eq!(currency.as_str(), code);
            assert_eq!(serde_json::to_value(currency).unwrap(), code);
            assert_eq!(format_with_symbol(money("1250"), currency), formatted);
        }
        assert_eq!(Currency::parse("usd"), None);
    }

    proptest! {
        #[test]
        fn formatted_amount_parses_to_itself(hundredths in 0i64..=100_000_000) {
            let amount = Money(Decimal::new(hundredths, 2).normalize());
            prop_assert_eq!(Money::parse(&amount.to_json_number().to_string()), Ok(amount));
            prop_assert_eq!(Money::parse(&amount.to_string().replace(',', "")), Ok(amount));
            let json = serde_json::to_string(&amount).unwrap();
            prop_assert_eq!(serde_json::from_str::<Money>(&json).unwrap(), amount);
        }

        #[test]
        fn cents_round_trip(hundredths in 0i64..=100_000_000_000) {
            let amount = Money::from_cents(hundredths).unwrap();
            prop_assert_eq!(amount.cents(), hundredths);
            prop_assert_eq!(amount, Money(Decimal::new(hundredths, 2).normalize()));
        }

        #[test]
        fn exponent_shifts_the_decimal_point(hundredths in 0i64..=100_000_000, by in 0u32..40) {
            let plain = Money(Decimal::new(hundredths, 2).normalize());
            let zeros = "0".repeat(by as usize);
            prop_assert_eq!(Money::parse(&format!("{hundredths}{zeros}e-{}", by + 2)), Ok(plain));
        }

        #[test]
        fn parse_never_panics(text in "\\PC{0,40}|[-+0-9.eE]{0,30}") {
            if let Ok(amount) = Money::parse(&text) {
                prop_assert!(amount.decimal() <= Decimal::from(1_000_000));
            }
        }
    }
}
