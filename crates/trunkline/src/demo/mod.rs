//! The demo's network: the documents' own examples, written as a client would write them.

mod calls;
mod client;
mod story;

pub(crate) use calls::{Calls, make_calls};
pub(crate) use story::{let_go, tell};

use jiff::{SignedDuration, Timestamp};

/// Days that the demo's calls lie in.
const DAYS: u32 = 30;

/// The time that the demo's calls lie before.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Time {
    /// The network's now.
    pub(crate) now: Timestamp,
    /// Whether its clock stands there; else it goes on by itself.
    pub(crate) stands: bool,
}

impl Time {
    /// When the network was filled, for its clock.
    fn begins(&self) -> Timestamp {
        let days = SignedDuration::from_hours(24 * i64::from(DAYS));
        self.now.saturating_sub(days).unwrap_or(Timestamp::MIN)
    }
}

/// What the demo has made, for whoever tries it.
#[derive(Debug)]
pub(crate) struct Made {
    /// The network's id.
    pub(crate) network: i64,
    /// A token for the whole network.
    pub(crate) token: String,
}

/// The e-mail address of the demo network's person.
pub(crate) const EMAIL: &str = "user@example.com";

/// Requests to try on the calls, as shell commands.
pub(crate) fn call_commands(base_url: &str, made: &Made) -> [String; 2] {
    let Made { network, token } = made;
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

/// Three requests to try, as shell commands.
pub(crate) fn commands(base_url: &str, made: &Made) -> [String; 3] {
    let Made { network, token } = made;
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
