//! The promo numbers of a campaign, or of an affiliate in it.

use crate::layout::{self, custom_facts};
use crate::pages::{affiliate_campaign_path, campaign_path, paged};
use crate::visit::Visit;
use crate::words;
use axum::extract::Path;
use axum::response::Response;
use maud::{Markup, html};
use trunkline_domain::promo::PromoNumber;
use trunkline_network::{affiliate_campaigns, campaigns, promo_numbers};

pub(super) async fn of_campaign(Path(campaign): Path<String>, visit: Visit) -> Response {
    let found = visit.read(|session, context| {
        let campaign = super::id(&campaign)?;
        let numbers = promo_numbers::list_by_ids(session, context, None, campaign, visit.rows())?;
        let (campaign, _) = campaigns::get_by_id(session, context, campaign)?;
        Ok((numbers, campaign))
    });
    let page = found.map(|(numbers, campaign)| {
        let trail = [(campaign_path(campaign.id), campaign.name.clone())];
        page(&visit, &trail, &campaign.name, numbers)
    });
    visit.answer(page)
}

pub(super) async fn of_affiliate(
    Path((affiliate, campaign)): Path<(String, String)>,
    visit: Visit,
) -> Response {
    let found = visit.read(|session, context| {
        let (affiliate, campaign) = (super::id(&affiliate)?, super::id(&campaign)?);
        let rows = visit.rows();
        let numbers =
            promo_numbers::list_by_ids(session, context, Some(affiliate), campaign, rows)?;
        let (it, campaign) =
            affiliate_campaigns::get_by_ids(session, context, affiliate, campaign)?;
        Ok((numbers, it, campaign))
    });
    let page = found.map(|(numbers, it, campaign)| {
        let called = format!("Affiliate {}", it.affiliate_id_from_network);
        let own = affiliate_campaign_path(it.affiliate_id, it.campaign_id);
        let trail = [(campaign_path(campaign.id), campaign.name.clone()), (own, called.clone())];
        page(&visit, &trail, &format!("{called} in {}", campaign.name), numbers)
    });
    visit.answer(page)
}

fn page(
    visit: &Visit,
    trail: &[(String, String)],
    owner: &str,
    mut numbers: Vec<PromoNumber>,
) -> (String, Markup) {
    let pages = paged(visit, &mut numbers, |it| it.id);
    let list = html! {
        @if numbers.is_empty() {
            (layout::none("No promo numbers."))
        } @else {
            (table(visit, &numbers))
        }
        (pages)
    };
    let content = html! {
        (layout::heading(trail, "Promo numbers", owner, None))
        section.card aria-label="Promo numbers" { (list) }
    };
    (format!("Promo numbers of {owner}"), content)
}

fn table(visit: &Visit, numbers: &[PromoNumber]) -> Markup {
    let rows = html! {
        @for it in numbers {
            tr {
                th scope="row" { (words::phone(&it.number)) }
                td { (it.description) }
                td { (it.media_type) }
                td { code { (it.id_from_network) } }
                td { (custom_facts(&it.custom_data)) }
                td { (words::moment(it.created_at, visit.network.time_zone)) }
            }
        }
    };
    let columns = ["Number", "Description", "Media type", "Network’s id", "Custom data", "Taken"];
    layout::table("Promo numbers", &columns, &rows)
}
