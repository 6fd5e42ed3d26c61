//! A PostgreSQL server to throw away, as the tests have one, but with real commits.

use std::error::Error;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Stopped when dropped.
#[derive(Debug)]
pub(crate) struct Cluster {
    script: Child,
    /// What comes before a database's name.
    base: String,
}

impl Cluster {
    /// Starts one; installs PostgreSQL where it is missing.
    pub(crate) fn start() -> Result<Self, Box<dyn Error>> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/with-postgres");
        // It lives until its standard input ends.
        let mut script = Command::new(script)
            .args(["sh", "-c", "echo \"$TRUNKLINE_TEST_DATABASE\"; exec cat >/dev/null"])
            .env("TRUNKLINE_TEST_DURABLE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let out = script.stdout.take().ok_or("no standard output")?;
        let mut url = String::new();
        BufReader::new(out).read_line(&mut url)?;
        let base = url.trim().strip_suffix("postgres").unwrap_or_default().to_owned();
        let cluster = Self { script, base };
        match cluster.base.is_empty() {
            false => Ok(cluster),
            true => Err("tests/with-postgres did not start one".into()),
        }
    }

    /// The URL of a database, by its name.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("{}{database}", self.base)
    }

    /// Makes a database; its URL.
    pub(crate) fn make(&self, database: &str) -> Result<String, Box<dyn Error>> {
        connect(&self.url("postgres"))?.batch_execute(&format!("CREATE DATABASE {database}"))?;
        Ok(self.url(database))
    }

    /// The server's version, and the settings that commits depend on.
    pub(crate) fn version(&self) -> Result<String, Box<dyn Error>> {
        let sql =
            "SELECT current_setting('server_version') || ', fsync=' || current_setting('fsync')
            || ', synchronous_commit=' || current_setting('synchronous_commit')
            || ', shared_buffers=' || current_setting('shared_buffers')";
        Ok(connect(&self.url("postgres"))?.query_one(sql, &[])?.get(0))
    }
}

/// A connection of our own.
pub(crate) fn connect(url: &str) -> Result<postgres::Client, Box<dyn Error>> {
    Ok(postgres::Client::connect(url, postgres::NoTls)?)
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.script.stdin.take());
        let _ended = self.script.wait();
    }
}
