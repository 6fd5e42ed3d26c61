//! Objects and properties that a credential must not learn of: drafts, destinations, other parties'
//! numbers and calls, and the existence of what is out of reach.

use serde_json::{Value, json};
use trunkline_domain::id::AuditEntryId;
use trunkline_domain::party::{PartyKind, Role};
use trunkline_network::NewAuditEntry;
use trunkline_tests::body::{affiliate_campaign_path, campaign_path};
use trunkline_tests::{Client, Response, Server, body};

const DESTINATION: &str = "8005550101";

fn approve(network: &Client, campaign: &str, affiliate: &str) {
    network.has_applied("a1", campaign, affiliate);
    let path = affiliate_campaign_path("a1", campaign, affiliate);
    network.put(&path, json!({"status": "Approved"})).expect(200);
}

/// Creates a live campaign with a draft and a campaign that was never live, and two affiliates that
/// run both.
fn world() -> (Server, Client) {
    let server = Server::start();
    let network = server.network();
    let pricing = |amount: f64| json!({"policies": [{"type": "Base", "amount": amount, "currency": "USD", "condition": "not repeat"}]});
    let terms = json!({
        "affiliate_payout": pricing(4.5),
        "ivr_tree": {"root": {"node_type": "Connect", "destination_phone_number": DESTINATION}},
    });
    network.has_live_campaign("a1", "12", terms.clone());
    network.has_campaign("a1", "13", terms);
    for affiliate in ["f1", "f2"] {
        approve(&network, "12", affiliate);
        approve(&network, "13", affiliate);
    }
    let draft = json!({"affiliate_payout": pricing(77.01)});
    network.put(&campaign_path("a1", "12"), draft).expect(200);
    (server, network)
}

fn dry_run(client: &Client, more: Value) -> Response {
    let body = body::merged(json!({"advertiser_campaign": "12"}), more);
    client.extensions().post("/dry_run", body)
}

#[test]
fn affiliate_sees_no_destinations_and_no_terms_that_are_not_live() {
    let (server, network) = world();
    let affiliate = server.affiliate("f1");
    let campaigns = "/advertisers/a1/advertiser_campaigns";
    for path in [
        campaigns.to_owned(),
        campaign_path("a1", "12"),
        campaign_path("a1", "13"),
        affiliate_campaign_path("a1", "12", "f1"),
        affiliate_campaign_path("a1", "13", "f1"),
        format!("{}/affiliate_campaigns", campaign_path("a1", "13")),
    ] {
        let text = affiliate.get(&path).expect(200).text();
        assert!(!text.contains(DESTINATION) && !text.contains("77.01"), "{path}: {text}");
        assert!(network.get(&path).expect(200).text().contains(DESTINATION), "{path}");
    }
    let live = affiliate.get(&campaign_path("a1", "12")).body(200);
    let root = &live["current_terms"]["ivr_tree"]["root"];
    assert_eq!(root["destination_phone_number"], "");
    assert_eq!(live["future_terms"], Value::Null);
    let never_live = affiliate.get(&campaign_path("a1", "13")).body(200);
    assert_eq!([&never_live["current_terms"], &never_live["future_terms"]], [&Value::Null; 2]);
    let application = affiliate.get(&affiliate_campaign_path("a1", "13", "f1")).body(200);
    assert_eq!(application["current_terms"], Value::Null);
    // The console shows the same.
    network.put("/affiliates/f1", json!({"users": [body::user("7")]})).expect(200);
    let cookie = server.sign_in("user7@example.com");
    let ids = ["12", "13"].map(|id| network.get(&campaign_path("a1", id)).body(200)["id"].clone());
    let party = network.get("/affiliates/f1").body(200)["id"].clone();
    for id in ids {
        for page in [format!("/a_campaigns/terms/{id}"), format!("/p_campaigns/terms/{party}/{id}")]
        {
            let client = server.anon().absolute_paths();
            let text = client.request("GET", &page).header("Cookie", &cookie).send().expect(200);
            let text = text.text();
            assert!(!text.contains("555-0101") && !text.contains(DESTINATION), "{page}: {text}");
            assert!(!text.contains("77.01"), "{page}: {text}");
        }
    }
}

