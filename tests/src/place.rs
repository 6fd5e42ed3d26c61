//! Where a test's database is: a file, or a database on the PostgreSQL server that
//! `TRUNKLINE_TEST_DATABASE` names, whose user may make databases.

use postgres::{Client, NoTls};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use tempfile::TempDir;

/// A database of its own, which goes with this.
#[derive(Debug)]
pub struct Place {
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    File(TempDir),
    /// A file system of its own.
    Disk(TempDir),
    Database {
        server: String,
        name: String,
    },
    /// Somebody else's.
    Url(String),
}

static MADE: AtomicU32 = AtomicU32::new(0);

impl Place {
    /// A new, empty one.
    #[expect(clippy::new_without_default, reason = "it makes something outside of memory")]
    pub fn new() -> Self {
        let Ok(server) = std::env::var("TRUNKLINE_TEST_DATABASE") else {
            let directory = TempDir::new().expect("a temporary directory can be made");
            return Self { kind: Kind::File(directory) };
        };
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{}_{number}", std::process::id());
        // Whoever had the same process id before may have been killed.
        run(&server, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        run(&server, &format!("CREATE DATABASE {name}"));
        Self { kind: Kind::Database { server, name } }
    }

    /// One that is somebody else's, and stays.
    pub fn at(url: &str) -> Self {
        Self { kind: Kind::Url(url.to_owned()) }
    }

    /// A file on a disk of its own, of so many KiB. Mounting it needs root, or sudo that does not ask.
    pub fn of_size(kibibytes: u32) -> Self {
        let directory = TempDir::new().expect("a temporary directory can be made");
        let options = format!("size={kibibytes}k,mode=777");
        as_root(&["mount", "-t", "tmpfs", "-o", &options, "tmpfs"], directory.path());
        Self { kind: Kind::Disk(directory) }
    }

    /// The folder that it is in.
    pub fn folder(&self) -> &Path {
        match &self.kind {
            Kind::File(directory) | Kind::Disk(directory) => directory.path(),
            Kind::Database { .. } | Kind::Url(_) => {
                panic!("a server's database is in no folder of ours")
            }
        }
    }

    /// How a server is told of it.
    pub fn url(&self) -> String {
        match &self.kind {
            Kind::File(directory) | Kind::Disk(directory) => {
                format!("sqlite://{}", directory.path().join("trunkline.db").display())
            }
            Kind::Database { server, name } => {
                let (server, _) = server.rsplit_once('/').expect("a URL names a database");
                format!("{server}/{name}")
            }
            Kind::Url(url) => url.clone(),
        }
    }

    /// How a server is told of it that reaches the PostgreSQL server by another address.
    pub(crate) fn url_by(&self, address: &str) -> String {
        let url = self.url();
        url.replacen(&postgres_address(), address, 1)
    }
}

/// Where the PostgreSQL server is, as `host:port`.
///
/// # Panics
/// Without one: `tests/with-postgres` runs a command with one.
pub fn postgres_address() -> String {
    let server = std::env::var("TRUNKLINE_TEST_DATABASE");
    let server = server.expect("TRUNKLINE_TEST_DATABASE names a server: see tests/with-postgres");
    let (_, rest) = server.split_once('@').expect("a URL names a user");
    rest.split('/').next().unwrap_or_default().to_owned()
}

fn as_root(command: &[&str], path: &Path) {
    let id = Command::new("id").arg("-u").output().expect("id is there");
    let sudo: &[&str] = if id.stdout == b"0\n" { &[] } else { &["sudo", "-n"] };
    let words = [sudo, command].concat();
    let (program, arguments) = words.split_first().expect("a command");
    let status = Command::new(program).args(arguments).arg(path).status();
    assert!(status.is_ok_and(|it| it.success()), "{words:?} needs root");
}

fn run(server: &str, sql: &str) {
    let mut client = Client::connect(server, NoTls).expect("the PostgreSQL server is there");
    client.batch_execute(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
}

impl Drop for Place {
    fn drop(&mut self) {
        match &self.kind {
            Kind::Database { server, name } => {
                run(server, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
            }
            // Whoever still has files open there keeps it until they are closed.
            Kind::Disk(directory) => as_root(&["umount", "--lazy"], directory.path()),
            Kind::File(_) | Kind::Url(_) => {}
        }
    }
}
