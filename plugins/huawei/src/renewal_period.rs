//! Giving back the renewals that have not begun, and keeping the resource.

use recoup_core::prelude::*;

use crate::periods::Periods;
use crate::refusals::channel;
use crate::{clause, money, product, refusals, review};

/// Giving back every renewal that has not begun, by its own list of refusals.
pub(crate) fn renewal_period<R: Resource, O: Order>(
    resource: &R,
    cx: &Context<'_>,
    periods: &Periods<O>,
    ruling: &mut Ruling<'_>,
) {
    ruling.cite(clause::SCENARIO_RENEWAL_ONLY);
    ruling.cite(clause::RENEWAL_ONLY_FUTURE);
    ruling.refuse_on(clause::RENEWAL_REFUSE_OTHER_TRANSACTION, Flag::TransactionInProgress);
    ruling.refuse_on(clause::RENEWAL_REFUSE_CHANGED_BEFORE_EFFECTIVE, Flag::ChangedBeforeRenewal);
    ruling.refuse_on(clause::RENEWAL_REFUSE_SUBSIDIARY_ADDED_AFTER, Flag::AttachmentAddedAfterRenewal);
    ruling.refuse_on(clause::RENEWAL_REFUSE_BANDWIDTH_ADDON, Flag::BandwidthAddon);
    ruling.refuse_if(clause::RENEWAL_REFUSE_PROMOTION, promotion(resource, cx));
    let invoice = clause::RENEWAL_REFUSE_INVOICE;
    refusals::of_invoices(resource, cx, invoice, invoice, ruling);
    ruling.refuse_if(clause::RENEWAL_REFUSE_CLOUDSITE, cx.is_product(product::CLOUDSITE));
    ruling.refuse_on(clause::RENEWAL_REFUSE_LEGAL_FREEZE, Flag::FrozenLegal);
    let all_begun = if periods.next_renewal.is_some() {
        Some(false)
    } else {
        // A renewal without a date may or may not have begun.
        (!periods.undated_renewal).then_some(true)
    };
    ruling.refuse_if(clause::RENEWAL_REFUSE_NONE_LEFT, Answer::named("starts_at", all_begun));
    ruling.effects(&[Effect::Irreversible]);
    ruling.channel(channel(resource));
    if let Some(start) = periods.next_renewal {
        ruling.changes_at(start);
        ruling.cite_if(clause::RENEWAL_MANY, resource.pending_renewals(cx.at).nth(1).is_some());
        if periods.undated_renewal {
            ruling.no_figure(clause::RENEWAL_REFUND, Reason::RuleUnknown, Some("starts_at"));
        } else {
            let orders = resource.pending_renewals(cx.at);
            money::give_back_all(resource, cx, orders, clause::RENEWAL_REFUND, false, ruling);
        }
        review::of_large_amounts(cx, resource.pending_renewals(cx.at), ruling);
    }
    refusals::stays_refused(ruling);
}

/// A promotion of the resource, of a renewal that leaves or of the account; one of another order
/// alone does not refuse.
fn promotion<R: Resource>(resource: &R, cx: &Context<'_>) -> Answer {
    let mut flags = resource.flags();
    for order in resource.pending_renewals(cx.at) {
        flags = flags.and_also(order.flags());
    }
    if let Some(account) = cx.account() {
        flags = flags.and_also(account.facts.flags);
    }
    let stated = flags.get(Flag::Promotion);
    Answer::of(Flag::Promotion, stated.or(cx.account_flag(Flag::Promotion).known()))
}
