//! Webhooks: HTTP endpoints that receive a network's events. Requires access to the whole network.

use crate::{Context, Error, Page, Submission, UnitOfWork, audit};
use serde_json::{Value, json};
use trunkline_domain::id::{DeliveryId, WebhookId};
use trunkline_domain::problem::{BLANK, Problems};
use trunkline_domain::webhook::{
    Host, MAX_DELIVERY_AGE, MAX_WEBHOOKS, SigningSecret, Webhook, WebhookUrl, is_public_address,
};
use trunkline_store::{DeliveryRecord, DeliveryState};

/// Requested webhook, or requested change of one. What is absent is the default of a new webhook, and stays as it is
/// in a change.
#[derive(Debug, Clone, Default)]
pub struct WebhookChange {
    /// Target URL.
    pub url: Option<WebhookUrl>,
    /// Subscribed event types; empty for all types.
    pub event_types: Option<Vec<String>>,
    /// Description.
    pub description: Option<Option<String>>,
    /// Signing secret, if the receiver has one already.
    pub secret: Option<SigningSecret>,
    /// True if a change replaces the secret.
    pub rotate_secret: bool,
}

fn audit_object(webhook: &Webhook) -> String {
    format!("webhook:{}", webhook.id)
}

/// Returns a webhook as stored in the audit log, without its secret.
fn snapshot(webhook: &Webhook) -> Value {
    json!({
        "url": webhook.url.text(),
        "events": webhook.event_types,
        "description": webhook.description,
    })
}

fn not_found(id: WebhookId) -> Error {
    Error::NotFound(format!("Webhook {id}"))
}

/// Returns one page of the network's webhooks.
pub fn list(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    page: Page,
) -> Result<Vec<Webhook>, Error> {
    context.principal.ensure_can_view_network()?;
    Ok(unit.webhooks(context.principal.network_id, page)?)
}

/// Returns one webhook.
pub fn get(unit: &mut UnitOfWork<'_>, context: &Context, id: WebhookId) -> Result<Webhook, Error> {
    context.principal.ensure_can_view_network()?;
    unit.webhook(context.principal.network_id, id)?.ok_or_else(|| not_found(id))
}

/// Creates a webhook. `secret` signs its deliveries unless the request contains one.
/// `allow_private` permits an address in a private network.
pub fn create(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    submitted: Submission<WebhookChange>,
    secret: SigningSecret,
    allow_private: bool,
) -> Result<Webhook, Error> {
    context.principal.ensure_can_administer_network()?;
    let Submission { change, mut problems } = submitted;
    if change.url.is_none() && !problems.has_problem("url") {
        problems.property("url").add(BLANK);
    }
    if let Some(url) = change.url.as_ref().filter(|_| !allow_private) {
        check_address(url, &mut problems);
    }
    let Some(url) = problems.into_result(change.url)? else {
        return Err(Error::Internal("a webhook request has no URL".to_owned()));
    };
    let network_id = context.principal.network_id;
    let limit = u32::try_from(MAX_WEBHOOKS).unwrap_or(u32::MAX);
    if unit.webhooks(network_id, Page::new(0, limit))?.len() == MAX_WEBHOOKS {
        let message = format!("a network has at most {MAX_WEBHOOKS} webhooks");
        return Err(Error::NotAllowed(message));
    }
    let mut webhook = Webhook {
        id: WebhookId::UNASSIGNED,
        network_id,
        url,
        event_types: change.event_types.unwrap_or_default(),
        description: change.description.flatten(),
        secret: change.secret.unwrap_or(secret),
        previous_secret: None,
        created_at: context.now,
    };
    webhook.id = unit.insert_webhook(&webhook)?;
    let after = snapshot(&webhook);
    audit::record(unit, context, audit_object(&webhook), None, None, Some(&after))?;
    Ok(webhook)
}

/// Changes a webhook. With `rotate_secret` or a secret in the change, that secret, or else `new_secret`,
/// replaces the one it has, which goes on signing for 24 hours.
pub fn update(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    id: WebhookId,
    submitted: Submission<WebhookChange>,
    new_secret: SigningSecret,
    allow_private: bool,
) -> Result<Webhook, Error> {
    context.principal.ensure_can_administer_network()?;
    let mut webhook = get(unit, context, id)?;
    let before = snapshot(&webhook);
    let Submission { change, mut problems } = submitted;
    if let Some(url) = change.url.as_ref().filter(|_| !allow_private) {
        check_address(url, &mut problems);
    }
    let change = problems.into_result(change)?;
    webhook.url = change.url.unwrap_or(webhook.url);
    webhook.event_types = change.event_types.unwrap_or(webhook.event_types);
    webhook.description = change.description.unwrap_or(webhook.description);
    let rotates = change.rotate_secret || change.secret.is_some();
    if rotates {
        let secret = change.secret.unwrap_or(new_secret);
        webhook.rotate_secret(secret, context.system_now);
    }
    unit.update_webhook(&webhook)?;
    let after = snapshot(&webhook);
    let action = rotates.then_some("rotate_secret");
    if rotates || before != after {
        audit::record(unit, context, audit_object(&webhook), action, Some(&before), Some(&after))?;
    }
    Ok(webhook)
}

/// Rejects a private IP address. Host names are resolved and checked at each delivery.
fn check_address(url: &WebhookUrl, problems: &mut Problems) {
    if matches!(url.host(), Host::Address(address) if !is_public_address(*address)) {
        problems.property("url").add("is an address inside the server's own network");
    }
}

/// Deletes a webhook; does nothing if it does not exist. Its pending deliveries fail; all of them stay readable.
pub fn delete(unit: &mut UnitOfWork<'_>, context: &Context, id: WebhookId) -> Result<(), Error> {
    context.principal.ensure_can_administer_network()?;
    let Some(webhook) = unit.webhook(context.principal.network_id, id)? else { return Ok(()) };
    unit.delete_webhook(id, context.system_now)?;
    let before = snapshot(&webhook);
    audit::record(unit, context, audit_object(&webhook), None, Some(&before), None)
}

/// Returns one page of a webhook's deliveries, optionally only those in one state; also those of a deleted webhook.
pub fn deliveries(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    webhook: WebhookId,
    state: Option<DeliveryState>,
    page: Page,
) -> Result<Vec<DeliveryRecord>, Error> {
    context.principal.ensure_can_view_network()?;
    if !unit.has_webhook_or_deliveries(context.principal.network_id, webhook)? {
        return Err(not_found(webhook));
    }
    Ok(unit.deliveries(webhook, state, page)?)
}

/// Schedules a delivery again as if it were new, in whichever state it is.
pub fn resend(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    webhook: WebhookId,
    id: DeliveryId,
) -> Result<DeliveryRecord, Error> {
    context.principal.ensure_can_administer_network()?;
    let webhook = get(unit, context, webhook)?;
    let missing = || Error::NotFound(format!("Delivery {id} of webhook {}", webhook.id));
    let mut delivery = unit.delivery(webhook.id, id)?.ok_or_else(missing)?;
    let lease = delivery.due_at;
    delivery.state = DeliveryState::Pending;
    delivery.attempts = 0;
    delivery.due_at = Some(context.system_now);
    delivery.give_up_at =
        context.system_now.saturating_add(MAX_DELIVERY_AGE).unwrap_or(context.system_now);
    delivery.delivered_at = None;
    unit.update_delivery(&delivery, lease)?;
    Ok(delivery)
}
