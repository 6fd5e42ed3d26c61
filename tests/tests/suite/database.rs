//! A database as a whole: what breaks a rule is found and named, and a copy is the same.

use rusqlite::Connection;
use serde_json::{Value, json};
use std::path::Path;
use tempfile::TempDir;
use trunkline_tests::body::{affiliate_campaign_path, base, campaign_path, connect, user, with};
use trunkline_tests::{Client, Place, Server, rows, run};

/// A network with some of everything: calls that were paid, corrected, turned away and imagined, one
/// under way, numbers, people, a webhook, mail that waits.
fn world() -> (Server, Client) {
    let server = Server::of_a_sandbox_with(&["--base-url", "https://calls.example.com"]);
    let network = server.network();
    let clock = |now: &str| {
        network.extensions().post("/sandbox/clock", json!({"now": now})).expect(200);
    };
    server.stock(&["8005550100", "8005550101", "8005550102"]);
    clock("2026-10-01T15:00:00Z");
    let told = json!({"notify_on_budgets": true, "email_settings":
        [{"email_address": "boss@example.com", "use_for_notifications": true}]});
    network.put("/network", json!({"users": [with(user("1"), told)]})).expect(200);
    network.extensions().post("/webhooks", json!({"url": "https://example.com/in"})).expect(201);
    let budget = |amount: u32| {
        json!({"reset_period": "Ongoing", "starts_at": "2020-01-01", "budget_currency": "USD",
            "time_zone": "UTC", "budget_amount": amount, "enforce": true})
    };
    let more = json!({
        "auto_approve": "All", "timezone": "UTC", "ivr_tree": {"root": connect()},
        "advertiser_payin": base(7.0, "duration > 60"),
        "affiliate_payout": base(4.5, "duration > 60"),
        "budget_activities": {"budget_cap_alert": budget(1_000),
            "periodic_call_cap_alert": budget(4)},
    });
    network.has_live_campaign("354", "12", more);
    network.has_live_campaign(
        "354",
        "13",
        json!({"auto_approve": "All", "timezone": "UTC",
        "advertiser_payin": base(2.0, "")}),
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
        network.calls(id, by.clone());
    }
    let row = network.ledger().remove(0);
    let body = json!({"reason": "The clock was wrong.", "call": {"duration": 45}});
    network.correct(&row["transaction_id"], body).expect(201);
    network.extensions().post("/sandbox/calls", json!({"count": 40, "seed": 7})).expect(201);
    (server, network)
}

/// What `check` finds; nothing when it says that all is clean.
fn check(url: &str) -> Vec<Value> {
    let done = run(&["database", "check", "--database", url]);
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    let read = |line: &str| -> Value { serde_json::from_str(line).expect("a line of JSON") };
    let lines: Vec<Value> = text.lines().map(read).collect();
    let said = String::from_utf8_lossy(&done.stderr);
    match done.status.code() {
        Some(0) => {
            assert_eq!(lines.len(), 1, "{text}");
            assert_eq!(lines[0]["clean"], true);
            Vec::new()
        }
        code => {
            assert_eq!((code, lines.is_empty()), (Some(1), false), "{said}");
            lines
        }
    }
}

