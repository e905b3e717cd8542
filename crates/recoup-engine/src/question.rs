//! What a user asks, as text: the instant, the edition, what to assume.
//!
//! ```
//! use recoup_core::context::Run;
//! use recoup_engine::question;
//!
//! let mut run = Run::default();
//! question::set_at(&mut run, "2024-10-29")?;
//! assert!(run.day.is_some() && run.at.is_none());
//! let error = question::set_at(&mut run, "yesterday").unwrap_err();
//! assert!(error.contains("yesterday"));
//! # Ok::<(), String>(())
//! ```

use chrono::NaiveDate;
use recoup_core::context::Run;
use recoup_core::fact::Flag;
use recoup_core::record::Facts;
use recoup_core::time::{Instant, Zone};
use serde_json::{Map, Value};

/// A date such as `2024-10-29`.
///
/// # Errors
/// Where it is none.
pub fn date(text: &str) -> Result<NaiveDate, String> {
    text.parse().map_err(|_| format!("{text}: expected a date such as 2024-10-29"))
}

/// Sets the instant asked about: an instant, or a bare date, which is midnight at each provider's site.
///
/// # Errors
/// Where the text is neither.
pub fn set_at(run: &mut Run, text: &str) -> Result<(), String> {
    if text.len() == 10 {
        (run.at, run.day) = (None, Some(date(text)?));
    } else {
        (run.at, run.day) = (Some(Instant::parse(text, Zone::UTC).map_err(|error| error.to_string())?), None);
    }
    Ok(())
}

/// What is to be assumed where nothing is known.
///
/// # Errors
/// Where a name is no fact's, or a value has the wrong type.
pub fn assumptions<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Facts, String> {
    let mut map = Map::new();
    for (name, value) in pairs {
        let value = match (Flag::parse(name), value) {
            (Ok(_), "true") => Value::Bool(true),
            (Ok(_), "false") => Value::Bool(false),
            _ => Value::String(value.to_owned()),
        };
        map.insert(name.to_owned(), value);
    }
    let read = Facts::from_json(&Value::Object(map), Zone::UTC).map_err(|faults| faults.to_string())?;
    match read.remarks.first() {
        Some(remark) => Err(remark.what.replace(" and was left out of account", "")),
        None => Ok(read.record),
    }
}
