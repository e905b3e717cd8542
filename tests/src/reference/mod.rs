//! A second opinion: what comes back by the pages, worked out slowly and plainly.
//!
//! Written from what the providers publish, one record at a time, with exact fractions and the calendar alone. It
//! shares no rule, no figure and no helper with the adapters: a number that stands on a page stands here
//! again. Where a page does not decide something, or a record says too little for the plain reading, the reference
//! is silent about it instead of guessing; it never says what the adapters "surely mean".
//!
//! [`huawei`] and [`alibaba`] speak of money, windows and destinations of these two; [`laws`] holds for everybody.

pub mod alibaba;
mod calendar;
pub mod huawei;
pub mod laws;
mod purse;

use num_rational::BigRational;
use recoup_core::fact::{Figure as FigureFact, Flag, Text};
use recoup_core::money::Currency;
use recoup_core::record::{AccountRecord, OrderRecord, ResourceRecord};
use recoup_core::refund::Refund;
use recoup_core::ruling::RulingData;
use recoup_core::time::Instant;
use recoup_core::vocab::{Destination, Exit, Instrument, OrderStatus, Outcome, Reason};

use purse::{exact, show};

/// An exact amount of money, or any other fraction.
pub type Fraction = BigRational;

/// What is asked: one thing, at one instant, with what is known of its account.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The thing.
    pub resource: &'a ResourceRecord,
    /// Its account, where the accounts file has it.
    pub account: Option<&'a AccountRecord>,
    /// The contract that holds.
    pub site: &'a str,
    /// The instant.
    pub at: Instant,
}

impl<'a> Question<'a> {
    /// The question about a resource under some accounts; a record that names no site is of the default one.
    #[must_use]
    pub fn new(
        resource: &'a ResourceRecord,
        accounts: &'a [AccountRecord],
        default_site: &'a str,
        at: Instant,
    ) -> Self {
        let site = resource.site.as_deref().unwrap_or(default_site);
        let is_its = |account: &&AccountRecord| {
            account.provider == resource.provider
                && Some(&account.account) == resource.account.as_ref()
                && account.site.as_deref() == Some(site)
        };
        Self { resource, account: accounts.iter().find(is_its), site, at }
    }

    /// A fact wherever it may stand: true in any place is true, false in one and true in none is false.
    fn flag(&self, flag: Flag) -> Option<bool> {
        let orders = self.orders().iter().map(|order| order.facts.flags.get(flag));
        let account = self.account.and_then(|account| account.facts.flags.get(flag));
        let said: Vec<bool> = orders.chain([self.resource.facts.flags.get(flag), account]).flatten().collect();
        if said.is_empty() { None } else { Some(said.contains(&true)) }
    }

    fn text(&self, text: Text) -> Option<&'a str> {
        self.resource.facts.text(text).or_else(|| self.account?.facts.text(text))
    }

    fn orders(&self) -> &'a [OrderRecord] {
        self.resource.orders.as_deref().unwrap_or_default()
    }

    fn paid_orders(&self) -> impl Iterator<Item = &'a OrderRecord> {
        self.orders().iter().filter(|order| order.status == OrderStatus::Paid)
    }
}

/// A figure of an order by itself.
fn order_figure(order: &OrderRecord, figure: FigureFact) -> Option<Fraction> {
    order.facts.figure(figure).map(|number| exact(number.as_amount()))
}

/// What the pages say of the money of an exit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Money {
    /// Nothing that could be compared.
    Silent,
    /// No page prints the rule: there must be no figure.
    Unpublished,
    /// These parts.
    Parts(Box<Parts>),
}

/// The parts of a refund as far as the pages give them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parts {
    /// The currency.
    pub currency: Option<Currency>,
    /// All that was paid, by every instrument.
    pub paid: Option<Fraction>,
    /// What was used up.
    pub consumed: Option<Fraction>,
    /// The fee kept.
    pub fee: Option<Fraction>,
    /// What is lost without having been used.
    pub forfeited: Option<Fraction>,
    /// What comes back as money.
    pub refund: Option<Fraction>,
    /// What comes back to each instrument, where the pages say it to the cent.
    pub each: Option<Vec<(Instrument, Fraction)>>,
    /// Where it goes, by instrument.
    pub to: Vec<(Instrument, Destination)>,
}

