//! Which of a resource's periods runs at the instant asked about, and which are still to come.

use recoup_core::prelude::*;

/// The period that runs.
pub(crate) struct Running<O> {
    /// The order that bought it.
    pub(crate) order: O,
    /// When it took effect.
    pub(crate) start: Option<Instant>,
    /// Its last second.
    pub(crate) end: Option<Instant>,
}

/// A resource's orders, read once for all exits.
pub(crate) struct Periods<O> {
    /// Whether the orders are known at all.
    pub(crate) known: bool,
    /// The period that runs; the first one where none has begun.
    pub(crate) running: Option<Running<O>>,
    /// Whether a renewal was paid.
    pub(crate) renewed: bool,
    /// Start of the first renewal that has not begun.
    pub(crate) next_renewal: Option<Instant>,
    /// Whether a paid renewal does not say when it begins.
    pub(crate) undated_renewal: bool,
    /// Whether an order waits for payment.
    pub(crate) unpaid: bool,
    /// Whether an upgrade, downgrade or conversion was paid in the period that runs.
    pub(crate) changed: bool,
    /// The last second of the last period.
    pub(crate) end: Option<Instant>,
}

impl<O: Order> Periods<O> {
    /// Reads the orders of a resource.
    pub(crate) fn of<'r, R>(resource: &'r R, cx: &Context<'_>) -> Self
    where
        R: Resource<Order<'r> = O> + 'r,
    {
        let mut periods = Self {
            known: false,
            running: None,
            renewed: false,
            next_renewal: None,
            undated_renewal: false,
            unpaid: false,
            changed: false,
            end: resource.ends_at(),
        };
        let Some(orders) = resource.orders() else { return periods };
        periods.known = true;
        let mut last_end = None;
        let mut last_change: Option<Option<Instant>> = None;
        for order in orders {
            if !order.is_paid() {
                periods.unpaid |= order.status() == OrderStatus::Unpaid;
                continue;
            }
            last_end = last_end.max(order.ends_at());
            match order.kind() {
                OrderKind::Purchase => {
                    let start = order.starts_at().or(resource.starts_at());
                    periods.offer(order, start, cx.at);
                }
                OrderKind::Renewal => {
                    periods.renewed = true;
                    match order.starts_at() {
                        None => periods.undated_renewal = true,
                        Some(start) if start > cx.at => {
                            periods.next_renewal =
                                Some(periods.next_renewal.map_or(start, |earliest| earliest.min(start)));
                        }
                        start => periods.offer(order, start, cx.at),
                    }
                }
                OrderKind::Upgrade | OrderKind::Downgrade | OrderKind::Conversion => {
                    let made = made_at(&order);
                    // An undated change may lie anywhere, the running period included.
                    last_change = Some(last_change.map_or(made, |last| last.zip(made).map(|(a, b)| a.max(b))));
                }
            }
        }
        periods.end = periods.end.or(last_end);
        // What the resource says of its end is the end of the last period.
        if let Some(running) = &mut periods.running
            && periods.next_renewal.is_none()
        {
            running.end = running.end.or(resource.ends_at());
        }
        let start = periods.running_start();
        periods.changed = last_change.is_some_and(|made| made.zip(start).is_none_or(|(made, start)| made >= start));
        periods
    }

    fn offer(&mut self, order: O, start: Option<Instant>, at: Instant) {
        let better = match (self.running.as_ref().map(|running| running.start), start) {
            (None, _) | (Some(None), Some(_)) => true,
            (Some(_), None) => false,
            (Some(Some(held)), Some(start)) if held > at => start < held,
            (Some(Some(held)), Some(start)) => held <= start && start <= at,
        };
        if better {
            let end = order.ends_at();
            self.running = Some(Running { order, start, end });
        }
    }

    /// When the period that runs took effect.
    pub(crate) fn running_start(&self) -> Option<Instant> {
        self.running.as_ref().and_then(|running| running.start)
    }

    /// Whether a paid order leaves with the resource: all but those whose period is over.
    pub(crate) fn leaves(&self, order: &impl Order) -> bool {
        let begun = match order.kind() {
            OrderKind::Purchase | OrderKind::Renewal => order.starts_at(),
            OrderKind::Upgrade | OrderKind::Downgrade | OrderKind::Conversion => made_at(order),
        };
        begun.zip(self.running_start()).is_none_or(|(begun, running)| begun >= running)
    }

    /// The first instant at which the resource has expired: the second after its last one.
    pub(crate) fn expires_at(&self) -> Option<Instant> {
        self.end.map(|end| end + Span::seconds(1))
    }
}

/// When a change was made.
fn made_at(order: &impl Order) -> Option<Instant> {
    order.starts_at().or(order.paid_at()).or(order.placed_at())
}
