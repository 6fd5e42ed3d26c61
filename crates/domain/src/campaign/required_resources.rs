//! Check that the terms have the resources that a condition refers to.

use super::Terms;
use crate::condition::{Expr, Key, Term};
use crate::ivr::{IvrNode, NodeKind};

/// Lists the resources that a condition refers to and the terms do not have: named regions, hours,
/// menus and text message nodes. Each message is listed once.
pub fn missing_resources(expr: &Expr, terms: &Terms) -> Vec<String> {
    let mut messages = Vec::new();
    for term in expr.terms() {
        if let Some(message) = missing_resource(term, terms)
            && !messages.contains(&message)
        {
            messages.push(message);
        }
    }
    messages
}

fn missing_resource(term: &Term, terms: &Terms) -> Option<String> {
    match term {
        Term::InRegion(None) if terms.named_regions.is_empty() => {
            Some("there are no named regions".to_owned())
        }
        Term::InRegion(Some(name)) => {
            let exists = terms.named_regions.iter().any(|region| region.has_name(name));
            (!exists).then(|| format!("there is no region named '{name}'"))
        }
        Term::DuringHours if terms.hours.is_none() && !terms.operating_24_7() => {
            Some("there are no hours".to_owned())
        }
        Term::SmsSent => {
            let is_sms_promo = |node: &&IvrNode| matches!(node.kind, NodeKind::SmsPromo { .. });
            (!ivr_nodes(terms).iter().any(is_sms_promo))
                .then(|| "there is no SmsPromo node".to_owned())
        }
        Term::Pressed(keys) => {
            let root = terms.ivr_tree.as_ref().map(|tree| &tree.root);
            let exists = root.is_some_and(|root| has_path_with_keys(root, 0, keys));
            (!exists).then(|| format!("there is no menu for '{}'", Expr::Term(term.clone())))
        }
        _ => None,
    }
}

fn ivr_nodes(terms: &Terms) -> Vec<&IvrNode> {
    let tree = terms.ivr_tree.as_ref();
    tree.map(|tree| tree.nodes_with_paths().into_iter().map(|(_, node)| node).collect())
        .unwrap_or_default()
}

/// Returns true if a path from `node` to a leaf presses all keys at the menus of their levels.
/// `menus_passed` is the number of menus on the path before `node`, which is the level of the next.
fn has_path_with_keys(node: &IvrNode, menus_passed: u8, keys: &[(u8, Key)]) -> bool {
    if keys.iter().all(|(level, _)| *level < menus_passed) {
        return true;
    }
    if !node.kind.counts_as_menu() {
        return node.children.iter().any(|child| has_path_with_keys(child, menus_passed, keys));
    }
    let required = keys.iter().find(|(level, _)| *level == menus_passed).map(|(_, key)| *key);
    // Without a child for it, a wrong key or no key repeats the menu and then ends the call. It
    // can be pressed, but no menu follows.
    let ends_call = matches!(required, Some(Key::Wrong | Key::None));
    if ends_call && keys.iter().all(|(level, _)| *level <= menus_passed) {
        return true;
    }
    node.children.iter().enumerate().any(|(index, child)| {
        let leads_to_child = required.is_none() || node.key_for_child(index) == required;
        leads_to_child && has_path_with_keys(child, menus_passed + 1, keys)
    })
}
