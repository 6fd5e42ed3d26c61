//! Monthly partitions of calls, on PostgreSQL only: `./test --postgres call_partitions`.

use postgres::{Client as Sql, NoTls};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::thread;
use std::time::{Duration, Instant};
use trunkline_tests::{Client, Server, TestDatabase, run, table_rows};

fn connect_sql(url: &str) -> Sql {
    Sql::connect(url, NoTls).expect("the database")
}

/// First column of a query's rows.
fn query_column(sql: &mut Sql, question: &str) -> Vec<String> {
    let rows = sql.query(question, &[]).expect("rows");
    rows.iter().map(|row| row.get(0)).collect()
}

fn world() -> (Server, Client) {
    let server = Server::builder().arguments(&["--rate-limit", "0"]).start();
    let network = server.network();
    network.has_live_campaign("354", "12", json!({"timezone": "UTC"}));
    (server, network)
}

/// Reports a call that starts at this time. Returns the response's status.
fn report_call(network: &Client, id: &str, start: &str) -> u16 {
    let call = json!({"external_call_unique_id": id, "start_time": start,
        "advertiser_campaign_id_from_network": "12", "calling_phone_number": "8057089876",
        "duration_in_seconds": 90});
    network.post("/calls", json!({"call": call})).status
}

fn check(url: &str) -> Vec<Value> {
    let done = run(&["database", "check", "--database", url]);
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    let lines = text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON"));
    lines.filter(|line: &Value| line.get("rule").is_some()).collect()
}

const STARTS: [(&str, &str); 11] = [
    ("1999-12-31T23:59:59Z", "before_2010"),
    ("2009-12-31T23:59:59.999Z", "before_2010"),
    ("2010-01-01T00:00:00Z", "2010_01"),
    ("2024-02-29T23:59:59.999Z", "2024_02"),
    ("2024-03-01T00:00:00Z", "2024_03"),
    ("2026-12-31T23:59:59Z", "2026_12"),
    ("2027-01-01T00:00:00+14:00", "2026_12"),
    ("2039-12-31T23:59:59.999Z", "2039_12"),
    ("2040-01-01T00:00:00Z", "from_2040"),
    ("2200-01-01T12:00:00Z", "from_2040"),
    ("99999999999", "from_2040"),
];

#[test]
fn on_postgres_call_is_stored_in_its_months_partition() {
    let (server, network) = world();
    for (locations, (start, _)) in STARTS.iter().enumerate() {
        assert_eq!(report_call(&network, &locations.to_string(), start), 201, "{start}");
    }
    let mut sql = connect_sql(server.database());
    for table in ["calls", "transactions"] {
        let findings = query_column(
            &mut sql,
            &format!("SELECT tableoid::regclass::text FROM {table} ORDER BY id"),
        );
        let expected = STARTS.map(|(_, month)| format!("{table}_{month}"));
        assert_eq!(findings, expected);
        // No empty partition was created.
        let created = format!(
            "SELECT inhrelid::regclass::text FROM pg_inherits
             WHERE inhparent = '{table}'::regclass ORDER BY 1"
        );
        let mut expected = expected.to_vec();
        expected.dedup();
        expected.sort();
        assert_eq!(query_column(&mut sql, &created), expected);
    }
    // Calls are listed in the order of their ids, across partitions.
    let listed = network.extensions().get("/calls").body(200);
    let listed = listed.as_array().expect("a list").iter().map(|item| item["id"].as_i64());
    let listed: Vec<i64> = listed.map(|id| id.expect("an id")).collect();
    assert!(listed.len() == STARTS.len() && listed.is_sorted(), "{listed:?}");
    assert_eq!(network.ledger().len(), STARTS.len());
    for row in network.ledger() {
        let id = row["transaction_id"].as_str().expect("an id");
        let one = network.get(&network.ledger_path(&format!("?transaction_id={id}"))).body(200);
        assert_eq!(one, json!([row]));
        let call = row["complete_call_id"].as_str().expect("an id");
        let one = network.get(&network.ledger_path(&format!("?call_record_id={call}"))).body(200);
        assert_eq!(one, json!([row]));
        network
            .post_correction(
                &row["transaction_id"],
                json!({"reason": "No.", "call": {"duration": 9}}),
            )
            .expect(201);
    }
    assert_eq!(check(server.database()), Vec::<Value>::new());
}

