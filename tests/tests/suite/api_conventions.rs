//! Conventions of all resources: paths, ids, headers, lists and errors.

use serde_json::{Value, json};
use trunkline_tests::body::{self, affiliate_campaign_path, campaign_path, relationship_path};
use trunkline_tests::{Client, Server, assert_json_eq};

#[test]
fn path_suffix_and_network_are_optional() {
    let server = Server::start();
    let network = server.network();
    let id = server.network_id();
    let created = network.has_affiliate("222");
    for path in [
        format!("/api/2023-10-09/{id}/affiliates/222.json"),
        format!("/api/2023-10-09/{id}/affiliates/222"),
        "/api/2023-10-09/affiliates/222.json".to_owned(),
        "/api/2023-10-09/affiliates/222".to_owned(),
    ] {
        network.absolute_paths().get(&path).assert_json(200, &created);
    }
    for path in ["/api/2018-11-01/affiliates.json", "/api/2018-11-01/affiliates"] {
        network.absolute_paths().get(path).assert_json(200, &json!([created]));
    }
}

#[test]
fn ids_may_contain_any_characters() {
    let server = Server::start();
    let network = server.network();
    for (id, path) in [
        ("a/b", "a%2Fb"),
        ("a b", "a%20b"),
        ("100%", "100%25"),
        ("été?#&+", "%C3%A9t%C3%A9%3F%23%26%2B"),
        ("a.json", "a.json.json"),
        ("..", "%2E%2E.json"),
        ("日本\u{1F600}", "%E6%97%A5%E6%9C%AC%F0%9F%98%80"),
        ("'; DROP TABLE parties; --", "';%20DROP%20TABLE%20parties;%20--"),
    ] {
        let path = format!("/affiliates/{path}");
        let created = network.put(&path, json!({"name": id})).body(200);
        assert_eq!(created["id_from_network"], id);
        network.get(&path).assert_json(200, &created);
        let missing = network.get(&format!("{path}%21")).expect(404);
        assert!(missing.json()["errors"]["invalid_data"].is_string());
    }
    let long = "é".repeat(255);
    network.post("/affiliates", json!({"name": "Long", "id_from_network": long})).expect(201);
}

#[test]
fn numeric_ids_are_returned_as_strings() {
    let server = Server::start();
    let network = server.network();
    let body = json!({
        "id_from_network": 222,
        "name": "Surf Oz",
        "sites": [{"id_from_network": 33567}],
        "users": [body::merged(body::user("1"), json!({"id_from_network": 123, "phone_number": 8057089876_u64}))],
    });
    let created = network.post("/affiliates", body).body(201);
    assert_eq!(created["id_from_network"], "222");
    assert_eq!(created["sites"][0]["id_from_network"], "33567");
    assert_eq!(created["users"][0]["id_from_network"], "123");
    assert_eq!(created["users"][0]["phone_number"], "805-708-9876");
    assert!(created["id"].is_i64());
}

#[test]
fn id_in_the_body_overrides_id_in_the_path() {
    let server = Server::start();
    let network = server.network();
    network.has_affiliate("222");
    let body = json!({"id_from_network": "223", "name": "Other"});
    let created = network.put("/affiliates/222", body).body(200);
    assert_eq!(created["id_from_network"], "223");
    assert_eq!(network.get("/affiliates/222").body(200)["name"], "Affiliate 222");
    assert_eq!(network.get("/affiliates/223").body(200)["name"], "Other");
    network.has_advertiser("1");
    let body = json!({"id_from_network": 13, "name": "Other"});
    network.put(&campaign_path("1", "12"), body).expect(200);
    network.get(&campaign_path("1", "12")).expect(404);
    network.get(&campaign_path("1", "13")).expect(200);
}

