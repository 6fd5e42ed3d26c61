//! A page of a list costs as many statements as another, however long it is and whoever asks.

use serde_json::{Value, json};
use trunkline_tests::body::{affiliate_campaign_path, campaign_path, relationship_path};
use trunkline_tests::{Client, Receiver, Request, Server, body};

/// Objects in each list; a page of 100 is not the last.
const MANY: usize = 104;
const SHORT: usize = 10;
const LONG: usize = 100;
/// Other things run statements now and then: the least of so many tries is the list's own.
const TRIES: usize = 6;

/// Somebody in a list of people, who is told of budgets.
fn person(id: &str) -> Value {
    body::with(body::user(id), json!({"notify_on_budgets": true}))
}

/// Budgets of every kind, that are kept and that are counted anew.
fn budgets() -> Value {
    let cap = json!({"budget_amount": MANY * 4, "reset_period": "Ongoing", "time_zone": "UTC",
        "starts_at": "2020-01-01", "budget_currency": "USD"});
    json!({"periodic_call_cap_alert": cap, "budget_cap_alert": cap,
        "concurrent_call_cap_alert": {"budget_amount": MANY}})
}

/// A network with more than a page of everything, much of it with user 7.
fn world() -> (Server, Receiver) {
    let server = Server::start_with(&["--rate-limit", "0", "--webhook-allow-private"]);
    let network = server.network();
    let people: Vec<Value> = (100..100 + MANY).map(|id| person(&id.to_string())).collect();
    network.put("/advertisers/354", json!({"name": "Much", "users": people})).expect(200);
    let receiver = Receiver::taking();
    network.extensions().post("/webhooks", json!({"url": receiver.url()})).expect(201);
    let all = json!({"auto_approve": "All", "max_promo_numbers": MANY,
        "budget_activities": {"periodic_call_cap_alert": {"budget_amount": 4,
            "reset_period": "Ongoing", "time_zone": "UTC", "starts_at": "2020-01-01",
            "budget_currency": "USD"}}});
    network.has_live_campaign("354", "12", all);
    let numbers: Vec<String> = (0..MANY).map(|at| format!("80055{:05}", 10_000 + at)).collect();
    server.stock(&numbers.iter().map(String::as_str).collect::<Vec<_>>());
    std::thread::scope(|scope| {
        for part in 0..4 {
            let network = &network;
            scope.spawn(move || {
                (0..MANY).filter(|at| at % 4 == part).for_each(|at| fill(network, at))
            });
        }
    });
    (server, receiver)
}

/// One more of everything.
fn fill(network: &Client, at: usize) {
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
    let own = body::with(body::campaign(&format!("Campaign {at}")), more);
    network.put(&campaign_path("354", &format!("of-{at}")), own.clone()).expect(200);
    if at.is_multiple_of(3) {
        network.go_live("354", &format!("of-{at}"));
    }
    let number = json!({"description": "Radio spot", "media_type": "Radio"});
    network.post(&format!("{}/promo_numbers", campaign_path("354", "12")), number).expect(201);
    let call = json!({"call": {"external_call_unique_id": id, "start_time": "2200-01-01",
        "advertiser_campaign_id_from_network": "12", "affiliate_id_from_network": id}});
    network.post("/calls", call).expect(201);
}

/// Every list: where it is, and whether it is among the extensions.
fn lists(network: i64) -> Vec<(String, bool)> {
    let campaign = campaign_path("354", "12");
    let own = |path: &str| (path.to_owned(), false);
    let ours = |path: &str| (path.to_owned(), true);
    vec![
        own("/advertisers"),
        own("/custom_data_fields"),
        own("/affiliates"),
        own("/advertisers/354/users"),
        own("/advertisers/354/advertiser_campaigns"),
        own("/advertisers/354/affiliates"),
        own(&format!("{campaign}/affiliate_campaigns")),
        own(&format!("{campaign}/affiliates")),
        own(&format!("{campaign}/promo_numbers")),
        own(&format!("/networks/transactions/{network}")),
        ours("/audit"),
        ours("/calls"),
        ours("/mails"),
        ours("/webhooks/1/deliveries"),
    ]
}

/// Statements that the server has run so far.
fn statements(client: &Client) -> u64 {
    let metrics = client.anywhere().get("/metrics").text();
    let line =
        metrics.lines().find_map(|it| it.strip_prefix("trunkline_database_statements_total "));
    line.expect("a count").parse().expect("a number")
}

/// The least that a page costs, and how long it is.
fn cost(client: &Client, ask: &dyn Fn(usize) -> Request, limit: usize) -> (u64, usize) {
    let costs = (0..TRIES).map(|_| {
        let before = statements(client);
        let page = ask(limit).send().body(200);
        (statements(client) - before, page.as_array().expect("a list").len())
    });
    costs.min().expect("it was tried")
}

#[test]
fn a_long_page_costs_as_many_statements_as_a_short_one() {
    let (server, _receiver) = world();
    let network = server.network();
    let cookie = server.sign_in("user7@example.com");
    let (mut shown, mut uneven) = (Vec::new(), Vec::new());
    for (path, is_ours) in lists(network.network_id()) {
        let client = if is_ours { network.extensions() } else { network.clone() };
        let stranger = client.with_token(None);
        let page = |limit| format!("{path}?limit={limit}");
        let as_network = |limit| client.request("GET", &page(limit));
        let as_person = |limit| stranger.request("GET", &page(limit)).header("Cookie", &cookie);
        let asking: [(&str, &dyn Fn(usize) -> Request); 2] =
            [("network", &as_network), ("person", &as_person)];
        for (who, ask) in asking {
            if ask(SHORT).send().status != 200 {
                // Some lists are the network's alone.
                assert_eq!(who, "person", "{path}");
                continue;
            }
            let ((short, few), (long, many)) =
                (cost(&network, ask, SHORT), cost(&network, ask, LONG));
            shown.push(format!("{path}, {who}: {few} for {short}, {many} for {long}"));
            if short != long || (who == "network" && (few, many) != (SHORT, LONG)) {
                uneven.push(shown.last().cloned());
            }
        }
    }
    eprintln!("{}", shown.join("\n"));
    assert!(uneven.is_empty(), "{uneven:#?}");
}

#[test]
fn every_list_is_looked_at() {
    let server = Server::start();
    let document = server.anon().anywhere().get("/openapi.json").body(200);
    let paths = document["paths"].as_object().expect("paths");
    let pages = |parameters: &Value| {
        let parameters = parameters.as_array().map(Vec::as_slice).unwrap_or_default();
        let name = |it: &Value| it["$ref"].as_str().unwrap_or_default().to_owned();
        parameters.iter().any(|it| name(it).ends_with("/start_after_id"))
    };
    let listed = paths.iter().filter(|(_, path)| pages(&path["get"]["parameters"])).count();
    // Four ways to promo numbers are one list, and a network has 20 webhooks at most; transactions and
    // users are paged in words of their own.
    assert_eq!(listed, lists(1).len() + 4 - 2, "{:?}", paths.keys());
}
