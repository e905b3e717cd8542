//! The prepaid balance of a billing account that is closed (page, sections 4.3 and 6).

use recoup_core::prelude::*;

use crate::clause;

/// Paying the unused money out. What refuses is listed, and the amount is shown all the same.
pub(crate) fn balance_payout<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    let promotion = cx.flag(Flag::Promotion);
    ruling.refuse_if(clause::BILL_UNUSED, !cx.flag(Flag::AccountClosed));
    ruling.refuse_on(clause::BILL_UNUSED_OUTSTANDING, Flag::Arrears);
    ruling.refuse_if(clause::BILL_UNUSED_PROMOTIONAL, promotion);
    ruling.channel(Channel::Support);
    let unused = if promotion.is_yes() { Some(Number::ZERO) } else { cx.figure(resource, Figure::RemainingBalance) };
    let Some(unused) = unused else {
        ruling.no_figure(clause::BILL_UNUSED, Reason::RuleUnknown, Some(Figure::RemainingBalance.as_str()));
        return;
    };
    match cx.ledger(resource, resource.paid_orders()) {
        Ok(ledger) => {
            let mut draft = ledger.settle(|payment| match payment.instrument.is_money() {
                true => Disposition::Share(Destination::OriginalPaymentMethod),
                false => Disposition::Spent,
            });
            draft.give_back_only(&Exact::from(unused));
            let quote = draft.finish();
            ruling.line("unused", || format!("{unused}, at most the {} of money paid", ledger.money()));
            ruling.refund(quote);
        }
        Err(missing) => ruling.missing(clause::BILL_UNUSED, missing),
    }
}
