//! Callers who are not known, spellings of phone numbers, places of callers, and VerifyLocation nodes.

use serde_json::{Value, json};
use trunkline_tests::body::affiliate_campaign_path;
use trunkline_tests::{Client, Server, assert_json_eq};

const NEW_YORK: &str = "+12125550123";

fn region(name: &str, region_type: &str, value: &str) -> Value {
    json!({"name": name, "regions": [{"region_type": region_type, "value": value}]})
}

/// Creates a live campaign 12 that pays for callers in New York and, as bonuses, in Puerto Rico, outside
/// the United Kingdom, and for callers who have not called before.
fn world(tree: Value) -> (Server, Client) {
    let server = Server::start();
    let network = server.network();
    let policy = |kind: &str, amount: u32, condition: &str| json!({"type": kind, "amount": amount, "currency": "USD", "condition": condition});
    network.has_live_campaign(
        "354",
        "12",
        json!({
            "auto_approve": "All", "timezone": "UTC", "ivr_tree": {"root": tree},
            "named_regions": [region("New York", "State", "NY"), region("Puerto Rico", "Country", "PR"),
                region("Britain", "Country", "UK")],
            "advertiser_payin": {"policies": [policy("Base", 10, ""),
                policy("Bonus", 1, "in_region[New York]"), policy("Bonus", 2, "in_region[Puerto Rico]"),
                policy("Bonus", 4, "not in_region[Britain]"), policy("Bonus", 8, "not repeat")]},
            "affiliate_payout": {"policies": [policy("Base", 1, "")]},
        }),
    );
    network.has_applied("354", "12", "976");
    (server, network)
}

fn connect() -> Value {
    json!({"node_type": "Connect", "destination_phone_number": "8004377950"})
}

fn dry_run(client: &Client, call: Value) -> Value {
    let body = json!({"advertiser_campaign": "12", "call": call});
    client.extensions().post("/dry_run", body).body(200)
}

/// Values of the payin's conditions: New York, Puerto Rico, not Britain, not repeat.
fn conditions(run: &Value) -> [Option<bool>; 4] {
    let policies = run["advertiser_payin"]["policies"].as_array().expect("policies");
    [1, 2, 3, 4].map(|index| policies[index]["met"].as_bool())
}

#[test]
fn caller_who_is_not_known_is_accepted_and_never_repeats() {
    let (_server, network) = world(connect());
    let texts = [
        "anonymous",
        "Restricted",
        "sip:anonymous@anonymous.invalid",
        "7378742833",
        "+17378742833",
        "8656696",
        "266696687",
        "911",
        "?",
    ];
    for (index, text) in texts.iter().enumerate() {
        let caller = json!({"calling_phone_number": text});
        assert_eq!(conditions(&dry_run(&network, caller.clone())), [None, None, None, Some(true)]);
        network.report_call(&format!("a{index}"), caller.clone());
        let start = json!({"advertiser_campaign": "12", "calling_phone_number": text});
        let id = &network.extensions().post("/calls", start).body(201)["id"];
        let call = network.extensions().get(&format!("/calls/{id}")).body(200);
        assert_json_eq(&call["calling_phone_number"], &Value::Null);
        assert_json_eq(&call["calling_phone_number_text"], &json!(text));
        assert_json_eq(&call["repeat"], &json!(false));
    }
    let rows =
        network.get(&network.ledger_path("?include_columns=$default,calling_phone_number_text"));
    let rows = rows.body(200);
    let rows = rows.as_array().expect("rows");
    assert_eq!(rows.len(), texts.len());
    for (row, text) in rows.iter().zip(texts) {
        assert_eq!(row["calling_phone_number"], "");
        assert_eq!(row["calling_phone_number_text"], text);
        assert_eq!(row["repeat_calling_phone_number"], "No");
        assert_eq!(row["region"], "");
        assert_eq!(row["matching_advertiser_payin_policies"], "base+bonus4");
    }
}

#[test]
fn withheld_number_is_known_to_be_new_on_real_calls_only() {
    let (_server, network) = world(connect());
    for (index, caller) in [json!(""), json!(null), json!(" ")].into_iter().enumerate() {
        network.report_call(&format!("b{index}"), json!({"calling_phone_number": caller}));
        let run = dry_run(&network, json!({"calling_phone_number": caller}));
        assert_eq!(conditions(&run)[3], None);
    }
    for row in network.ledger() {
        assert_eq!(row["repeat_calling_phone_number"], "No");
        assert_eq!(row["matching_advertiser_payin_policies"], "base+bonus4");
    }
    let start = json!({"advertiser_campaign": "12"});
    let id = &network.extensions().post("/calls", start).body(201)["id"];
    let call = network.extensions().get(&format!("/calls/{id}")).body(200);
    assert_json_eq(&call["repeat"], &json!(false));
}

