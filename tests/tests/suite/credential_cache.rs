//! A cached credential is never used after it changed, by another server, by the command line, or by a
//! cascade in the database.

use serde_json::{Value, json};
use trunkline_tests::{Client, Server, body, run};

/// Starts three servers on one database.
fn three_servers(first: Server) -> [Server; 3] {
    let second = first.start_sibling();
    let third = first.start_sibling();
    [first, second, third]
}

/// Creates a token on the command line. Returns its id, and a client of every server that uses it.
fn create_token(servers: &[Server; 3], more: &[&str]) -> (String, [Client; 3]) {
    let network = servers[0].network_id().to_string();
    let database = servers[0].database();
    let arguments = ["token", "create", "--network", &network, "--database", database];
    let output = run(&[&arguments[..], more].concat());
    let created: Value = serde_json::from_slice(&output.stdout).expect("one line of JSON");
    let secret = created["token"].as_str().expect("a token");
    let clients = servers.each_ref().map(|server| server.network().with_token(Some(secret)));
    (created["id"].to_string(), clients)
}

fn revoke_token(server: &Server, id: &str) {
    let network = server.network_id().to_string();
    let database = server.database();
    let output =
        run(&["token", "revoke", "--network", &network, "--id", id, "--database", database]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Sends a request of each kind: a single-statement read, a snapshot, a list, a write, lines, and requests
/// that touch no data.
fn send_request(client: &Client, kind: usize) -> u16 {
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

const REQUEST_KINDS: usize = 8;

#[test]
fn revoked_token_is_rejected_on_every_server() {
    let servers = three_servers(Server::builder().arguments(&["--rate-limit", "0"]).start());
    servers[0].network().has_affiliate("976");
    for kind in 0..REQUEST_KINDS {
        let (id, clients) = create_token(&servers, &[]);
        for client in &clients {
            // The request fills the server's cache.
            client.get("/affiliates/976").expect(200);
            assert_ne!(send_request(client, kind), 401, "{kind}");
        }
        revoke_token(&servers[0], &id);
        for client in &clients {
            assert_eq!(send_request(client, kind), 401, "{kind}");
            client.get("/affiliates/976").expect(401);
        }
    }
    let audit = servers[0].network().audit_entries(Some("affiliate:977"));
    assert_eq!(audit.len(), 1, "the revoked wrote nothing: {audit:?}");
}

#[test]
fn revoking_a_token_keeps_other_tokens_valid() {
    let servers = three_servers(Server::start());
    servers[0].network().has_affiliate("976");
    let (_, good) = create_token(&servers, &[]);
    for _ in 0..3 {
        let (id, _) = create_token(&servers, &[]);
        revoke_token(&servers[1], &id);
        for client in &good {
            client.get("/affiliates/976").expect(200);
            client.put("/affiliates/976", json!({"name": "The same"})).expect(200);
        }
    }
}

#[test]
fn deleting_a_party_invalidates_its_token() {
    let servers = three_servers(Server::start());
    let network = servers[0].network();
    network.has_affiliate("976");
    let (_, clients) = create_token(&servers, &["--affiliate", "976"]);
    for client in &clients {
        client.get("/affiliates/976").expect(200);
    }
    network.delete("/affiliates/976").expect(200);
    for client in &clients {
        client.get("/affiliates/976").expect(401);
    }
}

#[test]
fn changed_sandbox_clock_is_visible_on_every_server() {
    let servers = three_servers(Server::builder().sandbox().start());
    let clients = servers.each_ref().map(Server::network);
    clients[0].has_advertiser("354");
    for (logged_at, year) in (2040..2046).enumerate() {
        let now = format!("{year}-03-04T05:06:07Z");
        let set = clients[logged_at % 3].extensions().post("/sandbox/clock", json!({"now": now}));
        set.expect(200);
        for (client, name) in clients.iter().zip(["a", "b", "c"]) {
            let name = json!({"name": format!("{year} {name}")});
            client.put("/advertisers/354", name).expect(200);
            let log = client.audit_entries(Some("advertiser:354"));
            let logged_at = log.last().expect("an entry")["at"].as_str().expect("a time");
            assert!(logged_at.starts_with(&format!("{year}-03-")), "{logged_at}");
        }
    }
}
