//! Returning a reservation or pre-purchase plan to Microsoft (policy page, section 4.1).

use recoup_core::prelude::*;

use crate::destination::give_back;
use crate::held::{Held, Leaving};
use crate::pool::Pool;
use crate::refusals;
use crate::remainder::Remainder;
use crate::{clause, list, param, product};

/// Cancel, prorated by days, within the pool.
pub(crate) fn return_exit<R: Resource>(resource: &R, cx: &Context<'_>, held: &Held, ruling: &mut Ruling<'_>) {
    products(cx, ruling);
    refusals::requester(cx, ruling);
    let by_ticket = refusals::usgov_enterprise(resource, cx, ruling);
    refusals::quantity(resource, cx, ruling);
    refusals::state(resource, cx, held, ruling);
    let unsupported = cx.flag(Flag::RefundNotSupported).unknown_is_no();
    ruling.refuse_if(clause::RI_REASONS_ENUM, unsupported);

    let remainder = Remainder::of(resource, cx, held, ruling);
    let worth = remainder.as_ref().map(|remainder| {
        remainder.explain(cx.at, ruling);
        let back = remainder.back_on(remainder.day(cx.at));
        (remainder.ledger.currency(), back, remainder.released)
    });
    let pool = Pool::judge(resource, cx, worth, ruling);
    // What more than is held would bring is no figure, and an amount beside a quote's refusal is never
    // shown as payable.
    let no_figure = matches!(Leaving::of(resource, cx), Leaving::TooMany) || unsupported.is_yes();
    if let (Some(remainder), Some((currency, back, released)), false) = (&remainder, worth, no_figure) {
        let fee = fee(cx, back, currency, ruling);
        let mut quote = give_back(resource, cx, held, &remainder.ledger, (back, fee), ruling);
        if let Some(released) = released {
            quote = quote.releasing(&Exact::from(released));
        }
        ruling.refund(quote);
    }

    ruling.effects(&[Effect::Irreversible, Effect::OnDemandRatesApply]);
    ruling.channel(if by_ticket || unsupported.is_yes() { Channel::Support } else { Channel::Api });
    refusals::until_the_end(held, ruling);
    let only_the_pool = ruling.so_far().refusals.iter().all(|refusal| refusal.reason == Reason::QuotaExhausted);
    if let (Some(remainder), Some(pool), true, false) =
        (&remainder, pool, only_the_pool, ruling.so_far().refusals.is_empty())
    {
        ruling.cite(clause::RI_LIMIT_LOCKS_LARGE);
        let end = held.ends_at.unwrap_or(remainder.last_day);
        let worth = |at: Instant| (remainder.back_on(remainder.day(at)), remainder.released);
        if let Some(opens) = pool.opens_at(cx, end, worth) {
            ruling.changes_at(opens);
        }
    }
}

/// The products that are not refundable, by edition.
fn products(cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    let named = cx.listed(list::NON_REFUNDABLE_2020) || cx.listed(list::NON_REFUNDABLE_2026);
    let named_plan = cx.listed(list::PREPURCHASE_NAMED_2022) || cx.listed(list::PREPURCHASE_NAMED_2026);
    let is_final = cx.listed(list::PREPURCHASE_FINAL) || cx.is_product(product::AGENTPREPURCHASE);
    // A quote or a bill may name the order alone.
    let unnamed = cx.is_product(product::RESERVATION);
    ruling.cite_if(clause::RI_PRODUCT_REFUNDABLE, !(named || named_plan || is_final || unnamed));
    ruling.refuse_if(clause::RI_NON_REFUNDABLE, Answer::named("product", (!unnamed).then_some(named)));
    ruling.refuse_as(clause::RI_NON_REFUNDABLE, Reason::NeverCancellable, named_plan);
    ruling.refuse_if(clause::RI_PREPURCHASE_FINAL, is_final);
}

/// The early-termination fee, which no edition charges, and the reserved one as a warning.
fn fee(cx: &Context<'_>, back: Amount, currency: Currency, ruling: &mut Ruling<'_>) -> Amount {
    let share = |rate: Number| Exact::from(back).times(rate).round(currency);
    ruling.cite(clause::RI_FEE);
    if let Some(reserved) = cx.param(param::RESERVED_FEE_RATE) {
        ruling.line("fee", || {
            format!("none is charged; {} of the remainder ({}) is reserved", reserved.value, share(reserved.value))
        });
    }
    cx.param(param::FEE_RATE).map_or(Amount::ZERO, |rate| share(rate.value))
}
