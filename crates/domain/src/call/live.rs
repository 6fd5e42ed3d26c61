//! A call under way: where it is, and what was heard of it. It can be kept between any two events,
//! so that any server takes the next one.

use super::{Heard, Outcome};
use crate::ivr::run::{self, Action, Doing, Event, Flow, OutOfPlace, Position};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A call under way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Live {
    /// Where it is in its tree.
    pub position: Position,
    /// What happened so far, in order.
    pub events: Vec<Event>,
    /// The keys pressed at menus so far, in order; an offer's answer is none of them.
    pub keys: Vec<char>,
    /// When the last thing that was heard of it happened; its start, before anything was.
    pub heard_at: Timestamp,
    /// When caller and destination began to talk.
    pub connected_at: Option<Timestamp>,
    /// The number of the last event.
    pub sequence: Option<u32>,
    /// Whether something is being said, for all that was heard.
    pub speaking: bool,
}

impl Live {
    /// A call comes in: from the root of its tree on.
    pub fn start(flow: Flow<'_>, at: Timestamp) -> (Self, Vec<Action>) {
        let moved = run::start(flow);
        let live = Self {
            position: moved.position,
            events: Vec::new(),
            keys: Vec::new(),
            heard_at: at,
            connected_at: None,
            sequence: None,
            speaking: speaks(&moved.actions),
        };
        (live, moved.actions)
    }

    /// Something happens, not before `heard_at`. What cannot happen now changes nothing.
    pub fn hear(
        &mut self,
        flow: Flow<'_>,
        event: Event,
        at: Timestamp,
    ) -> Result<Vec<Action>, OutOfPlace> {
        let moved = run::advance(flow, self.position.clone(), &event)?;
        if let (Doing::Menu { .. }, Event::Key(key)) = (self.position.doing, &event) {
            self.keys.push(*key);
        }
        self.position = moved.position;
        self.speaking = speaks(&moved.actions);
        if event == Event::Connected {
            self.connected_at = Some(at);
        }
        self.events.push(event);
        self.heard_at = at;
        Ok(moved.actions)
    }

    /// What was being said has been said. It moves nothing.
    pub fn finish_speaking(&mut self, at: Timestamp) -> Result<(), OutOfPlace> {
        if !self.speaking {
            return Err(OutOfPlace);
        }
        (self.speaking, self.heard_at) = (false, at);
        Ok(())
    }

    /// How it went, once it is over.
    pub fn outcome(&self) -> Option<Outcome> {
        let Doing::Over { connected } = self.position.doing else { return None };
        let hung_up = self.events.last() == Some(&Event::HungUp);
        Some(match (connected, hung_up) {
            (true, _) => Outcome::Connected,
            (false, true) => Outcome::Abandoned,
            (false, false) => Outcome::Ended,
        })
    }

    /// What is known of it now that it is over: what happened, and how long it took since `start`
    /// (whole seconds). With that it is decided as it went.
    pub fn close(self, start: Timestamp, heard: &mut Heard) {
        let since = |from: Timestamp| {
            let seconds = self.heard_at.duration_since(from).as_secs();
            u32::try_from(seconds.max(0)).unwrap_or(u32::MAX)
        };
        heard.facts.duration = Some(since(start));
        heard.facts.connect_duration = Some(self.connected_at.map_or(0, since));
        heard.keys = self.keys;
        heard.events = self.events;
    }
}

fn speaks(actions: &[Action]) -> bool {
    actions.iter().any(|action| matches!(action, Action::Say(_)))
}
