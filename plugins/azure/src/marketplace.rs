//! Cancelling what a publisher sold, in the first hours or days (policy page, section 4.4).

use recoup_core::policy::KeyRef;
use recoup_core::prelude::*;

use crate::destination::give_back;
use crate::held::{Held, Leaving};
use crate::pool::Pool;
use crate::refusals;
use crate::{clause, param, product, table};

/// How Marketplace items leave.
pub(crate) fn manner(ruling: &mut Ruling<'_>) {
    ruling.effects(&[Effect::Irreversible, Effect::AccessLost]);
    ruling.channel(Channel::Marketplace);
}

/// VM software reservations: everything back within 72 hours, out of the pool as well.
pub(crate) fn vm_software<R: Resource>(resource: &R, cx: &Context<'_>, held: &Held, ruling: &mut Ruling<'_>) {
    let window = cx.param(param::VM_SOFTWARE_WINDOW).and_then(|held| held.whole()).unwrap_or_default();
    let window = Span::hours(window);
    let open = ruling.window_before(clause::RI_VMSR_72H, "purchased_at", held.bought_at, window);
    ruling.refuse_as(clause::RI_VMSR_72H, Reason::PrivateOffer, cx.flag(Flag::PrivateOffer));
    refusals::requester(cx, ruling);
    refusals::state(resource, cx, held, ruling);
    let worth = match held.ledger(resource, cx) {
        Ok(ledger) => {
            let (currency, paid) = (ledger.currency(), ledger.paid());
            let released = still_to_pay(resource, cx, held, currency);
            let mut quote = give_back(resource, cx, held, &ledger, (paid, Amount::ZERO), ruling);
            if let Some(released) = released {
                quote = quote.releasing(&Exact::from(released));
            }
            if open != Some(false) {
                ruling.refund(quote);
            }
            Some((currency, paid, released))
        }
        Err(missing) => {
            ruling.missing(clause::RI_VMSR_72H, missing);
            None
        }
    };
    let pool = Pool::judge(resource, cx, worth, ruling);
    ruling.effects(&[Effect::Irreversible]);
    ruling.channel(Channel::Api);
    if ruling.so_far().refusals.is_empty() {
        return;
    }
    ruling.never_changes();
    let only_the_pool = ruling.so_far().refusals.iter().all(|refusal| refusal.reason == Reason::QuotaExhausted);
    if let (Some((_, paid, released)), Some(pool), true, Some(bought)) = (worth, pool, only_the_pool, held.bought_at)
        && let Some(opens) = pool.opens_at(cx, bought + window, |_| (paid, released))
    {
        ruling.changes_at(opens);
    }
}

/// What a monthly plan would still have charged.
fn still_to_pay<R: Resource>(resource: &R, cx: &Context<'_>, held: &Held, currency: Currency) -> Option<Amount> {
    let commitment = resource.commitment()?;
    let monthly = matches!(commitment.payment_option, Some(PaymentOption::Monthly | PaymentOption::NoUpfront));
    let whole = Exact::from(commitment.recurring.filter(|_| monthly)?).times(i64::from(commitment.term_months?));
    let ledger = cx.ledger(resource, held.orders(resource, cx.at)).ok()?;
    let left = whole.minus(&Exact::from(ledger.paid())).floor_zero();
    Some(Leaving::of(resource, cx).of_whole(left).round(currency))
}

/// A free trial of a SaaS offer: left at any time, nothing was paid.
pub(crate) fn saas_trial<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    let held = Held::of(resource, cx);
    ruling.cite(clause::SAAS_TRIAL);
    refusals::ended(resource, cx, &held, ruling);
    manner(ruling);
    if let Ok(currency) = cx.currency(resource) {
        ruling.refund(RefundQuote::nothing(currency));
    }
    refusals::until_the_end(&held, ruling);
}

