//! Reads what UCloud's API prints: `ListUBillDetail` and `GetUHostRefundPrice`.

use std::collections::HashMap;

use recoup_core::import::{ImportFile, ImportRemark, Imported, Misfit, Place};
use recoup_core::money::Currency;
use recoup_core::prelude::*;
use recoup_core::record::{OrderRecord, ResourceRecord};
use recoup_core::resource::Term;
use recoup_core::stated::Statement;
use recoup_core::time::Zone;
use serde_json::Value;

/// The wall clock of the bills.
const ZONE: Zone = Zone::fixed_hours(8);

/// The fields by which a row of a bill is told from other providers' rows.
const ROW: &[&str] = &["OrderNo", "ResourceId", "ChargeType", "OrderType", "AmountReal"];

/// An instant by its seconds since 1970; zero is a field that was not filled.
fn epoch(place: &Place<'_>) -> Result<Option<Instant>, Misfit> {
    // The years that records understand end with 2999.
    let seconds = place.whole()?.filter(|seconds| (1..32_503_680_000).contains(seconds));
    Ok(seconds.map(|seconds| Instant::from_micros(seconds * 1_000_000)))
}

fn is_row(place: &Place<'_>) -> bool {
    ROW.iter().all(|name| place.has(name))
}

/// The rows of a bill, wherever the response keeps them.
fn rows<'v>(json: &'v Value) -> Option<Vec<Place<'v>>> {
    let root = Place::root(json);
    if is_row(&root) {
        return Some(vec![root]);
    }
    let of_list = |place: Place<'v>| {
        let items = place.items().ok().filter(|items| !items.is_empty())?;
        items.first().is_some_and(is_row).then_some(items)
    };
    match json {
        Value::Array(_) => of_list(root),
        Value::Object(map) => {
            let found = map.keys().find_map(|name| of_list(root.get(name)));
            let is_empty_bill = root.get("Action").text().ok().flatten().as_deref() == Some("ListUBillDetailResponse");
            found.or_else(|| is_empty_bill.then(Vec::new))
        }
        _ => None,
    }
}

fn quotes(json: &Value) -> Option<Place<'_>> {
    let quotes = Place::root(json).get("RefundPriceSet");
    let is_response = json.get("RetCode").is_some() || json.get("Action").is_some();
    (quotes.value.is_some() && is_response).then_some(quotes)
}

/// Whether a file is a bill or a quote of this provider.
pub(crate) fn recognises(file: &ImportFile<'_>) -> bool {
    file.json.is_some_and(|json| rows(json).is_some() || quotes(json).is_some())
}

