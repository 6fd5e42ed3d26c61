use crate::campaign::{
    Budgets, CampaignType, ConcurrentCallCap, Terms, check_go_live_requirements,
};
use crate::hours::WeeklyHours;
use crate::money::{Currency, Money};
use crate::problem::Problems;
use crate::sample::{condition_node, connect, end_call, menu, pricing, states, tree};
use jiff::Timestamp;
use serde_json::{Value, json};

fn go_live_problems(terms: &Terms) -> Value {
    let mut problems = Problems::new();
    check_go_live_requirements(terms, &mut problems);
    problems.to_json()
}

fn complete_terms() -> Terms {
    Terms {
        ivr_tree: tree(connect("8004377950")),
        advertiser_payin: pricing(Currency::Usd, &[("7", "")]),
        affiliate_payout: pricing(Currency::Usd, &[("4.5", "")]),
        ..Terms::new(Timestamp::UNIX_EPOCH)
    }
}

#[test]
fn complete_terms_may_go_live() {
    assert_eq!(go_live_problems(&complete_terms()), json!({}));
}

#[test]
fn only_affiliate_enabled_campaigns_require_pricings() {
    let bare = |campaign_type| Terms {
        campaign_type,
        advertiser_payin: None,
        affiliate_payout: None,
        ..complete_terms()
    };
    let blank = ["can't be blank"];
    assert_eq!(
        go_live_problems(&bare(CampaignType::AffiliateEnabled)),
        json!({"advertiser_payin": blank, "affiliate_payout": blank})
    );
    assert_eq!(go_live_problems(&bare(CampaignType::DirectOnly)), json!({}));
    assert_eq!(go_live_problems(&bare(CampaignType::ExternalOnly)), json!({}));
}

#[test]
fn direct_campaigns_reject_pricings_and_only_affiliate_enabled_ones_accept_budgets() {
    let cap = ConcurrentCallCap { budget_amount: Money::parse("3").unwrap(), enforce: true };
    let budgets = Budgets { concurrent_call_cap_alert: Some(cap), ..Budgets::default() };
    let terms =
        |campaign_type| Terms { campaign_type, budgets: budgets.clone(), ..complete_terms() };
    let no_budgets = ["is allowed only on AffiliateEnabled campaigns"];
    let no_prices = ["is not allowed on DirectOnly campaigns"];
    assert_eq!(go_live_problems(&terms(CampaignType::AffiliateEnabled)), json!({}));
    assert_eq!(
        go_live_problems(&terms(CampaignType::ExternalOnly)),
        json!({"budget_activities": no_budgets})
    );
    assert_eq!(
        go_live_problems(&terms(CampaignType::DirectOnly)),
        json!({"advertiser_payin": no_prices, "affiliate_payout": no_prices,
               "budget_activities": no_budgets})
    );
}

#[test]
fn all_problems_are_reported_at_their_paths() {
    let terms = Terms {
        ivr_tree: tree(menu(vec![
            connect(""),
            condition_node("in_region[East]", connect(""), end_call()),
        ])),
        advertiser_payin: pricing(Currency::Usd, &[("7", ""), ("1", "pressed[3] or sms_sent")]),
        affiliate_payout: None,
        named_regions: vec![states("Mid-West", &["CA"]), states("Mid\u{2010}West", &["OR"])],
        ..complete_terms()
    };
    let empty = json!({"destination_phone_number": ["cannot be empty"]});
    assert_eq!(
        go_live_problems(&terms),
        json!({
            "named_regions": [{}, {"name": ["has already been taken"]}],
            "ivr_tree": {"children": [
                {"0": empty},
                {"1": {"children": [{"0": empty}],
                       "condition": ["cannot be met: there is no region named 'East'"]}}
            ]},
            "advertiser_payin": {"policies": [{}, {"condition": [
                "cannot be met: there is no menu for 'pressed[3]'",
                "cannot be met: there is no SmsPromo node"
            ]}]},
            "affiliate_payout": ["can't be blank"]
        })
    );
}

#[test]
fn terms_without_ivr_tree_cannot_go_live() {
    let terms = Terms { ivr_tree: None, ..complete_terms() };
    assert_eq!(go_live_problems(&terms), json!({"ivr_tree": ["can't be blank"]}));
    let campaign_type = CampaignType::DirectOnly;
    let direct = Terms { campaign_type, advertiser_payin: None, affiliate_payout: None, ..terms };
    assert_eq!(go_live_problems(&direct), json!({"ivr_tree": ["can't be blank"]}));
    // The calls of an ExternalOnly campaign are routed elsewhere.
    let external = Terms { campaign_type: CampaignType::ExternalOnly, ..direct };
    assert_eq!(go_live_problems(&external), json!({}));
}

#[test]
fn operating_24_7_defaults_to_true_without_hours() {
    let hours = Some(WeeklyHours::default());
    for (flag, hours, is_open) in [
        (None, None, true),
        (None, hours, false),
        (Some(true), hours, true),
        (Some(false), None, false),
    ] {
        let terms = Terms { operating_24_7: flag, hours, ..complete_terms() };
        assert_eq!(terms.operating_24_7(), is_open, "{flag:?}");
    }
}
