//! What the words of a pay-per-call network mean.
//!
//! No I/O, no async, no HTTP, no SQL and no clock: time and randomness come in as arguments.
//! Values are made by parsing and cannot be wrong afterwards; what a request got wrong is
//! collected in [`problem::Problems`], all of it at once, by path.

pub mod affiliation;
pub mod call;
pub mod campaign;
pub mod condition;
pub mod email;
pub mod event;
pub mod findings;
pub mod hours;
pub mod id;
pub mod ivr;
pub mod money;
pub mod party;
pub mod phone;
pub mod problem;
pub mod promo;
pub mod region;
#[cfg(test)]
mod sample;
pub mod text;
pub mod timezone;
pub mod webhook;
