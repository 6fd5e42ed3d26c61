//! Who sees what.

use crate::world::{ADVERTISER_USER, AFFILIATE_USER, Ids, NETWORK_USER, World};
use axum::http::StatusCode;

#[tokio::test]
async fn the_network_sees_every_page() {
    let world = World::new().await;
    let mut browser = world.signed_in(NETWORK_USER).await;
    for (path, expected) in world.paths().iter().zip([
        "Home insurance",
        "ines@leaf.example",
        "The caller is on a mobile phone and the call lasts longer than 1 minute",
        "$4.50 per call",
        "No promo numbers.",
        "No promo numbers.",
    ]) {
        let answer = browser.get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert!(answer.body.contains(expected), "{path}: {}", answer.body);
        assert!(answer.body.starts_with("<!DOCTYPE html><html lang=\"en\">"));
        assert!(!answer.body.contains("style=") && !answer.body.contains("<script"), "{path}");
        assert_eq!(answer.body.matches("<h1").count(), 1, "{path}");
        assert_eq!(answer.headers["content-type"], "text/html; charset=utf-8");
        assert_eq!(answer.headers["cache-control"], "no-store");
    }
    let home = browser.get("/").await;
    for path in &world.paths()[..2] {
        assert!(home.body.contains(&format!("href=\"{path}\"")), "{}", home.body);
    }
}

#[tokio::test]
async fn names_and_prompts_are_text_and_not_markup() {
    let world = World::new().await;
    let mut browser = world.signed_in(NETWORK_USER).await;
    let Ids { affiliate, campaign, .. } = world.ids;
    for path in [
        "/".to_owned(),
        format!("/ps/{affiliate}/dashboards/ui"),
        format!("/p_campaigns/terms/{affiliate}/{campaign}"),
    ] {
        let answer = browser.get(&path).await;
        assert!(answer.body.contains("&lt;script&gt;alert(1)"), "{path}: {}", answer.body);
        assert!(!answer.body.contains("<script>"), "{path}");
    }
    let answer = browser.get(&format!("/a_campaigns/terms/{campaign}")).await;
    assert!(answer.body.contains("Welcome &lt;b&gt;caller&lt;/b&gt;"));
    let next = "/login?next=/%22%3E%3Cscript%3E";
    let form = world.anyone().get(next).await;
    assert!(!form.body.contains("<script>"));
}

#[tokio::test]
async fn an_affiliate_sees_its_own_and_no_payin() {
    let world = World::new().await;
    let mut browser = world.signed_in(AFFILIATE_USER).await;
    let Ids { advertiser, affiliate, other_affiliate, campaign } = world.ids;
    for path in [
        "/".to_owned(),
        format!("/ps/{affiliate}/dashboards/ui"),
        format!("/a_campaigns/terms/{campaign}"),
        format!("/p_campaigns/terms/{affiliate}/{campaign}"),
        format!("/p_campaigns/promo_numbers/{affiliate}/{campaign}"),
    ] {
        let answer = browser.get(&path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        for secret in ["7.77", "ayin", "mobile", "Sunrise", "Radio West", "975"] {
            assert!(!answer.body.contains(secret), "{secret} on {path}: {}", answer.body);
        }
    }
    for path in [
        format!("/as/{advertiser}/dashboards/ui"),
        format!("/ps/{other_affiliate}/dashboards/ui"),
        format!("/p_campaigns/terms/{other_affiliate}/{campaign}"),
        format!("/p_campaigns/promo_numbers/{other_affiliate}/{campaign}"),
        format!("/a_campaigns/promo_numbers/{campaign}"),
    ] {
        let answer = browser.get(&path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert!(!answer.body.contains("Sunrise") && !answer.body.contains("Radio West"));
    }
}

#[tokio::test]
async fn an_advertiser_sees_its_own_with_payin_and_no_affiliates_page() {
    let world = World::new().await;
    let mut browser = world.signed_in(ADVERTISER_USER).await;
    let Ids { advertiser, affiliate, campaign, .. } = world.ids;
    for (path, expected) in [
        (format!("/as/{advertiser}/dashboards/ui"), "Home insurance"),
        (format!("/a_campaigns/terms/{campaign}"), "$7.77 per call"),
        (format!("/p_campaigns/terms/{affiliate}/{campaign}"), "$7.77 per call"),
    ] {
        let answer = browser.get(&path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert!(answer.body.contains(expected), "{path}: {}", answer.body);
        assert!(!answer.body.contains("alert(1)"), "{path}");
    }
    let answer = browser.get(&format!("/ps/{affiliate}/dashboards/ui")).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_is_not_there_is_a_page_that_says_so() {
    let world = World::new().await;
    let mut browser = world.signed_in(NETWORK_USER).await;
    let Ids { advertiser, affiliate, campaign, .. } = world.ids;
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
        let answer = browser.get(&path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert!(answer.body.contains("<h1>Not found</h1>"), "{path}");
    }
}

#[tokio::test]
async fn the_style_sheet_is_a_file_of_its_own() {
    let world = World::new().await;
    let answer = world.anyone().get("/console.css").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.headers["content-type"], "text/css; charset=utf-8");
    assert!(answer.body.contains("prefers-color-scheme: dark"));
    assert!(!answer.body.contains("url(") && !answer.body.contains("@import"));
}

#[tokio::test]
async fn what_waits_to_go_live_is_shown_beside_what_is_live_but_not_to_affiliates() {
    let world = World::new().await;
    world.go_live_and_change().await;
    let path = format!("/a_campaigns/terms/{}", world.ids.campaign);
    let owner = world.signed_in(ADVERTISER_USER).await.get(&path).await;
    let (current, future) = owner.body.split_once("Future terms</h2>").unwrap();
    assert!(current.contains("Activated") && current.contains("$4.50 per call"));
    let (differ, same) = future.split_once("As in the current terms").unwrap();
    assert!(differ.contains("$5.55 per call") && !differ.contains("$7.77"));
    assert!(same.contains("$7.77 per call"));
    let affiliate = world.signed_in(AFFILIATE_USER).await.get(&path).await;
    assert!(affiliate.body.contains("$4.50 per call"));
    assert!(!affiliate.body.contains("5.55") && !affiliate.body.contains("Future terms"));
}

#[tokio::test]
async fn promo_numbers_come_in_pages() {
    let world = World::new().await;
    world.take_numbers(101).await;
    let path = world.paths()[5].clone();
    let mut browser = world.signed_in(AFFILIATE_USER).await;
    let first = browser.get(&path).await;
    assert!(first.body.contains("&lt;i&gt;Radio&lt;/i&gt; spot"));
    assert_eq!(first.body.matches("tel:+1805555").count(), 100);
    let (_, rest) = first.body.split_once(&format!("{path}?start_after_id=")).unwrap();
    let (after, _) = rest.split_once('"').unwrap();
    let last = browser.get(&format!("{path}?start_after_id={after}")).await;
    assert_eq!(last.body.matches("tel:+1805555").count(), 1);
    assert!(last.body.contains("Back to the first") && !last.body.contains("rel=\"next\""));
}
