//! API tokens as a resource: who may create, list and delete them, and the day of their last use.

use serde_json::{Value, json};
use trunkline_domain::party::{PartyKind, Role};
use trunkline_tests::{Client, Server, assert_json_eq, run, table_rows};

/// Server with the affiliates f1 and f2 and the advertiser a1.
fn world() -> (Server, Client) {
    let server = Server::start();
    let network = server.network();
    network.has_affiliate("f1");
    network.has_affiliate("f2");
    network.has_advertiser("a1");
    (server, network)
}

fn create(client: &Client, body: Value) -> Value {
    client.extensions().post("/tokens", body).body(201)
}

fn client_of(token: &Value, client: &Client) -> Client {
    client.with_token(token["token"].as_str())
}

fn ids(list: &Value) -> Vec<i64> {
    let items = list.as_array().expect("a list").iter();
    items.map(|token| token["id"].as_i64().expect("an id")).collect()
}

#[test]
fn token_is_created_used_and_deleted() {
    let server = Server::start();
    let network = server.network();
    let extensions = network.extensions();
    network.has_affiliate("f1");
    let body = json!({"label": "Nightly report", "role": "Observer", "scope": {"affiliate": "f1"},
        "expires_at": "2199-12-31 10:00:00", "id": 7});
    let response = extensions.post("/tokens", body).expect(201);
    assert_eq!(response.header("trunkline-ignored"), Some("id"));
    let created = response.json();
    let mut shown = created.clone();
    let secret = shown.as_object_mut().and_then(|map| map.remove("token")).expect("a token");
    let secret = secret.as_str().expect("text");
    assert_json_eq(
        &shown,
        &json!({"id": created["id"], "label": "Nightly report", "role": "Observer",
            "scope": {"affiliate": "f1"}, "expires_at": "2199-12-31 10:00:00 -0800",
            "last_used_on": null}),
    );
    let affiliate = client_of(&created, &network);
    affiliate.get("/affiliates/f1").expect(200);
    affiliate.put("/affiliates/f1", json!({"name": "New"})).expect(403);
    // The list contains the token of the network and the new one, without secrets.
    let list = extensions.get("/tokens").body(200);
    assert_eq!(list.as_array().map(Vec::len), Some(2), "{list}");
    assert!(!list.to_string().contains("tl_"), "{list}");
    assert_eq!(list[0]["scope"], json!({"network": server.network_id().get()}));
    assert!(list.as_array().expect("a list").iter().all(|token| {
        token["last_used_on"].as_str().is_some_and(|day| day.len() == 10 && day.starts_with("20"))
    }));
    let rows = table_rows(server.database());
    assert!(rows.values().flatten().all(|row| !row.contains(secret)), "only a hash is stored");
    let entry = network.audit_entries(Some(&format!("token:{}", created["id"]))).remove(0);
    assert_eq!((&entry["action"], &entry["after"]["role"]), (&json!("create"), &json!("Observer")));
    // Deleted, it is refused by the next request, and deleting it again changes nothing.
    let path = format!("/tokens/{}", created["id"]);
    extensions.delete(&path).assert_json(200, &json!({}));
    affiliate.get("/affiliates/f1").expect(401);
    extensions.delete(&path).assert_json(200, &json!({}));
    let entries = network.audit_entries(Some(&format!("token:{}", created["id"])));
    let actions: Vec<&str> = entries.iter().filter_map(|entry| entry["action"].as_str()).collect();
    assert_eq!(actions, ["create", "delete"]);
    assert_eq!(extensions.get("/tokens").body(200).as_array().map(Vec::len), Some(1));
    for unknown in ["/tokens/999", "/tokens/x", "/tokens/0"] {
        extensions.delete(unknown).assert_error(404, "RecordNotFound");
    }
    // The command line sees the same rows.
    let network_id = server.network_id().to_string();
    let arguments = ["token", "list", "--network", &network_id, "--database", server.database()];
    let lines = String::from_utf8(run(&arguments).stdout).expect("text");
    let line = lines.lines().find(|line| line.contains("Nightly report")).expect("the token");
    let line: Value = serde_json::from_str(line).expect("JSON");
    assert_eq!((&line["id"], &line["scope"]), (&created["id"], &json!("affiliate")));
    assert!(line["revoked_at"].is_string(), "{line}");
}

