//! What was paid, and what every exit settles at its end.

use recoup_core::prelude::*;
use recoup_core::refund::Missing;

use crate::clause;

/// What orders paid. Where nothing was paid, an unpaid order still names the currency.
pub(crate) fn ledger<R: Resource, O: Order>(
    resource: &R,
    cx: &Context<'_>,
    orders: impl Iterator<Item = O>,
) -> Result<Ledger, Missing> {
    let ledger = cx.ledger(resource, orders);
    if ledger == Err(Missing::Currency) && resource.paid_orders().next().is_none() {
        let named = resource.orders().into_iter().flatten().find_map(|order| order.currency());
        return named.map(Ledger::new).ok_or(Missing::Currency);
    }
    ledger
}

/// Nothing comes back: what was paid is consumed.
pub(crate) fn all_consumed<R: Resource>(clause: ClauseId, resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    match ledger(resource, cx, resource.paid_orders()) {
        Ok(ledger) => ruling.refund(ledger.all_consumed()),
        Err(missing) => ruling.missing(clause, missing),
    }
}

/// Refuses what is terminated already, and drops `until` where the exit is refused: nothing that
/// refuses it passes with time.
pub(crate) fn settle_state<R: Resource>(resource: &R, ruling: &mut Ruling<'_>) {
    ruling.refuse_if(clause::TERMINATED, resource.status() == Status::Released);
    if !ruling.so_far().refusals.is_empty() {
        ruling.never_changes();
    }
}
