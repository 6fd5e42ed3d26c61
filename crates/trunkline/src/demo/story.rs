//! The requests that fill the demo, in order. Bodies are the documents' own where they have one
//! (seeds/000, 002, 003, 004), and in the files of `demo/`.

use super::client::Client;
use super::{Made, Time};
use crate::failure::Failure;
use axum::http::Method;
use std::net::SocketAddr;

/// Method, version, path, body.
type Step = (Method, &'static str, &'static str, &'static str);

const APPROVED: &str = include_str!("../../demo/approved.json");
const CAMPAIGN_100: &str = "/advertisers/2/advertiser_campaigns/100";
const CAMPAIGN_100_LIVE: &str = "/advertisers/2/advertiser_campaigns/100/go_live";

const STORY: [Step; 21] = [
    (Method::PUT, "2018-11-01", "/network", include_str!("../../demo/network.json")),
    // Affiliates: 222 is "Create an affiliate with users" of seeds/002.
    (Method::POST, "2018-11-01", "/affiliates", include_str!("../../demo/affiliate_222.json")),
    (
        Method::POST,
        "2018-11-01",
        "/affiliates/34518",
        include_str!("../../demo/affiliate_34518.json"),
    ),
    (Method::POST, "2018-11-01", "/affiliates/975", include_str!("../../demo/affiliate_975.json")),
    (Method::POST, "2018-11-01", "/affiliates/976", include_str!("../../demo/affiliate_976.json")),
    (Method::POST, "2018-11-01", "/advertisers/1", include_str!("../../demo/advertiser_1.json")),
    (Method::POST, "2018-11-01", "/advertisers/2", include_str!("../../demo/advertiser_2.json")),
    (
        Method::POST,
        "2018-11-01",
        "/advertisers/354",
        include_str!("../../demo/advertiser_354.json"),
    ),
    (
        Method::POST,
        "2018-11-01",
        "/advertisers/cFUyYnFHyiYA42TrpM",
        include_str!("../../demo/advertiser_cFUyYnFHyiYA42TrpM.json"),
    ),
    // Relationships of advertiser 1 (seeds/003).
    (Method::POST, "2016-05-01", "/advertisers/1/affiliates/222", APPROVED),
    (Method::POST, "2016-05-01", "/advertisers/1/affiliates/34518", APPROVED),
    // Campaign 100, live, with changes staged: "Read Campaign 100 for Advertiser 2" (seeds/004).
    (Method::POST, "2015-05-01", CAMPAIGN_100, include_str!("../../demo/campaign_100.json")),
    (Method::POST, "2015-05-01", CAMPAIGN_100_LIVE, "{}"),
    (Method::PUT, "2015-05-01", CAMPAIGN_100, include_str!("../../demo/campaign_100_future.json")),
    (
        Method::POST,
        "2015-05-01",
        "/advertisers/cFUyYnFHyiYA42TrpM/advertiser_campaigns/fJauFbSEGHKw8ADEGv",
        include_str!("../../demo/campaign_fJauFbSEGHKw8ADEGv.json"),
    ),
    // Campaign 12, not live, so that 976 reads Approved_NotActive (seeds/000).
    (
        Method::POST,
        "2018-11-01",
        "/advertisers/354/advertiser_campaigns/12",
        include_str!("../../demo/campaign_12.json"),
    ),
    (
        Method::POST,
        "2018-11-01",
        "/advertisers/354/advertiser_campaigns/12/affiliates/976/affiliate_campaigns",
        include_str!("../../demo/application_976.json"),
    ),
    (
        Method::PUT,
        "2018-11-01",
        "/advertisers/354/advertiser_campaigns/12/affiliates/976/affiliate_campaigns",
        APPROVED,
    ),
    (
        Method::POST,
        "2018-11-01",
        "/advertisers/354/advertiser_campaigns/12/affiliates/975/affiliate_campaigns",
        include_str!("../../demo/application_975.json"),
    ),
    // An affiliate of the live campaign, and its number.
    (
        Method::POST,
        "2018-11-01",
        "/advertisers/2/advertiser_campaigns/100/affiliates/222/affiliate_campaigns",
        "{}",
    ),
    (
        Method::PUT,
        "2018-11-01",
        "/advertisers/2/advertiser_campaigns/100/affiliates/222/affiliate_campaigns",
        APPROVED,
    ),
];

const CAMPAIGN_200: &str = "/advertisers/354/advertiser_campaigns/200";

/// A campaign that is worth calling: a menu, a region, a bonus, a cap, and three affiliates.
const CALLED: [Step; 7] = [
    (Method::POST, "2018-11-01", CAMPAIGN_200, include_str!("../../demo/campaign_200.json")),
    (Method::POST, "2018-11-01", "/advertisers/354/advertiser_campaigns/200/go_live", "{}"),
    (
        Method::POST,
        "2018-11-01",
        "/advertisers/354/advertiser_campaigns/200/affiliates/222/affiliate_campaigns",
        "{}",
    ),
    (
        Method::POST,
        "2018-11-01",
        "/advertisers/354/advertiser_campaigns/200/affiliates/975/affiliate_campaigns",
        "{}",
    ),
    (
        Method::POST,
        "2018-11-01",
        "/advertisers/354/advertiser_campaigns/200/affiliates/976/affiliate_campaigns",
        "{}",
    ),
    (
        Method::POST,
        "2018-11-01",
        "/advertisers/354/advertiser_campaigns/200/affiliates/222/affiliate_campaigns/promo_numbers",
        r#"{"description": "Back page", "media_type": "Print: Magazine"}"#,
    ),
    (
        Method::POST,
        "2018-11-01",
        "/advertisers/354/advertiser_campaigns/200/affiliates/976/affiliate_campaigns/promo_numbers",
        r#"{"description": "Morning show", "media_type": "Radio"}"#,
    ),
];

/// Fills a network through the API of a server.
pub(crate) async fn tell(
    address: SocketAddr,
    made: &Made,
    time: Option<&Time>,
) -> Result<(), Failure> {
    let mut client = Client::connect(address, made).await?;
    if let Some(time) = time {
        client.set_clock(Some(time.begins())).await?;
    }
    for (method, version, path, body) in STORY {
        client.send(method, version, path, body).await?;
    }
    if let Some(time) = time {
        for (method, version, path, body) in CALLED {
            client.send(method, version, path, body).await?;
        }
        client.set_clock(Some(time.now)).await?;
    }
    Ok(())
}

/// Lets the network's clock go, unless it is to stand.
pub(crate) async fn let_go(address: SocketAddr, made: &Made, time: &Time) -> Result<(), Failure> {
    if time.stands {
        return Ok(());
    }
    Client::connect(address, made).await?.set_clock(None).await
}
