//! Requests that create the demo network's objects, in order. Bodies are in the files of `demo/`; they
//! are examples of the source documents where those have one.

use super::client::Client;
use super::{DemoClock, DemoNetwork};
use crate::cli_error::CliError;
use axum::http::Method;
use std::net::SocketAddr;

/// Method, API version, path and body.
type SeedRequest = (Method, &'static str, &'static str, &'static str);

const APPROVED: &str = include_str!("../../demo/approved.json");
const CAMPAIGN_100: &str = "/advertisers/2/advertiser_campaigns/100";
const CAMPAIGN_100_LIVE: &str = "/advertisers/2/advertiser_campaigns/100/go_live";

/// Requests of every demo.
const BASE_REQUESTS: [SeedRequest; 21] = [
    (Method::PUT, "2018-11-01", "/network", include_str!("../../demo/network.json")),
    // Affiliate 222: "Create an affiliate with users" (affiliates document of 2018-11-01).
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
    // Relationships of advertiser 1 (advertiser–affiliate relationships document of 2016-05-01).
    (Method::POST, "2016-05-01", "/advertisers/1/affiliates/222", APPROVED),
    (Method::POST, "2016-05-01", "/advertisers/1/affiliates/34518", APPROVED),
    // Campaign 100, live and with future terms: "Read Campaign 100 for Advertiser 2" (advertiser
    // campaigns document of 2015-05-01).
    (Method::POST, "2015-05-01", CAMPAIGN_100, include_str!("../../demo/campaign_100.json")),
    (Method::POST, "2015-05-01", CAMPAIGN_100_LIVE, "{}"),
    (Method::PUT, "2015-05-01", CAMPAIGN_100, include_str!("../../demo/campaign_100_future.json")),
    (
        Method::POST,
        "2015-05-01",
        "/advertisers/cFUyYnFHyiYA42TrpM/advertiser_campaigns/fJauFbSEGHKw8ADEGv",
        include_str!("../../demo/campaign_fJauFbSEGHKw8ADEGv.json"),
    ),
    // Campaign 12, not live, so that affiliate 976 has the status Approved_NotActive (affiliate
    // campaigns document of 2018-11-01).
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
    // An approved affiliate of the live campaign.
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

/// Requests of a demo with calls: a campaign with a menu, a region, a bonus, a cap and three affiliates.
const CALLED_CAMPAIGN_REQUESTS: [SeedRequest; 7] = [
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

/// Creates the objects of the demo network through a server's API. With a clock, the objects are
/// created before the first call.
pub(crate) async fn populate(
    address: SocketAddr,
    network: &DemoNetwork,
    clock: Option<&DemoClock>,
) -> Result<(), CliError> {
    let mut client = Client::connect(address, network).await?;
    if let Some(clock) = clock {
        client.set_clock(Some(clock.start())).await?;
    }
    for (method, version, path, body) in BASE_REQUESTS {
        client.send(method, version, path, body).await?;
    }
    if let Some(clock) = clock {
        for (method, version, path, body) in CALLED_CAMPAIGN_REQUESTS {
            client.send(method, version, path, body).await?;
        }
        client.set_clock(Some(clock.now)).await?;
    }
    Ok(())
}

/// Makes the network's clock follow the system's clock, unless it is fixed.
pub(crate) async fn release_clock(
    address: SocketAddr,
    network: &DemoNetwork,
    clock: &DemoClock,
) -> Result<(), CliError> {
    if clock.is_fixed {
        return Ok(());
    }
    Client::connect(address, network).await?.set_clock(None).await
}
