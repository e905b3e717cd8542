//! Commitments of Compute Engine.

use recoup_core::fact::Flag;
use recoup_core::import::{ImportFile, Imported, Misfit, Place};
use recoup_core::record::{CommitmentRecord, ResourceRecord};
use recoup_core::stated::Statement;
use recoup_core::time::Zone;
use recoup_core::vocab::{Billing, Status};

use super::{COMPUTE, PROVIDER, behind, last_part, misfit};

/// Reads a commitment. CANCELLED means merged into another one, never refunded.
pub(super) fn read(file: &ImportFile<'_>, item: &Place<'_>, out: &mut Imported) -> Result<ResourceRecord, Misfit> {
    let name = item.get("name").text()?;
    let id = match item.get("id").text()? {
        Some(id) => id,
        None => item.get("name").required()?,
    };
    let state = item.get("status");
    let status = match state.required()?.as_str() {
        "CREATING" => Status::Pending,
        "NOT_YET_ACTIVE" => Status::Queued,
        "ACTIVE" => Status::Active,
        "EXPIRED" => Status::Expired,
        "CANCELLED" => Status::Released,
        _ => return Err(misfit(&state, "one of NOT_YET_ACTIVE, ACTIVE, CANCELLED, CREATING, EXPIRED")),
    };
    let mut record = ResourceRecord::new(PROVIDER, &id, COMPUTE, Billing::CommittedUse, status);
    record.name = name;
    let region = item.get("region").text()?;
    let address = item.get("selfLink").text()?.or_else(|| region.clone()).unwrap_or_default();
    record.project = behind(&address, "projects");
    record.region = region.map(|region| last_part(&region).to_owned());
    record.purchased_at = item.get("creationTimestamp").instant(Zone::UTC)?;
    record.starts_at = item.get("startTimestamp").instant(Zone::UTC)?;
    record.ends_at = item.get("endTimestamp").instant(Zone::UTC)?;
    let plan = item.get("plan");
    let term_months = match plan.text()?.as_deref() {
        None => None,
        Some("TWELVE_MONTH") => Some(12),
        Some("THIRTY_SIX_MONTH") => Some(36),
        Some("SIXTY_MONTH") => Some(60),
        Some(_) => return Err(misfit(&plan, "one of TWELVE_MONTH, THIRTY_SIX_MONTH")),
    };
    let unit = item.get("type").text()?;
    record.commitment = Some(CommitmentRecord { term_months, unit, ..CommitmentRecord::default() });
    if let Some(renews) = item.get("autoRenew").truth()? {
        record.facts.flags.set(Flag::AutoRenew, renews);
    }
    let alpha = item.get("resourceStatus").get("cancellationInformation");
    if alpha.value.is_some() {
        if let Some(statement) = cancellation_fee(&alpha.get("cancellationFee"))? {
            record.state(statement);
        }
        let what = "the alpha schema speaks of a cancellation fee and cap; every page says that no commitment can be cancelled";
        out.remark(file, alpha.path, what);
    }
    Ok(record)
}

/// The fee that the alpha schema states: whole units and billionths of one.
fn cancellation_fee(fee: &Place<'_>) -> Result<Option<Statement>, Misfit> {
    let Some(units) = fee.get("units").whole()? else { return Ok(None) };
    let nanos = fee.get("nanos").whole()?.unwrap_or(0);
    let amount = format!("{units}.{nanos:09}").parse().ok();
    let currency = fee.get("currencyCode").text()?.and_then(|code| code.parse().ok());
    Ok(Some(Statement { currency, fee: amount, ..Statement::by("cancellationFee") }))
}