/// Items with a fixed fee: everything back in the window of the edition. Gives whether the window is
/// open, where that is known.
pub(crate) fn fixed_fee<R: Resource>(
    resource: &R,
    cx: &Context<'_>,
    held: &Held,
    ruling: &mut Ruling<'_>,
) -> Option<bool> {
    manner(ruling);
    if cx.in_force(clause::BEFORE_2020_11_20) {
        no_rule(resource, cx, clause::BEFORE_2020_11_20, held, ruling);
        return None;
    }
    if resource.status() == Status::Released {
        ruling.refuse(clause::EXIT_RELEASED);
    }
    let open = match cx.product() {
        Some(product::DEVELOPER_SERVICE) => {
            developer_service(resource, cx, held, ruling);
            return None;
        }
        Some(product::OFFICE_ADD_IN) => {
            let window = cx.param(param::ADD_IN_WINDOW).and_then(|held| held.whole()).unwrap_or_default();
            ruling.window_before(clause::OFFICE_ADDIN, "purchased_at", held.bought_at, Span::hours(window))
        }
        Some(product::SAAS) => saas(resource, cx, held, ruling),
        Some(product::MANAGED_APPLICATION) => managed_application(resource, cx, ruling),
        Some(product::PROFESSIONAL_SERVICE) => {
            later_window(resource, cx, (clause::PS, "professional-service"), held, ruling)
        }
        _ => later_window(resource, cx, (clause::CONTAINER, "container-offer"), held, ruling),
    };
    if ruling.so_far().unknowns.iter().all(|unknown| unknown.reason != Reason::RuleUnknown) {
        all_back(resource, cx, held, ruling);
    }
    if !ruling.so_far().refusals.is_empty() {
        ruling.never_changes();
    }
    open
}

/// Everything that was paid for what is held.
fn all_back<R: Resource>(resource: &R, cx: &Context<'_>, held: &Held, ruling: &mut Ruling<'_>) {
    match held.ledger(resource, cx) {
        // What is refused brings nothing, and what was paid is then a matter of the other exits.
        Ok(_) if !ruling.so_far().refusals.is_empty() => {}
        Ok(ledger) => {
            let quote = give_back(resource, cx, held, &ledger, (ledger.paid(), Amount::ZERO), ruling);
            ruling.refund(quote);
        }
        Err(missing) => ruling.missing(clause::SAAS, missing),
    }
}

/// An item for which no window is known in the edition: without one of its own the exit is open until
/// the term ends (section 4, "until").
pub(crate) fn no_rule<R: Resource>(
    resource: &R,
    cx: &Context<'_>,
    clause: ClauseId,
    held: &Held,
    ruling: &mut Ruling<'_>,
) {
    refusals::ended(resource, cx, held, ruling);
    ruling.no_figure(clause, Reason::RuleUnknown, None);
    refusals::until_the_end(held, ruling);
}

/// When an item that knows no renewal was bought: its windows run from the purchase alone.
fn purchase<R: Resource>(resource: &R) -> Option<Instant> {
    let first = || resource.periods().find(|order| order.kind() == OrderKind::Purchase);
    resource.purchased_at().or_else(|| first().and_then(|order| order.placed_at()))
}

