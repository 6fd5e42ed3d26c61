//! Ledger: transactions, corrections, explanations and statements.

use super::operation::Operation;
use super::pricing::amount;
use super::schema::{
    NamedSchemas, enumeration, enumeration_or_null, nullable, request_object, response_object,
    schema_reference, with_example,
};
use crate::resources::transactions::column_selection::KEY_COLUMNS;
use crate::resources::transactions::column_table::COLUMNS;
use crate::resources::transactions::columns::{Column, ColumnValue};
use serde_json::{Map, Value, json};

/// Schema of a column. A custom data field of the same name replaces most of them.
fn column_schema(column: &Column) -> Value {
    let text = |description: &str| json!({"type": ["string", "null"], "description": description});
    let number = |description: &str| json!({"type": ["integer", "null"], "format": "int64", "description": description});
    match column.value {
        ColumnValue::Text(_) if KEY_COLUMNS.contains(&column.name) => json!({"type": "string"}),
        ColumnValue::Text(_) => text("Empty if it does not apply or is not known."),
        ColumnValue::Number(_) => number("`null` if it is not known."),
        ColumnValue::NoText(absence) => text(absence.describe()),
        ColumnValue::NoNumber(absence) => number(absence.describe()),
        ColumnValue::CustomData => {
            let item = json!({
                "type": "object",
                "required": ["name", "data_type", "source", "value"],
                "additionalProperties": false,
                "properties": {
                    "name": {"type": "string"},
                    "data_type": enumeration(&["Category", "Short Text", "Date", ""], "Empty if the field was deleted."),
                    "source": enumeration(&["Api", "VirtualLine", "AffiliateCampaign", "Affiliate", "AdvertiserCampaign", "Advertiser", ""], "Object from which the call has the value: `Api` is the request; empty if it is not known."),
                    "value": {"type": "string"},
                },
            });
            json!({"type": "array", "description": "Custom data of the call. Not in CSV.", "items": item})
        }
    }
}

fn transaction_schema() -> Value {
    let mut properties: Map<String, Value> =
        COLUMNS.iter().map(|column| (column.name.to_owned(), column_schema(column))).collect();
    let reason = json!({"type": "string", "description": "Reason of the correction, only in the response that created it."});
    properties.insert("reason".to_owned(), reason);
    json!({
        "description": "Row of the ledger. Its properties are the requested columns. A property that is not listed is a custom data field, or with the suffix `.source` the source of its value.",
        "type": "object",
        "additionalProperties": {"type": ["string", "null"]},
        "properties": properties,
    })
}

fn correction_request() -> Value {
    let facts = json!({"type": ["object", "null"], "description": "Corrected facts of the call, named as in a dry run; `null` makes a fact unknown. `advertiser_campaign`, `affiliate` and `promo_number` move the call to other parties; `null` removes the affiliate or the promo number. Any other property is rejected."});
    let amount = |price: &str| {
        nullable(
            amount(&format!("Manual {price}, which replaces the calculated one.")),
            "An amount; `null` sets none.",
        )
    };
    request_object(
        json!({
            "reason": {"type": "string", "minLength": 1, "maxLength": 1000, "pattern": r"^\s*\S", "description": "Reason of the correction."},
            "call": facts,
            "advertiser_payin": amount("payin"),
            "affiliate_payout": amount("payout"),
        }),
        &["reason"],
    )
}

fn explanation_schema() -> Value {
    let correction = json!({
        "type": ["object", "null"],
        "required": ["corrects_transaction_id", "reason", "advertiser_payin_is_set", "affiliate_payout_is_set"],
        "additionalProperties": false,
        "description": "The correction, if the row corrects another.",
        "properties": {
            "corrects_transaction_id": {"type": "string"},
            "reason": {"type": "string"},
            "advertiser_payin_is_set": {"type": "boolean", "description": "The payin was set manually."},
            "affiliate_payout_is_set": {"type": "boolean", "description": "The payout was set manually."},
        },
    });
    let mut explanation = super::dry_run::result_schema();
    explanation["properties"]["correction"] = correction;
    if let Some(required) = explanation["required"].as_array_mut() {
        required.push(json!("correction"));
    }
    explanation
}

