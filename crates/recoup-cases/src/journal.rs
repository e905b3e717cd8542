//! The journal: every change as an appended entry, each with the hash of the one before.
//!
//! An entry's hash is the SHA-256 of its fields as they are written, the hash of the entry before first. So
//! whoever knows the newest hash can tell whether anything was changed, left out or put in.

use recoup_core::time::{Instant, Zone};
use recoup_core::vocab::{Effect, Reason};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::gateway::Task;
use crate::model::{Case, CaseId, CombinedOrder, ExpectedReturn, LeavingReason, LineState, Received, Refusal, when};

/// The hash before the first entry.
pub const BEGINNING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// What became of a line when it was confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfirmedLine {
    /// The line.
    pub line: u32,
    /// In review, approved or refused.
    pub state: LineState,
    /// Why, where it is refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<Refusal>,
    /// Its combined order, unless it is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<String>,
    /// The instant from which silence of the reviewer is agreement.
    #[serde(default, with = "when::maybe", skip_serializing_if = "Option::is_none")]
    pub approved_by_itself_at: Option<Instant>,
}

/// What became of a line that was begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndedLine {
    /// The line.
    pub line: u32,
    /// Executed, failed, in doubt, still executing (a person has it), or approved again.
    pub state: LineState,
    /// What the provider or a person said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
    /// The provider's own code of an error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The reason's word, where the code has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The provider's numbers of what it did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<String>,
    /// What should come back, where it was carried out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expected: Vec<ExpectedReturn>,
}

/// Something that happened. Its JSON has the event's word as the only key: a tag beside the fields would make
/// serde read numbers and keys of what is within as texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A store was made.
    Opened {
        /// Tells one store from another.
        store: String,
    },
    /// Resources were quoted.
    Quoted {
        /// The case, with everything pinned.
        case: Box<Case>,
    },
    /// Somebody asked for it.
    Confirmed {
        /// Why.
        reason: LeavingReason,
        /// The effects that were acknowledged.
        acknowledged: Vec<Effect>,
        /// The unknown facts that somebody vouches for.
        checked: Vec<String>,
        /// What became of each line.
        lines: Vec<ConfirmedLine>,
        /// The combined orders.
        orders: Vec<CombinedOrder>,
    },
    /// A review ended.
    Reviewed {
        /// The lines.
        lines: Vec<u32>,
        /// Whether it was agreed to.
        approved: bool,
        /// Whether only because the provider's time passed.
        by_itself: bool,
    },
    /// Something is about to be carried out.
    Begun {
        /// The gateway.
        gateway: String,
        /// What is to be done.
        task: Task,
        /// The lines that it carries out, those that follow included.
        lines: Vec<u32>,
    },
    /// What became of it.
    Ended {
        /// The task.
        task: String,
        /// What became of each line.
        lines: Vec<EndedLine>,
    },
    /// Lines of an order that goes only whole were not begun, because another line of it failed.
    Sunk {
        /// The lines.
        lines: Vec<u32>,
    },
    /// Something came back.
    Received {
        /// What.
        receipts: Vec<Received>,
    },
    /// A receipt was booked wrongly and counts no more.
    Struck {
        /// Its number.
        receipt: String,
    },
    /// Lines were taken back before they were carried out.
    Withdrawn {
        /// The lines.
        lines: Vec<u32>,
    },
    /// The quote lapsed.
    Lapsed {
        /// The lines that nobody had confirmed.
        lines: Vec<u32>,
    },
    /// A request with an idempotency key was answered.
    Answered {
        /// The key.
        key: String,
        /// SHA-256 of the request.
        request: String,
        /// The answer.
        answer: serde_json::Value,
    },
}

impl Event {
    /// The event's word.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Opened { .. } => "opened",
            Self::Quoted { .. } => "quoted",
            Self::Confirmed { .. } => "confirmed",
            Self::Reviewed { .. } => "reviewed",
            Self::Begun { .. } => "begun",
            Self::Ended { .. } => "ended",
            Self::Sunk { .. } => "sunk",
            Self::Received { .. } => "received",
            Self::Struck { .. } => "struck",
            Self::Withdrawn { .. } => "withdrawn",
            Self::Lapsed { .. } => "lapsed",
            Self::Answered { .. } => "answered",
        }
    }
}

