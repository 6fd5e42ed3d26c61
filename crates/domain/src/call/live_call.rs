//! Live calls: position and recorded events. The state can be stored between any two events, so
//! that any server can process the next one.

use super::{Outcome, RecordedFacts};
use crate::ivr::run::{self, Action, Event, IvrContext, NodeState, Position, UnexpectedEvent};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// State of a live call. Stored as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LiveCall {
    /// Position in the tree.
    pub position: Position,
    /// Events so far, in order.
    pub events: Vec<Event>,
    /// Keys pressed at menus so far, in order; without the answers to offers of a text message.
    pub keys: Vec<char>,
    /// Time of the last event; the start of the call before the first event.
    #[serde(rename = "heard_at")]
    pub last_event_at: Timestamp,
    /// Time at which caller and destination were connected.
    pub connected_at: Option<Timestamp>,
    /// Sequence number of the last event.
    pub sequence: Option<u32>,
    /// True if a prompt is playing and its end has not been reported.
    #[serde(rename = "speaking")]
    pub prompt_playing: bool,
}

impl LiveCall {
    /// Starts a call at the root of its tree.
    pub fn start(ivr_context: IvrContext<'_>, at: Timestamp) -> (Self, Vec<Action>) {
        let transition = run::start(ivr_context);
        let live = Self {
            position: transition.position,
            events: Vec::new(),
            keys: Vec::new(),
            last_event_at: at,
            connected_at: None,
            sequence: None,
            prompt_playing: plays_prompt(&transition.actions),
        };
        (live, transition.actions)
    }

    /// Applies an event. `at` must not be before [`LiveCall::last_event_at`].
    ///
    /// # Errors
    ///
    /// [`UnexpectedEvent`] if the event is not valid in the current state; the call is unchanged.
    pub fn apply_event(
        &mut self,
        ivr_context: IvrContext<'_>,
        event: Event,
        at: Timestamp,
    ) -> Result<Vec<Action>, UnexpectedEvent> {
        let transition = run::advance(ivr_context, self.position.clone(), &event)?;
        if let (NodeState::Menu { .. }, Event::Key(key)) = (self.position.state, &event) {
            self.keys.push(*key);
        }
        self.position = transition.position;
        self.prompt_playing = plays_prompt(&transition.actions);
        if event == Event::Connected {
            self.connected_at = Some(at);
        }
        self.events.push(event);
        self.last_event_at = at;
        Ok(transition.actions)
    }

    /// Marks the current prompt as finished. The position does not change.
    ///
    /// # Errors
    ///
    /// [`UnexpectedEvent`] if no prompt is playing.
    pub fn finish_prompt(&mut self, at: Timestamp) -> Result<(), UnexpectedEvent> {
        if !self.prompt_playing {
            return Err(UnexpectedEvent);
        }
        self.prompt_playing = false;
        self.last_event_at = at;
        Ok(())
    }

    /// Returns the outcome, or `None` while the call runs.
    pub fn outcome(&self) -> Option<Outcome> {
        let NodeState::Ended { connected } = self.position.state else { return None };
        let hung_up = self.events.last() == Some(&Event::HungUp);
        Some(match (connected, hung_up) {
            (true, _) => Outcome::Connected,
            (false, true) => Outcome::Abandoned,
            (false, false) => Outcome::Ended,
        })
    }

    /// Records the events and the durations of the ended call, in whole seconds since `start`. The
    /// decision of the recorded facts then equals the course of the live call.
    pub fn finish_into(self, start: Timestamp, recorded: &mut RecordedFacts) {
        let seconds_since = |from: Timestamp| {
            let seconds = self.last_event_at.duration_since(from).as_secs();
            u32::try_from(seconds.max(0)).unwrap_or(u32::MAX)
        };
        recorded.facts.duration = Some(seconds_since(start));
        recorded.facts.connect_duration = Some(self.connected_at.map_or(0, seconds_since));
        recorded.keys = self.keys;
        recorded.events = self.events;
    }
}

fn plays_prompt(actions: &[Action]) -> bool {
    actions.iter().any(|action| matches!(action, Action::Say(_)))
}
