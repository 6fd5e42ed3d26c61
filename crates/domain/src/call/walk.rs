//! A call sent down its tree by what is known of it.

use super::{CallFacts, Outcome};
use crate::campaign::Terms;
use crate::ivr::Witness;
use crate::ivr::run::{Doing, Event, Flow, Run};

/// A call at its end.
pub(super) struct Walk<'a, W> {
    pub(super) run: Run<'a, W>,
    pub(super) outcome: Outcome,
}

impl<W> Walk<'_, W> {
    pub(super) fn connected(&self) -> bool {
        self.outcome == Outcome::Connected
    }
}

/// Sends a call down its tree, answering what the tree asks by the facts.
pub(super) fn walk<'a, W: Witness>(
    terms: &'a Terms,
    facts: &'a CallFacts,
    keys: &[char],
    witness: W,
) -> Walk<'a, W> {
    let mut run = Run::begin(Flow { terms, facts }, witness);
    let mut keys = keys.iter().copied();
    let outcome = loop {
        match answer(run.position.doing, facts, &mut keys) {
            // Every event is one that its place takes.
            Ok(event) if run.take(&event).is_ok() => {}
            Ok(_) => break Outcome::Ended,
            Err(outcome) => break outcome,
        }
    };
    Walk { run, outcome }
}

/// What happens next to a call of which this is known, or how it went. Keys that run out in a
/// menu: the caller hung up there.
pub(super) fn answer(
    doing: Doing,
    facts: &CallFacts,
    keys: &mut impl Iterator<Item = char>,
) -> Result<Event, Outcome> {
    Ok(match doing {
        Doing::Over { .. } => return Err(Outcome::Ended),
        Doing::Talking => return Err(Outcome::Connected),
        Doing::Menu { .. } => Event::Key(keys.next().ok_or(Outcome::Abandoned)?),
        Doing::OfferSms if facts.sms_sent == Some(true) => Event::Key('9'),
        Doing::OfferSms => Event::Silence,
        Doing::AskZip => facts.zip.clone().map_or(Event::Silence, Event::Zip),
        Doing::Dialling if facts.connect_duration == Some(0) => Event::NoAnswer,
        Doing::Dialling => Event::Connected,
    })
}
