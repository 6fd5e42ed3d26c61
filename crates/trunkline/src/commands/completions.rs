//! `trunkline completions`.

use super::Cli;
use crate::failure::Failure;
use clap::CommandFactory;
use clap_complete::Shell;

const EXAMPLE: &str = "\
Example:
  trunkline completions bash > ~/.local/share/bash-completion/completions/trunkline";

/// Print a script that completes this program's arguments in a shell
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

/// Prints the script.
pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "trunkline", &mut script);
    super::print(&String::from_utf8_lossy(&script))
}
