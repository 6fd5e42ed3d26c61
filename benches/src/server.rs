//! Trunkline's server as a child process.

use crate::http::send;
use crate::process::Process;
use serde_json::Value;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Server on a database; killed when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    /// Process of the server.
    pub(crate) process: Process,
    /// Token for network 1.
    pub(crate) token: String,
}

/// Path of another program of this workspace, built with the same profile.
pub(crate) fn program(name: &str) -> Result<PathBuf, Box<dyn Error>> {
    let here = std::env::current_exe()?;
    let sibling = here.parent().ok_or("no folder")?.join(name);
    if sibling.exists() {
        return Ok(sibling);
    }
    Err(format!("{name} is not built: cargo build --release --workspace").into())
}

/// URL of an SQLite file.
pub(crate) fn sqlite_url(file: &Path) -> String {
    format!("sqlite://{}", file.display())
}

impl Server {
    /// Creates network 1 in a database and returns a token for it.
    pub(crate) fn create_network(database: &str) -> Result<String, Box<dyn Error>> {
        let output = Command::new(program("trunkline")?)
            .args(["network", "create", "--name", "Bench", "--id", "1", "--database", database])
            .output()?;
        let network: Value = serde_json::from_slice(&output.stdout)
            .map_err(|_| String::from_utf8_lossy(&output.stderr).into_owned())?;
        Ok(network["token"].as_str().ok_or("no token")?.to_owned())
    }

    /// Starts a server on a database, without a rate limit.
    pub(crate) fn start(database: &str, token: &str, log: &Path) -> Result<Self, Box<dyn Error>> {
        let mut command = Command::new(program("trunkline")?);
        command.args(["serve", "--listen", "127.0.0.1:0", "--rate-limit", "0"]);
        // The calls of the workloads start in the future, after every go_live.
        command.args(["--clock-tolerance", "100000000000"]);
        // The same address as --listen: on the main listener.
        command.args(["--metrics-listen", "127.0.0.1:0"]);
        let process = Process::start(command.args(["--database", database]), log)?;
        Ok(Self { process, token: token.to_owned() })
    }

    /// `host:port`.
    pub(crate) fn address(&self) -> &str {
        &self.process.address
    }

    /// Sends a request to network 1; `path` begins after the network.
    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        body: &Value,
    ) -> Result<Value, Box<dyn Error>> {
        let head = format!("{method} /api/2018-11-01/1{path}.json");
        let response = send(self.address(), &self.token, &head, Some(body))?;
        Ok(serde_json::from_str(&response)?)
    }

    /// Reads the counters of writes and commits from `/metrics`.
    pub(crate) fn write_counts(&self) -> Result<WriteCounts, Box<dyn Error>> {
        let metrics = send(self.address(), &self.token, "GET /metrics", None)?;
        let counter = |name: &str| {
            let mut lines = metrics.lines().filter_map(|line| line.strip_prefix(name));
            let figure = lines.next().ok_or_else(|| format!("there is no metric {name}"))?;
            Ok::<u64, Box<dyn Error>>(figure.trim().parse()?)
        };
        Ok(WriteCounts {
            writes: counter("trunkline_database_writes_total")?,
            commits: counter("trunkline_database_commits_total")?,
        })
    }
}

/// Counters of a server since its start.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct WriteCounts {
    /// Write transactions.
    pub(crate) writes: u64,
    /// Commits, each of one or more write transactions.
    pub(crate) commits: u64,
}
