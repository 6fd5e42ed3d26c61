//! Every dated change of the contract: requests and responses on the day before it and on the day.

use serde_json::{Value, json};
use trunkline_tests::body::{self, affiliate_campaign_path, campaign_path};
use trunkline_tests::{Client, Server, assert_json_eq};

#[track_caller]
fn assert_has(object: &Value, names: &[&str]) {
    for name in names {
        assert!(object.get(name).is_some(), "there is no {name} in {object}");
    }
}

#[track_caller]
fn assert_lacks(object: &Value, names: &[&str]) {
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

/// Future terms of campaign 12 in a version.
fn future_terms(client: &Client) -> Value {
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
        network.with_version(version).get("/affiliates/222").expect(200);
    }
    for version in ["2013-12-31", "2013-03-22", "0000-01-01", "yesterday", "2015-02-30", "v1", "1"]
    {
        let response = network.with_version(version).get("/affiliates/222");
        response.assert_error(400, "InvalidApiVersion");
    }
}

#[test]
fn call_cap_alert_is_renamed_on_2015_12_09() {
    let server = Server::start();
    let network = server.network();
    let before = network.with_version("2015-12-08");
    let after = network.with_version("2015-12-09");
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
        let old = &future_terms(&before)["budget_activities"];
        assert_has(old, &["call_cap_alert"]);
        assert_lacks(old, &["periodic_call_cap_alert", "concurrent_call_cap_alert"]);
        let new = &future_terms(&after)["budget_activities"];
        assert_has(new, &["periodic_call_cap_alert", "concurrent_call_cap_alert"]);
        assert_lacks(new, &["call_cap_alert"]);
        assert_json_eq(&old["call_cap_alert"], &new["periodic_call_cap_alert"]);
    }
    // With both names, the name of the request's version counts.
    let both = json!({"call_cap_alert": budget(1), "periodic_call_cap_alert": budget(2)});
    before.put(&path, json!({"budget_activities": both})).expect(200);
    assert_json_eq(
        &future_terms(&before)["budget_activities"]["call_cap_alert"]["budget_amount"],
        &json!(1),
    );
    after.put(&path, json!({"budget_activities": both})).expect(200);
    assert_json_eq(
        &future_terms(&before)["budget_activities"]["call_cap_alert"]["budget_amount"],
        &json!(2),
    );
}

#[test]
fn call_cap_errors_use_the_name_of_the_version() {
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
        let response =
            network.with_version(version).put(&path, json!({"budget_activities": budgets}));
        let mut errors = json!({"budget_activities": {}});
        errors["budget_activities"][name] =
            json!({"reset_period": ["is not included in the list"]});
        response.assert_invalid(&errors);
    }
}

/// Asserts that a property of terms is accepted in every version and shown from its date on.
fn assert_added_to_terms(name: &str, value: &Value, day_before: &str, day: &str) {
    let server = Server::start();
    let network = server.network();
    network.has_campaign("1", "12", json!({}));
    let before = network.with_version(day_before);
    let after = network.with_version(day);
    assert_lacks(&future_terms(&before), &[name]);
    assert_has(&future_terms(&after), &[name]);
    before.put(&campaign_path("1", "12"), json!({name: value})).expect(200);
    assert_lacks(&future_terms(&before), &[name]);
    assert_json_eq(&future_terms(&after)[name], value);
    let cleared = after.put(&campaign_path("1", "12"), json!({name: null})).body(200);
    assert_json_eq(&cleared["future_terms"][name], &Value::Null);
}

#[test]
fn campaign_language_is_shown_from_2015_12_09() {
    assert_added_to_terms("campaign_language", &json!("Spanish"), "2015-12-08", "2015-12-09");
}

#[test]
fn campaign_country_is_shown_from_2017_02_01() {
    assert_added_to_terms("campaign_country", &json!("CA"), "2017-01-31", "2017-02-01");
}

#[test]
fn pause_date_is_shown_from_2022_08_01_beside_its_alias() {
    let pause = json!("2030-05-18T23:59:59-07:00");
    assert_added_to_terms("pause_date", &pause, "2022-07-31", "2022-08-01");
    let server = Server::start();
    let network = server.network();
    let campaign = network.has_campaign("1", "12", json!({"pause_date": pause}));
    assert_json_eq(&campaign["future_terms"]["expiration_date"], &pause);
    let old = network.with_version("2015-05-01");
    assert_json_eq(&future_terms(&old)["expiration_date"], &pause);
    // Both the property and its alias are read-only.
    let written = json!({"expiration_date": "2031-01-01"});
    for client in [&old, &network] {
        let response = client.put(&campaign_path("1", "12"), written.clone()).expect(200);
        assert_eq!(response.header("trunkline-ignored"), Some("expiration_date"));
        assert_json_eq(&future_terms(client)["expiration_date"], &pause);
    }
}

