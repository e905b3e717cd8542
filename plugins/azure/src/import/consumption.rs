//! `Microsoft.Consumption`: purchases, cancellations and refunds of reservations as the bill shows
//! them, in the model of an Enterprise Agreement (legacy) or a Microsoft Customer Agreement (modern).

use recoup_core::import::{ImportFile, Misfit, Place};
use recoup_core::money::UnknownCurrency;
use recoup_core::prelude::*;
use recoup_core::record::{RefundRecord, ReturnRecord};

use super::payload::Item;
use super::{Desk, blank, commitment, months, purchase, state_text, unexpected};

/// One event of an order, however its source spells it.
#[derive(Debug, Clone, Default)]
pub(super) struct Event {
    pub(super) order: String,
    pub(super) at: Option<Instant>,
    pub(super) amount: Option<Amount>,
    pub(super) currency: Option<Currency>,
    pub(super) quantity: Option<Number>,
    pub(super) term_months: Option<u32>,
    pub(super) recurring: Option<bool>,
    pub(super) account: Option<String>,
    pub(super) channel: Option<&'static str>,
    pub(super) name: Option<String>,
    pub(super) region: Option<String>,
    pub(super) project: Option<String>,
    pub(super) product: Option<&'static str>,
}

/// A transaction of the API.
pub(super) fn transaction(item: &Item, file: &ImportFile<'_>, desk: &mut Desk) -> Result<(), Misfit> {
    let top = Place { value: Some(&item.value), path: item.path.clone() };
    let inner = top.get("properties");
    let properties = if inner.value.is_some() { inner } else { top.clone() };
    let code = properties.get("currency");
    let currency = match code.text()? {
        None => None,
        Some(text) => {
            Some(text.parse().map_err(|_: UnknownCurrency| unexpected(&code, "a currency code such as \"USD\""))?)
        }
    };
    let enrollment = properties.any(&["currentEnrollment", "purchasingEnrollment"]).text()?;
    let profile = properties.get("billingProfileId").text()?;
    let channel = match (&enrollment, &profile) {
        (Some(_), _) => Some("ea"),
        (None, Some(_)) => Some("mca"),
        (None, None) => None,
    };
    let frequency = properties.get("billingFrequency").text()?;
    let event = Event {
        order: properties.get("reservationOrderId").required()?.to_ascii_lowercase(),
        at: properties.get("eventDate").instant(Zone::UTC)?,
        amount: properties.get("amount").decimal()?,
        currency,
        quantity: properties.get("quantity").decimal()?,
        term_months: properties.get("term").text()?.as_deref().and_then(months),
        recurring: frequency.map(|frequency| frequency.eq_ignore_ascii_case("recurring")),
        account: enrollment.or(profile),
        channel,
        name: properties.get("reservationOrderName").text()?,
        region: properties.get("region").text()?,
        project: properties.get("purchasingSubscriptionGuid").text()?,
        product: None,
    };
    let kind = properties.get("eventType");
    match kind.required()?.to_ascii_lowercase().as_str() {
        "purchase" => bought(&event, file, &item.path, desk),
        "cancel" => gone(&event, true, file, &item.path, desk),
        "refund" => gone(&event, false, file, &item.path, desk),
        _ => return Err(unexpected(&kind, "\"Purchase\", \"Cancel\" or \"Refund\"")),
    }
    Ok(())
}

