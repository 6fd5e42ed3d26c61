//! Errors of the use cases.

use std::time::Duration;
use trunkline_domain::problem::Problems;

/// Error of a use case. The transaction is rolled back, so nothing is stored.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request is invalid.
    #[error("the request is invalid: {}", problems.to_json())]
    Invalid {
        /// All problems, by property path.
        problems: Problems,
        /// Status that the response repeats beside the errors, if a status transition of an
        /// affiliate campaign was refused.
        status: Option<&'static str>,
    },
    /// The object does not exist or is not visible to the principal.
    #[error("Could not find {0}")]
    NotFound(String),
    /// The object was deleted, and its id is known still.
    #[error("{0}")]
    Gone(String),
    /// The principal is not allowed to do this, or no principal is.
    #[error("{0}")]
    NotAllowed(String),
    /// The id is used for another object.
    #[error("{0}")]
    Conflict(String),
    /// The precondition failed: the object was changed since it was read.
    #[error("the object has been changed since it was read")]
    PreconditionFailed,
    /// The credential is no longer valid.
    #[error("a valid credential is needed")]
    Unauthorized,
    /// Too many sign-ins failed: the next try is accepted after this time.
    #[error("too many sign-ins failed: try again in {} s", .0.as_secs() + 1)]
    SignInsThrottled(Duration),
    /// Too many passwords wait for their verification.
    #[error("too many sign-ins at once: try again")]
    SignInsBusy,
    /// The tenant, or its network, has as many expensive requests in progress as allowed.
    #[error(
        "too many long lists, replays, redecisions and checks of this party or its network are in \
         progress: try again when one has ended"
    )]
    TooManyExpensiveRequests,
    /// The tenant has written as much into the audit log as it may in a day, which ends after this
    /// time.
    #[error(
        "the credentials of this party have written as much into the audit log as is allowed in a day: \
         try again after midnight, in {} s", .0.as_secs() + 1
    )]
    AuditLimitReached(Duration),
    /// Storage failed.
    #[error("storage failed")]
    Storage(#[from] trunkline_store::Error),
    /// An invariant was violated: a bug.
    #[error("{0}")]
    Internal(String),
}

impl Error {
    /// Tests if the request was refused because of its content and the stored state, so that
    /// repeating it would fail again. Other errors are failures of the server or of the credential.
    pub(crate) fn is_refusal(&self) -> bool {
        match self {
            Self::Invalid { .. }
            | Self::NotFound(_)
            | Self::Gone(_)
            | Self::NotAllowed(_)
            | Self::Conflict(_) => true,
            Self::Unauthorized
            | Self::PreconditionFailed
            | Self::SignInsThrottled(_)
            | Self::SignInsBusy
            | Self::TooManyExpensiveRequests
            | Self::AuditLimitReached(_)
            | Self::Storage(_)
            | Self::Internal(_) => false,
        }
    }

    /// Returns true if the storage is busy or unreachable, so that the request may succeed later.
    pub fn is_temporary(&self) -> bool {
        use trunkline_store::Error as Storage;
        matches!(self, Self::SignInsBusy)
            || matches!(
                self,
                Self::Storage(Storage::Busy | Storage::Closed | Storage::Unavailable(_))
            )
    }

    /// Returns true if the storage has no room left.
    pub fn is_storage_full(&self) -> bool {
        matches!(self, Self::Storage(trunkline_store::Error::Full))
    }

    /// Creates an [`Error::Invalid`] with one message for one property.
    pub fn invalid_property(property: &str, message: impl Into<String>) -> Self {
        let mut problems = Problems::new();
        problems.property(property).add(message);
        problems.into()
    }
}

impl From<Problems> for Error {
    fn from(problems: Problems) -> Self {
        Self::Invalid { problems, status: None }
    }
}
