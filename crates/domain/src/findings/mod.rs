//! Static analysis of a campaign's terms, before any call is received.
//!
//! Errors: problems that prevent the terms from going live, and a base policy that is never met.
//! Warnings: probable mistakes. Infos: facts worth knowing. The analysis uses no clock; it does not
//! check if a `pause_date` has passed.

mod pricing;
mod reachability;
mod regions;

use crate::campaign::{Terms, check_go_live_requirements};
use crate::condition::Expr;
use crate::ivr::NodeKind;
use crate::problem::Problems;
use serde::{Deserialize, Serialize};

/// Number of terms from which on a decision counts as expensive. The worst-case time doubles with
/// each term.
const LARGE_CONDITION_TERMS: usize = 16;
/// Maximum number of expensive decisions per analysis, about 50 ms each in the worst case. The
/// limit bounds the cost of a request, because every user who can edit a campaign can request its
/// analysis.
const MAX_LARGE_DECISIONS: usize = 40;

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
/// regions. The result is deterministic.
pub fn analyze_terms(terms: &Terms) -> Vec<Finding> {
    let mut analysis = Analysis::default();
    check_go_live(terms, &mut analysis);
    reachability::check_tree(terms, &mut analysis);
    pricing::check_pricings(terms, &mut analysis);
    regions::check_regions(terms, &mut analysis);
    analysis.into_findings()
}

/// Adds an error for each problem that prevents the campaign from going live.
fn check_go_live(terms: &Terms, analysis: &mut Analysis) {
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

/// Findings so far, the number of expensive decisions and the places left undecided.
#[derive(Default)]
struct Analysis {
    findings: Vec<Finding>,
    large_decisions: usize,
    undecided: Vec<String>,
}

impl Analysis {
    fn add(&mut self, severity: Severity, path: &str, message: impl Into<String>) {
        self.findings.push(Finding { severity, path: path.to_owned(), message: message.into() });
    }

    /// Runs a decision about conditions. `None` if it is too large or if the limit of expensive
    /// decisions is reached; the path is then recorded as undecided.
    fn decide(
        &mut self,
        path: &str,
        conditions: &[&Expr],
        decision: impl FnOnce() -> Option<bool>,
    ) -> Option<bool> {
        let terms: usize = conditions.iter().map(|expr| expr.terms().len()).sum();
        let is_large = terms >= LARGE_CONDITION_TERMS;
        self.large_decisions += usize::from(is_large);
        let exceeds_limit = is_large && self.large_decisions > MAX_LARGE_DECISIONS;
        let result = if exceeds_limit { None } else { decision() };
        if result.is_none() && !self.undecided.iter().any(|undecided| undecided == path) {
            self.undecided.push(path.to_owned());
        }
        result
    }

    /// Returns true if a non-empty condition is always true. The empty condition is excluded,
    /// because it states "always" explicitly.
    fn is_always_true(&mut self, path: &str, expr: &Expr) -> bool {
        !matches!(expr, Expr::Always)
            && self.decide(path, &[expr], || expr.is_always_true()) == Some(true)
    }

    fn is_never_true(&mut self, path: &str, expr: &Expr) -> bool {
        self.decide(path, &[expr], || expr.is_never_true()) == Some(true)
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
