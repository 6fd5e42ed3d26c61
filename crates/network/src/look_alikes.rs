//! Warnings about names that look like another's.

use crate::{Context, Error, Store, UnitOfWork};
use trunkline_domain::campaign::Campaign;
use trunkline_domain::name_skeleton::name_skeleton;
use trunkline_domain::party::{Party, PartyKind};

/// Rows of each table whose skeletons are filled in by one unit of work.
const FILL_BATCH_SIZE: u32 = 500;

/// Adds a warning at `name` if the name of a party that is written looks like that of another one of the
/// network. The warning names the other party only for principals of the whole network.
pub(crate) fn warn_of_party(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    party: &Party,
) -> Result<(), Error> {
    let network = context.principal.network_id;
    let found =
        unit.parties_with_name_skeleton(network, party.kind, &name_skeleton(&party.name))?;
    let Some((_, id)) = found.into_iter().find(|(id, _)| *id != party.id) else { return Ok(()) };
    let kind = party.kind.as_str();
    let text = if context.principal.can_view_network() {
        format!("looks like that of {kind} {id}")
    } else {
        format!("looks like that of another {kind}")
    };
    context.warnings.add("name", &text);
    Ok(())
}

/// Adds a warning at `name` if the name of a campaign that is written looks like that of another one: of
/// the network, or for a principal of the advertiser of the same advertiser.
pub(crate) fn warn_of_campaign(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    campaign: &Campaign,
) -> Result<(), Error> {
    let network = context.principal.network_id;
    let own = (!context.principal.can_view_network()).then_some(campaign.advertiser_id);
    let skeleton = name_skeleton(&campaign.name);
    let found = unit.campaigns_with_name_skeleton(network, own, &skeleton)?;
    if let Some((_, id)) = found.into_iter().find(|(id, _)| *id != campaign.id) {
        context.warnings.add("name", &format!("looks like that of advertiser campaign {id}"));
    }
    Ok(())
}

/// Issues the query of [`warn_of_party`] for a prefetch.
pub(crate) fn prefetch_party(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    kind: PartyKind,
    name: &str,
) {
    let network = context.principal.network_id;
    // An error is ignored: `warn_of_party` runs the same query again and reports it.
    unit.parties_with_name_skeleton(network, kind, &name_skeleton(name)).ok();
}

/// Fills in the skeletons of names that were stored before there were skeletons, in batches, each in a
/// transaction of its own.
///
/// # Errors
///
/// [`Error::Storage`] if the database cannot be read or written.
pub async fn fill_skeletons(store: &Store) -> Result<(), Error> {
    while store.read::<_, Error>(|unit| Ok(unit.lacks_name_skeletons()?))? {
        store.write::<_, Error>(|unit| Ok(unit.fill_name_skeletons(FILL_BATCH_SIZE)?)).await?;
    }
    Ok(())
}
