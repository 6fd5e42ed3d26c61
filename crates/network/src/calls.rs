//! Call ingestion: resolves the campaign, fills in the facts, decides, settles and stores each
//! call.

use crate::batch_lookups::BatchLookups;
use crate::budgets::{AdmissionRequest, BudgetStatus};
use crate::call_ids::find_by_external_id;
use crate::call_parties::{CallAddress, CallParties};
use crate::idempotency::{IdempotencyKey, store_answer, stored_answer};
use crate::live_call_ends::end_with_report;
use crate::pending_writes::PendingWrites;
use crate::repeat_callers::{RepeatLookup, resolve_repeat};
use crate::settlement::{SettlementContext, post_settlement};
use crate::{Context, Error, Submission, UnitOfWork, budgets, recordings, unknown_area_codes};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::rc::Rc;
use std::sync::Arc;
use trunkline_domain::call::{
    Call, CallDirection, CallFacts, MeasuredDurations, RecordedFacts, RejectionReason, Transaction,
};
use trunkline_domain::campaign::{CurrentTerms, Terms};
use trunkline_domain::id::{CallId, CampaignId};
use trunkline_domain::party::{PartyKind, check_custom_data};
use trunkline_domain::phone::PhoneNumber;
use trunkline_domain::problem::{BLANK, Problems};
use trunkline_store::{CounterScope, StoredReport};

/// Call as it was submitted, before it is decided.
#[derive(Debug, Clone, Default, Serialize)]
pub struct SubmittedCall {
    /// Sender's id of the call (`external_call_unique_id`).
    pub external_id: Option<String>,
    /// Start of the call.
    pub start_time: Option<Timestamp>,
    /// External id of the campaign.
    pub campaign: Option<String>,
    /// External id of the affiliate that is credited with the call.
    pub affiliate: Option<String>,
    /// Promo number that the caller dialled.
    pub promo_number: Option<PhoneNumber>,
    /// Reported facts.
    pub facts: CallFacts,
    /// Keys that the caller pressed, in order.
    pub keys: Vec<char>,
    /// Answers to NumberQuestions, in order; only of simulated calls.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub digits: Vec<String>,
    /// Number of the destination that the call was connected to.
    pub destination_phone_number: Option<String>,
    /// Direction. Left out of the fingerprint if it is inbound, as in fingerprints of calls that were
    /// stored before directions were.
    #[serde(skip_serializing_if = "CallDirection::is_inbound")]
    pub direction: CallDirection,
    /// URL of the call's recording, as reported. A report is the same with another one.
    #[serde(skip)]
    pub recording_url: Option<String>,
    /// Bytes that distinguish this call from another one with the same external id: see
    /// [`SubmittedCall::canonical_bytes`]. Only their SHA-256 is stored.
    #[serde(skip)]
    pub fingerprint_input: Vec<u8>,
}

impl SubmittedCall {
    /// Returns the campaign, affiliate and promo number that the call names.
    pub(crate) fn address(&self) -> CallAddress<'_> {
        CallAddress {
            campaign: self.campaign.as_deref(),
            affiliate: self.affiliate.as_deref(),
            promo_number: self.promo_number.as_ref(),
        }
    }

    /// Returns a canonical serialization. It is the same for requests that differ only in the order
    /// of properties, in numbers written as texts, or in the time zone of a timestamp.
    pub fn canonical_bytes(&self) -> Vec<u8> {
        let mut canonical = self.clone();
        if let Some(data) = &mut canonical.facts.custom_data {
            data.sort_keys();
        }
        serde_json::to_vec(&canonical).unwrap_or_default()
    }
}

impl SubmittedCall {
    /// Returns the recorded facts of the call, if it is admitted.
    fn record(&self, facts: CallFacts, by_affiliate: bool) -> RecordedFacts {
        RecordedFacts {
            facts,
            keys: self.keys.clone(),
            digits: self.digits.clone(),
            events: Vec::new(),
            rejection: None,
            by_affiliate,
            destination_phone_number: self.destination_phone_number.clone(),
            is_reported: true,
            direction: self.direction,
            end: None,
        }
    }
}

