//! Commands for networks, tokens, passwords, numbers, completions and the OpenAPI document.

mod support;

use serde_json::json;
use support::{TestDir, expect_failure, json_lines};

#[test]
fn network_is_created_and_listed_while_a_server_runs() {
    let dir = TestDir::new();
    let server = dir.serve(&[]);
    let created = dir.run_json(&["network", "create", "--name", "Acme", "--id", "7"]);
    let token = created[0]["token"].as_str().unwrap();
    let link = created[0]["sign_in_url"].as_str().unwrap();
    assert!(link.starts_with("http://127.0.0.1:8080/sign_in_link?token=tl2_"), "{link}");
    let expected = json!({"id": 7, "name": "Acme", "token": token, "sign_in_url": link});
    assert_eq!(created, [expected]);
    assert_eq!(server.request("GET /api/2018-11-01/7/affiliates.json", token, "").status, 200);
    dir.run_json(&["network", "create", "--name", "B", "--time-zone", "London", "--sandbox"]);
    let listed = dir.run_json(&["network", "list"]);
    assert_eq!(
        listed[0],
        json!({"id": 7, "name": "Acme", "time_zone": "Pacific Time (US & Canada)", "sandbox": false})
    );
    assert_eq!(listed[1], json!({"id": 8, "name": "B", "time_zone": "London", "sandbox": true}));
    let (line, code) = dir.expect_failure(&["network", "create", "--name", "C", "--id", "7"]);
    assert_eq!((line.as_str(), code), ("there is a network 7 already", 1));
    let misused = dir.run(&["network", "create", "--name", "C", "--time-zone", "Mars"]);
    assert_eq!(misused.status.code(), Some(2));
}

#[test]
fn new_network_has_a_first_user_who_signs_in_by_a_link() {
    let dir = TestDir::new();
    let flags = ["--email", "pat@example.com", "--base-url", "https://calls.example.com/"];
    let created = dir.run_json(&[&["network", "create", "--name", "Acme"][..], &flags].concat());
    let (token, link) = (created[0]["token"].as_str().unwrap(), &created[0]["sign_in_url"]);
    let link = link.as_str().unwrap().strip_prefix("https://calls.example.com/").unwrap();
    let server = dir.serve(&[]);
    let network = server.request("GET /api/2018-11-01/1/network.json", token, "").json();
    assert_eq!(network["users"][0]["email_settings"][0]["email_address"], "pat@example.com");
    assert_eq!(network["users"][0]["role"], "Super");
    let page = server.request(&format!("GET /{link}"), "", "");
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(page.body.contains("pat@example.com") && page.body.contains("Choose a password"));
    let misused = dir.run(&["network", "create", "--name", "C", "--email", "pat"]);
    assert_eq!(misused.status.code(), Some(2));
}

