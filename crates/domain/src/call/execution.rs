//! Execution of an IVR tree with the recorded input of a call.

use super::script::CallScript;
use super::{CallFacts, Outcome};
use crate::campaign::Terms;
use crate::ivr::Tracer;
use crate::ivr::run::{IvrContext, IvrRun, NodeState};

/// Finished execution.
pub(super) struct Execution<'a, T> {
    pub(super) run: IvrRun<'a, T>,
    pub(super) outcome: Outcome,
}

impl<T> Execution<'_, T> {
    pub(super) fn is_connected(&self) -> bool {
        self.outcome == Outcome::Connected
    }
}

/// Executes the tree of the terms. `script` provides an event whenever the tree waits for one.
pub(super) fn execute<'a, T: Tracer>(
    terms: &'a Terms,
    facts: &'a CallFacts,
    mut script: CallScript<'_>,
    tracer: T,
) -> Execution<'a, T> {
    let mut run = IvrRun::start(IvrContext { terms, facts }, tracer);
    let outcome = loop {
        let event = match run.position.state {
            NodeState::Ended { .. } => break Outcome::Ended,
            NodeState::Connected => break Outcome::Connected,
            state => script.next_event(state),
        };
        match event {
            None => break Outcome::Abandoned,
            // The script returns only events that the state accepts.
            Some(event) if run.apply_event(&event).is_ok() => {}
            Some(_) => break Outcome::Ended,
        }
    };
    Execution { run, outcome }
}
