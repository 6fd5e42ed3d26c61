//! What happens in a network, as those who listen know it.

/// A call came in and is under way.
pub const CALL_STARTED: &str = "call.started";
/// A call is over.
pub const CALL_ENDED: &str = "call.ended";
/// A call was priced.
pub const TRANSACTION_CREATED: &str = "transaction.created";
/// A transaction was replaced by another.
pub const TRANSACTION_CORRECTED: &str = "transaction.corrected";
/// A budget came to 75, 90 or 100 %.
pub const BUDGET_ALERT: &str = "budget.alert";
/// An affiliate campaign has another status, or is new.
pub const AFFILIATE_CAMPAIGN_STATUS_CHANGED: &str = "affiliate_campaign.status_changed";
/// A campaign has another status.
pub const CAMPAIGN_STATUS_CHANGED: &str = "campaign.status_changed";

/// Every type of event; what each tells is in `docs/events.md`.
pub const KINDS: [&str; 7] = [
    CALL_STARTED,
    CALL_ENDED,
    TRANSACTION_CREATED,
    TRANSACTION_CORRECTED,
    BUDGET_ALERT,
    AFFILIATE_CAMPAIGN_STATUS_CHANGED,
    CAMPAIGN_STATUS_CHANGED,
];
