//! Evaluation with three values: an unknown fact is not false.

use super::tree::{Expr, Key, Term, TextFact, TextTest};
use crate::text::{folded, plain_char};

/// What is known of a call. Every answer is `None` when it is not known, which is not the same as
/// `Some(false)`.
pub trait Facts {
    /// How long the call lasted, in seconds.
    fn duration(&self) -> Option<u32>;
    /// How long caller and destination were connected, in seconds; 0 if they never were.
    fn connect_duration(&self) -> Option<u32>;
    /// Whether the caller has called before.
    fn repeat(&self) -> Option<bool>;
    /// Whether the caller is on a mobile phone.
    fn mobile(&self) -> Option<bool>;
    /// Whether the caller is on a landline.
    fn landline(&self) -> Option<bool>;
    /// Whether the caller was sent a text message.
    fn sms_sent(&self) -> Option<bool>;
    /// Whether the call came in the campaign's hours.
    fn during_hours(&self) -> Option<bool>;
    /// Whether the caller is in the named region, or without a name in any of the campaign's.
    fn in_region(&self, name: Option<&str>) -> Option<bool>;
    /// What the caller did at a level's menu; 0 is the first menu.
    fn pressed(&self, level: u8) -> Option<Pressed>;
    /// A text of the call: `Some(None)` when it is known that there is none.
    fn text(&self, fact: &TextFact) -> Option<Option<&str>>;
}

/// What a caller did at a level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pressed {
    /// A menu was there, and this is what was pressed in the end.
    Key(Key),
    /// The call came to no menu at this level.
    NeverReached,
}

impl Expr {
    /// Whether the condition is met: `None` if the facts that are known do not say.
    ///
    /// The logic is Kleene's: `and` is false once a member is, whatever the others are; `not` of
    /// unknown is unknown. Unknown facts are not compared with each other, so that
    /// `mobile or not mobile` is unknown as long as `mobile` is.
    #[inline]
    pub fn evaluate<F: Facts + ?Sized>(&self, facts: &F) -> Option<bool> {
        // Most parts are terms: they are looked at in place.
        match self {
            Expr::Term(term) => term.evaluate(facts),
            other => other.evaluate_parts(facts),
        }
    }

    fn evaluate_parts<F: Facts + ?Sized>(&self, facts: &F) -> Option<bool> {
        match self {
            Expr::Always => Some(true),
            Expr::Term(term) => term.evaluate(facts),
            Expr::Not(inner) => inner.evaluate(facts).map(|value| !value),
            Expr::And(members) => all(members.iter().map(|member| member.evaluate(facts))),
            Expr::Or(members) => any(members.iter().map(|member| member.evaluate(facts))),
        }
    }
}

impl Term {
    /// The term's value, `None` if it is not known.
    pub fn evaluate<F: Facts + ?Sized>(&self, facts: &F) -> Option<bool> {
        match self {
            Term::Duration(is, seconds) => Some(is.holds(facts.duration()?, *seconds)),
            Term::ConnectDuration(is, seconds) => {
                Some(is.holds(facts.connect_duration()?, *seconds))
            }
            Term::Repeat => facts.repeat(),
            Term::Mobile => facts.mobile(),
            Term::Landline => facts.landline(),
            Term::SmsSent => facts.sms_sent(),
            Term::DuringHours => facts.during_hours(),
            Term::InRegion(name) => facts.in_region(name.as_deref()),
            Term::Pressed(entries) => all(entries.iter().map(|(level, key)| {
                facts.pressed(*level).map(|pressed| pressed == Pressed::Key(*key))
            })),
            Term::Text(fact, test) => Some(test.holds(facts.text(fact)?)),
        }
    }
}

impl TextTest {
    /// Whether it holds for a text that is known, or known not to be there.
    pub fn holds(&self, text: Option<&str>) -> bool {
        let equals = |wanted: &str| text.is_some_and(|text| plain(text).eq(plain(wanted)));
        match self {
            TextTest::Equals(wanted) => equals(wanted),
            TextTest::Differs(wanted) => !equals(wanted),
            TextTest::Contains(wanted) => text.is_some_and(|text| contains(text, wanted)),
            TextTest::Present => text.is_some(),
        }
    }
}

/// Kleene's `and`: false if one is, else unknown if one is, else true.
pub(super) fn all(values: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut all = Some(true);
    for value in values {
        match value {
            Some(false) => return Some(false),
            Some(true) => {}
            None => all = None,
        }
    }
    all
}

/// Kleene's `or`: true if one is, else unknown if one is, else false.
pub(super) fn any(values: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    all(values.map(|value| value.map(|value| !value))).map(|none| !none)
}

// Texts are compared character by character as they stand: evaluation runs for every call and
// policy, and allocates nothing.

fn plain(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter_map(plain_char)
}

fn contains(text: &str, wanted: &str) -> bool {
    let mut rest = folded(text);
    loop {
        let mut here = rest.clone();
        if folded(wanted).all(|c| here.next() == Some(c)) {
            return true;
        }
        if rest.next().is_none() {
            return false;
        }
    }
}
