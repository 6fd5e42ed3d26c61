//! The pages: one file for each kind of object.

mod affiliate_campaign;
mod budgets;
mod campaign;
mod home;
mod ivr;
mod party;
mod pricing;
mod promo_numbers;
mod terms;

use crate::Console;
use crate::forms;
use crate::visit::{ROWS, Visit};
use axum::Router;
use axum::routing::get;
use maud::{Markup, html};
use std::sync::Arc;
use trunkline_domain::party::PartyKind;
use trunkline_network::Error;

/// Every object_url's path, and the home page.
pub(crate) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/", get(home::show))
        .route("/as/{id}/dashboards/ui", get(party::advertiser))
        .route("/ps/{id}/dashboards/ui", get(party::affiliate))
        .route("/a_campaigns/terms/{campaign}", get(campaign::show))
        .route("/p_campaigns/terms/{affiliate}/{campaign}", get(affiliate_campaign::show))
        .route("/a_campaigns/promo_numbers/{campaign}", get(promo_numbers::of_campaign))
        .route(
            "/p_campaigns/promo_numbers/{affiliate}/{campaign}",
            get(promo_numbers::of_affiliate),
        )
}

/// One of our ids in a path.
fn id(of: &str) -> Result<i64, Error> {
    of.parse().map_err(|_| Error::NotFound(format!("an object called {of}")))
}

/// A party's page.
fn party_path(kind: PartyKind, id: i64) -> String {
    let page = match kind {
        PartyKind::Advertiser => "as",
        PartyKind::Affiliate => "ps",
    };
    format!("/{page}/{id}/dashboards/ui")
}

/// A campaign's page.
fn campaign_path(campaign: i64) -> String {
    format!("/a_campaigns/terms/{campaign}")
}

/// An affiliate campaign's page.
fn affiliate_campaign_path(affiliate: i64, campaign: i64) -> String {
    format!("/p_campaigns/terms/{affiliate}/{campaign}")
}

/// Takes the row off that is only there to tell that there are more, and links to the first rows
/// and the next ones. `last` is the id of a row.
fn paged<T>(visit: &Visit, found: &mut Vec<T>, last: impl Fn(&T) -> i64) -> Markup {
    let more = found.len() > ROWS as usize;
    found.truncate(ROWS as usize);
    let first = visit.query.get("start_after_id").map(|_| visit.path.as_str());
    let next = found.last().filter(|_| more).map(|row| last(row).to_string());
    let next = next.map(|id| forms::link(&visit.path, "start_after_id", &id));
    html! {
        @if first.is_some() || next.is_some() {
            p.pages {
                @if let Some(first) = first { a href=(first) { "Back to the first" } }
                @if let Some(next) = next { a href=(next) rel="next" { "Next " (ROWS) } }
            }
        }
    }
}
