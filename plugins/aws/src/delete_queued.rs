//! Deleting a purchase that is queued (sections 4.1 and 4.2): nothing was charged yet.

use recoup_core::prelude::*;

use crate::clause;
use crate::terms::{currency, hourly_price, over_hours};

/// Deleting a queued Savings Plan.
pub(crate) fn savings_plan<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    delete(clause::SP_QUEUED_DELETE, resource, cx, ruling);
}

/// Deleting a queued Reserved Instance.
pub(crate) fn reserved_instance<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    delete(clause::RI_QUEUED, resource, cx, ruling);
}

fn delete<R: Resource>(clause: ClauseId, resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.window(clause, "starts_at", resource.starts_at(), |at, start| at < start);
    ruling.cite(clause);
    let mut quote = RefundQuote::nothing(currency(resource, cx));
    if let Some(owed) = owed(resource) {
        ruling.line("released", || format!("upfront and hourly charges of the whole term: {owed}"));
        quote = quote.releasing(&owed);
    }
    ruling.refund(quote);
    ruling.effects(&[Effect::Irreversible]);
    ruling.channel(Channel::Api);
}

/// What the term would have cost, from its printed start and end.
fn owed<R: Resource>(resource: &R) -> Option<Exact> {
    let upfront = resource.commitment()?.upfront?;
    let hourly = hourly_price(resource)?;
    let term = resource.ends_at()?.since(resource.starts_at()?);
    Some(Exact::from(upfront).plus(&over_hours(hourly, term)))
}
