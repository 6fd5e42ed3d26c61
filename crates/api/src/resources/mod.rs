//! One file for each resource: its routes, its request object and its response object.

mod access_tokens;
mod advertiser_users;
mod affiliate_campaigns;
mod audit;
mod budgets;
pub(crate) mod call_batcher;
mod call_facts;
mod call_log;
mod calls;
mod calls_in_progress;
mod campaign_actions;
mod campaigns;
mod checks;
mod corrections;
mod custom_data_fields;
mod decision;
mod dry_run;
pub(crate) mod events;
mod ivr;
mod live_calls;
mod mails;
mod money;
mod network;
pub(crate) mod parties;
mod pricing;
mod promo_numbers;
pub(crate) mod recordings;
mod relationships;
mod replay;
mod ring_groups;
mod sandbox;
mod settings;
mod statements;
pub(crate) mod terms;
mod tokens;
pub(crate) mod transactions;
pub(crate) mod users;
mod webhooks;

use crate::routes::Routes;
use serde_json::{Map, Value};
use trunkline_domain::campaign::Terms;
use trunkline_domain::timezone::TimeZoneName;

/// Returns every route of the API, for paths without the prefix that
/// [`crate::path_prefix::parse_prefix`] removes.
pub(crate) fn routes() -> Routes {
    Routes::new()
        .merge(network::routes())
        .merge(settings::routes())
        .merge(parties::routes())
        .merge(advertiser_users::routes())
        .merge(access_tokens::routes())
        .merge(tokens::routes())
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
        .merge(calls_in_progress::routes())
        .merge(replay::routes())
        .merge(live_calls::routes())
        .merge(recordings::routes())
        .merge(transactions::routes())
        .merge(corrections::routes())
        .merge(statements::routes())
        .merge(sandbox::routes())
        .merge(events::routes())
        .merge(webhooks::routes())
        .merge(mails::routes())
}

/// Rejects a campaign's body whose IVR tree is too deep.
pub(crate) fn check_depth(body: &Map<String, Value>) -> Result<(), String> {
    ivr::check_depth(body)
}

/// Renders future terms with all properties.
pub(crate) fn render_terms(terms: &Terms) -> Value {
    let totals = &Default::default();
    let zone = TimeZoneName::default();
    terms::render(&terms::TermsProjection { live: None, zone, with_payin: true, terms, totals })
}