#[test]
fn on_postgres_call_ids_are_unique_across_partitions() {
    let (server, network) = world();
    assert_eq!(report_call(&network, "1", "2026-03-05"), 201);
    assert_eq!(report_call(&network, "1", "2026-03-05"), 202);
    assert_eq!(report_call(&network, "1", "2026-04-05"), 409);
    assert_eq!(report_call(&network, "2", "2026-04-05"), 201);
    // The database itself enforces the ids that the server assigns.
    let mut sql = connect_sql(server.database());
    let columns = "network_id, campaign_id, fingerprint, body, created_at";
    let mut twice = |values: &str| {
        let into = format!(
            "INSERT INTO calls ({columns}, id, external_id, complete_call_id, start_time)
            SELECT {columns}, {values} FROM calls WHERE id = 1"
        );
        let rejected = sql.execute(&into, &[]).expect_err("the id is already used");
        rejected.code().expect("a code").code().to_owned()
    };
    let april = "1775347200000";
    assert_eq!(twice(&format!("1, 'new', 'new', {april}")), "23505");
    assert_eq!(twice(&format!("99, 'new', complete_call_id, {april}")), "23505");
    for column in ["id = 7", "external_id = 'x'", "start_time = 1", "complete_call_id = 'x'"] {
        assert!(sql.execute(&format!("UPDATE calls SET {column}"), &[]).is_err(), "{column}");
    }
    assert!(sql.execute("UPDATE transactions SET payin = 1", &[]).is_err());
    assert!(sql.execute("DELETE FROM transactions", &[]).is_err());
    assert_eq!(query_column(&mut sql, "SELECT external_id FROM call_keys ORDER BY 1"), ["1", "2"]);
    assert_eq!(check(server.database()), Vec::<Value>::new());
}

#[test]
fn on_postgres_references_of_calls_are_enforced() {
    let (server, network) = world();
    assert_eq!(report_call(&network, "1", "2200-03-05"), 201);
    let mut sql = connect_sql(server.database());
    let rejected = |sql: &mut Sql, statement: &str| {
        let rejected = sql.execute(statement, &[]).expect_err(statement);
        rejected.code().expect("a code").code().to_owned()
    };
    let calls = "network_id, campaign_id, affiliate_id, terms_id, id, external_id, fingerprint,
        complete_call_id, start_time, body, created_at";
    let rows = "id, network_id, call_id, campaign_id, advertiser_id, affiliate_id, start_time,
        payin_delta, payout_delta, body, created_at";
    for month in ["", "_from_2040"] {
        for values in ["77, 1, NULL, 1", "1, 77, NULL, 1", "1, 1, 77, 1", "1, 1, NULL, 77"] {
            let into = format!(
                "INSERT INTO calls{month} ({calls}) SELECT {values}, 9, 'x', fingerprint, 'x',
                 start_time, body, created_at FROM calls"
            );
            assert_eq!(rejected(&mut sql, &into), "23503", "{into}");
        }
        for values in [
            "77, 1, 1, 1, NULL",
            "1, 77, 1, 1, NULL",
            "1, 1, 77, 1, NULL",
            "1, 1, 1, 77, NULL",
            "1, 1, 1, 1, 77",
        ] {
            let into = format!(
                "INSERT INTO transactions{month} ({rows}) SELECT 9, {values}, start_time,
                 0, 0, body, created_at FROM transactions"
            );
            assert_eq!(rejected(&mut sql, &into), "23503", "{into}");
        }
    }
    let event = "INSERT INTO events (network_id, at, kind, body) VALUES (77, 0, 'x', '{}')";
    assert_eq!(rejected(&mut sql, event), "23503");
    // Other references are deleted first, so that only calls restrict the rest.
    for table in ["budget_totals", "call_quarters", "object_states", "memberships"] {
        sql.execute(&format!("DELETE FROM {table}"), &[]).expect("it goes");
    }
    for from in ["parties", "campaigns", "terms"] {
        let delete = format!(
            "WITH it AS (UPDATE campaigns SET current_terms_id = NULL)
            DELETE FROM {from}"
        );
        assert_eq!(rejected(&mut sql, &delete), "23503", "{delete}");
    }
    assert_eq!(
        check(server.database()).iter().filter(|item| item["rule"] == "reference").count(),
        0
    );
}

