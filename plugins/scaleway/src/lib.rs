//! Scaleway: what can be left now, what ends with its commitment, what cannot be left. Nothing comes
//! back in money.
//!
//! Source: the pages named in `policy/provider.toml`. One file of rules for each exit.

mod in_use;
mod state;
mod stop_renewal;

use recoup_core::prelude::*;

recoup_core::include_policy!();

/// Scaleway's rules.
#[derive(Debug, Default)]
pub struct Scaleway;

impl Provider for Scaleway {
    const POLICY: &'static str = POLICY;

    fn assess<R: Resource>(resource: &R, cx: &Context<'_>, out: &mut Assessment) {
        let none = |out: &mut Assessment, clause| {
            out.exit(cx, Exit::None, |ruling| {
                ruling.refuse(clause);
                state::ends(ruling);
            });
        };
        match (resource.billing(), cx.product()) {
            (Billing::SavingsPlan, _) => none(out, clause::SP_FINAL),
            (Billing::CommittedUse, _) => none(out, clause::CONTRACT),
            (Billing::SupportPlan, _) => {
                out.exit(cx, Exit::InUse, |ruling| in_use::support_plan(resource, cx, ruling));
            }
            (billing, _) if billing.refused_outright().is_some() => out.exit(cx, Exit::None, |ruling| {
                let reason = billing.refused_outright().unwrap_or(Reason::PayAsYouGo);
                ruling.refuse_as(clause::BILL, reason, true);
                state::ends(ruling);
                ruling.channel(Channel::Api);
            }),
            (_, Some(product::WINDOWS_LICENSE)) => {
                out.exit(cx, Exit::InUse, |ruling| in_use::windows_licence(resource, cx, ruling));
            }
            (Billing::Subscription, Some(product::ELASTIC_METAL)) => {
                out.exit(cx, Exit::InUse, |ruling| in_use::elastic_metal(resource, cx, ruling));
            }
            (_, Some(product::DEDIBOX)) if stop_renewal::is_committed(resource, cx) => {
                out.exit(cx, Exit::StopRenewal, |ruling| stop_renewal::stop_renewal(resource, ruling));
            }
            (_, Some(product::DEDIBOX)) => out.exit(cx, Exit::None, |ruling| {
                ruling.refuse(clause::DEDIBOX_OPEN);
                state::ends(ruling);
                ruling.channel(Channel::Console);
            }),
            _ => {}
        }
    }
}

recoup_plugin::export_provider!(Scaleway, "recoup_adapter_scaleway");
