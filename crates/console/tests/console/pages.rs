//! Content and visibility of the pages.

use crate::test_console::{ADVERTISER_USER, AFFILIATE_USER, Ids, NETWORK_USER, TestConsole};
use axum::http::StatusCode;
use trunkline_domain::id::PartyId;

#[tokio::test]
async fn network_user_views_every_page() {
    let console = TestConsole::new().await;
    let mut browser = console.signed_in(NETWORK_USER).await;
    for (path, expected) in console.paths().iter().zip([
        "Home insurance",
        "ines@leaf.example",
        "The caller is on a mobile phone and the call lasts longer than 1 minute",
        "$4.50 per call",
        "No promo numbers.",
        "No promo numbers.",
    ]) {
        let response = browser.get(path).await;
        assert_eq!(response.status, StatusCode::OK, "{path}");
        assert!(response.body.contains(expected), "{path}: {}", response.body);
        assert!(response.body.starts_with("<!DOCTYPE html><html lang=\"en\">"));
        assert!(!response.body.contains("style=") && !response.body.contains("<script"), "{path}");
        assert_eq!(response.body.matches("<h1").count(), 1, "{path}");
        assert_eq!(response.headers["content-type"], "text/html; charset=utf-8");
        assert_eq!(response.headers["cache-control"], "no-store");
    }
    let home = browser.get("/").await;
    for path in &console.paths()[..2] {
        assert!(home.body.contains(&format!("href=\"{path}\"")), "{}", home.body);
    }
}

#[tokio::test]
async fn names_and_prompts_are_escaped() {
    let console = TestConsole::new().await;
    let mut browser = console.signed_in(NETWORK_USER).await;
    let Ids { affiliate, campaign, .. } = console.ids;
    for path in [
        "/".to_owned(),
        format!("/ps/{affiliate}/dashboards/ui"),
        format!("/p_campaigns/terms/{affiliate}/{campaign}"),
    ] {
        let response = browser.get(&path).await;
        assert!(response.body.contains("&lt;script&gt;alert(1)"), "{path}: {}", response.body);
        assert!(!response.body.contains("<script>"), "{path}");
    }
    let response = browser.get(&format!("/a_campaigns/terms/{campaign}")).await;
    assert!(response.body.contains("Welcome &lt;b&gt;caller&lt;/b&gt;"));
    let next = "/login?next=/%22%3E%3Cscript%3E";
    let form = console.anonymous().get(next).await;
    assert!(!form.body.contains("<script>"));
}

#[tokio::test]
async fn affiliate_views_its_own_pages_without_payin() {
    let console = TestConsole::new().await;
    let mut browser = console.signed_in(AFFILIATE_USER).await;
    let Ids { advertiser, affiliate, other_affiliate, campaign } = console.ids;
    for path in [
        "/".to_owned(),
        format!("/ps/{affiliate}/dashboards/ui"),
        format!("/a_campaigns/terms/{campaign}"),
        format!("/p_campaigns/terms/{affiliate}/{campaign}"),
        format!("/p_campaigns/promo_numbers/{affiliate}/{campaign}"),
    ] {
        let response = browser.get(&path).await;
        assert_eq!(response.status, StatusCode::OK, "{path}");
        for secret in ["7.77", "ayin", "mobile", "Sunrise", "Radio West", "975"] {
            assert!(!response.body.contains(secret), "{secret} on {path}: {}", response.body);
        }
    }
    for path in [
        format!("/as/{advertiser}/dashboards/ui"),
        format!("/ps/{other_affiliate}/dashboards/ui"),
        format!("/p_campaigns/terms/{other_affiliate}/{campaign}"),
        format!("/p_campaigns/promo_numbers/{other_affiliate}/{campaign}"),
        format!("/a_campaigns/promo_numbers/{campaign}"),
    ] {
        let response = browser.get(&path).await;
        assert_eq!(response.status, StatusCode::NOT_FOUND, "{path}");
        assert!(!response.body.contains("Sunrise") && !response.body.contains("Radio West"));
    }
}

