//! Responses to browsers at paths outside the API.

mod support;

use support::{Response, Server, TestDir};

fn get(server: &Server, path: &str, accept: &str) -> Response {
    server.request_with_headers(&format!("GET {path}"), &format!("Accept: {accept}\r\n"))
}

#[test]
fn unknown_page_is_html_for_browsers_and_json_for_other_clients() {
    let server = TestDir::new().serve(&[]);
    let page = get(&server, "/nothing", "text/html,application/xhtml+xml,*/*;q=0.8");
    assert_eq!(page.status, 404);
    assert!(page.head.contains("content-type: text/html; charset=utf-8"), "{}", page.head);
    assert!(page.head.contains("content-security-policy: "), "{}", page.head);
    assert!(page.head.contains("x-request-id: "), "{}", page.head);
    assert!(page.body.contains("<h1>Not found</h1>") && page.body.contains("href=\"/\""));
    for accept in ["*/*", "application/json"] {
        let response = get(&server, "/nothing", accept);
        assert_eq!(response.status, 404);
        assert_eq!(response.json()["errors"]["class"], "RecordNotFound", "{}", response.body);
    }
    // A 404 of a route stays as the API documents it.
    let api = get(&server, "/api/2018-11-01/1/affiliates/1.json", "text/html");
    assert!(api.head.contains("content-type: application/json"), "{}", api.head);
}

#[test]
fn api_description_links_to_the_console() {
    let server = TestDir::new().serve(&[]);
    let docs = get(&server, "/docs", "text/html");
    assert!(docs.body.contains("<a href=\"/\">Console</a>"));
}

#[test]
fn favicon_is_an_svg_image() {
    let server = TestDir::new().serve(&[]);
    for path in ["/favicon.ico", "/favicon.svg"] {
        let icon = get(&server, path, "image/*");
        assert_eq!(icon.status, 200);
        assert!(icon.head.contains("content-type: image/svg+xml"), "{}", icon.head);
        assert!(icon.body.starts_with("<svg xmlns="), "{}", icon.body);
    }
    assert!(
        get(&server, "/login", "text/html").body.contains("rel=\"icon\" href=\"/favicon.svg\"")
    );
}
