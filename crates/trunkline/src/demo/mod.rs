//! Demo network: the source documents' examples, sent as requests to the API.

mod calls;
mod client;
mod seed;

pub(crate) use calls::{SimulatedCalls, simulate_calls};
pub(crate) use seed::{populate, release_clock};

use jiff::{SignedDuration, Timestamp};
use trunkline_domain::id::NetworkId;

/// Days that the demo's calls are spread over.
const CALL_DAYS: u32 = 30;

/// Clock of a demo network that has calls.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DemoClock {
    /// Current time of the network; the calls lie before it.
    pub(crate) now: Timestamp,
    /// True if the clock stays at `now`; otherwise it follows the system's clock.
    pub(crate) is_fixed: bool,
}

impl DemoClock {
    /// Time at which the network's objects are created: before the first call.
    fn start(&self) -> Timestamp {
        let days = SignedDuration::from_hours(24 * i64::from(CALL_DAYS));
        self.now.saturating_sub(days).unwrap_or(Timestamp::MIN)
    }
}

/// Id and token of the demo network.
#[derive(Debug)]
pub(crate) struct DemoNetwork {
    /// Id of the network.
    pub(crate) id: NetworkId,
    /// Token for the whole network.
    pub(crate) token: String,
}

/// E-mail address of the demo network's user.
pub(crate) const EMAIL: &str = "user@example.com";

/// Example requests about the simulated calls, as shell commands.
pub(crate) fn call_commands(base_url: &str, network: &DemoNetwork) -> [String; 2] {
    let DemoNetwork { id: network, token } = network;
    let campaign = "/advertisers/354/advertiser_campaigns/200";
    let call = r#"{"calling_phone_number": "4155550123", "keypresses": ["2"], "duration": 180}"#;
    [
        format!(
            "curl -H 'Authorization: {token}' '{base_url}/api/2018-11-01/{network}{campaign}/quick_stats.json'"
        ),
        format!(
            "curl -H 'Authorization: {token}' -H 'Content-Type: application/json' \
             -d '{{\"advertiser_campaign\": \"200\", \"affiliate\": \"222\", \"call\": {call}}}' \
             '{base_url}/trunkline/v1/networks/{network}/dry_run'"
        ),
    ]
}

/// Three example requests, as shell commands.
pub(crate) fn commands(base_url: &str, network: &DemoNetwork) -> [String; 3] {
    let DemoNetwork { id: network, token } = network;
    let path = |version: &str, rest: &str| format!("{base_url}/api/{version}/{network}{rest}");
    let campaign = "/advertisers/354/advertiser_campaigns/12";
    [
        format!(
            "curl -H 'Authorization: {token}' '{}'",
            path("2018-11-01", "/affiliates/222.json")
        ),
        format!(
            "curl -H 'Authorization: {token}' '{}'",
            path("2018-11-01", &format!("{campaign}/affiliates/976/affiliate_campaigns.json"))
        ),
        format!(
            "curl -X PUT -H 'Authorization: {token}' -H 'Content-Type: application/json' \
             -d '{{\"status\": \"Approved\"}}' '{}'",
            path("2018-11-01", &format!("{campaign}/affiliates/975/affiliate_campaigns.json"))
        ),
    ]
}
