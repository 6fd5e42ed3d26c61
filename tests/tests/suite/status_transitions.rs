//! Status transitions, each cell of the tables: campaigns by action, affiliate campaigns by requested status,
//! relationships and their affiliate campaigns, and the rules of applications in their order.

use serde_json::{Value, json};
use trunkline_tests::body::{affiliate_campaign_path, campaign_path, relationship_path};
use trunkline_tests::{Client, Server};

/// Versions before and after the unarchive action was added.
const WITHOUT_UNARCHIVE: &str = "2016-01-31";
const WITH_UNARCHIVE: &str = "2016-02-01";

/// Creates a campaign in a status.
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
fn campaign_actions_follow_the_table() {
    let server = Server::start();
    let network = server.network();
    let table = [
        // from, action, version, to; None is a 403
        ("Entry", "go_live", WITHOUT_UNARCHIVE, Some("Activated")),
        ("Entry", "go_live", WITH_UNARCHIVE, Some("Activated")),
        ("Entry", "archive", WITHOUT_UNARCHIVE, None),
        ("Entry", "archive", WITH_UNARCHIVE, None),
        ("Activated", "go_live", WITHOUT_UNARCHIVE, Some("Activated")),
        ("Activated", "go_live", WITH_UNARCHIVE, Some("Activated")),
        ("Activated", "archive", WITHOUT_UNARCHIVE, Some("Archived")),
        ("Activated", "archive", WITH_UNARCHIVE, Some("Archived")),
        ("Archived", "go_live", WITHOUT_UNARCHIVE, Some("Activated")),
        ("Archived", "go_live", WITH_UNARCHIVE, None),
        ("Archived", "archive", WITHOUT_UNARCHIVE, Some("Archived")),
        ("Archived", "archive", WITH_UNARCHIVE, Some("Archived")),
        ("Archived", "unarchive", WITHOUT_UNARCHIVE, Some("Paused")),
        ("Archived", "unarchive", WITH_UNARCHIVE, Some("Paused")),
        ("Paused", "go_live", WITHOUT_UNARCHIVE, Some("Activated")),
        ("Paused", "go_live", WITH_UNARCHIVE, Some("Activated")),
        ("Paused", "archive", WITHOUT_UNARCHIVE, Some("Archived")),
        ("Paused", "archive", WITH_UNARCHIVE, Some("Archived")),
        ("Paused", "unarchive", WITHOUT_UNARCHIVE, Some("Paused")),
        ("Paused", "unarchive", WITH_UNARCHIVE, Some("Paused")),
    ];
    for (number, (from, action, version, to)) in table.into_iter().enumerate() {
        let id = number.to_string();
        campaign_in(&network, &id, from);
        let path = format!("{}/{action}", campaign_path("1", &id));
        let log = network.audit_entries(None).len();
        let response = network.with_version(version).post(&path, json!({}));
        let cell = format!("{action} from {from} on {version}");
        match to {
            Some(to) => {
                assert_eq!(response.status, 200, "{cell}: {}", response.text());
                assert_eq!(response.json(), json!({}), "{cell}");
                assert_eq!(campaign_status(&network, &id), to, "{cell}");
                let entries = usize::from(to != from);
                assert_eq!(network.audit_entries(None).len(), log + entries, "{cell}");
            }
            None => {
                let message = format!("cannot transition from '{from}'");
                response.assert_invalid(&json!({"status": [message]}));
                assert_eq!(campaign_status(&network, &id), from, "{cell}");
                assert_eq!(network.audit_entries(None).len(), log, "{cell}");
            }
        }
    }
}

