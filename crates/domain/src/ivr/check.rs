//! Validation of IVR trees. Each problem is reported at its node.

use super::tree::{IvrNode, IvrTree, NodeKind};
use crate::condition::{Expr, Term};
use crate::problem::{EMPTY, Problems};

/// Maximum number of nodes of a tree.
pub const MAX_NODES: usize = 200;
/// Maximum number of levels of a tree.
pub const MAX_DEPTH: usize = 20;

/// Reports problems that prevent a tree from being stored. Destinations may still be missing.
pub fn check_tree(tree: &IvrTree, problems: &mut Problems) {
    check_node(&tree.root, None, problems);
}

/// Reports problems that prevent a tree from going live: missing destinations.
pub fn check_tree_for_live(tree: &IvrTree, problems: &mut Problems) {
    check_live_node(&tree.root, problems);
}

fn check_node(node: &IvrNode, parent: Option<&NodeKind>, problems: &mut Problems) {
    check_parameters(&node.kind, problems);
    check_children(node, problems);
    let is_failover = matches!(node.kind, NodeKind::Failover { .. });
    if is_failover && !matches!(parent, Some(NodeKind::Connect { .. })) {
        problems.property("node_type").add("is allowed only as the child of a Connect");
    }
    let has_keys = parent.is_some_and(NodeKind::has_failover_children);
    if node.keypress_failover_type.is_some() && !has_keys {
        let message = "is allowed only on a child of a Menu, YesOrNo or NumberQuestion";
        problems.property("keypress_failover_type").add(message);
    }
    for (index, child) in node.children.iter().enumerate() {
        check_node(child, Some(&node.kind), problems.property("children").child(index));
    }
}

fn check_parameters(kind: &NodeKind, problems: &mut Problems) {
    let mut require = |property: &str, is_empty: bool| {
        if is_empty && !problems.has_problem(property) {
            problems.property(property).add(EMPTY);
        }
    };
    match kind {
        NodeKind::Menu { prompt }
        | NodeKind::AnyKeyPress { prompt }
        | NodeKind::YesOrNo { prompt, .. } => require("prompt", prompt.trim().is_empty()),
        NodeKind::SmsPromo { prompt, sms_promo_copy, .. } => {
            require("prompt", prompt.trim().is_empty());
            require("sms_promo_copy", sms_promo_copy.trim().is_empty());
        }
        NodeKind::NumberQuestion { prompt, number_question_type, .. } => {
            require("prompt", prompt.trim().is_empty());
            require("number_question_type", number_question_type.is_none());
        }
        NodeKind::DynamicRoute { dynamic_route_destination, .. } => {
            require("dynamic_route_destination", dynamic_route_destination.is_empty());
        }
        NodeKind::RingGroup { ring_group_destinations, ringing, .. } => {
            require("ring_group_destinations", ring_group_destinations.is_empty());
            let timeout = ringing.ring_group_connect_timeout;
            require("ring_group_connect_timeout", timeout.is_none());
        }
        NodeKind::Condition { condition } => match condition {
            None => require("condition", true),
            Some(condition) => check_condition(condition.expr(), problems),
        },
        NodeKind::Connect { .. }
        | NodeKind::EndCall { .. }
        | NodeKind::VerifyLocation { .. }
        | NodeKind::Failover { .. } => {}
    }
}

fn check_condition(expr: &Expr, problems: &mut Problems) {
    if matches!(expr, Expr::Always) {
        problems.property("condition").add(EMPTY);
    }
    for term in expr.terms() {
        let keyword = match term {
            Term::Duration(..) => "duration",
            Term::ConnectDuration(..) => "connect_duration",
            _ => continue,
        };
        let message = format!("cannot use '{keyword}', which is known only when the call is over");
        problems.property("condition").add(message);
    }
}

fn check_children(node: &IvrNode, problems: &mut Problems) {
    let failovers = node.children.iter().filter(|c| c.keypress_failover_type.is_some()).count();
    let count = node.children.len() - failovers;
    let (is_invalid, message) = match &node.kind {
        NodeKind::Menu { .. } => {
            (!(1..=9).contains(&count), "must have 1 to 9 children, one for each key")
        }
        NodeKind::Condition { .. } => (count != 2, "must have 2 children: met and not met"),
        NodeKind::AnyKeyPress { .. } => (count != 2, "must have 2 children: a key and no key"),
        NodeKind::YesOrNo { .. } => (count != 2, "must have 2 children: yes and no"),
        NodeKind::SmsPromo { .. }
        | NodeKind::VerifyLocation { .. }
        | NodeKind::NumberQuestion { .. }
        | NodeKind::DynamicRoute { .. } => (count != 1, "must have exactly 1 child"),
        NodeKind::Connect { .. } => {
            let is_failover = |child: &IvrNode| matches!(child.kind, NodeKind::Failover { .. });
            let is_valid = count == 0 || (count == 1 && node.children.iter().all(is_failover));
            (!is_valid, "must have no children but one Failover")
        }
        NodeKind::EndCall { .. } | NodeKind::Failover { .. } => {
            (count != 0, "must have no children")
        }
        NodeKind::RingGroup { .. } => (count > 1, "must have at most 1 child"),
    };
    if is_invalid {
        problems.property("children").add(message);
    }
}

fn check_live_node(node: &IvrNode, problems: &mut Problems) {
    match &node.kind {
        NodeKind::Connect { destination_phone_number, .. }
        | NodeKind::Failover { destination_phone_number, .. }
            if destination_phone_number.is_empty() =>
        {
            problems.property("destination_phone_number").add(EMPTY);
        }
        NodeKind::RingGroup { ring_group_destinations, .. }
            if ring_group_destinations.iter().all(|target| target.destination_disabled) =>
        {
            problems.property("ring_group_destinations").add("are all disabled");
        }
        NodeKind::DynamicRoute { routing_url: Some(_), .. } => {
            let message = "cannot go live: requests to a routing_url are not implemented";
            problems.property("routing_url").add(message);
        }
        _ => {}
    }
    for (index, child) in node.children.iter().enumerate() {
        check_live_node(child, problems.property("children").child(index));
    }
}
