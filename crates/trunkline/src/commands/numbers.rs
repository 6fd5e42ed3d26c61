//! `trunkline numbers`.

use crate::config::DatabaseArgs;
use crate::failure::Failure;
use crate::progress::Progress;
use clap::Subcommand;
use serde_json::json;
use std::io::Read;
use std::path::{Path, PathBuf};
use trunkline_domain::phone::PhoneNumber;

pub(super) const EXAMPLE: &str = "\
Example:
  trunkline numbers import numbers.txt --network 1";

const IMPORT_EXAMPLE: &str = "\
Examples:
  trunkline numbers import numbers.txt --network 1
  seq 8005550100 8005550199 | trunkline numbers import - --network 1

One number a line, E.164 or 10-digit US; blank lines and what follows a # are skipped. Numbers
that are there already stay as they are. When a line is no number, nothing is imported. Prints
one JSON line, {\"imported\": 100, \"already_there\": 0}.";

/// Characters of a bad line that an error shows.
const SHOWN: usize = 60;

/// Numbers between two looks at how far it is.
const STEP: usize = 500;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Add phone numbers to a network's inventory
    #[command(after_help = IMPORT_EXAMPLE)]
    Import {
        /// The file; - is standard input
        file: PathBuf,
        /// The network's id; needed where there are several
        #[arg(long, value_name = "N")]
        network: Option<i64>,
        #[command(flatten)]
        database: DatabaseArgs,
    },
}

pub(super) fn run(command: Command, log: Option<String>) -> Result<(), Failure> {
    let Command::Import { file, network, database } = command;
    let numbers = parse(&file, &read(&file)?)?;
    let store = super::open(database, log)?;
    let (imported, already_there) = super::in_network(store, network, move |session, network| {
        let progress = Progress::new("numbers", numbers.len() as u64);
        let mut imported = 0_usize;
        for some in numbers.chunks(STEP) {
            for number in some {
                imported += usize::from(session.add_number(network.id, number)?);
            }
            progress.add(some.len() as u64);
        }
        progress.end();
        Ok((imported, numbers.len() - imported))
    })?;
    super::print_json([json!({"imported": imported, "already_there": already_there})])
}

fn read(file: &Path) -> Result<String, Failure> {
    if file.as_os_str() != "-" {
        return std::fs::read_to_string(file)
            .map_err(Failure::io(format!("read {}", file.display())));
    }
    let mut text = String::new();
    let read = std::io::stdin().lock().read_to_string(&mut text);
    read.map(|_| text).map_err(Failure::io("read standard input"))
}

fn parse(file: &Path, text: &str) -> Result<Vec<PhoneNumber>, Failure> {
    let mut numbers = Vec::new();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (at, line) in text.lines().enumerate() {
        let said = line.split('#').next().unwrap_or_default().trim();
        if said.is_empty() {
            continue;
        }
        let bad = || Failure::BadNumber {
            file: file.to_owned(),
            line: at + 1,
            text: said.chars().take(SHOWN).collect(),
        };
        numbers.push(PhoneNumber::parse(said).ok_or_else(bad)?);
    }
    Ok(numbers)
}
