//! Outbox workers: send events to webhooks and mail to users, concurrently with requests.
//!
//! The outbox is in the database. Several servers on one database share the work by leases.

mod http;
mod mail;
mod recordings;
mod smtp;
mod sound_file;
mod webhooks;

pub(crate) use smtp::{Mailer, MailerSettings};

use crate::tls;
use http::HttpClient;
use jiff::SignedDuration;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring};
use trunkline_api::{App, ShutdownSignal};
use trunkline_network::outbox::{self, AttemptOutcome, RetryPolicy};
use trunkline_network::{Error, Store, UnitOfWork};

/// Longest time between two polls, for what other processes wrote and for what became due.
const POLL_INTERVAL: Duration = Duration::from_secs(3);
/// Time between two deletions of expired rows.
const PURGE_INTERVAL: Duration = Duration::from_secs(60);
/// Time for attempts in progress to finish after the server stopped. Aborted ones become due again.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(2);

/// Settings of the outbox workers.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Delay between the first attempt and the second.
    pub(crate) first_retry_delay: Duration,
    /// Timeout of a webhook request.
    pub(crate) timeout: Duration,
    /// Certificate authorities trusted for TLS.
    pub(crate) roots: RootCertStore,
    /// SMTP client; `None` if no mail is sent.
    pub(crate) mailer: Option<Mailer>,
}

impl Settings {
    /// Default delay between the first attempt and the second.
    pub(crate) const FIRST_RETRY_DELAY: Duration = Duration::from_secs(5);
    /// Default timeout of a webhook request.
    pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            first_retry_delay: Self::FIRST_RETRY_DELAY,
            timeout: Self::TIMEOUT,
            roots: RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() },
            mailer: None,
        }
    }
}

/// Mozilla's certificate authorities, and those of a PEM file.
pub(crate) fn root_certificates(ca_file: Option<&Path>) -> Result<RootCertStore, tls::Error> {
    let mut roots = Settings::default().roots;
    let Some(file) = ca_file else { return Ok(roots) };
    for certificate in tls::certificates(file)? {
        let untrusted = |source| tls::Error::Untrusted { file: file.to_owned(), source };
        roots.add(certificate).map_err(untrusted)?;
    }
    Ok(roots)
}

/// State shared by the workers.
#[derive(Clone)]
struct DeliveryContext {
    store: Store,
    app: App,
    /// Timeout of one attempt.
    timeout: Duration,
    retry_policy: RetryPolicy,
}

/// Running worker tasks.
pub(crate) struct OutboxWorkers(JoinSet<()>);

/// Starts the workers.
pub(crate) fn start(app: &App, settings: Settings) -> OutboxWorkers {
    let Settings { first_retry_delay, timeout, roots, mailer } = settings;
    let first_wait = SignedDuration::try_from(first_retry_delay).unwrap_or(SignedDuration::ZERO);
    // Longer than the timeout, because storing the outcome takes time too.
    let lease = SignedDuration::try_from(timeout * 2).unwrap_or(SignedDuration::ZERO);
    let retry_policy = RetryPolicy { first_delay: first_wait, lease };
    let context =
        DeliveryContext { store: app.store.clone(), app: app.clone(), timeout, retry_policy };
    let mut workers = JoinSet::new();
    match tls_connector(roots) {
        Ok(tls) => {
            let client = HttpClient { tls, allow_private: app.limits.allow_private_webhooks };
            let client = Arc::new(client);
            if let Some(files) = app.recordings.get() {
                let files = files.clone();
                workers.spawn(recordings::run(context.clone(), Arc::clone(&client), files));
            }
            workers.spawn(webhooks::run(context.clone(), client));
        }
        Err(error) => {
            tracing::error!(%error, "cannot set up TLS: webhooks are not delivered, and recordings not fetched");
        }
    }
    if let Some(mailer) = mailer {
        workers.spawn(mail::run(context.clone(), Arc::new(mailer)));
    }
    workers.spawn(purge_periodically(context));
    OutboxWorkers(workers)
}

fn tls_connector(roots: RootCertStore) -> Result<TlsConnector, tokio_rustls::rustls::Error> {
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}

impl OutboxWorkers {
    /// Waits up to [`SHUTDOWN_GRACE`] for the attempts in progress. The app's shutdown signal must have
    /// been given, so that no new attempt starts.
    pub(crate) async fn stop(mut self) {
        let finish = async { while self.0.join_next().await.is_some() {} };
        if tokio::time::timeout(SHUTDOWN_GRACE, finish).await.is_err() {
            tracing::info!("aborted webhook or mail attempts: they are repeated at the next start");
        }
    }
}

impl DeliveryContext {
    fn shutdown_signal(&self) -> ShutdownSignal {
        self.app.shutdown.clone()
    }

    fn now(&self) -> jiff::Timestamp {
        (self.app.clock)()
    }

    /// Random number, 0–255, that spreads retries.
    fn jitter(&self) -> u8 {
        (self.app.random)()[0]
    }

    /// Time until a due time, between zero and [`POLL_INTERVAL`].
    fn time_until(&self, due: Option<jiff::Timestamp>) -> Duration {
        let wait = due.map(|due| due.duration_since(self.now()));
        let wait = wait.and_then(|wait| Duration::try_from(wait).ok()).unwrap_or(POLL_INTERVAL);
        wait.min(POLL_INTERVAL)
    }

    /// Runs an attempt with the timeout; a timed-out attempt counts as failed.
    async fn with_timeout<F>(&self, attempt: F) -> AttemptOutcome
    where
        F: Future<Output = AttemptOutcome>,
    {
        let timed_out = || {
            let error = format!("took longer than {:?}", self.timeout);
            AttemptOutcome::Retryable { status: None, error }
        };
        tokio::time::timeout(self.timeout, attempt).await.unwrap_or_else(|_| timed_out())
    }
}

async fn purge_periodically(context: DeliveryContext) {
    loop {
        if let Err(error) = purge(&context).await {
            tracing::warn!(%error, "cannot delete expired rows of the outbox");
        }
        tokio::select! {
            () = context.app.shutdown.triggered() => return,
            () = tokio::time::sleep(PURGE_INTERVAL) => {}
        }
    }
}

/// Deletes expired rows and reschedules items that a clock which was set back has postponed, in batches,
/// each in a transaction of its own.
async fn purge(context: &DeliveryContext) -> Result<(), Error> {
    let now = context.now();
    // A mail may be leased for longer than a delivery.
    let lease = SignedDuration::try_from(mail::MAIL_TIMEOUT * 2).unwrap_or(SignedDuration::ZERO);
    let policy =
        RetryPolicy { lease: lease.max(context.retry_policy.lease), ..context.retry_policy };
    let mut has_postponed = context.store.read(|unit| outbox::has_postponed(unit, now, policy))?;
    while has_postponed {
        let reschedule = move |unit: &mut UnitOfWork<'_>| {
            outbox::reschedule_after_clock_change(unit, now, policy)
        };
        has_postponed = context.store.write(reschedule).await?;
        tokio::task::yield_now().await;
    }
    // Usually nothing has expired; the read avoids a write then.
    let mut has_more = context.store.read(|unit| outbox::has_expired(unit, now))?;
    while has_more {
        has_more = context.store.write(move |unit| outbox::expire_and_purge(unit, now)).await?;
        tokio::task::yield_now().await;
    }
    Ok(())
}