#[test]
fn dry_run_of_an_affiliate_tells_nothing_of_drafts_and_of_others() {
    let (server, network) = world();
    server.add_numbers(&["8005550150", "8005550151"]);
    let assign = |affiliate: &str| {
        let path = format!("{}/promo_numbers", affiliate_campaign_path("a1", "12", affiliate));
        let body = json!({"description": "x", "media_type": "Online"});
        network.post(&path, body).body(201)["promo_number"].as_str().expect("a number").to_owned()
    };
    let (own, foreign) = (assign("f1"), assign("f2"));
    let affiliate = server.affiliate("f1");
    let observer = server.party(PartyKind::Affiliate, "f1", Role::Observer);
    for client in [&affiliate, &observer] {
        let refused = dry_run(client, json!({"terms": "future", "affiliate": "f1"}));
        assert!(!refused.text().contains("77.01"), "{}", refused.text());
        refused.assert_error(403, "UnauthorizedOperation");
        // Without an affiliate the call is the affiliate's own.
        let own_call = dry_run(client, json!({"affiliate": null})).body(200);
        assert_eq!(own_call["affiliate_payout"]["currency"], "USD", "{own_call}");
        assert_eq!(own_call["advertiser_payin"], Value::Null);
        dry_run(client, json!({"affiliate": "f2"})).assert_error(404, "RecordNotFound");
        dry_run(client, json!({"call": {"promo_number": own}})).expect(200);
        // The message does not name the owner of the number, or if there is one.
        let message = |number: &str, more: Value| {
            let call = body::merged(json!({"call": {"promo_number": number}}), more);
            dry_run(client, call).assert_error(404, "RecordNotFound")
        };
        for more in [json!({}), json!({"affiliate": "f1"})] {
            assert_eq!(
                message(&foreign, more.clone()).replace(&foreign, "8005559999"),
                message("8005559999", more)
            );
        }
    }
    // `repeat` counts the affiliate's own calls.
    let call = json!({"calling_phone_number": "4155550123", "advertiser_campaign_id_from_network": "12",
        "affiliate_id_from_network": "f2", "external_call_unique_id": "x1",
        "start_time": "2026-01-02T03:04:05Z"});
    network.post("/calls", json!({"call": call})).expect(201);
    let is_paid = |client: &Client, affiliate: &str| {
        let call =
            json!({"calling_phone_number": "4155550123", "start_time": "2026-01-03T00:00:00Z"});
        let run = dry_run(client, json!({"affiliate": affiliate, "call": call})).body(200);
        run["affiliate_payout"]["policies"][0]["met"].clone()
    };
    assert_eq!(is_paid(&affiliate, "f1"), true, "a call of another affiliate is not told");
    assert_eq!(is_paid(&server.affiliate("f2"), "f2"), false);
    assert_eq!(is_paid(&network, "f1"), false);
}

#[test]
fn reported_call_tells_nobody_else_that_its_id_is_used() {
    let (server, network) = world();
    network.has_advertiser("a2");
    let call = json!({"advertiser_campaign_id_from_network": "12", "external_call_unique_id": "x1",
        "start_time": "2026-01-02T03:04:05Z"});
    network.post("/calls", json!({"call": call})).expect(201);
    let unused = body::merged(call.clone(), json!({"external_call_unique_id": "x2"}));
    let other_call = body::merged(call.clone(), json!({"start_time": "2026-01-02T03:04:06Z"}));
    for client in [
        server.affiliate("f1"),
        server.advertiser("a2"),
        server.party(PartyKind::Affiliate, "f1", Role::Observer),
        server.party(PartyKind::Advertiser, "a1", Role::Observer),
    ] {
        let response = |call: &Value| {
            let response = client.post("/calls", json!({"call": call}));
            (response.status, response.text())
        };
        let expected = response(&unused);
        assert!([403, 404].contains(&expected.0), "{expected:?}");
        for used in [&call, &other_call] {
            assert_eq!(response(used), expected);
        }
    }
    server.advertiser("a1").post("/calls", json!({"call": call})).expect(202);
}