/// References that bypass the triggers are reported by `database check`.
#[test]
fn on_postgres_dangling_references_are_reported() {
    let (server, network) = world();
    assert_eq!(report_call(&network, "1", "2200-03-05"), 201);
    let mut sql = connect_sql(server.database());
    sql.batch_execute(
        "SET session_replication_role = replica; UPDATE calls SET affiliate_id = 77;
         UPDATE transactions SET call_id = 77, affiliate_id = 78; UPDATE events SET network_id = 79 WHERE id = 1;
         SET session_replication_role = DEFAULT",
    )
    .expect("it is done");
    let findings = check(server.database());
    let findings = findings.iter().filter(|item| item["rule"] == "reference");
    let mut findings: Vec<(&str, &str)> =
        findings.filter_map(|item| item["at"].as_str().zip(item["expected"].as_str())).collect();
    findings.sort_unstable();
    let expected = [
        ("calls 1", "a row of parties"),
        ("events 1", "a row of networks"),
        ("transactions 1", "a row of calls"),
        ("transactions 1", "a row of parties"),
    ];
    assert_eq!(findings, expected);
    // A detached partition rejects inserts.
    sql.batch_execute(
        "ALTER TABLE transactions DETACH PARTITION transactions_from_2040;
        ALTER TABLE calls DETACH PARTITION calls_from_2040",
    )
    .expect("they are detached");
    assert_eq!(report_call(&network, "2", "2200-03-06"), 500);
}

#[test]
fn on_postgres_partition_is_created_beside_readers() {
    let (server, network) = world();
    assert_eq!(report_call(&network, "1", "2026-03-05"), 201);
    let mut reader = connect_sql(server.database());
    let mut reading = reader.transaction().expect("a transaction");
    let all = "SELECT CAST(COUNT(*) AS TEXT) FROM calls, transactions, campaigns, parties, terms, networks";
    let mut count = || -> String { reading.query_one(all, &[]).expect("a row").get(0) };
    let before = count();
    // A writer gives up a lock after a second and rejects the request.
    assert_eq!(report_call(&network, "2", "2026-05-05"), 201);
    assert_ne!(count(), before);
    assert_eq!(network.ledger().len(), 2);
}

#[test]
fn on_postgres_servers_create_a_partition_concurrently() {
    let (first, network) = world();
    let servers = [first.start_sibling(), first.start_sibling()];
    let clients = [&first, &servers[0], &servers[1]].map(Server::network);
    for month in 1..=6 {
        let responses: Vec<u16> = thread::scope(|scope| {
            let each = clients.iter().enumerate().map(|(locations, client)| {
                let call = (format!("{month}-{locations}"), format!("2026-0{month}-15"));
                scope.spawn(move || report_call(client, &call.0, &call.1))
            });
            let running: Vec<_> = each.collect();
            running.into_iter().map(|item| item.join().expect("an answer")).collect()
        });
        assert_eq!(responses, [201, 201, 201]);
    }
    assert_eq!(network.ledger().len(), 18);
    assert_eq!(check(first.database()), Vec::<Value>::new());
}

