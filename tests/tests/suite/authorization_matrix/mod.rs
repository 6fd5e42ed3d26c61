//! The authorization matrix: each operation of the OpenAPI document, with each kind of credential, on an
//! own, a foreign and an absent object. The rules of [`rules`] say what the answer is. A request that
//! is refused changes no row of the database.

mod connection;
mod rules;
mod world;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use connection::{Connection, Reply};
use rules::{Operation, Outcome, Rank, Scope, Target};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use trunkline_api::route_table;
use trunkline_domain::party::{PartyKind, Role};
use trunkline_tests::{Client, Server, body, run};
use world::{FOREIGN_MARK, PASSWORD, Request, World};

/// Fewest requests of a run: the matrix must not shrink unnoticed.
const MIN_REQUESTS: usize = 7_000;
/// Problems that a failed run prints.
const MAX_PRINTED_PROBLEMS: usize = 60;
const TARGETS: [Target; 3] = [Target::Own, Target::Foreign, Target::Absent];
/// Operations at the end of a run: an attempt to send a delivery again goes on in the background, and a
/// reset deletes the objects of the others.
const LAST_OPERATIONS: [&str; 2] =
    ["~/webhooks/{id}/deliveries/{delivery}/resend", "~/sandbox/reset"];

/// Validity and permissions of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Not valid as a credential of the API.
    Invalid,
    /// Token of another network.
    Elsewhere,
    /// Session cookie of another network.
    ElsewhereSession,
    /// API token.
    Token(Scope, Rank),
    /// Session cookie of a Super, which may only read.
    Session(Scope),
}

