//! Future reservations of Compute Engine.

use recoup_core::fact::Moment;
use recoup_core::import::{Misfit, Place};
use recoup_core::record::ResourceRecord;
use recoup_core::time::Zone;
use recoup_core::vocab::{Billing, Status};

use super::{COMPUTE, PROVIDER, behind, last_part, misfit};

/// Reads a future reservation. One whose amendment waits for approval was approved before; one that was
/// fulfilled in part is locked like a fulfilled one.
pub(super) fn read(item: &Place<'_>) -> Result<ResourceRecord, Misfit> {
    let name = item.get("name").text()?;
    let id = match item.get("id").text()? {
        Some(id) => id,
        None => item.get("name").required()?,
    };
    let state = item.get("status").get("procurementStatus");
    let status = match state.required()?.as_str() {
        "DRAFTING" => Status::Pending,
        "PENDING_APPROVAL" | "APPROVED" | "PENDING_AMENDMENT_APPROVAL" => Status::Queued,
        "PROCURING" | "PROVISIONING" | "FULFILLED" | "COMMITTED" | "FAILED_PARTIALLY_FULFILLED" => Status::Active,
        "DECLINED" | "FAILED" => Status::Failed,
        "CANCELLED" => Status::Released,
        _ => return Err(misfit(&state, "a procurement status such as APPROVED or FULFILLED")),
    };
    let mut record = ResourceRecord::new(PROVIDER, &id, COMPUTE, Billing::Reservation, status);
    record.name = name;
    let zone = item.get("zone").text()?;
    let address = item.get("selfLink").text()?.or_else(|| zone.clone()).unwrap_or_default();
    record.project = behind(&address, "projects");
    record.region = zone.map(|zone| last_part(&zone).to_owned());
    record.purchased_at = item.get("creationTimestamp").instant(Zone::UTC)?;
    record.starts_at = item.get("timeWindow").get("startTime").instant(Zone::UTC)?;
    record.ends_at = item.get("timeWindow").get("endTime").instant(Zone::UTC)?;
    record.quantity = item.get("specificSkuProperties").get("totalCount").decimal()?;
    if let Some(lock) = item.get("status").get("lockTime").instant(Zone::UTC)? {
        record.facts.moments.push((Moment::LocksAt, lock));
    }
    Ok(record)
}
