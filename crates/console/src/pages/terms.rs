//! Terms of a campaign, in sections.

use crate::format;
use crate::layout::{self, description_list, text};
use crate::page_request::PageRequest;
use crate::pages::{budgets, ivr, pricing};
use maud::{Markup, html};
use trunkline_domain::campaign::{AutoApprove, BudgetTotals, CampaignType, Terms, Visibility};
use trunkline_domain::hours::{DAY_NAMES, WeeklyHours};
use trunkline_domain::region::NamedRegion;

/// Section of the terms.
struct Section {
    title: &'static str,
    content: Markup,
    /// True if the section equals that of the terms it is compared with.
    is_unchanged: bool,
}

/// Renders terms in sections. Sections that equal those of `before` are collapsed. `totals` are given
/// for users who may view the payin.
pub(super) fn show(
    request: &PageRequest,
    terms: &Terms,
    before: Option<&Terms>,
    totals: Option<&BudgetTotals>,
) -> Markup {
    let sections = sections(request, terms, before, totals);
    let (unchanged, changed): (Vec<&Section>, Vec<&Section>) =
        sections.iter().partition(|section| section.is_unchanged);
    html! {
        @if before.is_some() && changed.is_empty() {
            (layout::empty_note("They equal the current terms."))
        }
        div.columns {
            @for section in changed { section.card { h3 { (section.title) } (section.content) } }
        }
        @if !unchanged.is_empty() {
            h3.folded { "As in the current terms" }
            @for section in unchanged {
                details.card { summary { (section.title) } (section.content) }
            }
        }
    }
}

fn sections(
    request: &PageRequest,
    terms: &Terms,
    before: Option<&Terms>,
    totals: Option<&BudgetTotals>,
) -> Vec<Section> {
    let same = |is_equal: &dyn Fn(&Terms, &Terms) -> bool| {
        before.is_some_and(|before| is_equal(terms, before))
    };
    let mut sections = Vec::new();
    let mut add = |title, content, is_unchanged| {
        sections.push(Section { title, content, is_unchanged });
    };
    if totals.is_some() {
        let payin = pricing::show("Advertiser payin", terms.advertiser_payin.as_ref());
        add("Advertiser payin", payin, same(&|a, b| a.advertiser_payin == b.advertiser_payin));
    }
    let payout = pricing::show("Affiliate payout", terms.affiliate_payout.as_ref());
    add("Affiliate payout", payout, same(&|a, b| a.affiliate_payout == b.affiliate_payout));
    let tree = ivr::show(terms.ivr_tree.as_ref());
    add("Call flow", tree, same(&|a, b| a.ivr_tree == b.ivr_tree));
    let schedule = |terms: &Terms| (terms.hours, terms.operating_24_7(), terms.timezone);
    add("Hours", hours(request, terms), same(&|a, b| schedule(a) == schedule(b)));
    let has_regions = |terms: &Terms| !terms.named_regions.is_empty();
    if has_regions(terms) || before.is_some_and(has_regions) {
        let regions = regions(&terms.named_regions);
        add("Regions", regions, same(&|a, b| a.named_regions == b.named_regions));
    }
    if let Some(totals) = totals {
        let none = || layout::empty_note("No budgets.");
        let budgets = budgets::show(&terms.budgets, totals).unwrap_or_else(none);
        add("Budgets", budgets, same(&|a, b| a.budgets == b.budgets));
    }
    let same_settings = same(&|a, b| settings(request, a).0 == settings(request, b).0);
    add("Settings", settings(request, terms), same_settings);
    sections
}

fn hours(request: &PageRequest, terms: &Terms) -> Markup {
    let zone = terms.timezone;
    let open = terms.operating_24_7()
        || terms.hours.is_some_and(|hours| hours.is_open_at(request.now(), &zone.to_time_zone()));
    html! {
        p.lead {
            @if terms.operating_24_7() { "24 hours, 7 days" } @else { "Weekly hours" }
            " " (layout::badge(if open { "Open now" } else { "Closed now" }))
        }
        @if let Some(hours) = terms.hours.filter(|_| !terms.operating_24_7()) { (week(&hours)) }
        @if terms.hours.is_some() && terms.operating_24_7() {
            p.hint { "The weekly hours are stored, but not used while the campaign is open 24/7." }
        }
        p.hint { "Time zone: " (zone.name()) }
    }
}

fn week(hours: &WeeklyHours) -> Markup {
    html! {
        table.week {
            thead { tr { th scope="col" { "Day" } th scope="col" { "Hours" } } }
            tbody {
                @for (name, day) in DAY_NAMES.iter().zip(hours.days) {
                    tr { th.day scope="row" { (name) } td { (format::opening_hours(day)) } }
                }
            }
        }
    }
}

fn regions(regions: &[NamedRegion]) -> Markup {
    html! {
        @if regions.is_empty() { (layout::empty_note("No regions.")) }
        dl.facts {
            @for region in regions {
                div {
                    dt { (region.name) }
                    dd {
                        ul.places {
                            @for place in &region.regions {
                                li {
                                    (place.display_name())
                                    span.hint { " " (place.region_type.as_str().to_lowercase()) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn settings(request: &PageRequest, terms: &Terms) -> Markup {
    let campaign_type = match terms.campaign_type {
        CampaignType::AffiliateEnabled => "Promoted by affiliates",
        CampaignType::DirectOnly => "Promoted by the advertiser only",
        CampaignType::ExternalOnly => "Calls from an external platform",
    };
    let auto_approve = match terms.auto_approve {
        AutoApprove::All => "All",
        AutoApprove::None => "None",
        AutoApprove::ApprovedAffiliates => "Those of approved affiliates",
    };
    let visibility = match terms.visibility {
        Visibility::All => "All affiliates",
        Visibility::None => "Only affiliates that are in the campaign already",
        Visibility::ApprovedAffiliates => "Affiliates with an approved relationship",
    };
    let zone = request.network.time_zone;
    let max_promo_numbers = terms.max_promo_numbers;
    description_list(&[
        (
            "Description",
            text(terms.description.as_deref()).map(|text| html! { span.long { (text) } }),
        ),
        ("Click URL", text(terms.url.as_deref()).map(|url| html! { code.source { (url) } })),
        ("Type", text(Some(campaign_type))),
        ("Pricing", text(Some("Fixed"))),
        ("Visible to", text(Some(visibility))),
        ("Automatically approved applications", text(Some(auto_approve))),
        ("Maximum promo numbers", Some(html! { (max_promo_numbers) })),
        ("Language", text(terms.campaign_language.as_deref())),
        ("Country", text(terms.campaign_country.as_deref())),
        ("Default creative", text(terms.default_creative_external_id.as_deref())),
        ("Expires", terms.pause_date.map(|time| format::date_time(time, zone))),
    ])
}
