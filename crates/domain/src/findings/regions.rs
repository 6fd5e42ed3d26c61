//! Checks of named regions: unknown regions, and named regions that no condition uses.

use super::{Analysis, Severity, all_conditions};
use crate::campaign::Terms;
use crate::condition::Term;

pub(super) fn check_regions(terms: &Terms, analysis: &mut Analysis<'_>) {
    let terms_used = all_conditions(terms).into_iter().flat_map(|expr| expr.terms());
    let regions_used: Vec<Option<&str>> = terms_used
        .filter_map(|term| match term {
            Term::InRegion(name) => Some(name.as_deref()),
            _ => None,
        })
        .collect();
    for (index, named) in terms.named_regions.iter().enumerate() {
        let path = format!("named_regions[{index}]");
        for (region_index, region) in named.regions.iter().enumerate() {
            if !region.is_recognized() {
                let kind = region.region_type.as_str();
                let message = format!("is not known: there is no {kind} '{}'", region.value);
                analysis.add(
                    Severity::Warning,
                    &format!("{path}.regions[{region_index}]"),
                    message,
                );
            }
        }
        let matches_name = |name: &Option<&str>| name.is_none_or(|name| named.has_name(name));
        if !regions_used.iter().any(matches_name) {
            analysis.add(
                Severity::Info,
                &path,
                format!("'{}' is used by no condition", named.name),
            );
        }
    }
}
