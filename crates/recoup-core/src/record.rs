//! Owned records of everything in the portfolio and accounts files, read from and written to JSON.
//!
//! Reading collects every fault of a record with its path and what was expected, so that a person can
//! mend a file in one go; names that are not understood come back as warnings and are not lost silently.
//!
//! ```
//! use recoup_core::record::ResourceRecord;
//! use recoup_core::time::Zone;
//!
//! let json = serde_json::json!({"provider": "p", "id": "r-1", "product": "vm", "billing": "subscription",
//!     "status": "active", "ends_at": "2023-01-01", "starts_at": "2024-01-01"});
//! let fault = ResourceRecord::from_json(&json, &|_, _| Some(Zone::UTC)).unwrap_err();
//! assert_eq!(fault.to_string(), "\"ends_at\" is before \"starts_at\" (2023-01-01T00:00:00Z < 2024-01-01T00:00:00Z)");
//! ```

use std::fmt;

use serde_json::{Map, Value};

use crate::fact::{Figure, Flag, FlagSet, Moment, Text};
use crate::money::{Amount, Currency, Number};
use crate::resource::{
    Commitment, HourlyTier, Order, Payment, PriceComponent, PriceTerms, Resource, Term, TermDiscount,
};
use crate::stated::Statement;
use crate::time::{Instant, Zone};
use crate::vocab::{
    Billing, Class, Exit, Instrument, OrderKind, OrderStatus, PaymentOption, Recurrence, Relation, Seller, Status,
    TermUnit, closest,
};

/// Limits that keep one bad record from taking the machine: far above anything real.
pub mod limits {
    /// Orders of one resource.
    pub const ORDERS: usize = 10_000;
    /// Payments of one order.
    pub const PAYMENTS: usize = 1_000;
    /// Statements of the provider about one resource.
    pub const STATEMENTS: usize = 100;
    /// Characters of an id, a name or any other text.
    pub const TEXT: usize = 10_000;
    /// Parts, tiers or discounts of prices.
    pub const PRICES: usize = 1_000;
    /// The largest count of a term.
    pub const COUNT: u32 = 12_000;
}

/// One thing wrong with a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where, for example `orders[0].payments[1].amount`; empty for the record as a whole.
    pub path: String,
    /// What is wrong and what was expected.
    pub what: String,
}

/// Everything wrong with a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Faults(pub Vec<Fault>);

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            if fault.path.is_empty() {
                f.write_str(&fault.what)?;
            } else {
                write!(f, "\"{}\": {}", fault.path, fault.what)?;
            }
        }
        Ok(())
    }
}

/// A record that could be read, with remarks on what was not understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read<T> {
    /// The record.
    pub record: T,
    /// Names that were not understood, with the nearest known one.
    pub remarks: Vec<Fault>,
}

/// The facts that one place states.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    /// True or false.
    pub flags: FlagSet,
    /// Decimals.
    pub figures: Vec<(Figure, Number)>,
    /// Texts.
    pub texts: Vec<(Text, String)>,
    /// Instants.
    pub moments: Vec<(Moment, Instant)>,
}

impl Facts {
    /// A decimal fact.
    #[must_use]
    pub fn figure(&self, figure: Figure) -> Option<Number> {
        self.figures.iter().find(|(name, _)| *name == figure).map(|(_, value)| *value)
    }

    /// A text fact.
    #[must_use]
    pub fn text(&self, text: Text) -> Option<&str> {
        self.texts.iter().find(|(name, _)| *name == text).map(|(_, value)| value.as_str())
    }

    /// An instant.
    #[must_use]
    pub fn moment(&self, moment: Moment) -> Option<Instant> {
        self.moments.iter().find(|(name, _)| *name == moment).map(|(_, value)| *value)
    }

    /// Whether nothing is stated.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.flags.is_empty() && self.figures.is_empty() && self.texts.is_empty() && self.moments.is_empty()
    }

    /// Reads a map of facts.
    ///
    /// # Errors
    /// Every fact whose value has the wrong type.
    pub fn from_json(json: &Value, zone: Zone) -> Result<Read<Self>, Faults> {
        let mut reader = Reader::new(zone);
        let facts = reader.facts_of(json, "");
        reader.finish(facts)
    }

    /// As a JSON object.
    #[must_use]
    pub fn to_json(&self, zone: Zone) -> Value {
        let mut map = Map::new();
        for (flag, value) in self.flags.iter() {
            map.insert(flag.as_str().into(), value.into());
        }
        for (figure, value) in &self.figures {
            map.insert(figure.as_str().into(), value.to_string().into());
        }
        for (text, value) in &self.texts {
            map.insert(text.as_str().into(), value.as_str().into());
        }
        for (moment, value) in &self.moments {
            map.insert(moment.as_str().into(), value.display(zone).to_string().into());
        }
        Value::Object(map)
    }
}

/// An order as a portfolio file writes it. Field meanings: FORMATS.md, section 1.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are defined by the published formats")]
pub struct OrderRecord {
    pub id: Option<String>,
    pub kind: OrderKind,
    pub status: OrderStatus,
    pub placed_at: Option<Instant>,
    pub paid_at: Option<Instant>,
    pub starts_at: Option<Instant>,
    pub ends_at: Option<Instant>,
    pub term: Option<Term>,
    pub quantity: Option<Number>,
    pub currency: Option<Currency>,
    pub list_price: Option<Amount>,
    pub due: Option<Amount>,
    pub payments: Option<Vec<Payment>>,
    pub facts: Facts,
}

