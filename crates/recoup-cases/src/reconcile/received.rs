//! What came: read from lists of receipts, as NDJSON, JSON or CSV.

use recoup_core::receipt::{FIELDS, from_json};
use recoup_core::record::RefundRecord;
use recoup_core::time::Zone;
use serde_json::{Map, Value};

use super::Receipt;
use crate::model::Received;

/// What was read of a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Read {
    /// The receipts.
    pub receipts: Vec<Receipt>,
    /// What could not be read: the place, and what is wrong and was expected.
    pub faults: Vec<String>,
    /// Fields that were passed over.
    pub unknown: Vec<String>,
}

impl Read {
    fn take(&mut self, json: &Value, place: String) {
        for name in json.as_object().into_iter().flat_map(|fields| fields.keys()) {
            if !FIELDS.contains(&name.as_str()) && name != "id" && !self.unknown.contains(name) {
                self.unknown.push(name.clone());
            }
        }
        match from_json(json, Zone::UTC) {
            Ok(refund) => self.receipts.push(Receipt { refund, source: place }),
            Err(misfit) => self.faults.push(format!("{place}: {misfit}")),
        }
    }
}

/// Whether a JSON value looks like a receipt.
#[must_use]
pub fn is_receipt(json: &Value) -> bool {
    let has = |name: &str| json.get(name).is_some();
    json.is_object() && has("currency") && (has("amount") || has("returned")) && !has("exits") && !has("billing")
}

/// Reads a list of receipts, where the text is one: NDJSON, a JSON array, or a CSV whose columns have the
/// names of the fields.
#[must_use]
pub fn read(file: &str, text: &str) -> Option<Read> {
    let text = text.trim_start_matches('\u{feff}');
    let first = text.trim_start().chars().next()?;
    let mut read = Read::default();
    match first {
        '[' => {
            let Ok(Value::Array(items)) = serde_json::from_str::<Value>(text) else { return None };
            items.iter().all(is_receipt).then_some(())?;
            for (index, item) in items.iter().enumerate() {
                read.take(item, format!("{file}: [{index}]"));
            }
        }
        '{' => {
            let lines = || text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
            // One object over several lines is a list of one.
            if let Ok(whole) = serde_json::from_str::<Value>(text) {
                is_receipt(&whole).then(|| read.take(&whole, file.to_owned()))?;
                return Some(read);
            }
            let (_, line) = lines().next()?;
            is_receipt(&serde_json::from_str(line).ok()?).then_some(())?;
            for (index, line) in lines() {
                let place = format!("{file}:{}", index + 1);
                match serde_json::from_str(line) {
                    Ok(json) => read.take(&json, place),
                    Err(error) => read.faults.push(format!("{place}: not JSON: {error}")),
                }
            }
        }
        _ => read_csv(file, text, &mut read)?,
    }
    Some(read)
}

fn read_csv(file: &str, text: &str, read: &mut Read) -> Option<()> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
    let headers: Vec<String> = reader.headers().ok()?.iter().map(str::to_lowercase).collect();
    let has = |name: &str| headers.iter().any(|header| header == name);
    (has("currency") && has("amount") && (has("resource") || has("order") || has("reference"))).then_some(())?;
    for record in reader.records() {
        match record {
            Ok(record) => {
                let line = record.position().map_or(0, csv::Position::line);
                let filled = headers.iter().zip(record.iter()).filter(|(_, cell)| !cell.is_empty());
                let fields: Map<String, Value> =
                    filled.map(|(name, cell)| (name.clone(), Value::String(cell.to_owned()))).collect();
                // Rows of a spreadsheet may end in rows of nothing.
                if !fields.is_empty() {
                    read.take(&Value::Object(fields), format!("{file}:{line}"));
                }
            }
            Err(error) => read.faults.push(format!("{file}: {error}")),
        }
    }
    Some(())
}

/// A refund as the receipts of a case: one for each instrument.
#[must_use]
pub fn as_received(refund: &RefundRecord, source: &str) -> Vec<Received> {
    let unnamed = Some((None, refund.unnamed)).filter(|(_, amount)| !amount.is_zero());
    let named = refund.returned.iter().map(|(instrument, amount)| (Some(*instrument), *amount));
    let all = named.chain(unnamed).map(|(instrument, amount)| Received {
        id: String::new(),
        line: None,
        instrument,
        currency: refund.currency,
        amount,
        to: None,
        at: refund.at,
        reference: refund.id.clone(),
        resource: refund.resource.clone(),
        order: refund.order.clone(),
        source: source.to_owned(),
    });
    all.collect()
}
