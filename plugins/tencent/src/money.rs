//! The kinds of money: what an order was paid with, what is left of it, and where that goes.

use recoup_core::money::Currency;
use recoup_core::prelude::*;
use recoup_core::refund::{Missing, RefundParts, Returned};

use crate::{clause, list, param, product};

/// Why a figure cannot be computed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Gap {
    /// The record does not say what was paid.
    Paid(Missing),
    /// A price, a date or a rule is missing.
    Unknown(ClauseId, Reason, Option<&'static str>),
}

impl From<Missing> for Gap {
    fn from(missing: Missing) -> Self {
        Self::Paid(missing)
    }
}

impl Gap {
    /// Records the gap.
    pub(crate) fn report(self, clause: ClauseId, ruling: &mut Ruling<'_>) {
        match self {
            Self::Paid(missing) => ruling.missing(clause, missing),
            Self::Unknown(clause, reason, fact) => ruling.no_figure(clause, reason, fact),
        }
    }
}

/// What paid an order, by kind of money, and what is left of that.
#[derive(Debug, Clone)]
pub(crate) struct Left {
    kinds: Vec<(Instrument, Amount)>,
    coupons: Amount,
    /// What is left of the money.
    pub(crate) left: Amount,
}

impl Left {
    /// What paid an order; all of the money is left.
    pub(crate) fn of(order: &impl Order, currency: Currency) -> Result<Self, Missing> {
        let mut ledger = Ledger::new(currency);
        ledger.add_order(order)?;
        let mut kinds: Vec<(Instrument, Amount)> = Vec::with_capacity(2);
        for payment in ledger.payments().filter(|payment| payment.instrument.is_money()) {
            match kinds.iter_mut().find(|(kind, _)| *kind == payment.instrument) {
                Some((_, amount)) => *amount += payment.amount,
                None => kinds.push((payment.instrument, payment.amount)),
            }
        }
        let money = ledger.money();
        Ok(Self { kinds, coupons: ledger.paid() - money, left: money })
    }

    /// The money that was paid.
    pub(crate) fn money(&self) -> Amount {
        self.kinds.iter().map(|(_, amount)| *amount).sum()
    }

    /// Takes what was consumed, at most what is left.
    pub(crate) fn consume(&mut self, amount: Amount) {
        self.left = (self.left - amount.floor_zero()).floor_zero();
    }

    fn cash(&self) -> Amount {
        let cash = |kind: Instrument| !matches!(kind, Instrument::Bonus | Instrument::Earnings);
        self.kinds.iter().filter(|(kind, _)| cash(*kind)).map(|(_, amount)| *amount).sum()
    }

    /// What comes back of each kind: by the ratio paid, rounded half up, the odd cent to the larger.
    fn by_ratio(&self, back: Amount, currency: Currency) -> Vec<(Instrument, Amount)> {
        let money = self.money();
        let mut parts: Vec<(Instrument, Amount)> = self
            .kinds
            .iter()
            .map(|(kind, amount)| (*kind, Exact::from(back).times(*amount).over(money).round(currency)))
            .collect();
        let odd = back - parts.iter().map(|(_, amount)| *amount).sum();
        let largest = self.kinds.iter().enumerate().max_by(|(i, a), (j, b)| a.1.cmp(&b.1).then(j.cmp(i)));
        if let Some((index, _)) = largest
            && let Some((_, amount)) = parts.get_mut(index)
        {
            *amount += odd;
        }
        parts
    }

    /// What comes back of each kind where consumption takes free credit first.
    fn credit_first(&self, back: Amount, currency: Currency) -> Vec<(Instrument, Amount)> {
        let mut taken = self.money() - back;
        let mut rest = self.clone();
        for (_, amount) in rest.kinds.iter_mut().filter(|(kind, _)| *kind == Instrument::Bonus) {
            let from_credit = taken.at_most(*amount);
            *amount -= from_credit;
            taken -= from_credit;
        }
        rest.by_ratio(back, currency)
    }
}

/// In which form money comes back.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Form {
    /// As something else than what paid, with its end where it lapses.
    instead: Option<(Instrument, Destination, Option<Instant>)>,
    /// To the agent or third party that paid.
    to_partner: bool,
    /// Whether consumption takes free credit before cash.
    credit_first: bool,
    /// The share of the cash that is kept.
    fee: Option<Number>,
    /// The share of all money that is kept.
    kept: Option<Number>,
}

