//! What the rules say of one exit of one resource.
//!
//! A rule is a plain function over a resource, a [`Context`] and a [`Ruling`], which collects *every*
//! refusal and *every* unknown:
//!
//! ```
//! use recoup_core::prelude::*;
//!
//! # mod clause { pub const INACTIVE_OTHER_TRANSACTION: recoup_core::policy::ClauseId = recoup_core::policy::ClauseId(0); }
//! /// Leaving a package that has not taken effect.
//! fn inactive<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
//!     ruling.refuse_on(clause::INACTIVE_OTHER_TRANSACTION, Flag::TransactionInProgress);
//!     if let Some(start) = resource.starts_at() {
//!         ruling.changes_at(start);
//!     }
//!     ruling.effects(&[Effect::Irreversible]);
//! }
//! ```
//!
//! A clause that is not in force in the edition does nothing, so one function serves every edition.

use std::borrow::Cow;

use crate::context::{Context, QuotaDraw};
use crate::fact::{Answer, Flag};
use crate::policy::ClauseId;
use crate::refund::{Missing, RefundQuote};
use crate::time::{Instant, Span};
use crate::vocab::{Channel, DayKind, Effect, Exit, Outcome, Reason};

/// A clause that refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// The clause.
    pub clause: ClauseId,
    /// What the refusal is called.
    pub reason: Reason,
}

/// A clause that would refuse, or a figure that would change, if a fact were otherwise than assumed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// The clause.
    pub clause: ClauseId,
    /// What the refusal would be called.
    pub reason: Reason,
    /// The fact or field to check.
    pub fact: Option<Cow<'static, str>>,
    /// What the ruling assumes of it; nothing where no value is assumed.
    pub assumed: Option<bool>,
}

/// Who must look at the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// Who reviews.
    pub by: Cow<'static, str>,
    /// The clause that asks for it.
    pub because: ClauseId,
    /// After how many hours it counts as approved, where that is published.
    pub approved_after_hours: Option<u32>,
}

/// When the money arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settlement {
    /// Within how many days.
    pub within_days: u32,
    /// Which days.
    pub day_kind: Option<DayKind>,
}

/// A set of effects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EffectSet(u16);

impl EffectSet {
    /// The set with this bit pattern: bit `n` is the effect with code `n`.
    #[must_use]
    #[inline]
    pub const fn from_bits(bits: u16) -> Self {
        Self(bits)
    }

    /// The bit pattern.
    #[must_use]
    #[inline]
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// Adds an effect.
    #[inline]
    pub fn insert(&mut self, effect: Effect) {
        self.0 |= 1 << effect.code();
    }

    /// Whether an effect is in the set.
    #[must_use]
    #[inline]
    pub fn contains(self, effect: Effect) -> bool {
        self.0 & (1 << effect.code()) != 0
    }

    /// The effects of the set.
    pub fn iter(self) -> impl Iterator<Item = Effect> {
        Effect::ALL.iter().copied().filter(move |effect| self.contains(*effect))
    }
}

/// What a clause said when it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It refuses.
    Refuses,
    /// It would refuse if a fact were otherwise.
    Unknown,
    /// It lets pass.
    Passes,
    /// It shapes the ruling: a formula, a destination, a table that was read.
    Applies,
}

impl Verdict {
    /// The word for people and files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refuses => "refuses",
            Self::Unknown => "unknown",
            Self::Passes => "passes",
            Self::Applies => "applies",
        }
    }
}

/// A step on the way to a ruling, kept only where somebody asked for an explanation, or where a team's
/// own clause applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A clause was asked.
    Clause(ClauseId, Verdict),
    /// A line of arithmetic.
    Line(Cow<'static, str>, String),
}

/// What a ruling holds.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "each field holds what its type says")]
pub struct RulingData {
    pub exit: Exit,
    pub refusals: Vec<Refusal>,
    pub unknowns: Vec<Unknown>,
    pub refund: Option<RefundQuote>,
    pub review: Option<Review>,
    pub settlement: Option<Settlement>,
    pub quota: Vec<QuotaDraw>,
    pub effective_at: Option<Instant>,
    pub effects: EffectSet,
    pub channel: Option<Channel>,
    /// The next instant at which time alone changes something.
    pub until: Option<Instant>,
    pub steps: Vec<Step>,
}

impl RulingData {
    /// An empty ruling of an exit.
    #[must_use]
    pub fn new(exit: Exit) -> Self {
        Self {
            exit,
            refusals: Vec::new(),
            unknowns: Vec::new(),
            refund: None,
            review: None,
            settlement: None,
            quota: Vec::new(),
            effective_at: None,
            effects: EffectSet::default(),
            channel: None,
            until: None,
            steps: Vec::new(),
        }
    }

