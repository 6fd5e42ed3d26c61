//! Why a use case was not done.

use trunkline_domain::problem::Problems;

/// Why a use case was not done. Nothing of it is stored.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request's arguments are wrong: every problem, by path.
    #[error("the request is invalid: {}", problems.to_json())]
    Invalid {
        /// What is wrong.
        problems: Problems,
        /// On a refused transition of an affiliate campaign: the status that the documents repeat
        /// beside the errors.
        status: Option<&'static str>,
    },
    /// An object does not exist, or is none of the caller's business.
    #[error("Could not find {0}")]
    NotFound(String),
    /// The caller may not do this, or nobody may.
    #[error("{0}")]
    NotAllowed(String),
    /// An id was used for something else.
    #[error("{0}")]
    Conflict(String),
    /// Someone else has changed the object since it was read.
    #[error("the object has been changed since it was read")]
    Overtaken,
    /// The credential is good no longer.
    #[error("a valid credential is needed")]
    Unauthorized,
    /// Storage failed.
    #[error("storage failed")]
    Storage(#[from] trunkline_store::Error),
    /// Something that cannot be: our own fault.
    #[error("{0}")]
    Internal(String),
}

impl Error {
    /// One message at one property.
    pub fn at(property: &str, message: impl Into<String>) -> Self {
        let mut problems = Problems::new();
        problems.at(property).add(message);
        problems.into()
    }
}

impl From<Problems> for Error {
    fn from(problems: Problems) -> Self {
        Self::Invalid { problems, status: None }
    }
}
