//! Authorization: every form of credential, every role, every scope.

use base64::Engine;
use serde_json::{Value, json};
use trunkline_domain::party::Role;
use trunkline_tests::body::{self, affiliate_campaign_path, campaign_path, relationship_path};
use trunkline_tests::{Client, Response, Server, assert_json_eq, dump};

/// Creates a network with two advertisers, two affiliates, and objects of every kind.
fn world() -> (Server, Client) {
    let server = Server::start();
    let network = server.network();
    server.add_numbers(&["8005550101", "8005550102", "8005550103", "8005550104", "8005550105"]);
    for (advertiser, campaign, affiliate) in [("1", "12", "222"), ("2", "13", "223")] {
        network.has_live_campaign(advertiser, campaign, json!({"auto_approve": "All"}));
        network.has_applied(advertiser, campaign, affiliate);
        let path = relationship_path(advertiser, affiliate);
        network.put(&path, json!({"status": "Approved"})).expect(200);
        let new =
            json!({"description": "Radio", "media_type": "Radio", "id_from_network": campaign});
        network
            .post(&format!("{}/promo_numbers", campaign_path(advertiser, campaign)), new)
            .expect(201);
    }
    network.put("/advertisers/1/users/7", json!({"user": body::user("7")})).expect(200);
    network.put("/network", json!({"users": [body::user("8")]})).expect(200);
    (server, network)
}

/// Method, path and body of a write to every resource.
fn writes() -> Vec<(&'static str, String, Value)> {
    let campaign = campaign_path("1", "12");
    let affiliate_campaign = affiliate_campaign_path("1", "12", "222");
    let numbers = format!("{campaign}/promo_numbers");
    let number = json!({"description": "TV", "media_type": "TV"});
    vec![
        ("POST", "/network".to_owned(), json!({"name": "Mine"})),
        ("PUT", "/network".to_owned(), json!({"name": "Mine"})),
        ("POST", "/advertisers".to_owned(), json!({"name": "New"})),
        ("POST", "/advertisers/1".to_owned(), json!({"name": "New"})),
        ("PUT", "/advertisers/1".to_owned(), json!({"name": "New"})),
        ("DELETE", "/advertisers/1".to_owned(), Value::Null),
        ("POST", "/affiliates".to_owned(), json!({"name": "New"})),
        ("POST", "/affiliates/222".to_owned(), json!({"name": "New"})),
        ("PUT", "/affiliates/222".to_owned(), json!({"name": "New"})),
        ("DELETE", "/affiliates/222".to_owned(), Value::Null),
        ("POST", "/advertisers/1/users".to_owned(), json!({"user": body::user("9")})),
        ("PUT", "/advertisers/1/users/7".to_owned(), json!({"user": {"first_name": "New"}})),
        ("DELETE", "/advertisers/1/users/7".to_owned(), Value::Null),
        ("POST", relationship_path("1", "222"), json!({"status": "Declined"})),
        ("PUT", relationship_path("1", "222"), json!({"status": "Declined"})),
        ("DELETE", relationship_path("1", "222"), Value::Null),
        ("POST", "/advertisers/1/advertiser_campaigns".to_owned(), json!({"name": "New"})),
        ("POST", campaign.clone(), json!({"name": "New"})),
        ("PUT", campaign.clone(), json!({"name": "New"})),
        ("DELETE", campaign.clone(), Value::Null),
        ("POST", format!("{campaign}/go_live"), json!({})),
        ("POST", format!("{campaign}/archive"), json!({})),
        ("POST", format!("{campaign}/unarchive"), json!({})),
        ("PUT", affiliate_campaign.clone(), json!({"status": "Suspended"})),
        ("POST", affiliate_campaign.clone(), json!({"id_from_network": "new"})),
        ("DELETE", affiliate_campaign.clone(), Value::Null),
        ("POST", numbers.clone(), number.clone()),
        ("PUT", format!("{campaign}/promo_numbers_by_id/12"), json!({"description": "New"})),
        ("DELETE", format!("{campaign}/promo_numbers_by_id/12"), Value::Null),
        ("POST", format!("{affiliate_campaign}/promo_numbers"), number),
        ("POST", "/custom_data_fields".to_owned(), json!({"partner_name": "colour"})),
        ("PUT", "/custom_data_fields/colour".to_owned(), json!({"partner_name": "colour"})),
        ("DELETE", "/custom_data_fields/channel".to_owned(), Value::Null),
        ("POST", "/network/user8@example.com/create_access_token".to_owned(), json!({})),
        ("POST", "/advertisers/1/user7@example.com/create_access_token".to_owned(), json!({})),
    ]
}

