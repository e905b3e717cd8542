//! Physical goods: returned through customer service within their own period (section 4.9).

use recoup_core::prelude::*;

use crate::{clause, effects, settle};

pub(crate) fn take_back<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.refuse_if(clause::DENY_STATE, resource.status() == Status::Released);
    let end = cx.moment(resource, Moment::ReturnableUntil);
    ruling.window(clause::DENY_PHYSICAL_PERIOD, Moment::ReturnableUntil.as_str(), end, |at, end| at <= end);
    ruling.channel(Channel::Support);
    effects::settlement(cx, ruling);
    effects::of_cancelling(effects::pays_with_vouchers(resource.paid_orders()), ruling);
    settle::refund_whole(resource, cx, ruling);
}
