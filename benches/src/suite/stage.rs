//! The databases, and everything that runs on them.

use super::cluster::{Cluster, connect};
use super::options::{Kind, Options};
use crate::fill::{self, Copies};
use crate::process::Process;
use crate::server::{Server, program, sqlite_url};
use std::collections::BTreeMap;
use std::error::Error;
use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A server on a database of its own.
#[derive(Debug)]
pub(crate) struct Home {
    pub(crate) kind: Kind,
    /// Affiliates in it.
    pub(crate) rows: u64,
    pub(crate) url: String,
    pub(crate) server: Server,
    /// Calls told so far: the next one's number.
    pub(crate) calls: Arc<AtomicU64>,
}

/// All that there is; everything stops when it is dropped.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) homes: Vec<Home>,
    pub(crate) constant: Process,
    /// Baselines of one `SELECT`, in the order of the homes.
    pub(crate) selects: Vec<Process>,
    /// Baselines of one commit.
    pub(crate) commits: BTreeMap<Kind, Process>,
}

/// A database that is filled, but not served yet.
struct Filled {
    kind: Kind,
    rows: u64,
    url: String,
    token: String,
}

impl Stage {
    /// Fills databases and starts what runs on them.
    pub(crate) fn set(
        options: &Options,
        folder: &Path,
        cluster: Option<&Cluster>,
    ) -> Result<Self, Box<dyn Error>> {
        let mut homes = Vec::new();
        for rows in &options.sizes {
            let name = format!("affiliates_{rows}");
            let file = folder.join(format!("{name}.db"));
            let token = fill_file(&file, *rows, options)?;
            homes.extend(on_each(options, cluster, &file, &name, (*rows, token))?);
        }
        let homes: Result<Vec<_>, _> =
            homes.into_iter().map(|it: Filled| it.serve(folder)).collect();
        let homes = homes?;
        let mut stage = Self {
            constant: constant(folder, homes.first().ok_or("no database")?)?,
            homes,
            selects: Vec::new(),
            commits: BTreeMap::new(),
        };
        for (index, home) in stage.homes.iter().enumerate() {
            let log = folder.join(format!("select-{index}.log"));
            stage.selects.push(baseline(&["select", &home.url], &log)?);
        }
        for kind in kinds(options, cluster) {
            let url = match (kind, cluster) {
                (Kind::Postgres, Some(cluster)) => cluster.make("baseline")?,
                _ => sqlite_url(&folder.join("baseline.db")),
            };
            let log = folder.join(format!("commit-{}.log", kind.name()));
            stage.commits.insert(kind, baseline(&["commit", &url], &log)?);
        }
        Ok(stage)
    }
}

fn kinds(options: &Options, cluster: Option<&Cluster>) -> Vec<Kind> {
    let is_there = |kind: &Kind| *kind == Kind::Sqlite || cluster.is_some();
    options.kinds.iter().copied().filter(is_there).collect()
}

fn constant(folder: &Path, home: &Home) -> Result<Process, Box<dyn Error>> {
    let head = "GET /api/2018-11-01/1/affiliates/1.json";
    let answer = crate::http::ask(home.server.address(), &home.server.token, head, None)?;
    let file = folder.join("answer.json");
    std::fs::write(&file, answer)?;
    baseline(&["constant", &file.display().to_string()], &folder.join("constant.log"))
}

fn baseline(arguments: &[&str], log: &Path) -> Result<Process, Box<dyn Error>> {
    Process::start(Command::new(program("trunkline-baseline")?).args(arguments), log)
}

