//! One file for each resource: its routes, its request's shape, its response's shape.

mod access_tokens;
mod advertiser_users;
mod affiliate_campaigns;
mod audit;
mod budgets;
mod campaign_actions;
mod campaigns;
mod checks;
mod custom_data_fields;
mod ivr;
mod network;
mod parties;
mod pricing;
mod promo_numbers;
mod relationships;
mod terms;
mod users;

use crate::routes::Routes;

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
}
