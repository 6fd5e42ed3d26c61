//! Backups, restores and copies of database files, as an operator makes them. Every outcome is the
//! right data or a refusal that says what to do.

#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

mod support;

use rusqlite::Connection;
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::time::{Duration, Instant};
use support::{Server, TestDir};

const DATABASE: &str = "trunkline.db";

/// Database with a network, and the network's token.
struct Operator {
    dir: TestDir,
    token: String,
}

impl Operator {
    fn new() -> Self {
        let dir = TestDir::new();
        let token = dir.create_network();
        Self { dir, token }
    }

    fn serve(&self) -> Server {
        self.dir.serve(&["--rate-limit", "0"])
    }

    /// Creates affiliates with these ids.
    fn create(&self, server: &Server, ids: std::ops::Range<u32>) {
        for id in ids {
            let head = format!("POST /api/2018-11-01/1/affiliates/{id}.json");
            let body = json!({"name": format!("Affiliate {id}")}).to_string();
            let response = server.request(&head, &self.token, &body);
            assert_eq!(response.status, 201, "{}", response.body);
        }
    }

    fn count(&self, server: &Server) -> usize {
        let path = "GET /api/2018-11-01/1/affiliates.json?limit=4000";
        let response = server.request(path, &self.token, "");
        assert_eq!(response.status, 200, "{}", response.body);
        let list: Value = serde_json::from_str(&join_chunks(&response.body)).unwrap();
        list.as_array().unwrap().len()
    }

    /// Number of affiliates that a server on the database has; the server is stopped again.
    fn count_with_server(&self) -> usize {
        let server = self.serve();
        let count = self.count(&server);
        stop(server);
        count
    }

    fn copy(&self, from: &str, to: &str) {
        fs::copy(self.dir.path(from), self.dir.path(to)).unwrap();
    }

    fn exists(&self, file: &str) -> bool {
        Path::new(&self.dir.path(file)).exists()
    }

    fn backup(&self, to: &str) -> Value {
        self.dir.run_json(&["database", "backup", "--to", to]).remove(0)
    }

    fn assert_clean(&self) {
        let output = self.dir.run_json(&["database", "check"]);
        assert_eq!(output[0]["clean"], true, "{output:?}");
    }

    /// Error of a server that does not start.
    fn serve_error(&self) -> String {
        self.dir.expect_failure(&["serve", "--listen", "127.0.0.1:0"]).0
    }
}

/// Content of a body in chunked transfer encoding.
fn join_chunks(body: &str) -> String {
    let mut content = String::new();
    let mut rest = body;
    while let Some((length, after)) = rest.split_once("\r\n") {
        let length = usize::from_str_radix(length, 16).unwrap();
        content.push_str(&after[..length]);
        rest = &after[length + 2..];
    }
    content
}

fn stop(server: Server) {
    server.terminate();
    let (code, log) = server.wait();
    assert_eq!(code, 0, "{log}");
}

fn kill(mut server: Server) {
    server.child.kill().unwrap();
    server.child.wait().unwrap();
}

#[test]
fn one_file_is_complete_after_a_clean_stop() {
    let operator = Operator::new();
    let server = operator.serve();
    operator.create(&server, 1..41);
    // Reads in parallel open several reading connections, and a burst opens the shared read lock.
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..20).for_each(|_| assert_eq!(operator.count(&server), 40)));
        }
    });
    stop(server);
    assert!(!operator.exists("trunkline.db-wal") && !operator.exists("trunkline.db-shm"));
    assert!(!operator.exists("trunkline.db-lock"));
    let other = TestDir::new();
    fs::copy(operator.dir.path(DATABASE), other.path(DATABASE)).unwrap();
    let other = Operator { dir: other, token: operator.token.clone() };
    other.assert_clean();
    assert_eq!(other.count_with_server(), 40);
}

