//! Sign-in and sign-out.

use crate::test_console::{ADVERTISER_USER, NETWORK_USER, PASSWORD, TestConsole};
use axum::http::StatusCode;
use jiff::SignedDuration;

#[tokio::test]
async fn access_token_signs_in_once_on_any_page() {
    let console = TestConsole::new().await;
    let token = console.access_token().await;
    let path = format!("/as/{}/dashboards/ui", console.ids.advertiser);
    let appended = format!("{path}?access_token={token}&start_after_id=0");

    let mut preview = console.anonymous();
    let response = preview.send("HEAD", &appended, &[], "").await;
    assert_eq!((response.status, response.set_cookie()), (StatusCode::SEE_OTHER, None));
    assert!(!response.location().contains(&token));

    let mut first = console.anonymous();
    let response = first.get(&appended).await;
    assert_eq!(response.status, StatusCode::SEE_OTHER);
    assert_eq!(response.location(), format!("{path}?start_after_id=0"));
    let cookie = response.set_cookie().unwrap();
    assert!(cookie.starts_with("trunkline_session="));
    assert!(cookie.ends_with("; HttpOnly; SameSite=Lax; Path=/; Max-Age=43200"), "{cookie}");
    assert_eq!(first.get(&path).await.status, StatusCode::OK);

    let mut second = console.anonymous();
    let response = second.get(&appended).await;
    assert_eq!((response.status, response.set_cookie()), (StatusCode::UNAUTHORIZED, None));
    assert!(response.body.contains("used already"));
    assert!(!response.body.contains(&token));
}

