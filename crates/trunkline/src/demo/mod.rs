//! The demo's network: the documents' own examples, written as a client would write them.

mod client;
mod story;

pub(crate) use story::tell;

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
