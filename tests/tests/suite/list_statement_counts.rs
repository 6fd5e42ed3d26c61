//! A list page takes a constant number of SQL statements, for any length and any viewer.

use serde_json::{Value, json};
use trunkline_domain::id::NetworkId;
use trunkline_tests::body::{affiliate_campaign_path, campaign_path, relationship_path};
use trunkline_tests::{Client, Request, Server, WebhookReceiver, body};

/// Objects in each list: more than a page of 100.
const OBJECTS_PER_LIST: usize = 104;
const SHORT_PAGE: usize = 10;
const LONG_PAGE: usize = 100;
/// Background work runs statements too: the minimum of this many attempts is the list's own cost.
const ATTEMPTS: usize = 6;

/// A user with budget notifications.
fn user_with_notifications(id: &str) -> Value {
    body::merged(body::user(id), json!({"notify_on_budgets": true}))
}

/// Budgets of every kind, both with stored and with computed totals.
fn budgets() -> Value {
    let cap = json!({"budget_amount": OBJECTS_PER_LIST * 4, "reset_period": "Ongoing", "time_zone": "UTC",
        "starts_at": "2020-01-01", "budget_currency": "USD"});
    json!({"periodic_call_cap_alert": cap, "budget_cap_alert": cap,
        "concurrent_call_cap_alert": {"budget_amount": OBJECTS_PER_LIST}})
}

/// Creates more than a page of objects of every kind, many of them with user 7.
fn world() -> (Server, WebhookReceiver) {
    let server =
        Server::builder().arguments(&["--rate-limit", "0", "--webhook-allow-private"]).start();
    let network = server.network();
    let people: Vec<Value> =
        (100..100 + OBJECTS_PER_LIST).map(|id| user_with_notifications(&id.to_string())).collect();
    network.put("/advertisers/354", json!({"name": "Much", "users": people})).expect(200);
    let receiver = WebhookReceiver::accepting_all();
    network.extensions().post("/webhooks", json!({"url": receiver.url()})).expect(201);
    let all = json!({"auto_approve": "All", "max_promo_numbers": OBJECTS_PER_LIST,
        "budget_activities": {"periodic_call_cap_alert": {"budget_amount": 4,
            "reset_period": "Ongoing", "time_zone": "UTC", "starts_at": "2020-01-01",
            "budget_currency": "USD"}}});
    network.has_live_campaign("354", "12", all);
    let numbers: Vec<String> =
        (0..OBJECTS_PER_LIST).map(|at| format!("80055{:05}", 10_000 + at)).collect();
    server.add_numbers(&numbers.iter().map(String::as_str).collect::<Vec<_>>());
    std::thread::scope(|scope| {
        for part in 0..4 {
            let network = &network;
            scope.spawn(move || {
                (0..OBJECTS_PER_LIST)
                    .filter(|at| at % 4 == part)
                    .for_each(|at| add_objects(network, at))
            });
        }
    });
    (server, receiver)
}

/// Creates one more object of every kind.
fn add_objects(network: &Client, at: usize) {
    let id = at.to_string();
    for kind in ["advertisers", "affiliates"] {
        let party = json!({"name": format!("Of many {at}"), "users": [body::user("7")]});
        network.put(&format!("/{kind}/{id}"), party).expect(200);
    }
    let field = json!({"partner_name": format!("field {at}"), "data_type": "short_text"});
    network.post("/custom_data_fields", field).expect(201);
    let affiliate = affiliate_campaign_path("354", "12", &id);
    network.post(&affiliate, json!({"status": "Applied"})).expect(201);
    network.put(&relationship_path("354", &id), json!({"status": "Approved"})).expect(200);
    let visible = ["All", "Approved_Affiliates"][at % 2];
    let more = json!({"budget_activities": budgets(), "visibility": visible});
    let own_campaign = body::merged(body::campaign(&format!("Campaign {at}")), more);
    network.put(&campaign_path("354", &format!("of-{at}")), own_campaign.clone()).expect(200);
    if at.is_multiple_of(3) {
        network.go_live("354", &format!("of-{at}"));
    }
    let number = json!({"description": "Radio spot", "media_type": "Radio"});
    network.post(&format!("{}/promo_numbers", campaign_path("354", "12")), number).expect(201);
    network.extensions().post("/tokens", json!({"role": "Observer"})).expect(201);
    let call = json!({"call": {"external_call_unique_id": id, "start_time": "2200-01-01",
        "advertiser_campaign_id_from_network": "12", "affiliate_id_from_network": id}});
    network.post("/calls", call).expect(201);
}

