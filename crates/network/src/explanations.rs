//! Why a stored call was paid what it was paid.

use crate::dry_run::{self, DryRun};
use crate::transactions::find;
use crate::{Context, Error, Session, budgets};
use trunkline_domain::call::{Correction, Payment, Side, TurnedAway};
use trunkline_domain::campaign::Terms;
use trunkline_domain::party::PartyKind;

/// A row of the ledger, explained, as far as the caller may see.
#[derive(Debug, Clone)]
pub struct Explained {
    /// The call's way and what is paid, as a dry run has it, by the terms that priced it.
    pub run: DryRun,
    /// The row that this one corrects, ours, and why.
    pub correction: Option<(i64, Correction)>,
}

/// Explains a row. An advertiser sees the way and the payin, an affiliate the payout.
pub fn explain(session: &mut Session<'_>, context: &Context, id: &str) -> Result<Explained, Error> {
    let row = find(session, context, id)?;
    let it = &row.transaction;
    let pays = context.caller.sees(PartyKind::Advertiser, it.advertiser_id);
    let earns = match it.affiliate_id {
        Some(affiliate) => context.caller.sees(PartyKind::Affiliate, affiliate),
        None => context.caller.sees_network(),
    };
    if !pays && !earns {
        return Err(Error::NotFound(format!("Transaction {id}")));
    }
    let terms = match row.terms_id {
        Some(id) => session.terms_by_id(id)?,
        None => None,
    };
    let mut heard = row.heard.clone();
    if terms.is_none() {
        heard.turned_away.get_or_insert(TurnedAway::NotLive);
    }
    let terms = terms.unwrap_or_else(|| Terms::new(it.start_time));
    let mut decision = heard.decide(&terms);
    decision.advertiser_payin = as_stored(decision.advertiser_payin, it.settlement.payin.as_ref());
    decision.affiliate_payout = as_stored(decision.affiliate_payout, it.settlement.payout.as_ref());
    let mut correction = it.settlement.correction.clone();
    let mut statuses = Vec::new();
    if pays {
        statuses = budgets::statuses(it.campaign_id, &terms, it.start_time);
    } else {
        decision.advertiser_payin = None;
        decision.destination_phone_number = None;
        decision.path.clear();
        correction = correction.map(|it| Correction { payin_is_set: false, ..it });
    }
    if !earns {
        decision.affiliate_payout = None;
        correction = correction.map(|it| Correction { payout_is_set: false, ..it });
    }
    let warnings = if pays { dry_run::warnings(&terms) } else { Vec::new() };
    // The call is counted already: it sets off nothing more.
    let budgets = dry_run::forecast_budgets(session, &statuses, None, false)?;
    Ok(Explained {
        run: DryRun {
            decision,
            with_margin: pays && (earns || it.affiliate_id.is_none()),
            budgets,
            warnings,
        },
        correction: it.corrects_id.zip(correction),
    })
}

/// What was decided, with the amount that is in the ledger: the two differ where it was set by hand.
fn as_stored(decided: Option<Payment>, stored: Option<&Side>) -> Option<Payment> {
    match (decided, stored) {
        (Some(decided), Some(side)) => Some(Payment { amount: side.amount, ..decided }),
        (None, Some(side)) => Some(Payment {
            amount: side.amount,
            currency: side.currency,
            matching_policies: side.matching_policies.clone(),
            policies: Vec::new(),
        }),
        (decided, None) => decided,
    }
}
