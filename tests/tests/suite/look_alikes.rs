//! Warnings about names of advertisers, affiliates and campaigns that look like another's.

use serde_json::json;
use std::time::{Duration, Instant};
use trunkline_tests::{Client, Response, Server, body, execute_sql};

fn put_affiliate(client: &Client, id: &str, name: &str) -> Response {
    client.put(&format!("/affiliates/{id}"), json!({"name": name}))
}

#[test]
fn name_of_a_party_that_looks_like_another_gives_a_warning() {
    let server = Server::start();
    let network = server.network();
    put_affiliate(&network, "1", "Café Surf Oz").expect(200);
    assert_eq!(put_affiliate(&network, "1", "Café Surf Oz").header("trunkline-warning"), None);
    put_affiliate(&network, "2", "CAFÉ SURF OZ")
        .assert_invalid(&json!({"name": ["has already been taken"]}));
    for name in [
        "Cafe\u{301} Surf Oz",
        "Café Surf Oz ",
        " Café Surf Oz",
        "Café  Surf Oz",
        "Café\u{a0}Surf Oz",
        "Café\u{2003}Surf Oz",
        "Café S\u{200b}urf Oz",
        "\u{feff}Café Surf Oz",
        "Café S\u{ad}urf Oz",
        "Ｃafé Surf Oz",
        "Café Surf \u{41e}z",
        "C\u{430}fé Surf Oz",
        "Café Surf 0z",
        "CAFÉ SURF  OZ",
    ] {
        let response = put_affiliate(&network, "2", name);
        let warning = response.header("trunkline-warning").map(str::to_owned);
        response.expect(200);
        assert_eq!(warning.as_deref(), Some("name: looks like that of affiliate 1"), "{name:?}");
        put_affiliate(&network, "2", "Another").expect(200);
    }
    put_affiliate(&network, "3", "Straße").expect(200);
    let sharp = put_affiliate(&network, "4", "STRASSE").expect(200);
    assert_eq!(sharp.header("trunkline-warning"), Some("name: looks like that of affiliate 3"));
    // An unchanged name is not warned of again, and an advertiser may have an affiliate's name.
    let again = network.put("/affiliates/4", json!({"status": "Suspended"})).expect(200);
    assert_eq!(again.header("trunkline-warning"), None);
    let advertiser = network.put("/advertisers/1", json!({"name": "Café Surf Oz"})).expect(200);
    assert_eq!(advertiser.header("trunkline-warning"), None);
    // A rejected write has no warning. A party is not told of which other one it is.
    let rejected = network.put("/affiliates/5", json!({"name": "Café Surf  Oz", "status": "x"}));
    assert_eq!(rejected.expect(403).header("trunkline-warning"), None);
    let renamed = put_affiliate(&server.affiliate("4"), "4", "Café Surf  Oz").expect(200);
    assert_eq!(
        renamed.header("trunkline-warning"),
        Some("name: looks like that of another affiliate")
    );
}

#[test]
fn name_of_a_campaign_that_looks_like_another_gives_a_warning() {
    let server = Server::start();
    let network = server.network();
    network.has_campaign("1", "12", json!({"name": "Cheap Tickets"}));
    network.has_campaign("2", "22", json!({"name": "Rooms"}));
    let put = |client: &Client, advertiser: &str, id: &str, name: &str| {
        let path = body::campaign_path(advertiser, id);
        client.put(&path, json!({"name": name})).expect(200)
    };
    let renamed = put(&network, "2", "22", "Cheap T\u{456}ckets");
    let expected = Some("name: looks like that of advertiser campaign 12");
    assert_eq!(renamed.header("trunkline-warning"), expected);
    assert_eq!(put(&network, "2", "22", "Cheap T\u{456}ckets").header("trunkline-warning"), None);
    // An advertiser learns of its own campaigns only.
    put(&network, "2", "22", "Rooms");
    let advertiser = server.advertiser("2");
    assert_eq!(put(&advertiser, "2", "22", "cheap tickets").header("trunkline-warning"), None);
    let campaign = body::campaign("CHEAP  TICKETS");
    let created = advertiser.put(&body::campaign_path("2", "23"), campaign).expect(200);
    let expected = Some("name: looks like that of advertiser campaign 22");
    assert_eq!(created.header("trunkline-warning"), expected);
}

#[test]
fn names_from_before_are_known_after_the_next_start() {
    let mut server = Server::start();
    let network = server.network();
    put_affiliate(&network, "1", "Surf Oz").expect(200);
    network.has_campaign("1", "12", json!({"name": "Cheap Tickets"}));
    assert!(server.stop());
    let sql = "UPDATE parties SET name_skeleton = NULL; UPDATE campaigns SET name_skeleton = NULL";
    execute_sql(server.database(), sql);
    server.restart();
    let network = server.network();
    // The server fills them in beside the requests.
    let started = Instant::now();
    loop {
        put_affiliate(&network, "2", "Other").expect(200);
        network.has_campaign("1", "13", json!({"name": "Other"}));
        let party = put_affiliate(&network, "2", "Surf  Oz").expect(200);
        let path = body::campaign_path("1", "13");
        let campaign = network.put(&path, json!({"name": "Cheap  Tickets"})).expect(200);
        let warnings = [&party, &campaign].map(|response| response.header("trunkline-warning"));
        let of_party = Some("name: looks like that of affiliate 1");
        if warnings == [of_party, Some("name: looks like that of advertiser campaign 12")] {
            break;
        }
        assert!(started.elapsed() < Duration::from_secs(60), "the skeletons are filled in");
    }
}
