//! Orders: QueryOrders and GetOrderDetail.

use recoup_core::import::{ImportFile, Misfit, Place};
use recoup_core::money::Number;
use recoup_core::record::{OrderRecord, ResourceRecord};
use recoup_core::vocab::{Billing, OrderKind, OrderStatus, Status};

use super::Draft;
use super::fields::{amount, currency, end, instant, word};
use super::listings::SUBSCRIPTION_TYPES;

/// An order as a payload shows it.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) id: String,
    sub: Option<String>,
    /// The resources it is of; none where the payload does not say.
    pub(crate) instances: Vec<String>,
    pub(crate) record: OrderRecord,
    product: Option<String>,
    region: Option<String>,
    billing: Option<Billing>,
    file: String,
    path: String,
}

/// What an order did.
#[derive(Debug, Clone, Copy)]
enum Did {
    Order(OrderKind),
    /// A refund of another order.
    Refund,
    /// Something that buys no period and has no price of its own here.
    Other,
}

const KINDS: &[(&str, Did)] = &[
    ("New", Did::Order(OrderKind::Purchase)),
    ("Renew", Did::Order(OrderKind::Renewal)),
    ("CompensatoryRenew", Did::Order(OrderKind::Renewal)),
    ("Upgrade", Did::Order(OrderKind::Upgrade)),
    ("TempUpgrade", Did::Order(OrderKind::Upgrade)),
    ("IncreaseUpgrade", Did::Order(OrderKind::Upgrade)),
    ("ResizeDisk", Did::Order(OrderKind::Upgrade)),
    ("Downgrade", Did::Order(OrderKind::Downgrade)),
    ("Convert", Did::Order(OrderKind::Conversion)),
    ("Refund", Did::Refund),
    ("Exchange", Did::Other),
    ("ChangeOperatingSystem", Did::Other),
];

/// A row of either listing.
pub(crate) fn order(draft: &mut Draft, file: &ImportFile<'_>, item: &Place<'_>) -> Result<(), Misfit> {
    let id = item.get("OrderId").required()?;
    let Some(did) = word(&mut draft.out, file, &item.get("OrderType"), KINDS)? else {
        draft.out.remark(file, item.path.clone(), format!("what the order {id:?} did is unknown: it is left out"));
        return Ok(());
    };
    let kind = match did {
        Did::Order(kind) => kind,
        Did::Refund => return refund(draft, file, item),
        Did::Other => {
            draft.out.remark(file, item.path.clone(), format!("the order {id:?} buys no period: it is left out"));
            return Ok(());
        }
    };
    let statuses =
        [("Paid", OrderStatus::Paid), ("Unpaid", OrderStatus::Unpaid), ("Cancelled", OrderStatus::Cancelled)];
    let Some(status) = word(&mut draft.out, file, &item.get("PaymentStatus"), &statuses)? else {
        draft.out.error(
            file,
            item.get("PaymentStatus").path,
            format!("whether the order {id:?} was paid is unknown: it is left out"),
        );
        return Ok(());
    };
    let mut record = OrderRecord::new(kind, status);
    record.id = Some(id.clone());
    record.placed_at = instant(&item.get("CreateTime"))?;
    record.paid_at = if status == OrderStatus::Paid { instant(&item.get("PaymentTime"))? } else { None };
    record.starts_at = instant(&item.get("UsageStartTime"))?;
    record.ends_at = end(&item.get("UsageEndTime"))?;
    record.quantity = item.get("Quantity").decimal::<Number>()?;
    money(draft, file, item, &mut record)?;
    let instances = instances(item)?;
    if instances.len() > 1 {
        record.list_price = None;
        record.due = None;
        let what = format!(
            "the order {id:?} is of {} instances: its amounts are of all of them and left unknown",
            instances.len()
        );
        draft.out.remark(file, item.get("InstanceIDs").path, what);
    }
    let found = Found {
        id,
        sub: item.get("SubOrderId").text()?,
        instances,
        record,
        product: item.get("ProductCode").text()?,
        region: item.get("Region").text()?,
        billing: word(&mut draft.out, file, &item.get("SubscriptionType"), SUBSCRIPTION_TYPES)?,
        file: file.name.to_owned(),
        path: item.path.clone(),
    };
    keep(draft, found);
    Ok(())
}

/// An order is read once: the detail, which knows the instances, wins over the listing.
fn keep(draft: &mut Draft, found: Found) {
    let same = |other: &&mut Found| {
        other.id == found.id && (other.sub == found.sub || other.sub.is_none() || found.sub.is_none())
    };
    match draft.orders.iter_mut().find(same) {
        Some(known) if known.instances.is_empty() && !found.instances.is_empty() => *known = found,
        Some(_) => {}
        None => draft.orders.push(found),
    }
}

