//! Exchanging a reservation for another of its family (policy page, section 4.2).

use recoup_core::prelude::*;

use crate::held::{Held, Leaving};
use crate::pool::first_midnight;
use crate::refusals;
use crate::remainder::Remainder;
use crate::{clause, list, param, product, table};

/// Give back for another of the same family: no pool, and the new commitment is at least what is
/// given up.
pub(crate) fn exchange<R: Resource>(
    resource: &R,
    cx: &Context<'_>,
    held: &Held,
    vm_software: bool,
    ruling: &mut Ruling<'_>,
) {
    ruling.refuse_if(clause::RI_PREPURCHASE_FINAL, cx.listed(list::PREPURCHASE));
    let never = vm_software || cx.listed(list::NEVER_EXCHANGED);
    let unnamed = cx.is_product(product::RESERVATION);
    ruling.refuse_if(clause::RI_EX_FAMILY, Answer::named("product", (!unnamed).then_some(never)));
    refusals::requester(cx, ruling);
    let by_ticket = refusals::usgov_enterprise(resource, cx, ruling);
    refusals::quantity(resource, cx, ruling);
    refusals::state(resource, cx, held, ruling);
    ruling.cite_if(clause::RI_EX_GRACE, cx.listed(list::GRACE));
    let cut = cut_of_2027(cx, held, ruling);

    let target = cx.text(resource, Text::TargetProduct);
    let speaks_of_trade_in = target.is_some_and(|target| cx.book().product(target) == Some(product::SAVINGSPLAN));
    let target = Target {
        product: target.filter(|_| !speaks_of_trade_in),
        commitment: cx.figure(resource, Figure::TargetCommitment).filter(|_| !speaks_of_trade_in),
        term_months: cx.figure(resource, Figure::TargetTermMonths).filter(|_| !speaks_of_trade_in),
        upfront: cx.text(resource, Text::TargetPaymentOption) == Some(PaymentOption::AllUpfront.as_str()),
    };
    if let Some(name) = target.product {
        ruling.refuse_as(clause::RI_EX_FAMILY, Reason::TargetNotEligible, !same_family(resource, cx, name));
    }
    if let Some(new) = target.term_months {
        term(resource, cx, held, new, ruling);
    }
    give_up(resource, cx, held, &target, clause::RI_EX_MIN_VALUE, ruling);
    ruling.cite(clause::RI_EX_MONEY);
    if by_ticket {
        ruling.channel(Channel::Support);
    }
    if cut.is_some() && cx.in_force(clause::SITE_USGOV_PLANS) && cx.in_force(clause::RI_EX_2027) {
        // Whether the rule of 2027 touches this cloud at all was not seen.
        ruling.no_figure(clause::SITE_USGOV_PLANS, Reason::RuleUnknown, None);
    }
    if let (Some(cut), true) = (cut, ruling.so_far().refusals.is_empty()) {
        ruling.changes_at(cut);
    }
}

/// What would be bought, as far as it is known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target<'a> {
    /// Its product.
    pub(crate) product: Option<&'a str>,
    /// The total of its whole term.
    pub(crate) commitment: Option<Number>,
    /// Its term.
    pub(crate) term_months: Option<Number>,
    /// Whether it is paid at once.
    pub(crate) upfront: bool,
}

/// What an exchange and a trade-in have in common: the least new commitment, the money, the manner
/// and the end.
pub(crate) fn give_up<R: Resource>(
    resource: &R,
    cx: &Context<'_>,
    held: &Held,
    target: &Target<'_>,
    least: ClauseId,
    ruling: &mut Ruling<'_>,
) {
    ruling.effects(&[Effect::Irreversible, Effect::OnDemandRatesApply]);
    ruling.channel(Channel::Api);
    ruling.cite(clause::RI_LIMIT_EXCHANGE_EXEMPT);
    let remainder = Remainder::of(resource, cx, held, ruling);
    let too_small = |remainder: &Remainder, day: Instant| {
        target.commitment.is_some_and(|new| new.as_amount() < remainder.commitment_on(day))
    };
    if let Some(remainder) = &remainder {
        remainder.explain(cx.at, ruling);
        let today = remainder.day(cx.at);
        let reason = Reason::TargetNotEligible;
        ruling.refuse_as(least, reason, too_small(remainder, today));
        ruling.line("least", || format!("the new commitment is at least {}", remainder.commitment_on(today)));
        if !matches!(Leaving::of(resource, cx), Leaving::TooMany) {
            ruling.refund(carry_over(remainder, today, target));
        }
    } else if target.commitment.is_some() {
        ruling.unknown(least, Reason::TargetNotEligible, Some("orders"));
    }
    refusals::until_the_end(held, ruling);
    // A target that is too small today suffices once enough of the term has gone by.
    let too_small_only = ruling.so_far().refusals.iter().all(|refusal| refusal.clause == least);
    if let (Some(remainder), true, false) = (&remainder, too_small_only, ruling.so_far().refusals.is_empty())
        && too_small(remainder, remainder.day(cx.at))
    {
        let end = held.ends_at.unwrap_or(remainder.last_day);
        if let Some(opens) = first_midnight(cx.zone, cx.at, end, &|at| !too_small(remainder, remainder.day(at))) {
            ruling.changes_at(opens);
        }
    }
}

