//! Cases and their lines.
//!
//! These types are written into the journal and into the derived tables as JSON: fields may be added
//! with a default, none is renamed or given another meaning.

use std::fmt;

use recoup_core::money::{Amount, Currency, Number};
use recoup_core::time::{Instant, Zone};
use recoup_core::vocab::{Billing, Channel, DayKind, Destination, Effect, Exit, Instrument, Outcome, Reason, Status};
use serde::{Deserialize, Serialize};

/// Instants in JSON: RFC 3339, written in UTC.
pub mod when {
    use recoup_core::time::{Instant, Zone};
    use serde::{Deserialize, Deserializer, Serializer};

    /// Writes an instant.
    ///
    /// # Errors
    /// Where the serializer fails.
    pub fn serialize<S: Serializer>(instant: &Instant, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&instant.display(Zone::UTC))
    }

    /// Reads an instant.
    ///
    /// # Errors
    /// Where the text is no instant with an offset.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Instant, D::Error> {
        let text = String::deserialize(deserializer)?;
        Instant::parse(&text, Zone::UTC).map_err(serde::de::Error::custom)
    }

    /// Instants that may be absent.
    pub mod maybe {
        use recoup_core::time::{Instant, Zone};
        use serde::{Deserialize, Deserializer, Serializer};

        /// Writes an instant or null.
        ///
        /// # Errors
        /// Where the serializer fails.
        pub fn serialize<S: Serializer>(instant: &Option<Instant>, serializer: S) -> Result<S::Ok, S::Error> {
            match instant {
                Some(instant) => super::serialize(instant, serializer),
                None => serializer.serialize_none(),
            }
        }

        /// Reads an instant or null.
        ///
        /// # Errors
        /// Where the text is no instant with an offset.
        pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Instant>, D::Error> {
            let text = Option::<String>::deserialize(deserializer)?;
            text.map(|text| Instant::parse(&text, Zone::UTC).map_err(serde::de::Error::custom)).transpose()
        }
    }
}

/// The number of a case: `C1`, `C2` ... in the order in which a store saw them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CaseId(pub String);

impl fmt::Display for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Whose account with which provider.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The provider.
    pub provider: String,
    /// Its site.
    pub site: String,
    /// The account, where the portfolio names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.provider, self.site)?;
        self.account.as_ref().map_or(Ok(()), |account| write!(f, "/{account}"))
    }
}

/// A clause that refuses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Its id, or one of recoup's own that begins with `recoup.`.
    pub clause: String,
    /// The reason's word.
    pub reason: Reason,
    /// The rule in one line.
    pub says: String,
}

/// A fact that is not known and was taken for harmless.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unknown {
    /// The clause that asks for it.
    pub clause: String,
    /// The reason with which the clause would refuse.
    pub reason: Reason,
    /// The fact.
    #[serde(default)]
    pub fact: Option<String>,
    /// The value under which the figure stands.
    #[serde(default)]
    pub assumed: Option<serde_json::Value>,
}

/// An amount on its way back, as the ruling predicts it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Returned {
    /// What had paid.
    pub instrument: Instrument,
    /// How much comes back.
    pub amount: Amount,
    /// Where it goes.
    pub to: Destination,
    /// When it lapses, where it does.
    #[serde(default, with = "when::maybe", skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Instant>,
}

/// The refund of a ruling.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields are those of the published formats")]
pub struct Money {
    pub currency: Currency,
    pub paid: Amount,
    pub consumed: Option<Amount>,
    pub fee: Amount,
    pub forfeited: Option<Amount>,
    pub refund: Amount,
    pub returned: Vec<Returned>,
    #[serde(default)]
    pub released: Option<Amount>,
    #[serde(default)]
    pub carry_over: Option<Amount>,
    #[serde(default)]
    pub charge: Option<Amount>,
    #[serde(default)]
    pub proceeds: Option<Amount>,
}

