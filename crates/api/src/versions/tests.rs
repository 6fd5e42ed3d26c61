//! Each dated change: a request and a response, before and after.

use super::*;
use serde_json::json;

fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("{other} is no object"),
    }
}

/// What a request sent on a date is, in the newest version's words.
fn request(date: &str, kind: Kind, body: Value) -> Value {
    let mut body = map(body);
    Version::parse(date).unwrap().upgrade(kind, &mut body);
    Value::Object(body)
}

/// What the newest version's answer is on a date.
fn response(date: &str, kind: Kind, body: Value) -> Value {
    answer(date, kind, Method::GET, body)
}

fn answer(date: &str, kind: Kind, method: Method, body: Value) -> Value {
    let mut body = map(body);
    Version::parse(date).unwrap().downgrade(&Sent { kind, method: &method }, &mut body);
    Value::Object(body)
}

/// What a validation says on a date to a request that used neither name.
fn errors(date: &str, kind: Kind, errors: Value) -> Value {
    errors_of(date, kind, None, errors)
}

fn errors_of(date: &str, kind: Kind, said: Option<Value>, errors: Value) -> Value {
    let mut body = json!({"errors": errors});
    let said = said.map(map);
    Version::parse(date).unwrap().downgrade_errors(kind, said.as_ref(), &mut body);
    body["errors"].clone()
}

#[test]
fn errors_are_at_the_name_that_the_request_used() {
    let budgets =
        |name: &str| json!({"budget_activities": {name: {"budget_amount": ["is not a number"]}}});
    let (old, new) = (budgets("call_cap_alert"), budgets("periodic_call_cap_alert"));
    for date in ["2015-05-01", "2018-11-01"] {
        let told = |said: &Value| errors_of(date, Kind::Campaign, Some(said.clone()), new.clone());
        assert_eq!(told(&old), old);
        assert_eq!(told(&new), new);
        let said = json!({"users": [{"email_settings": [{"email_address": "x"}]}, {"email_address": "y"}]});
        let nested = json!({"email_settings": [{"email_address": ["is invalid"]}]});
        let all = json!({"users": [nested, nested]});
        let told = errors_of(date, Kind::Affiliate, Some(said), all);
        assert_eq!(told, json!({"users": [nested, {"email_address": ["is invalid"]}]}));
    }
    let said = json!({"affiliate_campaign_id_from_network": "11"});
    let problem = json!({"id_from_network": ["has already been taken"]});
    let told = errors_of("2018-11-01", Kind::AffiliateCampaign, Some(said), problem);
    assert_eq!(told, json!({"affiliate_campaign_id_from_network": ["has already been taken"]}));
}