impl Form {
    /// Of a full return: every kind to its own kind.
    pub(crate) fn full(cx: &Context<'_>, ruling: &mut Ruling<'_>) -> Self {
        ruling.cite(clause::DEST);
        Self { to_partner: cx.flag(Flag::PaidByPartner).is_yes(), fee: fee(cx, ruling), ..Self::default() }
    }

    /// Of an ordinary return: by kind from 2018-11-05 on, before as vouchers or free credit.
    pub(crate) fn ordinary(cx: &Context<'_>, ruling: &mut Ruling<'_>) -> Self {
        let mut form = Self::full(cx, ruling);
        if cx.in_force(clause::FORM_VOUCHER) {
            form.instead = Some(voucher(clause::FORM_VOUCHER, cx, ruling));
            // Vouchers for what an agent paid go to the end customer.
            ruling.cite_if(clause::FORM_END_CUSTOMER, form.to_partner);
            form.to_partner = false;
        } else if cx.in_force(clause::FORM_FREE_CREDIT) {
            form.instead = Some(free_credit(clause::FORM_FREE_CREDIT, form.to_partner, ruling));
        } else if cx.listed(list::FORM_FREE_CREDIT) {
            form.instead = Some(free_credit(clause::PART_FORM_FREE_CREDIT, form.to_partner, ruling));
        } else if cx.listed(list::FORM_FREE_CREDIT_INTL) {
            form.instead = Some(free_credit(clause::INTL_OCEANUS, form.to_partner, ruling));
        } else {
            ruling.cite(clause::PART_SPLIT);
        }
        form
    }

    /// Of a downgrade: CVM has dates of its own.
    pub(crate) fn downgrade(cx: &Context<'_>, ruling: &mut Ruling<'_>) -> Self {
        if !cx.is_product(product::CVM) {
            return Self { fee: None, ..Self::ordinary(cx, ruling) };
        }
        let mut form = Self { fee: None, ..Self::full(cx, ruling) };
        if cx.in_force(clause::DOWNGRADE_VOUCHER) {
            form.instead = Some(voucher(clause::DOWNGRADE_VOUCHER, cx, ruling));
            form.to_partner = false;
        } else if cx.in_force(clause::DOWNGRADE_FREE_CREDIT) {
            form.instead = Some(free_credit(clause::DOWNGRADE_FREE_CREDIT, form.to_partner, ruling));
        } else {
            ruling.cite(clause::PART_SPLIT);
        }
        form
    }

    /// Of a switch to pay-as-you-go: by kind, without a fee.
    pub(crate) fn switched(cx: &Context<'_>, ruling: &mut Ruling<'_>) -> Self {
        Self { fee: None, ..Self::ordinary(cx, ruling) }
    }

    /// Of a switch from bandwidth to traffic.
    pub(crate) fn traffic(cx: &Context<'_>, ruling: &mut Ruling<'_>) -> Self {
        let credit_first = cx.in_force(clause::SWITCH_CREDIT_FIRST);
        ruling.cite(clause::SWITCH_TRAFFIC);
        ruling.cite(clause::SWITCH_CREDIT_FIRST);
        ruling.cite(clause::DEST);
        Self { to_partner: cx.flag(Flag::PaidByPartner).is_yes(), credit_first, ..Self::default() }
    }

    /// The same with a share of all money kept.
    pub(crate) fn keeping(self, share: Number) -> Self {
        Self { kept: Some(share), ..self }
    }

    fn destination(self, kind: Instrument) -> Destination {
        match kind {
            _ if self.to_partner => Destination::PartnerAccount,
            Instrument::Card | Instrument::Online | Instrument::Prepayment => Destination::AccountBalance,
            other => Destination::itself(other),
        }
    }

    /// Settles what is left of one order.
    fn settle(self, part: &Left, currency: Currency) -> RefundQuote {
        let money = part.money();
        let share_of = |base: Amount, share: Option<Number>| {
            share.map_or(Amount::ZERO, |share| Exact::from(base).times(share).round(currency))
        };
        let fee = (share_of(part.cash(), self.fee) + share_of(money, self.kept)).at_most(part.left);
        let back = part.left - fee;
        let kinds = match self.instead {
            Some((instrument, _, _)) => vec![(instrument, back)],
            None if self.credit_first => part.credit_first(back, currency),
            None => part.by_ratio(back, currency),
        };
        let returned = kinds
            .into_iter()
            .filter(|(_, amount)| amount.is_positive())
            .map(|(instrument, amount)| match self.instead {
                Some((_, to, expires_at)) => Returned { instrument, amount, to, expires_at },
                None => Returned { instrument, amount, to: self.destination(instrument), expires_at: None },
            })
            .collect();
        let parts = RefundParts {
            currency,
            paid: money + part.coupons,
            consumed: Some(money - part.left),
            fee,
            forfeited: Some(part.coupons),
            returned,
            released: None,
            carry_over: None,
            charge: None,
            proceeds: None,
        };
        // The parts add up by the lines above; a quote that did not would be one of nothing.
        RefundQuote::try_from(parts).unwrap_or_else(|_| RefundQuote::nothing(currency))
    }