struct Credential {
    name: String,
    kind: Kind,
    header: Option<(&'static str, String)>,
}

impl Credential {
    fn new(name: &str, kind: Kind, header: Option<(&'static str, String)>) -> Self {
        Self { name: name.to_owned(), kind, header }
    }

    fn token(name: &str, kind: Kind, client: &Client) -> Self {
        Self::new(name, kind, Some(("Authorization", client.token().to_owned())))
    }

    /// Answer that the rules demand.
    fn outcome(&self, operation: &Operation, target: Target) -> Outcome {
        let reads = operation.method == "GET" && !operation.writes_by_get();
        match self.kind {
            Kind::Invalid => Outcome::Unauthorized,
            Kind::Elsewhere => Outcome::Forbidden,
            Kind::Token(scope, rank) => operation.outcome(scope, rank, target),
            Kind::ElsewhereSession if operation.method == "GET" => Outcome::Forbidden,
            Kind::ElsewhereSession => Outcome::Unauthorized,
            Kind::Session(_) if !reads => Outcome::Unauthorized,
            Kind::Session(scope) => operation.outcome(scope, Rank::Super, target),
        }
    }

    fn scope(&self) -> Option<Scope> {
        match self.kind {
            Kind::Token(scope, _) | Kind::Session(scope) => Some(scope),
            Kind::Invalid | Kind::Elsewhere | Kind::ElsewhereSession => None,
        }
    }
}

/// Creates a one-time token for a user of an organization, named by its path.
fn one_time_token(client: &Client, organization: &str, user: &str) -> String {
    let path = format!("{organization}/user{user}@example.com/create_access_token");
    let created = client.post(&path, json!({})).body(201);
    created["token"].as_str().expect("a token").to_owned()
}

/// Signs a user in by a one-time token. Returns the header with the session cookie.
fn session(client: &Client, organization: &str, user: &str) -> (&'static str, String) {
    let token = one_time_token(client, organization, user);
    let target = format!("/?access_token={token}");
    let page = client.absolute_paths().with_token(None).request("GET", &target).send();
    let cookie = page.header("set-cookie").expect("the token is redeemed");
    ("Cookie", cookie.split(';').next().expect("a cookie").to_owned())
}

fn revoked_token(server: &Server) -> String {
    let network = server.network_id().to_string();
    let scope = ["--network", &network, "--database", server.database()];
    let created = run(&[&["token", "create"][..], &scope].concat());
    let created: Value = serde_json::from_slice(&created.stdout).expect("one line of JSON");
    let id = created["id"].to_string();
    let revoked = run(&[&["token", "revoke", "--id", &id][..], &scope].concat());
    assert!(revoked.status.success(), "{}", String::from_utf8_lossy(&revoked.stderr));
    created["token"].as_str().expect("a token").to_owned()
}

fn credentials(world: &World) -> Vec<Credential> {
    let World { server, network, .. } = world;
    let bearer = |token: &str| Some(("Authorization", format!("Bearer {token}")));
    let elsewhere = server.create_another_network();
    elsewhere.put("/network", json!({"users": [body::user("en")]})).expect(200);
    let mut credentials = vec![
        Credential::new("none", Kind::Invalid, None),
        Credential::new("garbage", Kind::Invalid, bearer("tl_garbage")),
        Credential::new("revoked", Kind::Invalid, bearer(&revoked_token(server))),
        Credential::token("expired", Kind::Invalid, &server.with_expired_token()),
        Credential::new(
            "one-time token",
            Kind::Invalid,
            bearer(&one_time_token(network, "/network", "sn")),
        ),
        Credential::token("another network's token", Kind::Elsewhere, &elsewhere),
    ];
    let elsewhere = session(&elsewhere, "/network", "en");
    credentials.push(Credential::new(
        "another network's session",
        Kind::ElsewhereSession,
        Some(elsewhere),
    ));
    let (_, cookie) = session(network, "/network", "sn");
    let (_, secret) = cookie.split_once('=').expect("a cookie");
    credentials.push(Credential::new("session as a token", Kind::Invalid, bearer(secret)));
    for (name, kind, path, user) in [
        ("session of the network", Kind::Session(Scope::Network), "/network", "sn"),
        ("session of the advertiser", Kind::Session(Scope::Advertiser), "/advertisers/a1", "sa1"),
        ("session of the affiliate", Kind::Session(Scope::Affiliate), "/affiliates/f1", "sf1"),
    ] {
        credentials.push(Credential::new(name, kind, Some(session(network, path, user))));
    }
    // A user's password by HTTP Basic carries the grants of all organizations of the user.
    let basic = STANDARD.encode(format!("usersn@example.com:{PASSWORD}"));
    let basic = Some(("Authorization", format!("Basic {basic}")));
    let kind = Kind::Token(Scope::Network, Rank::Super);
    credentials.push(Credential::new("password of the network", kind, basic));
    for (rank, role) in [
        (Rank::Observer, Role::Observer),
        (Rank::Member, Role::Member),
        (Rank::Manager, Role::Manager),
        (Rank::Super, Role::Super),
    ] {
        let name = |scope: &str| format!("{rank:?} of the {scope}");
        let client = server.network_with_role(role);
        let kind = Kind::Token(Scope::Network, rank);
        credentials.push(Credential::token(&name("network"), kind, &client));
        for (scope, kind, id) in [
            (Scope::Advertiser, PartyKind::Advertiser, "a1"),
            (Scope::Affiliate, PartyKind::Affiliate, "f1"),
        ] {
            let client = server.party(kind, id, role);
            let name = name(kind.as_str());
            credentials.push(Credential::token(&name, Kind::Token(scope, rank), &client));
        }
    }
    credentials
}

/// Detects changes of the database. On SQLite each commit of another connection is seen; on PostgreSQL
/// all rows are compared.
struct ChangeDetector {
    url: String,
    sqlite: Option<rusqlite::Connection>,
    version: i64,
    rows: BTreeMap<String, Vec<String>>,
}

impl ChangeDetector {
    fn new(server: &Server) -> Self {
        let url = server.database().to_owned();
        let sqlite = url
            .strip_prefix("sqlite://")
            .map(|file| rusqlite::Connection::open(file).expect("the database opens"));
        let mut detector = Self { url, sqlite, version: 0, rows: BTreeMap::new() };
        detector.accept_changes();
        detector
    }