impl OrderRecord {
    /// An order of which only kind and status are known.
    #[must_use]
    pub fn new(kind: OrderKind, status: OrderStatus) -> Self {
        Self {
            id: None,
            kind,
            status,
            placed_at: None,
            paid_at: None,
            starts_at: None,
            ends_at: None,
            term: None,
            quantity: None,
            currency: None,
            list_price: None,
            due: None,
            payments: None,
            facts: Facts::default(),
        }
    }
}

/// An owned [`Commitment`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "the fields are defined by the published formats")]
pub struct CommitmentRecord {
    pub term_months: Option<u32>,
    pub payment_option: Option<PaymentOption>,
    pub hourly: Option<Number>,
    pub currency: Option<Currency>,
    pub upfront: Option<Amount>,
    pub recurring: Option<Amount>,
    pub recurring_every: Option<Recurrence>,
    pub class: Option<Class>,
    pub unit: Option<String>,
    pub total_units: Option<Number>,
    pub used_units: Option<Number>,
    pub used_fraction: Option<Number>,
}

/// A resource as a portfolio file writes it. Field meanings: FORMATS.md, section 1.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are defined by the published formats")]
pub struct ResourceRecord {
    pub provider: String,
    pub site: Option<String>,
    pub account: Option<String>,
    pub id: String,
    pub name: Option<String>,
    pub product: String,
    pub region: Option<String>,
    pub project: Option<String>,
    pub tags: Vec<(String, String)>,
    pub billing: Billing,
    pub seller: Option<Seller>,
    pub status: Status,
    pub purchased_at: Option<Instant>,
    pub starts_at: Option<Instant>,
    pub ends_at: Option<Instant>,
    pub primary: Option<String>,
    pub relation: Option<Relation>,
    pub bundle: Option<String>,
    pub quantity: Option<Number>,
    pub commitment: Option<CommitmentRecord>,
    pub price_terms: Option<PriceTerms>,
    pub orders: Option<Vec<OrderRecord>>,
    pub facts: Facts,
    /// The provider's own answers about it, as its payloads print them.
    pub stated: Vec<Statement>,
}

/// What an account already used of a quota.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuotaRecord {
    /// The quota's name.
    pub name: String,
    /// How much is used.
    pub used: Number,
    /// The limit, where the account has one of its own.
    pub limit: Option<Number>,
}

/// An earlier cancellation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnRecord {
    /// When.
    pub at: Instant,
    /// How much came back.
    pub amount: Option<Amount>,
    /// In which currency.
    pub currency: Option<Currency>,
    /// Through which exit.
    pub exit: Option<Exit>,
    /// Of which product.
    pub product: Option<String>,
}

/// An account as the accounts file writes it. Field meanings: FORMATS.md, section 2.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are defined by the published formats")]
pub struct AccountRecord {
    pub provider: String,
    pub site: Option<String>,
    pub account: String,
    pub currency: Option<Currency>,
    pub facts: Facts,
    pub quotas: Vec<QuotaRecord>,
    /// Earlier cancellations; `None` where they are unknown, empty where there were none.
    pub returns: Option<Vec<ReturnRecord>>,
}

/// The zone in which a provider's site writes bare dates, where provider and site are known.
pub type ZoneOf<'a> = dyn Fn(&str, Option<&str>) -> Option<Zone> + 'a;

/// The names of a resource's fields.
pub const RESOURCE_FIELDS: &[&str] = &[
    "provider",
    "site",
    "account",
    "id",
    "name",
    "product",
    "region",
    "project",
    "tags",
    "billing",
    "seller",
    "status",
    "purchased_at",
    "starts_at",
    "ends_at",
    "primary",
    "relation",
    "bundle",
    "quantity",
    "commitment",
    "price_terms",
    "orders",
    "facts",
    "stated",
];
const ORDER_FIELDS: &[&str] = &[
    "id",
    "kind",
    "status",
    "placed_at",
    "paid_at",
    "starts_at",
    "ends_at",
    "term_months",
    "term_unit",
    "term_count",
    "quantity",
    "currency",
    "list_price",
    "due",
    "payments",
    "facts",
];
const PAYMENT_FIELDS: &[&str] = &["instrument", "amount", "expires_at"];
const COMMITMENT_FIELDS: &[&str] = &[
    "term_months",
    "payment_option",
    "hourly",
    "currency",
    "upfront",
    "recurring",
    "recurring_every",
    "class",
    "unit",
    "total_units",
    "used_units",
    "used_fraction",
];
const STATEMENT_FIELDS: &[&str] =
    &["by", "exit", "allowed", "until", "currency", "refund", "fee", "carry_over", "charge", "at", "says"];
const PRICE_FIELDS: &[&str] =
    &["currency", "components", "discounts", "hourly_rate", "rate", "unit_price", "daily", "current"];
const ACCOUNT_FIELDS: &[&str] = &["provider", "site", "account", "currency", "facts", "quotas", "returns"];

/// Walks a JSON value, keeping faults and remarks with their paths.
struct Reader {
    zone: Zone,
    faults: Vec<Fault>,
    remarks: Vec<Fault>,
}

/// An object on its way to being read.
struct Fields<'v> {
    map: &'v Map<String, Value>,
    path: String,
}

impl Fields<'_> {
    fn path(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }
}

fn not_understood(known: &[&str], name: &str) -> String {
    let shown: String = name.chars().take(60).collect();
    let hint = closest(known, name).map_or(String::new(), |near| format!(", did you mean {near:?}?"));
    format!("field {shown:?} is not understood and was left out of account{hint}")
}

/// What is said of a field of a resource whose name is not one of [`RESOURCE_FIELDS`].
#[must_use]
pub fn unknown_field(name: &str) -> String {
    not_understood(RESOURCE_FIELDS, name)
}

