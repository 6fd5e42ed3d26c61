//! What the server has to show, and whether it does.

use super::bulk::TELLERS;
use super::figures::{Key, Sample, Spread, What, Who};
use super::options::Kind;
use super::report::{self, Report, asked, constant, mebibytes, whole};

/// One thing to show.
struct Target {
    what: String,
    kind: Kind,
    rows: u64,
    is: String,
    wanted: String,
    is_met: bool,
}

/// Every target, and whether it is met.
pub(crate) fn table(of: &Report<'_>) -> String {
    let mut targets = Vec::new();
    for (kind, rows) in of.figures.idle.keys() {
        targets.extend(requests(of, *kind, *rows));
        if *rows == of.options.ends().1 {
            targets.extend(largest(of, *kind, *rows));
        }
    }
    let rows: Vec<_> = targets.into_iter().map(Target::row).collect();
    let head = ["what", "database", "affiliates", "measured", "target", "met"];
    report::table("What was to be shown:", &head, &rows)
}

impl Target {
    fn row(self) -> Vec<String> {
        let met = if self.is_met { "yes" } else { "**no**" };
        let rows = whole(self.rows as f64);
        vec![self.what, self.kind.name().to_owned(), rows, self.is, self.wanted, met.to_owned()]
    }
}

fn at_least(figure: Spread, wanted: f64) -> (String, String, bool) {
    (report::ratio(figure.median), format!("≥ {wanted}"), figure.median >= wanted)
}

/// What holds at every size.
fn requests(of: &Report<'_>, kind: Kind, rows: u64) -> Vec<Target> {
    let key = |what| Key { what, who: Who::Ours(kind), rows };
    let target =
        |what: String, (is, wanted, is_met)| Target { what, kind, rows, is, wanted, is_met };
    let mut targets = Vec::new();
    let get = key(What::GetAffiliate);
    let (other, name, wanted) = match kind {
        Kind::Sqlite => (constant(What::GetAffiliate), "a constant", 0.6),
        Kind::Postgres => (Key { who: Who::Select(kind), ..get }, "one SELECT", 0.8),
    };
    let ratio = of.figures.ratio([get, other], Sample::rate);
    targets.extend(
        ratio.map(|ratio| target(format!("GET one affiliate / {name}"), at_least(ratio, wanted))),
    );
    let put = key(What::PutAffiliate);
    let ratio = of.figures.ratio([put, constant(What::PutAffiliate)], Sample::rate);
    targets.extend(
        ratio.map(|ratio| {
            target("PUT one affiliate / a constant".to_owned(), at_least(ratio, 0.25))
        }),
    );
    let shared = of.figures.spread(put, |it| it.writes as f64 / it.commits as f64);
    targets.extend(shared.map(|shared| {
        let (is, wanted) = (format!("{:.1}", shared.median), "> 8".to_owned());
        target("PUTs that share a commit".to_owned(), (is, wanted, shared.median > 8.0))
    }));
    targets
}

/// What is asked of the largest database.
fn largest(of: &Report<'_>, kind: Kind, rows: u64) -> Vec<Target> {
    let key = |what| Key { what, who: Who::Ours(kind), rows };
    let target = |what: String, is, wanted: &str, is_met| {
        let wanted = wanted.to_owned();
        Target { what, kind, rows, is, wanted, is_met }
    };
    let mut targets = Vec::new();
    let (least, _) = of.options.ends();
    let get = key(What::GetAffiliate);
    let p99 = of.figures.ratio([get, Key { rows: least, ..get }], |it| it.p99);
    targets.extend(p99.filter(|_| rows > least).map(|p99| {
        let what = format!("GET one affiliate, p99 / at {}", whole(least as f64));
        target(what, report::ratio(p99.median), "≤ 1.3", p99.median <= 1.3)
    }));
    for what in TELLERS.map(What::Lines) {
        let rate = of.figures.spread(key(what), Sample::rate);
        targets.extend(rate.map(|rate| {
            let is = format!("{} a second", whole(rate.median));
            target(asked(what), is, "≥ 20,000 a second", rate.median >= 20_000.0)
        }));
    }
    if let Some(idle) = of.figures.idle.get(&(kind, rows)) {
        let is_met = *idle < 40 * 1024;
        targets.push(target("idle memory".to_owned(), mebibytes(*idle), "< 40 MiB", is_met));
    }
    if let Some((peak, under)) = of.heaviest(kind, rows) {
        let what = format!("peak memory ({})", asked(under.what));
        targets.push(target(what, mebibytes(peak), "< 150 MiB", peak < 150 * 1024));
    }
    targets
}