/// The amounts of an order, in the currency in which it was settled.
fn money(draft: &mut Draft, file: &ImportFile<'_>, item: &Place<'_>, record: &mut OrderRecord) -> Result<(), Misfit> {
    let priced = currency(&mut draft.out, file, &item.get("Currency"))?;
    let settled = currency(&mut draft.out, file, &item.get("PaymentCurrency"))?;
    if let (Some(priced), Some(settled)) = (priced, settled)
        && priced != settled
    {
        record.currency = Some(settled);
        record.due = amount(&item.get("PretaxAmountLocal"))?;
        let what = format!("priced in {priced} and settled in {settled}: the list price in {settled} is unknown");
        draft.out.remark(file, item.get("PaymentCurrency").path, what);
        return Ok(());
    }
    record.currency = priced.or(settled);
    record.list_price = amount(&item.get("PretaxGrossAmount"))?;
    record.due = amount(&item.get("PretaxAmount"))?;
    Ok(())
}

/// The instances of an order: a JSON array in a text, or an array.
fn instances(item: &Place<'_>) -> Result<Vec<String>, Misfit> {
    let place = item.any(&["InstanceIDs", "InstanceIds"]);
    if place.value.is_some_and(serde_json::Value::is_array) {
        return place.items()?.iter().map(Place::required).collect();
    }
    let Some(text) = place.text()? else { return Ok(Vec::new()) };
    Ok(serde_json::from_str::<Vec<String>>(&text).unwrap_or_else(|_| vec![text]))
}

/// A refund order: the order that it names was refunded.
fn refund(draft: &mut Draft, file: &ImportFile<'_>, item: &Place<'_>) -> Result<(), Misfit> {
    let related = item.get("RelatedOrderId").text()?;
    match related {
        Some(related) => draft.facts.push(super::answers::Learned::Refunded(related)),
        None => draft.out.remark(
            file,
            item.path.clone(),
            "a refund order that does not name the refunded order is left out",
        ),
    }
    Ok(())
}

/// Gives every resource its orders; one that no listing shows is read from its orders.
pub(crate) fn attach(draft: &mut Draft) {
    let orders = std::mem::take(&mut draft.orders);
    for mut found in orders {
        let refunded =
            draft.facts.iter().any(|fact| matches!(fact, super::answers::Learned::Refunded(id) if *id == found.id));
        if refunded {
            found.record.status = OrderStatus::Refunded;
        }
        if found.instances.is_empty() {
            remark(
                draft,
                &found,
                "no instance is named: read GetOrderDetail of this order to join it with its resource",
            );
            continue;
        }
        for id in &found.instances {
            if draft.out.resources.iter().all(|resource| resource.id != *id) {
                let (Some(product), Some(billing)) = (found.product.as_deref(), found.billing) else {
                    remark(draft, &found, "no listing shows its resource and the order does not say how it is billed");
                    continue;
                };
                let mut resource = ResourceRecord::new("alibaba", id, product, billing, Status::Active);
                resource.region.clone_from(&found.region);
                draft.out.resources.push(resource);
                remark(draft, &found, "no listing shows its resource: its state is not known and taken as active");
            }
            if let Some(resource) = draft.out.resources.iter_mut().find(|resource| resource.id == *id) {
                give(resource, &found.record);
            }
        }
    }
    for resource in &mut draft.out.resources {
        if let Some(orders) = &mut resource.orders {
            orders.sort_by_key(|order| (order.starts_at.or(order.placed_at), order.placed_at));
        }
    }
}

fn give(resource: &mut ResourceRecord, order: &OrderRecord) {
    if order.kind == OrderKind::Purchase && order.status == OrderStatus::Paid {
        resource.purchased_at = resource.purchased_at.or(order.paid_at).or(order.placed_at);
        resource.starts_at = resource.starts_at.or(order.starts_at);
    }
    if resource.ends_at.is_none() && order.status == OrderStatus::Paid {
        resource.ends_at = order.ends_at;
    }
    resource.orders.get_or_insert_default().push(order.clone());
}

fn remark(draft: &mut Draft, found: &Found, what: &str) {
    draft.out.remarks.push(recoup_core::import::ImportRemark {
        file: found.file.clone(),
        path: found.path.clone(),
        what: format!("order {:?}: {what}", found.id),
        is_error: false,
    });
}
