//! What can go wrong with storage.

/// A unit of work could not be done. Nothing of it is stored.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The disk or the quota is full.
    #[error("the database's disk is full")]
    Full,
    /// Another process holds the database for longer than we wait.
    #[error("the database is busy")]
    Busy,
    /// The writer has stopped, because the server is going down.
    #[error("the database is closed")]
    Closed,
    /// A unit of work panicked; it was rolled back.
    #[error("a unit of work was abandoned")]
    Abandoned,
    /// A stored value does not read as what it should be.
    #[error("stored {what} cannot be read")]
    Unreadable {
        /// Which value.
        what: &'static str,
        /// Why.
        #[source]
        source: Option<serde_json::Error>,
    },
    /// The database server cannot be reached, or went away.
    #[error("the database cannot be reached")]
    Unavailable(#[source] Option<tokio_postgres::Error>),
    /// Anything else that PostgreSQL reports.
    #[error("the database reports an error")]
    Postgres(#[source] tokio_postgres::Error),
    /// Anything else that SQLite reports.
    #[error("the database reports an error")]
    Sqlite(#[source] rusqlite::Error),
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => Self::Full,
            Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => {
                Self::Busy
            }
            _ => Self::Sqlite(error),
        }
    }
}

impl From<tokio_postgres::Error> for Error {
    fn from(error: tokio_postgres::Error) -> Self {
        use tokio_postgres::error::SqlState;
        match error.code() {
            Some(&SqlState::DISK_FULL) => Self::Full,
            Some(
                &SqlState::LOCK_NOT_AVAILABLE
                | &SqlState::QUERY_CANCELED
                | &SqlState::T_R_DEADLOCK_DETECTED,
            ) => Self::Busy,
            Some(&SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT) => Self::Unavailable(Some(error)),
            // Class 57 is an operator's doing, class 08 the connection's, class 53 a lack of resources.
            Some(code) if ["57", "08", "53"].iter().any(|class| code.code().starts_with(class)) => {
                Self::Unavailable(Some(error))
            }
            Some(_) => Self::Postgres(error),
            None => Self::Unavailable(Some(error)),
        }
    }
}

impl Error {
    /// Whether it is the database's, whatever was asked of it: full, busy, closed or out of reach.
    pub fn is_outage(&self) -> bool {
        matches!(self, Self::Full | Self::Busy | Self::Closed | Self::Unavailable(_))
    }

    /// The same for each of those who waited for one commit.
    pub fn again(&self) -> Self {
        match self {
            Self::Full => Self::Full,
            Self::Busy => Self::Busy,
            Self::Closed => Self::Closed,
            Self::Unavailable(_) => Self::Unavailable(None),
            Self::Sqlite(rusqlite::Error::SqliteFailure(code, text)) => {
                rusqlite::Error::SqliteFailure(*code, text.clone()).into()
            }
            Self::Sqlite(_) | Self::Postgres(_) | Self::Abandoned | Self::Unreadable { .. } => {
                Self::Abandoned
            }
        }
    }
}

/// A database could not be opened. One clear line each.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL names no backend we have.
    #[error(
        "cannot use the database '{0}': expected sqlite://<file> or postgres://<user>@<host>/<name>"
    )]
    Url(String),
    /// A newer trunkline has been here.
    #[error(
        "the database '{file}' has version {found}, and this trunkline knows versions up to {known}: use a newer trunkline"
    )]
    Newer {
        /// The file.
        file: String,
        /// Its version.
        found: i64,
        /// The newest version known.
        known: i64,
    },
    /// It was last used by an older trunkline, and was opened to be read alone.
    #[error(
        "the database '{file}' has version {found}, and this trunkline needs version {known}: start 'trunkline serve' on it once, which brings it up to date"
    )]
    Older {
        /// The file.
        file: String,
        /// Its version.
        found: i64,
        /// The version that is needed.
        known: i64,
    },
    /// A server cannot be reached, or refuses.
    #[error("cannot use the database '{url}': {reason}")]
    Server {
        /// Where, without its password.
        url: String,
        /// Why.
        reason: String,
    },
    /// It cannot be opened, read or written.
    #[error("cannot open the database '{file}': {reason}")]
    File {
        /// The file.
        file: String,
        /// Why.
        reason: String,
    },
}

impl OpenError {
    /// A URL as it may be shown: without its password.
    pub(crate) fn shown(url: &str) -> String {
        crate::postgres::without_password(url)
    }

    /// Refuses every version but our own.
    pub(crate) fn unless_current(file: &str, found: i64, known: i64) -> Result<(), Self> {
        let file = file.to_owned();
        match found.cmp(&known) {
            std::cmp::Ordering::Equal => Ok(()),
            std::cmp::Ordering::Less => Err(Self::Older { file, found, known }),
            std::cmp::Ordering::Greater => Err(Self::Newer { file, found, known }),
        }
    }
}
