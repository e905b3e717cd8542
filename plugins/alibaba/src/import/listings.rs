//! Listings of what was bought: QueryAvailableInstances, QueryResourcePackageInstances and
//! QuerySavingsPlansInstance.

use recoup_core::fact::Flag;
use recoup_core::import::{ImportFile, Misfit, Place};
use recoup_core::money::{Exact, Number};
use recoup_core::record::{CommitmentRecord, ResourceRecord};
use recoup_core::vocab::{Billing, PaymentOption, Recurrence, Status};
use serde_json::Value;

use super::Draft;
use super::fields::{amount, currency, end, instant, site, word};

/// How a subscription type is billed.
pub(crate) const SUBSCRIPTION_TYPES: &[(&str, Billing)] =
    &[("Subscription", Billing::Subscription), ("PayAsYouGo", Billing::PayAsYouGo)];

/// A row of QueryAvailableInstances.
pub(crate) fn instance(draft: &mut Draft, file: &ImportFile<'_>, item: &Place<'_>) -> Result<(), Misfit> {
    let id = item.get("InstanceID").required()?;
    let product = item.get("ProductCode").required()?;
    let subscription = item.get("SubscriptionType");
    let Some(billing) = word(&mut draft.out, file, &subscription, SUBSCRIPTION_TYPES)? else {
        draft.out.error(file, subscription.path, format!("how {id:?} is billed is unknown: not read"));
        return Ok(());
    };
    let statuses = [
        ("Creating", Status::Pending),
        ("WaitForExpire", Status::Active),
        ("Normal", Status::Active),
        ("Expired", Status::Expired),
    ];
    let status = word(&mut draft.out, file, &item.get("Status"), &statuses)?.unwrap_or(Status::Active);
    let mut record = ResourceRecord::new("alibaba", &id, &product, billing, status);
    record.account = item.get("OwnerId").text()?;
    record.region = item.get("Region").text()?;
    record.purchased_at = instant(&item.get("CreateTime"))?;
    record.ends_at = end(&item.get("EndTime"))?;
    let renewals = [("AutoRenewal", true), ("ManualRenewal", false), ("NotRenewal", false)];
    if let Some(renews) = word(&mut draft.out, file, &item.get("RenewStatus"), &renewals)? {
        record.facts.flags.set(Flag::AutoRenew, renews);
    }
    draft.add(file, &item.path, record);
    Ok(())
}

/// A row of QueryResourcePackageInstances.
pub(crate) fn plan(draft: &mut Draft, file: &ImportFile<'_>, item: &Place<'_>) -> Result<(), Misfit> {
    let id = item.get("InstanceId").required()?;
    let product = match applicable_product(item)? {
        Some(product) => product,
        None => item.get("CommodityCode").required()?,
    };
    let statuses = [("Available", Status::Active), ("Expired", Status::Expired)];
    let status = word(&mut draft.out, file, &item.get("Status"), &statuses)?.unwrap_or(Status::Active);
    let mut record = ResourceRecord::new("alibaba", &id, &product, Billing::Package, status);
    record.site = site(&item.get("CommodityCode"))?;
    record.name = item.get("Remark").text()?;
    record.region = item.get("Region").text()?;
    record.starts_at = instant(&item.get("EffectiveTime"))?;
    record.ends_at = end(&item.get("ExpiryTime"))?;
    let total: Option<Number> = item.get("TotalAmount").decimal()?;
    let remaining: Option<Number> = item.get("RemainingAmount").decimal()?;
    let unit = item.get("TotalAmountUnit").text()?;
    let mut commitment = CommitmentRecord { unit: unit.clone(), total_units: total, ..CommitmentRecord::default() };
    if let (Some(total), Some(remaining)) = (total, remaining)
        && unit == item.get("RemainingAmountUnit").text()?
        && total.is_positive()
        && remaining <= total
    {
        let used = Exact::from(total).minus(&Exact::from(remaining));
        commitment.used_units = Some(used.to_amount().as_number());
        commitment.used_fraction = Some(used.over(total).to_amount().as_number());
        if used.is_zero() {
            let what =
                "nothing is deducted now; a plan that refills may have been used before: check its deduction log";
            draft.out.remark(file, item.get("RemainingAmount").path, what);
        } else {
            record.facts.flags.set(Flag::Used, true);
        }
    }
    record.commitment = Some(commitment);
    draft.add(file, &item.path, record);
    Ok(())
}

