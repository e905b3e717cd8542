//! All rulings of one resource at one instant, best first, and their written form.

use std::cmp::Reverse;

use serde_json::{Map, Value, json};
use smallvec::SmallVec;

use crate::context::Context;
use crate::money::Amount;
use crate::policy::{ClauseId, Policy};
use crate::refund::RefundQuote;
use crate::ruling::{Ruling, RulingData, Step};
use crate::stated::Compared;
use crate::time::{Instant, Zone};
use crate::vocab::{Exit, Outcome};

/// All rulings of one resource. Its memory is used again from resource to resource.
#[derive(Debug, Clone, Default)]
pub struct Assessment {
    rulings: Vec<RulingData>,
    used: usize,
    /// The places of the rulings, best first, until they are put in this order.
    order: SmallVec<[u8; 16]>,
    outcome: Option<Outcome>,
    best: Option<Exit>,
}

impl Assessment {
    /// Empties the assessment for another resource.
    pub fn clear(&mut self) {
        self.used = 0;
        self.order.clear();
        self.outcome = None;
        self.best = None;
    }

    /// Rules on an exit.
    pub fn exit(&mut self, cx: &Context<'_>, exit: Exit, rule: impl FnOnce(&mut Ruling<'_>)) {
        if self.used == self.rulings.len() {
            self.rulings.push(RulingData::new(exit));
        }
        if let Some(data) = self.rulings.get_mut(self.used) {
            data.reset(exit);
            self.used += 1;
            // What was read before any exit was ruled on stands behind each of them.
            let before = cx.own_read();
            let mut ruling = Ruling::new(cx, data);
            rule(&mut ruling);
            if cx.own_read() > 0 {
                cx.take_own_read(before).into_iter().for_each(|clause| ruling.rests_on(clause));
            }
        }
    }

    /// An assessment that was made elsewhere; none where its outcome or best exit contradict its
    /// rulings.
    #[must_use]
    pub fn from_rulings(rulings: Vec<RulingData>, outcome: Outcome, best: Option<Exit>) -> Option<Self> {
        let assessment = Self { used: rulings.len(), rulings, order: SmallVec::new(), outcome: Some(outcome), best };
        assessment.holds_together().then_some(assessment)
    }

    fn holds_together(&self) -> bool {
        match self.best {
            Some(exit) => self.ruling(exit).is_some_and(|ruling| ruling.outcome() == self.outcome()),
            None => self.outcome() == Outcome::Refused,
        }
    }

    /// Takes over an assessment that was made elsewhere, in the memory of the one before: `fill` fills each of
    /// `count` rulings, which it is given empty. Gives whether outcome and best exit agree with the rulings.
    ///
    /// # Errors
    /// Those of `fill`.
    pub fn take_over<E>(
        &mut self,
        outcome: Outcome,
        best: Option<Exit>,
        count: usize,
        mut fill: impl FnMut(usize, &mut RulingData) -> Result<(), E>,
    ) -> Result<bool, E> {
        self.clear();
        if self.rulings.len() < count {
            self.rulings.resize_with(count, || RulingData::new(Exit::None));
        }
        for (place, ruling) in self.rulings.iter_mut().take(count).enumerate() {
            ruling.reset(Exit::None);
            fill(place, ruling)?;
        }
        (self.used, self.outcome, self.best) = (count, Some(outcome), best);
        Ok(self.holds_together())
    }

    /// The rulings, best first once the assessment is finished.
    #[must_use]
    #[inline]
    pub fn rulings(&self) -> &[RulingData] {
        self.rulings.get(..self.used).unwrap_or_default()
    }

    /// The ruling of an exit.
    #[must_use]
    pub fn ruling(&self, exit: Exit) -> Option<&RulingData> {
        self.rulings().iter().find(|ruling| ruling.exit == exit)
    }

    /// The outcome of the best exit. Refused until the assessment is finished.
    #[must_use]
    #[inline]
    pub fn outcome(&self) -> Outcome {
        self.outcome.unwrap_or(Outcome::Refused)
    }

    /// The best exit; none where only stopping the renewal is open.
    #[must_use]
    #[inline]
    pub fn best(&self) -> Option<Exit> {
        self.best
    }

    /// The earliest coming instant at which any exit changes by time alone.
    #[must_use]
    pub fn until(&self) -> Option<Instant> {
        self.rulings().iter().filter_map(|ruling| ruling.until).min()
    }

    /// Orders the rulings and finds the best one: by outcome, then by refund (an unknown one below
    /// every figure), then by `preference` and, for exits that it does not name, the general one.
    /// Where no exit was ruled at all, the rules say nothing of such a resource: exit `none`, refused.
    pub fn finish(&mut self, cx: &Context<'_>, preference: &[Exit]) {
        self.rank(cx, preference);
        self.arrange();
    }

    /// As [`finish`](Self::finish), but leaves the rulings where they are, which are too large to be moved without
    /// need: [`ranked`](Self::ranked) gives them in order, [`rulings`](Self::rulings) as they were ruled.
    pub fn rank(&mut self, cx: &Context<'_>, preference: &[Exit]) {
        if self.used == 0 {
            self.exit(cx, Exit::None, |ruling| ruling.refuse(ClauseId::NO_RULE));
        }
        let rulings = self.rulings.get(..self.used).unwrap_or_default();
        let ruling = |place: &u8| rulings.get(usize::from(*place));
        let stops = |place: &u8| ruling(place).is_some_and(|ruling| ruling.exit == Exit::StopRenewal);
        self.order.clear();
        if let [only] = rulings {
            // Where there is one, it stands in order already.
            let (outcome, exit) = (only.outcome(), only.exit);
            let stops = exit == Exit::StopRenewal;
            self.outcome = Some(if stops { Outcome::Refused } else { outcome });
            self.best = (!stops).then_some(exit);
            return;
        }
        for (place, own) in (0..=u8::MAX).zip(rulings) {
            // Few exits are ruled on; equals stay as they were ruled.
            let better = |other: &&u8| ruling(other).is_some_and(|other| is_better(own, other, preference));
            let behind = self.order.iter().rev().take_while(better).count();
            self.order.insert(self.order.len() - behind, place);
        }
        let deciding = self.order.iter().find(|place| !stops(place)).and_then(ruling);
        let deciding = deciding.map(|ruling| (ruling.outcome(), ruling.exit));
        let (outcome, best) = match deciding {
            Some((Outcome::Refused, exit)) => (Outcome::Refused, (!self.order.iter().any(stops)).then_some(exit)),
            Some((outcome, exit)) => (outcome, Some(exit)),
            None => (Outcome::Refused, None),
        };
        self.outcome = Some(outcome);
        self.best = best;
    }

    /// Puts the rulings in their order.
    fn arrange(&mut self) {
        for place in 0..self.order.len() {
            // What belongs here was moved on by every exchange that took its place.
            let mut from = self.order.get(place).map_or(place, |from| usize::from(*from));
            while from < place {
                from = self.order.get(from).map_or(place, |next| usize::from(*next));
            }
            self.rulings.swap(place, from);
        }
        self.order.clear();
    }

    /// The rulings, best first, wherever they stand.
    pub fn ranked(&self) -> impl Iterator<Item = &RulingData> {
        let in_order = if self.order.is_empty() { self.rulings() } else { &[] };
        self.order.iter().filter_map(|place| self.rulings.get(usize::from(*place))).chain(in_order)
    }
}

