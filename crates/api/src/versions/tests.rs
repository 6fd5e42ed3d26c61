//! Tests of each dated change: a request and a response, before and after.

use super::*;
use serde_json::json;

fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("{other} is no object"),
    }
}

/// Upgrades a request of a date to the newest version.
fn request(date: &str, kind: ResourceKind, body: Value) -> Value {
    let mut body = map(body);
    Version::parse(date).unwrap().upgrade(kind, &mut body);
    Value::Object(body)
}

/// Downgrades the response to a GET to the version of a date.
fn response(date: &str, kind: ResourceKind, body: Value) -> Value {
    response_to(date, kind, Method::GET, body)
}

fn response_to(date: &str, kind: ResourceKind, method: Method, body: Value) -> Value {
    let mut body = map(body);
    Version::parse(date).unwrap().downgrade(&ResponseInfo { kind, method: &method }, &mut body);
    Value::Object(body)
}

/// Downgrades the errors of a request that used neither name.
fn errors(date: &str, kind: ResourceKind, errors: Value) -> Value {
    errors_of(date, kind, None, errors)
}

fn errors_of(date: &str, kind: ResourceKind, request: Option<Value>, errors: Value) -> Value {
    let mut body = json!({"errors": errors});
    let request = request.map(map);
    Version::parse(date).unwrap().downgrade_errors(kind, request.as_ref(), &mut body);
    body["errors"].clone()
}

#[test]
fn errors_use_the_names_of_the_request() {
    let budgets =
        |name: &str| json!({"budget_activities": {name: {"budget_amount": ["is not a number"]}}});
    let old = budgets("call_cap_alert");
    let new = budgets("periodic_call_cap_alert");
    for date in ["2015-05-01", "2018-11-01"] {
        let campaign_errors =
            |body: &Value| errors_of(date, ResourceKind::Campaign, Some(body.clone()), new.clone());
        assert_eq!(campaign_errors(&old), old);
        assert_eq!(campaign_errors(&new), new);
        let body = json!({"users": [{"email_settings": [{"email_address": "x"}]}, {"email_address": "y"}]});
        let nested = json!({"email_settings": [{"email_address": ["is invalid"]}]});
        let all = json!({"users": [nested, nested]});
        let user_errors = errors_of(date, ResourceKind::Affiliate, Some(body), all);
        assert_eq!(user_errors, json!({"users": [nested, {"email_address": ["is invalid"]}]}));
    }
    let body = json!({"affiliate_campaign_id_from_network": "11"});
    let problem = json!({"id_from_network": ["has already been taken"]});
    let id_errors = errors_of("2018-11-01", ResourceKind::AffiliateCampaign, Some(body), problem);
    assert_eq!(
        id_errors,
        json!({"affiliate_campaign_id_from_network": ["has already been taken"]})
    );
}

