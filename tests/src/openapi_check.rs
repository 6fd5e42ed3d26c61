//! Compares requests and responses with the OpenAPI document that the server publishes.
//!
//! A request that the server accepts (status 2xx) must be valid by the document. A response must
//! have a documented status and media type, the required headers, and a body that is valid by its
//! schema. The document describes the newest contract, so requests with an older version are not
//! checked, and neither are paths outside the API (`/healthz`, the console).

use jsonschema::{Registry, Validator};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// Base URI of the document for references.
const DOCUMENT_URI: &str = "urn:trunkline:openapi";
const JSON: &str = "application/json";
/// Errors of one body that a message lists.
const MAX_LISTED_ERRORS: usize = 5;

/// First date whose responses the document describes: that of the newest change.
static FIRST_DESCRIBED_VERSION: LazyLock<String> = LazyLock::new(|| {
    let newest = trunkline_api::versions::CHANGES.last().expect("there are changes");
    newest.date.to_string()
});
static DOCUMENT: LazyLock<Value> = LazyLock::new(trunkline_api::openapi_document);
static REGISTRY: LazyLock<Registry<'static>> = LazyLock::new(|| {
    let builder = Registry::new().add(DOCUMENT_URI, &*DOCUMENT).expect("the URI is valid");
    builder.prepare().expect("every reference of the document resolves")
});
/// Compiled schemas by their JSON pointer in the document.
static VALIDATORS: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);

/// HTTP request and its response.
#[derive(Debug, Clone, Copy)]
pub struct Exchange<'a> {
    /// Method in upper case.
    pub method: &'a str,
    /// Path and query.
    pub target: &'a str,
    /// Header `Content-Type` of the request.
    pub request_type: Option<&'a str>,
    /// Body of the request.
    pub request_body: Option<&'a [u8]>,
    /// Status code of the response.
    pub status: u16,
    /// Headers of the response.
    pub response_headers: &'a [(String, String)],
    /// Body of the response.
    pub response_body: &'a [u8],
}

/// Checks an exchange against the document. The error names the operation and each violation.
pub fn check_exchange(exchange: &Exchange<'_>) -> Result<(), String> {
    let (path, query) = exchange.target.split_once('?').unwrap_or((exchange.target, ""));
    let Some(path) = documented_form(path) else { return Ok(()) };
    let method = exchange.method.to_lowercase();
    let Some(operation) = Operation::find(&path, &method) else {
        let is_accepted = (200..300).contains(&exchange.status) && method != "head";
        return match is_accepted {
            true => Err(format!("{} {path} is not documented", exchange.method)),
            false => Ok(()),
        };
    };
    let mut violations = Vec::new();
    if (200..300).contains(&exchange.status) {
        operation.check_query(query, &mut violations);
        operation.check_request_body(exchange, &mut violations);
    }
    operation.check_response(exchange, &mut violations);
    match violations.as_slice() {
        [] => Ok(()),
        _ => Err(format!(
            "{} {} ({}, status {}) does not conform to the OpenAPI document:\n  {}",
            exchange.method,
            exchange.target,
            operation.text("operationId"),
            exchange.status,
            violations.join("\n  ")
        )),
    }
}

/// Rewrites a path into the form of the document: with version and network id, without suffix.
/// `None` outside the API and for versions that the document does not describe.
fn documented_form(path: &str) -> Option<String> {
    if let Some(rest) = path.strip_prefix("/trunkline/v1/networks/") {
        let (network, rest) = rest.split_once('/')?;
        return Some(format!("/trunkline/v1/networks/{network}/{}", without_suffix(rest)));
    }
    let (version, rest) = path.strip_prefix("/api/")?.split_once('/')?;
    let is_date = version.len() == 10 && version.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    if !is_date || version < FIRST_DESCRIBED_VERSION.as_str() {
        return None;
    }
    let first = rest.split('/').next().unwrap_or_default();
    let has_network = !first.is_empty() && first.bytes().all(|byte| byte.is_ascii_digit());
    let rest = if has_network { rest.split_once('/')?.1 } else { rest };
    Some(format!("/api/{version}/1/{}", without_suffix(rest)))
}

/// Removes `.json`, and on paths of tables also `.csv` and `.xml`.
fn without_suffix(rest: &str) -> &str {
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let is_table = rest.contains("transactions/") || rest.starts_with("statements/");
    let suffixes: &[&str] = if is_table { &[".csv", ".xml", ".json"] } else { &[".json"] };
    suffixes.iter().find_map(|suffix| rest.strip_suffix(suffix)).unwrap_or(rest)
}

