//! The shape of `budget_activities`.

use crate::fields::{Fields, Reading};
use serde_json::{Map, Value, json};
use trunkline_domain::campaign::{Budget, BudgetTotals, Budgets, ConcurrentCap, ResetPeriod};
use trunkline_domain::money::{Currency, Money};
use trunkline_domain::problem::{BLANK, INVALID};
use trunkline_domain::timezone::{self, ZoneName};

/// Reads the three budgets; each is whole or not there.
pub(super) fn read(map: &Map<String, Value>, reading: Reading<'_>) -> Budgets {
    let mut fields = Fields::new(map, reading);
    let budgets = Budgets {
        budget_cap_alert: read_hash(&mut fields, "budget_cap_alert", read_budget),
        periodic_call_cap_alert: read_hash(&mut fields, "periodic_call_cap_alert", read_budget),
        concurrent_call_cap_alert: read_hash(&mut fields, "concurrent_call_cap_alert", |fields| {
            let budget_amount = read_amount(fields);
            let enforce = fields.boolean("enforce").flatten().unwrap_or_default();
            Some(ConcurrentCap { budget_amount: budget_amount?, enforce })
        }),
    };
    fields.finish();
    budgets
}

fn read_hash<T>(
    fields: &mut Fields<'_>,
    name: &'static str,
    read: impl Fn(&mut Fields<'_>) -> Option<T>,
) -> Option<T> {
    let map = fields.hash(name)??;
    let mut below = Fields::new(map, fields.below(name));
    let value = read(&mut below);
    below.finish();
    value
}

fn read_amount(fields: &mut Fields<'_>) -> Option<Money> {
    if !fields.has("budget_amount") {
        fields.wrong("budget_amount", BLANK);
    }
    fields.money("budget_amount")
}

fn read_budget(fields: &mut Fields<'_>) -> Option<Budget> {
    let start = if fields.has("starts_at") { "starts_at" } else { "start_at" };
    for name in ["reset_period", "budget_currency", "time_zone"] {
        if !fields.has(name) {
            fields.wrong(name, BLANK);
        }
    }
    let parse_period =
        |word: &str| ResetPeriod::ALL.into_iter().find(|period| period.as_str() == word);
    let reset_period = fields.word("reset_period", parse_period);
    let budget_currency = fields.word("budget_currency", Currency::parse);
    let time_zone = fields.word("time_zone", ZoneName::parse);
    let budget_amount = read_amount(fields);
    let said = match fields.value(start) {
        None | Some(Value::Null) => {
            fields.wrong("starts_at", BLANK);
            None
        }
        Some(said) => {
            let zone = time_zone.unwrap_or_default();
            let moment = said.as_str().and_then(|said| timezone::parse_moment(said, zone, false));
            if moment.is_none() {
                fields.wrong(start, INVALID);
            }
            moment
        }
    };
    let include_call_fees = fields.boolean("include_call_fees").flatten().unwrap_or_default();
    let enforce = fields.boolean("enforce").flatten().unwrap_or_default();
    Some(Budget {
        reset_period: reset_period?,
        starts_at: said?,
        budget_currency: budget_currency?,
        time_zone: time_zone?,
        budget_amount: budget_amount?,
        include_call_fees,
        enforce,
    })
}

/// The budgets that there are; `None` when there is none.
pub(super) fn render(budgets: &Budgets, totals: &BudgetTotals) -> Option<Value> {
    let mut object = Map::new();
    let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
    if let Some(cap) = &budgets.budget_cap_alert {
        put("budget_cap_alert", render_budget(cap, totals.budget_cap_alert));
    }
    if let Some(cap) = &budgets.periodic_call_cap_alert {
        put("periodic_call_cap_alert", render_budget(cap, totals.periodic_call_cap_alert));
    }
    if let Some(cap) = &budgets.concurrent_call_cap_alert {
        let mut shown = json!({"budget_amount": cap.budget_amount.to_json_number()});
        add_flags(&mut shown, &[("enforce", cap.enforce)]);
        put("concurrent_call_cap_alert", shown);
    }
    (!object.is_empty()).then_some(Value::Object(object))
}

fn render_budget(budget: &Budget, total: Option<Money>) -> Value {
    let mut shown = json!({
        "budget_amount": budget.budget_amount.to_json_number(),
        "budget_currency": budget.budget_currency.as_str(),
        "reset_period": budget.reset_period.as_str(),
        "start_at": timezone::iso(budget.starts_at, budget.time_zone),
        "total_amount": total.unwrap_or_default().to_json_number(),
        "time_zone": budget.time_zone.name(),
    });
    let flags = [("include_call_fees", budget.include_call_fees), ("enforce", budget.enforce)];
    add_flags(&mut shown, &flags);
    shown
}

/// The documents' own example shows six properties; what is off is left out, as it is there.
fn add_flags(shown: &mut Value, flags: &[(&str, bool)]) {
    if let Some(map) = shown.as_object_mut() {
        let on = flags.iter().filter(|(_, on)| *on);
        map.extend(on.map(|(name, on)| ((*name).to_owned(), json!(on))));
    }
}
