//! State that the console's handlers share.

use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use trunkline_network::credentials::Entropy;
use trunkline_network::{PasswordVerifier, Store, WorkLimits};

/// State of the console, provided by the server.
#[derive(Clone)]
pub struct Console {
    /// Database.
    pub store: Store,
    /// Clock.
    pub clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// Random source.
    pub random: Arc<dyn Fn() -> Entropy + Send + Sync>,
    /// Password verifier.
    pub passwords: Arc<PasswordVerifier>,
    /// Maximum time until the body of a form has arrived.
    pub body_timeout: Duration,
    /// Limits on expensive requests.
    pub work_limits: Arc<WorkLimits>,
    /// URL at which users reach the server. If it is https, session cookies have the attribute
    /// `Secure`, so that browsers send them over TLS only.
    pub base_url: String,
}

impl Console {
    /// Returns true if session cookies have the attribute `Secure`.
    pub(crate) fn has_secure_cookies(&self) -> bool {
        self.base_url.starts_with("https://")
    }
}
