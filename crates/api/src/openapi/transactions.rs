//! The ledger: transactions, corrections, explanations and statements.

use super::operation::Operation;
use super::shapes::{Schemas, answer, example, reference, request, word};
use crate::resources::transactions::columns::{self, Eyes};
use serde_json::{Map, Value, json};

/// Columns that are whole numbers; every other one but `custom_data` is text.
const WHOLE: [&str; 5] =
    ["start_time_utc", "duration", "connect_duration", "ivr_duration", "opt_in_SMS"];

fn column(name: &str) -> Value {
    match name {
        "custom_data" => {
            json!({"type": "array", "description": "The call's custom data.", "items": {
                "type": "object",
                "required": ["name", "value"],
                "additionalProperties": false,
                "properties": {"name": {"type": "string"}, "value": {"type": "string"}},
            }})
        }
        _ if WHOLE.contains(&name) => {
            json!({"type": ["integer", "null"], "description": "`null` where it is not known."})
        }
        _ => json!({"type": "string", "description": "Empty where there is nothing to say."}),
    }
}

fn transaction() -> Value {
    let mut properties = Map::new();
    for eyes in [Eyes::Network, Eyes::Advertiser, Eyes::Affiliate] {
        properties.extend(columns::all(eyes).map(|(name, ..)| ((*name).to_owned(), column(name))));
    }
    let reason = json!({"type": "string", "description": "Of a correction, in its own answer."});
    properties.insert("reason".to_owned(), reason);
    json!({
        "title": "Transaction",
        "description": "A row of the ledger. Which properties there are depends on whose ledger it is, and on the columns asked for.",
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
    })
}

fn correction() -> Value {
    let facts = json!({"type": ["object", "null"], "description": "What is known of the call now, spelled as in a dry run; `null` makes a fact unknown. `start_time` and `promo_number` cannot be corrected."});
    let amount = |of: &str| json!({"type": ["number", "null"], "minimum": 0, "maximum": 1_000_000, "multipleOf": 0.01, "description": format!("The {of}, set by hand.")});
    request(
        "A correction",
        json!({
            "reason": {"type": "string", "minLength": 1, "maxLength": 1000, "pattern": r"\S", "description": "Why."},
            "call": facts,
            "advertiser_payin": amount("payin"),
            "affiliate_payout": amount("payout"),
        }),
        &["reason"],
    )
}

fn explanation() -> Value {
    let correction = json!({
        "type": ["object", "null"],
        "required": ["corrects_transaction_id", "reason", "advertiser_payin_is_set", "affiliate_payout_is_set"],
        "additionalProperties": false,
        "description": "Of a row that corrects another.",
        "properties": {
            "corrects_transaction_id": {"type": "string"},
            "reason": {"type": "string"},
            "advertiser_payin_is_set": {"type": "boolean", "description": "Whether the payin was set by hand."},
            "affiliate_payout_is_set": {"type": "boolean", "description": "Whether the payout was set by hand."},
        },
    });
    let mut explained = super::dry_run::shown();
    explained["title"] = json!("A transaction, explained");
    explained["properties"]["correction"] = correction;
    if let Some(required) = explained["required"].as_array_mut() {
        required.push(json!("correction"));
    }
    explained
}

fn statement_totals() -> Value {
    json!({
        "currency": {"type": ["string", "null"], "enum": ["USD", "GBP", "EUR", null], "description": "`null` for calls that nothing was agreed for."},
        "calls": {"type": "integer", "minimum": 0},
        "paid_calls": {"type": "integer", "minimum": 0, "description": "Calls that something is paid for."},
        "amount": {"type": "number", "minimum": 0, "description": "What is paid, corrections counted in."},
        "corrections": {
            "type": "object",
            "required": ["count", "difference"],
            "additionalProperties": false,
            "properties": {
                "count": {"type": "integer", "minimum": 0},
                "difference": {"type": "number", "description": "What they added to what was first paid."},
            },
        },
    })
}

fn statement() -> Value {
    let mut line = statement_totals();
    line["advertiser_campaign_id_from_network"] = json!({"type": "string"});
    line["advertiser_campaign_name"] = json!({"type": "string"});
    let hash = |properties: Value| {
        let names: Vec<&String> =
            properties.as_object().map(Map::keys).into_iter().flatten().collect();
        json!({"type": "object", "required": names, "additionalProperties": false, "properties": properties})
    };
    let text = || json!({"type": "string"});
    answer(
        "Statement",
        json!({
            "advertiser_id_from_network": text(),
            "advertiser_name": text(),
            "affiliate_id_from_network": text(),
            "affiliate_name": text(),
            "month": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}$"},
            "lines": {"type": "array", "items": hash(line), "description": "One for each campaign and currency."},
            "totals": {"type": "array", "items": hash(statement_totals()), "description": "One for each currency."},
        }),
        &[
            "advertiser_id_from_network",
            "advertiser_name",
            "affiliate_id_from_network",
            "affiliate_name",
        ],
    )
}

fn sample() -> Value {
    json!({"reason": "The destination's own records say 75 seconds.", "call": {"duration": 75}})
}

pub(super) fn schemas() -> Schemas {
    vec![
        ("Transaction", transaction()),
        ("CorrectionRequest", example(correction(), sample())),
        ("Explained", explanation()),
        ("Statement", statement()),
    ]
}