fn statement_totals() -> Value {
    json!({
        "currency": enumeration_or_null(&["USD", "GBP", "EUR"], "Currency; `null` for calls without an agreed price."),
        "calls": {"type": "integer", "minimum": 0},
        "paid_calls": {"type": "integer", "minimum": 0, "description": "Calls with an amount above 0."},
        "amount": {"type": "number", "minimum": 0, "description": "Total amount, including corrections."},
        "corrections": {
            "type": "object",
            "required": ["count", "difference"],
            "additionalProperties": false,
            "properties": {
                "count": {"type": "integer", "minimum": 0},
                "difference": {"type": "number", "description": "Change of the total amount by the corrections."},
            },
        },
    })
}

fn statement_schema() -> Value {
    let mut line = statement_totals();
    line["advertiser_campaign_id_from_network"] = json!({"type": "string"});
    line["advertiser_campaign_name"] = json!({"type": "string"});
    let closed_object = |properties: Value| {
        let names: Vec<&String> =
            properties.as_object().map(Map::keys).into_iter().flatten().collect();
        json!({"type": "object", "required": names, "additionalProperties": false, "properties": properties})
    };
    let text = || json!({"type": "string"});
    response_object(
        json!({
            "advertiser_id_from_network": text(),
            "advertiser_name": text(),
            "affiliate_id_from_network": text(),
            "affiliate_name": text(),
            "month": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}$"},
            "lines": {"type": "array", "items": closed_object(line), "description": "One per campaign and currency."},
            "totals": {"type": "array", "items": closed_object(statement_totals()), "description": "One per currency."},
        }),
        &[
            "advertiser_id_from_network",
            "advertiser_name",
            "affiliate_id_from_network",
            "affiliate_name",
        ],
    )
}

fn correction_example() -> Value {
    json!({"reason": "The destination's own records say 75 seconds.", "call": {"duration": 75}})
}

pub(super) fn schemas() -> NamedSchemas {
    vec![
        ("Transaction", transaction_schema()),
        ("CorrectionRequest", with_example(correction_request(), correction_example())),
        ("TransactionExplanation", explanation_schema()),
        ("Statement", statement_schema()),
    ]
}

/// Query parameters of ledger lists and statements.
pub(super) fn parameters() -> Value {
    let moment = || json!({"type": "string", "format": "moment", "maxLength": 128});
    let list = |name: &str, description: &str, items: Value| json!({"name": name, "in": "query", "style": "form", "explode": false, "allowEmptyValue": true, "description": description, "schema": {"type": "array", "items": items}});
    let filter = |name: &str, description: &str, schema: Value| json!({"name": name, "in": "query", "allowEmptyValue": true, "description": description, "schema": schema});
    let query = |name: &str, description: &str, schema: Value| json!({"name": name, "in": "query", "description": description, "schema": schema});
    let text = || json!({"type": "string"});
    let flag = || enumeration(&["0", "1", "true", "false"], "`1` and `true` mean yes.");
    json!({
        "calls_from": filter("from", "Only calls that started at or after this time: a date, or a date and a time, in the network's time zone unless it has an offset. Without `to` it does not filter.", moment()),
        "calls_to": filter("to", "Only calls that started at or before this time; a date means the end of that day. Without `from` it does not filter.", moment()),
        "transactions_limit": filter("limit", "Maximum number of rows to return. 0 is the default; more than 4,000 is 4,000.", json!({"type": "integer", "minimum": 0, "default": 1000})),
        "start_after_transaction_id": filter("start_after_transaction_id", "Last `transaction_id` of the previous page; `0` or empty: the first page. A `complete_call_id` stands for the first row of its call. An id that is not in the list is rejected.", text()),
        "transaction_id": filter("transaction_id", "Only the row with this `transaction_id`, or the first of the call with this `complete_call_id`.", text()),
        "call_record_id": filter("call_record_id", "Only rows of the call with this `complete_call_id`.", text()),
        "transaction_type": list("transaction_type", "Only rows of these types, comma-separated; also repeated, or repeated as `transaction_type[]`.", enumeration(&["Call", "PostCallEvent", "Sale", "Signal"], "Only rows of type Call exist so far.")),
        "include_columns": list("include_columns", "Columns to return, in order, comma-separated or repeated as `include_columns[]`: columns, custom data fields, `<field>.source`, and the constants `$invoca_default_columns`, `$invoca_custom_columns` and `$invoca_custom_source_columns`. Other names are ignored and listed in `Trunkline-Ignored`.", text()),
        "exclude_columns": list("exclude_columns", "Columns to omit, in the same form. A constant does not omit a column that `include_columns` names.", text()),
        "column_separator": query("column_separator", "CSV: a tab, or one printable ASCII character other than a quote.", json!({"type": "string", "default": ","})),
        "row_separator": query("row_separator", "CSV: `%0A` or `%0D%0A`.", json!({"type": "string", "default": "\n"})),
        "include_header": query("include_header", "CSV: write a first line with the column names. Default: yes.", flag()),
        "force_quotes": query("force_quotes", "CSV: quote every field. Default: no.", flag()),
        "neutralize": query("neutralize", "CSV: write `'` before a text that begins with `=`, `+`, `-`, `@`, a tab or CR, which a spreadsheet would read as a formula. Default: only if the credential is a session.", flag()),
        "month": {"name": "month", "in": "query", "required": true, "description": "Month in the network's time zone.", "schema": {"type": "string", "pattern": "^[0-9]{4}-(0[1-9]|1[0-2])$"}, "example": "2026-11"},
    })
}

