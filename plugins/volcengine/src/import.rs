//! Reads what Volcengine's billing API prints: `ListOrders`, `GetOrder`, `ListOrderProductDetails` and
//! `UnsubscribeInstance`.

use std::collections::HashMap;

use recoup_core::import::{ImportFile, Imported, Misfit, Place};
use recoup_core::prelude::*;
use recoup_core::record::{OrderRecord, ResourceRecord};
use recoup_core::resource::Term;
use recoup_core::time::Zone;
use serde_json::Value;

/// The wall clock of every date in the payloads.
const ZONE: Zone = Zone::fixed_hours(8);

/// What a payload is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Orders,
    Order,
    Products,
    Unsubscribed,
}

/// The body of a payload, out of its `Result`.
fn body(json: &Value) -> Place<'_> {
    let root = Place::root(json);
    let inner = root.get("Result");
    if inner.value.is_some() { inner } else { root }
}

fn kind_of(json: &Value) -> Option<Kind> {
    let body = body(json);
    let is_response = json.get("ResponseMetadata").is_some();
    let first_has = |list: &str, names: &[&str]| {
        let items = body.get(list).items().unwrap_or_default();
        items.first().map_or(is_response, |item| names.iter().all(|name| item.has(name)))
    };
    if body.has("OrderInfos") && first_has("OrderInfos", &["OrderID", "OrderType", "Status"]) {
        Some(Kind::Orders)
    } else if body.has("OrderProductInfos") && first_has("OrderProductInfos", &["InstanceID", "Product"]) {
        Some(Kind::Products)
    } else if body.has("SuccessInstanceInfos") && first_has("SuccessInstanceInfos", &["InstanceID", "Product"]) {
        Some(Kind::Unsubscribed)
    } else if ["OrderID", "OrderType", "BuyerID", "PayableAmount"].iter().all(|name| order_info(&body).has(name)) {
        Some(Kind::Order)
    } else {
        None
    }
}

/// `GetOrder` shows one order, by itself or as `OrderInfo`.
fn order_info<'v>(body: &Place<'v>) -> Place<'v> {
    let info = body.get("OrderInfo");
    if info.value.is_some() { info } else { body.clone() }
}

/// Whether a file is one of these payloads.
pub(crate) fn recognises(file: &ImportFile<'_>) -> bool {
    file.json.is_some_and(|json| kind_of(json).is_some())
}

/// An order as a listing shows it, without what it bought.
#[derive(Debug, Clone)]
struct Listed {
    kind: Option<OrderKind>,
    status: OrderStatus,
    placed_at: Option<Instant>,
    payer: Option<String>,
}