/// Reads the files of a run together.
pub(crate) fn import(files: &[ImportFile<'_>]) -> Imported {
    let mut join = Join::default();
    for file in files {
        let Some(json) = file.json else {
            join.out.error(file, "", "expected JSON as the API prints it");
            continue;
        };
        if let Some(quotes) = quotes(json) {
            read_quotes(&mut join, file, &quotes);
        } else if let Some(rows) = rows(json) {
            join.note_total(file, json, rows.len());
            for row in &rows {
                if let Err(misfit) = join.read(file, row) {
                    misfit_error(&mut join.out, file, &misfit);
                }
            }
        } else {
            join.out.error(file, "", "is neither a bill (ListUBillDetail) nor a quote (GetUHostRefundPrice)");
        }
    }
    join.finish()
}

fn misfit_error(out: &mut Imported, file: &ImportFile<'_>, misfit: &Misfit) {
    out.error(file, misfit.path.clone(), format!("expected {}, found {}", misfit.expected, misfit.found));
}

/// Quotes are the provider's own figures: kept beside ours, never taken for them.
fn read_quotes(join: &mut Join<'_>, file: &ImportFile<'_>, quotes: &Place<'_>) {
    let items = match quotes.items() {
        Ok(items) => items,
        Err(misfit) => return misfit_error(&mut join.out, file, &misfit),
    };
    for item in &items {
        match quote(item) {
            Ok((id, Some(0) | None, Some(refund), _)) => {
                let path = item.get("RefundPrice").path;
                join.quotes.push(Quoted { id, refund, file: file.name.to_owned(), path });
            }
            Ok((id, code, _, message)) => {
                let code = code.map_or_else(|| "without a code".to_owned(), |code| format!("code {code}"));
                let what = format!("no quote for {id}: {code} {}", message.unwrap_or_default());
                join.out.error(file, item.get("Code").path, what);
            }
            Err(misfit) => misfit_error(&mut join.out, file, &misfit),
        }
    }
}

/// A quote on its way to the resource that it speaks of.
#[derive(Debug)]
struct Quoted {
    id: String,
    refund: Amount,
    file: String,
    path: String,
}

type Quote = (String, Option<i64>, Option<Amount>, Option<String>);

fn quote(item: &Place<'_>) -> Result<Quote, Misfit> {
    let id = item.any(&["UHostId", "CompShareInstanceId", "ResourceId"]).required()?;
    let (code, message) = (item.get("Code").whole()?, item.get("Message").text()?);
    Ok((id, code, item.get("RefundPrice").decimal()?, message))
}

/// A resource with what its rows say of deletion.
#[derive(Debug)]
struct Row {
    record: ResourceRecord,
    last_change: Option<(Instant, bool)>,
}

/// Resources on their way, joined by id.
#[derive(Debug, Default)]
struct Join<'f> {
    out: Imported,
    ids: Vec<String>,
    resources: HashMap<String, Row>,
    totals: Vec<(ImportFile<'f>, i64, usize)>,
    quotes: Vec<Quoted>,
}

impl<'f> Join<'f> {
    fn note_total(&mut self, file: &ImportFile<'f>, json: &Value, rows: usize) {
        if let Ok(Some(total)) = Place::root(json).any(&["TotalCount", "Total"]).whole() {
            self.totals.push((*file, total, rows));
        }
    }

    fn read(&mut self, file: &ImportFile<'f>, row: &Place<'_>) -> Result<(), Misfit> {
        let id = row.get("ResourceId").required()?;
        let product = row.get("ResourceType").required()?;
        let charge = row.get("ChargeType").required()?;
        let action = row.get("OrderType").required()?;
        let Some((billing, unit)) = billing_of(&charge) else {
            let what = format!("{charge:?} is none of Year, Month, Day, Dynamic, Used, Donate, Trial, Post, Spot");
            self.out.error(file, row.get("ChargeType").path, what);
            return Ok(());
        };
        let created = epoch(&row.get("CreateTime"))?;
        let project = row.any(&["ProjectId", "ProjectName"]).text()?;
        let order = order(row, &action, unit, created)?;
        let account = row.any(&["UserEmail", "UserName"]).text()?;
        if !self.resources.contains_key(&id) {
            self.ids.push(id.clone());
        }
        let entry = self.resources.entry(id.clone()).or_insert_with(|| Row {
            record: ResourceRecord::new("ucloud", &id, &product, billing, Status::Active),
            last_change: None,
        });
        entry.record.site = Some("cn".to_owned());
        entry.record.project = entry.record.project.take().or(project);
        entry.record.account = entry.record.account.take().or(account);
        match action.as_str() {
            "OT_REFUND" | "OT_RECOVER" => {
                let change = created.map(|created| (created, action == "OT_REFUND"));
                entry.last_change = entry.last_change.max(change);
            }
            _ => {}
        }
        match order {
            Some(order) => {
                let orders = entry.record.orders.get_or_insert_default();
                if !orders.iter().any(|other| other.id.is_some() && other.id == order.id) {
                    orders.push(order);
                }
            }
            None => {
                let what = format!("{action:?} buys no period and was left out of the orders");
                self.out.remark(file, row.get("OrderType").path, what);
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Imported {
        // Pages of one bill state the same total.
        let mut seen = Vec::new();
        for (file, total, _) in &self.totals {
            let there: usize = self.totals.iter().filter(|(_, other, _)| other == total).map(|(_, _, rows)| rows).sum();
            if !seen.contains(total) && usize::try_from(*total).is_ok_and(|total| there < total) {
                seen.push(*total);
                let what = format!("says {total} rows, {there} are there: add the other pages of the bill");
                self.out.error(file, "TotalCount", what);
            }
        }
        for Quoted { id, refund, file, path } in std::mem::take(&mut self.quotes) {
            match self.resources.get_mut(&id) {
                Some(row) => row.record.state(Statement {
                    exit: Some(Exit::InUse),
                    currency: Some(Currency::CNY),
                    refund: Some(refund),
                    ..Statement::by("RefundPrice")
                }),
                None => {
                    let what = format!(
                        "the provider quotes a refund of {refund} for {id}, which is in no bill: add the bill that lists it"
                    );
                    self.out.remarks.push(ImportRemark { file, path, what, is_error: false });
                }
            }
        }
        for id in &self.ids {
            if let Some(Row { mut record, last_change }) = self.resources.remove(id) {
                complete(&mut record, last_change.is_some_and(|(_, deleted)| deleted));
                self.out.resources.push(record);
            }
        }
        self.out
    }
}

/// How a charge type bills, and the unit in which it sells a period.
fn billing_of(charge: &str) -> Option<(Billing, Option<TermUnit>)> {
    Some(match charge {
        "Year" => (Billing::Subscription, Some(TermUnit::Year)),
        "Month" => (Billing::Subscription, Some(TermUnit::Month)),
        "Day" => (Billing::Subscription, Some(TermUnit::Day)),
        "Dynamic" | "Used" | "Post" | "Postpay" => (Billing::PayAsYouGo, None),
        "Spot" | "Preemptive" => (Billing::Spot, None),
        "Donate" => (Billing::Free, None),
        "Trial" => (Billing::Trial, None),
        _ => return None,
    })
}

fn order(
    row: &Place<'_>,
    action: &str,
    unit: Option<TermUnit>,
    created: Option<Instant>,
) -> Result<Option<OrderRecord>, Misfit> {
    let kind = match action {
        "OT_BUY" => OrderKind::Purchase,
        "OT_RENEW" => OrderKind::Renewal,
        "OT_UPGRADE" => OrderKind::Upgrade,
        "OT_DOWNGRADE" => OrderKind::Downgrade,
        _ => return Ok(None),
    };
    let unpaid = row.get("PaidState").text()?.is_some_and(|state| state == "0" || state.eq_ignore_ascii_case("unpaid"));
    let mut order = OrderRecord::new(kind, if unpaid { OrderStatus::Unpaid } else { OrderStatus::Paid });
    order.id = Some(row.get("OrderNo").required()?);
    order.placed_at = created;
    order.paid_at = created.filter(|_| !unpaid);
    order.starts_at = epoch(&row.get("StartTime"))?;
    order.ends_at = epoch(&row.get("EndTime"))?.filter(|end| order.starts_at.is_none_or(|start| start <= *end));
    order.currency = Some(Currency::CNY);
    let kinds =
        [("AmountReal", Instrument::Cash), ("AmountFree", Instrument::Bonus), ("AmountCoupon", Instrument::Voucher)];
    let mut payments = Vec::new();
    for (name, instrument) in kinds {
        let amount: Amount = row.get(name).decimal()?.unwrap_or_default();
        if amount.is_positive() {
            payments.push(Payment { instrument, amount, expires_at: None });
        }
    }
    order.due = Some(payments.iter().map(|payment| payment.amount).sum());
    order.payments = Some(payments);
    let is_period = matches!(kind, OrderKind::Purchase | OrderKind::Renewal);
    if let (true, Some(unit), Some(start), Some(end)) = (is_period, unit, order.starts_at, order.ends_at) {
        order.term = counted(unit, start, end);
    }
    Ok(Some(order))
}

/// How many whole units a period has.
fn counted(unit: TermUnit, start: Instant, end: Instant) -> Option<Term> {
    let count = match unit {
        TermUnit::Day => end.since(start).days_begun(),
        TermUnit::Year => i64::from(ZONE.months_between(start, end)) / 12,
        _ => i64::from(ZONE.months_between(start, end)),
    };
    let count = u32::try_from(count).ok().filter(|count| *count > 0)?;
    Some(Term { unit, count })
}

fn complete(record: &mut ResourceRecord, deleted: bool) {
    if deleted {
        record.status = Status::Released;
    }
    let Some(orders) = &mut record.orders else { return };
    orders.sort_by_key(|order| (order.starts_at.is_none(), order.starts_at));
    if deleted {
        for order in orders.iter_mut().filter(|order| order.status == OrderStatus::Paid) {
            order.status = OrderStatus::Refunded;
        }
    }
    record.purchased_at = orders.first().and_then(|order| order.placed_at);
    record.starts_at = orders.iter().filter_map(|order| order.starts_at).min();
    record.ends_at = orders.iter().filter_map(|order| order.ends_at).max();
}
