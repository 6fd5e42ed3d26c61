//! Advertiser–affiliate relationships ("auto-approve").

use super::operation::Operation;
use super::schema::{
    NamedSchemas, enumeration, request_object, response_external_id, response_object, with_example,
};
use serde_json::json;
use trunkline_domain::affiliation::RelationshipStatus;

pub(super) fn schemas() -> NamedSchemas {
    let statuses: Vec<&str> =
        RelationshipStatus::ALL.into_iter().map(RelationshipStatus::as_str).collect();
    let status = enumeration(&statuses, "Status of the affiliate with the advertiser.");
    let relationship_request = request_object(json!({"status": status}), &["status"]);
    let relationship = response_object(
        json!({
            "status": status,
            "affiliate_id_from_network": response_external_id("External id of the affiliate."),
        }),
        &[],
    );
    let relationship_example = json!({"status": "Approved", "affiliate_id_from_network": "222"});
    vec![
        ("RelationshipRequest", with_example(relationship_request, json!({"status": "Approved"}))),
        ("Relationship", with_example(relationship, relationship_example)),
    ]
}

const CASCADE: &str = "Changes every affiliate campaign of the pair in the same transaction. **Approved**: Applied becomes Approved, and later applications are approved at once. **Any other status**: Applied becomes Declined, Approved becomes Suspended, and later applications are declined at once. Repeating the status applies it to affiliate campaigns that have changed since.";

pub(super) fn operations() -> Vec<Operation> {
    const COLLECTION: &str = "/api/advertisers/{advertiser}/affiliates";
    const MEMBER: &str = "/api/advertisers/{advertiser}/affiliates/{affiliate}";
    let request_example = || json!({"status": "Approved"});
    vec![
        Operation::get(COLLECTION, "listRelationships", "List an advertiser's relationships")
            .paged_list_response("Relationship"),
        Operation::get(MEMBER, "getRelationship", "Read a relationship")
            .object_response("200", "The relationship.", "Relationship"),
        Operation::post(MEMBER, "postRelationship", "Create or update a relationship")
            .description(CASCADE)
            .parameter("If-Match")
            .request_body("RelationshipRequest", request_example())
            .object_response("201", "The relationship and its affiliate campaigns have changed.", "Empty"),
        Operation::put(MEMBER, "putRelationship", "Update or create a relationship")
            .description(CASCADE)
            .parameter("If-Match")
            .request_body("RelationshipRequest", request_example())
            .object_response("200", "The relationship and its affiliate campaigns have changed.", "Empty"),
        Operation::delete(MEMBER, "deleteRelationship", "Delete a relationship")
            .description("Changes no affiliate campaign. Later applications are decided by `auto_approve` of the campaign. Has no effect when there is no relationship.")
            .parameter("If-Match")
            .object_response("200", "The relationship does not exist.", "Empty"),
    ]
}
