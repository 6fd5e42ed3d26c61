//! Mail to users.

use super::operation::Operation;
use super::shapes::{Schemas, answer, our_id, stamp, word};
use serde_json::json;

pub(super) fn schemas() -> Schemas {
    let mut made = stamp("When it was written, in the network's zone.");
    made["type"] = json!("string");
    let shown = answer(
        "Mail",
        json!({
            "id": our_id("the mail"),
            "event_id": our_id("the event that it tells of"),
            "to": {"type": "string", "description": "One of a user's addresses with `use_for_notifications`."},
            "subject": {"type": "string"},
            "text": {"type": "string", "description": "Plain text."},
            "state": word(&["waiting", "sent", "failed", "expired"], "What has become of it."),
            "attempts": {"type": "integer", "minimum": 0, "description": "How often it was tried."},
            "next_attempt_at": stamp("When it is tried next; null when it no longer waits."),
            "last_error": {"type": ["string", "null"], "description": "Why the last attempt failed."},
            "created_at": made,
            "sent_at": stamp("When the mail server took it."),
        }),
        &[],
    );
    vec![("Mail", shown)]
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/trunkline/mails", "listMails", "List mails")
            .about("What users who asked for it (`notify_on_budgets`) are told. Without a mail server it waits, for 3 days. For credentials of the whole network.")
            .with("mail_state")
            .lists("Mail"),
    ]
}
