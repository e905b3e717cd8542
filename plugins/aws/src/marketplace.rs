//! AWS Marketplace agreements that AWS itself ends or refunds (section 4.5).

use recoup_core::prelude::*;

use crate::refusals::by_status;
use crate::terms::{bought_at, whole};
use crate::{clause, param};

/// A contract: within 48 hours of its purchase AWS refunds it in full.
pub(crate) fn contract<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.unknown(clause::SITE_CN, Reason::RuleUnknown, None);
    by_status(resource, ruling, true);
    ruling.refuse_on(clause::MP_48H_PUBLIC, Flag::PrivateOffer);
    let length = Span::hours(whole(cx, param::MARKETPLACE_HOURS));
    ruling.window_before(clause::MP_48H, "purchased_at", bought_at(resource), length);
    ruling.cite(clause::MP_48H);
    ruling.waits_only_for(&[]);
    settlement(cx, ruling);
    ruling.channel(Channel::Support);
    match cx.ledger(resource, resource.paid_orders()) {
        Ok(ledger) => {
            let quote = ledger.settle(|payment| Disposition::Back(destination(payment.instrument))).finish();
            ruling.refund(quote);
        }
        Err(missing) => ruling.missing(clause::MP_48H, missing),
    }
}

/// Usage pricing: the buyer ends it alone, and what was used is owed.
pub(crate) fn usage<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.unknown(clause::SITE_CN, Reason::RuleUnknown, None);
    by_status(resource, ruling, true);
    ruling.cite(clause::MP_PAYG);
    ruling.channel(Channel::Console);
    match cx.ledger(resource, resource.paid_orders()) {
        Ok(ledger) => ruling.refund(ledger.all_consumed()),
        Err(missing) => ruling.missing(clause::MP_PAYG, missing),
    }
}

/// When the money of a refund arrives, where the edition prints it.
pub(crate) fn settlement(cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    let days = u32::try_from(whole(cx, param::MARKETPLACE_SETTLEMENT_DAYS)).unwrap_or_default();
    ruling.settles_within(clause::MP_SETTLEMENT_2023, days, DayKind::Business);
}

/// Where a refund goes (section 9): back to the card that paid, a credit memo on invoice terms.
pub(crate) fn destination(instrument: Instrument) -> Destination {
    match instrument {
        Instrument::Card | Instrument::Online => Destination::OriginalPaymentMethod,
        Instrument::Cash | Instrument::Credit | Instrument::Prepayment => Destination::CreditMemo,
        other => Destination::itself(other),
    }
}