/// What the pages say of one exit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// The exit.
    pub exit: Exit,
    /// Its money.
    pub money: Money,
    /// Reasons that must be among the refusals, or must not.
    pub refusals: Vec<(Reason, bool)>,
    /// Until when the exit stays as it is, where it is open now.
    pub open_until: Option<Instant>,
    /// Whether somebody reviews it first.
    pub review: Option<bool>,
}

impl Expected {
    fn of(exit: Exit) -> Self {
        Self { exit, money: Money::Silent, refusals: Vec::new(), open_until: None, review: None }
    }

    fn refused_for(mut self, reason: Reason, is_refused: Option<bool>) -> Self {
        self.refusals.extend(is_refused.map(|is_refused| (reason, is_refused)));
        self
    }

    fn with(mut self, money: Money) -> Self {
        self.money = money;
        self
    }

    /// Whether the pages give a figure.
    #[must_use]
    pub fn gives_figure(&self) -> bool {
        matches!(self.money, Money::Parts(_))
    }

    /// Whether anything is said that a missing ruling would contradict.
    #[must_use]
    pub fn must_be_ruled(&self) -> bool {
        self.gives_figure() || !self.refusals.is_empty()
    }

    /// Where a ruling says something else than the pages.
    #[must_use]
    pub fn differences(&self, ruling: &RulingData) -> Vec<String> {
        let mut found = Vec::new();
        for (reason, expected) in &self.refusals {
            if ruling.refused_for(*reason) != *expected {
                found.push(format!("{}: {reason} refuses: {expected} by the pages", self.exit));
            }
        }
        if ruling.outcome() == Outcome::Allowed && self.open_until.is_some() && ruling.until != self.open_until {
            let show = |instant: Option<Instant>| {
                instant.map_or("never".to_owned(), |instant| instant.display(recoup_core::time::Zone::UTC).to_string())
            };
            let (by_page, ruled) = (show(self.open_until), show(ruling.until));
            found.push(format!("{}: until {ruled}, {by_page} by the pages", self.exit));
        }
        if let Some(expected) = self.review
            && ruling.review.is_some() != expected
        {
            found.push(format!("{}: is reviewed: {expected} by the pages", self.exit));
        }
        match (&self.money, &ruling.refund) {
            (Money::Silent, _) | (Money::Unpublished, None) => {}
            (Money::Unpublished, Some(refund)) => {
                found.push(format!("{}: gives {}, but no page prints the rule", self.exit, refund.refund()));
            }
            (Money::Parts(_), None) => found.push(format!("{}: has no figure, but the pages give one", self.exit)),
            (Money::Parts(parts), Some(refund)) => found.extend(parts.differences(self.exit, refund)),
        }
        found
    }
}

impl Parts {
    fn differences(&self, exit: Exit, refund: &recoup_core::refund::RefundQuote) -> Vec<String> {
        let mut found = Vec::new();
        let mut compare = |what: String, expected: &Option<Fraction>, ruled: Option<Fraction>| {
            if let Some(expected) = expected
                && ruled.as_ref() != Some(expected)
            {
                let ruled = ruled.as_ref().map_or("nothing".to_owned(), show);
                found.push(format!("{exit}: {what} is {ruled}, {} by the pages", show(expected)));
            }
        };
        compare("paid".to_owned(), &self.paid, Some(exact(refund.paid())));
        compare("consumed".to_owned(), &self.consumed, refund.consumed().map(exact));
        compare("fee".to_owned(), &self.fee, Some(exact(refund.fee())));
        compare("forfeited".to_owned(), &self.forfeited, refund.forfeited().map(exact));
        compare("refund".to_owned(), &self.refund, Some(exact(refund.refund())));
        for (instrument, amount) in self.each.iter().flatten() {
            let items = refund.items().iter().filter(|item| item.instrument == *instrument);
            let ruled = items.map(|item| exact(item.amount)).sum();
            compare(format!("what comes back by {instrument}"), &Some(amount.clone()), Some(ruled));
        }
        for item in refund.items() {
            if let Some((_, to)) = self.to.iter().find(|(instrument, _)| *instrument == item.instrument)
                && *to != item.to
            {
                found.push(format!("{exit}: {} goes to {}, to {to} by the pages", item.instrument, item.to));
            }
        }
        if self.currency.is_some_and(|currency| currency != refund.currency()) {
            found.push(format!("{exit}: the currency is {}", refund.currency()));
        }
        found
    }
}
