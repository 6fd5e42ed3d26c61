//! Calls in progress: live calls with the names of their parties, and changes of them.

use crate::live_call_ends::terms_of;
use crate::transactions::find_party;
use crate::{Context, Error, Page, Submission, UnitOfWork};
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::Arc;
use trunkline_domain::call::{Decision, LiveCall};
use trunkline_domain::campaign::{Campaign, Terms};
use trunkline_domain::condition::{Term, TextFact};
use trunkline_domain::id::{AdvertiserId, AffiliateId, CallId, CampaignId, PartyId, TermsId};
use trunkline_domain::ivr::run::{Event, NodeState};
use trunkline_domain::ivr::{IvrNode, NodeKind};
use trunkline_domain::party::{CustomData, Party, PartyKind, check_custom_data};
use trunkline_domain::phone::PhoneNumber;
use trunkline_domain::problem::{BLANK, Problems};
use trunkline_store::{CallRecord, CallRowFilter, CallScope};

/// Maximum number of calls in an answer, the ones that were connected last.
pub const MAX_CALLS_IN_PROGRESS: usize = 4_000;
/// Number of ids and records that are read at a time.
const BATCH_CALLS: u32 = 200;

/// Organization whose calls are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallOrganization {
    /// The network.
    Network,
    /// An advertiser, by external id, else by id.
    Advertiser(String),
}

/// Calls to find.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallSelector {
    /// All.
    All,
    /// The call with a `complete_call_id`, which is its `transaction_id` until it is settled.
    CompleteCallId(String),
    /// Calls with an external id.
    ExternalId(String),
    /// Calls from a number to a destination.
    Numbers {
        /// Number of the caller.
        caller: PhoneNumber,
        /// Destination that rings or answered: a number in E.164 format, else a text.
        destination: String,
    },
}

/// Query of calls in progress.
#[derive(Debug, Clone)]
pub struct CallsInProgressQuery {
    /// Organization.
    pub organization: CallOrganization,
    /// Calls of it.
    pub selector: CallSelector,
    /// True if calls that are not connected to a destination are included.
    pub includes_unconnected: bool,
}

/// Call in progress with its parties.
#[derive(Debug, Clone)]
pub struct CallInProgress {
    /// Call with its ids.
    pub record: CallRecord,
    /// State of the call.
    pub live: LiveCall,
    /// Decision of the call as if the caller hung up now.
    pub decision: Decision,
    /// Campaign.
    pub campaign: Arc<Campaign>,
    /// Country of the campaign by the terms of the call's start.
    pub campaign_country: Option<String>,
    /// Advertiser, without users.
    pub advertiser: Arc<Party>,
    /// Affiliate, without users.
    pub affiliate: Option<Arc<Party>>,
    /// External id of the affiliate campaign.
    pub affiliate_campaign_external_id: Option<String>,
}

impl CallInProgress {
    /// Returns the external id that a client gave the call.
    pub fn external_id(&self) -> Option<&str> {
        let call = &self.record.call;
        let given_at_start = Some(&call.external_id).filter(|id| **id != call.complete_call_id);
        self.live.external_id.as_ref().or(given_at_start).map(String::as_str)
    }

    /// Returns the destination that rings or answered: a number in E.164 format, else a text.
    pub fn destination(&self) -> Option<String> {
        match self.live.position.state {
            NodeState::Dialling | NodeState::Connected => {
                self.decision.dialled_phone_number.as_deref().map(normalize_number)
            }
            _ => None,
        }
    }

    /// Returns true if caller and destination are connected.
    pub fn is_connected(&self) -> bool {
        self.live.position.state == NodeState::Connected
    }

    /// Time by which answers are ordered: the time of the connection, else the start.
    fn order_time(&self) -> Timestamp {
        self.live.connected_at.unwrap_or(self.record.call.start_time)
    }
}

/// Returns a number in E.164 format; a text that is no phone number as it is.
pub fn normalize_number(text: &str) -> String {
    PhoneNumber::parse(text).map_or_else(|| text.to_owned(), |number| number.e164().to_owned())
}

