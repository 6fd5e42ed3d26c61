//! Networks, tokens, passwords, numbers and completions at the command line.

mod support;

use serde_json::json;
use support::{Place, failure, json_lines};

#[test]
fn a_network_is_made_and_listed_while_a_server_runs() {
    let place = Place::new();
    let server = place.serve(&[]);
    let made = place.lines(&["network", "create", "--name", "Acme", "--id", "7"]);
    let token = made[0]["token"].as_str().unwrap();
    assert_eq!(made, [json!({"id": 7, "name": "Acme", "token": token})]);
    assert_eq!(server.ask("GET /api/2018-11-01/7/affiliates.json", token, "").status, 200);
    place.lines(&["network", "create", "--name", "B", "--time-zone", "London", "--sandbox"]);
    let listed = place.lines(&["network", "list"]);
    assert_eq!(
        listed[0],
        json!({"id": 7, "name": "Acme", "time_zone": "Pacific Time (US & Canada)", "sandbox": false})
    );
    assert_eq!(listed[1], json!({"id": 8, "name": "B", "time_zone": "London", "sandbox": true}));
    let (line, code) = place.failure(&["network", "create", "--name", "C", "--id", "7"]);
    assert_eq!((line.as_str(), code), ("there is a network 7 already", 1));
    let misused = place.run(&["network", "create", "--name", "C", "--time-zone", "Mars"]);
    assert_eq!(misused.status.code(), Some(2));
}

#[test]
fn a_token_reaches_as_far_as_it_was_made_to() {
    let place = Place::new();
    let all = place.network();
    let server = place.serve(&[]);
    for id in ["1", "2"] {
        let head = format!("POST /api/2018-11-01/1/affiliates/{id}.json");
        let body = json!({"name": id, "users": []}).to_string();
        assert_eq!(server.ask(&head, &all, &body).status, 201);
    }
    let make = [
        "token",
        "create",
        "--network",
        "1",
        "--affiliate",
        "2",
        "--role",
        "Observer",
        "--label",
        "L",
        "--expires-in",
        "3",
    ];
    let made = place.lines(&make);
    let token = made[0]["token"].as_str().unwrap();
    let get = |id: &str, token: &str| {
        server.ask(&format!("GET /api/2018-11-01/1/affiliates/{id}.json"), token, "").status
    };
    assert_eq!((get("1", token), get("2", token)), (404, 200));
    assert_eq!(server.ask("PUT /api/2018-11-01/1/affiliates/2.json", token, "{}").status, 403);

    let listed = place.run(&["token", "list", "--network", "1"]);
    assert!(!String::from_utf8_lossy(&listed.stdout).contains("tl_"), "a secret is listed");
    let listed = json_lines(&listed);
    assert_eq!(listed[0]["scope"], "network");
    let it = &listed[1];
    assert_eq!((&it["scope"], &it["id_from_network"]), (&json!("affiliate"), &json!("2")));
    assert_eq!(
        (&it["role"], &it["label"], &it["revoked_at"]),
        (&json!("Observer"), &json!("L"), &json!(null))
    );
    assert!(it["expires_at"].is_string() && it["created_at"].is_string());

    let id = made[0]["id"].to_string();
    assert!(place.lines(&["token", "revoke", "--network", "1", "--id", &id]).is_empty());
    assert_eq!(get("2", token), 401);
    let (line, code) = place.failure(&["token", "revoke", "--network", "1", "--id", "99"]);
    assert_eq!((line.as_str(), code), ("there is no token 99 in network 1", 1));
    let (line, _) = place.failure(&["token", "create", "--network", "1", "--advertiser", "x"]);
    assert_eq!(line, "Could not find Advertiser x");
    assert_eq!(place.failure(&["token", "list", "--network", "9"]).0, "there is no network 9");
}

#[test]
fn a_password_comes_from_standard_input() {
    let place = Place::new();
    let token = place.network();
    let server = place.serve(&[]);
    let user = json!({"id_from_network": "1", "first_name": "A", "last_name": "B",
        "email_settings": [{"email_address": "pat@example.com", "use_for_notifications": true}]});
    let body = json!({"users": [user]}).to_string();
    assert_eq!(server.ask("PUT /api/2018-11-01/1/network.json", &token, &body).status, 200);
    let set = ["user", "set-password", "--network", "1", "--email", "pat@example.com"];
    let done = place.run_with_stdin(&set, "correct horse\n");
    assert!(done.status.success() && done.stdout.is_empty(), "{done:?}");
    // pat@example.com:correct horse
    let basic = "Basic cGF0QGV4YW1wbGUuY29tOmNvcnJlY3QgaG9yc2U=";
    assert_eq!(server.ask("GET /api/2018-11-01/1/network.json", basic, "").status, 200);
    let (line, _) = failure(&place.run_with_stdin(&set, "short\n"));
    assert_eq!(line, "the password is too short: it needs 8 characters");
    let other = ["user", "set-password", "--network", "1", "--email", "x@example.com"];
    let (line, _) = failure(&place.run_with_stdin(&other, "correct horse\n"));
    assert_eq!(line, "there is no user x@example.com in network 1");
    // The only network there is needs no name.
    let alone = ["user", "set-password", "--email", "pat@example.com"];
    assert!(place.run_with_stdin(&alone, "correct horse\n").status.success());
}

