//! Advertiser campaigns: staged terms, go-live, and validation of each property.

use serde_json::{Value, json};
use trunkline_tests::body::{self, campaign_path};
use trunkline_tests::{Client, Server, assert_json_eq};

/// Creates campaign 12 with nothing but a name.
fn unconfigured_campaign() -> (Server, Client, String) {
    let server = Server::start();
    let network = server.network();
    network.has_advertiser("1");
    let path = campaign_path("1", "12");
    network.put(&path, json!({"name": "NFL"})).expect(200);
    (server, network, path)
}

#[test]
fn new_campaign_has_default_terms() {
    let (_server, network, path) = unconfigured_campaign();
    let current = network.get(&path).body(200);
    assert_eq!(current["status"], "Entry");
    assert_eq!(current["current_terms"], Value::Null);
    let terms = &current["future_terms"];
    assert_eq!(terms["id"], "");
    assert_eq!(terms["timezone"], "Pacific Time (US & Canada)");
    assert_eq!(terms["operating_24_7"], true);
    assert_eq!(terms["campaign_type"], "AffiliateEnabled");
    assert_eq!(terms["auto_approve"], "None");
    assert_eq!(terms["visibility"], "All");
    assert_eq!(terms["pricing_type"], "Fixed");
    assert_eq!(terms["go_live_date"], Value::Null);
    assert!(terms.get("budget_activities").is_none());
    let old = network.with_version("2015-05-01").get(&path).body(200);
    assert_json_eq(&old["max_promo_numbers"], &json!(10));
    let unnamed = network.put(&campaign_path("1", "13"), json!({"description": "x"}));
    unnamed.assert_invalid(&json!({"name": ["can't be blank"]}));
}

#[test]
fn changes_are_staged_in_future_terms_until_go_live() {
    let server = Server::start();
    let network = server.network();
    let path = campaign_path("1", "12");
    let draft = network.has_campaign("1", "12", json!({"description": "first"}));
    network.go_live("1", "12");
    let live = network.get(&path).body(200);
    assert_eq!(live["status"], "Activated");
    assert_eq!(live["future_terms"], Value::Null);
    assert_eq!(live["current_terms"]["description"], "first");
    assert!(live["current_terms"]["go_live_date"].is_string());
    assert_json_eq(&live["current_terms"]["ivr_tree"], &draft["future_terms"]["ivr_tree"]);
    // The next write opens new future terms as a copy of the current ones.
    let staged = network.put(&path, json!({"description": "second"})).body(200);
    assert_eq!(staged["status"], "Activated");
    assert_json_eq(&staged["current_terms"], &live["current_terms"]);
    assert_eq!(staged["future_terms"]["description"], "second");
    assert_json_eq(
        &staged["future_terms"]["affiliate_payout"],
        &live["current_terms"]["affiliate_payout"],
    );
    // The name belongs to the campaign, not to its terms, and changes at once.
    assert_eq!(network.put(&path, json!({"name": "Renamed"})).body(200)["name"], "Renamed");
    network.go_live("1", "12");
    let live = network.get(&path).body(200);
    assert_eq!(live["current_terms"]["description"], "second");
    assert_eq!(live["future_terms"], Value::Null);
    // A write that changes nothing opens no future terms.
    let same = network.put(&path, json!({"description": "second"})).body(200);
    assert_json_eq(&same, &live);
}

