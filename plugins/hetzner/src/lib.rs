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
        let by_notice = cx.is_product(product::KONSOLEH) || cx.is_product(product::COLOCATION);
        match resource.billing() {
            Billing::PayAsYouGo | Billing::Spot => out.exit(cx, Exit::None, |ruling| ruling.refuse(clause::CANCEL_IMMEDIATE)),
            Billing::OneOff => out.exit(cx, Exit::None, |ruling| ruling.refuse(clause::CANCEL_ACTIVE)),
            Billing::Subscription if by_notice => {
                out.exit(cx, Exit::StopRenewal, |ruling| stop_renewal::stop_renewal(resource, cx, ruling));
            }
            _ => out.exit(cx, Exit::None, |ruling| ruling.refuse(clause::REFUND)),
        }
    }
}

recoup_plugin::export_provider!(Hetzner);
