use crate::campaign::{MAX_BONUSES, Policy, PolicyType, Pricing};
use crate::condition::Condition;
use crate::money::{Currency, Money};
use crate::problem::Problems;
use crate::sample::pricing;
use serde_json::json;

fn money(amount: &str) -> Money {
    Money::parse(amount).unwrap()
}

fn policy(kind: PolicyType, amount: &str, currency: Currency) -> Policy {
    Policy { kind, amount: money(amount), currency, condition: Condition::always() }
}

#[test]
fn pricings_are_described_as_in_the_source_documents() {
    use Currency::{Eur, Gbp, Usd};
    let cases: [(_, &[(&str, &str)], _, _); 8] = [
        (Usd, &[("3.5", "")], "$3.50 per call", "$3.50 per call"),
        (
            Eur,
            &[("7", "duration > 2 min 30 sec")],
            "€7.00 per call if duration > 2 min 30 sec",
            "€7.00 per call",
        ),
        (
            Usd,
            &[("4.5", ""), ("2.75", "duration > 60")],
            "Base: $4.50 per call Bonus: $2.75 per call if duration > 60",
            "$4.50 - $7.25 per call",
        ),
        (Gbp, &[("1250", "mobile")], "£1,250.00 per call if mobile", "£1,250.00 per call"),
        (
            Usd,
            &[("1000000", ""), ("1000000", "repeat")],
            "Base: $1,000,000.00 per call Bonus: $1,000,000.00 per call if repeat",
            "$1,000,000.00 - $2,000,000.00 per call",
        ),
        (
            Eur,
            &[("1", "mobile"), ("2", " Repeat  or not repeat "), ("0.5", "")],
            "Base: €1.00 per call if mobile Bonus: €2.00 per call if Repeat  or not repeat \
             Bonus: €0.50 per call",
            "€1.00 - €3.50 per call",
        ),
        (Usd, &[("0", " ")], "$0.00 per call", "$0.00 per call"),
        // A single full stop is the empty condition.
        (Usd, &[("3.5", " . ")], "$3.50 per call", "$3.50 per call"),
    ];
    for (currency, policies, description, range) in cases {
        let pricing = pricing(currency, policies).unwrap();
        assert_eq!((&*pricing.describe(), &*pricing.describe_range()), (description, range));
        assert_eq!(pricing.currency(), currency);
    }
}

#[test]
fn min_is_the_base_and_max_the_sum_of_all_policies() {
    let pricing = pricing(Currency::Usd, &[("4.5", ""), ("2.75", ""), ("0.25", "")]).unwrap();
    assert_eq!((pricing.min_amount(), pricing.max_amount()), (money("4.5"), money("7.5")));
    assert_eq!(pricing.bonuses().len(), 2);
}

#[test]
fn base_is_moved_to_the_front_and_bonuses_keep_their_order() {
    use PolicyType::{Base, Bonus};
    let given = [(Bonus, "1"), (Bonus, "2"), (Base, "3"), (Bonus, "4")];
    let policies = given.map(|(kind, amount)| policy(kind, amount, Currency::Usd));
    let mut problems = Problems::new();
    let pricing = Pricing::new(policies.to_vec(), &mut problems).unwrap();
    let amounts: Vec<_> = pricing.policies().iter().map(|policy| policy.amount).collect();
    assert_eq!(amounts, ["3", "1", "2", "4"].map(money));
    assert!(problems.is_empty());
}

#[test]
fn pricing_requires_one_base_one_currency_and_at_most_nine_bonuses() {
    use Currency::{Gbp, Usd};
    use PolicyType::{Base, Bonus};
    let bonuses = |count| vec![policy(Bonus, "1", Usd); count];
    let with = |mut policies: Vec<Policy>, more: &[Policy]| {
        policies.extend_from_slice(more);
        policies
    };
    let base = policy(Base, "1", Usd);
    let no_base = json!({"policies": ["must have exactly one Base"]});
    let too_long = json!({"policies": ["is too long (maximum is 9 bonuses)"]});
    let mixed = json!({"policies": [{}, {"currency": ["must be the same for all policies"]}]});
    for (policies, expected) in [
        (vec![], no_base.clone()),
        (bonuses(1), no_base.clone()),
        (vec![base.clone(), base.clone()], no_base),
        (with(bonuses(MAX_BONUSES), std::slice::from_ref(&base)), json!({})),
        (with(bonuses(MAX_BONUSES + 1), std::slice::from_ref(&base)), too_long),
        (vec![base, policy(Bonus, "1", Gbp)], mixed),
    ] {
        let mut problems = Problems::new();
        let pricing = Pricing::new(policies, &mut problems);
        assert_eq!(problems.to_json(), expected);
        assert_eq!(pricing.is_some(), problems.is_empty());
    }
}
