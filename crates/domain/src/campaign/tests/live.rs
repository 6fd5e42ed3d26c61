use crate::campaign::{Budgets, CampaignType, ConcurrentCap, Terms, check_for_live};
use crate::hours::Hours;
use crate::money::{Currency, Money};
use crate::problem::Problems;
use crate::sample::{connect, end, menu, pricing, states, tree, when};
use jiff::Timestamp;
use serde_json::{Value, json};

fn refusal(terms: &Terms) -> Value {
    let mut problems = Problems::new();
    check_for_live(terms, &mut problems);
    problems.to_json()
}

fn complete() -> Terms {
    Terms {
        ivr_tree: tree(connect("8004377950")),
        advertiser_payin: pricing(Currency::Usd, &[("7", "")]),
        affiliate_payout: pricing(Currency::Usd, &[("4.5", "")]),
        ..Terms::new(Timestamp::UNIX_EPOCH)
    }
}

#[test]
fn complete_terms_may_go_live() {
    assert_eq!(refusal(&complete()), json!({}));
}

#[test]
fn only_affiliate_enabled_campaigns_need_prices() {
    let bare = |campaign_type| Terms {
        campaign_type,
        advertiser_payin: None,
        affiliate_payout: None,
        ..complete()
    };
    let blank = ["can't be blank"];
    assert_eq!(
        refusal(&bare(CampaignType::AffiliateEnabled)),
        json!({"advertiser_payin": blank, "affiliate_payout": blank})
    );
    assert_eq!(refusal(&bare(CampaignType::DirectOnly)), json!({}));
    assert_eq!(refusal(&bare(CampaignType::ExternalOnly)), json!({}));
}

#[test]
fn direct_campaigns_have_no_prices_and_only_affiliate_enabled_ones_budgets() {
    let cap = ConcurrentCap { budget_amount: Money::parse("3").unwrap(), enforce: true };
    let budgets = Budgets { concurrent_call_cap_alert: Some(cap), ..Budgets::default() };
    let terms = |campaign_type| Terms { campaign_type, budgets: budgets.clone(), ..complete() };
    let no_budgets = ["is allowed only on AffiliateEnabled campaigns"];
    let no_prices = ["is not allowed on DirectOnly campaigns"];
    assert_eq!(refusal(&terms(CampaignType::AffiliateEnabled)), json!({}));
    assert_eq!(
        refusal(&terms(CampaignType::ExternalOnly)),
        json!({"budget_activities": no_budgets})
    );
    assert_eq!(
        refusal(&terms(CampaignType::DirectOnly)),
        json!({"advertiser_payin": no_prices, "affiliate_payout": no_prices,
               "budget_activities": no_budgets})
    );
}

#[test]
fn every_problem_is_told_at_once_and_at_its_place() {
    let terms = Terms {
        ivr_tree: tree(menu(vec![connect(""), when("in_region[East]", connect(""), end())])),
        advertiser_payin: pricing(Currency::Usd, &[("7", ""), ("1", "pressed[3] or sms_sent")]),
        affiliate_payout: None,
        named_regions: vec![states("Mid-West", &["CA"]), states("Mid\u{2010}West", &["OR"])],
        ..complete()
    };
    let empty = json!({"destination_phone_number": ["cannot be empty"]});
    assert_eq!(
        refusal(&terms),
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
fn without_a_tree_nothing_goes_live() {
    let terms = Terms { ivr_tree: None, ..complete() };
    assert_eq!(refusal(&terms), json!({"ivr_tree": ["can't be blank"]}));
}

#[test]
fn it_is_always_open_unless_hours_or_a_word_say_otherwise() {
    let hours = Some(Hours::default());
    for (said, hours, open) in [
        (None, None, true),
        (None, hours, false),
        (Some(true), hours, true),
        (Some(false), None, false),
    ] {
        let terms = Terms { operating_24_7: said, hours, ..complete() };
        assert_eq!(terms.operating_24_7(), open, "{said:?}");
    }
}
