//! The five-day unconditional full refund of the Chinese site.

use recoup_core::context::Window;
use recoup_core::prelude::*;

use crate::in_use::what_is_lost;
use crate::periods::Periods;
use crate::refusals::{self, Ware, channel};
use crate::{clause, money, param, review};

const QUOTA: &str = "five_day_returns";

/// Giving back a newly bought resource within five days of its provisioning.
pub(crate) fn full_refund<R: Resource, O: Order>(
    resource: &R,
    cx: &Context<'_>,
    periods: &Periods<O>,
    ruling: &mut Ruling<'_>,
) {
    ruling.cite(clause::FIVE_DAY_SITE);
    refusals::of_what_is_in_use(resource, cx, periods, ruling);
    let others = ruling.so_far().refusals.len();
    let end = window(resource, cx, periods, ruling);
    ruling.refuse_if(clause::FIVE_DAY_NEW_ONLY, periods.renewed);
    let other_than_quota = ruling.so_far().refusals.len();
    let full = quota(cx, ruling);
    what_is_lost(periods, ruling);
    ruling.channel(channel(resource));
    // A term of a few days may be over before the window is.
    if let Some(expires) = periods.expires_at() {
        ruling.changes_at(expires);
    }
    let ware = refusals::ware(resource, cx);
    ruling.cite_if(clause::KOO_CN_IMAGE, ware == Ware::Image);
    if ware != Ware::Other {
        let orders = resource.paid_orders();
        money::give_back_all(resource, cx, orders, clause::FIVE_DAY_REFUND, false, ruling);
    }
    review::of_large_amounts(cx, resource.paid_orders(), ruling);
    refusals::stays_refused(ruling);
    // Only a full quota passes with time: it is counted anew from the first of January.
    if full && others == 0 && other_than_quota == 0 && counted_from_returns(cx) {
        let new_year = cx.zone.next_year(cx.at);
        if end.is_some_and(|end| new_year < end) {
            ruling.changes_at(new_year);
        }
    }
}

/// 5 x 24 hours from the time of provisioning. Gives their end.
fn window<R: Resource, O: Order>(
    resource: &R,
    cx: &Context<'_>,
    periods: &Periods<O>,
    ruling: &mut Ruling<'_>,
) -> Option<Instant> {
    let length = Span::hours(cx.param(param::FIVE_DAY_WINDOW)?.whole()?);
    let provisioned = resource.starts_at().or(periods.running_start());
    ruling.window_before(clause::FIVE_DAY_WINDOW, "starts_at", provisioned, length);
    provisioned.map(|start| start + length)
}

/// Ten instances a calendar year. Gives whether they are known to be used up.
fn quota(cx: &Context<'_>, ruling: &mut Ruling<'_>) -> bool {
    let limit = cx.param(param::FIVE_DAY_QUOTA).map(|held| held.value);
    let draw = cx.quota(QUOTA, limit, Window::CalendarYear, |earlier| {
        earlier.exit.map(|exit| if exit == Exit::FullRefund { Number::ONE } else { Number::ZERO })
    });
    let full = draw.exceeds() == Some(true);
    ruling.draw(clause::FIVE_DAY_QUOTA, draw);
    ruling.cite_if(clause::FIVE_DAY_EXHAUSTED, full);
    full
}

fn counted_from_returns(cx: &Context<'_>) -> bool {
    cx.account().is_some_and(|account| !account.quotas.iter().any(|quota| quota.name == QUOTA))
}