/// Outcome of ingesting a call. Serialized answers are stored for idempotency keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IngestOutcome {
    /// Status and `complete_call_id`.
    #[serde(flatten)]
    pub status: IngestStatus,
    /// Reason for turning the call away; `None` if it was admitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejection: Option<RejectionReason>,
}

/// Status of an ingested call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum IngestStatus {
    /// The call was stored. Holds its `complete_call_id`.
    #[serde(rename = "New")]
    Created(String),
    /// The same call was stored before; nothing was written. Holds its `complete_call_id`.
    #[serde(rename = "Known")]
    Duplicate(String),
}

/// Submitted call with its id and fingerprint.
#[derive(Debug, Clone)]
pub struct ReportedCall {
    submitted: Arc<Submission<SubmittedCall>>,
    /// `complete_call_id` that the call gets if it is new.
    complete_call_id: String,
    /// SHA-256 of [`SubmittedCall::fingerprint_input`].
    pub(crate) fingerprint: [u8; 32],
}

impl ReportedCall {
    /// Creates a reported call. `complete_call_id` is assigned to the call if it is new.
    pub fn new(submitted: Submission<SubmittedCall>, complete_call_id: String) -> Self {
        let fingerprint = Sha256::digest(&submitted.change.fingerprint_input).into();
        Self { submitted: Arc::new(submitted), complete_call_id, fingerprint }
    }

    /// Returns the submitted call.
    pub(crate) fn call(&self) -> &SubmittedCall {
        &self.submitted.change
    }
}

/// Ingests one call. A request with the same idempotency key within 24 hours gets the first answer
/// again.
pub fn ingest_call(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    reported: ReportedCall,
    key: Option<&IdempotencyKey>,
) -> Result<IngestOutcome, Error> {
    if let Some(answer) = stored_answer(unit, context, key)? {
        return Ok(answer);
    }
    let outcome = ingest_calls(unit, context, std::slice::from_ref(&reported))?.pop();
    let missing = || Error::Internal("ingesting a call returned no outcome".to_owned());
    let outcome = outcome.ok_or_else(missing)??;
    store_answer(unit, context, key, &outcome)?;
    Ok(outcome)
}

/// Ingests calls in the order of their starts, those of the same start in the given order, so that the
/// order of a file's lines decides neither who is a repeat caller nor which call a cap admits. The
/// results are in the given order. A rejected request writes nothing.
///
/// # Errors
///
/// If storage fails. Then no call is ingested.
pub fn ingest_calls(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    calls: &[ReportedCall],
) -> Result<Vec<Result<IngestOutcome, Error>>, Error> {
    let (results, _) = ingest_and_settle(unit, context, calls)?;
    Ok(results.into_iter().map(|result| result.map(|(outcome, _)| outcome)).collect())
}

/// Outcome of a call and, if the call is new, the index of its ledger row.
pub(crate) type IngestResult = Result<(IngestOutcome, Option<usize>), Error>;

/// Ingests calls as [`ingest_calls`] does, and also returns the ledger rows of the new calls.
pub(crate) fn ingest_and_settle(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    calls: &[ReportedCall],
) -> Result<(Vec<IngestResult>, Vec<Transaction>), Error> {
    let starts = || calls.iter().filter_map(|reported| reported.call().start_time);
    let first = starts().min().unwrap_or_default();
    let last = starts().max().unwrap_or_default();
    let mut lookups = BatchLookups::for_calls_between(first, last);
    let mut writes = PendingWrites::for_calls_between(first, last);
    lookups.prefetch(unit, context, calls)?;
    let mut results = Vec::with_capacity(calls.len());
    for (index, reported) in in_order_of_start(calls) {
        match ingest_one(unit, context, &mut lookups, &mut writes, reported) {
            Err(error) if !error.is_refusal() => return Err(error),
            result => results.push((index, result)),
        }
    }
    results.sort_by_key(|(index, _)| *index);
    let results: Vec<IngestResult> = results.into_iter().map(|(_, result)| result).collect();
    let rows = writes.write(unit, context)?;
    for (reported, result) in calls.iter().zip(&results) {
        if let (Some(url), Ok((outcome, row))) = (&reported.call().recording_url, result) {
            let row = row.and_then(|row| rows.get(row));
            store_recording_url(unit, context, outcome, row.map(|row| row.call_id), url)?;
        }
    }
    Ok((results, rows))
}

