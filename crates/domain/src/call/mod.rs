//! A call: what is known of it, the way it takes through a campaign's tree, and what is paid for it.
//!
//! One evaluator serves whoever asks: an imagined call and a real one differ only in where their
//! facts come from.

mod area_code;
mod decision;
mod facts;
mod inputs;
mod live;
mod price;
mod record;
mod settlement;
mod walk;
mod zip_code;

pub use area_code::{Place, area_codes, place_of};
pub use decision::{Decision, Gate, Outcome, PaidPolicy, Payment, Step, TurnedAway, decide};
pub use facts::{CallFacts, Known, PhoneType, Way};
pub use live::Live;
pub use price::{Matching, Paid, Verdict, price_call};
pub use record::{Call, Heard};
pub use settlement::{Correction, Settlement, Side, Transaction};
pub use zip_code::ZipCode;

#[cfg(test)]
mod tests;