#[tokio::test]
async fn advertiser_views_its_own_pages_with_payin_but_no_affiliate() {
    let console = TestConsole::new().await;
    let mut browser = console.signed_in(ADVERTISER_USER).await;
    let Ids { advertiser, affiliate, campaign, .. } = console.ids;
    for (path, expected) in [
        (format!("/as/{advertiser}/dashboards/ui"), "Home insurance"),
        (format!("/a_campaigns/terms/{campaign}"), "$7.77 per call"),
        (format!("/p_campaigns/terms/{affiliate}/{campaign}"), "$7.77 per call"),
    ] {
        let response = browser.get(&path).await;
        assert_eq!(response.status, StatusCode::OK, "{path}");
        assert!(response.body.contains(expected), "{path}: {}", response.body);
        assert!(!response.body.contains("alert(1)"), "{path}");
    }
    let response = browser.get(&format!("/ps/{affiliate}/dashboards/ui")).await;
    assert_eq!(response.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn missing_objects_render_a_not_found_page() {
    let console = TestConsole::new().await;
    let mut browser = console.signed_in(NETWORK_USER).await;
    let Ids { advertiser, affiliate, campaign, .. } = console.ids;
    for path in [
        "/as/999/dashboards/ui".to_owned(),
        "/as/x/dashboards/ui".to_owned(),
        "/as/99999999999999999999/dashboards/ui".to_owned(),
        format!("/as/{affiliate}/dashboards/ui"),
        format!("/ps/{advertiser}/dashboards/ui"),
        "/a_campaigns/terms/999".to_owned(),
        format!("/p_campaigns/terms/{advertiser}/{campaign}"),
        format!("/p_campaigns/terms/{affiliate}/999"),
        "/a_campaigns/promo_numbers/999".to_owned(),
    ] {
        let response = browser.get(&path).await;
        assert_eq!(response.status, StatusCode::NOT_FOUND, "{path}");
        assert!(response.body.contains("<h1>Not found</h1>"), "{path}");
    }
}

#[tokio::test]
async fn style_sheet_is_served_without_external_resources() {
    let console = TestConsole::new().await;
    let response = console.anonymous().get("/console.css").await;
    assert_eq!(response.status, StatusCode::OK);
    assert_eq!(response.headers["content-type"], "text/css; charset=utf-8");
    assert!(response.body.contains("prefers-color-scheme: dark"));
    assert!(!response.body.contains("url(") && !response.body.contains("@import"));
}

#[tokio::test]
async fn future_terms_are_hidden_from_affiliates() {
    let console = TestConsole::new().await;
    console.go_live_and_change().await;
    let path = format!("/a_campaigns/terms/{}", console.ids.campaign);
    let owner = console.signed_in(ADVERTISER_USER).await.get(&path).await;
    let (current, future) = owner.body.split_once("Future terms</h2>").unwrap();
    assert!(current.contains("Activated") && current.contains("$4.50 per call"));
    let (changed, unchanged) = future.split_once("As in the current terms").unwrap();
    assert!(changed.contains("$5.55 per call") && !changed.contains("$7.77"));
    assert!(unchanged.contains("$7.77 per call"));
    let affiliate = console.signed_in(AFFILIATE_USER).await.get(&path).await;
    assert!(affiliate.body.contains("$4.50 per call"));
    assert!(!affiliate.body.contains("5.55") && !affiliate.body.contains("Future terms"));
}

#[tokio::test]
async fn home_page_lists_parties_by_name_and_links_to_the_api_description() {
    let console = TestConsole::new().await;
    console.create_affiliates(&["zebra", "Apple", "mango"]).await;
    let home = console.signed_in(NETWORK_USER).await.get("/").await;
    let positions = ["Apple", "Leaf &lt;", "mango", "Radio West", "zebra"]
        .map(|name| home.body.find(&format!(">{name}")).unwrap_or_else(|| panic!("no {name}")));
    assert!(positions.is_sorted(), "{}", home.body);
    assert!(home.body.contains("href=\"/docs\""), "{}", home.body);
}

#[tokio::test]
async fn campaign_page_names_affiliates_that_the_user_may_view() {
    let console = TestConsole::new().await;
    let Ids { affiliate, other_affiliate, campaign, .. } = console.ids;
    let path = format!("/a_campaigns/terms/{campaign}");
    let link =
        |id: PartyId, label: &str| format!("\"/p_campaigns/terms/{id}/{campaign}\">{label}</a>");
    let network = console.signed_in(NETWORK_USER).await.get(&path).await;
    assert!(network.body.contains(&link(other_affiliate, "Radio West")), "{}", network.body);
    assert!(!network.body.contains("Affiliate 975"), "{}", network.body);
    let advertiser = console.signed_in(ADVERTISER_USER).await.get(&path).await;
    assert!(advertiser.body.contains(&link(other_affiliate, "Affiliate 975")));
    assert!(!advertiser.body.contains("Radio West"), "{}", advertiser.body);
    let numbers = format!("/p_campaigns/promo_numbers/{affiliate}/{campaign}");
    let owner = console.signed_in(AFFILIATE_USER).await.get(&numbers).await;
    assert!(owner.body.contains("Leaf &lt;script&gt;"), "{}", owner.body);
    assert!(!owner.body.contains("Affiliate 976"), "{}", owner.body);
}

#[tokio::test]
async fn promo_numbers_are_paginated() {
    let console = TestConsole::new().await;
    console.allocate_promo_numbers(101).await;
    let path = console.paths()[5].clone();
    let mut browser = console.signed_in(AFFILIATE_USER).await;
    let first = browser.get(&path).await;
    assert!(first.body.contains("&lt;i&gt;Radio&lt;/i&gt; spot"));
    assert_eq!(first.body.matches("tel:+1805555").count(), 100);
    let (_, rest) = first.body.split_once(&format!("{path}?start_after_id=")).unwrap();
    let (after, _) = rest.split_once('"').unwrap();
    let last = browser.get(&format!("{path}?start_after_id={after}")).await;
    assert_eq!(last.body.matches("tel:+1805555").count(), 1);
    assert!(last.body.contains("Back to the first") && !last.body.contains("rel=\"next\""));
}
