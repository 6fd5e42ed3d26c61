//! Recorded input of a call, replayed when its IVR tree waits for an event.

use super::{CallEnd, CallFacts, RecordedFacts};
use crate::ivr::question::CONFIRMATION_KEY as ANSWER_CONFIRMATION_KEY;
use crate::ivr::run::{Event, NodeState};
use crate::ivr::verify_location::CONFIRMATION_KEY;
use std::slice::Iter;

/// Input of a hypothetical call, in order.
#[derive(Debug, Clone, Copy, Default)]
pub struct CallInput<'a> {
    /// Keys pressed at menus and at AnyKeyPress nodes.
    pub keys: &'a [char],
    /// Answers to NumberQuestions.
    pub digits: &'a [String],
    /// Results of dialling: [`Event::Connected`], [`Event::Busy`], [`Event::NoAnswer`] or
    /// [`Event::Failed`].
    pub dials: &'a [Event],
}

/// Input of a call in order: the events recorded while it was live, then events derived from its
/// keys and facts.
pub(super) struct CallScript<'a> {
    facts: &'a CallFacts,
    keys: Iter<'a, char>,
    digits: Iter<'a, String>,
    dials: Iter<'a, Event>,
    events: Iter<'a, Event>,
    /// Report of a call that was routed elsewhere.
    pub(super) reported: Option<Report<'a>>,
    /// Recorded end of the call.
    pub(super) end: Option<CallEnd>,
}

/// Report of a call that was routed elsewhere. Its facts take precedence over the path.
#[derive(Debug, Clone, Copy)]
pub(super) struct Report<'a> {
    /// Number of the destination.
    pub(super) destination: Option<&'a str>,
}

impl<'a> CallScript<'a> {
    /// Creates the script of a call that is given by its facts and keys.
    pub(super) fn from_keys(facts: &'a CallFacts, keys: &'a [char]) -> Self {
        Self::from_input(facts, CallInput { keys, ..CallInput::default() })
    }

    /// Creates the script of a call that is given by its facts and input.
    pub(super) fn from_input(facts: &'a CallFacts, input: CallInput<'a>) -> Self {
        Self {
            facts,
            keys: input.keys.iter(),
            digits: input.digits.iter(),
            dials: input.dials.iter(),
            events: [].iter(),
            reported: None,
            end: None,
        }
    }

    /// Creates the script of a stored call.
    pub(super) fn from_recorded(recorded: &'a RecordedFacts) -> Self {
        let RecordedFacts { facts, keys, digits, events, end, .. } = recorded;
        // The events of a live call include its keys.
        let keys: &[char] = if events.is_empty() { keys } else { &[] };
        let destination = recorded.destination_phone_number.as_deref();
        let reported = recorded.is_reported.then_some(Report { destination });
        let input = CallInput { keys, digits, dials: &[] };
        Self { events: events.iter(), reported, end: *end, ..Self::from_input(facts, input) }
    }

    /// Returns the next event that the state accepts; `None` means that the caller hangs up.
    ///
    /// Recorded events that the state does not accept are skipped: they occur when a call is
    /// replayed through a tree other than its own. A caller whose keys or digits are exhausted at a menu
    /// or a question hangs up there; at an AnyKeyPress the caller presses no key then. An answer is
    /// confirmed.
    pub(super) fn next_event(&mut self, state: NodeState) -> Option<Event> {
        let facts = self.facts;
        let recorded = self.events.find(|event| **event == Event::HungUp || accepts(state, event));
        match (recorded, state) {
            (Some(Event::HungUp), _) => None,
            (Some(event), _) => Some(event.clone()),
            (None, NodeState::Menu(_) | NodeState::YesOrNo(_)) => {
                self.keys.next().copied().map(Event::Key)
            }
            (None, NodeState::AnyKeyPress) => {
                Some(self.keys.next().copied().map_or(Event::Silence, Event::Key))
            }
            (None, NodeState::NumberQuestion(_)) => self.digits.next().cloned().map(Event::Digits),
            (None, NodeState::Confirmation(_)) => Some(Event::Key(ANSWER_CONFIRMATION_KEY)),
            (None, NodeState::SmsOffer) if facts.sms_sent == Some(true) => Some(Event::Key('9')),
            (None, NodeState::SmsOffer) => Some(Event::Silence),
            // Without a postal code the caller confirms the location, if there is one to confirm.
            (None, NodeState::LocationCheck(check)) if facts.zip.is_none() && check.has_guess => {
                Some(Event::Key(CONFIRMATION_KEY))
            }
            (None, NodeState::LocationCheck(_) | NodeState::ZipCodeEntry) => {
                Some(facts.zip.clone().map_or(Event::Silence, Event::Zip))
            }
            (None, NodeState::Dialling)
                if facts.connect_duration == Some(0) && self.dials.len() == 0 =>
            {
                Some(Event::NoAnswer)
            }
            (None, NodeState::Dialling) => {
                Some(self.dials.next().cloned().unwrap_or(Event::Connected))
            }
            (None, NodeState::Connected | NodeState::Ended { .. }) => None,
        }
    }
}

/// Returns true if a node in this state accepts the event. Hanging up is always accepted.
fn accepts(state: NodeState, event: &Event) -> bool {
    matches!(
        (state, event),
        (
            NodeState::Menu(_)
                | NodeState::AnyKeyPress
                | NodeState::YesOrNo(_)
                | NodeState::Confirmation(_)
                | NodeState::SmsOffer,
            Event::Key(_) | Event::Silence
        ) | (NodeState::NumberQuestion(_), Event::Key(_) | Event::Digits(_) | Event::Silence)
            | (
                NodeState::LocationCheck(_),
                Event::Key(_) | Event::Digits(_) | Event::Zip(_) | Event::Silence
            )
            | (NodeState::ZipCodeEntry, Event::Zip(_) | Event::Silence)
            | (
                NodeState::Dialling,
                Event::Connected
                    | Event::ConnectedTo(_)
                    | Event::Busy
                    | Event::NoAnswer
                    | Event::Failed
            )
    )
}