/// Operation object, and its place in the document.
struct Operation {
    /// JSON pointer of the operation.
    pointer: String,
    object: &'static Map<String, Value>,
    /// Parameters of the path item and of the operation, resolved: JSON pointer and object.
    parameters: Vec<(String, &'static Value)>,
}

impl Operation {
    /// Finds the operation of a path. Literal segments take precedence over parameters.
    fn find(path: &str, method: &str) -> Option<Self> {
        let paths = DOCUMENT["paths"].as_object()?;
        let matching = paths.iter().filter(|(template, _)| matches_template(path, template));
        let (template, item) = matching.max_by_key(|(template, _)| literal_segments(template))?;
        let item_pointer = format!("/paths/{}", escape_pointer(template));
        let object = item.get(method)?.as_object()?;
        let mut parameters = Vec::new();
        for pointer in [item_pointer.clone(), format!("{item_pointer}/{method}")] {
            let list = DOCUMENT.pointer(&pointer)?.get("parameters").and_then(Value::as_array);
            for index in 0..list.map_or(0, Vec::len) {
                parameters.push(resolve(format!("{pointer}/parameters/{index}"))?);
            }
        }
        Some(Self { pointer: format!("{item_pointer}/{method}"), object, parameters })
    }

    fn text(&self, name: &str) -> &str {
        self.object.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// Checks declared query parameters. The server ignores others.
    fn check_query(&self, query: &str, violations: &mut Vec<String>) {
        let pairs: Vec<(String, String)> = parse_query(query);
        for (pointer, parameter) in &self.parameters {
            if parameter["in"] != "query" {
                continue;
            }
            let name = parameter["name"].as_str().unwrap_or_default();
            let given: Vec<&String> =
                pairs.iter().filter(|(known, _)| known == name).map(|(_, value)| value).collect();
            if given.is_empty() && parameter["required"] == true {
                violations.push(format!("query parameter {name} is required"));
            }
            let allows_empty = parameter["allowEmptyValue"] == true;
            for text in given.into_iter().filter(|text| !(allows_empty && text.is_empty())) {
                let value = parameter_value(text, &parameter["schema"]);
                let place = format!("query parameter {name}");
                check_value(&format!("{pointer}/schema"), &value, &place, violations);
            }
        }
    }

    fn check_request_body(&self, exchange: &Exchange<'_>, violations: &mut Vec<String>) {
        let Some(documented) = self.object.get("requestBody") else { return };
        let media_type = request_media_type(exchange.request_type);
        let Some(body) = exchange.request_body.filter(|body| !body.is_empty()) else {
            // Newline-delimited JSON without a line is a body, too.
            let is_json = media_type == JSON;
            if documented["required"] == true && is_json {
                violations.push("a request body is required".to_owned());
            }
            return;
        };
        let pointer = format!("{}/requestBody", self.pointer);
        check_content(&pointer, documented, &media_type, body, "request body", violations);
    }

    fn check_response(&self, exchange: &Exchange<'_>, violations: &mut Vec<String>) {
        let pointer = format!("{}/responses/{}", self.pointer, exchange.status);
        let Some((pointer, documented)) = resolve(pointer) else {
            violations.push(format!("status {} is not documented", exchange.status));
            return;
        };
        let header = |name: &str| {
            let headers = exchange.response_headers.iter();
            headers.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name))
        };
        let headers = documented["headers"].as_object().into_iter().flatten();
        for (name, _) in headers {
            let declared = resolve(format!("{pointer}/headers/{}", escape_pointer(name)));
            let is_required = declared.is_some_and(|(_, declared)| declared["required"] == true);
            if is_required && header(name).is_none() {
                violations.push(format!("response header {name} is missing"));
            }
        }
        check_own_headers(&pointer, documented, exchange, violations);
        if exchange.response_body.is_empty() && documented.get("content").is_none() {
            return;
        }
        let media_type = media_type(header("content-type").map_or("", |(_, value)| value));
        let body = exchange.response_body;
        check_content(&pointer, documented, &media_type, body, "response body", violations);
    }
}

/// Checks that a successful response declares each header that begins with `Trunkline-`, and that the
/// value has the declared form.
fn check_own_headers(
    pointer: &str,
    documented: &Value,
    exchange: &Exchange<'_>,
    violations: &mut Vec<String>,
) {
    if exchange.status >= 300 {
        return;
    }
    for (name, value) in exchange.response_headers {
        if !name.to_ascii_lowercase().starts_with("trunkline-") {
            continue;
        }
        let mut declared = documented["headers"].as_object().into_iter().flatten();
        let declared = declared.find(|(declared, _)| declared.eq_ignore_ascii_case(name));
        let header = declared.and_then(|(declared, _)| {
            resolve(format!("{pointer}/headers/{}", escape_pointer(declared)))
        });
        let Some((header, _)) = header else {
            violations.push(format!("response header {name} is not documented"));
            continue;
        };
        let place = format!("response header {name}");
        check_value(&format!("{header}/schema"), &value.as_str().into(), &place, violations);
    }
}