    /// Empties the ruling for another exit, keeping its memory.
    #[inline]
    pub(crate) fn reset(&mut self, exit: Exit) {
        self.exit = exit;
        self.refusals.clear();
        self.unknowns.clear();
        self.refund = None;
        self.review = None;
        self.settlement = None;
        self.quota.clear();
        self.effective_at = None;
        self.effects = EffectSet::default();
        self.channel = None;
        self.until = None;
        self.steps.clear();
    }

    /// Refused where a clause refuses, conditional where something is unknown, otherwise allowed.
    #[must_use]
    #[inline]
    pub fn outcome(&self) -> Outcome {
        if !self.refusals.is_empty() {
            Outcome::Refused
        } else if !self.unknowns.is_empty() {
            Outcome::Conditional
        } else {
            Outcome::Allowed
        }
    }

    /// Whether a reason is among the refusals.
    #[must_use]
    pub fn refused_for(&self, reason: Reason) -> bool {
        self.refusals.iter().any(|refusal| refusal.reason == reason)
    }
}

/// A ruling on its way.
#[derive(Debug)]
pub struct Ruling<'a> {
    cx: &'a Context<'a>,
    data: &'a mut RulingData,
}

impl<'a> Ruling<'a> {
    pub(crate) fn new(cx: &'a Context<'a>, data: &'a mut RulingData) -> Self {
        Self { cx, data }
    }

    /// The ruling so far.
    #[must_use]
    #[inline]
    pub fn so_far(&self) -> &RulingData {
        self.data
    }

