//! Completeness check of terms before they go live.

use super::terms::add_budget_currency_problem;
use super::{CampaignType, Pricing, Terms, missing_resources};
use crate::ivr::{self, IvrNode, NodeKind};
use crate::problem::{BLANK, Problems};

/// Reports everything that prevents terms from going live, each problem at its property.
pub fn check_go_live_requirements(terms: &Terms, problems: &mut Problems) {
    terms.validate(problems);
    terms.budgets.check_call_counts(problems.property("budget_activities"));
    if let Some((_, currency)) = terms.budget_in_other_currency() {
        add_budget_currency_problem(currency, problems);
    }
    match &terms.ivr_tree {
        // The calls of such a campaign are routed elsewhere.
        None if terms.campaign_type == CampaignType::ExternalOnly => {}
        None => problems.property("ivr_tree").add(BLANK),
        Some(tree) => {
            ivr::check_tree_for_live(tree, problems.property("ivr_tree"));
            check_node_conditions(&tree.root, terms, problems.property("ivr_tree"));
        }
    }
    for (property, pricing) in [
        ("advertiser_payin", &terms.advertiser_payin),
        ("affiliate_payout", &terms.affiliate_payout),
    ] {
        match pricing {
            None if terms.is_affiliate_enabled() => problems.property(property).add(BLANK),
            None => {}
            Some(pricing) => check_policy_conditions(pricing, terms, problems.property(property)),
        }
    }
}

fn check_policy_conditions(pricing: &Pricing, terms: &Terms, problems: &mut Problems) {
    for (index, policy) in pricing.policies().iter().enumerate() {
        for message in missing_resources(policy.condition.expr(), terms) {
            let node = problems.property("policies").item(index).property("condition");
            node.add(format!("cannot be met: {message}"));
        }
    }
}

fn check_node_conditions(node: &IvrNode, terms: &Terms, problems: &mut Problems) {
    if let NodeKind::Condition { condition: Some(condition) } = &node.kind {
        for message in missing_resources(condition.expr(), terms) {
            problems.property("condition").add(format!("cannot be met: {message}"));
        }
    }
    for (index, child) in node.children.iter().enumerate() {
        check_node_conditions(child, terms, problems.property("children").child(index));
    }
}
