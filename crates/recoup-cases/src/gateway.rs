//! The way out: calls to a provider's API, or steps for a person.
//!
//! A flow asks a gateway to *prepare* what is to be done for some lines of a combined order, writes down
//! in the journal that it begins, has the gateway *carry out* one task after the other, and writes down
//! what became of each line. Between those two entries a line is [`Executing`](LineState::Executing);
//! where the second is missing, because the process died or the answer got lost, it is in doubt and
//! nothing tries it again.

pub mod dry_run;
pub mod http;
pub mod worklist;

use std::collections::BTreeMap;

use async_trait::async_trait;
use recoup_core::flow::Encoding;
use recoup_core::vocab::Reason;
use serde::{Deserialize, Serialize};

#[allow(unused_imports, reason = "the module's page points there")]
use crate::model::LineState;
use crate::model::{Case, CombinedOrder, Line};

/// One thing to do: a call, or steps for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Its number, the same whenever the same lines are prepared: what providers that take one get as
    /// idempotency token.
    pub id: String,
    /// The lines that it carries out.
    pub lines: Vec<u32>,
    /// What is to be done.
    pub work: Work,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// A call to the provider's API, as its adapter describes it.
    Call(Box<Call>),
    /// Steps in the provider's console, or a ticket.
    Steps(Steps),
}

/// A call to a provider's API. Credentials never stand in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// The provider whose call it is.
    #[serde(default)]
    pub provider: String,
    /// The resources that leave by it, by line.
    #[serde(default)]
    pub resources: BTreeMap<u32, String>,
    /// The operation's name in the provider's documents.
    pub operation: String,
    /// The HTTP method.
    pub method: String,
    /// The host that the documents print; empty where they print none.
    pub host: String,
    /// The path, with its query.
    pub path: String,
    /// Headers besides those of signing.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    /// The body; null where there is none.
    #[serde(default)]
    pub body: serde_json::Value,
    /// How the body travels.
    #[serde(default = "json")]
    pub encoding: Encoding,
    /// How the provider wants calls signed, for who sends them.
    #[serde(default)]
    pub signing: String,
    /// The token by which the provider knows a repeated call, where it takes one.
    #[serde(default)]
    pub token: Option<String>,
}

const fn json() -> Encoding {
    Encoding::Json
}

impl Call {
    /// The body as it is sent.
    #[must_use]
    pub fn body_text(&self) -> Option<String> {
        (!self.body.is_null()).then(|| recoup_core::flow::encode(&self.body, self.encoding))
    }
}

/// Steps for a person.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Steps {
    /// What the steps do.
    #[serde(default)]
    pub title: String,
    /// Where the steps begin.
    #[serde(default)]
    pub link: Option<String>,
    /// One step each, in order.
    pub steps: Vec<String>,
    /// What each line is about, in words.
    #[serde(default)]
    pub about: BTreeMap<u32, String>,
    /// The reason to choose on the provider's form, and words of one's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What became of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum LineResult {
    /// It happened; the provider's numbers of what it did.
    Done {
        /// Unsubscription orders, refund orders.
        #[serde(default)]
        references: Vec<String>,
    },
    /// It surely did not happen.
    Failed {
        /// The provider's code.
        #[serde(default)]
        code: Option<String>,
        /// The reason's word, where the code has one.
        #[serde(default)]
        reason: Option<Reason>,
        /// What the provider says.
        says: String,
    },
    /// It surely did not happen and may be tried again: throttled, not reached.
    NotSent {
        /// What is in the way.
        says: String,
    },
    /// It may have happened.
    InDoubt {
        /// What is known.
        says: String,
    },
    /// It waits for a person, who will tick it off.
    Handed {
        /// Where the worklist lies.
        says: String,
    },
}

/// What became of a task: a result for every line of it.
pub type Results = Vec<(u32, LineResult)>;

/// A gateway that cannot work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GatewayError {
    /// Nothing describes how such a line is carried out through this gateway.
    #[error("line {line}: {what}")]
    NoWay {
        /// The line.
        line: u32,
        /// What is missing and what to do instead.
        what: String,
    },
    /// The gateway itself is not ready.
    #[error("{0}")]
    NotReady(String),
}

/// The way out.
#[async_trait]
pub trait Gateway: Send + Sync {
    /// Its name, for the journal.
    fn name(&self) -> &str;

    /// Whether it changes anything. A dry run does not, and nothing is written to the journal for it.
    fn sends(&self) -> bool;

    /// What is to be done for some lines of a combined order. Does nothing yet; the same question has
    /// the same answer.
    ///
    /// # Errors
    /// Where the gateway is not ready, or nothing describes how a line is carried out.
    fn prepare(&self, case: &Case, order: &CombinedOrder, lines: &[&Line]) -> Result<Vec<Task>, GatewayError>;

    /// Carries out a task. A result stands for every line; a line without one is in doubt. Retries, where
    /// it is sure that nothing happened, are the gateway's own business and bounded.
    async fn carry_out(&self, task: &Task) -> Results;
}
