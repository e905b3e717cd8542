//! Which exits a product gets.

use recoup_core::prelude::*;

use crate::{clause, list, product};

/// What the pages offer for a resource.
pub(crate) enum Offer {
    /// Pay-as-you-go.
    Metered,
    /// Gifted, free or on trial.
    Gifted(Reason),
    /// A product whose page says never.
    Never,
    /// No page speaks of it.
    NoRule(Reason),
    /// Third-party goods.
    Marketplace,
    /// Case by case on contact.
    Agreement,
    /// Listed by `RefundInstance`, without a price rule.
    RefundInstance,
    /// SSL certificates.
    Certificate,
    /// Training classes.
    Training,
    /// QiDian.
    QiDian,
    /// The live plug-in of mini-programs.
    LivePlugin,
    /// The returns of the general page or of a pack's page.
    Returns {
        /// Whether there is a full return.
        full: bool,
        /// Whether there is an ordinary return.
        part: bool,
    },
}

/// Whether the site is the international one.
pub(crate) fn is_intl(cx: &Context<'_>) -> bool {
    cx.site() == "intl"
}

/// What the pages offer for a resource.
pub(crate) fn of<R: Resource>(resource: &R, cx: &Context<'_>) -> Offer {
    let marketplace = resource.seller() == Seller::Marketplace || cx.listed(list::MARKETPLACE);
    match resource.billing() {
        Billing::PayAsYouGo | Billing::Spot => return Offer::Metered,
        _ if marketplace => return Offer::Marketplace,
        Billing::Free => return Offer::Gifted(Reason::Free),
        Billing::Trial => return Offer::Gifted(Reason::Trial),
        _ => {}
    }
    by_product(resource, cx).unwrap_or_else(|| by_billing(resource, cx))
}

fn by_product<R: Resource>(resource: &R, cx: &Context<'_>) -> Option<Offer> {
    let any = |lists: &[ListId]| lists.iter().any(|id| cx.listed(*id));
    let returns = |full, part| Some(Offer::Returns { full, part });
    if any(&[list::NEVER, list::NEVER_BEAUTY, list::NEVER_SECURITY]) {
        Some(Offer::Never)
    } else if any(&[list::REFUND_INSTANCE, list::REFUND_INSTANCE_INTL]) {
        Some(Offer::RefundInstance)
    } else if any(&[list::NO_RULE, list::NO_RULE_SECURITY, list::NO_RULE_FIREWALL]) {
        Some(Offer::NoRule(Reason::RuleUnknown))
    } else if cx.listed(list::AGREEMENT) {
        Some(Offer::Agreement)
    } else if let Some(offer) = own_contract(cx) {
        Some(offer)
    } else if any(&[list::PACKS_FULL, list::PACKS_FULL_INTL]) {
        returns(true, false)
    } else if cx.listed(list::PACKS_BOTH) {
        returns(true, true)
    } else if any(&[list::PACKS_PART, list::PACKS_PART_INTL]) {
        returns(false, true)
    } else if cx.listed(list::ALL_PACKS) || (resource.billing() == Billing::Package && cx.product().is_none()) {
        Some(Offer::NoRule(Reason::RuleUnknown))
    } else {
        None
    }
}

/// Products whose page is a contract of its own, on the China site only.
fn own_contract(cx: &Context<'_>) -> Option<Offer> {
    let offer = match cx.product()? {
        product::SSL => Offer::Certificate,
        product::TRAINING_CLASS => Offer::Training,
        product::QIDIAN => Offer::QiDian,
        product::LIVE_PLUGIN => Offer::LivePlugin,
        _ => return None,
    };
    Some(if is_intl(cx) { Offer::NoRule(Reason::RuleUnknown) } else { offer })
}

fn by_billing<R: Resource>(resource: &R, cx: &Context<'_>) -> Offer {
    match resource.billing() {
        Billing::Subscription | Billing::Package => {}
        Billing::Reservation if cx.is_product(product::EKS_RESERVED_COUPON) => {}
        Billing::OneOff => return Offer::NoRule(Reason::OneOff),
        _ => return Offer::NoRule(Reason::RuleUnknown),
    }
    Offer::Returns { full: has_full_refund(cx), part: has_ordinary_return(cx) }
}

/// The five-day return: everywhere on the China site, by product on the international one, and open
/// there while it is not known when it ended. The network of a host leaves only with the host.
fn has_full_refund(cx: &Context<'_>) -> bool {
    if cx.is_product(product::CVM_BANDWIDTH) || cx.listed(list::PARTIAL_ONLY) {
        return false;
    }
    !is_intl(cx)
        || cx.in_force(clause::UNKNOWN_INTL_CHANGE)
        || [list::FIVE_INTL, list::FIVE_INTL_APIGW, list::FIVE_INTL_TCMG].iter().any(|id| cx.listed(*id))
}

/// From 2016-12-01 to 2018-02-28 there was one kind of return only, but for CVM from 2017-06-20 on.
fn has_ordinary_return(cx: &Context<'_>) -> bool {
    !cx.in_force(clause::FIVE_DISCOUNTED) || (cx.in_force(clause::PART_2017) && cx.is_product(product::CVM))
}
