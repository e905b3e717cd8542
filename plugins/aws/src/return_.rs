//! Returning a Savings Plan (section 4.1).

use recoup_core::prelude::*;

use crate::refusals::is_over;
use crate::terms::{account_fact, bought_at, has_upfront, sold_by_excluded, whole};
use crate::{clause, param};

/// Returning an active plan: seven conditions, and the whole upfront payment comes back.
pub(crate) fn return_plan<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    state(resource, cx, ruling);
    match cx.moment(resource, Moment::ReturnableUntil) {
        Some(deadline) => {
            ruling.window(clause::SP_RETURN_DEADLINE, "returnable_until", Some(deadline), |at, end| at < end);
        }
        None => {
            commitment_limit(resource, cx, ruling);
            window(resource, cx, ruling);
        }
    }
    quota(cx, ruling);
    ruling.refuse_if(
        clause::SP_RETURN_WINDOW_MANAGEMENT_ACCOUNT,
        account_fact(resource, cx, Flag::ManagementAccountChanged),
    );
    ruling.refuse_if(
        clause::SP_RETURN_WINDOW_SELLER,
        has_upfront(resource).and(sold_by_excluded(resource, cx, Exit::Return)),
    );
    ruling.refuse_if(clause::SP_RETURN_WINDOW_PERMISSION, !account_fact(resource, cx, Flag::RequesterAuthorised));
    ruling.waits_only_for(&[]);
    refund(resource, cx, ruling);
    ruling.effects(&[Effect::Irreversible, Effect::OnDemandRatesApply]);
    ruling.channel(Channel::Api);
}

fn state<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    let status = resource.status();
    ruling.refuse_if(clause::SP_PAYMENT_FAILED, matches!(status, Status::Pending | Status::Failed));
    ruling.refuse_if(clause::SP_RETURN_STATE, status == Status::Released);
    ruling.refuse_if(clause::STATE_NOT_ACTIVE, status == Status::Frozen);
    let ended = status == Status::Active && is_over(resource, cx);
    ruling.refuse_if(clause::STATE_EXPIRED, status == Status::Expired || ended);
}

/// 100 USD an hour. In other currencies no limit is published, so nothing is compared.
fn commitment_limit<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    match cx.currency(resource) {
        Ok(Currency::USD) => {
            let hourly = resource.commitment().and_then(|commitment| commitment.hourly);
            let limit = cx.param(param::RETURN_COMMITMENT_LIMIT).map(|held| held.value);
            let above = hourly.zip(limit).map(|(hourly, limit)| hourly > limit);
            ruling.refuse_if(clause::SP_RETURN_WINDOW_COMMITMENT, Answer::named("commitment.hourly", above));
        }
        Ok(_) => ruling.unknown(clause::SP_RETURN_WINDOW_CURRENCY, Reason::RuleUnknown, Some("returnable_until")),
        Err(missing) => {
            ruling.refuse_if(clause::SP_RETURN_WINDOW_COMMITMENT, Answer::named(missing.field(), None));
        }
    }
}

/// 7 days, and the calendar month of the purchase.
fn window<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    let days = Span::days(whole(cx, param::RETURN_DAYS));
    let end_of = |bought: Instant| (bought + days).min(cx.zone.next_month(bought));
    if let Some(bought) = bought_at(resource) {
        ruling.window(clause::SP_RETURN_WINDOW, "purchased_at", Some(end_of(bought)), |at, end| at < end);
        return;
    }
    // A plan is bought at its start at the latest: by the end of a window that began there, it is over.
    let latest = resource.starts_at().map(end_of);
    let over = latest.is_some_and(|latest| latest <= cx.at).then_some(true);
    ruling.refuse_if(clause::SP_RETURN_WINDOW, Answer::named("purchased_at", over));
    if let Some(latest) = latest {
        ruling.changes_at(latest);
    }
}

fn quota(cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    let limit = cx.param(param::RETURNS_A_YEAR).map(|held| held.value);
    let draw = cx.quota("savings-plan-returns", limit, Window::CalendarYear, |earlier| {
        earlier.exit.map(|exit| if exit == Exit::Return { Number::ONE } else { Number::ZERO })
    });
    ruling.draw(clause::SP_RETURN_WINDOW_QUOTA, draw);
}

fn refund<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    let days = u32::try_from(whole(cx, param::RETURN_SETTLEMENT_DAYS)).unwrap_or_default();
    ruling.settles_within(clause::SP_RETURN_REFUND, days, DayKind::Calendar);
    match cx.ledger(resource, resource.paid_orders()) {
        Ok(ledger) => {
            ruling.cite_if(clause::SP_CREDITS, ledger.paid() != ledger.money());
            let quote = ledger.settle(|payment| match payment.instrument.is_money() {
                true => Disposition::Back(Destination::NextInvoice),
                false => Disposition::Lost,
            });
            ruling.line("returned", || format!("the whole upfront payment of {}", ledger.money()));
            ruling.refund(quote.finish());
        }
        Err(missing) => ruling.missing(clause::SP_RETURN_REFUND, missing),
    }
}
