//! `trunkline database check` and `database copy`.

use rusqlite::Connection;
use serde_json::{Value, json};
use std::path::Path;
use tempfile::TempDir;
use trunkline_tests::body::{
    affiliate_campaign_path, base_policy, campaign_path, connect_node, merged, user,
};
use trunkline_tests::{Client, Server, TestDatabase, run, table_rows};

/// Creates a sandbox with objects of every kind: paid, corrected, rejected and simulated calls, a live
/// call, numbers, users, a webhook, and a pending mail.
fn world() -> (Server, Client) {
    let server =
        Server::builder().sandbox().arguments(&["--base-url", "https://calls.example.com"]).start();
    let network = server.network();
    let clock = |now: &str| {
        network.extensions().post("/sandbox/clock", json!({"now": now})).expect(200);
    };
    server.add_numbers(&["8005550100", "8005550101", "8005550102"]);
    clock("2026-10-01T15:00:00Z");
    let settings = json!({"notify_on_budgets": true, "email_settings":
        [{"email_address": "boss@example.com", "use_for_notifications": true}]});
    network.put("/network", json!({"users": [merged(user("1"), settings)]})).expect(200);
    network.extensions().post("/webhooks", json!({"url": "https://example.com/in"})).expect(201);
    let budget = |amount: u32| {
        json!({"reset_period": "Ongoing", "starts_at": "2020-01-01", "budget_currency": "USD",
            "time_zone": "UTC", "budget_amount": amount, "enforce": true})
    };
    let more = json!({
        "auto_approve": "All", "timezone": "UTC", "ivr_tree": {"root": connect_node()},
        "advertiser_payin": base_policy(7.0, "duration > 60"),
        "affiliate_payout": base_policy(4.5, "duration > 60"),
        "budget_activities": {"budget_cap_alert": budget(1_000),
            "periodic_call_cap_alert": budget(4)},
    });
    network.has_live_campaign("354", "12", more);
    network.has_live_campaign(
        "354",
        "13",
        json!({"auto_approve": "All", "timezone": "UTC",
        "advertiser_payin": base_policy(2.0, "")}),
    );
    network.has_applied("354", "12", "976");
    network.has_applied("354", "13", "976");
    let numbers = format!("{}/promo_numbers", affiliate_campaign_path("354", "12", "976"));
    network.post(&numbers, json!({"description": "Ad", "media_type": "Radio"})).expect(201);
    clock("2026-10-31T15:00:00Z");
    let by = json!({"affiliate_id_from_network": "976"});
    let live = json!({"advertiser_campaign": "12", "affiliate": "976",
        "calling_phone_number": "8057089876", "start_time": "2200-01-01T12:00:00Z"});
    network.extensions().post("/calls", live).expect(201);
    for id in ["1", "2", "3", "4", "5"] {
        network.report_call(id, by.clone());
    }
    let row = network.ledger().remove(0);
    let body = json!({"reason": "The clock was wrong.", "call": {"duration": 45}});
    network.post_correction(&row["transaction_id"], body).expect(201);
    network.extensions().post("/sandbox/calls", json!({"count": 40, "seed": 7})).expect(201);
    (server, network)
}

/// Findings of `database check`, empty if it reports none.
fn check(url: &str) -> Vec<Value> {
    let done = run(&["database", "check", "--database", url]);
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    let read = |line: &str| -> Value { serde_json::from_str(line).expect("a line of JSON") };
    let lines: Vec<Value> = text.lines().map(read).collect();
    let message = String::from_utf8_lossy(&done.stderr);
    match done.status.code() {
        Some(0) => {
            assert_eq!(lines.len(), 1, "{text}");
            assert_eq!(lines[0]["clean"], true);
            Vec::new()
        }
        code => {
            assert_eq!((code, lines.is_empty()), (Some(1), false), "{message}");
            lines
        }
    }
}

