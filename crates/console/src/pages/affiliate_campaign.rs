//! An affiliate's place in a campaign.

use crate::layout::{self, facts, id, section};
use crate::pages::{campaign_path, ivr, party_path, pricing};
use crate::visit::Visit;
use crate::words;
use axum::extract::Path;
use axum::response::Response;
use maud::{Markup, html};
use trunkline_domain::affiliation::AffiliateCampaign;
use trunkline_domain::campaign::{Campaign, CampaignStatus, Terms};
use trunkline_domain::party::PartyKind;
use trunkline_network::{affiliate_campaigns, parties};

pub(super) async fn show(
    Path((affiliate, campaign)): Path<(String, String)>,
    visit: Visit,
) -> Response {
    let found = visit.read(|session, context| {
        let (affiliate, campaign) = (super::id(&affiliate)?, super::id(&campaign)?);
        let (it, campaign) =
            affiliate_campaigns::get_by_ids(session, context, affiliate, campaign)?;
        let name = if visit.sees(PartyKind::Affiliate, affiliate) {
            let party = parties::get_by_id(session, context, PartyKind::Affiliate, affiliate)?;
            Some(party.name)
        } else {
            None
        };
        Ok((it, campaign, name))
    });
    let page = found.map(|(it, campaign, name)| {
        let title = format!("{} in {}", affiliate_called(&it, name.as_deref()), campaign.name);
        (title, page(&visit, &it, &campaign, name.as_deref()))
    });
    visit.answer(page)
}

/// The affiliate's name, for those who may see it; others know it by the network's id.
fn affiliate_called(it: &AffiliateCampaign, name: Option<&str>) -> String {
    name.map_or_else(|| format!("Affiliate {}", it.affiliate_id_from_network), str::to_owned)
}

fn page(visit: &Visit, it: &AffiliateCampaign, campaign: &Campaign, name: Option<&str>) -> Markup {
    let is_active = campaign.status_at(visit.now()) == CampaignStatus::Activated;
    let called = affiliate_called(it, name);
    let affiliate_path = party_path(PartyKind::Affiliate, it.affiliate_id);
    let trail = [(campaign_path(campaign.id), campaign.name.clone())];
    let zone = visit.network.time_zone;
    let affiliate = match name {
        Some(name) => html! { a href=(affiliate_path) { (name) } },
        None => html! { code { (it.affiliate_id_from_network) } },
    };
    let about = facts(&[
        ("Campaign", Some(html! { a href=(campaign_path(campaign.id)) { (campaign.name) } })),
        ("Affiliate", Some(affiliate)),
        ("Network’s id", id(&it.id_from_network)),
        ("Trunkline id", id(&it.id.to_string())),
        ("Created", Some(words::moment(it.created_at, zone))),
        ("Last changed", Some(words::moment(it.updated_at, zone))),
    ]);
    let numbers = format!("/p_campaigns/promo_numbers/{}/{}", it.affiliate_id, it.campaign_id);
    let owns = visit.sees(PartyKind::Advertiser, campaign.advertiser_id);
    html! {
        (layout::heading(&trail, "Affiliate campaign", &called, Some(it.status.reads(is_active))))
        nav.jumps aria-label="Related" { a href=(numbers) { "Promo numbers" } }
        div.columns {
            (section("About", &about))
            (layout::custom_data(&it.custom_data))
            @match campaign.terms_in_force() {
                Some(terms) => (of_terms(terms, owns)),
                None => (layout::none("The campaign has no terms yet.")),
            }
        }
    }
}

fn of_terms(terms: &Terms, with_payin: bool) -> Markup {
    let most = terms.max_promo_numbers;
    html! {
        (section("Payout", &pricing::show("Payout", terms.affiliate_payout.as_ref())))
        @if with_payin {
            (section("Payin", &pricing::show("Payin", terms.advertiser_payin.as_ref())))
        }
        (section("Call flow", &ivr::show(terms.ivr_tree.as_ref())))
        (section("Settings", &facts(&[
            ("Pricing", Some(html! { "Fixed" })),
            ("Promo numbers at most", Some(html! { (most) })),
        ])))
    }
}
