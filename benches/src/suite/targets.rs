//! Performance targets, compared with the measurements.

use super::bulk::CONCURRENT_BODIES;
use super::figures::{Key, Sample, Spread, Subject, Workload};
use super::options::DatabaseKind;
use super::report::{self, Report, constant_key, group_digits, mebibytes, workload_label};

/// Target and its measurement.
struct Target {
    name: String,
    kind: DatabaseKind,
    rows: u64,
    comparison: Comparison,
}

/// Comparison of a measurement with its target value.
struct Comparison {
    measured: String,
    target: String,
    is_met: bool,
}

/// Renders the table of all targets.
pub(crate) fn table(report: &Report<'_>) -> String {
    let mut targets = Vec::new();
    for (kind, rows) in report.figures.idle.keys() {
        targets.extend(request_targets(report, *kind, *rows));
        if *rows == report.options.largest_size() {
            targets.extend(largest_database_targets(report, *kind, *rows));
        }
    }
    let rows: Vec<_> = targets.into_iter().map(Target::into_row).collect();
    let head = ["workload", "database", "affiliates", "measured", "target", "met"];
    report::table("Targets:", &head, &rows)
}

impl Target {
    fn into_row(self) -> Vec<String> {
        let Comparison { measured, target, is_met } = self.comparison;
        let met = if is_met { "yes" } else { "**no**" };
        let rows = group_digits(self.rows as f64);
        vec![self.name, self.kind.name().to_owned(), rows, measured, target, met.to_owned()]
    }
}

fn at_least(figure: Spread, target: f64) -> Comparison {
    Comparison {
        measured: report::ratio(figure.median),
        target: format!("≥ {target}"),
        is_met: figure.median >= target,
    }
}

/// Targets of single requests, for each size of the database.
fn request_targets(report: &Report<'_>, kind: DatabaseKind, rows: u64) -> Vec<Target> {
    let key = |workload| Key { workload, subject: Subject::Trunkline(kind), rows };
    let target = |name: String, comparison| Target { name, kind, rows, comparison };
    let mut targets = Vec::new();
    let get = key(Workload::GetAffiliate);
    let (baseline, baseline_name, minimum) = match kind {
        DatabaseKind::Sqlite => (constant_key(Workload::GetAffiliate), "a constant", 0.6),
        DatabaseKind::Postgres => {
            (Key { subject: Subject::Select(kind), ..get }, "one SELECT", 0.8)
        }
    };
    let ratio = report.figures.ratio(get, baseline, Sample::rate);
    targets.extend(ratio.map(|ratio| {
        target(format!("GET one affiliate / {baseline_name}"), at_least(ratio, minimum))
    }));
    let put = key(Workload::PutAffiliate);
    let ratio = report.figures.ratio(put, constant_key(Workload::PutAffiliate), Sample::rate);
    targets.extend(
        ratio.map(|ratio| {
            target("PUT one affiliate / a constant".to_owned(), at_least(ratio, 0.25))
        }),
    );
    let group_size =
        report.figures.spread(put, |sample| sample.writes as f64 / sample.commits as f64);
    targets.extend(group_size.map(|group_size| {
        let comparison = Comparison {
            measured: format!("{:.1}", group_size.median),
            target: "> 8".to_owned(),
            is_met: group_size.median > 8.0,
        };
        target("PUTs that share a commit".to_owned(), comparison)
    }));
    targets
}

/// Targets of the largest database.
fn largest_database_targets(report: &Report<'_>, kind: DatabaseKind, rows: u64) -> Vec<Target> {
    let key = |workload| Key { workload, subject: Subject::Trunkline(kind), rows };
    let target = |name: String, measured, target: &str, is_met| {
        let comparison = Comparison { measured, target: target.to_owned(), is_met };
        Target { name, kind, rows, comparison }
    };
    let mut targets = Vec::new();
    let smallest = report.options.smallest_size();
    let get = key(Workload::GetAffiliate);
    let p99 = report.figures.ratio(get, Key { rows: smallest, ..get }, |sample| sample.p99);
    targets.extend(p99.filter(|_| rows > smallest).map(|p99| {
        let name = format!("GET one affiliate, p99 / at {}", group_digits(smallest as f64));
        target(name, report::ratio(p99.median), "≤ 1.3", p99.median <= 1.3)
    }));
    for workload in CONCURRENT_BODIES.map(Workload::Lines) {
        let rate = report.figures.spread(key(workload), Sample::rate);
        targets.extend(rate.map(|rate| {
            let measured = format!("{} per second", group_digits(rate.median));
            let is_met = rate.median >= 20_000.0;
            target(workload_label(workload), measured, "≥ 20,000 per second", is_met)
        }));
    }
    if let Some(idle) = report.figures.idle.get(&(kind, rows)) {
        let is_met = *idle < 40 * 1024;
        targets.push(target("idle memory".to_owned(), mebibytes(*idle), "< 40 MiB", is_met));
    }
    if let Some((peak, key)) = report.peak_memory(kind, rows) {
        let name = format!("peak memory ({})", workload_label(key.workload));
        targets.push(target(name, mebibytes(peak), "< 150 MiB", peak < 150 * 1024));
    }
    targets
}
