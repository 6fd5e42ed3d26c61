//! Errors of the storage layer.

/// Constraint on the bytes of the audit log that a tenant writes in a day.
const AUDIT_LIMIT_CONSTRAINT: &str = "audit_usage_limit";

/// Failure of a unit of work. Nothing of it is stored.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The disk or its quota is full.
    #[error("the database's disk is full")]
    Full,
    /// Another process held the database longer than the timeout, or too many writes are queued.
    #[error("the database is busy")]
    Busy,
    /// The writer has stopped because the server is shutting down.
    #[error("the database is closed")]
    Closed,
    /// The database file was replaced or deleted while it is open.
    #[error("the database file was replaced or deleted")]
    Replaced,
    /// The unit of work writes more into the audit log than its tenant may write in a day.
    #[error("the bytes of the audit log that are allowed for this day are used up")]
    AuditLimit,
    /// A unit of work panicked and was rolled back.
    #[error("a unit of work was abandoned")]
    Abandoned,
    /// A stored value does not parse as its type.
    #[error("stored {value} cannot be read")]
    Unreadable {
        /// Name of the value.
        value: &'static str,
        /// Cause.
        #[source]
        source: Option<serde_json::Error>,
    },
    /// The database server cannot be reached, or the connection was lost.
    #[error("the database cannot be reached")]
    Unavailable(#[source] Option<tokio_postgres::Error>),
    /// Any other error that PostgreSQL reports.
    #[error("the database reports an error")]
    Postgres(#[source] tokio_postgres::Error),
    /// Any other error that SQLite reports.
    #[error("the database reports an error")]
    Sqlite(#[source] rusqlite::Error),
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        if let rusqlite::Error::SqliteFailure(code, Some(message)) = &error
            && code.extended_code == rusqlite::ffi::SQLITE_CONSTRAINT_CHECK
            && message.ends_with(AUDIT_LIMIT_CONSTRAINT)
        {
            return Self::AuditLimit;
        }
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
        let constraint = error.as_db_error().and_then(tokio_postgres::error::DbError::constraint);
        match error.code() {
            Some(&SqlState::CHECK_VIOLATION) if constraint == Some(AUDIT_LIMIT_CONSTRAINT) => {
                Self::AuditLimit
            }
            Some(&SqlState::DISK_FULL) => Self::Full,
            Some(
                &SqlState::LOCK_NOT_AVAILABLE
                | &SqlState::QUERY_CANCELED
                | &SqlState::T_R_DEADLOCK_DETECTED,
            ) => Self::Busy,
            Some(&SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT) => Self::Unavailable(Some(error)),
            // Class 57 is operator intervention, class 08 a connection error, class 53 insufficient
            // resources.
            Some(code) if ["57", "08", "53"].iter().any(|class| code.code().starts_with(class)) => {
                Self::Unavailable(Some(error))
            }
            Some(_) => Self::Postgres(error),
            None => Self::Unavailable(Some(error)),
        }
    }
}

impl Error {
    /// Returns true if the error is an outage of the database and not caused by the statement:
    /// full, busy, closed, replaced or unreachable.
    pub fn is_outage(&self) -> bool {
        matches!(
            self,
            Self::Full | Self::Busy | Self::Closed | Self::Replaced | Self::Unavailable(_)
        )
    }

    /// Duplicates an error for each of the writes that waited for one commit.
    pub fn duplicate(&self) -> Self {
        match self {
            Self::Full => Self::Full,
            Self::Busy => Self::Busy,
            Self::Closed => Self::Closed,
            Self::Replaced => Self::Replaced,
            Self::AuditLimit => Self::AuditLimit,
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

/// Failure to open a database. Each message is one line.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL names no supported backend.
    #[error(
        "cannot use the database '{0}': expected sqlite://<file> or postgres://<user>@<host>/<name>"
    )]
    Url(String),
    /// The database was written by a newer version of trunkline.
    #[error(
        "the database '{file}' has version {found}, and this trunkline knows versions up to {known}: use a newer trunkline"
    )]
    Newer {
        /// File, or URL without its password.
        file: String,
        /// Schema version of the database.
        found: i64,
        /// Newest schema version that this build supports.
        known: i64,
    },
    /// The database has an older schema and was opened read-only, so it is not migrated.
    #[error(
        "the database '{file}' has version {found}, and this trunkline needs version {known}: run 'trunkline database migrate' on it, or start 'trunkline serve'"
    )]
    Older {
        /// File, or URL without its password.
        file: String,
        /// Schema version of the database.
        found: i64,
        /// Required schema version.
        known: i64,
    },
    /// The server cannot be reached, or rejects the connection.
    #[error("cannot use the database '{url}': {reason}")]
    Server {
        /// URL without its password.
        url: String,
        /// Cause.
        reason: String,
    },
    /// The file cannot be opened, read or written.
    #[error("cannot open the database '{file}': {reason}")]
    File {
        /// Path of the file.
        file: String,
        /// Cause.
        reason: String,
    },
}

impl OpenError {
    /// Location of a database without its password, for messages.
    pub(crate) fn redacted_location(url: &str) -> String {
        crate::postgres::without_password(url)
    }

    /// Checks that the schema version of a database is the one that this build needs.
    pub(crate) fn check_schema_version(file: &str, found: i64, known: i64) -> Result<(), Self> {
        let file = file.to_owned();
        match found.cmp(&known) {
            std::cmp::Ordering::Equal => Ok(()),
            std::cmp::Ordering::Less => Err(Self::Older { file, found, known }),
            std::cmp::Ordering::Greater => Err(Self::Newer { file, found, known }),
        }
    }
}
