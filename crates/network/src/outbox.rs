//! Transactional outbox of webhook deliveries and mails. An item is written in the transaction of
//! its event and retried until it is accepted or expires.
//!
//! Leasing an item moves its `due_at` past the maximum duration of an attempt. No other worker,
//! on this server or another one, sends it in the meantime; if the server dies, the item becomes
//! due again. Delivery is therefore at least once.

use crate::{Context, Error, EventRecord, UnitOfWork};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use trunkline_domain::id::{EventId, NetworkId, WebhookId};
use trunkline_domain::webhook::{MAX_DELIVERY_AGE, MAX_DISTINCT_DELAYS, Webhook, retry_delay};
use trunkline_store::{
    DeliveryRecord, DeliveryState, DueWebhook, MailRecord, MailState, NewDelivery, Page,
};

/// Retention of events, and of the results of deliveries and mails.
const RETENTION: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Maximum number of concurrent webhook attempts of a server.
const MAX_CONCURRENT_ATTEMPTS: usize = 4_096;
/// Maximum number of concurrent attempts for one webhook.
const MAX_ATTEMPTS_PER_WEBHOOK: usize = 4;
/// Attempts that are kept free for networks with few attempts in progress.
const RESERVED_ATTEMPTS: usize = 1_024;
/// Maximum number of concurrent attempts of a network that uses the reserved ones.
const MAX_RESERVED_ATTEMPTS_PER_NETWORK: usize = 4;
/// Difference between the clocks of two servers that does not count as a clock that was set back.
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_mins(2);

/// Retry and lease durations.
#[derive(Debug, Clone, Copy)]
pub struct RetryPolicy {
    /// Delay after the first attempt; later delays are multiples of it.
    pub first_delay: SignedDuration,
    /// Duration of a lease. It must be longer than an attempt can take.
    pub lease: SignedDuration,
}

/// Delivery that this server has leased.
#[derive(Debug, Clone)]
pub struct LeasedDelivery {
    /// Target.
    pub webhook: Webhook,
    /// Delivery to send.
    pub delivery: DeliveryRecord,
}

/// Outcome of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// The receiver accepted the item.
    Delivered {
        /// HTTP status, if the transport is HTTP.
        status: Option<u16>,
    },
    /// The attempt failed and may be retried.
    Retryable {
        /// HTTP status, if there was a response.
        status: Option<u16>,
        /// Reason, as text for people.
        error: String,
    },
    /// The receiver refused the item permanently.
    Rejected {
        /// HTTP status, if there was a response.
        status: Option<u16>,
        /// Reason, as text for people.
        error: String,
    },
}

/// Stores a delivery of each event (id and kind) for each webhook that subscribes to the kind.
pub(crate) fn enqueue_deliveries<'k>(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    events: impl Iterator<Item = (EventId, &'k str)>,
) -> Result<(), Error> {
    let page = Page::new(0, u32::MAX);
    // Deliveries are scheduled by the system clock, also in a sandbox.
    let now = context.system_now;
    let give_up_at = now.saturating_add(MAX_DELIVERY_AGE).unwrap_or(now);
    let webhooks = unit.webhooks(context.principal.network_id, page)?;
    let mut sent = Vec::new();
    for (event_id, kind) in events {
        let subscribed = webhooks.iter().filter(|webhook| webhook.is_subscribed_to(kind));
        sent.extend(subscribed.map(|webhook| NewDelivery { webhook_id: webhook.id, event_id }));
    }
    unit.insert_deliveries(&sent, now, give_up_at)?;
    Ok(())
}

/// Numbers of this server's webhook attempts in progress, and the rule for how many more may start: 4 for
/// one webhook, and when fewer than `RESERVED_ATTEMPTS` are free, 4 for one network. So neither a
/// receiver that does not respond nor a network with many of them delays the others.
#[derive(Debug, Clone, Default)]
pub struct AttemptCounts {
    by_webhook: HashMap<WebhookId, usize>,
    by_network: HashMap<NetworkId, usize>,
    total: usize,
}

impl AttemptCounts {
    /// Counts an attempt that starts.
    pub fn add(&mut self, webhook: DueWebhook) {
        *self.by_webhook.entry(webhook.id).or_default() += 1;
        *self.by_network.entry(webhook.network_id).or_default() += 1;
        self.total += 1;
    }

