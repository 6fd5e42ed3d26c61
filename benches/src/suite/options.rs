//! Command-line options of the suite.

use std::path::PathBuf;
use std::time::Duration;

/// Usage text.
pub(crate) const USAGE: &str = "\
usage: trunkline-bench [--quick] [--database sqlite|postgres] [--only SCENARIO] [--seconds N]
                       [--rounds N] [--markdown FILE]
       trunkline-bench list [affiliates] | replay [calls] | evaluator | servers

Without arguments it runs the whole suite, up to half an hour, and prints Markdown.

  --quick             smaller and shorter: some minutes
  --smoke             smallest sizes, with the programs that are built already: checks that it works
  --database KIND     only this kind of database
  --only SCENARIO     get-affiliate, get-campaign, put-affiliate, calls, ndjson, list or cascade; may
                      be repeated
  --seconds N         measured time of each load
  --rounds N          number of rounds
  --markdown FILE     also writes the tables to the file, between its markers if it has them";

/// Kind of database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum DatabaseKind {
    Sqlite,
    Postgres,
}

impl DatabaseKind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// Scenario that can be selected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scenario {
    GetAffiliate,
    GetCampaign,
    PutAffiliate,
    Calls,
    Lines,
    List,
    Cascade,
}

/// All scenarios, with their names on the command line.
const SCENARIOS: [(Scenario, &str); 7] = [
    (Scenario::GetAffiliate, "get-affiliate"),
    (Scenario::GetCampaign, "get-campaign"),
    (Scenario::PutAffiliate, "put-affiliate"),
    (Scenario::Calls, "calls"),
    (Scenario::Lines, "ndjson"),
    (Scenario::List, "list"),
    (Scenario::Cascade, "cascade"),
];

/// Scenarios, sizes and times.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// True if programs that are built already are not rebuilt.
    pub(crate) is_smoke: bool,
    pub(crate) kinds: Vec<DatabaseKind>,
    pub(crate) scenarios: Vec<Scenario>,
    /// Affiliates in each database, in ascending order.
    pub(crate) sizes: Vec<u64>,
    /// Affiliates in the database that is listed; one of the sizes.
    pub(crate) listed: u64,
    /// Campaigns in each database.
    pub(crate) campaigns: u64,
    /// Affiliate campaigns that a status change of a relationship cascades to.
    pub(crate) cascades: Vec<u64>,
    /// Half of the most calls that may be reported ahead of their responses.
    pub(crate) max_unanswered_calls: u64,
    /// Measured time of each load.
    pub(crate) window: Duration,
    /// Time that each load runs before it is measured.
    pub(crate) warm_up: Duration,
    pub(crate) rounds: usize,
    pub(crate) markdown: Option<PathBuf>,
}

impl Options {
    /// Parses a command line; the error is a message for the user.
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut options = Self::full();
        let mut databases = Vec::new();
        let mut only = Vec::new();
        // Sizes first, so that --seconds and --rounds override them.
        if arguments.iter().any(|word| word == "--quick") {
            options.shrink();
        }
        if arguments.iter().any(|word| word == "--smoke") {
            options.shrink_to_nothing();
        }
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} needs a value\n{USAGE}"));
            match word.as_str() {
                "--quick" | "--smoke" => {}
                "--database" => databases.push(kind(value()?)?),
                "--only" => only.push(scenario(value()?)?),
                "--seconds" => options.window = seconds(value()?)?,
                "--rounds" => options.rounds = rounds(value()?)?,
                "--markdown" => options.markdown = Some(value()?.into()),
                _ => return Err(USAGE.to_owned()),
            }
        }
        if !databases.is_empty() {
            options.kinds = databases;
        }
        if !only.is_empty() {
            options.scenarios = only;
        }
        Ok(options)
    }

    fn full() -> Self {
        Self {
            is_smoke: false,
            kinds: vec![DatabaseKind::Sqlite, DatabaseKind::Postgres],
            scenarios: SCENARIOS.map(|(scenario, _)| scenario).to_vec(),
            sizes: vec![1_000, 100_000, 1_000_000],
            listed: 100_000,
            campaigns: 1_000,
            cascades: vec![10, 1_000, 100_000],
            max_unanswered_calls: 2_000,
            window: Duration::from_secs(4),
            warm_up: Duration::from_millis(500),
            rounds: 5,
            markdown: None,
        }
    }

    fn shrink(&mut self) {
        self.sizes = vec![1_000, 100_000];
        self.cascades = vec![10, 1_000];
        self.window = Duration::from_secs(2);
        self.rounds = 3;
    }

    fn shrink_to_nothing(&mut self) {
        self.is_smoke = true;
        self.sizes = vec![10, 100];
        self.listed = 100;
        self.campaigns = 5;
        self.cascades = vec![1, 10];
        self.max_unanswered_calls = 250;
        self.window = Duration::from_millis(200);
        self.warm_up = Duration::from_millis(20);
        self.rounds = 1;
    }

    pub(crate) fn runs(&self, scenario: Scenario) -> bool {
        self.scenarios.contains(&scenario)
    }

    /// Returns true if cascades run in the database of this size, which is the largest.
    pub(crate) fn cascades_at(&self, rows: u64) -> bool {
        self.runs(Scenario::Cascade) && rows == self.largest_size()
    }

    /// Smallest size.
    pub(crate) fn smallest_size(&self) -> u64 {
        self.sizes.first().copied().unwrap_or(1)
    }

    /// Largest size.
    pub(crate) fn largest_size(&self) -> u64 {
        self.sizes.last().copied().unwrap_or(1)
    }
}

fn kind(word: &str) -> Result<DatabaseKind, String> {
    match word {
        "sqlite" => Ok(DatabaseKind::Sqlite),
        "postgres" => Ok(DatabaseKind::Postgres),
        _ => Err(format!("'{word}' is not a kind of database\n{USAGE}")),
    }
}

fn scenario(word: &str) -> Result<Scenario, String> {
    let scenario = SCENARIOS.iter().find(|(_, name)| *name == word);
    let unknown = || format!("'{word}' is not a scenario\n{USAGE}");
    scenario.map(|(scenario, _)| *scenario).ok_or_else(unknown)
}

fn seconds(word: &str) -> Result<Duration, String> {
    let seconds = word.parse().ok().filter(|seconds| *seconds > 0.0 && *seconds < 3_600.0);
    seconds
        .map(Duration::from_secs_f64)
        .ok_or_else(|| format!("'{word}' is not a number of seconds"))
}

fn rounds(word: &str) -> Result<usize, String> {
    let rounds = word.parse().ok().filter(|rounds| (1..=1_000).contains(rounds));
    rounds.ok_or_else(|| format!("'{word}' is not a number of rounds"))
}
