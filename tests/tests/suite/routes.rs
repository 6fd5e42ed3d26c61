//! Every route there is, walked: a new one is covered the moment it is routed.

use serde_json::json;
use trunkline_api::route_table;
use trunkline_tests::body::{affiliate_campaign_path, campaign_path};
use trunkline_tests::{Client, Server, dump};

/// Routes that write nothing although they are posted to.
const READING: [&str; 2] = ["/conditions/check", "/dry_run"];

/// A network with one of everything that a path can name.
fn world() -> (Server, Client) {
    let server = Server::start();
    let network = server.network();
    network.has_campaign("1", "12", json!({}));
    network.has_affiliate("222");
    network.put(&affiliate_campaign_path("1", "12", "222"), json!({})).expect(200);
    (server, network)
}

/// A route's path with ids in the place of its parameters.
fn filled(path: &str, server: &Server) -> String {
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
    let segments = path.split('/').map(|it| if it.starts_with('{') { "1" } else { it });
    segments.collect::<Vec<_>>().join("/")
}

#[test]
fn no_route_answers_without_a_credential_or_to_another_network() {
    let (server, network) = world();
    let other = server.another_network();
    let before = dump(&network);
    let routes = route_table();
    assert!(routes.len() > 80, "the table is whole: {} routes", routes.len());
    for (method, path) in routes {
        let path = filled(&path, &server);
        let ask = |client: Client| {
            client.anywhere().request(method.as_str(), &path).json(&json!({})).send()
        };
        let anonymous = ask(server.anon());
        assert_eq!(anonymous.status, 401, "{method} {path}");
        assert!(anonymous.header("www-authenticate").is_some(), "{method} {path}");
        assert_eq!(
            ask(server.network().with_token(Some("tl_wrong"))).status,
            401,
            "{method} {path}"
        );
        let elsewhere = ask(other.clone());
        elsewhere.refused(403, "UnauthorizedOperation");
    }
    assert_eq!(dump(&network), before);
}

#[test]
fn an_observer_writes_by_no_route() {
    let (server, network) = world();
    let before = dump(&network);
    for (method, path) in route_table() {
        let reads = method == "GET" || READING.iter().any(|ending| path.ends_with(ending));
        if reads {
            continue;
        }
        let path = filled(&path, &server);
        let request = server.observer().anywhere().request(method.as_str(), &path);
        let answer = request.json(&json!({"name": "New", "status": "Approved"})).send();
        assert!([403, 404].contains(&answer.status), "{method} {path}: {}", answer.text());
    }
    assert_eq!(dump(&network), before);
}

/// What a person may do is theirs: a credential that reaches less cannot borrow it.
#[test]
fn a_partys_credential_cannot_take_over_somebody_elses_user() {
    let (server, network) = world();
    let boss = |address: &str| {
        json!({"users": [{"id_from_network": "boss", "first_name": "B", "last_name": "B",
            "email_settings": [{"email_address": address, "use_for_notifications": true}]}]})
    };
    network.put("/network", boss("boss@example.com")).expect(200);
    let before = network.get("/network").body(200);
    let affiliate = server.affiliate("222");
    let refused = affiliate.put("/affiliates/222", boss("evil@example.com"));
    refused.refused(403, "UnauthorizedOperation");
    let taken_in = affiliate.put("/affiliates/222", boss("boss@example.com"));
    taken_in.refused(403, "UnauthorizedOperation");
    let advertiser = server.advertiser("1");
    let user = json!({"user": boss("evil@example.com")["users"][0]});
    advertiser.put("/advertisers/1/users/boss", user).refused(403, "UnauthorizedOperation");
    assert_eq!(network.get("/network").body(200), before);
    // Of its own people it may write what it likes.
    let own = json!({"users": [{"id_from_network": "own", "first_name": "O", "last_name": "O",
        "email_address": "own@example.com"}]});
    affiliate.put("/affiliates/222", own).expect(200);
    affiliate.post("/affiliates/222/own@example.com/create_access_token", json!({})).expect(201);
    // When the network has given the boss a place there, the affiliate still cannot be the boss.
    let mut both = boss("boss@example.com");
    both["users"][0]["role"] = json!("Member");
    network.put("/affiliates/222", both).expect(200);
    let path = "/affiliates/222/boss@example.com/create_access_token";
    affiliate.post(path, json!({})).refused(403, "UnauthorizedOperation");
    network.post(path, json!({})).expect(201);
}

#[test]
fn a_credential_over_its_rate_is_told_when_to_come_back() {
    let server = Server::start_with(&["--rate-limit", "2"]);
    let network = server.network();
    let answers: Vec<_> = (0..20).map(|_| network.get("/network")).collect();
    let over = answers.iter().find(|answer| answer.status == 429).expect("2 a second are allowed");
    over.refused(429, "TooManyRequests");
    assert_eq!(over.header("retry-after"), Some("1"));
    assert_eq!(over.header("ratelimit-remaining"), Some("0"));
    // Another credential has a bucket of its own.
    server.observer().get("/network").expect(200);
}

#[test]
fn an_etag_guards_a_campaigns_actions() {
    let (_server, network) = world();
    let path = campaign_path("1", "12");
    let tag = network.get(&path).header("etag").expect("a tag").to_owned();
    network.put(&path, json!({"name": "Renamed"})).expect(200);
    for action in ["go_live", "archive", "unarchive"] {
        let request = network.request("POST", &format!("{path}/{action}"));
        request.header("If-Match", &tag).send().refused(412, "PreconditionFailed");
    }
}
