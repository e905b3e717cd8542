//! Quotas: the five-day right and the ordinary returns.

use std::borrow::Cow;
use std::sync::LazyLock;

use recoup_core::adapter::Rules;
use recoup_core::prelude::*;

use crate::{Tencent, clause, list, param, table};

/// The quota names of every product, so that no ruling builds one.
static NAMES: LazyLock<Vec<[String; 2]>> = LazyLock::new(|| {
    let products = Rules::<Tencent>::policy().map(|policy| policy.products).unwrap_or_default();
    products
        .into_iter()
        .map(|product| [format!("five_day_full_refund.{}", product.id), format!("ordinary_returns.{}", product.id)])
        .collect()
});

#[derive(Clone, Copy)]
enum Kind {
    FiveDay,
    Ordinary,
}

fn name<R: Resource>(resource: &R, cx: &Context<'_>, kind: Kind) -> Cow<'static, str> {
    let known = cx.product().and_then(|product| NAMES.get(usize::from(product.0)));
    match (known, kind) {
        (Some([name, _]), Kind::FiveDay) | (Some([_, name]), Kind::Ordinary) => Cow::Borrowed(name.as_str()),
        (None, Kind::FiveDay) => Cow::Owned(format!("five_day_full_refund.{}", resource.product())),
        (None, Kind::Ordinary) => Cow::Owned(format!("ordinary_returns.{}", resource.product())),
    }
}

fn draw<R: Resource>(
    resource: &R,
    cx: &Context<'_>,
    kind: Kind,
    exit: Exit,
    limit: Option<Number>,
    window: Window,
) -> QuotaDraw {
    cx.quota(name(resource, cx, kind), limit, window, |entry| {
        let other_exit = entry.exit.map(|other| other != exit);
        let other_product = entry.product.as_deref().map(|name| {
            let product = cx.book().product(name);
            if product.is_some() { product != cx.product() } else { name != resource.product() }
        });
        match (other_exit, other_product) {
            (Some(true), _) | (_, Some(true)) => Some(Number::ZERO),
            // A bundle or a specification has a quota of its own, and an earlier return does not say which.
            (Some(false), Some(false)) if !cx.listed(list::BY_BUNDLE) => Some(Number::ONE),
            _ => None,
        }
    })
}

/// The five-day right: one a product and subject, once in a lifetime.
pub(crate) fn five_day<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    let Some(limit) = cx.param(param::FIVE_QUOTA) else { return };
    let yearly = cx.is_product(crate::product::CVM) && cx.in_force(clause::FIVE_QUOTA_YEARLY);
    ruling.cite_if(clause::FIVE_QUOTA_YEARLY, yearly);
    let window = if yearly { Window::CalendarYear } else { Window::Lifetime };
    let draw = draw(resource, cx, Kind::FiveDay, Exit::FullRefund, Some(limit.value), window);
    ruling.draw(limit.clause, draw);
}

/// The ordinary returns of a product, where its page prints how many there are, or the account does.
/// Gives when a used one frees again: of a figure that the account states nobody knows the year.
pub(crate) fn ordinary<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) -> Option<Instant> {
    let limit = cx.cell(table::ORDINARY_QUOTA, &[cx.product_name(resource).into()]);
    let window = if cx.listed(list::LIFETIME_QUOTA) { Window::Lifetime } else { Window::CalendarYear };
    let draw = draw(resource, cx, Kind::Ordinary, Exit::InUse, limit.map(|limit| limit.value), window);
    draw.limit?;
    let stated = cx.account().is_some_and(|account| account.quotas.iter().any(|quota| quota.name == draw.name));
    let frees = draw.exceeds() == Some(true) && !stated && window == Window::CalendarYear;
    ruling.draw(limit.map_or(clause::PART_QUOTA, |limit| limit.clause), draw);
    frees.then(|| cx.zone.next_year(cx.at))
}
