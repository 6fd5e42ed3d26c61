//! Temporary PostgreSQL server, like the one of the tests but with durable commits.

use std::error::Error;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Temporary PostgreSQL server; stopped when dropped.
#[derive(Debug)]
pub(crate) struct Cluster {
    script: Child,
    /// URL without the name of a database.
    base_url: String,
}

impl Cluster {
    /// Starts a server; installs PostgreSQL if it is missing.
    pub(crate) fn start() -> Result<Self, Box<dyn Error>> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/with-postgres");
        // The server runs until the script's standard input ends.
        let mut script = Command::new(script)
            .args(["sh", "-c", "echo \"$TRUNKLINE_TEST_DATABASE\"; exec cat >/dev/null"])
            .env("TRUNKLINE_TEST_DURABLE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let out = script.stdout.take().ok_or("no standard output")?;
        let mut url = String::new();
        BufReader::new(out).read_line(&mut url)?;
        let base_url = url.trim().strip_suffix("postgres").unwrap_or_default().to_owned();
        let cluster = Self { script, base_url };
        match cluster.base_url.is_empty() {
            false => Ok(cluster),
            true => Err("tests/with-postgres did not start PostgreSQL".into()),
        }
    }

    /// URL of a database, by its name.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("{}{database}", self.base_url)
    }

    /// Creates a database and returns its URL.
    pub(crate) fn create_database(&self, database: &str) -> Result<String, Box<dyn Error>> {
        connect(&self.url("postgres"))?.batch_execute(&format!("CREATE DATABASE {database}"))?;
        Ok(self.url(database))
    }

    /// Version of the server, and the settings that determine the durability of commits.
    pub(crate) fn version(&self) -> Result<String, Box<dyn Error>> {
        let sql =
            "SELECT current_setting('server_version') || ', fsync=' || current_setting('fsync')
            || ', synchronous_commit=' || current_setting('synchronous_commit')
            || ', shared_buffers=' || current_setting('shared_buffers')";
        Ok(connect(&self.url("postgres"))?.query_one(sql, &[])?.get(0))
    }
}

/// Opens a connection without TLS.
pub(crate) fn connect(url: &str) -> Result<postgres::Client, Box<dyn Error>> {
    Ok(postgres::Client::connect(url, postgres::NoTls)?)
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.script.stdin.take());
        // Fails only if the script has been waited for already.
        self.script.wait().ok();
    }
}
