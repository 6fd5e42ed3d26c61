//! Notification mails.

use super::operation::Operation;
use super::schema::{NamedSchemas, enumeration, legacy_timestamp, object_id, response_object};
use serde_json::json;

pub(super) fn schemas() -> NamedSchemas {
    let mut created_at = legacy_timestamp("Time of creation, in the network's time zone.");
    created_at["type"] = json!("string");
    let mut event_id = object_id("the event that it reports");
    event_id["type"] = json!(["integer", "null"]);
    event_id["description"] = json!(
        "Id of the event that it reports; `null` in a mail that asks for the confirmation of an address."
    );
    let mail = response_object(
        json!({
            "id": object_id("the mail"),
            "event_id": event_id,
            "to": {"type": "string", "description": "Recipient: an address of a user with `use_for_notifications`."},
            "subject": {"type": "string"},
            "text": {"type": "string", "description": "Plain text. `[link]` stands for the link of a mail that asks for the confirmation of an address."},
            "state": enumeration(&["waiting", "sent", "failed", "expired"], "State of the delivery."),
            "attempts": {"type": "integer", "minimum": 0, "description": "Number of attempts."},
            "next_attempt_at": legacy_timestamp("Time of the next attempt; `null` when there is none."),
            "last_error": {"type": ["string", "null"], "description": "Error of the last attempt."},
            "created_at": created_at,
            "sent_at": legacy_timestamp("Time when the mail server accepted it."),
        }),
        &[],
    );
    vec![("Mail", mail)]
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/trunkline/mails", "listMails", "List mails")
            .description("Mails to users who enabled `notify_on_budgets`, and mails that ask for the confirmation of an address which a party wrote. A mail that cannot be sent expires after 3 days. For credentials of the network.")
            .parameter("mail_state")
            .paged_list_response("Mail"),
    ]
}
