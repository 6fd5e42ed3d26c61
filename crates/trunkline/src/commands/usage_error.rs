//! Usage errors of values that come from environment variables.

use clap::error::{ContextKind, ContextValue};
use clap::{Arg, Command, Error};

/// Names the environment variable in the place of the flag if the invalid value comes from there.
pub(super) fn name_variable(
    mut error: Error,
    command: &Command,
    mut arguments: impl Iterator<Item = String>,
) -> Error {
    let Some(ContextValue::String(usage)) = error.get(ContextKind::InvalidArg) else {
        return error;
    };
    // The context is the flag with its value name: `--rate-limit <N>`.
    let flag = usage.split_whitespace().next().unwrap_or_default().to_owned();
    let is_flag = |argument: &String| argument.split('=').next() == Some(&flag);
    if arguments.any(|argument| is_flag(&argument)) {
        return error;
    }
    let Some(variable) = find_variable(command, flag.trim_start_matches('-')) else { return error };
    error.insert(ContextKind::InvalidArg, ContextValue::String(variable));
    error
}

/// Returns the environment variable of a flag, searching all subcommands.
fn find_variable(command: &Command, flag: &str) -> Option<String> {
    let mut arguments = command.get_arguments();
    let argument = arguments.find(|argument| argument.get_long() == Some(flag));
    let variable = argument.and_then(Arg::get_env).and_then(|name| name.to_str());
    variable
        .map(str::to_owned)
        .or_else(|| command.get_subcommands().find_map(|command| find_variable(command, flag)))
}
