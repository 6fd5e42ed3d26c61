//! Expression tree of a condition and its normalized text.

use serde::{Deserialize, Serialize};
use std::fmt::{self, Display, Formatter};

/// Boolean expression over terms.
///
/// The constructors [`Expr::and`], [`Expr::or`] and [`Expr::not`] and the parser build normalized
/// trees: `And` and `Or` have at least two members, none of the same kind; `Not` contains no `Not`;
/// `Always` occurs only at the root. Parsing the `Display` text of a normalized tree yields the
/// same tree.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Expr {
    /// Empty condition, always true.
    Always,
    /// Atomic predicate over the call.
    Term(Term),
    /// Negation.
    Not(Box<Expr>),
    /// Conjunction: true if every member is true.
    And(Vec<Expr>),
    /// Disjunction: true if any member is true.
    Or(Vec<Expr>),
}

impl Expr {
    /// Builds a conjunction. Nested conjunctions are flattened and `Always` is dropped. An empty
    /// list gives `Always`.
    pub fn and(members: Vec<Expr>) -> Expr {
        let mut flat = Vec::with_capacity(members.len());
        for member in members {
            match member {
                Expr::Always => {}
                Expr::And(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        match flat.len() {
            0 => Expr::Always,
            1 => flat.remove(0),
            _ => Expr::And(flat),
        }
    }

    /// Builds a disjunction. Nested disjunctions are flattened; one `Always` makes the whole
    /// `Always`. An empty list gives `Not(Always)`, which is never true and has no text in the
    /// language.
    pub fn or(members: Vec<Expr>) -> Expr {
        let mut flat = Vec::with_capacity(members.len());
        for member in members {
            match member {
                Expr::Always => return Expr::Always,
                Expr::Or(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        match flat.len() {
            0 => Expr::not(Expr::Always),
            1 => flat.remove(0),
            _ => Expr::Or(flat),
        }
    }

    /// Builds a negation. A double negation is removed.
    #[expect(clippy::should_implement_trait, reason = "constructor named like `and` and `or`")]
    pub fn not(inner: Expr) -> Expr {
        match inner {
            Expr::Not(inner) => *inner,
            other => Expr::Not(Box::new(other)),
        }
    }

    /// Returns all terms from left to right, duplicates included.
    pub fn terms(&self) -> Vec<&Term> {
        match self {
            Expr::Always => Vec::new(),
            Expr::Term(term) => vec![term],
            Expr::Not(inner) => inner.terms(),
            Expr::And(members) | Expr::Or(members) => {
                members.iter().flat_map(Expr::terms).collect()
            }
        }
    }

    /// Operator precedence. A child with a lower precedence than its parent needs parentheses.
    fn precedence(&self) -> u8 {
        match self {
            Expr::Or(_) => 0,
            Expr::And(_) => 1,
            Expr::Always | Expr::Term(_) | Expr::Not(_) => 2,
        }
    }

    fn fmt_in_parent(&self, f: &mut Formatter<'_>, parent_precedence: u8) -> fmt::Result {
        if self.precedence() < parent_precedence {
            f.write_str("(")?;
            self.fmt_in_parent(f, 0)?;
            return f.write_str(")");
        }
        let (members, joiner) = match self {
            Expr::Always => return Ok(()),
            Expr::Term(term) => return term.fmt(f),
            Expr::Not(inner) => {
                f.write_str("not ")?;
                return inner.fmt_in_parent(f, 2);
            }
            Expr::And(members) => (members, " and "),
            Expr::Or(members) => (members, " or "),
        };
        for (index, member) in members.iter().enumerate() {
            f.write_str(if index == 0 { "" } else { joiner })?;
            member.fmt_in_parent(f, self.precedence())?;
        }
        Ok(())
    }
}

impl Display for Expr {
    /// Formats the normalized text: keywords in lower case, durations in seconds, only the required
    /// parentheses.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.fmt_in_parent(f, 0)
    }
}

/// Atomic predicate over a call.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Term {
    /// `duration > 60`: total duration of the call, in seconds.
    Duration(Comparison, u32),
    /// `connect_duration > 60`: time for which caller and destination are connected, in seconds; at
    /// most the duration.
    ConnectDuration(Comparison, u32),
    /// `repeat`: the caller has called before.
    Repeat,
    /// `mobile`: the caller is on a mobile phone.
    Mobile,
    /// `landline`: the caller is on a landline; excludes `mobile`.
    Landline,
    /// `sms_sent`: the caller was sent a text message.
    SmsSent,
    /// `during_hours`: the call comes in the campaign's hours.
    DuringHours,
    /// `in_region`: the caller is in any named region of the campaign; `in_region[West Coast]`: in
    /// the region of this name.
    InRegion(Option<String>),
    /// `pressed[1 2]`: pairs of a menu level and the key that was pressed there. Level 0 is the
    /// first menu; the maximum is 25. The list is not empty and levels are unique.
    Pressed(Vec<(u8, Key)>),
    /// `media_type = "Online"`: test of a text fact.
    Text(TextFact, TextTest),
}

impl Display for Term {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Term::Duration(comparison, seconds) => write!(f, "duration {comparison} {seconds}"),
            Term::ConnectDuration(comparison, seconds) => {
                write!(f, "connect_duration {comparison} {seconds}")
            }
            Term::Repeat => f.write_str("repeat"),
            Term::Mobile => f.write_str("mobile"),
            Term::Landline => f.write_str("landline"),
            Term::SmsSent => f.write_str("sms_sent"),
            Term::DuringHours => f.write_str("during_hours"),
            Term::InRegion(None) => f.write_str("in_region"),
            Term::InRegion(Some(name)) => write!(f, "in_region[{name}]"),
            Term::Pressed(entries) => fmt_pressed(f, entries),
            Term::Text(fact, test) => write!(f, "{fact} {test}"),
        }
    }
}

/// Formats a `pressed[…]` term. Letters are omitted if the levels are 0, 1, 2, ….
fn fmt_pressed(f: &mut Formatter<'_>, entries: &[(u8, Key)]) -> fmt::Result {
    let in_order = entries.iter().zip(0_u8..).all(|((level, _), index)| *level == index);
    f.write_str("pressed[")?;
    for (index, (level, key)) in entries.iter().enumerate() {
        f.write_str(if index == 0 { "" } else { " " })?;
        if !in_order {
            write!(f, "{} ", level_letter(*level))?;
        }
        write!(f, "{key}")?;
    }
    f.write_str("]")
}

/// Comparison operator of a duration term.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `=`
    Equal,
}

impl Comparison {
    /// Returns true if the comparison holds for two durations in seconds.
    pub fn holds(self, left: u32, right: u32) -> bool {
        match self {
            Comparison::Greater => left > right,
            Comparison::GreaterOrEqual => left >= right,
            Comparison::Less => left < right,
            Comparison::LessOrEqual => left <= right,
            Comparison::Equal => left == right,
        }
    }
}

impl Display for Comparison {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Comparison::Greater => ">",
            Comparison::GreaterOrEqual => ">=",
            Comparison::Less => "<",
            Comparison::LessOrEqual => "<=",
            Comparison::Equal => "=",
        })
    }
}

