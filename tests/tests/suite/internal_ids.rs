//! Paths with the ids that the server assigned, instead of external ids.

use serde_json::{Value, json};
use trunkline_tests::body::{affiliate_campaign_path, campaign_path};
use trunkline_tests::{Client, Response, Server};

const RESOLVED_BY: &str = "trunkline-resolved-by";

/// A live campaign with an Approved affiliate and a promo number of each, all with external ids that
/// are no numbers.
struct World {
    server: Server,
    network: Client,
    advertiser: i64,
    affiliate: i64,
    campaign: i64,
    affiliate_campaign: i64,
}

fn id_of(object: &Value) -> i64 {
    object["id"].as_i64().expect("an id")
}

fn world() -> World {
    let server = Server::start();
    let network = server.network();
    server.add_numbers(&["8005550101", "8005550102", "8005550103", "8005550104"]);
    network.has_live_campaign("acme", "roofs", json!({}));
    let affiliate_campaign = network.has_applied("acme", "roofs", "surfoz");
    let path = affiliate_campaign_path("acme", "roofs", "surfoz");
    network.put(&path, json!({"status": "Approved"})).expect(200);
    let id = |path: &str| id_of(&network.get(path).body(200));
    World {
        advertiser: id("/advertisers/acme"),
        affiliate: id("/affiliates/surfoz"),
        campaign: id(&campaign_path("acme", "roofs")),
        affiliate_campaign: id_of(&affiliate_campaign),
        network,
        server,
    }
}

#[track_caller]
fn assert_resolved(response: &Response) {
    assert_eq!(response.header(RESOLVED_BY), Some("id"), "{}", response.text());
}

fn number_body() -> Value {
    json!({"description": "Radio spot", "media_type": "Radio"})
}

#[test]
fn every_segment_of_a_get_is_an_id_where_no_object_has_it_as_external_id() {
    let world = world();
    let World { network, advertiser, affiliate, campaign, affiliate_campaign, .. } = &world;
    let by_name = campaign_path("acme", "roofs");
    let by_id = format!("/advertisers/{advertiser}/advertiser_campaigns/{campaign}");
    network.put("/advertisers/acme/affiliates/surfoz", json!({"status": "Approved"})).expect(200);
    let number = network.post(&format!("{by_name}/promo_numbers"), number_body()).body(201);
    let number_id = number["id_from_network"].as_str().unwrap();
    let member = affiliate_campaign_path("acme", "roofs", "surfoz");
    let pairs = [
        ("/advertisers/acme".to_owned(), format!("/advertisers/{advertiser}")),
        ("/affiliates/surfoz".to_owned(), format!("/affiliates/{affiliate}")),
        ("/advertisers/acme/users".to_owned(), format!("/advertisers/{advertiser}/users")),
        (
            "/advertisers/acme/affiliates".to_owned(),
            format!("/advertisers/{advertiser}/affiliates"),
        ),
        (
            "/advertisers/acme/affiliates/surfoz".to_owned(),
            format!("/advertisers/{advertiser}/affiliates/{affiliate}"),
        ),
        (
            "/advertisers/acme/advertiser_campaigns".to_owned(),
            format!("/advertisers/{advertiser}/advertiser_campaigns"),
        ),
        (by_name.clone(), by_id.clone()),
        (by_name.clone(), campaign_path("acme", &campaign.to_string())),
        (format!("{by_name}/quick_stats"), format!("{by_id}/quick_stats")),
        (format!("{by_name}/affiliate_campaigns"), format!("{by_id}/affiliate_campaigns")),
        (member.clone(), format!("{by_id}/affiliates/{affiliate}/affiliate_campaigns")),
        (
            member.clone(),
            format!("{by_id}/affiliates/{affiliate}/affiliate_campaigns/{affiliate_campaign}"),
        ),
        (format!("{by_name}/promo_numbers"), format!("{by_id}/promo_numbers")),
        (
            format!("{by_name}/promo_numbers_by_id/{number_id}"),
            format!("{by_id}/promo_numbers_by_id/{}", number["id"]),
        ),
        (
            format!("{member}/promo_numbers"),
            format!("{by_id}/affiliates/{affiliate}/affiliate_campaigns/promo_numbers"),
        ),
        (
            "/advertisers/transactions/acme".to_owned(),
            format!("/advertisers/transactions/{advertiser}"),
        ),
        (
            "/affiliates/transactions/surfoz".to_owned(),
            format!("/affiliates/transactions/{affiliate}"),
        ),
    ];
    for (by_name, by_id) in &pairs {
        let expected = network.get(by_name);
        assert_eq!(expected.header(RESOLVED_BY), None, "{by_name}");
        let expected = expected.body(200);
        let found = network.get(by_id);
        if !by_id.contains("promo_numbers_by_id") {
            assert_resolved(&found);
        }
        found.assert_json(200, &expected);
        // Without the network's id in the path, too.
        let path = network.path(by_id).replacen(&format!("/{}/", network.network_id()), "/", 1);
        network.absolute_paths().get(&path).assert_json(200, &expected);
    }
    let checks = network.extensions().get(&format!("/checks/{campaign}"));
    assert_resolved(&checks.expect(200));
}

