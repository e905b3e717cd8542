//! Third-party goods.

use recoup_core::prelude::*;
use recoup_core::time::day_after;

use crate::full_refund::{everything, new_purchase};
use crate::{agreement, clause, param, product, refusals};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Goods {
    Saas,
    Never,
    PaidImage,
    HumanService,
    Other,
}

/// The vendor's window, and the agreement that stands beside it once it is over.
pub(crate) fn exits<R: Resource>(resource: &R, cx: &Context<'_>, out: &mut Assessment) {
    if !cx.in_force(clause::MARKET_AMOUNT) {
        out.exit(cx, Exit::Marketplace, |ruling| {
            refusals::common(resource, cx, ruling);
            ruling.no_figure(clause::UNKNOWN_PAGE_DATE, Reason::RuleUnknown, None);
        });
        return;
    }
    let goods = goods(resource, cx);
    let over = match goods {
        Goods::Saas => saas_end(resource, cx).is_none_or(|end| cx.at >= end),
        Goods::HumanService => !cx.flag(Flag::Used).is_no(),
        Goods::Never | Goods::PaidImage | Goods::Other => true,
    };
    if !matches!(goods, Goods::PaidImage | Goods::Other) {
        out.exit(cx, Exit::Marketplace, |ruling| marketplace(resource, cx, ruling, goods));
    }
    if over {
        out.exit(cx, Exit::ByAgreement, |ruling| {
            refusals::common(resource, cx, ruling);
            agreement::needed(resource, cx, ruling, clause::MARKET_AGREEMENT);
            refusals::effects(resource, cx, ruling);
            ruling.channel(Channel::Support);
        });
    }
}

fn goods<R: Resource>(resource: &R, cx: &Context<'_>) -> Goods {
    let image = || if is_paid(resource, cx) { Goods::PaidImage } else { Goods::Never };
    match (cx.product(), cx.text(resource, Text::MarketplaceProduct)) {
        (Some(product::SAAS), _) => Goods::Saas,
        (Some(product::API_GOODS), _) => Goods::Never,
        (Some(product::IMAGE), _) => image(),
        (Some(product::HUMAN_SERVICE), _) => Goods::HumanService,
        (_, Some("saas")) => Goods::Saas,
        (_, Some("image")) => image(),
        (_, Some("professional_service")) => Goods::HumanService,
        _ => Goods::Other,
    }
}

/// Whether an image was paid for: by what it says, else by what was paid.
fn is_paid<R: Resource>(resource: &R, cx: &Context<'_>) -> bool {
    if resource.billing() == Billing::Free {
        return false;
    }
    let by_orders = || cx.paid(resource).map_or(true, Amount::is_positive);
    cx.flag(Flag::PaidImage).is_yes() || by_orders()
}

/// The first instant after the fifth calendar day, the day of purchase counted.
fn saas_end<R: Resource>(resource: &R, cx: &Context<'_>) -> Option<Instant> {
    let bought = new_purchase(resource, cx)?;
    let days = cx.param(param::SAAS_DAYS)?.whole()?;
    Some(cx.zone.midnight(day_after(cx.zone.date(bought), u64::try_from(days).ok()?)))
}

fn marketplace<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>, goods: Goods) {
    refusals::common(resource, cx, ruling);
    match goods {
        Goods::Saas => {
            let end = saas_end(resource, cx);
            ruling.window(clause::MARKET_SAAS, "orders", end, |at, end| at < end);
        }
        Goods::HumanService => ruling.refuse_on(clause::MARKET_HUMAN, Flag::Used),
        _ => ruling.refuse(clause::MARKET_NEVER),
    }
    refusals::settle_until(ruling, None, &[]);
    let hours = cx.param(param::VENDOR_HOURS).and_then(|held| held.whole());
    if goods != Goods::Never {
        ruling.review("vendor", clause::MARKET_VENDOR, hours.and_then(|hours| u32::try_from(hours).ok()));
    }
    refusals::effects(resource, cx, ruling);
    ruling.channel(Channel::Console);
    ruling.cite(clause::MARKET_AMOUNT);
    match everything(resource, cx, ruling) {
        Ok(quote) => ruling.refund(quote),
        Err(gap) => gap.report(clause::MARKET_AMOUNT, ruling),
    }
}