#[test]
fn tokens_need_a_manager_and_no_higher_role() {
    let (server, network) = world();
    let party = |id: &str, role| server.party(PartyKind::Affiliate, id, role);
    let f1 = || json!({"affiliate": "f1"});
    let own = json!({"network": server.network_id().get()});
    for (client, role, scope, status) in [
        (network.clone(), "Super", own.clone(), 201),
        (network.clone(), "Super", f1(), 201),
        (server.network_with_role(Role::Manager), "Manager", json!({"advertiser": "a1"}), 201),
        (server.network_with_role(Role::Manager), "Super", f1(), 403),
        (server.network_with_role(Role::Manager), "Super", own.clone(), 403),
        (server.network_with_role(Role::Member), "Observer", f1(), 403),
        (server.observer(), "Observer", f1(), 403),
        (party("f1", Role::Super), "Super", f1(), 201),
        (party("f1", Role::Manager), "Manager", Value::Null, 201),
        (party("f1", Role::Manager), "Super", f1(), 403),
        (party("f1", Role::Member), "Observer", f1(), 403),
        (party("f1", Role::Observer), "Observer", Value::Null, 403),
        (party("f1", Role::Super), "Observer", json!({"affiliate": "f2"}), 404),
        (party("f1", Role::Super), "Observer", json!({"affiliate": "nobody"}), 404),
        (party("f1", Role::Super), "Observer", json!({"advertiser": "a1"}), 404),
        (party("f1", Role::Super), "Observer", own, 403),
    ] {
        let mut body = json!({"role": role});
        if !scope.is_null() {
            body["scope"] = scope.clone();
        }
        let response = client.extensions().post("/tokens", body);
        assert_eq!(response.status, status, "{role} {scope}: {}", response.text());
        if status == 201 && scope.is_null() {
            assert_eq!(response.json()["scope"], json!({"affiliate": "f1"}), "its own scope");
        }
    }
    let manager = server.network_with_role(Role::Manager).extensions();
    let above = manager.post("/tokens", json!({"role": "Super"}));
    above.assert_invalid(&json!({"role": ["is above your own"]}));
    let reachless = party("f1", Role::Super).extensions();
    let scope = json!({"network": server.network_id().get()});
    let beyond = reachless.post("/tokens", json!({"role": "Member", "scope": scope}));
    beyond.assert_invalid(&json!({"scope": ["is beyond your own"]}));
    for client in [server.network_with_role(Role::Member), server.observer()] {
        client.extensions().get("/tokens").assert_error(403, "UnauthorizedOperation");
    }
}

#[test]
fn party_lists_and_deletes_its_own_tokens_only() {
    let (server, network) = world();
    let f1 = server.affiliate("f1");
    let own = create(&f1, json!({"role": "Member", "label": null}));
    let foreign = create(&network, json!({"role": "Observer", "scope": {"affiliate": "f2"}}));
    let whole = create(&network, json!({"role": "Observer"}));
    let listed = ids(&f1.extensions().get("/tokens").body(200));
    assert!(
        listed.contains(&own["id"].as_i64().expect("an id")) && listed.len() == 2,
        "{listed:?}"
    );
    for token in [&foreign, &whole] {
        let response = f1.extensions().delete(&format!("/tokens/{}", token["id"]));
        let message = response.assert_error(404, "RecordNotFound");
        assert_eq!(message, format!("Could not find Token {}", token["id"]));
        let path = if token == &whole { "/network" } else { "/affiliates/f2" };
        client_of(token, &network).get(path).expect(200);
    }
    // A Member may not, a Manager may not delete a Super, and one may delete itself.
    let own_path = format!("/tokens/{}", own["id"]);
    client_of(&own, &network).extensions().delete(&own_path).expect(403);
    let manager = create(&f1, json!({"role": "Manager"}));
    let supers = create(&f1, json!({"role": "Super"}));
    let as_manager = client_of(&manager, &network);
    let refused = as_manager.extensions().delete(&format!("/tokens/{}", supers["id"]));
    let message = refused.assert_error(403, "UnauthorizedOperation");
    assert!(message.ends_with("is above your own"), "{message}");
    as_manager.extensions().delete(&own_path).expect(200);
    client_of(&own, &network).get("/affiliates/f1").expect(401);
    as_manager.extensions().delete(&format!("/tokens/{}", manager["id"])).expect(200);
    as_manager.get("/affiliates/f1").expect(401);
    server.network_with_role(Role::Manager).extensions().delete("/tokens/1").expect(403);
}

