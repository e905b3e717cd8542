//! Converting third-party SaaS to another SKU of the offer on the day of purchase (page, section 4).

use recoup_core::prelude::*;
use recoup_core::refund::Missing;

use crate::{clause, held, refusals};

/// The old line is credited in full and the new one charged: all of the old charge is carried over.
pub(crate) fn exchange<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    refusals::common(resource, cx, ruling);
    ruling.cite(clause::SAAS_SAME_DAY);
    ruling.effects(&[Effect::Irreversible]);
    ruling.channel(Channel::Api);
    match credit(resource, cx) {
        Ok(quote) => ruling.refund(quote),
        Err(missing) => ruling.missing(clause::SAAS_SAME_DAY, missing),
    }
    refusals::holds_until_the_end(resource, ruling);
    if ruling.so_far().refusals.is_empty() {
        ruling.changes_at(cx.zone.next_midnight(cx.at));
    }
}

fn credit<R: Resource>(resource: &R, cx: &Context<'_>) -> Result<RefundQuote, Missing> {
    let ledger = cx.ledger(resource, held::held(resource))?;
    let mut draft = ledger.settle(|_| Disposition::Share(Destination::NextInvoice));
    draft.carry_over(&Exact::from(ledger.paid()));
    Ok(draft.finish().carrying_nothing())
}
