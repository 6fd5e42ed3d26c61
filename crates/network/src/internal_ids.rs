//! Ids in paths. A segment that no object has as its external id is read as the id that the server
//! assigned.

use crate::{Context, Error, UnitOfWork};
pub use trunkline_store::PathObject;

/// Runs `work` with the external ids of a path. If it finds nothing, runs it once more with the
/// segments replaced that are ids of the server, and no external ids of their kind. Both runs check
/// what the principal may see.
///
/// # Errors
///
/// Those of `work`. [`Error::NotFound`] always names the segments of the path, never the external id
/// of an object that the principal may not see.
pub fn with_internal_ids<T, const N: usize>(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    segments: [(PathObject, &str); N],
    work: impl Fn(&mut UnitOfWork<'_>, [&str; N]) -> Result<T, Error>,
) -> Result<T, Error> {
    let not_found = match work(unit, segments.map(|(_, id)| id)) {
        Err(error @ Error::NotFound(_)) => error,
        result => return result,
    };
    let network = context.principal.network_id;
    let mut external_ids: [Option<String>; N] = [const { None }; N];
    for ((object, id), external_id) in segments.into_iter().zip(&mut external_ids) {
        if let Some(id) = parse_id(id) {
            *external_id = unit.external_id_of(network, object, id)?;
        }
    }
    if external_ids.iter().all(Option::is_none) {
        return Err(not_found);
    }
    let ids = std::array::from_fn(|index| {
        let (_, id) = segments[index];
        external_ids[index].as_deref().unwrap_or(id)
    });
    match work(unit, ids) {
        Err(Error::NotFound(_)) => Err(not_found),
        result => {
            context.internal_id_use.set();
            result
        }
    }
}

/// Parses an id as the server writes it: decimal digits without leading zeros.
pub(crate) fn parse_id(text: &str) -> Option<i64> {
    let is_decimal = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    text.parse().ok().filter(|_| is_decimal)
}

#[cfg(test)]
mod tests {
    use super::parse_id;

    #[test]
    fn only_the_canonical_form_is_an_id() {
        assert_eq!(parse_id("17"), Some(17));
        for text in ["", "0", "017", "+17", "-17", "17 ", "1e1", "１７", "99999999999999999999"] {
            assert_eq!(parse_id(text), None, "{text}");
        }
    }
}
