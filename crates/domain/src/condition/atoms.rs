//! The yes-or-no questions that conditions ask, and which sets of answers can be true together.
//!
//! Facts of different kinds are taken as independent. Within a kind the answers hang together:
//! a call is not shorter than its connection, a phone is not mobile and landline, a named region
//! is one of the regions, a menu has one key, a text is one text.

use super::tree::{Comparison, Expr, Key, Term, TextFact, TextTest};
use crate::text::{folded, plain};
use indexmap::IndexSet;

/// One question. `!=` is the opposite of `=`, and `pressed[1 2]` is two questions.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) enum Atom<'a> {
    Duration(Comparison, u32),
    ConnectDuration(Comparison, u32),
    Repeat,
    Mobile,
    Landline,
    SmsSent,
    DuringHours,
    Region(Option<&'a str>),
    Pressed(u8, Key),
    /// The text is there and plainly this.
    Equals(&'a TextFact, String),
    /// The text is there and has this in it, without capitals.
    Contains(&'a TextFact, String),
    Present(&'a TextFact),
}

impl<'a> Atom<'a> {
    fn text_fact(&self) -> Option<&'a TextFact> {
        match self {
            Atom::Equals(fact, _) | Atom::Contains(fact, _) | Atom::Present(fact) => Some(fact),
            _ => None,
        }
    }
}

/// A condition over numbered atoms.
pub(super) enum Formula {
    Known(bool),
    Atom(usize),
    Not(Box<Formula>),
    And(Vec<Formula>),
    Or(Vec<Formula>),
}

/// The atoms of one or two conditions, and the answers given so far.
#[derive(Default)]
pub(super) struct Atoms<'a> {
    atoms: IndexSet<Atom<'a>>,
    answers: Vec<Option<bool>>,
}

impl<'a> Atoms<'a> {
    /// The condition over these atoms; the ones that are new are added, unanswered.
    pub(super) fn formula(&mut self, expr: &'a Expr) -> Formula {
        match expr {
            Expr::Always => Formula::Known(true),
            Expr::Term(term) => self.term(term),
            Expr::Not(inner) => Formula::Not(Box::new(self.formula(inner))),
            Expr::And(members) => Formula::And(members.iter().map(|e| self.formula(e)).collect()),
            Expr::Or(members) => Formula::Or(members.iter().map(|e| self.formula(e)).collect()),
        }
    }

    fn term(&mut self, term: &'a Term) -> Formula {
        let atom = match term {
            Term::Duration(is, seconds) => Atom::Duration(*is, *seconds),
            Term::ConnectDuration(is, seconds) => Atom::ConnectDuration(*is, *seconds),
            Term::Repeat => Atom::Repeat,
            Term::Mobile => Atom::Mobile,
            Term::Landline => Atom::Landline,
            Term::SmsSent => Atom::SmsSent,
            Term::DuringHours => Atom::DuringHours,
            Term::InRegion(name) => Atom::Region(name.as_deref()),
            Term::Pressed(entries) => {
                let keys = entries.iter().map(|(level, key)| Atom::Pressed(*level, *key));
                return Formula::And(keys.map(|atom| self.add(atom)).collect());
            }
            Term::Text(fact, TextTest::Equals(text)) => Atom::Equals(fact, plain(text)),
            Term::Text(fact, TextTest::Differs(text)) => {
                return Formula::Not(Box::new(self.add(Atom::Equals(fact, plain(text)))));
            }
            Term::Text(fact, TextTest::Contains(text)) => {
                Atom::Contains(fact, folded(text).collect())
            }
            Term::Text(fact, TextTest::Present) => Atom::Present(fact),
        };
        self.add(atom)
    }

    fn add(&mut self, atom: Atom<'a>) -> Formula {
        let (number, new) = self.atoms.insert_full(atom);
        if new {
            self.answers.push(None);
        }
        Formula::Atom(number)
    }

    pub(super) fn len(&self) -> usize {
        self.answers.len()
    }

    pub(super) fn answer(&self, atom: usize) -> Option<bool> {
        self.answers.get(atom).copied().flatten()
    }

    /// Answers a question, or takes the answer back.
    pub(super) fn set(&mut self, atom: usize, answer: Option<bool>) {
        if let Some(place) = self.answers.get_mut(atom) {
            *place = answer;
        }
    }

    fn answered(&self) -> impl Iterator<Item = (&Atom<'a>, bool)> {
        self.atoms.iter().zip(&self.answers).filter_map(|(atom, answer)| Some((atom, (*answer)?)))
    }

    /// Whether some call gives all the answers given so far, provided that one gave them before
    /// this atom's was added.
    pub(super) fn possible(&self, atom: usize) -> bool {
        match self.atoms.get_index(atom) {
            Some(Atom::Duration(..) | Atom::ConnectDuration(..)) => self.times_possible(),
            Some(Atom::Mobile | Atom::Landline) => {
                !(self.answered().any(|answer| answer == (&Atom::Mobile, true))
                    && self.answered().any(|answer| answer == (&Atom::Landline, true)))
            }
            Some(Atom::Region(_)) => {
                let named = |(atom, answer)| answer && matches!(atom, &Atom::Region(Some(_)));
                !(self.answered().any(|answer| answer == (&Atom::Region(None), false))
                    && self.answered().any(named))
            }
            Some(Atom::Pressed(level, _)) => {
                let here = |(atom, answer): &(&Atom<'_>, bool)| {
                    *answer && matches!(atom, Atom::Pressed(other, _) if other == level)
                };
                self.answered().filter(here).count() <= 1
            }
            Some(Atom::Equals(fact, _) | Atom::Contains(fact, _) | Atom::Present(fact)) => {
                self.text_possible(fact)
            }
            Some(Atom::Repeat | Atom::SmsSent | Atom::DuringHours) | None => true,
        }
    }

    fn times_possible(&self) -> bool {
        let mut call = Times::new();
        let mut connection = Times::new();
        for (atom, answer) in self.answered() {
            match atom {
                Atom::Duration(is, seconds) => call.restrict(*is, *seconds, answer),
                Atom::ConnectDuration(is, seconds) => connection.restrict(*is, *seconds, answer),
                _ => {}
            }
        }
        match (connection.shortest(), call.longest()) {
            (Some(connection), Some(call)) => connection <= call,
            _ => false,
        }
    }

    /// Whether a text, or its absence, gives all the answers about a text fact.
    ///
    /// If it equals one of the texts, that one says everything. If not, it may be absent. Else it
    /// can be made: write one after another all that it contains, with a character between them
    /// that no other text has; it then contains nothing else but the parts of those.
    fn text_possible(&self, fact: &TextFact) -> bool {
        let mut absent = true;
        let mut another = true;
        let (mut equal, mut contained, mut missing) = (None, Vec::new(), Vec::new());
        for (atom, answer) in self.answered().filter(|(atom, _)| atom.text_fact() == Some(fact)) {
            absent &= !answer;
            match atom {
                Atom::Equals(_, text) if answer => equal = Some(text),
                Atom::Contains(_, text) if answer => contained.push(text),
                Atom::Contains(_, text) => missing.push(text),
                Atom::Present(_) => another &= answer,
                _ => {}
            }
        }
        if let Some(text) = equal {
            return self.text_gives(fact, text);
        }
        let contains = |outer: &String, inner: &String| outer.contains(inner.as_str());
        another &= !missing
            .iter()
            .any(|gone| gone.is_empty() || contained.iter().any(|there| contains(there, gone)));
        absent || another
    }

    fn text_gives(&self, fact: &TextFact, text: &str) -> bool {
        let bare: String = folded(text).collect();
        let about = self.answered().filter(|(atom, _)| atom.text_fact() == Some(fact));
        about.into_iter().all(|(atom, answer)| match atom {
            Atom::Equals(_, other) => answer == (other == text),
            Atom::Contains(_, inner) => answer == bare.contains(inner.as_str()),
            _ => answer,
        })
    }
}

/// The times that are left, in seconds: from, to, and single ones that are not.
struct Times {
    from: u32,
    to: u32,
    excluded: Vec<u32>,
    empty: bool,
}

impl Times {
    fn new() -> Times {
        Times { from: 0, to: u32::MAX, excluded: Vec::new(), empty: false }
    }

    fn restrict(&mut self, is: Comparison, seconds: u32, answer: bool) {
        match (is, answer) {
            (Comparison::Greater, true) | (Comparison::LessOrEqual, false) => {
                match seconds.checked_add(1) {
                    Some(next) => self.from = self.from.max(next),
                    None => self.empty = true,
                }
            }
            (Comparison::GreaterOrEqual, true) | (Comparison::Less, false) => {
                self.from = self.from.max(seconds);
            }
            (Comparison::Less, true) | (Comparison::GreaterOrEqual, false) => {
                match seconds.checked_sub(1) {
                    Some(previous) => self.to = self.to.min(previous),
                    None => self.empty = true,
                }
            }
            (Comparison::LessOrEqual, true) | (Comparison::Greater, false) => {
                self.to = self.to.min(seconds);
            }
            (Comparison::Equal, true) => {
                self.from = self.from.max(seconds);
                self.to = self.to.min(seconds);
            }
            (Comparison::Equal, false) => self.excluded.push(seconds),
        }
    }

    fn shortest(&self) -> Option<u32> {
        let left = !self.empty && self.from <= self.to;
        left.then(|| (self.from..=self.to).find(|time| !self.excluded.contains(time))).flatten()
    }

    fn longest(&self) -> Option<u32> {
        let left = !self.empty && self.from <= self.to;
        left.then(|| (self.from..=self.to).rfind(|time| !self.excluded.contains(time))).flatten()
    }
}