#[test]
fn a_date_means_the_newest_change_on_or_before_it() {
    for (date, precedes) in [("2016-06-30", true), ("2016-07-01", false), ("2999-01-01", false)] {
        let version = Version::parse(date).unwrap();
        assert_eq!(version.precedes(&v2016_07_01::CHANGE), precedes, "{date}");
    }
    assert!(!Version::newest().precedes(&v2022_08_01::CHANGE));
    for bad in ["2013-12-31", "2016-02-30", "2016-7-1", "20160701", "latest", "2016-07-01T00"] {
        assert!(Version::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn changes_are_in_order_of_their_dates() {
    assert!(CHANGES.is_sorted_by(|a, b| a.date < b.date));
    assert!(CHANGES.iter().all(|change| !change.what.is_empty()));
}

#[test]
fn v2015_12_09_call_caps() {
    let new = json!({"budget_activities": {"periodic_call_cap_alert": {"budget_amount": 1}}});
    let old = json!({"budget_activities": {"call_cap_alert": {"budget_amount": 1}}});
    for date in ["2015-05-01", "2015-12-09"] {
        assert_eq!(request(date, Kind::Campaign, old.clone()), new);
        assert_eq!(request(date, Kind::Campaign, new.clone()), new);
    }
    let terms = |budgets: Value| json!({"future_terms": budgets, "current_terms": null});
    assert_eq!(response("2015-12-09", Kind::Campaign, terms(new.clone())), terms(new.clone()));
    assert_eq!(response("2015-12-08", Kind::Campaign, terms(new.clone())), terms(old.clone()));
    let more = json!({"future_terms": {"campaign_language": "English",
        "budget_activities": {"concurrent_call_cap_alert": {"budget_amount": 3}}}});
    assert_eq!(response("2015-12-08", Kind::Campaign, more.clone()), json!({"future_terms": {}}));
    let with_language = response("2015-12-09", Kind::Campaign, more);
    assert_eq!(with_language["future_terms"]["campaign_language"], "English");
    assert_eq!(errors("2015-12-08", Kind::Campaign, new.clone()), old);
    assert_eq!(errors("2015-12-09", Kind::Campaign, new.clone()), new);
}

#[test]
fn v2015_12_09_where_both_names_are_given_the_date_decides() {
    let both = json!({"budget_activities": {"call_cap_alert": 1, "periodic_call_cap_alert": 2}});
    let before = request("2015-05-01", Kind::Campaign, both.clone());
    assert_eq!(before["budget_activities"]["periodic_call_cap_alert"], 1);
    let after = request("2016-01-01", Kind::Campaign, both);
    assert_eq!(after["budget_activities"]["periodic_call_cap_alert"], 2);
}

#[test]
fn rules_by_date() {
    let asked = |date| {
        let version = Version::parse(date).unwrap();
        (archived_goes_live(version), shows_max_promo_numbers(version), get_changes_state(version))
    };
    assert_eq!(asked("2016-01-31"), (true, true, true));
    assert_eq!(asked("2016-02-01"), (false, true, true));
    assert_eq!(asked("2016-07-01"), (false, false, true));
    assert_eq!(asked("2018-04-30"), (false, false, true));
    assert_eq!(asked("2018-05-01"), (false, false, false));
}

#[test]
fn v2016_07_01_ids_and_urls() {
    let new = json!({"id": 19, "id_from_network": "222", "object_url": "u", "name": "Surf Oz"});
    for kind in [Kind::Advertiser, Kind::Affiliate, Kind::PromoNumber] {
        assert_eq!(response("2016-07-01", kind, new.clone()), new);
        let old = json!({"id_from_network": "222", "name": "Surf Oz"});
        assert_eq!(response("2016-06-30", kind, new.clone()), old);
    }
    assert_eq!(response("2016-06-30", Kind::Campaign, new.clone()), json!({"name": "Surf Oz"}));
    assert_eq!(response("2016-06-30", Kind::Plain, new.clone()), new);
}

#[test]
fn v2016_07_01_some_writes_answered_nothing() {
    let object = json!({"id_from_network": "222"});
    let answers = |date, kind, method| answer(date, kind, method, object.clone());
    assert_eq!(answers("2016-06-30", Kind::Affiliate, Method::POST), json!({}));
    assert_eq!(answers("2016-06-30", Kind::PromoNumber, Method::PUT), json!({}));
    assert_eq!(answers("2016-06-30", Kind::Affiliate, Method::PUT), object);
    assert_eq!(answers("2016-06-30", Kind::PromoNumber, Method::POST), object);
    assert_eq!(answers("2016-07-01", Kind::Affiliate, Method::POST), object);
    assert_eq!(answers("2016-07-01", Kind::PromoNumber, Method::PUT), object);
}

#[test]
fn v2016_07_01_affiliate_campaigns_own_id() {
    let old = json!({"affiliate_campaign_id_from_network": "11"});
    let new = json!({"id_from_network": "11"});
    for date in ["2015-05-01", "2018-11-01"] {
        assert_eq!(request(date, Kind::AffiliateCampaign, old.clone()), new);
        assert_eq!(request(date, Kind::AffiliateCampaign, new.clone()), new);
    }
    let both = json!({"affiliate_campaign_id_from_network": "1", "id_from_network": "2"});
    let said =
        |date| request(date, Kind::AffiliateCampaign, both.clone())["id_from_network"].clone();
    assert_eq!(said("2016-06-30"), "1");
    assert_eq!(said("2016-07-01"), "2");
    let full = json!({"id": 1, "object_url": "u", "id_from_network": "11"});
    assert_eq!(response("2016-06-30", Kind::AffiliateCampaign, full.clone()), old);
    assert_eq!(response("2016-07-01", Kind::AffiliateCampaign, full.clone()), full);
    let problem = json!({"id_from_network": ["has already been taken"]});
    let renamed = json!({"affiliate_campaign_id_from_network": ["has already been taken"]});
    assert_eq!(errors("2016-06-30", Kind::AffiliateCampaign, problem), renamed);
}

#[test]
fn v2016_10_01_caller_id() {
    let tree = json!({"current_terms": {"ivr_tree": {"caller_id": {}, "record_calls": true}}});
    let old = json!({"current_terms": {"ivr_tree": {"record_calls": true}}});
    for kind in [Kind::Campaign, Kind::AffiliateCampaign] {
        assert_eq!(response("2016-09-30", kind, tree.clone()), old);
        assert_eq!(response("2016-10-01", kind, tree.clone()), tree);
        assert_eq!(request("2015-05-01", kind, tree.clone()), tree);
    }
}

#[test]
fn v2016_12_01_custom_data() {
    let new = json!({"name": "x", "custom_data": {"channel": "Online lead"}});
    for kind in [Kind::Advertiser, Kind::Affiliate, Kind::Campaign, Kind::PromoNumber] {
        assert_eq!(response("2016-11-30", kind, new.clone()), json!({"name": "x"}));
        assert_eq!(response("2016-12-01", kind, new.clone()), new);
        assert_eq!(request("2015-05-01", kind, new.clone()), new);
    }
}

#[test]
fn v2017_02_01_campaign_country() {
    let new = json!({"current_terms": null, "future_terms": {"campaign_country": "US"}});
    let old = json!({"current_terms": null, "future_terms": {}});
    assert_eq!(response("2017-01-31", Kind::Campaign, new.clone()), old);
    assert_eq!(response("2017-02-01", Kind::Campaign, new.clone()), new);
}

#[test]
fn v2017_04_01_email_settings() {
    let settings = json!([{"email_address": "a@b.c", "use_for_notifications": false},
                          {"email_address": "d@e.f", "use_for_notifications": true}]);
    let new = json!({"users": [{"email_settings": settings}]});
    let old = json!({"users": [{"email_address": "d@e.f"}]});
    assert_eq!(response("2017-03-31", Kind::Network, new.clone()), old);
    assert_eq!(response("2017-04-01", Kind::Network, new.clone()), new);
    assert_eq!(response("2017-03-31", Kind::User, new["users"][0].clone()), old["users"][0]);
    let both = json!({"user": {"email_address": "d@e.f", "email_settings": settings}});
    let kept = |date| map(request(date, Kind::User, both.clone())["user"].clone());
    assert!(kept("2017-03-31").keys().eq(["email_address"]));
    assert!(kept("2017-04-01").keys().eq(["email_settings"]));
}

#[test]
fn v2017_04_01_errors() {
    let new = json!({"users": [{}, {"email_settings": [{"email_address": ["is invalid"]}]}]});
    let old = json!({"users": [{}, {"email_address": ["is invalid"]}]});
    assert_eq!(errors("2017-03-31", Kind::Affiliate, new.clone()), old);
    assert_eq!(errors("2017-04-01", Kind::Affiliate, new.clone()), new);
    let blank = json!({"users": [{"email_settings": ["can't be blank"]}]});
    let was = json!({"users": [{"email_address": ["can't be blank"]}]});
    assert_eq!(errors("2017-03-31", Kind::Affiliate, blank), was);
}

#[test]
fn v2018_11_01_users() {
    let new = json!({"users": [{"contact_phone_number": "805-708-9876",
        "phone_number": "805-708-9876", "notify_on_budgets": true,
        "notify_on_call_activities": true, "can_login_via_platform": true}]});
    let old = json!({"users": [{"phone_number": "805-708-9876", "notify_on_budgets": true}]});
    assert_eq!(response("2018-10-31", Kind::Affiliate, new.clone()), old);
    assert_eq!(response("2018-11-01", Kind::Affiliate, new.clone()), new);
    assert_eq!(request("2015-05-01", Kind::Affiliate, new.clone()), new);
}

#[test]
fn v2019_05_01_v2020_10_01_and_v2022_03_01_show_their_nodes_on_every_version() {
    for node_type in ["Failover", "AnyKeyPress", "YesOrNo", "NumberQuestion", "RingGroup"] {
        let terms = json!({"current_terms": {"ivr_tree": {"root": {"node_type": node_type}}}});
        for date in ["2015-05-01", "2022-03-01"] {
            assert_eq!(response(date, Kind::Campaign, terms.clone()), terms);
            assert_eq!(request(date, Kind::Campaign, terms.clone()), terms);
        }
    }
}

#[test]
fn v2022_08_01_pause_date() {
    let new = json!({"future_terms": {"pause_date": "p", "expiration_date": "p"}});
    let old = json!({"future_terms": {"expiration_date": "p"}});
    assert_eq!(response("2022-07-31", Kind::Campaign, new.clone()), old);
    assert_eq!(response("2022-08-01", Kind::Campaign, new.clone()), new);
    let sent = json!({"pause_date": "2015-01-01"});
    assert_eq!(request("2015-05-01", Kind::Campaign, sent.clone()), sent);
}
