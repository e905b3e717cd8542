//! Reads what Tencent Cloud's API prints: order listings, bill details, quotes and answers on
//! eligibility. All files of a run are joined: orders from a listing, their dates and kinds of money
//! from the bill, the provider's own answers as facts.

mod answers;
mod bills;
mod deals;

use std::collections::{HashMap, HashSet};

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
    /// `billing.DescribeDealsByCond`.
    Deals,
    /// `partners.DescribeAgentDealsByCache`.
    AgentDeals,
    /// `billing.DescribeBillDetail`.
    BillDetail,
    /// `billing.DescribeBillList`.
    BillList,
    /// `cvm.InquiryPriceTerminateInstances`.
    Quote,
    /// `clb.InquiryPriceRefundLoadBalancer`.
    BalancerQuote,
    /// `lighthouse.DescribeInstancesReturnable` and `DescribeDisksReturnable`.
    Returnable,
    /// `billing.RefundInstance`.
    Refunded,
}

/// The body of a payload, out of its `Response`.
fn body(json: &Value) -> Place<'_> {
    let root = Place::root(json);
    let response = root.get("response");
    let root = if response.value.is_some() && root.has("request") { response } else { root };
    let inner = root.get("Response");
    if inner.value.is_some() { inner } else { root }
}

fn kind_of(body: &Place<'_>) -> Option<Kind> {
    let first = |list: &str| body.get(list).items().ok().and_then(|items| items.into_iter().next());
    let empty_listing = |list: &str| body.get(list).items().is_ok_and(|items| items.is_empty());
    let has_all = |place: &Place<'_>, names: &[&str]| names.iter().all(|name| place.has(name));
    let list_of = |list: &str, names: &[&str]| {
        body.has(list)
            && first(list).map_or_else(|| empty_listing(list) && body.has("RequestId"), |item| has_all(&item, names))
    };
    if list_of("Deals", &["OrderId", "Status"]) {
        Some(Kind::Deals)
    } else if list_of("AgentDealSet", &["DealName"]) || has_all(body, &["DealName", "BigDealId", "GoodsPrice"]) {
        Some(Kind::AgentDeals)
    } else if list_of("DetailSet", &["BusinessCode"]) || has_all(body, &["ActionType", "BusinessCode", "ComponentSet"])
    {
        Some(Kind::BillDetail)
    } else if list_of("TransactionList", &["ActionType", "PayType"]) {
        Some(Kind::BillList)
    } else if list_of("InstanceRefundsSet", &["InstanceId"]) {
        Some(Kind::Quote)
    } else if list_of("InstanceReturnableSet", &["IsReturnable"]) || list_of("DiskReturnableSet", &["IsReturnable"]) {
        Some(Kind::Returnable)
    } else if has_all(&body.get("Price"), &["InstancePrice"]) && body.has("RequestId") {
        Some(Kind::BalancerQuote)
    } else if body.has("OrderIdList") && body.has("RequestId") {
        Some(Kind::Refunded)
    } else {
        None
    }
}

/// Whether a file is one of these payloads.
pub(crate) fn recognises(file: &ImportFile<'_>) -> bool {
    match file.json {
        Some(Value::Array(items)) => {
            let bare = [Kind::AgentDeals, Kind::BillDetail];
            !items.is_empty() && items.iter().all(|item| kind_of(&body(item)).is_some_and(|kind| bare.contains(&kind)))
        }
        Some(json) => kind_of(&body(json)).is_some(),
        None => false,
    }
}

/// Reads the files of a run together.
pub(crate) fn import(files: &[ImportFile<'_>]) -> Imported {
    let mut join = Join::default();
    for file in files {
        match file.json {
            Some(Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    let mut place = body(item);
                    place.path = format!("[{index}]");
                    join.read(file, &place);
                }
            }
            Some(json) => join.read(file, &body(json)),
            None => join.out.error(file, "", "expected JSON as the API prints it"),
        }
    }
    deals::report_truncated(&mut join);
    join.finish()
}

/// A listing of orders that says how many there are.
#[derive(Debug)]
struct Listing<'f> {
    file: ImportFile<'f>,
    path: String,
    total: i64,
    orders: HashSet<String>,
}

/// Resources on their way, joined by id.
#[derive(Debug, Default)]
struct Join<'f> {
    out: Imported,
    order_of_ids: Vec<String>,
    resources: HashMap<String, ResourceRecord>,
    refunded: HashSet<String>,
    listings: Vec<Listing<'f>>,
}

