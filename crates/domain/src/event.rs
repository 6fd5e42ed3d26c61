//! Event types, as the event stream and webhooks name them.

/// A live call was started.
pub const CALL_STARTED: &str = "call.started";
/// A live call ended.
pub const CALL_ENDED: &str = "call.ended";
/// A call was settled: its first ledger row was written.
pub const TRANSACTION_CREATED: &str = "transaction.created";
/// A correction replaced a ledger row.
pub const TRANSACTION_CORRECTED: &str = "transaction.corrected";
/// A budget reached 75, 90 or 100 % of its amount.
pub const BUDGET_ALERT: &str = "budget.alert";
/// An affiliate campaign was created or its status changed.
pub const AFFILIATE_CAMPAIGN_STATUS_CHANGED: &str = "affiliate_campaign.status_changed";
/// The status of an advertiser campaign changed.
pub const CAMPAIGN_STATUS_CHANGED: &str = "campaign.status_changed";

/// The recording of a call was fetched.
pub const RECORDING_AVAILABLE: &str = "recording.available";
/// The recording of a call was deleted.
pub const RECORDING_DELETED: &str = "recording.deleted";

/// All event types. `docs/events.md` describes the payload of each.
pub const EVENT_TYPES: [&str; 9] = [
    CALL_STARTED,
    CALL_ENDED,
    TRANSACTION_CREATED,
    TRANSACTION_CORRECTED,
    BUDGET_ALERT,
    AFFILIATE_CAMPAIGN_STATUS_CHANGED,
    CAMPAIGN_STATUS_CHANGED,
    RECORDING_AVAILABLE,
    RECORDING_DELETED,
];
