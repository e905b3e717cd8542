//! Reads what BssOpenApi and the product APIs print (section 11 of the rules), all files of one account
//! together: listings give the resources, order details their orders, transactions and bills what paid
//! them, quotes and relations facts. What a payload does not say stays unknown.

mod answers;
mod fields;
mod listings;
mod orders;
mod payments;

use std::collections::HashSet;

use recoup_core::import::{ImportFile, Imported, Place};
use recoup_core::record::ResourceRecord;
use serde_json::Value;

/// What a payload is, by the fields that only it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// QueryAvailableInstances.
    Instances,
    /// QueryResourcePackageInstances.
    Plans,
    /// QuerySavingsPlansInstance.
    SavingsPlans,
    /// QueryOrders and GetOrderDetail.
    Orders,
    /// QueryAccountTransactions.
    Transactions,
    /// DescribeInstanceBill and QueryInstanceBill.
    Bill,
    /// QueryRelationList.
    Relations,
    /// InquiryPriceRefundInstance.
    Quote,
    /// RefundInstance, CancelOrder and ConvertChargeType.
    Done,
    /// QueryCashCoupons and QueryPrepaidCards.
    Coupons,
    /// ECS ModifyInstanceChargeType.
    ConversionFees,
    /// EDS DescribeRefundPrice.
    DesktopQuote,
    /// An answer that failed.
    Failure,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Instances => "instances",
            Self::Plans => "resource plans",
            Self::SavingsPlans => "savings plans",
            Self::Orders => "orders",
            Self::Transactions => "transactions",
            Self::Bill => "bill rows",
            Self::Relations => "relations",
            _ => "items",
        }
    }
}

fn kind_of(json: &Value) -> Option<Kind> {
    let place = Place::root(json);
    if !place.has("RequestId") {
        return None;
    }
    if place.get("FeeOfInstances").has("FeeOfInstance") {
        return Some(Kind::ConversionFees);
    }
    if place.get("PriceInfo").has("RefundFee") {
        return Some(Kind::DesktopQuote);
    }
    let data = place.get("Data");
    let in_items = |names: &[&str]| {
        let items = data.get("Items");
        let first = items.value.and_then(Value::as_array).and_then(|items| items.first());
        first.is_some_and(|item| names.iter().all(|name| item.get(name).is_some()))
    };
    if data.has("InstanceList") {
        Some(Kind::Instances)
    } else if data.get("Instances").has("Instance") {
        Some(Kind::Plans)
    } else if data.get("OrderList").has("Order") {
        Some(Kind::Orders)
    } else if data.has("AccountTransactionsList") {
        Some(Kind::Transactions)
    } else if data.has("FinancialRelationInfoList") {
        Some(Kind::Relations)
    } else if data.has("CashCoupon") || data.has("PrepaidCard") {
        Some(Kind::Coupons)
    } else if data.has("Items") && data.has("BillingCycle") {
        Some(Kind::Bill)
    } else if in_items(&["PoolValue", "InstanceId"]) {
        Some(Kind::SavingsPlans)
    } else if data.has("RefundAmount") {
        Some(Kind::Quote)
    } else if place.has("Success") && (data.has("OrderId") || data.has("HostId")) {
        Some(Kind::Done)
    } else if place.has("Code") && place.has("Message") && answers::is_refund_code(&place) {
        Some(Kind::Failure)
    } else {
        None
    }
}

/// The payloads of a file: one, or the pages that a pager put into an array.
fn payloads<'f>(file: &ImportFile<'f>) -> Vec<Place<'f>> {
    match file.json {
        Some(Value::Array(pages)) => pages
            .iter()
            .enumerate()
            .map(|(index, page)| Place { value: Some(page), path: format!("[{index}]") })
            .collect(),
        Some(json) => vec![Place::root(json)],
        None => Vec::new(),
    }
}

/// Whether every payload of a file is one of these.
pub(crate) fn recognises(file: &ImportFile<'_>) -> bool {
    let payloads = payloads(file);
    !payloads.is_empty() && payloads.iter().all(|place| place.value.and_then(kind_of).is_some())
}

/// A listing's pages so far: how many items it says there are and how many were there.
#[derive(Debug)]
struct Listing {
    kind: Kind,
    total: i64,
    /// The items seen, each once however often its page was given.
    seen: HashSet<String>,
    file: String,
    path: String,
}

/// What is being put together.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    out: Imported,
    listings: Vec<Listing>,
    orders: Vec<orders::Found>,
    paid: Vec<payments::Paid>,
    facts: Vec<answers::Learned>,
    groups: Vec<answers::Membership>,
}

impl Draft {
    /// Adds a resource, or joins it with the one of the same id.
    fn add(&mut self, file: &ImportFile<'_>, path: &str, record: ResourceRecord) {
        match self.out.resources.iter_mut().find(|known| known.id == record.id) {
            None => self.out.resources.push(record),
            Some(known) if listings::same(known, &record) => listings::join(known, record),
            Some(_) => self.out.error(
                file,
                path,
                format!("the resource {:?} is there twice with different contents; the first is kept", record.id),
            ),
        }
    }
}

