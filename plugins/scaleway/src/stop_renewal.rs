//! Terminating a Dedibox with a commitment.

use recoup_core::prelude::*;

use crate::{clause, state, table};

/// Whether the Dedibox has one of the commitments that the page knows.
pub(crate) fn is_committed<R: Resource>(resource: &R, cx: &Context<'_>) -> bool {
    let months = resource.commitment().and_then(|commitment| commitment.term_months);
    months.is_some_and(|months| cx.cell(table::DEDIBOX_COMMITMENTS, &[i64::from(months).into()]).is_some())
}

/// It may be asked for at any time and takes effect after the commitment; no fact is asked, as a
/// Dedibox renews by default.
pub(crate) fn stop_renewal<R: Resource>(resource: &R, ruling: &mut Ruling<'_>) {
    state::must_run(resource, ruling);
    ruling.cite(clause::DEDIBOX);
    state::ends(ruling);
    ruling.channel(Channel::Console);
    if let Some(end) = resource.ends_at() {
        ruling.takes_effect_at(end);
    }
    // A record may carry no order: nothing was paid ahead then, in euros where nothing else is said.
    let of_orders = resource.paid_orders().find_map(|order| order.currency());
    let of_commitment = || resource.commitment().and_then(|commitment| commitment.currency);
    let mut ledger = Ledger::new(of_orders.or_else(of_commitment).unwrap_or(Currency::EUR));
    for order in resource.paid_orders() {
        if let Err(missing) = ledger.add_order(&order) {
            return ruling.missing(clause::DEDIBOX, missing);
        }
    }
    ruling.refund(ledger.all_consumed());
}
