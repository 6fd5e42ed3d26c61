//! Domain types and rules of a pay-per-call network.
//!
//! This crate has no I/O, no async code, no HTTP, no SQL and no clock: time and randomness are
//! arguments. Values are constructed by parsing, so a value that exists is valid. Validation of a
//! request collects every error in [`problem::Problems`], each at the path of its property.

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
pub mod name_skeleton;
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
