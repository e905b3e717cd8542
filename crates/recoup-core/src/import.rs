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
