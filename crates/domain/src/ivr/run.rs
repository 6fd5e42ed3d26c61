//! Running a tree: a pure step function from a position and an event to actions and the next
//! position. The same code answers imagined calls and real ones; positions can be kept, so that
//! any server can take a call's next event.

use super::{IvrNode, IvrTree, NodeKind};
use crate::call::{CallFacts, Known};
use crate::campaign::Terms;
use crate::condition::{Explanation, Key};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Times a menu is said again after a wrong key or none; then the call ends.
pub const REPLAYS: u8 = 3;
/// Seconds that a menu waits for a key.
pub const KEY_TIMEOUT: u32 = 10;
/// The key that accepts a text message.
const ACCEPT: char = '9';
/// Digits of a zip code.
const ZIP_DIGITS: u32 = 5;

/// What a run needs to know besides its position.
#[derive(Debug, Clone, Copy)]
pub struct Flow<'a> {
    /// The campaign's terms; the tree is theirs.
    pub terms: &'a Terms,
    /// What is known of the call from outside.
    pub facts: &'a CallFacts,
}

/// Where a call is in its tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The node, by child indices from the root.
    pub at: Vec<usize>,
    /// What is going on there.
    pub doing: Doing,
    /// What was pressed in the end at each menu so far, from the first.
    pub pressed: Vec<Key>,
    /// Whether a text message was sent.
    pub sms_sent: bool,
}

/// What is going on at a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Doing {
    /// A menu waits for a key, which was wrong or missing so often.
    Menu {
        /// Wrong keys and silences so far.
        wrong: u8,
    },
    /// A text message was offered.
    OfferSms,
    /// A zip code was asked for.
    AskZip,
    /// A destination is ringing.
    Dialling,
    /// Caller and destination talk.
    Talking,
    /// The call is over.
    Over {
        /// Whether caller and destination ever talked.
        connected: bool,
    },
}

/// What happens to a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The caller pressed a key: `0`–`9`, `*` or `#`.
    Key(char),
    /// The caller pressed nothing in time.
    Silence,
    /// The caller gave a zip code.
    Zip(String),
    /// The destination answered.
    Connected,
    /// The destination is busy.
    Busy,
    /// The destination does not answer.
    NoAnswer,
    /// Either side hung up.
    HungUp,
}

/// What an edge is asked to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Say something.
    Say(String),
    /// Wait for keys.
    Gather {
        /// How many.
        keys: u32,
        /// For how long (seconds).
        timeout: u32,
    },
    /// Ring a destination.
    Dial {
        /// National digits.
        number: String,
        /// Digits of the country code.
        country_code: String,
    },
    /// Send the caller a text message.
    SendSms {
        /// What it says.
        copy: String,
        /// Seconds after the call.
        delay: u32,
        /// Who it comes from.
        sender: Option<String>,
    },
    /// End the call.
    Hangup,
}

/// A node that the call came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passed {
    /// The node, by child indices from the root.
    pub at: Vec<usize>,
    /// Its type's name.
    pub node_type: &'static str,
    /// What was said there.
    pub prompt: String,
    /// Why a Condition went the way it did.
    pub condition: Option<Explanation>,
}

/// What an event led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// Where the call is now.
    pub position: Position,
    /// Nodes that it came to, in order.
    pub passed: Vec<Passed>,
    /// What the edge is asked to do, in order.
    pub actions: Vec<Action>,
}

/// An event that cannot happen where the call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this event cannot happen now")]
pub struct OutOfPlace;

/// A call comes in: from the root on. A campaign without a tree ends it.
pub fn start(flow: Flow<'_>) -> Moved {
    let position =
        Position { at: Vec::new(), doing: Doing::AskZip, pressed: Vec::new(), sms_sent: false };
    let mut run = Run { flow, position, passed: Vec::new(), actions: Vec::new() };
    run.enter(Vec::new());
    run.moved()
}

/// Something happens.
pub fn advance(flow: Flow<'_>, position: Position, event: &Event) -> Result<Moved, OutOfPlace> {
    let mut run = Run { flow, position, passed: Vec::new(), actions: Vec::new() };
    run.take(event)?;
    Ok(run.moved())
}

struct Run<'a> {
    flow: Flow<'a>,
    position: Position,
    passed: Vec<Passed>,
    actions: Vec<Action>,
}

fn find<'a>(tree: &'a IvrTree, at: &[usize]) -> Option<&'a IvrNode> {
    at.iter().try_fold(&tree.root, |node, index| node.children.get(*index))
}

impl<'a> Run<'a> {
    fn moved(self) -> Moved {
        Moved { position: self.position, passed: self.passed, actions: self.actions }
    }

