//! Returning what is in use: by the days left, with a factor, or by a difference that is not printed.

use recoup_core::context::Window;
use recoup_core::prelude::*;

use crate::{clause, money, param, product};

/// The old rule: within 7 days, the remaining days of the money.
pub(crate) fn seven_days<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.window_through(clause::OLD_SEVEN, "paid_at", money::paid_at(resource), money::return_days(cx));
    let limit = cx.param(param::MONTHLY_RETURNS).map(|held| held.value);
    let draw = cx.quota(quota_name(cx), limit, Window::CalendarMonth, |entry| {
        let same = cx.book().product(entry.product.as_deref()?) == cx.product();
        Some(if same { Number::ONE } else { Number::ZERO })
    });
    // A figure that the account states is not counted by month here, so nothing says when it ends.
    let stated = cx.account().is_some_and(|account| account.quotas.iter().any(|quota| quota.name == draw.name));
    let frees_at = (draw.exceeds() == Some(true) && !stated).then(|| cx.zone.next_month(cx.at));
    ruling.draw(clause::OLD_QUOTA, draw);
    money::leaving(resource, cx, ruling);
    ruling.waits_only_for(&[frees_at]);
    ruling.channel(Channel::Support);
    let ledger = match cx.ledger(resource, resource.paid_orders()) {
        Ok(ledger) => ledger,
        Err(missing) => return ruling.missing(clause::OLD_SEVEN, missing),
    };
    let (start, total) = match money::period(resource, cx) {
        Ok(period) => period,
        Err(field) => return ruling.no_figure(clause::OLD_SEVEN, Reason::PriceUnknown, Some(field)),
    };
    let used = cx.at.since(start).days_begun().clamp(0, total.max(0));
    let mut draft = ledger.settle(money::money_back);
    let back = draft.give_back_only(&Exact::from(ledger.money()).times_ratio(total - used, total));
    ruling.line("refund", || format!("{} x {} of {total} days = {back}", ledger.money(), total - used));
    ruling.refund(draft.finish());
}

fn quota_name(cx: &Context<'_>) -> &'static str {
    match cx.product() {
        Some(product::LS) => "seven_day_returns.ls",
        Some(product::BCC) => "seven_day_returns.bcc",
        Some(product::CDS) => "seven_day_returns.cds",
        Some(product::EIP) => "seven_day_returns.eip",
        Some(product::RDS) => "seven_day_returns.rds",
        Some(product::BAE) => "seven_day_returns.bae",
        _ => "seven_day_returns",
    }
}

/// EIP and shared bandwidth: the money less 1.5 times what was consumed. What the factor adds to the
/// consumption is shown as fee.
pub(crate) fn with_factor<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.cite(clause::EIP_PENALTY);
    ruling.refuse_on(clause::EIP_BANNED, Flag::FrozenSecurity);
    ruling.refuse_on(clause::EIP_BOUND, Flag::BoundToGateway);
    ruling.refuse_on(clause::EIP_BOUND, Flag::BandwidthAddon);
    ruling.refuse_on(clause::EIP_SHARED, Flag::InSharedBandwidth);
    money::leaving(resource, cx, ruling);
    let ledger = match cx.ledger(resource, resource.paid_orders()) {
        Ok(ledger) => ledger,
        Err(missing) => return ruling.missing(clause::EIP_PENALTY, missing),
    };
    let (start, total) = match money::period(resource, cx) {
        Ok(period) => period,
        Err(field) => return ruling.no_figure(clause::EIP_PENALTY, Reason::PriceUnknown, Some(field)),
    };
    let Some(factor) = cx.param(param::EIP_FACTOR) else { return };
    let elapsed = Exact::ratio(cx.at.since(start).micros().max(0), Span::days(1).micros());
    let consumed = Exact::from(ledger.money()).times(elapsed).over(total);
    let back = Exact::from(ledger.money()).minus(&consumed.times(factor.value)).floor_zero().round(ledger.currency());
    let mut draft = ledger.settle(money::money_back);
    draft.consume(&consumed);
    draft.keep_fee(&Exact::from(draft.left() - back));
    ruling.line("refund", || format!("{} - {consumed} x {} = {back}, at least nothing", ledger.money(), factor.value));
    ruling.refund(draft.finish());
}

/// An ET port: real usage is deducted, at a price that is not printed. An expired one is just deleted.
pub(crate) fn port<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    money::leaving(resource, cx, ruling);
    if resource.status() != Status::Expired {
        ruling.no_figure(clause::ET, Reason::RuleUnknown, None);
        return;
    }
    ruling.cite(clause::ET);
    match cx.ledger(resource, resource.paid_orders()) {
        Ok(ledger) => ruling.refund(ledger.all_consumed()),
        Err(missing) => ruling.missing(clause::ET, missing),
    }
}

/// The new page: the difference over the whole life, at a price that is not printed.
pub(crate) fn difference<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    money::leaving(resource, cx, ruling);
    ruling.no_figure(clause::NEW_PART, Reason::RuleUnknown, None);
}
