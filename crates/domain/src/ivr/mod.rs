//! What a caller meets: a tree of prompts, menus, conditions and destinations.

mod check;
pub mod run;
mod tree;
mod witness;

pub use check::{DEPTH_LIMIT, NODE_LIMIT, check, check_for_live};
pub use tree::{
    CallerId, CallerIdSetting, IvrNode, IvrTree, KeypressFailover, NodeKind, QuestionType,
    RingDestination, SMS_DELAYS,
};

pub(crate) use witness::{Nobody, Witness};

#[cfg(test)]
mod tests;
