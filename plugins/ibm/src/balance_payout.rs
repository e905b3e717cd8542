//! Promotional credit: not cash, so never paid out.

use recoup_core::prelude::*;

use crate::{clause, terms};

/// Promotional credit stays until it is used or expires.
pub(crate) fn balance_payout<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.refuse(clause::PROMO);
    terms::nothing_back(clause::PROMO, resource, cx, ruling);
}