fn kind_of(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => format!("{value}"),
        Value::Number(number) => format!("the number {}", number.to_string().chars().take(40).collect::<String>()),
        Value::String(text) => format!("the text {:?}", text.chars().take(60).collect::<String>()),
        Value::Array(_) => "an array".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}

impl Reader {
    fn new(zone: Zone) -> Self {
        Self { zone, faults: Vec::new(), remarks: Vec::new() }
    }

    fn finish<T>(self, record: T) -> Result<Read<T>, Faults> {
        if self.faults.is_empty() { Ok(Read { record, remarks: self.remarks }) } else { Err(Faults(self.faults)) }
    }

    fn fault(&mut self, path: impl Into<String>, what: impl Into<String>) {
        self.faults.push(Fault { path: path.into(), what: what.into() });
    }

    fn object<'v>(&mut self, value: &'v Value, path: &str, known: &[&'static str]) -> Option<Fields<'v>> {
        let Value::Object(map) = value else {
            self.fault(path, format!("expected an object, found {}", kind_of(value)));
            return None;
        };
        for name in map.keys().filter(|name| !known.contains(&name.as_str())) {
            self.remarks.push(Fault { path: path.to_owned(), what: not_understood(known, name) });
        }
        Some(Fields { map, path: path.to_owned() })
    }

    fn text(&mut self, fields: &Fields<'_>, name: &str) -> Option<String> {
        match fields.map.get(name) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) if text.len() <= limits::TEXT => Some(text.clone()),
            Some(Value::String(_)) => {
                self.fault(fields.path(name), format!("is longer than {} bytes", limits::TEXT));
                None
            }
            Some(other) => {
                self.fault(fields.path(name), format!("expected a text, found {}", kind_of(other)));
                None
            }
        }
    }

    fn required(&mut self, fields: &Fields<'_>, name: &str) -> String {
        let before = self.faults.len();
        let text = self.text(fields, name);
        if text.as_deref().is_none_or(str::is_empty) && self.faults.len() == before {
            self.fault(fields.path(name), "is missing");
        }
        text.unwrap_or_default()
    }

    fn parsed<T, E: fmt::Display>(
        &mut self,
        fields: &Fields<'_>,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.text(fields, name)?;
        match parse(&text) {
            Ok(value) => Some(value),
            Err(error) => {
                self.fault(fields.path(name), error.to_string());
                None
            }
        }
    }

    fn required_word<T, E: fmt::Display>(
        &mut self,
        fields: &Fields<'_>,
        name: &str,
        words: &[&str],
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        if matches!(fields.map.get(name), None | Some(Value::Null)) {
            self.fault(fields.path(name), format!("is missing, expected one of {}", words.join(", ")));
            return None;
        }
        self.parsed(fields, name, parse)
    }

    fn instant(&mut self, fields: &Fields<'_>, name: &str) -> Option<Instant> {
        let zone = self.zone;
        self.parsed(fields, name, |text| Instant::parse(text, zone))
    }

    fn decimal<T: std::str::FromStr<Err = E>, E: fmt::Display>(
        &mut self,
        fields: &Fields<'_>,
        name: &str,
    ) -> Option<T> {
        let value = fields.map.get(name)?;
        self.decimal_value(value, &fields.path(name))
    }

    fn decimal_value<T: std::str::FromStr<Err = E>, E: fmt::Display>(
        &mut self,
        value: &Value,
        path: &str,
    ) -> Option<T> {
        let text = match value {
            Value::Null => return None,
            Value::String(text) => text.clone(),
            // The number's own text: it never becomes a float.
            Value::Number(number) => number.to_string(),
            other => {
                self.fault(path, format!("expected a decimal such as \"80.00\", found {}", kind_of(other)));
                return None;
            }
        };
        match text.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.fault(path, error.to_string());
                None
            }
        }
    }

    fn amount(&mut self, fields: &Fields<'_>, name: &str) -> Option<Amount> {
        let amount: Amount = self.decimal(fields, name)?;
        if amount.is_negative() {
            self.fault(fields.path(name), format!("{amount} is negative, expected zero or more"));
            return None;
        }
        Some(amount)
    }

    fn number(&mut self, fields: &Fields<'_>, name: &str) -> Option<Number> {
        let number: Number = self.decimal(fields, name)?;
        if number.is_negative() {
            self.fault(fields.path(name), format!("{number} is negative, expected zero or more"));
            return None;
        }
        Some(number)
    }

    fn count(&mut self, fields: &Fields<'_>, name: &str) -> Option<u32> {
        let number = self.number(fields, name)?;
        let count =
            number.as_whole().and_then(|whole| u32::try_from(whole).ok()).filter(|count| *count <= limits::COUNT);
        if count.is_none() {
            self.fault(fields.path(name), format!("{number} is not a whole number of at most {}", limits::COUNT));
        }
        count
    }

    fn list<'v>(&mut self, fields: &Fields<'v>, name: &str, limit: usize) -> Option<&'v [Value]> {
        match fields.map.get(name) {
            None | Some(Value::Null) => None,
            Some(Value::Array(items)) if items.len() <= limit => Some(items),
            Some(Value::Array(items)) => {
                self.fault(fields.path(name), format!("has {} elements, at most {limit} are read", items.len()));
                None
            }
            Some(other) => {
                self.fault(fields.path(name), format!("expected an array, found {}", kind_of(other)));
                None
            }
        }
    }

    fn period(&mut self, path: &str, start: Option<Instant>, end: Option<Instant>) {
        if let (Some(start), Some(end)) = (start, end)
            && end < start
        {
            let (start, end) = (start.display(self.zone), end.display(self.zone));
            self.fault(path, format!("\"ends_at\" is before \"starts_at\" ({end} < {start})"));
        }
    }

    fn facts(&mut self, fields: &Fields<'_>) -> Facts {
        match fields.map.get("facts") {
            None | Some(Value::Null) => Facts::default(),
            Some(value) => self.facts_of(value, &fields.path("facts")),
        }
    }

    fn facts_of(&mut self, value: &Value, path: &str) -> Facts {
        let mut facts = Facts::default();
        let Value::Object(map) = value else {
            self.fault(path, format!("expected an object, found {}", kind_of(value)));
            return facts;
        };
        for (name, value) in map {
            let at = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            if value.is_null() {
                continue;
            }
            if let Ok(flag) = Flag::parse(name) {
                match value {
                    Value::Bool(truth) => facts.flags.set(flag, *truth),
                    other => self.fault(at, format!("expected true, false or null, found {}", kind_of(other))),
                }
            } else if let Ok(figure) = Figure::parse(name) {
                if let Some(number) = self.decimal_value::<Number, _>(value, &at) {
                    if number.is_negative() {
                        self.fault(at, format!("{number} is negative, expected zero or more"));
                    } else {
                        facts.figures.push((figure, number));
                    }
                }
            } else if let Ok(text) = Text::parse(name) {
                match value {
                    Value::String(words) => facts.texts.push((text, words.clone())),
                    other => self.fault(at, format!("expected a text, found {}", kind_of(other))),
                }
            } else if let Ok(moment) = Moment::parse(name) {
                match value {
                    Value::String(words) => match Instant::parse(words, self.zone) {
                        Ok(instant) => facts.moments.push((moment, instant)),
                        Err(error) => self.fault(at, error.to_string()),
                    },
                    other => self.fault(at, format!("expected an instant, found {}", kind_of(other))),
                }
            } else {
                let near = [Flag::WORDS, Figure::WORDS, Text::WORDS, Moment::WORDS]
                    .iter()
                    .find_map(|words| closest(words, name));
                let hint = near.map_or(String::new(), |near| format!(", did you mean {near:?}?"));
                let shown: String = name.chars().take(60).collect();
                let what = format!("fact {shown:?} is not known and was left out of account{hint}");
                self.remarks.push(Fault { path: path.to_owned(), what });
            }
        }
        facts
    }

    fn payment(&mut self, value: &Value, path: &str) -> Option<Payment> {
        let fields = self.object(value, path, PAYMENT_FIELDS)?;
        let instrument = self.required_word(&fields, "instrument", Instrument::WORDS, Instrument::parse);
        let before = self.faults.len();
        let amount = self.amount(&fields, "amount");
        if amount.is_none() && self.faults.len() == before {
            self.fault(fields.path("amount"), "is missing");
        }
        let expires_at = self.instant(&fields, "expires_at");
        Some(Payment { instrument: instrument?, amount: amount?, expires_at })
    }

    fn term(&mut self, fields: &Fields<'_>) -> Option<Term> {
        if let Some(count) = self.count(fields, "term_months") {
            // Where a unit is given too, it is the provider's own way of counting.
            let unit = self.parsed(fields, "term_unit", TermUnit::parse);
            let counted = self.count(fields, "term_count");
            return match (unit, counted) {
                (Some(unit), Some(count)) => Some(Term { unit, count }),
                _ => Some(Term { unit: TermUnit::Month, count }),
            };
        }
        let unit = self.parsed(fields, "term_unit", TermUnit::parse)?;
        let count = self.count(fields, "term_count")?;
        Some(Term { unit, count })
    }

    fn order(&mut self, value: &Value, path: &str) -> Option<OrderRecord> {
        let fields = self.object(value, path, ORDER_FIELDS)?;
        let kind = self.required_word(&fields, "kind", OrderKind::WORDS, OrderKind::parse);
        let status = self.required_word(&fields, "status", OrderStatus::WORDS, OrderStatus::parse);
        let payments = self.list(&fields, "payments", limits::PAYMENTS).map(|items| {
            items
                .iter()
                .enumerate()
                .filter_map(|(index, item)| self.payment(item, &format!("{}[{index}]", fields.path("payments"))))
                .collect::<Vec<_>>()
        });
        let (starts_at, ends_at) = (self.instant(&fields, "starts_at"), self.instant(&fields, "ends_at"));
        self.period(path, starts_at, ends_at);
        let due = self.amount(&fields, "due");
        if let (Some(due), Some(payments)) = (due, &payments) {
            let sum: Amount = payments.iter().map(|payment| payment.amount).sum();
            // No payments at all stand beside a price that is still to be paid.
            if sum != due && !payments.is_empty() {
                self.fault(fields.path("payments"), format!("add up to {sum}, but \"due\" is {due}"));
            }
        }
        Some(OrderRecord {
            id: self.text(&fields, "id"),
            kind: kind?,
            status: status?,
            placed_at: self.instant(&fields, "placed_at"),
            paid_at: self.instant(&fields, "paid_at"),
            starts_at,
            ends_at,
            term: self.term(&fields),
            quantity: self.number(&fields, "quantity"),
            currency: self.parsed(&fields, "currency", str::parse),
            list_price: self.amount(&fields, "list_price"),
            due,
            payments,
            facts: self.facts(&fields),
        })
    }

    fn commitment(&mut self, value: &Value) -> Option<CommitmentRecord> {
        if value.is_null() {
            return None;
        }
        let fields = self.object(value, "commitment", COMMITMENT_FIELDS)?;
        let used_fraction = self.number(&fields, "used_fraction");
        if used_fraction.is_some_and(|fraction| fraction > Number::ONE) {
            self.fault("commitment.used_fraction", "is above 1, expected a share between 0 and 1");
        }
        Some(CommitmentRecord {
            term_months: self.count(&fields, "term_months"),
            payment_option: self.parsed(&fields, "payment_option", PaymentOption::parse),
            hourly: self.number(&fields, "hourly"),
            currency: self.parsed(&fields, "currency", str::parse),
            upfront: self.amount(&fields, "upfront"),
            recurring: self.amount(&fields, "recurring"),
            recurring_every: self.parsed(&fields, "recurring_every", Recurrence::parse),
            class: self.parsed(&fields, "class", Class::parse),
            unit: self.text(&fields, "unit"),
            total_units: self.number(&fields, "total_units"),
            used_units: self.number(&fields, "used_units"),
            used_fraction,
        })
    }

    fn price_terms(&mut self, value: &Value) -> Option<PriceTerms> {
        if value.is_null() {
            return None;
        }
        let fields = self.object(value, "price_terms", PRICE_FIELDS)?;
        let mut components = Vec::new();
        for (index, item) in self.list(&fields, "components", limits::PRICES).unwrap_or_default().iter().enumerate() {
            let path = format!("price_terms.components[{index}]");
            let Some(part) = self.object(item, &path, &["name", "monthly", "hourly"]) else { continue };
            let mut hourly = Vec::new();
            for (index, item) in self.list(&part, "hourly", limits::PRICES).unwrap_or_default().iter().enumerate() {
                let path = format!("{path}.hourly[{index}]");
                let Some(tier) = self.object(item, &path, &["up_to_hours", "price"]) else { continue };
                let up_to_hours = self.number(&tier, "up_to_hours");
                match self.number(&tier, "price") {
                    Some(price) => hourly.push(HourlyTier { up_to_hours, price }),
                    None => self.fault(tier.path("price"), "is missing"),
                }
            }
            components.push(PriceComponent {
                name: self.text(&part, "name"),
                monthly: self.number(&part, "monthly"),
                hourly,
            });
        }
        let mut discounts = Vec::new();
        for (index, item) in self.list(&fields, "discounts", limits::PRICES).unwrap_or_default().iter().enumerate() {
            let path = format!("price_terms.discounts[{index}]");
            let Some(row) = self.object(item, &path, &["from_months", "rate"]) else { continue };
            match (self.number(&row, "from_months"), self.number(&row, "rate")) {
                (Some(from_months), Some(rate)) => discounts.push(TermDiscount { from_months, rate }),
                _ => self.fault(path, "expected \"from_months\" and \"rate\""),
            }
        }
        Some(PriceTerms {
            currency: self.parsed(&fields, "currency", str::parse),
            components,
            discounts,
            hourly_rate: self.number(&fields, "hourly_rate"),
            rate: self.number(&fields, "rate"),
            unit_price: self.number(&fields, "unit_price"),
            daily: self.number(&fields, "daily"),
            current: self.number(&fields, "current"),
        })
    }

    fn statement(&mut self, value: &Value, path: &str) -> Option<Statement> {
        let fields = self.object(value, path, STATEMENT_FIELDS)?;
        let allowed = match fields.map.get("allowed") {
            None | Some(Value::Null) => None,
            Some(Value::Bool(allowed)) => Some(*allowed),
            Some(other) => {
                self.fault(fields.path("allowed"), format!("expected true, false or null, found {}", kind_of(other)));
                None
            }
        };
        Some(Statement {
            by: self.required(&fields, "by"),
            exit: self.parsed(&fields, "exit", Exit::parse),
            allowed,
            until: self.instant(&fields, "until"),
            currency: self.parsed(&fields, "currency", str::parse),
            refund: self.amount(&fields, "refund"),
            fee: self.amount(&fields, "fee"),
            carry_over: self.amount(&fields, "carry_over"),
            charge: self.amount(&fields, "charge"),
            at: self.instant(&fields, "at"),
            says: self.text(&fields, "says"),
        })
    }

    fn statements(&mut self, fields: &Fields<'_>) -> Vec<Statement> {
        let items = self.list(fields, "stated", limits::STATEMENTS).unwrap_or_default();
        let each = items.iter().enumerate();
        each.filter_map(|(index, item)| self.statement(item, &format!("stated[{index}]"))).collect()
    }

    fn tags(&mut self, fields: &Fields<'_>) -> Vec<(String, String)> {
        match fields.map.get("tags") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Object(map)) => map
                .iter()
                .map(|(name, value)| (name.clone(), value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
                .collect(),
            Some(other) => {
                self.fault("tags", format!("expected an object, found {}", kind_of(other)));
                Vec::new()
            }
        }
    }
}

