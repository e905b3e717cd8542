//! Capacity commitments of BigQuery.

use recoup_core::fact::{Moment, Text};
use recoup_core::import::{Misfit, Place};
use recoup_core::record::ResourceRecord;
use recoup_core::time::Zone;
use recoup_core::vocab::{Billing, Status};

use super::{PROVIDER, behind, last_part, misfit};

/// Reads a capacity commitment. It has no end of its own: it goes on after its committed period.
pub(super) fn read(item: &Place<'_>) -> Result<ResourceRecord, Misfit> {
    let name = item.get("name").required()?;
    let state = item.get("state");
    let status = match state.required()?.as_str() {
        "PENDING" => Status::Pending,
        "ACTIVE" => Status::Active,
        "FAILED" => Status::Failed,
        _ => return Err(misfit(&state, "one of PENDING, ACTIVE, FAILED")),
    };
    let mut record = ResourceRecord::new(PROVIDER, last_part(&name), "bigquery", Billing::Reservation, status);
    record.name = Some(name.clone());
    record.project = behind(&name, "projects");
    record.region = behind(&name, "locations");
    record.starts_at = item.get("commitmentStartTime").instant(Zone::UTC)?;
    record.quantity = item.get("slotCount").decimal()?;
    if let Some(plan) = item.get("plan").text()? {
        record.facts.texts.push((Text::Plan, plan.to_lowercase()));
    }
    if let Some(end) = item.get("commitmentEndTime").instant(Zone::UTC)? {
        record.facts.moments.push((Moment::CommitmentEndsAt, end));
    }
    Ok(record)
}
