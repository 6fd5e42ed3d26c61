//! Tests of the completeness of the area codes, and of the codes that an operator adds.

use crate::call::area_code::{overlay_lines, table_lines};
use crate::call::{AddedAreaCodes, CallFacts, Location, locate_area_code, locate_number};
use crate::phone::PhoneNumber;
use crate::region::{find_country, find_state};
use std::collections::BTreeSet;

/// Geographic codes by libphonenumber. Line format: `country codes…`.
const GEOGRAPHIC_CODES: &str = include_str!("../../../tests/area_codes/geographic.txt");

/// Codes without a state or province, each with the reason.
const CODES_WITHOUT_REGION: [(&str, &str); 3] = [
    ("782", "Nova Scotia and Prince Edward Island"),
    ("902", "Nova Scotia and Prince Edward Island"),
    ("867", "Northwest Territories, Nunavut and Yukon"),
];

fn number_of(code: &str) -> PhoneNumber {
    PhoneNumber::parse(&format!("+1{code}5550123")).unwrap()
}

#[test]
fn every_geographic_code_has_a_place() {
    let lines = GEOGRAPHIC_CODES.lines().filter(|line| !line.starts_with('#'));
    let mut count = 0;
    for line in lines {
        let (country, codes) = line.split_once(' ').unwrap();
        for code in codes.split(' ') {
            count += 1;
            let location = locate_area_code(&number_of(code));
            let location = location.unwrap_or_else(|| panic!("{code} has no place"));
            assert_eq!(location.country, country, "{code}");
            let listed = CODES_WITHOUT_REGION.iter().any(|(listed, _)| *listed == code);
            assert_eq!(location.region.is_none(), listed, "{code}");
        }
    }
    assert_eq!(count, 415);
}

#[test]
fn every_overlay_has_its_place_with_date_and_source() {
    let listed: BTreeSet<&str> = table_lines().flat_map(|(_, codes)| codes).collect();
    let text = include_str!("../../../data/area_code_overlays.txt");
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    for ((code, location), line) in overlay_lines().zip(&lines) {
        assert!(!listed.contains(code), "{code} is in both tables");
        assert_eq!(locate_area_code(&number_of(code)), Some(location));
        assert!(find_state(location.region.unwrap()).unwrap().country == location.country);
        let [.., date, source] = line.split(',').collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        assert!(date.parse::<jiff::civil::Date>().is_ok(), "{line}");
        assert!(source.starts_with("https://"), "{line}");
    }
    let codes: BTreeSet<&str> = overlay_lines().map(|(code, _)| code).collect();
    assert_eq!((codes.len(), lines.len()), (13, 13));
    for (code, region) in [("436", "OH"), ("924", "MN"), ("621", "TX"), ("465", "NY")] {
        assert_eq!(locate_area_code(&number_of(code)).unwrap().region, Some(region));
    }
}

#[test]
fn every_location_is_a_known_country_and_state() {
    for (location, codes) in table_lines() {
        assert!(find_country(location.country).is_some(), "{location:?}");
        if let Some(region) = location.region {
            assert_eq!(find_state(region).unwrap().country, location.country, "{location:?}");
        }
        assert!(codes.count() > 0);
    }
}

#[test]
fn unknown_codes_are_those_that_can_be_geographic() {
    for (code, expected) in [
        ("212", None),
        ("483", None),
        ("800", None),
        ("833", None),
        ("900", None),
        ("521", None),
        ("710", None),
        ("211", None),
        ("298", None),
        ("123", None),
        ("836", Some("836")),
        ("974", Some("974")),
    ] {
        let calling_phone_number = Some(number_of(code));
        let facts = CallFacts { calling_phone_number, ..CallFacts::default() };
        assert_eq!(facts.unknown_area_code(), None, "{code}: no location was derived");
        let facts = facts.with_derived_locations();
        assert_eq!(facts.unknown_area_code(), expected, "{code}");
    }
    let calling_phone_number = PhoneNumber::parse("+442071838750");
    let british = CallFacts { calling_phone_number, ..CallFacts::default() };
    assert_eq!(british.with_derived_locations().unknown_area_code(), None);
    assert_eq!(locate_number(&number_of("836")), None);
}

#[test]
fn added_codes_are_parsed() {
    let text = "\u{feff}code,country,region\r\n# Texas\n836,US,TX\n\n 837 , Canada , Ontario \n838,US,\n\
                839,PR\n840,US,PR\n836,usa,Texas\n";
    let added = AddedAreaCodes::parse(text).unwrap();
    assert_eq!(added.len(), 5);
    let find = |code: u16| added.location_of(code);
    assert_eq!(find(836), Some(Location { country: "US", region: Some("TX") }));
    assert_eq!(find(837), Some(Location { country: "CA", region: Some("ON") }));
    assert_eq!(find(838), Some(Location { country: "US", region: None }));
    assert_eq!(find(839), Some(Location { country: "US", region: Some("PR") }));
    assert_eq!(find(840), Some(Location { country: "US", region: Some("PR") }));
    assert_eq!(find(212), None);
    assert!(AddedAreaCodes::parse("# none\n").unwrap().is_empty());
}

#[test]
fn malformed_lines_are_errors_with_their_number() {
    for (text, expected) in [
        ("836", "line 1: expected code,country,region, found '836'"),
        ("836,US,TX,x", "line 1: expected code,country,region, found '836,US,TX,x'"),
        ("# ok\n36,US,TX", "line 2: '36' is not an area code (200 to 999)"),
        ("136,US,TX", "line 1: '136' is not an area code (200 to 999)"),
        ("+36,US,TX", "line 1: '+36' is not an area code (200 to 999)"),
        ("836,XX,TX", "line 1: 'XX' is not a country code of ISO 3166-1"),
        ("836,US,ZZ", "line 1: 'ZZ' is not a state or province of United States"),
        ("836,US,ON", "line 1: 'ON' is not a state or province of United States"),
        ("836,US,TX\n836,US,CA", "line 2: area code 836 has another location above"),
    ] {
        let error = AddedAreaCodes::parse(text).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}