impl ResourceRecord {
    /// A resource of which only the required fields are known.
    #[must_use]
    pub fn new(provider: &str, id: &str, product: &str, billing: Billing, status: Status) -> Self {
        Self {
            provider: provider.to_owned(),
            site: None,
            account: None,
            id: id.to_owned(),
            name: None,
            product: product.to_owned(),
            region: None,
            project: None,
            tags: Vec::new(),
            billing,
            seller: None,
            status,
            purchased_at: None,
            starts_at: None,
            ends_at: None,
            primary: None,
            relation: None,
            bundle: None,
            quantity: None,
            commitment: None,
            price_terms: None,
            orders: None,
            facts: Facts::default(),
            stated: Vec::new(),
        }
    }

    /// Reads a record. `zone_of` gives the time zone of a provider's site for bare dates; where it
    /// gives none, they are read as UTC.
    ///
    /// # Errors
    /// Every fault of the record, each with its path and what was expected.
    pub fn from_json(json: &Value, zone_of: &ZoneOf<'_>) -> Result<Read<Self>, Faults> {
        let mut reader = Reader::new(Zone::UTC);
        let Some(fields) = reader.object(json, "", RESOURCE_FIELDS) else {
            return Err(Faults(reader.faults));
        };
        let provider = reader.required(&fields, "provider");
        let site = reader.text(&fields, "site");
        reader.zone = zone_of(&provider, site.as_deref()).unwrap_or(Zone::UTC);
        let billing = reader.required_word(&fields, "billing", Billing::WORDS, Billing::parse);
        let status = reader.required_word(&fields, "status", Status::WORDS, Status::parse);
        let (starts_at, ends_at) = (reader.instant(&fields, "starts_at"), reader.instant(&fields, "ends_at"));
        reader.period("", starts_at, ends_at);
        let orders = reader.list(&fields, "orders", limits::ORDERS).map(|items| {
            items
                .iter()
                .enumerate()
                .filter_map(|(index, item)| reader.order(item, &format!("orders[{index}]")))
                .collect::<Vec<_>>()
        });
        let record = Self {
            id: reader.required(&fields, "id"),
            product: reader.required(&fields, "product"),
            provider,
            site,
            account: reader.text(&fields, "account"),
            name: reader.text(&fields, "name"),
            region: reader.text(&fields, "region"),
            project: reader.text(&fields, "project"),
            tags: reader.tags(&fields),
            billing: billing.unwrap_or(Billing::Subscription),
            seller: reader.parsed(&fields, "seller", Seller::parse),
            status: status.unwrap_or(Status::Active),
            purchased_at: reader.instant(&fields, "purchased_at"),
            starts_at,
            ends_at,
            primary: reader.text(&fields, "primary"),
            relation: reader.parsed(&fields, "relation", Relation::parse),
            bundle: reader.text(&fields, "bundle"),
            quantity: reader.number(&fields, "quantity"),
            commitment: fields.map.get("commitment").and_then(|value| reader.commitment(value)),
            price_terms: fields.map.get("price_terms").and_then(|value| reader.price_terms(value)),
            orders,
            facts: reader.facts(&fields),
            stated: reader.statements(&fields),
        };
        reader.finish(record)
    }