/// Unarchive makes an archived campaign Paused and rejects any other (docs/api.md).
#[test]
fn unarchive_rejects_campaigns_that_are_not_archived() {
    let server = Server::start();
    let network = server.network();
    for status in ["Entry", "Activated"] {
        campaign_in(&network, status, status);
        let path = format!("{}/unarchive", campaign_path("1", status));
        let message = format!("cannot transition from '{status}'");
        network.post(&path, json!({})).assert_invalid(&json!({"status": [message]}));
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
            let rejected = network.with_version(version).get(&path).expect(405);
            assert_eq!(rejected.header("allow"), Some("POST"));
            assert!(rejected.json()["errors"].is_object());
        }
        assert_eq!(campaign_status(&network, action), before);
        for version in ["2014-01-01", "2018-04-30"] {
            network.with_version(version).get(&path).assert_json(200, &json!({}));
        }
        assert_ne!(campaign_status(&network, action), before);
        network
            .with_version("2015-05-01")
            .get(&path.replace(".json", ""))
            .assert_json(200, &json!({}));
    }
    // Unarchive has never been a GET.
    let path = format!("{}/unarchive", campaign_path("1", "archive"));
    for version in ["2016-02-01", "2023-10-09"] {
        let rejected = network.with_version(version).get(&path).expect(405);
        assert_eq!(rejected.header("allow"), Some("POST"));
    }
}

#[test]
fn expired_campaign_reads_paused() {
    let server = Server::start();
    let network = server.network();
    network.has_live_campaign("1", "12", json!({"pause_date": "2020-01-01"}));
    assert_eq!(campaign_status(&network, "12"), "Paused");
    network.has_applied("1", "12", "222");
    let path = affiliate_campaign_path("1", "12", "222");
    let approved = network.put(&path, json!({"status": "Approved"})).body(200);
    assert_eq!(approved["status"], "Approved_NotActive");
    // With another expiration date it can go live again.
    network.put(&campaign_path("1", "12"), json!({"pause_date": "2099-01-01"})).expect(200);
    network.go_live("1", "12");
    assert_eq!(campaign_status(&network, "12"), "Activated");
    assert_eq!(network.affiliate_campaign_status("1", "12", "222"), "Approved");
}

#[test]
fn go_live_validates_its_timeout_on_every_version() {
    let server = Server::start();
    let network = server.network();
    network.has_campaign("1", "12", json!({}));
    let path = format!("{}/go_live", campaign_path("1", "12"));
    for version in ["2015-05-01", "2016-05-01", "2023-10-09"] {
        let client = network.with_version(version);
        let few = json!({"timeout": ["must be greater than or equal to 2"]});
        client.post(&path, json!({"timeout": 1})).assert_invalid(&few);
        let many = json!({"timeout": ["must be less than or equal to 60"]});
        client.post(&path, json!({"timeout": 61})).assert_invalid(&many);
        assert_eq!(client.post(&path, json!({"timeout": "soon"})).status, 403);
        client.post(&path, json!({"timeout": 2})).assert_json(200, &json!({}));
        client.post(&path, json!({"timeout": 60})).assert_json(200, &json!({}));
        // Without a body, as `curl -XPOST` sends it.
        network.with_version(version).request("POST", &path).send().assert_json(200, &json!({}));
    }
}

const STATUSES: [&str; 4] = ["Applied", "Approved", "Suspended", "Declined"];

/// Creates an affiliate whose affiliate campaign in campaign 12 has a status.
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
    assert_eq!(network.affiliate_campaign_status("1", "12", id), status);
}

#[test]
fn put_of_affiliate_campaign_follows_the_table() {
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
        for (column, requests) in STATUSES.into_iter().enumerate() {
            let id = format!("{row}{column}");
            affiliate_in(&network, &id, from);
            let path = affiliate_campaign_path("1", "12", &id);
            let log = network.audit_entries(None).len();
            let response = network.put(&path, json!({"status": requests}));
            if from == requests || moves.contains(&(from, requests)) {
                assert_eq!(response.body(200)["status"], requests, "PUT {requests} to {from}");
                let entries = usize::from(from != requests);
                assert_eq!(
                    network.audit_entries(None).len(),
                    log + entries,
                    "PUT {requests} to {from}"
                );
            } else {
                let message = format!("cannot transition from '{from}'");
                let rejected = json!({"errors": {"status": [message]}, "status": requests});
                response.assert_json(403, &rejected);
                assert_eq!(
                    network.affiliate_campaign_status("1", "12", &id),
                    from,
                    "PUT {requests} to {from}"
                );
            }
        }
    }
}

