//! Page of an advertiser or affiliate.

use crate::format;
use crate::layout::{self, description_list, id, section, text};
use crate::page_request::PageRequest;
use crate::pages::{affiliate_campaign_path, campaign_path, paginate, party_path};
use axum::extract::Path;
use axum::response::Response;
use maud::{Markup, html};
use trunkline_domain::affiliation::AffiliateCampaign;
use trunkline_domain::campaign::{Campaign, CampaignStatus};
use trunkline_domain::party::{Member, Party, PartyKind, Site};
use trunkline_network::{Error, affiliate_campaigns, campaigns, parties};

pub(super) async fn advertiser(Path(id): Path<String>, request: PageRequest) -> Response {
    let page = request.read(|unit, context| {
        let party =
            parties::get_by_id(unit, context, PartyKind::Advertiser, super::parse_id(&id)?)?;
        let listed = campaigns::list(unit, context, &party.external_id, request.list_page())?;
        Ok((party, listed))
    });
    let page = page.map(|(party, listed)| {
        let campaigns = section("Campaigns", &campaign_table(&request, listed.items));
        (party.name.clone(), show(&request, &party, &campaigns))
    });
    request.respond(page)
}

pub(super) async fn affiliate(Path(id): Path<String>, request: PageRequest) -> Response {
    let page = request.read(|unit, context| {
        let party = parties::get_by_id(unit, context, PartyKind::Affiliate, super::parse_id(&id)?)?;
        let listed =
            affiliate_campaigns::list_of_affiliate(unit, context, &party, request.list_page())?;
        Ok::<_, Error>((party, listed))
    });
    let page = page.map(|(party, listed)| {
        let campaigns = section("Affiliate campaigns", &affiliate_campaign_table(&request, listed));
        (party.name.clone(), show(&request, &party, &campaigns))
    });
    request.respond(page)
}

fn show(request: &PageRequest, party: &Party, campaigns: &Markup) -> Markup {
    let zone = request.network.time_zone;
    let profile = &party.profile;
    let number = profile.web_integration_phone_number.as_ref().map(format::phone_link);
    let about = description_list(&[
        ("Network’s id", id(&party.external_id)),
        ("Trunkline id", id(&party.id.to_string())),
        ("Phone number of the web site", number),
        ("Default creative", text(profile.default_creative_external_id.as_deref())),
        ("Created", Some(format::date_time(party.created_at, zone))),
        ("Last changed", Some(format::date_time(party.updated_at, zone))),
    ]);
    html! {
        (layout::heading(&[], party.kind.class_name(), &party.name, Some(party.status.as_str())))
        div.columns {
            (section("About", &about))
            (section("Sites", &sites(&party.sites)))
            (layout::custom_data(&party.custom_data))
        }
        (campaigns)
        (section("Users", &people(&party.members)))
    }
}

fn sites(sites: &[Site]) -> Markup {
    html! {
        ul.links {
            @for site in sites {
                li {
                    span { (site.name.as_deref().unwrap_or("Without a name")) }
                    code { (site.external_id) }
                }
            }
        }
    }
}

fn people(members: &[Member]) -> Markup {
    if members.is_empty() {
        return layout::empty_note("No users.");
    }
    let rows = html! {
        @for Member { user, role } in members {
            tr {
                th scope="row" { (user.first_name) " " (user.last_name) }
                td { (role.as_str()) }
                td {
                    @for email in &user.email_settings {
                        div {
                            a href={ "mailto:" (email.email_address) } { (email.email_address) }
                            @if email.use_for_notifications { span.hint { " gets notifications" } }
                        }
                    }
                }
                td { @match &user.contact_phone_number {
                    Some(number) => (format::phone_link(number)),
                    None => span.hint { "–" },
                } }
                td { (format::yes_no(user.can_login_via_platform)) }
                td { code { (user.external_id) } }
            }
        }
    };
    let columns = ["Name", "Role", "E-mail", "Phone", "Can sign in", "Network’s id"];
    layout::table("Users", &columns, &rows)
}

fn campaign_table(request: &PageRequest, mut campaigns: Vec<Campaign>) -> Markup {
    let pages = paginate(request, &mut campaigns, |campaign| campaign.id.get());
    if campaigns.is_empty() {
        return html! { (layout::empty_note("No campaigns.")) (pages) };
    }
    let rows = html! {
        @for campaign in &campaigns {
            tr {
                th scope="row" { a href=(campaign_path(campaign.id)) { (campaign.name) } }
                td { (layout::badge(campaign.effective_status(request.now()).as_str())) }
                td { (terms_state(campaign)) }
                td { code { (campaign.external_id) } }
            }
        }
    };
    let columns = ["Name", "Status", "Terms", "Network’s id"];
    html! { (layout::table("Campaigns", &columns, &rows)) (pages) }
}

fn terms_state(campaign: &Campaign) -> &'static str {
    match (&campaign.current_terms, &campaign.future_terms) {
        (Some(_), Some(_)) => "Live, with pending changes",
        (Some(_), None) => "Live",
        (None, _) => "Not live yet",
    }
}

fn affiliate_campaign_table(
    request: &PageRequest,
    mut listed: Vec<(AffiliateCampaign, Campaign)>,
) -> Markup {
    let pages =
        paginate(request, &mut listed, |(affiliate_campaign, _)| affiliate_campaign.id.get());
    if listed.is_empty() {
        return html! { (layout::empty_note("No affiliate campaigns yet.")) (pages) };
    }
    let rows = html! {
        @for (affiliate_campaign, campaign) in &listed {
            @let is_active = campaign.effective_status(request.now()) == CampaignStatus::Activated;
            @let campaign = campaigns::redact(&request.context.principal, campaign);
            @let terms = campaign.terms_in_force();
            @let payout = terms.and_then(|terms| terms.affiliate_payout.as_ref());
            tr {
                th scope="row" {
                    a href=(affiliate_campaign_path(
                        affiliate_campaign.affiliate_id,
                        affiliate_campaign.campaign_id,
                    )) {
                        (campaign.name)
                    }
                }
                td { (layout::badge(affiliate_campaign.status.display_status(is_active))) }
                td { (payout.map(|payout| payout.describe_range()).unwrap_or_default()) }
                td { code { (affiliate_campaign.external_id) } }
            }
        }
    };
    let columns = ["Campaign", "Status", "Payout", "Network’s id"];
    html! { (layout::table("Affiliate campaigns", &columns, &rows)) (pages) }
}

/// Breadcrumbs of a campaign: its advertiser, if the user may view it.
pub(super) fn breadcrumbs(request: &PageRequest, advertiser: &Party) -> Vec<(String, String)> {
    let path = party_path(advertiser.kind, advertiser.id);
    let can_view = request.can_view(advertiser.kind, advertiser.id);
    can_view.then(|| (path, advertiser.name.clone())).into_iter().collect()
}
