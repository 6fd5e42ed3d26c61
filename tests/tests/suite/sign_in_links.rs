//! Sign-in links: who may create one, and what the page does with it.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::sync::{Arc, Barrier};
use trunkline_domain::party::{PartyKind, Role};
use trunkline_network::{credentials, sign_in_links};
use trunkline_tests::{Client, Response, Server, body, table_rows};

const PASSWORD: &str = "correct horse battery";

fn person(id: &str, role: &str) -> Value {
    let mut user = body::user(id);
    user["role"] = role.into();
    user
}

/// Creates a link. Returns its path and query.
fn create_link(client: &Client, user: &str) -> String {
    let link = client.extensions().post(&format!("/users/{user}/sign_in_links"), json!({}));
    let url = link.body(201)["url"].as_str().expect("a url").to_owned();
    let (_, path) = url.split_once("/sign_in_link?").expect("the page of links");
    format!("/sign_in_link?{path}")
}

fn open(server: &Server, link: &str, cookie: Option<&str>) -> Response {
    let mut request = server.anon().absolute_paths().request("GET", link);
    if let Some(cookie) = cookie {
        request = request.header("Cookie", cookie);
    }
    request.send()
}

/// Sends the form of a link.
fn submit(server: &Server, link: &str, fields: &str, cookie: Option<&str>) -> Response {
    let (_, token) = link.split_once("token=").expect("a token");
    let mut request = server.anon().absolute_paths().request("POST", "/sign_in_link");
    if let Some(cookie) = cookie {
        request = request.header("Cookie", cookie);
    }
    request = request.header("Content-Type", "application/x-www-form-urlencoded");
    request.bytes(format!("token={token}&{fields}").as_bytes()).send()
}

fn both(password: &str) -> String {
    let password = password.replace(' ', "+");
    format!("password={password}&repeated={password}")
}

fn session_of(response: &Response) -> String {
    let cookie = response.header("set-cookie").expect("a session starts");
    cookie.split(';').next().expect("a cookie").to_owned()
}

fn status_with_cookie(server: &Server, cookie: &str, path: &str) -> u16 {
    server.anon().request("GET", path).header("Cookie", cookie).send().status
}

fn world() -> (Server, Client) {
    let server = Server::start();
    let network = server.network();
    network
        .put("/network", json!({"users": [person("n1", "Super"), person("n2", "Member")]}))
        .expect(200);
    network.has_affiliate("f1");
    network.has_affiliate("f2");
    network.put("/affiliates/f1", json!({"users": [person("u1", "Manager")]})).expect(200);
    network.put("/affiliates/f2", json!({"users": [person("u2", "Member")]})).expect(200);
    (server, network)
}

#[test]
fn link_sets_a_password_and_signs_in_once() {
    let (server, network) = world();
    let response = network.extensions().post("/users/u1/sign_in_links", json!({})).expect(201);
    let text = response.text();
    assert!(text.starts_with("{\"url\":") && text.contains("\"expires_at\":"), "{text}");
    // A session of the tests starts in the future, which deletes what has expired by then.
    let before = server.sign_in("useru1@example.com");
    let link = create_link(&network, "u1");
    // Only the newest link is valid, and opening it changes nothing.
    let first = response.json()["url"].as_str().expect("a url").to_owned();
    let (_, first) = first.split_once("/sign_in_link?").expect("the page of links");
    assert_eq!(open(&server, &format!("/sign_in_link?{first}"), None).status, 401);
    for _ in 0..2 {
        let page = open(&server, &link, None).expect(200);
        assert_eq!(page.header("set-cookie"), None);
        let text = page.text();
        assert!(text.contains("User u1") && text.contains("useru1@example.com"), "{text}");
        assert!(text.contains("name=\"viewport\"") && !text.contains("<script"), "{text}");
    }
    let signed_in = submit(&server, &link, &both(PASSWORD), None);
    assert_eq!((signed_in.status, signed_in.header("location")), (303, Some("/")));
    let cookie = session_of(&signed_in);
    assert_eq!(status_with_cookie(&server, &cookie, "/affiliates/f1"), 200);
    assert_eq!(status_with_cookie(&server, &before, "/affiliates/f1"), 401, "others end");
    for again in [open(&server, &link, None), submit(&server, &link, &both("another one"), None)] {
        assert_eq!((again.status, again.header("set-cookie")), (401, None));
        assert!(again.text().contains("used already"), "{}", again.text());
    }
    let form = format!("email=useru1%40example.com&password={}", PASSWORD.replace(' ', "+"));
    let login = server.anon().absolute_paths().request("POST", "/login");
    let login = login.header("Content-Type", "application/x-www-form-urlencoded");
    assert_eq!(login.bytes(form.as_bytes()).send().status, 303);
    let entries = network.extensions().get("/audit?object=user:u1").body(200);
    let actions: Vec<&str> =
        entries.as_array().expect("entries").iter().filter_map(|e| e["action"].as_str()).collect();
    assert_eq!(actions, ["create_sign_in_link", "create_sign_in_link", "set_password"]);
    assert!(entries[2]["actor"].as_str().is_some_and(|actor| actor.starts_with("user:")));
}

