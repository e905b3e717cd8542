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

mod answer;
mod check;
mod prepare;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::policy::Policy;
use crate::vocab::{Billing, Channel, Exit, Reason, vocabulary};

pub use answer::LineAnswer;
pub use prepare::{PrepareError, PreparedCall, Values, encode};

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

/// The kind of request by which something leaves: what leaves by the same kind can leave together, as far as its
/// rule has room.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The exit taken.
    pub exit: Exit,
    /// The call that takes it, where the provider has one.
    pub call: Option<&'a Call>,
    /// What goes together, where a page says anything about it.
    pub rule: Option<&'a BatchRule>,
}

impl Request<'_> {
    /// A name that two requests share only where they are of one kind.
    #[must_use]
    pub fn name(&self) -> String {
        let call = self.call.map_or("", |call| call.id.as_str());
        let rule = self.rule.map_or("", |rule| rule.says.as_str());
        format!("{}/{call}/{rule}", self.exit)
    }

    /// The most resources that it takes at a time, where a limit is printed.
    #[must_use]
    pub fn most(&self) -> Option<usize> {
        self.rule.and_then(|rule| rule.max)
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

    /// The kind of request by which something leaves.
    #[must_use]
    pub fn request<'a>(&'a self, leaving: &Leaving<'_>) -> Request<'a> {
        Request { exit: leaving.exit, call: self.call(Purpose::Leave, leaving), rule: self.batch_rule(leaving) }
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
