//! Laws of the ledger, over generated calls and corrections: lists, statements, budgets, statistics, dry
//! runs and explanations show the same amounts.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use std::cell::Cell;
use std::collections::BTreeMap;
use trunkline_domain::call::Outcome;
use trunkline_domain::call::{CallFacts, LedgerAmount, PhoneType, Settlement};
use trunkline_domain::money::{Currency, Money};
use trunkline_domain::party::PartyKind;
use trunkline_domain::phone::PhoneNumber;
use trunkline_domain::timezone::TimeZoneName;
use trunkline_network::call_moves::PartiesChange;
use trunkline_network::calls::{self, ReportedCall, SubmittedCall};
use trunkline_network::corrections::{self, CorrectionChange, FactsChange};
use trunkline_network::dry_run::{self, DryRunRequest};
use trunkline_network::quick_stats::{self, QuickStats};
use trunkline_network::transactions::{self, Ledger, TransactionFilter};
use trunkline_network::{CallTotals, LedgerRow, Page, StatementTotals, Submission};
use trunkline_network::{campaigns, explanations, statements};
use trunkline_tests::body::{affiliate_campaign_path, campaign_path};
use trunkline_tests::{Client, Server};

/// Start of the generated calls: 2200-03-01, ten days before the Pacific zone's clocks change.
const FIRST_START_SECONDS: i64 = 7_263_216_000;
/// Range of start times in days.
const START_RANGE_DAYS: i64 = 45;

/// A generated call. Campaigns and affiliates are indexes.
#[derive(Debug, Clone)]
struct GeneratedCall {
    campaign: usize,
    affiliate: usize,
    /// Milliseconds after the first start time. Negative values are long before the campaign exists.
    start: i64,
    duration: Option<u32>,
    connected: Option<u32>,
    mobile: Option<bool>,
    caller: Option<usize>,
    keys: Vec<char>,
}

/// A generated correction. The call is an index of one of the first calls, so that some calls are
/// corrected more than once.
#[derive(Debug, Clone)]
struct GeneratedCorrection {
    call: usize,
    duration: Option<Option<u32>>,
    mobile: Option<bool>,
    payin: Option<u32>,
    payout: Option<u32>,
}

fn generated_call() -> impl Strategy<Value = GeneratedCall> {
    let duration = || proptest::option::weighted(0.9, 0u32..200);
    let start = prop_oneof![9 => 0i64..START_RANGE_DAYS * 86_400_000, 1 => Just(-1i64)];
    let keys = proptest::collection::vec(proptest::sample::select(vec!['1', '2', '9']), 0..3);
    let facts = (duration(), duration(), any::<Option<bool>>(), proptest::option::of(0usize..3));
    (0usize..3, 0usize..3, start, facts, keys).prop_map(
        |(campaign, affiliate, start, (duration, connected, mobile, caller), keys)| {
            let connected = connected.map(|item| duration.map_or(item, |all| item.min(all)));
            GeneratedCall { campaign, affiliate, start, duration, connected, mobile, caller, keys }
        },
    )
}

fn generated_correction() -> impl Strategy<Value = GeneratedCorrection> {
    let cents = || proptest::option::weighted(0.3, 0u32..2_000);
    let duration = proptest::option::of(proptest::option::weighted(0.9, 0u32..200));
    (0usize..6, duration, any::<Option<bool>>(), cents(), cents()).prop_map(
        |(call, duration, mobile, payin, payout)| GeneratedCorrection {
            call,
            duration,
            mobile,
            payin,
            payout,
        },
    )
}

/// An advertiser with three campaigns, and two approved affiliates.
struct World<'a> {
    server: &'a Server,
    network: Client,
    advertiser: String,
    campaigns: [String; 3],
    affiliates: [Option<String>; 3],
}

/// Time zones that the campaigns are moved to.
const ZONES: [&str; 4] = ["Pacific Time (US & Canada)", "Tokyo", "Kathmandu", "Adelaide"];

fn budget(reset_period: &str, zone: &str, currency: &str) -> Value {
    json!({"reset_period": reset_period, "starts_at": "2200-01-01T00:00:00Z", "budget_currency": currency,
        "time_zone": zone, "budget_amount": 100})
}

