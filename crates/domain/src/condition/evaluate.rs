//! Three-valued evaluation. An unknown fact is distinct from a false one.

use super::tree::{Expr, Key, Term, TextFact, TextTest};
use crate::text::{case_folded, normalize_plain_char};

/// Facts of a call that conditions test. `None` means unknown, which differs from `Some(false)`.
pub trait Facts {
    /// Total duration in seconds.
    fn duration(&self) -> Option<u32>;
    /// Time in seconds for which caller and destination were connected; 0 if they never were.
    fn connect_duration(&self) -> Option<u32>;
    /// True if the caller has called before.
    fn repeat(&self) -> Option<bool>;
    /// True if the caller is on a mobile phone.
    fn mobile(&self) -> Option<bool>;
    /// True if the caller is on a landline.
    fn landline(&self) -> Option<bool>;
    /// True if the caller was sent a text message.
    fn sms_sent(&self) -> Option<bool>;
    /// True if the call started within the campaign's hours.
    fn during_hours(&self) -> Option<bool>;
    /// True if the caller is in the named region, or, without a name, in any of the campaign's.
    fn in_region(&self, name: Option<&str>) -> Option<bool>;
    /// Final input of the caller at a menu level; 0 is the first menu.
    fn pressed(&self, level: u8) -> Option<MenuInput>;
    /// Text attribute of the call; `Some(None)` if it is known to be absent.
    fn text(&self, fact: &TextFact) -> Option<Option<&str>>;
}

/// Final input at a menu level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MenuInput {
    /// The call passed a menu at this level and left it with this key.
    Key(Key),
    /// The call reached no menu at this level.
    NeverReached,
}

impl Expr {
    /// Evaluates the condition; `None` if the known facts do not determine the value.
    ///
    /// Kleene's three-valued logic: a false member makes an `and` false, even if others are
    /// unknown; `not` of unknown is unknown. Occurrences of one unknown fact are not correlated:
    /// `mobile or not mobile` is unknown while `mobile` is unknown.
    #[inline]
    pub fn evaluate<F: Facts + ?Sized>(&self, facts: &F) -> Option<bool> {
        // Most nodes are terms; inlining that case avoids a call.
        match self {
            Expr::Term(term) => term.evaluate(facts),
            other => other.evaluate_node(facts),
        }
    }

    fn evaluate_node<F: Facts + ?Sized>(&self, facts: &F) -> Option<bool> {
        match self {
            Expr::Always => Some(true),
            Expr::Term(term) => term.evaluate(facts),
            Expr::Not(inner) => inner.evaluate(facts).map(|value| !value),
            Expr::And(members) => kleene_and(members.iter().map(|member| member.evaluate(facts))),
            Expr::Or(members) => kleene_or(members.iter().map(|member| member.evaluate(facts))),
        }
    }
}

impl Term {
    /// Evaluates the term; `None` if its fact is unknown.
    pub fn evaluate<F: Facts + ?Sized>(&self, facts: &F) -> Option<bool> {
        match self {
            Term::Duration(comparison, seconds) => {
                Some(comparison.holds(facts.duration()?, *seconds))
            }
            Term::ConnectDuration(comparison, seconds) => {
                Some(comparison.holds(facts.connect_duration()?, *seconds))
            }
            Term::Repeat => facts.repeat(),
            Term::Mobile => facts.mobile(),
            Term::Landline => facts.landline(),
            Term::SmsSent => facts.sms_sent(),
            Term::DuringHours => facts.during_hours(),
            Term::InRegion(name) => facts.in_region(name.as_deref()),
            Term::Pressed(entries) => kleene_and(entries.iter().map(|(level, key)| {
                facts.pressed(*level).map(|pressed| pressed == MenuInput::Key(*key))
            })),
            Term::Text(fact, test) => Some(test.holds(facts.text(fact)?)),
        }
    }
}

impl TextTest {
    /// Applies the test to a known text; `None` means that the text is known to be absent.
    pub fn holds(&self, text: Option<&str>) -> bool {
        let equals =
            |expected: &str| text.is_some_and(|text| plain_chars(text).eq(plain_chars(expected)));
        match self {
            TextTest::Equals(expected) => equals(expected),
            TextTest::Differs(expected) => !equals(expected),
            TextTest::Contains(part) => text.is_some_and(|text| contains_ignoring_case(text, part)),
            TextTest::Present => text.is_some(),
        }
    }
}

/// Kleene conjunction: false if any value is false, else unknown if any is unknown, else true.
pub(super) fn kleene_and(values: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut conjunction = Some(true);
    for value in values {
        match value {
            Some(false) => return Some(false),
            Some(true) => {}
            None => conjunction = None,
        }
    }
    conjunction
}

/// Kleene disjunction: true if any value is true, else unknown if any is unknown, else false.
pub(super) fn kleene_or(values: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    kleene_and(values.map(|value| value.map(|value| !value))).map(|value| !value)
}

// Texts are normalized and compared character by character, because evaluation runs for every call
// and policy and must not allocate.

fn plain_chars(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter_map(normalize_plain_char)
}

fn contains_ignoring_case(text: &str, part: &str) -> bool {
    let mut rest = case_folded(text);
    loop {
        let mut candidate = rest.clone();
        if case_folded(part).all(|c| candidate.next() == Some(c)) {
            return true;
        }
        if rest.next().is_none() {
            return false;
        }
    }
}
