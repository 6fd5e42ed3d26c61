//! Logs, on standard error: for people on a terminal, JSON otherwise.
//!
//! What a log line never has is a query string, a header or a body: credentials come in all three.

use crate::failure::Failure;
use std::io::IsTerminal;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

/// Starts logging from this level on.
pub(crate) fn start(level: &str) -> Result<(), Failure> {
    let filter = filter(level)?;
    let is_terminal = std::io::stderr().is_terminal();
    let written = if is_terminal {
        fmt::layer().with_writer(std::io::stderr).with_target(false).boxed()
    } else {
        fmt::layer().json().flatten_event(true).with_writer(std::io::stderr).boxed()
    };
    // It fails when logging has been started already, which is as good.
    let _started = tracing_subscriber::registry().with(written.with_filter(filter)).try_init();
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let payload = panic.payload();
        let text = payload.downcast_ref::<&str>().copied();
        let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        tracing::error!(place, "panicked: {}", text.unwrap_or("no message"));
    }));
    Ok(())
}

/// A level is of our own crates; what is below us is not heard under `info`.
fn filter(level: &str) -> Result<Targets, Failure> {
    let wrong = || {
        Failure::Usage(format!(
            "the log level '{level}' is not one of off, error, warn, info, debug, trace"
        ))
    };
    let own: LevelFilter = level.trim().parse().map_err(|_| wrong())?;
    Ok(Targets::new().with_default(own.min(LevelFilter::INFO)).with_target("trunkline", own))
}