impl<'a> World<'a> {
    fn new(server: &'a Server, case: usize) -> Self {
        let network = server.network();
        let name = |what: &str| format!("{what}{case}");
        let advertiser = name("a");
        let campaigns = ["x", "y", "z"].map(name);
        let prices = |base: f64, currency: &str, condition: &str| {
            json!({"policies": [
                {"type": "Base", "amount": base, "currency": currency, "condition": condition},
                {"type": "Bonus", "amount": 0.99, "currency": currency, "condition": "mobile or connect_duration > 100"}]})
        };
        let connect = json!({"node_type": "Connect", "destination_phone_number": "8005550101"});
        let menu = json!({"root": {"node_type": "Menu", "prompt": "Press 1 or 2.", "children": [connect, connect]}});
        let enforced = trunkline_tests::body::merged(
            budget("Weekly", "London", "EUR"),
            json!({"budget_amount": 2, "enforce": true}),
        );
        let more = [
            json!({"timezone": ZONES[0], "advertiser_payin": prices(7.03, "USD", "duration > 60"),
                "affiliate_payout": prices(4.5, "USD", "duration > 60 and not repeat"),
                "budget_activities": {"budget_cap_alert": budget("Ongoing", ZONES[0], "USD")}}),
            json!({"timezone": ZONES[1], "advertiser_payin": prices(5.0, "GBP", "pressed[1]"),
                "affiliate_payout": prices(3.33, "USD", ""), "ivr_tree": menu,
                "budget_activities": {"budget_cap_alert": budget("Daily", ZONES[1], "GBP")}}),
            json!({"timezone": ZONES[2], "advertiser_payin": prices(1.0, "EUR", ""),
                "affiliate_payout": prices(0.5, "EUR", "connect_duration >= 30"),
                "budget_activities": {"call_cap_alert": enforced}}),
        ];
        for (campaign, more) in campaigns.iter().zip(more) {
            let more = trunkline_tests::body::merged(json!({"auto_approve": "All"}), more);
            network.has_live_campaign(&advertiser, campaign, more);
        }
        let affiliates = [Some(name("f")), Some(name("g")), None];
        for affiliate in affiliates.iter().flatten() {
            network.has_affiliate(affiliate);
        }
        // The first affiliate has applied to all campaigns, the second to one.
        for (campaign, affiliate) in [(0, 0), (1, 0), (2, 0), (1, 1)] {
            let affiliate = affiliates[affiliate].as_deref().expect("a name");
            let path = affiliate_campaign_path(&advertiser, &campaigns[campaign], affiliate);
            network.post(&path, json!({})).expect(201);
        }
        Self { server, network, advertiser, campaigns, affiliates }
    }

