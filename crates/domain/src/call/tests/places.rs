//! Tests of the place of a caller: the order of its sources, and its comparison with regions.

use crate::call::{CallFacts, CallerLocation, EvaluationContext, IvrFacts, Location, ZipCode};
use crate::campaign::Terms;
use crate::condition::Condition;
use crate::phone::PhoneNumber;
use crate::region::RegionType;
use crate::sample::region;

/// Facts of a call from a number, with reported places (`""` is not reported).
fn facts(number: &str, country: &str, state: &str, zip: &str) -> CallFacts {
    let reported = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    CallFacts {
        calling_phone_number: PhoneNumber::parse(number),
        country: reported(country),
        region: reported(state),
        zip: reported(zip),
        ..CallFacts::default()
    }
    .with_derived_locations()
}

fn place(facts: &CallFacts, entered_zip: &str) -> (Option<String>, Option<String>) {
    let entered: Option<Location> = ZipCode::parse(entered_zip).and_then(|zip| zip.location());
    let CallerLocation { country, region, .. } = facts.caller_location(entered);
    (country.map(str::to_owned), region.map(str::to_owned))
}

const NEW_YORK: &str = "+12125550123";
const PUERTO_RICO: &str = "+17875550123";
const LONDON: &str = "+442071838750";
const JAMAICA: &str = "+18765550123";
const MARITIME: &str = "+19025550123";

#[test]
fn place_has_the_best_source() {
    for (number, country, state, zip, entered, expected_country, expected_region) in [
        // The calling number.
        (NEW_YORK, "", "", "", "", "US", "NY"),
        ("+17185550123", "", "", "", "", "US", "NY"),
        ("+19055550123", "", "", "", "", "CA", "ON"),
        ("+14655550123", "", "", "", "", "US", "NY"),
        (MARITIME, "", "", "", "", "CA", ""),
        (LONDON, "", "", "", "", "GB", ""),
        ("+447781234567", "", "", "", "", "GB", ""),
        (JAMAICA, "", "", "", "", "JM", ""),
        (PUERTO_RICO, "", "", "", "", "US", "PR"),
        ("+18005550123", "", "", "", "", "", ""),
        ("+8835100123456", "", "", "", "", "", ""),
        ("+17378742833", "", "", "", "", "", ""),
        ("", "", "", "", "", "", ""),
        // A reported region, by code or name, tells the country.
        (NEW_YORK, "", "CA", "", "", "US", "CA"),
        (NEW_YORK, "", "California", "", "", "US", "CA"),
        (NEW_YORK, "", "ON", "", "", "CA", "ON"),
        (NEW_YORK, "", "us-tx", "", "", "US", "TX"),
        (LONDON, "", "CA", "", "", "US", "CA"),
        (LONDON, "", "Kent", "", "", "GB", "Kent"),
        (NEW_YORK, "", "CA", "10001", "75001", "US", "CA"),
        // A postal code, reported or entered.
        (NEW_YORK, "", "", "93101", "", "US", "CA"),
        (NEW_YORK, "", "", "K1A 0B1", "", "CA", "ON"),
        (NEW_YORK, "", "", "93101", "75001", "US", "CA"),
        (NEW_YORK, "", "", "", "75001", "US", "TX"),
        (NEW_YORK, "", "", "88888", "", "US", "NY"),
        (NEW_YORK, "", "", "none", "", "US", "NY"),
        ("", "", "", "00901", "", "US", "PR"),
        // A reported country has to agree.
        (NEW_YORK, "US", "", "", "", "US", "NY"),
        (NEW_YORK, "usa", "", "", "", "US", "NY"),
        (NEW_YORK, "United States", "", "93101", "", "US", "CA"),
        (NEW_YORK, "CA", "", "", "", "CA", ""),
        (NEW_YORK, "CA", "CA", "", "", "CA", ""),
        (NEW_YORK, "CA", "ON", "", "", "CA", "ON"),
        (NEW_YORK, "GB", "", "93101", "", "GB", ""),
        (NEW_YORK, "GB", "", "", "93101", "GB", ""),
        (LONDON, "UK", "", "", "", "GB", ""),
        (LONDON, "GBR", "", "", "", "GB", ""),
        (LONDON, "US", "", "", "", "US", ""),
        (LONDON, "US", "NY", "", "", "US", "NY"),
        (LONDON, "US", "Kent", "", "", "US", "Kent"),
        (NEW_YORK, "Atlantis", "", "", "", "Atlantis", ""),
        ("", "de", "Bavaria", "", "", "DE", "Bavaria"),
        // A territory is part of the United States.
        (PUERTO_RICO, "US", "", "", "", "US", "PR"),
        (PUERTO_RICO, "PR", "", "", "", "US", "PR"),
        (NEW_YORK, "PR", "", "", "", "US", "PR"),
        (NEW_YORK, "Puerto Rico", "", "00901", "", "US", "PR"),
        ("", "PRI", "", "", "", "US", "PR"),
    ] {
        let facts = facts(number, country, state, zip);
        let known = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let expected = (known(expected_country), known(expected_region));
        let case = (number, country, state, zip, entered);
        assert_eq!(place(&facts, entered), expected, "{case:?}");
    }
}

