//! What a call answers when its tree asks.

use super::{CallFacts, Heard};
use crate::ivr::run::{Doing, Event};
use std::slice::Iter;

/// A call's answers, in order: what was heard of it while it was live, and then, or else, what its
/// facts and keys come to.
pub(super) struct Inputs<'a> {
    facts: &'a CallFacts,
    keys: Iter<'a, char>,
    events: Iter<'a, Event>,
}

impl<'a> Inputs<'a> {
    /// Of a call that was told whole.
    pub(super) fn told(facts: &'a CallFacts, keys: &'a [char]) -> Self {
        Self { facts, keys: keys.iter(), events: [].iter() }
    }

    /// Of a call that is kept.
    pub(super) fn heard(heard: &'a Heard) -> Self {
        let Heard { facts, keys, events, .. } = heard;
        // The keys of a call that was live are among its events.
        let keys: &[char] = if events.is_empty() { keys } else { &[] };
        Self { facts, keys: keys.iter(), events: events.iter() }
    }

    /// What the call answers where its tree waits; `None` is hanging up. Keys that run out in a
    /// menu: the caller hung up there. What happened but does not fit the place is passed over, as
    /// when a call is sent down another tree than its own.
    pub(super) fn next(&mut self, doing: Doing) -> Option<Event> {
        let facts = self.facts;
        let heard = self.events.find(|event| **event == Event::HungUp || fits(doing, event));
        match (heard, doing) {
            (Some(Event::HungUp), _) => None,
            (Some(event), _) => Some(event.clone()),
            (None, Doing::Menu { .. }) => self.keys.next().copied().map(Event::Key),
            (None, Doing::OfferSms) if facts.sms_sent == Some(true) => Some(Event::Key('9')),
            (None, Doing::OfferSms) => Some(Event::Silence),
            (None, Doing::AskZip) => Some(facts.zip.clone().map_or(Event::Silence, Event::Zip)),
            (None, Doing::Dialling) if facts.connect_duration == Some(0) => Some(Event::NoAnswer),
            (None, Doing::Dialling) => Some(Event::Connected),
            (None, Doing::Talking | Doing::Over { .. }) => None,
        }
    }
}

/// Whether a place takes an event, besides hanging up.
fn fits(doing: Doing, event: &Event) -> bool {
    matches!(
        (doing, event),
        (Doing::Menu { .. } | Doing::OfferSms, Event::Key(_) | Event::Silence)
            | (Doing::AskZip, Event::Zip(_) | Event::Silence)
            | (Doing::Dialling, Event::Connected | Event::Busy | Event::NoAnswer)
    )
}
