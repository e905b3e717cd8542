//! Closing an account with a positive balance.

use recoup_core::prelude::*;

use crate::{clause, param, payments};

/// What real payments paid that is not too old, and how long the last of them lasts.
#[derive(Default)]
struct Ages {
    recent: Amount,
    old: bool,
    unknown: bool,
    last_end: Option<Instant>,
}

/// The balance comes back, after the first days less a fee, as far as payments of the last 180 days
/// cover it.
pub(crate) fn balance_payout<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    payments::closing(resource, ruling);
    ruling.cite(clause::BALANCE);
    let ages = ages(resource, cx);
    let too_old = if ages.recent.is_positive() {
        Some(false)
    } else if ages.unknown {
        None
    } else {
        Some(ages.old)
    };
    ruling.refuse_if(clause::BALANCE_180, Answer::named("orders.paid_at", too_old));
    if let Some(end) = ages.last_end {
        ruling.changes_at(end);
    }
    let takes_fee = fee_is_taken(resource, cx, ruling);
    let Some(balance) = cx.figure(resource, Figure::RemainingBalance) else {
        ruling.no_figure(clause::BALANCE, Reason::ZeroRefund, Some("remaining_balance"));
        return;
    };
    ruling.refuse_if(clause::BALANCE, balance.is_zero());
    let ledger = match cx.ledger(resource, resource.paid_orders()) {
        Ok(ledger) => ledger,
        Err(missing) => return ruling.missing(clause::BALANCE, missing),
    };
    let real: Amount = ledger.payments().filter(payments::is_real).map(|payment| payment.amount).sum();
    let balance = balance.as_amount().at_most(real);
    if ages.unknown {
        return ruling.no_figure(clause::BALANCE_180, Reason::PriceUnknown, Some("orders.paid_at"));
    }
    let Some(takes_fee) = takes_fee else { return };
    let mut draft = ledger.settle(|payment| {
        if payments::is_real(payment) {
            Disposition::Share(Destination::OriginalPaymentMethod)
        } else {
            Disposition::Lost
        }
    });
    draft.consume(&Exact::from(real - balance));
    if ages.old {
        // What is left is taken to be of the latest payments: the oldest were used up first.
        let lost = draft.forfeit(&Exact::from((balance - ages.recent).floor_zero()));
        ruling.line("too old", || format!("{balance} left, {} of it of the last payments: {lost} lost", ages.recent));
    }
    if takes_fee && let Some(fee) = cx.param(param::PROCESSING_FEE) {
        let kept = draft.keep_fee(&Exact::from(fee.value));
        ruling.line("processing fee", || format!("{} USD, at most what is left: {kept}", fee.value));
    }
    ruling.refund(draft.finish());
}

/// Whether the first days are over, from when on a fee is kept. Where the edition has no first days,
/// it always is.
fn fee_is_taken<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) -> Option<bool> {
    if !cx.in_force(clause::N7DAY) {
        return Some(true);
    }
    let Some(opened) = resource.purchased_at() else {
        ruling.no_figure(clause::BALANCE, Reason::PriceUnknown, Some("purchased_at"));
        return None;
    };
    let end = opened + payments::first_days(cx);
    ruling.changes_at(end);
    Some(end <= cx.at)
}

fn ages<R: Resource>(resource: &R, cx: &Context<'_>) -> Ages {
    let mut ages = Ages::default();
    let Some(age) = payments::payment_age(cx) else { return ages };
    for order in resource.paid_orders() {
        let real = payments::real_money(&order);
        match payments::paid_at(&order) {
            _ if !real.is_positive() => {}
            None => ages.unknown = true,
            Some(paid) if cx.at < paid + age => {
                ages.recent += real;
                ages.last_end = ages.last_end.max(Some(paid + age));
            }
            Some(_) => ages.old = true,
        }
    }
    ages
}