    fn node(&self, at: &[usize]) -> Option<&'a IvrNode> {
        find(self.flow.terms.ivr_tree.as_ref()?, at)
    }

    fn over(&mut self, connected: bool) {
        self.position.doing = Doing::Over { connected };
    }

    fn end(&mut self) {
        self.actions.push(Action::Hangup);
        self.over(false);
    }

    fn say(&mut self, prompt: &str) {
        if !prompt.trim().is_empty() {
            self.actions.push(Action::Say(prompt.to_owned()));
        }
    }

    /// Goes to a node, and on from it as far as no event is needed. A place that is not there
    /// ends the call.
    fn enter(&mut self, at: Vec<usize>) {
        let mut next = Some(at);
        while let Some(at) = next.take() {
            let Some(node) = self.node(&at) else { return self.end() };
            self.position.at.clone_from(&at);
            let child = self.arrive(node);
            next = child.map(|child| {
                let mut below = at;
                below.push(child);
                below
            });
        }
    }

    /// What happens on arrival; the child to go on to, when nothing has to be waited for.
    fn arrive(&mut self, node: &IvrNode) -> Option<usize> {
        let (prompt, condition) = match &node.kind {
            NodeKind::Condition { condition } => {
                let facts = self.facts_now();
                let known = Known { facts: &facts, ..self.known() };
                let explained = condition.as_ref().map(|it| it.expr().explain(&known));
                (String::new(), explained)
            }
            kind => (kind.prompt().to_owned(), None),
        };
        let met = condition.as_ref().and_then(|it| it.value) == Some(true);
        self.say(&prompt);
        let at = self.position.at.clone();
        self.passed.push(Passed { at, node_type: node.kind.name(), prompt, condition });
        match &node.kind {
            NodeKind::Condition { .. } => return Some(usize::from(!met)),
            NodeKind::Menu { .. } => self.gather(Doing::Menu { wrong: 0 }, 1),
            NodeKind::SmsPromo { .. } => {
                if self.known().facts.phone_type != Some(crate::call::PhoneType::Mobile) {
                    self.unsay();
                    return Some(0);
                }
                self.gather(Doing::OfferSms, 1);
            }
            NodeKind::VerifyLocation { .. } => {
                if self.flow.facts.region.is_some() {
                    self.unsay();
                    return Some(0);
                }
                self.gather(Doing::AskZip, ZIP_DIGITS);
            }
            NodeKind::Connect { destination_phone_number, destination_country_code, .. } => {
                self.actions.push(Action::Dial {
                    number: destination_phone_number.clone(),
                    country_code: destination_country_code.clone(),
                });
                self.position.doing = Doing::Dialling;
            }
            // Nodes that do not run yet never go live; should one be met, the call ends.
            _ => self.end(),
        }
        None
    }

    /// Takes back what a node would have said, had it been needed.
    fn unsay(&mut self) {
        if let Some(passed) = self.passed.last_mut()
            && !passed.prompt.is_empty()
        {
            passed.prompt.clear();
            self.actions.pop();
        }
    }

    fn gather(&mut self, doing: Doing, keys: u32) {
        self.actions.push(Action::Gather { keys, timeout: KEY_TIMEOUT });
        self.position.doing = doing;
    }

    fn known(&self) -> Known<'_> {
        let Flow { terms, facts } = self.flow;
        Known { facts, terms, pressed: &self.position.pressed, over: false }
    }

    /// The facts as they are by now: a message that was sent on the way is known to be.
    fn facts_now(&self) -> Cow<'a, CallFacts> {
        let facts = self.flow.facts;
        if self.position.sms_sent && facts.sms_sent != Some(true) {
            return Cow::Owned(CallFacts { sms_sent: Some(true), ..facts.clone() });
        }
        Cow::Borrowed(facts)
    }

    fn take(&mut self, event: &Event) -> Result<(), OutOfPlace> {
        match (self.position.doing.clone(), event) {
            (Doing::Over { .. }, _) => return Err(OutOfPlace),
            (doing, Event::HungUp) => self.over(doing == Doing::Talking),
            (Doing::Menu { wrong }, Event::Key(key)) => self.press(*key, wrong),
            (Doing::Menu { wrong }, Event::Silence) => self.miss(Key::None, wrong),
            (Doing::OfferSms, Event::Key(key)) => self.answer_offer(*key == ACCEPT),
            (Doing::OfferSms, Event::Silence) => self.answer_offer(false),
            (Doing::AskZip, Event::Zip(_) | Event::Silence) => self.go_on(0),
            (Doing::Dialling, Event::Connected) => self.position.doing = Doing::Talking,
            (Doing::Dialling, Event::Busy | Event::NoAnswer) => self.end(),
            _ => return Err(OutOfPlace),
        }
        Ok(())
    }

    fn go_on(&mut self, child: usize) {
        let mut at = self.position.at.clone();
        at.push(child);
        self.enter(at);
    }

    fn press(&mut self, key: char, wrong: u8) {
        let digit = key.to_digit(10).and_then(|digit| u8::try_from(digit).ok());
        let pressed = digit.map(Key::Digit);
        match self.child_for(pressed) {
            Some(child) => {
                self.position.pressed.extend(pressed);
                self.go_on(child);
            }
            None => self.miss(Key::Wrong, wrong),
        }
    }

    fn child_for(&self, key: Option<Key>) -> Option<usize> {
        let node = self.node(&self.position.at)?;
        (0..node.children.len()).find(|index| key.is_some() && node.child_key(*index) == key)
    }

    /// A wrong key, or none: the menu again, or where such callers go, or the end.
    fn miss(&mut self, key: Key, wrong: u8) {
        if wrong < REPLAYS {
            let node = self.node(&self.position.at);
            let prompt = node.map(|node| node.kind.prompt().to_owned()).unwrap_or_default();
            self.say(&prompt);
            return self.gather(Doing::Menu { wrong: wrong + 1 }, 1);
        }
        self.position.pressed.push(key);
        match self.child_for(Some(key)) {
            Some(child) => self.go_on(child),
            None => self.end(),
        }
    }

    fn answer_offer(&mut self, accepted: bool) {
        let node = self.node(&self.position.at);
        if let Some(NodeKind::SmsPromo {
            sms_promo_copy, sms_promo_delay, sms_promo_sender, ..
        }) = node.map(|node| &node.kind)
            && accepted
        {
            self.position.sms_sent = true;
            self.actions.push(Action::SendSms {
                copy: sms_promo_copy.clone(),
                delay: sms_promo_delay.unwrap_or(1),
                sender: sms_promo_sender.clone(),
            });
        }
        self.go_on(0);
    }
}
