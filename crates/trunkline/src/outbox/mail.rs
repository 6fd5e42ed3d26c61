//! Mail worker: sends queued mail over SMTP, with bounded concurrency.

use super::{DeliveryContext, POLL_INTERVAL};
use crate::outbox::Mailer;
use jiff::SignedDuration;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use trunkline_network::outbox::{self, RetryPolicy};
use trunkline_network::{Error, MailRecord};

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
    loop {
        commits.mark_unchanged();
        let capacity = MAX_CONCURRENT_MAILS.saturating_sub(attempts.len());
        let wait = match lease_due(&context, capacity).await {
            Ok(due) => {
                for mail in due.mails {
                    attempts.spawn(attempt(context.clone(), Arc::clone(&mailer), mail));
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
            Some(_) = attempts.join_next() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
    while attempts.join_next().await.is_some() {}
}

/// Mails leased for sending, and the time until more may be due.
struct LeasedMails {
    mails: Vec<MailRecord>,
    next_poll: Duration,
}

/// Leases up to `capacity` mails that are due.
async fn lease_due(context: &DeliveryContext, capacity: usize) -> Result<LeasedMails, Error> {
    let now = context.now();
    let policy = context.retry_policy;
    // Leasing is a write, so a read first checks that there is something to lease.
    let is_due = capacity > 0
        && !context.store.read::<_, Error>(|unit| Ok(unit.due_mails(now, 1)?))?.is_empty();
    let mut mails = Vec::new();
    if is_due {
        let lease = move |unit: &mut trunkline_network::UnitOfWork<'_>| {
            outbox::lease_mails(unit, now, policy, capacity)
        };
        mails = context.store.write(lease).await?;
    }
    let next = context.store.read::<_, Error>(|unit| Ok(unit.next_mail_due_at(now)?))?;
    Ok(LeasedMails { mails, next_poll: context.time_until(next) })
}

/// Sends a mail once and stores the outcome.
async fn attempt(context: DeliveryContext, mailer: Arc<Mailer>, mail: MailRecord) {
    let outcome = context.with_timeout(mailer.send(&mail, context.now())).await;
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
