//! The account manager's review of large amounts.

use recoup_core::prelude::*;

use crate::{clause, param};

const ACCOUNT_MANAGER: &str = "account_manager";

/// Asks for a review where the orders that leave (international and European site) or the refund
/// (Chinese site) are above the threshold in force. The refund must have been ruled before.
pub(crate) fn of_large_amounts<O: Order>(cx: &Context<'_>, leaving: impl Iterator<Item = O>, ruling: &mut Ruling<'_>) {
    let hours = || {
        let held = cx.param(param::LARGE_APPROVED_AFTER)?;
        held.whole().and_then(|hours| u32::try_from(hours).ok())
    };
    if let Some(threshold) = cx.param(param::LARGE_ORDER_USD) {
        let usd = |order: &O| order.currency().or(cx.settlement_currency()) == Some(Currency::USD);
        let amount: Amount = leaving.filter(usd).map(|order| amount_of(&order)).sum();
        ruling.line("orders that leave", || format!("{amount}, reviewed above {}", threshold.value));
        if amount > threshold.value.as_amount() {
            ruling.review(ACCOUNT_MANAGER, threshold.clause, hours());
        }
    }
    if let Some(threshold) = cx.param(param::LARGE_REFUND_CNY) {
        let refund = ruling.so_far().refund.as_ref().filter(|quote| quote.currency() == Currency::CNY);
        if refund.is_some_and(|quote| quote.refund() > threshold.value.as_amount()) {
            ruling.review(ACCOUNT_MANAGER, threshold.clause, hours());
        }
    }
    ruling.cite(clause::LARGE_SCOPE);
}

/// An order's amount; where only its payments are known, their sum.
fn amount_of(order: &impl Order) -> Amount {
    let paid = || order.payments().into_iter().flatten().map(|payment| payment.amount).sum();
    order.due().unwrap_or_else(paid)
}
