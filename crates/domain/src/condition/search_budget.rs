//! Bound on the work of a satisfiability search.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Maximum number of steps of one decision. It equals about 200,000 assignments of a condition with
/// 20 terms, some tens of milliseconds. The limit is required because the problem is NP-hard and any
/// user can submit conditions.
const MAX_STEPS_OF_DECISION: u64 = 4_000_000;

/// Maximum number of steps of all decisions of one request, some hundred milliseconds.
const MAX_STEPS_OF_REQUEST: u64 = 40_000_000;

/// Number of bytes that are compared in one step.
const BYTES_PER_STEP: usize = 8;

/// Steps that the decisions of one request may take together. A step is a visited node of a formula,
/// or a comparison of a few bytes or numbers.
#[derive(Debug)]
pub struct SearchBudget {
    used: Cell<u64>,
    stopped: Arc<AtomicBool>,
}

impl Default for SearchBudget {
    fn default() -> Self {
        Self::new(Arc::default())
    }
}

impl SearchBudget {
    /// Creates the budget of a request. All decisions end undecided once `stopped` is true.
    pub fn new(stopped: Arc<AtomicBool>) -> Self {
        Self { used: Cell::new(0), stopped }
    }

    /// Number of steps taken so far, at most 40,000,000 and those of the last charge.
    pub fn steps_used(&self) -> u64 {
        self.used.get()
    }

    /// Starts a decision with its own limit.
    pub(super) fn start_decision(&self) -> DecisionBudget<'_> {
        let rest = MAX_STEPS_OF_REQUEST.saturating_sub(self.used.get());
        DecisionBudget { of_request: self, left: Cell::new(rest.min(MAX_STEPS_OF_DECISION)) }
    }
}

/// Steps that are left for one decision.
pub(super) struct DecisionBudget<'a> {
    of_request: &'a SearchBudget,
    left: Cell<u64>,
}

impl DecisionBudget<'_> {
    /// Takes steps; `None` if fewer are left, or if the search is to stop.
    pub(super) fn charge(&self, steps: usize) -> Option<()> {
        if self.of_request.stopped.load(Ordering::Relaxed) {
            return None;
        }
        let steps = u64::try_from(steps).unwrap_or(u64::MAX);
        self.of_request.used.set(self.of_request.used.get().saturating_add(steps));
        match self.left.get().checked_sub(steps) {
            Some(left) => self.left.set(left),
            None => {
                self.left.set(0);
                return None;
            }
        }
        Some(())
    }

    /// Takes the steps of a comparison of this number of bytes.
    pub(super) fn charge_bytes(&self, bytes: usize) -> Option<()> {
        self.charge(1 + bytes / BYTES_PER_STEP)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::condition::{Condition, Expr};

    fn parse_expr(text: &str) -> Expr {
        Condition::parse(text).unwrap().expr().clone()
    }

    /// Comparing texts is work too: a formula of few nodes with long texts ends undecided instead of
    /// taking seconds.
    #[test]
    fn comparisons_of_texts_are_charged() {
        let long = "a".repeat(150);
        let required: Vec<String> =
            (0..9).map(|n| format!("media_type contains \"{n}{long}\"")).collect();
        let forbidden: Vec<String> =
            (0..9).map(|n| format!("not media_type contains \"{long}b{n}\"")).collect();
        let all = parse_expr(&[required, forbidden].concat().join(" and "));
        let budget = SearchBudget::default();
        assert_eq!(all.is_never_true(&budget), Some(false));
        // 81 pairs of texts, each compared once, of about 300 bytes.
        let steps = budget.steps_used();
        assert!((81 * 300 / 8..20_000).contains(&steps), "{steps}");
    }

    #[test]
    fn decisions_of_a_request_share_one_budget_and_can_be_stopped() {
        let clauses = (0..30).map(|n| format!("(in_region[{n}] or in_region[{n}b])"));
        let all = parse_expr(&clauses.collect::<Vec<_>>().join(" and "));
        let negated = Expr::and(vec![all.clone(), Expr::not(parse_expr("in_region or mobile"))]);
        let budget = SearchBudget::default();
        for _ in 0..1_000 {
            assert_eq!(negated.is_never_true(&budget), None);
        }
        assert!(budget.steps_used() < 41_000_000, "{}", budget.steps_used());
        let stopped = SearchBudget::new(std::sync::Arc::new(true.into()));
        assert_eq!(parse_expr("mobile").is_never_true(&stopped), None);
        assert_eq!(stopped.steps_used(), 0);
    }
}