/// Whether a ruling stands before another one.
fn is_better(one: &RulingData, other: &RulingData, preference: &[Exit]) -> bool {
    // Stopping a renewal gives nothing back and never decides; it stands behind its equals.
    let stops = |ruling: &RulingData| ruling.exit == Exit::StopRenewal;
    // A known figure before an unknown one, the larger one first.
    let refund = |ruling: &RulingData| Reverse(ruling.refund.as_ref().map(RefundQuote::refund));
    // The provider's own preference before the general one.
    let rank = |ruling: &RulingData| {
        let find = |list: &[Exit]| list.iter().position(|other| *other == ruling.exit);
        find(preference).map_or_else(|| (true, find(Exit::PREFERENCE).unwrap_or(usize::MAX)), |place| (false, place))
    };
    let order = one.outcome().cmp(&other.outcome()).then_with(|| stops(one).cmp(&stops(other)));
    order.then_with(|| refund(one).cmp(&refund(other))).then_with(|| rank(one).cmp(&rank(other))).is_lt()
}

/// Of what, where and when an assessment speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are those of the published formats")]
pub struct Subject {
    pub provider: String,
    pub site: String,
    pub edition: Option<String>,
    pub account: Option<String>,
    pub resource: String,
    pub name: Option<String>,
    pub product: String,
    pub at: Instant,
    /// The wall clock in which instants are written.
    pub zone: Zone,
}