#[test]
fn every_problem_of_a_token_is_reported_at_its_place() {
    let (server, network) = world();
    let extensions = network.extensions();
    let long = "x".repeat(256);
    let body = json!({"label": long, "role": "Boss", "scope": {"edge": 5}, "expires_at": "soon"});
    extensions.post("/tokens", body).assert_invalid(&json!({
        "label": ["is too long (maximum is 255 characters)"],
        "role": ["is not included in the list"],
        "scope": ["cannot be an edge: this server has no edges"],
        "expires_at": ["is invalid"],
    }));
    let past = json!({"expires_at": "2001-01-01", "scope": {"network": "999"}});
    extensions.post("/tokens", past).assert_invalid(&json!({
        "role": ["can't be blank"],
        "scope": {"network": ["is not the network of the path"]},
        "expires_at": ["must be in the future"],
    }));
    let one = "must name one of network, advertiser and affiliate";
    for (scope, problems) in [
        (json!({}), json!([one])),
        (json!({"affiliate": "f1", "advertiser": "a1"}), json!([one])),
        (json!({"affiliate": null}), json!({"affiliate": ["can't be blank"]})),
        (json!({"network": "x"}), json!({"network": ["is invalid"]})),
        (
            json!({"broker": "1"}),
            json!({"broker": ["is not a kind of scope: use network, advertiser or affiliate"]}),
        ),
        (json!("network"), json!(["is invalid"])),
    ] {
        let response = extensions.post("/tokens", json!({"role": "Member", "scope": scope}));
        response.assert_invalid(&json!({"scope": problems}));
    }
    assert_eq!(ids(&extensions.get("/tokens").body(200)).len(), 1, "nothing was created");
    assert!(network.audit_entries(Some("token:2")).is_empty());
    drop(server);
}

#[test]
fn tokens_are_listed_in_pages() {
    let (_server, network) = world();
    let created: Vec<i64> = (0..5)
        .map(|_| create(&network, json!({"role": "Observer"}))["id"].as_i64().expect("an id"))
        .collect();
    let extensions = network.extensions();
    let first = extensions.get("/tokens?limit=3").expect(200);
    assert_eq!(ids(&first.json())[1..], created[..2]);
    let link = first.header("link").expect("a next page").to_owned();
    assert!(link.contains(&format!("start_after_id={}", created[1])), "{link}");
    let rest = extensions.get(&format!("/tokens?start_after_id={}", created[1])).body(200);
    assert_eq!(ids(&rest), created[2..]);
}

#[test]
fn repeated_request_creates_one_token_and_does_not_return_it_again() {
    let (_server, network) = world();
    let send = |role: &str| {
        let request = network.extensions().request("POST", "/tokens");
        request.header("Idempotency-Key", "k1").json(&json!({"role": role})).send()
    };
    let first = send("Member").body(201);
    let again = send("Member").body(201);
    assert_eq!(first["id"], again["id"]);
    assert!(first["token"].is_string() && again.get("token").is_none(), "{again}");
    send("Observer").assert_error(403, "UnauthorizedOperation");
    assert_eq!(ids(&network.extensions().get("/tokens").body(200)).len(), 2);
}

#[test]
fn day_of_the_last_use_is_written_once_and_survives_a_restart() {
    let mut server = Server::start();
    let created = create(&server.network(), json!({"role": "Observer"}));
    let unused = create(&server.network(), json!({"role": "Observer"}));
    let user = client_of(&created, &server.network());
    (0..50).for_each(|_| drop(user.get("/network").expect(200)));
    assert_eq!(server.table_rows()["token_uses"], Vec::<String>::new(), "reads write nothing");
    assert!(server.stop());
    let stored = server.table_rows()["token_uses"].clone();
    assert_eq!(stored.len(), 2, "the network's token and the used one: {stored:?}");
    server.restart();
    let list = server.network().extensions().get("/tokens").body(200);
    let day_of = |token: &Value| {
        let mut tokens = list.as_array().expect("a list").iter();
        tokens.find(|listed| listed["id"] == token["id"]).expect("listed")["last_used_on"].clone()
    };
    assert!(day_of(&created).is_string() && day_of(&unused).is_null(), "{list}");
}

#[test]
fn deleted_token_is_rejected_on_every_server() {
    let (server, network) = world();
    let sibling = server.start_sibling();
    let created = create(&network, json!({"role": "Observer"}));
    let on_sibling = client_of(&created, &sibling.network());
    on_sibling.get("/network").expect(200);
    network.extensions().delete(&format!("/tokens/{}", created["id"])).expect(200);
    on_sibling.get("/network").expect(401);
    client_of(&created, &network).get("/network").expect(401);
}
