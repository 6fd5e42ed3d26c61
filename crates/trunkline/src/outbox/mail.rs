//! Mail worker: sends queued mail over SMTP, with bounded concurrency; networks take turns.

use super::{DeliveryContext, POLL_INTERVAL};
use crate::outbox::Mailer;
use jiff::SignedDuration;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::{Id, JoinError, JoinSet};
use trunkline_domain::id::NetworkId;
use trunkline_network::outbox::{self, AttemptOutcome, RetryPolicy};
use trunkline_network::{Error, MailRecord, email_verifications};

/// Mails sent concurrently.
const MAX_CONCURRENT_MAILS: usize = 4;
/// Timeout of one mail; an SMTP dialogue has several round trips.
pub(super) const MAIL_TIMEOUT: Duration = Duration::from_secs(30);

/// Sends mail until the server shuts down, then finishes the attempts in progress.
pub(super) async fn run(mut context: DeliveryContext, mailer: Arc<Mailer>) {
    context.timeout = MAIL_TIMEOUT;
    let lease = SignedDuration::try_from(MAIL_TIMEOUT * 2).unwrap_or(SignedDuration::ZERO);
    context.retry_policy = RetryPolicy { lease, ..context.retry_policy };
    let shutdown = context.shutdown_signal();
    let mut commits = context.store.subscribe_commits();
    let mut attempts = JoinSet::new();
    let mut turns = Turns::default();
    loop {
        commits.mark_unchanged();
        let wait = match lease_due(&context, &mut turns).await {
            Ok(due) => {
                for mail in due.mails {
                    let network = mail.network_id;
                    let task = attempts.spawn(attempt(context.clone(), Arc::clone(&mailer), mail));
                    turns.start(task.id(), network);
                }
                due.next_poll
            }
            Err(error) => {
                tracing::warn!(%error, "cannot load the mail that is due");
                POLL_INTERVAL
            }
        };
        tokio::select! {
            () = shutdown.triggered() => break,
            result = commits.changed() => if result.is_err() { break },
            Some(result) = attempts.join_next_with_id() => turns.end(&result),
            () = tokio::time::sleep(wait) => {}
        }
        while let Some(result) = attempts.try_join_next_with_id() {
            turns.end(&result);
        }
    }
    while attempts.join_next().await.is_some() {}
}

/// Order in which networks send mail: the one with the fewest mails on their way is next, then the one
/// whose last mail was started the longest ago. So a network with many mails delays others by one mail.
#[derive(Default)]
struct Turns {
    /// Networks of the mails on their way, by task.
    in_progress: HashMap<Id, NetworkId>,
    /// Number of the last start of each network that has due mail.
    last_start: HashMap<NetworkId, u64>,
    starts: u64,
}

impl Turns {
    fn free(&self) -> usize {
        MAX_CONCURRENT_MAILS.saturating_sub(self.in_progress.len())
    }

    fn start(&mut self, task: Id, network: NetworkId) {
        self.in_progress.insert(task, network);
    }

    fn end(&mut self, result: &Result<(Id, ()), JoinError>) {
        let id = match result {
            Ok((id, ())) => *id,
            Err(error) => error.id(),
        };
        self.in_progress.remove(&id);
    }

    /// Chooses the networks of the next mails, one for each free place; a network may occur several times.
    fn choose(&mut self, due: &[NetworkId]) -> Vec<NetworkId> {
        self.last_start.retain(|network, _| due.contains(network));
        let mut on_their_way: HashMap<NetworkId, usize> = HashMap::new();
        for network in self.in_progress.values() {
            *on_their_way.entry(*network).or_default() += 1;
        }
        let mut chosen = Vec::new();
        for _ in 0..self.free() {
            let load = |network: &&NetworkId| {
                let last = self.last_start.get(network).copied().unwrap_or(0);
                (on_their_way.get(network).copied().unwrap_or(0), last)
            };
            let Some(network) = due.iter().min_by_key(load).copied() else { break };
            self.starts += 1;
            self.last_start.insert(network, self.starts);
            *on_their_way.entry(network).or_default() += 1;
            chosen.push(network);
        }
        chosen
    }
}

/// Mails leased for sending, and the time until more may be due.
struct LeasedMails {
    mails: Vec<MailRecord>,
    next_poll: Duration,
}

/// Leases mails that are due, one for each free place.
async fn lease_due(context: &DeliveryContext, turns: &mut Turns) -> Result<LeasedMails, Error> {
    let now = context.now();
    let policy = context.retry_policy;
    let mut mails = Vec::new();
    if turns.free() > 0 {
        // Leasing is a write, so a read first checks that there is something to lease.
        let due = context.store.read::<_, Error>(|unit| Ok(unit.networks_with_due_mails(now)?))?;
        let chosen = turns.choose(&due);
        if !chosen.is_empty() {
            let lease = move |unit: &mut trunkline_network::UnitOfWork<'_>| {
                let mut leased = Vec::new();
                for network in chosen {
                    leased.extend(outbox::lease_mails(unit, network, now, policy, 1)?);
                }
                Ok::<_, Error>(leased)
            };
            mails = context.store.write(lease).await?;
        }
    }
    let next = context.store.read::<_, Error>(|unit| Ok(unit.next_mail_due_at(now)?))?;
    Ok(LeasedMails { mails, next_poll: context.time_until(next) })
}

/// Sends a mail once and stores the outcome.
async fn attempt(context: DeliveryContext, mailer: Arc<Mailer>, mail: MailRecord) {
    let outcome = match with_link(&context, &mail).await {
        Ok(Some(complete)) => context.with_timeout(mailer.send(&complete, context.now())).await,
        Ok(None) => AttemptOutcome::Rejected { status: None, error: NOT_NEEDED.to_owned() },
        Err(error) => AttemptOutcome::Retryable { status: None, error: error.to_string() },
    };
    let now = context.now();
    let policy = context.retry_policy;
    let jitter = context.jitter();
    let id = mail.id;
    let stored = context
        .store
        .write(move |unit| outbox::record_mail_attempt(unit, mail, outcome, now, policy, jitter));
    if let Err(error) = stored.await {
        tracing::warn!(%error, mail = id.get(), "cannot store the outcome of a mail, sending it again");
    }
}

/// Error of a mail that asks for the confirmation of an address which was confirmed or removed since.
const NOT_NEEDED: &str = "not sent: the address was confirmed or removed";

/// Returns the mail with its link, for a mail that asks for the confirmation of its address, with a new
/// token; another mail unchanged. `None` if the mail is not to be sent.
async fn with_link(
    context: &DeliveryContext,
    mail: &MailRecord,
) -> Result<Option<MailRecord>, Error> {
    let Some(id) = mail.email_verification_id else { return Ok(Some(mail.clone())) };
    let entropy = (context.app.random)();
    let now = context.now();
    let issue = move |unit: &mut trunkline_network::UnitOfWork<'_>| {
        email_verifications::issue_token(unit, id, &entropy, now)
    };
    let token = context.store.write(issue).await?;
    Ok(token.map(|token| {
        let link = email_verifications::link(&context.app.base_url, &token);
        let body = mail.body.replace(email_verifications::LINK_PLACEHOLDER, &link);
        MailRecord { body, ..mail.clone() }
    }))
}