fn list_operation(route: &'static str, id: &str, scope: &str) -> Operation {
    let description = format!(
        "Lists rows in ascending order of `transaction_id`. The suffix of the path selects the format: `.json` (the default), `.csv` or `.xml`. {scope} Rows never change: a correction adds a row, and its `corrects_transaction_id` names the row that it replaces."
    );
    let operation = Operation::get(route, id, "List transactions").description(&description);
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
        "neutralize",
    ]
    .into_iter()
    .fold(operation, Operation::parameter);
    let rows = json!({"type": "array", "items": schema_reference("Transaction")});
    operation.response_in_formats("The rows.", rows, &["text/csv", "application/xml"])
}

fn statement_operation(route: &'static str, id: &str, party: &str) -> Operation {
    let summary = format!("Read the statement of an {party}");
    Operation::get(route, id, &summary)
        .description("Totals of the month's calls by their newest transactions: one line per campaign and currency, and one total per currency. With the suffix `.csv`, the lines as CSV.")
        .parameter("month")
        .parameter("neutralize")
        .response_in_formats("The statement.", schema_reference("Statement"), &["text/csv"])
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        list_operation("/api/networks/transactions/{network}", "listTransactions", "For credentials of the network."),
        list_operation("/api/advertisers/transactions/{advertiser}", "listAdvertiserTransactions", "The advertiser's ledger, with payins and without payouts. The path names the advertiser by external id, or else by `id`."),
        list_operation("/api/affiliates/transactions/{affiliate}", "listAffiliateTransactions", "The affiliate's ledger, with payouts and without payins and callers. The path names the affiliate by external id, or else by `id`."),
        Operation::post("/trunkline/transactions/{transaction}/corrections", "correctTransaction", "Correct a transaction")
            .description("Adds a row that replaces this one, which does not change. Only the newest row of a call can be corrected. Changed facts re-evaluate the call by the terms that priced it; a manual amount takes precedence. A call that gets another campaign or affiliate gets two rows: one with amounts of 0 for the former parties, and the new row, which corrects it. Statistics, budgets and statements are updated. For credentials of the network.")
            .request_body("CorrectionRequest", correction_example())
            .parameter("Idempotency-Key")
            .object_response("201", "The new row.", "Transaction"),
        Operation::get("/trunkline/transactions/{transaction}/explanation", "explainTransaction", "Explain a transaction")
            .description("The result of a dry run with the terms that priced the call and the facts of this row. An advertiser receives the path and the payin; an affiliate, the payout.")
            .object_response("200", "The explanation of the row.", "TransactionExplanation"),
        statement_operation("/trunkline/statements/advertisers/{advertiser}", "getAdvertiserStatement", "advertiser"),
        statement_operation("/trunkline/statements/affiliates/{affiliate}", "getAffiliateStatement", "affiliate"),
    ]
}
