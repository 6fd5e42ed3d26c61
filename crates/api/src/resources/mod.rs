//! One file for each resource: its routes, its request's shape, its response's shape.

mod access_tokens;
mod advertiser_users;
mod affiliate_campaigns;
mod audit;
mod budgets;
mod call_log;
mod calls;
pub(crate) mod calls_together;
mod campaign_actions;
mod campaigns;
mod checks;
mod corrections;
mod custom_data_fields;
mod decision;
mod dry_run;
pub(crate) mod events;
mod facts;
mod ivr;
mod live_calls;
mod mails;
mod money;
mod network;
pub(crate) mod parties;
mod pricing;
mod promo_numbers;
mod relationships;
mod replay;
mod sandbox;
mod statements;
pub(crate) mod terms;
pub(crate) mod transactions;
pub(crate) mod users;
mod webhooks;

use crate::routes::Routes;
use serde_json::{Map, Value};
use trunkline_domain::campaign::Terms;
use trunkline_domain::timezone::ZoneName;

/// Every route of the API, by the paths that [`crate::path::address`] leaves.
pub(crate) fn routes() -> Routes {
    Routes::new()
        .merge(network::routes())
        .merge(parties::routes())
        .merge(advertiser_users::routes())
        .merge(access_tokens::routes())
        .merge(custom_data_fields::routes())
        .merge(relationships::routes())
        .merge(campaigns::routes())
        .merge(campaign_actions::routes())
        .merge(affiliate_campaigns::routes())
        .merge(promo_numbers::routes())
        .merge(checks::routes())
        .merge(audit::routes())
        .merge(dry_run::routes())
        .merge(calls::routes())
        .merge(replay::routes())
        .merge(live_calls::routes())
        .merge(transactions::routes())
        .merge(corrections::routes())
        .merge(statements::routes())
        .merge(sandbox::routes())
        .merge(events::routes())
        .merge(webhooks::routes())
        .merge(mails::routes())
}

/// Refuses a campaign's body whose tree is deeper than trees can be.
pub(crate) fn check_depth(body: &Map<String, Value>) -> Result<(), String> {
    ivr::check_depth(body)
}

/// A draft's terms, for who may see all of them.
pub(crate) fn render_terms(terms: &Terms) -> Value {
    let totals = &Default::default();
    let zone = ZoneName::default();
    terms::render(&terms::Shown { live: None, zone, with_payin: true, terms, totals })
}
