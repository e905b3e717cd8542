//! What a flow needs and providers differ in, as data: the provider's own reasons for leaving, what goes
//! together in a batch, the calls of its API with their answers and error codes, and the steps in its
//! console where there is no API.
//!
//! All of it stands in an adapter's `policy/flow.toml`, is checked when the adapter is built and crosses
//! the boundary inside the policy. A flow looks things up by what is being left ([`Leaving`]) and knows no
//! provider. Nothing here sends anything: [`Call::prepare`] gives the request as text, and a gateway of the
//! host, which alone has credentials, sends it.
//!
//! ```
//! use recoup_core::flow::{Leaving, Purpose, Values};
//! use recoup_core::policy::Policy;
//! use recoup_core::vocab::Exit;
//!
//! let policy: Policy = serde_json::from_str(r#"{
//!   "provider": "acme",
//!   "flow": {"call": [{
//!     "id": "unsubscribe", "purpose": "leave", "method": "POST", "hosts": {"*": "api.acme.example"},
//!     "path": "/v2/unsubscribe", "body": {"resource_ids": "{resources}", "reason_type": "{reason:number}"},
//!     "answer": {"ok": [200], "orders": "/order_ids"}, "sources": ["api"]
//!   }]}
//! }"#)?;
//! let leaving = Leaving::new("global", Exit::InUse, "vm");
//! let call = policy.call(Purpose::Leave, &leaving).ok_or("no call")?;
//! let resources = ["vm-1".to_owned(), "vm-2".to_owned()];
//! let values = Values { resources: &resources, reason: Some("5"), ..Values::default() };
//! let prepared = call.prepare("global", &values)?;
//! assert_eq!(prepared.url(None)?, "https://api.acme.example/v2/unsubscribe");
//! assert_eq!(prepared.body.ok_or("no body")?.to_string(), r#"{"resource_ids":["vm-1","vm-2"],"reason_type":5}"#);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::policy::{Policy, PolicyError};
use crate::vocab::{Billing, Channel, Exit, Reason, vocabulary};

vocabulary! {
    /// What a call is for.
    Purpose("purpose of a call") {
        /// Asks what would come back. Changes nothing.
        Quote = "quote",
        /// Leaves: takes the exit.
        Leave = "leave",
        /// Asks what became of an order. Changes nothing.
        Status = "status",
        /// Asks what came back. Changes nothing.
        Refund = "refund",
    }
}

vocabulary! {
    /// What becomes of a batch in which a line fails.
    Failure("failure of a batch") {
        /// The line alone fails.
        Line = "line",
        /// The whole order fails.
        WholeOrder = "whole_order",
    }
}

vocabulary! {
    /// What an error says of the unsubscription that was asked for.
    Verdict("verdict of an error") {
        /// It did not happen, and asking again would not change that.
        Refused = "refused",
        /// It did not happen; it may be asked again later.
        Retry = "retry",
        /// It may have happened: it is not asked again but looked for.
        InDoubt = "in_doubt",
        /// The resource had gone before.
        Gone = "gone",
    }
}

vocabulary! {
    /// Which lines of a batch an answer lists.
    Listed("kind of list") {
        /// Those that failed; what is not in it was done.
        Failed = "failed",
        /// Those that were done; of what is not in it nothing is known.
        Done = "done",
        /// All of them, each with its state.
        All = "all",
    }
}

vocabulary! {
    /// How the values of a call travel.
    Encoding("encoding") { Json = "json", Form = "form" }
}

/// When a part of a flow holds. What is not named is not asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct When {
    /// The sites.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sites: Vec<String>,
    /// The exits.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exits: Vec<Exit>,
    /// The products, by id or name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub products: Vec<String>,
    /// How the resource is paid for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub billings: Vec<Billing>,
    /// Where the exit is taken.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<Channel>,
}