/// Reads all files of one run.
pub(crate) fn import(files: &[ImportFile<'_>]) -> Imported {
    let mut draft = Draft::default();
    for file in files {
        for payload in payloads(file) {
            read(&mut draft, file, &payload);
        }
    }
    for listing in std::mem::take(&mut draft.listings) {
        let seen = i64::try_from(listing.seen.len()).unwrap_or(i64::MAX);
        if seen < listing.total {
            draft.out.remarks.push(recoup_core::import::ImportRemark {
                file: listing.file,
                path: listing.path,
                what: format!(
                    "the listing says that there are {} {}, {} were given: pages are missing",
                    listing.total,
                    listing.kind.name(),
                    seen
                ),
                is_error: true,
            });
        }
    }
    payments::settle(&mut draft);
    orders::attach(&mut draft);
    answers::apply(&mut draft);
    draft.out
}

fn read(draft: &mut Draft, file: &ImportFile<'_>, payload: &Place<'_>) {
    let Some(kind) = payload.value.and_then(kind_of) else {
        return draft.out.error(file, payload.path.clone(), "is none of the payloads that are known");
    };
    let data = payload.get("Data");
    if payload.get("Success").truth() == Ok(Some(false)) && !matches!(kind, Kind::Quote | Kind::Done | Kind::Failure) {
        let code = payload.get("Code").text().ok().flatten().unwrap_or_default();
        return draft.out.error(
            file,
            payload.get("Success").path,
            format!("the call failed with {code:?}: nothing is read"),
        );
    }
    let items = match kind {
        Kind::Instances => data.get("InstanceList"),
        Kind::Plans => data.get("Instances").get("Instance"),
        Kind::Orders => data.get("OrderList").get("Order"),
        Kind::Transactions => data.get("AccountTransactionsList").get("AccountTransactionsList"),
        Kind::Relations => data.get("FinancialRelationInfoList"),
        Kind::Bill if data.get("Items").has("Item") => data.get("Items").get("Item"),
        Kind::Bill | Kind::SavingsPlans => data.get("Items"),
        Kind::ConversionFees | Kind::Quote | Kind::Done | Kind::Coupons | Kind::DesktopQuote | Kind::Failure => {
            return answers::read(draft, file, payload, kind);
        }
    };
    let items = match items.items() {
        Ok(items) => items,
        Err(misfit) => return draft.out.error(file, misfit.path.clone(), misfit.to_string()),
    };
    count(draft, file, &data, kind, &items);
    for item in items {
        let done = match kind {
            Kind::Instances => listings::instance(draft, file, &item),
            Kind::Plans => listings::plan(draft, file, &item),
            Kind::SavingsPlans => listings::savings_plan(draft, file, &item),
            Kind::Orders => orders::order(draft, file, &item),
            Kind::Transactions => payments::transaction(draft, file, &item),
            Kind::Bill => payments::bill_row(draft, file, &item),
            _ => answers::relation(draft, file, &item),
        };
        if let Err(misfit) = done {
            draft.out.error(file, misfit.path.clone(), misfit.to_string());
        }
    }
}

/// Counts a page of a listing. Pages of one listing state the same total.
fn count(draft: &mut Draft, file: &ImportFile<'_>, data: &Place<'_>, kind: Kind, items: &[Place<'_>]) {
    let total = data.get("TotalCount");
    let Ok(Some(stated)) = total.whole() else { return };
    let known = draft.listings.iter().position(|listing| listing.kind == kind && listing.total == stated);
    let index = known.unwrap_or_else(|| {
        let (file, path) = (file.name.to_owned(), total.path.clone());
        draft.listings.push(Listing { kind, total: stated, seen: HashSet::new(), file, path });
        draft.listings.len() - 1
    });
    if let Some(listing) = draft.listings.get_mut(index) {
        listing.seen.extend(items.iter().map(|item| item_id(file, kind, item)));
    }
}

/// What tells an item of a listing from the others: its id, else where it stands.
fn item_id(file: &ImportFile<'_>, kind: Kind, item: &Place<'_>) -> String {
    let names: &[&str] = match kind {
        Kind::Instances => &["InstanceID"],
        Kind::Plans | Kind::SavingsPlans => &["InstanceId"],
        Kind::Orders => &["OrderId", "SubOrderId"],
        Kind::Transactions => &["TransactionNumber"],
        Kind::Relations => &["RelationId"],
        _ => &[],
    };
    let ids: Vec<String> = names.iter().filter_map(|name| item.get(name).text().ok().flatten()).collect();
    if ids.is_empty() { format!("{}:{}", file.name, item.path) } else { ids.join("/") }
}
