//! The JSON of the rare calls: files to recognise and read, and the records that come back.

use recoup_core::import::{ImportFile, ImportRemark, Imported};
use recoup_core::receipt;
use recoup_core::record::{AccountRecord, Faults, ResourceRecord, ZoneOf};
use recoup_core::time::Zone;
use serde_json::{Value, json};

/// A file on its way to an adapter.
#[derive(Debug, Clone)]
pub struct FileText {
    /// Its name, for messages.
    pub name: String,
    /// Its text.
    pub text: String,
    /// Its JSON value, where it is JSON.
    pub json: Option<Value>,
}

impl FileText {
    /// A file by its text.
    #[must_use]
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        let text = text.into();
        let json = serde_json::from_str(&text).ok();
        Self { name: name.into(), text, json }
    }

    /// As an importer reads it.
    #[must_use]
    pub fn view(&self) -> ImportFile<'_> {
        ImportFile { name: &self.name, json: self.json.as_ref(), text: &self.text }
    }
}

/// Files as JSON.
#[must_use]
pub fn files_to_json(files: &[FileText]) -> Value {
    files.iter().map(|file| json!({"name": file.name, "text": file.text})).collect()
}

/// Reads what [`files_to_json`] wrote.
#[must_use]
pub fn files_from_json(json: &Value) -> Option<Vec<FileText>> {
    json.as_array()?
        .iter()
        .map(|file| Some(FileText::new(file.get("name")?.as_str()?, file.get("text")?.as_str()?)))
        .collect()
}

/// What was read, as JSON.
#[must_use]
pub fn imported_to_json(imported: &Imported) -> Value {
    let resources: Vec<Value> = imported.resources.iter().map(|resource| resource.to_json(Zone::UTC)).collect();
    let accounts: Vec<Value> = imported.accounts.iter().map(|account| account.to_json(Zone::UTC)).collect();
    let remarks: Vec<Value> = imported
        .remarks
        .iter()
        .map(|remark| json!({"file": remark.file, "path": remark.path, "what": remark.what, "is_error": remark.is_error}))
        .collect();
    let refunds: Vec<Value> = imported.refunds.iter().map(|refund| receipt::to_json(refund, Zone::UTC)).collect();
    json!({"resources": resources, "accounts": accounts, "refunds": refunds, "remarks": remarks})
}

/// Reads what [`imported_to_json`] wrote. A record that an adapter made wrongly becomes a remark.
#[must_use]
pub fn imported_from_json(json: &Value, zone_of: &ZoneOf<'_>) -> Imported {
    let items = |name: &str| json.get(name).and_then(Value::as_array).into_iter().flatten();
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut imported = Imported::default();
    let fault = |index: usize, faults: &Faults| ImportRemark {
        file: String::new(),
        path: format!("record {}", index + 1),
        what: format!("the adapter read a record that is malformed: {faults}"),
        is_error: true,
    };
    for remark in items("remarks") {
        imported.remarks.push(ImportRemark {
            file: text(remark, "file"),
            path: text(remark, "path"),
            what: text(remark, "what"),
            is_error: remark.get("is_error").and_then(Value::as_bool).unwrap_or(true),
        });
    }
    for (index, resource) in items("resources").enumerate() {
        match ResourceRecord::from_json(resource, zone_of) {
            Ok(read) => imported.resources.push(read.record),
            Err(faults) => imported.remarks.push(fault(index, &faults)),
        }
    }
    for (index, account) in items("accounts").enumerate() {
        match AccountRecord::from_json(account, zone_of) {
            Ok(read) => imported.accounts.push(read.record),
            Err(faults) => imported.remarks.push(fault(index, &faults)),
        }
    }
    for (index, refund) in items("refunds").enumerate() {
        match receipt::from_json(refund, Zone::UTC) {
            Ok(refund) => imported.refunds.push(refund),
            Err(misfit) => imported.remarks.push(ImportRemark {
                file: String::new(),
                path: format!("refund {}", index + 1),
                what: format!("the adapter read a refund that is malformed: {misfit}"),
                is_error: true,
            }),
        }
    }
    imported
}

#[cfg(test)]
mod tests {
    use super::*;
    use recoup_core::record::RefundRecord;

    #[test]
    fn refunds_cross_as_they_are() {
        let mut refund = RefundRecord::new(recoup_core::money::Currency::USD);
        refund.order = Some("CS-1".to_owned());
        refund.unnamed = "50.50".parse().unwrap();
        refund.returned.push((recoup_core::vocab::Instrument::Bonus, "0.45735194".parse().unwrap()));
        let imported = Imported { refunds: vec![refund.clone()], ..Imported::default() };
        let json = imported_to_json(&imported);
        let again = imported_from_json(&json, &|_, _| None);
        assert_eq!(again.refunds, [refund]);
        assert!(again.remarks.is_empty());
        // One that is malformed is told and takes nothing else with it.
        let broken = serde_json::json!({"refunds": [{"order": "a"}, {"order": "b", "currency": "USD", "amount": "1"}]});
        let read = imported_from_json(&broken, &|_, _| None);
        assert_eq!((read.refunds.len(), read.remarks.len()), (1, 1));
        assert!(read.remarks[0].what.contains("\"currency\""), "{:?}", read.remarks);
    }
}
