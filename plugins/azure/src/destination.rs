//! Where money goes back to, by billing channel and instrument (policy page, section 8).

use recoup_core::prelude::*;

use crate::held::Held;
use crate::{clause, param};

/// Gives back `back` of what was paid, less `fee` out of it; the rest is consumed. What comes back is split in
/// the proportion paid: each instrument's part half up to the cent, the last takes the rest.
pub(crate) fn give_back<R: Resource>(
    resource: &R,
    cx: &Context<'_>,
    held: &Held,
    ledger: &Ledger,
    (back, fee): (Amount, Amount),
    ruling: &mut Ruling<'_>,
) -> RefundQuote {
    let channel = cx.text(resource, Text::BillingChannel);
    let mut payments = ledger.payments();
    if let (Some(only), None) = (payments.next(), payments.next()) {
        return part(cx, channel, held, &only, (back, fee), ledger.currency(), ruling);
    }
    let (currency, paid) = (ledger.currency(), ledger.paid());
    let mut payments: Vec<Payment> = Vec::new();
    for payment in ledger.payments() {
        let same =
            |other: &&mut Payment| other.instrument == payment.instrument && other.expires_at == payment.expires_at;
        match payments.iter_mut().find(same) {
            Some(other) => other.amount += payment.amount,
            None => payments.push(payment),
        }
    }
    let mut quote = RefundQuote::nothing(currency);
    let (mut back_left, mut fee_left, mut paid_left) = (back, fee, paid);
    let last = payments.len().saturating_sub(1);
    for (index, payment) in payments.iter().enumerate() {
        paid_left -= payment.amount;
        let share = |whole: Amount, left: Amount| {
            let share = Exact::from(whole).times(payment.amount).over(paid).round(currency);
            // What rounding leaves over never exceeds what the later instruments paid.
            if index == last { left } else { share.at_most(left).max(left - paid_left) }
        };
        let parts = (share(back, back_left), share(fee, fee_left));
        back_left -= parts.0;
        fee_left -= parts.1;
        quote = quote.plus(&part(cx, channel, held, payment, parts, currency, ruling));
    }
    quote
}

/// Gives back a part of one payment.
fn part(
    cx: &Context<'_>,
    channel: Option<&str>,
    held: &Held,
    payment: &Payment,
    (back, fee): (Amount, Amount),
    currency: Currency,
    ruling: &mut Ruling<'_>,
) -> RefundQuote {
    let to = destination(cx, channel, payment, held.bought_at, ruling);
    let mut single = Ledger::new(currency);
    single.add(*payment);
    let mut draft = single.settle(|_| Disposition::Share(to));
    draft.consume(&Exact::from(payment.amount - back));
    draft.keep_fee(&Exact::from(fee));
    let quote = draft.finish();
    match lapses(cx, payment) {
        Some(lapses) => quote.lapsing(lapses),
        None => quote,
    }
}

/// Where a payment goes back to.
fn destination(
    cx: &Context<'_>,
    channel: Option<&str>,
    payment: &Payment,
    bought_at: Option<Instant>,
    ruling: &mut Ruling<'_>,
) -> Destination {
    let instrument = payment.instrument;
    if !instrument.is_money() {
        return Destination::itself(instrument);
    }
    let cited = match (channel, instrument) {
        (_, Instrument::Prepayment) => Some((clause::DEST_EA_PREPAYMENT, Destination::Prepayment)),
        (Some("ea"), _) if in_open_period(cx, bought_at) => {
            Some((clause::DEST_EA_OPEN_PERIOD, Destination::NextInvoice))
        }
        (Some("ea"), Instrument::Credit) if cx.in_force(clause::DEST_EA_OVERAGE) => {
            Some((clause::DEST_EA_OVERAGE, Destination::CreditMemo))
        }
        (Some("ea"), Instrument::Credit) => Some((clause::DEST_EA_OVERAGE_RERATED, Destination::OriginalPaymentMethod)),
        (Some("mca"), Instrument::Cash | Instrument::Credit) => Some((clause::DEST_MCA_WIRE, Destination::NextInvoice)),
        (Some("mca"), Instrument::Card) => Some((clause::DEST_MCA_CARD, Destination::OriginalPaymentMethod)),
        (Some("payg"), Instrument::Card) => Some((clause::DEST_PAYG_CARD, Destination::OriginalPaymentMethod)),
        (Some("payg" | "csp_legacy"), Instrument::Credit | Instrument::Partner) => {
            Some((clause::DEST_PAYG_INVOICE_CSP, Destination::HeldForNextPurchase))
        }
        (Some("mpa"), Instrument::Partner) => Some((clause::DEST_CSP_CUSTOMER, Destination::PartnerAccount)),
        _ => None,
    };
    if let Some((clause, to)) = cited {
        ruling.cite(clause);
        return to;
    }
    // Where the page has no row the instrument decides (our choice; the outcome does not hang on it).
    match instrument {
        Instrument::Card => Destination::OriginalPaymentMethod,
        Instrument::Partner => Destination::PartnerAccount,
        _ => Destination::NextInvoice,
    }
}

/// Whether the invoice of the month of purchase is still open (`az.dest.ea.open-period`).
fn in_open_period(cx: &Context<'_>, bought_at: Option<Instant>) -> bool {
    let closing_day = cx.param(param::INVOICE_CLOSES).and_then(|held| held.whole());
    bought_at
        .zip(closing_day)
        .is_some_and(|(bought, day)| cx.at < cx.zone.add_days(cx.zone.next_month(bought), day - 1))
}

/// When money lapses that comes back to a prepayment whose term is over (`az.dest.ea.prepayment`).
fn lapses(cx: &Context<'_>, payment: &Payment) -> Option<Instant> {
    if payment.instrument != Instrument::Prepayment || payment.valid_at(cx.at) {
        return None;
    }
    let days = cx.param(param::PREPAYMENT_LAPSES)?.whole()?;
    Some(cx.zone.add_days(cx.zone.midnight(cx.zone.date(cx.at)), days))
}