    /// Dry-runs a call, then reports it: both amounts are equal.
    fn report(&self, index: usize, created: &GeneratedCall) -> Result<(), TestCaseError> {
        let start = match created.start {
            -1 => Timestamp::from_second(1_000_000_000),
            after => Timestamp::from_millisecond(FIRST_START_SECONDS * 1_000 + after),
        };
        let start = start.expect("a moment");
        let phone = |mobile| if mobile { PhoneType::Mobile } else { PhoneType::Landline };
        let number = |index| PhoneNumber::parse(&format!("805555010{index}")).expect("a number");
        let facts = CallFacts {
            calling_phone_number: created.caller.map(number),
            start_time: Some(start),
            duration: created.duration,
            connect_duration: created.connected,
            phone_type: created.mobile.map(phone),
            ..CallFacts::default()
        };
        let campaign = self.campaigns[created.campaign].clone();
        let affiliate = self.affiliates[created.affiliate].clone();
        let dry_run_request = DryRunRequest {
            campaign: Some(campaign.clone()),
            affiliate: affiliate.clone(),
            // On a real call a withheld number is a caller who has not called before; in a dry run it is
            // unknown.
            facts: CallFacts {
                repeat: facts.repeat.or(facts.calling_phone_number.is_none().then_some(false)),
                ..facts.clone()
            },
            keys: created.keys.clone(),
            ..DryRunRequest::default()
        };
        let external = format!("{}-{index}", self.advertiser);
        let call = SubmittedCall {
            external_id: Some(external.clone()),
            start_time: Some(start),
            campaign: Some(campaign),
            affiliate,
            facts,
            keys: created.keys.clone(),
            ..SubmittedCall::default()
        };
        let dry = self.server.run_use_case(start, move |unit, context| {
            let change = Submission { change: dry_run_request, ..Submission::default() };
            let dry = dry_run::dry_run(unit, context, change)?;
            let change = Submission { change: call, ..Submission::default() };
            calls::ingest_call(unit, context, ReportedCall::new(change, external), None)?;
            Ok(dry.decision)
        });
        let dry = dry.expect("an acceptable call");
        let last = self.rows().pop().expect("a row");
        let stored = &last.transaction.settlement;
        // A reported connection stands where the path of a dry run contradicts it.
        let is_contradicted =
            dry.outcome != Outcome::Connected && created.connected.is_some_and(|talk| talk > 0);
        if created.start >= 0 && !is_contradicted {
            prop_assert_eq!(dry.outcome, stored.outcome);
            prop_assert_eq!(dry.reason, stored.reason);
            prop_assert_eq!(dry.advertiser_payin.map(LedgerAmount::from), stored.payin.clone());
            prop_assert_eq!(dry.affiliate_payout.map(LedgerAmount::from), stored.payout.clone());
        }
        Ok(())
    }

    /// Corrects the newest row of a call. A correction without a change, or of an amount that is not part of
    /// the terms, is rejected and changes nothing.
    fn correct(&self, fixed: &GeneratedCorrection) {
        let newest = newest(&self.rows());
        let Some(row) = newest.get(fixed.call % newest.len().max(1)) else { return };
        let id = row.transaction.id.to_string();
        let phone = |mobile| if mobile { PhoneType::Mobile } else { PhoneType::Landline };
        let money = |cents: u32| Money::from_cents(i64::from(cents)).expect("an amount");
        let facts = FactsChange {
            duration: fixed.duration,
            connect_duration: fixed.duration.map(|_| None),
            phone_type: fixed.mobile.map(|mobile| Some(phone(mobile))),
            ..FactsChange::default()
        };
        let change = CorrectionChange {
            reason: Some("Told wrong.".to_owned()),
            facts: (facts != FactsChange::default()).then_some(facts),
            payin: fixed.payin.map(money),
            payout: fixed.payout.map(money),
            parties: PartiesChange::default(),
        };
        let count = self.rows().len();
        let now = Timestamp::from_second(FIRST_START_SECONDS + (START_RANGE_DAYS + 1) * 86_400)
            .expect("a moment");
        let done = self.server.run_use_case(now, move |unit, context| {
            let change = Submission { change, ..Submission::default() };
            corrections::correct(unit, context, &id, change, None)
        });
        assert_eq!(self.rows().len(), count + usize::from(done.is_ok()));
    }

    /// Rows of the advertiser's ledger, read page by page.
    fn rows(&self) -> Vec<LedgerRow> {
        let ledger = Ledger::Party(PartyKind::Advertiser, self.advertiser.clone());
        let rows = self.server.run_use_case(Timestamp::UNIX_EPOCH, move |unit, context| {
            let mut rows: Vec<LedgerRow> = Vec::new();
            loop {
                let after = rows.last().map_or(0, |row| row.transaction.id.get());
                let page = Page::new(after, 7);
                let more = transactions::list(
                    unit,
                    context,
                    &ledger,
                    &TransactionFilter::default(),
                    page,
                )?;
                if more.is_empty() {
                    return Ok(rows);
                }
                rows.extend(more);
            }
        });
        rows.expect("a ledger")
    }

    /// Current total of a campaign's payin budget.
    fn budget(&self, campaign: usize, now: Timestamp) -> i64 {
        let advertiser = self.advertiser.clone();
        let id = self.campaigns[campaign].clone();
        let result = self.server.run_use_case(now, move |unit, context| {
            campaigns::get(unit, context, &advertiser, &id)
        });
        let total = result.expect("a campaign").budget_totals[0].budget_cap_alert;
        total.expect("a budget").cents()
    }

