//! IVR trees: prompts, menus, conditions and destinations of a call, and their execution.

mod check;
mod destination;
pub mod dialling;
mod event;
mod position;
pub mod question;
mod question_type;
mod ring_order;
pub mod run;
mod trace;
mod tree;
pub mod verify_location;

pub use check::{MAX_DEPTH, MAX_NODES, check_tree, check_tree_for_live};
pub use question_type::QuestionType;
pub use tree::{
    CallerId, CallerIdSetting, DistributionMethod, IvrNode, IvrTree, KeypressFailover,
    MAX_DISTRIBUTION_WEIGHT, MAX_RING_GROUP_DESTINATIONS, MAX_SIMULTANEOUS_CALLS, NodeKind,
    QuestionOptions, RING_TIMEOUT_SECONDS, RingDestination, RingOptions, SMS_DELAYS_SECONDS,
};

pub(crate) use destination::Destination;
pub(crate) use trace::{NoTrace, Tracer};

#[cfg(test)]
mod table_tests;
#[cfg(test)]
mod tests;