/// SaaS: a window by the term of the plan in the texts of 2020 and 2021, and by none in the later ones;
/// where both may be in force, the answer is sure only where they agree (`azm.interim`).
fn saas<R: Resource>(resource: &R, cx: &Context<'_>, held: &Held, ruling: &mut Ruling<'_>) -> Option<bool> {
    let bought = purchase(resource);
    let later = cx.cell(table::FIXED_WINDOW, &["saas".into()]).and_then(|held| held.whole()).map(Span::hours);
    let months = resource.commitment().and_then(|commitment| commitment.term_months).map(i64::from);
    let mut earlier = cx
        .epoch()
        .rows(table::PLAN_WINDOW)
        .filter(|(key, _)| months.is_none_or(|months| key.first().is_some_and(|key| *key == KeyRef::Number(months))))
        .filter_map(|(_, held)| held.whole().map(Span::hours));
    let of_the_plan =
        earlier.next().map(|first| earlier.fold((first, first), |(a, b), next| (a.min(next), b.max(next))));
    match (of_the_plan, later) {
        (None, Some(later)) if !cx.in_force(clause::INTERIM) => {
            ruling.window_before(clause::SAAS, "purchased_at", bought, later)
        }
        (None, _) => {
            // A plan of another term than a month or a year has no rule in those texts.
            no_rule(resource, cx, clause::SAAS, held, ruling);
            None
        }
        (Some((short, long)), None) if short < long => {
            let open = between(cx, bought, short, long);
            if open {
                let field = Some("commitment.term_months");
                ruling.unknown(clause::SAAS, Reason::WindowClosed, field);
                bought.into_iter().for_each(|bought| ruling.changes_at(bought + long));
                return None;
            }
            ruling.window_before(clause::SAAS, "purchased_at", bought, short)
        }
        (Some((only, _)), None) => ruling.window_before(clause::SAAS, "purchased_at", bought, only),
        (Some((short, long)), Some(later)) => {
            either_window(cx, clause::SAAS, bought, short.min(later), long.max(later), ruling)
        }
    }
}

/// Whether the instant asked about lies inside the longer of two windows and outside the shorter.
fn between(cx: &Context<'_>, bought: Option<Instant>, short: Span, long: Span) -> bool {
    bought.is_some_and(|bought| bought + short <= cx.at && cx.at < bought + long)
}

/// Two windows of which one is in force, and nobody knows which.
fn either_window(
    cx: &Context<'_>,
    clause: ClauseId,
    bought: Option<Instant>,
    short: Span,
    long: Span,
    ruling: &mut Ruling<'_>,
) -> Option<bool> {
    if between(cx, bought, short, long) {
        ruling.no_figure(clause::INTERIM, Reason::RuleUnknown, None);
        bought.into_iter().for_each(|bought| ruling.changes_at(bought + long));
        return None;
    }
    ruling.window_before(clause, "purchased_at", bought, short)
}

/// Managed applications: nothing in the texts of 2020 and 2021, the fixed fee later.
fn managed_application<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) -> Option<bool> {
    let later =
        cx.cell(table::FIXED_WINDOW, &["managed-application".into()]).and_then(|held| held.whole().map(Span::hours));
    let bought = purchase(resource);
    match later {
        None => {
            ruling.refuse_as(clause::MANAGED_APP, Reason::ProductNotSupported, true);
            None
        }
        Some(later) if cx.in_force(clause::INTERIM) => {
            either_window(cx, clause::MANAGED_APP, bought, Span::hours(0), later, ruling)
        }
        Some(later) => ruling.window_before(clause::MANAGED_APP, "purchased_at", bought, later),
    }
}

/// Professional services and container offers: a window of the later texts, no rule before them.
fn later_window<R: Resource>(
    resource: &R,
    cx: &Context<'_>,
    (clause, offer): (ClauseId, &'static str),
    held: &Held,
    ruling: &mut Ruling<'_>,
) -> Option<bool> {
    let window = cx.cell(table::FIXED_WINDOW, &[offer.into()]).and_then(|held| held.whole());
    match window {
        Some(hours) => ruling.window_before(clause, "purchased_at", purchase(resource), Span::hours(hours)),
        None => {
            no_rule(resource, cx, clause::BEFORE_2025, held, ruling);
            None
        }
    }
}

/// Developer services: a cancellation gives nothing back, a reduction is prorated in a unit that no
/// page says.
fn developer_service<R: Resource>(resource: &R, cx: &Context<'_>, held: &Held, ruling: &mut Ruling<'_>) {
    if let Leaving::Part(_) = Leaving::of(resource, cx) {
        refusals::ended(resource, cx, held, ruling);
        ruling.no_figure(clause::DEVSERVICES, Reason::RuleUnknown, None);
        refusals::until_the_end(held, ruling);
    } else {
        ruling.refuse(clause::DEVSERVICES);
    }
}
