//! Webhooks and their deliveries.

use super::operation::Operation;
use super::schema::{
    NamedSchemas, enumeration, legacy_timestamp, nullable_text, object_id, request_array,
    request_boolean, request_object, response_object, with_example,
};
use serde_json::{Value, json};
use trunkline_domain::event::EVENT_TYPES;

fn request_example() -> Value {
    json!({
        "url": "https://hooks.example.com/trunkline",
        "events": ["transaction.created", "transaction.corrected"],
        "description": "The ERP",
    })
}

fn required_timestamp(description: &str) -> Value {
    let mut timestamp = legacy_timestamp(description);
    timestamp["type"] = json!("string");
    timestamp
}

/// Properties of a webhook in a response.
fn response_properties(further: Value) -> Value {
    let mut properties = json!({
        "id": object_id("the webhook"),
        "url": {"type": "string", "description": "Address that events are sent to."},
        "events": {"type": "array", "items": enumeration(&EVENT_TYPES, "Type of event."), "description": "Types of events to send. Default: all."},
        "description": {"type": ["string", "null"], "description": "Purpose of the webhook."},
        "created_at": required_timestamp("Time of creation, in the network's time zone."),
    });
    if let (Some(map), Value::Object(further)) = (properties.as_object_mut(), further) {
        map.extend(further);
    }
    properties
}

fn target_url() -> Value {
    json!({"type": "string", "maxLength": 2000, "format": "uri", "pattern": "^[Hh][Tt][Tt][Pp][Ss]?://[!-~]+$", "description": "Address to send events to: http or https, without user name and password, outside the server's own network unless the server's configuration allows that."})
}

fn event_types() -> Value {
    request_array(
        enumeration(&EVENT_TYPES, "Type of event."),
        EVENT_TYPES.len(),
        "Types of events to send. Default: all.",
    )
}

fn new_secret(description: &str) -> Value {
    json!({"type": ["string", "null"], "pattern": "^whsec_[A-Za-z0-9+/]{32,86}={0,2}$", "description": description})
}

pub(super) fn schemas() -> NamedSchemas {
    let webhook_request = request_object(
        json!({
            "url": target_url(),
            "events": event_types(),
            "description": nullable_text(10_000, "Purpose of the webhook."),
            "secret": new_secret("Secret for signing deliveries: `whsec_` and 24 to 64 bytes in base64. Generated if it is omitted."),
        }),
        &["url"],
    );
    let webhook_update = request_object(
        json!({
            "url": target_url(),
            "events": event_types(),
            "description": nullable_text(10_000, "Purpose of the webhook."),
            "secret": new_secret("New secret for signing deliveries: `whsec_` and 24 to 64 bytes in base64."),
            "rotate_secret": request_boolean("Replace the secret, by `secret` or else by a generated one."),
        }),
        &[],
    );
    let secret = json!({"secret": {"type": "string", "pattern": "^whsec_", "description": "Secret for signing deliveries. It is returned only once, by the request that sets it."}});
    let delivery = response_object(
        json!({
            "id": object_id("the delivery"),
            "event_id": object_id("the event"),
            "type": enumeration(&EVENT_TYPES, "Type of the event."),
            "state": enumeration(&["pending", "delivered", "failed"], "State of the delivery."),
            "attempts": {"type": "integer", "minimum": 0, "description": "Number of attempts."},
            "next_attempt_at": legacy_timestamp("Time of the next attempt; `null` if the delivery is not pending."),
            "last_status": {"type": ["integer", "null"], "description": "Status of the last response; `null` if there was none."},
            "last_error": {"type": ["string", "null"], "description": "Error of the last attempt."},
            "created_at": required_timestamp("Time of the event, in the network's time zone."),
            "delivered_at": legacy_timestamp("Time of the successful attempt."),
        }),
        &[],
    );
    vec![
        ("WebhookRequest", with_example(webhook_request, request_example())),
        ("WebhookUpdateRequest", with_example(webhook_update, json!({"rotate_secret": true}))),
        ("Webhook", response_object(response_properties(secret.clone()), &["secret"])),
        ("WebhookWithSecret", response_object(response_properties(secret), &[])),
        ("Delivery", delivery),
    ]
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/trunkline/webhooks", "listWebhooks", "List webhooks")
            .description("This and all operations on webhooks are for credentials of the network.")
            .paged_list_response("Webhook"),
        Operation::post("/trunkline/webhooks", "createWebhook", "Create a webhook")
            .description("Events are sent from now on, with the data of the event stream: signed by the Standard Webhooks scheme, at least once, retried for 24 hours. A network can have 20 webhooks.")
            .request_body("WebhookRequest", request_example())
            .object_response("201", "The webhook, with its secret.", "WebhookWithSecret"),
        Operation::get("/trunkline/webhooks/{id}", "getWebhook", "Read a webhook")
            .object_response("200", "The webhook.", "Webhook"),
        Operation::put("/trunkline/webhooks/{id}", "updateWebhook", "Change a webhook")
            .description("Omitted properties keep their values. After a change of the secret, each delivery of the next 24 hours has two signatures, by the new and by the replaced secret.")
            .request_body("WebhookUpdateRequest", json!({"rotate_secret": true}))
            .object_response("200", "The webhook, with its secret if that was changed.", "Webhook"),
        Operation::delete("/trunkline/webhooks/{id}", "deleteWebhook", "Delete a webhook")
            .description("Deletes the webhook. Its pending deliveries fail within a minute; all of them stay readable for 30 days. Has no effect when there is no such webhook.")
            .object_response("200", "The webhook does not exist.", "Empty"),
        Operation::get("/trunkline/webhooks/{id}/deliveries", "listDeliveries", "List a webhook's deliveries")
            .parameter("delivery_state")
            .paged_list_response("Delivery"),
        Operation::post("/trunkline/webhooks/{id}/deliveries/{delivery}/resend", "resendDelivery", "Send a delivery again")
            .description("Resets the delivery to pending, in any state.")
            .object_response("201", "The delivery, pending.", "Delivery"),
    ]
}
