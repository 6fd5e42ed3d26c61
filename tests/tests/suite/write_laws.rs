//! Laws checked on generated bodies, for every resource and several versions: repeating a write changes
//! nothing, and a body that was read can be written back.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Value, json};
use trunkline_tests::body::{self, affiliate_campaign_path, campaign_path, relationship_path};
use trunkline_tests::{Client, Server, assert_json_eq};

const VERSIONS: [&str; 8] = [
    "2014-01-01",
    "2015-12-09",
    "2016-07-01",
    "2016-12-01",
    "2017-04-01",
    "2018-11-01",
    "2022-08-01",
    "2023-10-09",
];

/// Checks a law on one server for several generated bodies; proptest shrinks a counterexample.
fn check_law<T: std::fmt::Debug>(bodies: &impl Strategy<Value = T>, check: impl Fn(T)) {
    let config = Config { cases: 16, failure_persistence: None, ..Config::default() };
    TestRunner::new(config)
        .run(bodies, |body| {
            check(body);
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
}

fn any_version() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(&VERSIONS[..])
}

/// A non-blank name of any accepted characters.
fn any_name() -> impl Strategy<Value = String> {
    "[^\u{0}]{0,20}[a-z][^\u{0}]{0,20}"
}

/// Any subset of the properties of a body that has the required ones.
fn any_subset(
    whole: Map<String, Value>,
    required: &'static [&str],
) -> impl Strategy<Value = Value> {
    let count = whole.len();
    proptest::collection::vec(any::<bool>(), count).prop_map(move |kept| {
        let pairs = whole.iter().zip(kept);
        let pairs = pairs.filter(|((name, _), kept)| *kept || required.contains(&name.as_str()));
        Value::Object(pairs.map(|((name, value), _)| (name.clone(), value.clone())).collect())
    })
}

fn properties(body: Value) -> Map<String, Value> {
    match body {
        Value::Object(map) => map,
        _ => panic!("a body is an object"),
    }
}

fn any_user() -> impl Strategy<Value = Value> {
    let required = &["id_from_network", "email_settings", "first_name", "last_name"];
    let text =
        (any_name(), any_name(), "[a-z]{1,8}", proptest::sample::select(vec!["Super", "Observer"]));
    (text, any_subset(properties(body::full_user("1")), required)).prop_map(
        |((first, last, id, role), user)| {
            let text =
                json!({"first_name": first, "last_name": last, "id_from_network": id, "role": role});
            body::merged(user, text)
        },
    )
}

/// An affiliate or advertiser with up to four users and sites.
fn any_party(full: Value, status: &'static str) -> impl Strategy<Value = Value> {
    let users = proptest::collection::vec(any_user(), 0..4).prop_map(|mut users| {
        for (index, user) in users.iter_mut().enumerate() {
            let id = format!("{}{index}", user["id_from_network"].as_str().unwrap_or_default());
            user["id_from_network"] = id.into();
        }
        users
    });
    let sites =
        proptest::collection::vec(proptest::option::of(any_name()), 1..4).prop_map(|names| {
            let site = |(index, name)| json!({"id_from_network": index, "name": name});
            names.into_iter().enumerate().map(site).collect::<Vec<_>>()
        });
    let statuses = ["Applied", "Approved", "Declined", "Suspended", "Archived"];
    let body = any_subset(properties(full), &["name", "id_from_network"]);
    (body, any_name(), users, sites, proptest::sample::select(statuses.to_vec()), any::<bool>())
        .prop_map(move |(body, name, users, sites, word, short)| {
            let more = json!({"name": name, status: word});
            let sets = json!({"users": users, "sites": sites});
            body::merged(body, if short { more } else { body::merged(more, sets) })
        })
}

fn any_campaign() -> impl Strategy<Value = Value> {
    let amount = (0_u32..100_000_000).prop_map(|cents| f64::from(cents) / 100.0);
    let condition = proptest::sample::select(vec![
        "",
        "duration > 60",
        "mobile and not repeat",
        "in_region[West Coast] or during_hours.",
        "connect_duration >= 1 min 30 sec",
    ]);
    let body = any_subset(properties(body::full_campaign("12")), &["id_from_network", "name"]);
    (body, any_name(), amount, condition, 0_u32..100).prop_map(
        |(body, name, amount, condition, most)| {
            let more = json!({
                "name": name,
                "advertiser_payin": body::base_policy(amount, condition),
                "max_promo_numbers": most,
            });
            body::merged(body, more)
        },
    )
}

/// Observable state after a write: the object, its list, and the audit log.
fn state(client: &Client, path: &str) -> (Value, Vec<Value>) {
    (client.get(path).body(200), client.audit_entries(None))
}

/// Asserts that a repeated POST and a PUT change neither body, `updated_at` nor the log.
#[track_caller]
fn assert_idempotent(client: &Client, version: &str, path: &str, body: &Value) {
    let speaker = client.with_version(version);
    let first = speaker.post(path, body.clone()).expect(201);
    let before = state(client, path);
    let repeated = speaker.post(path, body.clone()).expect(201);
    assert_json_eq(&repeated.json(), &first.json());
    let put = speaker.put(path, body.clone()).body(200);
    if first.json() != json!({}) {
        assert_json_eq(&put, &first.json());
    }
    let after = state(client, path);
    assert_json_eq(&after.0, &before.0);
    assert_eq!(after.1.len(), before.1.len(), "the log has grown");
}

/// Asserts that each version's GET body is accepted by POST and PUT and changes nothing.
#[track_caller]
fn assert_writes_back(client: &Client, path: &str) {
    for version in VERSIONS {
        let speaker = client.with_version(version);
        let before = state(client, path);
        let read = speaker.get(path).body(200);
        speaker.put(path, read.clone()).expect(200);
        speaker.post(path, read.clone()).expect(201);
        assert_json_eq(&speaker.get(path).body(200), &read);
        let after = state(client, path);
        let last = after.1.last().map(|entry| &entry["patch"]);
        assert_eq!(after.1.len(), before.1.len(), "on {version} the log has grown: {last:?}");
        assert_json_eq(&after.0, &before.0);
    }
}

fn check_resource(path: &'static str, bodies: &impl Strategy<Value = Value>, prepare: fn(&Client)) {
    let server = Server::start();
    let network = server.network();
    prepare(&network);
    check_law(&(any_version(), bodies), |(version, body)| {
        assert_idempotent(&network, version, path, &body)
    });
    assert_writes_back(&network, path);
}

#[test]
fn affiliates_are_idempotent() {
    let bodies = any_party(body::full_affiliate("222"), "status");
    check_resource("/affiliates/222", &bodies, |_| ());
}

#[test]
fn advertisers_are_idempotent() {
    let bodies = any_party(body::full_advertiser("1"), "approval_status");
    check_resource("/advertisers/1", &bodies, |_| ());
}

#[test]
fn campaigns_are_idempotent() {
    let path = "/advertisers/1/advertiser_campaigns/12";
    check_resource(path, &any_campaign(), |network| {
        network.has_advertiser("1");
    });
}

#[test]
fn live_campaigns_are_idempotent() {
    let path = "/advertisers/1/advertiser_campaigns/12";
    check_resource(path, &any_campaign(), |network| {
        network.has_live_campaign("1", "12", json!({}));
    });
}

#[test]
fn network_is_idempotent() {
    let users = proptest::collection::vec(any_user(), 0..3).prop_map(|mut users| {
        for (index, user) in users.iter_mut().enumerate() {
            user["id_from_network"] = index.into();
        }
        users
    });
    let bodies =
        (any_name(), users).prop_map(|(name, users)| json!({"name": name, "users": users}));
    check_resource("/network", &bodies, |_| ());
}

#[test]
fn affiliate_campaigns_are_idempotent() {
    let bodies = (any_name(), any::<bool>()).prop_map(|(id, says)| {
        let status = if says { json!({"status": "Applied"}) } else { json!({}) };
        let more = json!({"id_from_network": id, "custom_data": {"channel": id}});
        body::merged(status, more)
    });
    let path = "/advertisers/1/advertiser_campaigns/12/affiliates/222/affiliate_campaigns";
    check_resource(path, &bodies, |network| {
        network.has_campaign("1", "12", json!({}));
        network.has_affiliate("222");
    });
}

#[test]
fn relationships_are_idempotent() {
    let statuses = vec!["Pending", "Approved", "Suspended", "Declined", "Deactivated"];
    let bodies = proptest::sample::select(statuses).prop_map(|status| json!({"status": status}));
    check_resource("/advertisers/1/affiliates/222", &bodies, |network| {
        network.has_live_campaign("1", "12", json!({}));
        network.has_applied("1", "12", "222");
    });
}

#[test]
fn custom_data_fields_are_idempotent() {
    let types = proptest::sample::select(vec!["category", "short_text", "date"]);
    let values = proptest::collection::vec(any_name(), 1..4);
    let bodies = (any_name(), types, values).prop_map(|(name, data_type, values)| {
        json!({"friendly_name": name, "data_type": data_type, "field_values": values})
    });
    check_resource("/custom_data_fields/colour", &bodies, |_| ());
}

#[test]
fn advertiser_users_are_idempotent() {
    let server = Server::start();
    let network = server.network();
    network.has_advertiser("1");
    let path = "/advertisers/1/users/7";
    check_law(&(any_version(), any_user()), |(version, mut user)| {
        user["id_from_network"] = "7".into();
        assert_idempotent(&network, version, path, &json!({"user": user}));
    });
    for version in VERSIONS {
        let speaker = network.with_version(version);
        let log = network.audit_entries(None).len();
        let read = speaker.get(path).body(200);
        // The request is {"user": {…}}; the response is the bare user.
        speaker.put(path, json!({"user": read})).assert_json(200, &read);
        assert_eq!(network.audit_entries(None).len(), log);
    }
}

/// A repeated POST allocates another number, so only PUT is idempotent.
#[test]
fn promo_numbers_can_be_written_back() {
    let server = Server::start();
    let network = server.network();
    server.add_numbers(&["8005550101"]);
    network.has_campaign("1", "12", json!({}));
    let numbers = format!("{}/promo_numbers", campaign_path("1", "12"));
    let new = json!({"description": "Radio", "media_type": "Radio"});
    let accepted = network.post(&numbers, new).body(201);
    let path = format!("{numbers}/{}", accepted["promo_number"].as_str().unwrap());
    check_law(&(any_version(), any_name(), any_name()), |(version, description, id)| {
        let speaker = network.with_version(version);
        let body = json!({"description": description, "id_from_network": id});
        speaker.put(&path, body.clone()).expect(200);
        let before = state(&network, &path);
        speaker.put(&path, body).expect(200);
        let read = speaker.get(&path).body(200);
        speaker.put(&path, read.clone()).expect(200);
        let after = state(&network, &path);
        assert_json_eq(&after.0, &before.0);
        assert_eq!(after.1.len(), before.1.len());
    });
}

/// The response nests the terms one level deeper than the request. Flattened, they can be written back.
#[test]
fn terms_can_be_written_back_flat() {
    let server = Server::start();
    let network = server.network();
    network.put("/advertisers/1", body::full_advertiser("1")).expect(200);
    let path = campaign_path("1", "12");
    // The body is empty, so that all terms have default values.
    network.put(&path, json!({"name": "New"})).expect(200);
    let log = network.audit_entries(None).len();
    let read = network.get(&path).body(200);
    network.put(&path, read["future_terms"].clone()).assert_json(200, &read);
    assert_eq!(network.audit_entries(None).len(), log);
    check_law(&any_campaign(), |campaign| {
        network.put(&path, campaign).expect(200);
        for version in VERSIONS {
            let speaker = network.with_version(version);
            let before = state(&network, &path);
            let read = speaker.get(&path).body(200);
            speaker.put(&path, read["future_terms"].clone()).assert_json(200, &read);
            let log = network.audit_entries(None);
            let last = log.last().map(|entry| &entry["patch"]);
            assert_eq!(log.len(), before.1.len(), "on {version} the log has grown: {last:?}");
        }
    });
}

/// A version can write back what another version wrote.
#[test]
fn decided_affiliate_campaign_can_be_written_back() {
    let server = Server::start();
    let network = server.network();
    network.has_live_campaign("1", "12", json!({}));
    network.has_applied("1", "12", "222");
    let path = affiliate_campaign_path("1", "12", "222");
    for status in ["Approved", "Suspended", "Declined"] {
        network.put(&path, json!({"status": status})).expect(200);
        for version in VERSIONS {
            let speaker = network.with_version(version);
            let log = network.audit_entries(None).len();
            let read = speaker.get(&path).body(200);
            speaker.put(&path, read.clone()).assert_json(200, &read);
            assert_eq!(network.audit_entries(None).len(), log);
        }
    }
    let relationship = relationship_path("1", "222");
    network.put(&relationship, json!({"status": "Pending"})).expect(200);
    assert_writes_back(&network, &relationship);
}
