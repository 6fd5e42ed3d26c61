//! Recordings of calls: who may hear them, the links to them, and their deletion.

use crate::events::{self, EventAudience};
use crate::{Actor, Context, Error, InternalIdUse, Page, Principal, UnitOfWork, Warnings, audit};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use trunkline_domain::event::{RECORDING_AVAILABLE, RECORDING_DELETED};
use trunkline_domain::id::{AdvertiserId, AffiliateId, CallId, NetworkId};
use trunkline_domain::party::{Network, PartyKind};
use trunkline_store::{LedgerFilter, LedgerScope, Recording, RecordingState, StoredSound};

/// Attempts to fetch a recording before it is given up.
const MAX_ATTEMPTS: u32 = 6;
/// Delay between the first attempt to fetch a recording and the second. Each later one is four times as long.
const FIRST_RETRY_DELAY: SignedDuration = SignedDuration::from_secs(30);
/// Recordings that expire in one unit of work.
const EXPIRY_BATCH: u32 = 100;
/// Ledger rows of one call that are read to find its parties.
const MAX_LEDGER_ROWS: u32 = 200;

/// Parties of a call by its newest ledger row.
#[derive(Debug, Clone, Copy)]
struct CallOwners {
    advertiser: AdvertiserId,
    affiliate: Option<AffiliateId>,
}

impl CallOwners {
    /// Returns the parties that may play the recording and receive its events.
    fn audience(self, network: &Network) -> EventAudience {
        let affiliate = self.affiliate.filter(|_| network.settings.affiliates_hear_recordings);
        EventAudience { advertiser: Some(self.advertiser), affiliate }
    }
}

/// Stores the URL of a call's recording, to be fetched. A recording that was deleted stays deleted.
pub(crate) fn store_url(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    call_id: CallId,
    url: &str,
) -> Result<(), Error> {
    let network_id = context.principal.network_id;
    let stored = unit.recording(call_id)?;
    if stored.is_some_and(|stored| stored.url == url || stored.state == RecordingState::Deleted) {
        return Ok(());
    }
    let missing = || Error::Internal(format!("the call {call_id} of a recording is not stored"));
    let call = unit.call_by_id(network_id, call_id)?.ok_or_else(missing)?;
    let recording = Recording {
        call_id,
        network_id,
        complete_call_id: call.complete_call_id,
        start_time: call.start_time,
        url: url.to_owned(),
        state: RecordingState::Waiting,
        attempts: 0,
        due_at: Some(context.system_now),
        sound: None,
    };
    Ok(unit.upsert_recording(&recording)?)
}

/// Returns the parties of a call: those of its newest ledger row, else of the call.
fn find_owners(
    unit: &mut UnitOfWork<'_>,
    network: NetworkId,
    call_id: CallId,
    complete_call_id: &str,
) -> Result<Option<CallOwners>, Error> {
    let complete_call_id = Some(complete_call_id.to_owned());
    let filter = LedgerFilter { complete_call_id, ..LedgerFilter::for_scope(LedgerScope::Network) };
    let rows = unit.ledger(network, &filter, Page::new(0, MAX_LEDGER_ROWS))?;
    if let Some(row) = rows.last() {
        let advertiser = row.transaction.advertiser_id;
        return Ok(Some(CallOwners { advertiser, affiliate: row.transaction.affiliate_id }));
    }
    let record = unit.call_record(network, call_id)?;
    Ok(record.map(|record| CallOwners {
        advertiser: record.advertiser_id,
        affiliate: record.call.affiliate_id,
    }))
}

/// Call that the principal may hear, with its recording.
struct AudibleCall {
    call_id: CallId,
    owners: CallOwners,
    recording: Option<Recording>,
}

fn not_found(id: &str) -> Error {
    Error::NotFound(format!("Recording of call {id}"))
}

/// Finds a call by its `complete_call_id`, else by its id, if the principal may hear it: the network, the
/// call's advertiser, and its affiliate where the network's settings allow it.
fn find_audible(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    id: &str,
) -> Result<AudibleCall, Error> {
    let network = context.principal.network_id;
    let call_id = match unit.call_id(network, id)? {
        Some(found) => found,
        None => id.parse().map_err(|_| not_found(id))?,
    };
    let call = unit.call_by_id(network, call_id)?.ok_or_else(|| not_found(id))?;
    let owners = find_owners(unit, network, call_id, &call.complete_call_id)?;
    let owners = owners.ok_or_else(|| not_found(id))?;
    let settings = crate::networks::of_principal(unit, context)?.settings;
    let principal = &context.principal;
    let affiliate = owners.affiliate.filter(|_| settings.affiliates_hear_recordings);
    let may_hear = principal.can_view(PartyKind::Advertiser, owners.advertiser)
        || affiliate.is_some_and(|affiliate| principal.can_view(PartyKind::Affiliate, affiliate));
    if !may_hear {
        return Err(not_found(id));
    }
    Ok(AudibleCall { call_id, owners, recording: unit.recording(call_id)? })
}

