//! One operation of the document: what a method of a path takes and answers.

use super::shapes::reference;
use serde_json::{Map, Value, json};

/// One operation, under the route as the router knows it.
pub(super) struct Operation {
    pub(super) method: &'static str,
    pub(super) route: &'static str,
    value: Map<String, Value>,
}

/// What every operation can answer.
const ALWAYS: [(&str, &str); 9] = [
    ("400", "BadRequest"),
    ("401", "Unauthorized"),
    ("403", "Refused"),
    ("404", "NotFound"),
    ("405", "MethodNotAllowed"),
    ("408", "RequestTimeout"),
    ("429", "TooManyRequests"),
    ("500", "InternalServiceError"),
    ("503", "ServiceUnavailable"),
];

/// What one that reads a body, and writes, can answer too.
const WRITES: [(&str, &str); 4] = [
    ("412", "PreconditionFailed"),
    ("413", "RequestTooLarge"),
    ("415", "UnsupportedMediaType"),
    ("507", "InsufficientStorage"),
];

/// Headers of every answer.
pub(super) const HEADERS: [&str; 4] =
    ["X-Request-Id", "RateLimit", "RateLimit-Policy", "Trunkline-Ignored"];

/// References to headers, by name.
pub(super) fn headers(names: &[&str]) -> Value {
    let header =
        |name: &&str| ((*name).to_owned(), json!({"$ref": format!("#/components/headers/{name}")}));
    Value::Object(names.iter().map(header).collect())
}

impl Operation {
    fn new(method: &'static str, route: &'static str, id: &str, summary: &str) -> Self {
        let mut responses = Map::new();
        let writes: &[(&str, &str)] = if method == "get" { &[] } else { &WRITES };
        for (status, name) in ALWAYS.iter().chain(writes) {
            let response = json!({"$ref": format!("#/components/responses/{name}")});
            responses.insert((*status).to_owned(), response);
        }
        let value = Map::from_iter([
            ("operationId".to_owned(), id.into()),
            ("summary".to_owned(), summary.into()),
            ("responses".to_owned(), Value::Object(responses)),
        ]);
        Self { method, route, value }
    }

    /// GET.
    pub(super) fn get(route: &'static str, id: &str, summary: &str) -> Self {
        Self::new("get", route, id, summary)
    }

    /// POST.
    pub(super) fn post(route: &'static str, id: &str, summary: &str) -> Self {
        Self::new("post", route, id, summary)
    }

    /// PUT.
    pub(super) fn put(route: &'static str, id: &str, summary: &str) -> Self {
        Self::new("put", route, id, summary)
    }

    /// DELETE.
    pub(super) fn delete(route: &'static str, id: &str, summary: &str) -> Self {
        Self::new("delete", route, id, summary)
    }

    /// What it does, in sentences (CommonMark).
    pub(super) fn about(mut self, description: &str) -> Self {
        self.value.insert("description".to_owned(), description.into());
        self
    }

    /// Marks what only older versions document.
    pub(super) fn older(mut self) -> Self {
        self.value.insert("deprecated".to_owned(), true.into());
        self
    }

    /// Takes a JSON object of a component's schema.
    pub(super) fn takes(self, schema: &str, example: Value) -> Self {
        self.takes_body(schema, example, true)
    }

    /// Takes a JSON object, or no body at all.
    pub(super) fn may_take(self, schema: &str, example: Value) -> Self {
        self.takes_body(schema, example, false)
    }

    fn takes_body(mut self, schema: &str, example: Value, required: bool) -> Self {
        let media = json!({"schema": reference(schema), "example": example});
        let body = json!({"required": required, "content": {"application/json": media}});
        self.value.insert("requestBody".to_owned(), body);
        self
    }

    /// Takes a parameter that is a component.
    pub(super) fn with(mut self, parameter: &str) -> Self {
        let parameters = self.value.entry("parameters").or_insert_with(|| json!([]));
        if let Some(list) = parameters.as_array_mut() {
            list.push(json!({"$ref": format!("#/components/parameters/{parameter}")}));
        }
        self
    }

