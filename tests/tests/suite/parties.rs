//! Advertisers, affiliates, the network, and their users.

use serde_json::{Value, json};
use trunkline_tests::body::{self, campaign_path};
use trunkline_tests::{Server, assert_json_eq};

#[test]
fn party_status_is_one_of_five_and_defaults_to_approved() {
    let server = Server::start();
    let network = server.network();
    for (path, status) in [("/affiliates/222", "status"), ("/advertisers/1", "approval_status")] {
        let created = network.post(path, json!({"name": "Surf Oz"})).body(201);
        assert_eq!(created[status], "Approved");
        for word in ["Applied", "Approved", "Declined", "Suspended", "Archived"] {
            let current = network.put(path, json!({status: word})).body(200);
            assert_eq!(current[status], word);
        }
        let wrong = network.put(path, json!({status: "Pending"}));
        wrong.assert_invalid(&json!({status: ["is not included in the list"]}));
    }
}

#[test]
fn party_without_sites_gets_a_default_site() {
    let server = Server::start();
    let network = server.network();
    for path in ["/affiliates/222", "/advertisers/222"] {
        let created = network.post(path, json!({"name": "Surf Oz"})).body(201);
        let default_site = json!([{"id_from_network": "222", "name": "Surf Oz"}]);
        assert_json_eq(&created["sites"], &default_site);
        let blank = json!({"sites": ["can't be blank"]});
        network.put(path, json!({"sites": []})).assert_invalid(&blank);
        network.put(path, json!({"sites": null})).assert_invalid(&blank);
        let twice = json!({"sites": [{"id_from_network": "1"}, {"id_from_network": "1"}]});
        let accepted = json!({"sites": [{}, {"id_from_network": ["has already been taken"]}]});
        network.put(path, twice).assert_invalid(&accepted);
    }
}

#[test]
fn object_urls_are_console_paths_with_internal_ids() {
    let server = Server::builder().document_base_url().start();
    let network = server.network();
    server.add_numbers(&["8005550101", "8005550102"]);
    network.has_live_campaign("1", "12", json!({"auto_approve": "All"}));
    let affiliate_campaign = network.has_applied("1", "12", "222");
    let id = |path: &str| network.get(path).body(200)["id"].to_string();
    let advertiser = id("/advertisers/1");
    let affiliate = id("/affiliates/222");
    let campaign = id(&campaign_path("1", "12"));
    let url = |path: &str| network.get(path).body(200)["object_url"].clone();
    let base = "https://invoca.net";
    assert_eq!(url("/advertisers/1"), format!("{base}/as/{advertiser}/dashboards/ui"));
    assert_eq!(url("/affiliates/222"), format!("{base}/ps/{affiliate}/dashboards/ui"));
    assert_eq!(url(&campaign_path("1", "12")), format!("{base}/a_campaigns/terms/{campaign}"));
    let expected = format!("{base}/p_campaigns/terms/{affiliate}/{campaign}");
    assert_eq!(affiliate_campaign["object_url"], expected);
    let new = json!({"description": "Radio", "media_type": "Radio"});
    let numbers = format!("{}/promo_numbers", campaign_path("1", "12"));
    let default_site = network.post(&numbers, new.clone()).body(201);
    assert_eq!(default_site["object_url"], format!("{base}/a_campaigns/promo_numbers/{campaign}"));
    let numbers = body::affiliate_campaign_path("1", "12", "222") + "/promo_numbers";
    let theirs = network.post(&numbers, new).body(201);
    let expected = format!("{base}/p_campaigns/promo_numbers/{affiliate}/{campaign}");
    assert_eq!(theirs["object_url"], expected);
}

#[test]
fn delete_is_idempotent_and_rejected_with_campaigns() {
    let server = Server::start();
    let network = server.network();
    network.has_campaign("1", "12", json!({}));
    network.has_affiliate("222");
    network.has_applied("1", "12", "223");
    for path in ["/advertisers/1", "/affiliates/223"] {
        let message = network.delete(path).assert_error(403, "UnauthorizedOperation");
        assert!(
            message.contains("cannot be deleted because one or more campaigns exist"),
            "{message}"
        );
        network.get(path).expect(200);
    }
    for path in ["/affiliates/222", "/affiliates/222", "/affiliates/never", "/advertisers/never"] {
        network.delete(path).assert_json(200, &json!({}));
    }
    network.get("/affiliates/222").expect(404);
    let log = network.audit_entries(None).len();
    network.delete("/affiliates/222").expect(200);
    assert_eq!(network.audit_entries(None).len(), log);
    // The name and the id can be used again.
    network.has_affiliate("222");
}