#[test]
fn caller_id_of_a_tree_is_shown_from_2016_10_01() {
    let server = Server::start();
    let network = server.network();
    network.has_campaign("1", "12", json!({}));
    let before = network.with_version("2016-09-30");
    let after = network.with_version("2016-10-01");
    let caller_id = json!({"setting": "partial", "mask": "805"});
    let tree = json!({"root": body::connect_node(), "record_calls": true, "caller_id": caller_id});
    before.put(&campaign_path("1", "12"), json!({"ivr_tree": tree})).expect(200);
    assert_lacks(&future_terms(&before)["ivr_tree"], &["caller_id"]);
    assert_json_eq(&future_terms(&after)["ivr_tree"]["caller_id"], &caller_id);
    for setting in ["original", "promo", "specific", "partial"] {
        let tree = json!({"root": body::connect_node(), "caller_id": {"setting": setting}});
        after.put(&campaign_path("1", "12"), json!({"ivr_tree": tree})).expect(200);
    }
    let tree = json!({"root": body::connect_node(), "caller_id": {"setting": "mine"}});
    after.put(&campaign_path("1", "12"), json!({"ivr_tree": tree})).expect(403);
}

#[test]
fn campaigns_show_ids_and_no_max_promo_numbers_from_2016_07_01() {
    let server = Server::start();
    let network = server.network();
    network.has_advertiser("1");
    let before = network.with_version("2016-06-30");
    let after = network.with_version("2016-07-01");
    let path = campaign_path("1", "12");
    let new = json!({"name": "NFL", "max_promo_numbers": 6});
    for created in [before.post(&path, new.clone()).body(201), before.get(&path).body(200)] {
        let names: Vec<&String> = created.as_object().unwrap().keys().collect();
        let mut names: Vec<&str> = names.into_iter().map(String::as_str).collect();
        names.sort_unstable();
        let expected = ["current_terms", "future_terms", "max_promo_numbers", "name", "status"];
        assert_eq!(names, expected);
        assert_json_eq(&created["max_promo_numbers"], &json!(6));
    }
    let current = after.put(&path, json!({"max_promo_numbers": 7})).body(200);
    assert_has(&current, &["id", "id_from_network", "object_url"]);
    assert_lacks(&current, &["max_promo_numbers", "custom_data"]);
    assert_lacks(&current["future_terms"], &["max_promo_numbers"]);
    assert_eq!(current["id_from_network"], "12");
    assert_json_eq(&before.get(&path).body(200)["max_promo_numbers"], &json!(7));
}

#[test]
fn affiliate_campaign_id_is_renamed_on_2016_07_01() {
    const OLD: &str = "affiliate_campaign_id_from_network";
    const NEW: &str = "id_from_network";
    let server = Server::start();
    let network = server.network();
    network.has_campaign("1", "12", json!({}));
    network.has_affiliate("222");
    let before = network.with_version("2016-06-30");
    let after = network.with_version("2016-07-01");
    let path = affiliate_campaign_path("1", "12", "222");
    // Each version accepts either name.
    for (number, (client, name)) in
        [(&before, OLD), (&after, OLD), (&before, NEW), (&after, NEW)].into_iter().enumerate()
    {
        let id = format!("id {number}");
        let response = client.post(&path, json!({"status": "Applied", name: id})).expect(201);
        assert_eq!(response.header("trunkline-ignored"), None);
        let old = before.get(&path).body(200);
        assert_eq!(old[OLD], *id);
        assert_lacks(&old, &[NEW, "id", "object_url"]);
        let new = after.get(&path).body(200);
        assert_eq!(new[NEW], *id);
        assert_lacks(&new, &[OLD]);
        assert_has(&new, &["id", "object_url"]);
    }
    // With both names, the name of the version counts.
    before.put(&path, json!({OLD: "old", NEW: "new"})).expect(200);
    assert_eq!(before.get(&path).body(200)[OLD], "old");
    after.put(&path, json!({OLD: "old", NEW: "new"})).expect(200);
    assert_eq!(before.get(&path).body(200)[OLD], "new");
    // Errors use the name of the version, too.
    let accepted = json!(["has already been taken"]);
    network.has_affiliate("223");
    let other = affiliate_campaign_path("1", "12", "223");
    before.post(&other, json!({OLD: "new"})).assert_invalid(&json!({OLD: accepted}));
    after.post(&other, json!({NEW: "new"})).assert_invalid(&json!({NEW: accepted}));
}