/// Copies a database; the table, rows and checksum of each line.
fn copy(from: &str, to: &str) -> Vec<Value> {
    let done = run(&["database", "copy", "--from", from, "--to", to]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

fn refused(from: &str, to: &str) -> String {
    let done = run(&["database", "copy", "--from", from, "--to", to, "--log", "off"]);
    assert_eq!(done.status.code(), Some(1));
    // What is before its last line says how far it was.
    String::from_utf8_lossy(&done.stderr).lines().last().unwrap_or_default().to_owned()
}

fn url(file: &Path) -> String {
    format!("sqlite://{}", file.display())
}

/// A world's database as a file of its own, with no server on it.
fn file_of_a_world(directory: &TempDir) -> std::path::PathBuf {
    let (mut server, _network) = world();
    assert!(server.stop());
    let file = directory.path().join("world.db");
    copy(server.database(), &url(&file));
    let connection = Connection::open(&file).expect("the file");
    connection.pragma_update(None, "journal_mode", "DELETE").expect("one file");
    file
}

/// What is broken, the rule that says so, and how its place begins.
const BREAKS: &[(&str, &str, &str)] = &[
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
        "INSERT INTO live_calls SELECT (SELECT call_id FROM transactions WHERE id = 2), campaign_id,
         state, deadline FROM live_calls",
    ),
    ("live_call", "call ", "UPDATE live_calls SET campaign_id = campaign_id + 1"),
    ("payin_deltas", "call ", "UPDATE transactions SET payin_delta = payin_delta + 1 WHERE id = 2"),
    ("payout_deltas", "call ", "UPDATE transactions SET payout_delta = payout_delta + 1 WHERE id = 2"),
    ("amount", "transaction 2, payin", "UPDATE transactions SET payin = payin + 1 WHERE id = 2"),
    ("amount", "transaction 2, payin", "UPDATE transactions SET payin_currency = 'CAD' WHERE id = 2"),
    ("amount", "transaction 2, payout", "UPDATE transactions SET payout = NULL WHERE id = 2"),
    ("column", "call ", "UPDATE calls SET caller = '+13105550100' WHERE id = 2"),
    ("column", "call ", "UPDATE calls SET turned_away = NULL WHERE turned_away IS NOT NULL"),
    ("call_quarter", "campaign ", "UPDATE call_quarters SET calls = calls + 1"),
    ("call_quarter", "campaign ", "UPDATE call_quarters SET seconds = seconds - 1"),
    ("call_quarter", "campaign ", "DELETE FROM call_quarters"),
    ("call_quarter", "campaign 1, quarter 5", "INSERT INTO call_quarters VALUES (1, 5, 1, 9)"),
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
        "newest_status",
        "campaign 1",
        "INSERT INTO statuses (object, object_id, since, status) VALUES ('campaign', 1, 0, 'Paused')",
    ),
    ("newest_status", "affiliate_campaign 1", "DELETE FROM statuses WHERE object = 'affiliate_campaign'"),
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
    ("body", "users 1, body", "UPDATE users SET body = 'null'"),
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
    let kept: Vec<String> = {
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
    assert!(kept.len() == triggers.len());
    for text in &kept {
        connection.execute_batch(text).expect("the trigger again");
    }
}

fn names(findings: &[Value], rule: &str, at: &str) -> bool {
    findings.iter().any(|it| {
        it["rule"] == rule && it["at"].as_str().is_some_and(|place| place.starts_with(at))
    })
}

#[test]
fn what_breaks_a_rule_is_found_and_named() {
    let directory = TempDir::new().expect("a directory");
    let world = file_of_a_world(&directory);
    assert_eq!(check(&url(&world)), Vec::<Value>::new());
    let file = directory.path().join("broken.db");
    for (rule, at, sql) in BREAKS {
        broken(&world, &file, sql);
        let found = check(&url(&file));
        assert!(names(&found, rule, at), "{rule} at {at} is not among {found:?}\nafter {sql}");
    }
    // What the other backend could not even store.
    broken(&world, &file, "UPDATE transactions SET call_id = 9999 WHERE id = 2");
    assert!(names(&check(&url(&file)), "reference", "transactions 2"));
}

/// Both backends find the same: with a server to test on, what breaks a rule is copied to it.
#[test]
fn a_broken_database_is_as_broken_when_it_is_copied() {
    let directory = TempDir::new().expect("a directory");
    let world = file_of_a_world(&directory);
    let file = directory.path().join("broken.db");
    for sql in [
        "UPDATE transactions SET payin_delta = payin_delta + 1, payin = 3 WHERE id = 2;
         UPDATE calls SET turned_away = NULL, caller = NULL; DELETE FROM live_calls;
         UPDATE numbers SET promo_number_id = 77; UPDATE memberships SET role = 'Odd';
         UPDATE budget_totals SET total = total + 1; DELETE FROM call_quarters;
         UPDATE terms SET went_live_at = went_live_at + 9000000000000;
         UPDATE campaigns SET current_terms_id = 2 WHERE id = 1",
        "DELETE FROM statuses; UPDATE affiliate_campaigns SET status = 'Odd';
         UPDATE calls SET body = '{' WHERE id = 2; UPDATE users SET body = '[]';
         UPDATE calls SET terms_id = NULL; UPDATE deliveries SET state = 'pending', due_at = NULL;
         UPDATE mails SET state = 'waiting', due_at = NULL; UPDATE tokens SET scope = 'affiliate';
         UPDATE transactions SET advertiser_id = 2;
         UPDATE memberships SET organization_id = 77",
    ] {
        broken(&world, &file, sql);
        let elsewhere = Place::new();
        copy(&url(&file), &elsewhere.url());
        let sorted = |mut found: Vec<Value>| {
            found.sort_by_key(Value::to_string);
            found
        };
        let (here, there) = (sorted(check(&url(&file))), sorted(check(&elsewhere.url())));
        assert!(here.len() > 10, "{here:?}");
        assert_eq!(here, there);
    }
}

const SEEN: [&str; 6] = [
    "/network",
    "/affiliates",
    "/advertisers",
    "/custom_data_fields",
    "/advertisers/354/advertiser_campaigns",
    "/advertisers/354/affiliates",
];

/// What a client is answered: status, `ETag` and every byte of the body.
fn seen(network: &Client) -> Vec<(String, u16, Option<String>, String)> {
    let campaign = campaign_path("354", "12");
    let mut paths: Vec<String> = SEEN.iter().map(|path| (*path).to_owned()).collect();
    paths.extend(["", "/affiliate_campaigns", "/quick_stats"].map(|it| format!("{campaign}{it}")));
    paths.push(format!("{}/promo_numbers", affiliate_campaign_path("354", "12", "976")));
    paths.push(network.ledger_path(""));
    let own = [
        "/calls",
        "/calls/1",
        "/audit",
        "/sandbox",
        "/webhooks",
        "/mails",
        "/statements/advertisers/354?month=2200-01",
    ];
    let answers = paths.iter().map(|path| (path.clone(), network.get(path)));
    let extensions = network.extensions();
    let own = own.iter().map(|path| ((*path).to_owned(), extensions.get(path)));
    let shown = |(path, answer): (String, trunkline_tests::Answer)| {
        let etag = answer.header("etag").map(str::to_owned);
        (path, answer.status, etag, answer.text())
    };
    answers.chain(own).map(shown).collect()
}

#[test]
fn a_copy_is_row_by_row_the_same_and_answers_the_same() {
    let directory = TempDir::new().expect("a directory");
    let (mut server, network) = world();
    // A check is no bother to a server.
    assert_eq!(check(server.database()), Vec::<Value>::new());
    assert!(server.stop());
    let (there, back) = (directory.path().join("there.db"), Place::new());
    let again = directory.path().join("again.db");
    let first = copy(server.database(), &url(&there));
    let second = copy(&url(&there), &back.url());
    let third = copy(&back.url(), &url(&again));
    assert!(first == second && second == third, "{first:?}\n{second:?}\n{third:?}");
    assert_eq!(first.len(), server.rows().len());
    assert_eq!(server.rows(), rows(&back.url()));
    assert_eq!(rows(&url(&there)), rows(&url(&again)));
    assert_eq!(sequences(&there), sequences(&again));
    for url in [url(&there), back.url(), url(&again)] {
        assert_eq!(check(&url), Vec::<Value>::new());
    }

    server.start_again();
    let before = seen(&server.network());
    // Lists are told as they are read, so they have no `ETag`.
    assert!(before.iter().all(|(_, status, ..)| *status == 200));
    assert!(before.iter().filter(|(_, _, etag, _)| etag.is_some()).count() > 4);
    for copy in [server.on_copy(&url(&there)), server.on_copy(&back.url())] {
        assert_eq!(before, seen(&copy.network()));
        // It goes on where the original was: with ids that were never given out.
        copy.network().has_affiliate("new");
        copy.network().calls("new", json!({}));
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
fn a_copy_that_cannot_be_whole_is_none() {
    let directory = TempDir::new().expect("a directory");
    let world = file_of_a_world(&directory);
    let other = Place::new();
    let none = directory.path().join("none.db");
    let said = refused(&url(&none), &other.url());
    assert!(said.starts_with("trunkline: cannot open the database '"), "{said}");
    assert!(!none.exists());
    let old = directory.path().join("old.db");
    broken(&world, &old, "PRAGMA user_version = 5");
    let said = refused(&url(&old), &other.url());
    assert!(said.contains("has version 5, and this trunkline needs version"), "{said}");
    // A row that the target's own rules refuse, far down the tables.
    let file = directory.path().join("broken.db");
    broken(&world, &file, "UPDATE transactions SET campaign_id = 9999 WHERE id = 9");
    let said = refused(&url(&file), &other.url());
    assert!(
        said.starts_with("trunkline: cannot copy table transactions; nothing was copied"),
        "{said}"
    );
    assert!(rows(&other.url()).values().all(Vec::is_empty));
    // Nothing of it is in the way of the next one.
    copy(&url(&world), &other.url());
    let said = refused(&url(&world), &other.url());
    assert!(said.ends_with("has a network already: copy needs one that has none"), "{said}");
    assert_eq!(check(&other.url()), Vec::<Value>::new());
}
