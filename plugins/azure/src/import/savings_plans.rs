//! `Microsoft.BillingBenefits`: savings plans.

use recoup_core::import::{ImportFile, Misfit, Place};
use recoup_core::prelude::*;
use serde_json::Value;

use super::capacity::money;
use super::payload::Item;
use super::{Desk, blank, commitment, months, unexpected};

/// A savings plan. Its order and payments are not part of it.
pub(super) fn plan(item: &Item, _file: &ImportFile<'_>, desk: &mut Desk) -> Result<(), Misfit> {
    let top = Place { value: Some(&item.value), path: item.path.clone() };
    let inner = top.get("properties");
    let properties = if inner.value.is_some_and(Value::is_object) { inner } else { top.clone() };
    let mut record = blank(&top.get("id").required()?);
    record.product = "SavingsPlan".to_owned();
    record.billing = Billing::SavingsPlan;
    record.name = properties.get("displayName").text()?;
    let state = properties.get("provisioningState");
    record.status = match state.required()?.as_str() {
        "Succeeded" => Status::Active,
        "Expired" => Status::Expired,
        "Cancelled" => Status::Released,
        "Failed" | "BillingFailed" => Status::Failed,
        "Creating" | "Created" | "PendingBilling" | "ConfirmedBilling" | "Pending" | "Processing" => Status::Pending,
        _ => return Err(unexpected(&state, "a provisioning state such as \"Succeeded\"")),
    };
    record.purchased_at = properties.get("purchaseDateTime").instant(Zone::UTC)?;
    record.starts_at = properties.any(&["benefitStartTime", "effectiveDateTime"]).instant(Zone::UTC)?;
    record.ends_at = properties.get("expiryDateTime").instant(Zone::UTC)?;
    record.account = properties.any(&["billingProfileId", "billingAccountId"]).text()?;
    record.project = properties.get("billingScopeId").text()?;
    let term = properties.get("term");
    let term_months = match term.text()? {
        None => None,
        Some(text) => Some(months(&text).ok_or_else(|| unexpected(&term, "a term such as \"P1Y\""))?),
    };
    // A plan is billed monthly (`P1M`) or, where it names no billing plan, not said to be.
    record.commitment = commitment(term_months, properties.get("billingPlan").text()?.as_deref());
    if let Some((hourly, currency)) = money(&properties.get("commitment"))? {
        let known = record.commitment.get_or_insert_default();
        known.currency = currency;
        let grain = properties.get("commitment").get("grain").text()?;
        known.hourly = Some(hourly.as_number()).filter(|_| grain.is_none_or(|grain| grain == "Hourly"));
    }
    if let Some(renew) = properties.get("renew").truth()? {
        record.facts.flags.set(Flag::AutoRenew, renew);
    }
    desk.add(record);
    Ok(())
}
