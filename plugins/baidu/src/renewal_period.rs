//! Renewals that have not begun.

use recoup_core::prelude::*;

use crate::{clause, money};

/// All money of the renewals comes back, unless the resource was scaled after the renewal.
pub(crate) fn renewal_period<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.cite(clause::NEW_RENEWAL);
    ruling.refuse_on(clause::NEW_RENEWAL, Flag::ChangedAfterRenewal);
    for start in resource.pending_renewals(cx.at).filter_map(|order| order.starts_at()) {
        ruling.changes_at(start);
    }
    money::leaving(resource, cx, ruling);
    ruling.waits_only_for(&[]);
    match cx.ledger(resource, resource.pending_renewals(cx.at)) {
        Ok(ledger) => ruling.refund(ledger.settle(money::money_back).finish()),
        Err(missing) => ruling.missing(clause::NEW_RENEWAL, missing),
    }
}