    /// As a portfolio file writes it, instants in `zone`.
    #[must_use]
    pub fn to_json(&self, zone: Zone) -> Value {
        let mut map = Map::new();
        let time = |instant: Option<Instant>| instant.map(|instant| instant.display(zone).to_string());
        put(&mut map, "provider", Some(&self.provider));
        put(&mut map, "site", self.site.as_ref());
        put(&mut map, "account", self.account.as_ref());
        put(&mut map, "id", Some(&self.id));
        put(&mut map, "name", self.name.as_ref());
        put(&mut map, "product", Some(&self.product));
        put(&mut map, "region", self.region.as_ref());
        put(&mut map, "project", self.project.as_ref());
        if !self.tags.is_empty() {
            let tags = self.tags.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect();
            map.insert("tags".into(), Value::Object(tags));
        }
        put(&mut map, "billing", Some(self.billing));
        put(&mut map, "seller", self.seller);
        put(&mut map, "status", Some(self.status));
        put(&mut map, "purchased_at", time(self.purchased_at));
        put(&mut map, "starts_at", time(self.starts_at));
        put(&mut map, "ends_at", time(self.ends_at));
        put(&mut map, "primary", self.primary.as_ref());
        put(&mut map, "relation", self.relation);
        put(&mut map, "bundle", self.bundle.as_ref());
        put(&mut map, "quantity", self.quantity);
        if let Some(commitment) = &self.commitment {
            map.insert("commitment".into(), commitment.to_json());
        }
        if let Some(price_terms) = &self.price_terms {
            map.insert("price_terms".into(), serde_json::to_value(price_terms).unwrap_or_default());
        }
        if let Some(orders) = &self.orders {
            map.insert("orders".into(), orders.iter().map(|order| order.to_json(zone)).collect());
        }
        if !self.facts.is_empty() {
            map.insert("facts".into(), self.facts.to_json(zone));
        }
        if !self.stated.is_empty() {
            map.insert("stated".into(), self.stated.iter().map(|statement| statement.to_json(zone)).collect());
        }
        Value::Object(map)
    }
}

