//! The console as a browser meets it: the router on a real database.

mod pages;
mod signing_in;
mod world;
