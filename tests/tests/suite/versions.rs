//! Every dated change of the contract: what a request and an answer look like on the day before
//! it and on the day.

use serde_json::{Value, json};
use trunkline_tests::body::{self, affiliate_campaign_path, campaign_path};
use trunkline_tests::{Client, Server, assert_same};

#[track_caller]
fn has(object: &Value, names: &[&str]) {
    for name in names {
        assert!(object.get(name).is_some(), "there is no {name} in {object}");
    }
}

#[track_caller]
fn lacks(object: &Value, names: &[&str]) {
    for name in names {
        assert!(object.get(name).is_none(), "there is {name} in {object}");
    }
}

fn budget(amount: u32) -> Value {
    json!({
        "budget_amount": amount,
        "budget_currency": "USD",
        "reset_period": "Ongoing",
        "starts_at": "2014-04-17T00:00:00-07:00",
        "time_zone": "Pacific Time (US & Canada)",
    })
}

/// The future terms of campaign 12 on a version.
fn terms(client: &Client) -> Value {
    client.get(&campaign_path("1", "12")).body(200)["future_terms"].clone()
}

#[test]
fn any_date_from_2014_01_01_on_is_a_version() {
    let server = Server::start();
    let network = server.network();
    network.has_affiliate("222");
    for version in
        ["2014-01-01", "2014-11-01", "2016-10-01", "2022-09-29", "2023-10-09", "2031-02-28"]
    {
        network.on(version).get("/affiliates/222").expect(200);
    }
    for version in ["2013-12-31", "2013-03-22", "0000-01-01", "yesterday", "2015-02-30", "v1", "1"]
    {
        let answer = network.on(version).get("/affiliates/222");
        answer.refused(400, "InvalidApiVersion");
    }
}

#[test]
fn call_cap_alert_becomes_periodic_on_2015_12_09() {
    let server = Server::start();
    let network = server.network();
    let (before, after) = (network.on("2015-12-08"), network.on("2015-12-09"));
    network.has_campaign("1", "12", json!({}));
    let path = campaign_path("1", "12");
    for (client, name) in [
        (&before, "call_cap_alert"),
        (&after, "call_cap_alert"),
        (&before, "periodic_call_cap_alert"),
        (&after, "periodic_call_cap_alert"),
    ] {
        network.put(&path, json!({"budget_activities": null})).expect(200);
        let mut budgets = json!({"concurrent_call_cap_alert": {"budget_amount": 5}});
        budgets[name] = budget(200);
        client.put(&path, json!({"budget_activities": budgets})).expect(200);
        let old = &terms(&before)["budget_activities"];
        has(old, &["call_cap_alert"]);
        lacks(old, &["periodic_call_cap_alert", "concurrent_call_cap_alert"]);
        let new = &terms(&after)["budget_activities"];
        has(new, &["periodic_call_cap_alert", "concurrent_call_cap_alert"]);
        lacks(new, &["call_cap_alert"]);
        assert_same(&old["call_cap_alert"], &new["periodic_call_cap_alert"]);
    }
    // Both names: the one of the request's own date counts.
    let both = json!({"call_cap_alert": budget(1), "periodic_call_cap_alert": budget(2)});
    before.put(&path, json!({"budget_activities": both})).expect(200);
    assert_same(&terms(&before)["budget_activities"]["call_cap_alert"]["budget_amount"], &json!(1));
    after.put(&path, json!({"budget_activities": both})).expect(200);
    assert_same(&terms(&before)["budget_activities"]["call_cap_alert"]["budget_amount"], &json!(2));
}

#[test]
fn problems_of_a_call_cap_have_the_name_of_their_date() {
    let server = Server::start();
    let network = server.network();
    network.has_campaign("1", "12", json!({}));
    let path = campaign_path("1", "12");
    let mut wrong = budget(1);
    wrong["reset_period"] = "Hourly".into();
    for (version, name) in
        [("2015-12-08", "call_cap_alert"), ("2015-12-09", "periodic_call_cap_alert")]
    {
        let mut budgets = json!({});
        budgets[name] = wrong.clone();
        let answer = network.on(version).put(&path, json!({"budget_activities": budgets}));
        let mut errors = json!({"budget_activities": {}});
        errors["budget_activities"][name] =
            json!({"reset_period": ["is not included in the list"]});
        answer.invalid(&errors);
    }
}