/// Stores the URL of the recording of a call, which may have been stored before.
fn store_recording_url(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    outcome: &IngestOutcome,
    new_call: Option<CallId>,
    url: &str,
) -> Result<(), Error> {
    let (IngestStatus::Created(id) | IngestStatus::Duplicate(id)) = &outcome.status;
    let call = match new_call {
        Some(call) => Some(call),
        None => unit.call_id(context.principal.network_id, id)?,
    };
    match call {
        Some(call) => recordings::store_url(unit, context, call, url),
        None => Ok(()),
    }
}

/// Returns the calls of a batch in the order in which they are decided, each with its index.
pub fn in_order_of_start(calls: &[ReportedCall]) -> Vec<(usize, &ReportedCall)> {
    let mut by_start: Vec<(usize, &ReportedCall)> = calls.iter().enumerate().collect();
    by_start.sort_by_key(|(_, reported)| reported.call().start_time);
    by_start
}

/// Ingests one call of a batch. All checks run before the first write is buffered, so a rejected
/// request buffers nothing.
fn ingest_one(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    lookups: &mut BatchLookups,
    writes: &mut PendingWrites,
    reported: &ReportedCall,
) -> IngestResult {
    let submitted = reported.call();
    let mut problems = reported.submitted.problems.clone();
    check_required(submitted, &mut problems);
    let (external_id, start_time) = match (&submitted.external_id, submitted.start_time) {
        (Some(id), Some(start)) => (id, start),
        _ => return Err(problems.into()),
    };
    let submission = (external_id.as_str(), start_time, problems);
    let parties = match find_report(unit, context, lookups, reported, submission)? {
        FoundReport::Known(outcome) => return Ok((outcome, None)),
        FoundReport::New(parties) => parties,
    };
    let advertiser = parties.campaign.advertiser_id;
    let terms = lookups.terms_at(unit, parties.campaign.id, end_of_second(start_time))?;
    let terms = terms.as_deref();
    let in_force = terms.map(|current| &current.terms);
    let mut facts = CallFacts { start_time: Some(start_time), ..submitted.facts.clone() };
    facts.repeat_is_reported = facts.repeat.is_some();
    let campaign = parties.campaign.id;
    facts.repeat = Some(is_repeat_caller(unit, lookups, campaign, in_force, &facts, start_time)?);
    let facts = parties.fill_in_facts(facts);
    unknown_area_codes::count_call(&facts);
    let ended_at = Some(end_time(&facts, start_time, context.now));
    let mut recorded = submitted.record(facts, parties.affiliate.is_some());
    let request = AdmissionRequest::Reported(&recorded);
    let rejection = check_admission(unit, writes, &parties, terms, start_time, request)?;
    let reason = rejection.as_ref().map(|rejection| rejection.reason);
    recorded.rejection = reason;
    let call = Rc::new(Call {
        id: CallId::UNASSIGNED,
        network_id: context.principal.network_id,
        campaign_id: campaign,
        affiliate_id: parties.affiliate_id(),
        promo_number_id: parties.promo_number.as_ref().map(|held| held.promo_number_id),
        external_id: external_id.clone(),
        complete_call_id: reported.complete_call_id.clone(),
        terms_id: terms.map(|current| current.id),
        start_time,
        recorded,
        created_at: context.now,
        ended_at,
    });
    lookups.note_pending(advertiser, &call, reported);
    let index = writes.push_call(Rc::clone(&call), &reported.fingerprint);
    if let Some(rejection) = rejection {
        let exhausted = &rejection.exhausted;
        budgets::push_rejection_alerts(unit, context, writes, &parties.campaign, exhausted)?;
    }
    count_toward_call_budgets(unit, context, writes, &parties, in_force, &call)?;
    let affiliate = parties.affiliate.as_ref().map(|affiliate| affiliate.external_id.as_str());
    let settlement_context =
        SettlementContext { campaign: &parties.campaign, terms: in_force, affiliate };
    let row = post_settlement(unit, context, writes, &settlement_context, &call, Some(index))?;
    let status = IngestStatus::Created(reported.complete_call_id.clone());
    Ok((IngestOutcome { status, rejection: reason }, Some(row)))
}