/// A purchase, or one instalment of a monthly one: what was charged adds up. An instalment is dated to
/// its month, so that only a purchase made at once tells the purchase date.
pub(super) fn bought(event: &Event, file: &ImportFile<'_>, path: &str, desk: &mut Desk) {
    if !desk.first_time(format!("bought {} {:?} {:?}", event.order, event.at, event.amount)) {
        return;
    }
    let count = desk.of_order(&event.order).count();
    if count > 1 {
        let what = format!("belongs to one of {count} reservations of order {}, which one is not said", event.order);
        desk.out.remark(file, path, what);
        return;
    }
    if count == 0 {
        let mut record = blank(&format!("/providers/Microsoft.Capacity/reservationOrders/{}", event.order));
        record.purchased_at = event.at.filter(|_| event.recurring == Some(false));
        record.quantity = event.quantity;
        record.name.clone_from(&event.name);
        let billing_plan = event.recurring.map(|recurring| if recurring { "Monthly" } else { "Upfront" });
        record.commitment = commitment(event.term_months, billing_plan);
        match event.product {
            Some(product) => product.clone_into(&mut record.product),
            None => desk.out.remark(file, path, "names no product; list the reservations of the order beside it"),
        }
        desk.add(record);
    }
    let billed = desk.billed.contains(&event.order);
    let mut charged = false;
    if let Some(record) = desk.of_order(&event.order).next() {
        record.account = record.account.take().or_else(|| event.account.clone());
        record.region = record.region.take().or_else(|| event.region.clone());
        record.project = record.project.take().or_else(|| event.project.clone());
        if let Some(channel) = event.channel {
            state_text(&mut record.facts, Text::BillingChannel, channel);
        }
        if let Some(commitment) = &mut record.commitment {
            commitment.currency = commitment.currency.or(event.currency);
            if event.recurring == Some(true) {
                commitment.recurring = commitment.recurring.or(event.amount);
                commitment.recurring_every = Some(Recurrence::Month);
            }
        }
        let order = purchase(Some(event.order.clone()), record, event.currency, None);
        let orders = record.orders.get_or_insert_with(|| vec![order]);
        if let Some(first) = orders.first_mut() {
            // The order's own schedule knows what was charged; otherwise the bill adds it up.
            if let (true, Some(amount)) = (first.due.is_none() || billed, event.amount) {
                first.due = Some(first.due.unwrap_or_default() + amount);
                first.currency = first.currency.or(event.currency);
                charged = true;
            }
        }
    }
    if charged {
        desk.billed.insert(event.order.clone());
    }
}

/// What came back: the amount is below zero. By which instrument no transaction says.
fn received(event: &Event) -> Option<RefundRecord> {
    let amount = event.amount.filter(|amount| amount.is_negative())?;
    Some(RefundRecord {
        account: event.account.clone(),
        order: Some(event.order.clone()),
        at: event.at,
        unnamed: amount.magnitude(),
        ..RefundRecord::new(event.currency?)
    })
}

/// A cancellation or refund: an earlier return of the account. Its amount is the cancelled commitment
/// only where the order was paid upfront and in US dollars.
pub(super) fn gone(event: &Event, undone: bool, file: &ImportFile<'_>, path: &str, desk: &mut Desk) {
    if !desk.first_time(format!("gone {} {:?} {:?}", event.order, event.at, event.amount)) {
        return;
    }
    let upfront = event.recurring == Some(false);
    let product = desk.of_order(&event.order).next().map(|resource| resource.product.clone());
    if let (Some(account), Some(at)) = (&event.account, event.at) {
        let entry = ReturnRecord {
            at,
            amount: event.amount.map(Amount::magnitude).filter(|_| upfront && event.currency == Some(Currency::USD)),
            currency: Some(Currency::USD),
            exit: Some(Exit::Return),
            product,
        };
        desk.add_return(account, entry);
        if let Some(account) = desk.out.accounts.iter_mut().find(|known| known.account == *account) {
            account.currency = account.currency.or(event.currency);
        }
    }
    for resource in desk.of_order(&event.order) {
        if undone {
            for order in resource.orders.iter_mut().flatten() {
                order.status = OrderStatus::Cancelled;
            }
        }
    }
    desk.out.refunds.extend(received(event));
    let what = if undone { "purchase undone" } else { "returned after use" };
    let amount = event.amount.unwrap_or_default();
    desk.out.remark(
        file,
        path,
        format!("{what}: {amount} on order {}; the pool counts only what the files list, a refund may be dated to its purchase", event.order),
    );
}