#[test]
fn link_is_created_by_managers_for_users_of_no_higher_role() {
    let (server, network) = world();
    let path = |user: &str| format!("/users/{user}/sign_in_links");
    let create = |client: &Client, user: &str| client.extensions().post(&path(user), json!({}));
    let manager = server.network_with_role(Role::Manager);
    let affiliate = |id: &str, role| server.party(PartyKind::Affiliate, id, role);
    for (client, user, status) in [
        (network.clone(), "n1", 201),
        (network.clone(), "u2", 201),
        (manager.clone(), "n2", 201),
        (manager.clone(), "u1", 201),
        (manager, "n1", 403),
        (server.network_with_role(Role::Member), "u2", 403),
        (server.observer(), "u2", 403),
        (affiliate("f1", Role::Super), "u1", 201),
        (affiliate("f1", Role::Manager), "u1", 201),
        (affiliate("f1", Role::Member), "u1", 403),
        (affiliate("f1", Role::Super), "u2", 404),
        (affiliate("f1", Role::Super), "n1", 404),
        (affiliate("f1", Role::Member), "u2", 404),
        (network.clone(), "nobody", 404),
    ] {
        let response = create(&client, user);
        assert_eq!(response.status, status, "{user}: {}", response.text());
    }
    let unknown = create(&affiliate("f1", Role::Super), "u2");
    assert_eq!(unknown.assert_error(404, "RecordNotFound"), "Could not find User u2");
    // The password gives the user's other grants, too.
    let users = json!({"users": [person("u1", "Member"), person("u2", "Member")]});
    network.put("/affiliates/f1", users).expect(200);
    create(&affiliate("f1", Role::Super), "u2").assert_error(403, "UnauthorizedOperation");
}

#[test]
fn link_ends_when_a_grant_of_its_user_changes() {
    let (server, network) = world();
    let link = create_link(&network, "u1");
    network.put("/affiliates/f2", json!({"users": [person("u1", "Member")]})).expect(200);
    assert_eq!(open(&server, &link, None).status, 401);
    assert_eq!(submit(&server, &link, &both(PASSWORD), None).status, 401);
}

#[test]
fn password_of_a_link_follows_the_rules() {
    let (server, network) = world();
    let link = create_link(&network, "u1");
    for (fields, expected) in [
        (both("short"), "needs 8 characters"),
        (both(&"x".repeat(1_025)), "may have 1024 bytes"),
        ("password=long-enough&repeated=long-enougH".to_owned(), "passwords differ"),
        ("password=long-enough".to_owned(), "passwords differ"),
        (both("USERu1%40example.com"), "e-mail addresses"),
        (String::new(), "needs 8 characters"),
    ] {
        let page = submit(&server, &link, &fields, None);
        assert_eq!((page.status, page.header("set-cookie")), (422, None), "{fields}");
        assert!(page.text().contains(expected), "{fields}: {}", page.text());
        assert!(page.text().contains("role=\"alert\""));
    }
    let foreign = server.anon().absolute_paths().request("POST", "/sign_in_link");
    let foreign = foreign.header("Content-Type", "application/x-www-form-urlencoded");
    let foreign = foreign.header("Sec-Fetch-Site", "cross-site").bytes(b"token=x");
    assert_eq!(foreign.send().status, 403);
    assert_eq!(submit(&server, &link, &both(PASSWORD), None).status, 303, "nothing was used up");
}