    fn quick_stats(&self, campaign: usize, now: Timestamp) -> QuickStats {
        let advertiser = self.advertiser.clone();
        let id = self.campaigns[campaign].clone();
        let result = self.server.run_use_case(now, move |unit, context| {
            quick_stats::quick_stats(unit, context, &advertiser, &id)
        });
        result.expect("statistics")
    }

    /// Statement totals of a party by campaign, currency and month, for every month with calls.
    fn statements(
        &self,
        kind: PartyKind,
        party: &str,
    ) -> BTreeMap<(String, String), StatementTotals> {
        let mut result = BTreeMap::new();
        for month in ["2001-09-01", "2200-02-01", "2200-03-01", "2200-04-01"] {
            let party = party.to_owned();
            let first = month.parse().expect("a date");
            let statement =
                self.server.run_use_case(Timestamp::UNIX_EPOCH, move |unit, context| {
                    statements::get(unit, context, kind, &party, first)
                });
            let statement = statement.expect("a statement");
            let mut sums: BTreeMap<Option<&str>, [i64; 5]> = BTreeMap::new();
            for line in statement.lines {
                let item = line.totals;
                let sum = sums.entry(item.currency.map(Currency::as_str)).or_default();
                let values =
                    [item.calls, item.paid_calls, item.amount, item.corrections, item.difference];
                sum.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
                let key = (line.campaign.external_id, month[..7].to_owned());
                assert_eq!(result.insert(key, item), None, "a line each");
            }
            for item in &statement.totals {
                let values =
                    [item.calls, item.paid_calls, item.amount, item.corrections, item.difference];
                assert_eq!(sums.remove(&item.currency.map(Currency::as_str)), Some(values));
            }
            assert!(sums.is_empty(), "a total for each currency");
        }
        result
    }
}

/// Rows that are not corrected by another row.
fn newest(rows: &[LedgerRow]) -> Vec<LedgerRow> {
    let replaced = |id| rows.iter().any(|row| row.transaction.corrects_id == Some(id));
    rows.iter().filter(|row| !replaced(row.transaction.id)).cloned().collect()
}

fn cents(side: Option<&LedgerAmount>) -> i64 {
    side.map_or(0, |side| side.amount.cents())
}

type SideOf = fn(&Settlement) -> Option<&LedgerAmount>;

/// Checks that statements are the sums of the newest rows.
fn check_statements(world: &World<'_>, rows: &[LedgerRow]) -> Result<(), TestCaseError> {
    let zone = TimeZoneName::PACIFIC.to_time_zone();
    let parties = world.affiliates.iter().flatten().map(|id| (PartyKind::Affiliate, id));
    for (kind, party) in parties.chain([(PartyKind::Advertiser, &world.advertiser)]) {
        let side: SideOf = match kind {
            PartyKind::Advertiser => |item| item.payin.as_ref(),
            PartyKind::Affiliate => |item| item.payout.as_ref(),
        };
        // Calls, paid calls, amount, corrections, difference.
        let mut sums: BTreeMap<(String, String), [i64; 5]> = BTreeMap::new();
        for row in newest(rows) {
            let affiliate = row.affiliate.as_ref().map(|item| &item.external_id);
            if kind == PartyKind::Affiliate && affiliate != Some(party) {
                continue;
            }
            let month = row.transaction.start_time.to_zoned(zone.clone()).strftime("%Y-%m");
            let key = (row.campaign.external_id.clone(), month.to_string());
            let sum = sums.entry(key).or_default();
            let of_call: Vec<&LedgerRow> = rows
                .iter()
                .filter(|item| item.transaction.call_id == row.transaction.call_id)
                .collect();
            let amount = cents(side(&row.transaction.settlement));
            sum[0] += 1;
            sum[1] += i64::from(amount > 0);
            sum[2] += amount;
            sum[3] += i64::try_from(of_call.len()).expect("a few") - 1;
            sum[4] += amount - cents(side(&of_call[0].transaction.settlement));
        }
        let stated = world.statements(kind, party).into_iter().map(|(key, item)| {
            (key, [item.calls, item.paid_calls, item.amount, item.corrections, item.difference])
        });
        prop_assert_eq!(stated.collect::<BTreeMap<_, _>>(), sums, "{} {}", kind.as_str(), party);
    }
    Ok(())
}