#[test]
fn copy_made_by_hand_after_a_clean_stop_can_be_put_back() {
    let operator = Operator::new();
    let server = operator.serve();
    operator.create(&server, 1..11);
    stop(server);
    operator.copy(DATABASE, "copy.db");
    let server = operator.serve();
    operator.create(&server, 11..31);
    stop(server);
    operator.copy("copy.db", DATABASE);
    assert_eq!(operator.count_with_server(), 10);
    operator.assert_clean();
}

#[test]
fn command_that_writes_after_a_copy_was_put_back_keeps_its_log_usable() {
    let operator = Operator::new();
    stop(operator.serve());
    operator.copy(DATABASE, "copy.db");
    stop(operator.serve());
    operator.copy("copy.db", DATABASE);
    operator.dir.run_json(&["network", "create", "--name", "B"]);
    assert_eq!(operator.dir.run_json(&["network", "list"]).len(), 2);
    let server = operator.serve();
    operator.create(&server, 1..3);
    kill(server);
    assert_eq!(operator.count_with_server(), 2);
}

#[test]
fn copy_put_beside_the_log_of_a_killed_server_is_refused() {
    let operator = Operator::new();
    let server = operator.serve();
    operator.create(&server, 1..11);
    stop(server);
    operator.copy(DATABASE, "copy.db");
    let server = operator.serve();
    operator.create(&server, 11..41);
    kill(server);
    operator.copy("copy.db", DATABASE);
    let log_before = fs::read(operator.dir.path("trunkline.db-wal")).unwrap();
    for command in [
        &["serve", "--listen", "127.0.0.1:0"][..],
        &["database", "check"],
        &["database", "migrate"],
        &["database", "backup", "--to", "b.db"],
        &["network", "list"],
        &["network", "create", "--name", "B"],
    ] {
        let (line, code) = operator.dir.expect_failure(command);
        assert_eq!(code, 1, "{line}");
        assert!(line.contains("'trunkline.db-wal' is the log of another copy"), "{line}");
        assert!(line.contains("delete 'trunkline.db-wal', 'trunkline.db-shm'"), "{line}");
    }
    assert_eq!(fs::read(operator.dir.path("trunkline.db-wal")).unwrap(), log_before);
    assert_eq!(
        fs::read(operator.dir.path(DATABASE)).unwrap(),
        fs::read(operator.dir.path("copy.db")).unwrap()
    );
    // The way out.
    for file in ["trunkline.db-wal", "trunkline.db-shm", "trunkline.db-start"] {
        fs::remove_file(operator.dir.path(file)).ok();
    }
    assert_eq!(operator.count_with_server(), 10);
    operator.assert_clean();
}

#[test]
fn backup_of_the_same_start_put_beside_the_log_is_refused() {
    let operator = Operator::new();
    let server = operator.serve();
    operator.create(&server, 1..11);
    operator.backup("backup.db");
    operator.create(&server, 11..41);
    kill(server);
    operator.copy("backup.db", DATABASE);
    assert!(operator.serve_error().contains("is the log of another copy"));
    // The command gets it right, and keeps what was there.
    let restored = operator.dir.run_json(&["database", "restore", "--from", "backup.db"]);
    assert_eq!(restored[0]["before_restore"], "trunkline.db.before-restore");
    assert_eq!(operator.count_with_server(), 10);
}

#[test]
fn killed_server_loses_nothing_and_files_can_move_together() {
    let operator = Operator::new();
    for round in 0..3 {
        let server = operator.serve();
        operator.create(&server, round * 10 + 1..round * 10 + 11);
        kill(server);
    }
    let moved = TestDir::new();
    for suffix in ["", "-wal", "-start"] {
        let name = format!("{DATABASE}{suffix}");
        fs::copy(operator.dir.path(&name), moved.path(&name)).unwrap();
    }
    let moved = Operator { dir: moved, token: operator.token.clone() };
    fs::rename(moved.dir.path("trunkline.db-start"), moved.dir.path("away")).unwrap();
    let line = moved.serve_error();
    assert!(line.contains("copy 'trunkline.db-start' too"), "{line}");
    fs::rename(moved.dir.path("away"), moved.dir.path("trunkline.db-start")).unwrap();
    moved.assert_clean();
    assert_eq!(moved.count_with_server(), 30);
    assert_eq!(operator.count_with_server(), 30);
}

