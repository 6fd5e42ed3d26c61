//! Bytes that the credentials of a party may write into the audit log in a day.

use serde_json::{Value, json};
use trunkline_tests::{Client, Response, Server};

/// Limit for each tenant: some dozens of changes of a name.
const LOG_BYTES: &str = "40000";

/// Renames a party until that is refused. Returns the number of successful changes, and the refusal.
fn rename_until_refused(client: &Client, path: &str) -> (usize, Response) {
    for count in 0..500 {
        let name = format!("{count} {}", "x".repeat(200));
        let response = client.put(path, json!({ "name": name }));
        if response.status == 429 {
            return (count, response);
        }
        response.expect(200);
    }
    panic!("500 changes were logged");
}

/// Gives a party a name as long as those before.
fn rename(client: &Client, path: &str, name: &str) -> Response {
    client.put(path, json!({ "name": format!("{name} {}", "x".repeat(220)) }))
}

fn entries(network: &Client, object: &str) -> Vec<Value> {
    network.audit_entries(Some(object))
}

#[test]
fn party_writes_at_most_the_allowed_bytes_into_the_audit_log_in_a_day() {
    let mut server = Server::builder().arguments(&["--party-log-bytes", LOG_BYTES]).start();
    let network = server.network();
    network.has_live_campaign("354", "12", json!({}));
    network.has_affiliate("222");
    network.has_affiliate("223");
    let affiliate = server.affiliate("222");
    let spare = json!({"label": "Spare", "role": "Observer", "scope": {"affiliate": "222"}});
    let spare = affiliate.extensions().post("/tokens", spare).body(201);
    let (changes, refused) = rename_until_refused(&affiliate, "/affiliates/222");
    assert!(changes > 10, "{changes}");
    refused.assert_error(429, "TooManyRequests");
    let wait: u32 = refused.header("retry-after").and_then(|text| text.parse().ok()).unwrap();
    assert!((1..=25 * 3_600).contains(&wait), "until midnight: {wait}");
    // The refused change was rolled back, and the other credentials of the party have no more.
    assert_eq!(entries(&network, "affiliate:222").len(), changes + 1);
    let expected = format!("{} {}", changes - 1, "x".repeat(200));
    assert_eq!(affiliate.get("/affiliates/222").body(200)["name"], expected.as_str());
    assert_eq!(rename(&server.affiliate("222"), "/affiliates/222", "A").status, 429);
    // Access can still be taken away.
    affiliate.extensions().delete(&format!("/tokens/{}", spare["id"])).expect(200);
    // Others are not affected.
    rename(&server.affiliate("223"), "/affiliates/223", "B").expect(200);
    rename(&network, "/affiliates/222", "C").expect(200);

    // Calls are never refused.
    let advertiser = server.advertiser("354");
    rename_until_refused(&advertiser, "/advertisers/354");
    let call = json!({"call": {"external_call_unique_id": "1", "start_time": "2200-01-01",
        "advertiser_campaign_id_from_network": "12"}});
    advertiser.post("/calls", call).expect(201);

    // The count is stored.
    server.restart();
    assert_eq!(rename(&server.affiliate("222"), "/affiliates/222", "D").status, 429);
    let sibling = server.start_sibling();
    assert_eq!(rename(&sibling.affiliate("222"), "/affiliates/222", "D").status, 429);
    drop(sibling);
    server.restart_with(&["--party-log-bytes", "0"]);
    rename(&server.affiliate("222"), "/affiliates/222", "E").expect(200);
}
