//! Running a tree: a pure step function from a position and an event to actions and the next
//! position. The same code answers imagined calls and real ones; positions can be kept, so that
//! any server can take a call's next event.

use super::witness::{Log, Witness};
use super::{IvrNode, NodeKind};
use crate::call::{CallFacts, Known, PhoneType, Place, Way, ZipCode};
use crate::campaign::Terms;
use crate::condition::{Explanation, Key};
use serde::{Deserialize, Serialize};

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
    /// The postal code that the caller gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zip: Option<ZipCode>,
}

/// What is going on at a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
    /// The caller gave a zip code; one that is none counts as silence.
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
    Run::begin(flow, Log::default()).moved()
}

/// Something happens.
pub fn advance(flow: Flow<'_>, position: Position, event: &Event) -> Result<Moved, OutOfPlace> {
    let mut run = Run::resume(flow, position, Log::default());
    run.take(event)?;
    Ok(run.moved())
}

/// A call on its way, and who looks on.
pub(crate) struct Run<'a, W> {
    flow: Flow<'a>,
    /// The node at the position.
    node: Option<&'a IvrNode>,
    /// Where the postal code given is.
    place: Option<Place>,
    /// Where the call is.
    pub(crate) position: Position,
    /// Who looks on.
    pub(crate) witness: W,
}

impl Run<'_, Log> {
    fn moved(self) -> Moved {
        let Log { passed, actions } = self.witness;
        Moved { position: self.position, passed, actions }
    }
}

impl<'a, W: Witness> Run<'a, W> {
    /// A call that comes in, gone as far as no event is needed.
    pub(crate) fn begin(flow: Flow<'a>, witness: W) -> Self {
        let position = Position {
            at: Vec::new(),
            doing: Doing::AskZip,
            pressed: Vec::new(),
            sms_sent: false,
            zip: None,
        };
        let mut run = Self { flow, node: None, place: None, position, witness };
        run.enter(flow.terms.ivr_tree.as_ref().map(|tree| &tree.root));
        run
    }

    fn resume(flow: Flow<'a>, position: Position, witness: W) -> Self {
        let root = flow.terms.ivr_tree.as_ref().map(|tree| &tree.root);
        let below = |node: &'a IvrNode, index: &usize| node.children.get(*index);
        let node = root.and_then(|root| position.at.iter().try_fold(root, below));
        let place = position.zip.as_ref().and_then(ZipCode::place);
        Self { flow, node, place, position, witness }
    }

