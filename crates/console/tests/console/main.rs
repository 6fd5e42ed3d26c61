//! The console as a browser meets it: the router on a real database.

#![expect(clippy::unwrap_used, reason = "tests")]

mod pages;
mod signing_in;
mod world;
