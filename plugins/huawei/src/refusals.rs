//! What refuses to leave a resource in use, in the order of the lists of 2020 and 2026, and what
//! several exits ask alike.

use recoup_core::prelude::*;

use crate::periods::Periods;
use crate::{clause, list, product};

/// What a marketplace sold, as far as its rules tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ware {
    /// Sold by the provider itself.
    Own,
    /// An image, which goes by the provider's own rules.
    Image,
    /// Software, licences, services and hardware.
    Other,
    /// Nobody said what.
    Unknown,
}

/// What kind of product it is, where a marketplace sold it.
pub(crate) fn ware<R: Resource>(resource: &R, cx: &Context<'_>) -> Ware {
    if resource.seller() == Seller::Provider {
        return Ware::Own;
    }
    match cx.text(resource, Text::MarketplaceProduct) {
        Some("image") => Ware::Image,
        Some("saas" | "license" | "professional_service" | "content_service" | "hardware") => Ware::Other,
        _ => Ware::Unknown,
    }
}

/// Everything that refuses `in_use`, and `full_refund` alike.
pub(crate) fn of_what_is_in_use<R: Resource, O: Order>(
    resource: &R,
    cx: &Context<'_>,
    periods: &Periods<O>,
    ruling: &mut Ruling<'_>,
) {
    of_its_kind(resource, cx, ruling);
    let expired = resource.status() == Status::Expired || periods.expires_at().is_some_and(|end| end <= cx.at);
    ruling.refuse_if(clause::NO_EXPIRED, expired);
    ruling.refuse_as(clause::NO_FROZEN, Reason::FrozenSecurity, cx.flag(Flag::FrozenSecurity));
    ruling.refuse_as(clause::NO_FROZEN, Reason::FrozenLegal, cx.flag(Flag::FrozenLegal));
    ruling.refuse_on(clause::NO_IN_TRANSACTION, Flag::TransactionInProgress);
    ruling.refuse_if(clause::NO_PENDING_ORDER, cx.flag(Flag::UnpaidOrder).or(periods.unpaid.into()));
    // Asked only where a card paid; elsewhere it refuses if it is known nevertheless.
    let before_reseller = cx.flag(Flag::StoredValueCardBeforeReseller);
    let by_card = resource.paid_with(Instrument::StoredValueCard);
    let card = if by_card { before_reseller } else { before_reseller.unknown_is_no() };
    ruling.refuse_if(clause::NO_STORED_CARD_BEFORE_RESELLER, card);
    of_invoices(resource, cx, clause::NO_KOO_INVOICED, clause::NO_REFERRAL_PARTNER_PAID_INVOICED, ruling);
    ruling.refuse_on(clause::NO_SALES_CONTRACT, Flag::SalesContract);
    ruling.refuse_on(clause::NO_PROMO, Flag::Promotion);
    ruling.refuse_on(clause::NO_SPECIAL, Flag::SpecialRequestOpen);
    of_its_product(cx, ruling);
    of_the_marketplace(resource, cx, ruling);
    ruling.refuse_if(clause::NO_COMBINED, resource.bundle().is_some());
    ruling.cite_if(clause::RELATION_PORTFOLIO, resource.bundle().is_some());
    // A record that names a primary but not how it hangs on it leaves that open.
    let bound = match resource.relation() {
        Some(relation) => Some(relation == Relation::Bound),
        None if resource.primary().is_some() => None,
        None => Some(false),
    };
    ruling.refuse_if(clause::RELATION_BOUND, Answer::named("relation", bound));
    ruling.cite_if(clause::RELATION_PRIMARY_SECONDARY_2020, resource.relation() == Some(Relation::Attached));
    ruling.refuse_if(clause::NO_NOT_EXIST, (!cx.flag(Flag::Exists)).unknown_is_no());
    ruling.refuse_if(clause::NO_DELETED, resource.status() == Status::Released);
    ruling.refuse_on(clause::NO_ARCHIVED, Flag::Archived);
    ruling.refuse_on(clause::NO_SENIOR_BENEFIT, Flag::TrialBenefitUsed);
}

/// What its way of billing refuses.
fn of_its_kind<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    match resource.billing() {
        Billing::Package => ruling.refuse_if(clause::NO_PACKAGE, !cx.listed(list::PACKAGE_EXCEPTIONS)),
        Billing::SavingsPlan => ruling.refuse(clause::NO_SAVINGS_PLAN),
        Billing::SupportPlan => ruling.refuse_on(clause::NO_SUPPORT_PLAN_USED, Flag::SupportBenefitUsed),
        _ => {}
    }
}

/// What the lists of products and the products' own pages refuse.
fn of_its_product(cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    let Some(named) = cx.product() else { return };
    ruling.refuse_if(clause::NO_DEVCLOUD, named == product::DEVCLOUD);
    ruling.refuse_if(clause::NO_PRODUCT_LIST_2020, cx.listed(list::NOT_2020));
    ruling.refuse_if(clause::NO_PRODUCT_LIST_CN, cx.listed(list::NOT_CN));
    ruling.refuse_if(clause::NO_PRODUCT_LIST_EU_2026, cx.listed(list::NOT_EU_2026));
    ruling.refuse_if(clause::PRODUCT_DOMAIN, cx.listed(list::NOT_REFUNDABLE_DOMAINS));
    ruling.refuse_if(clause::PRODUCT_EIP_POOL, named == product::EIP_POOL);
    ruling.refuse_if(clause::PRODUCT_TRAFFIC_PACKAGE, named == product::TRAFFIC_PACKAGE);
    ruling.refuse_if(clause::PRODUCT_AAD, named == product::AAD);
    // The page contradicts itself.
    ruling.refuse_if(clause::PRODUCT_DHSM, (named != product::DHSM).then_some(false));
}

/// What the marketplace's rules refuse.
fn of_the_marketplace<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    match ware(resource, cx) {
        Ware::Own => {}
        Ware::Image => {
            ruling.refuse_if(clause::KOO_INTL, false);
            ruling.refuse_if(clause::KOO_CN, false);
        }
        Ware::Other => {
            ruling.refuse(clause::KOO_INTL);
            ruling.unknown(clause::KOO_CN, Reason::RuleUnknown, None);
        }
        Ware::Unknown => ruling.refuse_if(clause::NO_KOO, Answer::named(Text::MarketplaceProduct.as_str(), None)),
    }
}

/// An invoice that a marketplace issued, or one for an order that a partner paid. An ordinary invoice
/// refuses nothing here.
pub(crate) fn of_invoices<R: Resource>(
    resource: &R,
    cx: &Context<'_>,
    of_the_marketplace: ClauseId,
    of_a_partner: ClauseId,
    ruling: &mut Ruling<'_>,
) {
    let invoiced = cx.flag(Flag::Invoiced);
    if resource.seller() == Seller::Marketplace {
        ruling.refuse_as(of_the_marketplace, Reason::Invoiced, invoiced);
    }
    ruling.refuse_as(of_a_partner, Reason::PaidByPartner, cx.flag(Flag::PaidByPartner).and(invoiced));
}

/// Where an exit is taken: the call serves subscriptions, the console the rest.
pub(crate) fn channel<R: Resource>(resource: &R) -> Channel {
    if resource.billing() == Billing::Subscription && resource.seller() == Seller::Provider {
        Channel::Api
    } else {
        Channel::Console
    }
}

/// Drops `until` where the exit is refused: none of these refusals passes with time.
pub(crate) fn stays_refused(ruling: &mut Ruling<'_>) {
    if ruling.so_far().outcome() == Outcome::Refused {
        ruling.never_changes();
    }
}
