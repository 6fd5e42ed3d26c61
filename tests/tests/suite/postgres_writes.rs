//! Writes that PostgreSQL refuses after nobody waited for it: `./test --postgres postgres_writes`.

use postgres::{Client as Sql, NoTls};
use serde_json::{Value, json};
use trunkline_tests::{Client, Server, body};

/// Clients that write at once.
const CLIENTS: usize = 60;

/// Makes the database refuse rows of a table by a condition on the new row.
fn refuse(server: &Server, table: &str, condition: &str) {
    let mut sql = Sql::connect(server.database(), NoTls).expect("the database");
    let function = "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'no'; END $$";
    sql.batch_execute(function).expect("a function");
    let trigger = format!(
        "CREATE TRIGGER refused BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW
         WHEN ({condition}) EXECUTE FUNCTION refuse()"
    );
    sql.batch_execute(&trigger).expect("a trigger");
}

/// Everybody writes at once; the answers' statuses, by client.
fn at_once(write: impl Fn(usize) -> u16 + Sync) -> Vec<u16> {
    std::thread::scope(|scope| {
        let write = &write;
        let all: Vec<_> = (0..CLIENTS).map(|client| scope.spawn(move || write(client))).collect();
        all.into_iter().map(|one| one.join().expect("an answer")).collect()
    })
}

fn is_bad(client: usize) -> bool {
    client % 7 == 3
}

fn named(client: usize) -> Value {
    body::affiliate(&format!("{} {client}", if is_bad(client) { "bad" } else { "good" }))
}

fn entries(network: &Client, client: usize) -> usize {
    network.audit(Some(&format!("affiliate:{client}"))).len()
}

/// By the row itself, and by what is written after it.
#[test]
fn on_postgres_a_write_that_fails_late_fails_alone() {
    for (table, condition) in
        [("parties", "NEW.name LIKE 'bad%'"), ("audit", "NEW.after LIKE '%\"bad%'")]
    {
        let server = Server::start_with(&["--rate-limit", "0"]);
        let network = server.network();
        for client in 0..CLIENTS {
            network.has_affiliate(&client.to_string());
        }
        refuse(&server, table, condition);
        for round in 1..=3 {
            let statuses = at_once(|client| {
                let mut affiliate = named(client);
                let name = format!("{} {round}", affiliate["name"].as_str().expect("a name"));
                affiliate["name"] = name.into();
                network.put(&format!("/affiliates/{client}"), affiliate).status
            });
            for (client, status) in statuses.into_iter().enumerate() {
                assert_eq!(status, if is_bad(client) { 500 } else { 200 }, "{table} {client}");
                let shown = network.get(&format!("/affiliates/{client}")).body(200);
                let is_new = shown["name"] == format!("good {client} {round}");
                assert_eq!(is_new, !is_bad(client), "{shown}");
                let written = if is_bad(client) { 1 } else { 1 + round };
                assert_eq!(entries(&network, client), written, "{table} {client}");
            }
        }
    }
}

/// Calls that are told at once are stored together, and those that cannot be are refused alone.
#[test]
fn on_postgres_a_call_that_fails_late_fails_alone() {
    for (table, condition) in
        [("calls", "NEW.external_id LIKE 'bad%'"), ("events", "NEW.body LIKE '%\"duration\":7,%'")]
    {
        let server = Server::start_with(&["--rate-limit", "0"]);
        let network = server.network();
        network.has_live_campaign("354", "12", json!({"timezone": "UTC"}));
        let tell = |client: usize| {
            let (id, duration) = if is_bad(client) { ("bad", 7) } else { ("good", 90) };
            let call = json!({"external_call_unique_id": format!("{id} {client}"),
                "start_time": "2200-01-01", "advertiser_campaign_id_from_network": "12",
                "duration_in_seconds": duration});
            network.post("/calls", json!({"call": call})).status
        };
        assert_eq!(tell(CLIENTS * 7), 201);
        refuse(&server, table, condition);
        let statuses = at_once(tell);
        for (client, status) in statuses.iter().enumerate() {
            assert_eq!(*status, if is_bad(client) { 500 } else { 201 }, "{table} {client}");
        }
        // What was taken is there, once.
        let good = (0..CLIENTS).filter(|client| !is_bad(*client));
        assert_eq!(network.ledger().len(), 1 + good.clone().count());
        assert!(good.into_iter().all(|client| tell(client) == 202));
    }
}

/// What fails with the commit was nobody's.
#[test]
fn on_postgres_a_commit_that_fails_is_told_to_all() {
    let server = Server::start_with(&["--rate-limit", "0"]);
    let network = server.network();
    for client in 0..CLIENTS {
        network.has_affiliate(&client.to_string());
    }
    let mut sql = Sql::connect(server.database(), NoTls).expect("the database");
    sql.batch_execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN RAISE EXCEPTION 'no'; END $$;
         CREATE CONSTRAINT TRIGGER refused AFTER UPDATE ON parties DEFERRABLE INITIALLY DEFERRED
         FOR EACH ROW WHEN (NEW.name LIKE 'bad%') EXECUTE FUNCTION refuse()",
    )
    .expect("a trigger");
    let statuses =
        at_once(|client| network.put(&format!("/affiliates/{client}"), named(client)).status);
    for (client, status) in statuses.into_iter().enumerate() {
        let shown = network.get(&format!("/affiliates/{client}")).body(200);
        let is_new = shown["name"] == named(client)["name"];
        assert_eq!(is_new, status == 200, "{client}: {status}, {shown}");
        assert!(!(is_bad(client) && is_new), "{client}");
        assert_eq!(entries(&network, client), if is_new { 2 } else { 1 });
    }
    // And it goes on.
    assert_eq!(network.put("/affiliates/1", json!({"name": "good again"})).status, 200);
}