#[test]
fn post_of_affiliate_campaign_only_applies() {
    let server = Server::start();
    let network = server.network();
    network.has_live_campaign("1", "12", json!({}));
    for (row, from) in STATUSES.into_iter().enumerate() {
        for (column, requests) in STATUSES.into_iter().enumerate() {
            let id = format!("{row}{column}");
            affiliate_in(&network, &id, from);
            let path = affiliate_campaign_path("1", "12", &id);
            let response = network.post(&path, json!({"status": requests}));
            if requests == "Applied" {
                // "changes no status … except that a Declined one applies again"
                let to = if from == "Declined" { "Applied" } else { from };
                assert_eq!(response.body(201)["status"], to, "POST Applied to {from}");
            } else {
                let message = format!("cannot transition from '{requests}'");
                let rejected = json!({"errors": {"status": [message]}, "status": "Applied"});
                response.assert_json(403, &rejected);
                assert_eq!(
                    network.affiliate_campaign_status("1", "12", &id),
                    from,
                    "POST {requests} to {from}"
                );
            }
        }
    }
}

#[test]
fn put_of_a_missing_affiliate_campaign_follows_the_rules_of_post() {
    let server = Server::start();
    let network = server.network();
    network.has_live_campaign("1", "12", json!({}));
    for requests in STATUSES {
        network.has_affiliate(requests);
        let path = affiliate_campaign_path("1", "12", requests);
        let response = network.put(&path, json!({"status": requests}));
        if requests == "Applied" {
            assert_eq!(response.body(200)["status"], "Applied");
        } else {
            let message = format!("cannot transition from '{requests}'");
            response
                .assert_json(403, &json!({"errors": {"status": [message]}, "status": "Applied"}));
            network.get(&path).expect(404);
        }
    }
    // The default status is Applied.
    network.has_affiliate("222");
    let path = affiliate_campaign_path("1", "12", "222");
    assert_eq!(network.post(&path, json!({})).body(201)["status"], "Applied");
}

#[test]
fn affiliate_campaign_of_another_affiliate_is_not_found() {
    let server = Server::start();
    let network = server.network();
    network.has_live_campaign("1", "12", json!({}));
    network.has_affiliate("222");
    network.has_affiliate("223");
    let path = |affiliate, id| {
        let member = affiliate_campaign_path("1", "12", affiliate);
        format!("{member}/{id}.json")
    };
    let created = network.post(&path("222", "11"), json!({"status": "Applied"})).body(201);
    assert_eq!(created["id_from_network"], "11");
    network.get(&path("222", "11")).assert_json(200, &created);
    for affiliate in ["222", "223"] {
        let other = if affiliate == "222" { "12" } else { "11" };
        network.get(&path(affiliate, other)).assert_error(404, "RecordNotFound");
        let body = json!({"status": "Applied"});
        if affiliate == "223" {
            network.post(&path(affiliate, other), body.clone()).assert_error(404, "RecordNotFound");
            network.put(&path(affiliate, other), body).assert_error(404, "RecordNotFound");
        }
    }
    network.get(&affiliate_campaign_path("1", "12", "223")).expect(404);
}

#[test]
fn relationship_cascades_to_all_affiliate_campaigns_of_its_pair() {
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
            let log = network.audit_entries(Some(&object)).len();
            let path = relationship_path("1", &id);
            network.put(&path, json!({"status": relationship})).assert_json(200, &json!({}));
            let cell = format!("{relationship} over {status}");
            assert_eq!(network.affiliate_campaign_status("1", "12", &id), to, "{cell}");
            // One audit entry for each affiliate campaign of the cascade.
            let entries = usize::from(status != to);
            assert_eq!(network.audit_entries(Some(&object)).len(), log + entries, "{cell}");
            // Campaigns of other advertisers do not change.
            assert_eq!(network.affiliate_campaign_status("2", "13", &id), "Applied", "{cell}");
        }
    }
}

