//! Selling a Reserved Instance in the Reserved Instance Marketplace (section 4.2).

use recoup_core::prelude::*;
use recoup_core::record::ReturnRecord;

use crate::refusals::is_over;
use crate::terms::{account_fact, currency, has_upfront, held_since, share, sold_by_excluded, whole};
use crate::{clause, param};

/// Selling to another customer: the price asked less 12 %.
pub(crate) fn reserved_instance<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.cite(clause::RI_CANCEL_NEVER);
    ruling.unknown(clause::SITE_CN, Reason::RuleUnknown, None);
    let class = resource.commitment().and_then(|commitment| commitment.class);
    ruling.refuse_if(
        clause::RI_SELL_ELIGIBLE_CLASS,
        Answer::named("commitment.class", class.map(|class| class == Class::Convertible)),
    );
    let active = resource.status() == Status::Active && !is_over(resource, cx);
    ruling.refuse_if(clause::RI_SELL_ELIGIBLE_ACTIVE, !active);
    let opens = age(resource, cx, ruling);
    upfront_received(resource, cx, ruling);
    let closes = month_left(resource, cx, ruling);
    ruling.refuse_on(clause::RI_SELL_ELIGIBLE_REGION, Flag::OptInRegion);
    scope_and_discount(cx, ruling);
    seller(resource, cx, ruling);
    ruling.refuse_on(clause::RI_SELL_LISTING, Flag::TransactionInProgress);
    let ask = cx.figure(resource, Figure::AskPrice);
    let next_year = limits(resource, ask, cx, ruling);
    until(opens, next_year, closes, ruling);
    proceeds(resource, ask, cx, ruling);
    ruling.effects(&[Effect::Irreversible, Effect::OnDemandRatesApply]);
    ruling.channel(Channel::Api);
}

/// 30 days active in the account: for a time only where something was paid ahead. Gives the day on
/// which that is met, where it is asked.
fn age<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) -> Option<Instant> {
    let of_every_one = !cx.in_force(clause::RI_SELL_NOUPFRONT_DATE);
    ruling.cite(clause::RI_SELL_NOUPFRONT_DATE);
    let asked = if of_every_one { Answer::from(true) } else { has_upfront(resource) };
    let met = held_since(resource).map(|start| start + Span::days(whole(cx, param::SELL_ACTIVE_DAYS)));
    let too_new = Answer::named("starts_at", met.map(|met| cx.at < met));
    ruling.refuse_if(clause::RI_SELL_ELIGIBLE_DAYS, too_new.and(asked));
    met.filter(|_| !asked.is_no())
}

fn upfront_received<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    let upfront = has_upfront(resource);
    let missing = !cx.flag(Flag::UpfrontReceived);
    ruling.refuse_if(clause::RI_SELL_ELIGIBLE_UPFRONT, upfront.and(missing));
    // Without an upfront part there is nothing that AWS could have received.
    ruling.refuse_if(clause::RI_SELL_ELIGIBLE_UPFRONT_2018, (!upfront).or(missing));
}

/// A month before the end; gives the last instant at which a month is left.
fn month_left<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) -> Option<Instant> {
    let months = i32::try_from(whole(cx, param::SELL_MONTHS_LEFT)).unwrap_or_default();
    let last = resource.ends_at().map(|end| cx.zone.add_months(end, -months));
    ruling.window(clause::RI_SELL_ELIGIBLE_MONTH, "ends_at", last, |at, last| at <= last);
    last
}

/// What differs between the page of 2023 and the present one; between the two nothing is settled.
fn scope_and_discount(cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    let regional = cx.flag(Flag::RegionalScope);
    ruling.refuse_if(clause::RI_SELL_REGION_SCOPE, regional);
    unsettled(clause::RI_SELL_REGION_SCOPE_UNSETTLED, regional, ruling);
    let discount = cx.flag(Flag::VolumeDiscount);
    ruling.refuse_if(clause::RI_SELL_ELIGIBLE_VOLUME_DISCOUNT, discount);
    unsettled(clause::RI_SELL_ELIGIBLE_VOLUME_DISCOUNT_UNSETTLED, discount, ruling);
}

/// A known yes is as open as not knowing: the rule itself is not known.
fn unsettled(clause: ClauseId, answer: Answer, ruling: &mut Ruling<'_>) {
    if answer.is_no() {
        ruling.refuse_if(clause, false);
    } else {
        ruling.unknown(clause, Reason::RuleUnknown, answer.fact());
    }
}

fn seller<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.refuse_if(clause::RI_SELL_ELIGIBLE_SELLER, !account_fact(resource, cx, Flag::SellerRegistered));
    ruling.refuse_if(clause::RI_SELL_ELIGIBLE_BANK, !account_fact(resource, cx, Flag::UsBankAccount));
    ruling.refuse_if(clause::RI_SELL_ELIGIBLE_INDIA, sold_by_excluded(resource, cx, Exit::Resale));
    ruling.refuse_if(clause::RI_SELL_ELIGIBLE_STANDING, account_fact(resource, cx, Flag::Arrears));
}

