//! Trace hooks of an IVR execution, chosen at compile time. An untraced execution builds no trace.

use super::IvrNode;
use super::destination::Destination;
use super::event::{Action, Event, VisitedNode};
use crate::call::EvaluationContext;
use crate::condition::{Explanation, Expr, Key};

/// Receives the events of an IVR execution. The default methods record nothing.
pub(crate) trait Tracer {
    /// Recorded reason of a condition's value; `()` if none is recorded.
    type Reason;

    /// False if the trace records no actions and no dialled destinations.
    const IS_TRACED: bool = true;

    /// Evaluates a condition. Returns its value and the reason.
    fn evaluate(expr: &Expr, context: &EvaluationContext<'_>) -> (Option<bool>, Self::Reason);

    /// Records that the call entered a node. `path` holds child indices from the root, `prompt` the
    /// text played there (possibly empty), and `reason` that of a Condition node.
    fn on_enter(
        &mut self,
        _path: &[usize],
        _node: &IvrNode,
        _prompt: &str,
        _reason: Option<Self::Reason>,
    ) {
    }

    /// Records the key with which the call left the current menu.
    fn on_menu_key(&mut self, _key: Key) {}

    /// Records the answer to a NumberQuestion.
    fn on_digits(&mut self, _digits: &str) {}

    /// Records the destinations that ring at the current node.
    fn on_dial(&mut self, _ringing: &[Destination<'_>]) {}

    /// Records the end of the ringing: the destination with the index `answered` among those that ring
    /// answered, or none did.
    fn on_dial_result(&mut self, _event: &Event, _answered: usize) {}

    /// Records an action for the telephony edge.
    fn on_action(&mut self, _action: impl FnOnce() -> Action) {}
}

/// Tracer that records nothing.
pub(crate) struct NoTrace;

impl Tracer for NoTrace {
    type Reason = ();

    const IS_TRACED: bool = false;

    fn evaluate(expr: &Expr, context: &EvaluationContext<'_>) -> (Option<bool>, ()) {
        (expr.evaluate(context), ())
    }
}

/// Tracer that records the visited nodes and the actions, in order.
#[derive(Default)]
pub(super) struct ActionLog {
    pub(super) visited_nodes: Vec<VisitedNode>,
    pub(super) actions: Vec<Action>,
}

impl Tracer for ActionLog {
    type Reason = Explanation;

    fn evaluate(expr: &Expr, context: &EvaluationContext<'_>) -> (Option<bool>, Explanation) {
        let explanation = expr.explain(context);
        (explanation.value, explanation)
    }

    fn on_enter(
        &mut self,
        path: &[usize],
        node: &IvrNode,
        prompt: &str,
        reason: Option<Explanation>,
    ) {
        self.visited_nodes.push(VisitedNode {
            path: path.to_vec(),
            node_type: node.kind.type_name(),
            prompt: prompt.to_owned(),
            condition: reason,
        });
    }

    fn on_action(&mut self, action: impl FnOnce() -> Action) {
        self.actions.push(action());
    }
}
