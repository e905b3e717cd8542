//! Reads what the billing APIs print: lists of resources and of resource packages, lists and details
//! of orders, and refund orders, in the names of version 2 and in the older ones of version 1.
//!
//! | call | what tells it apart | becomes |
//! |---|---|---|
//! | ListPayPerUseCustomerResources | `data` of items with `resource_id` and `is_main_resource` | resources |
//! | ListFreeResourceInfos | `free_resource_packages` | packages |
//! | ListCustomerOrders | `order_infos`, `data.orderInfos` | orders |
//! | ShowCustomerOrderDetails | `order_line_items`, `orderlineItems` | orders with their periods |
//! | ShowRefundOrderDetails | `refund_infos`, `resource_info_list` | what became of orders |
//!
//! All files of one run are read together, so an order finds its resource whatever file it is in.

mod join;
mod orders;
mod packages;
mod refunds;
mod resources;

use recoup_core::import::{ImportFile, Imported, Misfit, Place};
use recoup_core::record::ResourceRecord;
use recoup_core::time::Zone;
use serde_json::Value;

/// API times are UTC.
const API_TIME: Zone = Zone::UTC;

/// A call whose answer is understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    Resources,
    Packages,
    Orders,
    OrderDetails,
    Refunds,
    /// The older list of all resources, which does not say how they are billed.
    AllResources,
    /// The numbers of the orders that an unsubscription made.
    Unsubscribed,
}

/// Something that was read, and where it stood.
#[derive(Debug)]
struct Found<'f, T> {
    file: &'f ImportFile<'f>,
    path: String,
    what: T,
}

/// How much of a listing was read: its total and the ids found.
#[derive(Debug)]
struct Listing<'f> {
    call: Call,
    total: i64,
    ids: Vec<String>,
    file: &'f ImportFile<'f>,
}

/// Everything that the files of one run hold.
#[derive(Debug, Default)]
struct Reading<'f> {
    resources: Vec<Found<'f, Listed>>,
    packages: Vec<Found<'f, Listed>>,
    orders: Vec<Found<'f, orders::Bought>>,
    refunds: Vec<Found<'f, refunds::Refunded>>,
    listings: Vec<Listing<'f>>,
}

/// A resource or package as its list shows it.
#[derive(Debug)]
struct Listed {
    record: ResourceRecord,
    /// The catalogue's product, which order lines name too.
    product_id: Option<String>,
    /// The order that bought it, where the list names it.
    order_id: Option<String>,
    /// Whether a list shows it as it stands now, and not only an order's line.
    is_listed: bool,
}

/// Whether a file holds an answer of one of the calls, or several of them in an array.
pub(crate) fn recognises(file: &ImportFile<'_>) -> bool {
    file.json.is_some_and(|json| !answers(json).is_empty())
}