/// A partition whose transaction was rolled back, alone or as part of a group, is created again.
#[test]
fn on_postgres_rolled_back_partition_is_created_again() {
    let (server, network) = world();
    let mut sql = connect_sql(server.database());
    let refuse = |table: &str, month: &str, when: &str| {
        format!(
            "CREATE FUNCTION refuse_{month}() RETURNS trigger LANGUAGE plpgsql AS
             $$BEGIN RAISE EXCEPTION 'not now'; END$$;
             CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON {table} DEFERRABLE INITIALLY {when}
             FOR EACH ROW EXECUTE FUNCTION refuse_{month}()"
        )
    };
    for (month, table, when, status) in [
        // After the call is stored and before its transaction row is.
        ("2026-06", "call_quarters", "IMMEDIATE", 500),
        // At the commit.
        ("2026-07", "call_keys", "DEFERRED", 500),
    ] {
        let start = format!("{month}-05");
        let name = month.replace('-', "_");
        sql.batch_execute(&refuse(table, &name, when)).expect("a trigger");
        assert_eq!(report_call(&network, month, &start), status);
        let created = format!("SELECT relname::text FROM pg_class WHERE relname = 'calls_{name}'");
        assert_eq!(query_column(&mut sql, &created), Vec::<String>::new());
        sql.batch_execute(&format!("DROP TRIGGER refuse ON {table}")).expect("no trigger");
        assert_eq!(report_call(&network, month, &start), 201);
        assert_eq!(query_column(&mut sql, &created).len(), 1);
    }
    assert_eq!(check(server.database()), Vec::<Value>::new());
}

#[test]
fn on_postgres_sandbox_reset_deletes_call_keys() {
    let server = Server::builder().sandbox().start();
    let network = server.network();
    network.has_live_campaign("354", "12", json!({"timezone": "UTC"}));
    assert_eq!(report_call(&network, "1", "2026-03-05"), 201);
    assert_eq!(report_call(&network, "2", "2200-03-05"), 201);
    network.extensions().post("/sandbox/reset", json!({})).expect(200);
    let mut sql = connect_sql(server.database());
    assert_eq!(query_column(&mut sql, "SELECT external_id FROM call_keys"), Vec::<String>::new());
}

#[test]
fn on_postgres_orphaned_call_keys_are_reported() {
    let (server, network) = world();
    assert_eq!(report_call(&network, "1", "2026-03-05"), 201);
    assert_eq!(report_call(&network, "2", "2026-04-05"), 201);
    let mut sql = connect_sql(server.database());
    let update = "UPDATE call_keys SET start_time = 1 WHERE call_id = 1;
        DELETE FROM call_keys WHERE call_id = 2; INSERT INTO call_keys VALUES (7, 1, 1, 'x', 'x')";
    sql.batch_execute(update).expect("it is broken");
    let findings = check(server.database());
    assert!(findings.iter().all(|item| item["rule"] == "call_key"), "{findings:?}");
    let locations: Vec<&Value> = findings.iter().map(|item| &item["at"]).collect();
    assert_eq!(locations.len(), 3, "{locations:?}");
    for call in ["call 1", "call 2", "call 7"] {
        assert!(locations.contains(&&json!(call)), "{locations:?}");
    }
}

/// Runs the SQL that docs/database.md gives.
#[test]
fn on_postgres_documented_sql_detaches_an_old_partition() {
    let (server, network) = world();
    for (id, start) in [("1", "2024-02-05"), ("2", "2024-03-05"), ("3", "2024-04-05")] {
        assert_eq!(report_call(&network, id, start), 201);
    }
    let update = include_str!("../../../docs/database.md");
    let (_, update) = update.split_once("```sql\n").expect("what to do");
    let (update, _) = update.split_once("```").expect("an end");
    let mut sql = connect_sql(server.database());
    sql.batch_execute(update).expect("it can be carried out");
    assert_eq!(network.ledger().len(), 2);
    assert_eq!(network.extensions().get("/calls").body(200).as_array().expect("a list").len(), 2);
    let statement = network.extensions().get("/statements/advertisers/354?month=2024-03").body(200);
    assert_eq!(statement["lines"], json!([]));
    let findings = check(server.database());
    assert!(!findings.is_empty());
    assert!(
        findings
            .iter()
            .all(|item| item["rule"] == "call_quarter" || item["rule"] == "budget_total"),
        "{findings:?}"
    );
    assert_eq!(query_column(&mut sql, "SELECT external_id FROM archive.calls_2024_03"), ["2"]);
    // The server's partition cache may still contain the detached partition.
    let first = report_call(&network, "2", "2024-03-05");
    assert!(first == 201 || first == 500, "{first}");
    assert!([201, 202].contains(&report_call(&network, "2", "2024-03-05")));
    assert_eq!(network.ledger().len(), 3);
}