/// Fills a file with affiliates and campaigns, and the largest with relationships to change.
fn fill_file(file: &Path, rows: u64, options: &Options) -> Result<String, Box<dyn Error>> {
    let begun = Instant::now();
    let token = Server::make_network(&sqlite_url(file))?;
    fill::affiliates(file, rows)?;
    let cascades = match options.cascades_at(rows) {
        true => options.cascades.as_slice(),
        false => &[],
    };
    let advertisers: Vec<String> = cascades.iter().map(|count| format!("of_{count}")).collect();
    fill_campaign(file, &token, &advertisers)?;
    let plain =
        Copies { advertiser: "1", prefix: "c", count: options.campaigns, with_affiliate: false };
    fill::copies(file, plain)?;
    for (count, advertiser) in cascades.iter().zip(&advertisers) {
        let prefix = format!("{advertiser}_");
        let copies = Copies { advertiser, prefix: &prefix, count: *count, with_affiliate: true };
        fill::copies(file, copies)?;
    }
    super::progress(&format!("{rows} affiliates stored in {:.0?}", begun.elapsed()));
    Ok(token)
}

/// What goes by a server: campaign 1, and advertisers.
fn fill_campaign(file: &Path, token: &str, advertisers: &[String]) -> Result<(), Box<dyn Error>> {
    let server = Server::start(&sqlite_url(file), token, &file.with_extension("fill.log"))?;
    fill::campaign(&server)?;
    for advertiser in advertisers {
        let body = serde_json::json!({"name": advertiser});
        server.ask("PUT", &format!("/advertisers/{advertiser}"), &body)?;
    }
    Ok(())
}

/// A filled file, and its copy on PostgreSQL.
fn on_each(
    options: &Options,
    cluster: Option<&Cluster>,
    file: &Path,
    name: &str,
    (rows, token): (u64, String),
) -> Result<Vec<Filled>, Box<dyn Error>> {
    let mut filled = Vec::new();
    let source = sqlite_url(file);
    for kind in kinds(options, cluster) {
        let url = match (kind, cluster) {
            (Kind::Postgres, Some(cluster)) => {
                let begun = Instant::now();
                let url = cluster.make(name)?;
                copy(&source, &url)?;
                // As a database is that has been there for some minutes.
                connect(&url)?.batch_execute("VACUUM ANALYZE")?;
                super::progress(&format!("{name} copied in {:.0?}", begun.elapsed()));
                url
            }
            _ => source.clone(),
        };
        filled.push(Filled { kind, rows, url, token: token.clone() });
    }
    Ok(filled)
}

/// Copies a database, as a user would.
pub(crate) fn copy(from: &str, to: &str) -> Result<(), Box<dyn Error>> {
    let copied = Command::new(program("trunkline")?)
        .args(["database", "copy", "--from", from, "--to", to])
        .output()?;
    match copied.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&copied.stderr).into_owned().into()),
    }
}

impl Filled {
    fn serve(self, folder: &Path) -> Result<Home, Box<dyn Error>> {
        let Self { kind, rows, url, token } = self;
        let log = folder.join(format!("server-{}-{rows}.log", kind.name()));
        let server = Server::start(&url, &token, &log)?;
        Ok(Home { kind, rows, url, server, calls: Arc::default() })
    }
}

impl Home {
    /// Reads the database's files, so that no load has to wait for what the system has dropped from its
    /// memory meanwhile.
    pub(crate) fn read_through(&self) -> Result<(), Box<dyn Error>> {
        match self.url.strip_prefix("sqlite://") {
            Some(file) => drop(std::io::copy(&mut File::open(file)?, &mut std::io::sink())?),
            None => connect(&self.url)?.batch_execute(
                "CREATE EXTENSION IF NOT EXISTS pg_prewarm;
                 SELECT sum(pg_prewarm(CAST(oid AS regclass), 'read')) FROM pg_class
                 WHERE relkind IN ('r', 'i')",
            )?,
        }
        Ok(())
    }
}

/// A server's memory when nobody has asked it anything (KiB).
pub(crate) fn idle_memory(home: &Home) -> Result<u64, Box<dyn Error>> {
    sleep(Duration::from_millis(500));
    home.server.process.memory("VmRSS")
}