impl When {
    fn is_always(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it holds for what is being left. What is not known of it does not match what is asked for.
    fn holds(&self, policy: &Policy, leaving: &Leaving<'_>) -> bool {
        fn one_of<T: PartialEq>(list: &[T], value: Option<T>) -> bool {
            list.is_empty() || value.is_some_and(|value| list.contains(&value))
        }
        let site = self.sites.is_empty() || self.sites.iter().any(|site| site == leaving.site);
        let product =
            self.products.is_empty() || self.products.iter().any(|name| policy.same_product(name, leaving.product));
        site && product
            && one_of(&self.exits, Some(leaving.exit))
            && one_of(&self.billings, leaving.billing)
            && one_of(&self.channels, leaving.channel)
    }
}

/// What is being left, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leaving<'a> {
    /// The provider's site.
    pub site: &'a str,
    /// The exit taken.
    pub exit: Exit,
    /// The product, as the portfolio names it.
    pub product: &'a str,
    /// How it is paid for, where that is known.
    pub billing: Option<Billing>,
    /// Where the exit is taken, where that is known.
    pub channel: Option<Channel>,
}

impl<'a> Leaving<'a> {
    /// What is left by an exit, with nothing known of how it is paid for and where the exit is taken.
    #[must_use]
    pub fn new(site: &'a str, exit: Exit, product: &'a str) -> Self {
        Self { site, exit, product, billing: None, channel: None }
    }
}

/// A reason for leaving that the provider offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeavingReason {
    /// As the provider's API writes it.
    pub code: String,
    /// For people.
    pub says: String,
    /// When it is offered.
    #[serde(default, skip_serializing_if = "When::is_always")]
    pub when: When,
    /// Keys of the pages that say so.
    pub sources: Vec<String>,
}

/// The free text that goes with a reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReasonText {
    /// How long it may be, in characters.
    pub max_chars: usize,
    /// Keys of the pages that say so.
    pub sources: Vec<String>,
}

/// What goes together in one order, or in one call. The first one that holds decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchRule {
    /// What it says, for people; the reason where a batch is refused.
    pub says: String,
    /// When it holds.
    #[serde(default, skip_serializing_if = "When::is_always")]
    pub when: When,
    /// The most resources at a time; one means that each goes alone, absent that no limit is printed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<usize>,
    /// What becomes of the other lines where one fails; absent where no page says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// Whether a batch makes one combined order with a line each.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub combined_order: bool,
    /// The clause that says so, where one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clause: Option<String>,
    /// Keys of the pages that say so.
    pub sources: Vec<String>,
}

impl BatchRule {
    /// Whether a resource may leave together with others.
    #[must_use]
    pub fn allows_batch(&self) -> bool {
        self.max != Some(1)
    }
}

/// The clause that says what should come back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Owed {
    /// The clause.
    pub clause: String,
    /// When it is the one.
    #[serde(default, skip_serializing_if = "When::is_always")]
    pub when: When,
}

/// What the provider's own list of what can be left does not show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hidden {
    /// What is not shown and where it is found instead, for people.
    pub says: String,
    /// What is not shown.
    pub when: When,
    /// The clause that says so, where one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clause: Option<String>,
    /// Keys of the pages that say so.
    pub sources: Vec<String>,
}

/// A call of the provider's API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// The operation, as the provider names it.
    pub id: String,
    /// What it is for.
    pub purpose: Purpose,
    /// When it is the right one.
    #[serde(default, skip_serializing_if = "When::is_always")]
    pub when: When,
    /// `GET`, `POST`, `PUT`, `PATCH` or `DELETE`.
    pub method: String,
    /// The host by site, `*` for every other. Empty where no page prints it: the one who sends the call
    /// must know it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub hosts: BTreeMap<String, String>,
    /// The path, with placeholders.
    pub path: String,
    /// Values in the query, with placeholders.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub query: Map<String, Value>,
    /// Header fields that the page asks for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// The body, with placeholders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// How the body travels; JSON where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<Encoding>,
    /// What the page calls the way to sign it; absent where none is printed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signing: Option<String>,
    /// What the page says of the token that makes a repeated call harmless.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Token>,
    /// What comes back.
    pub answer: Answer,
    /// What else whoever sends it should know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The clause that describes it, where one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clause: Option<String>,
    /// Keys of the pages that describe it.
    pub sources: Vec<String>,
}

