//! `Microsoft.Capacity`: reservation orders, reservations, and the provider's own answers to a refund
//! or an exchange.

use recoup_core::import::{ImportFile, Misfit, Place};
use recoup_core::money::UnknownCurrency;
use recoup_core::prelude::*;
use recoup_core::record::{Facts, ResourceRecord};
use recoup_core::stated::Statement;
use serde_json::Value;

use super::payload::{Item, order_of};
use super::{Desk, OrderPlan, blank, commitment, months, purchase, state_figure, state_text, unexpected};

/// The item and its properties, which the CLI prints in one.
fn places<'v>(item: &'v Item) -> (Place<'v>, Place<'v>) {
    let top = Place { value: Some(&item.value), path: item.path.clone() };
    let inner = top.get("properties");
    let properties = if inner.value.is_some_and(Value::is_object) { inner } else { top.clone() };
    (top, properties)
}

/// An amount with its currency.
pub(super) fn money(place: &Place<'_>) -> Result<Option<(Amount, Option<Currency>)>, Misfit> {
    if place.value.is_none() {
        return Ok(None);
    }
    let code = place.get("currencyCode");
    let currency = match code.text()? {
        None => None,
        Some(text) => {
            Some(text.parse().map_err(|_: UnknownCurrency| unexpected(&code, "a currency code such as \"USD\""))?)
        }
    };
    Ok(place.get("amount").decimal()?.map(|amount| (amount, currency)))
}

/// Where a reservation stands, by its provisioning state.
fn status(properties: &Place<'_>) -> Result<Status, Misfit> {
    let place = properties.any(&["provisioningState", "displayProvisioningState"]);
    let state = place.required()?;
    let shown = properties.get("displayProvisioningState").text()?;
    Ok(match state.as_str() {
        "Succeeded" if shown.as_deref() == Some("Expired") => Status::Expired,
        "Succeeded" if shown.as_deref() == Some("Cancelled") => Status::Released,
        "Succeeded" | "Expiring" | "Warning" | "NoBenefit" => Status::Active,
        "Expired" => Status::Expired,
        "Cancelled" | "Split" | "Merged" => Status::Released,
        "Failed" | "BillingFailed" => Status::Failed,
        "Creating"
        | "PendingResourceHold"
        | "ConfirmedResourceHold"
        | "PendingBilling"
        | "ConfirmedBilling"
        | "Created"
        | "Pending"
        | "Processing" => Status::Pending,
        _ => return Err(unexpected(&place, "a provisioning state such as \"Succeeded\"")),
    })
}

/// What an order and a reservation say alike: name, dates, term and billing plan.
fn common(
    record: &mut ResourceRecord,
    properties: &Place<'_>,
    file: &ImportFile<'_>,
    desk: &mut Desk,
) -> Result<(), Misfit> {
    record.name = properties.get("displayName").text()?;
    record.status = status(properties)?;
    record.purchased_at = properties
        .any(&["purchaseDateTime", "purchaseDate", "createdDateTime", "requestDateTime"])
        .instant(Zone::UTC)?;
    record.starts_at = properties.any(&["benefitStartTime", "effectiveDateTime"]).instant(Zone::UTC)?;
    let end = properties.any(&["expiryDateTime", "expiryDate"]);
    record.ends_at = end.instant(Zone::UTC)?;
    let start = record.starts_at.or(record.purchased_at);
    if let (Some(start), Some(expiry)) = (start, record.ends_at)
        && expiry <= start
    {
        let what = format!(
            "expires on {}, expected a time after its start {}; the expiry was left out",
            expiry.display(Zone::UTC),
            start.display(Zone::UTC)
        );
        desk.out.error(file, end.path.clone(), what);
        record.ends_at = None;
    }
    let term = properties.get("term");
    let term_months = match term.text()? {
        None => None,
        Some(text) => Some(months(&text).ok_or_else(|| unexpected(&term, "a term such as \"P1Y\""))?),
    };
    record.commitment = commitment(term_months, properties.get("billingPlan").text()?.as_deref());
    if let Some(archived) = properties.get("archived").truth()? {
        record.facts.flags.set(Flag::Archived, archived);
    }
    if let Some(renew) = properties.get("renew").truth()? {
        record.facts.flags.set(Flag::AutoRenew, renew);
    }
    Ok(())
}