#[test]
fn post_to_a_collection_generates_an_id() {
    let server = Server::start();
    let network = server.network();
    network.has_affiliate("1");
    network.has_advertiser("1");
    for collection in ["/affiliates", "/advertisers", "/advertisers/1/advertiser_campaigns"] {
        let mut ids = Vec::new();
        for name in ["One", "Two"] {
            let created = network.post(collection, json!({"name": name})).body(201);
            let id = created["id_from_network"].as_str().expect("an id").to_owned();
            assert!(id.parse::<u64>().is_ok(), "a decimal string: {id}");
            network.get(&format!("{collection}/{id}")).assert_json(200, &created);
            ids.push(id);
        }
        assert_ne!(ids[0], ids[1]);
        // An id in the body names the object.
        let body = json!({"id_from_network": ids[0], "name": "Renamed"});
        assert_eq!(network.post(collection, body).body(201)["name"], "Renamed");
    }
}

#[test]
fn ids_and_names_are_unique_in_their_scope() {
    let server = Server::start();
    let network = server.network();
    let accepted = json!(["has already been taken"]);
    for collection in ["/affiliates", "/advertisers"] {
        network.post(collection, json!({"id_from_network": "1", "name": "Surf Oz"})).expect(201);
        let same = json!({"id_from_network": "2", "name": "SURF oz"});
        network.post(collection, same).assert_invalid(&json!({"name": accepted}));
    }
    // The id of a campaign is unique in the network, across advertisers.
    network.has_campaign("1", "12", json!({}));
    network.has_advertiser("2");
    let response = network.put(&campaign_path("2", "12"), json!({"name": "Other"}));
    response.assert_invalid(&json!({"id_from_network": accepted}));
    // Another network is another scope.
    let other = server.create_another_network();
    other.post("/affiliates", json!({"id_from_network": "1", "name": "Surf Oz"})).expect(201);
    other.has_campaign("1", "12", json!({}));
}

#[test]
fn absent_properties_stay_null_clears_sets_are_replaced() {
    let server = Server::start();
    let network = server.network();
    let full = network.put("/advertisers/1", body::full_advertiser("1")).body(200);
    network.put("/advertisers/1", json!({})).assert_json(200, &full);
    let cleared = network.put(
        "/advertisers/1",
        json!({
            "web_integration_phone_number": null,
            "default_creative_id_from_network": null,
            "oauth_refresh_token": null,
            "custom_data": null,
            "users": [],
        }),
    );
    let cleared = cleared.body(200);
    assert_eq!(cleared["web_integration_phone_number"], Value::Null);
    assert_eq!(cleared["default_creative_id_from_network"], Value::Null);
    assert_eq!(cleared["oauth_refresh_token"], Value::Null);
    assert_json_eq(&cleared["users"], &json!([]));
    assert_json_eq(&cleared["sites"], &full["sites"]);
    assert_eq!(cleared["name"], full["name"]);
    let blank = json!({"name": ["can't be blank"]});
    network.put("/advertisers/1", json!({"name": null})).assert_invalid(&blank);
}

#[test]
fn ignored_properties_are_listed_in_a_header() {
    let server = Server::start();
    let network = server.network();
    let body = json!({"name": "Surf Oz", "id": 7, "object_url": "x", "colour": "red"});
    let response = network.put("/affiliates/222", body).expect(200);
    let ignored = response.header("trunkline-ignored").expect("something was ignored");
    let mut ignored: Vec<&str> = ignored.split(',').map(str::trim).collect();
    ignored.sort_unstable();
    assert_eq!(ignored, ["colour", "id", "object_url"]);
    assert_ne!(response.json()["id"], 7);
    let response = network.put("/affiliates/222", json!({"name": "Surf Oz"})).expect(200);
    assert_eq!(response.header("trunkline-ignored"), None);
}

#[test]
fn every_response_has_a_request_id() {
    let server = Server::start();
    let network = server.network();
    network.has_affiliate("222");
    for path in ["/affiliates/222", "/affiliates", "/affiliates/223", "/nowhere"] {
        let response = network.get(path);
        let made_up = response.header("x-request-id").expect("an id").to_owned();
        assert!(!made_up.is_empty());
        assert_ne!(network.get(path).header("x-request-id"), Some(made_up.as_str()));
        let echoed = network.request("GET", path).header("X-Request-Id", "mine-1").send();
        assert_eq!(echoed.header("x-request-id"), Some("mine-1"));
    }
    assert!(server.anon().get("/affiliates").header("x-request-id").is_some());
    assert!(network.with_version("yesterday").get("/affiliates").header("x-request-id").is_some());
}

