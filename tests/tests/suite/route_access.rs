//! Access control of every route; a new route is covered automatically.

use serde_json::json;
use trunkline_api::route_table;
use trunkline_tests::body::{affiliate_campaign_path, campaign_path};
use trunkline_tests::{Client, Server, dump};

/// POST routes that write nothing.
const READ_ONLY_POSTS: [&str; 2] = ["/conditions/check", "/dry_run"];

/// Creates one of every object that a path can name.
fn world() -> (Server, Client) {
    let server = Server::start();
    let network = server.network();
    network.has_campaign("1", "12", json!({}));
    network.has_affiliate("222");
    network.put(&affiliate_campaign_path("1", "12", "222"), json!({})).expect(200);
    (server, network)
}

/// Path of a route with ids for its parameters.
fn fill_path(path: &str, server: &Server) -> String {
    let ids = [
        ("{version}", "2018-11-01".to_owned()),
        ("{network_id}", server.network_id().to_string()),
        ("{advertiser}", "1".to_owned()),
        ("{campaign}", "12".to_owned()),
        ("{affiliate}", "222".to_owned()),
        ("{email}", "user@example.com".to_owned()),
        ("{partner_name}", "channel".to_owned()),
    ];
    let path = ids.iter().fold(path.to_owned(), |path, (name, id)| path.replace(name, id));
    let segments = path.split('/').map(|item| if item.starts_with('{') { "1" } else { item });
    segments.collect::<Vec<_>>().join("/")
}

#[test]
fn every_route_rejects_missing_and_foreign_credentials() {
    let (server, network) = world();
    let other = server.create_another_network();
    let before = dump(&network);
    let routes = route_table();
    assert!(routes.len() > 80, "the table is whole: {} routes", routes.len());
    for (method, path) in routes {
        let path = fill_path(&path, &server);
        let send = |client: Client| {
            client.absolute_paths().request(method.as_str(), &path).json(&json!({})).send()
        };
        let anonymous = send(server.anon());
        assert_eq!(anonymous.status, 401, "{method} {path}");
        assert!(anonymous.header("www-authenticate").is_some(), "{method} {path}");
        assert_eq!(
            send(server.network().with_token(Some("tl_wrong"))).status,
            401,
            "{method} {path}"
        );
        let elsewhere = send(other.clone());
        elsewhere.assert_error(403, "UnauthorizedOperation");
    }
    assert_eq!(dump(&network), before);
}

#[test]
fn observer_cannot_write_on_any_route() {
    let (server, network) = world();
    let before = dump(&network);
    for (method, path) in route_table() {
        let reads = method == "GET" || READ_ONLY_POSTS.iter().any(|ending| path.ends_with(ending));
        if reads {
            continue;
        }
        let path = fill_path(&path, &server);
        let request = server.observer().absolute_paths().request(method.as_str(), &path);
        let response = request.json(&json!({"name": "New", "status": "Approved"})).send();
        assert!([403, 404].contains(&response.status), "{method} {path}: {}", response.text());
    }
    assert_eq!(dump(&network), before);
}

/// A credential of a party cannot write users that also belong to other parties.
#[test]
fn party_credential_cannot_take_over_a_foreign_user() {
    let (server, network) = world();
    let boss = |address: &str| {
        json!({"users": [{"id_from_network": "boss", "first_name": "B", "last_name": "B",
            "email_settings": [{"email_address": address, "use_for_notifications": true}]}]})
    };
    network.put("/network", boss("boss@example.com")).expect(200);
    let before = network.get("/network").body(200);
    let affiliate = server.affiliate("222");
    let rejected = affiliate.put("/affiliates/222", boss("evil@example.com"));
    rejected.assert_error(403, "UnauthorizedOperation");
    let taken_in = affiliate.put("/affiliates/222", boss("boss@example.com"));
    taken_in.assert_error(403, "UnauthorizedOperation");
    let advertiser = server.advertiser("1");
    let user = json!({"user": boss("evil@example.com")["users"][0]});
    advertiser.put("/advertisers/1/users/boss", user).assert_error(403, "UnauthorizedOperation");
    assert_eq!(network.get("/network").body(200), before);
    // It can write users who belong to its party only.
    let own_object = json!({"users": [{"id_from_network": "own", "first_name": "O", "last_name": "O",
        "email_address": "own@example.com"}]});
    affiliate.put("/affiliates/222", own_object).expect(200);
    affiliate.post("/affiliates/222/own@example.com/create_access_token", json!({})).expect(201);
    // The network's boss got a role in the affiliate, but the affiliate still cannot change that user.
    let mut both = boss("boss@example.com");
    both["users"][0]["role"] = json!("Member");
    network.put("/affiliates/222", both).expect(200);
    let path = "/affiliates/222/boss@example.com/create_access_token";
    affiliate.post(path, json!({})).assert_error(403, "UnauthorizedOperation");
    network.post(path, json!({})).expect(201);
}

#[test]
fn rate_limited_credential_gets_retry_after() {
    let server = Server::builder().arguments(&["--rate-limit", "2"]).start();
    let network = server.network();
    let responses: Vec<_> = (0..20).map(|_| network.get("/network")).collect();
    let over =
        responses.iter().find(|response| response.status == 429).expect("2 a second are allowed");
    over.assert_error(429, "TooManyRequests");
    assert_eq!(over.header("retry-after"), Some("1"));
    assert_eq!(over.header("ratelimit-remaining"), Some("0"));
    // Another credential has its own limit.
    server.observer().get("/network").expect(200);
}

#[test]
fn if_match_guards_campaign_actions() {
    let (_server, network) = world();
    let path = campaign_path("1", "12");
    let tag = network.get(&path).header("etag").expect("a tag").to_owned();
    network.put(&path, json!({"name": "Renamed"})).expect(200);
    for action in ["go_live", "archive", "unarchive"] {
        let request = network.request("POST", &format!("{path}/{action}"));
        request.header("If-Match", &tag).send().assert_error(412, "PreconditionFailed");
    }
}
