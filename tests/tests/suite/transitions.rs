//! The tables of transitions, each cell: campaigns by action, affiliate campaigns by status asked,
//! relationships over affiliate campaigns, and the rules of applying in their order.

use serde_json::{Value, json};
use trunkline_tests::body::{affiliate_campaign_path, campaign_path, relationship_path};
use trunkline_tests::{Client, Server};

/// A date before there was an unarchive, and one after.
const OLD: &str = "2016-01-31";
const NEW: &str = "2016-02-01";

/// Brings a new campaign to a status.
fn campaign_in(network: &Client, id: &str, status: &str) {
    network.has_campaign("1", id, json!({}));
    let path = |action: &str| format!("{}/{action}", campaign_path("1", id));
    let actions: &[&str] = match status {
        "Entry" => &[],
        "Activated" => &["go_live"],
        "Archived" => &["go_live", "archive"],
        "Paused" => &["go_live", "archive", "unarchive"],
        _ => panic!("no way to {status}"),
    };
    for action in actions {
        network.post(&path(action), json!({})).expect(200);
    }
    assert_eq!(campaign_status(network, id), status);
}

fn campaign_status(network: &Client, id: &str) -> Value {
    network.get(&campaign_path("1", id)).body(200)["status"].clone()
}

#[test]
fn campaigns_move_by_the_table() {
    let server = Server::start();
    let network = server.network();
    let table = [
        // from, action, version, to: None is 403
        ("Entry", "go_live", OLD, Some("Activated")),
        ("Entry", "go_live", NEW, Some("Activated")),
        ("Entry", "archive", OLD, None),
        ("Entry", "archive", NEW, None),
        ("Activated", "go_live", OLD, Some("Activated")),
        ("Activated", "go_live", NEW, Some("Activated")),
        ("Activated", "archive", OLD, Some("Archived")),
        ("Activated", "archive", NEW, Some("Archived")),
        ("Archived", "go_live", OLD, Some("Activated")),
        ("Archived", "go_live", NEW, None),
        ("Archived", "archive", OLD, Some("Archived")),
        ("Archived", "archive", NEW, Some("Archived")),
        ("Archived", "unarchive", OLD, Some("Paused")),
        ("Archived", "unarchive", NEW, Some("Paused")),
        ("Paused", "go_live", OLD, Some("Activated")),
        ("Paused", "go_live", NEW, Some("Activated")),
        ("Paused", "archive", OLD, Some("Archived")),
        ("Paused", "archive", NEW, Some("Archived")),
        ("Paused", "unarchive", OLD, Some("Paused")),
        ("Paused", "unarchive", NEW, Some("Paused")),
    ];
    for (number, (from, action, version, to)) in table.into_iter().enumerate() {
        let id = number.to_string();
        campaign_in(&network, &id, from);
        let path = format!("{}/{action}", campaign_path("1", &id));
        let log = network.audit(None).len();
        let answer = network.on(version).post(&path, json!({}));
        let cell = format!("{action} from {from} on {version}");
        match to {
            Some(to) => {
                assert_eq!(answer.status, 200, "{cell}: {}", answer.text());
                assert_eq!(answer.json(), json!({}), "{cell}");
                assert_eq!(campaign_status(&network, &id), to, "{cell}");
                let entries = usize::from(to != from);
                assert_eq!(network.audit(None).len(), log + entries, "{cell}");
            }
            None => {
                let message = format!("cannot transition from '{from}'");
                answer.invalid(&json!({"status": [message]}));
                assert_eq!(campaign_status(&network, &id), from, "{cell}");
                assert_eq!(network.audit(None).len(), log, "{cell}");
            }
        }
    }
}

