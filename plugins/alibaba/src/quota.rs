//! Quotas (section 7 of the rules).

use recoup_core::policy::Held;
use recoup_core::prelude::*;
use recoup_core::record::ReturnRecord;

use crate::scope::{Full, is_plan, is_reserved_instance};
use crate::{clause, list, param, product};

/// The five-day quotas' names by product; what is not named shares that of ECS.
const NAMES: &[(ProductId, &str)] = &[
    (product::SWAS, "five_day_full_refund.swas"),
    (product::RDS, "five_day_full_refund.rds"),
    (product::REDIS, "five_day_full_refund.redis"),
    (product::MONGODB, "five_day_full_refund.mongodb"),
    (product::MYBASE, "five_day_full_refund.mybase"),
    (product::ADB_PG, "five_day_full_refund.adb_pg"),
    (product::ADB_MYSQL, "five_day_full_refund.adb_mysql"),
    (product::POLARDBX, "five_day_full_refund.polardbx"),
    (product::TAIR, "five_day_full_refund.tair"),
    (product::WEB_HOSTING, "five_day_full_refund.web_hosting"),
    (product::ELASTICSEARCH, "five_day_full_refund.elasticsearch"),
    (product::RPA, "five_day_full_refund.rpa"),
    (product::SAS, "five_day_full_refund.sas"),
    (product::SLB, "five_day_full_refund.slb"),
    (product::NAT, "five_day_full_refund.nat"),
    (product::SCU, "five_day_full_refund.scu"),
    (product::ELASTICITY_ASSURANCE, "five_day_full_refund.elasticity_assurance"),
    (product::ANTI_DDOS_IP, "five_day_full_refund.anti_ddos_ip"),
    (product::SECURITY_NETWORK, "five_day_full_refund.security_network"),
    (product::GA, "five_day_full_refund.ga"),
];

const SHARED: &str = "five_day_full_refund.ecs";

/// A quota that is an input: its limit and what is used stand in the account or nowhere.
pub(crate) fn stated(name: &'static str, window: Window, cx: &Context<'_>) -> QuotaDraw {
    let entry = cx.account().and_then(|account| account.quotas.iter().find(|quota| quota.name == name));
    QuotaDraw {
        name: name.into(),
        limit: entry.and_then(|quota| quota.limit),
        used: entry.map(|quota| quota.used),
        draws: Some(Number::ONE),
        window,
    }
}

/// Draws on the quota of full refunds without a reason. Where this year's is used up by returns that
/// are known, the new year gives it back.
pub(crate) fn full_refunds<R: Resource>(resource: &R, cx: &Context<'_>, kind: Full, ruling: &mut Ruling<'_>) {
    let Some((by, draw)) = of_full_refunds(resource, cx, kind) else { return };
    let counted = cx.account().is_some_and(|account| account.quotas.iter().all(|quota| quota.name != draw.name));
    if counted && draw.window == Window::CalendarYear && draw.exceeds() == Some(true) {
        ruling.changes_at(cx.zone.next_year(cx.at));
    }
    ruling.draw(by, draw);
}

/// Whether the quota of full refunds without a reason is known to be used up.
pub(crate) fn is_used_up<R: Resource>(resource: &R, cx: &Context<'_>, kind: Full) -> bool {
    of_full_refunds(resource, cx, kind).is_some_and(|(_, draw)| draw.exceeds() == Some(true))
}

fn of_full_refunds<R: Resource>(resource: &R, cx: &Context<'_>, kind: Full) -> Option<(ClauseId, QuotaDraw)> {
    let (by, held, window) = rule(cx, kind);
    let held = held?;
    let ever = by == clause::FULL_CN_2018 && cx.listed(list::FIVE_DAY_EVER);
    let name = if ever { "five_day_full_refund" } else { name(resource, cx) };
    let counts = |entry: &ReturnRecord| {
        count(entry, cx, |other| {
            if ever { cx.epoch().listed(list::FIVE_DAY_EVER, Some(other)) } else { name_of(other) == name }
        })
    };
    Some((by, cx.quota(name, Some(held.value), window, counts)))
}

/// By which clause, with which limit and over which time a kind of full refund counts.
fn rule(cx: &Context<'_>, kind: Full) -> (ClauseId, Option<Held>, Window) {
    if kind == Full::GlobalAccelerator {
        return (clause::ROW_GA_ONCE, cx.param(param::GA_LIMIT), Window::Lifetime);
    }
    if cx.listed(list::ROW_FULL_SECURITY) {
        return (clause::FULL_CN_2018_SECURITY, cx.param(param::SECURITY_LIMIT), Window::Lifetime);
    }
    let limit = cx.param(param::FIVE_DAY_LIMIT);
    if cx.in_force(clause::FULL_CN_2018) {
        return (clause::FULL_CN_2018, limit, Window::Lifetime);
    }
    (clause::DENY_FIVE_DAY_QUOTA, limit, Window::CalendarYear)
}

fn name<R: Resource>(resource: &R, cx: &Context<'_>) -> &'static str {
    let shared = is_plan(resource, cx) || is_reserved_instance(resource, cx);
    cx.product().filter(|_| !shared).map_or(SHARED, |product| name_of(product))
}

/// ECS instances, resource plans and reserved instances share one quota, every other product has its own.
fn name_of(product: ProductId) -> &'static str {
    NAMES.iter().find(|(named, _)| *named == product).map_or(SHARED, |(_, name)| *name)
}

fn count(entry: &ReturnRecord, cx: &Context<'_>, same: impl Fn(ProductId) -> bool) -> Option<Number> {
    if entry.exit? != Exit::FullRefund {
        return Some(Number::ZERO);
    }
    let product = cx.book().product(entry.product.as_deref()?);
    let counts = product.is_some_and(|product| {
        let has_quota = product == product::ECS
            || NAMES.iter().any(|(named, _)| *named == product)
            || cx.epoch().listed(list::PLANS, Some(product));
        has_quota && same(product)
    });
    Some(if counts { Number::ONE } else { Number::ZERO })
}
