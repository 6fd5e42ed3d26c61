//! What happens in a network, told to those who listen: written in the unit of work that made it
//! happen, so that nothing is told that did not happen, and nothing that did is left out.

use crate::{Context, Error, Session};
use serde_json::Value;
use trunkline_store::EventRecord;

/// Whose business an event is, besides the network's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Whose {
    /// The advertiser, ours.
    pub(crate) advertiser: Option<i64>,
    /// The affiliate, ours.
    pub(crate) affiliate: Option<i64>,
}

/// Writes an event. `data` is all that is told of it; what a party may not see is left out when it
/// is told.
pub(crate) fn emit(
    session: &mut Session<'_>,
    context: &Context,
    kind: &str,
    whose: Whose,
    data: Value,
) -> Result<(), Error> {
    session.insert_event(&EventRecord {
        id: 0,
        network_id: context.caller.network_id,
        at: context.now,
        kind: kind.to_owned(),
        advertiser_id: whose.advertiser,
        affiliate_id: whose.affiliate,
        data,
    })?;
    Ok(())
}