#[test]
fn go_live_reports_all_missing_properties() {
    let (_server, network, path) = unconfigured_campaign();
    let go_live = || network.post(&format!("{path}/go_live"), json!({}));
    let nothing = go_live().body(403);
    for property in ["ivr_tree", "advertiser_payin", "affiliate_payout"] {
        assert!(!nothing["errors"][property].is_null(), "{property} in {nothing}");
    }
    let menu = json!({"node_type": "Menu", "prompt": "Press 1 or 2.", "children": [
        body::connect_node(),
        {"node_type": "Connect", "destination_phone_number": "", "destination_country_code": ""},
    ]});
    let tree = json!({"root": menu, "record_calls": false});
    let message =
        json!({"ivr_tree": tree, "affiliate_payout": body::base_policy(4.5, "in_region[West]")});
    network.put(&path, message).expect(200);
    let errors = go_live().body(403);
    let pointer = "/errors/ivr_tree/children/0/1/destination_phone_number";
    assert!(errors.pointer(pointer).is_some_and(Value::is_array), "{errors}");
    assert_json_eq(&errors["error"]["ivr_tree"], &errors["errors"]["ivr_tree"]);
    let pointer = "/errors/affiliate_payout/policies/0/condition";
    assert!(errors.pointer(pointer).is_some_and(Value::is_array), "{errors}");
    assert!(!errors["errors"]["advertiser_payin"].is_null(), "{errors}");
    assert_eq!(network.get(&path).body(200)["status"], "Entry");
    // DirectOnly campaigns need no affiliate payout.
    let direct = json!({"campaign_type": "DirectOnly", "affiliate_payout": null, "ivr_tree": {"root": body::connect_node()}});
    network.put(&path, direct).expect(200);
    go_live().assert_json(200, &json!({}));
}

#[test]
fn conditions_may_only_use_regions_and_keys_of_the_campaign() {
    let server = Server::start();
    let network = server.network();
    let region = json!([{"name": "West", "regions": [{"region_type": "State", "value": "CA"}]}]);
    let sms = json!({
        "node_type": "SmsPromo", "prompt": "Press 1.", "sms_promo_copy": "Hello",
        "children": [body::connect_node()],
    });
    let menu =
        json!({"node_type": "Menu", "prompt": "Press 1.", "children": [body::connect_node()]});
    for (number, (condition, missing, stored)) in [
        ("in_region", json!({}), json!({"named_regions": region})),
        ("in_region[West]", json!({}), json!({"named_regions": region})),
        (
            "during_hours",
            json!({"operating_24_7": false}),
            json!({"hours": {"monday_open": 0, "monday_close": 3600}}),
        ),
        ("pressed[1]", json!({}), json!({"ivr_tree": {"root": menu}})),
        ("sms_sent", json!({}), json!({"ivr_tree": {"root": sms}})),
    ]
    .into_iter()
    .enumerate()
    {
        let id = number.to_string();
        let payin = json!({"advertiser_payin": body::base_policy(7.0, condition)});
        network.has_campaign("1", &id, body::merged(payin, missing));
        let go_live = format!("{}/go_live", campaign_path("1", &id));
        let rejected = network.post(&go_live, json!({})).body(403);
        let pointer = "/errors/advertiser_payin/policies/0/condition";
        assert!(rejected.pointer(pointer).is_some_and(Value::is_array), "{condition}: {rejected}");
        network.put(&campaign_path("1", &id), stored).expect(200);
        network.post(&go_live, json!({})).assert_json(200, &json!({}));
    }
}

#[test]
fn pricing_policies_are_shown_with_descriptions() {
    let (_server, network, path) = unconfigured_campaign();
    let policy = |kind: &str, amount: f64, currency: &str, condition: &str| json!({"type": kind, "amount": amount, "currency": currency, "condition": condition});
    let table = [
        (vec![policy("Base", 3.5, "USD", "")], "$3.50 per call", "$3.50 per call"),
        (
            vec![policy("Base", 7.0, "EUR", "duration > 2 min 30 sec")],
            "€7.00 per call if duration > 2 min 30 sec",
            "€7.00 per call",
        ),
        (
            vec![policy("Base", 4.5, "USD", ""), policy("Bonus", 2.75, "USD", "duration > 60")],
            "Base: $4.50 per call Bonus: $2.75 per call if duration > 60",
            "$4.50 - $7.25 per call",
        ),
        (vec![policy("Base", 1250.0, "GBP", "")], "£1,250.00 per call", "£1,250.00 per call"),
        (
            // The Base policy comes first in the response.
            vec![
                policy("Bonus", 1.0, "USD", "mobile"),
                policy("Base", 2.0, "USD", ""),
                policy("Bonus", 0.5, "USD", ""),
            ],
            "Base: $2.00 per call Bonus: $1.00 per call if mobile Bonus: $0.50 per call",
            "$2.00 - $3.50 per call",
        ),
    ];
    for (policies, pricing, range) in table {
        let message = json!({"affiliate_payout": {"policies": policies}});
        let current =
            network.put(&path, message).body(200)["future_terms"]["affiliate_payout"].clone();
        assert_eq!(current["pricing"], pricing);
        assert_eq!(current["range"], range);
        let shown_policies = current["policies"].as_array().unwrap();
        assert_eq!(shown_policies[0]["type"], "Base");
        let sum: f64 = shown_policies.iter().filter_map(|policy| policy["amount"].as_f64()).sum();
        assert_json_eq(&current["max"], &json!(sum));
        assert_json_eq(&current["min"], &shown_policies[0]["amount"]);
        assert_eq!(current["currency"], policies[0]["currency"]);
    }
}

