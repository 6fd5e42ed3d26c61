//! What a server sends by itself: events to webhooks, mail to users. It goes on beside the requests, by
//! what is in the database, and shares it with any other server on the same database.

mod http;
mod mail;
mod smtp;
mod webhooks;

pub(crate) use smtp::{Mailer, MailerSettings};

use crate::tls;
use http::Http;
use jiff::SignedDuration;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring};
use trunkline_api::{App, Ending};
use trunkline_network::outbox::{self, Outcome, Pace};
use trunkline_network::{Error, Store};

/// How often to look for what another process wrote, or what came due.
const POLL: Duration = Duration::from_secs(3);
/// How often to look for what is old.
const SWEEP: Duration = Duration::from_secs(60);
/// How long what is under way may take once the server has stopped. What is cut off is due again.
const GRACE: Duration = Duration::from_secs(2);

/// What sending goes by.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The wait after a first attempt.
    pub(crate) first_wait: Duration,
    /// How long a receiver may take.
    pub(crate) time: Duration,
    /// Whom to trust, in TLS.
    pub(crate) trust: RootCertStore,
    /// What sends mail, if anything does.
    pub(crate) mailer: Option<Mailer>,
}

impl Settings {
    /// The wait after a first attempt, unless it is set.
    pub(crate) const FIRST_WAIT: Duration = Duration::from_secs(5);
    /// How long a receiver may take, unless it is set.
    pub(crate) const TIME: Duration = Duration::from_secs(10);
}

impl Default for Settings {
    fn default() -> Self {
        let trust = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        Self { first_wait: Self::FIRST_WAIT, time: Self::TIME, trust, mailer: None }
    }
}

/// The world's certificate authorities, and those of a PEM file.
pub(crate) fn trust(more: Option<&Path>) -> Result<RootCertStore, tls::Error> {
    let mut trust = Settings::default().trust;
    for certificate in more.map(tls::certificates).transpose()?.into_iter().flatten() {
        let file = more.unwrap_or(Path::new("")).to_owned();
        trust.add(certificate).map_err(|source| tls::Error::Untrusted { file, source })?;
    }
    Ok(trust)
}

/// What every sender needs.
#[derive(Clone)]
struct Post {
    store: Store,
    app: App,
    time: Duration,
    pace: Pace,
}

/// Senders at work.
pub(crate) struct Senders(JoinSet<()>);

/// Starts sending.
pub(crate) fn start(app: &App, settings: Settings) -> Senders {
    let Settings { first_wait, time, trust, mailer } = settings;
    let first_wait = SignedDuration::try_from(first_wait).unwrap_or(SignedDuration::ZERO);
    // Storing how it went takes time too.
    let lease = SignedDuration::try_from(time * 2).unwrap_or(SignedDuration::ZERO);
    let pace = Pace { first_wait, lease };
    let post = Post { store: app.store.clone(), app: app.clone(), time, pace };
    let mut senders = JoinSet::new();
    match connector(trust) {
        Ok(tls) => {
            let http = Arc::new(Http { tls, allow_private: app.limits.private_webhooks });
            senders.spawn(webhooks::run(post.clone(), http));
        }
        Err(error) => tracing::error!(%error, "nothing is sent to webhooks: TLS cannot be set up"),
    }
    if let Some(mailer) = mailer {
        senders.spawn(mail::run(post.clone(), Arc::new(mailer)));
    }
    senders.spawn(sweep(post));
    Senders(senders)
}

fn connector(trust: RootCertStore) -> Result<TlsConnector, tokio_rustls::rustls::Error> {
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(trust)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}

impl Senders {
    /// Waits for what is under way, for a little while. The app is ending: nothing new is begun.
    pub(crate) async fn stop(mut self) {
        let ended = async { while self.0.join_next().await.is_some() {} };
        if tokio::time::timeout(GRACE, ended).await.is_err() {
            tracing::info!("what was being sent is cut off, and sent again at the next start");
        }
    }
}

impl Post {
    fn ending(&self) -> Ending {
        self.app.ending.clone()
    }

    fn now(&self) -> jiff::Timestamp {
        (self.app.clock)()
    }

    /// 0–255.
    fn jitter(&self) -> u8 {
        (self.app.random)()[0]
    }

    /// How long to wait for something that is due at a moment, at most until the next look.
    fn until(&self, due: Option<jiff::Timestamp>) -> Duration {
        let wait = due.map(|due| due.duration_since(self.now()));
        let wait = wait.and_then(|wait| Duration::try_from(wait).ok()).unwrap_or(POLL);
        wait.min(POLL)
    }

    /// An attempt, within its time.
    async fn within<F>(&self, attempt: F) -> Outcome
    where
        F: Future<Output = Outcome>,
    {
        let late = || {
            let error = format!("took longer than {:?}", self.time);
            Outcome::Failed { status: None, error }
        };
        tokio::time::timeout(self.time, attempt).await.unwrap_or_else(|_| late())
    }
}

async fn sweep(post: Post) {
    loop {
        if let Err(error) = sweep_all(&post).await {
            tracing::warn!(%error, "what is old could not be swept away");
        }
        tokio::select! {
            () = post.app.ending.begun() => return,
            () = tokio::time::sleep(SWEEP) => {}
        }
    }
}

async fn sweep_all(post: &Post) -> Result<(), Error> {
    let now = post.now();
    // Most of the time there is nothing, and nothing is written.
    let mut more = post.store.read(|session| outbox::has_stale(session, now))?;
    while more {
        more = post.store.write(move |session| outbox::sweep(session, now)).await?;
        tokio::task::yield_now().await;
    }
    Ok(())
}
