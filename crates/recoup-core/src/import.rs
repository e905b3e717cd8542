//! Tools for readers of providers' API payloads.

use serde_json::Value;

use crate::record::{AccountRecord, RefundRecord, ResourceRecord};

/// A file as it was given to the host.
#[derive(Debug, Clone, Copy)]
pub struct ImportFile<'a> {
    /// Its name, for messages.
    pub name: &'a str,
    /// Its JSON value; `None` where it is no JSON.
    pub json: Option<&'a Value>,
    /// Its text.
    pub text: &'a str,
}

/// Whether a file may hold a payload of a provider whose payloads bear these marks: at least one of
/// them stands in it, whatever the letter case. Without marks any file may.
///
/// ```
/// use recoup_core::import::may_hold;
///
/// let marks = ["savingsPlanId".to_owned()];
/// assert!(may_hold(Some(&marks), r#"{"SavingsPlanId": "sp-1"}"#));
/// assert!(!may_hold(Some(&marks), "{}") && may_hold(None, "{}") && !may_hold(Some(&[]), "{}"));
/// ```
#[must_use]
pub fn may_hold(marks: Option<&[String]>, text: &str) -> bool {
    let Some(marks) = marks else { return true };
    let folded = text.to_ascii_lowercase();
    marks.iter().any(|mark| folded.contains(&mark.to_ascii_lowercase()))
}

/// Something in a file that could not be read, or that a reader should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportRemark {
    /// The file.
    pub file: String,
    /// Where in it, as a path of names and indices.
    pub path: String,
    /// What is wrong and what was expected, or what was left out and why.
    pub what: String,
    /// Whether something was lost by it.
    pub is_error: bool,
}

/// What was read from a provider's files.
#[derive(Debug, Clone, Default)]
pub struct Imported {
    /// The resources, with their orders.
    pub resources: Vec<ResourceRecord>,
    /// The accounts, where the payloads show something of them.
    pub accounts: Vec<AccountRecord>,
    /// What came back, as refund orders and bills show it.
    pub refunds: Vec<RefundRecord>,
    /// What could not be read, and what a reader should know.
    pub remarks: Vec<ImportRemark>,
}

impl Imported {
    /// Records something that could not be read.
    pub fn error(&mut self, file: &ImportFile<'_>, path: impl Into<String>, what: impl Into<String>) {
        self.remarks.push(ImportRemark {
            file: file.name.to_owned(),
            path: path.into(),
            what: what.into(),
            is_error: true,
        });
    }

    /// Records something that a reader should know.
    pub fn remark(&mut self, file: &ImportFile<'_>, path: impl Into<String>, what: impl Into<String>) {
        self.remarks.push(ImportRemark {
            file: file.name.to_owned(),
            path: path.into(),
            what: what.into(),
            is_error: false,
        });
    }

    /// Records a value that is not what its place should hold.
    pub fn misfit(&mut self, file: &ImportFile<'_>, misfit: Misfit) {
        let what = format!("expected {}, found {}", misfit.expected, misfit.found);
        self.error(file, misfit.path, what);
    }

    /// Adds a resource; one that several lines or invoices name is one, from its first instant on.
    pub fn add_line(&mut self, record: ResourceRecord) {
        match self.resources.iter_mut().find(|other| other.id == record.id) {
            Some(known) => known.starts_at = [known.starts_at, record.starts_at].into_iter().flatten().min(),
            None => self.resources.push(record),
        }
    }
}

/// The files without those that repeat an earlier one.
pub fn distinct<'f, 'v>(files: &'f [ImportFile<'v>]) -> impl Iterator<Item = &'f ImportFile<'v>> {
    let repeats = |index: usize, file: &ImportFile<'_>| files.iter().take(index).any(|one| one.json == file.json);
    files.iter().enumerate().filter(move |(index, file)| !repeats(*index, file)).map(|(_, file)| file)
}

/// How much of the listings of one kind is there, where every page says how many elements the whole has.
/// Listings are told apart by that number.
#[derive(Debug, Default)]
pub struct Listings<'f, 'v> {
    /// Of each listing how many elements it has, how many were seen, and the last page.
    listings: Vec<(i64, i64, &'f ImportFile<'v>)>,
}

impl<'f, 'v> Listings<'f, 'v> {
    /// Counts a page with so many elements; one that names no total is taken for whole.
    pub fn page(&mut self, file: &'f ImportFile<'v>, total: Option<i64>, elements: usize) {
        let here = i64::try_from(elements).unwrap_or(0);
        let total = total.unwrap_or(here);
        match self.listings.iter_mut().find(|listing| listing.0 == total) {
            Some(listing) => *listing = (total, listing.1 + here, file),
            None => self.listings.push((total, here, file)),
        }
    }

    /// The last page that was counted of the listing that was met last.
    #[must_use]
    pub fn last(&self) -> Option<&'f ImportFile<'v>> {
        self.listings.last().map(|(_, _, file)| *file)
    }

    /// Reports listings of which pages are missing.
    pub fn report_truncated(&self, name: &str, out: &mut Imported) {
        for (total, seen, file) in self.listings.iter().filter(|(total, seen, _)| *total > 0 && seen % total != 0) {
            out.error(file, name, format!("the listing is truncated: {seen} of {total} are here; add the other pages"));
        }
    }
}

