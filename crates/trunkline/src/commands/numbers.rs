//! `trunkline numbers`.

use crate::cli_error::CliError;
use crate::config::DatabaseArgs;
use crate::progress::Progress;
use clap::Subcommand;
use serde_json::json;
use std::io::Read;
use std::path::{Path, PathBuf};
use trunkline_domain::id::NetworkId;
use trunkline_domain::phone::PhoneNumber;

pub(super) const EXAMPLE: &str = "\
Example:
  trunkline numbers import numbers.txt --network 1";

const IMPORT_EXAMPLE: &str = "\
Examples:
  trunkline numbers import numbers.txt --network 1
  seq 8005550100 8005550199 | trunkline numbers import - --network 1

The file has one number per line, E.164 or 10-digit US; blank lines and text after a # are ignored.
Numbers that exist already are not changed. If a line is not a phone number, nothing is imported.
Prints one JSON line, {\"imported\": 100, \"already_there\": 0}.";

/// Characters of an invalid line that an error quotes.
const MAX_QUOTED_CHARS: usize = 60;

/// Numbers between two updates of the progress.
const PROGRESS_STEP: usize = 500;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Add phone numbers to a network's inventory
    #[command(after_help = IMPORT_EXAMPLE)]
    Import {
        /// File of numbers; - is standard input
        file: PathBuf,
        /// Id of the network; required if there are several
        #[arg(long, value_name = "N")]
        network: Option<NetworkId>,
        #[command(flatten)]
        database: DatabaseArgs,
    },
}

pub(super) fn run(command: Command, log: Option<String>) -> Result<(), CliError> {
    let Command::Import { file, network, database } = command;
    let numbers = parse(&file, &read(&file)?)?;
    let store = super::open(database, log)?;
    let (imported, existing) = super::in_network(store, network, move |unit, network| {
        let progress = Progress::new("numbers", numbers.len() as u64);
        let mut imported = 0_usize;
        for chunk in numbers.chunks(PROGRESS_STEP) {
            for number in chunk {
                imported += usize::from(unit.insert_number(network.id, number)?);
            }
            progress.add(chunk.len() as u64);
        }
        progress.finish();
        Ok((imported, numbers.len() - imported))
    })?;
    super::print_json([json!({"imported": imported, "already_there": existing})])
}

fn read(file: &Path) -> Result<String, CliError> {
    if file.as_os_str() != "-" {
        return std::fs::read_to_string(file)
            .map_err(CliError::io(format!("read {}", file.display())));
    }
    let mut text = String::new();
    let read = std::io::stdin().lock().read_to_string(&mut text);
    read.map(|_| text).map_err(CliError::io("read standard input"))
}

fn parse(file: &Path, text: &str) -> Result<Vec<PhoneNumber>, CliError> {
    let mut numbers = Vec::new();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (index, line) in text.lines().enumerate() {
        let number = line.split('#').next().unwrap_or_default().trim();
        if number.is_empty() {
            continue;
        }
        let invalid = || CliError::InvalidNumber {
            file: file.to_owned(),
            line: index + 1,
            text: number.chars().take(MAX_QUOTED_CHARS).collect(),
        };
        numbers.push(PhoneNumber::parse(number).ok_or_else(invalid)?);
    }
    Ok(numbers)
}
