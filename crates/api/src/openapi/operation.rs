//! Builder of one operation object: request body, parameters, responses.

use super::schema::schema_reference;
use serde_json::{Map, Value, json};

/// An operation object and the place where it belongs.
pub(super) struct Operation {
    /// HTTP method in lower case, as a path item object names it.
    pub(super) method: &'static str,
    /// Route as the router declares it, without version and network.
    pub(super) route: &'static str,
    object: Map<String, Value>,
}

/// Error responses of every operation: status, and name of the response component.
const COMMON_RESPONSES: [(&str, &str); 9] = [
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

/// Further error responses of operations that read a body or write.
const WRITE_RESPONSES: [(&str, &str); 4] = [
    ("412", "PreconditionFailed"),
    ("413", "RequestTooLarge"),
    ("415", "UnsupportedMediaType"),
    ("507", "InsufficientStorage"),
];

/// Media type of newline-delimited JSON.
const JSON_LINES: &str = "application/x-ndjson";

/// Header components of every response.
pub(super) const COMMON_HEADERS: [&str; 5] =
    ["X-Request-Id", "RateLimit", "RateLimit-Policy", "Trunkline-Ignored", "Trunkline-Warning"];

/// Builds a map of header name → reference to the header component of that name.
pub(super) fn header_references(names: &[&str]) -> Value {
    let entry =
        |name: &&str| ((*name).to_owned(), json!({"$ref": format!("#/components/headers/{name}")}));
    Value::Object(names.iter().map(entry).collect())
}

/// Parameters of paths that may be ids that the server assigned.
const ID_PARAMETERS: [&str; 3] = ["{advertiser}", "{affiliate}", "{campaign}"];

/// Tests if an operation reads segments of its path as ids that the server assigned: those that read,
/// and all below promo numbers. Calls in progress read one in the query. `go_live` and `archive` write by GET, too.
fn resolves_internal_ids(method: &str, route: &str) -> bool {
    let writes = method != "get" || route.ends_with("/go_live") || route.ends_with("/archive");
    let has_id = ID_PARAMETERS.iter().any(|parameter| route.contains(parameter));
    let is_in_query = route.contains("/calls_in_progress");
    is_in_query || has_id && (!writes || route.contains("/promo_numbers"))
}

impl Operation {
    fn new(method: &'static str, route: &'static str, id: &str, summary: &str) -> Self {
        let mut responses = Map::new();
        let write_responses: &[(&str, &str)] = if method == "get" { &[] } else { &WRITE_RESPONSES };
        for (status, name) in COMMON_RESPONSES.iter().chain(write_responses) {
            let response = json!({"$ref": format!("#/components/responses/{name}")});
            responses.insert((*status).to_owned(), response);
        }
        let object = Map::from_iter([
            ("operationId".to_owned(), id.into()),
            ("summary".to_owned(), summary.into()),
            ("responses".to_owned(), Value::Object(responses)),
        ]);
        Self { method, route, object }
    }

    /// Starts a GET operation.
    pub(super) fn get(route: &'static str, id: &str, summary: &str) -> Self {
        Self::new("get", route, id, summary)
    }

    /// Starts a POST operation.
    pub(super) fn post(route: &'static str, id: &str, summary: &str) -> Self {
        Self::new("post", route, id, summary)
    }

    /// Starts a PUT operation.
    pub(super) fn put(route: &'static str, id: &str, summary: &str) -> Self {
        Self::new("put", route, id, summary)
    }

    /// Starts a DELETE operation.
    pub(super) fn delete(route: &'static str, id: &str, summary: &str) -> Self {
        Self::new("delete", route, id, summary)
    }

    /// Sets the description (CommonMark).
    pub(super) fn description(mut self, description: &str) -> Self {
        self.object.insert("description".to_owned(), description.into());
        self
    }

    /// Marks an operation that only older versions of the contract document.
    pub(super) fn deprecated(mut self) -> Self {
        self.object.insert("deprecated".to_owned(), true.into());
        self
    }

    /// Declares a required JSON body with a component's schema.
    pub(super) fn request_body(self, schema: &str, example: Value) -> Self {
        self.set_request_body(schema, example, true)
    }

    /// Declares an optional JSON body with a component's schema.
    pub(super) fn optional_request_body(self, schema: &str, example: Value) -> Self {
        self.set_request_body(schema, example, false)
    }

    fn set_request_body(mut self, schema: &str, example: Value, required: bool) -> Self {
        let media_type = json!({"schema": schema_reference(schema), "example": example});
        let body = json!({"required": required, "content": {"application/json": media_type}});
        self.object.insert("requestBody".to_owned(), body);
        self
    }

    /// Accepts newline-delimited JSON besides JSON, one request object per line. The response to it
    /// has status 200 and one line per request line.
    pub(super) fn json_lines(mut self, request: &str, response: &str) -> Self {
        let lines =
            |description: &str| json!({"schema": {"type": "string", "description": description}});
        if let Some(body) = self.object.get_mut("requestBody") {
            body["content"][JSON_LINES] = lines(request);
        }
        let response = json!({
            "description": "One result per line of a request in newline-delimited JSON.",
            "headers": header_references(&COMMON_HEADERS),
            "content": {JSON_LINES: lines(response)},
        });
        self.set_response("200", response)
    }

    /// Adds a parameter component.
    pub(super) fn parameter(mut self, component: &str) -> Self {
        let parameters = self.object.entry("parameters").or_insert_with(|| json!([]));
        if let Some(list) = parameters.as_array_mut() {
            list.push(json!({"$ref": format!("#/components/parameters/{component}")}));
        }
        self
    }

    /// Adds a response with one object and its entity tag. GET also gets `If-None-Match` and 304.
    pub(super) fn object_response(self, status: &str, description: &str, schema: &str) -> Self {
        // An empty response represents no object, so it has no entity tag.
        if schema == "Empty" {
            return self.response_without_etag(status, description, schema);
        }
        let is_get = self.method == "get";
        let with_etag =
            self.json_response(status, description, schema_reference(schema), &["ETag"]);
        if !is_get {
            return with_etag;
        }
        let not_modified = json!({"$ref": "#/components/responses/NotModified"});
        with_etag.parameter("If-None-Match").set_response("304", not_modified)
    }

    /// Adds a response that represents no stored object and therefore has no entity tag.
    pub(super) fn response_without_etag(
        self,
        status: &str,
        description: &str,
        schema: &str,
    ) -> Self {
        self.json_response(status, description, schema_reference(schema), &[])
    }

    /// Adds an error response besides those of [`COMMON_RESPONSES`].
    pub(super) fn error_response(self, status: &str, component: &str) -> Self {
        let reference = json!({"$ref": format!("#/components/responses/{component}")});
        self.set_response(status, reference)
    }

    /// Adds the response of a write: the object after it. `If-Match` and `If-None-Match` are its
    /// preconditions.
    pub(super) fn write_response(self, schema: &str) -> Self {
        let status = if self.method == "post" { "201" } else { "200" };
        let description = "The object after the write.";
        self.parameter("If-Match").parameter("If-None-Match").object_response(
            status,
            description,
            schema,
        )
    }

    /// Adds the response of a list in the order of `id`, paged on request.
    pub(super) fn paged_list_response(self, schema: &str) -> Self {
        let items = json!({"type": "array", "items": schema_reference(schema)});
        let paged = self.parameter("limit").parameter("start_after_id");
        paged.json_response("200", "The list, ordered by `id`.", items, &["Link"])
    }

    /// Adds the response of a list that is never paged.
    pub(super) fn list_response(self, schema: &str) -> Self {
        let items = json!({"type": "array", "items": schema_reference(schema)});
        self.json_response("200", "The complete list.", items, &[])
    }

    /// Adds a 200 response in JSON, and in the text formats that the path's suffix selects.
    pub(super) fn response_in_formats(
        self,
        description: &str,
        schema: Value,
        text_formats: &[&str],
    ) -> Self {
        let mut content = json!({"application/json": {"schema": schema}});
        for media_type in text_formats {
            content[*media_type] = json!({"schema": {"type": "string"}});
        }
        let headers = header_references(&self.header_names(&[]));
        let response = json!({"description": description, "headers": headers, "content": content});
        self.set_response("200", response)
    }

    /// Marks an operation that needs no credential.
    pub(super) fn without_security(mut self) -> Self {
        self.object.insert("security".to_owned(), json!([]));
        self
    }

    /// Adds the responses of a sound: all of it, a part of it, and 416 for a part that it does not have.
    pub(super) fn sound_response(self) -> Self {
        let response = |description: &str| {
            json!({
                "description": description,
                "headers": header_references(&COMMON_HEADERS),
                "content": {"audio/*": {"schema": {"type": "string", "format": "binary"}}},
            })
        };
        let unsatisfiable = json!({
            "description": "The recording does not have the requested part.",
            "headers": header_references(&COMMON_HEADERS),
        });
        self.set_response("200", response("The recording."))
            .set_response("206", response("The requested part of the recording."))
            .set_response("416", unsatisfiable)
    }

    /// Adds a 200 response of server-sent events, open until the client disconnects.
    pub(super) fn event_stream_response(self, schema: &str) -> Self {
        let response = json!({
            "description": "The stream. The `data` field of each event is one line of JSON.",
            "headers": header_references(&COMMON_HEADERS),
            "content": {"text/event-stream": {"schema": {
                "type": "string",
                "contentMediaType": "text/event-stream",
                "description": format!("Lines `id`, `event` and `data`; `data` has the schema {schema}."),
                "x-event": schema_reference(schema),
            }}},
        });
        self.set_response("200", response)
    }

    /// Returns the names of the headers of a response of this operation.
    fn header_names<'a>(&self, further: &[&'a str]) -> Vec<&'a str> {
        let resolved_by = resolves_internal_ids(self.method, self.route);
        let names = COMMON_HEADERS.into_iter().chain(further.iter().copied());
        names.chain(resolved_by.then_some("Trunkline-Resolved-By")).collect()
    }

    fn json_response(
        self,
        status: &str,
        description: &str,
        schema: Value,
        further_headers: &[&str],
    ) -> Self {
        let response = json!({
            "description": description,
            "headers": header_references(&self.header_names(further_headers)),
            "content": {"application/json": {"schema": schema}},
        });
        self.set_response(status, response)
    }

    fn set_response(mut self, status: &str, response: Value) -> Self {
        if let Some(responses) = self.object.get_mut("responses").and_then(Value::as_object_mut) {
            responses.insert(status.to_owned(), response);
            responses.sort_keys();
        }
        self
    }

    /// Adds a header component to a response that was added before.
    pub(super) fn response_header(mut self, status: &str, component: &str) -> Self {
        let responses = self.object.get_mut("responses");
        let response = responses.and_then(|responses| responses.get_mut(status));
        if let Some(headers) = response.and_then(|response| response["headers"].as_object_mut()) {
            let reference = format!("#/components/headers/{component}");
            headers.insert(component.to_owned(), json!({"$ref": reference}));
        }
        self
    }

    /// Links a response to the operation that takes its values; `parameters` are OpenAPI runtime
    /// expressions.
    pub(super) fn link(mut self, status: &str, operation_id: &str, parameters: Value) -> Self {
        let responses = self.object.get_mut("responses");
        let response = responses.and_then(|responses| responses.get_mut(status));
        if let Some(response) = response.and_then(Value::as_object_mut) {
            let links = response.entry("links").or_insert_with(|| json!({}));
            links[operation_id] = json!({"operationId": operation_id, "parameters": parameters});
        }
        self
    }

    /// Returns the operation object with its tag.
    pub(super) fn into_json(self, tag: &str) -> Value {
        let mut object = Map::from_iter([("tags".to_owned(), json!([tag]))]);
        object.extend(self.object);
        Value::Object(object)
    }
}
