//! Tables of the report, in Markdown.

use super::bulk::{BULK_ROUNDS, CONCURRENT_BODIES};
use super::figures::{Figures, Key, Sample, Spread, Subject, Workload};
use super::machine::Machine;
use super::options::{DatabaseKind, Options};
use super::rounds::{READERS, WRITERS};
use super::targets;

/// Options and measurements of a run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Report<'a> {
    pub(crate) options: &'a Options,
    pub(crate) figures: &'a Figures,
}

/// Renders a table; empty text for no rows.
pub(crate) fn table(title: &str, head: &[&str], rows: &[Vec<String>]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut out = format!("\n{title}\n\n| {} |\n|", head.join(" | "));
    out.push_str(&"---|".repeat(head.len()));
    for row in rows {
        out.push_str(&format!("\n| {} |", row.join(" | ")));
    }
    out.push('\n');
    out
}

/// Formats a number without decimals, with commas between groups of three digits.
pub(crate) fn group_digits(figure: f64) -> String {
    let digits = format!("{figure:.0}");
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Formats a median, followed by the minimum and the maximum in parentheses.
fn spread(spread: Option<Spread>, figure: impl Fn(f64) -> String) -> String {
    let text = spread.map(|Spread { median, min, max }| {
        format!("{} ({} – {})", figure(median), figure(min), figure(max))
    });
    text.unwrap_or_else(|| "–".to_owned())
}

fn microseconds(figure: f64) -> String {
    format!("{figure:.0} µs")
}

fn milliseconds(microseconds: f64) -> String {
    format!("{:.2} ms", microseconds / 1_000.0)
}

pub(crate) fn ratio(figure: f64) -> String {
    format!("{figure:.2}")
}

pub(crate) fn mebibytes(kibibytes: u64) -> String {
    format!("{:.1} MiB", kibibytes as f64 / 1024.0)
}

fn median(spread: Option<Spread>, figure: impl Fn(f64) -> String) -> String {
    spread.map_or_else(|| "–".to_owned(), |spread| figure(spread.median))
}

/// Label of a workload.
pub(crate) fn workload_label(workload: Workload) -> String {
    match workload {
        Workload::GetAffiliate => "GET one affiliate".to_owned(),
        Workload::GetCampaign => "GET one campaign".to_owned(),
        Workload::PutAffiliate => "PUT one affiliate".to_owned(),
        Workload::Call => "POST calls, one by one".to_owned(),
        Workload::Lines(1) => "POST calls, NDJSON, one body".to_owned(),
        Workload::Lines(bodies) => format!("POST calls, NDJSON, {bodies} concurrent bodies"),
        Workload::List => "GET all affiliates".to_owned(),
        Workload::Cascade(count) => format!("PUT a relationship of {}", group_digits(count as f64)),
    }
}

/// Key of the constant baseline with as many clients as the workload has.
pub(crate) fn constant_key(workload: Workload) -> Key {
    let workload = match workload {
        Workload::GetAffiliate | Workload::GetCampaign => Workload::GetAffiliate,
        _ => Workload::PutAffiliate,
    };
    Key { workload, subject: Subject::Constant, rows: 0 }
}

impl Report<'_> {
    /// Renders the machine and the method of measurement.
    pub(crate) fn conditions(&self, machine: &Machine, arguments: &[String]) -> String {
        let mut command = "cargo run --release -p trunkline-bench".to_owned();
        // The path of the output file does not affect the figures.
        let skipped =
            arguments.iter().position(|word| word == "--markdown").unwrap_or(usize::MAX - 1);
        let relevant = arguments
            .iter()
            .enumerate()
            .filter(|(index, _)| *index != skipped && *index != skipped + 1);
        let relevant: Vec<&str> = relevant.map(|(_, word)| word.as_str()).collect();
        if !relevant.is_empty() {
            command.push_str(&format!(" -- {}", relevant.join(" ")));
        }
        let Options { rounds, window, warm_up, .. } = self.options;
        format!(
            "Taken by `{command}`:\n\n{}\nMedians of {rounds} rounds (lists, NDJSON and \
             relationships: {}), with minimum and maximum in parentheses; each load was measured for \
             {window:.1?} after a warm-up of {warm_up:.1?}. Client, server and database share the \
             processors.\n",
            machine.markdown(),
            (*rounds).min(BULK_ROUNDS)
        )
    }

    /// Renders all tables.
    pub(crate) fn tables(&self) -> String {
        [
            targets::table(self),
            self.requests(),
            self.baselines(),
            self.calls(),
            self.lists(),
            self.cascades(),
            self.memory(),
        ]
        .concat()
    }

    /// Returns the keys of Trunkline's server with the selected workloads.
    fn server_keys(&self, is_selected: impl Fn(Workload) -> bool) -> Vec<(Key, DatabaseKind)> {
        let kind = |key: Key| match key.subject {
            Subject::Trunkline(kind) => Some((key, kind)),
            _ => None,
        };
        self.figures.keys().filter_map(kind).filter(|(key, _)| is_selected(key.workload)).collect()
    }

    fn rate(&self, key: Key) -> String {
        spread(self.figures.spread(key, Sample::rate), group_digits)
    }

    fn latency(&self, key: Key) -> [String; 2] {
        [
            median(self.figures.spread(key, |sample| sample.p50), milliseconds),
            median(self.figures.spread(key, |sample| sample.p99), milliseconds),
        ]
    }

    fn rate_ratio(&self, key: Key, other: Key) -> String {
        median(self.figures.ratio(key, other, Sample::rate), ratio)
    }

    fn server_cpu(&self, key: Key) -> String {
        median(self.figures.spread(key, |sample| sample.server_cpu), microseconds)
    }

    fn requests(&self) -> String {
        let workloads =
            [Workload::GetAffiliate, Workload::GetCampaign, Workload::PutAffiliate, Workload::Call];
        let smallest = self.options.smallest_size();
        let rows = self.server_keys(|workload| workloads.contains(&workload)).into_iter().map(
            |(key, kind)| {
                let [p50, p99] = self.latency(key);
                let first = Key { rows: smallest, ..key };
                let select =
                    Key { workload: Workload::GetAffiliate, subject: Subject::Select(kind), ..key };
                let commit = Key {
                    workload: Workload::PutAffiliate,
                    subject: Subject::Commit(kind),
                    rows: 0,
                };
                let is_write = key.workload >= Workload::PutAffiliate;
                let baseline = if is_write { commit } else { select };
                let group_size =
                    self.figures.spread(key, |sample| sample.writes as f64 / sample.commits as f64);
                let group_size = group_size.filter(|_| is_write);
                vec![
                    workload_label(key.workload),
                    kind.name().to_owned(),
                    group_digits(key.rows as f64),
                    self.rate(key),
                    p50,
                    p99,
                    median(self.figures.ratio(key, first, |sample| sample.p99), ratio),
                    self.rate_ratio(key, constant_key(key.workload)),
                    self.rate_ratio(key, baseline),
                    median(group_size, |size| format!("{size:.1}")),
                    self.server_cpu(key),
                    mebibytes(self.figures.peak(key)),
                ]
            },
        );
        let title = format!(
            "The server with {READERS} reading or {WRITERS} writing clients; each request is for another \
             object:"
        );
        let first = format!("p99 / at {}", group_digits(smallest as f64));
        let head = [
            "request",
            "database",
            "affiliates",
            "per second",
            "p50",
            "p99",
            &first,
            "/ constant",
            "/ SELECT or commit",
            "writes per commit",
            "server's CPU per request",
            "peak memory",
        ];
        table(&title, &head, &rows.collect::<Vec<_>>())
    }

    fn baselines(&self) -> String {
        let mut rows = Vec::new();
        for key in self.figures.keys() {
            let clients = if key.workload == Workload::GetAffiliate { READERS } else { WRITERS };
            let name = match key.subject {
                Subject::Constant => "a constant".to_owned(),
                Subject::Select(kind) => {
                    format!(
                        "one SELECT, {}, {} affiliates",
                        kind.name(),
                        group_digits(key.rows as f64)
                    )
                }
                Subject::Commit(kind) => format!("one commit, {}", kind.name()),
                Subject::Trunkline(_) => continue,
            };
            let [p50, p99] = self.latency(key);
            let clients = clients.to_string();
            let client_cpu =
                median(self.figures.spread(key, |sample| sample.client_cpu), microseconds);
            rows.push(vec![
                name,
                clients,
                self.rate(key),
                p50,
                p99,
                self.server_cpu(key),
                client_cpu,
            ]);
        }
        let head = [
            "axum with",
            "clients",
            "per second",
            "p50",
            "p99",
            "CPU per request",
            "client's CPU per request",
        ];
        table("Baselines:", &head, &rows)
    }

    fn calls(&self) -> String {
        let lines = CONCURRENT_BODIES.map(Workload::Lines);
        let rows =
            self.server_keys(|workload| workload == Workload::Call || lines.contains(&workload));
        let row = |(key, kind): (Key, DatabaseKind)| {
            let total = self.figures.samples(key).iter().map(|sample| sample.count).sum::<u64>();
            vec![
                workload_label(key.workload),
                kind.name().to_owned(),
                self.rate(key),
                self.server_cpu(key),
                group_digits(total as f64),
                mebibytes(self.figures.peak(key)),
            ]
        };
        let head = [
            "calls",
            "database",
            "per second",
            "server's CPU per call",
            "calls in total",
            "peak memory",
        ];
        let title = "Calls, each priced and stored before its response:";
        table(title, &head, &rows.into_iter().map(row).collect::<Vec<_>>())
    }

    fn lists(&self) -> String {
        let row = |(key, kind): (Key, DatabaseKind)| {
            let seconds = self.figures.spread(key, |sample| sample.seconds);
            let bytes =
                self.figures.spread(key, |sample| sample.bytes as f64 / sample.seconds / 1e6);
            vec![
                kind.name().to_owned(),
                group_digits(key.rows as f64),
                spread(seconds, ratio),
                median(bytes, |megabytes| format!("{megabytes:.0} MB")),
                mebibytes(self.figures.peak(key)),
            ]
        };
        let rows: Vec<_> =
            self.server_keys(|workload| workload == Workload::List).into_iter().map(row).collect();
        let head = ["database", "affiliates", "seconds", "per second", "peak memory"];
        table("A list of all affiliates, in one response:", &head, &rows)
    }

    fn cascades(&self) -> String {
        let row = |(key, kind): (Key, DatabaseKind)| {
            let duration = self.figures.spread(key, |sample| sample.seconds * 1e3);
            let each =
                self.figures.spread(key, |sample| sample.seconds / sample.count as f64 * 1e6);
            let Workload::Cascade(count) = key.workload else { return Vec::new() };
            vec![
                group_digits(count as f64),
                kind.name().to_owned(),
                spread(duration, |ms| format!("{ms:.1}")),
                median(each, microseconds),
                mebibytes(self.figures.peak(key)),
            ]
        };
        let rows = self.server_keys(|workload| matches!(workload, Workload::Cascade(_)));
        let head = ["affiliate campaigns", "database", "milliseconds", "per row", "peak memory"];
        table(
            "A status change of a relationship that cascades to all its affiliate campaigns:",
            &head,
            &rows.into_iter().map(row).collect::<Vec<_>>(),
        )
    }

    fn memory(&self) -> String {
        let row = |((kind, rows), idle): (&(DatabaseKind, u64), &u64)| {
            let (peak, key) = self.peak_memory(*kind, *rows)?;
            Some(vec![
                kind.name().to_owned(),
                group_digits(*rows as f64),
                mebibytes(*idle),
                mebibytes(peak),
                workload_label(key.workload),
            ])
        };
        let rows: Vec<_> = self.figures.idle.iter().filter_map(row).collect();
        let head = ["database", "affiliates", "idle", "peak", "workload at the peak"];
        table("The server's memory (`VmRSS` before the first request, `VmHWM`):", &head, &rows)
    }

    /// Peak memory of a server (KiB), and the key of its load.
    pub(crate) fn peak_memory(&self, kind: DatabaseKind, rows: u64) -> Option<(u64, Key)> {
        let keys = self.figures.keys();
        let keys = keys.filter(|key| key.subject == Subject::Trunkline(kind) && key.rows == rows);
        keys.map(|key| (self.figures.peak(key), key)).max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped_by_three() {
        let written = [0.0, 999.4, 1_000.0, 123_456.7, 1_000_000.0].map(group_digits);
        assert_eq!(written, ["0", "999", "1,000", "123,457", "1,000,000"]);
    }
}
