//! Static findings: what can be said of a campaign's terms before a single call comes in.
//!
//! Errors are what keeps the terms from going live, and a base that is never met; warnings are
//! what is probably not meant; infos are worth knowing. Nothing here needs a clock, so whether a
//! `pause_date` has passed is left to others.

mod policies;
mod reach;
mod regions;

use crate::campaign::{Terms, check_for_live};
use crate::condition::Expr;
use crate::ivr::NodeKind;
use crate::problem::Problems;
use serde::{Deserialize, Serialize};

/// From how many terms on a question about a condition may take long: what takes time doubles with
/// each of them.
const BIG: usize = 16;
/// How many questions about big conditions are asked of one set of terms, some 50 ms each at the
/// worst. Anyone who may write a campaign may ask for its findings.
const BIG_LIMIT: usize = 40;

/// How much a finding matters; the most first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The terms cannot go live, or never pay.
    Error,
    /// Probably not what was meant.
    Warning,
    /// Worth knowing.
    Info,
}

/// Something that can be said of the terms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// The place: `advertiser_payin.policies[1].condition`, `ivr_tree.root.children[0]`.
    pub at: String,
    /// What is found there, as a predicate: `is never true: …`.
    pub message: String,
}

/// Everything that is found: errors first, then warnings, then infos, each in the order of tree,
/// payin, payout and regions. The same terms give the same findings in the same order.
pub fn findings(terms: &Terms) -> Vec<Finding> {
    let mut found = Found::default();
    refusals(terms, &mut found);
    reach::check(terms, &mut found);
    policies::check(terms, &mut found);
    regions::check(terms, &mut found);
    found.finish()
}

/// What go_live would refuse, each with the path from the root of the tree where it has one.
fn refusals(terms: &Terms, found: &mut Found) {
    let mut problems = Problems::new();
    check_for_live(terms, &mut problems);
    for (path, message) in problems.list() {
        // The wire's problems leave the root's name out.
        let at = match path.strip_prefix("ivr_tree.") {
            Some(below) => format!("{}.{below}", reach::ROOT),
            None => path,
        };
        found.add(Severity::Error, &at, message);
    }
}

/// What was found so far, and what could not be.
#[derive(Default)]
struct Found {
    findings: Vec<Finding>,
    big_questions: usize,
    undecided: Vec<String>,
}

impl Found {
    fn add(&mut self, severity: Severity, at: &str, message: impl Into<String>) {
        self.findings.push(Finding { severity, at: at.to_owned(), message: message.into() });
    }

    /// The answer to a question about conditions, given with what they are; `None`, and noted for
    /// the place, when it is too big to decide or too many big ones were asked.
    fn ask(
        &mut self,
        at: &str,
        about: &[&Expr],
        question: impl FnOnce() -> Option<bool>,
    ) -> Option<bool> {
        let terms: usize = about.iter().map(|expr| expr.terms().len()).sum();
        let is_big = terms >= BIG;
        self.big_questions += usize::from(is_big);
        let answer = if is_big && self.big_questions > BIG_LIMIT { None } else { question() };
        if answer.is_none() && !self.undecided.iter().any(|place| place == at) {
            self.undecided.push(at.to_owned());
        }
        answer
    }

    fn always(&mut self, at: &str, expr: &Expr) -> bool {
        // The empty condition is how one says "always".
        !matches!(expr, Expr::Always) && self.ask(at, &[expr], || expr.always_true()) == Some(true)
    }

    fn never(&mut self, at: &str, expr: &Expr) -> bool {
        self.ask(at, &[expr], || expr.never_true()) == Some(true)
    }

    fn finish(mut self) -> Vec<Finding> {
        for at in std::mem::take(&mut self.undecided) {
            self.add(Severity::Info, &at, "is too big to be checked fully");
        }
        self.findings.sort_by_key(|finding| finding.severity);
        self.findings
    }
}

/// Every condition of the terms: the tree's, then the payin's, then the payout's.
fn conditions(terms: &Terms) -> Vec<&Expr> {
    let nodes = terms.ivr_tree.iter().flat_map(|tree| tree.nodes());
    let of_nodes = nodes.filter_map(|(_, node)| match &node.kind {
        NodeKind::Condition { condition } => condition.as_ref().map(|condition| condition.expr()),
        _ => None,
    });
    let pricings = terms.advertiser_payin.iter().chain(&terms.affiliate_payout);
    let of_policies = pricings.flat_map(|pricing| pricing.policies().iter());
    of_nodes.chain(of_policies.map(|policy| policy.condition.expr())).collect()
}

#[cfg(test)]
mod tests;
