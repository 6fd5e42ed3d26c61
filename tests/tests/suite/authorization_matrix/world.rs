//! The objects that the requests of the matrix name, and the requests themselves.

use super::rules::{Operation, Target};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use trunkline_tests::body::{self, affiliate_campaign_path, campaign_path, relationship_path};
use trunkline_tests::{Client, Server, WebhookReceiver};

/// Part of the name of every foreign object: no response to another party contains it.
pub(super) const FOREIGN_MARK: &str = "Zebra";

/// Password of the user `sn`, a Super of the network.
pub(super) const PASSWORD: &str = "correct horse";

/// A server with objects of every kind: of an own and of a foreign advertiser and affiliate.
pub(super) struct World {
    pub(super) server: Server,
    pub(super) network: Client,
    /// Values of path parameters, by name, for the own, the foreign and the absent objects.
    values: [BTreeMap<&'static str, String>; 3],
    receiver: WebhookReceiver,
}

/// A request without its credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) path: String,
    pub(super) body: Option<String>,
}

impl World {
    pub(super) fn create() -> Self {
        let arguments = ["--rate-limit", "0", "--webhook-allow-private"];
        let server = Server::builder().sandbox().arguments(&arguments).start();
        let numbers: Vec<String> = (100..190).map(|digits| format!("8005550{digits}")).collect();
        server.add_numbers(&numbers.iter().map(String::as_str).collect::<Vec<_>>());
        let network = server.network();
        let receiver = WebhookReceiver::accepting_all();
        let mut values = [BTreeMap::new(), BTreeMap::new(), BTreeMap::new()];
        for (digit, values) in ["1", "2", "9"].iter().zip(&mut values) {
            for (name, prefix) in [
                ("advertiser", "a"),
                ("campaign", "c"),
                ("affiliate", "f"),
                ("affiliate campaign", "ac"),
                ("user", "u"),
                ("promo", "n"),
                ("affiliate promo", "m"),
                ("external call", "external-"),
            ] {
                values.insert(name, format!("{prefix}{digit}"));
            }
            values.insert("advertiser email", format!("useru{digit}@example.com"));
            values.insert("affiliate email", format!("userv{digit}@example.com"));
            let is_absent = *digit == "9";
            let email = if is_absent { "nobody@example.com" } else { "userun@example.com" };
            values.insert("network email", email.to_owned());
            let name = if is_absent { "nothing" } else { "colour" };
            values.insert("partner_name", name.to_owned());
        }
        let mut world = Self { server, network, values, receiver };
        world.create_shared_objects();
        world.create_party_objects(Target::Own, "All", "Own");
        world.create_party_objects(Target::Foreign, "None", FOREIGN_MARK);
        world.create_webhooks();
        world.name_absent_objects();
        world
    }

    pub(super) fn value(&self, target: Target, name: &str) -> &str {
        let value = self.values[target as usize].get(name);
        value.unwrap_or_else(|| panic!("the parameter {name} has no value"))
    }

    fn set(&mut self, target: Target, name: &'static str, value: &Value) {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        self.values[target as usize].insert(name, value);
    }

    fn create_shared_objects(&mut self) {
        let mut users = vec![body::user("un"), body::user("sn")];
        users[0]["role"] = "Observer".into();
        self.network.put("/network", json!({"users": users})).expect(200);
        self.server.set_password("usersn@example.com", PASSWORD);
        self.network.put("/custom_data_fields/colour", custom_data_field("colour")).expect(200);
        // An audit entry whose revert changes an object that no other request names.
        self.network.has_affiliate("f3");
        self.network.put("/affiliates/f3", json!({"name": "Renamed"})).expect(200);
        let entries = self.network.audit_entries(Some("affiliate:f3"));
        for target in [Target::Own, Target::Foreign] {
            self.set(target, "audit", &entries.last().expect("an entry")["id"]);
        }
    }