/// unarchive takes out what is archived, and refuses what was never put away (docs/api.md).
#[test]
fn unarchive_of_what_is_not_archived_leaves_it_where_it_is() {
    let server = Server::start();
    let network = server.network();
    for status in ["Entry", "Activated"] {
        campaign_in(&network, status, status);
        let path = format!("{}/unarchive", campaign_path("1", status));
        let message = format!("cannot transition from '{status}'");
        network.post(&path, json!({})).invalid(&json!({"status": [message]}));
        assert_eq!(campaign_status(&network, status), status);
    }
}

#[test]
fn get_changes_state_only_before_2018_05_01() {
    let server = Server::start();
    let network = server.network();
    for action in ["go_live", "archive"] {
        campaign_in(&network, action, if action == "archive" { "Activated" } else { "Entry" });
        let path = format!("{}/{action}.json", campaign_path("1", action));
        let before = campaign_status(&network, action);
        for version in ["2018-05-01", "2023-10-09"] {
            let refused = network.on(version).get(&path).expect(405);
            assert_eq!(refused.header("allow"), Some("POST"));
            assert!(refused.json()["errors"].is_object());
        }
        assert_eq!(campaign_status(&network, action), before);
        for version in ["2014-01-01", "2018-04-30"] {
            network.on(version).get(&path).is(200, &json!({}));
        }
        assert_ne!(campaign_status(&network, action), before);
        network.on("2015-05-01").get(&path.replace(".json", "")).is(200, &json!({}));
    }
    // unarchive never was a GET.
    let path = format!("{}/unarchive", campaign_path("1", "archive"));
    for version in ["2016-02-01", "2023-10-09"] {
        let refused = network.on(version).get(&path).expect(405);
        assert_eq!(refused.header("allow"), Some("POST"));
    }
}

#[test]
fn past_its_expiration_a_campaign_reads_paused() {
    let server = Server::start();
    let network = server.network();
    network.has_live_campaign("1", "12", json!({"pause_date": "2020-01-01"}));
    assert_eq!(campaign_status(&network, "12"), "Paused");
    network.has_applied("1", "12", "222");
    let path = affiliate_campaign_path("1", "12", "222");
    let approved = network.put(&path, json!({"status": "Approved"})).body(200);
    assert_eq!(approved["status"], "Approved_NotActive");
    // With another date, it goes live again.
    network.put(&campaign_path("1", "12"), json!({"pause_date": "2099-01-01"})).expect(200);
    network.go_live("1", "12");
    assert_eq!(campaign_status(&network, "12"), "Activated");
    assert_eq!(network.status_of("1", "12", "222"), "Approved");
}

#[test]
fn go_live_checks_the_range_of_its_timeout_on_every_version() {
    let server = Server::start();
    let network = server.network();
    network.has_campaign("1", "12", json!({}));
    let path = format!("{}/go_live", campaign_path("1", "12"));
    for version in ["2015-05-01", "2016-05-01", "2023-10-09"] {
        let client = network.on(version);
        let few = json!({"timeout": ["must be greater than or equal to 2"]});
        client.post(&path, json!({"timeout": 1})).invalid(&few);
        let many = json!({"timeout": ["must be less than or equal to 60"]});
        client.post(&path, json!({"timeout": 61})).invalid(&many);
        assert_eq!(client.post(&path, json!({"timeout": "soon"})).status, 403);
        client.post(&path, json!({"timeout": 2})).is(200, &json!({}));
        client.post(&path, json!({"timeout": 60})).is(200, &json!({}));
        // Without a body at all, as curl -XPOST sends it.
        network.on(version).request("POST", &path).send().is(200, &json!({}));
    }
}

const STATUSES: [&str; 4] = ["Applied", "Approved", "Suspended", "Declined"];

/// A new affiliate whose affiliate campaign in 12 has a status.
fn affiliate_in(network: &Client, id: &str, status: &str) {
    network.has_applied("1", "12", id);
    let path = affiliate_campaign_path("1", "12", id);
    let steps: &[&str] = match status {
        "Applied" => &[],
        "Suspended" => &["Approved", "Suspended"],
        "Approved" => &["Approved"],
        _ => &["Declined"],
    };
    for step in steps {
        network.put(&path, json!({"status": step})).expect(200);
    }
    assert_eq!(network.status_of("1", "12", id), status);
}