fn put<T: fmt::Display>(map: &mut Map<String, Value>, name: &str, value: Option<T>) {
    if let Some(value) = value {
        map.insert(name.to_owned(), Value::String(value.to_string()));
    }
}

impl OrderRecord {
    /// As a portfolio file writes it, instants in `zone`.
    #[must_use]
    pub fn to_json(&self, zone: Zone) -> Value {
        let mut map = Map::new();
        let time = |instant: Option<Instant>| instant.map(|instant| instant.display(zone).to_string());
        put(&mut map, "id", self.id.as_ref());
        put(&mut map, "kind", Some(self.kind));
        put(&mut map, "status", Some(self.status));
        put(&mut map, "placed_at", time(self.placed_at));
        put(&mut map, "paid_at", time(self.paid_at));
        put(&mut map, "starts_at", time(self.starts_at));
        put(&mut map, "ends_at", time(self.ends_at));
        if let Some(term) = self.term {
            if term.unit == TermUnit::Month {
                map.insert("term_months".into(), term.count.into());
            } else {
                map.insert("term_unit".into(), term.unit.as_str().into());
                map.insert("term_count".into(), term.count.into());
            }
        }
        put(&mut map, "quantity", self.quantity);
        put(&mut map, "currency", self.currency);
        put(&mut map, "list_price", self.list_price);
        put(&mut map, "due", self.due);
        if let Some(payments) = &self.payments {
            let payments = payments.iter().map(|payment| {
                let mut map = Map::new();
                put(&mut map, "instrument", Some(payment.instrument));
                put(&mut map, "amount", Some(payment.amount));
                put(&mut map, "expires_at", time(payment.expires_at));
                Value::Object(map)
            });
            map.insert("payments".into(), payments.collect());
        }
        if !self.facts.is_empty() {
            map.insert("facts".into(), self.facts.to_json(zone));
        }
        Value::Object(map)
    }
}

