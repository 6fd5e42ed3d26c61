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
}

/// Splits an id of the audit log into the echoed and the own one.
pub(crate) fn split_audit_id(id: &str) -> (&str, &str) {
    id.split_once(' ').unwrap_or((id, id))
}