/// The one product that a plan applies to, from a JSON text such as `{"Product": ["oss"]}`.
fn applicable_product(item: &Place<'_>) -> Result<Option<String>, Misfit> {
    let mut products: Vec<String> = Vec::new();
    for place in item.get("ApplicableProducts").get("Product").items()? {
        let Some(text) = place.text()? else { continue };
        match serde_json::from_str::<Value>(&text) {
            Ok(json) => products.extend(
                json.get("Product")
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str)
                    .map(str::to_owned),
            ),
            Err(_) => products.push(text),
        }
    }
    products.dedup();
    Ok(if products.len() == 1 { products.pop() } else { None })
}

/// A row of QuerySavingsPlansInstance.
pub(crate) fn savings_plan(draft: &mut Draft, file: &ImportFile<'_>, item: &Place<'_>) -> Result<(), Misfit> {
    let id = item.get("InstanceId").required()?;
    let product = item.any(&["SavingsType", "CommodityCode"]).required()?.to_lowercase();
    let statuses = [("NORMAL", Status::Active), ("LIMIT", Status::Active), ("RELEASE", Status::Released)];
    let status = word(&mut draft.out, file, &item.get("Status"), &statuses)?.unwrap_or(Status::Active);
    let mut record = ResourceRecord::new("alibaba", &id, &product, Billing::SavingsPlan, status);
    // LIMIT says that it was stopped for arrears.
    if item.get("Status").text()?.is_some_and(|status| status.eq_ignore_ascii_case("LIMIT")) {
        record.facts.flags.set(Flag::Arrears, true);
    }
    record.site = site(&item.get("CommodityCode"))?;
    record.region = item.get("Region").text()?;
    record.starts_at = instant(&item.get("StartTime"))?;
    record.ends_at = end(&item.get("EndTime"))?;
    for tag in item.get("Tags").items()? {
        if let (Some(key), Some(value)) = (tag.get("Key").text()?, tag.get("Value").text()?) {
            record.tags.push((key, value));
        }
    }
    let options = [
        ("total", PaymentOption::AllUpfront),
        ("half", PaymentOption::PartialUpfront),
        ("zero", PaymentOption::NoUpfront),
    ];
    let hourly = item.get("DeductCycleType").text()?.is_some_and(|cycle| cycle.eq_ignore_ascii_case("HOUR"));
    record.commitment = Some(CommitmentRecord {
        term_months: item.get("Cycle").text()?.and_then(|cycle| months(&cycle)),
        payment_option: word(&mut draft.out, file, &item.get("PayMode"), &options)?,
        hourly: if hourly { item.get("PoolValue").decimal()? } else { None },
        currency: currency(&mut draft.out, file, &item.get("Currency"))?,
        upfront: amount(&item.get("PrepayFee"))?,
        recurring_every: hourly.then_some(Recurrence::Hour),
        ..CommitmentRecord::default()
    });
    draft.add(file, &item.path, record);
    Ok(())
}

/// A term such as `1:Year` or `6:Month`.
fn months(cycle: &str) -> Option<u32> {
    let (count, unit) = cycle.split_once(':')?;
    let count: u32 = count.trim().parse().ok()?;
    match unit.trim().to_ascii_lowercase().as_str() {
        "year" => count.checked_mul(12),
        "month" => Some(count),
        _ => None,
    }
}

/// Whether two records of one id can be of one resource.
pub(crate) fn same(known: &ResourceRecord, other: &ResourceRecord) -> bool {
    known.billing == other.billing && known.product == other.product
}

/// What two listings say of one resource: the first wins, the second fills its gaps.
pub(crate) fn join(known: &mut ResourceRecord, other: ResourceRecord) {
    known.account = known.account.take().or(other.account);
    known.site = known.site.take().or(other.site);
    known.name = known.name.take().or(other.name);
    known.region = known.region.take().or(other.region);
    known.purchased_at = known.purchased_at.or(other.purchased_at);
    known.starts_at = known.starts_at.or(other.starts_at);
    known.ends_at = known.ends_at.or(other.ends_at);
    known.commitment = known.commitment.take().or(other.commitment);
    known.facts.flags = known.facts.flags.or_else(other.facts.flags);
}
