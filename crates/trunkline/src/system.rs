//! The one place that reads the clock and draws random bytes.

use jiff::Timestamp;
use std::sync::Arc;
use trunkline_api::{Clock, Random};

/// The time, in whole milliseconds: what is stored is what was said.
#[expect(clippy::disallowed_methods, reason = "the binary's clock")]
pub(crate) fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}

/// The clock of a server.
pub(crate) fn clock() -> Clock {
    Arc::new(now)
}

/// 32 bytes from the system's random source.
#[expect(clippy::disallowed_methods, reason = "the binary's random source")]
pub(crate) fn entropy() -> [u8; 32] {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("the system has a random source");
    bytes
}

/// The random source of a server.
pub(crate) fn random() -> Random {
    Arc::new(entropy)
}
