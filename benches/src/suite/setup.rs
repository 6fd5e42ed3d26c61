//! Setup of the suite: databases, servers and baselines.

use super::cluster::{Cluster, connect};
use super::options::{DatabaseKind, Options};
use crate::fill::{self, CampaignCopies};
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

/// Filled database with a server.
#[derive(Debug)]
pub(crate) struct ServedDatabase {
    pub(crate) kind: DatabaseKind,
    /// Number of affiliates.
    pub(crate) rows: u64,
    pub(crate) url: String,
    pub(crate) server: Server,
    /// Number of the next call to report.
    pub(crate) calls: Arc<AtomicU64>,
}

/// Servers and baselines; stopped when dropped.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) databases: Vec<ServedDatabase>,
    pub(crate) constant: Process,
    /// Baselines with one `SELECT` for each request, in the order of the databases.
    pub(crate) selects: Vec<Process>,
    /// Baselines with one commit for each request.
    pub(crate) commits: BTreeMap<DatabaseKind, Process>,
}

/// Filled database without a server.
struct FilledDatabase {
    kind: DatabaseKind,
    rows: u64,
    url: String,
    token: String,
}

impl Setup {
    /// Fills the databases and starts the servers and baselines.
    pub(crate) fn create(
        options: &Options,
        folder: &Path,
        cluster: Option<&Cluster>,
    ) -> Result<Self, Box<dyn Error>> {
        let mut databases = Vec::new();
        for rows in &options.sizes {
            let name = format!("affiliates_{rows}");
            let file = folder.join(format!("{name}.db"));
            let token = fill_file(&file, *rows, options)?;
            for kind in kinds(options, cluster) {
                let url = copy_to_kind(kind, cluster, &file, &name)?;
                let filled = FilledDatabase { kind, rows: *rows, url, token: token.clone() };
                databases.push(filled.serve(folder)?);
            }
        }
        let mut setup = Self {
            constant: constant(folder, databases.first().ok_or("no database")?)?,
            databases,
            selects: Vec::new(),
            commits: BTreeMap::new(),
        };
        for (index, database) in setup.databases.iter().enumerate() {
            let log = folder.join(format!("select-{index}.log"));
            setup.selects.push(baseline(&["select", &database.url], &log)?);
        }
        for kind in kinds(options, cluster) {
            let url = match (kind, cluster) {
                (DatabaseKind::Postgres, Some(cluster)) => cluster.create_database("baseline")?,
                _ => sqlite_url(&folder.join("baseline.db")),
            };
            let log = folder.join(format!("commit-{}.log", kind.name()));
            setup.commits.insert(kind, baseline(&["commit", &url], &log)?);
        }
        Ok(setup)
    }
}

fn kinds(options: &Options, cluster: Option<&Cluster>) -> Vec<DatabaseKind> {
    let is_available = |kind: &DatabaseKind| *kind == DatabaseKind::Sqlite || cluster.is_some();
    options.kinds.iter().copied().filter(is_available).collect()
}

fn constant(folder: &Path, database: &ServedDatabase) -> Result<Process, Box<dyn Error>> {
    let head = "GET /api/2018-11-01/1/affiliates/1.json";
    let response =
        crate::http::send(database.server.address(), &database.server.token, head, None)?;
    let file = folder.join("response.json");
    std::fs::write(&file, response)?;
    baseline(&["constant", &file.display().to_string()], &folder.join("constant.log"))
}

fn baseline(arguments: &[&str], log: &Path) -> Result<Process, Box<dyn Error>> {
    Process::start(Command::new(program("trunkline-baseline")?).args(arguments), log)
}

/// Fills an SQLite file with affiliates and campaigns, and the largest with relationships to cascade;
/// returns a token.
fn fill_file(file: &Path, rows: u64, options: &Options) -> Result<String, Box<dyn Error>> {
    let started = Instant::now();
    let token = Server::create_network(&sqlite_url(file))?;
    fill::insert_affiliates(file, rows)?;
    let cascades = match options.cascades_at(rows) {
        true => options.cascades.as_slice(),
        false => &[],
    };
    let advertisers: Vec<String> = cascades.iter().map(|count| format!("of_{count}")).collect();
    fill_campaign(file, &token, &advertisers)?;
    let plain = CampaignCopies {
        advertiser: "1",
        prefix: "c",
        count: options.campaigns,
        with_affiliate: false,
    };
    fill::insert_campaign_copies(file, plain)?;
    for (count, advertiser) in cascades.iter().zip(&advertisers) {
        let prefix = format!("{advertiser}_");
        let copies =
            CampaignCopies { advertiser, prefix: &prefix, count: *count, with_affiliate: true };
        fill::insert_campaign_copies(file, copies)?;
    }
    super::progress(&format!("{rows} affiliates stored in {:.0?}", started.elapsed()));
    Ok(token)
}

/// Creates campaign 1 and the advertisers through a server's API.
fn fill_campaign(file: &Path, token: &str, advertisers: &[String]) -> Result<(), Box<dyn Error>> {
    let server = Server::start(&sqlite_url(file), token, &file.with_extension("fill.log"))?;
    fill::create_campaign(&server)?;
    for advertiser in advertisers {
        let body = serde_json::json!({"name": advertiser});
        server.send("PUT", &format!("/advertisers/{advertiser}"), &body)?;
    }
    Ok(())
}

/// Returns the URL of a filled file, or of its copy on PostgreSQL.
fn copy_to_kind(
    kind: DatabaseKind,
    cluster: Option<&Cluster>,
    file: &Path,
    name: &str,
) -> Result<String, Box<dyn Error>> {
    let source = sqlite_url(file);
    match (kind, cluster) {
        (DatabaseKind::Postgres, Some(cluster)) => {
            let started = Instant::now();
            let url = cluster.create_database(name)?;
            copy_database(&source, &url)?;
            // Autovacuum would do this within minutes.
            connect(&url)?.batch_execute("VACUUM ANALYZE")?;
            super::progress(&format!("{name} copied in {:.0?}", started.elapsed()));
            Ok(url)
        }
        _ => Ok(source),
    }
}

/// CampaignCopies a database by `trunkline database copy`.
pub(crate) fn copy_database(from: &str, to: &str) -> Result<(), Box<dyn Error>> {
    let output = Command::new(program("trunkline")?)
        .args(["database", "copy", "--from", from, "--to", to])
        .output()?;
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned().into()),
    }
}

impl FilledDatabase {
    fn serve(self, folder: &Path) -> Result<ServedDatabase, Box<dyn Error>> {
        let Self { kind, rows, url, token } = self;
        let log = folder.join(format!("server-{}-{rows}.log", kind.name()));
        let server = Server::start(&url, &token, &log)?;
        Ok(ServedDatabase { kind, rows, url, server, calls: Arc::default() })
    }
}

impl ServedDatabase {
    /// Reads the database's files into the page cache, which may have dropped them during other loads.
    pub(crate) fn warm_page_cache(&self) -> Result<(), Box<dyn Error>> {
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

/// Memory of a server before its first request (KiB).
pub(crate) fn idle_memory(database: &ServedDatabase) -> Result<u64, Box<dyn Error>> {
    sleep(Duration::from_millis(500));
    database.server.process.memory("VmRSS")
}