#[test]
fn token_is_limited_to_its_scope_and_role() {
    let dir = TestDir::new();
    let network_token = dir.create_network();
    let server = dir.serve(&[]);
    for id in ["1", "2"] {
        let head = format!("POST /api/2018-11-01/1/affiliates/{id}.json");
        let body = json!({"name": id, "users": []}).to_string();
        assert_eq!(server.request(&head, &network_token, &body).status, 201);
    }
    let create = [
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
    let created = dir.run_json(&create);
    let token = created[0]["token"].as_str().unwrap();
    let get = |id: &str, token: &str| {
        server.request(&format!("GET /api/2018-11-01/1/affiliates/{id}.json"), token, "").status
    };
    assert_eq!((get("1", token), get("2", token)), (404, 200));
    assert_eq!(server.request("PUT /api/2018-11-01/1/affiliates/2.json", token, "{}").status, 403);

    let listed = dir.run(&["token", "list", "--network", "1"]);
    assert!(!String::from_utf8_lossy(&listed.stdout).contains("tl_"), "a secret is listed");
    let listed = json_lines(&listed);
    assert_eq!(listed[0]["scope"], "network");
    let second = &listed[1];
    assert_eq!((&second["scope"], &second["id_from_network"]), (&json!("affiliate"), &json!("2")));
    assert_eq!(
        (&second["role"], &second["label"], &second["revoked_at"]),
        (&json!("Observer"), &json!("L"), &json!(null))
    );
    assert!(second["expires_at"].is_string() && second["created_at"].is_string());

    let id = created[0]["id"].to_string();
    assert!(dir.run_json(&["token", "revoke", "--network", "1", "--id", &id]).is_empty());
    assert_eq!(get("2", token), 401);
    let (line, code) = dir.expect_failure(&["token", "revoke", "--network", "1", "--id", "99"]);
    assert_eq!((line.as_str(), code), ("there is no token 99 in network 1", 1));
    let (line, _) = dir.expect_failure(&["token", "create", "--network", "1", "--advertiser", "x"]);
    assert_eq!(line, "Could not find Advertiser x");
    assert_eq!(dir.expect_failure(&["token", "list", "--network", "9"]).0, "there is no network 9");
}

#[test]
fn password_is_read_from_standard_input() {
    let dir = TestDir::new();
    let token = dir.create_network();
    let server = dir.serve(&[]);
    let user = json!({"id_from_network": "1", "first_name": "A", "last_name": "B",
        "email_settings": [{"email_address": "pat@example.com", "use_for_notifications": true}]});
    let body = json!({"users": [user]}).to_string();
    assert_eq!(server.request("PUT /api/2018-11-01/1/network.json", &token, &body).status, 200);
    let set = ["user", "set-password", "--network", "1", "--email", "pat@example.com"];
    let done = dir.run_with_stdin(&set, "correct horse\n");
    assert!(done.status.success() && done.stdout.is_empty(), "{done:?}");
    // pat@example.com:correct horse
    let basic = "Basic cGF0QGV4YW1wbGUuY29tOmNvcnJlY3QgaG9yc2U=";
    assert_eq!(server.request("GET /api/2018-11-01/1/network.json", basic, "").status, 200);
    let (line, _) = expect_failure(&dir.run_with_stdin(&set, "short\n"));
    assert_eq!(line, "the password is too short: it needs 8 characters");
    let other = ["user", "set-password", "--network", "1", "--email", "x@example.com"];
    let (line, _) = expect_failure(&dir.run_with_stdin(&other, "correct horse\n"));
    assert_eq!(line, "there is no user x@example.com in network 1");
    // The id of the only network can be left out.
    let without_network = ["user", "set-password", "--email", "pat@example.com"];
    assert!(dir.run_with_stdin(&without_network, "correct horse\n").status.success());
}

#[test]
fn address_of_several_users_requires_a_user_id() {
    let dir = TestDir::new();
    let token = dir.create_network();
    let server = dir.serve(&[]);
    let user = |id: &str| {
        json!({"id_from_network": id, "first_name": "A", "last_name": "B",
            "email_address": "pat@example.com"})
    };
    let boss = json!({"users": [user("boss")]}).to_string();
    assert_eq!(server.request("PUT /api/2018-11-01/1/network.json", &token, &boss).status, 200);
    let other = json!({"name": "Two", "users": [user("other")]}).to_string();
    assert_eq!(
        server.request("PUT /api/2018-11-01/1/affiliates/2.json", &token, &other).status,
        200
    );
    let set = ["user", "set-password", "--network", "1", "--email", "pat@example.com"];
    let (line, code) = expect_failure(&dir.run_with_stdin(&set, "correct horse\n"));
    let message = "several users have pat@example.com: select one of boss, other";
    assert_eq!((line.as_str(), code), (message, 1));
    let basic = "Basic cGF0QGV4YW1wbGUuY29tOmNvcnJlY3QgaG9yc2U=";
    assert_eq!(server.request("GET /api/2018-11-01/1/network.json", basic, "").status, 401);
    let one = [&set[..], &["--user", "other"]].concat();
    assert!(dir.run_with_stdin(&one, "correct horse\n").status.success());
    assert_eq!(server.request("GET /api/2018-11-01/1/affiliates/2.json", basic, "").status, 200);
    assert_eq!(server.request("GET /api/2018-11-01/1/network.json", basic, "").status, 403);
}

#[test]
fn number_import_is_atomic() {
    let dir = TestDir::new();
    dir.create_network();
    let import = ["numbers", "import", "n.txt", "--network", "1"];
    let write = |text: &str| std::fs::write(dir.path("n.txt"), text).unwrap();
    write("8005550100\n\n# a comment\nabc\n8005550101\n");
    let (line, code) = dir.expect_failure(&import);
    assert_eq!(
        (line.as_str(), code),
        ("n.txt:4: 'abc' is not a phone number; nothing was imported", 1)
    );
    write("8005550100 # the first\r\n+18005550101\n\n");
    assert_eq!(dir.run_json(&import), [json!({"imported": 2, "already_there": 0})]);
    let from_stdin = ["numbers", "import", "-", "--network", "1"];
    let done = dir.run_with_stdin(&from_stdin, "8005550101\n8005550102\n");
    assert_eq!(json_lines(&done), [json!({"imported": 1, "already_there": 1})]);
    assert!(
        dir.expect_failure(&["numbers", "import", "none", "--network", "1"])
            .0
            .starts_with("cannot read none: ")
    );
}

#[test]
fn long_import_prints_progress() {
    let dir = TestDir::new();
    dir.create_network();
    let numbers: String = (0..2_000).map(|line| format!("805555{line:04}\n")).collect();
    let import = ["numbers", "import", "-", "--log", "warn"];
    let done = dir.run_with_stdin(&import, &numbers);
    assert_eq!(json_lines(&done), [json!({"imported": 2_000, "already_there": 0})]);
    let progress = String::from_utf8(done.stderr).unwrap();
    assert_eq!(progress.lines().count(), 4, "{progress}");
    assert!(progress.starts_with("500 of 2000 numbers\n"), "{progress}");
}

#[test]
fn completions_exist_for_every_shell() {
    let dir = TestDir::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let done = dir.run(&["completions", shell]);
        assert!(done.status.success());
        assert!(String::from_utf8_lossy(&done.stdout).contains("set-password"), "{shell}");
    }
    assert_eq!(dir.run(&["completions", "none"]).status.code(), Some(2));
}

#[test]
fn printed_openapi_document_equals_the_served_one() {
    let dir = TestDir::new();
    let server = dir.serve(&[]);
    let printed = dir.run(&["openapi"]);
    let printed: serde_json::Value = serde_json::from_slice(&printed.stdout).unwrap();
    assert!(printed["openapi"].as_str().unwrap().starts_with("3.1"));
    assert_eq!(server.request("GET /openapi.json", "", "").json(), printed);
}
