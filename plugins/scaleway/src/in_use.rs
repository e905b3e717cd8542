//! Leaving now: Elastic Metal by the month, support plans, the Windows licence of a Dedibox.

use recoup_core::prelude::*;

use crate::{clause, state};

/// The commitment fee, which is the purchase order, is forfeited; the running month is billed
/// afterwards.
pub(crate) fn elastic_metal<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    state::must_run(resource, ruling);
    ruling.cite(clause::EM);
    state::ends(ruling);
    ruling.channel(Channel::Api);
    let of_kind = |fee: bool| {
        let orders = resource.paid_orders().filter(move |order| (order.kind() == OrderKind::Purchase) == fee);
        cx.ledger(resource, orders)
    };
    match (of_kind(true), of_kind(false)) {
        (Ok(fees), Ok(others)) => {
            ruling.line("commitment fee", || format!("{} forfeited", fees.paid()));
            ruling.refund(fees.settle(|_| Disposition::Lost).finish().plus(&others.all_consumed()));
        }
        (Err(missing), _) | (_, Err(missing)) => ruling.missing(clause::EM, missing),
    }
}

/// A support plan is billed by whole months.
pub(crate) fn support_plan<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.effects(&[Effect::Irreversible]);
    whole_months(resource, cx, ruling);
}

/// The Windows licence is billed by the month and never prorated.
pub(crate) fn windows_licence<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.effects(&[Effect::Irreversible]);
    ruling.channel(Channel::Console);
    whole_months(resource, cx, ruling);
}

fn whole_months<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    state::must_run(resource, ruling);
    ruling.cite(clause::WHOLE_MONTHS);
    match cx.ledger(resource, resource.paid_orders()) {
        Ok(ledger) => ruling.refund(ledger.all_consumed()),
        Err(missing) => ruling.missing(clause::WHOLE_MONTHS, missing),
    }
}
