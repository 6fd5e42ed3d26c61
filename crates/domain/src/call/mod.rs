//! Calls: recorded facts, execution of the IVR tree, pricing and settlement.
//!
//! Simulated and real calls use the same evaluation; they differ only in the source of their facts.

mod area_code;
mod decision;
mod execution;
mod facts;
mod live_call;
mod price;
mod record;
mod script;
mod settlement;
mod zip_code;

pub use area_code::{Location, area_codes, place_of};
pub use decision::{Decision, Gate, Outcome, PaidPolicy, Payment, Step, TurnedAway, decide};
pub use facts::{CallFacts, Known, PhoneType, Way};
pub use live_call::Live;
pub use price::{MatchingPolicies, PaidAmount, PricedCall, price_call};
pub use record::{Call, Heard};
pub use settlement::{Correction, Settlement, Side, Transaction};
pub use zip_code::ZipCode;

#[cfg(test)]
mod tests;
