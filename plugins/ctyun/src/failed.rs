//! What could not be created.

use recoup_core::prelude::*;

use crate::{clause, refusals};

/// All comes back, any number of times and without fee.
pub(crate) fn failed<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.cite(clause::OTHER);
    refusals::leaving(cx, ruling);
    match cx.ledger(resource, resource.paid_orders()) {
        Ok(ledger) => ruling.refund(ledger.settle(refusals::money_back).finish()),
        Err(missing) => ruling.missing(clause::OTHER, missing),
    }
}