#[test]
fn repeated_relationship_cascades_to_changed_affiliate_campaigns() {
    let server = Server::start();
    let network = server.network();
    network.has_live_campaign("1", "12", json!({}));
    network.has_live_campaign("1", "13", json!({}));
    affiliate_in(&network, "222", "Approved");
    let relationship = relationship_path("1", "222");
    network.put(&relationship, json!({"status": "Suspended"})).expect(200);
    assert_eq!(network.affiliate_campaign_status("1", "12", "222"), "Suspended");
    let path = affiliate_campaign_path("1", "12", "222");
    network.put(&path, json!({"status": "Approved"})).expect(200);
    network.put(&relationship, json!({"status": "Suspended"})).expect(200);
    assert_eq!(network.affiliate_campaign_status("1", "12", "222"), "Suspended");
    let log = network.audit_entries(None).len();
    network.put(&relationship, json!({"status": "Suspended"})).expect(200);
    assert_eq!(network.audit_entries(None).len(), log);
    // Deleting the relationship changes no affiliate campaign. Later applications follow the campaign's own
    // auto_approve.
    network.delete(&relationship).expect(200);
    assert_eq!(network.affiliate_campaign_status("1", "12", "222"), "Suspended");
    assert_eq!(network.has_applied("1", "13", "222")["status"], "Applied");
}

#[test]
fn relationship_status_is_required_and_one_of_five() {
    let server = Server::start();
    let network = server.network();
    network.has_advertiser("1");
    network.has_affiliate("222");
    let path = relationship_path("1", "222");
    for client in [network.with_version("2016-05-01"), network.clone()] {
        client.post(&path, json!({})).assert_invalid(&json!({"status": ["can't be blank"]}));
        let wrong = client.put(&path, json!({"status": "Applied"}));
        wrong.assert_invalid(&json!({"status": ["is not included in the list"]}));
    }
    network.get(&path).expect(404);
}

#[test]
fn applications_are_decided_by_the_first_matching_rule() {
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
fn declined_affiliate_that_reapplies_is_decided_again() {
    let server = Server::start();
    let network = server.network();
    network.has_live_campaign("1", "12", json!({}));
    affiliate_in(&network, "222", "Declined");
    network.put(&relationship_path("1", "222"), json!({"status": "Approved"})).expect(200);
    assert_eq!(network.affiliate_campaign_status("1", "12", "222"), "Declined");
    assert_eq!(network.has_applied("1", "12", "222")["status"], "Approved");
}

#[test]
fn unapproved_affiliate_cannot_apply() {
    let server = Server::start();
    let network = server.network();
    network.has_live_campaign("1", "12", json!({"auto_approve": "All"}));
    for status in ["Applied", "Declined", "Suspended", "Archived"] {
        network.has_affiliate(status);
        network.put(&format!("/affiliates/{status}"), json!({"status": status})).expect(200);
        let path = affiliate_campaign_path("1", "12", status);
        for response in [
            network.post(&path, json!({"status": "Applied"})),
            network.put(&path, json!({"status": "Applied"})),
        ] {
            let rejected = response.body(403);
            assert!(rejected["errors"]["status"].is_array(), "{rejected}");
        }
        network.get(&path).expect(404);
    }
}

#[test]
fn only_affiliate_enabled_campaigns_accept_applications() {
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
fn approved_affiliate_campaign_reads_not_active_until_its_campaign_is_live() {
    let server = Server::start();
    let network = server.network();
    network.has_campaign("1", "12", json!({"auto_approve": "All"}));
    assert_eq!(network.has_applied("1", "12", "222")["status"], "Approved_NotActive");
    network.go_live("1", "12");
    assert_eq!(network.affiliate_campaign_status("1", "12", "222"), "Approved");
    let campaign = campaign_path("1", "12");
    network.post(&format!("{campaign}/archive"), json!({})).expect(200);
    assert_eq!(network.affiliate_campaign_status("1", "12", "222"), "Approved_NotActive");
    // The displayed status can be written back.
    let path = affiliate_campaign_path("1", "12", "222");
    let read = network.get(&path).body(200);
    network.put(&path, read.clone()).assert_json(200, &read);
}