/// An order. Its payments are kept for its reservation.
pub(super) fn order(item: &Item, file: &ImportFile<'_>, desk: &mut Desk) -> Result<(), Misfit> {
    let (top, properties) = places(item);
    let full = top.get("id").text()?.or(top.get("name").text()?);
    let id = full.as_deref().and_then(order_of).or(top.get("name").text()?.map(|name| name.to_ascii_lowercase()));
    let Some(id) = id else { return Err(unexpected(&top.get("id"), "the id of a reservation order")) };
    let mut record = blank(full.as_deref().unwrap_or(&id));
    common(&mut record, &properties, file, desk)?;
    record.quantity = properties.get("originalQuantity").decimal()?;
    let mut plan = OrderPlan { id, quantity: record.quantity, ..OrderPlan::default() };
    for reservation in properties.get("reservations").items()? {
        if let Some(id) = reservation.get("id").text()? {
            plan.reservations.push(id);
        }
    }
    let schedule = properties.get("planInformation");
    let mut paid = None;
    for payment in schedule.get("transactions").items()? {
        plan.account = plan.account.or(payment.get("billingAccount").text()?);
        let Some((amount, currency)) = money(&payment.any(&["billingCurrencyTotal", "pricingCurrencyTotal"]))? else {
            continue;
        };
        if plan.currency.is_some() && currency.is_some() && plan.currency != currency {
            return Err(unexpected(
                &payment.get("billingCurrencyTotal").get("currencyCode"),
                "one currency in a schedule",
            ));
        }
        plan.currency = plan.currency.or(currency);
        plan.instalment = Some(amount);
        match payment.get("status").text()?.as_deref() {
            Some("Succeeded") => paid = Some(paid.unwrap_or(Amount::ZERO) + amount),
            Some("Failed") => {
                let why = payment.get("extendedStatusInfo").get("statusCode").text()?.unwrap_or_default();
                desk.out.remark(
                    file,
                    payment.path.clone(),
                    format!("this payment of {amount} failed {why}").trim_end(),
                );
            }
            _ => {}
        }
        paid = paid.or(Some(Amount::ZERO));
    }
    plan.paid = paid;
    let unlisted = plan.reservations.is_empty();
    apply(&plan, &mut record);
    if unlisted {
        desk.out.remark(file, item.path.clone(), "names no product; list the reservations of the order beside it");
    }
    plan.record = Some(record);
    match desk.plans.iter_mut().find(|known| known.id == plan.id) {
        Some(known) if known.paid.is_none() => *known = plan,
        Some(_) => {}
        None => desk.plans.push(plan),
    }
    Ok(())
}

/// What was charged for an order belongs to the reservation that holds its whole quantity.
fn apply(plan: &OrderPlan, record: &mut ResourceRecord) {
    record.account = record.account.take().or_else(|| plan.account.clone());
    let whole = plan.quantity.is_none() || record.quantity.is_none() || plan.quantity == record.quantity;
    if let Some(commitment) = &mut record.commitment {
        commitment.currency = plan.currency;
        match commitment.payment_option {
            Some(PaymentOption::Monthly) if whole && plan.instalment.is_some() => {
                commitment.recurring = plan.instalment;
                commitment.recurring_every = Some(Recurrence::Month);
            }
            Some(PaymentOption::AllUpfront) if whole => commitment.upfront = plan.paid,
            _ => {}
        }
    }
    if record.orders.is_none() {
        let due = plan.paid.filter(|_| whole);
        record.orders = Some(vec![purchase(Some(plan.id.clone()), record, plan.currency, due)]);
    }
}

/// A reservation, with what its order says.
pub(super) fn reservation(item: &Item, file: &ImportFile<'_>, desk: &mut Desk) -> Result<(), Misfit> {
    let (top, properties) = places(item);
    let id = top.get("id").required()?;
    let mut record = blank(&id);
    common(&mut record, &properties, file, desk)?;
    record.product = properties.get("reservedResourceType").required()?;
    if record.product.eq_ignore_ascii_case("VirtualMachineSoftware") {
        record.seller = Some(Seller::Marketplace);
    }
    record.region = top.get("location").text()?.or(properties.get("location").text()?);
    record.project = properties.get("billingScopeId").text()?;
    record.quantity = properties.get("quantity").decimal()?;
    if properties.get("swapProperties").get("swapSource").text()?.is_some() {
        let what = "came from an exchange: state exchange_after_cut where that was after 2027-02-01";
        desk.out.remark(file, item.path.clone(), what);
    }
    if let Some(plan) = order_of(&id).and_then(|order| desk.plans.iter().find(|plan| plan.id == order).cloned()) {
        apply(&plan, &mut record);
        if plan.paid.is_some() && record.orders.iter().flatten().all(|order| order.due.is_none()) {
            let what = "holds a part of its order: what was paid for the part is not said";
            desk.out.remark(file, item.path.clone(), what);
        }
    }
    desk.add(record);
    Ok(())
}

