//! Logging to standard error: readable lines on a terminal, JSON lines otherwise.
//!
//! Query strings, headers and bodies are never logged, because all three may contain credentials.

use crate::cli_error::CliError;
use std::io::IsTerminal;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

/// Starts logging at a level; `level` is one of `off`, `error`, `warn`, `info`, `debug`, `trace`.
pub(crate) fn start(level: &str) -> Result<(), CliError> {
    let filter = filter(level)?;
    let is_terminal = std::io::stderr().is_terminal();
    let layer = if is_terminal {
        fmt::layer().with_writer(std::io::stderr).with_target(false).boxed()
    } else {
        fmt::layer().json().flatten_event(true).with_writer(std::io::stderr).boxed()
    };
    // Fails only if a subscriber is installed already; that one is kept.
    tracing_subscriber::registry().with(layer.with_filter(filter)).try_init().ok();
    std::panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string).unwrap_or_default();
        let payload = panic.payload();
        let text = payload.downcast_ref::<&str>().copied();
        let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        tracing::error!(location, "panicked: {}", text.unwrap_or("no message"));
    }));
    Ok(())
}

/// Applies the level to this workspace's crates; dependencies log at `info` and above only.
fn filter(level: &str) -> Result<Targets, CliError> {
    let unknown_level = || {
        CliError::Usage(format!(
            "the log level '{level}' is not one of off, error, warn, info, debug, trace"
        ))
    };
    let level: LevelFilter = level.trim().parse().map_err(|_| unknown_level())?;
    Ok(Targets::new().with_default(level.min(LevelFilter::INFO)).with_target("trunkline", level))
}
