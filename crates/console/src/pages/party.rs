//! An advertiser's or affiliate's page.

use crate::layout::{self, facts, id, section, text};
use crate::pages::{affiliate_campaign_path, campaign_path, paged, party_path};
use crate::visit::Visit;
use crate::words;
use axum::extract::Path;
use axum::response::Response;
use maud::{Markup, html};
use trunkline_domain::affiliation::AffiliateCampaign;
use trunkline_domain::campaign::{Campaign, CampaignStatus};
use trunkline_domain::party::{Member, Party, PartyKind, Site};
use trunkline_network::{Error, affiliate_campaigns, campaigns, parties};

pub(super) async fn advertiser(Path(of): Path<String>, visit: Visit) -> Response {
    let page = visit.read(|session, context| {
        let party = parties::get_by_id(session, context, PartyKind::Advertiser, super::id(&of)?)?;
        let listed = campaigns::list(session, context, &party.id_from_network, visit.rows())?;
        Ok((party, listed))
    });
    let page = page.map(|(party, listed)| {
        let campaigns = section("Campaigns", &campaigns_of(&visit, listed.found));
        (party.name.clone(), show(&visit, &party, &campaigns))
    });
    visit.answer(page)
}

pub(super) async fn affiliate(Path(of): Path<String>, visit: Visit) -> Response {
    let page = visit.read(|session, context| {
        let party = parties::get_by_id(session, context, PartyKind::Affiliate, super::id(&of)?)?;
        let found = affiliate_campaigns::of_affiliate(session, context, &party, visit.rows())?;
        Ok::<_, Error>((party, found))
    });
    let page = page.map(|(party, found)| {
        let campaigns = section("Affiliate campaigns", &affiliate_campaigns_of(&visit, found));
        (party.name.clone(), show(&visit, &party, &campaigns))
    });
    visit.answer(page)
}

fn show(visit: &Visit, party: &Party, campaigns: &Markup) -> Markup {
    let zone = visit.network.time_zone;
    let profile = &party.profile;
    let number = profile.web_integration_phone_number.as_ref().map(words::phone);
    let about = facts(&[
        ("Network’s id", id(&party.id_from_network)),
        ("Trunkline id", id(&party.id.to_string())),
        ("Number on the web site", number),
        ("Default creative", text(profile.default_creative_id_from_network.as_deref())),
        ("Created", Some(words::moment(party.created_at, zone))),
        ("Last changed", Some(words::moment(party.updated_at, zone))),
    ]);
    html! {
        (layout::heading(&[], party.kind.class(), &party.name, Some(party.status.as_str())))
        div.columns {
            (section("About", &about))
            (section("Sites", &sites(&party.sites)))
            (layout::custom_data(&party.custom_data))
        }
        (campaigns)
        (section("People", &people(&party.members)))
    }
}

fn sites(sites: &[Site]) -> Markup {
    html! {
        ul.links {
            @for site in sites {
                li {
                    span { (site.name.as_deref().unwrap_or("Without a name")) }
                    code { (site.id_from_network) }
                }
            }
        }
    }
}

fn people(members: &[Member]) -> Markup {
    if members.is_empty() {
        return layout::none("Nobody has a role here.");
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
                    Some(number) => (words::phone(number)),
                    None => span.hint { "–" },
                } }
                td { (words::yes_no(user.can_login_via_platform)) }
                td { code { (user.id_from_network) } }
            }
        }
    };
    let columns = ["Name", "Role", "E-mail", "Phone", "Has a password", "Network’s id"];
    layout::table("People", &columns, &rows)
}

fn campaigns_of(visit: &Visit, mut found: Vec<Campaign>) -> Markup {
    let pages = paged(visit, &mut found, |campaign| campaign.id);
    if found.is_empty() {
        return html! { (layout::none("No campaigns.")) (pages) };
    }
    let rows = html! {
        @for campaign in &found {
            tr {
                th scope="row" { a href=(campaign_path(campaign.id)) { (campaign.name) } }
                td { (layout::badge(campaign.status_at(visit.now()).as_str())) }
                td { (terms_of(campaign)) }
                td { code { (campaign.id_from_network) } }
            }
        }
    };
    let columns = ["Name", "Status", "Terms", "Network’s id"];
    html! { (layout::table("Campaigns", &columns, &rows)) (pages) }
}

fn terms_of(campaign: &Campaign) -> &'static str {
    match (&campaign.current, &campaign.future) {
        (Some(_), Some(_)) => "Live, with changes waiting",
        (Some(_), None) => "Live",
        (None, _) => "Waiting to go live",
    }
}

fn affiliate_campaigns_of(visit: &Visit, mut found: Vec<(AffiliateCampaign, Campaign)>) -> Markup {
    let pages = paged(visit, &mut found, |(it, _)| it.id);
    if found.is_empty() {
        return html! { (layout::none("No affiliate campaigns yet.")) (pages) };
    }
    let rows = html! {
        @for (it, campaign) in &found {
            @let is_active = campaign.status_at(visit.now()) == CampaignStatus::Activated;
            @let terms = campaign.terms_in_force();
            @let payout = terms.and_then(|terms| terms.affiliate_payout.as_ref());
            tr {
                th scope="row" {
                    a href=(affiliate_campaign_path(it.affiliate_id, it.campaign_id)) {
                        (campaign.name)
                    }
                }
                td { (layout::badge(it.status.reads(is_active))) }
                td { (payout.map(|it| it.range()).unwrap_or_default()) }
                td { code { (it.id_from_network) } }
            }
        }
    };
    let columns = ["Campaign", "Status", "Payout", "Network’s id"];
    html! { (layout::table("Affiliate campaigns", &columns, &rows)) (pages) }
}

/// The way to a campaign: its advertiser, for those who may see it.
pub(super) fn trail(visit: &Visit, advertiser: &Party) -> Vec<(String, String)> {
    let path = party_path(advertiser.kind, advertiser.id);
    let sees = visit.sees(advertiser.kind, advertiser.id);
    sees.then(|| (path, advertiser.name.clone())).into_iter().collect()
}