/// Path of every list, and `true` for extensions.
fn lists(network: NetworkId) -> Vec<(String, bool)> {
    let campaign = campaign_path("354", "12");
    let own_campaign = |path: &str| (path.to_owned(), false);
    let ours = |path: &str| (path.to_owned(), true);
    vec![
        own_campaign("/advertisers"),
        own_campaign("/custom_data_fields"),
        own_campaign("/affiliates"),
        own_campaign("/advertisers/354/users"),
        own_campaign("/advertisers/354/advertiser_campaigns"),
        own_campaign("/advertisers/354/affiliates"),
        own_campaign(&format!("{campaign}/affiliate_campaigns")),
        own_campaign(&format!("{campaign}/affiliates")),
        own_campaign(&format!("{campaign}/promo_numbers")),
        own_campaign(&format!("/networks/transactions/{network}")),
        ours("/audit"),
        ours("/calls"),
        ours("/mails"),
        ours("/webhooks/1/deliveries"),
        ours("/tokens"),
    ]
}

/// SQL statements that the server has run so far.
fn statement_count(client: &Client) -> u64 {
    let metrics = client.absolute_paths().get("/metrics").text();
    let line =
        metrics.lines().find_map(|item| item.strip_prefix("trunkline_database_statements_total "));
    line.expect("a count").parse().expect("a number")
}

/// Minimum statement count of a page, and the length of the page.
fn page_cost(client: &Client, send: &dyn Fn(usize) -> Request, limit: usize) -> (u64, usize) {
    let costs = (0..ATTEMPTS).map(|_| {
        let before = statement_count(client);
        let page = send(limit).send().body(200);
        (statement_count(client) - before, page.as_array().expect("a list").len())
    });
    costs.min().expect("it was tried")
}

#[test]
fn long_page_runs_as_many_statements_as_a_short_one() {
    let (server, _receiver) = world();
    let network = server.network();
    let cookie = server.sign_in("user7@example.com");
    let mut current = Vec::new();
    let mut uneven = Vec::new();
    for (path, is_ours) in lists(network.network_id()) {
        let client = if is_ours { network.extensions() } else { network.clone() };
        let anonymous = client.with_token(None);
        let page = |limit| format!("{path}?limit={limit}");
        let as_network = |limit| client.request("GET", &page(limit));
        let as_person = |limit| anonymous.request("GET", &page(limit)).header("Cookie", &cookie);
        let asking: [(&str, &dyn Fn(usize) -> Request); 2] =
            [("network", &as_network), ("person", &as_person)];
        for (viewer, send) in asking {
            if send(SHORT_PAGE).send().status != 200 {
                // Some lists are visible to the network only.
                assert_eq!(viewer, "person", "{path}");
                continue;
            }
            let ((short, few), (long, many)) =
                (page_cost(&network, send, SHORT_PAGE), page_cost(&network, send, LONG_PAGE));
            current.push(format!("{path}, {viewer}: {few} for {short}, {many} for {long}"));
            if short != long || (viewer == "network" && (few, many) != (SHORT_PAGE, LONG_PAGE)) {
                uneven.push(current.last().cloned());
            }
        }
    }
    eprintln!("{}", current.join("\n"));
    assert!(uneven.is_empty(), "{uneven:#?}");
}

#[test]
fn every_list_route_is_measured() {
    let server = Server::start();
    let document = server.anon().absolute_paths().get("/openapi.json").body(200);
    let paths = document["paths"].as_object().expect("paths");
    let pages = |parameters: &Value| {
        let parameters = parameters.as_array().map(Vec::as_slice).unwrap_or_default();
        let name = |item: &Value| item["$ref"].as_str().unwrap_or_default().to_owned();
        parameters.iter().any(|item| name(item).ends_with("/start_after_id"))
    };
    let listed = paths.iter().filter(|(_, path)| pages(&path["get"]["parameters"])).count();
    // The four routes of promo numbers are one list. A network has at most 20 webhooks. Transactions and users
    // have paging parameters of their own.
    assert_eq!(listed, lists(NetworkId::new(1)).len() + 4 - 2, "{:?}", paths.keys());
}
