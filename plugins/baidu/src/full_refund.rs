//! Packs that come back whole.

use recoup_core::prelude::*;

use crate::{clause, money, product};

/// A usage pack while unused, a storage pack while not activated, both up to 7 days after payment.
pub(crate) fn full_refund<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.window_through(clause::NEW_FULL, "paid_at", money::paid_at(resource), money::return_days(cx));
    let touched = if cx.is_product(product::STORAGE_PACK) { Flag::Activated } else { Flag::Used };
    ruling.refuse_if(clause::NEW_FULL_USED, cx.flag(touched));
    money::leaving(cx, ruling);
    match cx.ledger(resource, resource.paid_orders()) {
        Ok(ledger) => ruling.refund(ledger.settle(money::money_back).finish()),
        Err(missing) => ruling.missing(clause::NEW_FULL, missing),
    }
}
