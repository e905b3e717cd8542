//! Asking the publisher after the window (policy page, section 4.4, `azm.after-window`).

use recoup_core::prelude::*;

use crate::destination::give_back;
use crate::held::Held;
use crate::{clause, marketplace, refusals};

/// The publisher may approve a refund; its amount is the publisher's.
pub(crate) fn by_agreement<R: Resource>(resource: &R, cx: &Context<'_>, held: &Held, ruling: &mut Ruling<'_>) {
    let given = cx.flag(Flag::AgreementGiven);
    ruling.refuse_if(clause::AFTER_WINDOW, !given);
    refusals::ended(resource, cx, held, ruling);
    ruling.review("publisher", clause::AFTER_WINDOW, None);
    marketplace::manner(ruling);
    match (cx.figure(resource, Figure::AgreedRefund), held.ledger(resource, cx)) {
        (Some(agreed), Ok(ledger)) if !given.is_no() => {
            let paid = ledger.paid();
            let back = agreed.as_amount().round(ledger.currency()).floor_zero().at_most(paid);
            ruling.line("agreed", || format!("{agreed} agreed with the publisher, of {paid} paid"));
            let quote = give_back(resource, cx, held, &ledger, (back, Amount::ZERO), ruling);
            ruling.refund(quote);
        }
        (Some(_), Err(missing)) if given.is_yes() => ruling.missing(clause::AFTER_WINDOW, missing),
        _ => {}
    }
    refusals::until_the_end(held, ruling);
}
