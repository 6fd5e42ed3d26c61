//! One-time tokens and sessions: the grants that they carry, and what ends them.

use serde_json::{Value, json};
use trunkline_tests::{Client, Server, body};

/// Redeems a one-time token for a user of an organization, named by its path. Returns the cookie.
fn sign_in_by_token(server: &Server, client: &Client, organization: &str, email: &str) -> String {
    let path = format!("{organization}/{email}/create_access_token");
    let token = client.post(&path, json!({})).body(201)["token"].as_str().unwrap().to_owned();
    let page = server.anon().absolute_paths();
    let redirect = page.request("GET", &format!("/?access_token={token}")).send();
    let cookie = redirect.header("set-cookie").expect("the token is redeemed");
    cookie.split(';').next().unwrap().to_owned()
}

fn status_with_cookie(server: &Server, cookie: &str, path: &str) -> u16 {
    server.anon().request("GET", path).header("Cookie", cookie).send().status
}

fn person(id: &str, email: &str, role: &str) -> Value {
    let mut user = body::user(id);
    user["email_settings"][0]["email_address"] = email.into();
    user["role"] = role.into();
    user
}

#[test]
fn session_of_a_party_user_gains_nothing_when_the_network_takes_the_user_in() {
    let server = Server::start();
    let network = server.network();
    network.has_affiliate("f1");
    network.has_advertiser("a2");
    let affiliate = server.affiliate("f1");
    let stranger = json!({"users": [person("5001", "stranger@example.com", "Super")]});
    affiliate.put("/affiliates/f1", stranger).expect(200);
    let cookie = sign_in_by_token(&server, &affiliate, "/affiliates/f1", "stranger@example.com");
    assert_eq!(status_with_cookie(&server, &cookie, "/affiliates/f1"), 200);
    let pending = "/affiliates/f1/stranger@example.com/create_access_token";
    let pending = affiliate.post(pending, json!({})).body(201);

    // The network's synchronization adds its own user with the same id.
    let users =
        [person("7", "own@example.com", "Super"), person("5001", "real@example.com", "Super")];
    let taken_in = network.put("/network", json!({"users": users})).expect(200);
    let warning = taken_in.header("trunkline-warning").expect("a warning");
    assert!(warning.starts_with("users[1]: user 5001 was created by a party"), "{warning}");
    assert!(warning.contains("affiliate f1"), "{warning}");
    for path in ["/network", "/affiliates/f1", "/advertisers/a2"] {
        assert_eq!(status_with_cookie(&server, &cookie, path), 401, "{path}");
    }
    let token = pending["token"].as_str().unwrap();
    let page = server.anon().absolute_paths();
    page.request("GET", &format!("/?access_token={token}")).send().expect(401);
    let log = network.extensions().get("/audit?object=user:5001").body(200);
    assert_eq!(log[0]["action"], "take_in");
    assert_eq!(log[0]["after"], json!({"organizations": ["affiliate f1", "network"]}));

    // The same where another party gets the user, one by one.
    let user = json!({"user": person("5001", "real@example.com", "Member")});
    let taken_in = network.post("/advertisers/a2/users", user).expect(201);
    assert!(taken_in.header("trunkline-warning").unwrap().starts_with("user: user 5001"));
    // Users whom the network created give no warning.
    let known = network.put("/advertisers/a2", json!({"users": [body::user("7")]})).expect(200);
    assert_eq!(known.header("trunkline-warning"), None);
}

#[test]
fn session_ends_when_a_grant_or_an_address_of_its_user_changes() {
    let server = Server::start();
    let network = server.network();
    network.has_affiliate("f1");
    network.has_affiliate("f2");
    let put_users = |organization: &str, users: Value| {
        network.put(organization, json!({ "users": users })).expect(200);
    };
    put_users("/affiliates/f1", json!([person("1", "one@example.com", "Super")]));
    let sign_in = || sign_in_by_token(&server, &network, "/affiliates/f1", "one@example.com");
    let change = |organization: &str, users: Value| {
        let cookie = sign_in();
        assert_eq!(status_with_cookie(&server, &cookie, "/affiliates/f1"), 200);
        put_users(organization, users);
        status_with_cookie(&server, &cookie, "/affiliates/f1")
    };
    let mut renamed = person("1", "one@example.com", "Super");
    renamed["first_name"] = "New".into();
    assert_eq!(change("/affiliates/f1", json!([renamed])), 200, "a name changes no grant");
    let more = json!([person("1", "one@example.com", "Super"), body::user("2")]);
    assert_eq!(change("/affiliates/f1", more), 200, "another user's grant");
    let demoted = json!([person("1", "one@example.com", "Observer")]);
    assert_eq!(change("/affiliates/f1", demoted.clone()), 401, "a role");
    let elsewhere = json!([person("1", "one@example.com", "Member")]);
    assert_eq!(change("/affiliates/f2", elsewhere), 401, "a grant more");
    assert_eq!(change("/affiliates/f2", json!([])), 401, "a grant less");
    let cookie = sign_in();
    put_users("/affiliates/f1", json!([person("1", "other@example.com", "Observer")]));
    assert_eq!(status_with_cookie(&server, &cookie, "/affiliates/f1"), 401, "an address");
}

#[test]
fn one_time_token_carries_the_grant_of_its_organization_only() {
    let server = Server::start();
    let network = server.network();
    network.has_affiliate("f1");
    network.has_affiliate("f2");
    for path in ["/affiliates/f1", "/affiliates/f2"] {
        network.put(path, json!({"users": [body::user("1")]})).expect(200);
    }
    let cookie = sign_in_by_token(&server, &network, "/affiliates/f1", "user1@example.com");
    assert_eq!(status_with_cookie(&server, &cookie, "/affiliates/f1"), 200);
    assert_eq!(status_with_cookie(&server, &cookie, "/affiliates/f2"), 404);
    // A password carries all grants of the moment.
    let cookie = server.sign_in("user1@example.com");
    assert_eq!(status_with_cookie(&server, &cookie, "/affiliates/f2"), 200);
}
