//! Page of a campaign: current terms, future terms and affiliates.

use crate::format;
use crate::layout::{self, description_list, id, section};
use crate::page_request::{PageRequest, ROWS_PER_PAGE};
use crate::pages::{affiliate_campaign_path, affiliate_label, affiliate_names, party, terms};
use axum::extract::Path;
use axum::response::Response;
use maud::{Markup, html};
use std::collections::HashMap;
use trunkline_domain::affiliation::AffiliateCampaign;
use trunkline_domain::campaign::{Campaign, CampaignStatus};
use trunkline_domain::findings::{Finding, Severity};
use trunkline_domain::id::AffiliateId;
use trunkline_domain::party::{Party, PartyKind};
use trunkline_network::{Error, Page, affiliate_campaigns, campaigns};

pub(super) async fn show(Path(id): Path<String>, request: PageRequest) -> Response {
    let result = request.read(|unit, context| {
        let id = super::parse_id(&id)?;
        let (campaign, advertiser) = campaigns::get_by_id(unit, context, id)?;
        let found = affiliate_campaigns::list(
            unit,
            context,
            &advertiser.external_id,
            &campaign.external_id,
            Page::new(0, ROWS_PER_PAGE + 1),
        )?;
        let affiliate_campaigns = found.affiliate_campaigns;
        let names = affiliate_names(unit, &request, &affiliate_campaigns)?;
        let affiliates = Affiliates { affiliate_campaigns, names };
        Ok::<_, Error>((campaign, advertiser, affiliates))
    });
    let (campaign, advertiser, affiliates) = match result {
        Ok(found) => found,
        Err(error) => return request.respond(Err(error)),
    };
    let is_analyzed = request.can_view(PartyKind::Advertiser, advertiser.id);
    let terms = Campaign::latest_terms(&campaign).filter(|_| is_analyzed);
    let findings = match terms {
        Some(terms) => {
            let tenant = request.context.principal.tenant();
            request.console.work_limits.analyze(tenant, terms.clone()).await
        }
        None => Ok(Vec::new()),
    };
    let page = findings.map(|findings| {
        let campaign = campaigns::redact(&request.context.principal, &campaign);
        let content = page(&request, &campaign, &advertiser, &affiliates, &findings);
        (campaign.name.clone(), content)
    });
    request.respond(page)
}

fn page(
    request: &PageRequest,
    campaign: &Campaign,
    advertiser: &Party,
    affiliates: &Affiliates,
    findings: &[Finding],
) -> Markup {
    let can_view_advertiser = request.can_view(PartyKind::Advertiser, advertiser.id);
    let status = campaign.effective_status(request.now());
    let current = campaign.current_terms.as_ref();
    let future = campaign.future_terms.as_ref();
    let breadcrumbs = party::breadcrumbs(request, advertiser);
    html! {
        (layout::heading(&breadcrumbs, "Advertiser campaign", &campaign.name, Some(status.as_str())))
        (page_links(current.is_some(), future.is_some(), can_view_advertiser, campaign))
        div.columns {
            (section("About", &about(request, campaign)))
            (layout::custom_data(&campaign.custom_data))
        }
        @if let Some(current) = current {
            section.terms aria-labelledby="current" {
                h2 #current { "Current terms" }
                p.hint { "Live since " (format::date_time(current.went_live_at, request.network.time_zone)) }
                @if future.is_none() && can_view_advertiser { (problems(findings)) }
                (terms::show(request, &current.terms, None, can_view_advertiser.then_some(&campaign.budget_totals[0])))
            }
        }
        @if let Some(future) = future {
            section.terms aria-labelledby="future" {
                h2 #future { "Future terms" }
                p.hint {
                    "In force when the campaign goes live. Last changed "
                    (format::date_time(future.updated_at, request.network.time_zone))
                }
                @if can_view_advertiser { (problems(findings)) }
                (terms::show(request, future, current.map(|it| &it.terms), can_view_advertiser.then_some(&campaign.budget_totals[1])))
            }
        }
        (section("Affiliates", &affiliate_table(request, affiliates, status)))
    }
}

fn page_links(
    current: bool,
    future: bool,
    can_view_advertiser: bool,
    campaign: &Campaign,
) -> Markup {
    html! {
        nav.jumps aria-label="On this page" {
            @if current { a href="#current" { "Current terms" } }
            @if future { a href="#future" { "Future terms" } }
            @if can_view_advertiser {
                a href={ "/a_campaigns/promo_numbers/" (campaign.id) } { "Promo numbers" }
            }
        }
    }
}

fn about(request: &PageRequest, campaign: &Campaign) -> Markup {
    let zone = request.network.time_zone;
    description_list(&[
        ("Network’s id", id(&campaign.external_id)),
        ("Trunkline id", id(&campaign.id.to_string())),
        ("Created", Some(format::date_time(campaign.created_at, zone))),
        ("Last changed", Some(format::date_time(campaign.updated_at, zone))),
    ])
}

/// Renders the findings of the static analysis of the latest terms: errors and probable mistakes.
fn problems(findings: &[Finding]) -> Markup {
    html! {
        @if !findings.is_empty() {
            div.note.wrong {
                p { strong { "Please check" } }
                ul { @for finding in findings { li { (problem(finding)) } } }
            }
        }
    }
}

fn problem(finding: &Finding) -> Markup {
    let severity = match finding.severity {
        Severity::Error => "Error",
        _ => "Warning",
    };
    html! { strong { (severity) } " at " code { (finding.path) } ": " (finding.message) }
}

/// Affiliate campaigns of a campaign, and the names of their affiliates by id.
struct Affiliates {
    affiliate_campaigns: Vec<AffiliateCampaign>,
    names: HashMap<AffiliateId, String>,
}

fn affiliate_table(
    request: &PageRequest,
    affiliates: &Affiliates,
    status: CampaignStatus,
) -> Markup {
    let Affiliates { affiliate_campaigns, names } = affiliates;
    if affiliate_campaigns.is_empty() {
        return layout::empty_note("No affiliates yet.");
    }
    let is_active = status == CampaignStatus::Activated;
    let rows = html! {
        @for affiliate_campaign in affiliate_campaigns.iter().take(ROWS_PER_PAGE as usize) {
            tr {
                th scope="row" {
                    a href=(affiliate_campaign_path(
                        affiliate_campaign.affiliate_id,
                        affiliate_campaign.campaign_id,
                    )) {
                        @let name = names.get(&affiliate_campaign.affiliate_id).map(String::as_str);
                        (affiliate_label(affiliate_campaign, name))
                    }
                }
                td { (layout::badge(affiliate_campaign.status.display_status(is_active))) }
                td { code { (affiliate_campaign.external_id) } }
                td { (format::date_time(affiliate_campaign.updated_at, request.network.time_zone)) }
            }
        }
    };
    html! {
        (layout::table("Affiliates", &["Affiliate", "Status", "Network’s id", "Last changed"], &rows))
        @if affiliate_campaigns.len() > ROWS_PER_PAGE as usize {
            p.none { "Only the first " (ROWS_PER_PAGE) " are shown. The API lists all." }
        }
    }
}