/// What the rules say of a resource, with the policy whose clauses are cited.
#[derive(Debug, Clone)]
pub struct Answered {
    /// Of what, where and when the assessment speaks.
    pub subject: Subject,
    /// All rulings, best first.
    pub assessment: Assessment,
    /// The policy of the provider that ruled.
    pub policy: std::sync::Arc<Policy>,
    /// The provider's own answers, beside what the rules say.
    pub stated: Vec<Compared>,
}

impl Answered {
    /// As files write it (FORMATS.md, section 4), with the provider's own answers where there are any.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut written = to_json(&self.subject, &self.assessment, &self.policy);
        if let (Value::Object(map), false) = (&mut written, self.stated.is_empty()) {
            map.insert("stated".into(), self.stated.iter().map(|one| one.to_json(self.subject.zone)).collect());
        }
        written
    }

    /// The provider's own answers about an exit; those about an exit that was not ruled on stand with
    /// the best ruling.
    pub fn stated_of(&self, exit: Exit) -> impl Iterator<Item = &Compared> {
        let first = self.assessment.rulings().first().map(|ruling| ruling.exit);
        self.stated.iter().filter(move |one| match one.own.exit {
            Some(own) if self.assessment.ruling(own).is_some() => own == exit,
            _ => first == Some(exit),
        })
    }

    /// The ids of a team's own clauses on which a ruling rests.
    #[must_use]
    pub fn overlaid(&self, ruling: &RulingData) -> Vec<&str> {
        let steps = ruling.steps.iter().filter_map(|step| match step {
            Step::Clause(clause, _) => Some(*clause),
            Step::Line(..) => None,
        });
        let clauses = ruling.refusals.iter().map(|refusal| refusal.clause);
        let clauses = clauses.chain(ruling.unknowns.iter().map(|unknown| unknown.clause));
        let clauses = clauses.chain(ruling.review.iter().map(|review| review.because)).chain(steps);
        let mut ids = Vec::new();
        for clause in clauses.filter(|clause| self.policy.is_overlaid(*clause)) {
            let (id, _) = clause_text(&self.policy, clause);
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        ids
    }
}

/// An amount as files write it, or null.
fn amount(value: Option<Amount>) -> Value {
    value.map_or(Value::Null, |value| Value::String(value.to_string()))
}

/// The id of a clause and what it says, as assessments write them.
#[must_use]
pub fn clause_text(policy: &Policy, clause: ClauseId) -> (&str, &str) {
    policy
        .clause(clause)
        .map_or(("recoup.no-rule", "No page of this provider that is known speaks of such a resource."), |clause| {
            (clause.id.as_str(), clause.says.as_str())
        })
}

/// Marks what is written of a clause where the clause is a team's own.
fn mark(mut written: Value, policy: &Policy, clause: ClauseId) -> Value {
    if policy.is_overlaid(clause)
        && let Value::Object(map) = &mut written
    {
        map.insert("overlay".into(), true.into());
    }
    written
}

/// A refund as files write it.
#[must_use]
pub fn refund_to_json(quote: &RefundQuote, zone: Zone) -> Value {
    use crate::refund::Refund;
    let returned: Vec<Value> = quote
        .items()
        .iter()
        .map(|item| {
            let mut map = Map::new();
            map.insert("instrument".into(), item.instrument.as_str().into());
            map.insert("amount".into(), item.amount.to_string().into());
            map.insert("to".into(), item.to.as_str().into());
            if let Some(end) = item.expires_at {
                map.insert("expires_at".into(), end.display(zone).to_string().into());
            }
            Value::Object(map)
        })
        .collect();
    json!({
        "currency": quote.currency().as_str(),
        "paid": amount(Some(quote.paid())),
        "consumed": amount(quote.consumed()),
        "fee": amount(Some(quote.fee())),
        "forfeited": amount(quote.forfeited()),
        "refund": amount(Some(quote.refund())),
        "returned": returned,
        "released": amount(quote.released()),
        "carry_over": amount(quote.carried_over()),
        "charge": amount(quote.charge()),
        "proceeds": amount(quote.proceeds()),
    })
}

