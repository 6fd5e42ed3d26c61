//! Idempotency keys: a repeated request gets the first answer again.

use crate::{Context, Error, UnitOfWork};
use jiff::{SignedDuration, Timestamp};
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use trunkline_store::StoredAnswer;

/// Retention of an answer for its Idempotency-Key.
const ANSWER_RETENTION: SignedDuration = SignedDuration::from_hours(24);

/// Idempotency key of a request.
#[derive(Debug, Clone)]
pub struct IdempotencyKey {
    /// Value of the header.
    pub key: String,
    /// Path and body, to detect the use of the key for another request. Only their SHA-256 is
    /// stored.
    pub request: Vec<u8>,
}

fn oldest_retained(now: Timestamp) -> Timestamp {
    now.saturating_sub(ANSWER_RETENTION).unwrap_or(Timestamp::MIN)
}

/// Returns the stored answer for a key.
///
/// # Errors
///
/// [`Error::NotAllowed`] if the key was used for another request.
pub(crate) fn stored_answer<T: DeserializeOwned>(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    key: Option<&IdempotencyKey>,
) -> Result<Option<T>, Error> {
    let Some(key) = key else { return Ok(None) };
    let actor = context.principal.actor.to_string();
    let network = context.principal.network_id;
    let stored =
        unit.stored_answer(network, &actor, &key.key, oldest_retained(context.system_now))?;
    let Some(StoredAnswer { request_hash, answer }) = stored else { return Ok(None) };
    if request_hash != Sha256::digest(&key.request).as_slice() {
        let message = "this Idempotency-Key was used for another request";
        return Err(Error::NotAllowed(message.to_owned()));
    }
    let parsed = serde_json::from_value(answer);
    parsed
        .map(Some)
        .map_err(|error| Error::Internal(format!("cannot convert a stored answer: {error}")))
}

/// Stores an answer for its key.
pub(crate) fn store_answer<T: Serialize>(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    key: Option<&IdempotencyKey>,
    answer: &T,
) -> Result<(), Error> {
    let Some(key) = key else { return Ok(()) };
    let answer = serde_json::to_value(answer)
        .map_err(|error| Error::Internal(format!("cannot convert a stored answer: {error}")))?;
    unit.store_answer(
        context.principal.network_id,
        &context.principal.actor.to_string(),
        &key.key,
        &Sha256::digest(&key.request),
        &answer,
        context.system_now,
        oldest_retained(context.system_now),
    )?;
    Ok(())
}
