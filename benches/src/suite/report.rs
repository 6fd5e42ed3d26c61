//! The tables.

use super::bulk::{ROUNDS, TELLERS};
use super::figures::{Figures, Key, Sample, Spread, What, Who};
use super::machine::Machine;
use super::options::{Kind, Options};
use super::targets;
use super::turns::{READERS, WRITERS};
use std::fmt::Write;

/// What is said of a run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Report<'a> {
    pub(crate) options: &'a Options,
    pub(crate) figures: &'a Figures,
}

/// A table; nothing when it has no rows.
pub(crate) fn table(title: &str, head: &[&str], rows: &[Vec<String>]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut out = format!("\n{title}\n\n| {} |\n|", head.join(" | "));
    out.push_str(&"---|".repeat(head.len()));
    for row in rows {
        // Writing to a string does not fail.
        let _written = write!(out, "\n| {} |", row.join(" | "));
    }
    out.push('\n');
    out
}

/// A whole number, in threes.
pub(crate) fn whole(figure: f64) -> String {
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

/// A median, and in brackets the least and the most.
fn spread(spread: Option<Spread>, figure: impl Fn(f64) -> String) -> String {
    let said = spread
        .map(|it| format!("{} ({} – {})", figure(it.median), figure(it.least), figure(it.most)));
    said.unwrap_or_else(|| "–".to_owned())
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
    spread.map_or_else(|| "–".to_owned(), |it| figure(it.median))
}

/// A line's words: what was asked, and of what.
pub(crate) fn asked(what: What) -> String {
    match what {
        What::GetAffiliate => "GET one affiliate".to_owned(),
        What::GetCampaign => "GET one campaign".to_owned(),
        What::PutAffiliate => "PUT one affiliate".to_owned(),
        What::Call => "POST calls, one by one".to_owned(),
        What::Lines(1) => "POST calls, NDJSON, one body".to_owned(),
        What::Lines(bodies) => format!("POST calls, NDJSON, {bodies} bodies at once"),
        What::List => "GET all affiliates".to_owned(),
        What::Cascade(count) => format!("PUT a relationship of {}", whole(count as f64)),
    }
}

/// The constant handler, loaded by as many clients as this is.
pub(crate) fn constant(what: What) -> Key {
    let what = match what {
        What::GetAffiliate | What::GetCampaign => What::GetAffiliate,
        _ => What::PutAffiliate,
    };
    Key { what, who: Who::Constant, rows: 0 }
}

impl Report<'_> {
    /// On what, and how, the figures were taken.
    pub(crate) fn conditions(&self, machine: &Machine, arguments: &[String]) -> String {
        let mut command = "cargo run --release -p trunkline-bench".to_owned();
        // Where it is written to is nobody's concern.
        let file = arguments.iter().position(|word| word == "--markdown").unwrap_or(usize::MAX - 1);
        let said = arguments.iter().enumerate().filter(|(at, _)| *at != file && *at != file + 1);
        let said: Vec<&str> = said.map(|(_, word)| word.as_str()).collect();
        if !said.is_empty() {
            let _written = write!(command, " -- {}", said.join(" "));
        }
        let Options { rounds, window, warm_up, .. } = self.options;
        format!(
            "Taken by `{command}`:\n\n{}\nMedians of {rounds} rounds (lists, NDJSON and \
             relationships: {}), and in brackets the least and the most; each load ran for \
             {window:.1?} after {warm_up:.1?} that do not count. Client, server and database share \
             the processors.\n",
            machine.markdown(),
            (*rounds).min(ROUNDS)
        )
    }

    /// All tables.
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

    fn ours(&self, of: impl Fn(What) -> bool) -> Vec<(Key, Kind)> {
        let kind = |key: Key| match key.who {
            Who::Ours(kind) => Some((key, kind)),
            _ => None,
        };
        self.figures.keys().filter_map(kind).filter(|(key, _)| of(key.what)).collect()
    }

    fn rate(&self, key: Key) -> String {
        spread(self.figures.spread(key, Sample::rate), whole)
    }

    fn latency(&self, key: Key) -> [String; 2] {
        [
            median(self.figures.spread(key, |it| it.p50), milliseconds),
            median(self.figures.spread(key, |it| it.p99), milliseconds),
        ]
    }

    fn against(&self, key: Key, other: Key) -> String {
        median(self.figures.ratio([key, other], Sample::rate), ratio)
    }

    fn cost(&self, key: Key) -> String {
        median(self.figures.spread(key, |it| it.cost), microseconds)
    }

    fn requests(&self) -> String {
        let small = [What::GetAffiliate, What::GetCampaign, What::PutAffiliate, What::Call];
        let (least, _) = self.options.ends();
        let rows = self.ours(|what| small.contains(&what)).into_iter().map(|(key, kind)| {
            let [p50, p99] = self.latency(key);
            let first = Key { rows: least, ..key };
            let select = Key { what: What::GetAffiliate, who: Who::Select(kind), ..key };
            let commit = Key { what: What::PutAffiliate, who: Who::Commit(kind), rows: 0 };
            let other = if key.what < What::PutAffiliate { select } else { commit };
            let each = self.figures.spread(key, |it| it.count as f64 / it.writes.max(1) as f64);
            let shared = self.figures.spread(key, |it| it.writes as f64 / it.commits as f64);
            let shared = each.filter(|_| key.what >= What::PutAffiliate).and(shared);
            vec![
                asked(key.what),
                kind.name().to_owned(),
                whole(key.rows as f64),
                self.rate(key),
                p50,
                p99,
                median(self.figures.ratio([key, first], |it| it.p99), ratio),
                self.against(key, constant(key.what)),
                self.against(key, other),
                median(shared, |shared| format!("{shared:.1}")),
                self.cost(key),
                mebibytes(self.figures.peak(key)),
            ]
        });
        let title = format!(
            "The server, read by {READERS} and written to by {WRITERS} clients; each request is about \
             another object:"
        );
        let first = format!("p99 / at {}", whole(least as f64));
        let head = [
            "request",
            "database",
            "affiliates",
            "a second",
            "p50",
            "p99",
            &first,
            "/ constant",
            "/ SELECT or commit",
            "writes a commit",
            "server's CPU each",
            "peak memory",
        ];
        table(&title, &head, &rows.collect::<Vec<_>>())
    }

    fn baselines(&self) -> String {
        let mut rows = Vec::new();
        for key in self.figures.keys() {
            let clients = if key.what == What::GetAffiliate { READERS } else { WRITERS };
            let name = match key.who {
                Who::Constant => "a constant".to_owned(),
                Who::Select(kind) => {
                    format!("one SELECT, {}, {} affiliates", kind.name(), whole(key.rows as f64))
                }
                Who::Commit(kind) => format!("one commit, {}", kind.name()),
                Who::Ours(_) => continue,
            };
            let [p50, p99] = self.latency(key);
            let clients = clients.to_string();
            let client = median(self.figures.spread(key, |it| it.client), microseconds);
            rows.push(vec![name, clients, self.rate(key), p50, p99, self.cost(key), client]);
        }
        let head = [
            "axum answering",
            "clients",
            "a second",
            "p50",
            "p99",
            "CPU each",
            "client's CPU each",
        ];
        table("The baselines:", &head, &rows)
    }

    fn calls(&self) -> String {
        let lines = TELLERS.map(What::Lines);
        let rows = self.ours(|what| what == What::Call || lines.contains(&what));
        let row = |(key, kind): (Key, Kind)| {
            let told = self.figures.samples(key).iter().map(|sample| sample.count).sum::<u64>();
            vec![
                asked(key.what),
                kind.name().to_owned(),
                self.rate(key),
                self.cost(key),
                whole(told as f64),
                mebibytes(self.figures.peak(key)),
            ]
        };
        let head =
            ["calls", "database", "a second", "server's CPU each", "told in all", "peak memory"];
        let title = "Calls, each answered when it is priced and stored:";
        table(title, &head, &rows.into_iter().map(row).collect::<Vec<_>>())
    }

    fn lists(&self) -> String {
        let row = |(key, kind): (Key, Kind)| {
            let seconds = self.figures.spread(key, |it| it.seconds);
            let bytes = self.figures.spread(key, |it| it.bytes as f64 / it.seconds / 1e6);
            vec![
                kind.name().to_owned(),
                whole(key.rows as f64),
                spread(seconds, ratio),
                median(bytes, |megabytes| format!("{megabytes:.0} MB")),
                mebibytes(self.figures.peak(key)),
            ]
        };
        let rows: Vec<_> = self.ours(|what| what == What::List).into_iter().map(row).collect();
        let head = ["database", "affiliates", "seconds", "a second", "peak memory"];
        table("A list of all affiliates, in one answer:", &head, &rows)
    }

    fn cascades(&self) -> String {
        let row = |(key, kind): (Key, Kind)| {
            let seconds = self.figures.spread(key, |it| it.seconds * 1e3);
            let each = self.figures.spread(key, |it| it.seconds / it.count as f64 * 1e6);
            let What::Cascade(count) = key.what else { return Vec::new() };
            vec![
                whole(count as f64),
                kind.name().to_owned(),
                spread(seconds, |ms| format!("{ms:.1}")),
                median(each, microseconds),
                mebibytes(self.figures.peak(key)),
            ]
        };
        let rows = self.ours(|what| matches!(what, What::Cascade(_)));
        let head = ["affiliate campaigns", "database", "milliseconds", "each", "peak memory"];
        table(
            "A relationship whose change carries over to all of a pair's affiliate campaigns:",
            &head,
            &rows.into_iter().map(row).collect::<Vec<_>>(),
        )
    }

    fn memory(&self) -> String {
        let row = |((kind, rows), idle): (&(Kind, u64), &u64)| {
            let (peak, key) = self.heaviest(*kind, *rows)?;
            Some(vec![
                kind.name().to_owned(),
                whole(*rows as f64),
                mebibytes(*idle),
                mebibytes(peak),
                asked(key.what),
            ])
        };
        let rows: Vec<_> = self.figures.idle.iter().filter_map(row).collect();
        let head = ["database", "affiliates", "idle", "peak", "under"];
        table("The server's memory (`VmRSS` before the first request, `VmHWM`):", &head, &rows)
    }

    /// The most memory that a server had (KiB), and under which load.
    pub(crate) fn heaviest(&self, kind: Kind, rows: u64) -> Option<(u64, Key)> {
        let keys = self.figures.keys();
        let of_it = keys.filter(|key| key.who == Who::Ours(kind) && key.rows == rows);
        of_it.map(|key| (self.figures.peak(key), key)).max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_in_threes() {
        let written = [0.0, 999.4, 1_000.0, 123_456.7, 1_000_000.0].map(whole);
        assert_eq!(written, ["0", "999", "1,000", "123,457", "1,000,000"]);
    }
}
