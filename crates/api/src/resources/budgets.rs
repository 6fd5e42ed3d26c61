//! Reads and renders `budget_activities`.

use crate::object_reader::{ObjectReader, ReadContext};
use serde_json::{Map, Value, json};
use trunkline_domain::campaign::{
    Budget, BudgetTotals, Budgets, ConcurrentCallCap, OmittedEnforceFlags, ResetPeriod,
};
use trunkline_domain::money::{Currency, Money};
use trunkline_domain::problem::{BLANK, INVALID};
use trunkline_domain::timezone::{self, TimeZoneName};

/// Reads the three budgets. A budget with problems is `None`.
pub(super) fn read(map: &Map<String, Value>, read_context: ReadContext<'_>) -> Budgets {
    let mut reader = ObjectReader::new(map, read_context);
    let budgets = Budgets {
        budget_cap_alert: read_nested(&mut reader, "budget_cap_alert", read_budget),
        periodic_call_cap_alert: read_nested(&mut reader, "periodic_call_cap_alert", read_budget),
        concurrent_call_cap_alert: read_nested(
            &mut reader,
            "concurrent_call_cap_alert",
            |reader| {
                let budget_amount = read_amount(reader);
                let enforce = reader.boolean("enforce").flatten().unwrap_or_default();
                Some(ConcurrentCallCap { budget_amount: budget_amount?, enforce })
            },
        ),
    };
    reader.finish();
    budgets
}

/// Finds the budgets of `budget_activities` without `enforce`. No dated version of the API documents
/// it, so a client that leaves it out does not switch the enforcement off.
pub(super) fn omitted_enforce_flags(budget_activities: Option<&Value>) -> OmittedEnforceFlags {
    let is_omitted = |name: &str| {
        let budget = budget_activities.and_then(|budgets| budgets.get(name)?.as_object());
        budget.is_some_and(|budget| !budget.contains_key("enforce"))
    };
    OmittedEnforceFlags {
        budget_cap: is_omitted("budget_cap_alert"),
        periodic_call_cap: is_omitted("periodic_call_cap_alert"),
        concurrent_call_cap: is_omitted("concurrent_call_cap_alert"),
    }
}

fn read_nested<T>(
    reader: &mut ObjectReader<'_>,
    name: &'static str,
    read: impl Fn(&mut ObjectReader<'_>) -> Option<T>,
) -> Option<T> {
    let map = reader.object(name)??;
    let mut child = ObjectReader::new(map, reader.child(name));
    let budget = read(&mut child);
    child.finish();
    budget
}

fn read_amount(reader: &mut ObjectReader<'_>) -> Option<Money> {
    if !reader.is_present("budget_amount") {
        reader.error("budget_amount", BLANK);
    }
    reader.money("budget_amount")
}

fn read_budget(reader: &mut ObjectReader<'_>) -> Option<Budget> {
    let start = if reader.is_present("starts_at") { "starts_at" } else { "start_at" };
    for name in ["reset_period", "budget_currency", "time_zone"] {
        if !reader.is_present(name) {
            reader.error(name, BLANK);
        }
    }
    let parse_period =
        |word: &str| ResetPeriod::ALL.into_iter().find(|period| period.as_str() == word);
    let reset_period = reader.enum_value("reset_period", parse_period);
    let budget_currency = reader.enum_value("budget_currency", Currency::parse);
    let time_zone = reader.enum_value("time_zone", TimeZoneName::parse);
    let budget_amount = read_amount(reader);
    let starts_at = match reader.value(start) {
        None | Some(Value::Null) => {
            reader.error("starts_at", BLANK);
            None
        }
        Some(value) => {
            let zone = time_zone.unwrap_or_default();
            let timestamp =
                value.as_str().and_then(|value| timezone::parse_timestamp(value, zone, false));
            if timestamp.is_none() {
                reader.error(start, INVALID);
            }
            timestamp
        }
    };
    let include_call_fees = reader.boolean("include_call_fees").flatten().unwrap_or_default();
    let enforce = reader.boolean("enforce").flatten().unwrap_or_default();
    Some(Budget {
        reset_period: reset_period?,
        starts_at: starts_at?,
        budget_currency: budget_currency?,
        time_zone: time_zone?,
        budget_amount: budget_amount?,
        include_call_fees,
        enforce,
    })
}

/// Renders the budgets that are set; `None` if none is.
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
        let mut object_value = json!({"budget_amount": cap.budget_amount.to_json_number()});
        add_flags(&mut object_value, &[("enforce", cap.enforce)]);
        put("concurrent_call_cap_alert", object_value);
    }
    (!object.is_empty()).then_some(Value::Object(object))
}

fn render_budget(budget: &Budget, total: Option<Money>) -> Value {
    let mut object_value = json!({
        "budget_amount": budget.budget_amount.to_json_number(),
        "budget_currency": budget.budget_currency.as_str(),
        "reset_period": budget.reset_period.as_str(),
        "start_at": timezone::format_iso8601(budget.starts_at, budget.time_zone),
        "total_amount": total.unwrap_or_default().to_json_number(),
        "time_zone": budget.time_zone.name(),
    });
    let flags = [("include_call_fees", budget.include_call_fees), ("enforce", budget.enforce)];
    add_flags(&mut object_value, &flags);
    object_value
}

/// Adds the flags that are true. The example of the source document omits the others.
fn add_flags(object_value: &mut Value, flags: &[(&str, bool)]) {
    if let Some(map) = object_value.as_object_mut() {
        let set = flags.iter().filter(|(_, is_set)| *is_set);
        map.extend(set.map(|(name, is_set)| ((*name).to_owned(), json!(is_set))));
    }
}
