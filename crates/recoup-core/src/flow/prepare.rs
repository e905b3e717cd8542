//! Calls filled in: what stands in placeholders, and the request as it would be sent.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Call, Encoding, plain};

/// What fills the placeholders of a call.
#[derive(Debug, Clone, Copy, Default)]
pub struct Values<'a> {
    /// The ids of the resources that leave in this call: `{resources}`, and `{resource}` where it is one.
    pub resources: &'a [String],
    /// The token that makes a repetition harmless: `{token}`.
    pub token: Option<&'a str>,
    /// The provider's code of the reason: `{reason}`, `{reason:number}`.
    pub reason: Option<&'a str>,
    /// The free text of the reason: `{reason_text}`.
    pub reason_text: Option<&'a str>,
    /// How many leave: `{quantity}`, `{quantity:number}`.
    pub quantity: Option<&'a str>,
    /// The product: `{product}`.
    pub product: Option<&'a str>,
    /// The region: `{region}`.
    pub region: Option<&'a str>,
    /// The project: `{project}`.
    pub project: Option<&'a str>,
    /// The account: `{account}`.
    pub account: Option<&'a str>,
    /// The number of the order: `{order}`.
    pub order: Option<&'a str>,
    /// What ties the unsubscription to its quote: `{session}`.
    pub session: Option<&'a str>,
    /// What no record shows and whoever sends the call gives: `{given.NAME}`.
    pub given: Option<&'a BTreeMap<String, String>>,
}

/// The words that may stand in a placeholder.
const PLACEHOLDERS: [&str; 12] = [
    "resources",
    "resource",
    "token",
    "reason",
    "reason_text",
    "quantity",
    "product",
    "region",
    "project",
    "account",
    "order",
    "session",
];

/// A placeholder of a call for which there is no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PrepareError {
    /// A value that a record or a flow would have shown is not known.
    #[error("{call} needs the {name}, which is not known here")]
    Unknown {
        /// The call.
        call: String,
        /// The value.
        name: String,
    },
    /// A value that no record shows was not given.
    #[error("{call} needs {name:?}, which no record shows: it must be given")]
    NotGiven {
        /// The call.
        call: String,
        /// The value.
        name: String,
    },
    /// The value has another form than the call wants.
    #[error("{call} needs a number as {name}, found {found:?}")]
    NotANumber {
        /// The call.
        call: String,
        /// The value.
        name: String,
        /// What was found.
        found: String,
    },
    /// More than one resource, where the call takes one at a time.
    #[error("{call} takes one resource at a time, not {count}")]
    OneAtATime {
        /// The call.
        call: String,
        /// How many were given.
        count: usize,
    },
    /// No host is printed, and none was given.
    #[error("no page prints the host of {call}: it must be given")]
    NoHost {
        /// The call.
        call: String,
    },
}

/// A placeholder as it stands in a template: `{name}`, `{name?}` or `{name:number}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Placeholder<'t> {
    name: &'t str,
    /// What is not known is left out, not asked for.
    optional: bool,
    number: bool,
}

impl<'t> Placeholder<'t> {
    fn parse(inner: &'t str) -> Self {
        let (inner, optional) = inner.strip_suffix('?').map_or((inner, false), |inner| (inner, true));
        let (name, number) = inner.strip_suffix(":number").map_or((inner, false), |name| (name, true));
        Self { name, optional, number }
    }

    fn is_known(self) -> bool {
        PLACEHOLDERS.contains(&self.name) || self.name.strip_prefix("given.").is_some_and(|name| !name.is_empty())
    }
}

/// The parts of a template: text, and placeholders between.
pub(super) fn parts(template: &str) -> Result<Vec<Result<&str, Placeholder<'_>>>, String> {
    let mut parts = Vec::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        if !before.is_empty() {
            parts.push(Ok(before));
        }
        let (inner, behind) = after.split_once('}').ok_or_else(|| format!("{template:?} has a {{ without a }}"))?;
        let placeholder = Placeholder::parse(inner);
        if !placeholder.is_known() {
            return Err(format!(
                "{template:?} has the placeholder {inner:?}, expected one of {}, or given.NAME",
                PLACEHOLDERS.join(", ")
            ));
        }
        parts.push(Err(placeholder));
        rest = behind;
    }
    if !rest.is_empty() {
        parts.push(Ok(rest));
    }
    Ok(parts)
}

