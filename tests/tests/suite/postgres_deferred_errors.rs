//! Errors of deferred PostgreSQL statements: `./test --postgres deferred_errors`.

use postgres::{Client as Sql, NoTls};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use trunkline_tests::{Client, Response, Server, body};

/// Concurrent clients.
const CLIENTS: usize = 60;

/// Adds a trigger that rejects rows of a table by a condition on the new row.
fn add_rejecting_trigger(server: &Server, table: &str, condition: &str) {
    let mut sql = Sql::connect(server.database(), NoTls).expect("the database");
    let function = "CREATE OR REPLACE FUNCTION reject_row() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'no'; END $$";
    sql.batch_execute(function).expect("a function");
    let trigger = format!(
        "CREATE TRIGGER refused BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW
         WHEN ({condition}) EXECUTE FUNCTION reject_row()"
    );
    sql.batch_execute(&trigger).expect("a trigger");
}

/// Writes from all clients concurrently. Returns the response to each client.
fn write_concurrently(write: impl Fn(usize) -> Response + Sync) -> Vec<Response> {
    std::thread::scope(|scope| {
        let write = &write;
        let all: Vec<_> = (0..CLIENTS).map(|client| scope.spawn(move || write(client))).collect();
        all.into_iter().map(|one| one.join().expect("an answer")).collect()
    })
}

#[track_caller]
fn assert_status(response: &Response, expected: u16, table: &str, client: usize) {
    assert_eq!(response.status, expected, "{table}, client {client}: {}", response.text());
}

fn is_bad(client: usize) -> bool {
    client % 7 == 3
}

fn affiliate_of_client(client: usize) -> Value {
    body::affiliate(&format!("{} {client}", if is_bad(client) { "bad" } else { "good" }))
}

fn audit_entry_count(network: &Client, client: usize) -> usize {
    network.audit_entries(Some(&format!("affiliate:{client}"))).len()
}

/// The trigger rejects the row itself, or a row that is written after it.
#[test]
fn on_postgres_deferred_error_fails_only_its_own_write() {
    for (table, condition) in
        [("parties", "NEW.name LIKE 'bad%'"), ("audit", "NEW.after LIKE '%\"bad%'")]
    {
        let server = Server::builder().arguments(&["--rate-limit", "0"]).start();
        let network = server.network();
        for client in 0..CLIENTS {
            network.has_affiliate(&client.to_string());
        }
        add_rejecting_trigger(&server, table, condition);
        for round in 1..=3 {
            let responses = write_concurrently(|client| {
                let mut affiliate = affiliate_of_client(client);
                let name = format!("{} {round}", affiliate["name"].as_str().expect("a name"));
                affiliate["name"] = name.into();
                network.put(&format!("/affiliates/{client}"), affiliate)
            });
            for (client, response) in responses.iter().enumerate() {
                assert_status(response, if is_bad(client) { 500 } else { 200 }, table, client);
                let current = network.get(&format!("/affiliates/{client}")).body(200);
                let is_new = current["name"] == format!("good {client} {round}");
                assert_eq!(is_new, !is_bad(client), "{current}");
                let written = if is_bad(client) { 1 } else { 1 + round };
                assert_eq!(audit_entry_count(&network, client), written, "{table} {client}");
            }
        }
    }
}

/// Concurrent calls are stored in one batch, and those that the database rejects fail alone.
#[test]
fn on_postgres_deferred_error_fails_only_its_own_call() {
    for (table, condition) in
        [("calls", "NEW.external_id LIKE 'bad%'"), ("events", "NEW.body LIKE '%\"duration\":7,%'")]
    {
        let server = Server::builder().arguments(&["--rate-limit", "0"]).start();
        let network = server.network();
        network.has_live_campaign("354", "12", json!({"timezone": "UTC"}));
        let report_call = |client: usize| {
            let (id, duration) = if is_bad(client) { ("bad", 7) } else { ("good", 90) };
            let call = json!({"external_call_unique_id": format!("{id} {client}"),
                "start_time": "2200-01-01", "advertiser_campaign_id_from_network": "12",
                "duration_in_seconds": duration});
            network.post("/calls", json!({"call": call}))
        };
        report_call(CLIENTS * 7).expect(201);
        add_rejecting_trigger(&server, table, condition);
        let responses = write_concurrently(report_call);
        for (client, response) in responses.iter().enumerate() {
            assert_status(response, if is_bad(client) { 500 } else { 201 }, table, client);
        }
        // Each acknowledged call is stored once.
        let good = (0..CLIENTS).filter(|client| !is_bad(*client));
        assert_eq!(network.ledger().len(), 1 + good.clone().count());
        assert!(good.into_iter().all(|client| report_call(client).status == 202));
    }
}

