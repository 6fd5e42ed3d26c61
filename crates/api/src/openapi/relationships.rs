//! Advertiser–affiliate relationships ("auto-approve").

use super::operation::Operation;
use super::shapes::{Schemas, answer, example, request, shown_network_id, word};
use serde_json::json;
use trunkline_domain::affiliation::RelationshipStatus;

pub(super) fn schemas() -> Schemas {
    let statuses: Vec<&str> =
        RelationshipStatus::ALL.into_iter().map(RelationshipStatus::as_str).collect();
    let status = word(&statuses, "How the advertiser stands to the affiliate.");
    let said = request("A relationship to write", json!({"status": status}), &["status"]);
    let shown = answer(
        "Relationship",
        json!({
            "status": status,
            "affiliate_id_from_network": shown_network_id("The network's id of the affiliate."),
        }),
        &[],
    );
    let both = json!({"status": "Approved", "affiliate_id_from_network": "222"});
    vec![
        ("RelationshipRequest", example(said, json!({"status": "Approved"}))),
        ("Relationship", example(shown, both)),
    ]
}

const CASCADE: &str = "Acts on every affiliate campaign of the pair in the same transaction. **Approved**: each that is Applied becomes Approved, and later applications are approved at once. **Anything else**: each that is Applied becomes Declined, each that is Approved becomes Suspended, and later applications are declined at once. The same status again acts again on what has changed since, and on nothing else.";

pub(super) fn operations() -> Vec<Operation> {
    const COLLECTION: &str = "/api/advertisers/{advertiser}/affiliates";
    const MEMBER: &str = "/api/advertisers/{advertiser}/affiliates/{affiliate}";
    let approved = || json!({"status": "Approved"});
    vec![
        Operation::get(COLLECTION, "listRelationships", "List an advertiser's relationships")
            .lists("Relationship"),
        Operation::get(MEMBER, "getRelationship", "Read a relationship")
            .answers("200", "The relationship.", "Relationship"),
        Operation::post(MEMBER, "postRelationship", "Create or update a relationship")
            .about(CASCADE)
            .with("If-Match")
            .takes("RelationshipRequest", approved())
            .answers("201", "Done, cascade and all.", "Empty"),
        Operation::put(MEMBER, "putRelationship", "Update or create a relationship")
            .about(CASCADE)
            .with("If-Match")
            .takes("RelationshipRequest", approved())
            .answers("200", "Done, cascade and all.", "Empty"),
        Operation::delete(MEMBER, "deleteRelationship", "Delete a relationship")
            .about("Changes no affiliate campaign; later applications go by the campaign's own `auto_approve`. Does nothing when there is none.")
            .with("If-Match")
            .answers("200", "Gone.", "Empty"),
    ]
}
