//! The condition language: what a call must be like for a policy to pay or an IVR branch to be
//! taken.
//!
//! `duration >= 1 min 30 sec and (in_region[West Coast] or pressed[1 2]) and not repeat`
//!
//! A condition keeps its text as it was written beside the tree it means. The tree prints in one
//! normal form and in words, is evaluated with unknown facts staying unknown, explains each of its
//! values, and can be asked whether it is always or never true. Grammar: [`Condition::parse`].

mod algebra;
mod atoms;
mod cursor;
mod evaluate;
mod explain;
mod parse;
mod terms;
mod tree;
mod words;

pub use evaluate::{Facts, Pressed};
pub use explain::Explanation;
pub use tree::{Comparison, Expr, Key, Term, TextFact, TextTest};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::str::FromStr;

/// The longest text of a condition, in characters as written.
pub const MAX_CHARACTERS: usize = 5_000;
/// How deep parentheses and `not` may be nested, counted together.
pub const MAX_NESTING: usize = 50;
/// How many terms one condition may have.
pub const MAX_TERMS: usize = 200;
/// How many menus one `pressed[…]` may name.
pub const MAX_PRESSED: usize = 10;
/// The longest time a condition may name, in seconds: 31 days.
pub const MAX_SECONDS: u32 = 86_400 * 31;

/// A condition: the text as it was written and the tree it means.
///
/// Two conditions are equal when text and tree are; compare [`Condition::expr`] to ignore spelling.
/// In JSON it is its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    text: String,
    expr: Expr,
}

impl Condition {
    /// Reads a condition.
    ///
    /// ```text
    /// condition  = [ or ] [ "." ]                     nothing at all is always true
    /// or         = and { "or" and }
    /// and        = not { "and" not }
    /// not        = "not" not | "(" or ")" | term
    /// term       = ( "duration" | "connect_duration" ) ( ">" | ">=" | "<" | "<=" | "=" ) time
    ///            | "repeat" | "mobile" | "landline" | "sms_sent" | "during_hours"
    ///            | "in_region" [ "[" name "]" ]
    ///            | "pressed" "[" { [ level ] key } "]"
    ///            | ( "custom_data" "[" field "]" | "affiliate_name" | "media_type"
    ///              | "promo_number_description" )
    ///              ( "=" text | "!=" text | "contains" text | "present" )
    /// time       = number | [ number hours ] [ number minutes ] [ number seconds ]
    /// level      = a … z, the first menu to the 26th; without one, the menu after the last named
    /// key        = 1 … 9 | W (a wrong key) | N (no key)
    /// text       = a text in double quotes, with \" and \\ for a quote and a backslash
    /// ```
    ///
    /// Words are read in any case, white space is free, and what [`crate::text::plain`] reads as
    /// plain is read so here. The limits are [`MAX_CHARACTERS`], [`MAX_NESTING`], [`MAX_TERMS`],
    /// [`MAX_PRESSED`] and [`MAX_SECONDS`]; the time taken is linear in the text's length.
    pub fn parse(text: &str) -> Result<Condition, ParseError> {
        Ok(Condition { text: text.to_owned(), expr: parse::parse(text)? })
    }

    /// The empty condition, which is always true.
    pub fn always() -> Condition {
        Condition { text: String::new(), expr: Expr::Always }
    }

    /// The text exactly as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What the text means.
    pub fn expr(&self) -> &Expr {
        &self.expr
    }
}

impl Default for Condition {
    fn default() -> Self {
        Condition::always()
    }
}

impl FromStr for Condition {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Condition, ParseError> {
        Condition::parse(text)
    }
}

impl Serialize for Condition {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Condition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Condition, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(Condition { expr: parse::parse(&text).map_err(de::Error::custom)?, text })
    }
}

/// Where a text stops being a condition, and what was expected there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("is invalid at column {column}: {message}")]
pub struct ParseError {
    /// The place, counted from 1 in characters of the text as written; one more than their number
    /// when the text ends too early.
    pub column: usize,
    /// What was expected: `expected a condition after 'and'`.
    pub message: String,
}

#[cfg(test)]
mod tests;