/// Checks that budgets are the sums of the newest rows of their period.
fn check_budgets(world: &World<'_>, rows: &[LedgerRow]) -> Result<(), TestCaseError> {
    let newest = newest(rows);
    let end = Timestamp::from_second(FIRST_START_SECONDS + (START_RANGE_DAYS + 1) * 86_400)
        .expect("a moment");
    let sum_of = |campaign: usize, within: &dyn Fn(Timestamp) -> bool| -> i64 {
        let rows_of_campaign = newest.iter().filter(|row| {
            row.campaign.external_id == world.campaigns[campaign]
                && within(row.transaction.start_time)
        });
        rows_of_campaign.map(|row| cents(row.transaction.settlement.payin.as_ref())).sum()
    };
    let first = Timestamp::from_second(FIRST_START_SECONDS).expect("a moment");
    prop_assert_eq!(world.budget(0, end), sum_of(0, &|start| start >= first), "ongoing");
    // Periods begin at the midnights of the budget's own time zone, the first one at its start.
    let zone = TimeZoneName::parse(ZONES[1]).expect("a zone").to_time_zone();
    for day in 0..=START_RANGE_DAYS {
        let time = Timestamp::from_second(FIRST_START_SECONDS + day * 86_400).expect("a moment");
        let date = time.to_zoned(zone.clone()).date();
        let midnight = |days: i64| {
            let date = date.checked_add(days.days()).expect("a date");
            date.to_zoned(zone.clone()).expect("a midnight").timestamp()
        };
        let (begin, next) = (midnight(0).max(first), midnight(1));
        prop_assert_eq!(
            world.budget(1, time),
            sum_of(1, &|start| start >= begin && start < next),
            "{}",
            time
        );
    }
    Ok(())
}

/// Checks statistics against a recount in the campaign's time zone.
fn check_stats(
    world: &World<'_>,
    rows: &[LedgerRow],
    campaign: usize,
    zone: TimeZone,
) -> Result<(), TestCaseError> {
    let newest = newest(rows);
    for day in [0, 9, 10, 11, 31, START_RANGE_DAYS] {
        for hour in [0, 7, 15, 20] {
            let now = Timestamp::from_second(FIRST_START_SECONDS + day * 86_400 + hour * 3_600)
                .expect("a moment");
            let today = now.to_zoned(zone.clone()).date();
            let recount = |days: i64| {
                let since = today.saturating_sub((days - 1).days());
                let mut totals = CallTotals::default();
                for row in &newest {
                    let date = row.transaction.start_time.to_zoned(zone.clone()).date();
                    if row.campaign.external_id == world.campaigns[campaign]
                        && (since..=today).contains(&date)
                    {
                        let duration = row.facts.facts.duration;
                        totals.calls += 1;
                        totals.seconds += i64::from(duration.unwrap_or(0));
                        totals.timed_calls += i64::from(duration.is_some());
                    }
                }
                totals
            };
            let stats = world.quick_stats(campaign, now);
            prop_assert_eq!(stats.today, recount(1), "today, {}", now);
            prop_assert_eq!(stats.last_7_days, recount(7), "7 days, {}", now);
            prop_assert_eq!(stats.last_30_days, recount(30), "30 days, {}", now);
        }
    }
    Ok(())
}

