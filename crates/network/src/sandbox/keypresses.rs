//! What callers press: the campaign's own tree is run, and its menus are answered as people answer
//! them: mostly with a key that there is, the first ones more often, sometimes with a wrong one, and
//! some hang up.

use super::seeded_rng::SeededRng;
use trunkline_domain::condition::Key;
use trunkline_domain::ivr::IvrTree;
use trunkline_domain::ivr::run::{self, Action, Doing, Event, Flow, Moved};

/// Callers in a thousand who hang up at a menu.
const HANG_UP_PER_MILLE: u64 = 60;
/// Callers in a thousand who press a wrong key.
const WRONG_KEY_PER_MILLE: u64 = 45;
/// A key that no menu has.
const UNUSED_KEY: char = '#';
/// How often keys are pressed, the first of a menu's first, to each other.
const KEY_WEIGHTS: [u64; 9] = [9, 6, 4, 3, 2, 2, 1, 1, 1];

/// The way of a caller through the tree.
#[derive(Debug, Default)]
pub(super) struct IvrPath {
    pub(super) keys: Vec<char>,
    /// The national number that is dialled at the end; `None` where the call ended before.
    pub(super) dialled: Option<String>,
}

/// Sends a caller through the tree, up to where a destination rings or the call is over. What only
/// the network knows (custom data, names) may send the call another way later: then its keys are
/// those of somebody who was misled.
pub(super) fn simulate_keypresses(rng: &mut SeededRng, flow: Flow<'_>) -> IvrPath {
    let mut path = IvrPath::default();
    let Moved { mut position, mut actions, .. } = run::start(flow);
    loop {
        for action in actions {
            if let Action::Dial { number, .. } = action {
                path.dialled = Some(number);
            }
        }
        let event = match position.doing {
            Doing::Over { .. } | Doing::Talking | Doing::Dialling => return path,
            Doing::OfferSms if flow.facts.sms_sent == Some(true) => Event::Key('9'),
            Doing::OfferSms | Doing::AskZip => Event::Silence,
            Doing::Menu { .. } if rng.per_mille(HANG_UP_PER_MILLE) => return path,
            Doing::Menu { .. } => {
                let wrong = rng.per_mille(WRONG_KEY_PER_MILLE);
                let keys = flow.terms.ivr_tree.as_ref().map(|tree| menu_keys(tree, &position.at));
                let keys = keys.unwrap_or_default();
                let index = rng.weighted(KEY_WEIGHTS.iter().take(keys.len()).copied());
                let key = keys.get(index).copied().filter(|_| !wrong).unwrap_or(UNUSED_KEY);
                path.keys.push(key);
                Event::Key(key)
            }
        };
        // Every event above is one that its place takes.
        let Ok(moved) = run::advance(flow, position, &event) else { return path };
        (position, actions) = (moved.position, moved.actions);
    }
}

/// The keys that a menu has.
fn menu_keys(tree: &IvrTree, at: &[usize]) -> Vec<char> {
    let node = at.iter().try_fold(&tree.root, |node, index| node.children.get(*index));
    let Some(node) = node else { return Vec::new() };
    let keys = (0..node.children.len()).filter_map(|index| match node.child_key(index) {
        Some(Key::Digit(digit)) => char::from_digit(u32::from(digit), 10),
        _ => None,
    });
    keys.collect()
}
