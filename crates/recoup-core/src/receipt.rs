//! Refunds as they came, read from and written to JSON.
//!
//! | field | meaning |
//! |---|---|
//! | `currency` | of all amounts; must be there |
//! | `amount` | how much came back; below zero where something was taken back again |
//! | `instrument` | by which instrument the amount came; absent where the provider does not say |
//! | `returned` | in place of the two: `[{"instrument", "amount"}]`, one for each instrument |
//! | `resource`, `order` | the resource that was left, the order that was refunded: at least one |
//! | `reference` | the provider's number of the refund; the same one is never counted twice |
//! | `provider`, `account` | whose, where they are known |
//! | `at` | when it was booked |
//! | `fee`, `consumed` | what was kept, where the provider says so |
//!
//! ```
//! use recoup_core::receipt;
//! use recoup_core::refund::Refund;
//! use recoup_core::time::Zone;
//!
//! let json = serde_json::from_str(r#"{"resource": "vm-1", "currency": "USD", "amount": "80.00", "instrument": "cash"}"#)?;
//! let refund = receipt::from_json(&json, Zone::UTC)?;
//! assert_eq!(refund.money_back().to_string(), "80.00");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use serde_json::{Map, Value, json};

use crate::import::{Misfit, Place};
use crate::money::Amount;
use crate::record::RefundRecord;
use crate::time::Zone;
use crate::vocab::Instrument;

/// The fields of a receipt.
pub const FIELDS: &[&str] = &[
    "provider",
    "account",
    "resource",
    "order",
    "reference",
    "at",
    "currency",
    "instrument",
    "amount",
    "returned",
    "fee",
    "consumed",
];

fn misfit(place: &Place<'_>, expected: &'static str) -> Misfit {
    let found = place.value.map_or_else(|| "nothing".to_owned(), |value| value.to_string().chars().take(60).collect());
    Misfit { path: place.path.clone(), expected, found }
}

fn instrument(place: &Place<'_>) -> Result<Option<Instrument>, Misfit> {
    let word = place.get("instrument");
    let text = word.text()?;
    text.map(|text| Instrument::parse(&text).map_err(|_| misfit(&word, "an instrument such as \"cash\""))).transpose()
}

fn amount(place: &Place<'_>) -> Result<Amount, Misfit> {
    let amount = place.get("amount");
    amount.decimal()?.ok_or_else(|| misfit(&amount, "a decimal"))
}

/// Reads a receipt. Instants without an offset are read on the clock of `zone`.
///
/// # Errors
/// Where a field is missing or is something else.
pub fn from_json(json: &Value, zone: Zone) -> Result<RefundRecord, Misfit> {
    let place = Place::root(json);
    if !json.is_object() {
        return Err(misfit(&Place { value: Some(json), path: String::new() }, "an object"));
    }
    let code = place.get("currency");
    let currency = code.required()?.parse().map_err(|_| misfit(&code, "a currency code such as \"USD\""))?;
    let mut refund = RefundRecord {
        provider: place.get("provider").text()?,
        account: place.get("account").text()?,
        resource: place.get("resource").text()?,
        id: place.any(&["reference", "id"]).text()?,
        order: place.get("order").text()?,
        at: place.get("at").instant(zone)?,
        fee: place.get("fee").decimal()?,
        consumed: place.get("consumed").decimal()?,
        ..RefundRecord::new(currency)
    };
    let items = match place.get("returned").items()? {
        items if place.has("returned") => items,
        _ => vec![place.clone()],
    };
    for item in items {
        match instrument(&item)? {
            Some(instrument) => refund.returned.push((instrument, amount(&item)?)),
            None => refund.unnamed += amount(&item)?,
        }
    }
    if refund.resource.is_none() && refund.order.is_none() && refund.id.is_none() {
        return Err(misfit(&place.get("resource"), "a resource, an order or a reference"));
    }
    Ok(refund)
}