/// Checks a body against the media type objects of a request body or response.
fn check_content(
    pointer: &str,
    documented: &Value,
    media_type: &str,
    body: &[u8],
    place: &str,
    violations: &mut Vec<String>,
) {
    let is_documented = |media_type: &str| {
        documented.pointer(&format!("/content/{}", escape_pointer(media_type))).is_some()
    };
    let of_any_subtype = media_type.split('/').next().map(|main| format!("{main}/*"));
    if !is_documented(media_type) && !of_any_subtype.is_some_and(|range| is_documented(&range)) {
        violations.push(format!("media type {media_type:?} of the {place} is not documented"));
        return;
    }
    if media_type != JSON {
        return;
    }
    // The server ignores a byte-order mark.
    match serde_json::from_slice(body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body)) {
        Ok(value) => {
            let pointer = format!("{pointer}/content/{}/schema", escape_pointer(media_type));
            check_value(&pointer, &value, place, violations);
        }
        Err(error) => violations.push(format!("the {place} is not JSON: {error}")),
    }
}

/// Validates a value by the schema at a JSON pointer of the document.
fn check_value(pointer: &str, value: &Value, place: &str, violations: &mut Vec<String>) {
    let validator = validator_at(pointer);
    for error in validator.iter_errors(value).take(MAX_LISTED_ERRORS) {
        violations.push(format!("{place}, at {:?}: {error}", error.instance_path().as_str()));
    }
}

fn validator_at(pointer: &str) -> Arc<Validator> {
    let mut validators = VALIDATORS.lock().unwrap_or_else(PoisonError::into_inner);
    let validator = validators.entry(pointer.to_owned()).or_insert_with(|| {
        let schema =
            serde_json::json!({"$ref": format!("{DOCUMENT_URI}#{}", uri_fragment(pointer))});
        let options = jsonschema::options().with_registry(&REGISTRY);
        let options = options.with_draft(jsonschema::Draft::Draft202012);
        let built = options.build(&schema);
        Arc::new(
            built.unwrap_or_else(|error| panic!("the schema at {pointer} is invalid: {error}")),
        )
    });
    Arc::clone(validator)
}

/// Follows `$ref`: the JSON pointer and the object that it leads to.
fn resolve(pointer: String) -> Option<(String, &'static Value)> {
    let value = DOCUMENT.pointer(&pointer)?;
    match value.get("$ref").and_then(Value::as_str) {
        Some(reference) => {
            let target = reference.strip_prefix('#')?;
            Some((target.to_owned(), DOCUMENT.pointer(target)?))
        }
        None => Some((pointer, value)),
    }
}

fn matches_template(path: &str, template: &str) -> bool {
    let path: Vec<&str> = path.split('/').collect();
    let template: Vec<&str> = template.split('/').collect();
    let matches = |(segment, part): (&&str, &&str)| {
        if part.starts_with('{') { !segment.is_empty() } else { segment == part }
    };
    path.len() == template.len() && path.iter().zip(&template).all(matches)
}

fn literal_segments(template: &str) -> usize {
    template.split('/').filter(|part| !part.starts_with('{')).count()
}

/// Media type of a request. The server reads bodies without one, and those with curl's default, as
/// JSON.
fn request_media_type(header: Option<&str>) -> String {
    let media_type = media_type(header.unwrap_or(JSON));
    let is_json = ["application/x-www-form-urlencoded", "text/json"].contains(&media_type.as_str());
    if is_json { JSON.to_owned() } else { media_type }
}

/// Media type without parameters, in lower case.
fn media_type(header: &str) -> String {
    header.split(';').next().unwrap_or_default().trim().to_lowercase()
}

/// Converts the text of a query parameter into the JSON type of its schema.
fn parameter_value(text: &str, schema: &Value) -> Value {
    match schema["type"].as_str() {
        Some("integer") => text.parse::<i64>().map_or_else(|_| text.into(), Value::from),
        Some("array") => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            items.map(Value::from).collect()
        }
        _ => text.into(),
    }
}