    /// Creates an advertiser with a live campaign, an affiliate that runs it, and what belongs to them.
    fn create_party_objects(&mut self, target: Target, visibility: &str, name: &str) {
        let [advertiser, campaign, affiliate, user, promo, affiliate_promo] =
            ["advertiser", "campaign", "affiliate", "user", "promo", "affiliate promo"]
                .map(|key| self.value(target, key).to_owned());
        let network = self.network.clone();
        let person = |id: &str, role: &str| {
            let names = json!({"role": role, "first_name": name, "last_name": name});
            body::merged(body::user(id), names)
        };
        let users = [person(&user, "Observer"), person(&format!("s{advertiser}"), "Super")];
        let party = json!({"name": format!("{name} {advertiser}"), "users": users});
        network.put(&format!("/advertisers/{advertiser}"), party).expect(200);
        let users = [
            person(&user.replace('u', "v"), "Observer"),
            person(&format!("s{affiliate}"), "Super"),
        ];
        let party = json!({"name": format!("{name} {affiliate}"), "users": users});
        network.put(&format!("/affiliates/{affiliate}"), party).expect(200);
        let terms = json!({"visibility": visibility, "auto_approve": "All", "timezone": "UTC"});
        let terms = body::merged(body::campaign(&format!("{name} {campaign}")), terms);
        let path = campaign_path(&advertiser, &campaign);
        network.put(&path, terms).expect(200);
        network.go_live(&advertiser, &campaign);
        let relationship = relationship_path(&advertiser, &affiliate);
        network.put(&relationship, json!({"status": "Approved"})).expect(200);
        let run = affiliate_campaign_path(&advertiser, &campaign, &affiliate);
        let id = self.value(target, "affiliate campaign").to_owned();
        network.post(&run, json!({"id_from_network": id})).expect(201);
        for (owner, id, key) in
            [(&path, promo, "number"), (&run, affiliate_promo, "affiliate number")]
        {
            let number = json!({"id_from_network": id, "description": name, "media_type": "TV"});
            let number = network.post(&format!("{owner}/promo_numbers"), number).body(201);
            self.set(target, key, &number["promo_number"]);
        }
        let call = json!({"external_call_unique_id": format!("x-{campaign}"),
            "start_time": "2200-01-01 12:00:00 +0000", "duration_in_seconds": 90,
            "advertiser_campaign_id_from_network": campaign, "affiliate_id_from_network": affiliate});
        network.post("/calls", json!({"call": call})).expect(201);
        let rows = network.ledger();
        self.set(target, "transaction", &rows.last().expect("a row")["transaction_id"]);
        let start = json!({"advertiser_campaign": campaign, "affiliate": affiliate,
            "calling_phone_number": "4155550123",
            "external_call_unique_id": self.value(target, "external call")});
        let call = network.extensions().post("/calls", start).body(201);
        self.set(target, "call", &call["id"]);
        let call = network.extensions().get(&format!("/calls/{}", call["id"])).body(200);
        self.set(target, "complete call", &call["complete_call_id"]);
        self.create_token(target);
    }

    /// Creates a token of the affiliate of a target.
    fn create_token(&mut self, target: Target) {
        let scope = json!({"affiliate": self.value(target, "affiliate")});
        let token = json!({"role": "Observer", "scope": scope});
        let token = self.network.extensions().post("/tokens", token).body(201);
        self.set(target, "token", &token["id"]);
    }

    /// Creates a webhook with a delivery, and one to delete. Neither gets an event later.
    fn create_webhooks(&mut self) {
        let extensions = self.network.extensions();
        let create = |event: &str| {
            let webhook = json!({"url": self.receiver.url(), "events": [event]});
            extensions.post("/webhooks", webhook).body(201)["id"].clone()
        };
        let (delivered, spare) = (create("campaign.status_changed"), create("budget.alert"));
        self.network.has_live_campaign("a3", "c3", json!({"visibility": "None"}));
        let path = format!("/webhooks/{delivered}");
        let delivery = self.wait_for_delivery(&extensions.path(&format!("{path}/deliveries")));
        extensions.put(&path, json!({"events": ["budget.alert"]})).expect(200);
        for target in [Target::Own, Target::Foreign] {
            self.set(target, "delivered webhook", &delivered);
            self.set(target, "webhook", &spare);
            self.set(target, "delivery", &delivery["id"]);
        }
    }

    /// Waits until the one delivery of a list is delivered, and returns it.
    fn wait_for_delivery(&self, path: &str) -> Value {
        let started = Instant::now();
        loop {
            let list = self.network.absolute_paths().get(path).body(200);
            let first = list.as_array().and_then(|list| list.first()).cloned();
            if let Some(delivery) = first.filter(|delivery| delivery["state"] == "delivered") {
                return delivery;
            }
            assert!(started.elapsed() < Duration::from_secs(60), "not delivered: {list}");
            std::thread::yield_now();
        }
    }

    fn name_absent_objects(&mut self) {
        for name in ["audit", "call", "delivered webhook", "webhook", "delivery", "token"] {
            self.set(Target::Absent, name, &json!(999_999));
        }
        self.set(Target::Absent, "complete call", &json!("nothing"));
        for name in ["number", "affiliate number"] {
            self.set(Target::Absent, name, &json!("8005559999"));
        }
        let own = self.value(Target::Own, "transaction").to_owned();
        let absent: String =
            own.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
        self.set(Target::Absent, "transaction", &absent.into());
        let id = self.network.network_id().get();
        for (target, id) in [(Target::Own, id), (Target::Foreign, id + 1), (Target::Absent, 999)] {
            self.set(target, "network", &json!(id));
        }
    }

