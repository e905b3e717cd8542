//! Cost exports of an Enterprise Agreement (CSV): the rows that buy or refund reservations and savings
//! plans.

use recoup_core::import::ImportFile;
use recoup_core::prelude::*;

use super::consumption::{Event, bought, gone};
use super::{Desk, months};

/// Columns that only this export has together.
const COLUMNS: &[&str] =
    &["ChargeType", "PricingModel", "ProductOrderId", "ReservationId", "BillingAccountId", "Frequency"];

/// Whether a text is such an export.
pub(super) fn recognises(text: &str) -> bool {
    let header = fields(text.trim_start_matches('\u{feff}').lines().next().unwrap_or_default());
    COLUMNS.iter().all(|column| header.iter().any(|name| name.eq_ignore_ascii_case(column)))
}

/// Reads the purchases and refunds of reservations.
pub(super) fn read(file: &ImportFile<'_>, desk: &mut Desk) {
    if !recognises(file.text) {
        return;
    }
    let mut lines = file.text.trim_start_matches('\u{feff}').lines().enumerate();
    let header = lines.next().map(|(_, line)| fields(line)).unwrap_or_default();
    for (index, line) in lines {
        let row = fields(line);
        let cell = |name: &str| {
            let column = header.iter().position(|other| other.eq_ignore_ascii_case(name))?;
            row.get(column).map(|cell| cell.trim()).filter(|cell| !cell.is_empty())
        };
        let path = format!("line {}", index + 1);
        let refund = match cell("ChargeType").map(str::to_ascii_lowercase).as_deref() {
            Some("purchase") => false,
            Some("refund") => true,
            _ => continue,
        };
        if cell("PricingModel") != Some("Reservation") {
            desk.out.remark(file, path, "is no reservation and was left out");
            continue;
        }
        let Some(order) = cell("ProductOrderId") else {
            desk.out.error(
                file,
                format!("{path}: ProductOrderId"),
                "expected the id of a reservation order, found nothing",
            );
            continue;
        };
        let cost = cell("CostInBillingCurrency").or(cell("Cost"));
        let amount = cost.map(str::parse::<Amount>).transpose();
        let at = cell("Date").map(|text| date(text).ok_or(text)).transpose();
        let (amount, at) = match (amount, at) {
            (Ok(amount), Ok(at)) => (amount, at),
            (Err(error), _) => {
                desk.out.error(file, format!("{path}: Cost"), error.to_string());
                continue;
            }
            (_, Err(text)) => {
                let what = format!("expected a date such as 09/21/2023, found {text:?}");
                desk.out.error(file, format!("{path}: Date"), what);
                continue;
            }
        };
        let event = Event {
            order: order.to_ascii_lowercase(),
            at,
            amount,
            currency: cell("BillingCurrency").or(cell("BillingCurrencyCode")).and_then(|code| code.parse().ok()),
            quantity: cell("Quantity").and_then(|quantity| quantity.parse().ok()),
            term_months: cell("Term").and_then(months),
            recurring: cell("Frequency").map(|frequency| frequency.eq_ignore_ascii_case("recurring")),
            account: cell("BillingAccountId").map(str::to_owned),
            channel: Some("ea"),
            name: cell("ReservationName").map(str::to_owned),
            region: cell("ResourceLocation").map(str::to_owned),
            project: cell("SubscriptionId").map(str::to_owned),
            product: cell("ProductOrderName")
                .filter(|name| name.starts_with("Reserved VM Instance"))
                .map(|_| "VirtualMachines"),
        };
        if refund {
            gone(&event, false, file, &path, desk);
        } else {
            bought(&event, file, &path, desk);
        }
    }
}

/// A date as the export writes it: month, day and year.
fn date(text: &str) -> Option<Instant> {
    let mut parts = text.split('/');
    let (month, day, year) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || year.len() != 4 {
        return Instant::parse(text, Zone::UTC).ok();
    }
    Instant::parse(&format!("{year}-{month:0>2}-{day:0>2}"), Zone::UTC).ok()
}

/// The fields of a line of CSV. A quote inside a quoted field is doubled; no field of this export
/// spans lines.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                if let Some(field) = fields.last_mut() {
                    field.push('"');
                }
            }
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            _ => {
                if let Some(field) = fields.last_mut() {
                    field.push(letter);
                }
            }
        }
    }
    fields
}
