//! Event stream.

use super::operation::Operation;
use super::schema::{NamedSchemas, enumeration, response_object, with_example};
use serde_json::json;
use trunkline_domain::event::EVENT_TYPES;

pub(super) fn schemas() -> NamedSchemas {
    let event = response_object(
        json!({
            "type": enumeration(&EVENT_TYPES, "Type of the event."),
            "timestamp": {"type": "string", "description": "Time of the event in UTC (RFC 3339)."},
            "data": {"type": "object", "description": "Data of the event by type, see `docs/events.md`. Advertisers and affiliates receive fewer properties than the network."},
        }),
        &[],
    );
    let event_example = json!({
        "type": "campaign.status_changed",
        "timestamp": "2026-11-21T08:31:18.123Z",
        "data": {"advertiser_campaign": "12", "from": "Activated", "to": "Archived"},
    });
    vec![("Event", with_example(event, event_example))]
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/trunkline/events", "streamEvents", "Stream events")
            .description("Server-sent events from now on, or from the event after `Last-Event-ID` on, without a gap. Events are kept for 30 days. The server sends a comment every 15 seconds as a keepalive. An advertiser receives events of its own objects without payouts; an affiliate, without payins. A credential may have 20 streams, all credentials of a party 40; a further one gets 429.")
            .parameter("types")
            .parameter("last_event_id")
            .parameter("Last-Event-ID")
            .event_stream_response("Event"),
    ]
}
