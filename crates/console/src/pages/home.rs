//! The home page: whom the reader may look at.

use crate::layout;
use crate::pages::party_path;
use crate::visit::{ROWS, Visit};
use axum::response::Response;
use maud::{Markup, html};
use trunkline_domain::party::{Party, PartyKind};
use trunkline_network::{Page, parties};

pub(super) async fn show(visit: Visit) -> Response {
    let found = visit.read(|session, context| {
        let page = Page::of(0, ROWS + 1);
        let advertisers = parties::list(session, context, PartyKind::Advertiser, page)?;
        let affiliates = parties::list(session, context, PartyKind::Affiliate, page)?;
        Ok((advertisers, affiliates))
    });
    let page = found.map(|(advertisers, affiliates)| {
        let of_network = visit.context.caller.sees_network();
        let content = html! {
            div.title { p.kind { "Network " (visit.network.id) } h1 { (visit.network.name) } }
            div.columns {
                (list("Advertisers", &advertisers, of_network))
                (list("Affiliates", &affiliates, of_network))
            }
        };
        ("Home".to_owned(), content)
    });
    visit.answer(page)
}

/// The first of the reader's parties of a kind. A kind of which someone other than the network
/// has none is not theirs to look at.
fn list(title: &str, parties: &[Party], of_network: bool) -> Markup {
    if parties.is_empty() && !of_network {
        return html! {};
    }
    let content = html! {
        @if parties.is_empty() { (layout::none("None yet.")) }
        ul.links {
            @for party in parties.iter().take(ROWS as usize) {
                li {
                    a href=(party_path(party.kind, party.id)) { (party.name) }
                    code { (party.id_from_network) }
                    (layout::badge(party.status.as_str()))
                }
            }
        }
        @if parties.len() > ROWS as usize {
            p.none { "These are the first " (ROWS) ". There are more: the API lists them all." }
        }
    };
    layout::section(title, &content)
}
