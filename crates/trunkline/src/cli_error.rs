//! Errors of commands, each printed as one line, with an exit code.

use crate::{config, tls};
use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

/// Error that ends a command.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    /// Arguments that contradict each other or cannot be parsed.
    #[error("{0}")]
    Usage(String),
    /// Invalid configuration file, or settings that do not fit together.
    #[error(transparent)]
    Config(#[from] config::Error),
    /// Database that cannot be opened.
    #[error(transparent)]
    Open(#[from] trunkline_network::OpenError),
    /// Error of a use case.
    #[error(transparent)]
    UseCase(#[from] trunkline_network::Error),
    /// Unusable TLS certificate or key.
    #[error(transparent)]
    Tls(#[from] tls::Error),
    /// Address that cannot be listened on.
    #[error("cannot listen on {address}: {reason}")]
    Listen {
        /// The address as it was given.
        address: String,
        /// The reason, without the address.
        reason: String,
    },
    /// File or stream that cannot be read or written.
    #[error("cannot {operation}")]
    Io {
        /// Verb and object of the operation, such as "read numbers.txt".
        operation: String,
        /// The underlying error.
        source: io::Error,
    },
    /// Line of a number file that is not a phone number.
    #[error("{}:{line}: '{text}' is not a phone number; nothing was imported", file.display())]
    InvalidNumber {
        /// The file.
        file: PathBuf,
        /// Line number, from 1.
        line: usize,
        /// Beginning of the line.
        text: String,
    },
    /// Object that does not exist.
    #[error("there is no {0}")]
    NotFound(String),
    /// Database that violates invariants.
    #[error("the database is not clean: {0} findings")]
    CheckFailed(u64),
    /// Error of copying a database.
    #[error(transparent)]
    Copy(#[from] trunkline_store::CopyError),
    /// Error of a backup or a restore.
    #[error(transparent)]
    Backup(#[from] trunkline_store::BackupError),
    /// Unexpected response to one of the demo's own requests.
    #[error("the demo could not be filled: {0}")]
    Demo(String),
}

impl CliError {
    /// Returns a constructor for an I/O error; `operation` completes the sentence "cannot …".
    pub(crate) fn io(operation: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { operation: operation.into(), source }
    }

    /// Describes why an address cannot be listened on.
    pub(crate) fn listen(address: &str, error: &io::Error) -> Self {
        let reason = match error.kind() {
            io::ErrorKind::AddrInUse => "the port is in use by another program".to_owned(),
            _ => error.to_string(),
        };
        Self::Listen { address: address.to_owned(), reason }
    }

    /// Formats the error and its sources as one line.
    pub(crate) fn to_line(&self) -> String {
        let mut text = self.to_string();
        let mut error: &dyn Error = self;
        while let Some(source) = error.source() {
            text.push_str(&format!(": {source}"));
            error = source;
        }
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Exit code: 2 for wrong usage, as clap has it, and 1 for any other error.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::from(2),
            _ => ExitCode::FAILURE,
        }
    }
}
