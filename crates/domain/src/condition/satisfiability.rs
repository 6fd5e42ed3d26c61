//! Satisfiability of conditions: always true, never true, disjoint, implied, equivalent.
//!
//! The analysis assumes that all facts are known: `mobile or not mobile` is always true here,
//! although its evaluation is unknown while `mobile` is unknown.
//!
//! Kinds of facts and the menus of a tree are assumed to be independent. `Some(true)` is therefore
//! exact for every possible call. The counterexample of a `Some(false)` may be a call that the rest
//! of the campaign excludes.

use super::atoms::{Assignment, Formula};
use super::evaluate::kleene_and;
use super::search_budget::{DecisionBudget, SearchBudget};
use super::tree::Expr;

impl Expr {
    /// Returns true if every call meets the condition; `None` if it is too large to decide.
    pub fn is_always_true(&self, budget: &SearchBudget) -> Option<bool> {
        let mut assignment = Assignment::default();
        let formula = assignment.add_condition(self);
        is_satisfiable(assignment, &Formula::Not(Box::new(formula)), budget)
            .map(|satisfiable| !satisfiable)
    }

    /// Returns true if no call meets the condition; `None` if it is too large to decide.
    pub fn is_never_true(&self, budget: &SearchBudget) -> Option<bool> {
        let mut assignment = Assignment::default();
        let formula = assignment.add_condition(self);
        is_satisfiable(assignment, &formula, budget).map(|satisfiable| !satisfiable)
    }

    /// Returns true if no call meets both conditions; `None` if they are too large to decide.
    pub fn is_disjoint(&self, other: &Expr, budget: &SearchBudget) -> Option<bool> {
        let mut assignment = Assignment::default();
        let both =
            Formula::And(vec![assignment.add_condition(self), assignment.add_condition(other)]);
        is_satisfiable(assignment, &both, budget).map(|satisfiable| !satisfiable)
    }

    /// Returns true if every call that meets this condition meets the other; `None` if they are too
    /// large to decide.
    pub fn implies(&self, other: &Expr, budget: &SearchBudget) -> Option<bool> {
        if self == other {
            return Some(true);
        }
        let mut assignment = Assignment::default();
        let this = assignment.add_condition(self);
        let not_other = Formula::Not(Box::new(assignment.add_condition(other)));
        is_satisfiable(assignment, &Formula::And(vec![this, not_other]), budget)
            .map(|satisfiable| !satisfiable)
    }

    /// Returns true if the same calls meet both conditions; `None` if they are too large to decide.
    pub fn is_equivalent(&self, other: &Expr, budget: &SearchBudget) -> Option<bool> {
        kleene_and([self.implies(other, budget), other.implies(self, budget)].into_iter())
    }
}

/// Returns true if some call satisfies the formula; `None` if the budget runs out.
///
/// Backtracking search: assigns the first atom that the value depends on, first true, then false.
/// An inconsistent assignment is reverted at once. The decided atoms are kept in a list instead of
/// the call stack, because their number is not bounded by the nesting limit.
fn is_satisfiable(
    mut assignment: Assignment<'_>,
    formula: &Formula,
    budget: &SearchBudget,
) -> Option<bool> {
    let cost = formula_size(formula) + assignment.len();
    let budget = budget.start_decision();
    budget.charge_bytes(assignment.text_bytes())?;
    let mut decided: Vec<usize> = Vec::new();
    loop {
        budget.charge(cost)?;
        let is_consistent = match evaluate_partial(formula, &assignment) {
            Ok(true) => return Some(true),
            Ok(false) => false,
            Err(atom) => {
                decided.push(atom);
                assignment.set(atom, Some(true));
                assignment.is_consistent_at(atom, &budget)?
            }
        };
        if !is_consistent && !backtrack(&mut assignment, &mut decided, &budget, cost)? {
            return Some(false);
        }
    }
}

/// Changes the last true value to false, if that is consistent. Returns false if no alternative is
/// left, `None` if the budget runs out.
fn backtrack(
    assignment: &mut Assignment<'_>,
    decided: &mut Vec<usize>,
    budget: &DecisionBudget<'_>,
    cost: usize,
) -> Option<bool> {
    while let Some(atom) = decided.pop() {
        budget.charge(cost)?;
        if assignment.value(atom) == Some(true) {
            assignment.set(atom, Some(false));
            if assignment.is_consistent_at(atom, budget)? {
                decided.push(atom);
                return Some(true);
            }
        }
        assignment.set(atom, None);
    }
    Some(false)
}

/// Returns the number of nodes.
fn formula_size(formula: &Formula) -> usize {
    match formula {
        Formula::Constant(_) | Formula::Atom(_) => 1,
        Formula::Not(inner) => 1 + formula_size(inner),
        Formula::And(members) | Formula::Or(members) => {
            1 + members.iter().map(formula_size).sum::<usize>()
        }
    }
}

/// Evaluates a formula under a partial assignment. The error is the first unassigned atom that the
/// value depends on.
fn evaluate_partial(formula: &Formula, assignment: &Assignment<'_>) -> Result<bool, usize> {
    match formula {
        Formula::Constant(value) => Ok(*value),
        Formula::Atom(atom) => assignment.value(*atom).ok_or(*atom),
        Formula::Not(inner) => evaluate_partial(inner, assignment).map(|value| !value),
        Formula::And(members) => evaluate_members(members, assignment, false),
        Formula::Or(members) => evaluate_members(members, assignment, true),
    }
}

/// Evaluates a conjunction or disjunction. `decisive` is the value of one member that determines
/// the result: false in an `and`, true in an `or`.
fn evaluate_members(
    members: &[Formula],
    assignment: &Assignment<'_>,
    decisive: bool,
) -> Result<bool, usize> {
    let mut value = Ok(!decisive);
    for member in members {
        match evaluate_partial(member, assignment) {
            Ok(member_value) if member_value == decisive => return Ok(decisive),
            Ok(_) => {}
            Err(atom) => value = value.and(Err(atom)),
        }
    }
    value
}
