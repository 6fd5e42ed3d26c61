//! A call: what is known of it, the way it takes through a campaign's tree, and what is paid for it.
//!
//! One evaluator serves whoever asks: an imagined call and a real one differ only in where their
//! facts come from.

mod area_code;
mod decision;
mod facts;

pub use area_code::{Place, place_of};
pub use decision::{Decision, Gate, PaidPolicy, Payment, Step, TurnedAway, decide};
pub use facts::{CallFacts, Known, PhoneType};

#[cfg(test)]
mod tests;
