//! Bills: `DescribeBillDetail` and `DescribeBillList`.

use recoup_core::fact::Flag;
use recoup_core::import::{ImportFile, Misfit, Place};
use recoup_core::money::Currency;
use recoup_core::prelude::*;
use recoup_core::record::{OrderRecord, RefundRecord};

use super::{Join, ZONE, add_order};

/// Reads the rows of a bill, or one of them.
pub(super) fn details<'f>(join: &mut Join<'f>, file: &ImportFile<'f>, place: &Place<'f>) {
    let list = place.get("DetailSet");
    let rows = match list.items() {
        Ok(rows) if list.value.is_some() => rows,
        Ok(_) => vec![place.clone()],
        Err(misfit) => return join.misfit(file, &misfit),
    };
    if let Ok(Some(total)) = place.any(&["Total", "TotalCount"]).whole()
        && usize::try_from(total).is_ok_and(|total| rows.len() < total)
    {
        let what = format!("says {total} rows, {} are there: add the other pages of the bill", rows.len());
        join.out.error(file, place.any(&["Total", "TotalCount"]).path, what);
    }
    for row in &rows {
        if let Err(misfit) = detail(join, file, row) {
            join.misfit(file, &misfit);
        }
    }
}

/// The amounts of a row's components, by kind.
fn amounts(row: &Place<'_>) -> Result<Vec<(Instrument, Amount)>, Misfit> {
    let kinds = [
        ("CashPayAmount", Instrument::Cash),
        ("IncentivePayAmount", Instrument::Bonus),
        ("VoucherPayAmount", Instrument::Voucher),
        ("TransferPayAmount", Instrument::Earnings),
    ];
    let mut amounts = Vec::new();
    for (name, instrument) in kinds {
        let mut amount = Amount::ZERO;
        for component in row.get("ComponentSet").items()? {
            amount += component.get(name).decimal()?.unwrap_or_default();
        }
        amounts.push((instrument, amount));
    }
    Ok(amounts)
}

/// What the components of a row were paid with, by kind.
fn payments(row: &Place<'_>) -> Result<Vec<Payment>, Misfit> {
    let paid = amounts(row)?.into_iter().filter(|(_, amount)| amount.is_positive());
    Ok(paid.map(|(instrument, amount)| Payment { instrument, amount, expires_at: None }).collect())
}

/// What a refund row gave back: its amounts are below zero.
fn received(row: &Place<'_>, orders: &[String], resource: Option<&str>) -> Result<Option<RefundRecord>, Misfit> {
    let Some(currency) = currency(row)? else { return Ok(None) };
    let back = amounts(row)?.into_iter().filter(|(_, amount)| amount.is_negative());
    Ok(Some(RefundRecord {
        resource: resource.map(str::to_owned),
        id: row.get("BillId").text()?,
        order: orders.first().cloned(),
        at: row.get("PayTime").instant(ZONE)?,
        returned: back.map(|(instrument, amount)| (instrument, amount.magnitude())).collect(),
        ..RefundRecord::new(currency)
    }))
}

/// The orders that a refund row names.
fn associated(row: &Place<'_>) -> Result<Vec<String>, Misfit> {
    let orders = row.get("AssociatedOrder");
    let mut ids = Vec::new();
    for name in ["PrepayPurchase", "PrepayRenew", "PrepayModifyUp", "PrepayModifyDown"] {
        let text = orders.get(name).text()?.unwrap_or_default();
        ids.extend(text.split(',').map(str::trim).filter(|id| !id.is_empty()).map(str::to_owned));
    }
    Ok(ids)
}

