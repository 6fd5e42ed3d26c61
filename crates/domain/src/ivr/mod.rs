//! IVR trees: prompts, menus, conditions and destinations of a call, and their execution.

mod check;
pub mod run;
mod trace;
mod tree;
pub mod verify_location;

pub use check::{MAX_DEPTH, MAX_NODES, check_tree, check_tree_for_live};
pub use tree::{
    CallerId, CallerIdSetting, IvrNode, IvrTree, KeypressFailover, NodeKind, QuestionType,
    RingDestination, SMS_DELAYS_SECONDS,
};

pub(crate) use trace::{NoTrace, Tracer};

#[cfg(test)]
mod tests;