/// Process ids of the PostgreSQL backends that serve the server's connections.
fn server_connections(server: &Server) -> BTreeSet<i32> {
    let mut sql = Sql::connect(server.database(), NoTls).expect("the database");
    let query = "SELECT pid FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'trunkline'";
    let rows = sql.query(query, &[]).expect("the list of connections");
    rows.iter().map(|row| row.get(0)).collect()
}

/// The statements of a batch are prepared when the first batch is stored. A later batch sends them without
/// waiting, so an error of one of them must not break the connection.
#[test]
fn on_postgres_deferred_error_in_a_prepared_batch_keeps_the_connection() {
    let server = Server::builder().arguments(&["--rate-limit", "0"]).start();
    let network = server.network();
    network.has_live_campaign("354", "12", json!({"timezone": "UTC"}));
    let report_lines = |ids: &[String]| -> Vec<u64> {
        let line = |id: &String| {
            let call = json!({"external_call_unique_id": id, "start_time": "2200-01-01",
                "advertiser_campaign_id_from_network": "12", "duration_in_seconds": 90});
            format!("{}\n", json!({"call": call}))
        };
        let body: String = ids.iter().map(line).collect();
        let request = network.request("POST", "/calls");
        let request = request.header("Content-Type", "application/x-ndjson");
        let results = request.bytes(body.as_bytes()).send().expect(200).text();
        let results = results.lines().map(serde_json::from_str::<Value>);
        results.map(|result| result.expect("JSON")["status"].as_u64().expect("a status")).collect()
    };
    let ids = |kind: &str| -> Vec<String> { (0..10).map(|at| format!("{kind} {at}")).collect() };
    assert_eq!(report_lines(&ids("first")), [201; 10]);
    add_rejecting_trigger(&server, "calls", "NEW.external_id LIKE 'bad%'");
    let mut mixed = ids("good");
    mixed[4] = "bad".to_owned();
    let connections = server_connections(&server);
    let mut expected = [201; 10];
    expected[4] = 500;
    assert_eq!(report_lines(&mixed), expected);
    // A lost connection would fail the other writes of the group with 503.
    assert!(server_connections(&server).is_superset(&connections), "a connection was lost");
    assert_eq!(report_lines(&ids("last")), [201; 10]);
}

/// An error at the commit fails all writes of the transaction.
#[test]
fn on_postgres_commit_error_fails_all_writes_of_the_group() {
    let server = Server::builder().arguments(&["--rate-limit", "0"]).start();
    let network = server.network();
    for client in 0..CLIENTS {
        network.has_affiliate(&client.to_string());
    }
    let mut sql = Sql::connect(server.database(), NoTls).expect("the database");
    sql.batch_execute(
        "CREATE FUNCTION reject_row() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN RAISE EXCEPTION 'no'; END $$;
         CREATE CONSTRAINT TRIGGER refused AFTER UPDATE ON parties DEFERRABLE INITIALLY DEFERRED
         FOR EACH ROW WHEN (NEW.name LIKE 'bad%') EXECUTE FUNCTION reject_row()",
    )
    .expect("a trigger");
    let responses = write_concurrently(|client| {
        network.put(&format!("/affiliates/{client}"), affiliate_of_client(client))
    });
    for (client, response) in responses.iter().enumerate() {
        let status = response.status;
        let current = network.get(&format!("/affiliates/{client}")).body(200);
        let is_new = current["name"] == affiliate_of_client(client)["name"];
        assert_eq!(is_new, status == 200, "{client}: {status}, {current}");
        assert!(!(is_bad(client) && is_new), "{client}");
        assert_eq!(audit_entry_count(&network, client), if is_new { 2 } else { 1 });
    }
    // Later writes succeed.
    assert_eq!(network.put("/affiliates/1", json!({"name": "good again"})).status, 200);
}