#[tokio::test]
async fn access_token_expires_after_five_minutes() {
    let console = TestConsole::new().await;
    let token = console.access_token().await;
    console.advance_clock(SignedDuration::from_secs(301));
    let response = console.anonymous().get(&format!("/?access_token={token}")).await;
    assert_eq!(response.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn password_signs_in_and_redirects_to_the_requested_page() {
    let console = TestConsole::new().await;
    for path in console.paths() {
        let mut browser = console.anonymous();
        let response = browser.get(&path).await;
        assert_eq!(response.status, StatusCode::SEE_OTHER, "{path}");
        let login = response.location().to_owned();
        assert_eq!(login, format!("/login?next={}", path.replace('/', "%2F")));
        let form = browser.get(&login).await;
        assert_eq!(form.status, StatusCode::OK);
        assert!(form.body.contains(&format!("name=\"next\" value=\"{path}\"")), "{}", form.body);
        let response = browser.sign_in(NETWORK_USER, PASSWORD, &path).await;
        assert_eq!((response.status, response.location()), (StatusCode::SEE_OTHER, path.as_str()));
        assert_eq!(browser.get(&path).await.status, StatusCode::OK, "{path}");
        assert_eq!(browser.get(&login).await.location(), path);
    }
}

#[tokio::test]
async fn wrong_password_and_unknown_address_get_the_same_response() {
    let console = TestConsole::new().await;
    let wrong = console.anonymous().sign_in(NETWORK_USER, "wrong", "/").await;
    let unknown = console.anonymous().sign_in("nobody@cedar.example", PASSWORD, "/").await;
    let empty = console.anonymous().sign_in("", "", "/").await;
    for response in [&wrong, &unknown, &empty] {
        assert_eq!((response.status, response.set_cookie()), (StatusCode::UNAUTHORIZED, None));
        assert!(response.body.contains("role=\"alert\""));
        assert!(!response.body.contains(PASSWORD));
    }
    assert_eq!(wrong.body.replace(NETWORK_USER, "nobody@cedar.example"), unknown.body);
}

#[tokio::test]
async fn redirect_target_must_be_a_local_path() {
    let console = TestConsole::new().await;
    for next in ["https://evil.example/", "//evil.example", "/\\evil.example", "/\t/evil.example"] {
        let response = console.anonymous().sign_in(NETWORK_USER, PASSWORD, next).await;
        assert_eq!(
            (response.status, response.location()),
            (StatusCode::SEE_OTHER, "/"),
            "{next:?}"
        );
        let encoded = next.replace('\\', "%5C").replace('\t', "%09");
        let form = console.anonymous().get(&format!("/login?next={encoded}")).await;
        assert!(form.body.contains("name=\"next\" value=\"/\""), "{next:?}");
    }
}

#[tokio::test]
async fn posts_from_other_sites_are_rejected() {
    let console = TestConsole::new().await;
    let form = format!("email={NETWORK_USER}&password=correct+horse+battery+staple&next=%2F");
    let host = ("host", "trunkline.example");
    for foreign in [
        vec![("sec-fetch-site", "cross-site")],
        vec![("sec-fetch-site", "same-site")],
        vec![host, ("origin", "https://evil.example")],
        vec![host, ("origin", "null")],
    ] {
        let response = console.anonymous().post("/login", &foreign, &form).await;
        assert_eq!((response.status, response.set_cookie()), (StatusCode::FORBIDDEN, None));
        let mut signed_in = console.signed_in(NETWORK_USER).await;
        assert_eq!(signed_in.post("/logout", &foreign, "").await.status, StatusCode::FORBIDDEN);
        assert_eq!(signed_in.get("/").await.status, StatusCode::OK);
    }
    let own = [host, ("origin", "https://trunkline.example")];
    let response = console.anonymous().post("/login", &own, &form).await;
    assert_eq!(response.status, StatusCode::SEE_OTHER);
    let json = [("content-type", "application/json")];
    let response = console.anonymous().send("POST", "/login", &json, "{}").await;
    assert_eq!(response.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let response = console.anonymous().post("/login", &[], &"a".repeat(20_000)).await;
    assert_eq!(response.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn session_ends_at_sign_out() {
    let console = TestConsole::new().await;
    let mut browser = console.signed_in(ADVERTISER_USER).await;
    let mut stolen_session = browser.clone();
    assert_eq!(stolen_session.get("/").await.status, StatusCode::OK);
    let response = browser.post("/logout", &[("sec-fetch-site", "same-origin")], "").await;
    assert_eq!(response.location(), "/login?signed_out=1");
    assert!(response.set_cookie().unwrap().starts_with("trunkline_session=; "));
    assert!(response.set_cookie().unwrap().contains("Max-Age=0"));
    for mut browser in [browser, stolen_session] {
        assert_eq!(browser.get("/").await.location(), "/login?next=%2F");
    }
    assert_eq!(console.anonymous().get("/logout").await.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn session_ends_after_twelve_hours_and_at_a_new_sign_in() {
    let console = TestConsole::new().await;
    let mut browser = console.signed_in(NETWORK_USER).await;
    let mut old = browser.clone();
    browser.sign_in(NETWORK_USER, PASSWORD, "/").await;
    assert_eq!(old.get("/").await.status, StatusCode::SEE_OTHER);
    assert_eq!(browser.get("/").await.status, StatusCode::OK);
    console.advance_clock(SignedDuration::from_hours(12));
    assert_eq!(browser.get("/").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn plain_http_with_an_https_base_url_is_explained() {
    let console = TestConsole::with_base_url("https://calls.example.com").await;
    let notice = "this server accepts sessions over https only";
    let link = "href=\"https://calls.example.com/login\"";
    let form = format!("email={NETWORK_USER}&password=correct+horse+battery+staple&next=%2F");
    let host = ("host", "10.0.0.5:8080");
    for http in [
        vec![host, ("origin", "http://10.0.0.5:8080")],
        vec![("host", "calls.example.com"), ("origin", "http://calls.example.com")],
        vec![host, ("x-forwarded-proto", "http"), ("origin", "http://10.0.0.5:8080")],
    ] {
        let response = console.anonymous().post("/login", &http, &form).await;
        assert_eq!((response.status, response.set_cookie()), (StatusCode::FORBIDDEN, None));
        assert!(response.body.contains(notice) && response.body.contains(link), "{http:?}");
    }
    let get = |headers: Vec<(&'static str, &'static str)>| {
        let mut browser = console.anonymous();
        async move { browser.send("GET", "/login", &headers, "").await.body }
    };
    assert!(get(vec![host]).await.contains(notice));
    for https in [
        vec![("host", "calls.example.com")],
        vec![host, ("x-forwarded-proto", "https")],
        vec![("host", "localhost:8080"), ("sec-fetch-site", "none")],
    ] {
        assert!(!get(https.clone()).await.contains(notice), "{https:?}");
    }
    let own = [("host", "calls.example.com"), ("origin", "https://calls.example.com")];
    let response = console.anonymous().post("/login", &own, &form).await;
    assert_eq!(response.status, StatusCode::SEE_OTHER);
    // Without an https base URL, plain http works.
    let plain = TestConsole::new().await;
    let origin = [host, ("origin", "http://10.0.0.5:8080")];
    let response = plain.anonymous().post("/login", &origin, &form).await;
    assert_eq!(response.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn cookies_are_secure_if_the_base_url_is_https() {
    let console = TestConsole::with_base_url("https://calls.example.com").await;
    let response = console.anonymous().sign_in(NETWORK_USER, PASSWORD, "/").await;
    let cookie = response.set_cookie().unwrap();
    assert!(cookie.starts_with("__Host-trunkline_session=") && cookie.ends_with("; Secure"));
}