#[test]
fn user_requires_properties_and_has_defaults() {
    let server = Server::start();
    let network = server.network();
    let created = network.put("/network", json!({"users": [body::user("1")]})).body(200);
    let user = &created["users"][0];
    assert_eq!(user["role"], "Super");
    assert_eq!(user["contact_phone_number"], Value::Null);
    assert_eq!(user["can_login_via_platform"], false);
    for notification in [
        "notify_on_budgets",
        "notify_on_campaign_applications",
        "notify_on_campaign_expirations",
        "notify_on_creative_duplication_requests",
        "notify_on_network_announcements",
        "notify_on_performance_notifications",
        "notify_on_monthly_campaign_performance_reports",
        "notify_on_weekly_campaign_performance_reports",
        "notify_on_call_activities",
    ] {
        assert_eq!(user[notification], false, "{notification}");
    }
    let blank = json!(["can't be blank"]);
    network.put("/network", json!({"users": [{}]})).assert_invalid(&json!({"users": [{
        "id_from_network": blank, "email_settings": blank, "first_name": blank, "last_name": blank,
    }]}));
    for role in ["Super", "Manager", "Member", "Observer"] {
        let user = body::merged(body::user("1"), json!({"role": role}));
        let current = network.put("/network", json!({"users": [user]})).body(200);
        assert_eq!(current["users"][0]["role"], role);
    }
}

#[test]
fn email_addresses_are_validated_singly_and_as_a_set() {
    let server = Server::start();
    let network = server.network();
    network.has_affiliate("222");
    let user = |settings: Value| {
        let user = body::merged(body::user("1"), json!({"email_settings": settings}));
        json!({"users": [user]})
    };
    let setting = |address: &str, used: bool| json!({"email_address": address, "use_for_notifications": used});
    let path = "/affiliates/222";
    let twice = json!([setting("a@example.com", true), setting("A@example.com", false)]);
    let accepted = json!({"email_settings": [{}, {"email_address": ["has already been taken"]}]});
    network.put(path, user(twice)).assert_invalid(&json!({"users": [accepted]}));
    let unused = network.put(path, user(json!([setting("a@example.com", false)]))).body(403);
    assert!(unused["errors"]["users"][0]["email_settings"].is_array(), "{unused}");
    let missing = network.put(path, user(json!([{"email_address": "a@example.com"}]))).body(403);
    let pointer = &missing["errors"]["users"][0]["email_settings"][0]["use_for_notifications"];
    assert!(pointer.is_array(), "{missing}");
    for address in
        ["a", "a@", "@example.com", "a b@example.com", "a@b@example.com", "a@example..com"]
    {
        let response = network.put(path, user(json!([setting(address, true)])));
        let invalid = json!({"email_settings": [{"email_address": ["is invalid"]}]});
        response.assert_invalid(&json!({"users": [invalid]}));
    }
    for address in
        ["a@example.com", "a.b+c@sub.example.com", "\"a b\"@example.com", "o'neil@example.com"]
    {
        network.put(path, user(json!([setting(address, true)]))).expect(200);
    }
}

#[test]
fn phone_numbers_are_e164_or_ten_us_digits() {
    let server = Server::start();
    let network = server.network();
    network.has_affiliate("222");
    let put = |number: Value| {
        let user = body::merged(body::user("1"), json!({"contact_phone_number": number}));
        network.put("/affiliates/222", json!({"users": [user]}))
    };
    for number in [
        json!("8057089876"),
        json!("(805) 708-9876"),
        json!("+18057089876"),
        json!(8057089876_u64),
        json!("1-805-708-9876"),
    ] {
        let user = put(number).body(200)["users"][0].clone();
        assert_eq!(user["contact_phone_number"], "805-708-9876");
        assert_eq!(user["phone_number"], "805-708-9876");
    }
    let abroad = put(json!("+442071838750")).body(200)["users"][0].clone();
    assert_eq!(abroad["contact_phone_number"], abroad["phone_number"]);
    assert!(
        abroad["phone_number"].as_str().is_some_and(|item| item.starts_with("+44")),
        "{abroad}"
    );
    for number in [json!("12345"), json!("call me"), json!("+0123456789"), json!({}), json!(true)] {
        let invalid = json!({"users": [{"contact_phone_number": ["is invalid"]}]});
        put(number).assert_invalid(&invalid);
    }
    assert_eq!(put(Value::Null).body(200)["users"][0]["phone_number"], Value::Null);
}

#[test]
fn user_has_one_record_and_a_role_per_organization() {
    let server = Server::start();
    let network = server.network();
    let user = |role: &str, name: &str| {
        let more = json!({"role": role, "first_name": name});
        json!({"name": "Surf Oz", "users": [body::merged(body::user("1"), more)]})
    };
    network.put("/affiliates/222", user("Observer", "Ann")).expect(200);
    network.put("/advertisers/1", user("Manager", "Anna")).expect(200);
    let affiliate = network.get("/affiliates/222").body(200)["users"][0].clone();
    let advertiser = network.get("/advertisers/1").body(200)["users"][0].clone();
    assert_eq!((&affiliate["role"], &advertiser["role"]), (&json!("Observer"), &json!("Manager")));
    assert_eq!(
        (&affiliate["first_name"], &advertiser["first_name"]),
        (&json!("Anna"), &json!("Anna"))
    );
    // A user who is removed from one party stays in the other.
    network.put("/affiliates/222", json!({"users": []})).expect(200);
    assert_eq!(network.get("/advertisers/1").body(200)["users"][0]["first_name"], "Anna");
}

