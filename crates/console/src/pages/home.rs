//! Home page: the advertisers and affiliates that the user may view.

use crate::layout;
use crate::page_request::PageRequest;
use crate::pages::party_path;
use axum::response::Response;
use maud::{Markup, html};
use trunkline_domain::party::{Party, PartyKind};
use trunkline_network::{Page, parties};

/// Most parties of a kind on the page.
const MAX_PARTIES: usize = 1_000;

pub(super) async fn show(request: PageRequest) -> Response {
    let result = request.read(|unit, context| {
        let page = Page::new(0, MAX_PARTIES as u32 + 1);
        let advertisers = parties::list(unit, context, PartyKind::Advertiser, page)?;
        let affiliates = parties::list(unit, context, PartyKind::Affiliate, page)?;
        Ok((advertisers, affiliates))
    });
    let page = result.map(|(mut advertisers, mut affiliates)| {
        sort_by_name(&mut advertisers);
        sort_by_name(&mut affiliates);
        let can_view_network = request.context.principal.can_view_network();
        let content = html! {
            div.title { p.kind { "Network " (request.network.id) } h1 { (request.network.name) } }
            div.columns {
                (list("Advertisers", &advertisers, can_view_network))
                (list("Affiliates", &affiliates, can_view_network))
            }
            p.hint { "For programs: " a href="/docs" { "description of the API" } "." }
        };
        ("Home".to_owned(), content)
    });
    request.respond(page)
}

/// Sorts by name, ignoring case, then by id.
fn sort_by_name(parties: &mut [Party]) {
    parties.sort_by_cached_key(|party| (party.name.to_lowercase(), party.id));
}

/// Renders the parties of a kind. For a user who may not view the whole network, an empty list is left
/// out.
fn list(title: &str, parties: &[Party], can_view_network: bool) -> Markup {
    if parties.is_empty() && !can_view_network {
        return html! {};
    }
    let content = html! {
        @if parties.is_empty() { (layout::empty_note("None yet.")) }
        ul.links {
            @for party in parties.iter().take(MAX_PARTIES) {
                li {
                    a href=(party_path(party.kind, party.id)) { (party.name) }
                    code { (party.external_id) }
                    (layout::badge(party.status.as_str()))
                }
            }
        }
        @if parties.len() > MAX_PARTIES {
            p.none { "Only " (MAX_PARTIES) " are shown. The API lists all." }
        }
    };
    layout::section(title, &content)
}
