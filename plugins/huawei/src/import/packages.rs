//! ListFreeResourceInfos: resource packages.

use recoup_core::import::{Misfit, Place};
use recoup_core::money::Number;
use recoup_core::record::{CommitmentRecord, ResourceRecord};
use recoup_core::vocab::{Billing, Status};

use super::resources::{misfit, seller};
use super::{API_TIME, Listed};

/// Reads an item of the list.
pub(super) fn package(item: &Place<'_>) -> Result<Listed, Misfit> {
    let id = item.any(&["order_instance_id", "orderInstanceId"]).required()?;
    let service = item.any(&["service_type_code", "serviceTypeCode"]).required()?;
    let mut record = ResourceRecord::new("huawei", &id, &service, Billing::Package, status(&item.get("status"))?);
    record.name = item.any(&["product_name", "productName"]).text()?;
    record.region = item.any(&["region_code", "regionCode"]).text()?;
    record.project = item.any(&["enterprise_project_id", "enterpriseProjectId"]).text()?;
    record.starts_at = item.any(&["effective_time", "effectiveTime"]).instant(API_TIME)?;
    record.ends_at = item.any(&["expire_time", "expireTime"]).instant(API_TIME)?;
    record.seller = seller(&service);
    record.commitment = amounts(item)?;
    let product_id = item.any(&["product_id", "productId"]).text()?;
    let order_id = item.any(&["order_id", "orderId"]).text()?;
    Ok(Listed { record, product_id, order_id, is_listed: true })
}

fn status(place: &Place<'_>) -> Result<Status, Misfit> {
    match place.whole()? {
        Some(0) => Ok(Status::Queued),
        // Used up, but in effect until it expires.
        Some(1 | 2) => Ok(Status::Active),
        Some(3) => Ok(Status::Expired),
        Some(4) => Ok(Status::Released),
        _ => Err(misfit(place, "0 (not effective), 1 (effective), 2 (used up), 3 (expired) or 4 (unsubscribed)")),
    }
}

/// How much of the package is used, where it has one kind of content only.
fn amounts(item: &Place<'_>) -> Result<Option<CommitmentRecord>, Misfit> {
    let contents = item.any(&["free_resources", "freeResources"]).items()?;
    let [content] = contents.as_slice() else { return Ok(None) };
    let total: Option<Number> = content.any(&["original_amount", "originalAmount"]).decimal()?;
    let left: Option<Number> = content.get("amount").decimal()?;
    let used_units = total.zip(left).map(|(total, left)| total - left).filter(|used| !used.is_negative());
    Ok(Some(CommitmentRecord {
        unit: content.any(&["usage_type_name", "usageTypeName"]).text()?,
        total_units: total,
        used_units,
        ..CommitmentRecord::default()
    }))
}
