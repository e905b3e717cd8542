//! The order resource, whose lines are joined to the subscriptions that they bought.

use recoup_core::import::{ImportFile, Imported, Misfit, Place};
use recoup_core::money::{Currency, Number};
use recoup_core::record::{OrderRecord, ResourceRecord};
use recoup_core::time::{Instant, Zone};
use recoup_core::vocab::{Billing, OrderKind, OrderStatus, Status};

use super::{PROVIDER, field};

/// An order and its lines.
pub(super) struct OrderPayload {
    file: String,
    path: String,
    id: String,
    is_cancelled: bool,
    placed_at: Option<Instant>,
    currency: Option<Currency>,
    is_one_time: bool,
    lines: Vec<Line>,
}

struct Line {
    number: i64,
    subscription: Option<String>,
    name: Option<String>,
    quantity: Option<Number>,
    kind: OrderKind,
    has_term: bool,
}

/// Reads an order.
pub(super) fn read(file: &ImportFile<'_>, item: &Place<'_>) -> Result<OrderPayload, Misfit> {
    let id = field(item, "id").required()?;
    let status = field(item, "status").text()?.unwrap_or_default().to_lowercase();
    let currency_place = field(item, "currencyCode");
    let currency = match currency_place.text()? {
        None => None,
        Some(code) => Some(code.parse().map_err(|_| Misfit {
            path: currency_place.path.clone(),
            expected: "a currency code such as USD",
            found: code,
        })?),
    };
    let cycle = field(item, "billingCycle").text()?.unwrap_or_default().to_lowercase();
    let mut lines = Vec::new();
    for line in field(item, "lineItems").items()? {
        lines.push(read_line(&line)?);
    }
    Ok(OrderPayload {
        file: file.name.to_owned(),
        path: item.path.clone(),
        id,
        is_cancelled: status == "cancelled",
        placed_at: field(item, "creationDate").instant(Zone::UTC)?,
        currency,
        is_one_time: matches!(cycle.as_str(), "one_time" | "onetime"),
        lines,
    })
}

fn read_line(line: &Place<'_>) -> Result<Line, Misfit> {
    let kind_place = line.any(&["transactionType", "TransactionType", "chargeType", "ChargeType"]);
    let kind = match kind_place.text()?.unwrap_or_default().to_lowercase().as_str() {
        "renew" => OrderKind::Renewal,
        "addquantity" => OrderKind::Upgrade,
        "removequantity" => OrderKind::Downgrade,
        "convert" => OrderKind::Conversion,
        _ => OrderKind::Purchase,
    };
    Ok(Line {
        number: field(line, "lineItemNumber").whole()?.unwrap_or_default(),
        subscription: field(line, "subscriptionId").text()?,
        name: field(line, "friendlyName").text()?,
        quantity: field(line, "quantity").decimal()?,
        kind,
        has_term: field(line, "termDuration").text()?.is_some(),
    })
}

/// Joins every line to its subscription. A one-time line without a term is perpetual software, which
/// has no subscription; any other line alone does not say what it bought.
pub(super) fn attach(mut orders: Vec<OrderPayload>, out: &mut Imported) {
    orders.sort_by_key(|order| order.placed_at);
    for order in orders {
        for line in &order.lines {
            let record = record_of(&order, line);
            if let Some(bought) =
                line.subscription.as_ref().and_then(|id| out.resources.iter_mut().find(|resource| resource.id == *id))
            {
                let known = bought.orders.get_or_insert_with(Vec::new);
                if !known.iter().any(|other| other.id == record.id && other.kind == record.kind) {
                    known.push(record);
                }
            } else if order.is_one_time && !line.has_term {
                super::join(&mut out.resources, perpetual(&order, line, record));
            } else {
                let what = format!(
                    "the subscription that line {} of order {:?} bought is in none of the files, and the line alone \
                     does not say what it is: give the subscription too",
                    line.number, order.id
                );
                let path =
                    if order.path.is_empty() { "lineItems".to_owned() } else { format!("{}.lineItems", order.path) };
                out.remarks.push(recoup_core::import::ImportRemark {
                    file: order.file.clone(),
                    path,
                    what,
                    is_error: true,
                });
            }
        }
    }
}

fn record_of(order: &OrderPayload, line: &Line) -> OrderRecord {
    let status = if order.is_cancelled { OrderStatus::Cancelled } else { OrderStatus::Paid };
    let mut record = OrderRecord::new(line.kind, status);
    record.id = Some(order.id.clone());
    record.placed_at = order.placed_at;
    record.quantity = line.quantity;
    record.currency = order.currency;
    record
}

fn perpetual(order: &OrderPayload, line: &Line, record: OrderRecord) -> ResourceRecord {
    let status =
        if order.is_cancelled || line.quantity == Some(Number::ZERO) { Status::Released } else { Status::Active };
    let id = if order.lines.len() == 1 { order.id.clone() } else { format!("{}/{}", order.id, line.number) };
    let mut resource = ResourceRecord::new(PROVIDER, &id, "perpetual-software", Billing::OneOff, status);
    resource.name = line.name.clone();
    resource.purchased_at = order.placed_at;
    resource.quantity = line.quantity;
    resource.orders = Some(vec![record]);
    resource
}
