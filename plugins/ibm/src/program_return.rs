//! Returning a Passport Advantage program licence.

use recoup_core::prelude::*;

use crate::{clause, param, terms};

/// Within 30 days of the first acquisition all of the price comes back.
pub(crate) fn program_return<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    let length = Span::days(terms::whole(cx, param::PROGRAM_RETURN));
    ruling.window_before(clause::PA_PROGRAM, "purchased_at", resource.purchased_at(), length);
    ruling.cite(clause::PA_PROGRAM);
    match terms::paid(resource, cx) {
        Ok(ledger) => {
            ruling.refund(ledger.settle(|payment| Disposition::Back(terms::back_to_itself(payment))).finish());
        }
        Err(missing) => ruling.missing(clause::PA_PROGRAM, missing),
    }
}
