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

/// The currency in which an order was paid, whatever others were paid in.
///
/// # Errors
/// Where that, or what paid it, is not known.
pub(crate) fn paid_in<R: Resource>(resource: &R, cx: &Context<'_>, order: &impl Order) -> Result<Currency, Missing> {
    let currency = currency_of(resource, cx, order)?;
    let is_known = order.payments().is_some() || order.due() == Some(Amount::ZERO);
    if is_known { Ok(currency) } else { Err(Missing::Payments) }
}

fn currency_of<R: Resource>(resource: &R, cx: &Context<'_>, order: &impl Order) -> Result<Currency, Missing> {
    order.currency().map_or_else(|| cx.currency(resource), Ok)
}

/// A refund on its way, and what paid it where an explanation wants to know.
struct Settling {
    quote: RefundQuote,
    payments: Option<Ledger>,
}

impl Settling {
    fn in_currency(currency: Currency, cx: &Context<'_>) -> Self {
        Self { quote: RefundQuote::nothing(currency), payments: cx.tracing().then(|| Ledger::new(currency)) }
    }

    /// Notes what paid an order, for an explanation.
    fn note(&mut self, order: &impl Order) -> Result<(), Missing> {
        self.payments.as_mut().map_or(Ok(()), |payments| payments.add_order(order))
    }
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
    match settle_all(resource, cx, orders, coupons_are_lost) {
        Ok(Settling { quote, payments }) => {
            if let Some(payments) = payments {
                ruling.cite_if(clause::COUPON_FULL, payments.payments().any(|payment| !payment.instrument.is_money()));
                explain_payments(cx, &payments, ruling);
                ruling.line("returned", || format!("all of {} but {} forfeited", quote.paid(), forfeited(&quote)));
            }
            settle(cx, &quote, ruling);
            ruling.refund(quote);
        }
        Err(missing) => ruling.missing(clause, missing),
    }
}

/// What the orders that leave together give back.
fn settle_all<R: Resource, O: Order>(
    resource: &R,
    cx: &Context<'_>,
    orders: impl Iterator<Item = O>,
    coupons_are_lost: bool,
) -> Result<Settling, Missing> {
    if resource.orders().is_none() {
        return Err(Missing::Orders);
    }
    let lost = |payment: &Payment| match payment.instrument {
        Instrument::DiscountCoupon => true,
        Instrument::CashCoupon | Instrument::Voucher if coupons_are_lost => true,
        _ => !payment.valid_at(cx.at),
    };
    let dispose = |payment: &Payment| {
        if lost(payment) { Disposition::Lost } else { Disposition::Back(destination(cx, payment.instrument)) }
    };
    let mut orders = orders.peekable();
    let currency = match orders.peek() {
        Some(first) => currency_of(resource, cx, first)?,
        None => cx.currency(resource)?,
    };
    let mut settling = Settling::in_currency(currency, cx);
    for order in orders {
        settling.note(&order)?;
        settling.quote.add(|draft| draft.add_order(&order, dispose))?;
    }
    Ok(settling)
}

/// What money paid for an order comes back less consumption and fee, coupons are lost.
/// `used` is the part of the period that was used, `fee` the share of what was paid that is kept.
///
/// # Errors
/// Where it is not known what paid the order; then nothing is said of a refund.
pub(crate) fn give_back_the_rest(
    cx: &Context<'_>,
    order: &impl Order,
    currency: Currency,
    used: (i64, i64),
    fee: &Exact,
    ruling: &mut Ruling<'_>,
) -> Result<(), Missing> {
    let mut settling = Settling::in_currency(currency, cx);
    settling.note(order)?;
    let dispose = |payment: &Payment| match payment.instrument {
        instrument if !instrument.is_money() => Disposition::Lost,
        // What returns to a coupon or card that has run out is void.
        _ if !payment.valid_at(cx.at) => Disposition::ShareLost,
        instrument => Disposition::Share(destination(cx, instrument)),
    };
    let [mut money, mut consumed, mut kept, mut left] = [Amount::ZERO; 4];
    settling.quote.add(|draft| {
        draft.add_order(order, dispose)?;
        // All money shares.
        money = draft.left();
        let paid = Exact::from(money);
        consumed = draft.consume(&paid.times_ratio(used.0, used.1));
        kept = draft.keep_fee(&paid.times(fee.clone()));
        left = draft.left();
        Ok(())
    })?;
    let Settling { quote, payments } = settling;
    if let Some(payments) = payments {
        ruling.cite_if(clause::COUPON_CONDITIONAL, payments.payments().any(|payment| !payment.instrument.is_money()));
        let cards =
            |payment: &Payment| matches!(payment.instrument, Instrument::FlexiCoupon | Instrument::StoredValueCard);
        ruling.cite_if(clause::COUPON_FLEXI_CARD_CONDITIONAL, payments.payments().any(|payment| cards(&payment)));
        explain_payments(cx, &payments, ruling);
        ruling.line("paid", || format!("{money} by money, {} in all", quote.paid()));
        ruling.line("consumed", || format!("{money} x {}/{} = {consumed}", used.0, used.1));
        ruling.line("fee", || format!("{money} x {fee} = {kept}, at most what is left"));
        let void = left - quote.refund();
        if void.is_positive() {
            ruling.line("void", || format!("{void} of the refund would return to what has run out"));
        }
        ruling.line("refund", || format!("{money} - {consumed} - {kept} - {void} = {}", quote.refund()));
    }
    settle(cx, &quote, ruling);
    ruling.refund(quote);
    Ok(())
}

fn forfeited(quote: &RefundQuote) -> Amount {
    quote.forfeited().unwrap_or_default()
}

/// When the money arrives: printed only for card and online payments on the European site.
fn settle(cx: &Context<'_>, quote: &RefundQuote, ruling: &mut Ruling<'_>) {
    let by_card = quote.items().iter().any(|item| item.to == Destination::OriginalPaymentMethod);
    if by_card
        && let Some(days) = cx.param(param::CARD_SETTLEMENT)
        && let Some(within) = days.whole().and_then(|whole| u32::try_from(whole).ok())
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
