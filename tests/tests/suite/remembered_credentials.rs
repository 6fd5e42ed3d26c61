//! What servers remember of a credential is never used once it is no longer so, whoever changed it: another
//! server, the command line, or a trigger's cascade.

use serde_json::{Value, json};
use trunkline_tests::{Client, Server, body, run};

/// Three servers on one database.
fn three(first: Server) -> [Server; 3] {
    let (second, third) = (first.beside(), first.beside());
    [first, second, third]
}

/// A token made by another process: its id, and clients of every server that show it.
fn token(servers: &[Server; 3], more: &[&str]) -> (String, [Client; 3]) {
    let network = servers[0].network_id().to_string();
    let database = servers[0].database();
    let arguments = ["token", "create", "--network", &network, "--database", database];
    let output = run(&[&arguments[..], more].concat());
    let made: Value = serde_json::from_slice(&output.stdout).expect("one line of JSON");
    let secret = made["token"].as_str().expect("a token");
    let clients = servers.each_ref().map(|server| server.network().with_token(Some(secret)));
    (made["id"].to_string(), clients)
}

fn revoke(server: &Server, id: &str) {
    let network = server.network_id().to_string();
    let database = server.database();
    let output =
        run(&["token", "revoke", "--network", &network, "--id", id, "--database", database]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Every kind of request there is: one statement, a snapshot, a list, a write, lines, and those that touch
/// no data at all.
fn ask(client: &Client, kind: usize) -> u16 {
    let request = match kind {
        0 => client.request("GET", "/affiliates/976"),
        1 => client.request("GET", "/affiliates/nobody"),
        2 => client.request("GET", "/affiliates"),
        3 => client.request("PUT", "/affiliates/977").json(&body::affiliate("Another")),
        4 => client.extensions().request("GET", "/audit"),
        5 => client.request("PUT", "/affiliates/976").header("Content-Type", "application/json"),
        6 => client.request("GET", "/affiliates?limit=none"),
        _ => client.request("GET", "/advertisers/transactions/354.csv"),
    };
    request.send().status
}

const KINDS: usize = 8;

#[test]
fn a_token_that_was_revoked_elsewhere_is_refused_by_every_server_at_once() {
    let servers = three(Server::start_with(&["--rate-limit", "0"]));
    servers[0].network().has_affiliate("976");
    for kind in 0..KINDS {
        let (id, clients) = token(&servers, &[]);
        for client in &clients {
            // It is remembered from here on.
            client.get("/affiliates/976").expect(200);
            assert_ne!(ask(client, kind), 401, "{kind}");
        }
        revoke(&servers[0], &id);
        for client in &clients {
            assert_eq!(ask(client, kind), 401, "{kind}");
            client.get("/affiliates/976").expect(401);
        }
    }
    let audit = servers[0].network().audit(Some("affiliate:977"));
    assert_eq!(audit.len(), 1, "the revoked wrote nothing: {audit:?}");
}

#[test]
fn another_token_goes_on_when_one_is_revoked() {
    let servers = three(Server::start());
    servers[0].network().has_affiliate("976");
    let (_, good) = token(&servers, &[]);
    for _ in 0..3 {
        let (id, _) = token(&servers, &[]);
        revoke(&servers[1], &id);
        for client in &good {
            client.get("/affiliates/976").expect(200);
            client.put("/affiliates/976", json!({"name": "The same"})).expect(200);
        }
    }
}

#[test]
fn the_token_of_a_party_that_was_deleted_goes_with_it() {
    let servers = three(Server::start());
    let network = servers[0].network();
    network.has_affiliate("976");
    let (_, clients) = token(&servers, &["--affiliate", "976"]);
    for client in &clients {
        client.get("/affiliates/976").expect(200);
    }
    network.delete("/affiliates/976").expect(200);
    for client in &clients {
        client.get("/affiliates/976").expect(401);
    }
}

#[test]
fn a_clock_that_was_set_elsewhere_is_seen_by_every_server_at_once() {
    let servers = three(Server::of_a_sandbox());
    let clients = servers.each_ref().map(Server::network);
    clients[0].has_advertiser("354");
    for (at, year) in (2040..2046).enumerate() {
        let now = format!("{year}-03-04T05:06:07Z");
        let set = clients[at % 3].extensions().post("/sandbox/clock", json!({"now": now}));
        set.expect(200);
        for (client, name) in clients.iter().zip(["a", "b", "c"]) {
            let name = json!({"name": format!("{year} {name}")});
            client.put("/advertisers/354", name).expect(200);
            let log = client.audit(Some("advertiser:354"));
            let at = log.last().expect("an entry")["at"].as_str().expect("a time");
            assert!(at.starts_with(&format!("{year}-03-")), "{at}");
        }
    }
}