impl<'f> Join<'f> {
    fn read(&mut self, file: &ImportFile<'f>, place: &Place<'f>) {
        match kind_of(place) {
            Some(Kind::Deals) => deals::listing(self, file, place),
            Some(Kind::AgentDeals) => deals::agent_listing(self, file, place),
            Some(Kind::BillDetail) => bills::details(self, file, place),
            Some(Kind::BillList) => bills::list(self, file, place),
            Some(Kind::Quote) => answers::quotes(self, file, place),
            Some(Kind::BalancerQuote) => answers::balancer_quote(self, file, place),
            Some(Kind::Returnable) => answers::returnable(self, file, place),
            Some(Kind::Refunded) => answers::refund_orders(self, file, place),
            None => self.out.error(file, place.path.clone(), "is none of the listings, bills and quotes known"),
        }
    }

    /// Records what could not be read.
    fn misfit(&mut self, file: &ImportFile<'_>, misfit: &Misfit) {
        let what = format!("expected {}, found {}", misfit.expected, misfit.found);
        self.out.error(file, misfit.path.clone(), what);
    }

    /// The resource with this id, made where it is new.
    fn resource(&mut self, id: &str, product: &str, billing: Billing) -> &mut ResourceRecord {
        if !self.resources.contains_key(id) {
            self.order_of_ids.push(id.to_owned());
        }
        self.resources
            .entry(id.to_owned())
            .or_insert_with(|| ResourceRecord::new("tencent", id, product, billing, Status::Active))
    }

    fn finish(mut self) -> Imported {
        for id in &self.order_of_ids {
            if let Some(mut resource) = self.resources.remove(id) {
                complete(&mut resource, &self.refunded);
                self.out.resources.push(resource);
            }
        }
        self.out
    }
}

/// Adds an order, or what another file says of the same order.
fn add_order(resource: &mut ResourceRecord, order: OrderRecord) {
    let orders = resource.orders.get_or_insert_default();
    let same = orders.iter_mut().find(|other| order.id.is_some() && other.id == order.id);
    let Some(known) = same else {
        orders.push(order);
        return;
    };
    known.placed_at = known.placed_at.or(order.placed_at);
    known.paid_at = known.paid_at.or(order.paid_at);
    known.starts_at = known.starts_at.or(order.starts_at);
    known.ends_at = known.ends_at.or(order.ends_at);
    known.term = known.term.or(order.term);
    known.quantity = known.quantity.or(order.quantity);
    known.currency = known.currency.or(order.currency);
    known.list_price = known.list_price.or(order.list_price);
    if known.payments.is_none() {
        known.payments = order.payments;
    }
    known.due = match &known.payments {
        Some(payments) => Some(payments.iter().map(|payment| payment.amount).sum()),
        None => known.due.or(order.due),
    };
    if order.status != OrderStatus::Paid {
        known.status = order.status;
    }
}

/// What follows from all orders together.
fn complete(resource: &mut ResourceRecord, refunded: &HashSet<String>) {
    let Some(orders) = &mut resource.orders else { return };
    for order in orders.iter_mut() {
        if order.id.as_ref().is_some_and(|id| refunded.contains(id)) {
            order.status = OrderStatus::Refunded;
        }
    }
    orders.sort_by_key(|order| {
        let time = order.placed_at.or(order.paid_at).or(order.starts_at);
        (time.is_none(), time)
    });
    resource.purchased_at = orders.first().and_then(|order| order.paid_at.or(order.placed_at));
    let of_period = |order: &&OrderRecord| {
        order.status == OrderStatus::Paid && matches!(order.kind, OrderKind::Purchase | OrderKind::Renewal)
    };
    resource.starts_at = orders.iter().filter(of_period).filter_map(|order| order.starts_at).min();
    resource.ends_at = orders.iter().filter(of_period).filter_map(|order| order.ends_at).max();
    let all = |status: OrderStatus| !orders.is_empty() && orders.iter().all(|order| order.status == status);
    if resource.status == Status::Active {
        if all(OrderStatus::Unpaid) {
            resource.status = Status::Pending;
        } else if all(OrderStatus::Refunded) && resource.billing == Billing::Subscription {
            resource.status = Status::Released;
        }
    }
}

/// A term by its length and unit as order listings write it.
fn term(length: Option<Number>, unit: Option<&str>) -> Option<Term> {
    let count = u32::try_from(length?.as_whole()?).ok().filter(|count| *count > 0)?;
    let unit = match unit? {
        "y" | "Y" | "年" => TermUnit::Year,
        "m" | "M" | "月" => TermUnit::Month,
        "d" | "D" | "日" | "天" => TermUnit::Day,
        "h" | "H" | "小时" => TermUnit::Hour,
        _ => return None,
    };
    Some(Term { unit, count })
}

/// The contract that settles in a currency: renminbi on the China site, dollars on the other.
fn site(currency: Option<recoup_core::money::Currency>) -> Option<String> {
    match currency?.as_str() {
        "CNY" => Some("cn".to_owned()),
        "USD" => Some("intl".to_owned()),
        _ => None,
    }
}
