//! Nodes that no call comes to, and conditions of nodes that never or always hold.
//!
//! A Condition that comes out unknown goes the way of not met, so "not met" is not the opposite of
//! the condition: a call whose phone type is unknown meets neither `mobile` nor `not mobile`. What
//! must hold on the way is therefore said of what is *known*: each fact has, beside the question
//! itself, the question whether it is known.

use super::{Found, Severity};
use crate::campaign::Terms;
use crate::condition::{Expr, Key, Term, TextFact, TextTest};
use crate::ivr::{IvrNode, NodeKind};

/// Where a tree starts.
pub(super) const ROOT: &str = "ivr_tree.root";

/// What is certain of a call that has come to a node.
#[derive(Clone, Default)]
struct Way {
    /// All of these hold.
    holds: Vec<Expr>,
    /// The keys of the menus passed; the level is the index.
    keys: Vec<Key>,
    /// Whether the way is already known not to exist: only its start is reported.
    closed: bool,
}

pub(super) fn check(terms: &Terms, found: &mut Found) {
    if let Some(tree) = &terms.ivr_tree {
        walk(&tree.root, ROOT, Way::default(), found);
    }
}

fn walk(node: &IvrNode, at: &str, way: Way, found: &mut Found) {
    let condition = match &node.kind {
        NodeKind::Condition { condition } => condition.as_ref().map(|condition| condition.expr()),
        _ => None,
    };
    if let Some(expr) = condition {
        let place = format!("{at}.condition");
        if found.always(&place, expr) {
            found.add(Severity::Warning, &place, "is always true");
        }
        if found.never(&place, expr) {
            found.add(Severity::Warning, &place, "is never true");
        }
    }
    for (index, child) in node.children.iter().enumerate() {
        let at_child = format!("{at}.children[{index}]");
        let mut on = way.clone();
        match &node.kind {
            NodeKind::Menu { .. } => match node.child_key(index) {
                Some(key) => on.keys.push(key),
                None => on.close(&at_child, "no key leads here", found),
            },
            NodeKind::Condition { .. } => {
                if let Some(expr) = condition {
                    on.branch(expr, index, &at_child, found);
                }
            }
            // Both change what the call is known to be.
            NodeKind::VerifyLocation { .. } => {
                on.forget(|term| matches!(term, Term::InRegion(_)));
            }
            NodeKind::SmsPromo { .. } => on.forget(|term| matches!(term, Term::SmsSent)),
            _ => {}
        }
        walk(child, &at_child, on, found);
    }
}

impl Way {
    /// Goes on to a Condition's child: 0 is met, 1 is not met.
    fn branch(&mut self, condition: &Expr, child: usize, at: &str, found: &mut Found) {
        let met = certainly(condition, true, &self.keys);
        let (holds, why) = match child {
            0 => (met, "on the way here the condition is never met"),
            1 => (Expr::not(met), "on the way here the condition is always met"),
            _ => return,
        };
        self.holds.push(holds);
        if self.closed {
            return;
        }
        let all = Expr::and(self.holds.clone());
        if found.never(at, &all) {
            self.close(at, why, found);
        }
    }

    fn close(&mut self, at: &str, why: &str, found: &mut Found) {
        if !self.closed {
            found.add(Severity::Warning, at, format!("cannot be reached: {why}"));
        }
        self.closed = true;
    }

    fn forget(&mut self, changes: impl Fn(&Term) -> bool) {
        self.holds.retain(|expr| !expr.terms().into_iter().any(&changes));
    }
}

/// When a condition is known to be true, or with `value` false, known to be false, after these
/// keys.
fn certainly(expr: &Expr, value: bool, keys: &[Key]) -> Expr {
    match expr {
        Expr::Always => constant(value),
        Expr::Term(Term::Pressed(entries)) => {
            let entries = entries.iter().map(|(level, key)| pressed(*level, *key, value, keys));
            if value { Expr::and(entries.collect()) } else { Expr::or(entries.collect()) }
        }
        Expr::Term(term) => {
            let asked = Expr::Term(term.clone());
            let asked = if value { asked } else { Expr::not(asked) };
            Expr::and(vec![asked, is_known(term)])
        }
        Expr::Not(inner) => certainly(inner, !value, keys),
        Expr::And(members) | Expr::Or(members) => {
            let parts = members.iter().map(|member| certainly(member, value, keys)).collect();
            if matches!(expr, Expr::And(_)) == value { Expr::and(parts) } else { Expr::or(parts) }
        }
    }
}

/// A menu that was passed has its key; before a menu its key is not pressed, and whether that is
/// known makes no difference that may be relied on.
fn pressed(level: u8, key: Key, value: bool, keys: &[Key]) -> Expr {
    match keys.get(usize::from(level)) {
        Some(passed) => constant((*passed == key) == value),
        None if value => constant(false),
        None => question(&format!("menu {level} to come")),
    }
}

fn is_known(term: &Term) -> Expr {
    match term {
        // A call has a time.
        Term::DuringHours => Expr::Always,
        Term::Duration(..) => question("duration"),
        Term::ConnectDuration(..) => question("connect_duration"),
        Term::Text(fact, _) => question(&fact.to_string()),
        other => question(&other.to_string()),
    }
}

/// A question of its own, which no condition asks: a field's name cannot hold a bracket.
fn question(of: &str) -> Expr {
    let field = TextFact::CustomData(format!("]{of}"));
    Expr::Term(Term::Text(field, TextTest::Present))
}

fn constant(value: bool) -> Expr {
    if value { Expr::Always } else { Expr::not(Expr::Always) }
}
