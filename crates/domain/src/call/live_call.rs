//! Live calls: position and recorded events. The state can be stored between any two events, so
//! that any server can process the next one.

use super::{CallEnd, Outcome, RecordedFacts};
use crate::ivr::run::{self, Action, Event, IvrContext, NodeState, Position, UnexpectedEvent};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Durations that the edge measured, in seconds. They take precedence over the times of events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeasuredDurations {
    /// Total duration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<u32>,
    /// Duration of the conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect_duration: Option<u32>,
}

impl MeasuredDurations {
    /// Returns true if the edge has reported none.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Takes the values of a later report, as far as it has them.
    pub fn update(&mut self, later: Self) {
        self.duration = later.duration.or(self.duration);
        self.connect_duration = later.connect_duration.or(self.connect_duration);
    }
}

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
    /// Milliseconds by which the reported start was ahead of the server's clock. Events without a time
    /// are ahead as much.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub clock_lead_ms: i64,
    /// External id that a client gave the call after its start. It takes the place of the id of the start
    /// while the call is live. [`Call::external_id`](super::Call::external_id) is a key and stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// True if the edge reports that the call is alive, so that silence ends it early.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_heartbeat: bool,
    /// Durations that the edge measured, as far as it has reported them.
    #[serde(default, skip_serializing_if = "MeasuredDurations::is_empty")]
    pub measured: MeasuredDurations,
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
            clock_lead_ms: 0,
            external_id: None,
            has_heartbeat: false,
            measured: MeasuredDurations::default(),
            prompt_playing: plays_prompt(&transition.actions),
        };
        (live, transition.actions)
    }

    /// Sets the server's time at the start, which the reported start may be ahead of.
    pub fn set_server_time(&mut self, server_time: Timestamp) {
        let lead = self.last_event_at.as_millisecond() - server_time.as_millisecond();
        self.clock_lead_ms = lead.max(0);
    }

    /// Returns the time of an event that is reported without one at a time of the server's clock. Durations
    /// are measured between events, independent of the clock of the edge.
    pub fn time_of_event(&self, server_time: Timestamp) -> Timestamp {
        let lead = SignedDuration::from_millis(self.clock_lead_ms);
        server_time.saturating_add(lead).unwrap_or(Timestamp::MAX).max(self.last_event_at)
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
        if let (NodeState::Menu(_) | NodeState::YesOrNo(_), Event::Key(key)) =
            (self.position.state, &event)
        {
            self.keys.push(*key);
        }
        self.position = transition.position;
        self.prompt_playing = plays_prompt(&transition.actions);
        if matches!(event, Event::Connected | Event::ConnectedTo(_)) {
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
    /// decision of the recorded facts then equals the course of the live call. `hang_up` is who or
    /// what ended the call, if the tree did not.
    ///
    /// Measured durations take precedence. A positive connect duration means that the call was connected,
    /// even if that was not reported. The durations of a connected call that exceeded its time limit are
    /// not known.
    pub fn finish_into(
        self,
        start: Timestamp,
        hang_up: Option<CallEnd>,
        recorded: &mut RecordedFacts,
    ) {
        let measured = self.measured;
        let seconds_since = |from: Timestamp| {
            let seconds = self.last_event_at.duration_since(from).as_secs();
            u32::try_from(seconds.max(0)).unwrap_or(u32::MAX)
        };
        let was_connected = self.connected_at.is_some();
        let is_lost = was_connected && hang_up == Some(CallEnd::TimeLimit);
        let timed = (!is_lost).then(|| self.connected_at.map_or(0, seconds_since));
        let connect_duration = measured.connect_duration.or(timed);
        let duration = measured.duration.or((!is_lost).then(|| seconds_since(start)));
        recorded.facts.duration = duration.map(|total| total.max(connect_duration.unwrap_or(0)));
        recorded.facts.connect_duration = connect_duration;
        recorded.keys = self.keys;
        recorded.events = self.events;
        let is_connected = was_connected || connect_duration.is_some_and(|seconds| seconds > 0);
        if is_connected && !was_connected {
            recorded.take_as_reported(Some(self.position.sms_sent));
        }
        recorded.end = hang_up.filter(|end| is_connected || *end == CallEnd::TimeLimit);
    }
}

fn is_zero(number: &i64) -> bool {
    *number == 0
}

fn plays_prompt(actions: &[Action]) -> bool {
    actions.iter().any(|action| matches!(action, Action::Say(_)))
}
