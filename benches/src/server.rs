//! The real binary, started as a user starts it.

use std::error::Error;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A server on a database of its own. Killed when dropped.
pub(crate) struct Server {
    process: Child,
    /// `host:port`.
    pub(crate) address: String,
    /// A token for network 1.
    pub(crate) token: String,
}

fn binary() -> Result<PathBuf, Box<dyn Error>> {
    let here = std::env::current_exe()?;
    let beside = here.parent().ok_or("no folder")?.join("trunkline");
    if beside.exists() {
        return Ok(beside);
    }
    Err("build the server first: cargo build --release -p trunkline".into())
}

impl Server {
    /// Makes network 1 in a database file.
    pub(crate) fn make_network(database: &Path) -> Result<String, Box<dyn Error>> {
        let url = format!("sqlite://{}", database.display());
        let made = Command::new(binary()?)
            .args(["network", "create", "--name", "Bench", "--id", "1", "--database", &url])
            .output()?;
        let answer: serde_json::Value = serde_json::from_slice(&made.stdout)?;
        Ok(answer["token"].as_str().ok_or("no token")?.to_owned())
    }

    /// Starts a server on a database file.
    pub(crate) fn start(database: &Path, token: String) -> Result<Self, Box<dyn Error>> {
        let url = format!("sqlite://{}", database.display());
        let mut process = Command::new(binary()?)
            .args(["serve", "--listen", "127.0.0.1:0", "--database", &url])
            .stderr(Stdio::piped())
            .spawn()?;
        let errors = process.stderr.take().ok_or("no standard error")?;
        for line in BufReader::new(errors).lines() {
            let line = line?;
            if let Some((_, rest)) = line.split_once("http://") {
                let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || ".:".contains(c)));
                let address = rest.get(..end.unwrap_or(rest.len())).unwrap_or(rest).to_owned();
                return Ok(Self { process, address, token });
            }
        }
        Err("the server did not start".into())
    }

    /// A figure of `/proc/<pid>/status` in KiB: `VmRSS` now, `VmHWM` at most so far.
    pub(crate) fn memory(&self, name: &str) -> Result<u64, Box<dyn Error>> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find(|line| line.starts_with(name)).ok_or("no such figure")?;
        let figure = line.split_whitespace().nth(1).ok_or("no figure")?;
        Ok(figure.parse()?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _killed = self.process.kill();
        let _ended = self.process.wait();
    }
}
