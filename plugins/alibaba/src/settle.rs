//! What becomes of the money: which instruments count as paid, where each goes, and how an order's
//! refund is settled (sections 6 and 8 of the rules).

use recoup_core::prelude::*;
use recoup_core::refund::{Draft, Missing};

use crate::effects::days;
use crate::{clause, param, product};

/// Instruments that do not count as paid: vouchers, coupons and bonuses (section 3.2).
pub(crate) const NOT_COUNTED: InstrumentSet = InstrumentSet::NOT_MONEY.with(Instrument::Bonus);

/// Instruments that count as paid: all other money.
pub(crate) const fn counts_as_paid(instrument: Instrument) -> bool {
    !NOT_COUNTED.contains(instrument)
}

/// Whether vouchers come back in proportion: plans of the China site (`ali.money.voucher-cn-2025`),
/// and AI Guardrails, which pays back in cash or coupons.
pub(crate) fn vouchers_come_back<R: Resource>(resource: &R, cx: &Context<'_>) -> bool {
    let plan = crate::scope::is_plan(resource, cx) && cx.in_force(clause::MONEY_VOUCHER_CN_2025);
    let guardrails = cx.is_product(product::GUARDRAILS_QPS_PACK) || cx.is_product(product::GUARDRAILS_PRO);
    plan || (guardrails && cx.in_force(clause::ROW_GUARD_PRO))
}

/// Whether a coupon could no longer be used when it comes back: it is forfeited instead.
fn has_lapsed(payment: &Payment, cx: &Context<'_>) -> bool {
    !counts_as_paid(payment.instrument) && !payment.valid_at(cx.at)
}

/// Whether coupons are lost by leaving these orders: all where none come back, else the lapsed ones.
pub(crate) fn loses_coupons<R: Resource, O: Order>(
    resource: &R,
    cx: &Context<'_>,
    mut orders: impl Iterator<Item = O>,
) -> bool {
    if !vouchers_come_back(resource, cx) {
        return crate::effects::pays_with_vouchers(orders);
    }
    orders.any(|order| {
        order.payments().is_some_and(|mut payments| {
            payments.any(|payment| has_lapsed(&payment, cx) && payment.amount.is_positive())
        })
    })
}

/// How the payments of a ruling are disposed of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms {
    /// Vouchers share like money.
    vouchers_back: bool,
    /// The money goes to the balance because an invoice was issued (`ali.money.invoice-cn`).
    invoiced: bool,
    /// The money goes to the paying account, not the balance (Model Studio inference plans).
    to_payer: bool,
}

