use super::{
    AffiliateCampaignStatus, Application, Move, RelationshipStatus, cascade, decide_application,
    transition,
};
use crate::campaign::AutoApprove;
use crate::party::PartyStatus;
use AffiliateCampaignStatus::{Applied, Approved, Declined, Suspended};

/// The columns of both tables, in their order.
const COLUMNS: [AffiliateCampaignStatus; 4] = [Applied, Approved, Suspended, Declined];

#[test]
fn the_network_moves_an_affiliate_campaign_by_the_table() {
    let (stays, no) = (Move::Stays, Move::Refused);
    let (approves, suspends, declines) =
        (Move::To(Approved), Move::To(Suspended), Move::To(Declined));
    let table = [
        (Applied, [stays, approves, no, declines]),
        (Approved, [no, stays, suspends, no]),
        (Suspended, [no, approves, stays, declines]),
        (Declined, [no, approves, no, stays]),
    ];
    assert_eq!(table.map(|(from, _)| from), AffiliateCampaignStatus::ALL);
    for (from, row) in table {
        for (asked, expected) in COLUMNS.into_iter().zip(row) {
            assert_eq!(transition(from, asked), expected, "{from:?} to {asked:?}");
        }
    }
}

#[test]
fn a_relationship_moves_the_affiliate_campaigns_of_its_pair_by_the_table() {
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
            assert_eq!(cascade(relationship, status), expected, "{relationship:?} on {status:?}");
        }
    }
}

#[test]
fn a_cascade_written_again_changes_nothing_more() {
    for relationship in RelationshipStatus::ALL {
        for status in COLUMNS {
            if let Some(moved) = cascade(relationship, status) {
                assert_eq!(cascade(relationship, moved), None, "{relationship:?} on {status:?}");
            }
        }
    }
}

#[test]
fn an_application_is_decided_by_relationship_then_campaign() {
    // By auto_approve: All, None, Approved_Affiliates.
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
fn only_an_approved_one_reads_otherwise_while_the_campaign_is_not_active() {
    for (status, active, inactive) in [
        (Applied, "Applied", "Applied"),
        (Approved, "Approved", "Approved_NotActive"),
        (Suspended, "Suspended", "Suspended"),
        (Declined, "Declined", "Declined"),
    ] {
        assert_eq!((status.reads(true), status.reads(false)), (active, inactive));
        assert_eq!(AffiliateCampaignStatus::parse(active), Some(status));
        assert_eq!(AffiliateCampaignStatus::parse(inactive), Some(status));
    }
    assert_eq!(AffiliateCampaignStatus::parse("applied"), None);
}

#[test]
fn relationships_keep_their_words() {
    for status in RelationshipStatus::ALL {
        assert_eq!(RelationshipStatus::parse(status.as_str()), Some(status));
        assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
    }
    assert_eq!(RelationshipStatus::parse("Applied"), None);
}
