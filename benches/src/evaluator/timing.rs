//! Times candidates in alternating rounds, so that other activity of the machine affects all alike.

use std::time::Instant;

/// Rounds of each candidate; the median counts.
const ROUNDS: usize = 41;
/// Approximate duration of a round.
const ROUND_NANOSECONDS: f64 = 20_000_000.0;
/// Iterations over which allocations are counted, a multiple of the number of calls.
const ALLOCATION_SAMPLE: usize = 1_000;

/// Function to be timed; its argument is the number of the iteration.
pub(super) struct Candidate<'a> {
    name: String,
    run: Box<dyn FnMut(usize) + 'a>,
}

impl<'a> Candidate<'a> {
    pub(super) fn new(name: impl Into<String>, run: impl FnMut(usize) + 'a) -> Self {
        Self { name: name.into(), run: Box::new(run) }
    }

    /// Runs `count` iterations and returns the nanoseconds for each.
    fn time(&mut self, count: usize) -> f64 {
        let started = Instant::now();
        for iteration in 0..count {
            (self.run)(iteration);
        }
        started.elapsed().as_secs_f64() * 1e9 / count as f64
    }
}

/// Measurement of a candidate; times are nanoseconds per iteration.
pub(super) struct Measurement {
    pub(super) name: String,
    pub(super) median: f64,
    fastest: f64,
    slowest: f64,
    /// Allocations per iteration.
    pub(super) allocations: f64,
}

/// Candidate with the iterations of a round and the times of its rounds so far.
struct Series<'a> {
    candidate: Candidate<'a>,
    iterations: usize,
    times: Vec<f64>,
}

/// Measures all candidates, round by round.
pub(super) fn measure(candidates: Vec<Candidate<'_>>) -> Vec<Measurement> {
    let mut all: Vec<Series<'_>> = candidates
        .into_iter()
        .map(|mut candidate| {
            candidate.time(ALLOCATION_SAMPLE);
            let nanoseconds = candidate.time(ALLOCATION_SAMPLE);
            let iterations = (ROUND_NANOSECONDS / nanoseconds).max(1.0) as usize;
            Series { candidate, iterations, times: Vec::with_capacity(ROUNDS) }
        })
        .collect();
    for _ in 0..ROUNDS {
        for series in &mut all {
            series.times.push(series.candidate.time(series.iterations));
        }
    }
    all.into_iter().map(Series::into_measurement).collect()
}

impl Series<'_> {
    fn into_measurement(self) -> Measurement {
        let Self { mut candidate, mut times, .. } = self;
        let allocations = allocation_counter::measure(|| {
            candidate.time(ALLOCATION_SAMPLE);
        });
        times.sort_by(f64::total_cmp);
        Measurement {
            name: candidate.name,
            median: times[ROUNDS / 2],
            fastest: times[0],
            slowest: times[ROUNDS - 1],
            allocations: allocations.count_total as f64 / ALLOCATION_SAMPLE as f64,
        }
    }
}

/// Prints a table; ratios are relative to the first measurement.
pub(super) fn print_table(title: &str, measurements: &[Measurement]) {
    println!("{title}");
    println!();
    let first = measurements.first().map_or(1.0, |measurement| measurement.median);
    println!("| | median | fastest and slowest round | ratio | allocations |");
    println!("|---|---|---|---|---|");
    for measurement in measurements {
        let Measurement { name, median, fastest, slowest, allocations } = measurement;
        let ratio = median / first;
        println!(
            "| {name} | {median:.0} ns | {fastest:.0} – {slowest:.0} ns | {ratio:.1} | {allocations} |"
        );
    }
    println!();
}
