//! Bench Cloud's policy, as an adapter like any other.

use recoup_core::prelude::*;
use recoup_core::refund::Missing;

recoup_core::include_policy!();

/// Bench Cloud's rules.
#[derive(Debug, Default)]
pub struct BenchCloud;

impl Provider for BenchCloud {
    const POLICY: &'static str = POLICY;

    fn assess<R: Resource>(resource: &R, cx: &Context<'_>, out: &mut Assessment) {
        out.exit(cx, Exit::InUse, |ruling| in_use(resource, cx, ruling));
    }
}

fn in_use<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.refuse_if(clause::PAY_AS_YOU_GO, resource.billing() == Billing::PayAsYouGo);
    let expired = resource.status() == Status::Expired || resource.ends_at().is_some_and(|end| end <= cx.at);
    ruling.refuse_if(clause::EXPIRED, expired);
    ruling.refuse_on(clause::FROZEN, Flag::FrozenSecurity);
    ruling.refuse_on(clause::UNPAID, Flag::UnpaidOrder);
    ruling.refuse_on(clause::PROMOTION, Flag::Promotion);
    ruling.refuse_on(clause::INVOICED, Flag::Invoiced);
    ruling.refuse_if(clause::MARKETPLACE, resource.seller() == Seller::Marketplace);
    ruling.refuse_if(clause::PRODUCT, cx.listed(list::NEVER));
    ruling.effects(&[Effect::Irreversible]);
    ruling.channel(Channel::Console);
    if let Err(missing) = refund(resource, cx, ruling) {
        ruling.missing(clause::FORMULA, missing);
    }
}

/// What was paid, less use by the hour, less the fee.
fn refund<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) -> Result<(), Missing> {
    ruling.cite(clause::FORMULA);
    let ledger = cx.ledger(resource, resource.paid_orders())?;
    let mut draft = ledger.settle(|payment| Disposition::Share(Destination::itself(payment.instrument)));
    let order = resource.paid_orders().next();
    let period = order.as_ref().and_then(|order| order.starts_at().zip(order.ends_at()));
    if let (Some(order), Some((start, end))) = (order, period) {
        let bought = end.since(start).whole_hours();
        let used = cx.at.since(start).whole_hours().clamp(0, bought);
        let years = i64::from(order.term_months().unwrap_or(0) / 12).min(3);
        let year = (used / (365 * 24)).min(years.max(1) - 1) + 1;
        let Some(share) = cx.cell(table::FEE, &[years.into(), year.into()]) else { return Ok(()) };
        let paid = Exact::from(ledger.paid());
        draft.consume(&paid.times_ratio(used, bought));
        draft.keep_fee(&paid.times(share.value));
        ruling.changes_at(start + Span::hours(used + 1));
    }
    ruling.refund(draft.finish());
    Ok(())
}

recoup_plugin::export_provider!(BenchCloud, "recoup_adapter_bench_cloud");