#[test]
fn log_of_an_older_version_is_accepted() {
    let operator = Operator::new();
    let server = operator.serve();
    operator.create(&server, 1..6);
    stop(server);
    // As an older version leaves it: no start id in either place, and a log.
    fs::remove_file(operator.dir.path("trunkline.db-start")).unwrap();
    let connection = Connection::open(operator.dir.path(DATABASE)).unwrap();
    connection.execute_batch("PRAGMA application_id = 0; PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    connection.execute_batch("UPDATE networks SET name = 'renamed'").unwrap();
    for suffix in ["", "-wal"] {
        operator.copy(&format!("{DATABASE}{suffix}"), &format!("old.db{suffix}"));
    }
    drop(connection);
    let list = operator.dir.run_json(&["network", "list", "--database", "sqlite://old.db"]);
    assert_eq!(list[0]["name"], "renamed");
}

#[test]
fn backup_under_write_load_is_one_snapshot_and_can_be_restored() {
    let operator = Operator::new();
    let server = operator.serve();
    operator.create(&server, 1..11);
    let backup = std::thread::scope(|scope| {
        let writer = scope.spawn(|| operator.create(&server, 11..201));
        let backups: Vec<Value> =
            (0..3).map(|number| operator.backup(&format!("backup-{number}.db"))).collect();
        writer.join().unwrap();
        backups
    });
    stop(server);
    for (number, backup) in backup.iter().enumerate() {
        let file = format!("backup-{number}.db");
        let metadata = fs::metadata(operator.dir.path(&file)).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
        assert_eq!(
            *backup,
            json!({"backup": file, "bytes": metadata.len(), "checked": backup["checked"]})
        );
        let restored = operator.dir.run_json(&["database", "restore", "--from", &file]);
        assert_eq!(restored[0]["from"], file);
        operator.assert_clean();
        assert_eq!(json!(operator.count_with_server()), backup["checked"]["parties"]);
        for suffix in ["-wal", "-shm", "-lock", ".partial"] {
            assert!(!operator.exists(&format!("{file}{suffix}")), "{file}{suffix}");
        }
    }
    // What was replaced is kept, each under a name of its own, and is whole.
    let first = backup[0]["checked"]["parties"].clone();
    let second = backup[1]["checked"]["parties"].clone();
    for (name, count) in
        [("before-restore", json!(200)), ("before-restore-2", first), ("before-restore-3", second)]
    {
        let url = format!("sqlite://trunkline.db.{name}");
        let check = operator.dir.run_json(&["database", "check", "--database", &url]);
        assert_eq!(check[0]["checked"]["parties"], count, "{name}");
    }
}

#[test]
fn restore_keeps_the_log_of_a_killed_server_with_the_old_database() {
    let operator = Operator::new();
    let server = operator.serve();
    operator.create(&server, 1..6);
    operator.backup("backup.db");
    operator.create(&server, 6..31);
    kill(server);
    operator.dir.run_json(&["database", "restore", "--from", "backup.db"]);
    assert!(operator.exists("trunkline.db.before-restore-wal"));
    assert_eq!(operator.count_with_server(), 5);
    let url = "sqlite://trunkline.db.before-restore";
    let old = operator.dir.run_json(&["database", "check", "--database", url]);
    assert_eq!(old[0]["checked"]["parties"], 30);
    // And back again.
    operator.dir.run_json(&["database", "restore", "--from", "trunkline.db.before-restore"]);
    assert_eq!(operator.count_with_server(), 30);
}

#[test]
fn restore_while_a_server_runs_is_refused() {
    let operator = Operator::new();
    let server = operator.serve();
    operator.create(&server, 1..4);
    operator.backup("backup.db");
    let (line, code) = operator.dir.expect_failure(&["database", "restore", "--from", "backup.db"]);
    let expected = "cannot restore the database 'trunkline.db': a server or another command has it \
                    open; stop it first";
    assert_eq!((line.as_str(), code), (expected, 1));
    operator.create(&server, 4..6);
    assert_eq!(operator.count(&server), 5);
    kill(server);
    // The lock of a killed server is gone with it.
    operator.dir.run_json(&["database", "restore", "--from", "backup.db"]);
    assert_eq!(operator.count_with_server(), 3);
}

#[test]
fn wrong_files_are_refused_and_change_nothing() {
    let operator = Operator::new();
    stop(operator.serve());
    operator.backup("backup.db");
    fs::write(operator.dir.path("text.db"), "not a database, whatever its name says".repeat(90))
        .unwrap();
    fs::write(operator.dir.path("empty.db"), "").unwrap();
    let other = Connection::open(operator.dir.path("other.db")).unwrap();
    other.execute_batch("CREATE TABLE a (b)").unwrap();
    drop(other);
    let newer = Connection::open(operator.dir.path("newer.db")).unwrap();
    newer.execute_batch("CREATE TABLE networks (b); PRAGMA user_version = 999").unwrap();
    drop(newer);
    let whole = fs::read(operator.dir.path("backup.db")).unwrap();
    fs::write(operator.dir.path("truncated.db"), &whole[..whole.len() / 2]).unwrap();
    let mut damaged = whole.clone();
    // The first page of a table: damage in a free page would be none.
    let backup = Connection::open(operator.dir.path("backup.db")).unwrap();
    let page: u32 = backup
        .query_row("SELECT rootpage FROM sqlite_master WHERE name = 'users'", [], |row| row.get(0))
        .unwrap();
    drop(backup);
    let page = page as usize;
    damaged[(page - 1) * 4096..page * 4096].fill(0x5A);
    fs::write(operator.dir.path("damaged.db"), damaged).unwrap();
    let before = fs::read(operator.dir.path(DATABASE)).unwrap();
    for (file, text) in [
        ("text.db", "it is not a SQLite database"),
        ("empty.db", "it is not a Trunkline database"),
        ("other.db", "it is not a Trunkline database"),
        ("newer.db", "use a newer trunkline"),
        ("truncated.db", "it is truncated"),
        ("damaged.db", ""),
        ("missing.db", "there is no such file"),
        (DATABASE, "it is the database itself"),
    ] {
        let (line, code) = operator.dir.expect_failure(&["database", "restore", "--from", file]);
        assert!(line.contains(text) && code == 1, "{file}: {line}");
        assert_eq!(fs::read(operator.dir.path(DATABASE)).unwrap(), before, "{file}");
    }
    assert!(!operator.exists("trunkline.db.before-restore"));
    assert!(!operator.exists("trunkline.db.restoring"));
    // A truncated file in the place of the database does not start.
    operator.copy("truncated.db", DATABASE);
    assert!(operator.serve_error().contains("it is truncated"));
    operator.copy("text.db", DATABASE);
    assert!(operator.serve_error().contains("it is not a SQLite database"));
}

#[test]
fn backup_never_overwrites_a_file() {
    let operator = Operator::new();
    fs::write(operator.dir.path("taken.db"), "mine").unwrap();
    let (line, _) = operator.dir.expect_failure(&["database", "backup", "--to", "taken.db"]);
    assert_eq!(line, "cannot write 'taken.db': the file exists already");
    assert_eq!(fs::read_to_string(operator.dir.path("taken.db")).unwrap(), "mine");
    let (line, _) = operator.dir.expect_failure(&["database", "backup", "--to", "no/b.db"]);
    assert!(line.contains("its directory does not exist"), "{line}");
}

#[test]
fn postgresql_urls_are_told_to_use_its_own_tools() {
    let dir = TestDir::new();
    for command in [["backup", "--to"], ["restore", "--from"]] {
        let url = "postgres://trunkline@127.0.0.1:1/trunkline";
        let args = ["database", command[0], command[1], "a.db", "--database", url];
        let (line, code) = dir.expect_failure(&args);
        assert!(line.contains("pg_dump") && line.contains("SQLite"), "{line}");
        assert_eq!(code, 1);
    }
}

#[test]
fn log_without_its_database_is_refused() {
    let operator = Operator::new();
    let server = operator.serve();
    operator.create(&server, 1..4);
    kill(server);
    fs::rename(operator.dir.path(DATABASE), operator.dir.path("away.db")).unwrap();
    assert!(operator.serve_error().contains("it is missing or empty, but its log"));
    fs::rename(operator.dir.path("away.db"), operator.dir.path(DATABASE)).unwrap();
    assert_eq!(operator.count_with_server(), 3);
}

/// Waits until the condition holds, for up to 5 seconds.
fn wait_until(mut condition: impl FnMut() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < Duration::from_secs(5), "it did not happen in 5 seconds");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn server_notices_that_its_file_was_deleted_or_replaced() {
    for replaces in [false, true] {
        let operator = Operator::new();
        let server = operator.serve();
        operator.create(&server, 1..4);
        operator.backup("backup.db");
        let path = operator.dir.path(DATABASE);
        match replaces {
            true => fs::rename(operator.dir.path("backup.db"), &path).unwrap(),
            false => fs::remove_file(&path).unwrap(),
        }
        wait_until(|| server.request("GET /readyz", "", "").status == 503);
        let body = r#"{"name": "Late"}"#;
        let head = "POST /api/2018-11-01/1/affiliates/99.json";
        let response = server.request(head, &operator.token, body);
        assert_eq!(response.status, 503, "{}", response.body);
        assert!(response.body.contains("was replaced or deleted"), "{}", response.body);
        assert_eq!(server.request("GET /healthz", "", "").status, 200);
        server.terminate();
        let log = server.wait().1;
        let errors = log.lines().filter(|line| line.contains("was replaced or deleted while"));
        assert_eq!(errors.filter(|line| line.contains("\"ERROR\"")).count(), 1, "{log}");
        if replaces {
            // The stop has left the new file alone. The old log is not used with it.
            let id = |file: &str| fs::metadata(operator.dir.path(file)).unwrap().ino();
            let before = id(DATABASE);
            let line = operator.serve_error();
            assert!(line.contains("is the log of another copy"), "{line}");
            assert_eq!(id(DATABASE), before);
        }
    }
}

#[test]
fn server_logs_a_replaced_file_without_any_request() {
    let operator = Operator::new();
    let server = operator.serve();
    fs::remove_file(operator.dir.path("trunkline.db-wal")).unwrap();
    std::thread::sleep(Duration::from_millis(2_500));
    server.terminate();
    let log = server.wait().1;
    assert!(log.contains("'trunkline.db-wal' was replaced or deleted"), "{log}");
}

#[test]
fn serve_warns_if_others_can_read_the_database() {
    let operator = Operator::new();
    let log = |mode: u32| {
        fs::set_permissions(operator.dir.path(DATABASE), fs::Permissions::from_mode(mode)).unwrap();
        let server = operator.serve();
        server.terminate();
        server.wait().1
    };
    assert!(log(0o644).contains("(mode 0644)"));
    assert!(!log(0o600).contains("can be read by every user"));
}

/// The one case that start ids cannot tell: a raw copy from a running server, put back beside the log
/// of the same start. `database check` finds it.
#[test]
fn database_check_finds_a_copy_of_the_same_start_beside_its_log() {
    let operator = Operator::new();
    let server = operator.serve();
    operator.create(&server, 1..6);
    let live = Connection::open(operator.dir.path(DATABASE)).unwrap();
    live.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    operator.copy(DATABASE, "copy.db");
    operator.create(&server, 6..600);
    live.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    operator.create(&server, 600..640);
    drop(live);
    kill(server);
    operator.copy("copy.db", DATABASE);
    let output = operator.dir.run(&["database", "check"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
}
