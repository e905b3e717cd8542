//! Cancelling a Marketplace purchase that the vendor has not accepted yet (page, section 4.3).

use recoup_core::prelude::*;

use crate::{clause, money};

/// Whether the vendor has accepted the purchase: every status but `pending` says so.
pub(crate) fn is_accepted<R: Resource>(resource: &R) -> bool {
    resource.status() != Status::Pending
}

/// Cancelling the purchase, at any time before it is accepted, unless a line is being activated.
pub(crate) fn marketplace<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    let accepted = is_accepted(resource);
    ruling.refuse_if(clause::MP_CANCEL_PURCHASE, accepted);
    if !accepted {
        ruling.refuse_on(clause::MP_LINE_STATES, Flag::TransactionInProgress);
    }
    ruling.channel(Channel::Marketplace);
    money::nothing_back(resource, cx, ruling, clause::MP_CANCEL_PURCHASE);
}