/// Who must agree, why, and after how long silence is agreement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// Who reviews.
    pub by: String,
    /// The clause's statement.
    pub because: String,
    /// The clause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clause: Option<String>,
    /// Hours after which an unanswered review is approved by itself.
    #[serde(default)]
    pub approved_after_hours: Option<u32>,
}

/// When the money should have arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields are those of the published formats")]
pub struct Settlement {
    #[serde(default)]
    pub within_days: Option<u32>,
    #[serde(default)]
    pub day_kind: Option<DayKind>,
}

/// What an exit draws on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotaUse {
    /// The quota's name in accounts.
    pub name: String,
    /// How much there is in a window; absent where it is not known.
    #[serde(default)]
    pub limit: Option<Number>,
    /// How much was used when the ruling was made; absent where it is not known.
    #[serde(default)]
    pub used: Option<Number>,
    /// How much this exit draws.
    #[serde(default)]
    pub draws: Option<Number>,
    /// The window's name; absent where it is not published.
    #[serde(default)]
    pub window: Option<String>,
}

/// A step of a ruling: a clause that was asked, or a line of arithmetic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
#[allow(missing_docs, reason = "the fields are those of the published formats")]
pub enum Step {
    Clause { clause: String, verdict: String },
    Line { label: String, text: String },
}

/// The ruling on one exit, pinned as it was when the quote was made. Its written form is that of an exit
/// in an assessment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields are those of the published formats")]
pub struct PinnedRuling {
    pub exit: Exit,
    pub outcome: Outcome,
    #[serde(default)]
    pub refusals: Vec<Refusal>,
    #[serde(default)]
    pub unknowns: Vec<Unknown>,
    #[serde(default)]
    pub refund: Option<Money>,
    #[serde(default)]
    pub review: Option<Review>,
    #[serde(default)]
    pub settlement: Option<Settlement>,
    #[serde(default)]
    pub quota: Vec<QuotaUse>,
    #[serde(default, with = "when::maybe")]
    pub effective_at: Option<Instant>,
    #[serde(default)]
    pub effects: Vec<Effect>,
    #[serde(default)]
    pub channel: Option<Channel>,
    #[serde(default, with = "when::maybe")]
    pub until: Option<Instant>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
}

impl PinnedRuling {
    /// The clauses that shaped the ruling: what a person is pointed to who asks why so much should come.
    #[must_use]
    pub fn clauses(&self) -> Vec<String> {
        let mut clauses = Vec::new();
        for step in &self.steps {
            if let Step::Clause { clause, verdict } = step
                && verdict == "applies"
                && !clauses.contains(clause)
            {
                clauses.push(clause.clone());
            }
        }
        clauses
    }
}

/// A resource that leaves together with another and has no line of its own money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Companion {
    /// Its id.
    pub resource: String,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its product.
    pub product: String,
}

/// Where a line stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineState {
    /// Quoted, not asked for yet.
    Quoted,
    /// Refused, at the quote or when it was confirmed.
    Refused,
    /// Asked for; somebody must agree first.
    InReview,
    /// Somebody did not agree.
    Rejected,
    /// Asked for and free to be carried out.
    Approved,
    /// On its way out: it was begun, and its end is not known yet.
    Executing,
    /// It may have happened or not. It is never tried again before somebody has looked.
    InDoubt,
    /// The provider did not do it.
    Failed,
    /// It happened.
    Executed,
    /// Taken back before it was carried out.
    Withdrawn,
    /// The quote lapsed before anybody confirmed it.
    Expired,
}

impl LineState {
    /// The word in files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Quoted => "quoted",
            Self::Refused => "refused",
            Self::InReview => "in_review",
            Self::Rejected => "rejected",
            Self::Approved => "approved",
            Self::Executing => "executing",
            Self::InDoubt => "in_doubt",
            Self::Failed => "failed",
            Self::Executed => "executed",
            Self::Withdrawn => "withdrawn",
            Self::Expired => "expired",
        }
    }

    /// Whether the line holds its resource: no other line may ask for it meanwhile.
    #[must_use]
    pub const fn holds(self) -> bool {
        matches!(self, Self::InReview | Self::Approved | Self::Executing | Self::InDoubt)
    }
}

