//! Boolean atoms of conditions, and consistency of partial assignments to them.
//!
//! Facts of different kinds are independent. Atoms of one kind constrain each other: the connect
//! duration is at most the duration, a phone is not both mobile and landline, a named region is one
//! of the campaign's regions, a menu has one key, a text fact has one value.

use super::search_budget::DecisionBudget;
use super::tree::{Comparison, Expr, Key, Term, TextFact, TextTest};
use crate::text::{case_folded, normalize_plain_text};
use indexmap::IndexSet;
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

/// Boolean atom. `!=` is the negation of the atom of `=`; `pressed[1 2]` yields two atoms.
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
    /// The text is present and equal to this normalized text.
    Equals(&'a TextFact, String),
    /// The text is present and contains this case-folded substring.
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

    /// Returns the normalized text of `Equals` and `Contains`; empty for other atoms.
    fn text(&self) -> &str {
        match self {
            Atom::Equals(_, text) | Atom::Contains(_, text) => text,
            _ => "",
        }
    }
}

/// Boolean formula over atom indices.
pub(super) enum Formula {
    Constant(bool),
    Atom(usize),
    Not(Box<Formula>),
    And(Vec<Formula>),
    Or(Vec<Formula>),
}

/// Atoms of one or two conditions with a partial assignment of truth values.
#[derive(Default)]
pub(super) struct Assignment<'a> {
    atoms: IndexSet<Atom<'a>>,
    values: Vec<Option<bool>>,
    /// Text facts of the atoms.
    facts: IndexSet<&'a TextFact>,
    /// Index in `facts` of each atom's text fact; `None` for other atoms.
    fact_of_atom: Vec<Option<usize>>,
    /// Bytes of the texts in the conditions.
    text_bytes: usize,
    /// Tells for a text and a part, by their atoms, if the text contains the part. Filled during the
    /// search, so that each pair of texts is compared once for a decision.
    containments: RefCell<HashMap<(usize, usize), bool>>,
}

impl<'a> Assignment<'a> {
    /// Converts a condition into a formula. New atoms are added without a value.
    pub(super) fn add_condition(&mut self, expr: &'a Expr) -> Formula {
        match expr {
            Expr::Always => Formula::Constant(true),
            Expr::Term(term) => self.add_term(term),
            Expr::Not(inner) => Formula::Not(Box::new(self.add_condition(inner))),
            Expr::And(members) => {
                Formula::And(members.iter().map(|e| self.add_condition(e)).collect())
            }
            Expr::Or(members) => {
                Formula::Or(members.iter().map(|e| self.add_condition(e)).collect())
            }
        }
    }

    fn add_term(&mut self, term: &'a Term) -> Formula {
        let atom = match term {
            Term::Duration(comparison, seconds) => Atom::Duration(*comparison, *seconds),
            Term::ConnectDuration(comparison, seconds) => {
                Atom::ConnectDuration(*comparison, *seconds)
            }
            Term::Repeat => Atom::Repeat,
            Term::Mobile => Atom::Mobile,
            Term::Landline => Atom::Landline,
            Term::SmsSent => Atom::SmsSent,
            Term::DuringHours => Atom::DuringHours,
            Term::InRegion(name) => Atom::Region(name.as_deref()),
            Term::Pressed(entries) => {
                let keys = entries.iter().map(|(level, key)| Atom::Pressed(*level, *key));
                return Formula::And(keys.map(|atom| self.add_atom(atom)).collect());
            }
            Term::Text(fact, TextTest::Equals(text)) => {
                Atom::Equals(fact, normalize_plain_text(text))
            }
            Term::Text(fact, TextTest::Differs(text)) => {
                return Formula::Not(Box::new(
                    self.add_atom(Atom::Equals(fact, normalize_plain_text(text))),
                ));
            }
            Term::Text(fact, TextTest::Contains(text)) => {
                Atom::Contains(fact, case_folded(text).collect())
            }
            Term::Text(fact, TextTest::Present) => Atom::Present(fact),
        };
        self.add_atom(atom)
    }

