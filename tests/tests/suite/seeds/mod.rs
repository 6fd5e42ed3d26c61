//! Every request and response example of the five seed documents, on the version it names.
//!
//! The bodies are in `fixtures/<seed>/`. Where a document's own text is damaged it is read as it
//! was meant: scraped e-mail addresses are `user@example.com`, seeds/000 has its braces back, and
//! the misplaced brace of seeds/004 is where its neighbour `current_terms` shows it.

mod seed_000;
mod seed_001;
mod seed_002;
mod seed_003;
mod seed_004;

use serde_json::{Value, json};
use trunkline_tests::{Client, Server, body};

/// The campaign 12 of advertiser 354 that seeds/000 and seeds/001 are about.
fn advertiser_354_has_campaign_12(network: &Client) {
    let shown = trunkline_tests::fixture("001/get_affiliate_campaign_response");
    let terms = &shown["current_terms"];
    let more = json!({
        "advertiser_payin": terms["advertiser_payin"],
        "affiliate_payout": terms["affiliate_payout"],
        "ivr_tree": terms["ivr_tree"],
    });
    network.has_campaign("354", "12", more);
}

/// The world of seeds/000 and seeds/001, where affiliate 976 is approved in campaign 12.
fn affiliate_campaigns() -> (Server, Client) {
    let server = Server::of_the_seeds();
    let network = server.network();
    advertiser_354_has_campaign_12(&network);
    network.has_affiliate("975");
    network.has_applied("354", "12", "976");
    let path = body::affiliate_campaign_path("354", "12", "976");
    let approved = json!({
        "status": "Approved",
        "id_from_network": "11",
        "custom_data": {"channel": "Online lead"},
    });
    network.put(&path, approved).expect(200);
    (server, network)
}

/// A body without one of its properties.
fn without(mut body: Value, name: &str) -> Value {
    let removed = body.as_object_mut().and_then(|map| map.shift_remove(name));
    assert!(removed.is_some(), "there is no {name}");
    body
}
