//! What is held now and which of it leaves: the orders behind the current charge, and their windows
//! (page, sections 3 and 6).

use recoup_core::prelude::*;
use recoup_core::refund::Missing;

use crate::clause;

/// How much of what is held leaves (fact `quantity_leaving`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leaving {
    /// All of it, which is taken where nothing else is stated.
    All,
    /// So many units.
    Part(Number),
    /// More units than are held.
    TooMany,
}

impl Leaving {
    /// What the record says.
    pub(crate) fn of<R: Resource>(resource: &R, cx: &Context<'_>) -> Self {
        let held = resource.quantity();
        match cx.figure(resource, Figure::QuantityLeaving) {
            Some(units) if units > held => Self::TooMany,
            Some(units) if units < held => Self::Part(units.max(Number::ZERO)),
            _ => Self::All,
        }
    }

    /// Which part of all units leaves.
    pub(crate) fn share(self, held: Number) -> Exact {
        match self {
            Self::Part(units) => Exact::from(units).over(held),
            Self::All | Self::TooMany => Exact::ONE,
        }
    }
}

/// The latest purchase or renewal and the additions after it. A conversion is neither a charge to
/// prorate nor a window.
pub(crate) fn held<R: Resource>(resource: &R) -> impl Iterator<Item = R::Order<'_>> + '_ {
    let is_base = |kind| matches!(kind, OrderKind::Purchase | OrderKind::Renewal);
    let base = resource.paid_orders().enumerate().filter(|(_, order)| is_base(order.kind())).last();
    let base = base.map_or(0, |(index, _)| index);
    resource.paid_orders().enumerate().filter_map(move |(index, order)| {
        let holds = (index == base && is_base(order.kind())) || (index >= base && order.kind() == OrderKind::Upgrade);
        holds.then_some(order)
    })
}

/// How many units an order bought; that of a single order may stand on the resource alone.
fn units_of(order: &impl Order, alone: bool, all: Number) -> Option<Number> {
    order.quantity().or(alone.then_some(all))
}

/// The orders out of which what leaves is taken, oldest first, with the part of each: the newest ones
/// give first. `None` where an order does not say how many units it bought.
pub(crate) fn touched<R: Resource>(
    resource: &R,
    leaving: Leaving,
) -> Option<impl Iterator<Item = (R::Order<'_>, Exact)> + '_> {
    let alone = held(resource).nth(1).is_none();
    let all = resource.quantity();
    let (wanted, mut newer) = match leaving {
        Leaving::Part(units) => {
            let total =
                held(resource).try_fold(Number::ZERO, |sum, order| Some(sum + units_of(&order, alone, all)?))?;
            (Some(units), total)
        }
        Leaving::All | Leaving::TooMany => (None, Number::ZERO),
    };
    Some(held(resource).filter_map(move |order| {
        let Some(wanted) = wanted else { return Some((order, Exact::ONE)) };
        let units = units_of(&order, alone, all)?;
        newer -= units;
        let taken = (wanted - newer).min(units);
        taken.is_positive().then(|| (order, Exact::from(taken).over(units)))
    }))
}

/// When the window that decides began, and the field that would say so where it is not known: the
/// oldest order touched decides, which is the first of them to close.
pub(crate) fn window_start<R: Resource>(
    resource: &R,
    cx: &Context<'_>,
    leaving: Leaving,
    end_of: impl Fn(Instant) -> Instant,
) -> (Option<Instant>, &'static str) {
    // Whatever was renewed or added since was so later: where the first window is open, all are.
    let open = |start: &Instant| cx.at < end_of(*start);
    if resource.orders().is_none() {
        return (resource.purchased_at().filter(open), "orders");
    }
    let placed = |order: R::Order<'_>| {
        order.placed_at().or(resource.purchased_at().filter(|_| order.kind() == OrderKind::Purchase))
    };
    match touched(resource, leaving) {
        Some(mut orders) => match orders.next() {
            Some((order, _)) => (placed(order), "placed_at"),
            None => (resource.purchased_at(), "purchased_at"),
        },
        None => (held(resource).next().and_then(placed).filter(open), "quantity"),
    }
}

