//! Hetzner Online: what can be cancelled and until when it is owed. Nothing ever comes back.
//!
//! Source: the pages named in `policy/provider.toml`. One file of rules for each exit.

mod stop_renewal;

use recoup_core::prelude::*;

recoup_core::include_policy!();

/// Hetzner Online's rules.
#[derive(Debug, Default)]
pub struct Hetzner;

impl Provider for Hetzner {
    const POLICY: &'static str = POLICY;

    fn assess<R: Resource>(resource: &R, cx: &Context<'_>, out: &mut Assessment) {
        let by_notice = cx.listed(list::BY_NOTICE) || cx.listed(list::BY_PERIOD);
        match resource.billing() {
            Billing::OneOff => out.exit(cx, Exit::None, |ruling| ruling.refuse(clause::CANCEL_ACTIVE)),
            Billing::Subscription if by_notice => {
                out.exit(cx, Exit::StopRenewal, |ruling| stop_renewal::stop_renewal(resource, cx, ruling));
            }
            billing => out.exit(cx, Exit::None, |ruling| match billing.refused_outright() {
                Some(reason) => ends_at_once(reason, cx, ruling),
                None => ruling.refuse(clause::REFUND),
            }),
        }
    }
}

/// What is metered ends at once, and nothing was paid ahead.
fn ends_at_once(reason: Reason, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.refuse_as(clause::CANCEL_IMMEDIATE, reason, true);
    ruling.effects(&[Effect::Irreversible, Effect::DataDeleted]);
    ruling.channel(if cx.listed(list::BY_ROBOT) { Channel::Console } else { Channel::Api });
}

recoup_plugin::export_provider!(Hetzner, "recoup_adapter_hetzner");
