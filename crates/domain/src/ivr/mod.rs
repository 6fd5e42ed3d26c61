//! IVR trees: prompts, menus, conditions and destinations of a call, and their execution.

mod check;
pub mod run;
mod trace;
mod tree;

pub use check::{DEPTH_LIMIT, NODE_LIMIT, check, check_for_live};
pub use tree::{
    CallerId, CallerIdSetting, IvrNode, IvrTree, KeypressFailover, NodeKind, QuestionType,
    RingDestination, SMS_DELAYS,
};

pub(crate) use trace::{NoTrace, Tracer};

#[cfg(test)]
mod tests;
