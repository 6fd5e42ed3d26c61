//! `trunkline database`.

use crate::cli_error::CliError;
use crate::config::{ConfigFile, DatabaseArgs};
use crate::progress::Progress;
use crate::system;
use clap::Subcommand;
use serde_json::json;
use std::path::{Path, PathBuf};
use trunkline_network::{Error, Store};
use trunkline_store::{BackupSummary, Finding, ProgressObserver};

pub(super) const EXAMPLE: &str = "\
Examples:
  trunkline database check --database sqlite:///var/lib/trunkline/network.db
  trunkline database backup --to /backup/network-2026-11-26.db
  trunkline database copy --from sqlite://network.db --to postgres://trunkline@db/trunkline";

const CHECK_EXAMPLE: &str = "\
Examples:
  trunkline database check
  trunkline database check --database postgres://trunkline@db/trunkline

Reads everything in one snapshot and writes nothing; servers may run meanwhile. If the database is
consistent, prints {\"clean\": true, \"checked\": {\"calls\": 12, …}} with the rows of each table.
Otherwise prints a line for each violation, {\"rule\": …, \"at\": …, \"found\": …, \"expected\": …}, and
exits with code 1.";

const COPY_EXAMPLE: &str = "\
Examples:
  trunkline database copy --from sqlite://network.db --to postgres://trunkline@db/trunkline
  trunkline database copy --from postgres://trunkline@db/trunkline --to sqlite://network.db

Reads the source in one snapshot, writes it to a database without a network, reads the copy again and
compares, all in one transaction. Stop the servers on the source first: what they write during the copy
is not copied. Prints a line for each table, {\"table\": …, \"rows\": …, \"checksum\": …}.";

const MIGRATE_EXAMPLE: &str = "\
Examples:
  trunkline database migrate
  trunkline database migrate --database postgres://trunkline@db/trunkline

Creates the database if it does not exist, and applies the migrations that it does not have, each in a
transaction. An older trunkline cannot use the database any more. `trunkline serve` does the same at
its start. Prints one JSON line, {\"migrated\": true}, or false if there was nothing to do.";

const BACKUP_EXAMPLE: &str = "\
Example:
  trunkline database backup --database sqlite:///var/lib/trunkline/network.db --to /backup/network.db

Writes one snapshot of a SQLite database to a new file with mode 0600, and checks it; servers may run
meanwhile. Prints one JSON line, {\"backup\": \"/backup/network.db\", \"bytes\": 61440, \"checked\": …}.
Backups of PostgreSQL are made with pg_dump or a base backup.";

const RESTORE_EXAMPLE: &str = "\
Example:
  trunkline database restore --database sqlite:///var/lib/trunkline/network.db --from /backup/network.db

Checks a backup and puts it in the place of the database. Stop the servers on the database first: the
command fails while one has it open. The previous database is kept next to it as
network.db.before-restore. Prints one JSON line, {\"restored\": …, \"from\": …, \"before_restore\": …}.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write a backup of a SQLite database to a new file
    #[command(after_help = BACKUP_EXAMPLE)]
    Backup {
        /// File to write; it must not exist
        #[arg(long, value_name = "FILE", value_parser = parse_file)]
        to: PathBuf,
        #[command(flatten)]
        database: DatabaseArgs,
    },
    /// Check the consistency of a database
    #[command(after_help = CHECK_EXAMPLE)]
    Check {
        #[command(flatten)]
        database: DatabaseArgs,
    },
    /// Create a database, or migrate it to the version of this program
    #[command(after_help = MIGRATE_EXAMPLE)]
    Migrate {
        #[command(flatten)]
        database: DatabaseArgs,
    },
    /// Replace a SQLite database by a backup
    #[command(after_help = RESTORE_EXAMPLE)]
    Restore {
        /// Backup to restore
        #[arg(long, value_name = "FILE", value_parser = parse_file)]
        from: PathBuf,
        #[command(flatten)]
        database: DatabaseArgs,
    },
    /// Copy everything to another database, SQLite or PostgreSQL
    #[command(after_help = COPY_EXAMPLE)]
    Copy {
        /// URL of the source
        #[arg(long, value_name = "URL")]
        from: String,
        /// URL of the destination; it must not have a network
        #[arg(long, value_name = "URL")]
        to: String,
    },
}

/// Parses the path of a file, which may also be a `sqlite://` URL.
fn parse_file(text: &str) -> Result<PathBuf, String> {
    match text.strip_prefix("sqlite://").unwrap_or(text) {
        "" => Err("it can't be blank".to_owned()),
        text if text.contains("://") => Err("expected the path of a file".to_owned()),
        path => Ok(PathBuf::from(path)),
    }
}

pub(super) fn run(command: Command, log: Option<String>) -> Result<(), CliError> {
    match command {
        Command::Backup { to, database } => backup(&to, database, log),
        Command::Restore { from, database } => restore(&from, database, log),
        Command::Check { database } => check(database, log),
        Command::Migrate { database } => migrate(database, log),
        Command::Copy { from, to } => copy(&from, &to, log),
    }
}

/// Displays the progress and prints each finding at once.
#[derive(Default)]
struct CheckReporter {
    progress: Option<Progress>,
    findings: u64,
    /// First error of printing; after it nothing more is printed.
    print_error: Option<CliError>,
}

impl ProgressObserver for CheckReporter {
    fn on_total(&mut self, rows: u64) {
        self.progress = Some(Progress::new("rows", rows));
    }

    fn on_rows_done(&mut self, rows: u64) {
        if let Some(progress) = &self.progress {
            progress.add(rows);
        }
    }

    fn on_finding(&mut self, finding: Finding) {
        self.findings += 1;
        let Finding { rule, location: at, found, expected } = finding;
        let line = json!({"rule": rule, "at": at, "found": found, "expected": expected});
        if self.print_error.is_none() {
            self.print_error = super::print_json([line]).err();
        }
    }
}

impl CheckReporter {
    /// Removes the progress bar and returns the number of findings.
    fn finish(self) -> Result<u64, CliError> {
        if let Some(progress) = &self.progress {
            progress.finish();
        }
        self.print_error.map_or(Ok(self.findings), Err)
    }
}

fn check(database: DatabaseArgs, log: Option<String>) -> Result<(), CliError> {
    let (mut file, url) = database.resolve()?;
    super::start_logs(log, &mut file)?;
    let mut reporter = CheckReporter::default();
    let result = trunkline_store::check_database(&url, &mut reporter)?;
    let findings = reporter.finish()?;
    let row_counts = result.map_err(Error::from)?;
    match findings {
        0 => super::print_json([json!({"clean": true, "checked": row_counts})]),
        _ => Err(CliError::CheckFailed(findings)),
    }
}

fn backup(to: &Path, database: DatabaseArgs, log: Option<String>) -> Result<(), CliError> {
    let url = super::database_url(database, log)?;
    let mut reporter = CheckReporter::default();
    let summary = trunkline_store::backup_database(&url, to, &system::entropy(), &mut reporter);
    let findings = reporter.finish()?;
    let BackupSummary { bytes, checked, .. } = summary?;
    super::print_json([json!({"backup": to, "bytes": bytes, "checked": checked})])?;
    match findings {
        0 => Ok(()),
        _ => Err(CliError::CheckFailed(findings)),
    }
}

fn restore(from: &Path, database: DatabaseArgs, log: Option<String>) -> Result<(), CliError> {
    let url = super::database_url(database, log)?;
    let mut reporter = CheckReporter::default();
    let summary = trunkline_store::restore_database(&url, from, &system::entropy(), &mut reporter);
    reporter.finish()?;
    let BackupSummary { bytes, checked, before_restore } = summary?;
    super::print_json([json!({
        "restored": url.strip_prefix("sqlite://").unwrap_or(&url),
        "from": from,
        "bytes": bytes,
        "checked": checked,
        "before_restore": before_restore,
    })])
}

fn migrate(database: DatabaseArgs, log: Option<String>) -> Result<(), CliError> {
    let url = super::database_url(database, log)?;
    let is_current = trunkline_store::read_existing(&url, |_| Ok::<_, Error>(())).is_ok();
    Store::open(&url)?.close();
    super::print_json([json!({"migrated": !is_current})])
}

fn copy(from: &str, to: &str, log: Option<String>) -> Result<(), CliError> {
    super::start_logs(log, &mut ConfigFile::default())?;
    let mut reporter = CheckReporter::default();
    let tables = trunkline_store::copy_database(from, to, &mut reporter);
    reporter.finish()?;
    super::print_json(
        tables?.into_iter().map(
            |table| json!({"table": table.table, "rows": table.rows, "checksum": table.checksum}),
        ),
    )
}
