//! The full return: within 7 days of the payment.

use recoup_core::prelude::*;

use crate::{clause, list, param, refusals, table};

/// Instances: within 7 x 24 hours, neither renewed by hand nor changed, within the year's quota.
pub(crate) fn seven_days<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    refusals::common(resource, cx, ruling);
    window(resource, cx, ruling, clause::SEVEN_WINDOW, param::SEVEN_DAYS);
    ruling.refuse_if(clause::SEVEN_NEW, Answer::named("orders", renewed_or_changed(resource)));
    let frees_at = [quota(resource, cx, ruling), eip_quota(cx, ruling)];
    ruling.waits_only_for(&frees_at);
    ruling.cite_if(clause::SEVEN_ONLY, cx.listed(list::SEVEN_ONLY));
    refusals::consequences(resource, cx, ruling);
    amount(resource, cx, ruling);
}

/// veImageX packs: unused within 7 days, up to 10 a year.
pub(crate) fn pack<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    refusals::common(resource, cx, ruling);
    ruling.refuse_if(clause::PACK_USED, used(resource, cx));
    window(resource, cx, ruling, clause::PACK_IMAGE, param::PACK_DAYS);
    let frees_at = quota(resource, cx, ruling);
    ruling.waits_only_for(&[frees_at]);
    refusals::consequences(resource, cx, ruling);
    amount(resource, cx, ruling);
}

/// Whether any use was made of a pack: a fact, or what its counter shows.
fn used<R: Resource>(resource: &R, cx: &Context<'_>) -> Answer {
    let commitment = resource.commitment().unwrap_or_default();
    let counters = [commitment.used_units, commitment.used_fraction];
    let counted = counters.iter().flatten().map(|figure| figure.is_positive()).max();
    let stated = cx.flag(Flag::Used).known();
    Answer::of(Flag::Used, counted.max(stated))
}

fn window<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>, clause: ClauseId, length: ParamId) {
    let Some(hours) = cx.param(length).and_then(|held| held.whole()) else { return };
    let purchase = resource.paid_orders().find(|order| order.kind() == OrderKind::Purchase);
    let paid_at = purchase.and_then(|order| order.paid_at());
    ruling.window_through(clause, "orders.paid_at", paid_at, Span::hours(hours));
}

/// What the orders show: a renewal by hand, an upgrade or a downgrade.
fn renewed_or_changed<R: Resource>(resource: &R) -> Option<bool> {
    let known = resource.orders().is_some();
    let changes = [OrderKind::Renewal, OrderKind::Upgrade, OrderKind::Downgrade];
    known.then(|| resource.paid_orders().any(|order| changes.contains(&order.kind())))
}

/// Draws on the product's quota. Gives when a used one frees again: where it was counted from
/// `returns` at the new year; of a figure the account states nobody knows the year.
fn quota<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) -> Option<Instant> {
    let product = cx.product_name(resource);
    let limit = cx.cell(table::QUOTA, &[product.into()])?;
    let name = match product {
        "mongodb" => "seven_day_full_refund.mongodb",
        "cloud-firewall" => "seven_day_full_refund.cloud-firewall",
        "veimagex-pack" => "seven_day_full_refund.veimagex-pack",
        "clb" => "seven_day_full_refund.clb",
        _ => return None,
    };
    let draw = draw(cx, name, limit.value, cx.product());
    let frees_at = frees_at(cx, name, &draw);
    ruling.draw(limit.clause, draw);
    frees_at
}

fn frees_at(cx: &Context<'_>, name: &str, draw: &QuotaDraw) -> Option<Instant> {
    let stated = cx.account().is_some_and(|account| account.quotas.iter().any(|quota| quota.name == name));
    (draw.exceeds() == Some(true) && !stated).then(|| cx.zone.next_year(cx.at))
}

/// A public CLB draws on the EIP's quota too: a used one refuses; whether the CLB is public no record
/// shows, so an unknown one says nothing.
fn eip_quota(cx: &Context<'_>, ruling: &mut Ruling<'_>) -> Option<Instant> {
    let name = "seven_day_full_refund.eip";
    let limit = cx.is_product(crate::product::CLB).then(|| cx.cell(table::QUOTA, &["eip".into()]))??;
    let draw = draw(cx, name, limit.value, Some(crate::product::EIP));
    let exceeds = Answer::named("quotas", draw.exceeds()).unknown_is_no();
    let frees_at = frees_at(cx, name, &draw);
    ruling.refuse_if(limit.clause, exceeds);
    if draw.used.is_some() {
        ruling.note_quota(draw);
    }
    frees_at
}

fn draw(cx: &Context<'_>, name: &'static str, limit: Number, product: Option<ProductId>) -> QuotaDraw {
    cx.quota(name, Some(limit), Window::CalendarYear, |entry| {
        let exit = entry.exit.map(|exit| exit == Exit::FullRefund);
        let same = entry.product.as_deref().map(|name| cx.book().product(name) == product);
        match (exit, same) {
            (Some(false), _) | (_, Some(false)) => Some(Number::ZERO),
            (Some(true), Some(true)) => Some(Number::ONE),
            _ => None,
        }
    })
}

/// All money to the account balance; vouchers are lost.
fn amount<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.cite(clause::SEVEN_AMOUNT);
    match cx.ledger(resource, resource.paid_orders()) {
        Ok(ledger) => ruling.refund(
            ledger
                .settle(|payment| {
                    if payment.instrument.is_money() {
                        Disposition::Back(Destination::AccountBalance)
                    } else {
                        Disposition::Lost
                    }
                })
                .finish(),
        ),
        Err(missing) => ruling.missing(clause::SEVEN_AMOUNT, missing),
    }
}
