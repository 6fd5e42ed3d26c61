//! Promo numbers of a campaign, or of an affiliate in a campaign.

use crate::format;
use crate::layout::{self, custom_data_list};
use crate::page_request::PageRequest;
use crate::pages::{
    affiliate_campaign_path, affiliate_label, affiliate_names, campaign_path, paginate,
};
use axum::extract::Path;
use axum::response::Response;
use maud::{Markup, html};
use trunkline_domain::promo::PromoNumber;
use trunkline_network::{affiliate_campaigns, campaigns, promo_numbers};

pub(super) async fn campaign(Path(campaign): Path<String>, request: PageRequest) -> Response {
    let result = request.read(|unit, context| {
        let campaign = super::parse_id(&campaign)?;
        let numbers =
            promo_numbers::list_by_ids(unit, context, None, campaign, request.list_page())?;
        let (campaign, _) = campaigns::get_by_id(unit, context, campaign)?;
        Ok((numbers, campaign))
    });
    let page = result.map(|(numbers, campaign)| {
        let breadcrumbs = [(campaign_path(campaign.id), campaign.name.clone())];
        page(&request, &breadcrumbs, &campaign.name, numbers)
    });
    request.respond(page)
}

pub(super) async fn affiliate_campaign(
    Path((affiliate, campaign)): Path<(String, String)>,
    request: PageRequest,
) -> Response {
    let result = request.read(|unit, context| {
        let affiliate = super::parse_id(&affiliate)?;
        let campaign = super::parse_id(&campaign)?;
        let list_page = request.list_page();
        let numbers =
            promo_numbers::list_by_ids(unit, context, Some(affiliate), campaign, list_page)?;
        let (affiliate_campaign, campaign) =
            affiliate_campaigns::get_by_ids(unit, context, affiliate, campaign)?;
        let affiliates = std::slice::from_ref(&affiliate_campaign);
        let names = affiliate_names(unit, &request, affiliates)?;
        Ok((numbers, affiliate_campaign, campaign, names))
    });
    let page = result.map(|(numbers, affiliate_campaign, campaign, names)| {
        let name = names.get(&affiliate_campaign.affiliate_id).map(String::as_str);
        let affiliate_name = affiliate_label(&affiliate_campaign, name);
        let path = affiliate_campaign_path(
            affiliate_campaign.affiliate_id,
            affiliate_campaign.campaign_id,
        );
        let breadcrumbs =
            [(campaign_path(campaign.id), campaign.name.clone()), (path, affiliate_name.clone())];
        page(&request, &breadcrumbs, &format!("{affiliate_name} in {}", campaign.name), numbers)
    });
    request.respond(page)
}

fn page(
    request: &PageRequest,
    breadcrumbs: &[(String, String)],
    owner: &str,
    mut numbers: Vec<PromoNumber>,
) -> (String, Markup) {
    let pages = paginate(request, &mut numbers, |number| number.id.get());
    let list = html! {
        @if numbers.is_empty() {
            (layout::empty_note("No promo numbers."))
        } @else {
            (table(request, &numbers))
        }
        (pages)
    };
    let content = html! {
        (layout::heading(breadcrumbs, "Promo numbers", owner, None))
        section.card aria-label="Promo numbers" { (list) }
    };
    (format!("Promo numbers of {owner}"), content)
}

fn table(request: &PageRequest, numbers: &[PromoNumber]) -> Markup {
    let rows = html! {
        @for promo_number in numbers {
            tr {
                th scope="row" { (format::phone_link(&promo_number.number)) }
                td { (promo_number.description) }
                td { (promo_number.media_type) }
                td { code { (promo_number.external_id) } }
                td { (custom_data_list(&promo_number.custom_data)) }
                td { (format::date_time(promo_number.created_at, request.network.time_zone)) }
            }
        }
    };
    let columns = ["Number", "Description", "Media type", "Network’s id", "Custom data", "Created"];
    layout::table("Promo numbers", &columns, &rows)
}
