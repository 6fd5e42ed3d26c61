//! A PostgreSQL server for one test.

use postgres::{Client, NoTls};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// A PostgreSQL server that is stopped when this is dropped. Its superuser is `trunkline`.
#[derive(Debug)]
pub struct PostgresCluster {
    process: Child,
    url: String,
}

impl PostgresCluster {
    /// Starts a server on a free port with `tests/with-postgres`.
    pub fn start() -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/with-postgres");
        let mut process = Command::new(script)
            // The server runs until standard input is closed.
            .args(["bash", "-c", "echo $TRUNKLINE_TEST_DATABASE; cat"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("tests/with-postgres starts");
        let mut stdout = BufReader::new(process.stdout.take().expect("standard output is piped"));
        let mut url = String::new();
        stdout.read_line(&mut url).expect("the URL of the database");
        assert!(url.starts_with("postgres://"), "the URL of the database is {url}");
        Self { process, url: url.trim().to_owned() }
    }

    /// Address as `host:port`.
    pub fn address(&self) -> &str {
        let (_, rest) = self.url.split_once('@').expect("a URL names a user");
        rest.split('/').next().unwrap_or_default()
    }

    /// Connects as the superuser.
    pub fn admin(&self) -> Client {
        Client::connect(&self.url, NoTls).expect("the PostgreSQL server accepts connections")
    }

    /// Writes a file into the data directory, readable by the server only.
    pub fn write_file(&self, file: &str, text: &str) {
        let rows = text.trim_end().replace('\'', "''");
        let sql = format!(
            "COPY (SELECT unnest(string_to_array('{rows}', chr(10))))
             TO PROGRAM 'umask 077; cat > {file}'"
        );
        self.admin().batch_execute(&sql).expect("the file is written");
    }
}

impl Drop for PostgresCluster {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        self.process.wait().ok();
    }
}