/// What an account may sell, in USD and in Reserved Instances. Gives the instant at which a new year
/// makes room again for what is asked, where that is known.
fn limits<R: Resource>(
    resource: &R,
    ask: Option<Number>,
    cx: &Context<'_>,
    ruling: &mut Ruling<'_>,
) -> Option<Instant> {
    let yearly = cx.in_force(clause::RI_SELL_LIMITS_2018);
    let window = if yearly { Window::CalendarYear } else { Window::Lifetime };
    let mut next_year = None;
    if let Some(limit) = cx.param(param::SELL_LIMIT_USD) {
        let sold = cx.quota("ri-marketplace-sales", None, window, |earlier| of_sale(earlier, sold_for(earlier)));
        // A quota that the account states may go on into the new year; one counted from sales begins anew.
        let counted = cx.account().is_some_and(|account| account.quotas.iter().all(|quota| quota.name != sold.name));
        let fits = ask.is_some_and(|ask| ask <= limit.value);
        next_year = (yearly && counted && fits).then(|| cx.zone.next_year(cx.at));
        limit_to(limit.value, QuotaDraw { draws: ask, ..sold }, cx, ruling);
    }
    if let Some(limit) = cx.param(param::SELL_LIMIT_COUNT) {
        let sold = cx.quota("ri-marketplace-count", None, window, |earlier| of_sale(earlier, Some(Number::ONE)));
        limit_to(limit.value, QuotaDraw { draws: Some(resource.quantity()), ..sold }, cx, ruling);
    }
    next_year
}

/// What an earlier exit counts where it was a sale. Other exits are none; one of which the exit is not
/// known may have been one.
fn of_sale(earlier: &ReturnRecord, counts: Option<Number>) -> Option<Number> {
    match earlier.exit? {
        Exit::Resale => counts,
        _ => Some(Number::ZERO),
    }
}

/// The amount of an earlier sale, which is in USD, the only currency of the Marketplace.
fn sold_for(earlier: &ReturnRecord) -> Option<Number> {
    let in_dollars = earlier.currency.is_none_or(|currency| currency == Currency::USD);
    earlier.amount.filter(|_| in_dollars).map(Amount::as_number)
}

fn limit_to(published: Number, draw: QuotaDraw, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    let raised = draw.limit;
    let can_be_raised = cx.in_force(clause::RI_SELL_LIMITS_2018) || cx.in_force(clause::RI_SELL_LIMITS_2020);
    let limit = raised.map_or(published, |raised| if can_be_raised { raised } else { raised.min(published) });
    let draw = QuotaDraw { limit: Some(limit), ..draw };
    // More than the limit was sold already: no price asked, not even 0.00, brings it below.
    let passed = draw.used.is_some_and(|used| used > limit).then_some(true);
    let exceeds = draw.exceeds().or(passed);
    let known = Answer::named("quotas", exceeds);
    if cx.in_force(clause::RI_SELL_LIMITS_UNSETTLED) {
        match exceeds {
            Some(true) => ruling.unknown(clause::RI_SELL_LIMITS_UNSETTLED, Reason::RuleUnknown, None),
            _ => ruling.refuse_as(clause::RI_SELL_LIMITS_UNSETTLED, Reason::QuotaExhausted, known),
        }
    } else {
        ruling.refuse_if(clause::RI_SELL_LIMITS_2018, known);
        ruling.refuse_if(clause::RI_SELL_LIMITS_2020, known);
        ruling.refuse_if(clause::RI_SELL_LIMITS, known);
    }
    ruling.note_quota(draw);
}

/// Time opens the exit on the 30th day and closes it a month before the end; a limit of the calendar
/// year that is full opens with the next. Nothing else that refuses passes with time.
fn until(opens: Option<Instant>, next_year: Option<Instant>, closes: Option<Instant>, ruling: &mut Ruling<'_>) {
    let refusals = &ruling.so_far().refusals;
    let only = |clause: ClauseId| refusals.iter().all(|refusal| refusal.clause == clause);
    let opens = if only(clause::RI_SELL_ELIGIBLE_DAYS) {
        opens
    } else if only(clause::RI_SELL_LIMITS_2018) && next_year.is_some() {
        next_year
    } else {
        return ruling.never_changes();
    };
    let never_opens = !refusals.is_empty() && opens.zip(closes).is_some_and(|(opens, closes)| opens > closes);
    if never_opens {
        ruling.never_changes();
    } else if let Some(opens) = opens {
        ruling.changes_at(opens);
    }
}

fn proceeds<R: Resource>(resource: &R, ask: Option<Number>, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    let days = u32::try_from(whole(cx, param::SELL_PAYOUT_DAYS)).unwrap_or_default();
    ruling.settles_within(clause::RI_SELL_PAYOUT, days, DayKind::Calendar);
    ruling.cite(clause::RI_SELL_FEE);
    let Some(ask) = ask.map(Number::as_amount) else {
        return ruling.no_figure(clause::RI_SELL_PRICE, Reason::PriceUnknown, Some(Figure::AskPrice.as_str()));
    };
    ruling.cite(clause::RI_SELL_PRICE);
    match cx.ledger(resource, resource.paid_orders()) {
        Ok(ledger) => {
            let fee = Exact::from(ask).times(share(cx, param::SELL_FEE));
            ruling.line("fee", || format!("{ask} x {} = {fee}", share(cx, param::SELL_FEE)));
            let to = Destination::BankAccount;
            ruling.refund(RefundQuote::resale(currency(resource, cx), ledger.paid(), ask, &fee, to));
        }
        Err(missing) => ruling.missing(clause::RI_SELL_PRICE, missing),
    }
}
