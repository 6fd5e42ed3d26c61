//! Locations of North American phone numbers by area code.

use crate::phone::PhoneNumber;
use crate::region::{find_country, find_state, find_us_territory};
use std::collections::HashMap;
use std::sync::{LazyLock, OnceLock};

/// Table of area codes. Line format: `country state codes…`. The source is named in the file.
const TABLE: &str = include_str!("../../data/area_codes.txt");
/// Table of newer overlay codes. Line format: `code,country,state,date,source`.
const OVERLAYS: &str = include_str!("../../data/area_code_overlays.txt");

/// Country and, if known, state or province.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Location {
    /// ISO 3166-1 alpha-2 code.
    pub country: &'static str,
    /// Postal abbreviation: `CA`, `ON`.
    pub region: Option<&'static str>,
}

/// Area codes that the operator of a server adds to the tables, or whose location the operator
/// replaces.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AddedAreaCodes {
    locations: HashMap<u16, Location>,
}

/// Error in a line of an operator's area codes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct AreaCodeError {
    /// Line number, from 1.
    pub line: usize,
    /// Description of the problem, with the remedy.
    pub problem: String,
}

impl AddedAreaCodes {
    /// Parses lines of the form `code,country,region`: `836,US,TX`. The region is empty for a code
    /// that several regions share. Blank lines, lines that begin with `#`, and the header
    /// `code,country,region` are skipped.
    ///
    /// # Errors
    ///
    /// [`AreaCodeError`] for the first line that is malformed, that names an unknown country or
    /// region, or that gives a code a second location.
    pub fn parse(text: &str) -> Result<Self, AreaCodeError> {
        let mut locations = HashMap::new();
        for (index, line) in text.lines().enumerate() {
            let content = line.trim_start_matches('\u{feff}').trim();
            if content.is_empty() || content.starts_with('#') || content == "code,country,region" {
                continue;
            }
            let at_line = |problem: String| AreaCodeError { line: index + 1, problem };
            let (code, location) = parse_added_line(content).map_err(at_line)?;
            if locations.insert(code, location).is_some_and(|earlier| earlier != location) {
                return Err(at_line(format!("area code {code} has another location above")));
            }
        }
        Ok(Self { locations })
    }

    /// Returns the location of an area code; `None` if it is not among the added ones.
    pub fn location_of(&self, code: u16) -> Option<Location> {
        self.locations.get(&code).copied()
    }

    /// Number of codes.
    pub fn len(&self) -> usize {
        self.locations.len()
    }

    /// Returns true if there are no codes.
    pub fn is_empty(&self) -> bool {
        self.locations.is_empty()
    }
}

/// Parses `code,country,region`.
fn parse_added_line(line: &str) -> Result<(u16, Location), String> {
    let fields: Vec<&str> = line.split(',').map(str::trim).collect();
    let (code, country, region) = match fields.as_slice() {
        [code, country] => (*code, *country, ""),
        [code, country, region] => (*code, *country, *region),
        _ => return Err(format!("expected code,country,region, found '{line}'")),
    };
    let parsed = code.parse().ok().filter(|_| is_area_code(code));
    let parsed = parsed.ok_or_else(|| format!("'{code}' is not an area code (200 to 999)"))?;
    let unknown_country = || format!("'{country}' is not a country code of ISO 3166-1");
    let country = find_country(country).ok_or_else(unknown_country)?;
    if let Some(territory) = find_us_territory(country).filter(|_| region.is_empty()) {
        return Ok((parsed, Location { country: territory.country, region: Some(territory.code) }));
    }
    if region.is_empty() {
        return Ok((parsed, Location { country: country.code, region: None }));
    }
    let is_in_country =
        |found: &crate::region::State| found.country == country.code || found.code == country.code;
    let unknown_region = || format!("'{region}' is not a state or province of {}", country.name);
    let state = find_state(region).filter(is_in_country).ok_or_else(unknown_region)?;
    Ok((parsed, Location { country: state.country, region: Some(state.code) }))
}

/// Returns true for three digits of which the first is 2–9.
fn is_area_code(code: &str) -> bool {
    code.len() == 3
        && code.bytes().all(|byte| byte.is_ascii_digit())
        && !code.starts_with(['0', '1'])
}

static ADDED_AREA_CODES: OnceLock<AddedAreaCodes> = OnceLock::new();

/// Sets the area codes that the operator adds. They hold for the whole process, like the compiled
/// tables, so that every use case locates a number in the same way. Only the first call has an
/// effect; it returns true.
pub fn set_added_area_codes(codes: AddedAreaCodes) -> bool {
    ADDED_AREA_CODES.set(codes).is_ok()
}

static LOCATIONS_BY_CODE: LazyLock<Vec<Option<Location>>> = LazyLock::new(|| {
    let mut locations = vec![None; 1_000];
    let listed =
        table_lines().flat_map(|(location, codes)| codes.map(move |code| (code, location)));
    for (code, location) in listed.chain(overlay_lines()) {
        let code = code.parse().ok();
        if let Some(slot) = code.and_then(|code: usize| locations.get_mut(code)) {
            *slot = slot.or(Some(location));
        }
    }
    locations
});

/// Returns the location of a North American number by its area code; `None` for toll-free numbers,
/// unknown area codes and numbers of other countries.
pub fn locate_area_code(number: &PhoneNumber) -> Option<Location> {
    let code: u16 = number.area_code()?.parse().ok()?;
    let added = ADDED_AREA_CODES.get().and_then(|added| added.location_of(code));
    added.or_else(|| *LOCATIONS_BY_CODE.get(usize::from(code))?)
}

/// Returns the area code of a North American number if it can be a geographic one. Codes of other
/// services have no location: toll-free and other codes with two equal last digits, `52x` and
/// `710`, and codes that are reserved for the expansion of the numbering plan (`x9x`).
pub(super) fn geographic_area_code(number: &PhoneNumber) -> Option<&str> {
    let code = number.area_code().filter(|code| is_area_code(code))?;
    let digits = code.as_bytes();
    let is_service = digits.get(1) == digits.get(2)
        || digits.get(1) == Some(&b'9')
        || code.starts_with("52")
        || code == "710";
    (!is_service).then_some(code)
}

/// Returns the area codes of a state or province; without a region, the codes that several regions
/// of the country share. Empty for an unknown location. The overlays are not included, so that the
/// calls of a simulated network stay the same when an overlay is added.
pub fn area_codes_of(country: &str, region: Option<&str>) -> Vec<&'static str> {
    let matching = table_lines()
        .filter(|(location, _)| location.country == country && location.region == region);
    matching.flat_map(|(_, codes)| codes).collect()
}

/// Parses the table. Yields each location with its area codes.
pub(super) fn table_lines() -> impl Iterator<Item = (Location, impl Iterator<Item = &'static str>)>
{
    let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| {
        let mut words = line.split(' ');
        let country = words.next()?;
        let region = Some(words.next()?).filter(|region| *region != "-");
        Some((Location { country, region }, words))
    })
}

/// Parses the table of overlays. Yields each area code with its location.
pub(super) fn overlay_lines() -> impl Iterator<Item = (&'static str, Location)> {
    let lines = OVERLAYS.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| {
        let mut fields = line.split(',');
        let code = fields.next()?;
        Some((code, Location { country: fields.next()?, region: fields.next() }))
    })
}