#[test]
fn both_paths_of_the_list_work_on_every_version() {
    let server = Server::start();
    let network = server.network();
    network.has_campaign("1", "12", json!({}));
    network.has_applied("1", "12", "222");
    for version in ["2014-01-01", "2016-06-30", "2016-07-01", "2023-10-09"] {
        let client = network.with_version(version);
        let older = client.get("/advertisers/1/advertiser_campaigns/12/affiliates.json").body(200);
        let newer =
            client.get("/advertisers/1/advertiser_campaigns/12/affiliate_campaigns.json").body(200);
        assert_json_eq(&older, &newer);
        assert_eq!(older.as_array().map(Vec::len), Some(1));
    }
}

#[test]
fn parties_show_ids_and_urls_from_2016_07_01() {
    let server = Server::start();
    let network = server.network();
    let before = network.with_version("2016-06-30");
    let after = network.with_version("2016-07-01");
    for kind in ["affiliates", "advertisers"] {
        let path = format!("/{kind}/222");
        let body = json!({"name": "Surf Oz"});
        let posted = before.post(&path, body.clone()).body(201);
        if kind == "affiliates" {
            // "POST of affiliates … answer the object: before {}"
            assert_json_eq(&posted, &json!({}));
        } else {
            assert_lacks(&posted, &["id", "object_url"]);
        }
        assert_lacks(&before.get(&path).body(200), &["id", "object_url"]);
        assert_lacks(&before.put(&path, body.clone()).body(200), &["id", "object_url"]);
        assert_lacks(&before.get(&format!("/{kind}")).body(200)[0], &["id", "object_url"]);
        for current in [after.get(&path).body(200), after.post(&path, body).body(201)] {
            assert_has(&current, &["id", "object_url", "name"]);
        }
        assert_has(&after.get(&format!("/{kind}")).body(200)[0], &["id", "object_url"]);
    }
}

#[test]
fn errors_are_shown_where_success_is_an_empty_object() {
    let server = Server::start();
    let before = server.network().with_version("2016-06-30");
    before.post("/affiliates/222", json!({})).assert_invalid(&json!({"name": ["can't be blank"]}));
}

#[test]
fn promo_number_put_returns_the_object_from_2016_07_01() {
    let server = Server::start();
    let network = server.network();
    server.add_numbers(&["8005550101"]);
    network.has_campaign("1", "12", json!({}));
    let before = network.with_version("2016-06-30");
    let after = network.with_version("2016-07-01");
    let numbers = format!("{}/promo_numbers", campaign_path("1", "12"));
    let new = json!({"description": "Radio", "media_type": "Radio"});
    let accepted = before.post(&numbers, new).body(201);
    assert_lacks(&accepted, &["id", "object_url", "custom_data"]);
    assert_has(&accepted, &["promo_number", "description", "media_type"]);
    let path = format!("{numbers}/{}", accepted["promo_number"].as_str().unwrap());
    before.put(&path, json!({"description": "TV"})).assert_json(200, &json!({}));
    assert_lacks(&before.get(&path).body(200), &["id", "object_url"]);
    let current = after.put(&path, json!({"description": "Print"})).body(200);
    assert_has(&current, &["id", "object_url"]);
    assert_eq!(current["description"], "Print");
}

#[test]
fn custom_data_is_shown_from_2016_12_01() {
    let server = Server::start();
    let network = server.network();
    server.add_numbers(&["8005550101"]);
    let before = network.with_version("2016-11-30");
    let after = network.with_version("2016-12-01");
    network.has_campaign("1", "12", json!({}));
    network.has_applied("1", "12", "222");
    let numbers = format!("{}/promo_numbers", campaign_path("1", "12"));
    let new = json!({"description": "Radio", "media_type": "Radio"});
    let accepted = network.post(&numbers, new).body(201);
    let data = json!({"channel": "Offline newspaper"});
    for path in [
        "/advertisers/1".to_owned(),
        "/affiliates/222".to_owned(),
        campaign_path("1", "12"),
        affiliate_campaign_path("1", "12", "222"),
        format!("{numbers}/{}", accepted["promo_number"].as_str().unwrap()),
    ] {
        // Accepted in every version, shown from its date on.
        let written =
            network.with_version("2014-01-01").put(&path, json!({"custom_data": data})).expect(200);
        assert_eq!(written.header("trunkline-ignored"), None, "{path}");
        assert_lacks(&before.get(&path).body(200), &["custom_data"]);
        assert_json_eq(&after.get(&path).body(200)["custom_data"], &data);
    }
}