fn send(client: &Client, method: &str, path: &str, body: &Value) -> Response {
    let request = client.request(method, path);
    if body.is_null() { request.send() } else { request.json(body).send() }
}

#[test]
fn observer_reads_everything_and_writes_nothing() {
    let (server, network) = world();
    let before = dump(&network);
    let observer = server.observer();
    assert_json_eq(&dump(&observer), &before);
    for (method, path, body) in writes() {
        let response = send(&observer, method, &path, &body);
        assert_eq!(response.status, 403, "{method} {path}: {}", response.text());
        response.assert_error(403, "UnauthorizedOperation");
    }
    // In versions where GET changed the state, an Observer's GET is rejected.
    let archive = format!("{}/archive", campaign_path("1", "12"));
    observer.with_version("2015-05-01").get(&archive).assert_error(403, "UnauthorizedOperation");
    observer
        .extensions()
        .post("/audit/1/revert", json!({}))
        .assert_error(403, "UnauthorizedOperation");
    assert_json_eq(&dump(&network), &before);
    for role in [Role::Super, Role::Manager, Role::Member] {
        let name = json!({"name": format!("{role:?}")});
        server.network_with_role(role).put("/affiliates/222", name).expect(200);
    }
}

#[test]
fn every_request_needs_a_credential() {
    let (server, network) = world();
    let before = dump(&network);
    // Failed passwords are throttled after five tries.
    let password = server.anon().with_token(Some("Basic bm9ib2R5QGV4YW1wbGUuY29tOng="));
    for (method, path, body) in writes().into_iter().take(5) {
        send(&password, method, &path, &body).assert_error(401, "Unauthorized");
    }
    let unauthorized_clients = [
        server.anon(),
        server.anon().with_token(Some("tl_wrong")),
        server.anon().with_token(Some("Bearer tl_wrong")),
        server.anon().with_token(Some("Basic !")),
        server.with_expired_token(),
    ];
    for unauthorized in unauthorized_clients {
        for (method, path, body) in writes() {
            let response = send(&unauthorized, method, &path, &body);
            response.assert_error(401, "Unauthorized");
            assert!(response.header("www-authenticate").is_some(), "{method} {path}");
        }
        unauthorized.get("/affiliates").assert_error(401, "Unauthorized");
        unauthorized.extensions().get("/audit").assert_error(401, "Unauthorized");
    }
    assert_json_eq(&dump(&network), &before);
}

#[test]
fn extension_paths_name_their_network() {
    let (server, network) = world();
    let id = server.network_id();
    let get = |network_id: &str| {
        network.absolute_paths().get(&format!("/trunkline/v1/networks/{network_id}/audit"))
    };
    get(&id.to_string()).expect(200);
    get(&(id.get() + 1).to_string()).assert_error(403, "UnauthorizedOperation");
    for nowhere in ["abc", "", "-1", "+1", "1.0", "99999999999999999999"] {
        get(nowhere).assert_error(404, "RecordNotFound");
    }
    network.absolute_paths().get("/trunkline/audit").assert_error(404, "RecordNotFound");
}

