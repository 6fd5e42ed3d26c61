//! Why a command was not done: one line each.

use crate::{config, tls};
use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

/// Why a command was not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// What was asked for makes no sense.
    #[error("{0}")]
    Usage(String),
    /// The configuration file cannot be used, or what it and the flags say together.
    #[error(transparent)]
    Config(#[from] config::Error),
    /// The database cannot be opened.
    #[error(transparent)]
    Open(#[from] trunkline_network::OpenError),
    /// A use case was refused.
    #[error(transparent)]
    Refused(#[from] trunkline_network::Error),
    /// The certificate or its key cannot be used.
    #[error(transparent)]
    Tls(#[from] tls::Error),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {reason}")]
    Listen {
        /// The address as it was given.
        address: String,
        /// Why, in words.
        reason: String,
    },
    /// A file or stream cannot be used.
    #[error("cannot {what}")]
    Io {
        /// What was being done.
        what: String,
        /// Why it failed.
        source: io::Error,
    },
    /// A file of phone numbers has a line that is none.
    #[error("{}:{line}: '{text}' is not a phone number; nothing was imported", file.display())]
    BadNumber {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What it says.
        text: String,
    },
    /// There is nothing of that name.
    #[error("there is no {0}")]
    Missing(String),
    /// A database breaks rules that must hold.
    #[error("the database is not clean: {0} findings")]
    Unclean(u64),
    /// A database was not copied.
    #[error(transparent)]
    Copy(#[from] trunkline_store::CopyError),
    /// The demo's own requests were not answered as they should be.
    #[error("the demo could not be filled: {0}")]
    Demo(String),
}

impl Failure {
    /// A failure of reading or writing something: `what` follows "cannot".
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { what: what.into(), source }
    }

    /// A listener that could not be made.
    pub(crate) fn listen(address: &str, error: &io::Error) -> Self {
        let reason = match error.kind() {
            io::ErrorKind::AddrInUse => "the port is in use by another program".to_owned(),
            _ => error.to_string(),
        };
        Self::Listen { address: address.to_owned(), reason }
    }

    /// The whole chain in one line.
    pub(crate) fn line(&self) -> String {
        let mut text = self.to_string();
        let mut error: &dyn Error = self;
        while let Some(source) = error.source() {
            text.push_str(&format!(": {source}"));
            error = source;
        }
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// 2 for a misuse of the command line, as clap has it; else 1.
    pub(crate) fn code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::from(2),
            _ => ExitCode::FAILURE,
        }
    }
}