/// A quote of a refund: the provider's own answer.
pub(super) fn quote(item: &Item, file: &ImportFile<'_>, desk: &mut Desk) -> Result<(), Misfit> {
    let (top, properties) = places(item);
    let id = top.get("id").required()?;
    let mut record = blank(&id);
    returned_part(&properties, &mut record)?;
    let policy = properties.get("policyResult").any(&["properties", "policyErrors"]);
    let policy = if policy.path.ends_with("policyErrors") { properties.get("policyResult") } else { policy };
    let errors = errors(&policy.get("policyErrors"))?;
    for (code, message) in &errors {
        desk.out.remark(file, policy.get("policyErrors").path.clone(), format!("{code}: {message}"));
    }
    let unsupported = errors.iter().any(|(code, _)| code == "SelfServiceRefundNotSupported");
    record.facts.flags.set(Flag::RefundNotSupported, unsupported);
    if let Some((refund, currency)) = money(&properties.get("billingRefundAmount"))? {
        record.state(Statement {
            exit: Some(Exit::Return),
            allowed: Some(errors.is_empty()),
            currency,
            refund: Some(refund),
            says: codes(&errors),
            ..Statement::by("billingRefundAmount")
        });
    }
    if let (Some((pricing, Some(Currency::USD))), Some((billing, Some(currency)))) =
        (money(&properties.get("pricingRefundAmount"))?, money(&properties.get("billingRefundAmount"))?)
        && currency != Currency::USD
        && billing.is_positive()
    {
        let rate = Exact::from(pricing).over(billing).to_amount().as_number();
        state_figure(&mut record.facts, Figure::UsdRate, rate);
    }
    let used = money(&policy.get("consumedRefundsTotal"))?;
    let limit = money(&policy.get("maxRefundLimit"))?.map(|(limit, _)| limit.as_number());
    let done = item
        .request
        .as_ref()
        .is_some_and(|asked| asked.get("properties").is_some_and(|asked| asked.get("returnReason").is_some()));
    if done {
        desk.out.remark(file, item.path.clone(), "this is the answer to a return that was asked for, not a quote");
    }
    if desk.resource(&id).is_none() {
        desk.out.remark(file, item.path.clone(), "names no product; list the reservations beside it");
    }
    only_a_part(&mut record, desk);
    desk.add(record);
    if let Some((used, currency)) = used {
        if currency.is_some_and(|currency| currency != Currency::USD) {
            let place = policy.get("consumedRefundsTotal").get("currencyCode");
            return Err(unexpected(&place, "\"USD\", in which the pool counts"));
        }
        let key = account_key(&id, desk);
        desk.state_pool(&key, used.as_number(), limit);
    }
    Ok(())
}

/// The account of a reservation; where no file names one, its order stands for it.
fn account_key(id: &str, desk: &mut Desk) -> String {
    let fallback = order_of(id).map_or_else(|| id.to_owned(), |order| format!("reservationOrders/{order}"));
    match desk.resource(id) {
        Some(resource) => resource.account.get_or_insert(fallback).clone(),
        None => fallback,
    }
}

/// The errors of a policy result; none where it is null.
fn errors(place: &Place<'_>) -> Result<Vec<(String, String)>, Misfit> {
    let mut found = Vec::new();
    for error in place.items()? {
        found.push((error.get("code").required()?, error.get("message").text()?.unwrap_or_default()));
    }
    Ok(found)
}

/// The codes of what the provider refuses by.
fn codes(errors: &[(String, String)]) -> Option<String> {
    let codes: Vec<&str> = errors.iter().map(|(code, _)| code.as_str()).collect();
    (!codes.is_empty()).then(|| codes.join(", "))
}

/// What a quote says of the reservation that it speaks of: how much leaves and what was paid.
fn returned_part(properties: &Place<'_>, record: &mut ResourceRecord) -> Result<(), Misfit> {
    let billing = properties.get("billingInformation");
    let paid = money(&billing.get("billingCurrencyTotalPaidAmount"))?;
    let left = money(&billing.get("billingCurrencyRemainingCommitmentAmount"))?;
    let plan = billing.get("billingPlan").text()?;
    let payments = billing.get("totalTransactions").whole()?;
    let term_months = payments.filter(|count| *count > 1).and_then(|count| u32::try_from(count).ok());
    record.commitment = commitment(term_months, plan.as_deref());
    record.quantity = properties.get("quantity").decimal()?;
    let Some((paid, currency)) = paid else { return Ok(()) };
    if let Some(commitment) = &mut record.commitment {
        commitment.currency = currency;
        if let (Some(PaymentOption::Monthly), Some(months), Some((left, _))) =
            (commitment.payment_option, term_months, left)
        {
            let all = Exact::from(paid + left).over(i64::from(months));
            commitment.recurring = currency.map(|currency| all.round(currency));
            commitment.recurring_every = Some(Recurrence::Month);
        }
    }
    record.orders = Some(vec![purchase(order_of(&record.id), record, currency, Some(paid))]);
    Ok(())
}

