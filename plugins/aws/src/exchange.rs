//! Exchanging a Convertible Reserved Instance, and Redshift DC1 nodes (sections 4.2 and 4.4).

use recoup_core::prelude::*;

use crate::refusals::is_over;
use crate::terms::{has_upfront, hourly_price, over_hours, whole};
use crate::{clause, param};

const TARGET_TEXTS: [Text; 3] = [Text::TargetProduct, Text::TargetBilling, Text::TargetPaymentOption];
const TARGET_FIGURES: [Figure; 5] = [
    Figure::TargetHourly,
    Figure::TargetMonthly,
    Figure::TargetCommitment,
    Figure::TargetProratedUpfront,
    Figure::TargetTermMonths,
];

/// Whether the record says what the exchange leads to.
pub(crate) fn has_target<R: Resource>(resource: &R) -> bool {
    TARGET_TEXTS.iter().any(|text| resource.text(*text).is_some())
        || TARGET_FIGURES.iter().any(|figure| resource.figure(*figure).is_some())
}

/// Whether the exchange of a Reserved Instance is ruled: always of a standard one (refused), of any
/// other where a target is given or where none could be allowed.
pub(crate) fn is_ruled<R: Resource>(resource: &R, cx: &Context<'_>) -> bool {
    let class = resource.commitment().and_then(|commitment| commitment.class);
    class == Some(Class::Standard)
        || has_target(resource)
        || !is_active(resource, cx)
        || cx.flag(Flag::TransactionInProgress).is_yes()
        || last_instant(resource, cx).is_some_and(|last| last < cx.at)
}

/// Exchanging for another convertible one: nothing comes back, a true-up may be due.
pub(crate) fn reserved_instance<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.cite(clause::RI_CANCEL_NEVER);
    ruling.unknown(clause::SITE_CN, Reason::RuleUnknown, None);
    let class = resource.commitment().and_then(|commitment| commitment.class);
    ruling.refuse_if(
        clause::RI_EXCHANGE_ELIGIBLE_CLASS,
        Answer::named("commitment.class", class.map(|class| class == Class::Standard)),
    );
    ruling.refuse_if(clause::RI_EXCHANGE_ELIGIBLE_ACTIVE, !is_active(resource, cx));
    ruling.refuse_on(clause::RI_EXCHANGE_ELIGIBLE_PENDING, Flag::TransactionInProgress);
    ruling.window(clause::RI_EXCHANGE_ELIGIBLE_HOURS, "ends_at", last_instant(resource, cx), |at, last| at <= last);
    ruling.refuse_if(clause::RI_EXCHANGE_PAYMENT, target_refused(resource, cx));
    ruling.waits_only_for(&[]);
    value(clause::RI_EXCHANGE_VALUE, resource, cx, ruling);
    ruling.effects(&[Effect::Irreversible]);
    ruling.channel(Channel::Api);
}

/// Exchanging a Redshift DC1 node for DC2.
pub(crate) fn redshift_node<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    let node_type = resource.commitment().and_then(|commitment| commitment.unit);
    ruling.refuse_if(
        clause::REDSHIFT_RN_EXCHANGE,
        Answer::named("commitment.unit", node_type.map(|node| !node.starts_with("dc1"))),
    );
    let target = resource.text(Text::TargetProduct);
    ruling.refuse_if(clause::REDSHIFT_RN_EXCHANGE_TARGET, target.is_some_and(|target| !target.starts_with("dc2")));
    ruling.refuse_if(clause::REDSHIFT_RN_EXCHANGE_STATE, !is_active(resource, cx));
    ruling.refuse_on(clause::REDSHIFT_RN_EXCHANGE_PENDING, Flag::TransactionInProgress);
    if let Some(end) = resource.ends_at() {
        ruling.changes_at(end);
    }
    ruling.waits_only_for(&[]);
    value(clause::REDSHIFT_RN_EXCHANGE, resource, cx, ruling);
    ruling.effects(&[Effect::Irreversible]);
    ruling.channel(Channel::Api);
}

fn is_active<R: Resource>(resource: &R, cx: &Context<'_>) -> bool {
    resource.status() == Status::Active && !is_over(resource, cx)
}

/// The last instant at which 24 hours are left.
fn last_instant<R: Resource>(resource: &R, cx: &Context<'_>) -> Option<Instant> {
    resource.ends_at().map(|end| end - Span::hours(whole(cx, param::EXCHANGE_HOURS_LEFT)))
}

/// What was paid ahead must not turn into hourly charges, and hourly charges must not fall. A target
/// of which nothing is said refuses nothing: none was chosen.
fn target_refused<R: Resource>(resource: &R, cx: &Context<'_>) -> Answer {
    if cx.text(resource, Text::TargetPaymentOption) != Some(PaymentOption::NoUpfront.as_str()) {
        return Answer::from(false);
    }
    let upfront = has_upfront(resource);
    let target = cx.figure(resource, Figure::TargetHourly);
    let cheaper = match (target, hourly_price(resource)) {
        (None, _) => Some(false),
        (Some(target), Some(old)) => Some(target.as_amount() < old),
        (Some(_), None) => None,
    };
    upfront.or(Answer::named("commitment.recurring", cheaper))
}

/// The value that goes along: what was paid ahead, over the time that is left, and the hourly charges
/// that are left; and the true-up that a dearer target costs.
fn value<R: Resource>(clause: ClauseId, resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.cite(clause);
    let ledger = match cx.ledger(resource, resource.paid_orders()) {
        Ok(ledger) => ledger,
        Err(missing) => return ruling.missing(clause, missing),
    };
    let left = resource.ends_at().map(|end| end.since(cx.at));
    let remaining = match (left, resource.starts_at().zip(resource.ends_at())) {
        _ if ledger.paid().is_zero() => Exact::ZERO,
        (Some(left), Some((start, end))) => {
            let term = end.since(start).micros();
            let left = left.micros().clamp(0, term.max(0));
            ruling.line("carried over", || format!("{} x {left} / {term} microseconds", ledger.paid()));
            Exact::from(ledger.paid()).times_ratio(left, term)
        }
        _ => {
            let field = if resource.ends_at().is_none() { "ends_at" } else { "starts_at" };
            return ruling.no_figure(clause, Reason::PriceUnknown, Some(field));
        }
    };
    let mut draft = ledger.settle(|_| Disposition::Share(Destination::OriginalPaymentMethod));
    draft.carry_over(&remaining);
    let rest = Exact::from(draft.left());
    draft.consume(&rest);
    let mut quote = draft.finish().carrying_nothing();
    if let (Some(hourly), Some(left)) = (hourly_price(resource), left) {
        quote = quote.releasing(&over_hours(hourly, left));
    }
    if let Some(new) = cx.figure(resource, Figure::TargetProratedUpfront) {
        let due = Exact::from(new).minus(&remaining).floor_zero();
        ruling.line("true-up", || format!("{new} - {remaining}, never below nothing"));
        quote = quote.charging(&due);
    }
    ruling.refund(quote);
}
