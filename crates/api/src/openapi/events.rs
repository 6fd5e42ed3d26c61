//! Events, as they happen.

use super::operation::Operation;
use super::shapes::{Schemas, answer, example, word};
use serde_json::json;
use trunkline_domain::event::KINDS;

pub(super) fn schemas() -> Schemas {
    let shown = answer(
        "Event",
        json!({
            "type": word(&KINDS, "What happened."),
            "timestamp": {"type": "string", "description": "When, in UTC (RFC 3339)."},
            "data": {"type": "object", "description": "What is told of it, by its type: see `docs/events.md`. A party is told less than the network."},
        }),
        &[],
    );
    let told = json!({
        "type": "campaign.status_changed",
        "timestamp": "2026-11-21T08:31:18.123Z",
        "data": {"advertiser_campaign": "12", "from": "Activated", "to": "Archived"},
    });
    vec![("Event", example(shown, told))]
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/trunkline/events", "listenToEvents", "Listen to events")
            .about("Server-sent events: what happens from now on, or after the event that `Last-Event-ID` names, without a gap; events are kept for 30 days. A comment every 15 seconds says that the stream is there. An advertiser hears of its own, without payouts; an affiliate of its own, without payins. At most 20 streams for each credential: more are 429.")
            .with("types")
            .with("last_event_id")
            .with("Last-Event-ID")
            .streams("Event"),
    ]
}
