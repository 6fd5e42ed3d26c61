//! Tests of each kind of finding. `reachability` checks that no reachable node is reported.

mod reachability;

use super::{Finding, Severity, analyze_terms};
use crate::campaign::{CampaignType, Terms};
use crate::condition::SearchBudget;
use crate::hours::{DayHours, WeeklyHours};
use crate::ivr::{IvrNode, KeypressFailover, NodeKind};
use crate::money::Currency;
use crate::region::RegionType;
use crate::sample::{
    condition_node, connect, end_call, menu, node, pricing, region, sms_promo, states, tree,
    verify_location,
};
use Severity::{Error, Info, Warning};
use jiff::Timestamp;

/// Terms without findings.
fn valid_terms() -> Terms {
    Terms {
        ivr_tree: tree(connect("8004377950")),
        advertiser_payin: pricing(Currency::Usd, &[("7", "duration > 60")]),
        affiliate_payout: pricing(Currency::Usd, &[("4.5", "duration > 60")]),
        ..Terms::new(Timestamp::UNIX_EPOCH)
    }
}

fn with_tree(root: IvrNode) -> Terms {
    Terms { ivr_tree: tree(root), ..valid_terms() }
}

fn with_payin(policies: &[(&str, &str)]) -> Terms {
    Terms {
        campaign_type: CampaignType::ExternalOnly,
        advertiser_payin: pricing(Currency::Usd, policies),
        affiliate_payout: None,
        ..valid_terms()
    }
}

fn with_prices(payin: &[(&str, &str)], payout: &[(&str, &str)]) -> Terms {
    Terms {
        advertiser_payin: pricing(Currency::Usd, payin),
        affiliate_payout: pricing(Currency::Usd, payout),
        ..valid_terms()
    }
}

#[track_caller]
fn assert_findings(terms: &Terms, expected: &[(Severity, &str, &str)]) {
    let found = analyze_terms(terms, &SearchBudget::default());
    let found: Vec<_> =
        found.iter().map(|finding| (finding.severity, &*finding.path, &*finding.message)).collect();
    assert_eq!(found, expected);
}

/// Returns the paths of nodes reported as unreachable.
fn unreachable_paths(root: IvrNode) -> Vec<String> {
    let found = analyze_terms(&with_tree(root), &SearchBudget::default());
    let unreachable = found.into_iter().filter(|f| f.message.starts_with("cannot be reached"));
    unreachable.map(|finding| finding.path).collect()
}

#[test]
fn valid_terms_have_no_findings() {
    assert_findings(&valid_terms(), &[]);
}

#[test]
fn findings_of_the_post_season_campaign() {
    let open = |closed| DayHours { open: Some(32_400), close: Some(75_600), closed: Some(closed) };
    let mut days = [true; 7].map(open);
    for weekday in [0, 2, 3] {
        days[weekday] = open(false);
    }
    days[6].close = Some(50_999);
    let terms = Terms {
        operating_24_7: Some(false),
        advertiser_payin: pricing(Currency::Eur, &[("7", "duration > 2 min 30 sec")]),
        affiliate_payout: pricing(Currency::Usd, &[("4.5", ""), ("2.75", "duration > 60")]),
        hours: Some(WeeklyHours { days }),
        ivr_tree: tree(condition_node(
            "during_hours",
            connect("8004377950"),
            connect("8004377950"),
        )),
        named_regions: vec![
            states("West Coast", &["CA", "OR", "WA"]),
            states("East Coast", &["NY", "NJ"]),
        ],
        ..Terms::new(Timestamp::UNIX_EPOCH)
    };
    assert_findings(
        &terms,
        &[
            (
                Warning,
                "affiliate_payout.policies[0].condition",
                "can be true where the payin's is not: a call can have a payout without a payin",
            ),
            (Info, "affiliate_payout", "is in USD and the payin in EUR: no margin can be computed"),
            (Info, "named_regions[0]", "'West Coast' is used by no condition"),
            (Info, "named_regions[1]", "'East Coast' is used by no condition"),
        ],
    );
}

#[test]
fn go_live_problems_are_errors_at_their_paths() {
    assert_findings(
        &Terms::new(Timestamp::UNIX_EPOCH),
        &[
            (Error, "ivr_tree", "can't be blank"),
            (Error, "advertiser_payin", "can't be blank"),
            (Error, "affiliate_payout", "can't be blank"),
        ],
    );
    let inner = menu(vec![end_call(), connect("8004377950"), connect("")]);
    assert_findings(
        &with_tree(menu(vec![inner, node(NodeKind::AnyKeyPress { prompt: "?".into() }, vec![])])),
        &[
            (
                Error,
                "ivr_tree.root.children[0].children[2].destination_phone_number",
                "cannot be empty",
            ),
            (Error, "ivr_tree.root.children[1].children", "must have 2 children: a key and no key"),
        ],
    );
}