/// Reads the files of one run together.
pub(crate) fn import(files: &[ImportFile<'_>]) -> Imported {
    let mut out = Imported::default();
    let mut reading = Reading::default();
    for file in files {
        let Some(json) = file.json else { continue };
        for (call, place) in answers(json) {
            read_answer(&mut reading, &mut out, file, call, &place);
        }
    }
    truncated(&reading, &mut out);
    join::join(reading, &mut out);
    out
}

/// The answers that a file holds.
fn answers(json: &Value) -> Vec<(Call, Place<'_>)> {
    let root = Place::root(json);
    if let Some(call) = call_of(&root) {
        return vec![(call, root)];
    }
    let pages = if json.is_array() { root.items().unwrap_or_default() } else { Vec::new() };
    let known: Vec<_> = pages.into_iter().map(|page| (call_of(&page), page)).collect();
    if known.iter().any(|(call, _)| call.is_none()) {
        return Vec::new();
    }
    known.into_iter().filter_map(|(call, page)| Some((call?, page))).collect()
}

/// Which call answered so.
fn call_of(answer: &Place<'_>) -> Option<Call> {
    // Of an empty listing only the names of its own fields tell.
    let items = |list: &Place<'_>, fields: &[&[&str]]| {
        let items = list.value.and_then(Value::as_array)?;
        let fits = |item: &Value| fields.iter().all(|names| names.iter().any(|name| item.get(name).is_some()));
        Some(!items.is_empty() && items.iter().any(fits))
    };
    let order: &[&[&str]] =
        &[&["order_id", "orderId"], &["service_type_code", "serviceType", "source_type", "sourceType", "order_type"]];
    let counted = answer.has("total_count") || answer.has("error_code");
    let empty = |list: &Place<'_>| counted && list.value.and_then(Value::as_array).is_some_and(Vec::is_empty);
    let refunds = answer.any(&["refund_infos", "resource_info_list"]);
    if items(&refunds, &[&["base_order_id", "preOrderId"], &["amount"]]) == Some(true) || empty(&refunds) {
        return Some(Call::Refunds);
    }
    let packages = answer.any(&["free_resource_packages", "freeResourcePackages"]);
    if items(&packages, &[&["order_instance_id", "orderInstanceId"]]) == Some(true) || empty(&packages) {
        return Some(Call::Packages);
    }
    let lines = answer.any(&["order_line_items", "orderlineItems"]);
    let details = answer.any(&["order_info", "orderInfo"]);
    if lines.value.is_some_and(Value::is_array) && details.any(&["order_id", "orderId"]).value.is_some() {
        return Some(Call::OrderDetails);
    }
    let orders = order_list(answer);
    if items(&orders, order) == Some(true) || (empty(&orders) && answer.has("order_infos")) {
        return Some(Call::Orders);
    }
    let service: &[&str] = &["service_type_code", "cloud_service_type_code"];
    if items(&answer.get("data"), &[&["resource_id"], &["is_main_resource"], service]) == Some(true) {
        return Some(Call::Resources);
    }
    let all: &[&[&str]] = &[&["resourceId"], &["cloudServiceType"], &["resourceType"]];
    if items(&answer.get("resources"), all) == Some(true) {
        return Some(Call::AllResources);
    }
    let unsubscribed = answer.get("unsub_order_ids").value.is_some_and(Value::is_array);
    (unsubscribed && answer.has("error_code")).then_some(Call::Unsubscribed)
}

fn order_list<'v>(answer: &Place<'v>) -> Place<'v> {
    let nested = answer.get("data").any(&["orderInfos", "order_infos"]);
    if nested.value.is_some() { nested } else { answer.any(&["order_infos", "orderInfos"]) }
}

fn read_answer<'f>(
    reading: &mut Reading<'f>,
    out: &mut Imported,
    file: &'f ImportFile<'f>,
    call: Call,
    answer: &Place<'_>,
) {
    if let Ok(Some(code)) = answer.get("error_code").text()
        && code != "CBC.0000"
    {
        let what = format!("the call failed with {code}: expected \"CBC.0000\", so the answer may not be whole");
        out.error(file, answer.get("error_code").path, what);
    }
    let list = match call {
        Call::Resources => answer.get("data"),
        Call::Packages => answer.any(&["free_resource_packages", "freeResourcePackages"]),
        Call::Orders => order_list(answer),
        Call::OrderDetails => answer.any(&["order_line_items", "orderlineItems"]),
        Call::Refunds => answer.any(&["refund_infos", "resource_info_list"]),
        Call::AllResources => answer.get("resources"),
        Call::Unsubscribed => answer.get("unsub_order_ids"),
    };
    let items = match list.items() {
        Ok(items) => items,
        Err(misfit) => return report(out, file, &misfit),
    };
    let mut ids = Vec::new();
    if call == Call::OrderDetails {
        read_details(reading, out, file, answer, &items, &mut ids);
    } else {
        for item in &items {
            match read_item(reading, out, file, call, item) {
                Ok(id) => ids.push(id.unwrap_or_else(|| item.path.clone())),
                Err(misfit) => {
                    // It was there, though it cannot be read.
                    ids.push(item.path.clone());
                    report(out, file, &misfit);
                }
            }
        }
    }
    match total(answer, call) {
        Ok(Some(total)) => reading.listings.push(Listing { call, total, ids, file }),
        Ok(None) => {}
        Err(misfit) => report(out, file, &misfit),
    }
}

fn report(out: &mut Imported, file: &ImportFile<'_>, misfit: &Misfit) {
    out.error(file, misfit.path.clone(), misfit.to_string());
}