#[test]
fn write_out_of_reach_is_the_404_of_an_object_that_does_not_exist() {
    let (server, network) = world();
    network.has_campaign("a2", "14", json!({"visibility": "None"}));
    network.has_affiliate("f3");
    let name = || json!({"name": "N"});
    let campaign = |advertiser: &str, id: &str| campaign_path(advertiser, id);
    let (affiliate, advertiser) = (server.affiliate("f1"), server.advertiser("a1"));
    let cases: Vec<(&Client, &str, String, String)> = vec![
        (&affiliate, "PUT", "/affiliates/f3".into(), "/affiliates/f9".into()),
        (&affiliate, "DELETE", "/affiliates/f3".into(), "/affiliates/f9".into()),
        (&affiliate, "GET", "/affiliates/f3".into(), "/affiliates/f9".into()),
        (&affiliate, "PUT", "/advertisers/a2".into(), "/advertisers/a9".into()),
        (&affiliate, "GET", campaign("a2", "14"), campaign("a9", "14")),
        (&affiliate, "PUT", campaign("a2", "14"), campaign("a9", "14")),
        (&affiliate, "PUT", campaign("a2", "15"), campaign("a9", "15")),
        (&affiliate, "POST", campaign("a2", "14") + "/go_live", campaign("a9", "14") + "/go_live"),
        (
            &affiliate,
            "PUT",
            "/advertisers/a2/affiliates/f1".into(),
            "/advertisers/a9/affiliates/f1".into(),
        ),
        (
            &affiliate,
            "GET",
            "/advertisers/a2/affiliates/f1".into(),
            "/advertisers/a9/affiliates/f1".into(),
        ),
        (&advertiser, "PUT", "/advertisers/a2".into(), "/advertisers/a9".into()),
        (&advertiser, "DELETE", "/advertisers/a2".into(), "/advertisers/a9".into()),
        (&advertiser, "PUT", "/affiliates/f3".into(), "/affiliates/f9".into()),
        (&advertiser, "PUT", campaign("a2", "14"), campaign("a9", "14")),
        (&advertiser, "PUT", "/advertisers/a2/users/1".into(), "/advertisers/a9/users/1".into()),
    ];
    for (client, method, foreign, absent) in cases {
        let message = |path: &str| {
            let response = client.request(method, path).json(&name()).send();
            response.assert_error(404, "RecordNotFound")
        };
        let renamed = message(&foreign).replace("a2", "a9").replace("f3", "f9");
        assert_eq!(renamed, message(&absent), "{method} {foreign}");
    }
    // What a credential views and may not write is 403.
    let message = affiliate.put(&campaign("a1", "12"), name());
    message.assert_error(403, "UnauthorizedOperation");
    advertiser.delete("/advertisers/a1").assert_error(403, "UnauthorizedOperation");
}

/// An affiliate reaches the advertisers with which it has a relationship, or of which it sees a campaign.
#[test]
fn advertiser_out_of_reach_of_an_affiliate_reads_as_absent() {
    let (server, network) = world();
    network.has_live_campaign("a2", "14", json!({"visibility": "None"}));
    network.has_campaign("a2", "15", json!({"visibility": "Approved_Affiliates"}));
    let affiliate = server.affiliate("f1");
    let lists =
        ["advertiser_campaigns", "affiliates", "advertiser_campaigns/14/affiliate_campaigns"];
    let others = ["affiliates/f1", "affiliates/f2", "affiliates/f9", "users"];
    for path in lists.iter().chain(&others) {
        for method in ["GET", "PUT", "DELETE"] {
            let message = |advertiser: &str| {
                let path = format!("/advertisers/{advertiser}/{path}");
                let response = affiliate.request(method, &path).json(&json!({})).send();
                (response.status, response.text().replace("a2", "a9"))
            };
            let absent = message("a9");
            assert!(absent.0 == 404 || absent.0 == 405, "{method} {path}: {absent:?}");
            assert_eq!(message("a2"), absent, "{method} {path}");
        }
    }
    let listed = |expected: &[&str]| {
        let campaigns = affiliate.get("/advertisers/a2/advertiser_campaigns").body(200);
        let ids: Vec<&str> = campaigns
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|campaign| campaign["id_from_network"].as_str())
            .collect();
        assert_eq!(ids, expected);
    };
    network.put("/advertisers/a2/affiliates/f1", json!({"status": "Pending"})).expect(200);
    listed(&[]);
    affiliate.get("/advertisers/a2/affiliates/f1").expect(200);
    network.delete("/advertisers/a2/affiliates/f1").expect(200);
    affiliate.get("/advertisers/a2/advertiser_campaigns").assert_error(404, "RecordNotFound");
    network.post(&affiliate_campaign_path("a2", "14", "f1"), json!({})).expect(201);
    listed(&["14"]);
    // The terms in force decide: the current ones, else the draft.
    let status = || affiliate.get("/advertisers/a3/advertiser_campaigns").status;
    network.has_live_campaign("a3", "16", json!({"visibility": "None"}));
    network.put(&campaign_path("a3", "16"), json!({"visibility": "All"})).expect(200);
    network.has_campaign("a3", "17", json!({"visibility": "Approved_Affiliates"}));
    assert_eq!(status(), 404);
    network.put(&campaign_path("a3", "17"), json!({"visibility": "All"})).expect(200);
    assert_eq!(status(), 200);
    network.put(&campaign_path("a3", "17"), json!({"visibility": "None"})).expect(200);
    assert_eq!(status(), 404);
    network.go_live("a3", "16");
    assert_eq!(status(), 200);
}