/// Change of a call in progress.
#[derive(Debug, Clone, Default)]
pub struct CallInProgressChange {
    /// New external id.
    pub external_id: Option<String>,
    /// Values of custom data fields, by partner name in the order of the request.
    pub custom_data: CustomData,
}

/// Objects that several calls have in common, each read once.
#[derive(Default)]
struct Parties {
    campaigns: HashMap<CampaignId, Arc<Campaign>>,
    parties: HashMap<PartyId, Arc<Party>>,
    terms: HashMap<TermsId, Arc<Terms>>,
    affiliate_campaigns: HashMap<(CampaignId, AffiliateId), Option<String>>,
}

impl Parties {
    fn campaign(
        &mut self,
        unit: &mut UnitOfWork<'_>,
        id: CampaignId,
    ) -> Result<Arc<Campaign>, Error> {
        if let Some(found) = self.campaigns.get(&id) {
            return Ok(Arc::clone(found));
        }
        let missing = || Error::Internal(format!("campaign {id} of a live call cannot be found"));
        let campaign = Arc::new(unit.campaign_by_id(id)?.ok_or_else(missing)?);
        self.campaigns.insert(id, Arc::clone(&campaign));
        Ok(campaign)
    }

    fn party(&mut self, unit: &mut UnitOfWork<'_>, id: PartyId) -> Result<Arc<Party>, Error> {
        if let Some(found) = self.parties.get(&id) {
            return Ok(Arc::clone(found));
        }
        let missing = || Error::Internal(format!("party {id} of a live call cannot be found"));
        let party = Arc::new(unit.party_by_id(id)?.ok_or_else(missing)?);
        self.parties.insert(id, Arc::clone(&party));
        Ok(party)
    }

    fn terms(
        &mut self,
        unit: &mut UnitOfWork<'_>,
        record: &CallRecord,
    ) -> Result<Arc<Terms>, Error> {
        if let Some(found) = record.call.terms_id.and_then(|id| self.terms.get(&id)) {
            return Ok(Arc::clone(found));
        }
        let terms = Arc::new(terms_of(unit, &record.call)?);
        if let Some(id) = record.call.terms_id {
            self.terms.insert(id, Arc::clone(&terms));
        }
        Ok(terms)
    }

    fn affiliate_campaign(
        &mut self,
        unit: &mut UnitOfWork<'_>,
        key: (CampaignId, AffiliateId),
    ) -> Result<Option<String>, Error> {
        if let Some(found) = self.affiliate_campaigns.get(&key) {
            return Ok(found.clone());
        }
        let found = unit.affiliate_campaign(key.0, key.1)?.map(|found| found.external_id);
        self.affiliate_campaigns.insert(key, found.clone());
        Ok(found)
    }

    /// Completes a call with its parties. `None` if it has ended.
    fn complete(
        &mut self,
        unit: &mut UnitOfWork<'_>,
        mut record: CallRecord,
    ) -> Result<Option<CallInProgress>, Error> {
        let Some(live) = record.live.take() else { return Ok(None) };
        let terms = self.terms(unit, &record)?;
        let mut recorded = record.call.recorded.clone();
        let mut ended = live.clone();
        ended.events.push(Event::HungUp);
        ended.finish_into(record.call.start_time, None, &mut recorded);
        let campaign = self.campaign(unit, record.call.campaign_id)?;
        let (affiliate, affiliate_campaign) = match record.call.affiliate_id {
            Some(id) => (
                Some(self.party(unit, id.into())?),
                self.affiliate_campaign(unit, (campaign.id, id))?,
            ),
            None => (None, None),
        };
        Ok(Some(CallInProgress {
            decision: recorded.decide(&terms),
            campaign_country: terms.campaign_country.clone(),
            advertiser: self.party(unit, campaign.advertiser_id.into())?,
            affiliate,
            affiliate_campaign_external_id: affiliate_campaign,
            campaign,
            live,
            record,
        }))
    }
}