    fn read_version(&self) -> Option<i64> {
        let version = |file: &rusqlite::Connection| {
            file.query_row("PRAGMA data_version", [], |row| row.get(0)).expect("a version")
        };
        self.sqlite.as_ref().map(version)
    }

    /// Takes the state of now for the one to compare with.
    fn accept_changes(&mut self) {
        self.rows = trunkline_tests::table_rows(&self.url);
        self.version = self.read_version().unwrap_or_default();
    }

    /// True if nothing was committed since the last comparison; `None` if only the rows can tell.
    fn is_quiet(&self) -> Option<bool> {
        self.read_version().map(|version| version == self.version)
    }

    /// Rows that were added or removed.
    fn changes(&mut self) -> Vec<String> {
        let before = std::mem::take(&mut self.rows);
        self.accept_changes();
        let flatten = |tables: &BTreeMap<String, Vec<String>>| -> BTreeSet<String> {
            let rows = |(table, rows): (&String, &Vec<String>)| {
                rows.iter().map(|row| format!("{table}: {row}")).collect::<Vec<_>>()
            };
            tables.iter().flat_map(rows).collect()
        };
        let [before, after] = [flatten(&before), flatten(&self.rows)];
        let removed = before.difference(&after).filter(|row| !is_deleted_webhook(row));
        let changed = removed.chain(after.difference(&before));
        // The server stores the days on which tokens were used once a minute.
        changed.filter(|row| !row.starts_with("token_uses: ")).cloned().collect()
    }
}

/// Tests for a webhook that a request has deleted; a background task of the server removes its row later.
fn is_deleted_webhook(row: &str) -> bool {
    const DELETED_AT: usize = 7;
    let mut columns = row.split('|');
    row.starts_with("webhooks: ") && columns.nth(DELETED_AT).is_some_and(|at| at != "Null")
}

/// A run of the matrix.
struct Run {
    world: World,
    connection: Connection,
    detector: ChangeDetector,
    credentials: Vec<Credential>,
    requests: usize,
    problems: Vec<String>,
}

impl Run {
    fn new() -> Self {
        let world = World::create();
        let credentials = credentials(&world);
        let connection = Connection::new(world.server.address());
        let detector = ChangeDetector::new(&world.server);
        Self { world, connection, detector, credentials, requests: 0, problems: Vec::new() }
    }

    fn send(
        &mut self,
        operation: &Operation,
        index: usize,
        request: &Request,
        more: &[(&str, &str)],
    ) -> Reply {
        let mut headers = more.to_vec();
        if let Some((name, value)) = &self.credentials[index].header {
            headers.push((name, value));
        }
        self.requests += 1;
        let Request { path, body } = request;
        self.connection.send(&operation.method, path, &headers, body.as_deref())
    }

    fn report(&mut self, operation: &Operation, index: usize, target: Target, problem: &str) {
        let Operation { method, short_path, .. } = operation;
        let name = &self.credentials[index].name;
        self.problems.push(format!("{method} {short_path}, {name}, {target:?}: {problem}"));
    }

    /// Sends the requests that must be refused, then those that are permitted.
    fn check_operation(&mut self, operation: &Operation) {
        let mut permitted = Vec::new();
        for index in 0..self.credentials.len() {
            let mut refusals: Vec<(Target, Outcome, String)> = Vec::new();
            for target in TARGETS.into_iter().filter(|target| !operation.skips(*target)) {
                match self.credentials[index].outcome(operation, target) {
                    Outcome::Allowed => permitted.push((index, target)),
                    outcome => {
                        let text = self.check_refusal(operation, index, target, outcome);
                        refusals.push((target, outcome, text));
                    }
                }
            }
            self.check_texts(operation, index, &refusals);
        }
        if self.detector.is_quiet().is_none() {
            let changes = self.detector.changes();
            if !changes.is_empty() {
                self.report(operation, 0, Target::Own, &format!("a refusal changed {changes:?}"));
            }
        }
        for (index, target) in permitted {
            self.check_permitted(operation, index, target);
        }
        if operation.method != "GET" || operation.writes_by_get() {
            self.detector.accept_changes();
        }
    }