    /// Settles what is left of several orders, each by its own kinds of money.
    pub(crate) fn settle_all(self, parts: &[Left], currency: Currency) -> RefundQuote {
        let sum = parts.iter().fold(RefundQuote::nothing(currency), |sum, part| sum.plus(&self.settle(part, currency)));
        sum.naming(self.kinds(parts))
    }

    /// Where what comes back of each kind of money that paid goes.
    fn kinds(self, parts: &[Left]) -> impl Iterator<Item = (Instrument, Destination)> {
        parts.iter().flat_map(|part| &part.kinds).map(move |(kind, _)| match self.instead {
            Some((instrument, to, _)) => (instrument, to),
            None => (*kind, self.destination(*kind)),
        })
    }
}

fn voucher(clause: ClauseId, cx: &Context<'_>, ruling: &mut Ruling<'_>) -> (Instrument, Destination, Option<Instant>) {
    ruling.cite(clause);
    let months = cx.param(param::VOUCHER_MONTHS).and_then(|months| months.whole());
    let end = months.and_then(|months| i32::try_from(months).ok()).map(|months| cx.zone.add_months(cx.at, months));
    (Instrument::Voucher, Destination::Voucher, end)
}

fn free_credit(
    clause: ClauseId,
    to_partner: bool,
    ruling: &mut Ruling<'_>,
) -> (Instrument, Destination, Option<Instant>) {
    ruling.cite(clause);
    (Instrument::Bonus, if to_partner { Destination::PartnerAccount } else { Destination::Bonus }, None)
}

/// The share of the cash that promotion-channel orders lose, where a page in force says so.
fn fee(cx: &Context<'_>, ruling: &mut Ruling<'_>) -> Option<Number> {
    let held = cx.param(param::PROMO_FEE)?;
    let every_product = cx.in_force(clause::FEE_PROMO25);
    let applies = every_product || cx.listed(list::PROMO25) || cx.listed(list::PROMO25_REDIS);
    let referral = cx.flag(Flag::ReferralOrder).is_yes();
    ruling.cite_if(held.clause, applies && referral).then_some(held.value)
}

/// What was consumed, to the cent, so that what remains is rounded half up.
pub(crate) fn to_cents(consumed: &Exact, currency: Currency) -> Amount {
    let rounded = consumed.round(currency);
    let unit = currency.minor_unit();
    let above = Exact::from(rounded).minus(consumed).times(2_i64);
    if above == Exact::from(unit) { rounded - unit } else { rounded }
}

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Its period is over: it counts nowhere.
    Over,
    /// Its period runs since then.
    Running(Instant),
    /// Its period begins then: until it does, it returns whole.
    NotBegun(Instant),
}

/// Where an order stands; nothing where its start is unknown.
pub(crate) fn standing<R: Resource>(resource: &R, order: &impl Order, cx: &Context<'_>) -> Option<Standing> {
    let is_first = matches!(order.kind(), OrderKind::Purchase | OrderKind::Conversion);
    let start = order
        .starts_at()
        .or_else(|| if order.kind() == OrderKind::Renewal { None } else { order.paid_at() })
        .or_else(|| if is_first { resource.starts_at() } else { None })?;
    if start > cx.at {
        return Some(Standing::NotBegun(start));
    }
    let end = end_of(resource, order, start, cx);
    Some(if end.is_some_and(|end| end <= cx.at) { Standing::Over } else { Standing::Running(start) })
}

/// The end of an order's period.
pub(crate) fn end_of<R: Resource>(
    resource: &R,
    order: &impl Order,
    start: Instant,
    cx: &Context<'_>,
) -> Option<Instant> {
    let by_term = || order.term().map(|term| term.end(start, cx.zone));
    let only_period = || if resource.periods().count() <= 1 { resource.ends_at() } else { None };
    order.ends_at().or_else(by_term).or_else(only_period)
}