/// A change that only adds a property: it is taken on every version and shown from its date on.
fn is_added_to_terms(name: &str, value: &Value, day_before: &str, day: &str) {
    let server = Server::start();
    let network = server.network();
    network.has_campaign("1", "12", json!({}));
    let (before, after) = (network.on(day_before), network.on(day));
    lacks(&terms(&before), &[name]);
    has(&terms(&after), &[name]);
    before.put(&campaign_path("1", "12"), json!({name: value})).expect(200);
    lacks(&terms(&before), &[name]);
    assert_same(&terms(&after)[name], value);
    let cleared = after.put(&campaign_path("1", "12"), json!({name: null})).body(200);
    assert_same(&cleared["future_terms"][name], &Value::Null);
}

#[test]
fn campaign_language_is_shown_from_2015_12_09() {
    is_added_to_terms("campaign_language", &json!("Spanish"), "2015-12-08", "2015-12-09");
}

#[test]
fn campaign_country_is_shown_from_2017_02_01() {
    is_added_to_terms("campaign_country", &json!("CA"), "2017-01-31", "2017-02-01");
}

#[test]
fn pause_date_is_shown_from_2022_08_01_beside_its_alias() {
    let pause = json!("2030-05-18T23:59:59-07:00");
    is_added_to_terms("pause_date", &pause, "2022-07-31", "2022-08-01");
    let server = Server::start();
    let network = server.network();
    let campaign = network.has_campaign("1", "12", json!({"pause_date": pause}));
    assert_same(&campaign["future_terms"]["expiration_date"], &pause);
    let old = network.on("2015-05-01");
    assert_same(&terms(&old)["expiration_date"], &pause);
    // "Read only", and so is the alias.
    let written = json!({"expiration_date": "2031-01-01"});
    for client in [&old, &network] {
        let answer = client.put(&campaign_path("1", "12"), written.clone()).expect(200);
        assert_eq!(answer.header("trunkline-ignored"), Some("expiration_date"));
        assert_same(&terms(client)["expiration_date"], &pause);
    }
}

#[test]
fn caller_id_of_a_tree_is_shown_from_2016_10_01() {
    let server = Server::start();
    let network = server.network();
    network.has_campaign("1", "12", json!({}));
    let (before, after) = (network.on("2016-09-30"), network.on("2016-10-01"));
    let caller_id = json!({"setting": "partial", "mask": "805"});
    let tree = json!({"root": body::connect(), "record_calls": true, "caller_id": caller_id});
    before.put(&campaign_path("1", "12"), json!({"ivr_tree": tree})).expect(200);
    lacks(&terms(&before)["ivr_tree"], &["caller_id"]);
    assert_same(&terms(&after)["ivr_tree"]["caller_id"], &caller_id);
    for setting in ["original", "promo", "specific", "partial"] {
        let tree = json!({"root": body::connect(), "caller_id": {"setting": setting}});
        after.put(&campaign_path("1", "12"), json!({"ivr_tree": tree})).expect(200);
    }
    let tree = json!({"root": body::connect(), "caller_id": {"setting": "mine"}});
    after.put(&campaign_path("1", "12"), json!({"ivr_tree": tree})).expect(403);
}

#[test]
fn campaigns_have_ids_from_2016_07_01_and_no_max_promo_numbers() {
    let server = Server::start();
    let network = server.network();
    network.has_advertiser("1");
    let (before, after) = (network.on("2016-06-30"), network.on("2016-07-01"));
    let path = campaign_path("1", "12");
    let new = json!({"name": "NFL", "max_promo_numbers": 6});
    for made in [before.post(&path, new.clone()).body(201), before.get(&path).body(200)] {
        let names: Vec<&String> = made.as_object().unwrap().keys().collect();
        let mut names: Vec<&str> = names.into_iter().map(String::as_str).collect();
        names.sort_unstable();
        let expected = ["current_terms", "future_terms", "max_promo_numbers", "name", "status"];
        assert_eq!(names, expected);
        assert_same(&made["max_promo_numbers"], &json!(6));
    }
    let shown = after.put(&path, json!({"max_promo_numbers": 7})).body(200);
    has(&shown, &["id", "id_from_network", "object_url"]);
    lacks(&shown, &["max_promo_numbers", "custom_data"]);
    lacks(&shown["future_terms"], &["max_promo_numbers"]);
    assert_eq!(shown["id_from_network"], "12");
    assert_same(&before.get(&path).body(200)["max_promo_numbers"], &json!(7));
}