    /// Number of further attempts that may start for a webhook.
    fn capacity(&self, webhook: DueWebhook) -> usize {
        let free = MAX_CONCURRENT_ATTEMPTS.saturating_sub(self.total);
        let of_webhook = MAX_ATTEMPTS_PER_WEBHOOK.saturating_sub(self.of_webhook(webhook));
        let room = free.min(of_webhook);
        if free > RESERVED_ATTEMPTS {
            return room;
        }
        room.min(MAX_RESERVED_ATTEMPTS_PER_NETWORK.saturating_sub(self.of_network(webhook)))
    }

    fn of_webhook(&self, webhook: DueWebhook) -> usize {
        self.by_webhook.get(&webhook.id).copied().unwrap_or(0)
    }

    fn of_network(&self, webhook: DueWebhook) -> usize {
        self.by_network.get(&webhook.network_id).copied().unwrap_or(0)
    }
}

/// Tests if a delivery is due of which an attempt may start.
pub fn has_due_deliveries(
    unit: &mut UnitOfWork<'_>,
    now: Timestamp,
    in_progress: &AttemptCounts,
) -> Result<bool, Error> {
    let due = unit.webhooks_with_due_deliveries(now)?;
    Ok(due.iter().any(|webhook| in_progress.capacity(*webhook) > 0))
}

/// Leases due deliveries, as many as may start. Webhooks of the networks with the fewest attempts in
/// progress come first.
pub fn lease_deliveries(
    unit: &mut UnitOfWork<'_>,
    now: Timestamp,
    retry_policy: RetryPolicy,
    mut in_progress: AttemptCounts,
) -> Result<Vec<LeasedDelivery>, Error> {
    let until = now.saturating_add(retry_policy.lease).unwrap_or(Timestamp::MAX);
    let mut due = unit.webhooks_with_due_deliveries(now)?;
    due.sort_by_key(|webhook| (in_progress.of_network(*webhook), in_progress.of_webhook(*webhook)));
    let mut leased = Vec::new();
    for due_webhook in due {
        let capacity = in_progress.capacity(due_webhook);
        let found = unit.webhook_by_id(due_webhook.id)?.filter(|_| capacity > 0);
        let Some(webhook) = found else { continue };
        for mut delivery in unit.due_deliveries(webhook.id, now, capacity)? {
            unit.lease_delivery(delivery.id, until)?;
            delivery.due_at = Some(until);
            in_progress.add(due_webhook);
            leased.push(LeasedDelivery { webhook: webhook.clone(), delivery });
        }
    }
    Ok(leased)
}

/// Stores the outcome of a delivery attempt. `jitter` (0–255) spreads the retries.
pub fn record_delivery_attempt(
    unit: &mut UnitOfWork<'_>,
    mut delivery: DeliveryRecord,
    outcome: AttemptOutcome,
    now: Timestamp,
    retry_policy: RetryPolicy,
    jitter: u8,
) -> Result<(), Error> {
    let lease = delivery.due_at;
    delivery.attempts = delivery.attempts.saturating_add(1);
    delivery.due_at = None;
    delivery.last_error = None;
    match outcome {
        AttemptOutcome::Delivered { status } => {
            delivery.state = DeliveryState::Delivered;
            delivery.delivered_at = Some(now);
            delivery.last_status = status;
        }
        AttemptOutcome::Retryable { status, error } => {
            delivery.due_at =
                next_attempt_at(delivery.attempts, delivery.give_up_at, now, retry_policy, jitter);
            if delivery.due_at.is_none() {
                delivery.state = DeliveryState::Failed;
            }
            delivery.last_status = status;
            delivery.last_error = Some(error);
        }
        AttemptOutcome::Rejected { status, error } => {
            delivery.state = DeliveryState::Failed;
            delivery.last_status = status;
            delivery.last_error = Some(error);
        }
    }
    unit.update_delivery(&delivery, lease)?;
    Ok(())
}

/// Returns the time of the next attempt; `None` if the item expires before.
fn next_attempt_at(
    attempts: u32,
    give_up_at: Timestamp,
    now: Timestamp,
    retry_policy: RetryPolicy,
    jitter: u8,
) -> Option<Timestamp> {
    let due = now.saturating_add(retry_delay(attempts, retry_policy.first_delay, jitter)).ok()?;
    (due < give_up_at).then_some(due)
}