/// The default limit is 2,000 requests per second and token.
#[test]
fn every_response_has_rate_limit_headers() {
    let server = Server::start();
    let response = server.network().get("/affiliates").expect(200);
    let policy = response.header("ratelimit-policy").expect("a policy");
    assert!(policy.contains("2000"), "{policy}");
    assert!(response.header("ratelimit").is_some());
}

/// Reads the `ETag` of an object.
fn etag(client: &Client, path: &str) -> String {
    client.get(path).header("etag").expect("an ETag").to_owned()
}

#[test]
fn etag_is_strong_and_changes_with_the_object() {
    let server = Server::start();
    let network = server.network();
    network.has_campaign("1", "12", json!({}));
    network.has_applied("1", "12", "222");
    network.put(&relationship_path("1", "222"), json!({"status": "Pending"})).expect(200);
    for (path, change) in [
        ("/network".to_owned(), json!({"name": "Renamed"})),
        ("/advertisers/1".to_owned(), json!({"name": "Renamed"})),
        ("/affiliates/222".to_owned(), json!({"name": "Renamed"})),
        (campaign_path("1", "12"), json!({"name": "Renamed"})),
        (affiliate_campaign_path("1", "12", "222"), json!({"id_from_network": "new"})),
        (relationship_path("1", "222"), json!({"status": "Suspended"})),
        ("/custom_data_fields/channel".to_owned(), json!({"friendly_name": "Renamed"})),
    ] {
        let first = etag(&network, &path);
        assert!(first.starts_with('"') && first.ends_with('"'), "{first}");
        assert_eq!(etag(&network, &path), first);
        let not_modified = network.request("GET", &path).header("If-None-Match", &first).send();
        assert_eq!((not_modified.status, not_modified.text().as_str()), (304, ""), "{path}");
        assert_eq!(not_modified.header("etag"), Some(first.as_str()));
        network.request("GET", &path).header("If-None-Match", "\"other\"").send().expect(200);
        let guarded =
            |tag: &str| network.request("PUT", &path).header("If-Match", tag).json(&change).send();
        guarded("\"other\"").expect(412);
        assert_eq!(etag(&network, &path), first);
        guarded(&first).expect(200);
        assert_ne!(etag(&network, &path), first, "{path}");
        guarded(&first).expect(412);
    }
    // A write returns the same tag as a GET after it.
    let written = network.put("/affiliates/222", json!({"name": "Again"})).expect(200);
    assert_eq!(written.header("etag"), Some(etag(&network, "/affiliates/222").as_str()));
    let outdated = network.request("DELETE", "/affiliates/222").header("If-Match", "\"other\"");
    outdated.send().expect(412);
    // No tag matches an object that does not exist.
    let new = network.request("PUT", "/affiliates/224").header("If-Match", "*");
    new.json(&json!({"name": "New"})).send().expect(412);
    network.get("/affiliates/224").expect(404);
}

#[test]
fn lists_are_complete_ordered_and_paged_by_limit() {
    let server = Server::start();
    let network = server.network();
    for number in 0..7 {
        network.has_affiliate(&(10 - number).to_string());
    }
    let all = network.get("/affiliates.json").expect(200);
    assert_eq!(all.header("link"), None);
    let all = all.json();
    let ids: Vec<i64> =
        all.as_array().unwrap().iter().filter_map(|item| item["id"].as_i64()).collect();
    assert!(ids.is_sorted() && ids.len() == 7);
    let mut path = network.path("/affiliates.json?limit=3");
    let mut pages = Vec::new();
    loop {
        let page = network.absolute_paths().get(&path).expect(200);
        pages.push(page.json().as_array().unwrap().clone());
        let Some(link) = page.header("link") else { break };
        let url = link.strip_prefix('<').and_then(|link| link.strip_suffix(">; rel=\"next\""));
        let url = url.expect("a link to the next page");
        let host = format!("http://{}", server.address());
        url.strip_prefix(&host).expect("a link to this server").clone_into(&mut path);
    }
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3, 1]);
    assert_json_eq(&pages.concat().into(), &all);
    let after = network.get(&format!("/affiliates?start_after_id={}", ids[4])).body(200);
    assert_json_eq(&after, &json!([all[5], all[6]]));
    // A page that ends at the end of the list has no next link.
    assert_eq!(network.get("/affiliates?limit=7").header("link"), None);
    assert_eq!(network.get("/affiliates?limit=4000").header("link"), None);
    network.get(&format!("/affiliates?start_after_id={}", ids[6])).assert_json(200, &json!([]));
}