/// Stored report, or the parties of a new call.
enum FoundReport {
    Known(IngestOutcome),
    New(Rc<CallParties>),
}

/// Looks a reported call up, after the permission of the principal. A report of another call under a used
/// id is an error.
fn find_report(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    lookups: &mut BatchLookups,
    reported: &ReportedCall,
    (external_id, start_time, mut problems): (&str, Timestamp, Problems),
) -> Result<FoundReport, Error> {
    let submitted = reported.call();
    if !problems.is_empty() {
        check_custom_data_values(unit, context, lookups, submitted, &mut problems)?;
        return Err(problems.into());
    }
    let parties = resolve_parties(unit, context, lookups, submitted, start_time)?;
    let advertiser = parties.campaign.advertiser_id;
    let stored = lookups.known_call(unit, context, advertiser, external_id)?;
    let is_same = |stored: &&StoredReport| stored.fingerprint == reported.fingerprint;
    if let Some(known) = stored.as_ref().filter(|stored| stored.fingerprint.is_empty()) {
        let record = find_by_external_id(unit, context, &parties.campaign, external_id)?;
        if let Some(record) = record {
            let facts = &submitted.facts;
            let measured = MeasuredDurations {
                duration: facts.duration,
                connect_duration: facts.connect_duration,
            };
            let destination = submitted.destination_phone_number.as_deref();
            end_with_report(unit, context, record, (measured, destination))?;
        }
        let status = IngestStatus::Duplicate(known.complete_call_id.clone());
        return Ok(FoundReport::Known(IngestOutcome { status, rejection: known.rejection }));
    }
    if let Some(known) = stored.as_ref().filter(is_same) {
        let status = IngestStatus::Duplicate(known.complete_call_id.clone());
        return Ok(FoundReport::Known(IngestOutcome { status, rejection: known.rejection }));
    }
    check_custom_data_values(unit, context, lookups, submitted, &mut problems)?;
    parties.check_promo_number(problems.property("call"));
    problems.into_result(())?;
    if stored.is_some() {
        let message = format!("external_call_unique_id {external_id} was used for another call");
        return Err(Error::Conflict(message));
    }
    Ok(FoundReport::New(parties))
}

/// Resolves the parties of a call, and checks that the principal may report it.
fn resolve_parties(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    lookups: &mut BatchLookups,
    submitted: &SubmittedCall,
    start: Timestamp,
) -> Result<Rc<CallParties>, Error> {
    let parties = lookups.parties(unit, context, submitted.address(), start)?;
    context
        .principal
        .ensure_can_write_party(PartyKind::Advertiser, parties.campaign.advertiser_id)?;
    Ok(parties)
}

/// Returns the end of a completed call. If its duration is unknown, the end is the time of the
/// report.
fn end_time(facts: &CallFacts, start: Timestamp, reported_at: Timestamp) -> Timestamp {
    let duration = facts.duration.map(|seconds| SignedDuration::from_secs(seconds.into()));
    duration.and_then(|duration| start.checked_add(duration).ok()).unwrap_or(reported_at)
}

/// Adds a call to the call-count budgets of its campaign, unless it was rejected. The call is
/// stored or in `writes` already.
pub(crate) fn count_toward_call_budgets(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    writes: &mut PendingWrites,
    parties: &CallParties,
    terms: Option<&Terms>,
    call: &Call,
) -> Result<(), Error> {
    let Some(terms) = terms.filter(|_| call.recorded.rejection.is_none()) else { return Ok(()) };
    let campaign = &parties.campaign;
    let start = call.start_time;
    let changes = [(CounterScope::Calls, 1)];
    budgets::add_to_budgets(unit, context, writes, campaign, terms, start, &changes)
}

