//! A condition may only use what its campaign has.

use super::Terms;
use crate::condition::{Expr, Key, Term};
use crate::ivr::{IvrNode, NodeKind};

/// What a condition uses that the terms do not have, in words, each once.
pub fn missing(expr: &Expr, terms: &Terms) -> Vec<String> {
    let mut found = Vec::new();
    for term in expr.terms() {
        if let Some(message) = missing_for(term, terms)
            && !found.contains(&message)
        {
            found.push(message);
        }
    }
    found
}

fn missing_for(term: &Term, terms: &Terms) -> Option<String> {
    match term {
        Term::InRegion(None) if terms.named_regions.is_empty() => {
            Some("there are no named regions".to_owned())
        }
        Term::InRegion(Some(name)) => {
            let known = terms.named_regions.iter().any(|region| region.is_called(name));
            (!known).then(|| format!("there is no region named '{name}'"))
        }
        Term::DuringHours if terms.hours.is_none() && !terms.operating_24_7() => {
            Some("there are no hours".to_owned())
        }
        Term::SmsSent => {
            let sends = |node: &&IvrNode| matches!(node.kind, NodeKind::SmsPromo { .. });
            (!nodes(terms).iter().any(sends)).then(|| "there is no SmsPromo node".to_owned())
        }
        Term::Pressed(keys) => {
            let root = terms.ivr_tree.as_ref().map(|tree| &tree.root);
            let fits = root.is_some_and(|root| can_press(root, 0, keys));
            (!fits).then(|| format!("there is no menu for '{}'", Expr::Term(term.clone())))
        }
        _ => None,
    }
}

fn nodes(terms: &Terms) -> Vec<&IvrNode> {
    let tree = terms.ivr_tree.as_ref();
    tree.map(|tree| tree.nodes().into_iter().map(|(_, node)| node).collect()).unwrap_or_default()
}

/// Whether some path down from `node`, where `level` menus have been passed, presses all the keys.
fn can_press(node: &IvrNode, level: u8, keys: &[(u8, Key)]) -> bool {
    if keys.iter().all(|(at, _)| *at < level) {
        return true;
    }
    let NodeKind::Menu { .. } = node.kind else {
        return node.children.iter().any(|child| can_press(child, level, keys));
    };
    let asked = keys.iter().find(|(at, _)| *at == level).map(|(_, key)| *key);
    // Without a child for it, a wrong key or none repeats the menu and then ends the call: it can
    // be pressed, and nothing comes after.
    let ends_call = matches!(asked, Some(Key::Wrong | Key::None));
    if ends_call && keys.iter().all(|(at, _)| *at <= level) {
        return true;
    }
    node.children.iter().enumerate().any(|(index, child)| {
        (asked.is_none() || node.child_key(index) == asked) && can_press(child, level + 1, keys)
    })
}
