//! The one place that reads the clock and draws random bytes.

use jiff::Timestamp;
use std::cell::RefCell;
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

/// Bytes drawn from the system's random source at a time: every request has an id, and asking the system
/// each time costs more than drawing it.
const DRAWN: usize = 2_048;

/// What a thread has drawn, and where that which was not given away yet begins.
struct Drawn {
    bytes: [u8; DRAWN],
    next: usize,
}

thread_local! {
    static RANDOM: RefCell<Drawn> =
        const { RefCell::new(Drawn { bytes: [0; DRAWN], next: DRAWN }) };
}

/// 32 bytes of the system's random source, which nobody else is given: they are wiped where they were.
pub(crate) fn entropy() -> [u8; 32] {
    RANDOM.with_borrow_mut(Drawn::take)
}

impl Drawn {
    #[expect(clippy::disallowed_methods, reason = "the binary's random source")]
    fn take(&mut self) -> [u8; 32] {
        if self.next == DRAWN {
            getrandom::fill(&mut self.bytes).expect("the system has a random source");
            self.next = 0;
        }
        let mut taken = [0; 32];
        taken.swap_with_slice(&mut self.bytes[self.next..self.next + 32]);
        self.next += 32;
        taken
    }
}

/// The random source of a server.
pub(crate) fn random() -> Random {
    Arc::new(entropy)
}