/// Returns the last millisecond of the second that contains `time`. Times are reported with a
/// resolution of one second, so a change that was stored within the same second applies.
pub(crate) fn end_of_second(time: Timestamp) -> Timestamp {
    let second = Timestamp::from_second(time.as_second()).unwrap_or(time);
    second.saturating_add(SignedDuration::from_millis(999)).unwrap_or(Timestamp::MAX)
}

/// Tests if a caller has called a campaign before: as reported, else looked up within the number of
/// days that the terms look back. `Some(false)` for a caller who is not known and for a number that
/// several callers share.
pub(crate) fn is_repeat_caller(
    unit: &mut UnitOfWork<'_>,
    lookups: &BatchLookups,
    campaign: CampaignId,
    terms: Option<&Terms>,
    facts: &CallFacts,
    at: Timestamp,
) -> Result<bool, Error> {
    match resolve_repeat(campaign, terms, facts, at) {
        RepeatLookup::Known(repeat) => Ok(repeat),
        RepeatLookup::Query(query) => lookups.has_called(unit, query),
    }
}

fn check_required(submitted: &SubmittedCall, problems: &mut Problems) {
    let problems = problems.property("call");
    let required = [
        ("external_call_unique_id", submitted.external_id.is_none()),
        ("start_time", submitted.start_time.is_none()),
        ("advertiser_campaign_id_from_network", submitted.campaign.is_none()),
    ];
    for (property, is_missing) in required {
        if is_missing && !problems.has_problem(property) {
            problems.property(property).add(BLANK);
        }
    }
}

/// Checks a call's custom data. Each problem is reported at the index of its value in the request's
/// array.
fn check_custom_data_values(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    lookups: &mut BatchLookups,
    submitted: &SubmittedCall,
    problems: &mut Problems,
) -> Result<(), Error> {
    let Some(data) = &submitted.facts.custom_data else { return Ok(()) };
    let fields = lookups.custom_data_fields(unit, context)?;
    let mut by_name = check_custom_data(data, None, &fields);
    for (index, name) in data.keys().enumerate() {
        if by_name.has_problem(name) {
            let at_index = problems.property("custom_data").item(index).property("name");
            at_index.merge(std::mem::take(by_name.property(name)));
        }
    }
    Ok(())
}

/// Reason for turning a call away, with the budgets that have no room for it.
pub(crate) struct Rejection {
    pub(crate) reason: RejectionReason,
    pub(crate) exhausted: Vec<BudgetStatus>,
}

impl From<RejectionReason> for Rejection {
    fn from(reason: RejectionReason) -> Self {
        Self { reason, exhausted: Vec::new() }
    }
}

/// Decides if a call is admitted, by the state at its start: the terms, the statuses of the
/// campaign and of its parties, and the enforced budgets. Returns the reason for turning the call
/// away, if there is one.
pub(crate) fn check_admission(
    unit: &mut UnitOfWork<'_>,
    writes: &mut PendingWrites,
    parties: &CallParties,
    terms: Option<&CurrentTerms>,
    start_time: Timestamp,
    request: AdmissionRequest<'_>,
) -> Result<Option<Rejection>, Error> {
    let Some(terms) = terms.map(|current| &current.terms) else {
        return Ok(Some(RejectionReason::NotLive.into()));
    };
    let campaign = parties.campaign.id;
    let expired = terms.pause_date.is_some_and(|pause| pause <= start_time);
    if !parties.is_activated || expired {
        return Ok(Some(RejectionReason::NotLive.into()));
    }
    if let Some(reason) = parties.rejection {
        return Ok(Some(reason.into()));
    }
    if let AdmissionRequest::Reported(recorded) = request
        && !recorded.direction.is_inbound()
    {
        return Ok(Some(RejectionReason::NotInbound.into()));
    }
    let exhausted = budgets::exhausted_budgets(unit, writes, campaign, terms, start_time, request)?;
    let reason = RejectionReason::OverCap;
    Ok((!exhausted.is_empty()).then_some(Rejection { reason, exhausted }))
}