/// A quote for fewer than are held speaks of the leaving part, and so does what it says was paid.
fn only_a_part(record: &mut ResourceRecord, desk: &mut Desk) {
    let held = desk.resource(&record.id).and_then(|known| known.quantity);
    if let (Some(held), Some(leaving)) = (held, record.quantity)
        && leaving < held
    {
        state_figure(&mut record.facts, Figure::QuantityLeaving, leaving);
        record.orders = None;
        if let Some(commitment) = &mut record.commitment {
            commitment.recurring = None;
            commitment.recurring_every = None;
        }
    }
}

/// A quote of an exchange: what is given up, and what would be bought for it.
pub(super) fn exchange(item: &Item, file: &ImportFile<'_>, desk: &mut Desk) -> Result<(), Misfit> {
    let (_, properties) = places(item);
    let errors = errors(&properties.get("policyResult").get("policyErrors"))?;
    for (code, message) in &errors {
        desk.out.remark(file, properties.get("policyResult").path.clone(), format!("{code}: {message}"));
    }
    let given_up = properties.get("reservationsToExchange").items()?;
    let mut target = Facts::default();
    // A total of several purchases or for several reservations belongs to none of them alone.
    if given_up.len() == 1 {
        target_facts(item, &properties, &mut target)?;
    }
    for place in given_up {
        let id = place.get("reservationId").required()?;
        let mut record = blank(&id);
        returned_part(&place, &mut record)?;
        record.facts = target.clone();
        let carried = money(&place.get("billingRefundAmount"))?;
        record.state(Statement {
            exit: Some(Exit::Exchange),
            allowed: Some(errors.is_empty()),
            currency: carried.and_then(|(_, currency)| currency),
            carry_over: carried.map(|(amount, _)| amount),
            says: codes(&errors),
            ..Statement::by("billingRefundAmount")
        });
        if desk.resource(&id).is_none() {
            desk.out.remark(file, place.path.clone(), "names no product; list the reservations beside it");
        }
        only_a_part(&mut record, desk);
        desk.add(record);
    }
    Ok(())
}

/// The one thing that an exchange buys, as far as request and answer show it.
fn target_facts(item: &Item, properties: &Place<'_>, facts: &mut Facts) -> Result<(), Misfit> {
    let asked = item.request.as_ref().map(Place::root).map(|asked| {
        let inner = asked.get("properties");
        if inner.value.is_some() { inner } else { asked }
    });
    let bought = |name: &str| -> Result<Vec<Place<'_>>, Misfit> {
        let answered = properties.get(name).items()?;
        match &asked {
            Some(asked) if asked.has(name) => asked.get(name).items(),
            _ => Ok(answered),
        }
    };
    let (reservations, plans) = (bought("reservationsToPurchase")?, bought("savingsPlansToPurchase")?);
    let (place, is_plan) = match (reservations.as_slice(), plans.as_slice()) {
        ([one], []) => (one, false),
        ([], [one]) => (one, true),
        _ => return Ok(()),
    };
    // An answer repeats what was asked for under `properties` once more.
    let inner = place.get("properties");
    let inner = if inner.has("properties") { inner.get("properties") } else { inner };
    let inner = if inner.value.is_some() { inner } else { place.clone() };
    let product = if is_plan { Some("SavingsPlan".to_owned()) } else { inner.get("reservedResourceType").text()? };
    if let Some(product) = product {
        state_text(facts, Text::TargetProduct, &product);
    }
    if let Some(months) = inner.get("term").text()?.as_deref().and_then(months) {
        state_figure(facts, Figure::TargetTermMonths, Number::whole(i64::from(months)));
    }
    let upfront = inner.get("billingPlan").text()?.is_some_and(|plan| plan.eq_ignore_ascii_case("upfront"));
    if upfront {
        state_text(facts, Text::TargetPaymentOption, PaymentOption::AllUpfront.as_str());
    }
    // What a monthly purchase totals is not said; a plan's total is its whole commitment.
    if let (Some((total, _)), true) = (money(&properties.get("purchasesTotal"))?, upfront || is_plan) {
        state_figure(facts, Figure::TargetCommitment, total.as_number());
    }
    Ok(())
}