    /// What a rule would give, without anything that it says of the exit: for what only comes to count later.
    pub fn on_trial<T>(&self, rule: impl FnOnce(&mut Ruling<'_>) -> T) -> T {
        let mut data = RulingData::new(self.data.exit);
        rule(&mut Ruling::new(self.cx, &mut data))
    }

    fn reason_of(&self, clause: ClauseId) -> Reason {
        self.cx.book().reason(clause)
    }

    /// Keeps a step where somebody asked for an explanation. What rests on a team's own clause says so
    /// without being asked; what refuses or is unknown names its clause anyway.
    #[inline]
    fn step(&mut self, clause: ClauseId, verdict: Verdict) {
        if self.cx.keeps_steps() {
            self.keep(clause, verdict);
        }
    }

    #[cold]
    fn keep(&mut self, clause: ClauseId, verdict: Verdict) {
        if self.cx.tracing() || (verdict == Verdict::Applies && self.cx.is_own(clause)) {
            self.data.steps.push(Step::Clause(clause, verdict));
        }
    }

    /// Names a clause of a team's own whose figure was read, unless the rule has named it already.
    pub(crate) fn rests_on(&mut self, clause: ClauseId) {
        let named = |step: &Step| matches!(step, Step::Clause(named, Verdict::Applies) if *named == clause);
        if !self.data.steps.iter().any(named) {
            self.step(clause, Verdict::Applies);
        }
    }

    /// Refuses by a clause where the answer is yes; where it is open, records what would settle it.
    /// Does nothing where the clause is not in force.
    #[inline]
    pub fn refuse_if(&mut self, clause: ClauseId, answer: impl Into<Answer>) {
        let answer = answer.into();
        // Nearly every question is answered no, and then there is nothing to do.
        if !answer.is_no() || self.cx.keeps_steps() {
            self.judge(clause, None, answer);
        }
    }

    /// Refuses by a clause where a flag is true, as [`refuse_if`](Self::refuse_if) does of what
    /// [`Context::flag`] answers.
    #[inline]
    pub fn refuse_on(&mut self, clause: ClauseId, flag: Flag) {
        if self.cx.may_bite(flag) {
            self.judge(clause, None, self.cx.flag(flag));
        }
    }

    /// As [`refuse_if`](Self::refuse_if), under another reason than the clause's own.
    #[inline]
    pub fn refuse_as(&mut self, clause: ClauseId, reason: Reason, answer: impl Into<Answer>) {
        let answer = answer.into();
        if !answer.is_no() || self.cx.keeps_steps() {
            self.judge(clause, Some(reason), answer);
        }
    }

    #[inline(never)]
    fn judge(&mut self, clause: ClauseId, reason: Option<Reason>, answer: Answer) {
        if !self.cx.in_force(clause) {
            return;
        }
        let reason = reason.unwrap_or_else(|| self.reason_of(clause));
        match answer.known() {
            Some(false) => self.step(clause, Verdict::Passes),
            Some(true) => {
                self.step(clause, Verdict::Refuses);
                self.data.unknowns.retain(|unknown| unknown.clause != clause || unknown.reason != reason);
                let refusal = Refusal { clause, reason };
                if !self.data.refusals.contains(&refusal) {
                    self.data.refusals.push(refusal);
                }
            }
            None => {
                self.step(clause, Verdict::Unknown);
                let assumed = answer.fact().map(|_| answer.fact_if_no());
                self.push_unknown(clause, reason, answer.fact().map(Cow::Borrowed), assumed);
            }
        }
    }

    fn push_unknown(
        &mut self,
        clause: ClauseId,
        reason: Reason,
        fact: Option<Cow<'static, str>>,
        assumed: Option<bool>,
    ) {
        let refused = self.data.refusals.iter().any(|refusal| refusal.clause == clause && refusal.reason == reason);
        let known = self
            .data
            .unknowns
            .iter()
            .any(|unknown| unknown.clause == clause && unknown.reason == reason && unknown.fact == fact);
        if !refused && !known {
            self.data.unknowns.push(Unknown { clause, reason, fact, assumed });
        }
    }

    /// Refuses by a clause.
    #[inline]
    pub fn refuse(&mut self, clause: ClauseId) {
        self.refuse_if(clause, true);
    }

    /// Records that something a clause needs is unknown, and which fact or field would settle it.
    /// Does nothing where the clause is not in force.
    pub fn unknown(&mut self, clause: ClauseId, reason: Reason, fact: Option<&'static str>) {
        if self.cx.in_force(clause) {
            self.step(clause, Verdict::Unknown);
            self.push_unknown(clause, reason, fact.map(Cow::Borrowed), None);
        }
    }

    /// Records that a figure cannot be computed and takes back any that was set.
    pub fn no_figure(&mut self, clause: ClauseId, reason: Reason, fact: Option<&'static str>) {
        self.unknown(clause, reason, fact);
        self.data.refund = None;
    }

    /// Records that a figure cannot be computed because of what a record does not say. Orders in
    /// different currencies are a mismatch; anything else missing is a price that is not known.
    pub fn missing(&mut self, clause: ClauseId, missing: Missing) {
        let reason = if missing == Missing::OneCurrency { Reason::CurrencyMismatch } else { Reason::PriceUnknown };
        self.no_figure(clause, reason, Some(missing.field()));
    }

    /// Cites a clause that shapes the ruling without refusing: a formula, a destination, a table.
    #[inline]
    pub fn cite(&mut self, clause: ClauseId) {
        self.cite_if(clause, true);
    }

    /// Cites a clause where a condition holds, and records for the trace where it does not. Gives
    /// whether the clause is in force and the condition holds.
    #[inline]
    pub fn cite_if(&mut self, clause: ClauseId, holds: bool) -> bool {
        if self.cx.keeps_steps() && self.cx.in_force(clause) {
            self.keep(clause, if holds { Verdict::Applies } else { Verdict::Passes });
        }
        holds && self.cx.in_force(clause)
    }

    /// Adds a line of arithmetic to the explanation; the text is only made where somebody asked.
    #[inline]
    pub fn line(&mut self, label: impl Into<Cow<'static, str>>, text: impl FnOnce() -> String) {
        if self.cx.tracing() {
            self.data.steps.push(Step::Line(label.into(), text()));
        }
    }

    /// Refuses where a window that begins at `start` and is `length` long is over, the last instant
    /// outside (`[start, start + length)`). An open window's end goes into `until`; an unknown start is
    /// an unknown on the named field. Gives whether the window is open.
    pub fn window_before(
        &mut self,
        clause: ClauseId,
        field: &'static str,
        start: Option<Instant>,
        length: Span,
    ) -> Option<bool> {
        self.window(clause, field, start.map(|start| start + length), |at, end| at < end)
    }

    /// As [`window_before`](Self::window_before), the last instant inside (`[start, start + length]`).
    pub fn window_through(
        &mut self,
        clause: ClauseId,
        field: &'static str,
        start: Option<Instant>,
        length: Span,
    ) -> Option<bool> {
        self.window(clause, field, start.map(|start| start + length), |at, end| at <= end)
    }

    /// Refuses where a window with the given end is over; `open` compares the instant asked about with
    /// the end.
    pub fn window(
        &mut self,
        clause: ClauseId,
        field: &'static str,
        end: Option<Instant>,
        open: impl Fn(Instant, Instant) -> bool,
    ) -> Option<bool> {
        if !self.cx.in_force(clause) {
            return None;
        }
        let is_open = end.map(|end| open(self.cx.at, end));
        self.refuse_if(clause, Answer::named(field, is_open.map(|open| !open)));
        if let (Some(end), Some(true)) = (end, is_open) {
            // The last instant inside a window is still open, and closed right after.
            self.data.until = Some(self.data.until.map_or(end, |until| until.min(end)));
        }
        is_open
    }

    /// Refuses until an instant has come; it goes into `until`. An unknown one is an unknown on the
    /// named field.
    pub fn refuse_before(&mut self, clause: ClauseId, field: &'static str, instant: Option<Instant>) {
        if !self.cx.in_force(clause) {
            return;
        }
        self.refuse_if(clause, Answer::named(field, instant.map(|instant| self.cx.at < instant)));
        if let Some(instant) = instant {
            self.changes_at(instant);
        }
    }

    /// Records what the exit draws on a quota; refuses where that would exceed its limit, and records
    /// an unknown where what is used, drawn or allowed is not known.
    pub fn draw(&mut self, clause: ClauseId, draw: QuotaDraw) {
        if self.cx.in_force(clause) {
            self.refuse_if(clause, Answer::named("quotas", draw.exceeds()));
            self.data.quota.push(draw);
        }
    }

    /// Records what the exit draws on a quota, without judging it.
    pub fn note_quota(&mut self, draw: QuotaDraw) {
        self.data.quota.push(draw);
    }

    /// Sets what comes back.
    #[inline]
    pub fn refund(&mut self, quote: RefundQuote) {
        self.data.refund = Some(quote);
    }

    /// Takes back what was set: the figure is not known and the page says that this gap does not make
    /// the exit conditional.
    pub fn refund_unpublished(&mut self, clause: ClauseId) {
        self.cite(clause);
        self.data.refund = None;
    }

    /// Asks for a review by a clause.
    pub fn review(&mut self, by: &'static str, because: ClauseId, approved_after_hours: Option<u32>) {
        if self.cx.in_force(because) {
            self.step(because, Verdict::Applies);
            self.data.review = Some(Review { by: Cow::Borrowed(by), because, approved_after_hours });
        }
    }

    /// States when the money arrives.
    pub fn settles_within(&mut self, clause: ClauseId, within_days: u32, day_kind: DayKind) {
        if self.cx.in_force(clause) {
            self.step(clause, Verdict::Applies);
            self.data.settlement = Some(Settlement { within_days, day_kind: Some(day_kind) });
        }
    }

    /// States when the exit takes effect, where that is not at once.
    pub fn takes_effect_at(&mut self, instant: Instant) {
        self.data.effective_at = Some(instant);
    }

    /// Adds effects.
    #[inline]
    pub fn effects(&mut self, effects: &[Effect]) {
        for effect in effects {
            self.data.effects.insert(*effect);
        }
    }

    /// Adds an effect where a condition holds.
    #[inline]
    pub fn effect_if(&mut self, effect: Effect, holds: bool) {
        if holds {
            self.data.effects.insert(effect);
        }
    }

    /// States where the exit is taken.
    #[inline]
    pub fn channel(&mut self, channel: Channel) {
        self.data.channel = Some(channel);
    }

    /// Names an instant at which time alone changes something: the earliest coming one becomes `until`.
    #[inline]
    pub fn changes_at(&mut self, instant: Instant) {
        if instant > self.cx.at {
            self.data.until = Some(self.data.until.map_or(instant, |until| until.min(instant)));
        }
    }

    /// Drops what was said of `until` where the exit is refused for what no time lifts. Each of `lifts` is an
    /// instant at which one refusal passes, such as a used quota that frees again: with as many as there are
    /// refusals, the last one opens the exit, if it has not closed by then.
    pub fn waits_only_for(&mut self, lifts: &[Option<Instant>]) {
        let (refusals, closes_at) = (self.data.refusals.len(), self.data.until);
        if refusals == 0 {
            return;
        }
        self.never_changes();
        let lifts = || lifts.iter().flatten();
        let opens_at = lifts().max().filter(|_| lifts().count() == refusals);
        if let Some(opens_at) = opens_at.filter(|at| closes_at.is_none_or(|end| **at <= end)) {
            self.changes_at(*opens_at);
        }
    }

    /// Drops what was said of `until`: nothing that passes with time opens or closes this exit.
    pub fn never_changes(&mut self) {
        self.data.until = None;
    }
}
