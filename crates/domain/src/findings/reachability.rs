//! Checks of the IVR tree: unreachable nodes, and node conditions that are always or never true.
//!
//! A Condition node with an unknown value continues at the second child ("not met"). "Not met" is
//! therefore not the negation of the condition: a call with an unknown phone type meets neither
//! `mobile` nor `not mobile`. Path constraints are expressed over *known* facts: each fact has, in
//! addition to its atom, an atom that is true if the fact is known.

use super::{Analysis, Severity};
use crate::campaign::Terms;
use crate::condition::{Expr, Key, Term, TextFact, TextTest};
use crate::ivr::{IvrNode, NodeKind};

/// JSON path of the root node.
pub(super) const ROOT_PATH: &str = "ivr_tree.root";

/// Constraints that every call satisfies at a node.
#[derive(Clone, Default)]
struct PathConstraints {
    /// Conditions that are all true.
    conditions: Vec<Expr>,
    /// Keys of the menus passed, indexed by level.
    keys: Vec<Key>,
    /// True if an ancestor was already reported as unreachable; descendants are not reported again.
    is_unreachable: bool,
}

pub(super) fn check_tree(terms: &Terms, analysis: &mut Analysis<'_>) {
    if let Some(tree) = &terms.ivr_tree {
        check_node(&tree.root, ROOT_PATH, PathConstraints::default(), analysis);
    }
}

fn check_node(
    node: &IvrNode,
    path: &str,
    constraints: PathConstraints,
    analysis: &mut Analysis<'_>,
) {
    let condition = match &node.kind {
        NodeKind::Condition { condition } => condition.as_ref().map(|condition| condition.expr()),
        _ => None,
    };
    if let Some(expr) = condition {
        let condition_path = format!("{path}.condition");
        if analysis.is_always_true(&condition_path, expr) {
            analysis.add(Severity::Warning, &condition_path, "is always true");
        }
        if analysis.is_never_true(&condition_path, expr) {
            analysis.add(Severity::Warning, &condition_path, "is never true");
        }
    }
    check_dialling(node, path, analysis);
    for (index, child) in node.children.iter().enumerate() {
        let child_path = format!("{path}.children[{index}]");
        let mut child_constraints = constraints.clone();
        match &node.kind {
            NodeKind::Menu { .. } | NodeKind::YesOrNo { .. } => match node.key_for_child(index) {
                Some(key) => child_constraints.keys.push(key),
                None => {
                    child_constraints.report_unreachable(&child_path, "no key leads here", analysis)
                }
            },
            NodeKind::Condition { .. } => {
                if let Some(expr) = condition {
                    child_constraints.follow_branch(expr, index, &child_path, analysis);
                }
            }
            // Both nodes can change a fact, so earlier constraints on it no longer hold.
            NodeKind::VerifyLocation { .. } => {
                child_constraints.drop_conditions(|term| matches!(term, Term::InRegion(_)));
            }
            NodeKind::SmsPromo { .. } => {
                child_constraints.drop_conditions(|term| matches!(term, Term::SmsSent))
            }
            // The answer replaces a custom data field.
            NodeKind::NumberQuestion {
                caller_response_custom_data_partner_name: Some(name),
                ..
            } => {
                let fact = TextFact::CustomData(name.clone());
                child_constraints.drop_conditions(
                    |term| matches!(term, Term::Text(tested, _) if *tested == fact),
                );
            }
            _ => {}
        }
        check_node(child, &child_path, child_constraints, analysis);
    }
}

/// Adds the findings of a node that dials: a group of one destination, a Failover to the same number.
fn check_dialling(node: &IvrNode, path: &str, analysis: &mut Analysis<'_>) {
    match &node.kind {
        NodeKind::Connect { destination_phone_number, destination_extension, .. } => {
            if destination_extension.is_some() && destination_phone_number.is_empty() {
                let path = format!("{path}.destination_extension");
                analysis.add(Severity::Warning, &path, "is not dialled: there is no number");
            }
            let is_same = |child: &IvrNode| matches!(&child.kind, NodeKind::Failover { destination_phone_number: number, .. } if number == destination_phone_number);
            if let Some(index) = node.children.iter().position(is_same)
                && !destination_phone_number.is_empty()
            {
                let path = format!("{path}.children[{index}]");
                let message = "dials the number of its Connect again: nobody else can answer";
                analysis.add(Severity::Warning, &path, message);
            }
        }
        NodeKind::RingGroup { ring_group_destinations, ringing, .. } => {
            let enabled =
                ring_group_destinations.iter().filter(|it| !it.destination_disabled).count();
            let limit = ringing.ring_group_destination_total_limit.map(|limit| limit as usize);
            let rung = limit.map_or(enabled, |limit| limit.min(enabled));
            if rung == 1 {
                let message = "rings only one destination: a Connect does the same";
                analysis.add(Severity::Info, path, message);
            }
        }
        _ => {}
    }
}