#[test]
fn condition_on_a_missing_resource_is_an_error() {
    let terms = Terms {
        named_regions: vec![states("West", &["CA"])],
        ivr_tree: tree(condition_node("in_region[East]", connect("8004377950"), end_call())),
        ..with_payin(&[("7", "in_region[West]"), ("1", "pressed[2] and in_region and sms_sent")])
    };
    assert_findings(
        &terms,
        &[
            (Error, "ivr_tree.root.condition", "cannot be met: there is no region named 'East'"),
            (
                Error,
                "advertiser_payin.policies[1].condition",
                "cannot be met: there is no menu for 'pressed[2]'",
            ),
            (
                Error,
                "advertiser_payin.policies[1].condition",
                "cannot be met: there is no SmsPromo node",
            ),
        ],
    );
}

#[test]
fn base_that_is_never_met_is_an_error() {
    assert_findings(
        &with_payin(&[("7", "mobile and landline"), ("1", "mobile")]),
        &[(Error, "advertiser_payin.policies[0].condition", "is never true: nothing is ever paid")],
    );
}

#[test]
fn constant_policy_conditions_are_warnings() {
    assert_findings(
        &with_payin(&[
            ("7", "duration >= 0"),
            ("1", "repeat and not repeat"),
            ("1", "mobile or not mobile"),
            ("1", ""),
        ]),
        &[
            (Warning, "advertiser_payin.policies[0].condition", "is always true"),
            (
                Warning,
                "advertiser_payin.policies[1].condition",
                "is never true: this bonus is never paid",
            ),
            (Warning, "advertiser_payin.policies[2].condition", "is always true"),
        ],
    );
}

#[test]
fn bonus_disjoint_from_its_base_is_a_warning() {
    assert_findings(
        &with_payin(&[("7", "duration > 60"), ("1", "duration > 30"), ("1", "duration < 60")]),
        &[(
            Warning,
            "advertiser_payin.policies[2].condition",
            "is never true where the base's condition is: this bonus is never paid",
        )],
    );
}

#[test]
fn payout_above_the_payin_is_a_warning() {
    let priced = |payin, payout| with_prices(payin, payout);
    assert_findings(
        &priced(&[("7", "")], &[("1250", "")]),
        &[(
            Warning,
            "affiliate_payout.policies[0].amount",
            "is above the payin's: $1,250.00 is paid out and $7.00 paid in",
        )],
    );
    assert_findings(
        &priced(&[("7", "")], &[("7", ""), ("0.01", "mobile")]),
        &[(
            Warning,
            "affiliate_payout.max",
            "is above the payin's: $7.01 is paid out and $7.00 paid in",
        )],
    );
    assert_findings(&priced(&[("7", ""), ("1", "mobile")], &[("7", "")]), &[]);
}

#[test]
fn different_bases_are_a_warning_only_if_the_payout_is_not_covered() {
    let bases = |payin, payout| with_prices(&[("7", payin)], &[("4.5", payout)]);
    let place = "affiliate_payout.policies[0].condition";
    let uncovered =
        "can be true where the payin's is not: a call can have a payout without a payin";
    let differs = "differs from the payin's: a call can have a payin without a payout";
    assert_findings(&bases("duration > 60", "duration > 30"), &[(Warning, place, uncovered)]);
    assert_findings(&bases("mobile", ""), &[(Warning, place, uncovered)]);
    assert_findings(&bases("duration > 30", "duration > 60"), &[(Info, place, differs)]);
    assert_findings(&bases("duration > 60 and mobile", "mobile and duration >= 61"), &[]);
}

#[test]
fn unknown_and_unused_regions_are_found() {
    let places = [(RegionType::State, "CA"), (RegionType::City, "Paris"), (RegionType::Zone, "W")];
    let mut terms = Terms {
        named_regions: vec![region("West", &places), states("East", &["NY"])],
        ..with_payin(&[("7", "not in_region[West]")])
    };
    let unknown = "is not known: there is no City 'Paris'";
    assert_findings(
        &terms,
        &[
            (Warning, "named_regions[0].regions[1]", unknown),
            (Info, "named_regions[1]", "'East' is used by no condition"),
        ],
    );
    terms.ivr_tree = tree(condition_node("in_region", connect("8004377950"), end_call()));
    assert_findings(&terms, &[(Warning, "named_regions[0].regions[1]", unknown)]);
}

#[test]
fn constant_node_conditions_are_warnings() {
    let never = condition_node("mobile and landline", connect("8004377950"), end_call());
    let always =
        condition_node("media_type present or not media_type present", end_call(), end_call());
    assert_findings(
        &with_tree(menu(vec![never, always])),
        &[
            (Warning, "ivr_tree.root.children[0].condition", "is never true"),
            (
                Warning,
                "ivr_tree.root.children[0].children[0]",
                "cannot be reached: on the way here the condition is never met",
            ),
            // The second branch remains reachable for calls with an unknown media type.
            (Warning, "ivr_tree.root.children[1].condition", "is always true"),
        ],
    );
}

