//! What the provider itself answered, beside what the rules say.
//!
//! Some APIs print the provider's own answer: until when a plan can be returned, what a refund would
//! be. An importer keeps it with the resource as a [`Statement`]; [`Compared`] puts it beside the ruling
//! of the same exit and says where the two differ, and by how much. Neither corrects the other.
//!
//! ```
//! use recoup_core::stated::Statement;
//! use recoup_core::vocab::Exit;
//!
//! let mut stated = Statement::by("calculateRefund");
//! stated.exit = Some(Exit::Return);
//! stated.refund = "20.72".parse().ok();
//! assert_eq!(stated.to_json(recoup_core::time::Zone::UTC).to_string(),
//!     r#"{"by":"calculateRefund","exit":"return","refund":"20.72"}"#);
//! ```

use serde_json::{Map, Value};

use crate::assessment::Assessment;
use crate::money::{Amount, Currency};
use crate::record::ResourceRecord;
use crate::refund::{Refund, RefundQuote};
use crate::ruling::RulingData;
use crate::time::{Instant, Span, Zone};
use crate::vocab::{Exit, Outcome, Reason};

/// The provider's own answer about a resource, as a payload prints it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The field or call that says so, in the provider's spelling.
    pub by: String,
    /// The exit that it speaks of; none where it speaks of whatever would be done.
    pub exit: Option<Exit>,
    /// Whether the exit is open, where the provider says so as such.
    pub allowed: Option<bool>,
    /// The first instant at which the exit is closed, or closes.
    pub until: Option<Instant>,
    /// The currency of its amounts.
    pub currency: Option<Currency>,
    /// What would come back in money.
    pub refund: Option<Amount>,
    /// The fee that would be kept.
    pub fee: Option<Amount>,
    /// The value that an exchange would take along.
    pub carry_over: Option<Amount>,
    /// What leaving would cost in new money.
    pub charge: Option<Amount>,
    /// The instant of which it speaks, where the payload shows it.
    pub at: Option<Instant>,
    /// Its own words or code, where it gives a reason.
    pub says: Option<String>,
}

impl Statement {
    /// A statement of which only the place is known.
    #[must_use]
    pub fn by(by: &str) -> Self {
        Self {
            by: by.to_owned(),
            exit: None,
            allowed: None,
            until: None,
            currency: None,
            refund: None,
            fee: None,
            carry_over: None,
            charge: None,
            at: None,
            says: None,
        }
    }

    /// Whether the exit is open at `at`, by what is stated.
    #[must_use]
    pub fn allows(&self, at: Instant) -> Option<bool> {
        match (self.allowed, self.until) {
            (Some(false), _) => Some(false),
            (_, Some(until)) => Some(at < until),
            (allowed, None) => allowed,
        }
    }

    /// Its amounts by name, as files and faces write them.
    #[must_use]
    pub fn amounts(&self) -> [(&'static str, Option<Amount>); 4] {
        [("refund", self.refund), ("fee", self.fee), ("carry_over", self.carry_over), ("charge", self.charge)]
    }

    /// As a portfolio file writes it, instants in `zone`.
    #[must_use]
    pub fn to_json(&self, zone: Zone) -> Value {
        let mut map = Map::new();
        let time = |instant: Instant| Value::String(instant.display(zone).to_string());
        map.insert("by".into(), self.by.as_str().into());
        put(&mut map, "exit", self.exit.map(|exit| exit.as_str().into()));
        put(&mut map, "allowed", self.allowed.map(Value::Bool));
        put(&mut map, "until", self.until.map(time));
        put(&mut map, "currency", self.currency.map(|currency| currency.to_string().into()));
        self.amounts()
            .into_iter()
            .for_each(|(name, amount)| put(&mut map, name, amount.map(|amount| amount.to_string().into())));
        put(&mut map, "at", self.at.map(time));
        put(&mut map, "says", self.says.as_deref().map(Value::from));
        Value::Object(map)
    }
}

fn put(map: &mut Map<String, Value>, name: &str, value: Option<Value>) {
    if let Some(value) = value {
        map.insert(name.to_owned(), value);
    }
}

impl ResourceRecord {
    /// Keeps a statement; one that two files repeat is kept once.
    pub fn state(&mut self, statement: Statement) {
        if !self.stated.contains(&statement) {
            self.stated.push(statement);
        }
    }
}

/// What the rules alone say of the exit of which a statement speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Own {
    /// The exit; none where the rules know no such exit for the resource.
    pub exit: Option<Exit>,
    /// Whether it is open.
    pub outcome: Outcome,
    /// Until when the answer holds.
    pub until: Option<Instant>,
    /// The currency of the amounts.
    pub currency: Option<Currency>,
    /// The amounts, in the order of [`Statement::amounts`].
    pub amounts: [Option<Amount>; 4],
}