#[test]
fn policies_are_one_base_and_at_most_nine_bonuses_of_one_currency() {
    let (_server, network, path) = unconfigured_campaign();
    let base = json!({"type": "Base", "amount": 1, "currency": "USD"});
    let bonus = json!({"type": "Bonus", "amount": 1, "currency": "USD"});
    let pounds = json!({"type": "Bonus", "amount": 1, "currency": "GBP"});
    let put = |policies: Vec<&Value>| {
        network.put(&path, json!({"advertiser_payin": {"policies": policies}}))
    };
    let bonuses = |count: usize| std::iter::repeat_n(&bonus, count);
    for wrong in [
        vec![],
        vec![&bonus],
        vec![&base, &base],
        vec![&base, &pounds],
        [&base].into_iter().chain(bonuses(10)).collect(),
    ] {
        let rejected = put(wrong).body(403);
        assert!(!rejected["errors"]["advertiser_payin"].is_null(), "{rejected}");
    }
    put([&base].into_iter().chain(bonuses(9)).collect()).expect(200);
    let direct = json!({"campaign_type": "DirectOnly", "advertiser_payin": {"policies": [base]}});
    let rejected = network.put(&path, direct).body(403);
    assert!(rejected["errors"]["advertiser_payin"].is_array(), "{rejected}");
    for pricing_type in ["OverallMargin", "IndividualMargin"] {
        let rejected = network.put(&path, json!({"pricing_type": pricing_type})).body(403);
        assert!(rejected["errors"]["pricing_type"].is_array(), "{rejected}");
    }
    network.put(&path, json!({"pricing_type": "Fixed"})).expect(200);
}

#[test]
fn amounts_are_decimals_within_their_bounds() {
    let (_server, network, path) = unconfigured_campaign();
    let put = |amount: &str| {
        let body = format!(
            "{{\"advertiser_payin\": {{\"policies\": [{{\"type\": \"Base\", \"currency\": \"USD\", \"amount\": {amount}}}]}}}}"
        );
        network.request("PUT", &path).json_text(&body).send()
    };
    for (text, current) in [
        ("0", "0.0"),
        ("7", "7.0"),
        ("7.0", "7.0"),
        ("7.10", "7.1"),
        ("0.01", "0.01"),
        ("0.1", "0.1"),
        ("1e2", "100.0"),
        ("\"4.5\"", "4.5"),
        ("4.500", "4.5"),
        ("999999.99", "999999.99"),
        ("1000000", "1000000.0"),
        ("\"1000000.00\"", "1000000.0"),
    ] {
        let response = put(text).expect(200);
        let value = response.json();
        let amount = &value["future_terms"]["advertiser_payin"]["policies"][0]["amount"];
        assert_eq!(amount.as_f64(), current.parse().ok(), "{text}");
        assert!(amount.is_number());
    }
    for (text, message) in [
        ("-0.01", "must be greater than or equal to 0"),
        ("1000000.01", "must be less than or equal to 1000000"),
        ("\"seven\"", "is not a number"),
        ("true", "is not a number"),
        ("[7]", "is not a number"),
        ("\"NaN\"", "is not a number"),
    ] {
        let policy = json!({"policies": [{"amount": [message]}]});
        put(text).assert_invalid(&json!({"advertiser_payin": policy}));
    }
    for text in ["0.001", "7.123", "\"1.005\""] {
        let rejected = put(text).body(403);
        let amount = &rejected["errors"]["advertiser_payin"]["policies"][0]["amount"];
        assert!(amount.is_array(), "{text}: {rejected}");
    }
}