/// A request as it would be sent, with everything filled in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreparedCall {
    /// The operation.
    pub call: String,
    /// The method.
    pub method: String,
    /// The host, where a page prints it.
    pub host: Option<String>,
    /// The path.
    pub path: String,
    /// The query, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub query: Vec<(String, String)>,
    /// Header fields that the page asks for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// The body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// How the body travels.
    pub encoding: Encoding,
    /// What the page calls the way to sign it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signing: Option<String>,
    /// The token in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The resources that leave by it.
    pub resources: Vec<String>,
}

impl PreparedCall {
    /// The address it goes to: under `base` where one is given (`https://host`), else at the printed host.
    ///
    /// # Errors
    /// Where neither is known.
    pub fn url(&self, base: Option<&str>) -> Result<String, PrepareError> {
        let base = match (base, &self.host) {
            (Some(base), _) => base.trim_end_matches('/').to_owned(),
            (None, Some(host)) => format!("https://{host}"),
            (None, None) => return Err(PrepareError::NoHost { call: self.call.clone() }),
        };
        Ok(base + &self.path_and_query())
    }

    /// The path with its query, percent-encoded.
    #[must_use]
    pub fn path_and_query(&self) -> String {
        let query: Vec<String> =
            self.query.iter().map(|(name, value)| format!("{}={}", escape(name), escape(value))).collect();
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{}{mark}{}", self.path, query.join("&"))
    }

    /// The body as text, in its encoding.
    #[must_use]
    pub fn body_text(&self) -> Option<String> {
        self.body.as_ref().map(|body| encode(body, self.encoding))
    }
}

/// A body as text: JSON, or the fields of a form.
#[must_use]
pub fn encode(body: &Value, encoding: Encoding) -> String {
    match (encoding, body) {
        (Encoding::Form, Value::Object(fields)) => {
            let fields: Vec<String> =
                fields.iter().map(|(name, value)| format!("{}={}", escape(name), escape(&plain(value)))).collect();
            fields.join("&")
        }
        _ => body.to_string(),
    }
}

/// Percent-encoding of everything but the unreserved characters (RFC 3986, 2.3).
fn escape(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

impl Call {
    /// Whether several resources leave in one call.
    #[must_use]
    pub fn takes_many(&self) -> bool {
        self.templates().any(|template| template.contains("{resources"))
    }

    /// The texts of the call that may hold placeholders.
    pub(super) fn templates(&self) -> impl Iterator<Item = &str> {
        fn texts<'v>(value: &'v Value, out: &mut Vec<&'v str>) {
            match value {
                Value::String(text) => out.push(text),
                Value::Array(items) => items.iter().for_each(|item| texts(item, out)),
                Value::Object(fields) => fields.values().for_each(|item| texts(item, out)),
                _ => {}
            }
        }
        let mut out = vec![self.path.as_str()];
        out.extend(self.hosts.values().map(String::as_str));
        self.query.values().chain(&self.body).for_each(|value| texts(value, &mut out));
        out.into_iter()
    }

    /// The request for some resources of one site.
    ///
    /// # Errors
    /// Where a placeholder has no value.
    pub fn prepare(&self, site: &str, values: &Values<'_>) -> Result<PreparedCall, PrepareError> {
        if !self.takes_many() && values.resources.len() > 1 {
            return Err(PrepareError::OneAtATime { call: self.id.clone(), count: values.resources.len() });
        }
        let filler = Filler { call: self, values };
        let host = self.hosts.get(site).or_else(|| self.hosts.get("*"));
        let host = host.map(|host| filler.text(host, false)).transpose()?.flatten();
        let mut query = Vec::new();
        for (name, value) in &self.query {
            if let Some(value) = filler.value(value)? {
                query.push((name.clone(), plain(&value)));
            }
        }
        let body = self.body.as_ref().map(|body| filler.value(body)).transpose()?.flatten();
        let uses_token = self.templates().any(|template| template.contains("{token"));
        Ok(PreparedCall {
            call: self.id.clone(),
            method: self.method.clone(),
            host,
            path: filler.text(&self.path, true)?.unwrap_or_default(),
            query,
            headers: self.headers.clone(),
            body,
            encoding: self.encoding.unwrap_or(Encoding::Json),
            signing: self.signing.clone(),
            token: values.token.filter(|_| uses_token).map(str::to_owned),
            resources: values.resources.to_vec(),
        })
    }
}