#[test]
fn affiliate_campaigns_have_another_name_for_their_id_from_2016_07_01() {
    const OLD: &str = "affiliate_campaign_id_from_network";
    const NEW: &str = "id_from_network";
    let server = Server::start();
    let network = server.network();
    network.has_campaign("1", "12", json!({}));
    network.has_affiliate("222");
    let (before, after) = (network.on("2016-06-30"), network.on("2016-07-01"));
    let path = affiliate_campaign_path("1", "12", "222");
    // Each accepts both when only one is given.
    for (number, (client, name)) in
        [(&before, OLD), (&after, OLD), (&before, NEW), (&after, NEW)].into_iter().enumerate()
    {
        let id = format!("id {number}");
        let answer = client.post(&path, json!({"status": "Applied", name: id})).expect(201);
        assert_eq!(answer.header("trunkline-ignored"), None);
        let old = before.get(&path).body(200);
        assert_eq!(old[OLD], *id);
        lacks(&old, &[NEW, "id", "object_url"]);
        let new = after.get(&path).body(200);
        assert_eq!(new[NEW], *id);
        lacks(&new, &[OLD]);
        has(&new, &["id", "object_url"]);
    }
    // With both, the date decides.
    before.put(&path, json!({OLD: "old", NEW: "new"})).expect(200);
    assert_eq!(before.get(&path).body(200)[OLD], "old");
    after.put(&path, json!({OLD: "old", NEW: "new"})).expect(200);
    assert_eq!(before.get(&path).body(200)[OLD], "new");
    // Errors too.
    let taken = json!(["has already been taken"]);
    network.has_affiliate("223");
    let other = affiliate_campaign_path("1", "12", "223");
    before.post(&other, json!({OLD: "new"})).invalid(&json!({OLD: taken}));
    after.post(&other, json!({NEW: "new"})).invalid(&json!({NEW: taken}));
}

#[test]
fn both_paths_of_the_list_work_on_every_version() {
    let server = Server::start();
    let network = server.network();
    network.has_campaign("1", "12", json!({}));
    network.has_applied("1", "12", "222");
    for version in ["2014-01-01", "2016-06-30", "2016-07-01", "2023-10-09"] {
        let client = network.on(version);
        let older = client.get("/advertisers/1/advertiser_campaigns/12/affiliates.json").body(200);
        let newer =
            client.get("/advertisers/1/advertiser_campaigns/12/affiliate_campaigns.json").body(200);
        assert_same(&older, &newer);
        assert_eq!(older.as_array().map(Vec::len), Some(1));
    }
}

#[test]
fn parties_have_ids_and_urls_from_2016_07_01() {
    let server = Server::start();
    let network = server.network();
    let (before, after) = (network.on("2016-06-30"), network.on("2016-07-01"));
    for kind in ["affiliates", "advertisers"] {
        let path = format!("/{kind}/222");
        let body = json!({"name": "Surf Oz"});
        let posted = before.post(&path, body.clone()).body(201);
        if kind == "affiliates" {
            // "POST of affiliates … answer the object: before {}"
            assert_same(&posted, &json!({}));
        } else {
            lacks(&posted, &["id", "object_url"]);
        }
        lacks(&before.get(&path).body(200), &["id", "object_url"]);
        lacks(&before.put(&path, body.clone()).body(200), &["id", "object_url"]);
        lacks(&before.get(&format!("/{kind}")).body(200)[0], &["id", "object_url"]);
        for shown in [after.get(&path).body(200), after.post(&path, body).body(201)] {
            has(&shown, &["id", "object_url", "name"]);
        }
        has(&after.get(&format!("/{kind}")).body(200)[0], &["id", "object_url"]);
    }
}

#[test]
fn a_problem_is_shown_even_where_success_was_an_empty_object() {
    let server = Server::start();
    let before = server.network().on("2016-06-30");
    before.post("/affiliates/222", json!({})).invalid(&json!({"name": ["can't be blank"]}));
}

#[test]
fn promo_numbers_answer_their_put_from_2016_07_01() {
    let server = Server::start();
    let network = server.network();
    server.stock(&["8005550101"]);
    network.has_campaign("1", "12", json!({}));
    let (before, after) = (network.on("2016-06-30"), network.on("2016-07-01"));
    let numbers = format!("{}/promo_numbers", campaign_path("1", "12"));
    let new = json!({"description": "Radio", "media_type": "Radio"});
    let taken = before.post(&numbers, new).body(201);
    lacks(&taken, &["id", "object_url", "custom_data"]);
    has(&taken, &["promo_number", "description", "media_type"]);
    let path = format!("{numbers}/{}", taken["promo_number"].as_str().unwrap());
    before.put(&path, json!({"description": "TV"})).is(200, &json!({}));
    lacks(&before.get(&path).body(200), &["id", "object_url"]);
    let shown = after.put(&path, json!({"description": "Print"})).body(200);
    has(&shown, &["id", "object_url"]);
    assert_eq!(shown["description"], "Print");
}