/// Returns the advertiser whose calls are read; `None` for those of the network.
///
/// # Errors
///
/// [`Error::NotAllowed`] for affiliates, and for the network's calls without access to all of it.
fn resolve_organization(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    organization: &CallOrganization,
) -> Result<Option<AdvertiserId>, Error> {
    let principal = &context.principal;
    if !principal.can_view_network() && principal.advertiser_ids().is_empty() {
        let message = "only the network and advertisers see calls in progress";
        return Err(Error::NotAllowed(message.to_owned()));
    }
    match organization {
        CallOrganization::Network => principal.ensure_can_view_network().map(|()| None),
        CallOrganization::Advertiser(id) => {
            let party = find_party(unit, context, PartyKind::Advertiser, id)?;
            Ok(Some(party.id.as_advertiser()))
        }
    }
}

/// Returns the ids of live calls that may match, in order. A page of ids costs one statement.
fn find_ids(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    advertiser: Option<AdvertiserId>,
    selector: &CallSelector,
) -> Result<Vec<CallId>, Error> {
    let network = context.principal.network_id;
    if let CallSelector::CompleteCallId(id) | CallSelector::ExternalId(id) = selector
        && id.contains('\0')
    {
        // No id contains U+0000, and PostgreSQL rejects it in a text.
        return Ok(Vec::new());
    }
    let mut filter =
        CallRowFilter { live: Some(true), advertiser_id: advertiser, ..CallRowFilter::default() };
    match selector {
        CallSelector::All => {}
        CallSelector::CompleteCallId(id) => {
            return Ok(unit.call_id(network, id)?.into_iter().collect());
        }
        CallSelector::ExternalId(id) => return Ok(unit.live_calls_by_external_id(network, id)?),
        CallSelector::Numbers { caller, .. } => filter.caller = Some(caller.e164().to_owned()),
    }
    let scope = CallScope { network_id: Some(network), ..CallScope::default() };
    let mut ids: Vec<CallId> = Vec::new();
    loop {
        let after = ids.last().map_or(0, |id| id.get());
        let page = unit.call_ids(&scope, &filter, Page::new(after, BATCH_CALLS))?;
        let is_last = page.len() < BATCH_CALLS as usize;
        ids.extend(page);
        if is_last {
            return Ok(ids);
        }
    }
}

fn matches(query: &CallsInProgressQuery, call: &CallInProgress) -> bool {
    let is_selected = match &query.selector {
        CallSelector::All | CallSelector::CompleteCallId(_) => true,
        CallSelector::ExternalId(id) => call.external_id() == Some(id),
        CallSelector::Numbers { destination, .. } => {
            call.destination().as_ref() == Some(destination)
        }
    };
    is_selected && (query.includes_unconnected || call.is_connected())
}

/// Returns the calls in progress that match a query, the one that was connected last first; at most
/// [`MAX_CALLS_IN_PROGRESS`].
pub fn list(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    query: &CallsInProgressQuery,
) -> Result<Vec<CallInProgress>, Error> {
    let advertiser = resolve_organization(unit, context, &query.organization)?;
    let ids = find_ids(unit, context, advertiser, &query.selector)?;
    let mut parties = Parties::default();
    let mut calls: Vec<CallInProgress> = Vec::new();
    for batch in ids.chunks(BATCH_CALLS as usize) {
        for record in unit.call_records(context.principal.network_id, batch)? {
            let is_of = |advertiser| record.advertiser_id == advertiser;
            if !advertiser.is_none_or(is_of) {
                continue;
            }
            let call = parties.complete(unit, record)?;
            calls.extend(call.filter(|call| matches(query, call)));
        }
        calls.sort_by_key(|call| std::cmp::Reverse((call.order_time(), call.record.call.id)));
        calls.truncate(MAX_CALLS_IN_PROGRESS);
    }
    Ok(calls)
}

