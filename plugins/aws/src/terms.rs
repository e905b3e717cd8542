//! What several exits read off a record: when it was bought, what was paid ahead, its money.

use recoup_core::prelude::*;

const MICROS_PER_HOUR: i64 = 3_600_000_000;

/// When it was bought: as the record says, else as its first purchase was placed.
pub(crate) fn bought_at<R: Resource>(resource: &R) -> Option<Instant> {
    resource.purchased_at().or_else(|| {
        resource.orders()?.find(|order| order.kind() == OrderKind::Purchase).and_then(|order| order.placed_at())
    })
}

/// Since when it has been held: its start, for a purchase may have been queued before.
pub(crate) fn held_since<R: Resource>(resource: &R) -> Option<Instant> {
    resource.starts_at().or_else(|| resource.purchased_at())
}

/// Whether a part of the price was paid ahead.
pub(crate) fn has_upfront<R: Resource>(resource: &R) -> Answer {
    let known = resource.commitment().and_then(|commitment| match commitment.payment_option {
        Some(PaymentOption::AllUpfront | PaymentOption::PartialUpfront) => Some(true),
        Some(PaymentOption::NoUpfront | PaymentOption::Monthly) => Some(false),
        None => commitment.upfront.map(Amount::is_positive),
    });
    Answer::named("commitment.payment_option", known)
}

/// The hourly price that is charged whether it is used or not.
pub(crate) fn hourly_price<R: Resource>(resource: &R) -> Option<Amount> {
    let commitment = resource.commitment()?;
    match commitment.recurring_every {
        Some(Recurrence::Month) => None,
        Some(Recurrence::Hour) | None => commitment.recurring,
    }
}

/// A price an hour over a span, exactly.
pub(crate) fn over_hours(price: impl Into<Exact>, span: Span) -> Exact {
    price.into().times_ratio(span.micros().max(0), MICROS_PER_HOUR)
}

/// A fact about the account. Where a resource states it of its own, that wins (section 10).
pub(crate) fn account_fact<R: Resource>(resource: &R, cx: &Context<'_>, flag: Flag) -> Answer {
    match resource.flags().get(flag) {
        Some(known) => Answer::of(flag, Some(known)),
        None => cx.flag(flag),
    }
}

/// Whether the seller of record is one whose customers cannot take an exit.
pub(crate) fn sold_by_excluded<R: Resource>(resource: &R, cx: &Context<'_>, exit: Exit) -> Answer {
    let listed = cx
        .text(resource, Text::SellerOfRecord)
        .map(|seller| cx.cell(crate::table::SELLERS_OF_RECORD, &[exit.as_str().into(), seller.into()]).is_some());
    Answer::named(Text::SellerOfRecord.as_str(), listed)
}

/// A whole number from the policy.
pub(crate) fn whole(cx: &Context<'_>, param: ParamId) -> i64 {
    cx.param(param).and_then(|held| held.whole()).unwrap_or_default()
}

/// A share from the policy.
pub(crate) fn share(cx: &Context<'_>, param: ParamId) -> Number {
    cx.param(param).map(|held| held.value).unwrap_or_default()
}

/// The currency of a ruling in which no payment is at stake. Where a record names none, that of the
/// site's prices: USD, and CNY in China (section 12).
pub(crate) fn currency<R: Resource>(resource: &R, cx: &Context<'_>) -> Currency {
    let of_site = if cx.site() == "cn" { Currency::CNY } else { Currency::USD };
    cx.currency(resource).unwrap_or(of_site)
}

/// Nothing comes back: what is known to have been paid is consumed.
pub(crate) fn nothing_back<R: Resource>(resource: &R, cx: &Context<'_>) -> RefundQuote {
    match cx.ledger(resource, resource.paid_orders()) {
        Ok(ledger) => ledger.all_consumed(),
        Err(_) => RefundQuote::nothing(currency(resource, cx)),
    }
}
