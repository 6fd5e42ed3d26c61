//! State shared by all requests: the store, the clock, the random source, and the limits.

use crate::resources::call_batcher::CallBatcher;
use crate::{RateLimits, RecordingFiles, ShutdownSignal, StreamLimiter};
use jiff::Timestamp;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::Semaphore;
use trunkline_network::credentials::Entropy;
use trunkline_network::{Analyses, CredentialCache, PasswordVerifier, Store};

/// Returns the current time. The binary passes the system clock; tests pass a fixed one.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Returns random bytes.
pub type Random = Arc<dyn Fn() -> Entropy + Send + Sync>;

/// Bodies read concurrently before authentication (the credential may be inside the body).
const MAX_UNAUTHENTICATED_BODIES: usize = 64;

/// Memory for all bodies that are being received, in bytes. [`Limits::max_body_bytes`] replaces it where that
/// is larger. The first few kilobytes of each body do not count.
const BODY_BUDGET_BYTES: usize = 64 << 20;

/// Limits on one request, one credential and one call.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Maximum size of a request body, in bytes.
    pub max_body_bytes: usize,
    /// Maximum time until a body has arrived.
    pub body_timeout: Duration,
    /// Requests a second for each credential; `None` is unlimited.
    pub requests_per_second: Option<u32>,
    /// Maximum duration of a live call, measured from the request that started it.
    pub max_call_time: Duration,
    /// Time by which reported times may be ahead of the network's clock.
    pub clock_tolerance: Duration,
    /// Allows webhook URLs that resolve to private addresses.
    pub allow_private_webhooks: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_body_bytes: 1 << 20,
            body_timeout: Duration::from_secs(30),
            requests_per_second: Some(2_000),
            max_call_time: Duration::from_secs(4 * 60 * 60),
            clock_tolerance: Duration::from_secs(5 * 60),
            allow_private_webhooks: false,
        }
    }
}

/// Handle to the state shared by all requests of a server. Cloning copies a pointer.
#[derive(Clone)]
pub struct App(Arc<AppState>);

/// Fields of an [`App`].
pub struct AppState {
    /// Database.
    pub store: Store,
    /// Clock.
    pub clock: Clock,
    /// Random source.
    pub random: Random,
    /// Prefix of every `object_url`, without a trailing slash.
    pub base_url: Arc<str>,
    /// Limits on requests, credentials and calls.
    pub limits: Limits,
    /// Rate limit of each credential.
    pub rate_limits: Arc<RateLimits>,
    /// Cached access tokens.
    pub credential_cache: CredentialCache,
    /// Password verifier.
    pub passwords: Arc<PasswordVerifier>,
    /// Static analyses of terms.
    pub analyses: Analyses,
    /// Permits for replays. A replay uses every processor, so there is one.
    pub replay_permits: Arc<Semaphore>,
    /// Permits for bodies that are read before authentication.
    pub unauthenticated_body_permits: Arc<Semaphore>,
    /// One permit for each byte of the memory for bodies that are being received.
    pub body_budget: Arc<Semaphore>,
    /// Files of recordings; unset if no directory for them is known.
    pub recordings: OnceLock<RecordingFiles>,
    /// Groups calls that are reported concurrently into one transaction.
    pub(crate) call_batcher: CallBatcher,
    /// Limits the number of open event streams.
    pub stream_limiter: Arc<StreamLimiter>,
    /// Tells long-running responses that the server shuts down.
    pub shutdown: ShutdownSignal,
}

impl Deref for App {
    type Target = AppState;

    fn deref(&self) -> &AppState {
        &self.0
    }
}

impl App {
    /// Creates the state of a server on an opened store.
    pub fn new(store: Store, clock: Clock, random: Random, base_url: &str, limits: Limits) -> Self {
        Self(Arc::new(AppState {
            store,
            base_url: base_url.trim_end_matches('/').into(),
            limits,
            rate_limits: Arc::new(RateLimits::new(limits.requests_per_second)),
            credential_cache: CredentialCache::default(),
            passwords: Arc::new(PasswordVerifier::new(random())),
            analyses: Analyses::default(),
            replay_permits: Arc::new(Semaphore::new(1)),
            unauthenticated_body_permits: Arc::new(Semaphore::new(MAX_UNAUTHENTICATED_BODIES)),
            body_budget: Arc::new(Semaphore::new(limits.max_body_bytes.max(BODY_BUDGET_BYTES))),
            recordings: OnceLock::new(),
            call_batcher: CallBatcher::default(),
            stream_limiter: Arc::default(),
            shutdown: ShutdownSignal::default(),
            clock,
            random,
        }))
    }
}
