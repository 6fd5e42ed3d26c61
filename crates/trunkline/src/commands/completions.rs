//! `trunkline completions`.

use super::Cli;
use crate::cli_error::CliError;
use clap::CommandFactory;
use clap_complete::Shell;

const EXAMPLE: &str = "\
Example:
  trunkline completions bash > ~/.local/share/bash-completion/completions/trunkline";

/// Print a completion script for a shell
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct Args {
    /// Shell to complete in
    shell: Shell,
}

/// Prints the script.
pub(super) fn run(args: &Args) -> Result<(), CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "trunkline", &mut script);
    super::print(&String::from_utf8_lossy(&script))
}
