//! Who calls: numbers of real area codes, as many as people live there, that are nobody's.

use super::seeded_rng::{RngStream, SeededRng};
use trunkline_domain::call::{PhoneType, area_codes};
use trunkline_domain::phone::PhoneNumber;

/// Someone who calls, and may call again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SimulatedCaller {
    /// `None` is withheld.
    pub(super) number: Option<PhoneNumber>,
    pub(super) phone_type: PhoneType,
}

/// Callers in a thousand who withhold their number.
const WITHHELD_NUMBER_PER_MILLE: u64 = 35;
/// Callers in a thousand on a mobile phone.
const MOBILE_PER_MILLE: u64 = 700;
/// The exchange of every imagined number: subscribers are given none of it.
const EXCHANGE: &str = "555";
/// Directory assistance, in the exchange all the same.
const DIRECTORY_ASSISTANCE_LINE: u32 = 1_212;

/// Thousands of inhabitants: states by the census of 2020, provinces by that of 2021. `-` are the
/// provinces and territories that share area codes.
const INHABITANTS: [(&str, &str, u64); 61] = [
    ("US", "CA", 39_538),
    ("US", "TX", 29_146),
    ("US", "FL", 21_538),
    ("US", "NY", 20_201),
    ("US", "PA", 13_003),
    ("US", "IL", 12_813),
    ("US", "OH", 11_799),
    ("US", "GA", 10_712),
    ("US", "NC", 10_439),
    ("US", "MI", 10_077),
    ("US", "NJ", 9_289),
    ("US", "VA", 8_631),
    ("US", "WA", 7_705),
    ("US", "AZ", 7_152),
    ("US", "MA", 7_030),
    ("US", "TN", 6_911),
    ("US", "IN", 6_786),
    ("US", "MD", 6_177),
    ("US", "MO", 6_155),
    ("US", "WI", 5_894),
    ("US", "CO", 5_774),
    ("US", "MN", 5_706),
    ("US", "SC", 5_118),
    ("US", "AL", 5_024),
    ("US", "LA", 4_658),
    ("US", "KY", 4_506),
    ("US", "OR", 4_237),
    ("US", "OK", 3_959),
    ("US", "CT", 3_606),
    ("US", "UT", 3_272),
    ("US", "IA", 3_190),
    ("US", "NV", 3_105),
    ("US", "AR", 3_012),
    ("US", "MS", 2_961),
    ("US", "KS", 2_938),
    ("US", "NM", 2_118),
    ("US", "NE", 1_962),
    ("US", "ID", 1_839),
    ("US", "WV", 1_794),
    ("US", "HI", 1_455),
    ("US", "NH", 1_378),
    ("US", "ME", 1_362),
    ("US", "RI", 1_097),
    ("US", "MT", 1_084),
    ("US", "DE", 990),
    ("US", "SD", 887),
    ("US", "ND", 779),
    ("US", "AK", 733),
    ("US", "DC", 690),
    ("US", "VT", 643),
    ("US", "WY", 577),
    ("CA", "ON", 14_224),
    ("CA", "QC", 8_502),
    ("CA", "BC", 5_001),
    ("CA", "AB", 4_263),
    ("CA", "MB", 1_342),
    ("CA", "-", 1_242),
    ("CA", "SK", 1_133),
    ("CA", "NB", 776),
    ("CA", "NL", 511),
    ("US", "PR", 3_286),
];

/// The caller with a number, of a seed.
pub(super) fn caller(seed: u32, number: u32) -> SimulatedCaller {
    let mut rng = SeededRng::new(seed, RngStream::Caller(number));
    let place = rng.weighted(INHABITANTS.iter().map(|(_, _, thousands)| *thousands));
    let (country, region, _) = INHABITANTS.get(place).copied().unwrap_or(("US", "CA", 0));
    let codes = area_codes(country, Some(region).filter(|it| *it != "-"));
    let code = rng.pick(&codes).copied().unwrap_or_default();
    let mut line = rng.between(100, 9_998);
    line += u32::from(line >= DIRECTORY_ASSISTANCE_LINE);
    let withheld = rng.per_mille(WITHHELD_NUMBER_PER_MILLE);
    let is_mobile = rng.per_mille(MOBILE_PER_MILLE);
    SimulatedCaller {
        number: PhoneNumber::parse(&format!("{code}{EXCHANGE}{line:04}")).filter(|_| !withheld),
        phone_type: if is_mobile { PhoneType::Mobile } else { PhoneType::Landline },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use trunkline_domain::call::place_of;

    #[test]
    fn every_place_has_area_codes() {
        for (country, region, _) in INHABITANTS {
            let codes = area_codes(country, Some(region).filter(|it| *it != "-"));
            assert!(!codes.is_empty(), "{country} {region}");
        }
    }

    #[test]
    fn callers_are_where_people_are_and_their_numbers_nobodys() {
        let callers: Vec<SimulatedCaller> = (0..10_000).map(|number| caller(7, number)).collect();
        let share =
            |is: &dyn Fn(&SimulatedCaller) -> bool| callers.iter().filter(|it| is(it)).count();
        let from = |caller: &SimulatedCaller, region: &str| {
            let place = caller.number.as_ref().and_then(place_of);
            place.is_some_and(|place| place.region == Some(region))
        };
        // 39.5 of 373 million people.
        let californians = share(&|it| from(it, "CA"));
        assert!((900..1_150).contains(&californians), "{californians}");
        assert!((20..120).contains(&share(&|it| from(it, "NM"))));
        let mobile = share(&|it| it.phone_type == PhoneType::Mobile);
        assert!((6_800..7_200).contains(&mobile), "{mobile}");
        let withheld = share(&|it| it.number.is_none());
        assert!((280..420).contains(&withheld), "{withheld}");
        for number in callers.iter().filter_map(|it| it.number.as_ref()) {
            assert_eq!(&number.digits()[3..6], EXCHANGE);
            assert_ne!(&number.digits()[6..], "1212");
        }
    }
}