/// Splits a query and decodes `%XX` and `+`.
fn parse_query(query: &str) -> Vec<(String, String)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.map(|(name, value)| (decode(name), decode(value))).collect()
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = (*first == b'%').then(|| tail.get(..2)).flatten();
        let escaped = escaped.and_then(|hex| std::str::from_utf8(hex).ok());
        match escaped.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(if *first == b'+' { b' ' } else { *first });
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Escapes a key for a JSON pointer.
fn escape_pointer(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// Escapes a JSON pointer for a URI fragment.
fn uri_fragment(pointer: &str) -> String {
    pointer.replace('%', "%25").replace('{', "%7B").replace('}', "%7D")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const CALLS: &str = "/api/2023-10-09/1/calls.json";

    fn check(method: &str, target: &str, body: &Value, status: u16, answer: &Value) -> Vec<String> {
        let headers =
            [("Content-Type", "application/json"), ("X-Request-Id", "1"), ("ETag", "\"1\"")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let request = body.to_string();
        let result = check_exchange(&Exchange {
            method,
            target,
            request_type: Some("application/json"),
            request_body: (!body.is_null()).then_some(request.as_bytes()),
            status,
            response_headers: &headers,
            response_body: answer.to_string().as_bytes(),
        });
        let message = result.err().unwrap_or_default();
        message.lines().skip(1).map(|line| line.trim().to_owned()).collect()
    }

    fn call(start_time: Value) -> Value {
        json!({"call": {
            "external_call_unique_id": "a/b ü",
            "start_time": start_time,
            "advertiser_campaign_id_from_network": 12,
            "calling_phone_number": "+44 20 7183 8750",
            "promo_number": 8_005_550_142_i64,
        }})
    }

    #[test]
    fn valid_exchange_has_no_violations() {
        let receipt = json!({"cuid": "1"});
        for time in [json!("2015-05-13 07:45:08 -0800"), json!("2015-05-13"), json!(1_431_531_908)]
        {
            assert_eq!(check("POST", CALLS, &call(time), 201, &receipt), [""; 0]);
        }
    }

    #[test]
    fn violations_of_requests_are_found_only_in_accepted_ones() {
        let request = json!({"call": {"external_call_unique_id": "1"}});
        let found = check("POST", CALLS, &request, 201, &json!({"cuid": "1"}));
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("request body, at \"/call\": \"start_time\" is a required"));
        let refusal = json!({"errors": {"call": [{"start_time": ["can't be blank"]}]}});
        assert_eq!(check("POST", CALLS, &request, 403, &refusal), [""; 0]);
    }

    #[test]
    fn violations_of_responses_are_found() {
        let valid = call(json!("2015-05-13"));
        let further = check("POST", CALLS, &valid, 201, &json!({"cuid": "1", "more": 1}));
        assert!(further[0].contains("'more' was unexpected"), "{further:?}");
        let status = check("POST", CALLS, &valid, 204, &json!({}));
        assert_eq!(status, ["status 204 is not documented"]);
        let header = check(
            "POST",
            CALLS,
            &valid,
            429,
            &json!({"errors": {"invalid_data": "", "class": "TooManyRequests"}}),
        );
        assert_eq!(header, ["response header Retry-After is missing"]);
    }

    #[test]
    fn own_headers_must_be_documented_and_have_the_documented_form() {
        let receipt = json!({"cuid": "1"}).to_string();
        let request = call(json!("2015-05-13")).to_string();
        let check = |status: u16, name: &str, value: &str| {
            let headers =
                [("Content-Type", "application/json"), ("X-Request-Id", "1"), (name, value)];
            let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
            check_exchange(&Exchange {
                method: "POST",
                target: CALLS,
                request_type: Some("application/json"),
                request_body: Some(request.as_bytes()),
                status,
                response_headers: &headers,
                response_body: receipt.as_bytes(),
            })
        };
        for status in [201, 202] {
            let rejected = check(status, "trunkline-outcome", "turned_away; reason=over_cap");
            assert_eq!(rejected, Ok(()));
        }
        let unknown_reason = check(201, "Trunkline-Outcome", "turned_away; reason=rain");
        assert!(unknown_reason.unwrap_err().contains("response header Trunkline-Outcome, at"));
        let undocumented = check(201, "Trunkline-Weather", "rain").unwrap_err();
        assert!(undocumented.contains("response header Trunkline-Weather is not documented"));
    }

    #[test]
    fn query_parameters_are_checked() {
        let list = "/trunkline/v1/networks/1/audit";
        let check =
            |query: &str| check("GET", &format!("{list}?{query}"), &Value::Null, 200, &json!([]));
        assert_eq!(check("limit=10&from=2026-11-01+12:30:00&unknown=1"), [""; 0]);
        assert!(check("limit=0")[0].starts_with("query parameter limit"));
    }

    #[test]
    fn only_the_described_contract_is_checked() {
        let nonsense = json!({"nonsense": true});
        assert_eq!(check("GET", "/healthz", &Value::Null, 200, &nonsense), [""; 0]);
        let old = "/api/2015-05-01/1/affiliates/1";
        assert_eq!(check("GET", old, &Value::Null, 200, &nonsense), [""; 0]);
        let unknown = "/api/2023-10-09/1/nonsense";
        let result = check_exchange(&Exchange {
            method: "GET",
            target: unknown,
            request_type: None,
            request_body: None,
            status: 200,
            response_headers: &[],
            response_body: b"{}",
        });
        assert_eq!(result, Err("GET /api/2023-10-09/1/nonsense is not documented".to_owned()));
    }
}