    /// Sends a request that must be refused. Returns the text of the refusal.
    fn check_refusal(
        &mut self,
        operation: &Operation,
        index: usize,
        target: Target,
        outcome: Outcome,
    ) -> String {
        let request = self.world.request(operation, target);
        let reply = self.send(operation, index, &request, &[]);
        let expected = match outcome {
            Outcome::Unauthorized => (401, Some("Unauthorized")),
            Outcome::Forbidden => (403, Some("UnauthorizedOperation")),
            Outcome::NotFound => (404, Some("RecordNotFound")),
            Outcome::Allowed => panic!("a refusal"),
        };
        if (reply.status, error_class(&reply).as_deref()) != expected {
            let problem = format!("not {outcome:?}, but {} {}", reply.status, reply.body);
            self.report(operation, index, target, &problem);
        }
        if outcome == Outcome::Unauthorized && reply.header("www-authenticate").is_none() {
            self.report(operation, index, target, "without WWW-Authenticate");
        }
        if self.detector.is_quiet() == Some(false) {
            let changes = self.detector.changes();
            if !changes.is_empty() {
                let problem = format!("changed the database: {changes:?}");
                self.report(operation, index, target, &problem);
            }
        }
        self.check_reveals_nothing(operation, index, target, &reply);
        reply.body
    }

    /// The refusal of a foreign object reads like that of an absent one.
    fn check_texts(
        &mut self,
        operation: &Operation,
        index: usize,
        refusals: &[(Target, Outcome, String)],
    ) {
        let find = |target: Target| refusals.iter().find(|(of, _, _)| *of == target);
        let (Some((_, first, foreign)), Some((_, second, absent))) =
            (find(Target::Foreign), find(Target::Absent))
        else {
            return;
        };
        let foreign = self.world.rename_to_absent(operation, foreign);
        if first == second && foreign != *absent {
            let problem = format!("reads {foreign}, and of an absent object {absent}");
            self.report(operation, index, Target::Foreign, &problem);
        }
    }

    /// Sends a permitted request. Its body or precondition is mostly one that changes nothing.
    fn check_permitted(&mut self, operation: &Operation, index: usize, target: Target) {
        let mut request = self.world.request(operation, target);
        if let Some(body) = harmless_body(operation) {
            request.body = Some(body.to_owned());
        }
        let precondition: &[(&str, &str)] =
            if operation.method == "GET" { &[] } else { &[("If-Match", "\"stale\"")] };
        let reply = self.send(operation, index, &request, precondition);
        let is_validation = reply.status == 403 && error_class(&reply).is_none();
        let is_permitted = match operation.letter(Scope::Network, Target::Own) {
            'r' => reply.status == 200,
            _ => {
                matches!(reply.status, 200..=202 | 412)
                    || is_validation
                    || is_refused_by_state(&reply)
            }
        };
        if !is_permitted {
            let problem = format!("not permitted: {} {}", reply.status, reply.body);
            self.report(operation, index, target, &problem);
        }
        self.check_reveals_nothing(operation, index, target, &reply);
        if reply.status < 300 {
            self.world.restore(operation, target);
        }
    }

    /// No other party than the foreign one sees its names.
    fn check_reveals_nothing(
        &mut self,
        operation: &Operation,
        index: usize,
        target: Target,
        reply: &Reply,
    ) {
        let is_party = self.credentials[index].scope() != Some(Scope::Network);
        if is_party && reply.body.contains(FOREIGN_MARK) {
            self.report(operation, index, target, &format!("reveals names: {}", reply.body));
        }
    }