#[test]
fn custom_data_is_shown_from_2016_12_01() {
    let server = Server::start();
    let network = server.network();
    server.stock(&["8005550101"]);
    let (before, after) = (network.on("2016-11-30"), network.on("2016-12-01"));
    network.has_campaign("1", "12", json!({}));
    network.has_applied("1", "12", "222");
    let numbers = format!("{}/promo_numbers", campaign_path("1", "12"));
    let new = json!({"description": "Radio", "media_type": "Radio"});
    let taken = network.post(&numbers, new).body(201);
    let data = json!({"channel": "Offline newspaper"});
    for path in [
        "/advertisers/1".to_owned(),
        "/affiliates/222".to_owned(),
        campaign_path("1", "12"),
        affiliate_campaign_path("1", "12", "222"),
        format!("{numbers}/{}", taken["promo_number"].as_str().unwrap()),
    ] {
        // Accepted on every version, shown from its date on.
        let written = network.on("2014-01-01").put(&path, json!({"custom_data": data})).expect(200);
        assert_eq!(written.header("trunkline-ignored"), None, "{path}");
        lacks(&before.get(&path).body(200), &["custom_data"]);
        assert_same(&after.get(&path).body(200)["custom_data"], &data);
    }
}

#[test]
fn email_address_becomes_email_settings_on_2017_04_01() {
    let server = Server::start();
    let network = server.network();
    let (before, after) = (network.on("2017-03-31"), network.on("2017-04-01"));
    let person = |emails: Value| {
        let user = json!({"id_from_network": "1", "first_name": "User", "last_name": "One"});
        json!({"name": "Surf Oz", "users": [body::with(user, emails)]})
    };
    let settings = json!([
        {"email_address": "quiet@example.com", "use_for_notifications": false},
        {"email_address": "user@example.com", "use_for_notifications": true},
        {"email_address": "third@example.com", "use_for_notifications": true},
    ]);
    for kind in ["affiliates", "advertisers"] {
        let path = format!("/{kind}/222");
        for client in [&before, &after] {
            // Both forms are read on every version.
            client.put(&path, person(json!({"email_settings": settings}))).expect(200);
            let old = before.get(&path).body(200)["users"][0].clone();
            assert_eq!(old["email_address"], "user@example.com");
            lacks(&old, &["email_settings"]);
            let new = after.get(&path).body(200)["users"][0].clone();
            assert_same(&new["email_settings"], &settings);
            lacks(&new, &["email_address"]);
            client.put(&path, person(json!({"email_address": "one@example.com"}))).expect(200);
            let one = json!([{"email_address": "one@example.com", "use_for_notifications": true}]);
            assert_same(&after.get(&path).body(200)["users"][0]["email_settings"], &one);
        }
        // With both, the date decides.
        let both = person(json!({"email_address": "one@example.com", "email_settings": settings}));
        before.put(&path, both.clone()).expect(200);
        assert_eq!(before.get(&path).body(200)["users"][0]["email_address"], "one@example.com");
        after.put(&path, both).expect(200);
        assert_eq!(before.get(&path).body(200)["users"][0]["email_address"], "user@example.com");
        // Errors too.
        let missing = person(json!({}));
        let answer = before.put(&path, missing.clone());
        answer.invalid(&json!({"users": [{"email_address": ["can't be blank"]}]}));
        let answer = after.put(&path, missing);
        answer.invalid(&json!({"users": [{"email_settings": ["can't be blank"]}]}));
        let answer = before.put(&path, person(json!({"email_address": "nobody"})));
        answer.invalid(&json!({"users": [{"email_address": ["is invalid"]}]}));
    }
}

#[test]
fn the_networks_own_users_change_their_addresses_too() {
    let server = Server::start();
    let network = server.network();
    let (before, after) = (network.on("2017-03-31"), network.on("2017-04-01"));
    network.put("/network", json!({"users": [body::user("1")]})).expect(200);
    let old = before.get("/network").body(200)["users"][0].clone();
    assert_eq!(old["email_address"], "user1@example.com");
    has(&after.get("/network").body(200)["users"][0], &["email_settings"]);
    // And an advertiser's, one by one.
    network.has_advertiser("1");
    network.put("/advertisers/1/users/7", json!({"user": body::user("7")})).expect(200);
    let user = before.get("/advertisers/1/users/7").body(200);
    assert_eq!(user["email_address"], "user7@example.com");
    lacks(&user, &["email_settings"]);
    lacks(&before.get("/advertisers/1/users").body(200)[0], &["email_settings"]);
    has(&after.get("/advertisers/1/users/7").body(200), &["email_settings"]);
}

