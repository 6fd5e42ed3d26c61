//! Execution of an IVR tree: a pure step function from a position and an event to actions and the
//! next position.
//!
//! Simulated and real calls use the same code. Positions can be stored, so that any server can
//! process the next event of a call.

use super::trace::{ActionLog, Tracer};
use super::{IvrNode, NodeKind};
use crate::call::{CallFacts, EvaluationContext, IvrFacts, Location, PhoneType, ZipCode};
use crate::campaign::Terms;
use crate::condition::Key;

pub use super::event::{Action, Event, VisitedNode};
pub use super::position::{Attempts, LocationCheck, NodeState, Position};

/// Number of times a menu prompt is repeated after a wrong key or a timeout. After the next failure
/// the call continues at the failover child, or ends if there is none.
pub const MAX_MENU_REPLAYS: u8 = 3;
/// Time to wait for keys, in seconds.
pub const KEY_TIMEOUT_SECONDS: u32 = 10;
/// Key that accepts the offer of a text message.
const SMS_ACCEPT_KEY: char = '9';

/// Input of an execution besides the position.
#[derive(Debug, Clone, Copy)]
pub struct IvrContext<'a> {
    /// Terms of the campaign, including the tree.
    pub terms: &'a Terms,
    /// Facts of the call that do not depend on the tree.
    pub facts: &'a CallFacts,
}

/// Result of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// Position after the event.
    pub position: Position,
    /// Nodes entered, in order.
    pub visited_nodes: Vec<VisitedNode>,
    /// Instructions for the edge, in order.
    pub actions: Vec<Action>,
}

/// Error: the event is not valid in the current state of the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this event cannot happen now")]
pub struct UnexpectedEvent;

/// Starts a call at the root of the tree. Without a tree the call ends at once.
pub fn start(ivr_context: IvrContext<'_>) -> Transition {
    IvrRun::start(ivr_context, ActionLog::default()).into_transition()
}

/// Applies an event to a stored position.
///
/// # Errors
///
/// [`UnexpectedEvent`] if the event is not valid in the current state.
pub fn advance(
    ivr_context: IvrContext<'_>,
    position: Position,
    event: &Event,
) -> Result<Transition, UnexpectedEvent> {
    let mut run = IvrRun::resume(ivr_context, position, ActionLog::default());
    run.apply_event(event)?;
    Ok(run.into_transition())
}

/// Returns true for an SmsPromo node, unless the caller's phone is known not to be mobile.
fn can_offer_sms(kind: &NodeKind, facts: &CallFacts) -> bool {
    let is_mobile = facts.phone_type.is_none_or(|phone| phone == PhoneType::Mobile);
    is_mobile && matches!(kind, NodeKind::SmsPromo { .. })
}

/// Execution of a tree for one call.
pub(crate) struct IvrRun<'a, T> {
    pub(super) context: IvrContext<'a>,
    /// Node at the position.
    pub(super) node: Option<&'a IvrNode>,
    /// Location of the postal code that the caller entered.
    pub(super) location: Option<Location>,
    /// True if an SmsPromo node was passed, other than on a landline.
    passed_sms_promo: bool,
    /// Current position.
    pub(crate) position: Position,
    /// Trace of the execution.
    pub(crate) tracer: T,
}

impl IvrRun<'_, ActionLog> {
    fn into_transition(self) -> Transition {
        let ActionLog { visited_nodes, actions } = self.tracer;
        Transition { position: self.position, visited_nodes, actions }
    }
}

impl<'a, T: Tracer> IvrRun<'a, T> {
    /// Starts at the root and runs until the call needs an event.
    pub(crate) fn start(context: IvrContext<'a>, tracer: T) -> Self {
        let position = Position {
            path: Vec::new(),
            state: NodeState::ZipCodeEntry,
            pressed_keys: Vec::new(),
            sms_sent: false,
            zip: None,
            location_confirmed: false,
            leg: 0,
            unconfirmed_answer: None,
            answers: Vec::new(),
        };
        let passed_sms_promo = false;
        let mut run =
            Self { context, node: None, location: None, passed_sms_promo, position, tracer };
        run.enter_node(context.terms.ivr_tree.as_ref().map(|tree| &tree.root));
        run
    }

    /// Resumes at a stored position.
    pub(super) fn resume(context: IvrContext<'a>, position: Position, tracer: T) -> Self {
        let root = context.terms.ivr_tree.as_ref().map(|tree| &tree.root);
        let mut passed_sms_promo = false;
        let mut node = root;
        for index in position.path.iter().map(Some).chain([None]) {
            passed_sms_promo |= node.is_some_and(|node| can_offer_sms(&node.kind, context.facts));
            if let Some(index) = index {
                node = node.and_then(|node| node.children.get(*index));
            }
        }
        let location = position.zip.as_ref().and_then(ZipCode::location);
        Self { context, node, location, passed_sms_promo, position, tracer }
    }

