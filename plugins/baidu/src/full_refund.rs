//! Packs that come back whole.

use recoup_core::prelude::*;

use crate::{clause, money, product};

/// A usage pack while unused, a storage pack while not activated, both up to 7 days after payment.
pub(crate) fn full_refund<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.window_through(clause::NEW_FULL, "paid_at", money::paid_at(resource), money::return_days(cx));
    let touched = if cx.is_product(product::STORAGE_PACK) { cx.flag(Flag::Activated) } else { used(resource, cx) };
    ruling.refuse_if(clause::NEW_FULL_USED, touched);
    money::leaving(resource, cx, ruling);
    ruling.waits_only_for(&[]);
    match cx.ledger(resource, resource.paid_orders()) {
        Ok(ledger) => ruling.refund(ledger.settle(money::money_back).finish()),
        Err(missing) => ruling.missing(clause::NEW_FULL, missing),
    }
}

/// Whether any use was made of a usage pack: a fact, or what its counter shows.
fn used<R: Resource>(resource: &R, cx: &Context<'_>) -> Answer {
    let commitment = resource.commitment().unwrap_or_default();
    let counters = [commitment.used_units, commitment.used_fraction];
    let counted = counters.iter().flatten().map(|figure| figure.is_positive()).max();
    Answer::of(Flag::Used, counted.max(cx.flag(Flag::Used).known()))
}