#[test]
fn email_address_is_replaced_by_email_settings_on_2017_04_01() {
    let server = Server::start();
    let network = server.network();
    let before = network.with_version("2017-03-31");
    let after = network.with_version("2017-04-01");
    let person = |emails: Value| {
        let user = json!({"id_from_network": "1", "first_name": "User", "last_name": "One"});
        json!({"name": "Surf Oz", "users": [body::merged(user, emails)]})
    };
    let settings = json!([
        {"email_address": "quiet@example.com", "use_for_notifications": false},
        {"email_address": "user@example.com", "use_for_notifications": true},
        {"email_address": "third@example.com", "use_for_notifications": true},
    ]);
    for kind in ["affiliates", "advertisers"] {
        let path = format!("/{kind}/222");
        for client in [&before, &after] {
            // Every version reads both forms.
            client.put(&path, person(json!({"email_settings": settings}))).expect(200);
            let old = before.get(&path).body(200)["users"][0].clone();
            assert_eq!(old["email_address"], "user@example.com");
            assert_lacks(&old, &["email_settings"]);
            let new = after.get(&path).body(200)["users"][0].clone();
            assert_json_eq(&new["email_settings"], &settings);
            assert_lacks(&new, &["email_address"]);
            client.put(&path, person(json!({"email_address": "one@example.com"}))).expect(200);
            let one = json!([{"email_address": "one@example.com", "use_for_notifications": true}]);
            assert_json_eq(&after.get(&path).body(200)["users"][0]["email_settings"], &one);
        }
        // With both forms, the form of the version counts.
        let both = person(json!({"email_address": "one@example.com", "email_settings": settings}));
        before.put(&path, both.clone()).expect(200);
        assert_eq!(before.get(&path).body(200)["users"][0]["email_address"], "one@example.com");
        after.put(&path, both).expect(200);
        assert_eq!(before.get(&path).body(200)["users"][0]["email_address"], "user@example.com");
        // Errors use the form of the version, too.
        let missing = person(json!({}));
        let response = before.put(&path, missing.clone());
        response.assert_invalid(&json!({"users": [{"email_address": ["can't be blank"]}]}));
        let response = after.put(&path, missing);
        response.assert_invalid(&json!({"users": [{"email_settings": ["can't be blank"]}]}));
        let response = before.put(&path, person(json!({"email_address": "nobody"})));
        response.assert_invalid(&json!({"users": [{"email_address": ["is invalid"]}]}));
    }
}

#[test]
fn email_settings_apply_to_network_and_advertiser_users() {
    let server = Server::start();
    let network = server.network();
    let before = network.with_version("2017-03-31");
    let after = network.with_version("2017-04-01");
    network.put("/network", json!({"users": [body::user("1")]})).expect(200);
    let old = before.get("/network").body(200)["users"][0].clone();
    assert_eq!(old["email_address"], "user1@example.com");
    assert_has(&after.get("/network").body(200)["users"][0], &["email_settings"]);
    // Advertiser users are written one by one.
    network.has_advertiser("1");
    network.put("/advertisers/1/users/7", json!({"user": body::user("7")})).expect(200);
    let user = before.get("/advertisers/1/users/7").body(200);
    assert_eq!(user["email_address"], "user7@example.com");
    assert_lacks(&user, &["email_settings"]);
    assert_lacks(&before.get("/advertisers/1/users").body(200)[0], &["email_settings"]);
    assert_has(&after.get("/advertisers/1/users/7").body(200), &["email_settings"]);
}

