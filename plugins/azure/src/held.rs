//! What is held now: the purchase, or the renewal that has begun, and how much of it leaves.

use recoup_core::prelude::*;
use recoup_core::refund::Missing;

/// The purchase that is held now. A renewal is a new reservation: one that has begun makes its own
/// date the purchase date, and what was paid for earlier terms is over with them (section 3).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Held {
    /// When it was bought.
    pub(crate) bought_at: Option<Instant>,
    /// When its term begins.
    pub(crate) starts_at: Option<Instant>,
    /// When its term ends.
    pub(crate) ends_at: Option<Instant>,
    /// How many paid orders belong to earlier terms.
    earlier: usize,
}

impl Held {
    /// Finds what a resource holds at the instant asked about.
    pub(crate) fn of<R: Resource>(resource: &R, cx: &Context<'_>) -> Self {
        let (mut first, mut renewed): (Option<Self>, Option<Self>) = (None, None);
        for (earlier, order) in resource.paid_orders().enumerate() {
            let bought_at = order.placed_at().or(order.paid_at());
            let starts_at = order.starts_at().or(bought_at);
            let held = Self { bought_at, starts_at, ends_at: order.ends_at(), earlier };
            match order.kind() {
                OrderKind::Renewal if starts_at.is_none_or(|start| start <= cx.at) => {
                    renewed = Some(Self { bought_at: bought_at.or(starts_at), ..held });
                }
                OrderKind::Purchase if first.is_none() => first = Some(Self { earlier: 0, ..held }),
                _ => {}
            }
        }
        let mut held = renewed.unwrap_or_else(|| {
            let first = first.unwrap_or(Self { bought_at: None, starts_at: None, ends_at: None, earlier: 0 });
            let bought_at = resource.purchased_at().or(first.bought_at);
            Self {
                bought_at,
                starts_at: resource.starts_at().or(first.starts_at).or(bought_at),
                ends_at: resource.ends_at().or(first.ends_at),
                earlier: 0,
            }
        });
        let by_term = |start: Instant| {
            let months = resource.commitment().and_then(|commitment| commitment.term_months)?;
            i32::try_from(months).ok().map(|months| cx.zone.add_months(start, months))
        };
        held.ends_at = held.ends_at.or(resource.ends_at()).or_else(|| held.starts_at.and_then(by_term));
        held
    }

    /// The paid orders of what is held.
    pub(crate) fn orders<'r, R: Resource>(
        &self,
        resource: &'r R,
        at: Instant,
    ) -> impl Iterator<Item = R::Order<'r>> + use<'r, R> {
        resource.paid_orders().skip(self.earlier).filter(move |order| !order.is_pending_renewal(at))
    }

    /// What was paid for the part that leaves.
    ///
    /// # Errors
    /// Where orders, payments or currency are unknown.
    pub(crate) fn ledger<R: Resource>(&self, resource: &R, cx: &Context<'_>) -> Result<Ledger, Missing> {
        let ledger = cx.ledger(resource, self.orders(resource, cx.at))?;
        Ok(match Leaving::of(resource, cx) {
            Leaving::All | Leaving::TooMany => ledger,
            Leaving::Part(share) => ledger.part(&share),
        })
    }

    /// Whether its term is over. Periods are half-open: at its end it is.
    pub(crate) fn is_over(&self, at: Instant) -> bool {
        self.ends_at.is_some_and(|end| end <= at)
    }
}

/// How much of the quantity leaves (fact `quantity_leaving`; all where it is absent).
#[derive(Debug, Clone)]
pub(crate) enum Leaving {
    /// Everything that is held.
    All,
    /// This share of it.
    Part(Exact),
    /// More than is held.
    TooMany,
}

impl Leaving {
    /// Reads it.
    pub(crate) fn of<R: Resource>(resource: &R, cx: &Context<'_>) -> Self {
        let held = resource.quantity();
        match cx.figure(resource, Figure::QuantityLeaving) {
            Some(leaving) if leaving > held => Self::TooMany,
            Some(leaving) if leaving < held && !leaving.is_negative() => Self::Part(Exact::from(leaving).over(held)),
            _ => Self::All,
        }
    }

    /// The part of a figure that speaks of the whole.
    pub(crate) fn of_whole(&self, whole: impl Into<Exact>) -> Exact {
        match self {
            Self::All | Self::TooMany => whole.into(),
            Self::Part(share) => whole.into().times(share.clone()),
        }
    }
}