    /// The request of an operation to a target.
    pub(super) fn request(&self, operation: &Operation, target: Target) -> Request {
        let version = if operation.writes_by_get() { "2015-05-01" } else { "2023-10-09" };
        let network = self.network.network_id().to_string();
        let path = operation.path.replace("{version}", version).replace("{network_id}", &network);
        let names = parameter_names(&operation.short_path);
        let path = names.iter().fold(path, |path, (name, key)| {
            path.replace(&format!("{{{name}}}"), self.value(target, key))
        });
        let is_statement = operation.short_path.starts_with("~/statements/");
        let path = if is_statement { path + "?month=2026-01" } else { path };
        let path = if operation.short_path.starts_with("/calls_in_progress") {
            let [advertiser, call] =
                ["advertiser", "complete call"].map(|name| self.value(target, name));
            let query = format!("organization_type=Advertiser&id={advertiser}");
            format!("{path}?{query}&transaction_id={call}&call_status=all")
        } else {
            path
        };
        let body = template(&operation.method, &operation.short_path)
            .filter(|_| operation.method != "GET" && operation.method != "DELETE")
            .map(|body| self.fill(target, &body));
        Request { path, body }
    }

    /// Replaces `<name>` in the strings of a body.
    fn fill(&self, target: Target, body: &Value) -> String {
        let values = &self.values[target as usize];
        values
            .iter()
            .fold(body.to_string(), |text, (name, value)| text.replace(&format!("<{name}>"), value))
    }

    /// Text of a refusal about the foreign object, as it would be about the absent one.
    pub(super) fn rename_to_absent(&self, operation: &Operation, text: &str) -> String {
        let [_, foreign, absent] = &self.values;
        let in_path = parameter_names(&operation.short_path).into_iter().map(|(_, key)| key);
        let in_bodies = ["advertiser", "campaign", "affiliate", "user"];
        in_path
            .chain(in_bodies)
            .fold(text.to_owned(), |text, key| text.replace(&foreign[key], &absent[key]))
    }

    /// Creates again what a permitted request deleted or archived.
    pub(super) fn restore(&mut self, operation: &Operation, target: Target) {
        let path = operation.short_path.as_str();
        let request = self.request(operation, target);
        let client = self.network.absolute_paths();
        let name = if target == Target::Foreign { FOREIGN_MARK } else { "Own" };
        if operation.writes_by_get() {
            client.get(&request.path.replace("archive", "go_live")).expect(200);
        } else if path.ends_with("/resend") {
            let (deliveries, _) = request.path.rsplit_once('/').expect("a delivery");
            let (deliveries, _) = deliveries.rsplit_once('/').expect("a list");
            self.wait_for_delivery(deliveries);
        } else if operation.method != "DELETE" || target == Target::Absent {
            // Nothing was lost.
        } else if path.ends_with("/users/{user}") {
            let user = body::user(self.value(target, "user"));
            let user = body::merged(user, json!({"role": "Observer", "first_name": name}));
            client.put(&request.path, json!({"user": user})).expect(200);
        } else if path == "/custom_data_fields/{partner_name}" {
            client.put(&request.path, custom_data_field("colour")).expect(200);
        } else if path.contains("/promo_numbers") {
            let of_affiliate = path.contains("/affiliates/");
            let [id, key] = if of_affiliate {
                ["affiliate promo", "affiliate number"]
            } else {
                ["promo", "number"]
            };
            let (collection, _) = request.path.rsplit_once('/').expect("a collection");
            let body = json!({"id_from_network": self.value(target, id), "media_type": "TV",
                "description": name});
            let number = client.post(collection, body).body(201);
            self.set(target, key, &number["promo_number"]);
        } else if path == "~/tokens/{id}" {
            self.create_token(target);
        } else if path == "~/webhooks/{id}" {
            let webhook = json!({"url": self.receiver.url(), "events": ["budget.alert"]});
            let webhook = self.network.extensions().post("/webhooks", webhook).body(201);
            self.set(target, "webhook", &webhook["id"]);
        }
    }
}

fn custom_data_field(name: &str) -> Value {
    json!({"partner_name": name, "friendly_name": name, "data_type": "short_text"})
}

