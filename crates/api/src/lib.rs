//! The wire: the Network Integration API in every dated version, and the extensions beside it.
//!
//! A request walks one way: [`path`] takes the version, the network and the suffix off the path;
//! [`incoming`] finds who asks and reads the body; a file of [`resources`] reads the request's
//! shape, calls one use case and writes the response's shape; [`versions`] turns both into what
//! they were on the request's date; [`reply`] makes the bytes.

mod app;
mod auth;
mod errors;
mod examine;
mod fields;
mod incoming;
mod json;
mod list;
mod openapi;
mod path;
mod proof;
mod rate_limit;
mod reply;
mod resources;
mod router;
mod routes;
mod streams;
mod table;
pub mod versions;

pub use app::{App, Clock, Limits, Random};
pub use examine::examine;
pub use openapi::openapi;
pub use rate_limit::RateLimits;
pub use resources::events::envelope;
pub use router::{RequestId, router, service};
pub use routes::route_table;
pub use streams::{Ending, Streams};