/// A token that makes a repeated call harmless.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// The most characters that it may have, where a page says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_chars: Option<usize>,
    /// For how many hours it is remembered, where a page says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<u32>,
}

/// A place in an answer and the values that it must have there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// The place, as a JSON pointer.
    pub at: String,
    /// The values that mean success.
    pub one_of: Vec<Value>,
}

impl Check {
    fn holds(&self, answer: &Value) -> bool {
        answer.pointer(&self.at).is_some_and(|found| self.one_of.iter().any(|wanted| same_scalar(wanted, found)))
    }
}

/// Where an answer lists the lines of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lines {
    /// Where the list is, as a JSON pointer.
    pub at: String,
    /// Which lines it lists.
    pub listed: Listed,
    /// The field with the resource's id; absent where the items are the ids themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The field with the order's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<String>,
    /// The field with the error code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The field with the error message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The field with the state, and the states that mean that it was done, where all lines are listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
}

/// The state of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// The field.
    pub field: String,
    /// The words that mean that it was done.
    pub done: Vec<Value>,
}

/// What a call gives back. Places are JSON pointers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Answer {
    /// The HTTP statuses that mean that the provider took the call.
    pub ok: Vec<u16>,
    /// What the body must say besides.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Check>,
    /// Whether success means only that the provider works on it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub asynchronous: bool,
    /// The order's number, or the list of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub orders: Option<String>,
    /// The lines of a batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lines: Option<Lines>,
    /// The amount that comes back, in a quote.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<String>,
    /// The currency of the amount.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// What ties the unsubscription to its quote.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// Where an error has its code; the first that is there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub error_code: Vec<String>,
    /// Where an error has its message; the first that is there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub error_message: Vec<String>,
}

/// An error of the provider's own list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownError {
    /// Its code, as the provider writes it; with a `*` at the end: every code that begins so.
    pub code: String,
    /// What it means, for people.
    pub says: String,
    /// What a refusal for it is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// What it says of the unsubscription.
    pub verdict: Verdict,
    /// The calls that know it; every one where empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<String>,
    /// The clause of the rule that it enforces, where one is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clause: Option<String>,
    /// Keys of the pages that list it.
    pub sources: Vec<String>,
}

impl KnownError {
    fn is_for(&self, call: &str, code: &str) -> bool {
        let same = match self.code.strip_suffix('*') {
            Some(start) => code.starts_with(start),
            None => self.code == code,
        };
        same && (self.calls.is_empty() || self.calls.iter().any(|name| name == call))
    }
}

/// Steps that a person takes where there is no API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Worklist {
    /// What the steps do, for people.
    pub title: String,
    /// When they are the right ones.
    #[serde(default, skip_serializing_if = "When::is_always")]
    pub when: When,
    /// The steps, in order.
    #[serde(rename = "step")]
    pub steps: Vec<WorkStep>,
    /// The clause that describes them, where one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clause: Option<String>,
    /// Keys of the pages that describe them.
    pub sources: Vec<String>,
}

/// A step that a person takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkStep {
    /// What to do.
    pub says: String,
    /// Key of the page to open; its address is the link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
}

/// Which days a provider counts as business days, where it says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BusinessDays {
    /// The days, in English and short: `mon`, `tue` ...
    pub days: Vec<String>,
    /// Keys of the pages that say so.
    pub sources: Vec<String>,
}

/// The English short names of the days, Monday first.
pub const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Everything that a flow needs and providers differ in.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "each field holds what its type says")]
pub struct Flow {
    #[serde(default, rename = "reason", skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<LeavingReason>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason_text: Option<ReasonText>,
    #[serde(default, rename = "batch", skip_serializing_if = "Vec::is_empty")]
    pub batches: Vec<BatchRule>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hidden: Vec<Hidden>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub owed: Vec<Owed>,
    #[serde(default, rename = "call", skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<Call>,
    #[serde(default, rename = "error", skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<KnownError>,
    #[serde(default, rename = "worklist", skip_serializing_if = "Vec::is_empty")]
    pub worklists: Vec<Worklist>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub business_days: Option<BusinessDays>,
}