/// Copies a database. Returns the table, row count and checksum of each output line.
fn copy(from: &str, to: &str) -> Vec<Value> {
    let done = run(&["database", "copy", "--from", from, "--to", to]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

fn rejected_copy(from: &str, to: &str) -> String {
    let done = run(&["database", "copy", "--from", from, "--to", to, "--log", "off"]);
    assert_eq!(done.status.code(), Some(1));
    // Lines before the last one report progress.
    String::from_utf8_lossy(&done.stderr).lines().last().unwrap_or_default().to_owned()
}

fn sqlite_url(file: &Path) -> String {
    format!("sqlite://{}", file.display())
}

/// Creates the database of [`world`] as a SQLite file without a running server.
fn world_as_file(directory: &TempDir) -> std::path::PathBuf {
    let (mut server, _network) = world();
    assert!(server.stop());
    let file = directory.path().join("world.db");
    copy(server.database(), &sqlite_url(&file));
    let connection = Connection::open(&file).expect("the file");
    connection.pragma_update(None, "journal_mode", "DELETE").expect("one file");
    file
}

/// SQL that breaks an invariant, the rule that reports it, and the prefix of the reported location.
const BROKEN_INVARIANTS: &[(&str, &str, &str)] = &[
    (
        "one_transaction",
        "call ",
        "INSERT INTO transactions SELECT 9999, network_id, call_id, campaign_id, advertiser_id,
         affiliate_id, NULL, start_time, payin_currency, payin, payin_delta, payout_currency, payout,
         payout_delta, body, created_at FROM transactions WHERE id = 1",
    ),
    ("one_transaction", "call ", "DELETE FROM transactions WHERE id = (SELECT MAX(id) FROM transactions)"),
    (
        "one_transaction",
        "call ",
        "UPDATE calls SET ended_at = NULL WHERE id = (SELECT call_id FROM transactions WHERE id = 2)",
    ),
    (
        "one_chain",
        "transaction ",
        "UPDATE transactions SET corrects_id = 2 WHERE corrects_id IS NOT NULL",
    ),
    ("one_chain", "transaction ", "UPDATE transactions SET corrects_id = id WHERE corrects_id IS NOT NULL"),
    ("transaction_of_call", "transaction 2", "UPDATE transactions SET start_time = 1 WHERE id = 2"),
    (
        "transaction_of_call",
        "transaction 2",
        "UPDATE transactions SET advertiser_id = affiliate_id WHERE id = 2",
    ),
    ("live_call", "call ", "DELETE FROM live_calls"),
    (
        "live_call",
        "call ",
        "INSERT INTO live_calls (call_id, campaign_id, state, deadline)
         SELECT (SELECT call_id FROM transactions WHERE id = 2), campaign_id, state, deadline
         FROM live_calls",
    ),
    ("live_call", "call ", "UPDATE live_calls SET campaign_id = campaign_id + 1"),
    (
        "moved_call",
        "transaction ",
        "UPDATE transactions SET campaign_id = campaign_id + 1 WHERE corrects_id IS NOT NULL",
    ),
    ("held_payin", "call ", "UPDATE live_calls SET held = held + 1"),
    ("payin_deltas", "call ", "UPDATE transactions SET payin_delta = payin_delta + 1 WHERE id = 2"),
    ("payout_deltas", "call ", "UPDATE transactions SET payout_delta = payout_delta + 1 WHERE id = 2"),
    ("amount", "transaction 2, payin", "UPDATE transactions SET payin = payin + 1 WHERE id = 2"),
    ("amount", "transaction 2, payin", "UPDATE transactions SET payin_currency = 'CAD' WHERE id = 2"),
    ("amount", "transaction 2, payout", "UPDATE transactions SET payout = NULL WHERE id = 2"),
    ("column", "call ", "UPDATE calls SET caller = '+13105550100' WHERE id = 2"),
    ("column", "call ", "UPDATE calls SET turned_away = NULL WHERE turned_away IS NOT NULL"),
    ("call_quarter", "campaign ", "UPDATE call_quarters SET calls = calls + 1"),
    ("call_quarter", "campaign ", "UPDATE call_quarters SET seconds = seconds - 1"),
    ("call_quarter", "campaign ", "UPDATE call_quarters SET timed_calls = timed_calls + 1"),
    ("call_quarter", "campaign ", "DELETE FROM call_quarters"),
    ("external_call_id", "advertiser ", "UPDATE calls SET external_id = 'same'"),
    ("call_quarter", "campaign 1, quarter 5", "INSERT INTO call_quarters VALUES (1, 5, 1, 9, 1)"),
    ("budget_total", "campaign 1, calls", "UPDATE budget_totals SET total = 1 WHERE kind = 'calls'"),
    ("budget_total", "campaign 1, USD", "UPDATE budget_totals SET total = 1 WHERE kind = 'payin'"),
    ("budget_total", "campaign 1", "UPDATE budget_totals SET kind = 'x' WHERE kind = 'payin'"),
    (
        "call_cap",
        "campaign 1, terms 1, from ",
        "UPDATE terms SET body = json_set(body,
         '$.budgets.periodic_call_cap_alert.budget_amount', '1.00') WHERE id = 1",
    ),
    ("terms_of_call", "call ", "UPDATE calls SET terms_id = 2 WHERE campaign_id = 1"),
    ("terms_of_call", "call ", "UPDATE terms SET went_live_at = went_live_at + 9000000000000"),
    ("terms_of_call", "call 2", "UPDATE calls SET terms_id = NULL WHERE id = 2"),
    ("current_terms", "campaign 1", "UPDATE campaigns SET current_terms_id = 2 WHERE id = 1"),
    (
        "newest_state",
        "campaign 1",
        "INSERT INTO object_states (object, object_id, since, name, status, custom_data)
         SELECT 'campaign', id, 0, name, 'Paused', custom_data FROM campaigns WHERE id = 1",
    ),
    ("newest_state", "affiliate_campaign 1", "DELETE FROM object_states WHERE object = 'affiliate_campaign'"),
    ("newest_state", "advertiser ", "UPDATE parties SET custom_data = '{\"channel\":\"x\"}'"),
    ("newest_state", "affiliate ", "UPDATE parties SET name = name || '!'"),
    ("body", "object_states 1, custom_data", "UPDATE object_states SET custom_data = '[]'"),
    ("body", "promo_number_holdings 1, custom_data", "UPDATE promo_number_holdings SET custom_data = '[]'"),
    ("body", "networks 1, settings", "UPDATE networks SET settings = '{\"currency\": 7}'"),
    ("holding", "promo_number 1", "DELETE FROM promo_number_holdings"),
    ("holding", "promo_number 1", "UPDATE promo_number_holdings SET ends_at = starts_at"),
    ("holding", "promo_number 1", "UPDATE promo_numbers SET description = 'other'"),
    ("holding", "holding 1", "DELETE FROM promo_numbers"),
    ("holding", "holding 1", "UPDATE promo_number_holdings SET ends_at = starts_at - 1"),
    ("campaign_status", "campaign 1", "UPDATE campaigns SET status = 'Odd' WHERE id = 1"),
    ("affiliate_campaign_status", "affiliate_campaign 1", "UPDATE affiliate_campaigns SET status = 'Odd'"),
    ("relationship_status", "relationship ", "INSERT INTO relationships VALUES (99,
         (SELECT MIN(id) FROM parties WHERE kind = 'advertiser'),
         (SELECT MAX(id) FROM parties WHERE kind = 'affiliate'), 'Odd')
         ON CONFLICT DO UPDATE SET status = 'Odd'"),
    ("role", "membership 0 of network 1", "UPDATE memberships SET role = 'Odd'"),
    ("role", "token 1", "UPDATE tokens SET role = 'Odd'"),
    ("token", "token 1", "UPDATE tokens SET scope = 'affiliate'"),
    ("promo_number", "promo_number 1", "UPDATE numbers SET promo_number_id = NULL"),
    ("promo_number", "promo_number 1", "UPDATE promo_numbers SET number = '+18005559999'"),
    ("number", "number +1800", "UPDATE numbers SET promo_number_id = 77 WHERE promo_number_id IS NULL"),
    ("membership", "membership 0 of ", "UPDATE memberships SET organization_id = 77"),
    ("membership", "membership 0 of ", "UPDATE memberships SET organization = 'affiliate'"),
    ("due", "delivery ", "UPDATE deliveries SET state = 'pending', due_at = NULL"),
    ("due", "mail ", "UPDATE mails SET state = 'waiting', due_at = NULL"),
    ("network", "campaign 1", "INSERT INTO networks (id, name, time_zone, created_at)
         SELECT 9, name, time_zone, created_at FROM networks; UPDATE campaigns SET network_id = 9"),
    ("network", "affiliate_campaign 1", "UPDATE affiliate_campaigns SET affiliate_id = 1"),
    ("body", "calls 2, body", "UPDATE calls SET body = '{' WHERE id = 2"),
    ("body", "transactions 2, body", "UPDATE transactions SET body = '[]' WHERE id = 2"),
    ("body", "terms 1, body", "UPDATE terms SET body = '{}' WHERE id = 1"),
    ("body", "parties 1, sites", "UPDATE parties SET sites = '7'"),
    ("body", "parties 1, profile", "UPDATE parties SET profile = '7'"),
    ("body", "parties 1, status", "UPDATE parties SET status = 'Odd'"),
    ("body", "users 2, body", "UPDATE users SET body = 'null'"),
    ("body", "custom_data_fields 1, body", "UPDATE custom_data_fields SET body = ''"),
    ("body", "campaigns 1, custom_data", "UPDATE campaigns SET custom_data = '[]'"),
    ("body", "campaigns 1, future_terms", "UPDATE campaigns SET future_terms = '[]'"),
    ("body", "events 1, body", "UPDATE events SET body = '{'"),
    ("body", "audit 1, after", "UPDATE audit SET after = '{' WHERE id = 1"),
    ("body", "live_calls 1, state", "UPDATE live_calls SET state = '{}'"),
    ("body", "webhooks 1, secret", "UPDATE webhooks SET secret = 'x'"),
    ("body", "webhooks 1, url", "UPDATE webhooks SET url = 'x'"),
    ("body", "webhooks 1, kinds", "UPDATE webhooks SET kinds = '{}'"),
    ("body", "networks 1, time_zone", "UPDATE networks SET time_zone = 'Mars'"),
    ("body", "promo_numbers 1, number", "UPDATE promo_numbers SET number = 'x'"),
];

fn broken(world: &Path, file: &Path, sql: &str) {
    std::fs::copy(world, file).expect("a copy");
    let connection = Connection::open(file).expect("the file");
    let triggers: Vec<String> = {
        let mut read = connection
            .prepare("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            .expect("a statement");
        let names = read.query_map([], |row| row.get(0)).expect("rows");
        names.map(|name| name.expect("a name")).collect()
    };
    let kept_rows: Vec<String> = {
        let mut read = connection
            .prepare("SELECT sql FROM sqlite_master WHERE type = 'trigger'")
            .expect("a statement");
        let texts = read.query_map([], |row| row.get(0)).expect("rows");
        texts.map(|text| text.expect("a trigger")).collect()
    };
    connection.pragma_update(None, "foreign_keys", false).expect("a pragma");
    for name in &triggers {
        connection.execute_batch(&format!("DROP TRIGGER {name}")).expect("no trigger");
    }
    connection.execute_batch(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    assert!(kept_rows.len() == triggers.len());
    for text in &kept_rows {
        connection.execute_batch(text).expect("the trigger again");
    }
}

fn has_finding(findings: &[Value], rule: &str, at: &str) -> bool {
    findings.iter().any(|item| {
        item["rule"] == rule && item["at"].as_str().is_some_and(|path| path.starts_with(at))
    })
}

#[test]
fn every_broken_invariant_is_reported() {
    let directory = TempDir::new().expect("a directory");
    let world = world_as_file(&directory);
    assert_eq!(check(&sqlite_url(&world)), Vec::<Value>::new());
    let file = directory.path().join("broken.db");
    for (rule, at, sql) in BROKEN_INVARIANTS {
        broken(&world, &file, sql);
        let findings = check(&sqlite_url(&file));
        assert!(
            has_finding(&findings, rule, at),
            "{rule} at {at} is not among {findings:?}\nafter {sql}"
        );
    }
    // Inconsistencies that the other backend cannot store.
    broken(&world, &file, "UPDATE transactions SET call_id = 9999 WHERE id = 2");
    assert!(has_finding(&check(&sqlite_url(&file)), "reference", "transactions 2"));
}

/// A row that cannot be read is named, and the check goes on: all others are checked too.
#[test]
fn check_goes_on_after_unreadable_rows() {
    let directory = TempDir::new().expect("a directory");
    let world = world_as_file(&directory);
    let file = directory.path().join("broken.db");
    let invalid_utf8 = "CAST(x'7bff7d' AS TEXT)";
    broken(
        &world,
        &file,
        &format!(
            "UPDATE parties SET sites = {invalid_utf8} WHERE id = 1;
             UPDATE calls SET body = {invalid_utf8} WHERE id = 1;
             UPDATE transactions SET body = {invalid_utf8} WHERE id = 2;
             UPDATE terms SET body = {invalid_utf8} WHERE id = 1;
             UPDATE webhooks SET secret = 'x'"
        ),
    );
    let findings = check(&sqlite_url(&file));
    for at in [
        "parties 1, sites",
        "calls 1, body",
        "transactions 2, body",
        "terms 1, body",
        "webhooks 1, secret",
    ] {
        assert!(has_finding(&findings, "body", at), "{at} is not among {findings:?}");
    }
}

/// Both backends report the same findings: with a PostgreSQL server, each broken database is copied to it.
#[test]
fn copy_of_a_broken_database_has_the_same_findings() {
    let directory = TempDir::new().expect("a directory");
    let world = world_as_file(&directory);
    let file = directory.path().join("broken.db");
    for sql in [
        "UPDATE transactions SET payin_delta = payin_delta + 1, payin = 3 WHERE id = 2;
         UPDATE calls SET turned_away = NULL, caller = NULL; DELETE FROM live_calls;
         UPDATE numbers SET promo_number_id = 77; UPDATE memberships SET role = 'Odd';
         UPDATE budget_totals SET total = total + 1; DELETE FROM call_quarters;
         UPDATE terms SET went_live_at = went_live_at + 9000000000000;
         UPDATE campaigns SET current_terms_id = 2 WHERE id = 1",
        "DELETE FROM object_states; UPDATE affiliate_campaigns SET status = 'Odd';
         UPDATE calls SET body = '{' WHERE id = 2; UPDATE users SET body = '[]';
         UPDATE calls SET terms_id = NULL; UPDATE deliveries SET state = 'pending', due_at = NULL;
         UPDATE mails SET state = 'waiting', due_at = NULL; UPDATE tokens SET scope = 'affiliate';
         UPDATE transactions SET advertiser_id = 2;
         UPDATE memberships SET organization_id = 77",
    ] {
        broken(&world, &file, sql);
        let elsewhere = TestDatabase::new();
        copy(&sqlite_url(&file), &elsewhere.url());
        let sorted = |mut findings: Vec<Value>| {
            findings.sort_by_key(Value::to_string);
            findings
        };
        let original_findings = sorted(check(&sqlite_url(&file)));
        let copied_findings = sorted(check(&elsewhere.url()));
        assert!(original_findings.len() > 10, "{original_findings:?}");
        assert_eq!(original_findings, copied_findings);
    }
}

const COMPARED_PATHS: [&str; 6] = [
    "/network",
    "/affiliates",
    "/advertisers",
    "/custom_data_fields",
    "/advertisers/354/advertiser_campaigns",
    "/advertisers/354/affiliates",
];

/// Responses of some paths: path, status, `ETag` and body.
fn responses(network: &Client) -> Vec<(String, u16, Option<String>, String)> {
    let campaign = campaign_path("354", "12");
    let mut paths: Vec<String> = COMPARED_PATHS.iter().map(|path| (*path).to_owned()).collect();
    paths.extend(
        ["", "/affiliate_campaigns", "/quick_stats"].map(|item| format!("{campaign}{item}")),
    );
    paths.push(format!("{}/promo_numbers", affiliate_campaign_path("354", "12", "976")));
    paths.push(network.ledger_path(""));
    let extension_paths = [
        "/calls",
        "/calls/1",
        "/audit",
        "/sandbox",
        "/webhooks",
        "/mails",
        "/statements/advertisers/354?month=2200-01",
    ];
    let responses = paths.iter().map(|path| (path.clone(), network.get(path)));
    let extensions = network.extensions();
    let extension_paths =
        extension_paths.iter().map(|path| ((*path).to_owned(), extensions.get(path)));
    let current = |(path, response): (String, trunkline_tests::Response)| {
        let etag = response.header("etag").map(str::to_owned);
        (path, response.status, etag, response.text())
    };
    responses.chain(extension_paths).map(current).collect()
}

#[test]
fn copy_has_equal_rows_and_responses() {
    let directory = TempDir::new().expect("a directory");
    let (mut server, network) = world();
    // A check runs beside a server.
    assert_eq!(check(server.database()), Vec::<Value>::new());
    assert!(server.stop());
    let copied_findings = directory.path().join("there.db");
    let postgres_copy = TestDatabase::new();
    let second_file = directory.path().join("again.db");
    let first = copy(server.database(), &sqlite_url(&copied_findings));
    let second = copy(&sqlite_url(&copied_findings), &postgres_copy.url());
    let third = copy(&postgres_copy.url(), &sqlite_url(&second_file));
    assert!(first == second && second == third, "{first:?}\n{second:?}\n{third:?}");
    assert_eq!(first.len(), server.table_rows().len());
    assert_eq!(server.table_rows(), table_rows(&postgres_copy.url()));
    assert_eq!(table_rows(&sqlite_url(&copied_findings)), table_rows(&sqlite_url(&second_file)));
    assert_eq!(sequences(&copied_findings), sequences(&second_file));
    for url in [sqlite_url(&copied_findings), postgres_copy.url(), sqlite_url(&second_file)] {
        assert_eq!(check(&url), Vec::<Value>::new());
    }

    server.restart();
    let before = responses(&server.network());
    // Lists are streamed and have no `ETag`.
    assert!(before.iter().all(|(_, status, ..)| *status == 200));
    assert!(before.iter().filter(|(_, _, etag, _)| etag.is_some()).count() > 4);
    for copy in [
        server.start_on_copy(&sqlite_url(&copied_findings)),
        server.start_on_copy(&postgres_copy.url()),
    ] {
        assert_eq!(before, responses(&copy.network()));
        // New rows get ids that the original has never used.
        copy.network().has_affiliate("new");
        copy.network().report_call("new", json!({}));
    }
    assert_eq!(network.network_id(), server.network_id());
}

fn sequences(file: &Path) -> Vec<(String, i64)> {
    let connection = Connection::open(file).expect("the file");
    let mut read =
        connection.prepare("SELECT name, seq FROM sqlite_sequence ORDER BY name").expect("SQL");
    let rows = read.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("rows");
    rows.map(|row| row.expect("a row")).collect()
}

#[test]
fn failed_copy_leaves_nothing() {
    let directory = TempDir::new().expect("a directory");
    let world = world_as_file(&directory);
    let other = TestDatabase::new();
    let none = directory.path().join("none.db");
    let message = rejected_copy(&sqlite_url(&none), &other.url());
    assert!(message.starts_with("trunkline: cannot open the database '"), "{message}");
    assert!(!none.exists());
    let old = directory.path().join("old.db");
    broken(&world, &old, "PRAGMA user_version = 5");
    let message = rejected_copy(&sqlite_url(&old), &other.url());
    assert!(message.contains("has version 5, and this trunkline needs version"), "{message}");
    // The target rejects a row of one of the last tables.
    let file = directory.path().join("broken.db");
    broken(&world, &file, "UPDATE transactions SET campaign_id = 9999 WHERE id = 9");
    let message = rejected_copy(&sqlite_url(&file), &other.url());
    assert!(
        message.starts_with("trunkline: cannot copy table transactions; nothing was copied"),
        "{message}"
    );
    assert!(table_rows(&other.url()).values().all(Vec::is_empty));
    // The failed copy does not block the next one.
    copy(&sqlite_url(&world), &other.url());
    let message = rejected_copy(&sqlite_url(&world), &other.url());
    assert!(message.ends_with("has a network already: copy needs one that has none"), "{message}");
    assert_eq!(check(&other.url()), Vec::<Value>::new());
}