impl fmt::Display for LineState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What should come back for a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpectedReturn {
    /// What had paid.
    pub instrument: Instrument,
    /// In which currency.
    pub currency: Currency,
    /// How much.
    pub amount: Amount,
    /// Where it goes.
    pub to: Destination,
    /// The last instant at which it is not late yet, where the provider prints a time.
    #[serde(default, with = "when::maybe", skip_serializing_if = "Option::is_none")]
    pub due_by: Option<Instant>,
    /// The clauses that say that it should come.
    #[serde(default)]
    pub clauses: Vec<String>,
}

/// Something that came back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Received {
    /// The number of the receipt in its case: `R1`, `R2` ...; given by the store.
    #[serde(default)]
    pub id: String,
    /// The line, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The instrument, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instrument: Option<Instrument>,
    /// In which currency.
    pub currency: Currency,
    /// How much; below zero where something was taken back again.
    pub amount: Amount,
    /// Where it went, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Destination>,
    /// When it came, where it is known.
    #[serde(default, with = "when::maybe", skip_serializing_if = "Option::is_none")]
    pub at: Option<Instant>,
    /// The provider's number of it: refund order, transaction, bill row. The same reference is never
    /// booked twice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The resource that the provider names, where it names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// The order that the provider names, where it names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<String>,
    /// Where this was read: a file and line, or "by hand".
    #[serde(default)]
    pub source: String,
}

/// One resource that is to leave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Its number in the case, from 1.
    pub number: u32,
    /// Whose.
    pub place: Place,
    /// The wall clock of the site.
    pub zone: Zone,
    /// The resource's id.
    pub resource: String,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its product.
    pub product: String,
    /// Its region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Its project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// How it is paid for.
    pub billing: Billing,
    /// Where it stood when it was quoted.
    pub status: Status,
    /// The provider's numbers of its orders.
    #[serde(default)]
    pub orders: Vec<String>,
    /// The portfolio or package with which it leaves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bundle: Option<String>,
    /// What leaves with it and counts once with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub companions: Vec<Companion>,
    /// The line with which it leaves, where it is bound to that line's resource: it takes every step with
    /// it and draws on no quota of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follows: Option<u32>,
    /// The edition by which it was judged.
    #[serde(default)]
    pub edition: Option<String>,
    /// The instant up to which the quotas in its ruling count what happened: what cases drew before then
    /// is in them already. Absent where they count nothing of what cases drew.
    #[serde(default, with = "when::maybe", skip_serializing_if = "Option::is_none")]
    pub quotas_as_of: Option<Instant>,
    /// SHA-256 of the resource's record as it was judged.
    pub snapshot: String,
    /// The resource's record as it was judged.
    pub record: serde_json::Value,
    /// The ruling, as it was.
    pub ruling: PinnedRuling,
    /// Where it stands.
    pub state: LineState,
    /// Why it is refused, where it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<Refusal>,
    /// The combined order that it is part of, once confirmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub combined_order: Option<String>,
    /// When it was confirmed.
    #[serde(default, with = "when::maybe", skip_serializing_if = "Option::is_none")]
    pub confirmed_at: Option<Instant>,
    /// The instant from which silence of the reviewer is agreement.
    #[serde(default, with = "when::maybe", skip_serializing_if = "Option::is_none")]
    pub approved_by_itself_at: Option<Instant>,
    /// When it was last begun.
    #[serde(default, with = "when::maybe", skip_serializing_if = "Option::is_none")]
    pub begun_at: Option<Instant>,
    /// The attempt that it is or was part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<String>,
    /// When it was carried out.
    #[serde(default, with = "when::maybe", skip_serializing_if = "Option::is_none")]
    pub executed_at: Option<Instant>,
    /// The provider's numbers of what it did: unsubscription orders, refund orders.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<String>,
    /// What the provider or a person said last: an error, a note.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
    /// Why the provider did not do it, where its error has a reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_for: Option<Reason>,
    /// What should come back, once it was carried out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expected: Vec<ExpectedReturn>,
}