#[test]
fn caller_id_of_the_wrong_type_or_length_is_rejected() {
    let (_server, network) = world(connect());
    let longest = "x".repeat(255);
    assert_eq!(dry_run(&network, json!({"calling_phone_number": longest}))["outcome"], "connected");
    assert_eq!(dry_run(&network, json!({"calling_phone_number": 12}))["outcome"], "connected");
    for (caller, message) in [
        (json!(true), "is invalid"),
        (json!({}), "is invalid"),
        (json!(["8057089876"]), "is invalid"),
        (json!("x".repeat(256)), "is too long (maximum is 255 characters)"),
    ] {
        let body = json!({"advertiser_campaign": "12", "calling_phone_number": caller});
        let response = network.extensions().post("/calls", body);
        response.assert_invalid(&json!({"calling_phone_number": [message]}));
    }
}

#[test]
fn spellings_of_one_number_are_one_caller() {
    let (_server, network) = world(connect());
    for (first, spelling, shown) in [
        ("+442071838750", "00442071838750", "+442071838750"),
        ("+442071838751", "011 44 20 7183 8751", "+442071838751"),
        ("+442071838752", "+44 (0)20 7183 8752", "+442071838752"),
        ("2125550123", "tel:+1-212-555-0123", "212-555-0123"),
        ("2125550124", "sip:+12125550124@pbx.example", "212-555-0124"),
    ] {
        let day = |day: u32| format!("2200-01-{day:02} 12:00:00 +0000");
        let call = |number: &str, start: String| json!({"calling_phone_number": number, "start_time": start});
        network.report_call(&format!("{first} 1"), call(first, day(1)));
        network.report_call(&format!("{first} 2"), call(spelling, day(2)));
        let row = network.ledger().pop().expect("a row");
        assert_eq!(row["calling_phone_number"], shown);
        assert_eq!(row["repeat_calling_phone_number"], "Yes", "{spelling}");
    }
}

#[test]
fn foreign_numbers_are_accepted_as_they_are_answered() {
    let (server, network) = world(connect());
    server.add_numbers(&["+442071838750"]);
    let numbers = format!("{}/promo_numbers", affiliate_campaign_path("354", "12", "976"));
    let made =
        network.post(&numbers, json!({"description": "Ad", "media_type": "Radio"})).body(201);
    assert_json_eq(&made["promo_number"], &json!("+442071838750"));
    let number = made["promo_number"].as_str().expect("a number");
    assert_json_eq(&network.get(&format!("{numbers}/{number}")).body(200), &made);
    assert_json_eq(&network.get(&format!("{numbers}/%2B442071838750")).body(200), &made);
    let start = json!({"promo_number": number, "calling_phone_number": "+442071838751"});
    let id = &network.extensions().post("/calls", start).body(201)["id"];
    let call = network.extensions().get(&format!("/calls/{id}")).body(200);
    assert_json_eq(&call["promo_number"], &json!(number));
    assert_json_eq(&call["calling_phone_number"], &json!("+442071838751"));
    assert_json_eq(&call["country"], &json!("GB"));
}

#[test]
fn destinations_may_be_extensions_and_phones_voip() {
    let (_server, network) = world(connect());
    for (index, (destination, shown)) in [
        ("1001", "1001"),
        ("sip:alice@example.com", "sip:alice@example.com"),
        ("+44 20 7183 8750", "+442071838750"),
        ("800-437-7950", "800-437-7950"),
    ]
    .into_iter()
    .enumerate()
    {
        let more = json!({"destination_phone_number": destination, "phone_type": "VoIP"});
        network.report_call(&format!("d{index}"), more);
        let row = network.ledger().pop().expect("a row");
        // The documented values of the column are Mobile, Landline and empty.
        assert_eq!((&row["destination_phone_number"], &row["mobile"]), (&json!(shown), &json!("")));
    }
    for (phone_type, shown) in
        [("Mobile", "Mobile"), ("LANDLINE", "Landline"), ("voip", ""), ("", "")]
    {
        network.report_call(&format!("type {phone_type}"), json!({"phone_type": phone_type}));
        assert_eq!(network.ledger().pop().expect("a row")["mobile"], shown, "{phone_type}");
    }
    let body = json!({"call": {"external_call_unique_id": "x", "start_time": "2200-01-01",
        "advertiser_campaign_id_from_network": "12", "phone_type": "fax"}});
    let errors = json!({"call": {"phone_type": ["is not included in the list"]}});
    network.post("/calls", body).assert_invalid(&errors);
}

