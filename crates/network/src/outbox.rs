//! What is to be sent: written in the unit of work of its event, taken by a server that sends it, and
//! tried again until it is taken or given up.
//!
//! Who takes something moves its `due_at` past the time that an attempt can take. So nobody else
//! sends it meanwhile, on this server or another, and if the server dies it is due again. Everything
//! is sent at least once.

use crate::{Context, Error, EventRecord, Session};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use trunkline_domain::webhook::{GIVE_UP_AFTER, Webhook, wait_after};
use trunkline_store::{DeliveryRecord, DeliveryState, MailRecord, MailState, Page};

/// How long what happened is remembered: events, and what became of deliveries and mails.
const RETENTION: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Attempts for one webhook at a time.
const MAX_IN_FLIGHT_PER_TARGET: usize = 4;

/// How long things may take, and wait.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// The wait after the first attempt; later ones are multiples of it.
    pub first_wait: SignedDuration,
    /// What an attempt can take at most. It is nobody else's for longer than that.
    pub lease: SignedDuration,
}

/// A delivery that is this server's to send.
#[derive(Debug, Clone)]
pub struct Taken {
    /// Where to.
    pub webhook: Webhook,
    /// What.
    pub delivery: DeliveryRecord,
}

/// How an attempt went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was taken.
    Done {
        /// The answer's status, if it was HTTP.
        status: Option<u16>,
    },
    /// It may go better another time.
    Failed {
        /// The answer's status, where there was one.
        status: Option<u16>,
        /// Why, for people.
        error: String,
    },
    /// It will not go better.
    Refused {
        /// The answer's status, where there was one.
        status: Option<u16>,
        /// Why, for people.
        error: String,
    },
}

/// Writes a delivery of each event, our id and its kind, for each webhook that wants it.
pub(crate) fn enqueue_deliveries<'k>(
    session: &mut Session<'_>,
    context: &Context,
    events: impl Iterator<Item = (i64, &'k str)>,
) -> Result<(), Error> {
    let page = Page::of(0, u32::MAX);
    // What is sent by itself goes by the system's clock, whatever a sandbox's says.
    let now = context.system_now;
    let give_up_at = now.saturating_add(GIVE_UP_AFTER).unwrap_or(now);
    let webhooks = session.webhooks(context.caller.network_id, page)?;
    let mut sent = Vec::new();
    for (event, kind) in events {
        let wanting = webhooks.iter().filter(|webhook| webhook.wants(kind));
        sent.extend(wanting.map(|webhook| (webhook.id, event)));
    }
    session.insert_deliveries(&sent, now, give_up_at)?;
    Ok(())
}

/// Whether a delivery is due for a webhook that has room for one more.
pub fn has_due_deliveries(
    session: &mut Session<'_>,
    now: Timestamp,
    sending: &HashMap<i64, usize>,
) -> Result<bool, Error> {
    let due = session.webhooks_due(now)?;
    Ok(due.iter().any(|id| sending.get(id).copied().unwrap_or(0) < MAX_IN_FLIGHT_PER_TARGET))
}

/// Takes deliveries that are due, at most so many, and a few for each webhook, of which `sending`
/// are on their way already; those with the fewest on their way come first.
pub fn take_deliveries(
    session: &mut Session<'_>,
    now: Timestamp,
    pace: Pace,
    sending: &HashMap<i64, usize>,
    most: usize,
) -> Result<Vec<Taken>, Error> {
    let until = now.saturating_add(pace.lease).unwrap_or(Timestamp::MAX);
    let busy = |id: &i64| sending.get(id).copied().unwrap_or(0);
    let mut due = session.webhooks_due(now)?;
    due.sort_by_key(busy);
    let mut taken = Vec::new();
    for id in due {
        let room = MAX_IN_FLIGHT_PER_TARGET.saturating_sub(busy(&id)).min(most - taken.len());
        let Some(webhook) = session.webhook_by_id(id)?.filter(|_| room > 0) else { continue };
        for mut delivery in session.deliveries_due(id, now, room)? {
            session.lease_delivery(delivery.id, until)?;
            delivery.due_at = Some(until);
            taken.push(Taken { webhook: webhook.clone(), delivery });
        }
    }
    Ok(taken)
}