#[test]
fn rails_and_iana_zone_names_are_accepted() {
    let (_server, network, path) = unconfigured_campaign();
    for zone in [
        "Pacific Time (US & Canada)",
        "Mountain Time (US & Canada)",
        "Central Time (US & Canada)",
        "Eastern Time (US & Canada)",
        "London",
        "UTC",
        "International Date Line West",
        "Hawaii",
        "Arizona",
        "Indiana (East)",
        "Newfoundland",
        "Kyiv",
        "Mumbai",
        "Kathmandu",
        "Chatham Is.",
        "Nuku'alofa",
        "Pacific Time (Canada)",
        "Alberta",
        "America/New_York",
        "Asia/Ho_Chi_Minh",
    ] {
        let current = network.put(&path, json!({"timezone": zone})).body(200);
        assert_eq!(current["future_terms"]["timezone"], zone);
    }
    for zone in ["Mars", "", "pacific", "America/Atlantis", "../UTC"] {
        let wrong = network.put(&path, json!({"timezone": zone}));
        wrong.assert_invalid(&json!({"timezone": ["is not included in the list"]}));
    }
}

#[test]
fn dates_observe_daylight_saving_of_their_zone() {
    let (_server, network, path) = unconfigured_campaign();
    let summer =
        json!({"timezone": "Eastern Time (US & Canada)", "pause_date": "2030-07-01T12:00:00Z"});
    let current = network.put(&path, summer).body(200);
    assert_eq!(current["future_terms"]["pause_date"], "2030-07-01T08:00:00-04:00");
    let winter = network.put(&path, json!({"pause_date": "2030-01-01T12:00:00Z"})).body(200);
    assert_eq!(winter["future_terms"]["expiration_date"], "2030-01-01T07:00:00-05:00");
    let wrong = network.put(&path, json!({"pause_date": "2030-02-30"}));
    wrong.assert_invalid(&json!({"pause_date": ["is invalid"]}));
}

#[test]
fn hours_are_seconds_past_midnight() {
    let (_server, network, path) = unconfigured_campaign();
    let message = json!({"hours": {
        "monday_open": "32400", "monday_close": 75600.0, "monday_closed": "false",
        "tuesday_open": 0, "tuesday_close": 86400, "tuesday_closed": null,
        "friday_closed": true,
    }});
    let terms = network.put(&path, message).body(200)["future_terms"].clone();
    let hours = &terms["hours"];
    assert_json_eq(&hours["monday_open"], &json!(32400));
    assert_json_eq(&hours["monday_close"], &json!(75600));
    assert_eq!(hours["monday_closed"], false);
    assert_json_eq(&hours["tuesday_close"], &json!(86400));
    assert_eq!(hours["tuesday_closed"], Value::Null);
    assert_eq!(hours["friday_closed"], true);
    assert_eq!(hours["sunday_open"], Value::Null);
    // operating_24_7 defaults to true without hours.
    assert_eq!(terms["operating_24_7"], false);
    let wrong = json!({"hours": {"monday_open": 86401, "monday_close": -1, "monday_closed": 3, "friday_open": 1.5, "sunday_open": "9:00"}});
    let rejected = network.put(&path, wrong).body(403);
    for property in ["monday_open", "monday_close", "monday_closed", "friday_open", "sunday_open"] {
        assert!(rejected["errors"]["hours"][property].is_array(), "{property}: {rejected}");
    }
    let cleared = network.put(&path, json!({"hours": null})).body(200);
    assert_eq!(cleared["future_terms"]["hours"], Value::Null);
}

#[test]
fn named_regions_have_names_types_and_descriptions() {
    let (_server, network, path) = unconfigured_campaign();
    let region = |kind: &str, value: &str| json!({"region_type": kind, "value": value});
    let regions = [
        region("State", "CA"),
        region("City", "Sacramento, CA"),
        region("Country", "US"),
        region("Zone", "West"),
    ];
    let message = json!({"named_regions": [{"name": "West Coast", "regions": regions}]});
    let current = network.put(&path, message).body(200)["future_terms"]["named_regions"].clone();
    let current = current[0]["regions"].as_array().unwrap();
    assert_eq!(current[0]["text"], "California");
    for (message, current) in regions.iter().zip(current) {
        assert_eq!(message["value"], current["value"]);
        assert!(current["text"].as_str().is_some_and(|text| !text.is_empty()), "{current}");
    }
    let twice = json!([{"name": "West", "regions": []}, {"name": "West", "regions": []}]);
    let accepted = json!({"named_regions": [{}, {"name": ["has already been taken"]}]});
    network.put(&path, json!({"named_regions": twice})).assert_invalid(&accepted);
    let wrong = json!([{"name": "West", "regions": [region("Planet", "Mars")]}]);
    let listed = json!([{"regions": [{"region_type": ["is not included in the list"]}]}]);
    network
        .put(&path, json!({"named_regions": wrong}))
        .assert_invalid(&json!({"named_regions": listed}));
}

