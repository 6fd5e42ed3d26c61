use super::{
    AffiliateCampaignStatus, AffiliateCampaignTransition, Application, RelationshipStatus,
    cascaded_status, decide_application, transition,
};
use crate::campaign::AutoApprove;
use crate::party::PartyStatus;
use AffiliateCampaignStatus::{Applied, Approved, Declined, Suspended};

/// Columns of both transition tables, in their order.
const COLUMNS: [AffiliateCampaignStatus; 4] = [Applied, Approved, Suspended, Declined];

#[test]
fn transitions_match_the_table() {
    let unchanged = AffiliateCampaignTransition::Unchanged;
    let not_allowed = AffiliateCampaignTransition::NotAllowed;
    let approved = AffiliateCampaignTransition::To(Approved);
    let suspended = AffiliateCampaignTransition::To(Suspended);
    let declined = AffiliateCampaignTransition::To(Declined);
    let table = [
        (Applied, [unchanged, approved, not_allowed, declined]),
        (Approved, [not_allowed, unchanged, suspended, not_allowed]),
        (Suspended, [not_allowed, approved, unchanged, declined]),
        (Declined, [not_allowed, approved, not_allowed, unchanged]),
    ];
    assert_eq!(table.map(|(from, _)| from), AffiliateCampaignStatus::ALL);
    for (from, row) in table {
        for (requested, expected) in COLUMNS.into_iter().zip(row) {
            assert_eq!(transition(from, requested), expected, "{from:?} to {requested:?}");
        }
    }
}

#[test]
fn cascade_matches_the_table() {
    let any_other = [Some(Declined), Some(Suspended), None, None];
    let table = [
        (RelationshipStatus::Pending, any_other),
        (RelationshipStatus::Approved, [Some(Approved), None, None, None]),
        (RelationshipStatus::Suspended, any_other),
        (RelationshipStatus::Declined, any_other),
        (RelationshipStatus::Deactivated, any_other),
    ];
    assert_eq!(table.map(|(relationship, _)| relationship), RelationshipStatus::ALL);
    for (relationship, row) in table {
        for (status, expected) in COLUMNS.into_iter().zip(row) {
            assert_eq!(
                cascaded_status(relationship, status),
                expected,
                "{relationship:?} on {status:?}"
            );
        }
    }
}

#[test]
fn repeated_cascade_changes_nothing() {
    for relationship in RelationshipStatus::ALL {
        for status in COLUMNS {
            if let Some(changed) = cascaded_status(relationship, status) {
                assert_eq!(
                    cascaded_status(relationship, changed),
                    None,
                    "{relationship:?} on {status:?}"
                );
            }
        }
    }
}

#[test]
fn application_is_decided_by_relationship_before_auto_approve() {
    // Columns: auto_approve All, None, Approved_Affiliates.
    let table = [
        (None, [Approved, Applied, Applied]),
        (Some(RelationshipStatus::Pending), [Declined; 3]),
        (Some(RelationshipStatus::Approved), [Approved; 3]),
        (Some(RelationshipStatus::Suspended), [Declined; 3]),
        (Some(RelationshipStatus::Declined), [Declined; 3]),
        (Some(RelationshipStatus::Deactivated), [Declined; 3]),
    ];
    for affiliate in PartyStatus::ALL {
        for (relationship, row) in table {
            for (auto_approve, expected) in AutoApprove::ALL.into_iter().zip(row) {
                let application = Application { relationship, auto_approve, affiliate };
                assert_eq!(decide_application(application), expected, "{application:?}");
            }
        }
    }
}

#[test]
fn approved_status_is_displayed_as_not_active_while_the_campaign_is_inactive() {
    for (status, active, inactive) in [
        (Applied, "Applied", "Applied"),
        (Approved, "Approved", "Approved_NotActive"),
        (Suspended, "Suspended", "Suspended"),
        (Declined, "Declined", "Declined"),
    ] {
        assert_eq!((status.display_status(true), status.display_status(false)), (active, inactive));
        assert_eq!(AffiliateCampaignStatus::parse(active), Some(status));
        assert_eq!(AffiliateCampaignStatus::parse(inactive), Some(status));
    }
    assert_eq!(AffiliateCampaignStatus::parse("applied"), None);
}

#[test]
fn relationship_statuses_round_trip_through_the_wire() {
    for status in RelationshipStatus::ALL {
        assert_eq!(RelationshipStatus::parse(status.as_str()), Some(status));
        assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
    }
    assert_eq!(RelationshipStatus::parse("Applied"), None);
}