#[test]
fn external_id_takes_precedence_over_an_id() {
    let world = world();
    let World { network, advertiser, campaign, .. } = &world;
    network.put(&format!("/advertisers/{advertiser}"), json!({"name": "Namesake"})).expect(200);
    let found = network.get(&format!("/advertisers/{advertiser}"));
    assert_eq!(found.header(RESOLVED_BY), None);
    assert_eq!(found.body(200)["name"], "Namesake");
    // The namesake has no such campaign, and its id is not read as another advertiser's.
    let path = format!("/advertisers/{advertiser}/advertiser_campaigns/{campaign}");
    network.get(&path).assert_error(404, "RecordNotFound");
    for no_id in ["0", "01", "+1", "99999999999999999999", "1.0"] {
        network.get(&format!("/advertisers/{no_id}")).assert_error(404, "RecordNotFound");
    }
}

#[test]
fn writes_never_read_a_segment_as_an_id() {
    let world = world();
    let World { network, advertiser, affiliate, campaign, .. } = &world;
    let by_id = format!("/advertisers/{advertiser}/advertiser_campaigns/{campaign}");
    let name = json!({"name": "Another"});
    for response in [
        network.put(&by_id, name.clone()),
        network.post(&format!("{by_id}/archive"), json!({})),
        network.with_version("2015-05-01").get(&format!("{by_id}/archive")),
        network.put(
            &format!("/advertisers/{advertiser}/affiliates/{affiliate}"),
            json!({"status": "Approved"}),
        ),
        network.put(
            &format!("{by_id}/affiliates/{affiliate}/affiliate_campaigns"),
            json!({"status": "Suspended"}),
        ),
    ] {
        assert_eq!(response.header(RESOLVED_BY), None);
        response.assert_error(404, "RecordNotFound");
    }
    // A PUT creates what has this external id.
    network.put(&format!("/affiliates/{affiliate}"), name).expect(200);
    assert_eq!(network.get("/affiliates/surfoz").body(200)["name"], "Affiliate surfoz");
    network.delete(&format!("/advertisers/{advertiser}")).expect(200);
    network.get("/advertisers/acme").expect(200);
}