/// What a query of a ledger can say.
pub(super) fn parameters() -> Value {
    let date = r"^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])$";
    let query = |name: &str, description: &str, schema: Value| json!({"name": name, "in": "query", "description": description, "schema": schema});
    let id = || json!({"type": "integer", "minimum": 0, "maximum": i64::MAX});
    let text = || json!({"type": "string"});
    let flag = || word(&["0", "1"], "0 or 1.");
    json!({
        "calls_from": query("from", "Only calls that started at this moment or later: a date, or a date and a time, in the network's zone unless it has an offset. With `to` or not at all.", json!({"type": "string", "pattern": date})),
        "calls_to": query("to", "Only calls that started at this moment or before; a date means its end. With `from` or not at all.", json!({"type": "string", "pattern": date})),
        "transactions_limit": query("limit", "The most rows to answer with.", json!({"type": "integer", "minimum": 1, "maximum": 4000, "default": 1000})),
        "start_after_transaction_id": query("start_after_transaction_id", "The last transaction_id of the page before.", id()),
        "transaction_id": query("transaction_id", "Only this row.", id()),
        "call_record_id": query("call_record_id", "Only the rows of the call with this complete_call_id.", text()),
        "transaction_type": query("transaction_type", "Only rows of this type; comma-separated, repeated, or repeated as `transaction_type[]`.", word(&["Call", "PostCallEvent", "Sale", "Signal"], "Only calls are kept so far.")),
        "include_columns": query("include_columns", "The columns to answer with, in order, comma-separated or repeated as `include_columns[]`; `$default` stands for those that are shown when none are named.", text()),
        "exclude_columns": query("exclude_columns", "Columns to leave out.", text()),
        "column_separator": query("column_separator", "CSV: one ASCII character.", json!({"type": "string", "default": ","})),
        "row_separator": query("row_separator", "CSV: `%0A` or `%0D%0A`.", json!({"type": "string", "default": "\n"})),
        "include_header": query("include_header", "CSV: whether the first line names the columns.", flag()),
        "force_quotes": query("force_quotes", "CSV: whether every field is quoted.", flag()),
        "month": {"name": "month", "in": "query", "required": true, "description": "The month, in the network's zone.", "schema": {"type": "string", "pattern": "^20[0-9]{2}-(0[1-9]|1[0-2])$"}, "example": "2026-11"},
    })
}

fn list(route: &'static str, id: &str, whose: &str) -> Operation {
    let about = format!(
        "Oldest first, by transaction_id. The path's suffix says how: `.json` (the default), `.csv` or `.xml`. {whose} A row is never changed: a correction is a new row, whose `corrects_transaction_id` names the row that its values replace."
    );
    let operation = Operation::get(route, id, "List transactions").about(&about);
    let operation = [
        "calls_from",
        "calls_to",
        "transactions_limit",
        "start_after_transaction_id",
        "transaction_id",
        "call_record_id",
        "transaction_type",
        "include_columns",
        "exclude_columns",
        "column_separator",
        "row_separator",
        "include_header",
        "force_quotes",
    ]
    .into_iter()
    .fold(operation, Operation::with);
    let rows = json!({"type": "array", "items": reference("Transaction")});
    operation.tells_formats("The rows.", rows, &["text/csv", "application/xml"])
}

fn statement_of(route: &'static str, id: &str, of: &str) -> Operation {
    let summary = format!("Read an {of}'s statement");
    Operation::get(route, id, &summary)
        .about("What the month's calls come to, by their newest transactions: a line for each campaign and currency, and a total for each currency. With `.csv` at the end of the path, the lines as CSV.")
        .with("month")
        .tells_formats("The statement.", reference("Statement"), &["text/csv"])
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        list("/api/networks/transactions/{network}", "listTransactions", "For credentials of the whole network."),
        list("/api/advertisers/transactions/{advertiser}", "listAdvertiserTransactions", "As the advertiser sees it: payins, and nothing of payouts. The advertiser is named by the network's id, else by ours."),
        list("/api/affiliates/transactions/{affiliate}", "listAffiliateTransactions", "As the affiliate sees it: payouts, and nothing of payins and callers. The affiliate is named by the network's id, else by ours."),
        Operation::post("/trunkline/transactions/{transaction}/corrections", "correctTransaction", "Correct a transaction")
            .about("Writes a new row in the place of this one, which stays as it is; only the newest row of a call can be corrected. With other facts the call is decided again, by the terms that priced it; an amount that is set counts over that. Statistics, budgets and statements follow. For credentials of the whole network.")
            .takes("CorrectionRequest", sample())
            .with("Idempotency-Key")
            .answers("201", "The new row.", "Transaction"),
        Operation::get("/trunkline/transactions/{transaction}/explanation", "explainTransaction", "Explain a transaction")
            .about("What a dry run says, from the terms that priced the call and the facts of this row. An advertiser sees the way and the payin, an affiliate the payout.")
            .answers("200", "Why it was paid what it was paid.", "Explained"),
        statement_of("/trunkline/statements/advertisers/{advertiser}", "getAdvertiserStatement", "advertiser"),
        statement_of("/trunkline/statements/affiliates/{affiliate}", "getAffiliateStatement", "affiliate"),
    ]
}