    /// Answers one object, with an entity tag. A GET may find that the client has it already.
    pub(super) fn answers(self, status: &str, description: &str, schema: &str) -> Self {
        // An empty answer has no tag: there is nothing that it is of.
        if schema == "Empty" {
            return self.tells(status, description, schema);
        }
        let is_get = self.method == "get";
        let tagged = self.answers_with(status, description, reference(schema), &["ETag"]);
        if !is_get {
            return tagged;
        }
        let not_modified = json!({"$ref": "#/components/responses/NotModified"});
        tagged.with("If-None-Match").response("304", not_modified)
    }

    /// Answers with what is no object of its own: without an entity tag.
    pub(super) fn tells(self, status: &str, description: &str, schema: &str) -> Self {
        self.answers_with(status, description, reference(schema), &[])
    }

    /// Can refuse besides what every operation can.
    pub(super) fn refuses(self, status: &str, response: &str) -> Self {
        let reference = json!({"$ref": format!("#/components/responses/{response}")});
        self.response(status, reference)
    }

    /// Answers the object that a write left behind; `If-Match` guards it.
    pub(super) fn writes(self, schema: &str) -> Self {
        let (status, description) = match self.method {
            "post" => ("201", "As it is now, made or updated."),
            _ => ("200", "As it is now, made or updated."),
        };
        self.with("If-Match").answers(status, description, schema)
    }

    /// Answers a list in the order of our ids, in pages when asked.
    pub(super) fn lists(self, schema: &str) -> Self {
        let items = json!({"type": "array", "items": reference(schema)});
        let paged = self.with("limit").with("start_after_id");
        paged.answers_with("200", "The list, in the order of our ids.", items, &["Link"])
    }

    /// Answers a whole list.
    pub(super) fn lists_all(self, schema: &str) -> Self {
        let items = json!({"type": "array", "items": reference(schema)});
        self.answers_with("200", "The list, whole.", items, &[])
    }

    /// Answers in JSON, or as text of other kinds where the path's suffix says so.
    pub(super) fn tells_formats(self, description: &str, schema: Value, others: &[&str]) -> Self {
        let mut content = json!({"application/json": {"schema": schema}});
        for kind in others {
            content[*kind] = json!({"schema": {"type": "string"}});
        }
        let headers = headers(&HEADERS);
        let response = json!({"description": description, "headers": headers, "content": content});
        self.response("200", response)
    }

    /// Answers with server-sent events, for as long as the client listens.
    pub(super) fn streams(self, schema: &str) -> Self {
        let response = json!({
            "description": "The stream. Each event's `data` is one line of JSON.",
            "headers": headers(&HEADERS),
            "content": {"text/event-stream": {"schema": {
                "type": "string",
                "contentMediaType": "text/event-stream",
                "description": format!("`id`, `event` and `data` lines; `data` is the schema {schema}."),
                "x-event": reference(schema),
            }}},
        });
        self.response("200", response)
    }

    fn answers_with(self, status: &str, description: &str, schema: Value, more: &[&str]) -> Self {
        let names: Vec<&str> = HEADERS.iter().chain(more).copied().collect();
        let response = json!({
            "description": description,
            "headers": headers(&names),
            "content": {"application/json": {"schema": schema}},
        });
        self.response(status, response)
    }

    fn response(mut self, status: &str, response: Value) -> Self {
        if let Some(responses) = self.value.get_mut("responses").and_then(Value::as_object_mut) {
            responses.insert(status.to_owned(), response);
            responses.sort_keys();
        }
        self
    }

    /// Says which operation takes what this one answered: `parameters` are runtime expressions.
    pub(super) fn leads_to(mut self, status: &str, operation: &str, parameters: Value) -> Self {
        let response = self.value.get_mut("responses").and_then(|all| all.get_mut(status));
        if let Some(response) = response.and_then(Value::as_object_mut) {
            let links = response.entry("links").or_insert_with(|| json!({}));
            links[operation] = json!({"operationId": operation, "parameters": parameters});
        }
        self
    }

    /// The operation object, under its tag.
    pub(super) fn into_value(self, tag: &str) -> Value {
        let mut value = Map::from_iter([("tags".to_owned(), json!([tag]))]);
        value.extend(self.value);
        Value::Object(value)
    }
}