impl Flow {
    /// Whether the provider publishes nothing of this kind.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Adds another file's parts.
    pub fn merge(&mut self, other: Self) {
        self.reasons.extend(other.reasons);
        self.reason_text = other.reason_text.or_else(|| self.reason_text.take());
        self.batches.extend(other.batches);
        self.hidden.extend(other.hidden);
        self.owed.extend(other.owed);
        self.calls.extend(other.calls);
        self.errors.extend(other.errors);
        self.worklists.extend(other.worklists);
        self.business_days = other.business_days.or_else(|| self.business_days.take());
    }
}

impl Policy {
    /// Whether two names mean the same product: the same word, or two names of one product.
    #[must_use]
    pub fn same_product(&self, a: &str, b: &str) -> bool {
        let goes_by = |product: &crate::policy::Product, name: &str| {
            std::iter::once(&product.id).chain(&product.names).any(|other| other.to_lowercase() == name.to_lowercase())
        };
        a.to_lowercase() == b.to_lowercase()
            || self.products.iter().any(|product| goes_by(product, a) && goes_by(product, b))
    }

    /// The provider's own reasons for leaving by this exit, in its order.
    pub fn leaving_reasons<'a>(&'a self, leaving: &'a Leaving<'_>) -> impl Iterator<Item = &'a LeavingReason> {
        self.flow.reasons.iter().filter(move |reason| reason.when.holds(self, leaving))
    }

    /// What goes together with others, where a page says anything about it.
    #[must_use]
    pub fn batch_rule(&self, leaving: &Leaving<'_>) -> Option<&BatchRule> {
        self.flow.batches.iter().find(|rule| rule.when.holds(self, leaving))
    }

    /// Why the provider's own list does not show such a resource, where it does not.
    #[must_use]
    pub fn hidden(&self, leaving: &Leaving<'_>) -> Option<&Hidden> {
        self.flow.hidden.iter().find(|hidden| hidden.when.holds(self, leaving))
    }

    /// The clauses that say what should come back by an exit.
    pub fn owed<'a>(&'a self, leaving: &'a Leaving<'_>) -> impl Iterator<Item = &'a str> {
        self.flow.owed.iter().filter(move |owed| owed.when.holds(self, leaving)).map(|owed| owed.clause.as_str())
    }

    /// The call for a purpose, where the provider has one.
    #[must_use]
    pub fn call(&self, purpose: Purpose, leaving: &Leaving<'_>) -> Option<&Call> {
        self.flow.calls.iter().find(|call| call.purpose == purpose && call.when.holds(self, leaving))
    }

    /// The steps that a person takes, where they are published.
    #[must_use]
    pub fn worklist(&self, leaving: &Leaving<'_>) -> Option<&Worklist> {
        self.flow.worklists.iter().find(|list| list.when.holds(self, leaving))
    }

    /// An error of the provider's own list; an exact code goes before a beginning.
    #[must_use]
    pub fn known_error(&self, call: &str, code: &str) -> Option<&KnownError> {
        let found = self.flow.errors.iter().filter(|error| error.is_for(call, code));
        found.max_by_key(|error| (!error.code.ends_with('*'), error.code.len()))
    }
}

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
struct Placeholder<'t> {
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
fn parts(template: &str) -> Result<Vec<Result<&str, Placeholder<'_>>>, String> {
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