#[test]
fn every_form_of_credential_is_accepted() {
    let (server, network) = world();
    server.set_password("user8@example.com", "correct horse");
    let token = network.token().to_owned();
    let basic = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
    let anon = server.anon();
    for header in [
        token.clone(),
        format!("Bearer {token}"),
        format!("bearer {token}"),
        format!("Basic {}", basic(&format!("{token}:"))),
        format!("Basic {}", basic(&format!("{token}:x"))),
        format!("Basic {}", basic("user8@example.com:correct horse")),
    ] {
        let client = anon.with_token(Some(&header));
        client.get("/affiliates/222").expect(200);
        client.put("/affiliates/222", json!({"name": header.len().to_string()})).expect(200);
    }
    anon.get(&format!("/affiliates/222?oauth_token={token}")).expect(200);
    let body = json!({"name": "By query"});
    anon.put(&format!("/affiliates/222.json?oauth_token={token}"), body).expect(200);
    let body = json!({"name": "By body", "oauth_token": token});
    let response = anon.put("/affiliates/222", body).expect(200);
    assert_eq!(response.header("trunkline-ignored"), None);
    assert_eq!(response.json()["name"], "By body");
    // A wrong password, and an unknown address.
    for wrong in ["user8@example.com:wrong", "user7@example.com:", "nobody@example.com:x"] {
        let client = anon.with_token(Some(&format!("Basic {}", basic(wrong))));
        client.get("/affiliates/222").assert_error(401, "Unauthorized");
    }
}

/// The first credential counts, in the order `Authorization`, query, header, body. Blank ones do not.
#[test]
fn first_of_several_credentials_counts() {
    let (server, network) = world();
    let token = network.token().to_owned();
    let wrong = "tl_wrong".to_owned();
    let blank = String::new();
    let send = |[authorization, query, header, body]: [&String; 4]| {
        let path = format!("/affiliates/222?oauth_token={query}&oauth_token=");
        let request = server.anon().request("PUT", &path).header("Authorization", authorization);
        let request = request.header("oauth_token", header);
        request.json(&json!({"name": "One", "oauth_token": body})).send().status
    };
    let basic = base64::engine::general_purpose::STANDARD.encode(format!("{token}:"));
    let basic = format!("Basic {basic}");
    for (credentials, status) in [
        ([&token, &wrong, &wrong, &wrong], 200),
        ([&basic, &wrong, &wrong, &wrong], 200),
        ([&wrong, &token, &token, &token], 401),
        ([&blank, &token, &wrong, &wrong], 200),
        ([&"Bearer ".to_owned(), &token, &wrong, &wrong], 200),
        ([&blank, &wrong, &token, &token], 401),
        ([&blank, &blank, &token, &wrong], 200),
        ([&blank, &blank, &wrong, &token], 401),
        ([&blank, &blank, &blank, &token], 200),
        ([&blank, &blank, &blank, &blank], 401),
    ] {
        assert_eq!(send(credentials), status, "{credentials:?}");
    }
    // A header alone, as it comes with a GET.
    let request = server.anon().request("GET", "/affiliates/222").header("OAuth_Token", &token);
    request.send().expect(200);
}

/// Browsers send cookies automatically, so a cookie is accepted for reads only.
#[test]
fn console_cookie_is_read_only() {
    let (server, network) = world();
    let cookie = server.sign_in("user8@example.com");
    let anon = server.anon();
    let with_cookie =
        |method: &str, path: &str| anon.request(method, path).header("Cookie", &cookie);
    with_cookie("GET", "/affiliates/222").send().expect(200);
    let before = dump(&network);
    for (method, path, body) in writes() {
        let request = with_cookie(method, &path);
        let request = if body.is_null() { request } else { request.json(&body) };
        request.send().assert_error(401, "Unauthorized");
    }
    // A GET that changes state is not a read.
    let archive = format!("{}/archive", campaign_path("1", "12"));
    let old =
        anon.with_version("2015-05-01").request("GET", &archive).header("Cookie", &cookie).send();
    assert!([401, 403].contains(&old.status), "{}", old.text());
    assert_json_eq(&dump(&network), &before);
}

