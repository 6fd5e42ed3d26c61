//! Who looks on while a call runs through a tree. The run is the same for all of them.

use super::IvrNode;
use super::run::{Action, Passed};
use crate::call::Known;
use crate::condition::{Explanation, Expr, Key};

/// What is noted of a run. Nothing is made that nobody looks at.
pub(crate) trait Witness {
    /// Why a condition came out as it did, as far as it is noted.
    type Why;

    /// A condition's value, and why.
    fn judge(expr: &Expr, known: &Known<'_>) -> (Option<bool>, Self::Why);

    /// The call came to a node, where something was said.
    fn came_to(&mut self, _at: &[usize], _node: &IvrNode, _said: &str, _why: Option<Self::Why>) {}

    /// A menu was left with a key.
    fn pressed(&mut self, _key: Key) {}

    /// An edge is asked to do something.
    fn act(&mut self, _action: impl FnOnce() -> Action) {}
}

/// Nobody looks on: only the outcome counts.
pub(crate) struct Nobody;

impl Witness for Nobody {
    type Why = ();

    fn judge(expr: &Expr, known: &Known<'_>) -> (Option<bool>, ()) {
        (expr.evaluate(known), ())
    }
}

/// The nodes passed and what the edge is asked to do, in order.
#[derive(Default)]
pub(super) struct Log {
    pub(super) passed: Vec<Passed>,
    pub(super) actions: Vec<Action>,
}

impl Witness for Log {
    type Why = Explanation;

    fn judge(expr: &Expr, known: &Known<'_>) -> (Option<bool>, Explanation) {
        let why = expr.explain(known);
        (why.value, why)
    }

    fn came_to(&mut self, at: &[usize], node: &IvrNode, said: &str, why: Option<Explanation>) {
        self.passed.push(Passed {
            at: at.to_vec(),
            node_type: node.kind.name(),
            prompt: said.to_owned(),
            condition: why,
        });
    }

    fn act(&mut self, action: impl FnOnce() -> Action) {
        self.actions.push(action());
    }
}
