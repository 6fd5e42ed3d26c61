//! Rounds of loads. All loads run once in each round, so that other activity of the machine affects all
//! of them alike.

use super::figures::{Figures, Key, Sample, Subject, Workload};
use super::options::{DatabaseKind, Options, Scenario};
use super::requests;
use super::setup::{ServedDatabase, Setup};
use crate::load::{Load, RequestWriter};
use crate::process::{self, Process};
use crate::server::{Server, WriteCounts};
use std::error::Error;
use std::process::Command;

/// Concurrent clients of read workloads.
pub(crate) const READERS: usize = 16;
/// Concurrent clients of write workloads.
pub(crate) const WRITERS: usize = 64;

/// Load of one row of the tables.
pub(crate) struct LoadRun<'a> {
    key: Key,
    process: &'a Process,
    /// Filled database that the load uses; `None` for other baselines.
    database: Option<&'a ServedDatabase>,
    /// Server whose commits are counted.
    server: Option<&'a Server>,
    connections: usize,
    status: u16,
    next: Box<RequestWriter<'static>>,
}

/// Creates the loads of a round.
pub(crate) fn load_runs<'a>(setup: &'a Setup, options: &Options) -> Vec<LoadRun<'a>> {
    let token =
        setup.databases.first().map(|database| database.server.token.as_str()).unwrap_or_default();
    let largest = options.largest_size();
    let reads = options.runs(Scenario::GetAffiliate) || options.runs(Scenario::GetCampaign);
    let writes = options.runs(Scenario::PutAffiliate) || options.runs(Scenario::Calls);
    let mut runs = Vec::new();
    let mut add_baseline = |workload, subject, process, database: Option<&'a ServedDatabase>| {
        let connections = if workload == Workload::GetAffiliate { READERS } else { WRITERS };
        let ids = database.map_or(largest, |database| largest.min(database.rows));
        let next = requests::get_baseline_rows(ids, token);
        let rows = database.map_or(0, |database| database.rows);
        let key = Key { workload, subject, rows };
        runs.push(LoadRun { key, process, database, server: None, connections, status: 200, next });
    };
    if reads {
        add_baseline(Workload::GetAffiliate, Subject::Constant, &setup.constant, None);
        for (database, process) in setup.databases.iter().zip(&setup.selects) {
            let subject = Subject::Select(database.kind);
            add_baseline(Workload::GetAffiliate, subject, process, Some(database));
        }
    }
    if writes {
        add_baseline(Workload::PutAffiliate, Subject::Constant, &setup.constant, None);
        for (kind, process) in &setup.commits {
            add_baseline(Workload::PutAffiliate, Subject::Commit(*kind), process, None);
        }
    }
    for database in &setup.databases {
        runs.extend(server_load_runs(database, options));
    }
    runs
}

/// Creates the loads of Trunkline's server on a database.
fn server_load_runs<'a>(database: &'a ServedDatabase, options: &Options) -> Vec<LoadRun<'a>> {
    let largest = options.largest_size();
    let scenarios = [
        (Scenario::GetAffiliate, Workload::GetAffiliate, READERS, 200),
        (Scenario::GetCampaign, Workload::GetCampaign, READERS, 200),
        (Scenario::PutAffiliate, Workload::PutAffiliate, WRITERS, 200),
        (Scenario::Calls, Workload::Call, WRITERS, 201),
    ];
    let selected = scenarios.into_iter().filter(|(scenario, workload, ..)| {
        options.runs(*scenario) && (*workload != Workload::Call || database.rows == largest)
    });
    let load_run = |(_, workload, connections, status)| LoadRun {
        key: Key { workload, subject: Subject::Trunkline(database.kind), rows: database.rows },
        process: &database.server.process,
        database: Some(database),
        server: Some(&database.server),
        connections,
        status,
        next: match workload {
            Workload::GetCampaign => requests::get_campaigns(database, options.campaigns),
            Workload::PutAffiliate => requests::put_affiliates(database),
            Workload::Call => requests::post_calls(database),
            _ => requests::get_affiliates(database),
        },
    };
    selected.map(load_run).collect()
}

/// Runs each load once; each round starts with another load.
pub(crate) fn round(
    runs: &mut [LoadRun<'_>],
    options: &Options,
    round: usize,
    figures: &mut Figures,
) -> Result<(), Box<dyn Error>> {
    let count = runs.len();
    let first = round * count / options.rounds;
    for index in 0..count {
        let Some(run) = runs.get_mut((first + index) % count) else { continue };
        let sample = run.run(options).map_err(|error| format!("{:?}: {error}", run.key))?;
        figures.add(run.key, sample);
    }
    Ok(())
}

impl LoadRun<'_> {
    fn run(&mut self, options: &Options) -> Result<Sample, Box<dyn Error>> {
        let load = Load {
            addresses: &[&self.process.address],
            connections: self.connections,
            status: self.status,
            warm_up: options.warm_up,
            window: options.window,
        };
        sync_disks()?;
        if let Some(database) = self.database {
            database.warm_page_cache()?;
        }
        self.process.reset_peak_memory();
        let counts_before = self.write_counts()?;
        let cpu_before = self.process.cpu_seconds()?;
        let client_cpu_before = process::cpu_seconds("self")?;
        let result = load.run(&mut *self.next)?;
        let cpu = self.process.cpu_seconds()? - cpu_before;
        let client_cpu = process::cpu_seconds("self")? - client_cpu_before;
        let counts = self.write_counts()?;
        let per_request = |seconds: f64| seconds / result.total_responses as f64 * 1e6;
        Ok(Sample {
            count: result.measured_responses,
            seconds: result.seconds,
            p50: result.p50,
            p99: result.p99,
            server_cpu: per_request(cpu),
            client_cpu: per_request(client_cpu),
            peak: self.process.memory("VmHWM")?,
            writes: counts.writes - counts_before.writes,
            commits: counts.commits - counts_before.commits,
            bytes: 0,
        })
    }

    /// Reads the server's counters; zero for baselines.
    fn write_counts(&self) -> Result<WriteCounts, Box<dyn Error>> {
        self.server.map_or(Ok(WriteCounts::default()), Server::write_counts)
    }
}

/// Waits until the writes of the previous load are on disk, so that they do not slow down the next.
fn sync_disks() -> Result<(), Box<dyn Error>> {
    match Command::new("sync").status()?.success() {
        true => Ok(()),
        false => Err("sync failed".into()),
    }
}

/// Key of Trunkline's server on a kind of database.
pub(crate) fn key(workload: Workload, kind: DatabaseKind, rows: u64) -> Key {
    Key { workload, subject: Subject::Trunkline(kind), rows }
}
