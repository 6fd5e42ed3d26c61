//! `trunkline database`.

use crate::config::{DatabaseArgs, File};
use crate::failure::Failure;
use crate::progress::Progress;
use clap::Subcommand;
use serde_json::json;
use trunkline_network::Error;
use trunkline_store::{Finding, Watch};

pub(super) const EXAMPLE: &str = "\
Examples:
  trunkline database check --database sqlite:///var/lib/trunkline/network.db
  trunkline database copy --from sqlite://network.db --to postgres://trunkline@db/trunkline";

const CHECK_EXAMPLE: &str = "\
Examples:
  trunkline database check
  trunkline database check --database postgres://trunkline@db/trunkline

Reads everything in one snapshot, beside whatever runs, and writes nothing. Prints
{\"clean\": true, \"checked\": {\"calls\": 12, …}}, the rows of each table, when all of it agrees; else
a line for each thing that does not, {\"rule\": …, \"at\": …, \"found\": …, \"expected\": …}, and ends
with exit code 1.";

const COPY_EXAMPLE: &str = "\
Examples:
  trunkline database copy --from sqlite://network.db --to postgres://trunkline@db/trunkline
  trunkline database copy --from postgres://trunkline@db/trunkline --to sqlite://network.db

Reads the source in one snapshot, writes it to a database that has no network yet, reads that again,
compares, and only then commits: all of it or nothing. Stop servers on the source first, or what they
write meanwhile stays behind. Prints a line for each table, {\"table\": …, \"rows\": …, \"checksum\": …}.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Look whether everything in the database agrees
    #[command(after_help = CHECK_EXAMPLE)]
    Check {
        #[command(flatten)]
        database: DatabaseArgs,
    },
    /// Copy everything to another database, of either kind
    #[command(after_help = COPY_EXAMPLE)]
    Copy {
        /// The database that is read
        #[arg(long, value_name = "URL")]
        from: String,
        /// The database that is written; it must have no network yet
        #[arg(long, value_name = "URL")]
        to: String,
    },
}

pub(super) fn run(command: Command, log: Option<String>) -> Result<(), Failure> {
    match command {
        Command::Check { database } => check(database, log),
        Command::Copy { from, to } => copy(&from, &to, log),
    }
}

/// Shows how far it is, and prints what is found when it is found.
#[derive(Default)]
struct Shown {
    progress: Option<Progress>,
    findings: u64,
    /// Why nothing can be printed any more.
    mute: Option<Failure>,
}

impl Watch for Shown {
    fn total(&mut self, rows: u64) {
        self.progress = Some(Progress::new("rows", rows));
    }

    fn done(&mut self, rows: u64) {
        if let Some(progress) = &self.progress {
            progress.add(rows);
        }
    }

    fn found(&mut self, it: Finding) {
        self.findings += 1;
        let line = json!({
            "rule": it.rule, "at": it.at, "found": it.found, "expected": it.expected
        });
        if self.mute.is_none() {
            self.mute = super::print_json([line]).err();
        }
    }
}

impl Shown {
    fn end(self) -> Result<u64, Failure> {
        if let Some(progress) = &self.progress {
            progress.end();
        }
        self.mute.map_or(Ok(self.findings), Err)
    }
}

fn check(database: DatabaseArgs, log: Option<String>) -> Result<(), Failure> {
    let (mut file, url) = database.resolve()?;
    super::start_logs(log, &mut file)?;
    let mut shown = Shown::default();
    let checked = trunkline_store::check(&url, &mut shown)?;
    let findings = shown.end()?;
    let checked = checked.map_err(Error::from)?;
    match findings {
        0 => super::print_json([json!({"clean": true, "checked": checked})]),
        _ => Err(Failure::Unclean(findings)),
    }
}

fn copy(from: &str, to: &str, log: Option<String>) -> Result<(), Failure> {
    super::start_logs(log, &mut File::default())?;
    let mut shown = Shown::default();
    let copied = trunkline_store::copy(from, to, &mut shown);
    shown.end()?;
    super::print_json(
        copied?
            .into_iter()
            .map(|it| json!({"table": it.table, "rows": it.rows, "checksum": it.checksum})),
    )
}