/// An advertiser's token sees the advertiser's objects only.
#[test]
fn advertiser_sees_only_its_own_objects() {
    let (server, network) = world();
    let advertiser = server.advertiser("1");
    let own_response = [
        "/advertisers/1".to_owned(),
        "/advertisers/1/users".to_owned(),
        "/advertisers/1/users/7".to_owned(),
        "/advertisers/1/affiliates".to_owned(),
        relationship_path("1", "222"),
        "/advertisers/1/advertiser_campaigns".to_owned(),
        campaign_path("1", "12"),
        format!("{}/quick_stats", campaign_path("1", "12")),
        format!("{}/affiliate_campaigns", campaign_path("1", "12")),
        format!("{}/promo_numbers", campaign_path("1", "12")),
        affiliate_campaign_path("1", "12", "222"),
    ];
    for path in own_response {
        assert_json_eq(&advertiser.get(&path).body(200), &network.get(&path).body(200));
    }
    let only = advertiser.get("/advertisers").body(200);
    assert_eq!(only.as_array().map(Vec::len), Some(1));
    assert_eq!(only[0]["id_from_network"], "1");
    advertiser.get("/affiliates").assert_json(200, &json!([]));
    let others = [
        "/advertisers/2".to_owned(),
        "/advertisers/2/users".to_owned(),
        "/advertisers/2/affiliates".to_owned(),
        relationship_path("2", "223"),
        "/advertisers/2/advertiser_campaigns".to_owned(),
        campaign_path("2", "13"),
        affiliate_campaign_path("2", "13", "223"),
        format!("{}/promo_numbers", campaign_path("2", "13")),
        "/affiliates/222".to_owned(),
    ];
    for path in others {
        let response = advertiser.get(&path);
        assert!([403, 404].contains(&response.status), "{path}: {}", response.text());
    }
    advertiser.get("/network").assert_error(403, "UnauthorizedOperation");
    advertiser.extensions().get("/audit").assert_error(403, "UnauthorizedOperation");
}

#[test]
fn advertiser_writes_only_its_own_objects() {
    let (server, network) = world();
    let advertiser = server.advertiser("1");
    advertiser.put("/advertisers/1", json!({"name": "Renamed"})).expect(200);
    advertiser.put(&campaign_path("1", "12"), json!({"name": "Renamed"})).expect(200);
    advertiser.put(&relationship_path("1", "222"), json!({"status": "Suspended"})).expect(200);
    advertiser.post(&format!("{}/archive", campaign_path("1", "12")), json!({})).expect(200);
    let before = dump(&network);
    for (path, body) in [
        ("/advertisers/2".to_owned(), json!({"name": "Mine"})),
        ("/advertisers/3".to_owned(), json!({"name": "New"})),
        ("/affiliates/222".to_owned(), json!({"name": "Mine"})),
        ("/network".to_owned(), json!({"name": "Mine"})),
        ("/custom_data_fields/colour".to_owned(), json!({})),
        (campaign_path("2", "13"), json!({"name": "Mine"})),
        (relationship_path("2", "223"), json!({"status": "Declined"})),
        (affiliate_campaign_path("2", "13", "223"), json!({"status": "Suspended"})),
    ] {
        let response = advertiser.put(&path, body);
        assert!([403, 404].contains(&response.status), "{path}: {}", response.text());
    }
    assert_json_eq(&dump(&network), &before);
}

fn mentions_payin(value: &Value) -> bool {
    value.to_string().contains("payin")
}

#[test]
fn affiliate_sees_no_payin() {
    let (server, network) = world();
    let affiliate = server.affiliate("222");
    let path = affiliate_campaign_path("1", "12", "222");
    let visible = affiliate.get(&path).body(200);
    assert!(!mentions_payin(&visible), "{visible}");
    assert!(mentions_payin(&network.get(&path).body(200)));
    let payout = &visible["current_terms"]["affiliate_payout"];
    assert_eq!(payout["pricing"], "$4.50 per call");
    for path in [
        campaign_path("1", "12"),
        campaign_path("2", "13"),
        "/advertisers/1/advertiser_campaigns".to_owned(),
        format!("{}/affiliate_campaigns", campaign_path("1", "12")),
        format!("{}/affiliates", campaign_path("1", "12")),
    ] {
        for version in ["2014-01-01", "2023-10-09"] {
            let visible = affiliate.with_version(version).get(&path).body(200);
            assert!(!mentions_payin(&visible), "{path}: {visible}");
        }
    }
    let applied = affiliate.post(&affiliate_campaign_path("2", "13", "222"), json!({})).body(201);
    assert!(!mentions_payin(&applied), "{applied}");
}

