//! State shared by all requests: the store, the clock, the random source, and the limits.

use crate::body_memory::BodyMemory;
use crate::resources::call_batcher::CallBatcher;
use crate::{RateLimits, RecordingFiles, ShutdownSignal, StreamLimiter};
use jiff::Timestamp;
use std::net::IpAddr;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::Semaphore;
use trunkline_network::credentials::Entropy;
use trunkline_network::{
    Actor, CredentialCache, KeyedSemaphores, PasswordVerifier, Store, Tenant, WorkLimits,
};

/// Returns the current time. The binary passes the system clock; tests pass a fixed one.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Returns random bytes.
pub type Random = Arc<dyn Fn() -> Entropy + Send + Sync>;

/// Bodies read concurrently before authentication (the credential may be inside the body).
const MAX_UNAUTHENTICATED_BODIES: usize = 64;
/// Those of them that one address may send.
const MAX_UNAUTHENTICATED_BODIES_PER_ADDRESS: usize = 16;

/// Limits on one request, one credential and one call.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Maximum size of a request body, in bytes.
    pub max_body_bytes: usize,
    /// Maximum time until a body has arrived.
    pub body_timeout: Duration,
    /// Requests a second for each credential; `None` is unlimited.
    pub requests_per_second: Option<u32>,
    /// Bytes that a tenant may write into the audit log in a day; `None` is unlimited.
    pub audit_bytes_per_day: Option<u64>,
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
            audit_bytes_per_day: Some(256 << 20),
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
    pub rate_limits: Arc<RateLimits<Actor>>,
    /// Rate limit that the credentials of each tenant share: twice that of one.
    pub tenant_rate_limits: Arc<RateLimits<Tenant>>,
    /// Cached access tokens.
    pub credential_cache: CredentialCache,
    /// Password verifier.
    pub passwords: Arc<PasswordVerifier>,
    /// Limits on expensive requests.
    pub work_limits: Arc<WorkLimits>,
    /// Permits for bodies that are read before authentication.
    pub unauthenticated_body_permits: Arc<Semaphore>,
    /// Those of each address.
    pub unauthenticated_bodies_of_address: KeyedSemaphores<Option<IpAddr>>,
    /// Memory for bodies that are being received.
    pub body_memory: Arc<BodyMemory>,
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
            tenant_rate_limits: Arc::new(RateLimits::new(
                limits.requests_per_second.map(|limit| limit.saturating_mul(2)),
            )),
            credential_cache: CredentialCache::default(),
            passwords: Arc::new(PasswordVerifier::new(random())),
            work_limits: Arc::default(),
            unauthenticated_body_permits: Arc::new(Semaphore::new(MAX_UNAUTHENTICATED_BODIES)),
            unauthenticated_bodies_of_address: KeyedSemaphores::new(
                MAX_UNAUTHENTICATED_BODIES_PER_ADDRESS,
            ),
            body_memory: Arc::new(BodyMemory::new(limits.max_body_bytes)),
            recordings: OnceLock::new(),
            call_batcher: CallBatcher::default(),
            stream_limiter: Arc::default(),
            shutdown: ShutdownSignal::default(),
            clock,
            random,
        }))
    }
}
