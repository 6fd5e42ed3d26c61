//! Static analysis of a campaign's terms, before any call is received.
//!
//! Errors: problems that prevent the terms from going live, and a base policy that is never met.
//! Warnings: probable mistakes. Infos: facts worth knowing. The analysis uses no clock; it does not
//! check if a `pause_date` has passed.

mod pricing;
mod reachability;
mod regions;

use crate::campaign::{Terms, check_go_live_requirements};
use crate::condition::{Expr, SearchBudget};
use crate::ivr::NodeKind;
use crate::problem::Problems;
use serde::{Deserialize, Serialize};

/// Severity of a finding, in descending order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The terms cannot go live, or never pay.
    Error,
    /// Probable mistake.
    Warning,
    /// Fact worth knowing.
    Info,
}

/// Result of the static analysis at one place of the terms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Severity.
    pub severity: Severity,
    /// JSON path within the terms: `advertiser_payin.policies[1].condition`,
    /// `ivr_tree.root.children[0]`.
    #[serde(rename = "at")]
    pub path: String,
    /// Message, a predicate about that place: `is never true: …`.
    pub message: String,
}

/// Analyzes terms. Findings are sorted by severity, then in the order of tree, payin, payout and
/// regions. The result is deterministic, unless the budget is stopped.
pub fn analyze_terms(terms: &Terms, budget: &SearchBudget) -> Vec<Finding> {
    let mut analysis = Analysis { findings: Vec::new(), budget, undecided: Vec::new() };
    check_go_live(terms, &mut analysis);
    reachability::check_tree(terms, &mut analysis);
    pricing::check_pricings(terms, &mut analysis);
    regions::check_regions(terms, &mut analysis);
    analysis.into_findings()
}

/// Adds an error for each problem that prevents the campaign from going live.
fn check_go_live(terms: &Terms, analysis: &mut Analysis<'_>) {
    let mut problems = Problems::new();
    check_go_live_requirements(terms, &mut problems);
    for (path, message) in problems.messages_with_paths() {
        // Problem paths omit the name of the root node.
        let path = match path.strip_prefix("ivr_tree.") {
            Some(rest) => format!("{}.{rest}", reachability::ROOT_PATH),
            None => path,
        };
        analysis.add(Severity::Error, &path, message);
    }
}

/// Findings so far, the budget of all decisions, and the places left undecided.
struct Analysis<'a> {
    findings: Vec<Finding>,
    budget: &'a SearchBudget,
    undecided: Vec<String>,
}

impl Analysis<'_> {
    fn add(&mut self, severity: Severity, path: &str, message: impl Into<String>) {
        self.findings.push(Finding { severity, path: path.to_owned(), message: message.into() });
    }

    /// Runs a decision about conditions. `None` if it is too large, or if the budget has run out;
    /// the path is then recorded as undecided.
    fn decide(
        &mut self,
        path: &str,
        decision: impl FnOnce(&SearchBudget) -> Option<bool>,
    ) -> Option<bool> {
        let result = decision(self.budget);
        if result.is_none() && !self.undecided.iter().any(|undecided| undecided == path) {
            self.undecided.push(path.to_owned());
        }
        result
    }

    /// Returns true if a non-empty condition is always true. The empty condition is excluded,
    /// because it states "always" explicitly.
    fn is_always_true(&mut self, path: &str, expr: &Expr) -> bool {
        !matches!(expr, Expr::Always)
            && self.decide(path, |budget| expr.is_always_true(budget)) == Some(true)
    }

    fn is_never_true(&mut self, path: &str, expr: &Expr) -> bool {
        self.decide(path, |budget| expr.is_never_true(budget)) == Some(true)
    }

    fn into_findings(mut self) -> Vec<Finding> {
        for path in std::mem::take(&mut self.undecided) {
            self.add(Severity::Info, &path, "is too big to be checked fully");
        }
        self.findings.sort_by_key(|finding| finding.severity);
        self.findings
    }
}

/// Returns all conditions of the terms: of the tree, then of the payin, then of the payout.
fn all_conditions(terms: &Terms) -> Vec<&Expr> {
    let nodes = terms.ivr_tree.iter().flat_map(|tree| tree.nodes_with_paths());
    let node_conditions = nodes.filter_map(|(_, node)| match &node.kind {
        NodeKind::Condition { condition } => condition.as_ref().map(|condition| condition.expr()),
        _ => None,
    });
    let pricings = terms.advertiser_payin.iter().chain(&terms.affiliate_payout);
    let policies = pricings.flat_map(|pricing| pricing.policies().iter());
    node_conditions.chain(policies.map(|policy| policy.condition.expr())).collect()
}

#[cfg(test)]
mod tests;