#[test]
fn put_moves_affiliate_campaigns_by_the_table() {
    let server = Server::start();
    let network = server.network();
    network.has_live_campaign("1", "12", json!({}));
    let moves = [
        ("Applied", "Approved"),
        ("Applied", "Declined"),
        ("Approved", "Suspended"),
        ("Suspended", "Approved"),
        ("Suspended", "Declined"),
        ("Declined", "Approved"),
    ];
    for (row, from) in STATUSES.into_iter().enumerate() {
        for (column, asked) in STATUSES.into_iter().enumerate() {
            let id = format!("{row}{column}");
            affiliate_in(&network, &id, from);
            let path = affiliate_campaign_path("1", "12", &id);
            let log = network.audit(None).len();
            let answer = network.put(&path, json!({"status": asked}));
            if from == asked || moves.contains(&(from, asked)) {
                assert_eq!(answer.body(200)["status"], asked, "PUT {asked} to {from}");
                let entries = usize::from(from != asked);
                assert_eq!(network.audit(None).len(), log + entries, "PUT {asked} to {from}");
            } else {
                let message = format!("cannot transition from '{from}'");
                let refused = json!({"errors": {"status": [message]}, "status": asked});
                answer.is(403, &refused);
                assert_eq!(network.status_of("1", "12", &id), from, "PUT {asked} to {from}");
            }
        }
    }
}

#[test]
fn post_only_applies() {
    let server = Server::start();
    let network = server.network();
    network.has_live_campaign("1", "12", json!({}));
    for (row, from) in STATUSES.into_iter().enumerate() {
        for (column, asked) in STATUSES.into_iter().enumerate() {
            let id = format!("{row}{column}");
            affiliate_in(&network, &id, from);
            let path = affiliate_campaign_path("1", "12", &id);
            let answer = network.post(&path, json!({"status": asked}));
            if asked == "Applied" {
                // "changes no status … except that a Declined one applies again"
                let to = if from == "Declined" { "Applied" } else { from };
                assert_eq!(answer.body(201)["status"], to, "POST Applied to {from}");
            } else {
                let message = format!("cannot transition from '{asked}'");
                let refused = json!({"errors": {"status": [message]}, "status": "Applied"});
                answer.is(403, &refused);
                assert_eq!(network.status_of("1", "12", &id), from, "POST {asked} to {from}");
            }
        }
    }
}

#[test]
fn put_of_one_that_does_not_exist_creates_by_the_rules_of_post() {
    let server = Server::start();
    let network = server.network();
    network.has_live_campaign("1", "12", json!({}));
    for asked in STATUSES {
        network.has_affiliate(asked);
        let path = affiliate_campaign_path("1", "12", asked);
        let answer = network.put(&path, json!({"status": asked}));
        if asked == "Applied" {
            assert_eq!(answer.body(200)["status"], "Applied");
        } else {
            let message = format!("cannot transition from '{asked}'");
            answer.is(403, &json!({"errors": {"status": [message]}, "status": "Applied"}));
            network.get(&path).expect(404);
        }
    }
    // Applied is the default.
    network.has_affiliate("222");
    let path = affiliate_campaign_path("1", "12", "222");
    assert_eq!(network.post(&path, json!({})).body(201)["status"], "Applied");
}