#[test]
fn topmost_unreachable_node_is_reported() {
    let under = condition_node(
        "landline",
        menu(vec![condition_node("landline", end_call(), end_call())]),
        end_call(),
    );
    assert_eq!(
        unreachable_paths(condition_node("mobile", under, end_call())),
        ["ivr_tree.root.children[0].children[0]"]
    );
    let again = condition_node("mobile", end_call(), end_call());
    assert_eq!(
        unreachable_paths(condition_node("mobile", again.clone(), again)),
        ["ivr_tree.root.children[0].children[1]", "ivr_tree.root.children[1].children[0]"]
    );
}

#[test]
fn unknown_facts_meet_neither_a_condition_nor_its_negation() {
    let unknown = condition_node(
        "mobile",
        end_call(),
        condition_node("not mobile", end_call(), connect("8004377950")),
    );
    assert_eq!(unreachable_paths(unknown), [""; 0]);
    // `during_hours` is always known.
    let mut terms = with_tree(condition_node(
        "during_hours",
        end_call(),
        condition_node("not during_hours", end_call(), end_call()),
    ));
    terms.operating_24_7 = Some(true);
    let found = analyze_terms(&terms, &SearchBudget::default());
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].path, "ivr_tree.root.children[1].children[1]");
    assert!(found[0].message.ends_with("the condition is always met"));
}

#[test]
fn passed_menu_has_its_key_and_later_menu_has_none() {
    let one = condition_node("pressed[1]", end_call(), end_call());
    assert_eq!(
        unreachable_paths(menu(vec![one.clone(), one])),
        ["ivr_tree.root.children[0].children[1]", "ivr_tree.root.children[1].children[0]"]
    );
    let second = menu(vec![
        end_call(),
        condition_node(
            "pressed[a 1 b 2]",
            end_call(),
            condition_node("not pressed[2 2]", end_call(), end_call()),
        ),
    ]);
    assert_eq!(
        unreachable_paths(menu(vec![second])),
        ["ivr_tree.root.children[0].children[1].children[1]",]
    );
    let early = condition_node(
        "pressed[1]",
        end_call(),
        menu(vec![condition_node("pressed[1]", end_call(), end_call())]),
    );
    assert_eq!(
        unreachable_paths(early),
        ["ivr_tree.root.children[0]", "ivr_tree.root.children[1].children[0].children[1]"]
    );
    let mut wrong = condition_node("pressed[W]", end_call(), end_call());
    wrong.keypress_failover_type = Some(KeypressFailover::Wrong);
    assert_eq!(
        unreachable_paths(menu(vec![end_call(), wrong])),
        ["ivr_tree.root.children[1].children[1]"]
    );
}

#[test]
fn fact_changed_by_a_node_is_no_longer_constrained() {
    let region = |child| condition_node("in_region", end_call(), child);
    assert_eq!(
        unreachable_paths(region(region(end_call()))),
        ["ivr_tree.root.children[1].children[0]"]
    );
    assert_eq!(unreachable_paths(region(verify_location(region(end_call())))), [""; 0]);
    let sent = |child| condition_node("sms_sent", end_call(), child);
    assert_eq!(
        unreachable_paths(sent(sent(end_call()))),
        ["ivr_tree.root.children[1].children[0]"]
    );
    assert_eq!(unreachable_paths(sent(sms_promo(sent(end_call())))), [""; 0]);
}

#[test]
fn decisions_beyond_the_budget_are_reported_as_unchecked() {
    // Never true, which takes the whole budget of a decision to find out.
    let clauses = (0..30).map(|n| format!("(in_region[{n}] or in_region[{n}b])"));
    let all: Vec<String> = clauses.chain(["not in_region".to_owned()]).collect();
    let big = all.join(" and ");
    let policies = [("1", &*big); 10];
    let budget = SearchBudget::default();
    let found = analyze_terms(&with_prices(&policies, &policies), &budget);
    let undecided: Vec<&str> = found
        .iter()
        .filter(|finding| finding.message == "is too big to be checked fully")
        .map(|finding| &*finding.path)
        .collect();
    assert!(undecided.contains(&"affiliate_payout.policies[9].condition"), "{undecided:?}");
    assert!(budget.steps_used() < 41_000_000, "{}", budget.steps_used());
}

#[test]
fn finding_serializes_severity_path_and_message() {
    let finding = Finding { severity: Warning, path: "ivr_tree".into(), message: "is odd".into() };
    assert_eq!(
        serde_json::to_value(finding).unwrap(),
        serde_json::json!({"severity": "warning", "at": "ivr_tree", "message": "is odd"})
    );
}