#[test]
fn place_comes_from_the_best_source() {
    let (_server, network) = world(connect());
    let (yes, no) = (Some(true), Some(false));
    for (call, expected) in [
        (json!({"calling_phone_number": NEW_YORK}), [yes, no, yes]),
        (json!({"calling_phone_number": "+17185550123"}), [yes, no, yes]),
        (json!({"calling_phone_number": "+14655550123"}), [yes, no, yes]),
        (json!({"calling_phone_number": NEW_YORK, "country": "US"}), [yes, no, yes]),
        (json!({"calling_phone_number": NEW_YORK, "country": "CA"}), [no, no, yes]),
        (json!({"calling_phone_number": NEW_YORK, "zip": "93101"}), [no, no, yes]),
        (json!({"calling_phone_number": NEW_YORK, "region": "California"}), [no, no, yes]),
        (json!({"zip": "10001"}), [yes, no, yes]),
        (json!({"region": "new york"}), [yes, no, yes]),
        (json!({"calling_phone_number": "+17875550123"}), [no, yes, yes]),
        (json!({"country": "PR"}), [no, yes, yes]),
        (json!({"country": "US"}), [None, None, yes]),
        (json!({"calling_phone_number": "+442071838750"}), [no, no, no]),
        (json!({"country": "GBR"}), [no, no, no]),
        (json!({"calling_phone_number": "+18765550123"}), [no, no, yes]),
        (json!({"calling_phone_number": "+18005550123"}), [None, None, None]),
        (json!({}), [None, None, None]),
    ] {
        let run = dry_run(&network, call.clone());
        assert_eq!(conditions(&run)[..3], expected, "{call}");
    }
}

#[test]
fn unknown_area_code_is_named_in_the_warnings() {
    let (_server, network) = world(connect());
    let run = dry_run(&network, json!({"calling_phone_number": "+18365550123"}));
    let warning =
        "the area code 836 is unknown, so the number has no location: add it with --area-codes";
    assert_json_eq(&run["warnings"], &json!([warning]));
    network.report_call("1", json!({"calling_phone_number": "+18365550123"}));
    let row = network.ledger().pop().expect("a row");
    let id = row["transaction_id"].as_str().expect("an id");
    let path = format!("/transactions/{id}/explanation");
    let explanation = network.extensions().get(&path).body(200);
    assert_json_eq(&explanation["warnings"], &json!([warning]));
    let known = dry_run(&network, json!({"calling_phone_number": NEW_YORK}));
    assert_json_eq(&known["warnings"], &json!([]));
}

/// Actions whose `dial` has the number only.
fn without_details(actions: &Value) -> Value {
    match &actions[0]["dial"] {
        Value::Null => actions.clone(),
        dial => json!([{"dial": {
            "number": dial["number"], "country_code": dial["country_code"],
        }}]),
    }
}

#[test]
fn verify_location_confirms_or_asks() {
    let verify = json!({"node_type": "VerifyLocation", "prompt": "Where are you?", "children": [
        {"node_type": "Condition", "condition": "in_region[New York]", "children": [
            connect(), {"node_type": "EndCall", "prompt": "Bye."}]}]});
    let (_server, network) = world(verify);
    let question = |finish: bool| {
        let finish = if finish { json!("#") } else { Value::Null };
        let gather = json!({"keys": 5, "finish": finish, "timeout": 10, "barge_in": true});
        json!([{"say": "Where are you?"}, {"gather": gather}])
    };
    let dial = json!([{"dial": {"number": "8004377950", "country_code": "1"}}]);
    let end = json!([{"say": "Bye."}, {"hangup": {}}]);
    let key = |key: &str| json!({"event": "key", "key": key});
    let zip = |zip: &str| json!({"event": "zip", "zip": zip});
    let digits = |digits: &str| json!({"event": "digits", "digits": digits});
    let silence = || json!({"event": "silence"});
    let toll_free = "+18005550123";
    let california = "+13105550123";
    for (number, events, last) in [
        (NEW_YORK, vec![key("1")], &dial),
        (NEW_YORK, vec![digits("1")], &dial),
        (NEW_YORK, vec![zip("93101")], &end),
        (california, vec![digits("10001#")], &dial),
        (NEW_YORK, vec![silence()], &question(true)),
        (NEW_YORK, vec![key("3")], &question(true)),
        (NEW_YORK, vec![zip("1234")], &question(true)),
        (NEW_YORK, vec![silence(), silence()], &dial),
        (NEW_YORK, vec![silence(), key("1")], &dial),
        (toll_free, vec![key("1")], &question(false)),
        (toll_free, vec![zip("10001")], &dial),
        (toll_free, vec![silence(), silence()], &end),
    ] {
        let case = format!("{number} {events:?}");
        let start = json!({"advertiser_campaign": "12", "calling_phone_number": number});
        let mut response = network.extensions().post("/calls", start).body(201);
        assert_json_eq(&response["actions"], &question(number != toll_free));
        let path = format!("/calls/{}/events", response["id"]);
        for event in events {
            response = network.extensions().post(&path, event).body(200);
        }
        assert_eq!(&without_details(&response["actions"]), last, "{case}");
        let call = network.extensions().get(path.trim_end_matches("/events")).body(200);
        assert_json_eq(&call["keypresses"], &json!([]));
    }
    for more in [json!({"region": "NY"}), json!({"zip": "10001"})] {
        let mut start = json!({"advertiser_campaign": "12", "calling_phone_number": california});
        start.as_object_mut().expect("an object").extend(more.as_object().expect("one").clone());
        let response = network.extensions().post("/calls", start).body(201);
        assert_json_eq(&without_details(&response["actions"]), &dial);
    }
    let run = dry_run(&network, json!({"calling_phone_number": NEW_YORK}));
    assert_json_eq(&run["destination_phone_number"], &json!("8004377950"));
}
