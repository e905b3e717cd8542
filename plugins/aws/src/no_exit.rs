//! What has no exit at all.

use recoup_core::prelude::*;

use crate::clause;

/// Reservations that no operation ends, and Savings Plans before they could be returned.
pub(crate) fn never(clause: ClauseId, cx: &Context<'_>, out: &mut Assessment) {
    out.exit(cx, Exit::None, |ruling| ruling.refuse(clause));
}

/// What is refused for the way it is billed. Other ways are left to the general answer that no rule is
/// known.
pub(crate) fn by_billing(billing: Billing, cx: &Context<'_>, out: &mut Assessment) {
    let clause = match billing {
        Billing::PayAsYouGo | Billing::Spot => clause::NO_PAY_AS_YOU_GO,
        Billing::Free => clause::NO_FREE,
        Billing::Trial => clause::NO_TRIAL,
        Billing::OneOff => clause::NO_ONE_OFF,
        _ => return,
    };
    never(clause, cx, out);
}
