//! What every request needs: the store, the clock, and the limits.

use crate::resources::calls_together::Together;
use crate::{Ending, RateLimits, Streams};
use jiff::Timestamp;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use trunkline_network::credentials::Entropy;
use trunkline_network::{Credentials, Passwords, Store};

/// Reads the time. The binary's is the system's; a test's is what the test says.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Draws random bytes.
pub type Random = Arc<dyn Fn() -> Entropy + Send + Sync>;

/// Bodies that are read at once before a credential was shown: each may show one.
const STRANGERS: usize = 64;

/// Bytes of all bodies that are on their way at once, beyond a little of each; a body that may be
/// larger than that by itself has as much.
const BODIES: usize = 64 << 20;

/// Bounds on what one request may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of a request's body.
    pub body: usize,
    /// How long a body may take to arrive.
    pub body_time: Duration,
    /// Requests a second for each credential; `None` is no limit.
    pub requests_per_second: Option<u32>,
    /// How long a live call may be left hanging, from when its start was told.
    pub call_time: Duration,
    /// Whether webhooks may lead into the host's own network.
    pub private_webhooks: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 1 << 20,
            body_time: Duration::from_secs(30),
            requests_per_second: Some(2_000),
            call_time: Duration::from_secs(4 * 60 * 60),
            private_webhooks: false,
        }
    }
}

/// Shared by all requests of a server.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// What an [`App`] is made of.
pub struct Parts {
    /// Where everything is kept.
    pub store: Store,
    /// What time it is.
    pub clock: Clock,
    /// Where random bytes come from.
    pub random: Random,
    /// What object_urls start with, without a slash at the end.
    pub base_url: Arc<str>,
    /// Bounds.
    pub limits: Limits,
    /// How much each credential has asked for.
    pub rates: Arc<RateLimits>,
    /// Tokens that were found good.
    pub credentials: Credentials,
    /// Verifies passwords.
    pub passwords: Arc<Passwords>,
    /// Whose turn it is to replay calls.
    pub replays: Arc<Semaphore>,
    /// Whose turn it is to send a body before it is known who they are.
    pub strangers: Arc<Semaphore>,
    /// Room for bodies that are on their way.
    pub bodies: Arc<Semaphore>,
    /// Calls that are told at once.
    pub(crate) calls: Together,
    /// Who listens to events.
    pub streams: Arc<Streams>,
    /// Whether the server is going down.
    pub ending: Ending,
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl App {
    /// An app on an opened store.
    pub fn new(store: Store, clock: Clock, random: Random, base_url: &str, limits: Limits) -> Self {
        Self(Arc::new(Parts {
            store,
            base_url: base_url.trim_end_matches('/').into(),
            limits,
            rates: Arc::new(RateLimits::new(limits.requests_per_second)),
            credentials: Credentials::default(),
            passwords: Arc::new(Passwords::new(random())),
            replays: Arc::new(Semaphore::new(1)),
            strangers: Arc::new(Semaphore::new(STRANGERS)),
            bodies: Arc::new(Semaphore::new(limits.body.max(BODIES))),
            calls: Together::default(),
            streams: Arc::default(),
            ending: Ending::default(),
            clock,
            random,
        }))
    }
}