#[test]
fn version_includes_every_change_on_or_before_its_date() {
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
fn changes_are_sorted_by_date() {
    assert!(CHANGES.is_sorted_by(|a, b| a.date < b.date));
    assert!(CHANGES.iter().all(|change| !change.description.is_empty()));
}

#[test]
fn v2015_12_09_call_caps() {
    let new = json!({"budget_activities": {"periodic_call_cap_alert": {"budget_amount": 1}}});
    let old = json!({"budget_activities": {"call_cap_alert": {"budget_amount": 1}}});
    for date in ["2015-05-01", "2015-12-09"] {
        assert_eq!(request(date, ResourceKind::Campaign, old.clone()), new);
        assert_eq!(request(date, ResourceKind::Campaign, new.clone()), new);
    }
    let terms = |budgets: Value| json!({"future_terms": budgets, "current_terms": null});
    assert_eq!(
        response("2015-12-09", ResourceKind::Campaign, terms(new.clone())),
        terms(new.clone())
    );
    assert_eq!(
        response("2015-12-08", ResourceKind::Campaign, terms(new.clone())),
        terms(old.clone())
    );
    let more = json!({"future_terms": {"campaign_language": "English",
        "budget_activities": {"concurrent_call_cap_alert": {"budget_amount": 3}}}});
    assert_eq!(
        response("2015-12-08", ResourceKind::Campaign, more.clone()),
        json!({"future_terms": {}})
    );
    let with_language = response("2015-12-09", ResourceKind::Campaign, more);
    assert_eq!(with_language["future_terms"]["campaign_language"], "English");
    assert_eq!(errors("2015-12-08", ResourceKind::Campaign, new.clone()), old);
    assert_eq!(errors("2015-12-09", ResourceKind::Campaign, new.clone()), new);
}

#[test]
fn v2015_12_09_date_decides_between_both_names() {
    let both = json!({"budget_activities": {"call_cap_alert": 1, "periodic_call_cap_alert": 2}});
    let is_before_change = request("2015-05-01", ResourceKind::Campaign, both.clone());
    assert_eq!(is_before_change["budget_activities"]["periodic_call_cap_alert"], 1);
    let after = request("2016-01-01", ResourceKind::Campaign, both);
    assert_eq!(after["budget_activities"]["periodic_call_cap_alert"], 2);
}

#[test]
fn rules_are_in_force_until_their_date() {
    let rules = |date| {
        let version = Version::parse(date).unwrap();
        (archived_goes_live(version), shows_max_promo_numbers(version), get_changes_state(version))
    };
    assert_eq!(rules("2016-01-31"), (true, true, true));
    assert_eq!(rules("2016-02-01"), (false, true, true));
    assert_eq!(rules("2016-07-01"), (false, false, true));
    assert_eq!(rules("2018-04-30"), (false, false, true));
    assert_eq!(rules("2018-05-01"), (false, false, false));
}

#[test]
fn v2016_07_01_ids_and_urls() {
    let new = json!({"id": 19, "id_from_network": "222", "object_url": "u", "name": "Surf Oz"});
    for kind in [ResourceKind::Advertiser, ResourceKind::Affiliate, ResourceKind::PromoNumber] {
        assert_eq!(response("2016-07-01", kind, new.clone()), new);
        let old = json!({"id_from_network": "222", "name": "Surf Oz"});
        assert_eq!(response("2016-06-30", kind, new.clone()), old);
    }
    assert_eq!(
        response("2016-06-30", ResourceKind::Campaign, new.clone()),
        json!({"name": "Surf Oz"})
    );
    assert_eq!(response("2016-06-30", ResourceKind::Unversioned, new.clone()), new);
}

#[test]
fn v2016_07_01_earlier_writes_return_an_empty_object() {
    let object = json!({"id_from_network": "222"});
    let respond = |date, kind, method| response_to(date, kind, method, object.clone());
    assert_eq!(respond("2016-06-30", ResourceKind::Affiliate, Method::POST), json!({}));
    assert_eq!(respond("2016-06-30", ResourceKind::PromoNumber, Method::PUT), json!({}));
    assert_eq!(respond("2016-06-30", ResourceKind::Affiliate, Method::PUT), object);
    assert_eq!(respond("2016-06-30", ResourceKind::PromoNumber, Method::POST), object);
    assert_eq!(respond("2016-07-01", ResourceKind::Affiliate, Method::POST), object);
    assert_eq!(respond("2016-07-01", ResourceKind::PromoNumber, Method::PUT), object);
}

#[test]
fn v2016_07_01_affiliate_campaign_external_id() {
    let old = json!({"affiliate_campaign_id_from_network": "11"});
    let new = json!({"id_from_network": "11"});
    for date in ["2015-05-01", "2018-11-01"] {
        assert_eq!(request(date, ResourceKind::AffiliateCampaign, old.clone()), new);
        assert_eq!(request(date, ResourceKind::AffiliateCampaign, new.clone()), new);
    }
    let both = json!({"affiliate_campaign_id_from_network": "1", "id_from_network": "2"});
    let upgraded_id = |date| {
        request(date, ResourceKind::AffiliateCampaign, both.clone())["id_from_network"].clone()
    };
    assert_eq!(upgraded_id("2016-06-30"), "1");
    assert_eq!(upgraded_id("2016-07-01"), "2");
    let full = json!({"id": 1, "object_url": "u", "id_from_network": "11"});
    assert_eq!(response("2016-06-30", ResourceKind::AffiliateCampaign, full.clone()), old);
    assert_eq!(response("2016-07-01", ResourceKind::AffiliateCampaign, full.clone()), full);
    let problem = json!({"id_from_network": ["has already been taken"]});
    let renamed = json!({"affiliate_campaign_id_from_network": ["has already been taken"]});
    assert_eq!(errors("2016-06-30", ResourceKind::AffiliateCampaign, problem), renamed);
}

#[test]
fn v2016_10_01_caller_id() {
    let tree = json!({"current_terms": {"ivr_tree": {"caller_id": {}, "record_calls": true}}});
    let old = json!({"current_terms": {"ivr_tree": {"record_calls": true}}});
    for kind in [ResourceKind::Campaign, ResourceKind::AffiliateCampaign] {
        assert_eq!(response("2016-09-30", kind, tree.clone()), old);
        assert_eq!(response("2016-10-01", kind, tree.clone()), tree);
        assert_eq!(request("2015-05-01", kind, tree.clone()), tree);
    }
}

#[test]
fn v2016_12_01_custom_data() {
    let new = json!({"name": "x", "custom_data": {"channel": "Online lead"}});
    for kind in [
        ResourceKind::Advertiser,
        ResourceKind::Affiliate,
        ResourceKind::Campaign,
        ResourceKind::PromoNumber,
    ] {
        assert_eq!(response("2016-11-30", kind, new.clone()), json!({"name": "x"}));
        assert_eq!(response("2016-12-01", kind, new.clone()), new);
        assert_eq!(request("2015-05-01", kind, new.clone()), new);
    }
}

#[test]
fn v2017_02_01_campaign_country() {
    let new = json!({"current_terms": null, "future_terms": {"campaign_country": "US"}});
    let old = json!({"current_terms": null, "future_terms": {}});
    assert_eq!(response("2017-01-31", ResourceKind::Campaign, new.clone()), old);
    assert_eq!(response("2017-02-01", ResourceKind::Campaign, new.clone()), new);
}

#[test]
fn v2017_02_01_promo_type_and_v2017_09_01_adwords_account_id() {
    let at = |date| {
        let number = json!({"promo_type": "Local", "adwords_account_id": "77", "id": 1});
        response(date, ResourceKind::PromoNumber, number)
    };
    assert_eq!(at("2017-01-31"), json!({"id": 1}));
    assert_eq!(at("2017-02-01"), json!({"promo_type": "Local", "id": 1}));
    assert_eq!(at("2017-08-31"), json!({"promo_type": "Local", "id": 1}));
    assert_eq!(
        at("2017-09-01"),
        json!({"promo_type": "Local", "adwords_account_id": "77", "id": 1})
    );
}

#[test]
fn v2017_04_01_email_settings() {
    let settings = json!([{"email_address": "a@b.c", "use_for_notifications": false},
                          {"email_address": "d@e.f", "use_for_notifications": true}]);
    let new = json!({"users": [{"email_settings": settings}]});
    let old = json!({"users": [{"email_address": "d@e.f"}]});
    assert_eq!(response("2017-03-31", ResourceKind::Network, new.clone()), old);
    assert_eq!(response("2017-04-01", ResourceKind::Network, new.clone()), new);
    assert_eq!(
        response("2017-03-31", ResourceKind::User, new["users"][0].clone()),
        old["users"][0]
    );
    let both = json!({"user": {"email_address": "d@e.f", "email_settings": settings}});
    let kept = |date| map(request(date, ResourceKind::User, both.clone())["user"].clone());
    assert!(kept("2017-03-31").keys().eq(["email_address"]));
    assert!(kept("2017-04-01").keys().eq(["email_settings"]));
}

#[test]
fn v2017_04_01_errors() {
    let new = json!({"users": [{}, {"email_settings": [{"email_address": ["is invalid"]}]}]});
    let old = json!({"users": [{}, {"email_address": ["is invalid"]}]});
    assert_eq!(errors("2017-03-31", ResourceKind::Affiliate, new.clone()), old);
    assert_eq!(errors("2017-04-01", ResourceKind::Affiliate, new.clone()), new);
    let blank = json!({"users": [{"email_settings": ["can't be blank"]}]});
    let old_blank = json!({"users": [{"email_address": ["can't be blank"]}]});
    assert_eq!(errors("2017-03-31", ResourceKind::Affiliate, blank), old_blank);
}

#[test]
fn v2018_11_01_users() {
    let new = json!({"users": [{"contact_phone_number": "805-708-9876",
        "phone_number": "805-708-9876", "notify_on_budgets": true,
        "notify_on_call_activities": true, "can_login_via_platform": true}]});
    let old = json!({"users": [{"phone_number": "805-708-9876", "notify_on_budgets": true}]});
    assert_eq!(response("2018-10-31", ResourceKind::Affiliate, new.clone()), old);
    assert_eq!(response("2018-11-01", ResourceKind::Affiliate, new.clone()), new);
    assert_eq!(request("2015-05-01", ResourceKind::Affiliate, new.clone()), new);
}

#[test]
fn v2019_05_01_v2020_10_01_and_v2022_03_01_nodes_are_returned_on_every_version() {
    for node_type in ["Failover", "AnyKeyPress", "YesOrNo", "NumberQuestion", "RingGroup"] {
        let terms = json!({"current_terms": {"ivr_tree": {"root": {"node_type": node_type}}}});
        for date in ["2015-05-01", "2022-03-01"] {
            assert_eq!(response(date, ResourceKind::Campaign, terms.clone()), terms);
            assert_eq!(request(date, ResourceKind::Campaign, terms.clone()), terms);
        }
    }
}

#[test]
fn v2022_08_01_pause_date() {
    let new = json!({"future_terms": {"pause_date": "p", "expiration_date": "p"}});
    let old = json!({"future_terms": {"expiration_date": "p"}});
    assert_eq!(response("2022-07-31", ResourceKind::Campaign, new.clone()), old);
    assert_eq!(response("2022-08-01", ResourceKind::Campaign, new.clone()), new);
    let body = json!({"pause_date": "2015-01-01"});
    assert_eq!(request("2015-05-01", ResourceKind::Campaign, body.clone()), body);
}