/// Returns a kept recording.
///
/// # Errors
///
/// [`Error::NotFound`] if there is none, [`Error::Gone`] if it was deleted.
fn require_available(recording: Option<Recording>, id: &str) -> Result<Recording, Error> {
    let recording = recording.ok_or_else(|| not_found(id))?;
    match recording.state {
        RecordingState::Available => Ok(recording),
        RecordingState::Deleted => {
            Err(Error::Gone(format!("the recording of call {id} was deleted")))
        }
        RecordingState::Waiting | RecordingState::Failed => Err(not_found(id)),
    }
}

/// Returns the recording of a call.
///
/// # Errors
///
/// [`Error::NotFound`] if there is none that the principal may hear, [`Error::Gone`] if it was deleted.
pub fn get(unit: &mut UnitOfWork<'_>, context: &Context, id: &str) -> Result<Recording, Error> {
    let found = find_audible(unit, context, id)?;
    require_available(found.recording, id)
}

/// Returns the data that a link to a recording signs: its key in hexadecimal digits, and the
/// `complete_call_id`. The first link of a network makes the key from `random`.
///
/// # Errors
///
/// Those of [`get`], and [`Error::NotAllowed`] for a principal that may only read.
pub fn prepare_link(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    id: &str,
    random: &[u8],
) -> Result<(String, String), Error> {
    let found = find_audible(unit, context, id)?;
    let principal = &context.principal;
    let by_advertiser =
        principal.ensure_can_write_party(PartyKind::Advertiser, found.owners.advertiser);
    match found.owners.affiliate {
        Some(affiliate) if !principal.can_view(PartyKind::Advertiser, found.owners.advertiser) => {
            principal.ensure_can_write_party(PartyKind::Affiliate, affiliate)?;
        }
        _ => by_advertiser?,
    }
    let recording = require_available(found.recording, id)?;
    let key = match unit.recording_link_key(principal.network_id)? {
        Some(key) => key,
        None => {
            let key: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
            unit.insert_recording_link_key(principal.network_id, &key)?;
            key
        }
    };
    Ok((key, recording.complete_call_id))
}

/// Returns the key that signs the links of a network; `None` before the first link.
pub fn link_key(unit: &mut UnitOfWork<'_>, network: NetworkId) -> Result<Option<String>, Error> {
    Ok(unit.recording_link_key(network)?)
}

/// Returns the recording of a call by its `complete_call_id`. The link to it has been verified.
///
/// # Errors
///
/// As [`get`].
pub fn get_by_link(
    unit: &mut UnitOfWork<'_>,
    network: NetworkId,
    complete_call_id: &str,
) -> Result<Recording, Error> {
    let call_id = unit.call_id(network, complete_call_id)?;
    let call_id = call_id.ok_or_else(|| not_found(complete_call_id))?;
    require_available(unit.recording(call_id)?, complete_call_id)
}

/// Deletes the recording of a call; does nothing if there is none. Its URL is not fetched again.
pub fn delete(unit: &mut UnitOfWork<'_>, context: &Context, id: &str) -> Result<(), Error> {
    let found = find_audible(unit, context, id)?;
    context.principal.ensure_can_administer_network()?;
    let Some(recording) = found.recording else { return Ok(()) };
    if recording.state == RecordingState::Deleted {
        return Ok(());
    }
    let object = format!("recording:{}", recording.complete_call_id);
    let before = json!({"state": "kept", "call_id": found.call_id});
    audit::record(unit, context, object, Some("delete"), Some(&before), None)?;
    let network = crate::networks::of_principal(unit, context)?;
    mark_deleted(unit, context, recording, found.owners.audience(&network))
}

/// Stores a recording as deleted. The server that polls next deletes the file.
fn mark_deleted(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    recording: Recording,
    audience: EventAudience,
) -> Result<(), Error> {
    let was_available = recording.state == RecordingState::Available;
    let data = event_data(&recording);
    unit.upsert_recording(&Recording {
        state: RecordingState::Deleted,
        due_at: Some(context.system_now),
        sound: None,
        ..recording
    })?;
    if was_available {
        events::emit(unit, context, RECORDING_DELETED, audience, data)?;
    }
    Ok(())
}

fn event_data(recording: &Recording) -> serde_json::Value {
    let sound = recording.sound.as_ref();
    json!({
        "complete_call_id": recording.complete_call_id,
        "seconds": sound.and_then(|sound| sound.seconds),
        "bytes": sound.map(|sound| sound.bytes),
    })
}

/// Leases recordings that are due, so that no other server handles them until `lease` has passed.
pub fn lease_due(
    unit: &mut UnitOfWork<'_>,
    now: Timestamp,
    lease: SignedDuration,
    limit: u32,
) -> Result<Vec<Recording>, Error> {
    let due = unit.due_recordings(now, limit)?;
    for recording in &due {
        let due_at = Some(now.saturating_add(lease).unwrap_or(Timestamp::MAX));
        unit.upsert_recording(&Recording { due_at, ..recording.clone() })?;
    }
    Ok(due)
}

