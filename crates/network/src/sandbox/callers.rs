//! Simulated callers. Their numbers have real area codes, distributed by population, and an
//! exchange that is not assigned to subscribers.

use super::seeded_rng::{RngStream, SeededRng};
use trunkline_domain::call::{PhoneType, area_codes_of};
use trunkline_domain::phone::PhoneNumber;

/// Simulated caller, who may call more than once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SimulatedCaller {
    /// Calling number; `None` if it is withheld.
    pub(super) number: Option<PhoneNumber>,
    pub(super) phone_type: PhoneType,
}

/// Callers who withhold their number, per mille.
const WITHHELD_NUMBER_PER_MILLE: u64 = 35;
/// Callers with a mobile phone, per mille.
const MOBILE_PER_MILLE: u64 = 700;
/// Exchange (digits 4 to 6) of every simulated number. It is not assigned to subscribers.
const EXCHANGE: &str = "555";
/// Line number of directory assistance, which is assigned in this exchange.
const DIRECTORY_ASSISTANCE_LINE: u32 = 1_212;

/// Country, region and thousands of inhabitants: US states by the 2020 census, Canadian provinces
/// by the 2021 census. `-` is the share of the provinces and territories that share area codes.
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

/// Returns the caller with an index, for a seed. The result depends on nothing else.
pub(super) fn simulate_caller(seed: u32, index: u32) -> SimulatedCaller {
    let mut rng = SeededRng::new(seed, RngStream::Caller(index));
    let region_index = rng.weighted(INHABITANTS.iter().map(|(_, _, thousands)| *thousands));
    let (country, region, _) = INHABITANTS.get(region_index).copied().unwrap_or(("US", "CA", 0));
    let codes = area_codes_of(country, Some(region).filter(|region| *region != "-"));
    let code = rng.pick(&codes).copied().unwrap_or_default();
    let mut line = rng.between(100, 9_998);
    line += u32::from(line >= DIRECTORY_ASSISTANCE_LINE);
    let is_withheld = rng.per_mille(WITHHELD_NUMBER_PER_MILLE);
    let is_mobile = rng.per_mille(MOBILE_PER_MILLE);
    SimulatedCaller {
        number: PhoneNumber::parse(&format!("{code}{EXCHANGE}{line:04}")).filter(|_| !is_withheld),
        phone_type: if is_mobile { PhoneType::Mobile } else { PhoneType::Landline },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use trunkline_domain::call::locate_number;

    #[test]
    fn every_region_has_area_codes() {
        for (country, region, _) in INHABITANTS {
            let codes = area_codes_of(country, Some(region).filter(|region| *region != "-"));
            assert!(!codes.is_empty(), "{country} {region}");
        }
    }

    #[test]
    fn callers_follow_population_and_use_unassigned_numbers() {
        let callers: Vec<SimulatedCaller> =
            (0..10_000).map(|index| simulate_caller(7, index)).collect();
        let share = |is: &dyn Fn(&SimulatedCaller) -> bool| {
            callers.iter().filter(|caller| is(caller)).count()
        };
        let from = |caller: &SimulatedCaller, region: &str| {
            let place = caller.number.as_ref().and_then(locate_number);
            place.is_some_and(|place| place.region == Some(region))
        };
        // 39.5 of 373 million people.
        let californians = share(&|caller| from(caller, "CA"));
        assert!((900..1_150).contains(&californians), "{californians}");
        assert!((20..120).contains(&share(&|caller| from(caller, "NM"))));
        let mobile = share(&|caller| caller.phone_type == PhoneType::Mobile);
        assert!((6_800..7_200).contains(&mobile), "{mobile}");
        let withheld = share(&|caller| caller.number.is_none());
        assert!((280..420).contains(&withheld), "{withheld}");
        for number in callers.iter().filter_map(|caller| caller.number.as_ref()) {
            assert_eq!(&number.compact()[3..6], EXCHANGE);
            assert_ne!(&number.compact()[6..], "1212");
        }
    }
}
