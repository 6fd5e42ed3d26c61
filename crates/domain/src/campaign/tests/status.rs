use crate::campaign::{
    Campaign, CampaignAction, CampaignStatus, CampaignTransition, CurrentTerms, Terms, transition,
};
use crate::id::{AdvertiserId, CampaignId, NetworkId, TermsId};
use crate::party::CustomData;
use CampaignStatus::{Activated, Archived, Entry, Paused};
use jiff::Timestamp;

#[test]
fn transitions_match_the_table() {
    let actions = [
        CampaignAction::GoLive { from_archive: false },
        CampaignAction::GoLive { from_archive: true },
        CampaignAction::Archive,
        CampaignAction::Unarchive,
    ];
    let unchanged = CampaignTransition::Unchanged;
    let not_allowed = CampaignTransition::NotAllowed;
    let activated = CampaignTransition::To(Activated);
    let archived = CampaignTransition::To(Archived);
    let paused = CampaignTransition::To(Paused);
    let table = [
        (Entry, [activated, activated, not_allowed, not_allowed]),
        (Activated, [unchanged, unchanged, archived, not_allowed]),
        (Paused, [activated, activated, archived, unchanged]),
        (Archived, [not_allowed, activated, unchanged, paused]),
    ];
    assert_eq!(table.map(|(from, _)| from), CampaignStatus::ALL);
    for (from, row) in table {
        for (action, expected) in actions.into_iter().zip(row) {
            assert_eq!(transition(from, action), expected, "{action:?} from {from:?}");
        }
    }
}

#[test]
fn repeated_action_changes_nothing() {
    for from in CampaignStatus::ALL {
        for action in [
            CampaignAction::GoLive { from_archive: true },
            CampaignAction::Archive,
            CampaignAction::Unarchive,
        ] {
            if let CampaignTransition::To(reached) = transition(from, action) {
                assert_eq!(
                    transition(reached, action),
                    CampaignTransition::Unchanged,
                    "{action:?} of {from:?}"
                );
            }
        }
    }
}

#[test]
fn statuses_round_trip_through_the_wire() {
    for status in CampaignStatus::ALL {
        assert_eq!(CampaignStatus::parse(status.as_str()), Some(status));
        assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
    }
    assert_eq!(CampaignStatus::parse("entry"), None);
}

fn campaign(status: CampaignStatus, pause_date: Option<Timestamp>) -> Campaign {
    let start = Timestamp::UNIX_EPOCH;
    let terms = Terms { pause_date, ..Terms::new(start) };
    Campaign {
        id: CampaignId::new(1),
        network_id: NetworkId::new(1),
        advertiser_id: AdvertiserId::new(1),
        external_id: "12".to_owned(),
        name: "Post-Season".to_owned(),
        status,
        current_terms: Some(CurrentTerms { id: TermsId::new(1), went_live_at: start, terms }),
        future_terms: None,
        custom_data: CustomData::new(),
        budget_totals: Default::default(),
        created_at: start,
        updated_at: start,
    }
}

#[test]
fn activated_campaign_is_paused_from_its_pause_date_on() {
    let at = |second| Timestamp::from_second(second).unwrap();
    for (status, before, after) in [
        (Entry, Entry, Entry),
        (Activated, Activated, Paused),
        (Paused, Paused, Paused),
        (Archived, Archived, Archived),
    ] {
        let expiring = campaign(status, Some(at(100)));
        assert_eq!(expiring.effective_status(at(99)), before);
        assert_eq!(expiring.effective_status(at(100)), after);
        assert_eq!(campaign(status, None).effective_status(at(100)), before);
    }
}

#[test]
fn current_terms_are_in_force_and_future_terms_were_written_last() {
    let mut campaign = campaign(Activated, None);
    let current = campaign.current_terms.as_ref().map(|current| current.terms.clone());
    assert_eq!(campaign.latest_terms(), current.as_ref());
    let later = Terms { description: Some("later".to_owned()), ..current.clone().unwrap() };
    campaign.future_terms = Some(later.clone());
    assert_eq!(campaign.terms_in_force(), current.as_ref());
    assert_eq!(campaign.latest_terms(), Some(&later));
    campaign.current_terms = None;
    assert_eq!(campaign.terms_in_force(), Some(&later));
}