    /// Sends the write of an operation to the own objects, as the network's Super: the requests that
    /// others are refused are valid ones.
    fn check_success(&mut self, operation: &Operation) {
        let index = self.credentials.len() - 3;
        assert_eq!(self.credentials[index].name, "Super of the network");
        if operation.outcome(Scope::Network, Rank::Super, Target::Own) != Outcome::Allowed {
            return;
        }
        let request = self.world.request(operation, Target::Own);
        let reply = self.send(operation, index, &request, &[]);
        if !(200..300).contains(&reply.status) && !is_refused_by_state(&reply) {
            let problem = format!("no success: {} {}", reply.status, reply.body);
            self.report(operation, index, Target::Own, &problem);
        }
        if reply.status < 300 {
            self.world.restore(operation, Target::Own);
        }
    }
}

/// True if the state of the object refuses what the credential may do.
fn is_refused_by_state(reply: &Reply) -> bool {
    let texts = [
        "cannot be deleted because",
        "all of its changes were overwritten",
        "cannot transition from",
    ];
    reply.status == 403 && texts.iter().any(|text| reply.body.contains(text))
}

fn error_class(reply: &Reply) -> Option<String> {
    let body: Value = serde_json::from_str(&reply.body).ok()?;
    body["errors"]["class"].as_str().map(str::to_owned)
}

/// Body that fails validation, for writes without preconditions that would create something each time.
fn harmless_body(operation: &Operation) -> Option<&'static str> {
    let Operation { method, short_path, .. } = operation;
    let creates = method == "POST"
        && (short_path.ends_with("/promo_numbers")
            || short_path.ends_with("/promo_numbers_by_id")
            || short_path.ends_with("/corrections")
            || short_path.ends_with("/events")
            || short_path == "~/webhooks"
            || short_path == "~/tokens");
    match short_path.as_str() {
        _ if creates => Some("{}"),
        "~/sandbox/calls" => Some(r#"{"calls": "none"}"#),
        _ => None,
    }
}

#[test]
fn every_operation_answers_each_credential_by_the_rules() {
    let mut run = Run::new();
    let document = trunkline_api::openapi_document();
    let operations = rules::operations(&document);
    rules::assert_rules_hide_existence(&operations);
    assert_document_has_all_routes(&operations);
    let is_last = |operation: &&Operation| LAST_OPERATIONS.contains(&operation.short_path.as_str());
    let (last, others): (Vec<&Operation>, Vec<&Operation>) = operations.iter().partition(is_last);
    for operation in &others {
        run.check_operation(operation);
    }
    let (deletions, writes): (Vec<&Operation>, Vec<&Operation>) =
        others.iter().partition(|operation| operation.method == "DELETE");
    for operation in writes.into_iter().chain(deletions.into_iter().rev()) {
        run.check_success(operation);
    }
    run.detector.accept_changes();
    for operation in last {
        run.check_operation(operation);
    }
    let Run { requests, problems, .. } = run;
    let printed = problems.iter().take(MAX_PRINTED_PROBLEMS).cloned().collect::<Vec<_>>();
    let count = problems.len();
    assert!(problems.is_empty(), "{count} of {requests} requests:\n{}", printed.join("\n"));
    assert!(requests >= MIN_REQUESTS, "{requests} requests");
}

fn assert_document_has_all_routes(operations: &[Operation]) {
    let documented: BTreeSet<(String, String)> = operations
        .iter()
        .map(|operation| (operation.method.clone(), operation.path.clone()))
        .collect();
    let routed: BTreeSet<(String, String)> =
        route_table().into_iter().map(|(method, path)| (method.to_string(), path)).collect();
    let routed: BTreeSet<(String, String)> =
        routed.into_iter().filter(|(_, path)| path != rules::SIGNED).collect();
    let difference: Vec<_> = documented.symmetric_difference(&routed).collect();
    assert!(difference.is_empty(), "in the document or the router only: {difference:?}");
}