/// A place in a payload, which knows its path, so that a value of the wrong type is reported where it
/// stands.
#[derive(Debug, Clone)]
pub struct Place<'v> {
    /// The value; `None` where the payload has none.
    pub value: Option<&'v Value>,
    /// Where it stands.
    pub path: String,
}

/// What was found instead of what was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{path}\": expected {expected}, found {found}")]
pub struct Misfit {
    /// Where.
    pub path: String,
    /// What was expected.
    pub expected: &'static str,
    /// What was found.
    pub found: String,
}

impl<'v> Place<'v> {
    /// The whole payload.
    #[must_use]
    pub fn root(value: &'v Value) -> Self {
        Self { value: Some(value), path: String::new() }
    }

    /// A field by the first of several spellings that the payload has; `null` counts as absent.
    #[must_use]
    pub fn any(&self, names: &[&str]) -> Self {
        let found = names.iter().find_map(|name| {
            self.value.and_then(|value| value.get(name)).filter(|value| !value.is_null()).map(|value| (*name, value))
        });
        let name = found.map_or_else(|| names.first().copied().unwrap_or_default(), |(name, _)| name);
        let path = if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) };
        Self { value: found.map(|(_, value)| value), path }
    }

    /// A field.
    #[must_use]
    pub fn get(&self, name: &str) -> Self {
        self.any(&[name])
    }

    /// Whether the payload has the field and it is not null.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.get(name).value.is_some()
    }

    fn misfit(&self, expected: &'static str) -> Misfit {
        let found = match self.value {
            None => "nothing".to_owned(),
            Some(Value::Array(_)) => "an array".to_owned(),
            Some(Value::Object(_)) => "an object".to_owned(),
            Some(other) => other.to_string().chars().take(60).collect(),
        };
        Misfit { path: self.path.clone(), expected, found }
    }

    /// The elements of an array; none where the field is absent.
    ///
    /// # Errors
    /// Where it is something else.
    pub fn items(&self) -> Result<Vec<Self>, Misfit> {
        match self.value {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => Ok(items
                .iter()
                .enumerate()
                .map(|(index, value)| Self { value: Some(value), path: format!("{}[{index}]", self.path) })
                .collect()),
            Some(_) => Err(self.misfit("an array")),
        }
    }

    /// A text; a number is taken by its digits, as APIs do not agree on ids.
    ///
    /// # Errors
    /// Where it is something else.
    pub fn text(&self) -> Result<Option<String>, Misfit> {
        match self.value {
            None => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            Some(_) => Err(self.misfit("a text")),
        }
    }

    /// A text that must be there.
    ///
    /// # Errors
    /// Where it is missing or something else.
    pub fn required(&self) -> Result<String, Misfit> {
        self.text()?.ok_or_else(|| self.misfit("a text"))
    }

    /// A whole number, as a number or as a text of digits.
    ///
    /// # Errors
    /// Where it is something else.
    pub fn whole(&self) -> Result<Option<i64>, Misfit> {
        match self.text()? {
            None => Ok(None),
            Some(text) => text.trim().parse().map(Some).map_err(|_| self.misfit("a whole number")),
        }
    }

    /// True or false, as such, as 0 or 1, or as a word.
    ///
    /// # Errors
    /// Where it is something else.
    pub fn truth(&self) -> Result<Option<bool>, Misfit> {
        match self.value {
            None => Ok(None),
            Some(Value::Bool(truth)) => Ok(Some(*truth)),
            Some(Value::Number(number)) if number.as_i64() == Some(1) => Ok(Some(true)),
            Some(Value::Number(number)) if number.as_i64() == Some(0) => Ok(Some(false)),
            Some(Value::String(text)) if text.eq_ignore_ascii_case("true") || text == "1" => Ok(Some(true)),
            Some(Value::String(text)) if text.eq_ignore_ascii_case("false") || text == "0" => Ok(Some(false)),
            Some(_) => Err(self.misfit("true or false")),
        }
    }

    /// A decimal, read from its digits and never through a float.
    ///
    /// # Errors
    /// Where it is no decimal.
    pub fn decimal<T: std::str::FromStr>(&self) -> Result<Option<T>, Misfit> {
        match self.value {
            None => Ok(None),
            Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
            Some(Value::String(text)) => text.trim().parse().map(Some).map_err(|_| self.misfit("a decimal")),
            Some(Value::Number(number)) => number.to_string().parse().map(Some).map_err(|_| self.misfit("a decimal")),
            Some(_) => Err(self.misfit("a decimal")),
        }
    }

    /// An instant: RFC 3339, a bare date, or a wall-clock time in `zone`.
    ///
    /// # Errors
    /// Where it is none of these.
    pub fn instant(&self, zone: crate::time::Zone) -> Result<Option<crate::time::Instant>, Misfit> {
        use crate::time::Instant;
        match self.text()? {
            None => Ok(None),
            Some(text) => Instant::parse(&text, zone)
                .or_else(|_| Instant::parse_local(&text, zone))
                .map(Some)
                .map_err(|_| self.misfit("an instant such as 2024-01-02T00:00:00Z")),
        }
    }
}