#[test]
fn a_path_that_names_anothers_affiliate_campaign_is_not_found() {
    let server = Server::start();
    let network = server.network();
    network.has_live_campaign("1", "12", json!({}));
    network.has_affiliate("222");
    network.has_affiliate("223");
    let path = |affiliate, id| {
        let member = affiliate_campaign_path("1", "12", affiliate);
        format!("{member}/{id}.json")
    };
    let made = network.post(&path("222", "11"), json!({"status": "Applied"})).body(201);
    assert_eq!(made["id_from_network"], "11");
    network.get(&path("222", "11")).is(200, &made);
    for affiliate in ["222", "223"] {
        let other = if affiliate == "222" { "12" } else { "11" };
        network.get(&path(affiliate, other)).refused(404, "RecordNotFound");
        let body = json!({"status": "Applied"});
        if affiliate == "223" {
            network.post(&path(affiliate, other), body.clone()).refused(404, "RecordNotFound");
            network.put(&path(affiliate, other), body).refused(404, "RecordNotFound");
        }
    }
    network.get(&affiliate_campaign_path("1", "12", "223")).expect(404);
}

#[test]
fn a_relationship_acts_on_every_affiliate_campaign_of_its_pair() {
    let server = Server::start();
    let network = server.network();
    network.has_live_campaign("1", "12", json!({}));
    network.has_live_campaign("2", "13", json!({}));
    for relationship in ["Pending", "Approved", "Suspended", "Declined", "Deactivated"] {
        for status in STATUSES {
            let id = format!("{relationship}-{status}");
            affiliate_in(&network, &id, status);
            network.post(&affiliate_campaign_path("2", "13", &id), json!({})).expect(201);
            let to = match (relationship, status) {
                ("Approved", "Applied") => "Approved",
                ("Approved", _) | (_, "Suspended" | "Declined") => status,
                (_, "Applied") => "Declined",
                _ => "Suspended",
            };
            let object = format!("affiliate_campaign:{id}/12");
            let log = network.audit(Some(&object)).len();
            let path = relationship_path("1", &id);
            network.put(&path, json!({"status": relationship})).is(200, &json!({}));
            let cell = format!("{relationship} over {status}");
            assert_eq!(network.status_of("1", "12", &id), to, "{cell}");
            // One entry for each affiliate campaign that the cascade moved.
            let entries = usize::from(status != to);
            assert_eq!(network.audit(Some(&object)).len(), log + entries, "{cell}");
            // Another advertiser's campaigns are none of its business.
            assert_eq!(network.status_of("2", "13", &id), "Applied", "{cell}");
        }
    }
}

#[test]
fn the_same_relationship_again_acts_on_what_has_changed_since() {
    let server = Server::start();
    let network = server.network();
    network.has_live_campaign("1", "12", json!({}));
    network.has_live_campaign("1", "13", json!({}));
    affiliate_in(&network, "222", "Approved");
    let relationship = relationship_path("1", "222");
    network.put(&relationship, json!({"status": "Suspended"})).expect(200);
    assert_eq!(network.status_of("1", "12", "222"), "Suspended");
    let path = affiliate_campaign_path("1", "12", "222");
    network.put(&path, json!({"status": "Approved"})).expect(200);
    network.put(&relationship, json!({"status": "Suspended"})).expect(200);
    assert_eq!(network.status_of("1", "12", "222"), "Suspended");
    let log = network.audit(None).len();
    network.put(&relationship, json!({"status": "Suspended"})).expect(200);
    assert_eq!(network.audit(None).len(), log);
    // Deleting the relationship changes no affiliate campaign; later applications go by the
    // campaign's own auto_approve.
    network.delete(&relationship).expect(200);
    assert_eq!(network.status_of("1", "12", "222"), "Suspended");
    assert_eq!(network.has_applied("1", "13", "222")["status"], "Applied");
}

#[test]
fn a_relationships_status_is_required_and_one_of_five() {
    let server = Server::start();
    let network = server.network();
    network.has_advertiser("1");
    network.has_affiliate("222");
    let path = relationship_path("1", "222");
    for client in [network.on("2016-05-01"), network.clone()] {
        client.post(&path, json!({})).invalid(&json!({"status": ["can't be blank"]}));
        let wrong = client.put(&path, json!({"status": "Applied"}));
        wrong.invalid(&json!({"status": ["is not included in the list"]}));
    }
    network.get(&path).expect(404);
}

