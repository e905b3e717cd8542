//! What leaves only when somebody agrees.

use recoup_core::prelude::*;

use crate::money::Gap;
use crate::{clause, full_refund, refusals};

/// Bastion, data-security audit, centre and masking: case by case on contact.
pub(crate) fn case_by_case<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    refusals::common(resource, cx, ruling);
    needed(resource, cx, ruling, clause::AGREEMENT);
    refusals::effects(resource, cx, ruling);
    refusals::channel(cx, ruling);
}

/// The agreement itself: unknown until it is given, and so is its figure until it is stated.
pub(crate) fn needed<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>, clause: ClauseId) {
    if !cx.flag(Flag::AgreementGiven).is_yes() {
        ruling.no_figure(clause, Reason::AgreementNeeded, Some(Flag::AgreementGiven.as_str()));
        return;
    }
    ruling.cite(clause);
    match cx.figure(resource, Figure::AgreedRefund) {
        None => ruling.no_figure(clause, Reason::PriceUnknown, Some(Figure::AgreedRefund.as_str())),
        Some(agreed) => match agreed_quote(resource, cx, ruling, agreed) {
            Ok(quote) => ruling.refund(quote),
            Err(gap) => gap.report(clause, ruling),
        },
    }
}

fn agreed_quote<R: Resource>(
    resource: &R,
    cx: &Context<'_>,
    ruling: &mut Ruling<'_>,
    agreed: Number,
) -> Result<RefundQuote, Gap> {
    let (mut parts, currency, form) = full_refund::every_order(resource, cx, ruling)?;
    let mut rest = agreed.as_amount();
    for part in &mut parts {
        let back = rest.at_most(part.left);
        part.left = back;
        rest -= back;
    }
    Ok(form.settle_all(&parts, currency))
}
