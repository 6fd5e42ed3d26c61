//! A campaign's terms: the current ones, and those that wait to go live.

use crate::layout::{self, facts, id, section};
use crate::pages::{affiliate_campaign_path, party, terms};
use crate::visit::{ROWS, Visit};
use crate::words;
use axum::extract::Path;
use axum::response::Response;
use maud::{Markup, html};
use trunkline_domain::affiliation::AffiliateCampaign;
use trunkline_domain::campaign::{Campaign, CampaignStatus, Terms};
use trunkline_domain::findings::{Finding, Severity, findings};
use trunkline_domain::party::{Party, PartyKind};
use trunkline_network::{Error, Page, affiliate_campaigns, campaigns};

pub(super) async fn show(Path(of): Path<String>, visit: Visit) -> Response {
    let found = visit.read(|session, context| {
        let (campaign, advertiser) = campaigns::get_by_id(session, context, super::id(&of)?)?;
        let (owner, name) = (&advertiser.id_from_network, &campaign.id_from_network);
        let page = Page::of(0, ROWS + 1);
        let (affiliates, _) = affiliate_campaigns::list(session, context, owner, name, page)?;
        Ok::<_, Error>((campaign, advertiser, affiliates))
    });
    let page = found.map(|(campaign, advertiser, affiliates)| {
        (campaign.name.clone(), page(&visit, &campaign, &advertiser, &affiliates))
    });
    visit.answer(page)
}

fn page(
    visit: &Visit,
    campaign: &Campaign,
    advertiser: &Party,
    affiliates: &[AffiliateCampaign],
) -> Markup {
    let owns = visit.sees(PartyKind::Advertiser, advertiser.id);
    let status = campaign.status_at(visit.now());
    let current = campaign.current.as_ref();
    // Drafts of what is live are between the network and the advertiser.
    let future = campaign.future.as_ref().filter(|_| owns || current.is_none());
    let trail = party::trail(visit, advertiser);
    html! {
        (layout::heading(&trail, "Advertiser campaign", &campaign.name, Some(status.as_str())))
        (jumps(current.is_some(), future.is_some(), owns, campaign))
        div.columns {
            (section("About", &about(visit, campaign)))
            (layout::custom_data(&campaign.custom_data))
        }
        @if let Some(current) = current {
            section.terms aria-labelledby="current" {
                h2 #current { "Current terms" }
                p.hint { "Live since " (words::moment(current.went_live_at, visit.network.time_zone)) }
                @if future.is_none() && owns { (problems(&current.terms)) }
                (terms::show(visit, &current.terms, None, owns.then_some(&campaign.totals[0])))
            }
        }
        @if let Some(future) = future {
            section.terms aria-labelledby="future" {
                h2 #future { "Future terms" }
                p.hint {
                    "Waiting for the campaign to go live. Last changed "
                    (words::moment(future.updated_at, visit.network.time_zone))
                }
                @if owns { (problems(future)) }
                (terms::show(visit, future, current.map(|it| &it.terms), owns.then_some(&campaign.totals[1])))
            }
        }
        (section("Affiliates", &taking_part(visit, affiliates, status)))
    }
}

fn jumps(current: bool, future: bool, owns: bool, campaign: &Campaign) -> Markup {
    html! {
        nav.jumps aria-label="On this page" {
            @if current { a href="#current" { "Current terms" } }
            @if future { a href="#future" { "Future terms" } }
            @if owns {
                a href={ "/a_campaigns/promo_numbers/" (campaign.id) } { "Promo numbers" }
            }
        }
    }
}

fn about(visit: &Visit, campaign: &Campaign) -> Markup {
    let zone = visit.network.time_zone;
    facts(&[
        ("Network’s id", id(&campaign.id_from_network)),
        ("Trunkline id", id(&campaign.id.to_string())),
        ("Created", Some(words::moment(campaign.created_at, zone))),
        ("Last changed", Some(words::moment(campaign.updated_at, zone))),
    ])
}

/// What is wrong with terms, or probably not meant.
fn problems(terms: &Terms) -> Markup {
    let found = findings(terms);
    html! {
        @if !found.is_empty() {
            div.note.wrong {
                p { strong { "Worth a look" } }
                ul { @for finding in &found { li { (problem(finding)) } } }
            }
        }
    }
}

fn problem(finding: &Finding) -> Markup {
    let severity = match finding.severity {
        Severity::Error => "Error",
        _ => "Warning",
    };
    html! { strong { (severity) } " at " code { (finding.at) } ": " (finding.message) }
}

fn taking_part(visit: &Visit, found: &[AffiliateCampaign], status: CampaignStatus) -> Markup {
    if found.is_empty() {
        return layout::none("No affiliate takes part yet.");
    }
    let is_active = status == CampaignStatus::Activated;
    let rows = html! {
        @for it in found.iter().take(ROWS as usize) {
            tr {
                th scope="row" {
                    a href=(affiliate_campaign_path(it.affiliate_id, it.campaign_id)) {
                        "Affiliate " (it.affiliate_id_from_network)
                    }
                }
                td { (layout::badge(it.status.reads(is_active))) }
                td { code { (it.id_from_network) } }
                td { (words::moment(it.updated_at, visit.network.time_zone)) }
            }
        }
    };
    html! {
        (layout::table("Affiliates", &["Affiliate", "Status", "Network’s id", "Last changed"], &rows))
        @if found.len() > ROWS as usize {
            p.none { "These are the first " (ROWS) ". There are more: the API lists them all." }
        }
    }
}
