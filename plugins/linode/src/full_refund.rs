//! Closing an account in its first seven days.

use recoup_core::prelude::*;

use crate::{clause, payments};

/// All that a real payment method paid comes back, what was used up too. Support decides, which does
/// not make the exit conditional.
pub(crate) fn full_refund<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.window_before(clause::N7DAY, "purchased_at", resource.purchased_at(), payments::first_days(cx));
    ruling.review("support", clause::N7DAY, None);
    payments::closing(resource, ruling);
    match cx.ledger(resource, resource.paid_orders()) {
        Ok(ledger) => {
            let draft = ledger.settle(|payment| {
                if payments::is_real(payment) {
                    Disposition::Back(Destination::OriginalPaymentMethod)
                } else {
                    Disposition::Lost
                }
            });
            ruling.refund(draft.finish());
        }
        Err(missing) => ruling.missing(clause::N7DAY, missing),
    }
}
