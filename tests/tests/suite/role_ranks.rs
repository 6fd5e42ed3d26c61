//! Roles rank: nobody gives, takes or leaves out a role above their own.

use serde_json::{Value, json};
use trunkline_domain::party::{PartyKind, Role};
use trunkline_tests::{Client, Server, body, dump};

fn person(id: &str, role: &str) -> Value {
    let mut user = body::user(id);
    user["role"] = role.into();
    user
}

/// Organization `path` has a Super (7), a Manager (8) and a Member (9).
fn users() -> Vec<Value> {
    vec![person("7", "Super"), person("8", "Manager"), person("9", "Member")]
}

/// Tries writes of an organization's users by a Manager's credential.
fn assert_manager_is_below_super(network: &Client, manager: &Client, path: &str) {
    network.put(path, json!({"users": users()})).expect(200);
    let before = dump(network);
    let put = |users: Vec<Value>| manager.put(path, json!({ "users": users }));
    let above = json!({"role": ["is above your own"]});
    // Gives: to another, and to a new user by the default role.
    let mut given = users();
    given[2]["role"] = "Super".into();
    put(given).assert_invalid(&json!({"users": [{}, {}, above]}));
    let mut new = users();
    new.push(body::user("10"));
    put(new).assert_invalid(&json!({"users": [{}, {}, {}, above]}));
    // Takes, and changes an address.
    let mut demoted = users();
    demoted[0]["role"] = "Member".into();
    put(demoted).assert_invalid(&json!({"users": [above]}));
    let mut readdressed = users();
    readdressed[0]["email_settings"][0]["email_address"] = "evil@example.com".into();
    put(readdressed).assert_invalid(&json!({"users": [above]}));
    // Leaves out.
    for left in [users().split_off(1), vec![]] {
        let message = "leaves out user 7, whose role is above your own";
        put(left).assert_invalid(&json!({"users": [message]}));
    }
    assert_eq!(dump(network), before);
    // Up to their own role a Manager may do all of it.
    put(vec![users().remove(0), person("9", "Manager"), person("11", "Observer")]).expect(200);
}

#[test]
fn manager_of_a_network_is_below_its_super() {
    let server = Server::start();
    let network = server.network();
    let manager = server.network_with_role(Role::Manager);
    assert_manager_is_below_super(&network, &manager, "/network");
}

#[test]
fn manager_of_a_party_is_below_its_super() {
    let server = Server::start();
    let network = server.network();
    network.has_advertiser("1");
    network.has_affiliate("222");
    for (kind, id, path) in [
        (PartyKind::Advertiser, "1", "/advertisers/1"),
        (PartyKind::Affiliate, "222", "/affiliates/222"),
    ] {
        let manager = server.party(kind, id, Role::Manager);
        assert_manager_is_below_super(&network, &manager, path);
        network.put(path, json!({"users": []})).expect(200);
    }
}

#[test]
fn single_users_and_deletions_are_ranked_too() {
    let server = Server::start();
    let network = server.network();
    network.put("/advertisers/1", json!({"name": "One", "users": users()})).expect(200);
    let before = dump(&network);
    let network_member = server.network_with_role(Role::Member);
    for member in [server.party(PartyKind::Advertiser, "1", Role::Member), network_member.clone()] {
        let above = json!({"user": {"role": ["is above your own"]}});
        let promoted = json!({"user": {"role": "Super"}});
        member.put("/advertisers/1/users/9", promoted).assert_invalid(&above);
        let demoted = json!({"user": {"role": "Observer"}});
        member.put("/advertisers/1/users/7", demoted).assert_invalid(&above);
        let message = "leaves out user 7, whose role is above your own";
        member.delete("/advertisers/1/users/7").assert_invalid(&json!({"users": [message]}));
    }
    let left_out =
        ["7", "8"].map(|id| format!("leaves out user {id}, whose role is above your own"));
    network_member.delete("/advertisers/1").assert_invalid(&json!({"users": left_out}));
    assert_eq!(dump(&network), before);
    network_member.delete("/advertisers/1/users/9").expect(200);
}

#[test]
fn webhooks_need_a_manager() {
    let server = Server::start();
    let webhook = json!({"url": "https://example.com/hook"});
    for role in [Role::Member, Role::Observer] {
        let client = server.network_with_role(role).extensions();
        client.post("/webhooks", webhook.clone()).assert_error(403, "UnauthorizedOperation");
        client.delete("/webhooks/1").assert_error(403, "UnauthorizedOperation");
    }
    let manager = server.network_with_role(Role::Manager).extensions();
    manager.post("/webhooks", webhook).expect(201);
}

/// A credential of a party cannot write users that also belong to other parties.
#[test]
fn party_credential_cannot_take_over_a_foreign_user() {
    let server = Server::start();
    let network = server.network();
    network.has_advertiser("1");
    network.has_affiliate("222");
    let boss = |address: &str| {
        json!({"users": [{"id_from_network": "boss", "first_name": "B", "last_name": "B",
            "email_settings": [{"email_address": address, "use_for_notifications": true}]}]})
    };
    network.put("/network", boss("boss@example.com")).expect(200);
    let before = network.get("/network").body(200);
    let affiliate = server.affiliate("222");
    let rejected = affiliate.put("/affiliates/222", boss("evil@example.com"));
    rejected.assert_error(403, "UnauthorizedOperation");
    let taken_in = affiliate.put("/affiliates/222", boss("boss@example.com"));
    taken_in.assert_error(403, "UnauthorizedOperation");
    let advertiser = server.advertiser("1");
    let user = json!({"user": boss("evil@example.com")["users"][0]});
    advertiser.put("/advertisers/1/users/boss", user).assert_error(403, "UnauthorizedOperation");
    assert_eq!(network.get("/network").body(200), before);
    // It can write users who belong to its party only.
    let own_object = json!({"users": [{"id_from_network": "own", "first_name": "O", "last_name": "O",
        "email_address": "own@example.com"}]});
    affiliate.put("/affiliates/222", own_object).expect(200);
    affiliate.post("/affiliates/222/own@example.com/create_access_token", json!({})).expect(201);
    // The network's boss got a role in the affiliate, but the affiliate still cannot change that user.
    let mut both = boss("boss@example.com");
    both["users"][0]["role"] = json!("Member");
    network.put("/affiliates/222", both).expect(200);
    let path = "/affiliates/222/boss@example.com/create_access_token";
    affiliate.post(path, json!({})).assert_error(403, "UnauthorizedOperation");
    network.post(path, json!({})).expect(201);
}