/// The prorated rest is taken along; the new purchase is charged in full, so the net is a payment.
fn carry_over(remainder: &Remainder, day: Instant, target: &Target<'_>) -> RefundQuote {
    let back = remainder.back_on(day);
    let mut draft = remainder.ledger.settle(|_| Disposition::Share(Destination::NextInvoice));
    draft.consume(&Exact::from(remainder.ledger.paid() - back));
    draft.carry_over(&Exact::from(back));
    let mut quote = draft.finish().carrying_nothing();
    if let Some(released) = remainder.released {
        quote = quote.releasing(&Exact::from(released));
    }
    match target.commitment {
        Some(new) if target.upfront => quote.charging(&Exact::from(new).minus(&Exact::from(back)).floor_zero()),
        _ => quote,
    }
}

/// `az.ri.ex.2027`. Gives the cut where it still lies ahead and may change something.
fn cut_of_2027(cx: &Context<'_>, held: &Held, ruling: &mut Ruling<'_>) -> Option<Instant> {
    let covered = cx.listed(list::COMPUTE_PLAN) || cx.listed(list::DATABASE_PLAN);
    let days = cx.param(param::EXCHANGE_CUT)?.whole()?;
    let cut = Instant::from_micros(Span::days(days).micros());
    if cx.is_product(product::RESERVATION) {
        ruling.refuse_if(clause::RI_EX_2027, Answer::named("product", None));
        return Some(cut);
    }
    if !covered {
        ruling.refuse_if(clause::RI_EX_2027, false);
        return None;
    }
    let bought_after = Answer::named("purchased_at", held.bought_at.map(|bought| cut <= bought));
    let ended = bought_after.or(cx.flag(Flag::ExchangeAfterCut));
    if cx.in_force(clause::SITE_USGOV_PLANS) {
        return Some(cut);
    }
    ruling.refuse_if(clause::RI_EX_2027, ended);
    (!ended.is_no()).then_some(cut)
}

/// Whether a target is of the resource's family.
fn same_family<R: Resource>(resource: &R, cx: &Context<'_>, target: &str) -> bool {
    let new = cx.book().product(target);
    let compute = |product: Option<ProductId>| {
        cx.epoch().listed(list::COMPUTE_FAMILY, product) || cx.epoch().listed(list::COMPUTE_FAMILY_2026, product)
    };
    if cx.product().is_none() && new.is_none() {
        return resource.product().eq_ignore_ascii_case(target);
    }
    cx.product() == new || (compute(cx.product()) && compute(new))
}

/// The terms between which an exchange is allowed.
fn term<R: Resource>(resource: &R, cx: &Context<'_>, held: &Held, new: Number, ruling: &mut Ruling<'_>) {
    let by_dates = || {
        let (start, end) = held.starts_at.zip(held.ends_at)?;
        u32::try_from(cx.zone.months_between(start, end)).ok()
    };
    let months = resource.commitment().and_then(|commitment| commitment.term_months).or_else(by_dates);
    let terms = if cx.is_product(product::OPENAIPTU) { table::THROUGHPUT_TERMS } else { table::EXCHANGE_TERMS };
    let allowed = months.map(|months| {
        new.as_whole().is_some_and(|new| cx.cell(terms, &[i64::from(months).into(), new.into()]).is_some())
    });
    ruling.refuse_if(clause::RI_EX_TERM, Answer::named("commitment.term_months", allowed.map(|allowed| !allowed)));
}
