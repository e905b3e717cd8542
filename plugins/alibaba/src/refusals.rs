//! The causes for which something cannot be left, in the order of the page (section 5 of the rules).
//! All that apply are listed.

use recoup_core::prelude::*;

use crate::quota;
use crate::{clause, product};

/// Refuses what is over, released or not there. Gives whether there is no amount to speak of. The end
/// of the resource changes every ruling, so it goes into `until`.
pub(crate) fn state<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) -> bool {
    let expired = has_expired(resource, cx);
    let by = if crate::scope::is_plan(resource, cx) { clause::DENY_PLAN_EXPIRED } else { clause::DENY_EXPIRED };
    ruling.refuse_if(by, expired);
    if !expired && let Some(end) = resource.ends_at() {
        ruling.changes_at(end);
    }
    let gone = resource.status() == Status::Released || was_refunded(resource);
    ruling.refuse_if(clause::DENY_STATE, gone);
    let exists = cx.flag(Flag::Exists);
    ruling.refuse_if(clause::DENY_NOT_EXISTS, !exists);
    expired || gone || exists.is_no()
}

/// Whether the period is over; periods are half-open.
pub(crate) fn has_expired<R: Resource>(resource: &R, cx: &Context<'_>) -> bool {
    resource.status() == Status::Expired || resource.ends_at().is_some_and(|end| end <= cx.at)
}

/// Whether its purchase was refunded.
fn was_refunded<R: Resource>(resource: &R) -> bool {
    let mut purchases =
        resource.orders().into_iter().flatten().filter(|order| order.kind() == OrderKind::Purchase).peekable();
    purchases.peek().is_some() && purchases.all(|order| order.status() == OrderStatus::Refunded)
}

/// The causes that bite on every unsubscription alike.
pub(crate) fn causes<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.refuse_on(clause::DENY_PROMOTION, Flag::Promotion);
    ruling.refuse_on(clause::DENY_MARKETPLACE_IMAGE, Flag::PaidImage);
    if cx.is_product(product::ECS) && resource.billing() == Billing::Subscription {
        ruling.draw(clause::DENY_ECS_QUOTA, quota::stated("ecs_unsubscription", Window::Unpublished, cx));
    }
    ruling.refuse_if(clause::DENY_CURRENCY, currency_differs(resource, cx));
    ruling.refuse_if(clause::DENY_UNPAID_ORDER, unpaid_order(resource, cx));
    ruling.refuse_on(clause::DENY_SECURITY_RISK, Flag::SecurityRisk);
    ruling.refuse_on(clause::DENY_TRANSFER, Flag::TransferredIn);
    trusteeship(cx, ruling);
    ruling.refuse_on(clause::DENY_RESELLER, Flag::ResellerModel);
    ruling.refuse_if(clause::DENY_OWNER, !cx.flag(Flag::RequesterAuthorised));
    ruling.refuse_on(clause::DENY_AMBASSADOR, Flag::ReferralOrder);
    if cx.is_product(product::MYBASE) {
        ruling.refuse_if(clause::DENY_MYBASE_NOT_EMPTY, !cx.flag(Flag::HostEmpty));
    }
    if cx.is_product(product::ECS_DISK) {
        ruling.refuse(clause::ECS_BUNDLE);
    }
    blocked(resource, cx, ruling);
}

/// An unpaid order makes the cause true by itself, whatever the fact says.
pub(crate) fn unpaid_order<R: Resource>(resource: &R, cx: &Context<'_>) -> Answer {
    if resource.has_unpaid_order() { Answer::from(true) } else { cx.flag(Flag::UnpaidOrder) }
}

/// Joined another's finance group after the purchase, or left one since: the value is gone, which
/// gives both reasons.
pub(crate) fn trusteeship(cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    let answer = group_changed(cx);
    ruling.refuse_if(clause::PARTIAL_TRUSTEESHIP, answer);
    if answer.is_yes() {
        ruling.refuse_as(clause::PARTIAL_TRUSTEESHIP, Reason::ZeroRefund, true);
    }
}

fn group_changed(cx: &Context<'_>) -> Answer {
    cx.flag(Flag::JoinedFinancialGroupAfterPurchase).or(cx.flag(Flag::LeftFinancialGroup))
}

/// Whether a finance group took the value.
pub(crate) fn value_is_lost(cx: &Context<'_>) -> bool {
    group_changed(cx).is_yes()
}

/// Whether an order's currency is not the account's settlement currency now.
fn currency_differs<R: Resource>(resource: &R, cx: &Context<'_>) -> Answer {
    let differs = match (resource.orders(), cx.settlement_currency()) {
        (None, _) | (_, None) => None,
        (Some(_), Some(now)) => {
            let mut answer = Some(false);
            for order in resource.paid_orders() {
                match order.currency() {
                    Some(currency) if currency != now => return Answer::named("currency", Some(true)),
                    Some(_) => {}
                    None => answer = None,
                }
            }
            answer
        }
    };
    Answer::named("currency", differs)
}

/// Nothing is published about arrears and freezes (section 10 of the rules).
fn blocked<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    for flag in [Flag::Arrears, Flag::FrozenSecurity, Flag::FrozenLegal] {
        if cx.flag(flag).is_yes() {
            ruling.unknown(clause::DENY_BLOCKED, Reason::RuleUnknown, Some(flag.as_str()));
        }
    }
    if resource.status() == Status::Frozen {
        ruling.unknown(clause::DENY_BLOCKED, Reason::RuleUnknown, Some("status"));
    }
}
