//! The binary's clock and random source. Other crates get both as arguments.

use jiff::Timestamp;
use std::cell::RefCell;
use std::sync::Arc;
use trunkline_api::{Clock, Random};

/// Current time in whole milliseconds, the precision of stored times.
#[expect(clippy::disallowed_methods, reason = "the binary's clock")]
pub(crate) fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}

/// Clock of a server.
pub(crate) fn clock() -> Clock {
    Arc::new(now)
}

/// Bytes read from the system's random source at a time. Every request needs an id, and a system call
/// for each would cost more than generating the bytes.
const ENTROPY_BUFFER_BYTES: usize = 2_048;

/// Random bytes of one thread that have not been handed out yet.
struct EntropyBuffer {
    bytes: [u8; ENTROPY_BUFFER_BYTES],
    /// Index of the first unused byte.
    next: usize,
}

thread_local! {
    static BUFFER: RefCell<EntropyBuffer> = const {
        RefCell::new(EntropyBuffer { bytes: [0; ENTROPY_BUFFER_BYTES], next: ENTROPY_BUFFER_BYTES })
    };
}

/// Returns 32 bytes of the system's random source and erases them from the buffer.
pub(crate) fn entropy() -> [u8; 32] {
    BUFFER.with_borrow_mut(EntropyBuffer::next_block)
}

impl EntropyBuffer {
    #[expect(clippy::disallowed_methods, reason = "the binary's random source")]
    fn next_block(&mut self) -> [u8; 32] {
        if self.next == ENTROPY_BUFFER_BYTES {
            getrandom::fill(&mut self.bytes).expect("the system has a random source");
            self.next = 0;
        }
        let mut block = [0; 32];
        block.swap_with_slice(&mut self.bytes[self.next..self.next + 32]);
        self.next += 32;
        block
    }
}

/// Random source of a server.
pub(crate) fn random() -> Random {
    Arc::new(entropy)
}