/// A value without the quotes of JSON.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Equal as an API means it: some print numbers as text and the other way round.
fn same_scalar(a: &Value, b: &Value) -> bool {
    a == b || plain(a) == plain(b)
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
    fn templates(&self) -> impl Iterator<Item = &str> {
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

impl Answer {
    /// Whether an answer says that the provider took the call.
    #[must_use]
    pub fn is_success(&self, status: u16, body: &Value) -> bool {
        self.ok.contains(&status) && self.checks.iter().all(|check| check.holds(body))
    }

    /// The error code of an answer, where it has one.
    #[must_use]
    pub fn code(&self, body: &Value) -> Option<String> {
        first(&self.error_code, body)
    }

    /// The error message of an answer, where it has one.
    #[must_use]
    pub fn message(&self, body: &Value) -> Option<String> {
        first(&self.error_message, body)
    }

    /// The numbers of the orders in an answer.
    #[must_use]
    pub fn order_numbers(&self, body: &Value) -> Vec<String> {
        let found = self.orders.as_ref().and_then(|at| body.pointer(at));
        let all = match found {
            Some(Value::Array(items)) => items.as_slice(),
            Some(one) => std::slice::from_ref(one),
            None => &[],
        };
        let numbers = all.iter().filter(|value| value.is_string() || value.is_number()).map(plain);
        // Some print an order number of nothing beside a failure.
        numbers.filter(|number| !number.is_empty() && number != "0").collect()
    }
}

/// The first of some places that has a text or a number.
fn first(places: &[String], body: &Value) -> Option<String> {
    let found = places.iter().filter_map(|at| body.pointer(at));
    found.filter(|value| value.is_string() || value.is_number()).map(plain).find(|text| !text.is_empty())
}

/// What an answer says of a line of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineAnswer {
    /// The resource.
    pub resource: String,
    /// The number of its order, where the answer has it.
    pub order: Option<String>,
    /// Whether it was done; `None` where the answer does not say.
    pub done: Option<bool>,
    /// The error code.
    pub code: Option<String>,
    /// The error message.
    pub message: Option<String>,
}

impl Lines {
    fn line(&self, item: &Value) -> Option<LineAnswer> {
        let field = |name: &Option<String>| name.as_ref().and_then(|name| item.get(name)).filter(|v| !v.is_null());
        let resource = match &self.id {
            Some(_) => field(&self.id).map(plain)?,
            None => item.as_str()?.to_owned(),
        };
        let done = match (self.listed, &self.state) {
            (Listed::Failed, _) => Some(false),
            (Listed::Done, _) => Some(true),
            (Listed::All, Some(state)) => {
                item.get(&state.field).map(|found| state.done.iter().any(|word| same_scalar(word, found)))
            }
            (Listed::All, None) => None,
        };
        let text = |name: &Option<String>| field(name).map(plain).filter(|text| !text.is_empty());
        Some(LineAnswer {
            resource,
            order: text(&self.order),
            done,
            code: text(&self.code),
            message: text(&self.message),
        })
    }

    /// What an answer says of each of the resources that were asked for. An answer without the list says
    /// nothing of lines that it would list as done.
    #[must_use]
    pub fn read(&self, body: &Value, resources: &[String]) -> Vec<LineAnswer> {
        let items = body.pointer(&self.at).and_then(Value::as_array);
        let listed: Vec<LineAnswer> = items.into_iter().flatten().filter_map(|item| self.line(item)).collect();
        let absent = |resource: &String| LineAnswer {
            resource: resource.clone(),
            order: None,
            done: (self.listed == Listed::Failed).then_some(true),
            code: None,
            message: None,
        };
        let find = |resource: &String| listed.iter().find(|line| line.resource == *resource).cloned();
        resources.iter().map(|resource| find(resource).unwrap_or_else(|| absent(resource))).collect()
    }
}

/// What is checked when an adapter is built: a flow that names what does not exist, or that could not be
/// carried out, does not build.
struct Checker<'p> {
    policy: &'p Policy,
}

