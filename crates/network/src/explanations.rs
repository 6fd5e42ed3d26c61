//! Explanation of the payments for a stored call.

use crate::dry_run::{self, DryRun};
use crate::transactions::find;
use crate::{Context, Error, UnitOfWork, budgets};
use trunkline_domain::call::{Correction, LedgerAmount, Payment, RejectionReason};
use trunkline_domain::campaign::Terms;
use trunkline_domain::id::TransactionId;
use trunkline_domain::party::PartyKind;

/// Explanation of a ledger row, reduced to what the principal may see.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// Path and payments of the call by the terms that priced it, in the form of a dry run.
    pub dry_run: DryRun,
    /// Id of the row that this one corrects, and the correction.
    pub correction: Option<(TransactionId, Correction)>,
}

/// Explains a ledger row. An advertiser sees the path and the payin, an affiliate sees the payout.
pub fn explain(
    unit: &mut UnitOfWork<'_>,
    context: &Context,
    id: &str,
) -> Result<Explanation, Error> {
    let row = find(unit, context, id)?;
    let transaction = &row.transaction;
    let sees_payin = context.principal.can_view(PartyKind::Advertiser, transaction.advertiser_id);
    let sees_payout = match transaction.affiliate_id {
        Some(affiliate) => context.principal.can_view(PartyKind::Affiliate, affiliate),
        None => context.principal.can_view_network(),
    };
    if !sees_payin && !sees_payout {
        return Err(Error::NotFound(format!("Transaction {id}")));
    }
    let terms = match row.terms_id {
        Some(id) => unit.terms_by_id(id)?,
        None => None,
    };
    let mut recorded = row.facts.clone();
    if terms.is_none() {
        recorded.rejection.get_or_insert(RejectionReason::NotLive);
    }
    let terms = terms.unwrap_or_else(|| Terms::new(transaction.start_time));
    let mut decision = recorded.decide(&terms);
    decision.end = transaction.settlement.end;
    decision.advertiser_payin =
        as_stored(decision.advertiser_payin, transaction.settlement.payin.as_ref());
    decision.affiliate_payout =
        as_stored(decision.affiliate_payout, transaction.settlement.payout.as_ref());
    let mut correction = transaction.settlement.correction.clone();
    let mut statuses = Vec::new();
    if sees_payin {
        statuses = budgets::statuses(transaction.campaign_id, &terms, transaction.start_time);
    } else {
        decision.advertiser_payin = None;
        decision.destination_phone_number = None;
        decision.path.clear();
        correction =
            correction.map(|correction| Correction { payin_set_manually: false, ..correction });
    }
    if !sees_payout {
        decision.affiliate_payout = None;
        correction =
            correction.map(|correction| Correction { payout_set_manually: false, ..correction });
    }
    let warnings = if sees_payin { dry_run::warnings(&terms, &recorded.facts) } else { Vec::new() };
    // The call is counted already, so it causes no further alerts.
    let budgets = dry_run::forecast_budgets(unit, &statuses, None, false)?;
    Ok(Explanation {
        dry_run: DryRun {
            decision,
            shows_margin: sees_payin && (sees_payout || transaction.affiliate_id.is_none()),
            budgets,
            warnings,
        },
        correction: transaction.corrects_id.zip(correction),
    })
}

/// Returns the decided payment with the amount of the ledger. The two differ if a correction set
/// the amount.
fn as_stored(decided: Option<Payment>, stored: Option<&LedgerAmount>) -> Option<Payment> {
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