struct Filler<'a> {
    call: &'a Call,
    values: &'a Values<'a>,
}

impl Filler<'_> {
    fn unknown(&self, name: &str) -> PrepareError {
        let call = self.call.id.clone();
        match name.strip_prefix("given.") {
            Some(name) => PrepareError::NotGiven { call, name: name.to_owned() },
            None => PrepareError::Unknown { call, name: name.replace('_', " ") },
        }
    }

    /// The text of a placeholder, where its value is known.
    fn known(&self, name: &str) -> Option<String> {
        let values = self.values;
        let token = |token: &str| {
            let most = self.call.token.as_ref().and_then(|token| token.max_chars).unwrap_or(usize::MAX);
            token.chars().take(most).collect()
        };
        match name {
            "resource" => values.resources.first().cloned(),
            "resources" => Some(values.resources.join(",")),
            "token" => values.token.map(token),
            "reason" => values.reason.map(str::to_owned),
            "reason_text" => values.reason_text.map(str::to_owned),
            "quantity" => values.quantity.map(str::to_owned),
            "product" => values.product.map(str::to_owned),
            "region" => values.region.map(str::to_owned),
            "project" => values.project.map(str::to_owned),
            "account" => values.account.map(str::to_owned),
            "order" => values.order.map(str::to_owned),
            "session" => values.session.map(str::to_owned),
            other => values.given.zip(other.strip_prefix("given.")).and_then(|(given, name)| given.get(name).cloned()),
        }
    }

    /// A text with its placeholders filled; none where an optional one is not known.
    fn text(&self, template: &str, escaped: bool) -> Result<Option<String>, PrepareError> {
        let mut out = String::new();
        for part in parts(template).unwrap_or_default() {
            match part {
                Ok(text) => out.push_str(text),
                Err(placeholder) => match self.known(placeholder.name) {
                    Some(value) if escaped => out.push_str(&escape_path(&value)),
                    Some(value) => out.push_str(&value),
                    None if placeholder.optional => return Ok(None),
                    None => return Err(self.unknown(placeholder.name)),
                },
            }
        }
        Ok(Some(out))
    }

    /// A value with its placeholders filled; none where it is an optional placeholder that is not known.
    fn value(&self, template: &Value) -> Result<Option<Value>, PrepareError> {
        match template {
            Value::String(text) => self.leaf(text),
            Value::Array(items) => {
                let mut filled = Vec::new();
                for item in items {
                    filled.extend(self.value(item)?);
                }
                Ok(Some(Value::Array(filled)))
            }
            Value::Object(fields) => {
                let mut filled = Map::new();
                for (name, field) in fields {
                    if let Some(value) = self.value(field)? {
                        filled.insert(name.clone(), value);
                    }
                }
                Ok(Some(Value::Object(filled)))
            }
            other => Ok(Some(other.clone())),
        }
    }

    fn leaf(&self, template: &str) -> Result<Option<Value>, PrepareError> {
        let whole = match parts(template).unwrap_or_default().as_slice() {
            [Err(placeholder)] => Some(*placeholder),
            _ => None,
        };
        match whole {
            Some(Placeholder { name: "resources", .. }) => Ok(Some(self.values.resources.iter().cloned().collect())),
            Some(placeholder) if placeholder.number => self.number(placeholder),
            _ => Ok(self.text(template, false)?.map(Value::String)),
        }
    }

    fn number(&self, placeholder: Placeholder<'_>) -> Result<Option<Value>, PrepareError> {
        let Some(found) = self.known(placeholder.name) else {
            return if placeholder.optional { Ok(None) } else { Err(self.unknown(placeholder.name)) };
        };
        match serde_json::from_str::<Value>(&found) {
            Ok(number @ Value::Number(_)) => Ok(Some(number)),
            _ => {
                let name = placeholder.name.replace('_', " ");
                Err(PrepareError::NotANumber { call: self.call.id.clone(), name, found })
            }
        }
    }
}

/// A value in a path: percent-encoded but for the slashes of an id that is itself a path.
fn escape_path(value: &str) -> String {
    value.trim_start_matches('/').split('/').map(escape).collect::<Vec<_>>().join("/")
}