impl Own {
    fn of(ruling: Option<&RulingData>) -> Self {
        let quote = ruling.and_then(|ruling| ruling.refund.as_ref());
        Self {
            exit: ruling.map(|ruling| ruling.exit),
            outcome: ruling.map_or(Outcome::Refused, RulingData::outcome),
            until: ruling.and_then(|ruling| ruling.until),
            currency: quote.map(RefundQuote::currency),
            amounts: [
                quote.map(RefundQuote::refund),
                quote.map(RefundQuote::fee),
                quote.and_then(RefundQuote::carried_over),
                quote.and_then(RefundQuote::charge),
            ],
        }
    }
}

/// Something in which a statement and the rules differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// Whether the exit is open.
    Allowed {
        /// As the provider states it.
        stated: bool,
    },
    /// When it closes: so much later by the provider, earlier where negative.
    Until(Span),
    /// An amount, by its name in [`Statement::amounts`]: so much more by the provider, less where negative.
    Amount(&'static str, Amount, Currency),
    /// The amounts are in different currencies and cannot be compared.
    Currency {
        /// That of the provider's amounts.
        stated: Currency,
        /// That of the rules' amounts.
        own: Currency,
    },
}

/// A statement beside what the rules say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// The provider's own answer.
    pub statement: Statement,
    /// What the rules alone say.
    pub own: Own,
    /// In what they differ; empty where nothing that both say differs.
    pub differences: Vec<Difference>,
    /// Whether both say anything that can be compared.
    pub is_comparable: bool,
}

impl Compared {
    /// Puts a statement beside the rulings made at `at` without it.
    ///
    /// Only what both say is compared: a condition that is not settled agrees with either answer, and a
    /// figure that one of them does not give is no difference. What a ruling calls `until` may be another
    /// change than the exit's end: `closes` says whether the exit is closed from then on.
    #[must_use]
    pub fn of(
        statement: &Statement,
        assessment: &Assessment,
        at: Instant,
        closes: impl Fn(Exit, Instant) -> bool,
    ) -> Self {
        let exit = statement.exit.or_else(|| assessment.best());
        let ruling = exit.and_then(|exit| assessment.ruling(exit));
        let own = Own::of(ruling);
        // Where it is not known whether a window is open, it is not known either when it closes.
        let window_unknown =
            ruling.is_some_and(|ruling| ruling.unknowns.iter().any(|unknown| unknown.reason == Reason::WindowClosed));
        let mut differences = Vec::new();
        let answers = statement.allows(at).is_some() && own.outcome != Outcome::Conditional;
        match (statement.allows(at), own.outcome) {
            (Some(true), Outcome::Refused) => differences.push(Difference::Allowed { stated: true }),
            (Some(false), Outcome::Allowed) => differences.push(Difference::Allowed { stated: false }),
            _ => {}
        }
        let untils = statement
            .until
            .zip(own.until)
            .filter(|_| own.outcome != Outcome::Refused && !window_unknown)
            .filter(|(stated, ours)| stated == ours || exit.is_some_and(|exit| closes(exit, *ours)));
        let later = untils.map(|(stated, ours)| stated.since(ours)).filter(|by| by.micros() != 0);
        differences.extend(later.map(Difference::Until));
        let both = || {
            let pairs = statement.amounts().into_iter().zip(own.amounts);
            pairs.filter_map(|((name, stated), ours)| Some((name, stated? - ours?)))
        };
        let sums = both().next().is_some();
        if sums && let Some(ours) = own.currency {
            match statement.currency.filter(|stated| *stated != ours) {
                Some(stated) => differences.push(Difference::Currency { stated, own: ours }),
                None => {
                    let differing = both().filter(|(_, by)| !by.is_zero());
                    differences.extend(differing.map(|(name, by)| Difference::Amount(name, by, ours)));
                }
            }
        }
        let is_comparable = answers || untils.is_some() || sums;
        Self { statement: statement.clone(), own, differences, is_comparable }
    }

    /// Whether anything that both say differs.
    #[must_use]
    pub fn differs(&self) -> bool {
        !self.differences.is_empty()
    }