impl CommitmentRecord {
    fn to_json(&self) -> Value {
        let mut map = Map::new();
        if let Some(months) = self.term_months {
            map.insert("term_months".into(), months.into());
        }
        put(&mut map, "payment_option", self.payment_option);
        put(&mut map, "hourly", self.hourly);
        put(&mut map, "currency", self.currency);
        put(&mut map, "upfront", self.upfront);
        put(&mut map, "recurring", self.recurring);
        put(&mut map, "recurring_every", self.recurring_every);
        put(&mut map, "class", self.class);
        put(&mut map, "unit", self.unit.as_ref());
        put(&mut map, "total_units", self.total_units);
        put(&mut map, "used_units", self.used_units);
        put(&mut map, "used_fraction", self.used_fraction);
        Value::Object(map)
    }

    /// The commitment as rules read it.
    #[must_use]
    pub fn view(&self) -> Commitment<'_> {
        Commitment {
            term_months: self.term_months,
            payment_option: self.payment_option,
            hourly: self.hourly,
            currency: self.currency,
            upfront: self.upfront,
            recurring: self.recurring,
            recurring_every: self.recurring_every,
            class: self.class,
            unit: self.unit.as_deref(),
            total_units: self.total_units,
            used_units: self.used_units,
            used_fraction: self.used_fraction,
        }
    }
}

impl AccountRecord {
    /// Reads an account. See [`ResourceRecord::from_json`].
    ///
    /// # Errors
    /// Every fault of the record, each with its path and what was expected.
    pub fn from_json(json: &Value, zone_of: &ZoneOf<'_>) -> Result<Read<Self>, Faults> {
        let mut reader = Reader::new(Zone::UTC);
        let Some(fields) = reader.object(json, "", ACCOUNT_FIELDS) else {
            return Err(Faults(reader.faults));
        };
        let provider = reader.required(&fields, "provider");
        let site = reader.text(&fields, "site");
        reader.zone = zone_of(&provider, site.as_deref()).unwrap_or(Zone::UTC);
        let mut quotas = Vec::new();
        for (index, item) in reader.list(&fields, "quotas", 10_000).unwrap_or_default().iter().enumerate() {
            let path = format!("quotas[{index}]");
            let Some(quota) = reader.object(item, &path, &["name", "used", "limit"]) else { continue };
            let (name, used, limit) =
                (reader.required(&quota, "name"), reader.number(&quota, "used"), reader.number(&quota, "limit"));
            match used {
                Some(used) => quotas.push(QuotaRecord { name, used, limit }),
                None => reader.fault(quota.path("used"), "is missing"),
            }
        }
        let returns = reader.list(&fields, "returns", 1_000_000).map(|items| {
            let mut returns = Vec::with_capacity(items.len());
            for (index, item) in items.iter().enumerate() {
                let path = format!("returns[{index}]");
                let Some(entry) = reader.object(item, &path, &["at", "amount", "currency", "exit", "product"]) else {
                    continue;
                };
                let before = reader.faults.len();
                let at = reader.instant(&entry, "at");
                if at.is_none() && reader.faults.len() == before {
                    reader.fault(entry.path("at"), "is missing");
                }
                let record = ReturnRecord {
                    at: at.unwrap_or(Instant::from_micros(0)),
                    amount: reader.amount(&entry, "amount"),
                    currency: reader.parsed(&entry, "currency", str::parse),
                    exit: reader.parsed(&entry, "exit", Exit::parse),
                    product: reader.text(&entry, "product"),
                };
                returns.push(record);
            }
            returns
        });
        let record = Self {
            provider,
            site,
            account: reader.required(&fields, "account"),
            currency: reader.parsed(&fields, "currency", str::parse),
            facts: reader.facts(&fields),
            quotas,
            returns,
        };
        reader.finish(record)
    }

    /// As an accounts file writes it, instants in `zone`.
    #[must_use]
    pub fn to_json(&self, zone: Zone) -> Value {
        let mut map = Map::new();
        put(&mut map, "provider", Some(&self.provider));
        put(&mut map, "site", self.site.as_ref());
        put(&mut map, "account", Some(&self.account));
        put(&mut map, "currency", self.currency);
        if !self.facts.is_empty() {
            map.insert("facts".into(), self.facts.to_json(zone));
        }
        let quotas = self.quotas.iter().map(|quota| {
            let mut map = Map::new();
            put(&mut map, "name", Some(&quota.name));
            put(&mut map, "used", Some(quota.used));
            put(&mut map, "limit", quota.limit);
            Value::Object(map)
        });
        if !self.quotas.is_empty() {
            map.insert("quotas".into(), quotas.collect());
        }
        if let Some(returns) = &self.returns {
            let returns = returns.iter().map(|entry| {
                let mut map = Map::new();
                put(&mut map, "at", Some(entry.at.display(zone)));
                put(&mut map, "amount", entry.amount);
                put(&mut map, "currency", entry.currency);
                put(&mut map, "exit", entry.exit);
                put(&mut map, "product", entry.product.as_ref());
                Value::Object(map)
            });
            map.insert("returns".into(), returns.collect());
        }
        Value::Object(map)
    }
}