/// Lines that go out together: one order with the provider, a line for each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CombinedOrder {
    /// Its number: the case's, a hyphen, and a count from 1.
    pub id: String,
    /// Whose.
    pub place: Place,
    /// Its lines.
    pub lines: Vec<u32>,
    /// Whether one line that fails sinks the others.
    #[serde(default)]
    pub whole: bool,
}

/// Why somebody leaves: an entry of the provider's own list, and words of one's own.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LeavingReason {
    /// The id in the provider's list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub option: Option<String>,
    /// Words of one's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// Where a case stands, which follows from its lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseState {
    /// Quoted, not confirmed yet.
    Quoted,
    /// The quote lapsed.
    Expired,
    /// Some line waits for a reviewer.
    InReview,
    /// Nothing waits for a reviewer, some line waits to be carried out.
    Approved,
    /// Some line is on its way, or in doubt.
    Executing,
    /// Everything that could be carried out is; some money is still to come.
    Settling,
    /// All that was expected came.
    Settled,
    /// Nothing is left to do and nothing was carried out.
    Closed,
}

impl CaseState {
    /// The word in files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Quoted => "quoted",
            Self::Expired => "expired",
            Self::InReview => "in_review",
            Self::Approved => "approved",
            Self::Executing => "executing",
            Self::Settling => "settling",
            Self::Settled => "settled",
            Self::Closed => "closed",
        }
    }
}

impl fmt::Display for CaseState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// An unsubscription that somebody asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// Its number.
    pub id: CaseId,
    /// When it was quoted.
    #[serde(with = "when")]
    pub quoted_at: Instant,
    /// The first instant at which the quote cannot be confirmed any more.
    #[serde(with = "when")]
    pub expires_at: Instant,
    /// SHA-256 over the snapshots of everything that was quoted.
    pub portfolio: String,
    /// Facts that were taken for granted where nothing stated them, as `fact=value`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assumed: Vec<String>,
    /// The accounts by which it was judged, as they were.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accounts: Vec<serde_json::Value>,
    /// Its lines.
    pub lines: Vec<Line>,
    /// Its combined orders, once confirmed.
    #[serde(default)]
    pub orders: Vec<CombinedOrder>,
    /// Why, once confirmed.
    #[serde(default)]
    pub reason: LeavingReason,
    /// What came back.
    #[serde(default)]
    pub received: Vec<Received>,
    /// Whether nothing that was expected is still to come.
    pub settled: bool,
}

impl Case {
    /// A line by its number.
    #[must_use]
    pub fn line(&self, number: u32) -> Option<&Line> {
        self.lines.iter().find(|line| line.number == number)
    }

    /// Where the case stands, all of its lines being there.
    #[must_use]
    pub fn state(&self) -> CaseState {
        let any = |states: &[LineState]| self.lines.iter().any(|line| states.contains(&line.state));
        if any(&[LineState::Executing, LineState::InDoubt]) {
            CaseState::Executing
        } else if any(&[LineState::InReview]) {
            CaseState::InReview
        } else if any(&[LineState::Approved]) {
            CaseState::Approved
        } else if any(&[LineState::Quoted]) {
            CaseState::Quoted
        } else if any(&[LineState::Executed]) {
            if self.settled { CaseState::Settled } else { CaseState::Settling }
        } else if any(&[LineState::Expired]) && !any(&[LineState::Failed, LineState::Rejected, LineState::Withdrawn]) {
            CaseState::Expired
        } else {
            CaseState::Closed
        }
    }
}