/// Changes a call in progress: its external id and its custom data. The same change again changes
/// nothing.
///
/// # Errors
///
/// [`Error::NotFound`] if no live call matches, [`Error::Conflict`] if several do, and for an external id
/// of another call of the advertiser.
pub fn update(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    query: &CallsInProgressQuery,
    submitted: Submission<CallInProgressChange>,
) -> Result<CallInProgress, Error> {
    let id = match &query.selector {
        CallSelector::CompleteCallId(id) | CallSelector::ExternalId(id) => id,
        CallSelector::All | CallSelector::Numbers { .. } => {
            return Err(Error::invalid_property("transaction_id", BLANK));
        }
    };
    let mut found = list(unit, context, query)?;
    let Some(mut call) = found.pop() else {
        return Err(Error::NotFound(format!("a call in progress with the id {id}")));
    };
    if !found.is_empty() {
        let message = format!("calls of several advertisers have the external_unique_id {id}");
        return Err(Error::Conflict(message));
    }
    let advertiser = call.record.advertiser_id;
    context.principal.ensure_can_write_party(PartyKind::Advertiser, advertiser)?;
    let Submission { change, mut problems } = submitted;
    let place = problems.property("call_in_progress").property("custom_data");
    check_values(unit, context, &call, &change.custom_data, place)?;
    problems.into_result(())?;
    if let Some(id) = change.external_id.filter(|id| call.external_id() != Some(id)) {
        check_external_id_is_free(unit, context, &call, &id)?;
        call.live.external_id = Some(id);
        unit.update_live_call_state(call.record.call.id, &call.live)?;
    }
    let stored = &mut call.record.call;
    if !change.custom_data.is_empty() {
        let before = stored.recorded.facts.clone();
        stored.recorded.facts.replace_custom_data(&change.custom_data);
        if stored.recorded.facts != before {
            unit.update_call(stored)?;
        }
    }
    Ok(call)
}

/// Checks new values of custom data fields. Each problem is at the index of its value in the request's
/// array.
fn check_values(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    call: &CallInProgress,
    data: &CustomData,
    place: &mut Problems,
) -> Result<(), Error> {
    let fields = unit.custom_data_fields(context.principal.network_id)?;
    let mut by_name = check_custom_data(data, None, &fields);
    let terms = terms_of(unit, &call.record.call)?;
    let known = call.record.call.recorded.facts.custom_data.as_ref();
    for (index, (name, value)) in data.iter().enumerate() {
        if by_name.has_problem(name) {
            place.item(index).property("name").merge(std::mem::take(by_name.property(name)));
        } else if known.and_then(|known| known.get(name)) != Some(value) && tree_reads(&terms, name)
        {
            place.item(index).property("value").add(READ_BY_TREE);
        }
    }
    Ok(())
}

/// Problem of a field that the tree reads: the call is decided from its start again when it ends, and its
/// path must be the one that it took.
const READ_BY_TREE: &str = "cannot change: a condition of the call's IVR tree reads it";

/// Returns true if a condition of a tree, or a route in it, reads a custom data field.
fn tree_reads(terms: &Terms, field: &str) -> bool {
    let reads =
        |term: &&Term| matches!(term, Term::Text(TextFact::CustomData(name), _) if name == field);
    let mut nodes: Vec<&IvrNode> = terms.ivr_tree.iter().map(|tree| &tree.root).collect();
    while let Some(node) = nodes.pop() {
        let is_read = match &node.kind {
            NodeKind::Condition { condition: Some(condition) } => {
                condition.expr().terms().iter().any(reads)
            }
            NodeKind::DynamicRoute { dynamic_route_destination, .. } => {
                dynamic_route_destination == field
            }
            _ => false,
        };
        if is_read {
            return true;
        }
        nodes.extend(&node.children);
    }
    false
}

/// Returns `Ok` if no other call of the advertiser has an external id.
fn check_external_id_is_free(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    call: &CallInProgress,
    id: &str,
) -> Result<(), Error> {
    let network = context.principal.network_id;
    let advertiser = call.record.advertiser_id;
    let mut others = unit.live_calls_by_external_id(network, id)?;
    others.retain(|other| *other != call.record.call.id);
    let others = unit.call_records(network, &others)?;
    let is_live = others.iter().any(|other| other.advertiser_id == advertiser);
    let stored = unit.reported_call(network, advertiser, id)?;
    let complete_call_id = &call.record.call.complete_call_id;
    if is_live || stored.is_some_and(|stored| stored.complete_call_id != *complete_call_id) {
        let message = format!("external_unique_id {id} was used for another call");
        return Err(Error::Conflict(message));
    }
    Ok(())
}