/// Leases due mails of a network, at most `limit`.
pub fn lease_mails(
    unit: &mut UnitOfWork<'_>,
    network: NetworkId,
    now: Timestamp,
    retry_policy: RetryPolicy,
    limit: usize,
) -> Result<Vec<MailRecord>, Error> {
    let until = now.saturating_add(retry_policy.lease).unwrap_or(Timestamp::MAX);
    let mut leased = unit.due_mails(network, now, limit)?;
    for mail in &mut leased {
        let due_at = mail.due_at;
        mail.due_at = Some(until);
        unit.update_mail(mail, due_at)?;
    }
    Ok(leased)
}

/// Stores the outcome of an attempt to send a mail. `jitter` (0–255) spreads the retries.
pub fn record_mail_attempt(
    unit: &mut UnitOfWork<'_>,
    mut mail: MailRecord,
    outcome: AttemptOutcome,
    now: Timestamp,
    retry_policy: RetryPolicy,
    jitter: u8,
) -> Result<(), Error> {
    let lease = mail.due_at;
    mail.attempts = mail.attempts.saturating_add(1);
    mail.due_at = None;
    mail.last_error = None;
    match outcome {
        AttemptOutcome::Delivered { .. } => {
            mail.state = MailState::Sent;
            mail.sent_at = Some(now);
        }
        AttemptOutcome::Retryable { error, .. } => {
            mail.due_at =
                next_attempt_at(mail.attempts, mail.give_up_at, now, retry_policy, jitter);
            if mail.due_at.is_none() {
                mail.state = MailState::Expired;
            }
            mail.last_error = Some(error);
        }
        AttemptOutcome::Rejected { error, .. } => {
            mail.state = MailState::Failed;
            mail.last_error = Some(error);
        }
    }
    unit.update_mail(&mail, lease)?;
    Ok(())
}

/// Times after which an item cannot be due by the clock that shows `now`, by number of attempts.
fn latest_due_times(now: Timestamp, retry_policy: RetryPolicy) -> Vec<Timestamp> {
    let after = |attempts| {
        let delay = match attempts {
            0 => retry_policy.lease,
            _ => retry_delay(attempts, retry_policy.first_delay, u8::MAX).max(retry_policy.lease),
        };
        let delay = delay.saturating_add(CLOCK_TOLERANCE);
        now.saturating_add(delay).unwrap_or(Timestamp::MAX)
    };
    (0..=MAX_DISTINCT_DELAYS).map(after).collect()
}

/// Tests if there are rows for [`reschedule_after_clock_change`].
pub fn has_postponed(
    unit: &mut UnitOfWork<'_>,
    now: Timestamp,
    retry_policy: RetryPolicy,
) -> Result<bool, Error> {
    Ok(unit.has_items_due_after(&latest_due_times(now, retry_policy))?)
}

/// Makes items due now that are due later than any retry from now would be: they were scheduled by a
/// clock that has been set back since. A bounded number per call; returns `true` if there may be more.
pub fn reschedule_after_clock_change(
    unit: &mut UnitOfWork<'_>,
    now: Timestamp,
    retry_policy: RetryPolicy,
) -> Result<bool, Error> {
    Ok(unit.make_due(now, &latest_due_times(now, retry_policy))?)
}

/// Tests if there are rows for [`expire_and_purge`].
pub fn has_expired(unit: &mut UnitOfWork<'_>, now: Timestamp) -> Result<bool, Error> {
    Ok(unit.has_rows_to_sweep(now, oldest_retained(now))?)
}

/// Expires overdue items and deletes rows older than the retention, a bounded number per call.
/// Returns `true` if there may be more.
pub fn expire_and_purge(unit: &mut UnitOfWork<'_>, now: Timestamp) -> Result<bool, Error> {
    Ok(unit.sweep(now, oldest_retained(now))?)
}

fn oldest_retained(now: Timestamp) -> Timestamp {
    now.saturating_sub(RETENTION).unwrap_or(Timestamp::MIN)
}

/// Returns the message id of an event. It is the same for each attempt, so that receivers can
/// detect duplicates.
pub fn message_id(event: &EventRecord) -> String {
    format!("evt_{}", event.id)
}