#[test]
fn budgets_require_an_affiliate_enabled_campaign() {
    let (_server, network, path) = unconfigured_campaign();
    let budget = json!({
        "budget_amount": 100.0, "budget_currency": "USD", "reset_period": "Monthly",
        "starts_at": "2014-04-01T00:00:00-07:00", "time_zone": "Pacific Time (US & Canada)",
    });
    for period in ["Daily", "Weekly", "Monthly", "Quarterly", "Ongoing"] {
        for start in ["starts_at", "start_at"] {
            let mut message = body::merged(budget.clone(), json!({"reset_period": period}));
            let pointer =
                message.as_object_mut().and_then(|map| map.shift_remove("starts_at")).unwrap();
            message[start] = pointer;
            let message = json!({"budget_activities": {"budget_cap_alert": message}});
            let current =
                network.put(&path, message).body(200)["future_terms"]["budget_activities"].clone();
            assert_json_eq(
                &current["budget_cap_alert"],
                &json!({
                    "budget_amount": 100.0, "budget_currency": "USD", "reset_period": period,
                    "start_at": "2014-04-01T00:00:00-07:00", "total_amount": 0.0,
                    "time_zone": "Pacific Time (US & Canada)",
                }),
            );
        }
    }
    let flags = json!({"include_call_fees": true, "enforce": true});
    let message =
        json!({"budget_activities": {"budget_cap_alert": body::merged(budget.clone(), flags)}});
    let current =
        network.put(&path, message).body(200)["future_terms"]["budget_activities"].clone();
    assert_eq!(current["budget_cap_alert"]["include_call_fees"], true);
    assert_eq!(current["budget_cap_alert"]["enforce"], true);
    let blank = json!(["can't be blank"]);
    let empty = network.put(&path, json!({"budget_activities": {"budget_cap_alert": {}}}));
    empty.assert_invalid(&json!({"budget_activities": {"budget_cap_alert": {
        "reset_period": blank, "starts_at": blank, "budget_currency": blank,
        "time_zone": blank, "budget_amount": blank,
    }}}));
    let cleared = network.put(&path, json!({"budget_activities": null})).body(200);
    assert!(cleared["future_terms"].get("budget_activities").is_none());
    let direct =
        json!({"campaign_type": "DirectOnly", "budget_activities": {"budget_cap_alert": budget}});
    let rejected = network.put(&path, direct).body(403);
    assert!(rejected["errors"]["budget_activities"].is_array(), "{rejected}");
}

#[test]
fn enum_properties_reject_unknown_values() {
    let (_server, network, path) = unconfigured_campaign();
    let unknown_values = [
        ("campaign_type", vec!["AffiliateEnabled", "DirectOnly", "ExternalOnly"]),
        ("auto_approve", vec!["All", "Approved_Affiliates", "None"]),
        ("visibility", vec!["None", "Approved_Affiliates", "All"]),
    ];
    for (property, unknown_values) in unknown_values {
        for word in unknown_values {
            let current = network.put(&path, json!({property: word})).body(200);
            assert_eq!(current["future_terms"][property], word);
        }
        let wrong = network.put(&path, json!({property: "Some"}));
        wrong.assert_invalid(&json!({property: ["is not included in the list"]}));
    }
}

