//! Numbers and mean durations of a campaign's recent calls.

use crate::{Context, Error, UnitOfWork, campaigns};
use jiff::ToSpan;
use trunkline_domain::campaign::Terms;
use trunkline_store::CallTotals;

/// Call counts of a campaign. Days are those of the campaign's time zone and include today.
#[derive(Debug, Clone, Copy)]
pub struct QuickStats {
    /// Calls of today.
    pub today: CallTotals,
    /// Calls of the last 7 days.
    pub last_7_days: CallTotals,
    /// Calls of the last 30 days.
    pub last_30_days: CallTotals,
}

/// Returns a campaign's call counts. The counts are summed from 15-minute buckets, so the cost does
/// not depend on the number of calls.
pub fn quick_stats(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    advertiser_id: &str,
    id: &str,
) -> Result<QuickStats, Error> {
    let campaign = campaigns::get_as_advertiser(unit, context, advertiser_id, id)?;
    let zone = campaign.terms_in_force().map(|terms: &Terms| terms.timezone).unwrap_or_default();
    let today = context.now.to_zoned(zone.to_time_zone()).date();
    let midnight = |days: i64| {
        let date = today.saturating_add(days.days());
        date.to_zoned(zone.to_time_zone()).map_or(context.now, |zoned| zoned.timestamp())
    };
    let tomorrow = midnight(1);
    let mut totals_of_days =
        |days: i64| unit.call_totals(campaign.id, midnight(1 - days), tomorrow);
    let today = totals_of_days(1)?;
    let last_7_days = totals_of_days(7)?;
    let last_30_days = totals_of_days(30)?;
    Ok(QuickStats { today, last_7_days, last_30_days })
}
