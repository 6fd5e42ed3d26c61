//! `calls_in_progress`: live calls for integrations at the time of a call.

use serde_json::{Value, json};
use trunkline_tests::body::{affiliate_campaign_path, base_policy, campaign_path};
use trunkline_tests::{Client, Response, Server};

const CALLER: &str = "8057089876";

/// A live campaign 12 of advertiser 354 with a menu and a region, and an approved affiliate 976 with
/// the promo number 8005550100.
fn world() -> (Server, Client) {
    let server = Server::start();
    let network = server.network();
    let connect =
        |number: &str| json!({"node_type": "Connect", "destination_phone_number": number});
    let campaign = json!({
        "auto_approve": "All",
        "campaign_country": "US",
        "named_regions": [{"name": "West", "regions": [{"region_type": "State", "value": "CA"}]}],
        "ivr_tree": {"root": {"node_type": "Menu", "prompt": "Choose.", "children": [
            connect("8005550101"),
            connect("8005550102"),
        ]}},
        "affiliate_payout": base_policy(4.5, "custom_data[channel] = \"Radio\""),
    });
    network.has_live_campaign("354", "12", campaign);
    network.has_applied("354", "12", "976");
    server.add_numbers(&["8005550100"]);
    let numbers = format!("{}/promo_numbers", affiliate_campaign_path("354", "12", "976"));
    network.post(&numbers, json!({"description": "Ad", "media_type": "Radio"})).expect(201);
    (server, network)
}

/// Starts a call to the promo number. Returns its id and its `complete_call_id`.
fn start_call(client: &Client, caller: &str) -> (i64, String) {
    let call = json!({"promo_number": "8005550100", "calling_phone_number": caller,
        "phone_type": "mobile", "city": "Ventura"});
    let id = client.extensions().post("/calls", call).body(201)["id"].as_i64().expect("an id");
    let call = client.extensions().get(&format!("/calls/{id}")).body(200);
    (id, call["complete_call_id"].as_str().expect("an id").to_owned())
}

fn send_event(client: &Client, id: i64, event: Value) {
    client.extensions().post(&format!("/calls/{id}/events"), event).expect(200);
}

fn connect(client: &Client, id: i64) {
    send_event(client, id, json!({"event": "key", "key": "2"}));
    send_event(client, id, json!({"event": "connected"}));
}

fn get(client: &Client, more: &str) -> Response {
    let network = client.network_id();
    let path = "/calls_in_progress/current_calls.json";
    client.get(&format!("{path}?organization_type=Network&id={network}{more}"))
}

#[track_caller]
fn calls(response: Response) -> Vec<Value> {
    response.body(200)["current_calls"].as_array().expect("a list").clone()
}

#[track_caller]
fn ids(response: Response) -> Vec<String> {
    let id = |call: &Value| call["transaction_id"].as_str().expect("an id").to_owned();
    calls(response).iter().map(id).collect()
}

fn put(client: &Client, query: &str, change: Value) -> Response {
    let network = client.network_id();
    let path = format!("/calls_in_progress.json?organization_type=Network&id={network}&{query}");
    client.put(&path, json!({"call_in_progress": change}))
}

