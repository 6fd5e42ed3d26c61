//! `external_call_unique_id`: unique for each advertiser, and looked up after the permission.

use serde_json::{Value, json};
use trunkline_tests::{Client, Response, Server, assert_json_eq};

/// Creates a live campaign 12 of advertiser 354 and a live campaign 13 of advertiser 355.
fn world() -> (Server, Client) {
    let server = Server::start();
    let network = server.network();
    network.has_live_campaign("354", "12", json!({}));
    network.has_live_campaign("355", "13", json!({}));
    (server, network)
}

fn body(id: &str, campaign: &str, seconds: u32) -> Value {
    json!({"call": {"external_call_unique_id": id, "start_time": "2200-01-01 12:00:00 +0000",
        "advertiser_campaign_id_from_network": campaign, "duration_in_seconds": seconds}})
}

fn report(client: &Client, id: &str, campaign: &str, seconds: u32) -> Response {
    client.post("/calls", body(id, campaign, seconds))
}

/// Statuses of the lines of a batch.
fn report_lines(client: &Client, lines: &[Value]) -> Vec<Value> {
    let lines: Vec<String> = lines.iter().map(Value::to_string).collect();
    let request = client.request("POST", "/calls").bytes(lines.join("\n").as_bytes());
    let request = request.without_header("Content-Type");
    let response = request.header("Content-Type", "application/x-ndjson").send();
    let status = |line: &str| -> Value {
        serde_json::from_str::<Value>(line).expect("a line of JSON")["status"].clone()
    };
    response.text().lines().map(status).collect()
}

#[test]
fn two_advertisers_may_use_the_same_id() {
    let (server, network) = world();
    let [first, second] = ["354", "355"].map(|id| server.advertiser(id));
    let cuid = |response: Response, status: u16| response.body(status)["cuid"].clone();
    let one = cuid(report(&first, "1001", "12", 90), 201);
    let two = cuid(report(&second, "1001", "13", 60), 201);
    assert_ne!(one, two);
    // Each advertiser's own call is found again, also by the network and in batches.
    assert_eq!(cuid(report(&network, "1001", "12", 90), 202), one);
    assert_eq!(cuid(report(&network, "1001", "13", 60), 202), two);
    report(&second, "1001", "13", 61).assert_error(409, "Conflict");
    let lines = [
        body("1001", "12", 90),
        body("1001", "13", 60),
        body("1002", "12", 90),
        body("1002", "13", 90),
        body("1002", "13", 91),
        body("1002", "12", 90),
    ];
    let statuses = report_lines(&network, &lines);
    assert_json_eq(&json!(statuses), &json!([202, 202, 201, 201, 409, 202]));
    assert_eq!(network.ledger().len(), 4);
}

#[test]
fn used_id_reveals_nothing_without_permission() {
    let (server, network) = world();
    report(&network, "1001", "13", 90).expect(201);
    let other = server.advertiser("354");
    for seconds in [90, 91] {
        for id in ["1001", "unused"] {
            report(&other, id, "13", seconds).assert_error(404, "RecordNotFound");
        }
    }
    report(&network, "1001", "99", 90).assert_error(404, "RecordNotFound");
}

#[test]
fn put_reports_a_call_like_post() {
    let (_server, network) = world();
    let put = |seconds| network.put("/calls", body("1", "12", seconds));
    let first = put(90).body(201)["cuid"].clone();
    assert_eq!(put(90).body(202)["cuid"], first);
    assert_eq!(report(&network, "1", "12", 90).body(202)["cuid"], first);
    put(91).assert_error(409, "Conflict");
}
