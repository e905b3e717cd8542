//! Bandwidth to traffic, and prepaid to pay-as-you-go.

use recoup_core::prelude::*;

use crate::consumed::{Scope, left_of_orders};
use crate::money::{Form, Gap};
use crate::{clause, list, param, product, refusals};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Target {
    Traffic,
    PayAsYouGo,
}

/// Rules on a conversion where one is meant and what to is given.
pub(crate) fn exit<R: Resource>(resource: &R, cx: &Context<'_>, out: &mut Assessment) {
    if !cx.flag(Flag::ConversionRequested).is_yes() || cx.listed(list::ALL_PACKS) {
        return;
    }
    let target = match cx.text(resource, Text::TargetBilling) {
        Some("by_traffic") => Target::Traffic,
        Some("pay_as_you_go") => Target::PayAsYouGo,
        _ => return,
    };
    out.exit(cx, Exit::Conversion, |ruling| conversion(resource, cx, ruling, target));
}

fn conversion<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>, target: Target) {
    refusals::common(resource, cx, ruling);
    ruling.effects(&[Effect::Irreversible, Effect::OnDemandRatesApply]);
    refusals::channel(cx, ruling);
    match quote(resource, cx, ruling, target) {
        Ok(quote) => ruling.refund(quote),
        Err(gap) => gap.report(clause::SWITCH_PAYG, ruling),
    }
    ruling.never_changes();
}

fn quote<R: Resource>(
    resource: &R,
    cx: &Context<'_>,
    ruling: &mut Ruling<'_>,
    target: Target,
) -> Result<RefundQuote, Gap> {
    if target == Target::Traffic && !cx.is_product(product::CVM_BANDWIDTH) {
        // What paid the network of a host is not told apart from the host.
        return Err(Gap::Unknown(clause::SWITCH_TRAFFIC, Reason::PriceUnknown, Some("orders")));
    }
    if target == Target::PayAsYouGo && cx.is_product(product::TCB) && cx.in_force(clause::SWITCH_TCB) {
        let longest = cx.param(param::TCB_MONTHS).and_then(|held| held.whole()).unwrap_or_default();
        let long = resource.periods().any(|order| order.term_months().is_none_or(|months| i64::from(months) > longest));
        if ruling.cite_if(clause::SWITCH_TCB, long) {
            return Err(Gap::Unknown(clause::SWITCH_TCB, Reason::RuleUnknown, Some("orders.term_months")));
        }
    }
    // For a single month the month's price and the order amount of the TCB page are the same.
    let by_share = target == Target::PayAsYouGo && cx.is_product(product::TCB);
    let scope = if by_share { Scope::Share } else { Scope::All };
    let (parts, currency) = left_of_orders(resource, cx, ruling, scope)?;
    let form = match target {
        Target::Traffic => Form::traffic(cx, ruling),
        Target::PayAsYouGo => {
            ruling.cite(clause::SWITCH_PAYG);
            Form::switched(cx, ruling)
        }
    };
    Ok(form.settle_all(&parts, currency))
}