    /// Returns the facts at the current position. `connected` is `None` while the call runs; after
    /// its end it is true if caller and destination were connected.
    pub(crate) fn evaluation_context(&self, connected: Option<bool>) -> EvaluationContext<'_> {
        let IvrContext { terms, facts } = self.context;
        let ivr_facts = IvrFacts {
            pressed_keys: &self.position.pressed_keys,
            sms_sent: self.position.sms_sent,
            passed_sms_promo: self.passed_sms_promo,
            answers: &self.position.answers,
            zip: self.position.zip.as_ref(),
            location: self.location,
            connected,
            is_reported: false,
            is_incomplete: false,
        };
        EvaluationContext { facts, terms, ivr_facts }
    }

    pub(super) fn set_ended(&mut self, connected: bool) {
        self.position.state = NodeState::Ended { connected };
    }

    pub(super) fn hang_up(&mut self) {
        self.tracer.on_action(|| Action::Hangup);
        self.set_ended(false);
    }

    pub(super) fn play(&mut self, prompt: &str) {
        if !prompt.trim().is_empty() {
            self.tracer.on_action(|| Action::Say(prompt.to_owned()));
        }
    }

    pub(super) fn wait_for_key(&mut self, state: NodeState) {
        self.wait_for_keys(state, 1, None);
    }

    pub(super) fn wait_for_keys(&mut self, state: NodeState, keys: u32, finish: Option<char>) {
        self.tracer.on_action(|| Action::Gather { keys, finish, timeout: KEY_TIMEOUT_SECONDS });
        self.position.state = state;
    }

    /// Enters a node and continues until the call needs an event. A missing node ends the call.
    fn enter_node(&mut self, node: Option<&'a IvrNode>) {
        let mut next = node;
        while let Some(node) = next {
            self.node = next;
            let Some(child_index) = self.visit(node) else { return };
            next = self.move_to_child(child_index);
        }
        self.hang_up();
    }

    /// Moves the position to a child of the current node. Returns `None` if there is no such child.
    fn move_to_child(&mut self, index: usize) -> Option<&'a IvrNode> {
        let child = self.node?.children.get(index)?;
        self.position.path.push(index);
        Some(child)
    }

    pub(super) fn enter_child(&mut self, index: usize) {
        let child = self.move_to_child(index);
        self.enter_node(child);
    }

    /// Runs a node. Returns the index of the next child, or `None` if the node waits for an event
    /// or the call has ended.
    fn visit(&mut self, node: &'a IvrNode) -> Option<usize> {
        self.passed_sms_promo |= can_offer_sms(&node.kind, self.context.facts);
        match &node.kind {
            NodeKind::Condition { condition } => {
                let evaluated = condition
                    .as_ref()
                    .map(|condition| T::evaluate(condition.expr(), &self.evaluation_context(None)));
                let (value, reason) = evaluated.unzip();
                self.tracer.on_enter(&self.position.path, node, "", reason);
                Some(usize::from(value.flatten() != Some(true)))
            }
            kind if !self.is_applicable(kind) => {
                self.tracer.on_enter(&self.position.path, node, "", None);
                Some(0)
            }
            // Nothing to dial: the call continues as if nobody had answered.
            kind if self.lacks_destinations(kind) => {
                self.tracer.on_enter(&self.position.path, node, "", None);
                Some(0)
            }
            kind => {
                self.tracer.on_enter(&self.position.path, node, kind.prompt(), None);
                if !matches!(kind, NodeKind::VerifyLocation { .. }) {
                    self.play(kind.prompt());
                }
                self.execute(kind);
                None
            }
        }
    }

    /// Returns false if the node is skipped for this caller: SmsPromo unless the phone is known to
    /// be mobile, VerifyLocation if the location is verified.
    fn is_applicable(&self, kind: &NodeKind) -> bool {
        match kind {
            NodeKind::SmsPromo { .. } => self.context.facts.phone_type == Some(PhoneType::Mobile),
            NodeKind::VerifyLocation { .. } => self.needs_location_check(),
            _ => true,
        }
    }

    /// Starts the interaction of a node.
    fn execute(&mut self, kind: &'a NodeKind) {
        let attempts = Attempts::default();
        match kind {
            NodeKind::Menu { .. } => self.wait_for_key(NodeState::Menu(attempts)),
            NodeKind::SmsPromo { .. } => self.wait_for_key(NodeState::SmsOffer),
            NodeKind::VerifyLocation { prompt } => self.start_location_check(prompt),
            NodeKind::AnyKeyPress { .. } => self.wait_for_key(NodeState::AnyKeyPress),
            NodeKind::YesOrNo { .. } | NodeKind::NumberQuestion { .. } => {
                self.wait_for_answer(attempts)
            }
            NodeKind::Connect { .. }
            | NodeKind::Failover { .. }
            | NodeKind::RingGroup { .. }
            | NodeKind::DynamicRoute { .. } => self.dial(0),
            // A Condition never gets here.
            NodeKind::EndCall { .. } | NodeKind::Condition { .. } => self.hang_up(),
        }
    }

    /// Applies an event at the current position.
    pub(crate) fn apply_event(&mut self, event: &Event) -> Result<(), UnexpectedEvent> {
        match (self.position.state, event) {
            (NodeState::Ended { .. }, _) => return Err(UnexpectedEvent),
            (state, Event::HungUp) => self.set_ended(state == NodeState::Connected),
            (NodeState::Menu(attempts), Event::Key(key)) => self.handle_menu_key(*key, attempts),
            (NodeState::Menu(attempts), Event::Silence) => {
                self.handle_failed_attempt(Key::None, attempts)
            }
            (NodeState::AnyKeyPress, Event::Key(_)) => self.enter_child(0),
            (NodeState::AnyKeyPress, Event::Silence) => self.enter_child(1),
            (NodeState::YesOrNo(attempts) | NodeState::NumberQuestion(attempts), event) => {
                self.handle_answer(attempts, event)?
            }
            (NodeState::Confirmation(attempts), event) => {
                self.handle_confirmation(attempts, event)?
            }
            (NodeState::SmsOffer, Event::Key(key)) => {
                self.handle_sms_answer(*key == SMS_ACCEPT_KEY)
            }
            (NodeState::SmsOffer, Event::Silence) => self.handle_sms_answer(false),
            (NodeState::LocationCheck(check), event) => {
                self.handle_location_answer(check, event)?
            }
            (NodeState::ZipCodeEntry, Event::Zip(code)) => self.handle_early_zip_code(code),
            (NodeState::ZipCodeEntry, Event::Silence) => self.enter_child(0),
            (NodeState::Dialling, event) => self.handle_dial_event(event)?,
            _ => return Err(UnexpectedEvent),
        }
        Ok(())
    }

    fn handle_menu_key(&mut self, key: char, attempts: Attempts) {
        let digit = key.to_digit(10).and_then(|digit| u8::try_from(digit).ok()).map(Key::Digit);
        let child = digit.and_then(|digit| Some((digit, self.child_index_for(digit)?)));
        match child {
            Some((digit, index)) => {
                self.record_menu_key(digit);
                self.enter_child(index);
            }
            None => self.handle_failed_attempt(Key::Wrong, attempts),
        }
    }

    pub(super) fn child_index_for(&self, key: Key) -> Option<usize> {
        let node = self.node?;
        (0..node.children.len()).find(|index| node.key_for_child(*index) == Some(key))
    }

    pub(super) fn record_menu_key(&mut self, key: Key) {
        self.position.pressed_keys.push(key);
        self.tracer.on_menu_key(key);
    }

    /// Handles a wrong key or a timeout: replays the menu up to [`MAX_MENU_REPLAYS`] times, then
    /// enters the failover child, or ends the call if there is none. A wrong key in any attempt leads
    /// to the child for a wrong key.
    fn handle_failed_attempt(&mut self, key: Key, attempts: Attempts) {
        let is_last = attempts.failed >= MAX_MENU_REPLAYS;
        let attempts = attempts.add_failure(key);
        if !is_last {
            self.play(self.node.map_or("", |node| node.kind.prompt()));
            return self.wait_for_key(NodeState::Menu(attempts));
        }
        let key = attempts.final_key();
        self.record_menu_key(key);
        self.enter_failover_child(key);
    }

    /// Enters the failover child for a final input, or ends the call if there is none.
    pub(super) fn enter_failover_child(&mut self, key: Key) {
        match self.child_index_for(key) {
            Some(index) => self.enter_child(index),
            None => self.hang_up(),
        }
    }

    fn handle_sms_answer(&mut self, accepted: bool) {
        if let Some(NodeKind::SmsPromo {
            sms_promo_copy, sms_promo_delay, sms_promo_sender, ..
        }) = self.node.map(|node| &node.kind)
            && accepted
        {
            self.position.sms_sent = true;
            self.tracer.on_action(|| Action::SendSms {
                copy: sms_promo_copy.clone(),
                delay: sms_promo_delay.unwrap_or(1),
                sender: sms_promo_sender.clone(),
            });
        }
        self.enter_child(0);
    }
}