/// Who does something, when and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// When.
    pub at: Instant,
    /// Who.
    pub actor: String,
    /// Why, in words of one's own; may be empty.
    pub because: String,
    /// The request's idempotency key.
    pub key: Option<String>,
}

/// An entry of the journal, as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number, from 1, without gaps.
    pub seq: i64,
    /// When.
    #[serde(with = "when")]
    pub at: Instant,
    /// Who.
    pub actor: String,
    /// Why, in words of one's own; may be empty.
    pub because: String,
    /// The case that it is about; empty where it is about none.
    pub case: String,
    /// What happened, as JSON. Its text counts, not only its meaning.
    pub body: String,
    /// The hash of the entry before.
    pub before: String,
    /// Its own hash.
    pub hash: String,
}

/// An entry that does not say what it must.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("entry {seq}: {what}")]
pub struct Broken {
    /// The entry.
    pub seq: i64,
    /// What is wrong.
    pub what: String,
}

/// SHA-256 in hexadecimal digits.
#[must_use]
pub fn sha256(parts: &[&[u8]]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        // The length keeps neighbouring fields apart.
        hasher.update(part.len().to_le_bytes());
        hasher.update(part);
    }
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Entry {
    /// The next entry after a head.
    ///
    /// # Errors
    /// Where the event cannot be written as JSON, or not be read again.
    pub fn after(head: &Head, act: &Act, case: Option<&CaseId>, event: &Event) -> Result<Self, Broken> {
        let seq = head.seq + 1;
        let body = serde_json::to_string(event).map_err(|error| Broken { seq, what: error.to_string() })?;
        let mut entry = Self {
            seq,
            // A clock that is a little behind another machine's is no reason to refuse; a store refuses
            // one that is far behind.
            at: act.at.max(head.at),
            actor: act.actor.clone(),
            because: act.because.clone(),
            case: case.map(ToString::to_string).unwrap_or_default(),
            body,
            before: head.hash.clone(),
            hash: String::new(),
        };
        entry.hash = entry.computed_hash();
        // INVARIANT: what cannot be read again is never written.
        if entry.event()? != *event {
            return Err(Broken { seq, what: format!("{:?} reads as something else than was written", event.word()) });
        }
        Ok(entry)
    }

    /// The hash that the entry's fields give.
    #[must_use]
    pub fn computed_hash(&self) -> String {
        sha256(&[
            self.before.as_bytes(),
            self.seq.to_string().as_bytes(),
            self.at.display(Zone::UTC).to_string().as_bytes(),
            self.actor.as_bytes(),
            self.because.as_bytes(),
            self.case.as_bytes(),
            self.body.as_bytes(),
        ])
    }

    /// What happened.
    ///
    /// # Errors
    /// Where the body is nothing that this version knows.
    pub fn event(&self) -> Result<Event, Broken> {
        serde_json::from_str(&self.body).map_err(|error| Broken { seq: self.seq, what: format!("its body: {error}") })
    }

    /// Checks that the entry follows on a head.
    ///
    /// # Errors
    /// Where its number, its time, or either hash is not what follows.
    pub fn follows(&self, head: &Head) -> Result<(), Broken> {
        let broken = |what: String| Err(Broken { seq: self.seq, what });
        if self.seq != head.seq + 1 {
            return broken(format!("entry {} was expected here: entries are missing or were put in", head.seq + 1));
        }
        if self.before != head.hash {
            return broken(format!("it follows on {}, but the entry before has {}", self.before, head.hash));
        }
        let hash = self.computed_hash();
        if self.hash != hash {
            return broken(format!("its hash is {}, but its fields give {hash}: it was changed", self.hash));
        }
        if self.at < head.at {
            return broken(format!(
                "it was made at {}, before the entry before it ({})",
                self.at.display(Zone::UTC),
                head.at.display(Zone::UTC)
            ));
        }
        Ok(())
    }

    /// The head after this entry.
    #[must_use]
    pub fn head(&self) -> Head {
        Head { seq: self.seq, at: self.at, hash: self.hash.clone() }
    }
}

/// The end of a journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The number of the newest entry; 0 where there is none.
    pub seq: i64,
    /// When it was made.
    #[serde(with = "when")]
    pub at: Instant,
    /// Its hash.
    pub hash: String,
}

impl Default for Head {
    fn default() -> Self {
        Self { seq: 0, at: Instant::from_micros(0), hash: BEGINNING.to_owned() }
    }
}
