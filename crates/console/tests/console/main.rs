//! Console tests: the router on a real database, used by browser clients.

#![expect(clippy::unwrap_used, reason = "tests")]

mod pages;
mod sign_in;
mod test_console;