#[test]
fn an_address_of_several_users_sets_nobodys_password() {
    let place = Place::new();
    let token = place.network();
    let server = place.serve(&[]);
    let user = |id: &str| {
        json!({"id_from_network": id, "first_name": "A", "last_name": "B",
            "email_address": "pat@example.com"})
    };
    let boss = json!({"users": [user("boss")]}).to_string();
    assert_eq!(server.ask("PUT /api/2018-11-01/1/network.json", &token, &boss).status, 200);
    let other = json!({"name": "Two", "users": [user("other")]}).to_string();
    assert_eq!(server.ask("PUT /api/2018-11-01/1/affiliates/2.json", &token, &other).status, 200);
    let set = ["user", "set-password", "--network", "1", "--email", "pat@example.com"];
    let (line, code) = failure(&place.run_with_stdin(&set, "correct horse\n"));
    let said = "several users have pat@example.com: say which one of boss, other";
    assert_eq!((line.as_str(), code), (said, 1));
    let basic = "Basic cGF0QGV4YW1wbGUuY29tOmNvcnJlY3QgaG9yc2U=";
    assert_eq!(server.ask("GET /api/2018-11-01/1/network.json", basic, "").status, 401);
    let one = [&set[..], &["--user", "other"]].concat();
    assert!(place.run_with_stdin(&one, "correct horse\n").status.success());
    assert_eq!(server.ask("GET /api/2018-11-01/1/affiliates/2.json", basic, "").status, 200);
    assert_eq!(server.ask("GET /api/2018-11-01/1/network.json", basic, "").status, 403);
}

#[test]
fn numbers_are_imported_whole_or_not_at_all() {
    let place = Place::new();
    place.network();
    let import = ["numbers", "import", "n.txt", "--network", "1"];
    let write = |text: &str| std::fs::write(place.path("n.txt"), text).unwrap();
    write("8005550100\n\n# a comment\nabc\n8005550101\n");
    let (line, code) = place.failure(&import);
    assert_eq!(
        (line.as_str(), code),
        ("n.txt:4: 'abc' is not a phone number; nothing was imported", 1)
    );
    write("8005550100 # the first\r\n+18005550101\n\n");
    assert_eq!(place.lines(&import), [json!({"imported": 2, "already_there": 0})]);
    let from_stdin = ["numbers", "import", "-", "--network", "1"];
    let done = place.run_with_stdin(&from_stdin, "8005550101\n8005550102\n");
    assert_eq!(json_lines(&done), [json!({"imported": 1, "already_there": 1})]);
    assert!(
        place
            .failure(&["numbers", "import", "none", "--network", "1"])
            .0
            .starts_with("cannot read none: ")
    );
}

#[test]
fn a_long_import_says_how_far_it_is() {
    let place = Place::new();
    place.network();
    let numbers: String = (0..2_000).map(|line| format!("805555{line:04}\n")).collect();
    let import = ["numbers", "import", "-", "--log", "warn"];
    let done = place.run_with_stdin(&import, &numbers);
    assert_eq!(json_lines(&done), [json!({"imported": 2_000, "already_there": 0})]);
    let said = String::from_utf8(done.stderr).unwrap();
    assert_eq!(said.lines().count(), 4, "{said}");
    assert!(said.starts_with("500 of 2000 numbers\n"), "{said}");
}

#[test]
fn completions_are_for_every_shell() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let done = place.run(&["completions", shell]);
        assert!(done.status.success());
        assert!(String::from_utf8_lossy(&done.stdout).contains("set-password"), "{shell}");
    }
    assert_eq!(place.run(&["completions", "none"]).status.code(), Some(2));
}

#[test]
fn the_openapi_document_is_the_one_that_is_served() {
    let place = Place::new();
    let server = place.serve(&[]);
    let printed = place.run(&["openapi"]);
    let printed: serde_json::Value = serde_json::from_slice(&printed.stdout).unwrap();
    assert!(printed["openapi"].as_str().unwrap().starts_with("3.1"));
    assert_eq!(server.ask("GET /openapi.json", "", "").json(), printed);
}
