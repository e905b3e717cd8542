//! Which exits a product has: the matrix of the rule page, the product rows that win over it, and the
//! fact that decides for a product that no page names (`ali.scope.product-matrix`, section 4.9).

use recoup_core::policy::Held;
use recoup_core::prelude::*;

use crate::{clause, list, param, product, table};

/// Whether an exit exists for a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Support {
    /// A page says so.
    Yes,
    /// It does not exist.
    No,
    /// No page names the product: only asking tells.
    Ask,
}

/// The kinds of full refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Full {
    /// Of the unused, within a product's own window in days, which a clause prints.
    Unused(Held),
    /// Of the unused and not expired, whatever the age.
    UnusedAnyAge,
    /// Of a plan by the general rules: unused, or on the China site without a reason.
    Plan,
    /// Within five days without a reason, once a quota.
    FiveDays,
    /// Security Center of the international site.
    SecurityCenter,
    /// Of a reserved instance, once a quota.
    Reserved,
    /// Of an SSL certificate.
    Certificate,
    /// GA of 2018.
    GlobalAccelerator,
}

/// The exits of a product on a site at an instant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope {
    /// The clause by which it has none at all.
    pub(crate) never: Option<ClauseId>,
    /// Whether it has a partial refund.
    pub(crate) partial: Support,
    /// Whether its pending renewals come back.
    pub(crate) renewals: bool,
    /// Its full refund, if it has one.
    pub(crate) full: Option<Full>,
}

impl Scope {
    pub(crate) fn of<R: Resource>(resource: &R, cx: &Context<'_>) -> Self {
        let mut scope = Self { never: never(resource, cx), partial: Support::No, renewals: true, full: None };
        if scope.never.is_some() {
            return scope;
        }
        if is_reserved_instance(resource, cx) {
            scope.full = Some(Full::Reserved);
            return scope;
        }
        scope.partial = partial(resource, cx);
        scope.full = full(resource, cx);
        scope.renewals = !cx.listed(list::NO_RENEWAL);
        if scope.partial == Support::Ask && cx.flag(Flag::RefundNotSupported).is_no() {
            scope.partial = Support::Yes;
        }
        scope
    }
}

/// A resource plan: billed as a package, or one of the plans that pages name.
pub(crate) fn is_plan<R: Resource>(resource: &R, cx: &Context<'_>) -> bool {
    resource.billing() == Billing::Package || cx.listed(list::PLANS)
}

/// A reserved instance: the only thing billed as a reservation under the code of ECS.
pub(crate) fn is_reserved_instance<R: Resource>(resource: &R, cx: &Context<'_>) -> bool {
    resource.billing() == Billing::Reservation && cx.is_product(product::ECS)
}

fn never<R: Resource>(resource: &R, cx: &Context<'_>) -> Option<ClauseId> {
    if resource.billing() == Billing::SavingsPlan {
        return Some(clause::DENY_SAVINGS_PLAN);
    }
    if is_reserved_instance(resource, cx) && cx.in_force(clause::ROW_NEVER_INTL) {
        return Some(clause::ROW_NEVER_INTL);
    }
    [
        (list::NEVER, clause::ROW_NEVER),
        (list::NEVER_CN, clause::ROW_NEVER_CN),
        (list::NEVER_INTL, clause::ROW_NEVER_INTL),
        (list::NEVER_WAF, clause::ROW_WAF_2020),
    ]
    .into_iter()
    .find(|(list, _)| cx.listed(*list))
    .map(|(_, clause)| clause)
    .or_else(|| cx.flag(Flag::RefundNotSupported).is_yes().then_some(clause::DENY_PRODUCT))
}

fn partial<R: Resource>(resource: &R, cx: &Context<'_>) -> Support {
    let any = |lists: &[ListId]| lists.iter().any(|list| cx.listed(*list));
    if any(&[list::ROW_FULL, list::ROW_FULL_CN, list::ROW_FULL_OSS, list::ROW_FULL_GA, list::ROW_FULL_SECURITY]) {
        Support::No
    } else if any(&[
        list::MATRIX,
        list::MATRIX_PLANS,
        list::ROW_PARTIAL,
        list::ROW_PARTIAL_CN,
        list::ROW_PARTIAL_WAF,
        list::ROW_PARTIAL_GA,
        list::ROW_PARTIAL_OSS,
    ]) || is_general_plan_cn(resource, cx)
    {
        Support::Yes
    } else {
        Support::Ask
    }
}

/// Every plan of the China site that no row names goes by the general rules of plans there.
fn is_general_plan_cn<R: Resource>(resource: &R, cx: &Context<'_>) -> bool {
    is_plan(resource, cx) && cx.in_force(clause::SCOPE_CN_FIVE_DAY_PRODUCTS)
}

/// The five-day lists of the China site.
fn has_five_days(cx: &Context<'_>) -> bool {
    [
        list::FIVE_DAY,
        list::FIVE_DAY_2022,
        list::FIVE_DAY_LONG,
        list::FIVE_DAY_ELASTICSEARCH,
        list::FIVE_DAY_CAPACITY,
        list::ROW_FULL_SECURITY,
    ]
    .into_iter()
    .any(|list| cx.listed(list))
}

fn full<R: Resource>(resource: &R, cx: &Context<'_>) -> Option<Full> {
    if has_five_days(cx) {
        return Some(Full::FiveDays);
    }
    if resource.billing() == Billing::Subscription && cx.listed(list::MATRIX) {
        return None;
    }
    if cx.is_product(product::SSL_CERTIFICATE) {
        return Some(Full::Certificate);
    }
    if cx.listed(list::ROW_PARTIAL_OSS) {
        // Its row of today says that it has a full refund, not which: the general rules of plans hold.
        return Some(Full::Plan);
    }
    if cx.listed(list::ROW_WINDOW) {
        return cx.cell(table::UNUSED_WINDOW, &[cx.product_name(resource).into()]).map(Full::Unused);
    }
    if cx.listed(list::ANY_AGE) || cx.listed(list::ANY_AGE_CN) {
        return Some(Full::UnusedAnyAge);
    }
    if cx.listed(list::SAS) {
        return Some(Full::SecurityCenter);
    }
    if cx.listed(list::ROW_FULL_GA) {
        return Some(Full::GlobalAccelerator);
    }
    let is_plan = cx.listed(list::MATRIX_PLANS)
        || (is_general_plan_cn(resource, cx)
            && partial(resource, cx) == Support::Yes
            && !cx.listed(list::ROW_PARTIAL_CN));
    let in_force = cx.param(param::PLAN_DAYS).is_some() || cx.param(param::PLAN_FIVE_DAYS).is_some();
    (is_plan && in_force).then_some(Full::Plan)
}
