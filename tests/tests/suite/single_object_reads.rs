//! A single object is read with one statement outside of a transaction, for any viewer.
//! `trunkline_database_statements_total` does not count such statements.

use serde_json::json;
use trunkline_tests::body::{self, affiliate_campaign_path, campaign_path, relationship_path};
use trunkline_tests::{Client, Server};

/// Background work runs statements too: the minimum of this many attempts is the request's own cost.
const ATTEMPTS: usize = 6;

/// Creates one object of every kind.
fn world() -> Server {
    let server =
        Server::builder().arguments(&["--rate-limit", "0", "--webhook-allow-private"]).start();
    let network = server.network();
    server.add_numbers(&["8005550101", "8005550102"]);
    let budget = json!({"budget_amount": 4, "reset_period": "Ongoing", "time_zone": "UTC",
        "starts_at": "2020-01-01", "budget_currency": "USD"});
    let budgets = json!({"periodic_call_cap_alert": budget, "budget_cap_alert": budget,
        "concurrent_call_cap_alert": {"budget_amount": 4}});
    let more = json!({"visibility": "Approved_Affiliates", "budget_activities": budgets});
    network.has_live_campaign("1", "12", more);
    network.has_applied("1", "12", "222");
    network.has_affiliate("223");
    network.put("/advertisers/1/users/7", json!({"user": body::user("7")})).expect(200);
    network.put(&relationship_path("1", "222"), json!({"status": "Approved"})).expect(200);
    for (owner, id) in
        [(campaign_path("1", "12"), "n1"), (affiliate_campaign_path("1", "12", "222"), "n2")]
    {
        let number = json!({"description": "Radio", "media_type": "Radio", "id_from_network": id});
        network.post(&format!("{owner}/promo_numbers"), number).expect(201);
    }
    network.extensions().post("/webhooks", json!({"url": "http://127.0.0.1:9/"})).expect(201);
    // The first call creates the stored budget total.
    let call = json!({"call": {"external_call_unique_id": "1", "start_time": "2200-01-01",
        "advertiser_campaign_id_from_network": "12", "affiliate_id_from_network": "222"}});
    network.post("/calls", call).expect(201);
    server
}

/// Path of every object, and `true` if the object exists.
fn objects() -> Vec<(bool, String)> {
    let campaign = campaign_path("1", "12");
    let affiliate = affiliate_campaign_path("1", "12", "222");
    let existing = [
        "/advertisers/1".to_owned(),
        "/affiliates/222".to_owned(),
        "/network".to_owned(),
        "/advertisers/1/users/7".to_owned(),
        "/custom_data_fields/channel".to_owned(),
        relationship_path("1", "222"),
        campaign.clone(),
        affiliate.clone(),
        format!("{campaign}/promo_numbers/8005550101"),
        format!("{campaign}/promo_numbers_by_id/n1"),
        format!("{affiliate}/promo_numbers/8005550102"),
        format!("{affiliate}/promo_numbers_by_id/n2"),
    ];
    let missing = [
        "/advertisers/2".to_owned(),
        "/affiliates/224".to_owned(),
        "/advertisers/2/users/7".to_owned(),
        "/advertisers/1/users/8".to_owned(),
        "/custom_data_fields/none".to_owned(),
        relationship_path("2", "222"),
        relationship_path("1", "223"),
        campaign_path("1", "13"),
        campaign_path("2", "12"),
        affiliate_campaign_path("1", "12", "223"),
        affiliate_campaign_path("1", "12", "224"),
        format!("{affiliate}/other"),
        format!("{campaign}/promo_numbers/8005550102"),
        format!("{campaign}/promo_numbers/not a number"),
        format!("{affiliate}/promo_numbers_by_id/n1"),
    ];
    let existing = existing.into_iter().map(|path| (true, path));
    existing.chain(missing.into_iter().map(|path| (false, path))).collect()
}

/// SQL statements that the server has run so far.
fn statement_count(client: &Client) -> u64 {
    let metrics = client.absolute_paths().get("/metrics").text();
    let line =
        metrics.lines().find_map(|item| item.strip_prefix("trunkline_database_statements_total "));
    line.expect("a count").parse().expect("a number")
}

/// Minimum statement count of a request.
fn request_cost(client: &Client, path: &str) -> u64 {
    let costs = (0..ATTEMPTS).map(|_| {
        let before = statement_count(client);
        client.get(path);
        statement_count(client) - before
    });
    costs.min().expect("it was tried")
}

/// Requests that run more counted statements than `budget` allows for their status and path, for all
/// viewers. Requests without a budget are not measured.
fn requests_over_budget(server: &Server, budget: impl Fn(u16, &str) -> Option<u64>) -> Vec<String> {
    let clients = [
        ("network", server.network()),
        ("observer", server.observer()),
        ("advertiser", server.advertiser("1")),
        ("affiliate", server.affiliate("222")),
        ("another affiliate", server.affiliate("223")),
    ];
    let mut matches = Vec::new();
    for (viewer, client) in &clients {
        for (existing, path) in objects() {
            let path = path.replace(' ', "%20");
            let status = client.get(&path).status;
            assert!(existing || status != 200, "{viewer}: {path}");
            assert!(*viewer != "network" || (status == 200) == existing, "{path}: {status}");
            if let Some(budget) = budget(status, &path) {
                let cost = request_cost(client, &path);
                if cost > budget {
                    matches.push(format!("{viewer}: {path} answered {status} after {cost}"));
                }
            }
        }
    }
    matches
}

/// Counted statements of a request for a missing object whose path has decimal segments: they are looked up
/// as internal ids, too.
const INTERNAL_ID_STATEMENTS: u64 = 6;

fn has_decimal_segment(path: &str) -> bool {
    path.split('/').any(|segment| segment.parse::<u64>().is_ok())
}

#[test]
fn single_object_is_read_with_one_statement() {
    let dear = requests_over_budget(&world(), |status, _| (status == 200).then_some(0));
    assert!(dear.is_empty(), "{dear:#?}");
}

#[test]
fn on_postgres_missing_object_is_read_with_few_statements() {
    // A 401 or 403 runs counted statements, because the token is revalidated.
    let dear = requests_over_budget(&world(), |status, path| match status {
        200 => Some(0),
        404 if has_decimal_segment(path) => Some(INTERNAL_ID_STATEMENTS),
        404 => Some(0),
        _ => None,
    });
    assert!(dear.is_empty(), "{dear:#?}");
}
