//! What failed to be created or changed leaves by itself.

use recoup_core::prelude::*;

use crate::{clause, money};

/// All that was paid comes back; nothing refuses, not even being part of a portfolio.
pub(crate) fn failed<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.cite(clause::FAILED_AUTO);
    ruling.cite_if(clause::FAILED_PORTFOLIO, resource.bundle().is_some());
    ruling.channel(Channel::Console);
    let by_partner = ruling.cite_if(clause::FAILED_PARTNER_COUPON, cx.flag(Flag::PaidByPartner).is_yes());
    let online = resource.paid_with(Instrument::Card) || resource.paid_with(Instrument::Online);
    ruling.cite_if(clause::FAILED_DESTINATION, online);
    money::give_back_all(resource, cx, resource.paid_orders(), clause::FAILED_REFUND, by_partner, ruling);
}