#[test]
fn connected_call_is_shown_with_the_properties_of_the_documents() {
    let (_server, network) = world();
    assert_eq!(calls(get(&network, "")), Vec::<Value>::new());
    let (id, complete_call_id) = start_call(&network, CALLER);
    assert_eq!(calls(get(&network, "")), Vec::<Value>::new());
    let in_tree = calls(get(&network, "&call_status=all"));
    assert_eq!(
        (&in_tree[0]["call_status"], &in_tree[0]["bridge_start_time"]),
        (&json!("ivr"), &Value::Null)
    );
    send_event(&network, id, json!({"event": "key", "key": "2"}));
    let ringing = calls(get(&network, "&call_status=all"));
    assert_eq!(ringing[0]["call_status"], "ringing");
    assert_eq!(ringing[0]["destination_phone_number"], "+18005550102");
    assert_eq!(calls(get(&network, "&call_status=bridged")), Vec::<Value>::new());
    send_event(&network, id, json!({"event": "connected"}));
    let call = calls(get(&network, "")).pop().expect("a call");
    let campaign = network.get(&campaign_path("354", "12")).body(200);
    let advertiser = network.get("/advertisers/354").body(200);
    let affiliate = network.get("/affiliates/976").body(200);
    let path = affiliate_campaign_path("354", "12", "976");
    let affiliate_campaign = network.get(&path).body(200);
    let number = network.get(&format!("{path}/promo_numbers")).body(200)[0].clone();
    let expected = json!({
        "transaction_id": complete_call_id,
        "call_record_id": complete_call_id,
        "call_status": "bridged",
        "external_unique_id": null,
        "calling_phone_number": "+18057089876",
        "destination_phone_number": "+18005550102",
        "called_phone_number": "+18005550100",
        "bridge_start_time": call["bridge_start_time"],
        "start_time": call["start_time"],
        "phone_type": "Mobile",
        "advertiser_campaign_country": "US",
        "advertiser_campaign_id": campaign["id"],
        "advertiser_campaign_id_from_network": "12",
        "advertiser_campaign_name": campaign["name"],
        "advertiser_id": advertiser["id"],
        "advertiser_id_from_network": "354",
        "advertiser_name": advertiser["name"],
        "affiliate_campaign_id_from_network": affiliate_campaign["id_from_network"],
        "affiliate_id": affiliate["id"],
        "affiliate_id_from_network": "976",
        "affiliate_name": affiliate["name"],
        "city": "Ventura",
        "region": "CA",
        "qualified_regions": "West",
        "zip_code": null,
        "verified_zip_code": null,
        "media_type": "Radio",
        "promo_number_description": "Ad",
        "promo_number_id": number["id"],
        "keypress_1": "2",
        "keypress_2": null,
        "keypress_3": null,
        "keypress_4": null,
        "custom_data": {},
    });
    assert_eq!(call, expected);
    send_event(&network, id, json!({"event": "hung_up"}));
    assert_eq!(calls(get(&network, "&call_status=all")), Vec::<Value>::new());
    // The id takes the place of a transaction_id elsewhere, too.
    let path = format!("/transactions/{complete_call_id}");
    let explained = network.extensions().get(&format!("{path}/explanation")).body(200);
    assert_eq!(explained["outcome"], "connected");
    let correction = json!({"reason": "a test", "call": {"city": "Ojai"}});
    network.extensions().post(&format!("{path}/corrections"), correction).expect(201);
}

#[test]
fn calls_are_found_by_ids_and_numbers_and_the_last_connected_is_first() {
    let (_server, network) = world();
    let (first, first_id) = start_call(&network, CALLER);
    let (second, second_id) = start_call(&network, "8057089877");
    connect(&network, second);
    connect(&network, first);
    let both = ids(get(&network, ""));
    assert_eq!(both.len(), 2, "{both:?}");
    assert!(both.contains(&first_id) && both.contains(&second_id));
    assert_eq!(ids(get(&network, &format!("&transaction_id={second_id}"))), [second_id.as_str()]);
    for nothing in ["&transaction_id=1", "&transaction_id=a%00b", "&external_unique_id=nothing"] {
        assert_eq!(calls(get(&network, nothing)), Vec::<Value>::new(), "{nothing}");
    }
    let numbers = |caller: &str, destination: &str| {
        let query =
            format!("&calling_phone_number={caller}&destination_phone_number={destination}");
        ids(get(&network, &query))
    };
    assert_eq!(numbers("805-708-9876", "%2B18005550102"), [first_id]);
    assert_eq!(numbers("18057089877", "800-555-0102"), [second_id.as_str()]);
    assert_eq!(numbers(CALLER, "8005550101"), Vec::<String>::new());
    put(
        &network,
        &format!("transaction_id={second_id}"),
        json!({"external_unique_id": "mycalls00001"}),
    )
    .expect(202);
    assert_eq!(ids(get(&network, "&external_unique_id=mycalls00001")), [second_id.as_str()]);
}

