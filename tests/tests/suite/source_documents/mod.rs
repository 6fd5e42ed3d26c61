//! Every request and response example of the five source documents, in the version it names.
//!
//! The bodies are in `tests/fixtures/<document>/`. Damaged text of a document is read as intended: scraped
//! e-mail addresses are `user@example.com`, the affiliate campaigns document of 2018-11-01 has its braces
//! back, and the misplaced brace of the advertiser campaigns document is moved to where `current_terms` has
//! it.

mod advertiser_campaigns_2015_05_01;
mod affiliate_campaigns_2015_05_01;
mod affiliate_campaigns_2018_11_01;
mod affiliates_2018_11_01;
mod relationships_2016_05_01;

use serde_json::{Value, json};
use trunkline_tests::{Client, Server, body};

/// Creates campaign 12 of advertiser 354, to which both affiliate campaigns documents refer.
fn create_campaign_12(network: &Client) {
    let current =
        trunkline_tests::fixture("affiliate_campaigns_2015_05_01/get_affiliate_campaign_response");
    let terms = &current["current_terms"];
    let more = json!({
        "advertiser_payin": terms["advertiser_payin"],
        "affiliate_payout": terms["affiliate_payout"],
        "ivr_tree": terms["ivr_tree"],
    });
    network.has_campaign("354", "12", more);
}

/// Creates the objects of both affiliate campaigns documents: affiliate 976 is approved in campaign 12.
fn affiliate_campaigns_world() -> (Server, Client) {
    let server = Server::builder().document_base_url().start();
    let network = server.network();
    create_campaign_12(&network);
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

/// Copy of a body without one of its properties.
fn without(mut body: Value, name: &str) -> Value {
    let removed = body.as_object_mut().and_then(|map| map.shift_remove(name));
    assert!(removed.is_some(), "the body has no {name}");
    body
}