/// Parameters of a path with the names of their values.
fn parameter_names(path: &str) -> Vec<(&str, &'static str)> {
    let names = path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'));
    let of_affiliate = path.contains("/affiliates/");
    let key = |name: &str| match name {
        "advertiser" => "advertiser",
        "campaign" => "campaign",
        "affiliate" => "affiliate",
        "user" => "user",
        "partner_name" => "partner_name",
        "network" => "network",
        "transaction" => "transaction",
        "delivery" => "delivery",
        "email" if path.starts_with("/network/") => "network email",
        "email" if of_affiliate => "affiliate email",
        "email" => "advertiser email",
        "number" if of_affiliate => "affiliate number",
        "number" => "number",
        "id" if path.ends_with("/affiliate_campaigns/{id}") => "affiliate campaign",
        "id" if path.contains("/promo_numbers_by_id/") && of_affiliate => "affiliate promo",
        "id" if path.contains("/promo_numbers_by_id/") => "promo",
        "id" if path.starts_with("~/calls/by_external_id/") => "external call",
        "id" if path.starts_with("~/calls/") => "call",
        "id" if path.contains("/deliveries") => "delivered webhook",
        "id" if path.starts_with("~/webhooks/") => "webhook",
        "id" if path.starts_with("~/tokens/") => "token",
        "id" if path.starts_with("~/audit/") => "audit",
        _ => panic!("{path}: the parameter {name} has no value"),
    };
    names.map(|name| (name, key(name))).collect()
}

/// Body of a write, with the names of values in angle brackets.
fn template(method: &str, path: &str) -> Option<Value> {
    let campaign = json!({"advertiser_campaign": "<campaign>", "affiliate": "<affiliate>"});
    let with_campaign = |more: Value| body::merged(campaign.clone(), more);
    let days = json!({"from": "2026-01-01", "to": "2026-01-02"});
    let last = path.rsplit('/').next().unwrap_or_default();
    Some(match path {
        "~/sandbox/reset" => return None,
        "/network" => json!({"name": "Network"}),
        "/advertisers" => json!({"id_from_network": "<advertiser>", "name": "New <advertiser>"}),
        "/affiliates" => json!({"id_from_network": "<affiliate>", "name": "New <affiliate>"}),
        "/advertisers/{advertiser}" => json!({"name": "New <advertiser>"}),
        "/affiliates/{affiliate}" => json!({"name": "New <affiliate>"}),
        "~/conditions/check" => {
            json!({"condition": "duration > 60", "advertiser_campaign": "<campaign>"})
        }
        "~/dry_run" => with_campaign(json!({"terms": "current", "call": {}})),
        "~/replay" => body::merged(json!({"advertiser_campaign": "<campaign>"}), days),
        "~/redecide" => {
            let more = json!({"advertiser_campaign": "<campaign>", "apply": false, "reason": "x"});
            body::merged(more, days)
        }
        "/calls" => json!({"call": {"external_call_unique_id": "y-<campaign>",
            "start_time": "2200-01-01 12:00:00 +0000", "affiliate_id_from_network": "<affiliate>",
            "advertiser_campaign_id_from_network": "<campaign>"}}),
        "~/calls" => with_campaign(json!({"calling_phone_number": "4155550123"})),
        "/calls_in_progress" => json!({"call_in_progress": {}}),
        "~/calls/{id}/recording/links" => json!({"seconds": 60}),
        "~/calls/{id}/events" | "~/calls/by_external_id/{id}/events" => json!({"event": "hung_up"}),
        "~/webhooks" => json!({"url": "https://receiver.example.com/"}),
        "~/webhooks/{id}" => json!({"description": "New"}),
        "~/tokens" => json!({"role": "Observer", "scope": {"affiliate": "<affiliate>"}}),
        "~/transactions/{transaction}/corrections" => {
            json!({"reason": "x", "call": {"duration": 45}})
        }
        "~/sandbox/clock" => json!({"now": null}),
        "~/sandbox/calls" => json!({"calls": 1}),
        _ => match last {
            "users" => {
                json!({"user": body::merged(body::user("<user>"), json!({"role": "Observer"}))})
            }
            "{user}" => json!({"user": {"first_name": "New", "last_name": "New",
                "email_address": "user<user>@example.com"}}),
            "custom_data_fields" | "{partner_name}" => custom_data_field("<partner_name>"),
            "advertiser_campaigns" => {
                json!({"id_from_network": "<campaign>", "name": "New <campaign>"})
            }
            "{campaign}" => json!({"name": "New <campaign>"}),
            "{affiliate}" => json!({"status": "Approved"}),
            "promo_numbers" | "promo_numbers_by_id" => {
                json!({"description": "TV", "media_type": "TV"})
            }
            _ if path.contains("/promo_numbers") => json!({"description": "New"}),
            _ if method == "DELETE" => return None,
            _ => json!({}),
        },
    })
}