#[test]
fn invalid_parameters_are_reported_at_their_names() {
    let (_server, network) = world();
    let current = "/calls_in_progress/current_calls.json";
    let blank = json!(["can't be blank"]);
    network.get(current).assert_invalid(&json!({"organization_type": blank, "id": blank}));
    let not_listed = json!(["is not included in the list"]);
    network
        .get(&format!("{current}?organization_type=Affiliate&id=976"))
        .assert_invalid(&json!({"organization_type": not_listed}));
    get(&network, "&call_status=gone").assert_invalid(&json!({"call_status": not_listed}));
    get(&network, "&calling_phone_number=8057089876")
        .assert_invalid(&json!({"destination_phone_number": blank}));
    get(&network, "&calling_phone_number=x&destination_phone_number=1001")
        .assert_invalid(&json!({"calling_phone_number": ["is invalid"]}));
    network
        .get(&format!("{current}?organization_type=Network&id=99"))
        .assert_error(404, "RecordNotFound");
    put(&network, "", json!({})).assert_invalid(&json!({"transaction_id": blank}));
    put(&network, "transaction_id=nothing", json!({})).assert_error(404, "RecordNotFound");
}

#[test]
fn external_id_and_custom_data_are_given_during_the_call() {
    let (_server, network) = world();
    let (id, complete_call_id) = start_call(&network, CALLER);
    let by_id = format!("transaction_id={complete_call_id}");
    let unknown = json!({"custom_data": [{"name": "colour", "value": "red"}]});
    let message = json!(["is not a custom data field of this network"]);
    put(&network, &by_id, unknown)
        .assert_invalid(&json!({"call_in_progress": {"custom_data": [{"name": message}]}}));
    let change = json!({"external_unique_id": "mycalls00001"});
    let changed = put(&network, &by_id, change.clone()).body(202);
    assert_eq!(changed["current_calls"][0]["external_unique_id"], "mycalls00001");
    assert_eq!(put(&network, &by_id, change).body(202), changed);
    let by_external_id = "external_unique_id=mycalls00001";
    let data = json!({"custom_data": [{"name": "channel", "value": "Radio"}]});
    let changed = put(&network, by_external_id, data.clone()).body(202);
    let channel = &changed["current_calls"][0]["custom_data"]["channel"];
    assert_eq!(*channel, json!({"value": "Radio", "source": "Api"}));
    let network_id = network.network_id();
    let path = format!(
        "/calls_in_progress.json?organization_type=Network&id={network_id}&{by_external_id}"
    );
    network.post(&path, json!({"call_in_progress": data})).assert_json(202, &changed);
    // An id belongs to one call of an advertiser.
    let (_, other) = start_call(&network, "8057089877");
    put(
        &network,
        &format!("transaction_id={other}"),
        json!({"external_unique_id": "mycalls00001"}),
    )
    .assert_error(409, "Conflict");
    connect(&network, id);
    let events = network.extensions();
    let alive = events.post("/calls/by_external_id/mycalls00001/events", json!({"event": "alive"}));
    assert_eq!(alive.body(200)["id"], id);
    send_event(&network, id, json!({"event": "hung_up"}));
    put(&network, &by_id, data).assert_error(404, "RecordNotFound");
    // The value is a fact of the call: the payout's condition is met.
    let rows = network
        .get(&format!(
            "/networks/transactions/{network_id}?include_columns=affiliate_payout_localized"
        ))
        .body(200);
    assert_eq!(rows[0]["affiliate_payout_localized"], "4.50");
}