/// Returns true if a recording is due.
pub fn has_due(unit: &mut UnitOfWork<'_>, now: Timestamp) -> Result<bool, Error> {
    Ok(!unit.due_recordings(now, 1)?.is_empty())
}

/// Stores the sound that was fetched for a leased recording, and emits its event. Returns false if the
/// recording was changed or deleted meanwhile, or if its time has passed: then the file is not kept.
pub fn store_sound(
    unit: &mut UnitOfWork<'_>,
    leased: &Recording,
    sound: StoredSound,
    now: Timestamp,
) -> Result<bool, Error> {
    let Some(stored) = unit.recording(leased.call_id)? else { return Ok(false) };
    if stored.state != RecordingState::Waiting || stored.url != leased.url {
        return Ok(false);
    }
    let Some(network) = unit.network(stored.network_id)? else { return Ok(false) };
    let expired = stored.start_time <= expiry(&network, now);
    let context = server_context(&network, now);
    let state = if expired { RecordingState::Deleted } else { RecordingState::Available };
    let sound = Some(sound).filter(|_| !expired);
    let recording = Recording { state, due_at: None, sound, ..stored };
    unit.upsert_recording(&recording)?;
    if expired {
        return Ok(false);
    }
    let id = &recording.complete_call_id;
    if let Some(owners) = find_owners(unit, network.id, recording.call_id, id)? {
        let data = event_data(&recording);
        events::emit(unit, &context, RECORDING_AVAILABLE, owners.audience(&network), data)?;
    }
    Ok(true)
}

/// Stores a failed attempt to fetch a leased recording. `is_final` gives it up at once.
pub fn store_failure(
    unit: &mut UnitOfWork<'_>,
    leased: &Recording,
    is_final: bool,
    now: Timestamp,
) -> Result<(), Error> {
    let Some(stored) = unit.recording(leased.call_id)? else { return Ok(()) };
    if stored.state != RecordingState::Waiting || stored.url != leased.url {
        return Ok(());
    }
    let attempts = stored.attempts.saturating_add(1);
    let delay = FIRST_RETRY_DELAY.saturating_mul(4_i32.saturating_pow(stored.attempts));
    let failed = is_final || attempts >= MAX_ATTEMPTS;
    let state = if failed { RecordingState::Failed } else { RecordingState::Waiting };
    let due_at = (!failed).then(|| now.saturating_add(delay).unwrap_or(Timestamp::MAX));
    Ok(unit.upsert_recording(&Recording { state, attempts, due_at, ..stored })?)
}

/// Records that the file of a deleted recording is gone.
pub fn finish_deletion(unit: &mut UnitOfWork<'_>, leased: &Recording) -> Result<(), Error> {
    let stored = unit.recording(leased.call_id)?;
    match stored.filter(|stored| stored.state == RecordingState::Deleted) {
        Some(stored) => Ok(unit.upsert_recording(&Recording { due_at: None, ..stored })?),
        None => Ok(()),
    }
}

/// Deletes recordings whose days have passed. Returns true if there may be more.
pub fn expire(unit: &mut UnitOfWork<'_>, now: Timestamp) -> Result<bool, Error> {
    let mut has_more = false;
    for network in unit.networks()? {
        let found = unit.recordings_before(network.id, expiry(&network, now), EXPIRY_BATCH)?;
        has_more |= found.len() == EXPIRY_BATCH as usize;
        let context = server_context(&network, now);
        for recording in found {
            let id = recording.call_id;
            let owners = find_owners(unit, network.id, id, &recording.complete_call_id)?;
            let missing = || Error::Internal(format!("the call {id} of a recording is gone"));
            let audience = owners.ok_or_else(missing)?.audience(&network);
            mark_deleted(unit, &context, recording, audience)?;
        }
    }
    Ok(has_more)
}

/// Returns true if a recording's days have passed.
pub fn has_expired(unit: &mut UnitOfWork<'_>, now: Timestamp) -> Result<bool, Error> {
    for network in unit.networks()? {
        if !unit.recordings_before(network.id, expiry(&network, now), 1)?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Returns the start of the calls whose recordings are no longer kept, by the network's clock.
fn expiry(network: &Network, now: Timestamp) -> Timestamp {
    let days = i64::from(network.settings.recording_days);
    let kept = SignedDuration::from_hours(24 * days);
    network.now(now).saturating_sub(kept).unwrap_or(Timestamp::MIN)
}

fn server_context(network: &Network, now: Timestamp) -> Context {
    Context {
        principal: Principal {
            network_id: network.id,
            actor: Actor::CommandLine,
            grants: Vec::new(),
        },
        now: network.now(now),
        system_now: now,
        request_id: "recordings".to_owned(),
        warnings: Warnings::default(),
        internal_id_use: InternalIdUse::default(),
    }
}
