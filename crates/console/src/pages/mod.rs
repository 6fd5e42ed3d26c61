//! Pages: one file for each kind of object.

mod affiliate_campaign;
mod budgets;
mod campaign;
mod home;
mod ivr;
mod party;
mod pricing;
mod promo_numbers;
mod terms;

use crate::forms;
use crate::page_request::{PageRequest, ROWS_PER_PAGE};
use crate::state::Console;
use axum::Router;
use axum::routing::get;
use maud::{Markup, html};
use std::collections::HashMap;
use std::str::FromStr;
use std::sync::Arc;
use trunkline_domain::affiliation::AffiliateCampaign;
use trunkline_domain::id::{AffiliateId, CampaignId, PartyId};
use trunkline_domain::party::PartyKind;
use trunkline_network::{Error, UnitOfWork};

/// Routes of the home page and of every object_url.
pub(crate) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/", get(home::show))
        .route("/as/{id}/dashboards/ui", get(party::advertiser))
        .route("/ps/{id}/dashboards/ui", get(party::affiliate))
        .route("/a_campaigns/terms/{campaign}", get(campaign::show))
        .route("/p_campaigns/terms/{affiliate}/{campaign}", get(affiliate_campaign::show))
        .route("/a_campaigns/promo_numbers/{campaign}", get(promo_numbers::campaign))
        .route(
            "/p_campaigns/promo_numbers/{affiliate}/{campaign}",
            get(promo_numbers::affiliate_campaign),
        )
}

/// Parses an id in a path.
fn parse_id<Id: FromStr>(text: &str) -> Result<Id, Error> {
    text.parse().map_err(|_| Error::NotFound(format!("an object with the id {text}")))
}

/// Path of a party's page.
fn party_path(kind: PartyKind, id: PartyId) -> String {
    let prefix = match kind {
        PartyKind::Advertiser => "as",
        PartyKind::Affiliate => "ps",
    };
    format!("/{prefix}/{id}/dashboards/ui")
}

/// Path of a campaign's page.
fn campaign_path(campaign: CampaignId) -> String {
    format!("/a_campaigns/terms/{campaign}")
}

/// Path of an affiliate campaign's page.
fn affiliate_campaign_path(affiliate: AffiliateId, campaign: CampaignId) -> String {
    format!("/p_campaigns/terms/{affiliate}/{campaign}")
}

/// Names of affiliates by id, for those that the user may view.
fn affiliate_names(
    unit: &mut UnitOfWork<'_>,
    request: &PageRequest,
    affiliate_campaigns: &[AffiliateCampaign],
) -> Result<HashMap<AffiliateId, String>, Error> {
    let ids = affiliate_campaigns.iter().map(|affiliate_campaign| affiliate_campaign.affiliate_id);
    let ids = ids.filter(|id| request.can_view(PartyKind::Affiliate, *id));
    let ids: Vec<PartyId> = ids.map(PartyId::from).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let affiliates = unit.parties_by_ids(PartyKind::Affiliate, &ids)?;
    Ok(affiliates
        .into_iter()
        .map(|affiliate| (affiliate.id.as_affiliate(), affiliate.name))
        .collect())
}

/// Name of the affiliate, or its external id for a user who may not view the affiliate.
fn affiliate_label(affiliate_campaign: &AffiliateCampaign, name: Option<&str>) -> String {
    let external_id = &affiliate_campaign.external_affiliate_id;
    name.map_or_else(|| format!("Affiliate {external_id}"), str::to_owned)
}

/// Truncates rows to one page and renders the links to the first and the next page. `rows` has one
/// row more than a page if there are more; `row_id` returns the id that the next page starts after.
fn paginate<T>(request: &PageRequest, rows: &mut Vec<T>, row_id: impl Fn(&T) -> i64) -> Markup {
    let has_more = rows.len() > ROWS_PER_PAGE as usize;
    rows.truncate(ROWS_PER_PAGE as usize);
    let first = request.query.get("start_after_id").map(|_| request.path.as_str());
    let next = rows.last().filter(|_| has_more).map(|row| row_id(row).to_string());
    let next = next.map(|id| forms::path_with_query(&request.path, "start_after_id", &id));
    html! {
        @if first.is_some() || next.is_some() {
            p.pages {
                @if let Some(first) = first { a href=(first) { "Back to the first" } }
                @if let Some(next) = next { a href=(next) rel="next" { "Next " (ROWS_PER_PAGE) } }
            }
        }
    }
}