/// A receipt as it is written.
#[must_use]
pub fn to_json(refund: &RefundRecord, zone: Zone) -> Value {
    let mut map = Map::new();
    let mut text = |name: &str, value: Option<&String>| {
        if let Some(value) = value {
            map.insert(name.to_owned(), Value::String(value.clone()));
        }
    };
    text("provider", refund.provider.as_ref());
    text("account", refund.account.as_ref());
    text("resource", refund.resource.as_ref());
    text("order", refund.order.as_ref());
    text("reference", refund.id.as_ref());
    text("at", refund.at.map(|at| at.display(zone).to_string()).as_ref());
    text("currency", Some(&refund.currency.to_string()));
    text("fee", refund.fee.map(|fee| fee.to_string()).as_ref());
    text("consumed", refund.consumed.map(|consumed| consumed.to_string()).as_ref());
    let mut returned: Vec<Value> = refund
        .returned
        .iter()
        .map(|(instrument, amount)| json!({"instrument": instrument.as_str(), "amount": amount.to_string()}))
        .collect();
    if !refund.unnamed.is_zero() {
        returned.push(json!({"amount": refund.unnamed.to_string()}));
    }
    map.insert("returned".to_owned(), returned.into());
    Value::Object(map)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refund::Refund;

    #[test]
    fn what_is_written_is_read_again() {
        for text in [
            r#"{"provider":"acme","account":"a","resource":"vm-1","order":"o-1","reference":"r-1","at":"2026-03-06T10:00:00Z","currency":"USD","fee":"1.50","consumed":"2.00","returned":[{"instrument":"cash","amount":"80.00"},{"instrument":"card","amount":"-1.00"},{"amount":"5.00"}]}"#,
            r#"{"order":"o-1","currency":"JPY","returned":[]}"#,
        ] {
            let refund = from_json(&serde_json::from_str(text).unwrap(), Zone::UTC).unwrap();
            let written = to_json(&refund, Zone::UTC);
            assert_eq!(from_json(&written, Zone::UTC).unwrap(), refund);
            assert_eq!(written, serde_json::from_str::<Value>(text).unwrap());
        }
    }

    #[test]
    fn one_amount_stands_for_a_list_of_one() {
        let read = |text: &str| from_json(&serde_json::from_str(text).unwrap(), Zone::UTC);
        let named = read(r#"{"resource":"a","currency":"USD","amount":8,"instrument":"voucher"}"#).unwrap();
        assert_eq!((named.returned.len(), named.money_back()), (1, Amount::ZERO));
        let unnamed = read(r#"{"resource":"a","currency":"USD","amount":"8.10"}"#).unwrap();
        assert_eq!((unnamed.returned.len(), unnamed.money_back().to_string()), (0, "8.10".to_owned()));
    }

    #[test]
    fn what_is_wrong_is_told_where_it_stands() {
        for (text, what) in [
            (r#"[]"#, "expected an object"),
            (r#"{"resource":"a","amount":"1"}"#, "\"currency\": expected a text, found nothing"),
            (r#"{"resource":"a","currency":"dollar","amount":"1"}"#, "\"currency\": expected a currency code"),
            (r#"{"resource":"a","currency":"USD"}"#, "\"amount\": expected a decimal, found nothing"),
            (r#"{"resource":"a","currency":"USD","amount":"one"}"#, "\"amount\": expected a decimal"),
            (r#"{"currency":"USD","amount":"1"}"#, "\"resource\": expected a resource, an order or a reference"),
            (r#"{"resource":"a","currency":"USD","amount":"1","instrument":"gold"}"#, "expected an instrument"),
            (r#"{"resource":"a","currency":"USD","amount":"1","at":"soon"}"#, "\"at\": expected an instant"),
            (r#"{"resource":"a","currency":"USD","returned":[{"instrument":"cash"}]}"#, "\"returned[0].amount\""),
        ] {
            let error = from_json(&serde_json::from_str(text).unwrap(), Zone::UTC).unwrap_err().to_string();
            assert!(error.contains(what), "{text}: {error}");
        }
    }
}
