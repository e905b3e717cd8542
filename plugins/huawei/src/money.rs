//! What comes back to which instrument, and where it goes.

use recoup_core::money::Exact;
use recoup_core::prelude::*;
use recoup_core::refund::Missing;

use crate::{clause, param};

/// Where what an instrument paid goes back to.
fn destination(cx: &Context<'_>, instrument: Instrument) -> Destination {
    let european = cx.in_force(clause::DEST_EU);
    match instrument {
        Instrument::Credit if european => Destination::NextInvoice,
        Instrument::Card | Instrument::Online if cx.in_force(clause::DEST_ONLINE_PAY_CN_OLD) => {
            Destination::AccountBalance
        }
        other => Destination::itself(other),
    }
}

/// The money of an order, whatever others were paid in.
pub(crate) fn ledger_of<R: Resource>(resource: &R, cx: &Context<'_>, order: &impl Order) -> Result<Ledger, Missing> {
    let currency = order.currency().map_or_else(|| cx.currency(resource), Ok)?;
    let mut ledger = Ledger::new(currency);
    ledger.add_order(order)?;
    Ok(ledger)
}

/// The money of the orders that leave together.
fn ledger_of_all<R: Resource, O: Order>(
    resource: &R,
    cx: &Context<'_>,
    mut orders: impl Iterator<Item = O>,
) -> Result<Ledger, Missing> {
    if resource.orders().is_none() {
        return Err(Missing::Orders);
    }
    let Some(first) = orders.next() else { return cx.currency(resource).map(Ledger::new) };
    let mut ledger = ledger_of(resource, cx, &first)?;
    for order in orders {
        ledger.add_order(&order)?;
    }
    Ok(ledger)
}

/// All that was paid by `orders` comes back; discount coupons do not, and what lapsed is void.
/// `clause` is the one that says so.
pub(crate) fn give_back_all<R: Resource, O: Order>(
    resource: &R,
    cx: &Context<'_>,
    orders: impl Iterator<Item = O>,
    clause: ClauseId,
    coupons_are_lost: bool,
    ruling: &mut Ruling<'_>,
) {
    ruling.cite(clause);
    let ledger = match ledger_of_all(resource, cx, orders) {
        Ok(ledger) => ledger,
        Err(missing) => return ruling.missing(clause, missing),
    };
    let lost = |payment: &Payment| match payment.instrument {
        Instrument::DiscountCoupon => true,
        Instrument::CashCoupon | Instrument::Voucher if coupons_are_lost => true,
        _ => !payment.valid_at(cx.at),
    };
    let draft = ledger.settle(|payment| {
        if lost(payment) { Disposition::Lost } else { Disposition::Back(destination(cx, payment.instrument)) }
    });
    let quote = draft.finish();
    if cx.tracing() {
        ruling.cite_if(clause::COUPON_FULL, ledger.payments().any(|payment| !payment.instrument.is_money()));
        explain_payments(cx, &ledger, ruling);
        ruling.line("returned", || format!("all of {} but {} forfeited", quote.paid(), forfeited(&quote)));
    }
    settle(cx, &quote, ruling);
    ruling.refund(quote);
}

/// What money paid comes back less consumption and fee, coupons are lost.
/// `used` is the part of the period that was used, `fee` the share of what was paid that is kept.
pub(crate) fn give_back_the_rest(
    cx: &Context<'_>,
    ledger: &Ledger,
    used: (i64, i64),
    fee: &Exact,
    ruling: &mut Ruling<'_>,
) {
    let paid = Exact::from(ledger.money());
    let mut draft = ledger.settle(|payment| {
        match payment.instrument {
            instrument if !instrument.is_money() => Disposition::Lost,
            // What returns to a coupon or card that has run out is void.
            _ if !payment.valid_at(cx.at) => Disposition::ShareLost,
            instrument => Disposition::Share(destination(cx, instrument)),
        }
    });
    let consumed = draft.consume(&paid.times_ratio(used.0, used.1));
    let kept = draft.keep_fee(&paid.times(fee.clone()));
    let left = draft.left();
    let quote = draft.finish();
    if cx.tracing() {
        ruling.cite_if(clause::COUPON_CONDITIONAL, ledger.payments().any(|payment| !payment.instrument.is_money()));
        let cards =
            |payment: &Payment| matches!(payment.instrument, Instrument::FlexiCoupon | Instrument::StoredValueCard);
        ruling.cite_if(clause::COUPON_FLEXI_CARD_CONDITIONAL, ledger.payments().any(|payment| cards(&payment)));
        explain_payments(cx, ledger, ruling);
        ruling.line("paid", || format!("{} by money, {} in all", ledger.money(), quote.paid()));
        ruling.line("consumed", || format!("{} x {}/{} = {consumed}", ledger.money(), used.0, used.1));
        ruling.line("fee", || format!("{} x {fee} = {kept}, at most what is left", ledger.money()));
        let void = left - quote.refund();
        if void.is_positive() {
            ruling.line("void", || format!("{void} of the refund would return to what has run out"));
        }
        ruling.line("refund", || format!("{} - {consumed} - {kept} - {void} = {}", ledger.money(), quote.refund()));
    }
    settle(cx, &quote, ruling);
    ruling.refund(quote);
}

fn forfeited(quote: &RefundQuote) -> Amount {
    quote.forfeited().unwrap_or_default()
}

/// When the money arrives: printed only for card and online payments on the European site.
fn settle(cx: &Context<'_>, quote: &RefundQuote, ruling: &mut Ruling<'_>) {
    let by_card = quote.items().iter().any(|item| item.to == Destination::OriginalPaymentMethod);
    if by_card
        && let Some(days) = cx.param(param::CARD_SETTLEMENT)
        && let Some(within) = days.value.as_whole().and_then(|whole| u32::try_from(whole).ok())
    {
        ruling.settles_within(days.clause, within, DayKind::Business);
    }
}

/// The clauses that say where each payment goes, for an explanation.
fn explain_payments(cx: &Context<'_>, ledger: &Ledger, ruling: &mut Ruling<'_>) {
    let any = |which: &dyn Fn(Instrument) -> bool| ledger.payments().any(|payment| which(payment.instrument));
    let by_card = any(&|instrument| matches!(instrument, Instrument::Card | Instrument::Online));
    let by_credit = any(&|instrument| instrument == Instrument::Credit);
    ruling.cite_if(clause::COUPON_EXPIRED, ledger.payments().any(|payment| !payment.valid_at(cx.at)));
    ruling.cite_if(clause::DEST_BALANCE, by_credit || any(&|instrument| instrument == Instrument::Cash));
    ruling.cite_if(clause::DEST_ONLINE_PAY_CN_OLD, by_card);
    ruling.cite_if(clause::DEST_EU, by_card || by_credit);
    ruling.cite_if(clause::DEST_PARTNER, any(&|instrument| instrument == Instrument::Partner));
}
