//! The real binary, started as a user starts it.

use crate::http::ask;
use crate::process::Process;
use serde_json::Value;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A server on a database of its own. Killed when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    /// What runs, and where it listens.
    pub(crate) process: Process,
    /// A token for network 1.
    pub(crate) token: String,
}

/// A program of this workspace, built as this one was.
pub(crate) fn program(name: &str) -> Result<PathBuf, Box<dyn Error>> {
    let here = std::env::current_exe()?;
    let beside = here.parent().ok_or("no folder")?.join(name);
    if beside.exists() {
        return Ok(beside);
    }
    Err(format!("{name} is not built: cargo build --release --workspace").into())
}

/// The URL of an SQLite file.
pub(crate) fn sqlite_url(file: &Path) -> String {
    format!("sqlite://{}", file.display())
}

impl Server {
    /// Makes network 1 in a database; a token for it.
    pub(crate) fn make_network(database: &str) -> Result<String, Box<dyn Error>> {
        let made = Command::new(program("trunkline")?)
            .args(["network", "create", "--name", "Bench", "--id", "1", "--database", database])
            .output()?;
        let answer: Value = serde_json::from_slice(&made.stdout)
            .map_err(|_| String::from_utf8_lossy(&made.stderr).into_owned())?;
        Ok(answer["token"].as_str().ok_or("no token")?.to_owned())
    }

    /// Starts a server on a database; it answers as many requests as are asked.
    pub(crate) fn start(database: &str, token: &str, log: &Path) -> Result<Self, Box<dyn Error>> {
        let mut command = Command::new(program("trunkline")?);
        command.args(["serve", "--listen", "127.0.0.1:0", "--rate-limit", "0"]);
        let process = Process::start(command.args(["--database", database]), log)?;
        Ok(Self { process, token: token.to_owned() })
    }

    /// `host:port`.
    pub(crate) fn address(&self) -> &str {
        &self.process.address
    }

    /// Asks something of network 1: a method, and a path from there on.
    pub(crate) fn ask(
        &self,
        method: &str,
        path: &str,
        body: &Value,
    ) -> Result<Value, Box<dyn Error>> {
        let head = format!("{method} /api/2018-11-01/1{path}.json");
        let answer = ask(self.address(), &self.token, &head, Some(body))?;
        Ok(serde_json::from_str(&answer)?)
    }

    /// A counter of `/metrics`.
    pub(crate) fn counter(&self, name: &str) -> Result<u64, Box<dyn Error>> {
        let all = ask(self.address(), &self.token, "GET /metrics", None)?;
        let mut lines = all.lines().filter_map(|line| line.strip_prefix(name));
        let figure = lines.next().ok_or_else(|| format!("there is no {name}"))?;
        Ok(figure.trim().parse()?)
    }
}