impl PathConstraints {
    /// Adds the constraint of a Condition's child: index 0 is met, index 1 is not met.
    fn follow_branch(
        &mut self,
        condition: &Expr,
        child_index: usize,
        path: &str,
        analysis: &mut Analysis<'_>,
    ) {
        let met = known_to_be(condition, true, &self.keys);
        let (constraint, reason) = match child_index {
            0 => (met, "on the way here the condition is never met"),
            1 => (Expr::not(met), "on the way here the condition is always met"),
            _ => return,
        };
        self.conditions.push(constraint);
        if self.is_unreachable {
            return;
        }
        let all = Expr::and(self.conditions.clone());
        if analysis.is_never_true(path, &all) {
            self.report_unreachable(path, reason, analysis);
        }
    }

    /// Adds a warning, unless an ancestor has one.
    fn report_unreachable(&mut self, path: &str, reason: &str, analysis: &mut Analysis<'_>) {
        if !self.is_unreachable {
            analysis.add(Severity::Warning, path, format!("cannot be reached: {reason}"));
        }
        self.is_unreachable = true;
    }

    /// Drops all conditions with a term that matches.
    fn drop_conditions(&mut self, matches: impl Fn(&Term) -> bool) {
        self.conditions.retain(|expr| !expr.terms().into_iter().any(&matches));
    }
}

/// Returns the condition under which `expr` is known to have the given value, after these menu
/// keys.
fn known_to_be(expr: &Expr, value: bool, keys: &[Key]) -> Expr {
    match expr {
        Expr::Always => constant(value),
        Expr::Term(Term::Pressed(entries)) => {
            let entries =
                entries.iter().map(|(level, key)| key_known_to_be(*level, *key, value, keys));
            if value { Expr::and(entries.collect()) } else { Expr::or(entries.collect()) }
        }
        Expr::Term(term) => {
            let atom = Expr::Term(term.clone());
            let literal = if value { atom } else { Expr::not(atom) };
            Expr::and(vec![literal, fact_is_known(term)])
        }
        Expr::Not(inner) => known_to_be(inner, !value, keys),
        Expr::And(members) | Expr::Or(members) => {
            let parts = members.iter().map(|member| known_to_be(member, value, keys)).collect();
            if matches!(expr, Expr::And(_)) == value { Expr::and(parts) } else { Expr::or(parts) }
        }
    }
}

/// Returns the condition under which the key at a menu level is known to be, or not to be, `key`.
/// The keys of passed menus are known. No key was pressed at a later menu; whether that counts as
/// known depends on the state of the call, so it has a separate atom.
fn key_known_to_be(level: u8, key: Key, value: bool, keys: &[Key]) -> Expr {
    match keys.get(usize::from(level)) {
        Some(pressed) => constant((*pressed == key) == value),
        None if value => constant(false),
        None => known_atom(&format!("menu {level} not reached yet")),
    }
}

/// Returns the atom that is true if the fact of a term is known.
fn fact_is_known(term: &Term) -> Expr {
    match term {
        // Every call has a start time.
        Term::DuringHours => Expr::Always,
        Term::Duration(..) => known_atom("duration"),
        Term::ConnectDuration(..) => known_atom("connect_duration"),
        Term::Text(fact, _) => known_atom(&fact.to_string()),
        other => known_atom(&other.to_string()),
    }
}

/// Returns an atom that occurs in no parsed condition, because the name of a field cannot contain a
/// bracket.
fn known_atom(fact: &str) -> Expr {
    let field = TextFact::CustomData(format!("]{fact}"));
    Expr::Term(Term::Text(field, TextTest::Present))
}

fn constant(value: bool) -> Expr {
    if value { Expr::Always } else { Expr::not(Expr::Always) }
}
