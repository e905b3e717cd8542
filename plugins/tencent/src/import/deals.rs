//! Order listings: `DescribeDealsByCond` and the partner view `DescribeAgentDealsByCache`.

use std::collections::HashSet;

use recoup_core::fact::Flag;
use recoup_core::import::{ImportFile, Misfit, Place};
use recoup_core::money::Currency;
use recoup_core::prelude::*;
use recoup_core::record::OrderRecord;

use super::{Join, Listing, ZONE, add_order, site, term};

/// An order as both listings show it.
struct Deal {
    id: String,
    status: i64,
    action: String,
    product: String,
    billing: Option<Billing>,
    resources: Vec<String>,
    payer: Option<String>,
    project: Option<String>,
    touches: Vec<String>,
    order: OrderRecord,
}

/// Pages of one listing state the same total; fewer orders than that is a truncated listing.
pub(super) fn report_truncated(join: &mut Join<'_>) {
    let listings = std::mem::take(&mut join.listings);
    let totals: HashSet<i64> = listings.iter().map(|listing| listing.total).collect();
    for total in totals {
        let pages: Vec<&Listing<'_>> = listings.iter().filter(|listing| listing.total == total).collect();
        let there: HashSet<&String> = pages.iter().flat_map(|page| &page.orders).collect();
        let missing = usize::try_from(total).is_ok_and(|total| there.len() < total);
        if let (true, Some(page)) = (missing, pages.first()) {
            let what = format!("says {total} orders, {} are there: add the other pages of the listing", there.len());
            join.out.error(&page.file, page.path.clone(), what);
        }
    }
}

/// Reads a listing of orders.
pub(super) fn listing<'f>(join: &mut Join<'f>, file: &ImportFile<'f>, place: &Place<'f>) {
    let items = match place.get("Deals").items() {
        Ok(items) => items,
        Err(misfit) => return join.misfit(file, &misfit),
    };
    let mut seen = HashSet::new();
    for item in &items {
        if let Ok(Some(id)) = item.get("OrderId").text() {
            seen.insert(id);
        }
        match deal(item) {
            Ok(deal) => take(join, file, item, deal),
            Err(misfit) => join.misfit(file, &misfit),
        }
    }
    note_total(join, file, place, seen);
}

/// Reads the partner's listing, or one order of it.
pub(super) fn agent_listing<'f>(join: &mut Join<'f>, file: &ImportFile<'f>, place: &Place<'f>) {
    let list = place.get("AgentDealSet");
    let items = match list.items() {
        Ok(items) if list.value.is_some() => items,
        Ok(_) => vec![place.clone()],
        Err(misfit) => return join.misfit(file, &misfit),
    };
    let mut seen = HashSet::new();
    for item in &items {
        if let Ok(Some(id)) = item.get("DealName").text() {
            seen.insert(id);
        }
        match agent_deal(item) {
            Ok(deal) => take(join, file, item, deal),
            Err(misfit) => join.misfit(file, &misfit),
        }
    }
    note_total(join, file, place, seen);
}

fn note_total<'f>(join: &mut Join<'f>, file: &ImportFile<'f>, place: &Place<'f>, orders: HashSet<String>) {
    let count = place.get("TotalCount");
    match count.whole() {
        Ok(Some(total)) => join.listings.push(Listing { file: *file, path: count.path, total, orders }),
        Ok(None) => {}
        Err(misfit) => join.misfit(file, &misfit),
    }
}

/// An amount in fen.
fn fen(place: &Place<'_>) -> Result<Option<Amount>, Misfit> {
    let fen: Option<Amount> = place.decimal()?;
    Ok(fen.map(|fen| Exact::from(fen).times_ratio(1, 100).to_amount()))
}

fn texts(place: &Place<'_>) -> Result<Vec<String>, Misfit> {
    place.items()?.iter().filter_map(|item| item.text().transpose()).collect()
}

