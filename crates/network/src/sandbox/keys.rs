//! What callers press: the campaign's own tree is run, and its menus are answered as people answer
//! them: mostly with a key that there is, the first ones more often, sometimes with a wrong one, and
//! some hang up.

use super::chance::Chance;
use trunkline_domain::condition::Key;
use trunkline_domain::ivr::IvrTree;
use trunkline_domain::ivr::run::{self, Action, Doing, Event, Flow, Moved};

/// Callers in a thousand who hang up at a menu.
const HANG_UP: u64 = 60;
/// Callers in a thousand who press a wrong key.
const WRONG: u64 = 45;
/// A key that no menu has.
const NO_KEY: char = '#';
/// How often keys are pressed, the first of a menu's first, to each other.
const LIKED: [u64; 9] = [9, 6, 4, 3, 2, 2, 1, 1, 1];

/// The way of a caller through the tree.
#[derive(Debug, Default)]
pub(super) struct Way {
    pub(super) keys: Vec<char>,
    /// The national number that is dialled at the end; `None` where the call ended before.
    pub(super) dialled: Option<String>,
}

/// Sends a caller through the tree, up to where a destination rings or the call is over. What only
/// the network knows (custom data, names) may send the call another way later: then its keys are
/// those of somebody who was misled.
pub(super) fn press(chance: &mut Chance, flow: Flow<'_>) -> Way {
    let mut way = Way::default();
    let Moved { mut position, mut actions, .. } = run::start(flow);
    loop {
        for action in actions {
            if let Action::Dial { number, .. } = action {
                way.dialled = Some(number);
            }
        }
        let event = match position.doing {
            Doing::Over { .. } | Doing::Talking | Doing::Dialling => return way,
            Doing::OfferSms if flow.facts.sms_sent == Some(true) => Event::Key('9'),
            Doing::OfferSms | Doing::AskZip => Event::Silence,
            Doing::Menu { .. } if chance.per_mille(HANG_UP) => return way,
            Doing::Menu { .. } => {
                let wrong = chance.per_mille(WRONG);
                let keys = flow.terms.ivr_tree.as_ref().map(|tree| keys_at(tree, &position.at));
                let keys = keys.unwrap_or_default();
                let liked = chance.weighted(LIKED.iter().take(keys.len()).copied());
                let key = keys.get(liked).copied().filter(|_| !wrong).unwrap_or(NO_KEY);
                way.keys.push(key);
                Event::Key(key)
            }
        };
        // Every event above is one that its place takes.
        let Ok(moved) = run::advance(flow, position, &event) else { return way };
        (position, actions) = (moved.position, moved.actions);
    }
}

/// The keys that a menu has.
fn keys_at(tree: &IvrTree, at: &[usize]) -> Vec<char> {
    let node = at.iter().try_fold(&tree.root, |node, index| node.children.get(*index));
    let Some(node) = node else { return Vec::new() };
    let keys = (0..node.children.len()).filter_map(|index| match node.child_key(index) {
        Some(Key::Digit(digit)) => char::from_digit(u32::from(digit), 10),
        _ => None,
    });
    keys.collect()
}
