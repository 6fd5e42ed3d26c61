//! What the suite is told.

use std::path::PathBuf;
use std::time::Duration;

/// How it is called.
pub(crate) const USAGE: &str = "\
usage: trunkline-bench [--quick] [--database sqlite|postgres] [--only SCENARIO] [--seconds N]
                       [--rounds N] [--markdown FILE]
       trunkline-bench list [affiliates] | replay [calls] | evaluator | servers

Without a word it runs the whole suite, half an hour at the most, and prints Markdown.

  --quick             smaller and shorter: some minutes
  --smoke             as small as it gets: whether it works, on what is built already
  --database KIND     one kind of database alone
  --only SCENARIO     get-affiliate, get-campaign, put-affiliate, calls, ndjson, list or cascade; may
                      be said more than once
  --seconds N         how long each load is measured
  --rounds N          how often
  --markdown FILE     writes the tables into the file too, between its two marks where it has them";

/// A kind of database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// What is asked of a server.
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

/// Every scenario, and what it is called on the command line.
const SCENARIOS: [(Scenario, &str); 7] = [
    (Scenario::GetAffiliate, "get-affiliate"),
    (Scenario::GetCampaign, "get-campaign"),
    (Scenario::PutAffiliate, "put-affiliate"),
    (Scenario::Calls, "calls"),
    (Scenario::Lines, "ndjson"),
    (Scenario::List, "list"),
    (Scenario::Cascade, "cascade"),
];

/// What is run, how large and how long.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// What is built already is taken as it is.
    pub(crate) is_smoke: bool,
    pub(crate) kinds: Vec<Kind>,
    pub(crate) scenarios: Vec<Scenario>,
    /// Affiliates in a database, least first.
    pub(crate) sizes: Vec<u64>,
    /// Affiliates in the database that is listed; one of the sizes.
    pub(crate) listed: u64,
    /// Campaigns in each database.
    pub(crate) campaigns: u64,
    /// Affiliate campaigns that a relationship carries over to.
    pub(crate) cascades: Vec<u64>,
    /// Calls told ahead of the answers.
    pub(crate) ahead: u64,
    /// How long each load is measured.
    pub(crate) window: Duration,
    /// How long it runs before.
    pub(crate) warm_up: Duration,
    pub(crate) rounds: usize,
    pub(crate) markdown: Option<PathBuf>,
}

impl Options {
    /// Reads a command line.
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut options = Self::full();
        let mut databases = Vec::new();
        let mut only = Vec::new();
        // Sizes first, so that what is said of seconds and rounds stands.
        if arguments.iter().any(|word| word == "--quick") {
            options.shrink();
        }
        if arguments.iter().any(|word| word == "--smoke") {
            options.shrink_to_nothing();
        }
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} of what?\n{USAGE}"));
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
            kinds: vec![Kind::Sqlite, Kind::Postgres],
            scenarios: SCENARIOS.map(|(scenario, _)| scenario).to_vec(),
            sizes: vec![1_000, 100_000, 1_000_000],
            listed: 100_000,
            campaigns: 1_000,
            cascades: vec![10, 1_000, 100_000],
            ahead: 2_000,
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
        self.ahead = 250;
        self.window = Duration::from_millis(200);
        self.warm_up = Duration::from_millis(20);
        self.rounds = 1;
    }

    pub(crate) fn runs(&self, scenario: Scenario) -> bool {
        self.scenarios.contains(&scenario)
    }

    /// Whether relationships are changed in the database of this size: the largest.
    pub(crate) fn cascades_at(&self, rows: u64) -> bool {
        self.runs(Scenario::Cascade) && rows == self.ends().1
    }

    /// The least size, and the largest.
    pub(crate) fn ends(&self) -> (u64, u64) {
        let first = self.sizes.first().copied().unwrap_or(1);
        (first, self.sizes.last().copied().unwrap_or(first))
    }
}

fn kind(word: &str) -> Result<Kind, String> {
    match word {
        "sqlite" => Ok(Kind::Sqlite),
        "postgres" => Ok(Kind::Postgres),
        _ => Err(format!("'{word}' is no kind of database\n{USAGE}")),
    }
}

fn scenario(word: &str) -> Result<Scenario, String> {
    let found = SCENARIOS.iter().find(|(_, name)| *name == word);
    found.map(|(scenario, _)| *scenario).ok_or_else(|| format!("'{word}' is none\n{USAGE}"))
}

fn seconds(word: &str) -> Result<Duration, String> {
    let seconds = word.parse().ok().filter(|seconds| *seconds > 0.0 && *seconds < 3_600.0);
    seconds.map(Duration::from_secs_f64).ok_or_else(|| format!("'{word}' is no time"))
}

fn rounds(word: &str) -> Result<usize, String> {
    let rounds = word.parse().ok().filter(|rounds| (1..=1_000).contains(rounds));
    rounds.ok_or_else(|| format!("'{word}' is no number of rounds"))
}
