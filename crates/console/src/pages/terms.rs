//! One set of a campaign's terms, in parts.

use crate::layout::{self, facts, text};
use crate::pages::{budgets, ivr, pricing};
use crate::visit::Visit;
use crate::words;
use maud::{Markup, html};
use trunkline_domain::campaign::{AutoApprove, BudgetTotals, CampaignType, Terms, Visibility};
use trunkline_domain::hours::{DAY_NAMES, Hours};
use trunkline_domain::region::NamedRegion;

/// A part of the terms.
struct Part {
    title: &'static str,
    content: Markup,
    /// Whether it says the same as the terms it is compared with.
    same: bool,
}

/// The parts of one set of terms. Those that say the same as the `before` ones are folded. `totals`
/// are for those who may see what is paid in.
pub(super) fn show(
    visit: &Visit,
    terms: &Terms,
    before: Option<&Terms>,
    totals: Option<&BudgetTotals>,
) -> Markup {
    let parts = parts(visit, terms, before, totals);
    let (same, differ): (Vec<&Part>, Vec<&Part>) = parts.iter().partition(|part| part.same);
    html! {
        @if before.is_some() && differ.is_empty() {
            (layout::none("They say what the current terms say."))
        }
        div.columns {
            @for part in differ { section.card { h3 { (part.title) } (part.content) } }
        }
        @if !same.is_empty() {
            h3.folded { "As in the current terms" }
            @for part in same {
                details.card { summary { (part.title) } (part.content) }
            }
        }
    }
}

fn parts(
    visit: &Visit,
    terms: &Terms,
    before: Option<&Terms>,
    totals: Option<&BudgetTotals>,
) -> Vec<Part> {
    let same = |said: &dyn Fn(&Terms, &Terms) -> bool| before.is_some_and(|it| said(terms, it));
    let mut parts = Vec::new();
    let mut add = |title, content, same| parts.push(Part { title, content, same });
    if totals.is_some() {
        let payin = pricing::show("Advertiser payin", terms.advertiser_payin.as_ref());
        add("Advertiser payin", payin, same(&|a, b| a.advertiser_payin == b.advertiser_payin));
    }
    let payout = pricing::show("Affiliate payout", terms.affiliate_payout.as_ref());
    add("Affiliate payout", payout, same(&|a, b| a.affiliate_payout == b.affiliate_payout));
    let tree = ivr::show(terms.ivr_tree.as_ref());
    add("Call flow", tree, same(&|a, b| a.ivr_tree == b.ivr_tree));
    let when = |it: &Terms| (it.hours, it.operating_24_7(), it.timezone);
    add("Hours", hours(visit, terms), same(&|a, b| when(a) == when(b)));
    if !terms.named_regions.is_empty() || before.is_some_and(|it| !it.named_regions.is_empty()) {
        let regions = regions(&terms.named_regions);
        add("Regions", regions, same(&|a, b| a.named_regions == b.named_regions));
    }
    if let Some(totals) = totals {
        let none = || layout::none("No budgets.");
        let budgets = budgets::show(&terms.budgets, totals).unwrap_or_else(none);
        add("Budgets", budgets, same(&|a, b| a.budgets == b.budgets));
    }
    let rest = same(&|a, b| settings(visit, a).0 == settings(visit, b).0);
    add("Settings", settings(visit, terms), rest);
    parts
}

fn hours(visit: &Visit, terms: &Terms) -> Markup {
    let zone = terms.timezone;
    let open = terms.operating_24_7()
        || terms.hours.is_some_and(|hours| hours.is_open_at(visit.now(), &zone.zone()));
    html! {
        p.lead {
            @if terms.operating_24_7() { "Around the clock" } @else { "By the week" }
            " " (layout::badge(if open { "Open now" } else { "Closed now" }))
        }
        @if let Some(hours) = terms.hours.filter(|_| !terms.operating_24_7()) { (week(&hours)) }
        @if terms.hours.is_some() && terms.operating_24_7() {
            p.hint { "Hours are kept, but don’t count while it operates around the clock." }
        }
        p.hint { "Time zone: " (zone.name()) }
    }
}

fn week(hours: &Hours) -> Markup {
    html! {
        table.week {
            thead { tr { th scope="col" { "Day" } th scope="col" { "Hours" } } }
            tbody {
                @for (name, day) in DAY_NAMES.iter().zip(hours.days) {
                    tr { th.day scope="row" { (name) } td { (words::day(day)) } }
                }
            }
        }
    }
}

fn regions(regions: &[NamedRegion]) -> Markup {
    html! {
        @if regions.is_empty() { (layout::none("No regions.")) }
        dl.facts {
            @for region in regions {
                div {
                    dt { (region.name) }
                    dd {
                        ul.places {
                            @for place in &region.regions {
                                li {
                                    (place.text())
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

fn settings(visit: &Visit, terms: &Terms) -> Markup {
    let campaign_type = match terms.campaign_type {
        CampaignType::AffiliateEnabled => "Affiliates promote it",
        CampaignType::DirectOnly => "The advertiser’s own marketing",
        CampaignType::ExternalOnly => "Calls come in from elsewhere",
    };
    let auto_approve = match terms.auto_approve {
        AutoApprove::All => "Every one",
        AutoApprove::None => "None",
        AutoApprove::ApprovedAffiliates => "Those of approved affiliates",
    };
    let visibility = match terms.visibility {
        Visibility::All => "All affiliates",
        Visibility::None => "Only those that take part already",
        Visibility::ApprovedAffiliates => "Affiliates with an approved relationship",
    };
    let zone = visit.network.time_zone;
    let most = terms.max_promo_numbers;
    facts(&[
        ("Description", text(terms.description.as_deref()).map(|it| html! { span.long { (it) } })),
        ("Click URL", text(terms.url.as_deref()).map(|it| html! { code.source { (it) } })),
        ("Type", text(Some(campaign_type))),
        ("Pricing", text(Some("Fixed"))),
        ("Who sees it", text(Some(visibility))),
        ("Applications approved at once", text(Some(auto_approve))),
        ("Promo numbers at most", Some(html! { (most) })),
        ("Language", text(terms.campaign_language.as_deref())),
        ("Country", text(terms.campaign_country.as_deref())),
        ("Default creative", text(terms.default_creative_id_from_network.as_deref())),
        ("Expires", terms.pause_date.map(|at| words::moment(at, zone))),
    ])
}