/// Rows of the table `statuses`, which `object_states` has replaced.
const STATUSES: &str = "(SELECT * FROM object_states
    WHERE object IN ('campaign', 'affiliate_campaign')) AS statuses";

/// Tables without the ids of states, which a migration creates in another order.
fn without_state_ids(mut tables: BTreeMap<String, Vec<String>>) -> BTreeMap<String, Vec<String>> {
    let states = tables.get_mut("object_states").expect("the states");
    for row in states.iter_mut() {
        *row = row.split_once('|').expect("an id").1.to_owned();
    }
    states.sort();
    tables
}

/// Copies all rows with `COPY`, in the columns that the target has.
fn copy_rows(from: &mut Sql, to: &mut Sql) {
    to.batch_execute("SET session_replication_role = replica").expect("the right to");
    let tables = "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace
        AND relkind IN ('r', 'p') AND NOT relispartition AND relname <> 'schema_version'";
    for table in query_column(to, tables) {
        let columns = format!("SELECT string_agg(column_name::text, ', ' ORDER BY ordinal_position)
            FROM information_schema.columns WHERE table_name = '{table}' AND table_schema = 'public'");
        let columns = query_column(to, &columns).remove(0);
        let mut rows = Vec::new();
        let source = if table == "statuses" { STATUSES } else { table.as_str() };
        let out = format!("COPY (SELECT {columns} FROM {source}) TO STDOUT");
        from.copy_out(&out).expect("rows").read_to_end(&mut rows).expect("rows");
        let mut into = to.copy_in(&format!("COPY {table} ({columns}) FROM STDIN")).expect("a copy");
        into.write_all(&rows).expect("rows are written");
        into.finish().expect("rows are written");
        if source == table && columns.split(", ").any(|column| column == "id") {
            let last =
                query_column(from, &format!("SELECT CAST(nextval('{table}_id_seq') AS TEXT)"))
                    .remove(0);
            to.batch_execute(&format!("SELECT setval('{table}_id_seq', {last})"))
                .expect("a sequence");
        }
    }
    to.batch_execute("RESET session_replication_role").expect("the right to");
}

/// Waits until a server has computed the name skeletons that the migration leaves empty.
fn wait_for_name_skeletons(database: &str) {
    let mut sql = connect_sql(database);
    let started = Instant::now();
    let missing = "SELECT count(*) FROM (SELECT 1 FROM parties WHERE name_skeleton IS NULL
        UNION ALL SELECT 1 FROM campaigns WHERE name_skeleton IS NULL) missing";
    while sql.query_one(missing, &[]).expect("a count").get::<_, i64>(0) > 0 {
        assert!(started.elapsed() < Duration::from_secs(30), "no name skeletons");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Removes sign-in links, the audit usage and the uses of tokens, which the old schema does not know, and
/// completes audit entries.
fn remove_what_old_versions_did_not_write(database: &str) {
    let mut sql = connect_sql(database);
    sql.batch_execute(
        "DELETE FROM sign_ins WHERE kind = 'link'; DELETE FROM audit_usage; DELETE FROM token_uses",
    )
    .expect("rows can be deleted");
    complete_audit_entries(&mut sql);
}

/// Completes the audit entries of changes to whole objects, as versions with the old schema wrote them.
fn complete_audit_entries(sql: &mut Sql) {
    sql.batch_execute("SET session_replication_role = replica").expect("the right to");
    let mut states: BTreeMap<String, Value> = BTreeMap::new();
    let rows = sql.query("SELECT id, object, before, after FROM audit ORDER BY id", &[]);
    for row in rows.expect("the audit log") {
        let state = states.entry(row.get(1)).or_insert(Value::Null);
        let before: Option<String> = row.get(2);
        let before = before.map(|_| state.to_string());
        let after: Option<String> = row.get(3);
        if let Some(after) = &after {
            merge(state, serde_json::from_str(after).expect("JSON"));
        }
        let after = after.map(|_| state.to_string());
        let id: i64 = row.get(0);
        sql.execute(
            "UPDATE audit SET before = $2, after = $3 WHERE id = $1",
            &[&id, &before, &after],
        )
        .expect("an entry");
    }
    sql.batch_execute("RESET session_replication_role").expect("the right to");
}

/// Sets the properties of a change in a state, also those of terms.
fn merge(state: &mut Value, change: Value) {
    match (state, change) {
        (Value::Object(state), Value::Object(change)) => {
            for (name, value) in change {
                let is_terms = ["current_terms", "future_terms"].contains(&name.as_str());
                match state.get_mut(&name) {
                    Some(old) if is_terms && old.is_object() && value.is_object() => {
                        merge(old, value)
                    }
                    _ => drop(state.insert(name, value)),
                }
            }
        }
        (state, change) => *state = change,
    }
}

#[test]
fn on_postgres_unpartitioned_database_is_migrated() {
    let (mut server, network) = world();
    for (locations, (start, _)) in STARTS.iter().enumerate() {
        assert_eq!(report_call(&network, &locations.to_string(), start), 201, "{start}");
    }
    for row in &network.ledger()[..2] {
        network
            .post_correction(
                &row["transaction_id"],
                json!({"reason": "No.", "call": {"duration": 9}}),
            )
            .expect(201);
    }
    let live = json!({"advertiser_campaign": "12", "calling_phone_number": "8057089870",
        "start_time": "2200-01-01T12:00:00Z"});
    let live = network.extensions().post("/calls", live).body(201)["id"].clone();
    assert!(server.stop());
    remove_what_old_versions_did_not_write(server.database());
    let ledger = table_rows(server.database());

    let old = TestDatabase::new();
    let mut target = connect_sql(&old.url());
    target
        .batch_execute(include_str!("../../../crates/store/migrations/postgres/0001_network.sql"))
        .expect("the first migration");
    target
        .batch_execute(
            "CREATE TABLE schema_version (version BIGINT NOT NULL);
        INSERT INTO schema_version VALUES (1)",
        )
        .expect("a version");
    copy_rows(&mut connect_sql(server.database()), &mut target);
    drop(target);

    // Two servers that start concurrently migrate it once.
    let url = old.url();
    let servers = thread::scope(|scope| {
        let starting = [0, 1].map(|_| scope.spawn(|| server.start_on_copy(&url)));
        starting.map(|item| item.join().expect("a server"))
    });
    wait_for_name_skeletons(&url);
    assert_eq!(without_state_ids(table_rows(&url)), without_state_ids(ledger));
    assert_eq!(check(&url), Vec::<Value>::new());
    let [network, other] = servers.each_ref().map(Server::network);
    // Ids and the live call continue.
    assert_eq!(report_call(&network, "1", "2010-01-01T00:00:00Z"), 409);
    assert_eq!(report_call(&other, "new", "2026-05-05"), 201);
    let event = format!("/calls/{live}/events");
    network.extensions().post(&event, json!({"event": "hung_up"})).expect(200);
    assert_eq!(check(&url), Vec::<Value>::new());
    let mut target = connect_sql(&url);
    assert!(target.execute("UPDATE transactions SET payin = 1", &[]).is_err());
    let months = query_column(
        &mut target,
        "SELECT tableoid::regclass::text FROM transactions ORDER BY call_id, id",
    );
    assert_eq!(months.first().map(String::as_str), Some("transactions_before_2010"));
    let indexes = |sql: &mut Sql| {
        query_column(
            sql,
            "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
        AND tablename IN ('calls', 'transactions', 'call_keys') ORDER BY 1",
        )
    };
    let new = indexes(&mut connect_sql(server.database()));
    assert!(new.len() >= 10, "{new:?}");
    assert_eq!(indexes(&mut target), new);
}