impl Terms {
    /// The terms of a resource; cites the clauses that shape them.
    pub(crate) fn of<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) -> Self {
        let vouchers_back = vouchers_come_back(resource, cx);
        ruling.cite_if(clause::MONEY_VOUCHER_CN_2025, vouchers_back);
        if !vouchers_back {
            ruling.cite(clause::PARTIAL_CASH_ONLY);
        }
        ruling.cite(clause::MONEY_DESTINATION_INTL);
        ruling.cite(clause::MONEY_DESTINATION_CN);
        ruling.cite(clause::MONEY_ROUND);
        ruling.cite_if(clause::MONEY_CARD_CN, resource.paid_with(Instrument::StoredValueCard));
        let invoiced = ruling.cite_if(clause::MONEY_INVOICE_CN, cx.flag(Flag::Invoiced).is_yes());
        Self { vouchers_back, invoiced, to_payer: cx.is_product(product::MODEL_STUDIO_INFERENCE_PLAN) }
    }

    /// Whether a payment counts into what is paid.
    pub(crate) fn counts(self, payment: &Payment) -> bool {
        self.vouchers_back || counts_as_paid(payment.instrument)
    }

    /// Where a payment goes: by its original method, later than a printed number of days after the
    /// payment to the balance; what never came from a method goes to the balance.
    fn destination(self, cx: &Context<'_>, order: &impl Order, instrument: Instrument) -> Destination {
        if !counts_as_paid(instrument) {
            return Destination::itself(instrument);
        }
        if self.invoiced {
            return Destination::AccountBalance;
        }
        if self.to_payer {
            return Destination::OriginalPaymentMethod;
        }
        let limit = match instrument {
            Instrument::Cash => return Destination::AccountBalance,
            Instrument::Card => days(cx, param::TO_CARD),
            Instrument::Online => days(cx, param::TO_ONLINE),
            _ => None,
        };
        let paid_at = order.paid_at().or_else(|| order.placed_at());
        match (limit, paid_at) {
            (Some(limit), Some(paid_at)) if cx.at > paid_at + limit => Destination::AccountBalance,
            _ => Destination::OriginalPaymentMethod,
        }
    }

    /// What counts as paid of an order.
    pub(crate) fn paid_for(self, order: &impl Order) -> Result<Amount, Missing> {
        match order.payments() {
            Some(payments) => Ok(payments.filter(|payment| self.counts(payment)).map(|payment| payment.amount).sum()),
            None => order.due().filter(|due| due.is_zero()).ok_or(Missing::Payments),
        }
    }

    /// How a payment is settled: what counts as paid shares, the rest is forfeited. Coupons that have lapsed do
    /// not come back but are forfeited.
    pub(crate) fn dispose(self, cx: &Context<'_>, order: &impl Order, payment: &Payment) -> Disposition {
        if !self.counts(payment) {
            Disposition::Lost
        } else if has_lapsed(payment, cx) {
            Disposition::ShareLost
        } else {
            Disposition::Share(self.destination(cx, order, payment.instrument))
        }
    }
}

/// Adds up what `settle` makes of every paid order.
pub(crate) fn sum<R: Resource, E: From<Missing>>(
    resource: &R,
    cx: &Context<'_>,
    mut settle: impl FnMut(&R::Order<'_>, &mut Draft<&mut RefundQuote>) -> Result<(), E>,
) -> Result<RefundQuote, E> {
    if resource.orders().is_none() {
        return Err(Missing::Orders.into());
    }
    let mut total = RefundQuote::nothing(cx.currency(resource)?);
    for order in resource.paid_orders() {
        total.add(|draft| settle(&order, draft))?;
    }
    Ok(total)
}

/// Everything that counts as paid comes back, of every paid order that `which` picks.
pub(crate) fn whole<R: Resource>(
    resource: &R,
    cx: &Context<'_>,
    terms: Terms,
    which: impl Fn(&R::Order<'_>) -> bool,
) -> Result<RefundQuote, Missing> {
    sum(resource, cx, |order, draft| {
        if which(order) { draft.add_order(order, |payment| terms.dispose(cx, order, payment)) } else { Ok(()) }
    })
}

/// Sets a full refund, or says why it cannot be computed.
pub(crate) fn refund_whole<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    let terms = Terms::of(resource, cx, ruling);
    ruling.cite(clause::FULL_AMOUNT);
    let quote = if crate::refusals::value_is_lost(cx) {
        nothing_back(resource, cx, terms, |_| true)
    } else {
        whole(resource, cx, terms, |_| true)
    };
    match quote {
        Ok(quote) => ruling.refund(quote),
        Err(missing) => ruling.missing(clause::FULL_AMOUNT, missing),
    }
}

/// The value is lost: what counts as paid is consumed, the rest forfeited (`ali.partial.trusteeship`).
pub(crate) fn nothing_back<R: Resource>(
    resource: &R,
    cx: &Context<'_>,
    terms: Terms,
    which: impl Fn(&R::Order<'_>) -> bool,
) -> Result<RefundQuote, Missing> {
    let dispose = |payment: &Payment| if terms.counts(payment) { Disposition::Spent } else { Disposition::Lost };
    sum(resource, cx, |order, draft| if which(order) { draft.add_order(order, dispose) } else { Ok(()) })
}