/// Reads an item of a list; gives its id.
fn read_item<'f>(
    reading: &mut Reading<'f>,
    out: &mut Imported,
    file: &'f ImportFile<'f>,
    call: Call,
    item: &Place<'_>,
) -> Result<Option<String>, Misfit> {
    let path = item.path.clone();
    match call {
        Call::Resources => {
            let what = resources::resource(item)?;
            let id = what.record.id.clone();
            reading.resources.push(Found { file, path, what });
            Ok(Some(id))
        }
        Call::Packages => {
            let what = packages::package(item)?;
            let id = what.record.id.clone();
            reading.packages.push(Found { file, path, what });
            Ok(Some(id))
        }
        Call::Refunds => {
            let what = refunds::refund(item)?;
            // One refund order has an amount for each order and kind of money.
            let id = what.id.as_ref().map(|id| format!("{id} {} {path}", what.base_order));
            reading.refunds.push(Found { file, path, what });
            Ok(id)
        }
        Call::Orders | Call::OrderDetails => {
            let what = orders::listed(item)?;
            let id = what.id.clone();
            reading.orders.push(Found { file, path, what });
            for part in item.any(&["sub_order_infos", "subOrderInfos"]).items()? {
                match orders::listed(&part) {
                    Ok(what) => reading.orders.push(Found { file, path: part.path, what }),
                    Err(misfit) => report(out, file, &misfit),
                }
            }
            Ok(Some(id))
        }
        Call::AllResources => {
            let id = item.get("resourceId").required()?;
            let what = format!(
                "this list does not say how resource {id} is billed: expected the one of yearly/monthly resources (ListPayPerUseCustomerResources)"
            );
            out.error(file, path, what);
            Ok(Some(id))
        }
        Call::Unsubscribed => {
            let id = item.required()?;
            let what = format!("order {id} unsubscribes something: its amounts are told by ShowRefundOrderDetails");
            out.remark(file, path, what);
            Ok(Some(id))
        }
    }
}

/// Reads an order with its lines.
fn read_details<'f>(
    reading: &mut Reading<'f>,
    out: &mut Imported,
    file: &'f ImportFile<'f>,
    answer: &Place<'_>,
    items: &[Place<'_>],
    ids: &mut Vec<String>,
) {
    match orders::details(answer, items) {
        Ok((what, bad)) => {
            ids.extend(what.lines.iter().map(|line| line.id.clone().unwrap_or_else(|| line.path.clone())));
            for misfit in bad {
                ids.push(misfit.path.clone());
                report(out, file, &misfit);
            }
            reading.orders.push(Found { file, path: answer.path.clone(), what });
        }
        Err(misfit) => {
            ids.extend(items.iter().map(|item| item.path.clone()));
            report(out, file, &misfit);
        }
    }
}

fn total(answer: &Place<'_>, call: Call) -> Result<Option<i64>, Misfit> {
    match call {
        Call::OrderDetails => answer.any(&["total_count", "count"]).whole(),
        Call::Orders if answer.get("data").has("totalSize") => answer.get("data").get("totalSize").whole(),
        _ => answer.any(&["total_count", "totalSize", "totalCount"]).whole(),
    }
}

/// A listing whose total says more than was read. Pages of one listing have the same total; details
/// are of one order each.
fn truncated(reading: &Reading<'_>, out: &mut Imported) {
    let mut seen: Vec<(Call, i64)> = Vec::new();
    for listing in &reading.listings {
        let key = (listing.call, listing.total);
        let alone = listing.call == Call::OrderDetails;
        if !alone && seen.contains(&key) {
            continue;
        }
        seen.push(key);
        let pages = reading
            .listings
            .iter()
            .filter(|other| if alone { std::ptr::eq(*other, listing) } else { (other.call, other.total) == key });
        let mut ids: Vec<&str> = pages.flat_map(|page| page.ids.iter().map(String::as_str)).collect();
        ids.sort_unstable();
        ids.dedup();
        let found = i64::try_from(ids.len()).unwrap_or(i64::MAX);
        if found < listing.total {
            let what = format!(
                "the listing has {} items, {found} are here: expected the other pages (\"offset\" and \"limit\") too",
                listing.total
            );
            out.error(listing.file, "total_count", what);
        }
    }
}