#[test]
fn link_and_token_ask_first_if_somebody_else_is_signed_in() {
    let (server, network) = world();
    let other = server.sign_in("usern2@example.com");
    let link = create_link(&network, "u1");
    let question = open(&server, &link, Some(&other)).expect(200).text();
    assert!(question.contains("You are signed in as") && question.contains("User n2"));
    assert!(question.contains("User u1") && !question.contains("type=\"password\""));
    let unconfirmed = submit(&server, &link, &both(PASSWORD), Some(&other));
    assert_eq!((unconfirmed.status, unconfirmed.header("set-cookie")), (200, None));
    let form = open(&server, &format!("{link}&switch=1"), Some(&other)).expect(200).text();
    assert!(form.contains("type=\"password\""), "{form}");
    assert_eq!(status_with_cookie(&server, &other, "/affiliates/f1"), 200, "nothing happened yet");
    let fields = format!("{}&switch=1", both(PASSWORD));
    let cookie = session_of(&submit(&server, &link, &fields, Some(&other)));
    assert_eq!(status_with_cookie(&server, &other, "/affiliates/f1"), 401, "it is replaced");

    // The same for one-time tokens of object_urls; the user's own session asks nothing.
    let token = network.post("/affiliates/f2/useru2@example.com/create_access_token", json!({}));
    let token = token.body(201)["token"].as_str().expect("a token").to_owned();
    let path = format!("/?access_token={token}");
    let question = open(&server, &path, Some(&cookie)).expect(200);
    assert_eq!(question.header("set-cookie"), None);
    assert!(question.text().contains("action=\"/switch_user\""), "{}", question.text());
    let switch = server.anon().absolute_paths().request("POST", "/switch_user");
    let switch = switch.header("Content-Type", "application/x-www-form-urlencoded");
    let switch =
        switch.header("Cookie", &cookie).bytes(format!("token={token}&next=%2F").as_bytes());
    let foreign = switch.clone().header("Sec-Fetch-Site", "cross-site").send();
    assert_eq!((foreign.status, foreign.header("set-cookie")), (403, None));
    let cookie = session_of(&switch.send().expect(303));
    assert_eq!(switch.send().status, 401, "the token is used");
    let own = network.post("/affiliates/f2/useru2@example.com/create_access_token", json!({}));
    let own = own.body(201)["token"].as_str().expect("a token").to_owned();
    assert_eq!(open(&server, &format!("/?access_token={own}"), Some(&cookie)).status, 303);
}

/// Each kind of sign-in is valid until its lifetime is over: a link 24 hours, a session 12 hours, a
/// one-time token 5 minutes.
#[test]
fn links_sessions_and_tokens_expire() {
    let (server, network) = world();
    create_link(&network, "u1");
    let entries = network.audit_entries(Some("user:u1"));
    let entry = entries.last().expect("an entry");
    let expires_at: Timestamp =
        entry["after"]["expires_at"].as_str().expect("a time").parse().expect("a time");
    // A margin for the time that the test takes.
    let margin = SignedDuration::from_mins(2);
    for (is_valid, created_before) in [(true, -margin), (false, margin)] {
        let at = |lifetime: SignedDuration| {
            expires_at - SignedDuration::from_hours(24) - lifetime - created_before
        };
        let entropy = [if is_valid { 1 } else { 2 }; 32];
        let link = server.run_use_case(at(SignedDuration::from_hours(24)), move |unit, context| {
            sign_in_links::create(unit, context, "u1", &entropy)
        });
        let page = open(&server, &format!("/sign_in_link?token={}", link.unwrap().token), None);
        assert_eq!(page.status, if is_valid { 200 } else { 401 }, "{}", page.text());
        let token = server.run_use_case(at(SignedDuration::from_mins(5)), move |unit, context| {
            let party = Some((PartyKind::Affiliate, "f1"));
            credentials::create_access_token(unit, context, party, "useru1@example.com", &entropy)
        });
        let page = open(&server, &format!("/?access_token={}", token.unwrap().secret), None);
        assert_eq!(page.status, if is_valid { 303 } else { 401 }, "{}", page.text());
        let now = at(SignedDuration::from_hours(12));
        let session = server.run_use_case(now, move |unit, context| {
            let user = unit.user_by_external_id(context.principal.network_id, "u1")?;
            credentials::start_session(unit, user.expect("a user").id, &entropy, now)
        });
        let cookie = format!("trunkline_session={}", session.unwrap().secret);
        let status = status_with_cookie(&server, &cookie, "/affiliates/f1");
        assert_eq!(status, if is_valid { 200 } else { 401 });
    }
}

#[test]
fn link_works_once_for_concurrent_requests_on_two_servers() {
    let (server, network) = world();
    let sibling = server.start_sibling();
    let link = create_link(&network, "u1");
    let barrier = Arc::new(Barrier::new(8));
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..8)
            .map(|index| {
                let server = if index % 2 == 0 { &server } else { &sibling };
                let (barrier, link) = (Arc::clone(&barrier), &link);
                scope.spawn(move || {
                    barrier.wait();
                    submit(server, link, &both(PASSWORD), None).status
                })
            })
            .collect();
        tries.into_iter().map(|thread| thread.join().expect("a response")).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 303).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 7, "{statuses:?}");
}

#[test]
fn only_the_hash_of_a_link_is_stored() {
    let (server, network) = world();
    let link = create_link(&network, "u1");
    let (_, token) = link.split_once("token=").expect("a token");
    let rows = table_rows(server.database());
    assert!(rows["sign_ins"].iter().any(|row| row.contains("link")), "{:?}", rows["sign_ins"]);
    let found = rows.values().flatten().find(|row| row.contains(token));
    assert_eq!(found, None);
}