#[test]
fn refresh_tokens_are_shown_to_writers_only() {
    let (server, network) = world();
    let secret = "refresh-5565";
    let mut user = body::user("7");
    user["oauth_refresh_token"] = secret.into();
    let change = json!({"oauth_refresh_token": secret, "users": [user]});
    network.put("/advertisers/a1", change).expect(200);
    let shows = |client: &Client, path: &str| client.get(path).expect(200).text().contains(secret);
    let member = server.party(PartyKind::Advertiser, "a1", Role::Member);
    let observers = [server.observer(), server.party(PartyKind::Advertiser, "a1", Role::Observer)];
    for path in
        ["/advertisers/a1", "/advertisers", "/advertisers/a1/users/7", "/advertisers/a1/users"]
    {
        assert!(shows(&network, path) && shows(&member, path), "{path}");
        for observer in &observers {
            assert!(!shows(observer, path), "{path}");
        }
    }
    let audit = network.extensions();
    assert!(!shows(&audit, "/audit?object=advertiser:a1"));
    let entries = audit.get("/audit?object=advertiser:a1").body(200);
    let id = &entries.as_array().and_then(|entries| entries.last()).expect("an entry")["id"];
    assert!(!shows(&audit, &format!("/audit/{id}")));
    // Undoing still restores what the log holds.
    network.put("/advertisers/a1", json!({"oauth_refresh_token": "other"})).expect(200);
    let entries = audit.get("/audit?object=advertiser:a1").body(200);
    let id = &entries.as_array().and_then(|entries| entries.last()).expect("an entry")["id"];
    audit.post(&format!("/audit/{id}/revert"), json!({})).expect(201);
    assert!(shows(&network, "/advertisers/a1"));
}

/// Entries of before the difference was stored have whole objects, with secrets at any depth.
#[test]
fn refresh_tokens_in_old_audit_entries_are_hidden() {
    let (server, network) = world();
    let secret = |number: u8| format!("refresh-old-{number}");
    let user = |number: u8| json!({"id_from_network": "7", "oauth_refresh_token": secret(number)});
    let whole = |number: u8| {
        json!({"id_from_network": "a1", "name": "A", "oauth_refresh_token": secret(number),
            "users": [user(number)]})
    };
    let entries = [
        ("create", None, Some(whole(1))),
        ("update", Some(whole(1)), Some(whole(2))),
        ("update", Some(json!({"users": []})), Some(json!({"users": [user(3)]}))),
        ("delete", Some(whole(4)), None),
    ];
    let network_id = server.network_id();
    let stored = server.run_use_case(jiff::Timestamp::UNIX_EPOCH, move |unit, _| {
        for (action, before, after) in entries {
            let text = |object: Value| object.to_string();
            unit.insert_audit_entry(&NewAuditEntry {
                id: AuditEntryId::UNASSIGNED,
                network_id,
                at: jiff::Timestamp::UNIX_EPOCH,
                request_id: "old".to_owned(),
                actor: "token:1".to_owned(),
                object: "advertiser:old".to_owned(),
                action: action.to_owned(),
                before: before.map(text),
                after: after.map(text),
            })?;
        }
        Ok(())
    });
    stored.expect("the entries are stored");
    let rows = server.table_rows();
    assert!(rows["audit"].iter().any(|row| row.contains(&secret(1))));
    let log = network.extensions();
    let list = log.get("/audit?object=advertiser:old").expect(200);
    let entries = list.json().as_array().expect("a list").clone();
    assert_eq!(entries.len(), 4);
    let single = entries.iter().map(|entry| log.get(&format!("/audit/{}", entry["id"])));
    for response in single.chain([list, log.get("/audit")]) {
        let text = response.expect(200).text();
        assert!(!text.contains("refresh-old"), "{text}");
        assert!(text.contains("oauth_refresh_token"), "the change itself is shown: {text}");
    }
}