/// Refuses where the window that decides is over: that of the API where it states one
/// (`nce.api-window`), else the computed one. Half-open.
pub(crate) fn refuse_after_window<R: Resource>(
    resource: &R,
    cx: &Context<'_>,
    ruling: &mut Ruling<'_>,
    window: ClauseId,
    leaving: Leaving,
    end_of: impl Fn(Instant) -> Instant,
) {
    if let Some(end) = cx.moment(resource, Moment::ReturnableUntil) {
        ruling.cite(clause::API_WINDOW);
        ruling.window(window, "returnable_until", Some(end), |at, end| at < end);
        return;
    }
    let (start, field) = window_start(resource, cx, leaving, &end_of);
    ruling.window(window, field, start.map(end_of), |at, end| at < end);
}

/// The part of one order that leaves.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    /// When the order was placed.
    pub(crate) placed_at: Option<Instant>,
    /// Its charge cycle, the end exclusive.
    pub(crate) cycle: Option<(Instant, Instant)>,
    /// How many units the order bought.
    pub(crate) units: Option<Number>,
    /// How much of it leaves.
    pub(crate) share: Exact,
    /// What the whole order was charged.
    pub(crate) charge: Amount,
    /// The smallest amount in which it is credited.
    pub(crate) minor_unit: Amount,
}

impl Line {
    /// What the leaving part was charged, not rounded.
    pub(crate) fn part(&self) -> Exact {
        Exact::from(self.charge).times(self.share.clone())
    }
}

/// What becomes of the leaving part of an order's charge.
#[derive(Debug, Clone)]
pub(crate) enum Taken {
    /// Everything comes back.
    Nothing,
    /// So much is consumed, the rest comes back.
    Consumed(Exact),
    /// So much is consumed, and of the rest this share is kept as a fee.
    ConsumedWithFee(Exact, Number),
    /// So much comes back, the rest is consumed.
    AllBut(Exact),
}

/// Why a figure cannot be computed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Gap {
    /// The money is unknown.
    Money(Missing),
    /// A date or a quantity is unknown.
    Field(&'static str),
}

impl Gap {
    /// Records the gap on the clause that needs the figure.
    pub(crate) fn record(self, ruling: &mut Ruling<'_>, clause: ClauseId) {
        match self {
            Self::Money(missing) => ruling.missing(clause, missing),
            Self::Field(field) => ruling.no_figure(clause, Reason::RuleUnknown, Some(field)),
        }
    }
}

/// What comes back of everything that leaves, order by order, each rounded by itself. All of it is a
/// credit in the partner's next invoice.
pub(crate) fn add_up<R: Resource>(
    resource: &R,
    cx: &Context<'_>,
    leaving: Leaving,
    take: impl Fn(&Line) -> Result<Taken, Gap>,
) -> Result<RefundQuote, Gap> {
    let alone = held(resource).nth(1).is_none();
    let none = cx.ledger(resource, std::iter::empty::<R::Order<'_>>()).map_err(Gap::Money)?;
    let mut sum = RefundQuote::nothing(none.currency());
    for (order, share) in touched(resource, leaving).ok_or(Gap::Field("quantity"))? {
        let ends_at = order.ends_at().or_else(|| Some(order.term()?.end(order.starts_at()?, cx.zone)));
        let mut line = Line {
            placed_at: order.placed_at().or(resource.purchased_at().filter(|_| order.kind() == OrderKind::Purchase)),
            cycle: order.starts_at().zip(ends_at),
            units: units_of(&order, alone, resource.quantity()),
            charge: Amount::ZERO,
            minor_unit: none.currency().minor_unit(),
            share,
        };
        let ledger = cx.ledger(resource, std::iter::once(order)).map_err(Gap::Money)?;
        line.charge = ledger.paid();
        let mut draft = ledger.part(&line.share).settle(|_| Disposition::Share(Destination::NextInvoice));
        match take(&line)? {
            Taken::Nothing => Amount::ZERO,
            Taken::Consumed(used) => draft.consume(&used),
            Taken::ConsumedWithFee(used, rate) => {
                draft.consume(&used);
                let rest = Exact::from(draft.left());
                draft.keep_fee(&rest.times(rate))
            }
            Taken::AllBut(back) => draft.give_back_only(&back),
        };
        sum = sum.plus(&draft.finish());
    }
    Ok(sum)
}

/// Nothing comes back: what was charged for the leaving part is consumed.
pub(crate) fn all_consumed<R: Resource>(resource: &R, cx: &Context<'_>, leaving: Leaving) -> Result<RefundQuote, Gap> {
    add_up(resource, cx, leaving, |line| Ok(Taken::Consumed(line.part())))
}
