//! Signing in and out.

use crate::world::{ADVERTISER_USER, NETWORK_USER, PASSWORD, World};
use axum::http::StatusCode;
use jiff::SignedDuration;

#[tokio::test]
async fn an_access_token_signs_in_once_on_any_page() {
    let world = World::new().await;
    let token = world.access_token().await;
    let path = format!("/as/{}/dashboards/ui", world.ids.advertiser);
    let appended = format!("{path}?access_token={token}&start_after_id=0");

    let mut ahead = world.anyone();
    let answer = ahead.send("HEAD", &appended, &[], "").await;
    assert_eq!((answer.status, answer.set_cookie()), (StatusCode::SEE_OTHER, None));
    assert!(!answer.location().contains(&token));

    let mut first = world.anyone();
    let answer = first.get(&appended).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(answer.location(), format!("{path}?start_after_id=0"));
    let cookie = answer.set_cookie().unwrap();
    assert!(cookie.starts_with("trunkline_session="));
    assert!(cookie.ends_with("; HttpOnly; SameSite=Lax; Path=/; Max-Age=43200"), "{cookie}");
    assert_eq!(first.get(&path).await.status, StatusCode::OK);

    let mut second = world.anyone();
    let answer = second.get(&appended).await;
    assert_eq!((answer.status, answer.set_cookie()), (StatusCode::UNAUTHORIZED, None));
    assert!(answer.body.contains("used already"));
    assert!(!answer.body.contains(&token));
}

#[tokio::test]
async fn an_access_token_is_good_for_five_minutes() {
    let world = World::new().await;
    let token = world.access_token().await;
    world.pass(SignedDuration::from_secs(301));
    let answer = world.anyone().get(&format!("/?access_token={token}")).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_password_signs_in_and_leads_to_where_one_wanted_to_go() {
    let world = World::new().await;
    for path in world.paths() {
        let mut browser = world.anyone();
        let answer = browser.get(&path).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{path}");
        let login = answer.location().to_owned();
        assert_eq!(login, format!("/login?next={}", path.replace('/', "%2F")));
        let form = browser.get(&login).await;
        assert_eq!(form.status, StatusCode::OK);
        assert!(form.body.contains(&format!("name=\"next\" value=\"{path}\"")), "{}", form.body);
        let answer = browser.sign_in(NETWORK_USER, PASSWORD, &path).await;
        assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, path.as_str()));
        assert_eq!(browser.get(&path).await.status, StatusCode::OK, "{path}");
        assert_eq!(browser.get(&login).await.location(), path);
    }
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_are_answered_alike() {
    let world = World::new().await;
    let wrong = world.anyone().sign_in(NETWORK_USER, "wrong", "/").await;
    let unknown = world.anyone().sign_in("nobody@cedar.example", PASSWORD, "/").await;
    let empty = world.anyone().sign_in("", "", "/").await;
    for answer in [&wrong, &unknown, &empty] {
        assert_eq!((answer.status, answer.set_cookie()), (StatusCode::UNAUTHORIZED, None));
        assert!(answer.body.contains("role=\"alert\""));
        assert!(!answer.body.contains(PASSWORD));
    }
    assert_eq!(wrong.body.replace(NETWORK_USER, "nobody@cedar.example"), unknown.body);
}

#[tokio::test]
async fn no_one_is_sent_to_another_site() {
    let world = World::new().await;
    for next in ["https://evil.example/", "//evil.example", "/\\evil.example", "/\t/evil.example"] {
        let answer = world.anyone().sign_in(NETWORK_USER, PASSWORD, next).await;
        assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, "/"), "{next:?}");
        let encoded = next.replace('\\', "%5C").replace('\t', "%09");
        let form = world.anyone().get(&format!("/login?next={encoded}")).await;
        assert!(form.body.contains("name=\"next\" value=\"/\""), "{next:?}");
    }
}

#[tokio::test]
async fn posts_of_other_sites_do_nothing() {
    let world = World::new().await;
    let form = format!("email={NETWORK_USER}&password=correct+horse+battery+staple&next=%2F");
    let host = ("host", "trunkline.example");
    for foreign in [
        vec![("sec-fetch-site", "cross-site")],
        vec![("sec-fetch-site", "same-site")],
        vec![host, ("origin", "https://evil.example")],
        vec![host, ("origin", "null")],
    ] {
        let answer = world.anyone().post("/login", &foreign, &form).await;
        assert_eq!((answer.status, answer.set_cookie()), (StatusCode::FORBIDDEN, None));
        let mut signed_in = world.signed_in(NETWORK_USER).await;
        assert_eq!(signed_in.post("/logout", &foreign, "").await.status, StatusCode::FORBIDDEN);
        assert_eq!(signed_in.get("/").await.status, StatusCode::OK);
    }
    let own = [host, ("origin", "https://trunkline.example")];
    let answer = world.anyone().post("/login", &own, &form).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let json = [("content-type", "application/json")];
    let answer = world.anyone().send("POST", "/login", &json, "{}").await;
    assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let answer = world.anyone().post("/login", &[], &"a".repeat(20_000)).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_session_ends_with_signing_out() {
    let world = World::new().await;
    let mut browser = world.signed_in(ADVERTISER_USER).await;
    let mut thief = browser.clone();
    assert_eq!(thief.get("/").await.status, StatusCode::OK);
    let answer = browser.post("/logout", &[("sec-fetch-site", "same-origin")], "").await;
    assert_eq!(answer.location(), "/login?signed_out=1");
    assert!(answer.set_cookie().unwrap().starts_with("trunkline_session=; "));
    assert!(answer.set_cookie().unwrap().contains("Max-Age=0"));
    for mut after in [browser, thief] {
        assert_eq!(after.get("/").await.location(), "/login?next=%2F");
    }
    assert_eq!(world.anyone().get("/logout").await.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn a_session_ends_after_twelve_hours_and_with_a_new_one() {
    let world = World::new().await;
    let mut browser = world.signed_in(NETWORK_USER).await;
    let mut old = browser.clone();
    browser.sign_in(NETWORK_USER, PASSWORD, "/").await;
    assert_eq!(old.get("/").await.status, StatusCode::SEE_OTHER);
    assert_eq!(browser.get("/").await.status, StatusCode::OK);
    world.pass(SignedDuration::from_hours(12));
    assert_eq!(browser.get("/").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn cookies_are_for_tls_only_where_there_is_tls() {
    let world = World::with(true).await;
    let answer = world.anyone().sign_in(NETWORK_USER, PASSWORD, "/").await;
    assert!(answer.set_cookie().unwrap().ends_with("; Secure"));
}
