//! Ids of requests.

/// Ids of a request. Clients choose theirs freely, so the audit log keeps a random one beside it.
#[derive(Debug, Clone)]
pub struct RequestId {
    /// The client's `X-Request-Id`, else [`RequestId::own`]: the id in the response.
    pub echoed: String,
    /// Random id of this server.
    pub own: String,
}

impl RequestId {
    /// Returns the id for the audit log: the echoed one, and after a space the own one if they differ.
    pub(crate) fn for_audit_log(&self) -> String {
        let Self { echoed, own } = self;
        if echoed == own { own.clone() } else { format!("{echoed} {own}") }
    }

    /// Parses an id of the audit log: see [`RequestId::for_audit_log`].
    pub(crate) fn from_audit_log(id: &str) -> Self {
        let (echoed, own) = id.split_once(' ').unwrap_or((id, id));
        Self { echoed: echoed.to_owned(), own: own.to_owned() }
    }
}
