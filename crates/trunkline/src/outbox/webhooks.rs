//! Webhook worker: delivers events with bounded concurrency, in total, for each webhook and for each network, so
//! that receivers that do not respond delay no others.

use super::http::{HttpClient, Message};
use super::{DeliveryContext, POLL_INTERVAL};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::{Id, JoinError, JoinSet};
use trunkline_domain::webhook::Webhook;
use trunkline_network::outbox::{self, AttemptCounts, LeasedDelivery};
use trunkline_network::{DueWebhook, Error};

/// Webhooks that attempts in progress are for, by task.
type WebhooksByTask = HashMap<Id, DueWebhook>;

/// Delivers events until the server shuts down, then finishes the attempts in progress.
pub(super) async fn run(context: DeliveryContext, client: Arc<HttpClient>) {
    let shutdown = context.shutdown_signal();
    let mut commits = context.store.subscribe_commits();
    let mut attempts = JoinSet::new();
    let mut in_progress = WebhooksByTask::new();
    loop {
        commits.mark_unchanged();
        let wait = match lease_due(&context, &in_progress).await {
            Ok(due) => {
                for leased in due.deliveries {
                    let Webhook { id, network_id, .. } = leased.webhook;
                    let webhook = DueWebhook { id, network_id };
                    let task =
                        attempts.spawn(attempt(context.clone(), Arc::clone(&client), leased));
                    in_progress.insert(task.id(), webhook);
                }
                due.next_poll
            }
            Err(error) => {
                tracing::warn!(%error, "cannot load the webhook deliveries that are due");
                POLL_INTERVAL
            }
        };
        tokio::select! {
            () = shutdown.triggered() => break,
            result = commits.changed() => if result.is_err() { break },
            Some(result) = attempts.join_next_with_id() => remove_task(&mut in_progress, &result),
            () = tokio::time::sleep(wait) => {}
        }
        while let Some(result) = attempts.try_join_next_with_id() {
            remove_task(&mut in_progress, &result);
        }
    }
    while attempts.join_next().await.is_some() {}
}

fn remove_task(in_progress: &mut WebhooksByTask, result: &Result<(Id, ()), JoinError>) {
    let id = match result {
        Ok((id, ())) => *id,
        Err(error) => error.id(),
    };
    in_progress.remove(&id);
}

/// Deliveries leased for sending, and the time until more may be due.
struct LeasedDeliveries {
    deliveries: Vec<LeasedDelivery>,
    next_poll: Duration,
}

/// Leases deliveries that are due, within the limits on concurrent attempts.
async fn lease_due(
    context: &DeliveryContext,
    in_progress: &WebhooksByTask,
) -> Result<LeasedDeliveries, Error> {
    let now = context.now();
    let policy = context.retry_policy;
    let mut counts = AttemptCounts::default();
    in_progress.values().for_each(|webhook| counts.add(*webhook));
    // Leasing is a write, so a read first checks that there is something to lease.
    let is_due = context.store.read(|unit| outbox::has_due_deliveries(unit, now, &counts))?;
    let mut deliveries = Vec::new();
    if is_due {
        let lease = move |unit: &mut trunkline_network::UnitOfWork<'_>| {
            outbox::lease_deliveries(unit, now, policy, counts)
        };
        deliveries = context.store.write(lease).await?;
    }
    let next = context.store.read(|unit| unit.next_delivery_due_at(now));
    let next_poll = context.time_until(next.map_err(Error::from)?);
    Ok(LeasedDeliveries { deliveries, next_poll })
}

/// Sends a delivery once and stores the outcome.
async fn attempt(context: DeliveryContext, client: Arc<HttpClient>, leased: LeasedDelivery) {
    let LeasedDelivery { webhook, delivery } = leased;
    let message = Message {
        id: outbox::message_id(&delivery.event),
        sent_at: context.now(),
        body: trunkline_api::render_event(&delivery.event).to_string(),
    };
    let outcome = context.with_timeout(client.send(&webhook, message)).await;
    let now = context.now();
    let policy = context.retry_policy;
    let jitter = context.jitter();
    let id = delivery.id;
    let stored = context.store.write(move |unit| {
        outbox::record_delivery_attempt(unit, delivery, outcome, now, policy, jitter)
    });
    if let Err(error) = stored.await {
        tracing::warn!(
            %error,
            delivery = id.get(),
            "cannot store the outcome of a webhook delivery, sending it again"
        );
    }
}