impl Checker<'_> {
    fn fail<T>(place: &str, what: impl Into<String>) -> Result<T, PolicyError> {
        Err(PolicyError { place: format!("flow: {place}"), what: what.into() })
    }

    fn sources(&self, place: &str, sources: &[String], clause: Option<&String>) -> Result<(), PolicyError> {
        if sources.is_empty() {
            return Self::fail(place, "names no source");
        }
        if let Some(key) = sources.iter().find(|key| self.policy.source(key).is_none()) {
            return Self::fail(place, format!("names the source {key:?}, which does not exist"));
        }
        match clause.filter(|id| !self.policy.clauses.iter().any(|clause| clause.id == **id)) {
            Some(id) => Self::fail(place, format!("names the clause {id:?}, which does not exist")),
            None => Ok(()),
        }
    }

    fn when(&self, place: &str, when: &When) -> Result<(), PolicyError> {
        if let Some(site) = when.sites.iter().find(|name| !self.policy.sites.iter().any(|site| site.id == **name)) {
            return Self::fail(place, format!("names the site {site:?}, which does not exist"));
        }
        let is_product =
            |name: &str| self.policy.products.iter().any(|product| self.policy.same_product(&product.id, name));
        match when.products.iter().find(|name| !is_product(name)) {
            Some(name) => Self::fail(place, format!("names the product {name:?}, which does not exist")),
            None => Ok(()),
        }
    }

    fn pointers<'t>(place: &str, pointers: impl Iterator<Item = &'t String>) -> Result<(), PolicyError> {
        for at in pointers {
            if !at.starts_with('/') && !at.is_empty() {
                return Self::fail(
                    place,
                    format!("has the place {at:?}, expected a JSON pointer such as \"/data/id\""),
                );
            }
        }
        Ok(())
    }

    fn call(&self, call: &Call) -> Result<(), PolicyError> {
        let place = format!("call {:?}", call.id);
        self.sources(&place, &call.sources, call.clause.as_ref())?;
        self.when(&place, &call.when)?;
        if !["GET", "POST", "PUT", "PATCH", "DELETE"].contains(&call.method.as_str()) {
            return Self::fail(
                &place,
                format!("has the method {:?}, expected GET, POST, PUT, PATCH or DELETE", call.method),
            );
        }
        if call.purpose == Purpose::Leave && call.method == "GET" {
            return Self::fail(&place, "leaves by GET, which may be repeated by anything between");
        }
        if !call.path.starts_with('/') {
            return Self::fail(&place, format!("has the path {:?}, expected one that begins with /", call.path));
        }
        let is_site = |name: &str| name == "*" || self.policy.sites.iter().any(|site| site.id == name);
        if let Some(site) = call.hosts.keys().find(|name| !is_site(name)) {
            return Self::fail(&place, format!("names the site {site:?}, which does not exist"));
        }
        for template in call.templates() {
            if let Err(what) = parts(template) {
                return Self::fail(&place, what);
            }
        }
        let uses_token = call.templates().any(|template| template.contains("{token"));
        if uses_token != call.token.is_some() {
            return Self::fail(&place, "needs both a {token} and what the page says of it (`token = {}`), or neither");
        }
        if call.purpose == Purpose::Leave && !call.templates().any(|template| template.contains("{resource")) {
            return Self::fail(&place, "leaves without naming a resource: {resource} or {resources} is missing");
        }
        self.answer(&place, call)
    }

    fn answer(&self, place: &str, call: &Call) -> Result<(), PolicyError> {
        let answer = &call.answer;
        if answer.ok.is_empty() || answer.ok.iter().any(|status| !(100..600).contains(status)) {
            return Self::fail(place, "needs the HTTP statuses of success (`answer.ok = [200]`)");
        }
        if call.purpose == Purpose::Quote && answer.amount.is_none() {
            return Self::fail(place, "quotes, but does not say where the amount is (`answer.amount`)");
        }
        let lines = answer.lines.iter();
        if let Some(lines) =
            answer.lines.as_ref().filter(|lines| (lines.listed == Listed::All) != lines.state.is_some())
        {
            return Self::fail(
                place,
                format!("lists {} lines: a state belongs to a list of all, and only there", lines.listed),
            );
        }
        let places = [&answer.orders, &answer.amount, &answer.currency, &answer.session];
        Self::pointers(
            place,
            places
                .into_iter()
                .flatten()
                .chain(&answer.error_code)
                .chain(&answer.error_message)
                .chain(answer.checks.iter().map(|check| &check.at).chain(lines.map(|lines| &lines.at))),
        )
    }

    fn worklist(&self, list: &Worklist) -> Result<(), PolicyError> {
        let place = format!("worklist {:?}", list.title);
        self.sources(&place, &list.sources, list.clause.as_ref())?;
        self.when(&place, &list.when)?;
        if list.steps.is_empty() {
            return Self::fail(&place, "has no step");
        }
        match list.steps.iter().filter_map(|step| step.page.as_ref()).find(|key| self.policy.source(key).is_none()) {
            Some(key) => Self::fail(&place, format!("has a step on the page {key:?}, which does not exist")),
            None => Ok(()),
        }
    }

    fn error(&self, flow: &Flow, error: &KnownError) -> Result<(), PolicyError> {
        let place = format!("error {:?}", error.code);
        self.sources(&place, &error.sources, error.clause.as_ref())?;
        if error.verdict == Verdict::InDoubt && error.reason.is_some() {
            return Self::fail(&place, "has a reason, but what is in doubt refuses nothing");
        }
        match error.calls.iter().find(|name| !flow.calls.iter().any(|call| call.id == **name)) {
            Some(name) => Self::fail(&place, format!("names the call {name:?}, which does not exist")),
            None => Ok(()),
        }
    }
}

