//! One, two and three servers on one PostgreSQL, asked by as many clients in all: what they do together.

use crate::fill;
use crate::load::{Carried, Load, Next};
use crate::server::{Server, sqlite_url};
use crate::suite::cluster::Cluster;
use crate::suite::requests::{get_affiliates_of, put_affiliates_of};
use crate::suite::stage::copy;
use std::error::Error;
use std::path::Path;
use std::time::Duration;

/// Servers, at most.
const SERVERS: usize = 3;
/// Clients, in all.
const CLIENTS: usize = 96;
/// Affiliates stored.
const AFFILIATES: u64 = 10_000;
/// Each line is measured so often; the middle one counts.
const ROUNDS: usize = 3;

/// Starts three servers and asks the first one, two, and three of them, round after round.
pub(crate) fn run() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let cluster = Cluster::start()?;
    let (url, token) = fill(folder.path(), &cluster)?;
    let start = |number: usize| {
        Server::start(&url, &token, &folder.path().join(format!("server-{number}.log")))
    };
    let servers = (0..SERVERS).map(start).collect::<Result<Vec<_>, _>>()?;
    let mut lines: Vec<Vec<[Line; 2]>> = vec![Vec::new(); SERVERS];
    for _ in 0..ROUNDS {
        for (count, measured) in (1..=SERVERS).zip(&mut lines) {
            let asked = servers.get(..count).unwrap_or_default();
            let get = measure(asked, &mut *get_affiliates_of(&token, AFFILIATES))?;
            let put = measure(asked, &mut *put_affiliates_of(&token, AFFILIATES))?;
            measured.push([get, put]);
        }
    }
    println!(
        "| servers | GET one affiliate | p99 | PUT one affiliate | p99 | PUTs that share a commit |"
    );
    println!("|---|---|---|---|---|---|");
    for (count, measured) in (1..=SERVERS).zip(lines) {
        let middle = |what: usize, of: fn(&Line) -> f64| {
            let mut all: Vec<f64> = measured.iter().filter_map(|it| it.get(what)).map(of).collect();
            all.sort_by(f64::total_cmp);
            all.get(all.len() / 2).copied().unwrap_or(f64::NAN)
        };
        let milliseconds = |what| middle(what, |it| it.carried.p99 / 1e3);
        println!(
            "| {count} | {:.0} a second | {:.1} ms | {:.0} a second | {:.1} ms | {:.1} |",
            middle(0, Line::rate),
            milliseconds(0),
            middle(1, Line::rate),
            milliseconds(1),
            middle(1, |it| it.writes / it.commits),
        );
    }
    Ok(())
}

/// What was asked of some of the servers.
#[derive(Debug, Clone, Copy)]
struct Line {
    carried: Carried,
    writes: f64,
    commits: f64,
}

impl Line {
    fn rate(&self) -> f64 {
        self.carried.requests as f64 / self.carried.seconds
    }
}

fn measure(servers: &[Server], next: &mut Next<'_>) -> Result<Line, Box<dyn Error>> {
    let addresses: Vec<&str> = servers.iter().map(Server::address).collect();
    let load = Load {
        addresses: &addresses,
        connections: CLIENTS,
        status: 200,
        warm_up: Duration::from_millis(500),
        window: Duration::from_secs(3),
    };
    let before = counted(servers)?;
    let carried = load.run(next)?;
    let [writes, commits] = counted(servers)?;
    Ok(Line { carried, writes: writes - before[0], commits: commits - before[1] })
}

/// Units of work that wrote, and commits, of all servers.
fn counted(servers: &[Server]) -> Result<[f64; 2], Box<dyn Error>> {
    let mut sums = [0.0; 2];
    for server in servers {
        for (sum, what) in sums.iter_mut().zip(["writes", "commits"]) {
            *sum += server.counter(&format!("trunkline_database_{what}_total"))? as f64;
        }
    }
    Ok(sums)
}

/// A database with affiliates; its URL, and a token.
fn fill(folder: &Path, cluster: &Cluster) -> Result<(String, String), Box<dyn Error>> {
    let file = folder.join("bench.db");
    let token = Server::make_network(&sqlite_url(&file))?;
    fill::affiliates(&file, AFFILIATES)?;
    let url = cluster.make("servers")?;
    copy(&sqlite_url(&file), &url)?;
    Ok((url, token))
}