    fn add_atom(&mut self, atom: Atom<'a>) -> Formula {
        let fact = atom.text_fact().map(|fact| self.facts.insert_full(fact).0);
        self.text_bytes += atom.text().len();
        let (index, is_new) = self.atoms.insert_full(atom);
        if is_new {
            self.values.push(None);
            self.fact_of_atom.push(fact);
        }
        Formula::Atom(index)
    }

    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// Bytes of the texts in the conditions.
    pub(super) fn text_bytes(&self) -> usize {
        self.text_bytes
    }

    /// Returns the value of an atom; `None` if it is unassigned.
    pub(super) fn value(&self, atom: usize) -> Option<bool> {
        self.values.get(atom).copied().flatten()
    }

    /// Assigns or clears the value of an atom.
    pub(super) fn set(&mut self, atom: usize, value: Option<bool>) {
        if let Some(slot) = self.values.get_mut(atom) {
            *slot = value;
        }
    }

    fn assigned(&self) -> impl Iterator<Item = (&Atom<'a>, bool)> {
        self.atoms.iter().zip(&self.values).filter_map(|(atom, value)| Some((atom, (*value)?)))
    }

    /// Returns true if some call satisfies all assigned values; `None` if the budget runs out. Only
    /// constraints on the given atom are checked: the assignment must have been consistent before
    /// this atom was assigned.
    pub(super) fn is_consistent_at(
        &self,
        atom: usize,
        budget: &DecisionBudget<'_>,
    ) -> Option<bool> {
        budget.charge(self.len())?;
        let is_consistent = match self.atoms.get_index(atom)? {
            Atom::Duration(..) | Atom::ConnectDuration(..) => self.durations_are_consistent(),
            Atom::Mobile | Atom::Landline => {
                !(self.assigned().any(|assigned| assigned == (&Atom::Mobile, true))
                    && self.assigned().any(|assigned| assigned == (&Atom::Landline, true)))
            }
            Atom::Region(_) => {
                let is_in_named_region =
                    |(atom, value)| value && matches!(atom, &Atom::Region(Some(_)));
                !(self.assigned().any(|assigned| assigned == (&Atom::Region(None), false))
                    && self.assigned().any(is_in_named_region))
            }
            Atom::Pressed(level, _) => {
                let is_pressed_here = |(atom, value): &(&Atom<'_>, bool)| {
                    *value && matches!(atom, Atom::Pressed(other, _) if other == level)
                };
                self.assigned().filter(is_pressed_here).count() <= 1
            }
            Atom::Equals(..) | Atom::Contains(..) | Atom::Present(_) => {
                let fact = self.fact_of_atom.get(atom).copied().flatten()?;
                return self.text_is_consistent(fact, budget);
            }
            Atom::Repeat | Atom::SmsSent | Atom::DuringHours => true,
        };
        Some(is_consistent)
    }

    fn durations_are_consistent(&self) -> bool {
        let mut duration = DurationRange::new();
        let mut connect_duration = DurationRange::new();
        for (atom, value) in self.assigned() {
            match atom {
                Atom::Duration(comparison, seconds) => {
                    duration.restrict(*comparison, *seconds, value);
                }
                Atom::ConnectDuration(comparison, seconds) => {
                    connect_duration.restrict(*comparison, *seconds, value);
                }
                _ => {}
            }
        }
        match (connect_duration.min(), duration.max()) {
            (Some(connect_duration), Some(duration)) => connect_duration <= duration,
            _ => false,
        }
    }

    /// Returns the assigned atoms of a text fact, by index.
    fn assigned_of_fact(&self, fact: usize) -> impl Iterator<Item = (usize, &Atom<'a>, bool)> {
        let of_fact =
            self.fact_of_atom.iter().enumerate().filter(move |(_, of)| **of == Some(fact));
        of_fact.filter_map(|(index, _)| {
            Some((index, self.atoms.get_index(index)?, self.value(index)?))
        })
    }

