//! What is not many small requests: lists, calls by lines, and cascades.

use super::cluster::connect;
use super::figures::{Figures, Sample, What};
use super::options::{Kind, Options, Scenario};
use super::requests::take;
use super::stage::{Home, Stage};
use super::turns::key;
use crate::{calls, list};
use serde_json::json;
use std::error::Error;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

/// The rounds that these are part of: some take minutes.
pub(crate) const ROUNDS: usize = 3;
/// Requests at once that tell of calls.
pub(crate) const TELLERS: [usize; 2] = [1, 4];

/// One round.
pub(crate) fn round(
    stage: &Stage,
    options: &Options,
    figures: &mut Figures,
) -> Result<(), Box<dyn Error>> {
    let (_, most) = options.ends();
    for home in &stage.homes {
        if options.runs(Scenario::List) && home.rows == options.listed {
            figures.add(key(What::List, home.kind, home.rows), list(home)?);
        }
        if options.runs(Scenario::Lines) && home.rows == most {
            for tellers in TELLERS {
                let sample = lines(home, tellers, options)?;
                figures.add(key(What::Lines(tellers), home.kind, home.rows), sample);
            }
        }
        for count in options.cascades.iter().filter(|_| options.cascades_at(home.rows)) {
            for sample in cascade(home, *count)? {
                figures.add(key(What::Cascade(*count), home.kind, home.rows), sample);
            }
        }
    }
    Ok(())
}

/// Does something, and takes its time and the server's.
fn timed(
    home: &Home,
    work: impl FnOnce() -> Result<(u64, u64), Box<dyn Error>>,
) -> Result<Sample, Box<dyn Error>> {
    let process = &home.server.process;
    process.forget_peak();
    let (cpu, begun) = (process.cpu()?, Instant::now());
    let (count, bytes) = work()?;
    let seconds = begun.elapsed().as_secs_f64();
    let cost = (process.cpu()? - cpu) / count as f64 * 1e6;
    let peak = process.memory("VmHWM")?;
    Ok(Sample { count, seconds, cost, peak, bytes, ..Sample::default() })
}

fn list(home: &Home) -> Result<Sample, Box<dyn Error>> {
    timed(home, || {
        let (bytes, objects) = list::read_list(&home.server)?;
        match objects == home.rows {
            true => Ok((objects, bytes)),
            false => Err(format!("{objects} of {} affiliates came", home.rows).into()),
        }
    })
}

/// Tells of calls for as long as a load is measured, and waits until all are taken.
fn lines(home: &Home, tellers: usize, options: &Options) -> Result<Sample, Box<dyn Error>> {
    let until = Instant::now() + options.window;
    timed(home, || {
        let tell = || {
            let numbers = Arc::clone(&home.calls);
            let numbers = std::iter::repeat_with(move || take(&numbers));
            let numbers = numbers.take_while(move |_| Instant::now() < until);
            calls::tell(&home.server, numbers, options.ahead).map_err(|error| error.to_string())
        };
        thread::scope(|scope| {
            let running: Vec<_> = (0..tellers).map(|_| scope.spawn(tell)).collect();
            let mut all = 0;
            for one in running {
                all += one.join().map_err(|_| "a thread panicked")??;
            }
            Ok((all, 0))
        })
    })
}

/// Changes a relationship to and fro: what was applied for is approved, and what was approved suspended.
fn cascade(home: &Home, count: u64) -> Result<[Sample; 2], Box<dyn Error>> {
    let change = |status: &str| {
        timed(home, || {
            let path = format!("/advertisers/of_{count}/affiliates/1");
            home.server.ask("PUT", &path, &json!({"status": status}))?;
            Ok((count, 0))
        })
    };
    let samples = [change("Approved")?, change("Suspended")?];
    let changed = apply_again(home, count)?;
    match changed == count {
        true => Ok(samples),
        false => Err(format!("a relationship carried over to {changed} of {count}").into()),
    }
}

/// Makes those that were suspended ones that have applied, as no request does; how many there were.
fn apply_again(home: &Home, count: u64) -> Result<u64, Box<dyn Error>> {
    let sql = "UPDATE affiliate_campaigns SET status = 'Applied'
        WHERE status = 'Suspended' AND campaign_id IN (SELECT c.id FROM campaigns c
        JOIN parties p ON p.id = c.advertiser_id WHERE p.id_from_network = $1)";
    let advertiser = format!("of_{count}");
    match home.kind {
        Kind::Sqlite => {
            let file = home.url.strip_prefix("sqlite://").ok_or("no file")?;
            let connection = rusqlite::Connection::open(file)?;
            Ok(connection.execute(sql, [&advertiser])? as u64)
        }
        Kind::Postgres => Ok(connect(&home.url)?.execute(sql, &[&advertiser])?),
    }
}
