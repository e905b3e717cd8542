//! All back within seven days of opening.

use recoup_core::context::Window;
use recoup_core::prelude::*;

use crate::{clause, param, product, refusals};

/// Newly bought, neither renewed nor upgraded nor changed, at most 20 times a calendar year.
pub(crate) fn full_refund<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.window_through(clause::SEVEN, "starts_at", resource.starts_at(), refusals::first_days(cx));
    // What was ordered but never paid for changed nothing.
    let changed = resource
        .orders()
        .map(|_| resource.paid_orders().any(|order| matches!(order.kind(), OrderKind::Renewal | OrderKind::Upgrade)));
    ruling.refuse_if(clause::SEVEN_NEW, Answer::named("orders", changed));
    ruling.refuse_on(clause::SEVEN_NEW, Flag::OsChanged);
    let limit = cx.param(param::FULL_REFUNDS).map(|held| held.value);
    let name = "seven_day_full_refund";
    let draw = cx.quota(name, limit, Window::CalendarYear, |entry| {
        // Live packs have a quota of their own.
        let live = entry.product.as_deref().is_some_and(|name| cx.book().product(name) == Some(product::LIVE_PACK));
        Some(if entry.exit? == Exit::FullRefund && !live { Number::ONE } else { Number::ZERO })
    });
    // Of a figure that the account states nobody knows the year.
    let stated = cx.account().is_some_and(|account| account.quotas.iter().any(|quota| quota.name == name));
    let frees_at = (draw.exceeds() == Some(true) && !stated).then(|| cx.zone.next_year(cx.at));
    ruling.draw(clause::SEVEN_QUOTA, draw);
    refusals::both(resource, cx, ruling);
    ruling.waits_only_for(&[frees_at]);
    refusals::leaving(cx, ruling);
    match cx.ledger(resource, resource.paid_orders()) {
        Ok(ledger) => ruling.refund(ledger.settle(refusals::money_back).finish()),
        Err(missing) => ruling.missing(clause::SEVEN, missing),
    }
}
