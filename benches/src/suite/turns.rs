//! Loads, one after the other, over and over: whatever else the machine does hits all of them alike.

use super::figures::{Figures, Key, Sample, What, Who};
use super::options::{Kind, Options, Scenario};
use super::requests;
use super::stage::{Home, Stage};
use crate::load::{Load, Next};
use crate::process::{self, Process};
use crate::server::Server;
use std::error::Error;
use std::process::Command;

/// Clients that read.
pub(crate) const READERS: usize = 16;
/// Clients that write.
pub(crate) const WRITERS: usize = 64;

/// A line of the tables, and how it comes about.
pub(crate) struct Turn<'a> {
    key: Key,
    process: &'a Process,
    /// The database that it reads or writes, if it is one of the filled ones.
    database: Option<&'a Home>,
    /// Whose commits are counted.
    server: Option<&'a Server>,
    connections: usize,
    status: u16,
    next: Box<Next<'static>>,
}

/// All of a round's turns.
pub(crate) fn all<'a>(stage: &'a Stage, options: &Options) -> Vec<Turn<'a>> {
    let token = stage.homes.first().map(|home| home.server.token.as_str()).unwrap_or_default();
    let (_, most) = options.ends();
    let reads = options.runs(Scenario::GetAffiliate) || options.runs(Scenario::GetCampaign);
    let writes = options.runs(Scenario::PutAffiliate) || options.runs(Scenario::Calls);
    let mut turns = Vec::new();
    let mut baseline = |what, who, rows, (process, database)| {
        let connections = if what == What::GetAffiliate { READERS } else { WRITERS };
        let next = requests::of_baseline(most.min(rows), token);
        let rows = if matches!(who, Who::Select(_)) { rows } else { 0 };
        let key = Key { what, who, rows };
        turns.push(Turn { key, process, database, server: None, connections, status: 200, next });
    };
    if reads {
        baseline(What::GetAffiliate, Who::Constant, most, (&stage.constant, None));
        for (home, process) in stage.homes.iter().zip(&stage.selects) {
            let who = Who::Select(home.kind);
            baseline(What::GetAffiliate, who, home.rows, (process, Some(home)));
        }
    }
    if writes {
        baseline(What::PutAffiliate, Who::Constant, most, (&stage.constant, None));
        for (kind, process) in &stage.commits {
            baseline(What::PutAffiliate, Who::Commit(*kind), most, (process, None));
        }
    }
    for home in &stage.homes {
        turns.extend(of_home(home, options));
    }
    turns
}

fn of_home<'a>(home: &'a Home, options: &Options) -> Vec<Turn<'a>> {
    let (_, most) = options.ends();
    let scenarios = [
        (Scenario::GetAffiliate, What::GetAffiliate, READERS, 200),
        (Scenario::GetCampaign, What::GetCampaign, READERS, 200),
        (Scenario::PutAffiliate, What::PutAffiliate, WRITERS, 200),
        (Scenario::Calls, What::Call, WRITERS, 201),
    ];
    let asked = scenarios.into_iter().filter(|(scenario, what, ..)| {
        options.runs(*scenario) && (*what != What::Call || home.rows == most)
    });
    let turn = |(_, what, connections, status)| Turn {
        key: Key { what, who: Who::Ours(home.kind), rows: home.rows },
        process: &home.server.process,
        database: Some(home),
        server: Some(&home.server),
        connections,
        status,
        next: match what {
            What::GetCampaign => requests::get_campaigns(home, options.campaigns),
            What::PutAffiliate => requests::put_affiliates(home),
            What::Call => requests::post_calls(home),
            _ => requests::get_affiliates(home),
        },
    };
    asked.map(turn).collect()
}

/// Runs each turn once, beginning at another one each round.
pub(crate) fn round(
    turns: &mut [Turn<'_>],
    options: &Options,
    round: usize,
    figures: &mut Figures,
) -> Result<(), Box<dyn Error>> {
    let count = turns.len();
    let begin = round * count / options.rounds;
    for index in 0..count {
        let Some(turn) = turns.get_mut((begin + index) % count) else { continue };
        let sample = turn.run(options).map_err(|error| format!("{:?}: {error}", turn.key))?;
        figures.add(turn.key, sample);
    }
    Ok(())
}

impl Turn<'_> {
    fn run(&mut self, options: &Options) -> Result<Sample, Box<dyn Error>> {
        let load = Load {
            addresses: &[&self.process.address],
            connections: self.connections,
            status: self.status,
            warm_up: options.warm_up,
            window: options.window,
        };
        settle()?;
        if let Some(home) = self.database {
            home.read_through()?;
        }
        self.process.forget_peak();
        let counted = self.counted()?;
        let (cpu, client) = (self.process.cpu()?, process::cpu("self")?);
        let carried = load.run(&mut *self.next)?;
        let (cpu, client) = (self.process.cpu()? - cpu, process::cpu("self")? - client);
        let after = self.counted()?;
        let each = |seconds: f64| seconds / carried.all as f64 * 1e6;
        Ok(Sample {
            count: carried.requests,
            seconds: carried.seconds,
            p50: carried.p50,
            p99: carried.p99,
            cost: each(cpu),
            client: each(client),
            peak: self.process.memory("VmHWM")?,
            writes: after[0] - counted[0],
            commits: after[1] - counted[1],
            bytes: 0,
        })
    }

    /// Units of work that wrote, and commits.
    fn counted(&self) -> Result<[u64; 2], Box<dyn Error>> {
        let Some(server) = self.server else { return Ok([0; 2]) };
        let counter = |what: &str| server.counter(&format!("trunkline_database_{what}_total"));
        Ok([counter("writes")?, counter("commits")?])
    }
}

/// Waits until what the load before has left to write is on disk: it is not the next one's to wait for.
fn settle() -> Result<(), Box<dyn Error>> {
    match Command::new("sync").status()?.success() {
        true => Ok(()),
        false => Err("sync failed".into()),
    }
}

/// The turn of a kind of database that has a name of its own in the tables.
pub(crate) fn key(what: What, kind: Kind, rows: u64) -> Key {
    Key { what, who: Who::Ours(kind), rows }
}