fn listed(text: Option<String>) -> Vec<String> {
    let text = text.unwrap_or_default();
    text.split([',', ';', ' ']).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// Status of an order by its number; 2, 3, 12, 13 and 30 are on their way.
fn order_status(status: i64) -> OrderStatus {
    match status {
        1 | 12 => OrderStatus::Unpaid,
        6 => OrderStatus::Refunded,
        7..=11 => OrderStatus::Cancelled,
        _ => OrderStatus::Paid,
    }
}

/// The money of an order: what was really paid, in kinds that the listing does not tell apart, and the
/// voucher.
fn money(order: &mut OrderRecord, real: Option<Amount>, voucher: Option<Amount>) {
    let Some(real) = real.filter(|real| !real.is_negative()) else { return };
    let voucher = voucher.unwrap_or_default().floor_zero();
    order.due = Some(real + voucher);
    if real.is_zero() {
        let paid = Payment { instrument: Instrument::Voucher, amount: voucher, expires_at: None };
        order.payments = Some(if voucher.is_zero() { Vec::new() } else { vec![paid] });
    }
}

fn deal(item: &Place<'_>) -> Result<Deal, Misfit> {
    let status = item.get("Status").whole()?.unwrap_or_default();
    let action = item.get("Action").required()?;
    let currency: Option<Currency> = item.get("Currency").decimal()?;
    let mut order = OrderRecord::new(kind(&action).unwrap_or(OrderKind::Purchase), order_status(status));
    order.id = Some(item.get("OrderId").required()?);
    order.placed_at = item.get("CreateTime").instant(ZONE)?;
    order.currency = currency;
    order.term = term(item.get("TimeSpan").decimal()?, item.get("TimeUnit").text()?.as_deref());
    let real = fen(&item.get("RealTotalCost"))?;
    money(&mut order, real, fen(&item.get("VoucherDecline"))?);
    // A list price of nothing beside a payment is a field that was not filled.
    order.list_price = fen(&item.get("TotalCost"))?.filter(|list| list.is_positive());
    let billing = match item.get("PayMode").text()?.as_deref() {
        Some("prePay" | "1") => Some(Billing::Subscription),
        Some("postPay" | "0") => Some(Billing::PayAsYouGo),
        Some("riPay") => Some(Billing::Reservation),
        _ => None,
    };
    Ok(Deal {
        id: order.id.clone().unwrap_or_default(),
        status,
        action,
        product: item.get("ProductCode").required()?,
        billing,
        resources: texts(&item.get("ResourceId"))?,
        payer: item.get("Payer").text()?,
        project: item.get("ProjectId").text()?,
        touches: listed(item.get("RefReturnDeals").text()?),
        order,
    })
}

fn agent_deal(item: &Place<'_>) -> Result<Deal, Misfit> {
    let status = item.get("Status").whole()?.unwrap_or_default();
    let action = item.any(&["ActionType", "Action"]).required()?;
    let price = item.get("GoodsPrice");
    let mut order = OrderRecord::new(kind(&action).unwrap_or(OrderKind::Purchase), order_status(status));
    order.id = Some(item.get("DealName").required()?);
    order.placed_at = item.any(&["CreatTime", "CreateTime"]).instant(ZONE)?;
    order.currency = item.get("Currency").decimal()?;
    order.term = term(price.get("TimeSpan").decimal()?, price.get("TimeUnit").text()?.as_deref());
    money(&mut order, fen(&price.get("RealTotalCost"))?, fen(&item.get("VoucherDecline"))?);
    order.list_price = fen(&price.any(&["OriginalTotalCost", "TotalCost"]))?.filter(|list| list.is_positive());
    let mut touches = Vec::new();
    for refund in item.get("RefundMap").items()? {
        touches.extend(refund.get("DealName").text()?);
    }
    let billing = match item.any(&["PayMode", "PaymentMethod"]).text()?.as_deref() {
        Some("prePay" | "1") => Some(Billing::Subscription),
        Some("postPay" | "0") => Some(Billing::PayAsYouGo),
        _ => None,
    };
    Ok(Deal {
        id: order.id.clone().unwrap_or_default(),
        status,
        action,
        product: item.any(&["ProductCode", "GoodsName", "ProductName"]).text()?.unwrap_or_default(),
        billing,
        resources: texts(&item.get("ResourceIds"))?,
        payer: item.any(&["OwnerUin", "Payer"]).text()?,
        project: None,
        touches,
        order,
    })
}

fn kind(action: &str) -> Option<OrderKind> {
    match action {
        "purchase" => Some(OrderKind::Purchase),
        "renew" => Some(OrderKind::Renewal),
        "upgrade" | "modifyNetworkSize" => Some(OrderKind::Upgrade),
        "downgrade" => Some(OrderKind::Downgrade),
        _ => None,
    }
}

fn take(join: &mut Join<'_>, file: &ImportFile<'_>, item: &Place<'_>, deal: Deal) {
    join.refunded.extend(deal.touches.iter().cloned());
    if deal.action == "refund" || deal.action == "preToPost" {
        return leave(join, file, item, &deal);
    }
    if kind(&deal.action).is_none() {
        let what = format!("{:?} is no purchase, renewal or change of a configuration and was left out", deal.action);
        return join.out.remark(file, item.get("Action").path, what);
    }
    if deal.resources.is_empty() {
        let what = format!("order {} names no resource: list with a Limit of at most 200", deal.id);
        return join.out.error(file, item.get("ResourceId").path, what);
    }
    if deal.product.is_empty() {
        return join.out.error(file, item.get("ProductCode").path, "expected a text, found nothing");
    }
    let Some(billing) = deal.billing.or_else(|| deal.order.term.map(|_| Billing::Subscription)) else {
        let what = "expected prePay, postPay or riPay: how the order is billed is not said";
        return join.out.error(file, item.get("PayMode").path, what);
    };
    let mut order = deal.order;
    let shared = deal.resources.len();
    if shared > 1 {
        let what = format!("order {} bought {shared} resources: its money is not told apart", deal.id);
        join.out.remark(file, item.get("ResourceId").path, what);
        (order.due, order.list_price, order.payments) = (None, None, None);
    }
    for id in &deal.resources {
        let resource = join.resource(id, &deal.product, billing);
        resource.site = resource.site.take().or_else(|| site(order.currency));
        resource.account = resource.account.take().or_else(|| deal.payer.clone());
        resource.project = resource.project.take().or_else(|| deal.project.clone());
        match deal.status {
            5 => resource.status = Status::Failed,
            2 | 3 | 12 | 13 => resource.facts.flags.set(Flag::TransactionInProgress, true),
            _ => {}
        }
        add_order(resource, order.clone());
    }
}

/// A refund, or a switch to pay-as-you-go, which refunds the orders that it names.
fn leave(join: &mut Join<'_>, file: &ImportFile<'_>, item: &Place<'_>, deal: &Deal) {
    let done = matches!(deal.status, 4 | 6);
    for id in &deal.resources {
        // A partner's refund shows neither the product nor the orders themselves.
        if deal.product.is_empty() && !join.resources.contains_key(id) {
            let what = format!("resource {id} was refunded by {}; its own orders are not among the files", deal.id);
            join.out.remark(file, item.path.clone(), what);
            continue;
        }
        let resource = join.resource(id, &deal.product, Billing::Subscription);
        if !done {
            resource.facts.flags.set(Flag::TransactionInProgress, true);
        } else if deal.action == "preToPost" {
            resource.billing = Billing::PayAsYouGo;
        } else {
            resource.status = Status::Released;
        }
    }
    if let Ok(Some(formula)) = item.get("Formula").text() {
        join.out.remark(file, item.get("Formula").path, formula);
    }
}