    /// What is known now. `over` as in [`Way::over`].
    pub(crate) fn known(&self, over: Option<bool>) -> Known<'_> {
        let Flow { terms, facts } = self.flow;
        let Position { pressed, sms_sent, zip, .. } = &self.position;
        let way = Way { pressed, sms_sent: *sms_sent, zip: zip.as_ref(), place: self.place, over };
        Known { facts, terms, way }
    }

    /// The number rung, at a Connect.
    pub(crate) fn destination(&self) -> Option<&'a str> {
        match &self.node?.kind {
            NodeKind::Connect { destination_phone_number, .. } => Some(destination_phone_number),
            _ => None,
        }
    }

    fn over(&mut self, connected: bool) {
        self.position.doing = Doing::Over { connected };
    }

    fn end(&mut self) {
        self.witness.act(|| Action::Hangup);
        self.over(false);
    }

    fn say(&mut self, prompt: &str) {
        if !prompt.trim().is_empty() {
            self.witness.act(|| Action::Say(prompt.to_owned()));
        }
    }

    fn gather(&mut self, doing: Doing, keys: u32) {
        self.witness.act(|| Action::Gather { keys, timeout: KEY_TIMEOUT });
        self.position.doing = doing;
    }

    /// Goes to a node, and on from it as far as no event is needed. A place that is not there
    /// ends the call.
    fn enter(&mut self, node: Option<&'a IvrNode>) {
        let mut next = node;
        while let Some(node) = next {
            self.node = next;
            let Some(child) = self.arrive(node) else { return };
            next = self.child(child);
        }
        self.end();
    }

    /// Moves the position to a child of the node, if it is there.
    fn child(&mut self, index: usize) -> Option<&'a IvrNode> {
        let child = self.node?.children.get(index)?;
        self.position.at.push(index);
        Some(child)
    }

    fn go_on(&mut self, child: usize) {
        let child = self.child(child);
        self.enter(child);
    }

    /// What happens on arrival; the child to go on to, when nothing has to be waited for.
    fn arrive(&mut self, node: &'a IvrNode) -> Option<usize> {
        match &node.kind {
            NodeKind::Condition { condition } => {
                let judged = condition.as_ref().map(|it| W::judge(it.expr(), &self.known(None)));
                let (value, why) = judged.unzip();
                self.witness.came_to(&self.position.at, node, "", why);
                Some(usize::from(value.flatten() != Some(true)))
            }
            kind if !self.needs(kind) => {
                self.witness.came_to(&self.position.at, node, "", None);
                Some(0)
            }
            kind => {
                self.witness.came_to(&self.position.at, node, kind.prompt(), None);
                self.say(kind.prompt());
                self.do_as(kind);
                None
            }
        }
    }

    /// Whether a node has something to do for this caller: not every one has a phone for text
    /// messages, or a place that is not known.
    fn needs(&self, kind: &NodeKind) -> bool {
        match kind {
            NodeKind::SmsPromo { .. } => self.flow.facts.phone_type == Some(PhoneType::Mobile),
            NodeKind::VerifyLocation { .. } => self.known(None).region().is_none(),
            _ => true,
        }
    }

    fn do_as(&mut self, kind: &NodeKind) {
        match kind {
            NodeKind::Menu { .. } => self.gather(Doing::Menu { wrong: 0 }, 1),
            NodeKind::SmsPromo { .. } => self.gather(Doing::OfferSms, 1),
            NodeKind::VerifyLocation { .. } => self.gather(Doing::AskZip, ZIP_DIGITS),
            NodeKind::Connect { destination_phone_number, destination_country_code, .. } => {
                self.witness.act(|| Action::Dial {
                    number: destination_phone_number.clone(),
                    country_code: destination_country_code.clone(),
                });
                self.position.doing = Doing::Dialling;
            }
            // Nodes that do not run yet never go live; should one be met, the call ends.
            _ => self.end(),
        }
    }

    /// Something happens.
    pub(crate) fn take(&mut self, event: &Event) -> Result<(), OutOfPlace> {
        match (self.position.doing, event) {
            (Doing::Over { .. }, _) => return Err(OutOfPlace),
            (doing, Event::HungUp) => self.over(doing == Doing::Talking),
            (Doing::Menu { wrong }, Event::Key(key)) => self.press(*key, wrong),
            (Doing::Menu { wrong }, Event::Silence) => self.miss(Key::None, wrong),
            (Doing::OfferSms, Event::Key(key)) => self.answer_offer(*key == ACCEPT),
            (Doing::OfferSms, Event::Silence) => self.answer_offer(false),
            (Doing::AskZip, Event::Zip(code)) => self.answer_zip(code),
            (Doing::AskZip, Event::Silence) => self.go_on(0),
            (Doing::Dialling, Event::Connected) => self.position.doing = Doing::Talking,
            (Doing::Dialling, Event::Busy | Event::NoAnswer) => self.end(),
            _ => return Err(OutOfPlace),
        }
        Ok(())
    }

    fn press(&mut self, key: char, wrong: u8) {
        let digit = key.to_digit(10).and_then(|digit| u8::try_from(digit).ok()).map(Key::Digit);
        let child = digit.and_then(|digit| Some((digit, self.child_for(digit)?)));
        match child {
            Some((digit, child)) => {
                self.leave_menu(digit);
                self.go_on(child);
            }
            None => self.miss(Key::Wrong, wrong),
        }
    }

    fn child_for(&self, key: Key) -> Option<usize> {
        let node = self.node?;
        (0..node.children.len()).find(|index| node.child_key(*index) == Some(key))
    }

    fn leave_menu(&mut self, key: Key) {
        self.position.pressed.push(key);
        self.witness.pressed(key);
    }

    /// A wrong key, or none: the menu again, or where such callers go, or the end.
    fn miss(&mut self, key: Key, wrong: u8) {
        if wrong < REPLAYS {
            self.say(self.node.map_or("", |node| node.kind.prompt()));
            return self.gather(Doing::Menu { wrong: wrong + 1 }, 1);
        }
        self.leave_menu(key);
        match self.child_for(key) {
            Some(child) => self.go_on(child),
            None => self.end(),
        }
    }

    fn answer_offer(&mut self, accepted: bool) {
        if let Some(NodeKind::SmsPromo {
            sms_promo_copy, sms_promo_delay, sms_promo_sender, ..
        }) = self.node.map(|node| &node.kind)
            && accepted
        {
            self.position.sms_sent = true;
            self.witness.act(|| Action::SendSms {
                copy: sms_promo_copy.clone(),
                delay: sms_promo_delay.unwrap_or(1),
                sender: sms_promo_sender.clone(),
            });
        }
        self.go_on(0);
    }

    fn answer_zip(&mut self, code: &str) {
        if let Some(zip) = ZipCode::parse(code) {
            self.place = zip.place();
            self.position.zip = Some(zip);
        }
        self.go_on(0);
    }
}