#[test]
fn segments_before_promo_numbers_are_ids_in_every_request() {
    let world = world();
    let World { network, advertiser, affiliate, campaign, .. } = &world;
    let campaign_by_id = format!("/advertisers/{advertiser}/advertiser_campaigns/{campaign}");
    let affiliate_by_id = format!("{campaign_by_id}/affiliates/{affiliate}/affiliate_campaigns");
    for owner in [campaign_by_id, affiliate_by_id] {
        let numbers = format!("{owner}/promo_numbers");
        let created = network.post(&numbers, number_body());
        assert_resolved(&created);
        let created = created.body(201);
        let member = format!("{numbers}/{}", created["promo_number"].as_str().unwrap());
        let changed = network.put(&member, json!({"description": "TV"}));
        assert_resolved(&changed);
        assert_eq!(changed.body(200)["description"], "TV");
        // The number itself is never an id in a write.
        let by_id = format!("{owner}/promo_numbers_by_id/{}", id_of(&created) + 1_000);
        network.put(&by_id, json!({"description": "TV"})).assert_error(404, "RecordNotFound");
        let wrong = json!({
            "destination_advertiser_id_from_network": "nobody",
            "destination_advertiser_campaign_id_from_network": "roofs",
        });
        let message = network.put(&member, wrong).assert_error(404, "RecordNotFound");
        assert_eq!(message, "Could not find Advertiser nobody");
        network.delete(&member).assert_json(200, &json!({}));
        network.get(&member).assert_error(404, "RecordNotFound");
    }
}

#[test]
fn promo_number_is_written_by_its_external_id_only() {
    let world = world();
    let World { network, .. } = &world;
    let numbers = format!("{}/promo_numbers_by_id", campaign_path("acme", "roofs"));
    let body = json!({"description": "TV", "media_type": "TV", "id_from_network": "front page"});
    let id = id_of(&network.post(&numbers, body).body(201));
    let by_id = format!("{numbers}/{id}");
    network.put(&by_id, json!({"description": "Radio"})).assert_error(404, "RecordNotFound");
    network.delete(&by_id).assert_json(200, &json!({}));
    let found = network.get(&by_id);
    assert_resolved(&found);
    let found = found.body(200);
    assert_eq!(
        (&found["description"], &found["id_from_network"]),
        (&json!("TV"), &json!("front page"))
    );
    let by_number = network.get(&format!("{}/promo_numbers/{id}", campaign_path("acme", "roofs")));
    by_number.assert_json(200, &found);
}

#[test]
fn ids_out_of_reach_are_not_found_under_the_ids_of_the_path() {
    let World { server, network, advertiser, affiliate, campaign, .. } = world();
    network.has_live_campaign("other", "lawns", json!({"visibility": "None"}));
    let own = server.advertiser("other");
    let paths = [
        (format!("/advertisers/{advertiser}"), format!("Advertiser {advertiser}")),
        (format!("/affiliates/{affiliate}"), format!("Affiliate {affiliate}")),
        (
            format!("/advertisers/other/advertiser_campaigns/{campaign}"),
            format!("AdvertiserCampaign {campaign} for advertiser other"),
        ),
        (
            format!("/advertisers/{advertiser}/advertiser_campaigns/{campaign}/promo_numbers"),
            format!("Advertiser {advertiser}"),
        ),
    ];
    for (path, object) in &paths {
        let response = own.get(path);
        assert_eq!(response.header(RESOLVED_BY), None, "{path}");
        let message = response.assert_error(404, "RecordNotFound");
        assert_eq!(message, format!("Could not find {object}"), "{path}");
    }
    let numbers =
        format!("/advertisers/{advertiser}/advertiser_campaigns/{campaign}/promo_numbers");
    own.post(&numbers, number_body()).assert_error(404, "RecordNotFound");
    let id = id_of(&own.get("/advertisers/other").body(200));
    assert_resolved(&own.get(&format!("/advertisers/{id}")).expect(200));
    // An affiliate reads its own objects by ids.
    let affiliate_client = server.affiliate("surfoz");
    let path = format!(
        "/advertisers/{advertiser}/advertiser_campaigns/{campaign}/affiliates/{affiliate}/affiliate_campaigns"
    );
    assert_resolved(&affiliate_client.get(&path).expect(200));
}
