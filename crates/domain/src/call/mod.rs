//! A call: what is known of it, the way it takes through a campaign's tree, and what is paid for it.
//!
//! One evaluator serves whoever asks: an imagined call and a real one differ only in where their
//! facts come from.

mod area_code;
mod decision;
mod facts;
mod record;
mod settlement;

pub use area_code::{Place, area_codes, place_of};
pub use decision::{Decision, Gate, Outcome, PaidPolicy, Payment, Step, TurnedAway, decide};
pub use facts::{CallFacts, Known, PhoneType};
pub use record::{Call, Heard};
pub use settlement::{Correction, Settlement, Side, Transaction};

#[cfg(test)]
mod tests;