    /// What differs, by name: `allowed`, `until_seconds`, an amount's name, `currency`. Amounts and seconds
    /// are positive where the provider states more, or later.
    #[must_use]
    pub fn difference_json(&self) -> Map<String, Value> {
        let written = self.differences.iter().map(|one| match one {
            Difference::Allowed { stated } => ("allowed", Value::Bool(*stated)),
            Difference::Until(span) => ("until_seconds", span.whole_seconds().into()),
            Difference::Amount(name, by, _) => (*name, by.to_string().into()),
            Difference::Currency { stated, own } => ("currency", format!("{stated}, not {own}").into()),
        });
        written.map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// As assessments write it: the statement, what the rules say (`own`), and `difference` with what
    /// differs, left out where nothing does.
    #[must_use]
    pub fn to_json(&self, zone: Zone) -> Value {
        let mut own = Map::new();
        own.insert("exit".into(), self.own.exit.map_or(Value::Null, |exit| exit.as_str().into()));
        own.insert("outcome".into(), self.own.outcome.as_str().into());
        put(&mut own, "until", self.own.until.map(|until| until.display(zone).to_string().into()));
        put(&mut own, "currency", self.own.currency.map(|currency| currency.to_string().into()));
        for ((name, _), amount) in self.statement.amounts().into_iter().zip(self.own.amounts) {
            put(&mut own, name, amount.map(|amount| amount.to_string().into()));
        }
        let difference = self.difference_json();
        let mut written = self.statement.to_json(zone);
        if let Value::Object(map) = &mut written {
            map.insert("own".into(), Value::Object(own));
            if !difference.is_empty() {
                map.insert("difference".into(), Value::Object(difference));
            }
        }
        written
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refund::RefundParts;
    use crate::vocab::{Destination, Instrument};

    fn instant(text: &str) -> Instant {
        Instant::parse(text, Zone::UTC).unwrap()
    }

    fn ruled(refund: Option<&str>, until: Option<&str>) -> Assessment {
        let mut ruling = RulingData::new(Exit::Return);
        ruling.until = until.map(instant);
        ruling.refund = refund.map(|refund| {
            let amount: Amount = refund.parse().unwrap();
            RefundQuote::try_from(RefundParts {
                currency: Currency::USD,
                paid: amount,
                consumed: Some(Amount::default()),
                fee: Amount::default(),
                forfeited: Some(Amount::default()),
                returned: vec![crate::refund::Returned {
                    instrument: Instrument::Cash,
                    amount,
                    to: Destination::NextInvoice,
                    expires_at: None,
                }],
                released: None,
                carry_over: None,
                charge: None,
                proceeds: None,
            })
            .unwrap()
        });
        Assessment::from_rulings(vec![ruling], Outcome::Allowed, Some(Exit::Return)).unwrap()
    }

    fn stated(refund: Option<&str>, currency: &str, until: Option<&str>) -> Statement {
        let mut stated = Statement::by("quote");
        stated.refund = refund.map(|refund| refund.parse().unwrap());
        stated.currency = currency.parse().ok();
        stated.until = until.map(instant);
        stated
    }

    #[test]
    fn each_difference_says_by_how_much() {
        let at = instant("2026-01-02");
        let cases = [
            (ruled(Some("80.00"), None), stated(Some("80.00"), "USD", None), vec![]),
            (
                ruled(Some("80.00"), None),
                stated(Some("79.50"), "USD", None),
                vec![Difference::Amount("refund", "-0.50".parse().unwrap(), Currency::USD)],
            ),
            (
                ruled(Some("80.00"), None),
                stated(Some("80.00"), "EUR", None),
                vec![Difference::Currency { stated: "EUR".parse().unwrap(), own: Currency::USD }],
            ),
            (
                ruled(None, Some("2026-01-08")),
                stated(None, "", Some("2026-01-09T01:00:00Z")),
                vec![Difference::Until(Span::hours(25))],
            ),
            (
                ruled(None, Some("2026-01-08")),
                stated(None, "", Some("2026-01-01")),
                vec![Difference::Allowed { stated: false }, Difference::Until(Span::days(-7))],
            ),
        ];
        for (assessment, statement, expected) in cases {
            let compared = Compared::of(&statement, &assessment, at, |_, _| true);
            assert_eq!(compared.differences, expected, "{statement:?}");
            assert!(compared.is_comparable);
            assert_eq!(compared.to_json(Zone::UTC).get("difference").is_some(), compared.differs());
        }
    }

    #[test]
    fn what_only_one_of_them_says_is_no_difference() {
        let at = instant("2026-01-02");
        let compared = Compared::of(&stated(Some("80.00"), "USD", None), &ruled(None, None), at, |_, _| true);
        assert!(!compared.differs() && !compared.is_comparable);
        // An exit that the rules do not know is refused by them.
        let mut other = Statement::by("allowed");
        (other.exit, other.allowed) = (Some(Exit::Resale), Some(true));
        let compared = Compared::of(&other, &ruled(None, None), at, |_, _| true);
        assert_eq!(compared.differences, [Difference::Allowed { stated: true }]);
        assert_eq!(compared.own.exit, None);
    }

    #[test]
    fn an_until_at_which_the_exit_stays_open_is_not_its_end() {
        let (ruled, stated) = (ruled(None, Some("2026-01-08")), stated(None, "", Some("2026-01-09")));
        let at = instant("2026-01-02");
        assert!(Compared::of(&stated, &ruled, at, |_, _| true).differs());
        assert!(!Compared::of(&stated, &ruled, at, |_, _| false).differs());
    }
}
