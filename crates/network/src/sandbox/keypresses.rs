//! Simulated key presses. The campaign's IVR tree is executed; at each menu the caller mostly
//! presses a valid key, the first ones more often, sometimes a wrong key, and sometimes hangs up.

use super::seeded_rng::SeededRng;
use trunkline_domain::condition::Key;
use trunkline_domain::ivr::question::CONFIRMATION_KEY as ANSWER_CONFIRMATION_KEY;
use trunkline_domain::ivr::run::{self, Action, Event, IvrContext, NodeState, Transition};
use trunkline_domain::ivr::verify_location::CONFIRMATION_KEY;
use trunkline_domain::ivr::{IvrTree, NodeKind, QuestionType};

/// Callers who hang up at a menu, per mille.
const HANG_UP_PER_MILLE: u64 = 60;
/// Callers who press a wrong key at a menu, per mille.
const WRONG_KEY_PER_MILLE: u64 = 45;
/// Key pressed where any key counts.
const ANY_KEY: char = '1';
/// Key that no menu uses.
const UNUSED_KEY: char = '#';
/// Relative frequencies of a menu's keys, in their order.
const KEY_WEIGHTS: [u64; 9] = [9, 6, 4, 3, 2, 2, 1, 1, 1];

/// Path of a caller through the IVR tree.
#[derive(Debug, Default)]
pub(super) struct IvrPath {
    /// Keys pressed, in order.
    pub(super) keys: Vec<char>,
    /// Answers to NumberQuestions, in order.
    pub(super) digits: Vec<String>,
    /// National number of the destination; `None` if the call ended before.
    pub(super) dialled: Option<String>,
}

/// Runs a caller through the IVR tree until a destination is dialled or the call ends. Facts that
/// only the network knows (custom data, names) may route the stored call differently; its keys then
/// do not fit its path.
pub(super) fn simulate_keypresses(rng: &mut SeededRng, ivr_context: IvrContext<'_>) -> IvrPath {
    let mut path = IvrPath::default();
    let Transition { mut position, mut actions, .. } = run::start(ivr_context);
    loop {
        for action in actions {
            if let Action::Dial { number, .. } = action {
                path.dialled = Some(number);
            }
        }
        let event = match position.state {
            NodeState::Ended { .. } | NodeState::Connected | NodeState::Dialling => return path,
            NodeState::SmsOffer if ivr_context.facts.sms_sent == Some(true) => Event::Key('9'),
            NodeState::LocationCheck(check) if check.has_guess => Event::Key(CONFIRMATION_KEY),
            NodeState::SmsOffer | NodeState::LocationCheck(_) | NodeState::ZipCodeEntry => {
                Event::Silence
            }
            NodeState::Menu(_) | NodeState::YesOrNo(_) | NodeState::NumberQuestion(_)
                if rng.per_mille(HANG_UP_PER_MILLE) =>
            {
                return path;
            }
            NodeState::AnyKeyPress => {
                path.keys.push(ANY_KEY);
                Event::Key(ANY_KEY)
            }
            NodeState::Confirmation(_) => Event::Key(ANSWER_CONFIRMATION_KEY),
            NodeState::NumberQuestion(_) => {
                let answer = simulate_answer(rng, ivr_context, &position.path);
                path.digits.push(answer.clone());
                Event::Digits(answer)
            }
            NodeState::Menu(_) | NodeState::YesOrNo(_) => {
                let wrong = rng.per_mille(WRONG_KEY_PER_MILLE);
                let keys =
                    ivr_context.terms.ivr_tree.as_ref().map(|tree| menu_keys(tree, &position.path));
                let keys = keys.unwrap_or_default();
                let index = rng.weighted(KEY_WEIGHTS.iter().take(keys.len()).copied());
                let key = keys.get(index).copied().filter(|_| !wrong).unwrap_or(UNUSED_KEY);
                path.keys.push(key);
                Event::Key(key)
            }
        };
        // Each event above is valid in its state.
        let Ok(moved) = run::advance(ivr_context, position, &event) else { return path };
        (position, actions) = (moved.position, moved.actions);
    }
}

/// Returns a valid answer to the NumberQuestion at a path.
fn simulate_answer(rng: &mut SeededRng, ivr_context: IvrContext<'_>, at: &[usize]) -> String {
    let root = ivr_context.terms.ivr_tree.as_ref().map(|tree| &tree.root);
    let node =
        root.and_then(|root| at.iter().try_fold(root, |node, index| node.children.get(*index)));
    let kind = match node.map(|node| &node.kind) {
        Some(NodeKind::NumberQuestion { number_question_type, .. }) => *number_question_type,
        _ => None,
    };
    match kind {
        None | Some(QuestionType::Digits | QuestionType::Number) => rng.between(1, 99).to_string(),
        Some(QuestionType::PhoneNumber) => format!("80555501{:02}", rng.between(0, 99)),
        Some(QuestionType::Date) => {
            format!("{:02}{:02}20{:02}", rng.between(1, 12), rng.between(1, 28), rng.between(0, 29))
        }
        Some(QuestionType::Currency) => format!("{}*50", rng.between(1, 500)),
        Some(QuestionType::Time) => format!("{:02}{:02}", rng.between(0, 23), rng.between(0, 59)),
        Some(QuestionType::ZipCode) => format!("931{:02}", rng.between(0, 99)),
    }
}

/// Returns the keys of a menu or a YesOrNo.
fn menu_keys(tree: &IvrTree, at: &[usize]) -> Vec<char> {
    let node = at.iter().try_fold(&tree.root, |node, index| node.children.get(*index));
    let Some(node) = node else { return Vec::new() };
    let keys = (0..node.children.len()).filter_map(|index| match node.key_for_child(index) {
        Some(Key::Digit(digit)) => char::from_digit(u32::from(digit), 10),
        _ => None,
    });
    keys.collect()
}