#[test]
fn applications_are_decided_by_the_rules_in_their_order() {
    let server = Server::start();
    let network = server.network();
    let mut number = 0;
    for auto_approve in ["All", "None", "Approved_Affiliates"] {
        network.has_live_campaign("1", auto_approve, json!({"auto_approve": auto_approve}));
        let relationships =
            [None, Some("Approved"), Some("Pending"), Some("Suspended"), Some("Declined")];
        for relationship in relationships.into_iter().chain([Some("Deactivated")]) {
            number += 1;
            let id = number.to_string();
            network.has_affiliate(&id);
            if let Some(status) = relationship {
                network.put(&relationship_path("1", &id), json!({"status": status})).expect(200);
            }
            let to = match (relationship, auto_approve) {
                (Some("Approved"), _) => "Approved",
                (Some(_), _) => "Declined",
                (None, "All") => "Approved",
                (None, _) => "Applied",
            };
            let applied = network.has_applied("1", auto_approve, &id);
            assert_eq!(applied["status"], to, "{relationship:?}, auto_approve {auto_approve}");
        }
    }
}

#[test]
fn a_declined_affiliate_that_applies_again_is_decided_anew() {
    let server = Server::start();
    let network = server.network();
    network.has_live_campaign("1", "12", json!({}));
    affiliate_in(&network, "222", "Declined");
    network.put(&relationship_path("1", "222"), json!({"status": "Approved"})).expect(200);
    assert_eq!(network.status_of("1", "12", "222"), "Declined");
    assert_eq!(network.has_applied("1", "12", "222")["status"], "Approved");
}

#[test]
fn an_affiliate_that_is_not_approved_cannot_apply() {
    let server = Server::start();
    let network = server.network();
    network.has_live_campaign("1", "12", json!({"auto_approve": "All"}));
    for status in ["Applied", "Declined", "Suspended", "Archived"] {
        network.has_affiliate(status);
        network.put(&format!("/affiliates/{status}"), json!({"status": status})).expect(200);
        let path = affiliate_campaign_path("1", "12", status);
        for answer in [
            network.post(&path, json!({"status": "Applied"})),
            network.put(&path, json!({"status": "Applied"})),
        ] {
            let refused = answer.body(403);
            assert!(refused["errors"]["status"].is_array(), "{refused}");
        }
        network.get(&path).expect(404);
    }
}

#[test]
fn only_affiliate_enabled_campaigns_are_applied_to() {
    let server = Server::start();
    let network = server.network();
    network.has_affiliate("222");
    for campaign_type in ["DirectOnly", "ExternalOnly"] {
        let more = json!({
            "campaign_type": campaign_type,
            "advertiser_payin": null,
            "affiliate_payout": null,
        });
        network.has_campaign("1", campaign_type, more);
        let path = affiliate_campaign_path("1", campaign_type, "222");
        assert_eq!(network.post(&path, json!({})).status, 403);
        assert_eq!(network.put(&path, json!({"status": "Applied"})).status, 403);
        network.get(&path).expect(404);
    }
}

#[test]
fn an_approved_one_reads_not_active_until_its_campaign_is() {
    let server = Server::start();
    let network = server.network();
    network.has_campaign("1", "12", json!({"auto_approve": "All"}));
    assert_eq!(network.has_applied("1", "12", "222")["status"], "Approved_NotActive");
    network.go_live("1", "12");
    assert_eq!(network.status_of("1", "12", "222"), "Approved");
    let campaign = campaign_path("1", "12");
    network.post(&format!("{campaign}/archive"), json!({})).expect(200);
    assert_eq!(network.status_of("1", "12", "222"), "Approved_NotActive");
    // What was read can be sent back.
    let path = affiliate_campaign_path("1", "12", "222");
    let read = network.get(&path).body(200);
    network.put(&path, read.clone()).is(200, &read);
}