fn ruling_to_json(ruling: &RulingData, policy: &Policy, zone: Zone) -> Value {
    let time =
        |instant: Option<Instant>| instant.map_or(Value::Null, |instant| instant.display(zone).to_string().into());
    let refusals: Vec<Value> = ruling
        .refusals
        .iter()
        .map(|refusal| {
            let (id, says) = clause_text(policy, refusal.clause);
            mark(json!({"clause": id, "reason": refusal.reason.as_str(), "says": says}), policy, refusal.clause)
        })
        .collect();
    let unknowns: Vec<Value> = ruling
        .unknowns
        .iter()
        .map(|unknown| {
            let (id, _) = clause_text(policy, unknown.clause);
            let written = json!({"clause": id, "reason": unknown.reason.as_str(), "fact": unknown.fact, "assumed": unknown.assumed});
            mark(written, policy, unknown.clause)
        })
        .collect();
    let quota: Vec<Value> = ruling
        .quota
        .iter()
        .map(|draw| json!({"name": draw.name, "limit": draw.limit, "used": draw.used, "draws": draw.draws, "window": draw.window.name()}))
        .collect();
    let review = ruling.review.as_ref().map_or(Value::Null, |review| {
        let (id, says) = clause_text(policy, review.because);
        let written = json!({"by": review.by, "because": says, "clause": id, "approved_after_hours": review.approved_after_hours});
        mark(written, policy, review.because)
    });
    let settlement = ruling.settlement.map_or(
        Value::Null,
        |settlement| json!({"within_days": settlement.within_days, "day_kind": settlement.day_kind}),
    );
    let effects: Vec<_> = ruling.effects.iter().collect();
    let mut map = Map::new();
    map.insert("exit".into(), ruling.exit.as_str().into());
    map.insert("outcome".into(), ruling.outcome().as_str().into());
    map.insert("refusals".into(), refusals.into());
    map.insert("unknowns".into(), unknowns.into());
    map.insert("refund".into(), ruling.refund.as_ref().map_or(Value::Null, |quote| refund_to_json(quote, zone)));
    map.insert("review".into(), review);
    map.insert("settlement".into(), settlement);
    map.insert("quota".into(), quota.into());
    map.insert("effective_at".into(), time(ruling.effective_at));
    map.insert("effects".into(), json!(effects));
    map.insert("channel".into(), json!(ruling.channel));
    map.insert("until".into(), time(ruling.until));
    if !ruling.steps.is_empty() {
        let steps = ruling.steps.iter().map(|step| match step {
            Step::Clause(clause, verdict) => {
                let written = json!({"clause": clause_text(policy, *clause).0, "verdict": verdict.as_str()});
                mark(written, policy, *clause)
            }
            Step::Line(label, text) => json!({"label": label, "text": text}),
        });
        map.insert("steps".into(), steps.collect());
    }
    Value::Object(map)
}

/// An assessment as files write it (FORMATS.md, section 4).
#[must_use]
pub fn to_json(subject: &Subject, assessment: &Assessment, policy: &Policy) -> Value {
    let mut map = Map::new();
    map.insert("provider".into(), subject.provider.as_str().into());
    map.insert("site".into(), subject.site.as_str().into());
    map.insert("edition".into(), json!(subject.edition));
    map.insert("account".into(), json!(subject.account));
    map.insert("resource".into(), subject.resource.as_str().into());
    if let Some(name) = &subject.name {
        map.insert("name".into(), name.as_str().into());
    }
    map.insert("product".into(), subject.product.as_str().into());
    map.insert("at".into(), subject.at.display(subject.zone).to_string().into());
    map.insert("outcome".into(), assessment.outcome().as_str().into());
    map.insert("best".into(), json!(assessment.best().map(Exit::as_str)));
    map.insert(
        "exits".into(),
        assessment.rulings().iter().map(|ruling| ruling_to_json(ruling, policy, subject.zone)).collect(),
    );
    Value::Object(map)
}
