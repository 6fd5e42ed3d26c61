//! A PostgreSQL server of a test's own, to do with as it likes.

use postgres::{Client, NoTls};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// A server that goes when this is dropped. Its superuser is `trunkline`.
#[derive(Debug)]
pub struct Cluster {
    process: Child,
    url: String,
}

impl Cluster {
    /// Starts one on a free port, with `tests/with-postgres`.
    #[expect(clippy::new_without_default, reason = "it makes something outside of memory")]
    pub fn new() -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/with-postgres");
        let mut process = Command::new(script)
            // It is there until its standard input is closed.
            .args(["bash", "-c", "echo $TRUNKLINE_TEST_DATABASE; cat"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("tests/with-postgres starts");
        let mut said = BufReader::new(process.stdout.take().expect("standard output is piped"));
        let mut url = String::new();
        said.read_line(&mut url).expect("where it is");
        assert!(url.starts_with("postgres://"), "where it is: {url}");
        Self { process, url: url.trim().to_owned() }
    }

    /// `host:port`
    pub fn address(&self) -> &str {
        let (_, rest) = self.url.split_once('@').expect("a URL names a user");
        rest.split('/').next().unwrap_or_default()
    }

    /// Somebody who may do everything.
    pub fn admin(&self) -> Client {
        Client::connect(&self.url, NoTls).expect("the server is there")
    }

    /// Writes a file in the server's folder, which the server alone can read.
    pub fn write(&self, file: &str, text: &str) {
        let rows = text.trim_end().replace('\'', "''");
        let sql = format!(
            "COPY (SELECT unnest(string_to_array('{rows}', chr(10))))
             TO PROGRAM 'umask 077; cat > {file}'"
        );
        self.admin().batch_execute(&sql).expect("the file is written");
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ended = self.process.wait();
    }
}