/// Statuses change by actions only, and ids never change.
#[test]
fn read_only_properties_are_ignored() {
    let server = Server::start();
    let network = server.network();
    network.has_live_campaign("1", "12", json!({}));
    let path = campaign_path("1", "12");
    let before = network.get(&path).body(200);
    let message = json!({
        "id": 7, "status": "Archived", "object_url": "x", "created_at": "2015-05-13 07:45:08 -0800",
        "updated_at": "x", "go_live_date": "x", "expiration_date": "2015-01-01",
        "current_terms": {"description": "x"}, "future_terms": {"description": "x"},
    });
    let response = network.put(&path, message.clone()).expect(200);
    let ignored = response.header("trunkline-ignored").expect("all of it was ignored");
    assert_eq!(ignored.split(',').count(), message.as_object().map_or(0, |map| map.len()));
    response.assert_json(200, &before);
}

#[test]
fn repeat_caller_days_are_shown_where_they_are_set() {
    let (_server, network, path) = unconfigured_campaign();
    let old = network.with_version("2015-05-01");
    let current = |client: &Client| client.get(&path).body(200)["future_terms"].clone();
    assert!(current(&network).get("repeat_days").is_none());
    for days in [json!(1), json!("90"), json!(365)] {
        old.put(&path, json!({"repeat_days": days})).expect(200);
        let days = days.as_str().map_or(days.clone(), |_| json!(90));
        assert_json_eq(&current(&network)["repeat_days"], &days);
        assert_json_eq(&current(&old)["repeat_days"], &days);
    }
    for (days, message) in [
        (json!(0), "must be greater than or equal to 1"),
        (json!(366), "must be less than or equal to 365"),
        (json!("x"), "is not a number"),
    ] {
        network
            .put(&path, json!({"repeat_days": days}))
            .assert_invalid(&json!({"repeat_days": [message]}));
    }
    network.put(&path, json!({"repeat_days": null})).expect(200);
    assert!(current(&network).get("repeat_days").is_none());
}

/// A date without a zone is in the campaign's zone, for each way to name the campaign.
#[test]
fn date_without_zone_is_in_the_campaigns_zone() {
    let (_server, network, path) = unconfigured_campaign();
    network.put(&path, json!({"timezone": "Eastern Time (US & Canada)"})).expect(200);
    let collection = "/advertisers/1/advertiser_campaigns";
    for (path, id) in
        [(path.as_str(), Value::Null), (collection, json!("12")), (collection, json!(12))]
    {
        let message = json!({"id_from_network": id, "pause_date": "2030-01-01"});
        let current = network.post(path, message).body(201);
        assert_eq!(current["future_terms"]["pause_date"], "2030-01-01T23:59:59-05:00");
    }
}

#[test]
fn quick_stats_are_zero_without_calls() {
    let server = Server::start();
    let network = server.network();
    network.has_live_campaign("1", "12", json!({}));
    let none = json!({"call_count": 0, "call_avg_total_duration": 0.0});
    let stats = json!({"stats": {"today": none, "last_7days": none, "last_30days": none}});
    let path = campaign_path("1", "12");
    network
        .with_version("2015-05-01")
        .get(&format!("{path}/quick_stats.json"))
        .assert_json(200, &stats);
    network
        .get("/advertisers/1/advertiser_campaigns/13/quick_stats")
        .assert_error(404, "RecordNotFound");
}

#[test]
fn flag_of_open_hours_stays_once_it_is_said() {
    let server = Server::start();
    let network = server.network();
    let hours = json!({"hours": {"monday_open": 32_400, "monday_close": 61_200}});
    let flag = |id: &str| {
        let campaign = network.get(&campaign_path("354", id)).body(200);
        campaign["future_terms"]["operating_24_7"].clone()
    };
    for (id, first, after) in [
        ("said", json!({"operating_24_7": true}), true),
        ("denied", json!({"operating_24_7": false}), false),
        ("default", json!({}), false),
    ] {
        network.has_campaign("354", id, first);
        network.put(&campaign_path("354", id), hours.clone()).expect(200);
        assert_eq!(flag(id), after, "{id}");
    }
    // A response that is written back says nothing.
    network.has_campaign("354", "read", json!({}));
    let read = network.get(&campaign_path("354", "read")).body(200);
    network.put(&campaign_path("354", "read"), read["future_terms"].clone()).expect(200);
    network.put(&campaign_path("354", "read"), hours).expect(200);
    assert_eq!(flag("read"), false);
}
