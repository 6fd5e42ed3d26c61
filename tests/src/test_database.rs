//! Database of one test: a SQLite file, or a database on the PostgreSQL server that
//! `TRUNKLINE_TEST_DATABASE` names. The user in that URL must be allowed to create databases.

use postgres::{Client, NoTls};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use tempfile::TempDir;

/// A database that is deleted when this is dropped.
#[derive(Debug)]
pub struct TestDatabase {
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    File(TempDir),
    /// A file on a mounted file system of its own.
    Disk(TempDir),
    Database {
        server: String,
        name: String,
    },
    /// A database that is owned elsewhere and not deleted.
    External(String),
}

static NEXT_NUMBER: AtomicU32 = AtomicU32::new(0);

impl TestDatabase {
    /// Creates an empty database.
    #[expect(clippy::new_without_default, reason = "creates a directory or a database")]
    pub fn new() -> Self {
        let Ok(server) = std::env::var("TRUNKLINE_TEST_DATABASE") else {
            let directory = TempDir::new().expect("a temporary directory can be made");
            return Self { kind: Kind::File(directory) };
        };
        let number = NEXT_NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{}_{number}", std::process::id());
        // A killed process with the same id may have left a database behind.
        execute(&server, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        execute(&server, &format!("CREATE DATABASE {name}"));
        Self { kind: Kind::Database { server, name } }
    }

    /// Refers to a database that is owned elsewhere.
    pub fn external(url: &str) -> Self {
        Self { kind: Kind::External(url.to_owned()) }
    }

    /// Creates a file on a mounted tmpfs of this size, in KiB. Needs root, or sudo without a password.
    pub fn on_disk_of_size(kibibytes: u32) -> Self {
        let directory = TempDir::new().expect("a temporary directory can be made");
        let options = format!("size={kibibytes}k,mode=777");
        as_root(&["mount", "-t", "tmpfs", "-o", &options, "tmpfs"], directory.path());
        Self { kind: Kind::Disk(directory) }
    }

    /// Directory of the SQLite file.
    pub fn directory(&self) -> &Path {
        match &self.kind {
            Kind::File(directory) | Kind::Disk(directory) => directory.path(),
            Kind::Database { .. } | Kind::External(_) => {
                panic!("a PostgreSQL database has no directory")
            }
        }
    }

    /// URL of the database.
    pub fn url(&self) -> String {
        match &self.kind {
            Kind::File(directory) | Kind::Disk(directory) => {
                format!("sqlite://{}", directory.path().join("trunkline.db").display())
            }
            Kind::Database { server, name } => {
                let (server, _) = server.rsplit_once('/').expect("a URL names a database");
                format!("{server}/{name}")
            }
            Kind::External(url) => url.clone(),
        }
    }

    /// URL of the database with another address of the PostgreSQL server.
    pub(crate) fn url_via(&self, address: &str) -> String {
        let url = self.url();
        url.replacen(&postgres_address(), address, 1)
    }
}

/// Address of the PostgreSQL server as `host:port`.
///
/// # Panics
/// If `TRUNKLINE_TEST_DATABASE` is not set. `tests/with-postgres` runs a command with it.
pub fn postgres_address() -> String {
    let server = std::env::var("TRUNKLINE_TEST_DATABASE");
    let server = server.expect("TRUNKLINE_TEST_DATABASE is set: see tests/with-postgres");
    let (_, rest) = server.split_once('@').expect("a URL names a user");
    rest.split('/').next().unwrap_or_default().to_owned()
}

fn as_root(command: &[&str], path: &Path) {
    let id = Command::new("id").arg("-u").output().expect("id is installed");
    let sudo: &[&str] = if id.stdout == b"0\n" { &[] } else { &["sudo", "-n"] };
    let words = [sudo, command].concat();
    let (program, arguments) = words.split_first().expect("a command");
    let status = Command::new(program).args(arguments).arg(path).status();
    assert!(status.is_ok_and(|status| status.success()), "{words:?} needs root");
}

fn execute(server: &str, sql: &str) {
    let mut client =
        Client::connect(server, NoTls).expect("the PostgreSQL server accepts connections");
    client.batch_execute(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        match &self.kind {
            Kind::Database { server, name } => {
                execute(server, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
            }
            // The file system is released when its last open file is closed.
            Kind::Disk(directory) => as_root(&["umount", "--lazy"], directory.path()),
            Kind::File(_) | Kind::External(_) => {}
        }
    }
}
