//! A single object is read by one statement, which is a read of its own: whoever asks, and whether or not
//! it is there. Such statements are not counted (`trunkline_database_statements_total`), others are.

use serde_json::json;
use trunkline_tests::body::{self, affiliate_campaign_path, campaign_path, relationship_path};
use trunkline_tests::{Client, Server};

/// Other things run statements now and then: the least of so many tries is the request's own.
const TRIES: usize = 6;

/// A network with one of everything.
fn world() -> Server {
    let server = Server::start_with(&["--rate-limit", "0", "--webhook-allow-private"]);
    let network = server.network();
    server.stock(&["8005550101", "8005550102"]);
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
    // From its first call on what a budget has come to is kept.
    let call = json!({"call": {"external_call_unique_id": "1", "start_time": "2200-01-01",
        "advertiser_campaign_id_from_network": "12", "affiliate_id_from_network": "222"}});
    network.post("/calls", call).expect(201);
    server
}

/// Whether an object is there, and where it would be.
fn objects() -> Vec<(bool, String)> {
    let (campaign, affiliate) =
        (campaign_path("1", "12"), affiliate_campaign_path("1", "12", "222"));
    let there = [
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
    let there = there.into_iter().map(|path| (true, path));
    there.chain(missing.into_iter().map(|path| (false, path))).collect()
}

/// Statements that the server has run so far.
fn statements(client: &Client) -> u64 {
    let metrics = client.anywhere().get("/metrics").text();
    let line =
        metrics.lines().find_map(|it| it.strip_prefix("trunkline_database_statements_total "));
    line.expect("a count").parse().expect("a number")
}

/// The least that a request costs.
fn cost(client: &Client, path: &str) -> u64 {
    let costs = (0..TRIES).map(|_| {
        let before = statements(client);
        client.get(path);
        statements(client) - before
    });
    costs.min().expect("it was tried")
}

/// What is asked for that costs more than it should: for what a status says, and to whom it is said.
fn dear(server: &Server, is_looked_at: impl Fn(u16) -> bool) -> Vec<String> {
    let clients = [
        ("network", server.network()),
        ("observer", server.observer()),
        ("advertiser", server.advertiser("1")),
        ("affiliate", server.affiliate("222")),
        ("another affiliate", server.affiliate("223")),
    ];
    let mut found = Vec::new();
    for (who, client) in &clients {
        for (there, path) in objects() {
            let path = path.replace(' ', "%20");
            let status = client.get(&path).status;
            assert!(there || status != 200, "{who}: {path}");
            assert!(*who != "network" || (status == 200) == there, "{path}: {status}");
            if is_looked_at(status) {
                let cost = cost(client, &path);
                if cost > 0 {
                    found.push(format!("{who}: {path} answered {status} after {cost}"));
                }
            }
        }
    }
    found
}

#[test]
fn a_single_object_is_one_statement() {
    let dear = dear(&world(), |status| status == 200);
    assert!(dear.is_empty(), "{dear:#?}");
}

#[test]
fn on_postgres_what_is_not_there_is_one_statement_too() {
    // Who may not ask at all is told so without any: then the token is looked at.
    let dear = dear(&world(), |status| status == 200 || status == 404);
    assert!(dear.is_empty(), "{dear:#?}");
}
