//! Webhooks and their deliveries.

use super::operation::Operation;
use super::shapes::{Schemas, answer, example, our_id, request, stamp, text, word};
use serde_json::{Value, json};
use trunkline_domain::event::KINDS;

fn said() -> Value {
    json!({
        "url": "https://hooks.example.com/trunkline",
        "events": ["transaction.created", "transaction.corrected"],
        "description": "The ERP",
    })
}

fn moment(description: &str) -> Value {
    let mut at = stamp(description);
    at["type"] = json!("string");
    at
}

fn shown(more: Value) -> Value {
    let mut properties = json!({
        "id": our_id("the webhook"),
        "url": {"type": "string", "description": "Where events are sent."},
        "events": {"type": "array", "items": word(&KINDS, "A type of event."), "description": "Which; all of them when there are none."},
        "description": {"type": ["string", "null"], "description": "What it is for."},
        "created_at": moment("When it was made, in the network's zone."),
    });
    if let (Some(into), Value::Object(more)) = (properties.as_object_mut(), more) {
        into.extend(more);
    }
    properties
}

pub(super) fn schemas() -> Schemas {
    let asked = request(
        "Webhook",
        json!({
            "url": {"type": "string", "maxLength": 2000, "pattern": r"^https://[a-z]{1,20}\.example\.com(/[a-z]{0,20})?$", "description": "Where events are to be sent: http or https, without user name and password, outside the server's own network unless that is allowed."},
            "events": {"type": ["array", "null"], "maxItems": KINDS.len(), "items": word(&KINDS, "A type of event."), "description": "Which; all of them when there are none."},
            "description": text(10_000, "What it is for."),
            "secret": {"type": ["string", "null"], "pattern": "^whsec_[A-Za-z0-9+/]{32}$", "description": "What is to sign deliveries, when the receiver has a secret already: `whsec_` and 24 to 64 bytes in base64. One is made up otherwise."},
        }),
        &["url"],
    );
    let secret = json!({"secret": {"type": "string", "pattern": "^whsec_", "description": "What signs deliveries. It is told this once."}});
    let delivery = answer(
        "Delivery",
        json!({
            "id": our_id("the delivery"),
            "event_id": our_id("the event"),
            "type": word(&KINDS, "What happened."),
            "state": word(&["pending", "delivered", "failed"], "What has become of it."),
            "attempts": {"type": "integer", "minimum": 0, "description": "How often it was tried."},
            "next_attempt_at": stamp("When it is tried next; null when it is no longer pending."),
            "last_status": {"type": ["integer", "null"], "description": "The status of the last answer; null where there was none."},
            "last_error": {"type": ["string", "null"], "description": "Why the last attempt failed."},
            "created_at": moment("When its event happened, in the network's zone."),
            "delivered_at": stamp("When it was taken."),
        }),
        &[],
    );
    vec![
        ("WebhookRequest", example(asked, said())),
        ("Webhook", answer("Webhook", shown(json!({})), &[])),
        ("WebhookMade", answer("Webhook with its secret", shown(secret), &[])),
        ("Delivery", delivery),
    ]
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/trunkline/webhooks", "listWebhooks", "List webhooks")
            .about("For credentials of the whole network, as all of webhooks.")
            .lists("Webhook"),
        Operation::post("/trunkline/webhooks", "createWebhook", "Make a webhook")
            .about("Events are sent to it from now on, as they are told on the stream: signed by the Standard Webhooks scheme, at least once, tried again for 24 hours. A network has at most 20.")
            .takes("WebhookRequest", said())
            .answers("201", "The webhook, with its secret.", "WebhookMade"),
        Operation::get("/trunkline/webhooks/{id}", "getWebhook", "Read a webhook")
            .answers("200", "The webhook.", "Webhook"),
        Operation::delete("/trunkline/webhooks/{id}", "deleteWebhook", "Delete a webhook")
            .about("With its deliveries. Does nothing when there is none.")
            .answers("200", "It is not there.", "Empty"),
        Operation::get("/trunkline/webhooks/{id}/deliveries", "listDeliveries", "List a webhook's deliveries")
            .with("delivery_state")
            .lists("Delivery"),
        Operation::post("/trunkline/webhooks/{id}/deliveries/{delivery}/resend", "resendDelivery", "Send a delivery again")
            .about("As if it were new, whatever became of it.")
            .answers("201", "The delivery, pending.", "Delivery"),
    ]
}