#[test]
fn affiliate_sees_its_own_objects_and_may_only_apply() {
    let (server, network) = world();
    let affiliate = server.affiliate("222");
    assert_json_eq(
        &affiliate.get("/affiliates/222").body(200),
        &network.get("/affiliates/222").body(200),
    );
    assert_eq!(affiliate.get("/affiliates").body(200).as_array().map(Vec::len), Some(1));
    let own_response = network.has_applied("2", "13", "222");
    let listed = affiliate.get(&format!("{}/affiliate_campaigns", campaign_path("2", "13")));
    let listed = listed.body(200);
    assert_eq!(listed.as_array().map(Vec::len), Some(1));
    assert_eq!(listed[0]["id"], own_response["id"]);
    let before = dump(&network);
    for path in ["/affiliates/223".to_owned(), affiliate_campaign_path("2", "13", "223")] {
        let response = affiliate.get(&path);
        assert!([403, 404].contains(&response.status), "{path}: {}", response.text());
    }
    for path in ["/network", "/advertisers/1/users"] {
        let response = affiliate.get(path);
        assert!([403, 404].contains(&response.status), "{path}: {}", response.text());
    }
    for status in ["Suspended", "Declined"] {
        let response =
            affiliate.put(&affiliate_campaign_path("1", "12", "222"), json!({"status": status}));
        response.assert_error(403, "UnauthorizedOperation");
    }
    for (method, path, body) in writes() {
        if path.starts_with("/affiliates/222") || path.contains("/affiliates/222/affiliate_") {
            continue;
        }
        let response = send(&affiliate, method, &path, &body);
        assert!([403, 404].contains(&response.status), "{method} {path}: {}", response.text());
    }
    // An affiliate cannot change its own approval status.
    let response = affiliate.put("/affiliates/222", json!({"status": "Archived"}));
    response.assert_error(403, "UnauthorizedOperation");
    assert_json_eq(&dump(&network), &before);
}

#[test]
fn campaign_visibility_limits_affiliates() {
    let server = Server::start();
    let network = server.network();
    for visibility in ["All", "Approved_Affiliates", "None"] {
        network.has_live_campaign("1", visibility, json!({"visibility": visibility}));
    }
    network.has_affiliate("222");
    let affiliate = server.affiliate("222");
    let sees = |expected: &[&str]| {
        let listed = affiliate.get("/advertisers/1/advertiser_campaigns").body(200);
        let listed: Vec<&str> = listed
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|campaign| campaign["id_from_network"].as_str())
            .collect();
        assert_eq!(listed, expected);
        for campaign in ["All", "Approved_Affiliates", "None"] {
            let status = if expected.contains(&campaign) { 200 } else { 404 };
            affiliate.get(&campaign_path("1", campaign)).expect(status);
        }
    };
    sees(&["All"]);
    for hidden in ["Approved_Affiliates", "None"] {
        affiliate.post(&affiliate_campaign_path("1", hidden, "222"), json!({})).expect(404);
    }
    network.put(&relationship_path("1", "222"), json!({"status": "Approved"})).expect(200);
    sees(&["All", "Approved_Affiliates"]);
    affiliate.post(&affiliate_campaign_path("1", "None", "222"), json!({})).expect(404);
    network.post(&affiliate_campaign_path("1", "None", "222"), json!({})).expect(201);
    sees(&["All", "Approved_Affiliates", "None"]);
    network.put(&relationship_path("1", "222"), json!({"status": "Suspended"})).expect(200);
    sees(&["All", "None"]);
}

#[test]
fn path_without_a_network_refers_to_that_of_the_credential() {
    let (server, network) = world();
    let before = dump(&network);
    let other = server.create_another_network();
    let own_response = other.absolute_paths().get("/api/2018-11-01/affiliates.json");
    own_response.assert_json(200, &json!([]));
    other.has_affiliate("222");
    assert_json_eq(&dump(&network), &before);
}
