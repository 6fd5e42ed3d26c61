//! What holds of a condition for every call: always, never, never both, the same.
//!
//! All facts are taken as known here: `mobile or not mobile` is always true, although it is unknown
//! as long as `mobile` is.
//!
//! Kinds of facts are taken as independent, and menus as independent of each other, so that
//! `Some(true)` holds for every call that there can be, while a counterexample behind `Some(false)`
//! may be a call that the rest of the campaign does not allow.

use super::atoms::{Atoms, Formula};
use super::evaluate::all;
use super::tree::Expr;

/// How much one question may cost, in atoms looked at: 200,000 sets of answers of a condition with
/// 20 terms, some tens of milliseconds. Deciding a condition is NP-hard, and anyone may ask.
const BUDGET: usize = 4_000_000;

impl Expr {
    /// Whether every call meets the condition; `None` if it is too big to decide.
    pub fn always_true(&self) -> Option<bool> {
        let mut atoms = Atoms::default();
        let formula = atoms.formula(self);
        satisfiable(atoms, &Formula::Not(Box::new(formula))).map(|found| !found)
    }

    /// Whether no call meets the condition; `None` if it is too big to decide.
    pub fn never_true(&self) -> Option<bool> {
        let mut atoms = Atoms::default();
        let formula = atoms.formula(self);
        satisfiable(atoms, &formula).map(|found| !found)
    }

    /// Whether no call meets both conditions; `None` if they are too big to decide.
    pub fn excludes(&self, other: &Expr) -> Option<bool> {
        let mut atoms = Atoms::default();
        let both = Formula::And(vec![atoms.formula(self), atoms.formula(other)]);
        satisfiable(atoms, &both).map(|found| !found)
    }

    /// Whether every call that meets this condition meets the other; `None` if they are too big
    /// to decide.
    pub fn implies(&self, other: &Expr) -> Option<bool> {
        if self == other {
            return Some(true);
        }
        let mut atoms = Atoms::default();
        let this = atoms.formula(self);
        let not_other = Formula::Not(Box::new(atoms.formula(other)));
        satisfiable(atoms, &Formula::And(vec![this, not_other])).map(|found| !found)
    }

    /// Whether the same calls meet both conditions; `None` if they are too big to decide.
    pub fn equivalent(&self, other: &Expr) -> Option<bool> {
        all([self.implies(other), other.implies(self)].into_iter())
    }
}

/// Whether some call makes the formula true; `None` when the budget runs out.
///
/// Questions that still matter are answered one by one, first with yes, then with no. An answer
/// that cannot be, together with those before it, is taken back at once; one by one and with a
/// list of their own, because there may be more of them than the stack has room for.
fn satisfiable(mut atoms: Atoms<'_>, formula: &Formula) -> Option<bool> {
    let cost = size(formula) + atoms.len();
    let mut budget = BUDGET;
    let mut decided: Vec<usize> = Vec::new();
    loop {
        budget = budget.checked_sub(cost)?;
        let possible = match settle(formula, &atoms) {
            Ok(true) => return Some(true),
            Ok(false) => false,
            Err(atom) => {
                decided.push(atom);
                atoms.set(atom, Some(true));
                atoms.possible(atom)
            }
        };
        if !possible && !take_back(&mut atoms, &mut decided, &mut budget, cost)? {
            return Some(false);
        }
    }
}

/// Turns the last yes into a no that can be; false when there is none left, `None` when the budget
/// runs out.
fn take_back(
    atoms: &mut Atoms<'_>,
    decided: &mut Vec<usize>,
    budget: &mut usize,
    cost: usize,
) -> Option<bool> {
    while let Some(atom) = decided.pop() {
        *budget = budget.checked_sub(cost)?;
        if atoms.answer(atom) == Some(true) {
            atoms.set(atom, Some(false));
            if atoms.possible(atom) {
                decided.push(atom);
                return Some(true);
            }
        }
        atoms.set(atom, None);
    }
    Some(false)
}

fn size(formula: &Formula) -> usize {
    match formula {
        Formula::Known(_) | Formula::Atom(_) => 1,
        Formula::Not(inner) => 1 + size(inner),
        Formula::And(members) | Formula::Or(members) => 1 + members.iter().map(size).sum::<usize>(),
    }
}

/// The formula's value by the answers so far, or the first unanswered atom that it hangs on.
fn settle(formula: &Formula, atoms: &Atoms<'_>) -> Result<bool, usize> {
    match formula {
        Formula::Known(value) => Ok(*value),
        Formula::Atom(atom) => atoms.answer(*atom).ok_or(*atom),
        Formula::Not(inner) => settle(inner, atoms).map(|value| !value),
        Formula::And(members) => settle_members(members, atoms, false),
        Formula::Or(members) => settle_members(members, atoms, true),
    }
}

/// `decisive` is the value that one member can give to the whole: true in an `or`.
fn settle_members(members: &[Formula], atoms: &Atoms<'_>, decisive: bool) -> Result<bool, usize> {
    let mut settled = Ok(!decisive);
    for member in members {
        match settle(member, atoms) {
            Ok(value) if value == decisive => return Ok(decisive),
            Ok(_) => {}
            Err(atom) => settled = settled.and(Err(atom)),
        }
    }
    settled
}