impl Flow {
    /// Checks a flow against the policy whose part it is.
    ///
    /// # Errors
    /// Where it names what does not exist, or could not be carried out.
    pub fn check(&self, policy: &Policy) -> Result<(), PolicyError> {
        let checker = Checker { policy };
        for reason in &self.reasons {
            let place = format!("reason {:?}", reason.code);
            checker.sources(&place, &reason.sources, None)?;
            checker.when(&place, &reason.when)?;
        }
        if let Some(text) = &self.reason_text {
            checker.sources("reason_text", &text.sources, None)?;
        }
        for rule in &self.batches {
            let place = format!("batch {:?}", rule.says);
            checker.sources(&place, &rule.sources, rule.clause.as_ref())?;
            checker.when(&place, &rule.when)?;
            if rule.max == Some(0) {
                return Checker::fail(&place, "takes 0 resources at a time, expected 1 or more");
            }
        }
        for hidden in &self.hidden {
            let place = format!("hidden {:?}", hidden.says);
            checker.sources(&place, &hidden.sources, hidden.clause.as_ref())?;
            checker.when(&place, &hidden.when)?;
            if hidden.when.is_always() {
                return Checker::fail(&place, "hides everything: `when` says nothing");
            }
        }
        for owed in &self.owed {
            let place = format!("owed {:?}", owed.clause);
            if !policy.clauses.iter().any(|clause| clause.id == owed.clause) {
                return Checker::fail(&place, "is no clause of this policy");
            }
            checker.when(&place, &owed.when)?;
        }
        for (index, call) in self.calls.iter().enumerate() {
            checker.call(call)?;
            if self.calls.iter().skip(index + 1).any(|other| other.id == call.id && other.when == call.when) {
                return Checker::fail(&format!("call {:?}", call.id), "is there twice");
            }
        }
        for (index, error) in self.errors.iter().enumerate() {
            checker.error(self, error)?;
            if self.errors.iter().skip(index + 1).any(|other| other.code == error.code && other.calls == error.calls) {
                return Checker::fail(&format!("error {:?}", error.code), "is there twice");
            }
        }
        self.worklists.iter().try_for_each(|list| checker.worklist(list))?;
        if let Some(days) = &self.business_days {
            checker.sources("business_days", &days.sources, None)?;
            if let Some(day) = days.days.iter().find(|day| !WEEKDAYS.contains(&day.as_str())) {
                return Checker::fail(
                    "business_days",
                    format!("names the day {day:?}, expected {}", WEEKDAYS.join(", ")),
                );
            }
            if days.days.is_empty() {
                return Checker::fail("business_days", "has no day");
            }
        }
        Ok(())
    }
}
