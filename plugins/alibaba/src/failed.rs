//! An order whose creation failed is refunded whole, by itself (section 4.4 of the rules).

use recoup_core::prelude::*;

use crate::{clause, effects, param, product, settle};

/// The order comes back; nobody has to ask for it.
pub(crate) fn failed<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.cite(clause::FULL_FAILED);
    ruling.channel(Channel::Console);
    match cx.param(param::SETTLEMENT_DOMAIN) {
        Some(held) if cx.is_product(product::DOMAIN) => {
            effects::settles(&held, DayKind::Calendar, ruling);
        }
        _ => effects::settlement(cx, ruling),
    }
    let terms = settle::Terms::of(resource, cx, ruling);
    match settle::whole(resource, cx, terms, |_| true) {
        Ok(quote) => ruling.refund(quote),
        Err(missing) => ruling.missing(clause::FULL_FAILED, missing),
    }
}