/// Input of a caller at a menu.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Key {
    /// Key 1–9.
    Digit(u8),
    /// `W`: a key without a choice in the menu.
    Wrong,
    /// `N`: no key within the timeout.
    None,
}

/// Returns the letter of a menu level: `a` for 0 to `z` for 25.
pub(super) fn level_letter(level: u8) -> char {
    char::from(b'a' + level.min(25))
}

impl Display for Key {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Key::Digit(digit) => write!(f, "{digit}"),
            Key::Wrong => f.write_str("W"),
            Key::None => f.write_str("N"),
        }
    }
}

/// Text attribute of a call.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TextFact {
    /// `custom_data[field]`: field of the custom data of the call.
    CustomData(String),
    /// `affiliate_name`: name of the affiliate that generated the call.
    AffiliateName,
    /// `media_type`: media type of the affiliate's campaign or promo number.
    MediaType,
    /// `promo_number_description`: description of the dialled promo number.
    PromoNumberDescription,
}

impl Display for TextFact {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            TextFact::CustomData(field) => write!(f, "custom_data[{field}]"),
            TextFact::AffiliateName => f.write_str("affiliate_name"),
            TextFact::MediaType => f.write_str("media_type"),
            TextFact::PromoNumberDescription => f.write_str("promo_number_description"),
        }
    }
}

/// Test of a text fact. For a text that is known to be absent only `!=` is true.
///
/// Typographic hyphens and spaces are normalized on both sides ([`crate::text::normalize_plain_text`]). Otherwise
/// `=` and `!=` compare exactly, including case and spaces. `contains` ignores case.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TextTest {
    /// `= "…"`: the text is present and equal.
    Equals(String),
    /// `!= "…"`: negation of `=`.
    Differs(String),
    /// `contains "…"`: the text is present and contains the substring, ignoring case.
    Contains(String),
    /// `present`: the text is present, possibly empty.
    Present,
}

impl Display for TextTest {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (operator, text) = match self {
            TextTest::Equals(text) => ("=", text),
            TextTest::Differs(text) => ("!=", text),
            TextTest::Contains(text) => ("contains", text),
            TextTest::Present => return f.write_str("present"),
        };
        write!(f, "{operator} \"{}\"", text.replace('\\', r"\\").replace('"', r#"\""#))
    }
}