#[test]
fn regions_are_known_unknown_or_elsewhere() {
    use RegionType::{City, Country, State, Zone};
    let unknown = facts("", "", "", "");
    let new_york = facts(NEW_YORK, "", "", "");
    let puerto_rico = facts(PUERTO_RICO, "", "", "");
    let london = facts(LONDON, "", "", "");
    let jamaica = facts(JAMAICA, "", "", "");
    let maritime = facts(MARITIME, "", "", "");
    let american = facts("", "US", "", "");
    for (caller, region_type, value, expected) in [
        (&new_york, State, "NY", Some(true)),
        (&new_york, State, " new york ", Some(true)),
        (&new_york, State, "US-NY", Some(true)),
        (&new_york, State, "CA", Some(false)),
        (&new_york, State, "PR", Some(false)),
        (&new_york, State, "ON", Some(false)),
        (&new_york, State, "Atlantis", None),
        (&new_york, Country, "US", Some(true)),
        (&new_york, Country, "USA", Some(true)),
        (&new_york, Country, "United States", Some(true)),
        (&new_york, Country, "PR", Some(false)),
        (&new_york, Country, "GB", Some(false)),
        (&new_york, Country, "Atlantis", None),
        (&new_york, City, "Albany, NY", None),
        (&new_york, City, "Albany, CA", Some(false)),
        (&new_york, Zone, "NY", None),
        (&puerto_rico, Country, "US", Some(true)),
        (&puerto_rico, Country, "PR", Some(true)),
        (&puerto_rico, Country, "Puerto Rico", Some(true)),
        (&puerto_rico, Country, "GU", Some(false)),
        (&puerto_rico, State, "PR", Some(true)),
        (&puerto_rico, State, "NY", Some(false)),
        (&london, Country, "UK", Some(true)),
        (&london, Country, "GB", Some(true)),
        (&london, Country, "gbr", Some(true)),
        (&london, Country, "US", Some(false)),
        (&london, Country, "PR", Some(false)),
        (&london, State, "NY", Some(false)),
        (&london, State, "PR", Some(false)),
        (&london, State, "Kent", None),
        (&london, City, "London, NY", Some(false)),
        (&london, City, "London", None),
        (&jamaica, State, "NY", Some(false)),
        (&jamaica, Country, "JM", Some(true)),
        (&maritime, State, "NS", None),
        (&maritime, State, "NY", Some(false)),
        (&maritime, Country, "Canada", Some(true)),
        (&american, State, "NY", None),
        (&american, State, "ON", Some(false)),
        (&american, Country, "PR", None),
        (&unknown, State, "NY", None),
        (&unknown, Country, "US", None),
        (&unknown, City, "Albany, NY", None),
    ] {
        let mut terms = Terms::new(jiff::Timestamp::UNIX_EPOCH);
        terms.named_regions = vec![region("Here", &[(region_type, value)])];
        let ivr_facts = IvrFacts::default();
        let context = EvaluationContext { facts: caller, terms: &terms, ivr_facts };
        let evaluate = |text| Condition::parse(text).unwrap().expr().evaluate(&context);
        let case = (&caller.calling_phone_number, region_type, value);
        assert_eq!(evaluate("in_region[Here]"), expected, "{case:?}");
        assert_eq!(evaluate("not in_region[Here]"), expected.map(|value| !value), "{case:?}");
    }
}

#[test]
fn calls_stored_before_locations_were_derived_keep_their_place() {
    let facts = CallFacts {
        calling_phone_number: PhoneNumber::parse(LONDON),
        country: Some("US".to_owned()),
        region: Some("NY".to_owned()),
        zip: Some("93101".to_owned()),
        ..CallFacts::default()
    };
    let expected = (Some("US".to_owned()), Some("NY".to_owned()));
    assert_eq!(place(&facts, ""), expected);
    let json = serde_json::to_string(&facts).unwrap();
    assert!(!json.contains("derived") && !json.contains("calling_phone_number_text"), "{json}");
}
