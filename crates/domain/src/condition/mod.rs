//! The condition language. A condition is a predicate over the facts of a call. It decides if a
//! policy pays or which branch of an IVR tree a call takes.
//!
//! `duration >= 1 min 30 sec and (in_region[West Coast] or pressed[1 2]) and not repeat`
//!
//! A [`Condition`] stores its source text and the expression tree parsed from it. The tree prints
//! in one normal form and as an English phrase. Evaluation is three-valued: unknown facts give an
//! unknown value. An explanation lists the value of each node. A satisfiability check decides if a
//! condition is always or never true. Grammar: [`Condition::parse`].

mod atoms;
mod cursor;
mod describe;
mod evaluate;
mod explain;
mod parse;
mod parse_term;
mod satisfiability;
mod search_budget;
mod tree;

pub use evaluate::{Facts, MenuInput};
pub use explain::Explanation;
pub use search_budget::SearchBudget;
pub use tree::{Comparison, Expr, Key, Term, TextFact, TextTest};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::str::FromStr;

/// Maximum length of a condition's source text, in characters.
pub const MAX_CHARACTERS: usize = 5_000;
/// Maximum nesting depth of parentheses and `not`, counted together.
pub const MAX_NESTING: usize = 50;
/// Maximum number of terms in one condition.
pub const MAX_TERMS: usize = 200;
/// Maximum number of menus in one `pressed[…]`.
pub const MAX_PRESSED_KEYS: usize = 10;
/// Maximum duration in a condition, in seconds (31 days).
pub const MAX_DURATION_SECONDS: u32 = 86_400 * 31;

/// Source text of a condition and its parsed expression tree.
///
/// Two conditions are equal if both text and tree are equal. Compare [`Condition::expr`] to ignore
/// differences in spelling. The JSON form is the source text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    text: String,
    expr: Expr,
}

impl Condition {
    /// Parses a condition.
    ///
    /// ```text
    /// condition  = [ or ] [ "." ]                     an empty text is always true
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
    /// level      = a … z, the first menu to the 26th; default: the level after the previous one
    /// key        = 1 … 9 | W (a wrong key) | N (no key)
    /// text       = a string in double quotes; \" is a quote and \\ a backslash
    /// ```
    ///
    /// Keywords are case-insensitive and white space is insignificant. Typographic hyphens and
    /// spaces are normalized by [`crate::text::normalize_plain_text`]. Limits: [`MAX_CHARACTERS`],
    /// [`MAX_NESTING`], [`MAX_TERMS`], [`MAX_PRESSED_KEYS`] and [`MAX_DURATION_SECONDS`]. Parsing
    /// takes linear time in the length of the text.
    ///
    /// # Errors
    ///
    /// Returns the column of the first syntax error and the expected token.
    pub fn parse(text: &str) -> Result<Condition, ParseError> {
        Ok(Condition { text: text.to_owned(), expr: parse::parse(text)? })
    }

    /// Returns the empty condition, which is always true.
    pub fn always() -> Condition {
        Condition { text: String::new(), expr: Expr::Always }
    }

    /// Returns the source text, unchanged.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the expression tree.
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

/// Syntax error in a condition: its position and the expected token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("is invalid at column {column}: {message}")]
pub struct ParseError {
    /// Column of the error: a 1-based index of characters in the source text. It is one past the
    /// last character if the text ends too early.
    pub column: usize,
    /// Message that names the expected token: `expected a condition after 'and'`.
    pub message: String,
}

#[cfg(test)]
mod tests;
