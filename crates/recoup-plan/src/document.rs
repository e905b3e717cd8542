//! The plan as a file: JSON that `recoup plan` writes, `recoup plan --check` replays and cases are confirmed from.
//! Its fields are described in `docs/plan.md`.

use std::fmt;

use recoup_core::money::{Amount, Currency, Number};
use recoup_core::time::{Instant, Zone};
use recoup_core::vocab::{Channel, Effect, Exit};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The version of the file.
pub const VERSION: u32 = 1;

/// An instant with the wall clock on which it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// The instant.
    pub at: Instant,
    /// The wall clock.
    pub zone: Zone,
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.at.display(self.zone).fmt(f)
    }
}

impl Serialize for Stamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Stamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        let at = Instant::parse(&text, Zone::UTC).map_err(serde::de::Error::custom)?;
        let offset = text.get(text.len().saturating_sub(6)..).filter(|offset| offset.starts_with(['+', '-']));
        let zone = offset.and_then(|offset| offset.parse().ok()).unwrap_or(Zone::UTC);
        Ok(Self { at, zone })
    }
}

/// What a plan is to bring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Want {
    /// Money that comes back, less what leaving costs.
    Cash,
    /// Future payments that are no longer owed.
    Released,
    /// Both, and what an exchange carries over.
    Both,
}

/// Rates into one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rates {
    /// The currency of the plan.
    pub base: Currency,
    /// What one unit of each other currency is worth in it.
    pub rates: std::collections::BTreeMap<String, Number>,
}

impl Rates {
    /// What one unit of a currency is worth, where the rates say.
    #[must_use]
    pub fn of(&self, currency: Currency) -> Option<Number> {
        if currency == self.base { Some(Number::ONE) } else { self.rates.get(currency.as_str()).copied() }
    }
}

/// What was read for the plan, so that it can be read again.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Inputs {
    /// The portfolio files.
    pub files: Vec<String>,
    /// The accounts file.
    pub accounts: Option<String>,
    /// Facts that were taken for granted, as on the command line.
    pub assume: Vec<String>,
    /// The edition asked for, where it is not that of each instant.
    pub edition: Option<String>,
}

/// The whole file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// The version of the file.
    pub recoup_plan: u32,
    /// The instant asked about: no step is before it.
    pub from: Stamp,
    /// No step is after it.
    pub by: Stamp,
    /// What the plan is to bring.
    pub want: Want,
    /// Rates, where several currencies were planned together.
    pub rates: Option<Rates>,
    /// What was read.
    pub inputs: Inputs,
    /// A plan for each currency, or one for all where there are rates.
    pub plans: Vec<Plan>,
    /// What stays because there is nothing to choose.
    pub left: Vec<Left>,
    /// What could not be planned with at all, and why.
    pub problems: Vec<String>,
}

/// What to do for what is paid in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The currency.
    pub currency: Currency,
    /// What the steps bring together, by what was wanted.
    pub worth: Amount,
    /// What no plan over the same choices exceeds.
    pub bound: Amount,
    /// How much more there might be: `bound - worth`.
    pub gap: Amount,
    /// What giving back the largest refund first would bring.
    pub largest_first: Amount,
    /// How many choices there were.
    pub choices: usize,
    /// How many of them the solver had to search.
    pub searched: usize,
    /// What to do, in the order of time.
    pub steps: Vec<Step>,
    /// What stays, and why.
    pub left: Vec<Left>,
    /// What knowing a fact would add.
    pub facts: Vec<FactWorth>,
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Counted from 1.
    pub step: usize,
    /// When to ask for it.
    pub at: Stamp,
    /// When a review is over at the latest, where there is one.
    pub done_by: Option<Stamp>,
    /// The provider.
    pub provider: String,
    /// Its site.
    pub site: String,
    /// The account.
    pub account: Option<String>,
    /// What the step brings, by what was wanted, in the plan's currency.
    pub worth: Amount,
    /// Which request it goes into together with other steps; a request takes no more than the provider allows.
    pub batch: usize,
    /// What leaves: one resource, or several that leave only together.
    pub leaves: Vec<Leaving>,
    /// Why not earlier, where it is not at once.
    pub waits: Option<String>,
}

/// A resource that leaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leaving {
    /// Its id.
    pub resource: String,
    /// Its name.
    pub name: Option<String>,
    /// Its product.
    pub product: String,
    /// The exit.
    pub exit: Exit,
    /// The currency of its amounts.
    pub currency: Currency,
    /// What comes back as money.
    pub refund: Amount,
    /// Future payments no longer owed.
    pub released: Amount,
    /// New money that it costs.
    pub charge: Amount,
    /// What an exchange carries over.
    pub carried_over: Amount,
    /// The fee that is kept.
    pub fee: Amount,
    /// What it draws, on what was used by then.
    pub quota: Vec<Quota>,
    /// What else happens.
    pub effects: Vec<Effect>,
    /// Where it is asked for.
    pub channel: Option<Channel>,
    /// Hours after which a review counts as approved.
    pub review_hours: Option<u32>,
}

/// What is drawn on a quota.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    /// Its name.
    pub name: String,
    /// Its limit.
    pub limit: Number,
    /// What was used before, earlier steps included.
    pub used: Number,
    /// What is drawn now.
    pub draws: Number,
    /// The time over which it counts.
    pub window: Option<String>,
}

/// Why something stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Because {
    /// It was to be kept.
    Kept,
    /// A quota has no room that is worth more this way.
    Quota,
    /// It depends on facts that are not known.
    Unknown,
    /// It is worth nothing, or costs more than it brings.
    Worthless,
    /// The rules refuse it, now and until the end of the plan.
    Refused,
    /// A step of the plan was found not to hold when it was replayed.
    Replay,
}

/// A resource that stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    /// The provider.
    pub provider: String,
    /// The account.
    pub account: Option<String>,
    /// Its id; with those that leave only together with it.
    pub resources: Vec<String>,
    /// Why it stays.
    pub because: Because,
    /// The same in words.
    pub why: String,
    /// What it would bring if nothing stood against it.
    pub worth: Option<Amount>,
    /// The quota that has no room.
    pub quota: Option<String>,
    /// When there is room for it again, if ever.
    pub room_at: Option<Stamp>,
    /// What it would bring then.
    pub worth_then: Option<Amount>,
    /// Facts to check.
    pub facts: Vec<String>,
    /// What can be done instead.
    pub instead: Option<String>,
}

/// What knowing a fact would add.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactWorth {
    /// The fact and the value that would help; several where it takes all of them.
    pub facts: Vec<String>,
    /// How much more a plan would bring.
    pub adds: Amount,
    /// For how many resources it is not known.
    pub resources: usize,
}
