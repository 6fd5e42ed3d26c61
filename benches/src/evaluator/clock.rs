//! Times contestants in turns, so that a busy moment of the machine hits all of them.

use std::time::Instant;

/// Turns of each; the middle one counts.
const ROUNDS: usize = 41;
/// How long one turn is, about (nanoseconds).
const TURN: f64 = 20_000_000.0;
/// Evaluations that allocations are counted over, a multiple of the number of calls.
const COUNTED: usize = 1_000;

/// Something to be timed. It is told how often it was called before.
pub(super) struct Contestant<'a> {
    name: String,
    act: Box<dyn FnMut(usize) + 'a>,
}

impl<'a> Contestant<'a> {
    pub(super) fn new(name: impl Into<String>, act: impl FnMut(usize) + 'a) -> Self {
        Self { name: name.into(), act: Box::new(act) }
    }

    /// Nanoseconds for each of so many.
    fn time(&mut self, count: usize) -> f64 {
        let started = Instant::now();
        for turn in 0..count {
            (self.act)(turn);
        }
        started.elapsed().as_secs_f64() * 1e9 / count as f64
    }
}

/// What came of it.
pub(super) struct Measured {
    pub(super) name: String,
    /// Nanoseconds.
    pub(super) median: f64,
    fastest: f64,
    slowest: f64,
    /// For each evaluation.
    pub(super) allocations: f64,
}

/// Times all of them, turn by turn.
pub(super) fn race(contestants: Vec<Contestant<'_>>) -> Vec<Measured> {
    let mut all: Vec<(Contestant<'_>, usize, Vec<f64>)> = contestants
        .into_iter()
        .map(|mut it| {
            it.time(COUNTED);
            let count = (TURN / it.time(COUNTED)).max(1.0) as usize;
            (it, count, Vec::with_capacity(ROUNDS))
        })
        .collect();
    for _ in 0..ROUNDS {
        for (it, count, times) in &mut all {
            times.push(it.time(*count));
        }
    }
    all.into_iter().map(|(it, _, times)| measured(it, times)).collect()
}

fn measured(mut it: Contestant<'_>, mut times: Vec<f64>) -> Measured {
    let counted = allocation_counter::measure(|| {
        it.time(COUNTED);
    });
    times.sort_by(f64::total_cmp);
    Measured {
        name: it.name,
        median: times[ROUNDS / 2],
        fastest: times[0],
        slowest: times[ROUNDS - 1],
        allocations: counted.count_total as f64 / COUNTED as f64,
    }
}

/// The first is what the others are compared with.
pub(super) fn print_table(title: &str, measured: &[Measured]) {
    println!("{title}");
    println!();
    let first = measured.first().map_or(1.0, |it| it.median);
    println!("| | median | fastest and slowest turn | ratio | allocations |");
    println!("|---|---|---|---|---|");
    for it in measured {
        let Measured { name, median, fastest, slowest, allocations } = it;
        let ratio = median / first;
        println!(
            "| {name} | {median:.0} ns | {fastest:.0} – {slowest:.0} ns | {ratio:.1} | {allocations} |"
        );
    }
    println!();
}
