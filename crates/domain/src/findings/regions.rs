//! Regions that mean no place, and named regions that nothing asks for.

use super::{Found, Severity, conditions};
use crate::campaign::Terms;
use crate::condition::Term;

pub(super) fn check(terms: &Terms, found: &mut Found) {
    let asked = conditions(terms).into_iter().flat_map(|expr| expr.terms());
    let asked: Vec<Option<&str>> = asked
        .filter_map(|term| match term {
            Term::InRegion(name) => Some(name.as_deref()),
            _ => None,
        })
        .collect();
    for (index, named) in terms.named_regions.iter().enumerate() {
        let at = format!("named_regions[{index}]");
        for (place, region) in named.regions.iter().enumerate() {
            if !region.is_known() {
                let kind = region.region_type.as_str();
                let message = format!("is not known: there is no {kind} '{}'", region.value);
                found.add(Severity::Warning, &format!("{at}.regions[{place}]"), message);
            }
        }
        let is_asked = |name: &Option<&str>| name.is_none_or(|name| named.is_called(name));
        if !asked.iter().any(is_asked) {
            found.add(Severity::Info, &at, format!("'{}' is used by no condition", named.name));
        }
    }
}
