//! Page of an affiliate campaign.

use crate::format;
use crate::layout::{self, description_list, id, section};
use crate::page_request::PageRequest;
use crate::pages::{affiliate_label, campaign_path, ivr, party_path, pricing};
use axum::extract::Path;
use axum::response::Response;
use maud::{Markup, html};
use trunkline_domain::affiliation::AffiliateCampaign;
use trunkline_domain::campaign::{Campaign, CampaignStatus, Terms};
use trunkline_domain::party::PartyKind;
use trunkline_network::{affiliate_campaigns, campaigns, parties};

pub(super) async fn show(
    Path((affiliate, campaign)): Path<(String, String)>,
    request: PageRequest,
) -> Response {
    let result = request.read(|unit, context| {
        let affiliate = super::parse_id(&affiliate)?;
        let campaign = super::parse_id(&campaign)?;
        let (affiliate_campaign, campaign) =
            affiliate_campaigns::get_by_ids(unit, context, affiliate, campaign)?;
        let name = if request.can_view(PartyKind::Affiliate, affiliate) {
            let party = parties::get_by_id(unit, context, PartyKind::Affiliate, affiliate.into())?;
            Some(party.name)
        } else {
            None
        };
        Ok((affiliate_campaign, campaign, name))
    });
    let page = result.map(|(affiliate_campaign, campaign, name)| {
        let affiliate = affiliate_label(&affiliate_campaign, name.as_deref());
        let title = format!("{affiliate} in {}", campaign.name);
        let campaign = campaigns::redact(&request.context.principal, &campaign);
        (title, page(&request, &affiliate_campaign, &campaign, name.as_deref()))
    });
    request.respond(page)
}

fn page(
    request: &PageRequest,
    affiliate_campaign: &AffiliateCampaign,
    campaign: &Campaign,
    name: Option<&str>,
) -> Markup {
    let is_active = campaign.effective_status(request.now()) == CampaignStatus::Activated;
    let status = affiliate_campaign.status.display_status(is_active);
    let label = affiliate_label(affiliate_campaign, name);
    let affiliate_path = party_path(PartyKind::Affiliate, affiliate_campaign.affiliate_id.into());
    let breadcrumbs = [(campaign_path(campaign.id), campaign.name.clone())];
    let zone = request.network.time_zone;
    let affiliate = match name {
        Some(name) => html! { a href=(affiliate_path) { (name) } },
        None => html! { code { (affiliate_campaign.external_affiliate_id) } },
    };
    let about = description_list(&[
        ("Campaign", Some(html! { a href=(campaign_path(campaign.id)) { (campaign.name) } })),
        ("Affiliate", Some(affiliate)),
        ("Network’s id", id(&affiliate_campaign.external_id)),
        ("Trunkline id", id(&affiliate_campaign.id.to_string())),
        ("Created", Some(format::date_time(affiliate_campaign.created_at, zone))),
        ("Last changed", Some(format::date_time(affiliate_campaign.updated_at, zone))),
    ]);
    let numbers = format!(
        "/p_campaigns/promo_numbers/{}/{}",
        affiliate_campaign.affiliate_id, affiliate_campaign.campaign_id
    );
    let can_view_payin = request.can_view(PartyKind::Advertiser, campaign.advertiser_id);
    html! {
        (layout::heading(&breadcrumbs, "Affiliate campaign", &label, Some(status)))
        nav.jumps aria-label="Related" { a href=(numbers) { "Promo numbers" } }
        div.columns {
            (section("About", &about))
            (layout::custom_data(&affiliate_campaign.custom_data))
            @match campaign.terms_in_force() {
                Some(terms) => (terms_sections(terms, can_view_payin)),
                None => (layout::empty_note("The campaign has no terms yet.")),
            }
        }
    }
}

fn terms_sections(terms: &Terms, can_view_payin: bool) -> Markup {
    let max_promo_numbers = terms.max_promo_numbers;
    html! {
        (section("Payout", &pricing::show("Payout", terms.affiliate_payout.as_ref())))
        @if can_view_payin {
            (section("Payin", &pricing::show("Payin", terms.advertiser_payin.as_ref())))
        }
        (section("Call flow", &ivr::show(terms.ivr_tree.as_ref())))
        (section("Settings", &description_list(&[
            ("Pricing", Some(html! { "Fixed" })),
            ("Maximum promo numbers", Some(html! { (max_promo_numbers) })),
        ])))
    }
}