impl Order for &OrderRecord {
    fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }
    fn kind(&self) -> OrderKind {
        self.kind
    }
    fn status(&self) -> OrderStatus {
        self.status
    }
    fn placed_at(&self) -> Option<Instant> {
        self.placed_at
    }
    fn paid_at(&self) -> Option<Instant> {
        self.paid_at
    }
    fn starts_at(&self) -> Option<Instant> {
        self.starts_at
    }
    fn ends_at(&self) -> Option<Instant> {
        self.ends_at
    }
    fn term(&self) -> Option<Term> {
        self.term
    }
    fn quantity(&self) -> Option<Number> {
        self.quantity
    }
    fn currency(&self) -> Option<Currency> {
        self.currency
    }
    fn list_price(&self) -> Option<Amount> {
        self.list_price
    }
    fn due(&self) -> Option<Amount> {
        self.due
    }
    fn payments(&self) -> Option<impl Iterator<Item = Payment> + '_> {
        self.payments.as_ref().map(|payments| payments.iter().copied())
    }
    fn flags(&self) -> FlagSet {
        self.facts.flags
    }
    fn figure(&self, figure: Figure) -> Option<Number> {
        self.facts.figure(figure)
    }
}

impl Resource for ResourceRecord {
    type Order<'a> = &'a OrderRecord;

    fn site(&self) -> Option<&str> {
        self.site.as_deref()
    }
    fn account(&self) -> Option<&str> {
        self.account.as_deref()
    }
    fn id(&self) -> &str {
        &self.id
    }
    fn product(&self) -> &str {
        &self.product
    }
    fn region(&self) -> Option<&str> {
        self.region.as_deref()
    }
    fn billing(&self) -> Billing {
        self.billing
    }
    fn seller(&self) -> Seller {
        self.seller.unwrap_or(Seller::Provider)
    }
    fn status(&self) -> Status {
        self.status
    }
    fn purchased_at(&self) -> Option<Instant> {
        self.purchased_at
    }
    fn starts_at(&self) -> Option<Instant> {
        self.starts_at
    }
    fn ends_at(&self) -> Option<Instant> {
        self.ends_at
    }
    fn primary(&self) -> Option<&str> {
        self.primary.as_deref()
    }
    fn relation(&self) -> Option<Relation> {
        self.relation
    }
    fn bundle(&self) -> Option<&str> {
        self.bundle.as_deref()
    }
    fn quantity(&self) -> Number {
        self.quantity.unwrap_or(Number::ONE)
    }
    fn commitment(&self) -> Option<Commitment<'_>> {
        self.commitment.as_ref().map(CommitmentRecord::view)
    }
    fn price_terms(&self) -> Option<&PriceTerms> {
        self.price_terms.as_ref()
    }
    fn orders(&self) -> Option<impl ExactSizeIterator<Item = Self::Order<'_>> + '_> {
        self.orders.as_ref().map(|orders| orders.iter())
    }
    fn known_orders(&self) -> impl Iterator<Item = Self::Order<'_>> + '_ {
        self.orders.as_deref().unwrap_or_default().iter()
    }
    fn flags(&self) -> FlagSet {
        self.facts.flags
    }
    fn figure(&self, figure: Figure) -> Option<Number> {
        self.facts.figure(figure)
    }
    fn text(&self, text: Text) -> Option<&str> {
        self.facts.text(text)
    }
    fn moment(&self, moment: Moment) -> Option<Instant> {
        self.facts.moment(moment)
    }
}

/// A refund as it came: what a provider's refund order, bill or a row of costs shows, to be compared with
/// what was predicted. Its written form is in [`receipt`](crate::receipt).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundRecord {
    /// The adapter of the provider, where it is known.
    pub provider: Option<String>,
    /// The account, where it is known.
    pub account: Option<String>,
    /// The resource that was left, where the provider names it.
    pub resource: Option<String>,
    /// The provider's number of it: refund order, transaction, row of a bill.
    pub id: Option<String>,
    /// The order that was refunded.
    pub order: Option<String>,
    /// When it was booked.
    pub at: Option<Instant>,
    /// The currency of its amounts.
    pub currency: Currency,
    /// What came back, by instrument where the provider says so; below zero where something was taken
    /// back again.
    pub returned: Vec<(Instrument, Amount)>,
    /// What came back by instruments that the provider does not name.
    pub unnamed: Amount,
    /// The fee that was kept, where the provider says so.
    pub fee: Option<Amount>,
    /// What was kept for use, where the provider says so.
    pub consumed: Option<Amount>,
}

impl RefundRecord {
    /// A refund of nothing.
    #[must_use]
    pub fn new(currency: Currency) -> Self {
        Self {
            provider: None,
            account: None,
            resource: None,
            id: None,
            order: None,
            at: None,
            currency,
            returned: Vec::new(),
            unnamed: Amount::ZERO,
            fee: None,
            consumed: None,
        }
    }
}

impl crate::refund::Refund for RefundRecord {
    fn currency(&self) -> Currency {
        self.currency
    }
    fn fee(&self) -> Option<Amount> {
        self.fee
    }
    fn consumed(&self) -> Option<Amount> {
        self.consumed
    }
    fn returned(&self) -> impl Iterator<Item = (Instrument, Amount)> + '_ {
        self.returned.iter().copied()
    }
    fn unnamed(&self) -> Amount {
        self.unnamed
    }
}