#[test]
fn users_show_more_properties_from_2018_11_01() {
    let server = Server::start();
    let network = server.network();
    let before = network.with_version("2018-10-31");
    let after = network.with_version("2018-11-01");
    let added = ["contact_phone_number", "notify_on_call_activities", "can_login_via_platform"];
    let user = |client: &Client| client.get("/affiliates/222").body(200)["users"][0].clone();
    for (client, name) in [
        (&before, "phone_number"),
        (&before, "contact_phone_number"),
        (&after, "phone_number"),
        (&after, "contact_phone_number"),
    ] {
        let more = json!({name: "8057089876", "notify_on_call_activities": true});
        let users = json!([body::merged(body::user("1"), more)]);
        client.put("/affiliates/222", json!({"name": "Surf Oz", "users": users})).expect(200);
        let old = user(&before);
        assert_eq!(old["phone_number"], "805-708-9876");
        assert_lacks(&old, &added);
        let new = user(&after);
        assert_has(&new, &added);
        assert_eq!(new["phone_number"], "805-708-9876");
        assert_eq!(new["contact_phone_number"], "805-708-9876");
        assert_eq!(new["notify_on_call_activities"], true);
        assert_eq!(new["can_login_via_platform"], false);
    }
}

#[test]
fn promo_numbers_are_found_by_their_external_id() {
    let server = Server::start();
    let network = server.network();
    server.add_numbers(&["8005550101"]);
    network.has_campaign("1", "12", json!({}));
    let campaign = campaign_path("1", "12");
    let new = json!({"description": "Radio", "media_type": "Radio", "id_from_network": "own"});
    let accepted = network.post(&format!("{campaign}/promo_numbers"), new).body(201);
    let number = accepted["promo_number"].as_str().unwrap();
    for version in ["2018-05-01", "2023-10-09"] {
        let client = network.with_version(version);
        let by_id = client.get(&format!("{campaign}/promo_numbers_by_id/own.json")).body(200);
        let by_number = client.get(&format!("{campaign}/promo_numbers/{number}.json")).body(200);
        assert_json_eq(&by_id, &by_number);
    }
}

#[test]
fn newer_ivr_nodes_are_stored_and_go_live_in_every_version() {
    let server = Server::start();
    let network = server.network();
    let connect = body::connect_node();
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
            "children": [{
                "node_type": "Failover", "destination_phone_number": "8004377951",
                "destination_country_code": "1",
            }],
        }),
        json!({
            "node_type": "RingGroup", "prompt": "", "ring_group_connect_timeout": 20,
            "ring_group_destinations": [{"ring_group_number": "8004377950", "description": null}],
        }),
        json!({
            "node_type": "DynamicRoute", "prompt": "", "dynamic_route_destination": "channel",
            "children": [connect],
        }),
    ];
    for (number, root) in trees.into_iter().enumerate() {
        let id = number.to_string();
        let tree = json!({"root": root, "record_calls": false});
        for version in ["2014-01-01", "2019-05-01", "2023-10-09"] {
            let campaign = body::merged(body::campaign(&id), json!({"ivr_tree": tree}));
            network.has_advertiser("1");
            let client = network.with_version(version);
            let current = client.put(&campaign_path("1", &id), campaign).body(200);
            assert_json_eq(&current["future_terms"]["ivr_tree"], &tree);
        }
        network.post(&format!("{}/go_live", campaign_path("1", &id)), json!({})).expect(200);
        for version in ["2014-01-01", "2019-05-01", "2023-10-09"] {
            let shown = network.with_version(version).get(&campaign_path("1", &id)).body(200);
            assert_json_eq(&shown["current_terms"]["ivr_tree"], &tree);
        }
    }
}

#[test]
fn later_conditions_and_campaign_types_are_accepted_in_every_version() {
    let server = Server::start();
    let network = server.network();
    network.has_advertiser("1");
    let path = campaign_path("1", "12");
    for version in ["2014-01-01", "2023-10-09"] {
        let client = network.with_version(version);
        for condition in [
            "custom_data[channel] = \"Radio\"",
            "affiliate_name contains \"Surf\"",
            "media_type present",
            "promo_number_description != \"TV\"",
        ] {
            let campaign =
                json!({"name": "NFL", "advertiser_payin": body::base_policy(7.0, condition)});
            let current = client.put(&path, campaign).body(200);
            let policy = &current["future_terms"]["advertiser_payin"]["policies"][0];
            assert_eq!(policy["condition"], condition);
        }
        let external = json!({"name": "NFL", "campaign_type": "ExternalOnly"});
        let current = client.put(&campaign_path("1", "13"), external).body(200);
        assert_eq!(current["future_terms"]["campaign_type"], "ExternalOnly");
    }
}