/// Stores how a delivery went. `jitter` (0–255) spreads what is tried again.
pub fn settle_delivery(
    session: &mut Session<'_>,
    mut delivery: DeliveryRecord,
    outcome: Outcome,
    now: Timestamp,
    pace: Pace,
    jitter: u8,
) -> Result<(), Error> {
    let lease = delivery.due_at;
    delivery.attempts = delivery.attempts.saturating_add(1);
    delivery.due_at = None;
    delivery.last_error = None;
    match outcome {
        Outcome::Done { status } => {
            delivery.state = DeliveryState::Delivered;
            delivery.delivered_at = Some(now);
            delivery.last_status = status;
        }
        Outcome::Failed { status, error } => {
            delivery.due_at =
                next_attempt_at(delivery.attempts, delivery.give_up_at, now, pace, jitter);
            if delivery.due_at.is_none() {
                delivery.state = DeliveryState::Failed;
            }
            (delivery.last_status, delivery.last_error) = (status, Some(error));
        }
        Outcome::Refused { status, error } => {
            delivery.state = DeliveryState::Failed;
            (delivery.last_status, delivery.last_error) = (status, Some(error));
        }
    }
    session.update_delivery(&delivery, lease)?;
    Ok(())
}

/// When to try again; `None` when that is too late.
fn next_attempt_at(
    attempts: u32,
    give_up_at: Timestamp,
    now: Timestamp,
    pace: Pace,
    jitter: u8,
) -> Option<Timestamp> {
    let due = now.saturating_add(wait_after(attempts, pace.first_wait, jitter)).ok()?;
    (due < give_up_at).then_some(due)
}

/// Takes mails that are due, at most so many.
pub fn take_mails(
    session: &mut Session<'_>,
    now: Timestamp,
    pace: Pace,
    most: usize,
) -> Result<Vec<MailRecord>, Error> {
    let until = now.saturating_add(pace.lease).unwrap_or(Timestamp::MAX);
    let mut taken = session.mails_due(now, most)?;
    for mail in &mut taken {
        let due_at = mail.due_at;
        mail.due_at = Some(until);
        session.update_mail(mail, due_at)?;
    }
    Ok(taken)
}

/// Stores how a mail went.
pub fn settle_mail(
    session: &mut Session<'_>,
    mut mail: MailRecord,
    outcome: Outcome,
    now: Timestamp,
    pace: Pace,
    jitter: u8,
) -> Result<(), Error> {
    let lease = mail.due_at;
    mail.attempts = mail.attempts.saturating_add(1);
    mail.due_at = None;
    mail.last_error = None;
    match outcome {
        Outcome::Done { .. } => {
            mail.state = MailState::Sent;
            mail.sent_at = Some(now);
        }
        Outcome::Failed { error, .. } => {
            mail.due_at = next_attempt_at(mail.attempts, mail.give_up_at, now, pace, jitter);
            if mail.due_at.is_none() {
                mail.state = MailState::Expired;
            }
            mail.last_error = Some(error);
        }
        Outcome::Refused { error, .. } => {
            mail.state = MailState::Failed;
            mail.last_error = Some(error);
        }
    }
    session.update_mail(&mail, lease)?;
    Ok(())
}

/// Whether there is anything for [`sweep`].
pub fn has_stale(session: &mut Session<'_>, now: Timestamp) -> Result<bool, Error> {
    Ok(session.has_stale(now, oldest_retained(now))?)
}

/// Gives up what has run out of time and deletes what is old, a bounded number of rows; whether
/// there may be more.
pub fn sweep(session: &mut Session<'_>, now: Timestamp) -> Result<bool, Error> {
    Ok(session.sweep(now, oldest_retained(now))?)
}

fn oldest_retained(now: Timestamp) -> Timestamp {
    now.saturating_sub(RETENTION).unwrap_or(Timestamp::MIN)
}

/// The name of an event's message, the same each time it is sent: receivers know it again by it.
pub fn message_id(event: &EventRecord) -> String {
    format!("evt_{}", event.id)
}