#[test]
fn external_id_of_the_start_is_shown_until_a_client_gives_another_one() {
    let (_server, network) = world();
    let start = |caller: &str, id: &str| {
        let call = json!({"promo_number": "8005550100", "calling_phone_number": caller,
            "external_call_unique_id": id});
        network.extensions().post("/calls", call)
    };
    let id = start(CALLER, "CA1").body(201)["id"].as_i64().expect("an id");
    connect(&network, id);
    let call = calls(get(&network, "&external_unique_id=CA1")).pop().expect("a call");
    assert_eq!(call["external_unique_id"], "CA1");
    put(&network, "external_unique_id=CA1", json!({"external_unique_id": "crm-1"})).expect(202);
    let renamed = calls(get(&network, "&external_unique_id=crm-1")).pop().expect("a call");
    assert_eq!(renamed["transaction_id"], call["transaction_id"]);
    assert_eq!(calls(get(&network, "&external_unique_id=CA1")), Vec::<Value>::new());
    // The edge goes on with its own id, which stays taken.
    let over = json!({"event": "hung_up", "connect_duration": 40});
    for external_id in ["crm-1", "CA1"] {
        let path = format!("/calls/by_external_id/{external_id}/events");
        let answer = network.extensions().post(&path, json!({"event": "alive"})).body(200);
        assert_eq!(answer["id"], id, "{external_id}");
    }
    assert_eq!(start(CALLER, "CA1").body(201)["id"], id);
    start("8057089877", "CA1").assert_error(409, "Conflict");
    let (_, other) = start_call(&network, "8057089877");
    let taken = json!({"external_unique_id": "CA1"});
    put(&network, &format!("transaction_id={other}"), taken).assert_error(409, "Conflict");
    network.extensions().post("/calls/by_external_id/CA1/events", over).expect(200);
    let ended = network.extensions().get(&format!("/calls/{id}")).body(200);
    assert_eq!(ended["external_call_unique_id"], "CA1");
    assert_eq!(ended["connect_duration"], 40);
}

#[test]
fn field_that_the_tree_reads_does_not_change_during_the_call() {
    let (_server, network) = world();
    let end = json!({"node_type": "EndCall", "prompt": "Bye."});
    let root = json!({"node_type": "Condition", "condition": "custom_data[channel] = \"TV\"",
        "children": [end, {"node_type": "Connect", "destination_phone_number": "8005550101"}]});
    network.put(&campaign_path("354", "12"), json!({"ivr_tree": {"root": root}})).expect(200);
    network.go_live("354", "12");
    let (id, complete_call_id) = start_call(&network, CALLER);
    let change = json!({"custom_data": [{"name": "channel", "value": "TV"}]});
    let message = json!(["cannot change: a condition of the call's IVR tree reads it"]);
    put(&network, &format!("transaction_id={complete_call_id}"), change)
        .assert_invalid(&json!({"call_in_progress": {"custom_data": [{"value": message}]}}));
    send_event(&network, id, json!({"event": "connected"}));
    send_event(&network, id, json!({"event": "hung_up"}));
    let call = network.extensions().get(&format!("/calls/{id}")).body(200);
    assert_eq!(call["outcome"], "connected");
}

#[test]
fn advertisers_see_their_own_calls_and_affiliates_none() {
    let (server, network) = world();
    network.has_advertiser("355");
    let (id, complete_call_id) = start_call(&network, CALLER);
    connect(&network, id);
    let of_advertiser = |client: &Client, advertiser: &str| {
        let path = "/calls_in_progress/current_calls.json";
        client.get(&format!("{path}?organization_type=Advertiser&id={advertiser}"))
    };
    let internal_id = network.get("/advertisers/354").body(200)["id"].to_string();
    let own = server.advertiser("354");
    for advertiser in ["354", &internal_id] {
        assert_eq!(ids(of_advertiser(&own, advertiser)), [complete_call_id.as_str()]);
        assert_eq!(ids(of_advertiser(&network, advertiser)), [complete_call_id.as_str()]);
    }
    assert_eq!(calls(of_advertiser(&network, "355")), Vec::<Value>::new());
    let other = server.advertiser("355");
    of_advertiser(&other, "354").assert_error(404, "RecordNotFound");
    get(&other, "").assert_error(403, "UnauthorizedOperation");
    let path = "/calls_in_progress.json?organization_type=Advertiser&id=355";
    let change = json!({"call_in_progress": {"external_unique_id": "mine"}});
    other
        .put(&format!("{path}&transaction_id={complete_call_id}"), change.clone())
        .assert_error(404, "RecordNotFound");
    let affiliate = server.affiliate("976");
    get(&affiliate, "").assert_error(403, "UnauthorizedOperation");
    of_advertiser(&affiliate, "354").assert_error(403, "UnauthorizedOperation");
    let observer = server.observer();
    assert_eq!(ids(get(&observer, "")), [complete_call_id.as_str()]);
    put(
        &observer,
        &format!("transaction_id={complete_call_id}"),
        change["call_in_progress"].clone(),
    )
    .assert_error(403, "UnauthorizedOperation");
}