#[test]
fn next_link_keeps_the_query() {
    let server = Server::start();
    let network = server.network();
    for name in ["One", "Two", "Three"] {
        network.put("/affiliates/222", json!({"name": name})).expect(200);
        network.has_affiliate(name);
    }
    let log = network.extensions();
    let first = log.get("/audit?object=affiliate%3A222&limit=2").expect(200);
    assert_eq!(first.json().as_array().map(Vec::len), Some(2));
    let link = first.header("link").expect("a next page").to_owned();
    let url = link.split(['<', '>']).nth(1).expect("a link");
    let host = format!("http://{}", server.address());
    let next =
        network.absolute_paths().get(url.strip_prefix(&host).expect("this server")).expect(200);
    let next = next.json();
    assert_eq!(next.as_array().map(Vec::len), Some(1), "{next}");
    assert_eq!(next[0]["after"]["name"], "Three");
    // The next link does not contain the token.
    let path = format!("/affiliates?limit=1&oauth_token={}", network.token());
    let listed = server.anon().get(&path).expect(200);
    assert!(!listed.header("link").expect("a next page").contains(network.token()));
}

#[test]
fn head_returns_the_headers_of_get() {
    let server = Server::start();
    let network = server.network();
    network.has_affiliate("222");
    let got = network.get("/affiliates/222").expect(200);
    let head = network.request("HEAD", "/affiliates/222").send().expect(200);
    assert_eq!(head.text(), "");
    assert_eq!(head.header("etag"), got.header("etag"));
    network.request("HEAD", "/affiliates/223").send().expect(404);
    network.request("HEAD", "/affiliates").send().expect(200);
}

#[test]
fn if_none_match_any_creates_and_never_replaces() {
    let server = Server::start();
    let network = server.network();
    let create = |name: &str| {
        let request = network.request("PUT", "/affiliates/222").header("If-None-Match", "*");
        request.json(&json!({"name": name})).send()
    };
    create("First").expect(200);
    create("Second").expect(412);
    assert_eq!(network.get("/affiliates/222").body(200)["name"], "First");
}

#[test]
fn long_list_is_complete() {
    let server = Server::start();
    let network = server.network();
    network.has_advertiser("1");
    for number in 0..450 {
        let body = json!({"partner_name": format!("field {number}")});
        network.post("/custom_data_fields", body).expect(201);
    }
    let all = network.get("/custom_data_fields").body(200);
    let names: Vec<&str> =
        all.as_array().unwrap().iter().filter_map(|item| item["partner_name"].as_str()).collect();
    let expected: Vec<String> = (0..450).map(|number| format!("field {number}")).collect();
    assert_eq!(names[0], "channel");
    assert_eq!(names[1..], expected);
    let page = network.get("/custom_data_fields?limit=450").expect(200);
    assert_eq!(page.json().as_array().map(Vec::len), Some(450));
    assert!(page.header("link").is_some());
}