#[test]
fn users_show_more_from_2018_11_01() {
    let server = Server::start();
    let network = server.network();
    let (before, after) = (network.on("2018-10-31"), network.on("2018-11-01"));
    let added = ["contact_phone_number", "notify_on_call_activities", "can_login_via_platform"];
    let user = |client: &Client| client.get("/affiliates/222").body(200)["users"][0].clone();
    for (client, name) in [
        (&before, "phone_number"),
        (&before, "contact_phone_number"),
        (&after, "phone_number"),
        (&after, "contact_phone_number"),
    ] {
        let more = json!({name: "8057089876", "notify_on_call_activities": true});
        let users = json!([body::with(body::user("1"), more)]);
        client.put("/affiliates/222", json!({"name": "Surf Oz", "users": users})).expect(200);
        let old = user(&before);
        assert_eq!(old["phone_number"], "805-708-9876");
        lacks(&old, &added);
        let new = user(&after);
        has(&new, &added);
        assert_eq!(new["phone_number"], "805-708-9876");
        assert_eq!(new["contact_phone_number"], "805-708-9876");
        assert_eq!(new["notify_on_call_activities"], true);
        assert_eq!(new["can_login_via_platform"], false);
    }
}

#[test]
fn promo_numbers_go_by_the_networks_own_id_too() {
    let server = Server::start();
    let network = server.network();
    server.stock(&["8005550101"]);
    network.has_campaign("1", "12", json!({}));
    let campaign = campaign_path("1", "12");
    let new = json!({"description": "Radio", "media_type": "Radio", "id_from_network": "own"});
    let taken = network.post(&format!("{campaign}/promo_numbers"), new).body(201);
    let number = taken["promo_number"].as_str().unwrap();
    for version in ["2018-05-01", "2023-10-09"] {
        let client = network.on(version);
        let by_id = client.get(&format!("{campaign}/promo_numbers_by_id/own.json")).body(200);
        let by_number = client.get(&format!("{campaign}/promo_numbers/{number}.json")).body(200);
        assert_same(&by_id, &by_number);
    }
}

#[test]
fn newer_nodes_are_kept_on_every_version_and_refused_at_go_live() {
    let server = Server::start();
    let network = server.network();
    let connect = body::connect();
    let trees = [
        json!({"node_type": "AnyKeyPress", "prompt": "Press a key.", "children": [connect, connect]}),
        json!({"node_type": "YesOrNo", "prompt": "Yes or no?", "children": [connect, connect]}),
        json!({
            "node_type": "NumberQuestion", "prompt": "Your ZIP code?",
            "number_question_type": "ZipCode", "children": [connect],
        }),
        json!({
            "node_type": "Connect", "destination_phone_number": "8004377950",
            "destination_country_code": "1", "prompt": "", "connect_timeout": 20,
            "children": [{"node_type": "Failover", "destination_phone_number": "8004377951"}],
        }),
    ];
    for (number, root) in trees.into_iter().enumerate() {
        let id = number.to_string();
        let tree = json!({"root": root, "record_calls": false});
        for version in ["2014-01-01", "2019-05-01", "2023-10-09"] {
            let campaign = body::with(body::campaign(&id), json!({"ivr_tree": tree}));
            network.has_advertiser("1");
            let client = network.on(version);
            let shown = client.put(&campaign_path("1", &id), campaign).body(200);
            assert_same(&shown["future_terms"]["ivr_tree"], &tree);
        }
        let refused = network.post(&format!("{}/go_live", campaign_path("1", &id)), json!({}));
        let refused = refused.body(403);
        assert!(refused["errors"]["ivr_tree"].is_object(), "{refused}");
    }
}

#[test]
fn later_conditions_and_campaign_types_are_taken_on_every_version() {
    let server = Server::start();
    let network = server.network();
    network.has_advertiser("1");
    let path = campaign_path("1", "12");
    for version in ["2014-01-01", "2023-10-09"] {
        let client = network.on(version);
        for condition in [
            "custom_data[channel] = \"Radio\"",
            "affiliate_name contains \"Surf\"",
            "media_type present",
            "promo_number_description != \"TV\"",
        ] {
            let campaign = json!({"name": "NFL", "advertiser_payin": body::base(7.0, condition)});
            let shown = client.put(&path, campaign).body(200);
            let policy = &shown["future_terms"]["advertiser_payin"]["policies"][0];
            assert_eq!(policy["condition"], condition);
        }
        let external = json!({"name": "NFL", "campaign_type": "ExternalOnly"});
        let shown = client.put(&campaign_path("1", "13"), external).body(200);
        assert_eq!(shown["future_terms"]["campaign_type"], "ExternalOnly");
    }
}
