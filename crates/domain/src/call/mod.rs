//! Calls: recorded facts, execution of the IVR tree, pricing and settlement.
//!
//! Simulated and real calls use the same evaluation; they differ only in the source of their facts.

mod area_code;
mod calling_code;
mod decision;
mod end;
mod execution;
mod facts;
mod live_call;
mod place;
mod price;
mod record;
mod script;
mod settlement;
mod zip_code;

pub use area_code::{
    AddedAreaCodes, AreaCodeError, Location, area_codes_of, locate_area_code, set_added_area_codes,
};
pub use calling_code::{country_of_number, split_calling_code};
pub use decision::{
    Admission, Decision, DialAttempt, Outcome, PathStep, Payment, PolicyEvaluation,
    RejectionReason, decide, decide_with_input,
};
pub use end::CallEnd;
pub use facts::{CallFacts, EvaluationContext, IvrFacts, PhoneType};
pub use live_call::{LiveCall, MeasuredDurations};
pub use place::{CallerLocation, DerivedLocations, StoredLocation, locate_number};
pub use price::{MatchingPolicies, PaidAmount, PricedCall, price_call};
pub use record::{Call, CallDirection, RecordedFacts};
pub use script::CallInput;
pub use settlement::{Attribution, Correction, LedgerAmount, Settlement, Transaction};
pub use zip_code::ZipCode;

#[cfg(test)]
mod tests;