/// Reads the files of a run together: orders first, then what they bought, then what was returned.
pub(crate) fn import(files: &[ImportFile<'_>]) -> Imported {
    let mut join = Join::default();
    let of = |kind: Kind| {
        files
            .iter()
            .filter_map(move |file| file.json.filter(|json| kind_of(json) == Some(kind)).map(|json| (file, body(json))))
    };
    for file in files.iter().filter(|file| !recognises(file)) {
        join.out.error(file, "", "is neither a listing of orders, their products nor an unsubscription");
    }
    for (file, body) in of(Kind::Orders) {
        join.each(file, &body.get("OrderInfos"), Join::order);
    }
    for (file, body) in of(Kind::Order) {
        let info = order_info(&body);
        if let Err(misfit) = join.order(file, &info) {
            join.misfit(file, &misfit);
        }
    }
    for (file, body) in of(Kind::Products) {
        join.each(file, &body.get("OrderProductInfos"), Join::product);
    }
    for (file, body) in of(Kind::Unsubscribed) {
        join.each(file, &body.get("SuccessInstanceInfos"), Join::unsubscribed);
    }
    for kind in [Kind::Orders, Kind::Products] {
        let pages: Vec<_> = of(kind).collect();
        let goes_on = |page: &Place<'_>| page.get("NextToken").text().is_ok_and(|token| token.is_some());
        // The last page of a listing has no token.
        if let (Some((file, page)), true) = (pages.first(), pages.iter().all(|(_, page)| goes_on(page))) {
            let what = "every page names a next one: add the other pages of the listing";
            join.out.error(file, page.get("NextToken").path, what);
        }
    }
    join.finish()
}

/// Resources on their way, joined by id.
#[derive(Debug, Default)]
struct Join {
    out: Imported,
    orders: HashMap<String, Listed>,
    ids: Vec<String>,
    resources: HashMap<String, ResourceRecord>,
}

type ReadItem = fn(&mut Join, &ImportFile<'_>, &Place<'_>) -> Result<(), Misfit>;

impl Join {
    fn misfit(&mut self, file: &ImportFile<'_>, misfit: &Misfit) {
        let what = format!("expected {}, found {}", misfit.expected, misfit.found);
        self.out.error(file, misfit.path.clone(), what);
    }

    fn each(&mut self, file: &ImportFile<'_>, list: &Place<'_>, read: ReadItem) {
        match list.items() {
            Ok(items) => {
                for item in &items {
                    if let Err(misfit) = read(self, file, item) {
                        self.misfit(file, &misfit);
                    }
                }
            }
            Err(misfit) => self.misfit(file, &misfit),
        }
    }

    fn order(&mut self, file: &ImportFile<'_>, item: &Place<'_>) -> Result<(), Misfit> {
        let id = item.get("OrderID").required()?;
        let kind_text = item.get("OrderType").required()?;
        let status_text = item.get("Status").required()?;
        let Some(status) = status(&status_text) else {
            let what = format!("{status_text:?} is no status of an order that is known");
            self.out.error(file, item.get("Status").path, what);
            return Ok(());
        };
        let listed = Listed {
            kind: kind(&kind_text),
            status,
            placed_at: item.get("CreateTime").instant(ZONE)?,
            payer: item.any(&["PayerID", "BuyerID"]).text()?,
        };
        if listed.kind.is_none() {
            let what = format!("{kind_text:?} is no purchase, renewal or change and was left out");
            self.out.remark(file, item.get("OrderType").path, what);
        }
        self.orders.insert(id, listed);
        Ok(())
    }

    fn product(&mut self, file: &ImportFile<'_>, item: &Place<'_>) -> Result<(), Misfit> {
        let id = item.get("InstanceID").required()?;
        let product = item.get("Product").required()?;
        let (starts_at, ends_at) = (item.get("BeginTime").instant(ZONE)?, item.get("EndTime").instant(ZONE)?);
        let order_id = item.get("OrderID").text()?;
        let listed = order_id.as_ref().and_then(|id| self.orders.get(id)).cloned();
        let kind = match (&listed, item.get("OrderType").text()?) {
            (Some(listed), _) => listed.kind,
            (None, Some(text)) => kind(&text),
            (None, None) => None,
        };
        let status = listed.as_ref().map(|listed| listed.status);
        let order = kind.map(|kind| -> Result<OrderRecord, Misfit> {
            let mut order = OrderRecord::new(kind, status.unwrap_or(OrderStatus::Paid));
            order.id.clone_from(&order_id);
            order.placed_at = listed.as_ref().and_then(|listed| listed.placed_at);
            (order.starts_at, order.ends_at) = (starts_at, ends_at);
            order.term = term(item.get("Times").decimal()?, item.get("Period").text()?.as_deref());
            money(&mut order, item)?;
            Ok(order)
        });
        let order = order.transpose()?;
        if order.is_none() {
            let what = format!("the order of {id} is not among the listings: its orders are unknown");
            self.out.remark(file, item.path.clone(), what);
        }
        let payer = listed.and_then(|listed| listed.payer).or(item.get("PayerID").text()?);
        let resource = self.resource(&id, &product);
        resource.account = resource.account.take().or(payer);
        resource.starts_at = [resource.starts_at, starts_at].into_iter().flatten().min();
        resource.ends_at = resource.ends_at.max(ends_at);
        if let Some(order) = order {
            let orders = resource.orders.get_or_insert_default();
            if !orders.iter().any(|other| other.id.is_some() && other.id == order.id) {
                orders.push(order);
            }
        }
        Ok(())
    }

    fn unsubscribed(&mut self, file: &ImportFile<'_>, item: &Place<'_>) -> Result<(), Misfit> {
        let id = item.get("InstanceID").required()?;
        let product = item.get("Product").required()?;
        let resource = self.resource(&id, &product);
        resource.status = Status::Released;
        for order in resource.orders.iter_mut().flatten().filter(|order| order.status == OrderStatus::Paid) {
            order.status = OrderStatus::Refunded;
        }
        self.out.remark(file, item.path.clone(), format!("{id} was unsubscribed"));
        Ok(())
    }

    fn resource(&mut self, id: &str, product: &str) -> &mut ResourceRecord {
        if !self.resources.contains_key(id) {
            self.ids.push(id.to_owned());
        }
        self.resources.entry(id.to_owned()).or_insert_with(|| {
            let is_pack = product.to_ascii_lowercase().contains("pack") && product != "BandwidthPackage";
            let billing = if is_pack { Billing::Package } else { Billing::Subscription };
            ResourceRecord::new("volcengine", id, product, billing, Status::Active)
        })
    }

    fn finish(mut self) -> Imported {
        for id in &self.ids {
            if let Some(mut resource) = self.resources.remove(id) {
                if let Some(orders) = &mut resource.orders {
                    orders.sort_by_key(|order| (order.starts_at.is_none(), order.starts_at));
                    resource.purchased_at = orders.first().and_then(|order| order.placed_at);
                }
                self.out.resources.push(resource);
            }
        }
        self.out
    }
}

fn kind(text: &str) -> Option<OrderKind> {
    let text = text.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if has(&["renew", "续费"]) {
        Some(OrderKind::Renewal)
    } else if has(&["downgrade", "降配"]) {
        Some(OrderKind::Downgrade)
    } else if has(&["upgrade", "升配"]) {
        Some(OrderKind::Upgrade)
    } else if has(&["new", "purchase", "buy", "新购"]) {
        Some(OrderKind::Purchase)
    } else {
        None
    }
}

fn status(text: &str) -> Option<OrderStatus> {
    let text = text.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if has(&["unpaid", "not_paid", "to_be_paid", "待支付", "未支付"]) {
        Some(OrderStatus::Unpaid)
    } else if has(&["cancel", "close", "invalid", "取消", "关闭", "作废"]) {
        Some(OrderStatus::Cancelled)
    } else if has(&["refund", "退款", "退订"]) {
        Some(OrderStatus::Refunded)
    } else if has(&["paid", "success", "complete", "finish", "done", "已支付", "完成", "成功"]) {
        Some(OrderStatus::Paid)
    } else {
        None
    }
}

fn term(times: Option<Number>, period: Option<&str>) -> Option<Term> {
    let count = u32::try_from(times?.as_whole()?).ok().filter(|count| *count > 0)?;
    let unit = match period?.to_ascii_lowercase().as_str() {
        "year" | "yearly" | "年" => TermUnit::Year,
        "month" | "monthly" | "月" => TermUnit::Month,
        "day" | "daily" | "日" | "天" => TermUnit::Day,
        _ => return None,
    };
    Some(Term { unit, count })
}

/// What was paid: the coupon apart; the money by its kind only where the payment method tells it.
fn money(order: &mut OrderRecord, item: &Place<'_>) -> Result<(), Misfit> {
    order.list_price = item.get("OriginalAmount").decimal()?;
    let Some(paid) = item.get("PaidAmount").decimal::<Amount>()? else { return Ok(()) };
    let coupon: Amount = item.get("CouponAmount").decimal()?.unwrap_or_default();
    order.due = Some(paid + coupon);
    let method = item.get("PaymentMethod").text()?.unwrap_or_default().to_ascii_lowercase();
    let instrument = if method.contains("credit") || method.contains("信控") {
        Some(Instrument::Credit)
    } else if ["balance", "cash", "余额", "现金"].iter().any(|word| method.contains(word)) {
        Some(Instrument::Cash)
    } else {
        None
    };
    let mut payments = Vec::new();
    match instrument {
        Some(instrument) if paid.is_positive() => payments.push(Payment { instrument, amount: paid, expires_at: None }),
        None if paid.is_positive() => return Ok(()),
        _ => {}
    }
    if coupon.is_positive() {
        payments.push(Payment { instrument: Instrument::Voucher, amount: coupon, expires_at: None });
    }
    order.payments = Some(payments);
    Ok(())
}
