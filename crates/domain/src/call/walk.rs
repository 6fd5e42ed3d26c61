//! A call sent down its tree by what is known of it.

use super::inputs::Inputs;
use super::{CallFacts, Outcome};
use crate::campaign::Terms;
use crate::ivr::Witness;
use crate::ivr::run::{Doing, Flow, Run};

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

/// Sends a call down its tree, answering what the tree asks.
pub(super) fn walk<'a, W: Witness>(
    terms: &'a Terms,
    facts: &'a CallFacts,
    mut inputs: Inputs<'_>,
    witness: W,
) -> Walk<'a, W> {
    let mut run = Run::begin(Flow { terms, facts }, witness);
    let outcome = loop {
        let event = match run.position.doing {
            Doing::Over { .. } => break Outcome::Ended,
            Doing::Talking => break Outcome::Connected,
            doing => inputs.next(doing),
        };
        match event {
            None => break Outcome::Abandoned,
            // Every event is one that its place takes.
            Some(event) if run.take(&event).is_ok() => {}
            Some(_) => break Outcome::Ended,
        }
    };
    Walk { run, outcome }
}
