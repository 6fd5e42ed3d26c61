//! Throughput of one, two and three servers on one PostgreSQL, with the same number of clients in total.

use crate::fill;
use crate::load::{Load, LoadResult, RequestWriter};
use crate::server::{Server, WriteCounts, sqlite_url};
use crate::suite::cluster::Cluster;
use crate::suite::requests::{get_affiliates_of, put_affiliates_of};
use crate::suite::setup::copy_database;
use std::error::Error;
use std::path::Path;
use std::time::Duration;

/// Largest number of servers.
const MAX_SERVERS: usize = 3;
/// Clients in total.
const CLIENTS: usize = 96;
/// Affiliates in the database.
const AFFILIATES: u64 = 10_000;
/// Measurements of each row; the median counts.
const ROUNDS: usize = 3;

/// Starts three servers and loads the first one, two and three of them in each round.
pub(crate) fn run() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let cluster = Cluster::start()?;
    let (url, token) = fill(folder.path(), &cluster)?;
    let start = |number: usize| {
        Server::start(&url, &token, &folder.path().join(format!("server-{number}.log")))
    };
    let servers = (0..MAX_SERVERS).map(start).collect::<Result<Vec<_>, _>>()?;
    let mut rows: Vec<Vec<GetAndPut>> = vec![Vec::new(); MAX_SERVERS];
    for _ in 0..ROUNDS {
        for (count, measurements) in (1..=MAX_SERVERS).zip(&mut rows) {
            let servers = servers.get(..count).unwrap_or_default();
            let get = measure(servers, &mut *get_affiliates_of(&token, AFFILIATES))?;
            let put = measure(servers, &mut *put_affiliates_of(&token, AFFILIATES))?;
            measurements.push(GetAndPut { get, put });
        }
    }
    println!(
        "| servers | GET one affiliate | p99 | PUT one affiliate | p99 | PUTs that share a commit |"
    );
    println!("|---|---|---|---|---|---|");
    for (count, measurements) in (1..=MAX_SERVERS).zip(rows) {
        let median = |figure: fn(&GetAndPut) -> f64| {
            let mut figures: Vec<f64> = measurements.iter().map(figure).collect();
            figures.sort_by(f64::total_cmp);
            figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
        };
        println!(
            "| {count} | {:.0} per second | {:.1} ms | {:.0} per second | {:.1} ms | {:.1} |",
            median(|row| row.get.rate()),
            median(|row| row.get.p99_milliseconds()),
            median(|row| row.put.rate()),
            median(|row| row.put.p99_milliseconds()),
            median(|row| row.put.writes / row.put.commits),
        );
    }
    Ok(())
}

/// Measurements of both workloads in one round.
#[derive(Debug, Clone, Copy)]
struct GetAndPut {
    get: Measurement,
    put: Measurement,
}

/// Measurement of a load on some of the servers.
#[derive(Debug, Clone, Copy)]
struct Measurement {
    result: LoadResult,
    writes: f64,
    commits: f64,
}

impl Measurement {
    /// Responses per second.
    fn rate(&self) -> f64 {
        self.result.measured_responses as f64 / self.result.seconds
    }

    /// 99th percentile of the latency.
    fn p99_milliseconds(&self) -> f64 {
        self.result.p99 / 1e3
    }
}

fn measure(
    servers: &[Server],
    next: &mut RequestWriter<'_>,
) -> Result<Measurement, Box<dyn Error>> {
    let addresses: Vec<&str> = servers.iter().map(Server::address).collect();
    let load = Load {
        addresses: &addresses,
        connections: CLIENTS,
        status: 200,
        warm_up: Duration::from_millis(500),
        window: Duration::from_secs(3),
    };
    let before = total_write_counts(servers)?;
    let result = load.run(next)?;
    let after = total_write_counts(servers)?;
    let writes = (after.writes - before.writes) as f64;
    let commits = (after.commits - before.commits) as f64;
    Ok(Measurement { result, writes, commits })
}

/// Sums the counters of all servers.
fn total_write_counts(servers: &[Server]) -> Result<WriteCounts, Box<dyn Error>> {
    let mut total = WriteCounts::default();
    for server in servers {
        let counts = server.write_counts()?;
        total.writes += counts.writes;
        total.commits += counts.commits;
    }
    Ok(total)
}

/// Fills a PostgreSQL database with affiliates; returns its URL and a token.
fn fill(folder: &Path, cluster: &Cluster) -> Result<(String, String), Box<dyn Error>> {
    let file = folder.join("bench.db");
    let token = Server::create_network(&sqlite_url(&file))?;
    fill::insert_affiliates(&file, AFFILIATES)?;
    let url = cluster.create_database("servers")?;
    copy_database(&sqlite_url(&file), &url)?;
    Ok((url, token))
}