#[test]
fn deleting_a_party_deletes_its_exclusive_users() {
    let server = Server::start();
    let network = server.network();
    network
        .put("/affiliates/222", json!({"name": "Surf Oz", "users": [body::user("1")]}))
        .expect(200);
    server.set_password("user1@example.com", "secret");
    let basic = "Basic dXNlcjFAZXhhbXBsZS5jb206c2VjcmV0";
    let user = server.anon().with_token(Some(basic));
    user.get("/affiliates/222").expect(200);
    network.delete("/affiliates/222").expect(200);
    user.get("/affiliates/222").assert_error(401, "Unauthorized");
}

#[test]
fn advertiser_users_are_managed_one_by_one() {
    let server = Server::start();
    let network = server.network();
    network.has_advertiser("1");
    let users = "/advertisers/1/users";
    network.get(users).assert_json(200, &json!([]));
    let created = network.post(users, json!({"user": body::full_user("7")})).body(201);
    assert_eq!(created["id_from_network"], "7");
    network.get("/advertisers/1/users/7.json").assert_json(200, &created);
    network.get(users).assert_json(200, &json!([created]));
    assert_json_eq(&network.get("/advertisers/1").body(200)["users"], &json!([created]));
    let partial = json!({"user": {"last_name": "Changed"}});
    let changed = network.put("/advertisers/1/users/7", partial.clone()).body(200);
    assert_json_eq(&changed, &body::merged(created, json!({"last_name": "Changed"})));
    // A partial body for a missing user lacks the required properties.
    let missing = network.put("/advertisers/1/users/8", partial).body(403);
    assert!(missing["errors"].is_object());
    network.delete("/advertisers/1/users/7").expect(200);
    network.delete("/advertisers/1/users/7").expect(200);
    network.get("/advertisers/1/users/7").assert_error(404, "RecordNotFound");
}

#[test]
fn access_token_signs_a_user_in_once() {
    let server = Server::start();
    let network = server.network();
    let people = |id: &str| json!({"name": "Surf Oz", "users": [body::user(id)]});
    network.put("/network", people("1")).expect(200);
    network.put("/advertisers/1", people("2")).expect(200);
    network.put("/affiliates/222", people("3")).expect(200);
    let mut tokens = Vec::new();
    for path in [
        "/network/user1@example.com",
        "/advertisers/1/user2@example.com",
        "/affiliates/222/user3%40example.com",
    ] {
        let created =
            network.post(&format!("{path}/create_access_token.json"), json!({})).body(201);
        let names: Vec<&String> = created.as_object().unwrap().keys().collect();
        assert_eq!(names.len(), 2, "{created}");
        assert!(created["id"].is_i64());
        tokens.push(created["token"].as_str().expect("a token").to_owned());
    }
    tokens.dedup();
    assert_eq!(tokens.len(), 3);
    // An access token is not an API credential.
    server.anon().with_token(Some(&tokens[0])).get("/affiliates").assert_error(401, "Unauthorized");
    for path in [
        "/network/user2@example.com",
        "/affiliates/222/user2@example.com",
        "/affiliates/9/user3@example.com",
    ] {
        let path = format!("{path}/create_access_token");
        network.post(&path, json!({})).assert_error(404, "RecordNotFound");
    }
}

#[test]
fn custom_data_is_validated_by_the_networks_fields() {
    let server = Server::start();
    let network = server.network();
    network.has_affiliate("222");
    let fields = network.get("/custom_data_fields").body(200);
    assert_eq!(fields[0]["partner_name"], "channel");
    let put = |data: Value| network.put("/affiliates/222", json!({"custom_data": data}));
    // Strings, numbers and booleans are returned as strings.
    for (value, shown) in
        [(json!("Radio"), "Radio"), (json!(7), "7"), (json!(4.5), "4.5"), (json!(true), "true")]
    {
        let response = put(json!({"channel": value})).body(200);
        assert_json_eq(&response["custom_data"], &json!({"channel": shown}));
    }
    let unknown =
        json!({"custom_data": {"colour": ["is not a custom data field of this network"]}});
    put(json!({"colour": "red"})).assert_invalid(&unknown);
    let colour = json!({"data_type": "category", "field_values": ["red", "blue"]});
    network.put("/custom_data_fields/colour", colour).expect(200);
    put(json!({"colour": "red"})).expect(200);
    assert_eq!(put(json!({"colour": "green"})).status, 403);
    network.put("/custom_data_fields/day", json!({"data_type": "date"})).expect(200);
    put(json!({"day": "2015-05-13"})).expect(200);
    assert_eq!(put(json!({"day": "2015-02-30"})).status, 403);
    // The object replaces the stored custom data as a whole.
    let whole = put(json!({"day": "2015-05-13"})).body(200);
    assert_json_eq(&whole["custom_data"], &json!({"day": "2015-05-13"}));
    network.delete("/custom_data_fields/day").expect(200);
    network.delete("/custom_data_fields/day").expect(200);
    network.get("/custom_data_fields/day").assert_error(404, "RecordNotFound");
    let wrong = network.put("/custom_data_fields/x", json!({"data_type": "number"}));
    wrong.assert_invalid(&json!({"data_type": ["is not included in the list"]}));
}
