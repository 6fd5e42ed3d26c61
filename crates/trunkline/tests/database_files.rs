//! Creation, migration and permissions of database files by commands.

#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

mod support;

use rusqlite::Connection;
use serde_json::json;
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;
use support::{TestDir, expect_failure};

/// Commands that need an existing database, without `--database`.
const COMMANDS: [&[&str]; 7] = [
    &["network", "list"],
    &["token", "list", "--network", "1"],
    &["token", "create", "--network", "1"],
    &["token", "revoke", "--network", "1", "--id", "1"],
    &["user", "set-password", "--email", "pat@example.com"],
    &["numbers", "import", "-"],
    &["database", "check"],
];

/// Contents of the files of a directory, by name.
fn files(dir: &TestDir) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(&dir.dir).unwrap().map(Result::unwrap);
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    entries.map(|entry| (name(&entry.path()), std::fs::read(entry.path()).unwrap())).collect()
}

/// Creates a database that has all migrations but the last.
fn create_older_database(file: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../store/migrations/sqlite");
    let mut migrations: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    migrations.sort();
    migrations.pop().unwrap();
    let connection = Connection::open(file).unwrap();
    for migration in &migrations {
        connection.execute_batch(&std::fs::read_to_string(migration).unwrap()).unwrap();
    }
    connection.pragma_update(None, "user_version", migrations.len() as i64).unwrap();
}

#[test]
fn missing_database_is_an_error_and_is_not_created() {
    let dir = TestDir::new();
    for command in COMMANDS {
        let args = [command, &["--database", "sqlite://mistyped.db"]].concat();
        let (line, code) = expect_failure(&dir.run_with_stdin(&args, "correct horse\n"));
        let expected = match command[0] {
            // The numbers are parsed first.
            "numbers" => "-:1: 'correct horse' is not a phone number; nothing was imported",
            _ => "cannot open the database 'mistyped.db': there is no such file",
        };
        assert_eq!((line.as_str(), code), (expected, 1), "{command:?}");
    }
    let import = ["numbers", "import", "-", "--database", "sqlite://mistyped.db"];
    let (line, _) = expect_failure(&dir.run_with_stdin(&import, "8005550100\n"));
    assert_eq!(line, "cannot open the database 'mistyped.db': there is no such file");
    assert!(files(&dir).is_empty(), "{:?}", files(&dir).keys());
}

#[test]
fn older_database_is_migrated_by_database_migrate_only() {
    let dir = TestDir::new();
    create_older_database(&dir.path("trunkline.db"));
    let before = files(&dir);
    for command in COMMANDS.into_iter().chain([&["network", "create", "--name", "A"][..]]) {
        let stdin = if command[0] == "numbers" { "8005550100\n" } else { "correct horse\n" };
        let (line, code) = expect_failure(&dir.run_with_stdin(command, stdin));
        assert!(line.starts_with("the database 'trunkline.db' has version "), "{line}");
        assert!(line.contains("run 'trunkline database migrate'"), "{line}");
        assert_eq!(code, 1);
        assert_eq!(files(&dir), before, "{command:?}");
    }
    assert_eq!(dir.run_json(&["database", "migrate"]), [json!({"migrated": true})]);
    assert_eq!(dir.run_json(&["database", "migrate"]), [json!({"migrated": false})]);
    dir.create_network();
    assert_eq!(dir.run_json(&["network", "list"])[0]["name"], "A");
}

#[test]
fn database_migrate_creates_a_database() {
    let dir = TestDir::new();
    let migrate = ["database", "migrate", "--database", "sqlite://new.db"];
    assert_eq!(dir.run_json(&migrate), [json!({"migrated": true})]);
    assert!(dir.run_json(&["network", "list", "--database", "sqlite://new.db"]).is_empty());
}

#[test]
fn serve_migrates_an_older_database() {
    let dir = TestDir::new();
    create_older_database(&dir.path("trunkline.db"));
    let server = dir.serve(&[]);
    server.terminate();
    assert_eq!(server.wait().0, 0);
    assert_eq!(dir.run_json(&["database", "migrate"]), [json!({"migrated": false})]);
}

#[test]
fn read_only_commands_change_no_file() {
    let dir = TestDir::new();
    dir.create_network();
    let commands =
        [&["network", "list"][..], &["token", "list", "--network", "1"], &["database", "check"]];
    let before = files(&dir);
    assert_eq!(before.keys().collect::<Vec<_>>(), ["trunkline.db"]);
    for command in commands {
        assert_eq!(dir.run_json(command).len(), 1, "{command:?}");
        assert_eq!(files(&dir), before, "{command:?}");
    }
    // A killed server leaves its log, which must not be merged into the database.
    let mut server = dir.serve(&[]);
    dir.run_json(&["network", "create", "--name", "B"]);
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    let before = files(&dir);
    assert!(!before["trunkline.db-wal"].is_empty());
    for command in [&["network", "list"][..], &["database", "check"]] {
        assert!(dir.run(command).status.success(), "{command:?}");
        let after = files(&dir);
        for file in ["trunkline.db", "trunkline.db-wal"] {
            assert!(after[file] == before[file], "{command:?} changed {file}");
        }
    }
    assert_eq!(dir.run_json(&["network", "list"]).len(), 2);
}

#[test]
fn new_database_files_are_private_whatever_the_umask() {
    for umask in ["000", "022", "077"] {
        let dir = TestDir::new();
        let mode =
            |file: &str| std::fs::metadata(dir.path(file)).unwrap().permissions().mode() & 0o777;
        let run = |args: &str| {
            let program = env!("CARGO_BIN_EXE_trunkline");
            let script = format!("umask {umask}; exec {program} {args}");
            let mut command = std::process::Command::new("sh");
            command.args(["-c", &script]).current_dir(&dir.dir).stdin(Stdio::null());
            command
        };
        assert!(run("network create --name A").output().unwrap().status.success());
        assert_eq!(mode("trunkline.db"), 0o600, "umask {umask}");
        let server = support::Server::start(run("serve --listen 127.0.0.1:0"));
        let copy = "database copy --from sqlite://trunkline.db --to sqlite://copy.db";
        assert!(run(copy).output().unwrap().status.success());
        for file in ["trunkline.db", "trunkline.db-wal", "trunkline.db-shm", "copy.db"] {
            assert_eq!(mode(file), 0o600, "umask {umask}, {file}");
        }
        drop(server);
    }
}

#[test]
fn port_in_use_leaves_no_database_behind() {
    let dir = TestDir::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    for args in [
        &["serve", "--listen", &address][..],
        &["serve", "--listen", "127.0.0.1:0", "--metrics-listen", &address],
        &["demo", "--listen", &address, "--database", "sqlite://demo.db"],
    ] {
        assert!(dir.expect_failure(args).0.contains("in use"), "{args:?}");
        assert!(files(&dir).is_empty(), "{args:?}: {:?}", files(&dir).keys());
    }
}

#[test]
fn serve_warns_if_the_database_has_no_network() {
    let log = |dir: &TestDir| {
        let server = dir.serve(&[]);
        server.terminate();
        server.wait().1
    };
    let dir = TestDir::new();
    let empty = log(&dir);
    assert!(empty.contains("\"level\":\"WARN\"") && empty.contains("has no network"), "{empty}");
    assert!(empty.contains("trunkline network create --name"), "{empty}");
    dir.create_network();
    let with_network = log(&dir);
    assert!(!with_network.contains("has no network"), "{with_network}");
}
