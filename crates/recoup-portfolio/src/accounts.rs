//! The accounts file.

use std::fs;

use recoup_core::record::{AccountRecord, Fault, ZoneOf};
use serde_json::Value;

use crate::read::ReadError;

/// The accounts of a file: those that could be read, and what is wrong with the others.
#[derive(Debug, Default)]
pub struct Accounts {
    /// The accounts.
    pub records: Vec<AccountRecord>,
    /// What could not be read, as `file: account N: what`.
    pub faults: Vec<String>,
    /// Names that were not understood.
    pub remarks: Vec<Fault>,
}

/// Reads an accounts file: a JSON array of accounts.
///
/// # Errors
/// Where it cannot be read or is no JSON array.
pub fn read(name: &str, zone_of: &ZoneOf<'_>) -> Result<Accounts, ReadError> {
    let text = fs::read_to_string(name).map_err(|source| ReadError::Io { file: name.to_owned(), source })?;
    from_text(name, &text, zone_of)
}

/// Reads accounts from text that is there already; `name` says where it is from.
///
/// # Errors
/// Where it is no JSON array.
pub fn from_text(name: &str, text: &str, zone_of: &ZoneOf<'_>) -> Result<Accounts, ReadError> {
    let form = |line: usize, what: String| ReadError::Form { file: name.to_owned(), line: line.max(1) as u64, what };
    let json: Value = serde_json::from_str(text).map_err(|error| form(error.line(), format!("not JSON: {error}")))?;
    let Value::Array(items) = json else {
        return Err(form(1, "expected a JSON array of accounts".to_owned()));
    };
    let mut accounts = Accounts::default();
    for (index, item) in items.iter().enumerate() {
        match AccountRecord::from_json(item, zone_of) {
            Ok(read) => {
                accounts.records.push(read.record);
                accounts.remarks.extend(read.remarks);
            }
            Err(faults) => accounts.faults.push(format!("{name}: account {}: {faults}", index + 1)),
        }
    }
    Ok(accounts)
}