fn detail(join: &mut Join<'_>, file: &ImportFile<'_>, row: &Place<'_>) -> Result<(), Misfit> {
    let action = row.get("ActionType").required()?;
    let id = row.get("ResourceId").text()?;
    let kind = match action.as_str() {
        "prepay_purchase" => OrderKind::Purchase,
        "prepay_renew" => OrderKind::Renewal,
        "prepay_modify" => OrderKind::Upgrade,
        "prepay_return" | "pre_to_post" => return refund(join, file, row, &action, id.as_deref()),
        other => {
            let what = format!("{other:?} is no prepaid order and was left out");
            join.out.remark(file, row.get("ActionType").path, what);
            return Ok(());
        }
    };
    let id = match id {
        Some(id) => id,
        None => row.get("ResourceId").required()?,
    };
    let mut order = OrderRecord::new(kind, OrderStatus::Paid);
    order.id = row.any(&["OrderId", "BillId"]).text()?;
    order.paid_at = row.get("PayTime").instant(ZONE)?;
    order.starts_at = row.get("FeeBeginTime").instant(ZONE)?;
    order.ends_at =
        row.get("FeeEndTime").instant(ZONE)?.filter(|end| order.starts_at.is_none_or(|start| start <= *end));
    order.currency = currency(row)?;
    let paid = payments(row)?;
    order.due = Some(paid.iter().map(|payment| payment.amount).sum());
    order.payments = Some(paid);
    let mut list = Amount::ZERO;
    for component in row.get("ComponentSet").items()? {
        list += component.get("Cost").decimal()?.unwrap_or_default();
    }
    order.list_price = Some(list).filter(|list| list.is_positive());
    let product = row.get("BusinessCode").required()?;
    let (owner, payer) = (row.get("OwnerUin").text()?, row.get("PayerUin").text()?);
    let resource = join.resource(&id, &product, Billing::Subscription);
    // Who pays is told apart from who owns: an agent or a third party gets its money back.
    if let (Some(owner), Some(payer)) = (&owner, &payer) {
        resource.facts.flags.set(Flag::PaidByPartner, owner != payer);
    }
    resource.account = resource.account.take().or(owner).or(payer);
    resource.site = resource.site.take().or_else(|| super::site(order.currency));
    resource.region = resource.region.take().or(row.any(&["RegionName", "RegionId"]).text()?);
    resource.name = resource.name.take().or(row.get("ResourceName").text()?);
    add_order(resource, order);
    Ok(())
}

/// The currency: as the row says, else as the unit of its prices does.
fn currency(row: &Place<'_>) -> Result<Option<Currency>, Misfit> {
    if let Some(currency) = row.get("Currency").decimal()? {
        return Ok(Some(currency));
    }
    let first = row.get("ComponentSet").items()?.into_iter().next();
    let unit = first.map(|component| component.get("PriceUnit").text()).transpose()?.flatten().unwrap_or_default();
    Ok(if unit.starts_with('元') {
        Some(Currency::CNY)
    } else if unit.starts_with("USD") || unit.starts_with('$') {
        Some(Currency::USD)
    } else {
        None
    })
}

/// A refund row: the orders that it names are refunded.
fn refund(
    join: &mut Join<'_>,
    file: &ImportFile<'_>,
    row: &Place<'_>,
    action: &str,
    id: Option<&str>,
) -> Result<(), Misfit> {
    let orders = associated(row)?;
    let product = row.get("BusinessCode").required()?;
    if let Some(id) = id {
        let resource = join.resource(id, &product, Billing::Subscription);
        if action == "pre_to_post" {
            resource.billing = Billing::PayAsYouGo;
        } else {
            resource.status = Status::Released;
        }
    }
    match received(row, &orders, id)? {
        Some(refund) => join.out.refunds.push(refund),
        None => {
            let what = "the currency of this refund is not shown, so it is not counted as received";
            join.out.remark(file, row.path.clone(), what);
        }
    }
    let formula = row.get("Formula").text()?.unwrap_or_default();
    let what = format!("{action} of the orders {}: {formula}", orders.join(", "));
    join.out.remark(file, row.path.clone(), what);
    join.refunded.extend(orders);
    Ok(())
}

/// A list of bills shows what was returned, but neither resources nor orders.
pub(super) fn list<'f>(join: &mut Join<'f>, file: &ImportFile<'f>, place: &Place<'f>) {
    let rows = match place.get("TransactionList").items() {
        Ok(rows) => rows,
        Err(misfit) => return join.misfit(file, &misfit),
    };
    let returns = rows
        .iter()
        .filter(|row| row.get("ActionType").text().ok().flatten().is_some_and(|action| action.contains("return")))
        .count();
    let what = format!("{returns} of {} rows are refunds; a list of bills names no resource", rows.len());
    join.out.remark(file, place.get("TransactionList").path, what);
}
