//! Execution of an IVR tree with the recorded input of a call.

use super::facts::IvrFacts;
use super::script::CallScript;
use super::{CallEnd, CallFacts, EvaluationContext, Outcome};
use crate::campaign::Terms;
use crate::ivr::Tracer;
use crate::ivr::run::{Event, IvrContext, IvrRun, NodeState};

/// Finished execution.
pub(super) struct Execution<'a, T> {
    pub(super) run: IvrRun<'a, T>,
    pub(super) outcome: Outcome,
    /// End of the call; `None` if the end of a connected call is unknown.
    pub(super) end: Option<CallEnd>,
    /// True if the call was routed elsewhere, so that its reported facts take precedence over its
    /// path.
    is_reported: bool,
    /// True if the execution stopped before the end of the tree, because the input was exhausted.
    is_incomplete: bool,
}

impl<T: Tracer> Execution<'_, T> {
    pub(super) fn is_connected(&self) -> bool {
        self.outcome == Outcome::Connected
    }

    /// Returns the facts after the end of the call.
    pub(super) fn evaluation_context(&self) -> EvaluationContext<'_> {
        let context = self.run.evaluation_context(Some(self.is_connected()));
        let ivr_facts = IvrFacts {
            is_reported: self.is_reported,
            is_incomplete: self.is_reported && self.is_incomplete,
            ..context.ivr_facts
        };
        EvaluationContext { ivr_facts, ..context }
    }
}

/// Executes the tree of the terms. `script` provides an event whenever the tree waits for one.
///
/// The facts of a call that was routed elsewhere take precedence over its path: a positive connect
/// duration means that it was connected, and 0 that it was not. If the connect duration is unknown, a
/// reported destination means that it was connected.
pub(super) fn execute<'a, T: Tracer>(
    terms: &'a Terms,
    facts: &'a CallFacts,
    mut script: CallScript<'_>,
    tracer: T,
) -> Execution<'a, T> {
    let mut run = IvrRun::start(IvrContext { terms, facts }, tracer);
    let mut last_event = None;
    let path_outcome = loop {
        let event = match run.position.state {
            NodeState::Ended { .. } => break Outcome::Ended,
            NodeState::Connected => break Outcome::Connected,
            state => script.next_event(state),
        };
        match event {
            None => break Outcome::Abandoned,
            // The script returns only events that the state accepts.
            Some(event) if run.apply_event(&event).is_ok() => last_event = Some(event),
            Some(_) => break Outcome::Ended,
        }
    };
    let reported = script.reported.and_then(|reported| match facts.connect_duration {
        Some(seconds) => Some(seconds > 0),
        None => reported.destination.is_some().then_some(true),
    });
    let outcome = match (reported, path_outcome) {
        (Some(true), _) => Outcome::Connected,
        (Some(false), Outcome::Connected) => Outcome::Ended,
        (_, outcome) => outcome,
    };
    let end = match outcome {
        Outcome::Connected => script.end,
        _ if script.end == Some(CallEnd::TimeLimit) => script.end,
        Outcome::Abandoned if run.position.state == NodeState::Dialling => {
            Some(CallEnd::RingingHungUp)
        }
        // The path contradicts the reported facts.
        Outcome::Ended if path_outcome == Outcome::Connected => None,
        _ => Some(end_of_path(&run, last_event.as_ref())),
    };
    Execution {
        run,
        outcome,
        end,
        is_reported: script.reported.is_some(),
        is_incomplete: path_outcome == Outcome::Abandoned,
    }
}

/// Returns the end of a call that was not connected, from the last event of its path. After the last
/// failed dial the tree may have ended the call at another node.
fn end_of_path<T: Tracer>(run: &IvrRun<'_, T>, last_event: Option<&Event>) -> CallEnd {
    match last_event {
        _ if !run.is_at_dialling_node() => CallEnd::IvrHungUp,
        Some(Event::Busy) => CallEnd::Busy,
        Some(Event::NoAnswer) => CallEnd::NoAnswer,
        Some(Event::Failed) => CallEnd::Failed,
        _ => CallEnd::IvrHungUp,
    }
}