    /// Returns true if some text, or no text, satisfies all assigned atoms of a text fact; `None` if
    /// the budget runs out.
    ///
    /// If an `Equals` atom is true, its text decides. Otherwise the text may be absent if no atom
    /// is true. Otherwise a satisfying text is constructed: the concatenation of all required
    /// substrings, separated by a character that occurs in no other text. A forbidden substring can
    /// then occur only within one part, so the text fails only if a forbidden substring is empty or
    /// part of a required one.
    fn text_is_consistent(&self, fact: usize, budget: &DecisionBudget<'_>) -> Option<bool> {
        let mut absent_fits = true;
        let mut constructed_fits = true;
        let mut equal = None;
        let mut required = Vec::new();
        let mut forbidden = Vec::new();
        for (index, atom, value) in self.assigned_of_fact(fact) {
            absent_fits &= !value;
            match atom {
                Atom::Equals(..) if value => equal = Some(index),
                Atom::Contains(..) if value => required.push(index),
                Atom::Contains(..) => forbidden.push(index),
                Atom::Present(_) => constructed_fits &= value,
                _ => {}
            }
        }
        if let Some(text) = equal {
            return self.text_satisfies(fact, text, budget);
        }
        if absent_fits {
            return Some(true);
        }
        for part in forbidden {
            if !constructed_fits {
                break;
            }
            budget.charge(1)?;
            constructed_fits &= !self.atoms.get_index(part)?.text().is_empty();
            for text in &required {
                constructed_fits &= !self.contains(*text, part, budget)?;
            }
        }
        Some(constructed_fits)
    }

    /// Returns true if the text of a true `Equals` atom satisfies all assigned atoms of its fact.
    fn text_satisfies(
        &self,
        fact: usize,
        text: usize,
        budget: &DecisionBudget<'_>,
    ) -> Option<bool> {
        for (index, atom, value) in self.assigned_of_fact(fact) {
            let holds = match atom {
                Atom::Equals(..) => index == text,
                Atom::Contains(..) => self.contains(text, index, budget)?,
                _ => true,
            };
            if holds != value {
                return Some(false);
            }
        }
        Some(true)
    }

    /// Returns true if the text of an atom contains the text of a `Contains` atom.
    fn contains(&self, text: usize, part: usize, budget: &DecisionBudget<'_>) -> Option<bool> {
        budget.charge(1)?;
        if let Some(known) = self.containments.borrow().get(&(text, part)) {
            return Some(*known);
        }
        let (whole, inner) = (self.atoms.get_index(text)?, self.atoms.get_index(part)?.text());
        budget.charge_bytes(whole.text().len() + inner.len())?;
        let contains = match whole {
            Atom::Equals(_, whole) => {
                let case_folded: String = case_folded(whole).collect();
                case_folded.contains(inner)
            }
            whole => whole.text().contains(inner),
        };
        self.containments.borrow_mut().insert((text, part), contains);
        Some(contains)
    }
}

/// Possible values of a duration in seconds: an inclusive range minus excluded values.
struct DurationRange {
    from: u32,
    to: u32,
    excluded: HashSet<u32>,
    empty: bool,
}

impl DurationRange {
    fn new() -> DurationRange {
        DurationRange { from: 0, to: u32::MAX, excluded: HashSet::new(), empty: false }
    }

    /// Applies a comparison with a constant, or its negation if `value` is false.
    fn restrict(&mut self, comparison: Comparison, seconds: u32, value: bool) {
        match (comparison, value) {
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
            (Comparison::Equal, false) => {
                self.excluded.insert(seconds);
            }
        }
    }

    fn min(&self) -> Option<u32> {
        let is_range = !self.empty && self.from <= self.to;
        is_range
            .then(|| (self.from..=self.to).find(|seconds| !self.excluded.contains(seconds)))
            .flatten()
    }

    fn max(&self) -> Option<u32> {
        let is_range = !self.empty && self.from <= self.to;
        is_range
            .then(|| (self.from..=self.to).rfind(|seconds| !self.excluded.contains(seconds)))
            .flatten()
    }
}