#[test]
fn not_found_error_names_the_ids_of_the_path() {
    let server = Server::start();
    let network = server.network();
    network.has_campaign("354", "12", json!({}));
    network.has_affiliate("976");
    let assert_not_found = |path: &str, message: &str| {
        for version in ["2014-01-01", "2023-10-09"] {
            let response = network.with_version(version).get(path);
            assert_eq!(response.assert_error(404, "RecordNotFound"), message);
        }
    };
    assert_not_found("/affiliates/222", "Could not find Affiliate 222");
    assert_not_found("/advertisers/991.json", "Could not find Advertiser 991");
    assert_not_found(
        &affiliate_campaign_path("354", "12", "976"),
        "Could not find AffiliateCampaign for affiliate 976, advertiser campaign 12 and advertiser 354",
    );
    // The message names all ids of the path, no matter which one is missing.
    assert_not_found(
        &affiliate_campaign_path("354", "12", "222"),
        "Could not find AffiliateCampaign for affiliate 222, advertiser campaign 12 and advertiser 354",
    );
    assert_not_found(
        &affiliate_campaign_path("991", "13", "976"),
        "Could not find AffiliateCampaign for affiliate 976, advertiser campaign 13 and advertiser 991",
    );
    assert_not_found(&campaign_path("991", "12"), "Could not find Advertiser 991");
    network.has_advertiser("991");
    // The campaign exists, but belongs to another advertiser.
    network.get(&campaign_path("991", "12")).assert_error(404, "RecordNotFound");
    network.put("/advertisers/2/affiliates/976", json!({"status": "Approved"})).expect(404);
    network.put("/advertisers/1/affiliates/1", json!({"status": "Approved"})).expect(404);
    let never = network.delete(&affiliate_campaign_path("1", "99", "976"));
    never.assert_error(403, "UnauthorizedOperation");
}

#[test]
fn all_problems_are_reported_at_their_properties() {
    let server = Server::start();
    let network = server.network();
    let email = |address: &str| json!([{"email_address": address, "use_for_notifications": true}]);
    let body = json!({
        "status": "Maybe",
        "sites": [{"id_from_network": "1"}, {"name": "no id"}, {"id_from_network": 1}, {"id_from_network": "4"}],
        "users": [
            body::user("1"),
            body::merged(body::user("2"), json!({"email_settings": email("nobody"), "role": "King"})),
            {"id_from_network": "3", "email_settings": email("user@example.com"), "phone_number": "call me"},
            body::user("4"),
        ],
        "custom_data": {"channel": "Radio", "colour": "red"},
    });
    network.post("/affiliates/222", body).assert_invalid(&json!({
        "name": ["can't be blank"],
        "status": ["is not included in the list"],
        "sites": [
            {},
            {"id_from_network": ["can't be blank"]},
            {"id_from_network": ["has already been taken"]},
        ],
        "users": [
            {},
            {
                "email_settings": [{"email_address": ["is invalid"]}],
                "role": ["is not included in the list"],
            },
            {
                "first_name": ["can't be blank"],
                "last_name": ["can't be blank"],
                "phone_number": ["is invalid"],
            },
        ],
        "custom_data": {"colour": ["is not a custom data field of this network"]},
    }));
    network.get("/affiliates/222").expect(404);
}

#[test]
fn json_of_other_content_types_and_with_a_byte_order_mark_is_accepted() {
    let server = Server::start();
    let network = server.network();
    for kind in [
        "application/json",
        "application/json; charset=utf-8",
        "APPLICATION/JSON",
        "application/json; charset=UTF-8; odata=verbose",
        "text/json",
        "Text/JSON;charset=utf-8",
        "application/x-www-form-urlencoded",
    ] {
        let request = network.request("PUT", "/affiliates/222").header("Content-Type", kind);
        let marked = request.clone().bytes("\u{feff} {\"name\": \"Surf Oz\"}".as_bytes());
        marked.send().expect(200);
        let response = request.bytes(b"{\"name\": \"Surf Oz\"}").send().expect(200);
        let kind = response.header("content-type").expect("a content type");
        assert!(kind.starts_with("application/json"), "{kind}");
    }
}

#[test]
fn typographic_hyphens_and_spaces_are_normalized() {
    let server = Server::start();
    let network = server.network();
    network.has_advertiser("1");
    for hyphen in
        ['\u{2010}', '\u{2011}', '\u{2012}', '\u{2013}', '\u{2014}', '\u{2015}', '\u{2212}']
    {
        let number = format!("805{hyphen}708{hyphen}98\u{ad}76\u{a0}");
        let body = json!({"web_integration_phone_number": number});
        network.put("/advertisers/1", body).expect(200);
    }
    let condition = "duration\u{a0}>\u{a0}60 and mo\u{ad}bile";
    let policy = json!({"name": "NFL", "advertiser_payin": body::base_policy(7.0, condition)});
    network.put(&campaign_path("1", "12"), policy).expect(200);
}