/// Checks that an explanation results in the stored amounts.
fn check_explanations(world: &World<'_>, rows: &[LedgerRow]) -> Result<(), TestCaseError> {
    for row in rows {
        let id = row.transaction.id.to_string();
        let explained = world
            .server
            .run_use_case(Timestamp::UNIX_EPOCH, move |unit, context| {
                explanations::explain(unit, context, &id)
            })
            .expect("an explanation");
        let decision = explained.dry_run.decision;
        let stored = &row.transaction.settlement;
        prop_assert_eq!(decision.outcome, stored.outcome);
        let amount = |item: &trunkline_domain::call::Payment| (item.amount, item.currency);
        let amount_of = |item: &LedgerAmount| (item.amount, item.currency);
        prop_assert_eq!(
            decision.advertiser_payin.as_ref().map(amount),
            stored.payin.as_ref().map(amount_of)
        );
        prop_assert_eq!(
            decision.affiliate_payout.as_ref().map(amount),
            stored.payout.as_ref().map(amount_of)
        );
        let matching = decision.advertiser_payin.map(|item| item.matching_policies);
        prop_assert_eq!(matching, stored.payin.as_ref().map(|item| item.matching_policies.clone()));
    }
    Ok(())
}

#[test]
fn all_views_of_the_ledger_agree_on_amounts() {
    let server = Server::start();
    let case = Cell::new(0);
    let calls = proptest::collection::vec(generated_call(), 1..25);
    let plan = (calls, proptest::collection::vec(generated_correction(), 0..12), any::<bool>());
    let config = Config { cases: 16, failure_persistence: None, ..Config::default() };
    let law = TestRunner::new(config).run(&plan, |(calls, fixes, asked_before)| {
        case.set(case.get() + 1);
        let world = World::new(&server, case.get());
        if asked_before {
            // A stored total equals a total that is computed on request.
            check_budgets(&world, &[])?;
        }
        for (index, created) in calls.iter().enumerate() {
            world.report(index, created)?;
        }
        for fixed in &fixes {
            world.correct(fixed);
        }
        let rows = world.rows();
        prop_assert!(rows.len() >= calls.len());
        check_statements(&world, &rows)?;
        check_budgets(&world, &rows)?;
        check_explanations(&world, &rows)?;
        // A changed start makes the budget recompute its total.
        let later = trunkline_tests::body::merged(
            budget("Ongoing", ZONES[0], "USD"),
            json!({"starts_at": "2200-01-02T00:00:00Z"}),
        );
        let path = campaign_path(&world.advertiser, &world.campaigns[0]);
        let budgets = json!({"budget_activities": {"budget_cap_alert": later}});
        world.network.put(&path, budgets).expect(200);
        world.network.go_live(&world.advertiser, &world.campaigns[0]);
        check_budgets(&world, &rows)?;
        for zone in ZONES {
            world.network.put(&path, json!({"timezone": zone})).expect(200);
            world.network.go_live(&world.advertiser, &world.campaigns[0]);
            let zone = TimeZoneName::parse(zone).expect("a zone").to_time_zone();
            check_stats(&world, &rows, 0, zone)?;
        }
        Ok(())
    });
    law.unwrap_or_else(|error| panic!("{error}"));
}

/// Asserts that the generator covers every kind of call, so that the law above is not empty.
#[test]
fn generated_calls_cover_every_kind() {
    let server = Server::start();
    let world = World::new(&server, 0);
    let call = |campaign, affiliate, start: SignedDuration| GeneratedCall {
        campaign,
        affiliate,
        start: i64::try_from(start.as_millis()).expect("a few days"),
        duration: Some(120),
        connected: Some(110),
        mobile: None,
        caller: None,
        keys: vec!['1'],
    };
    for (index, (campaign, affiliate)) in
        [(0, 0), (0, 1), (1, 1), (2, 2), (2, 0), (2, 0)].into_iter().enumerate()
    {
        let start = SignedDuration::from_secs(i64::try_from(index).expect("a few"));
        world.report(index, &call(campaign, affiliate, start)).expect("a lawful call");
    }
    let reasons: Vec<String> = world
        .rows()
        .iter()
        .map(|row| match row.transaction.settlement.reason {
            Some(reason) => reason.as_str().to_owned(),
            None => cents(row.transaction.settlement.payin.as_ref()).to_string(),
        })
        .collect();
    assert_eq!(reasons, ["802", "affiliate_not_approved", "599", "199", "199", "over_cap"]);
}
