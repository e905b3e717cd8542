//! Oracle Cloud: Universal Credits, store subscriptions, Marketplace.
//!
//! No operation of any API cancels or refunds: the usual answer is to ask Oracle or the partner, and
//! a contract overrides every rule here. Source: the pages named in `policy/sources.toml`. One file of
//! rules for each exit.

mod by_agreement;
mod import;
mod none;
mod stop_renewal;

use recoup_core::import::{ImportFile, Imported};
use recoup_core::prelude::*;

recoup_core::include_policy!();

/// Oracle Cloud's rules.
#[derive(Debug, Default)]
pub struct Oracle;

impl Provider for Oracle {
    const POLICY: &'static str = POLICY;

    fn assess<R: Resource>(resource: &R, cx: &Context<'_>, out: &mut Assessment) {
        match resource.billing() {
            Billing::PayAsYouGo | Billing::Spot => {
                out.exit(cx, Exit::None, |ruling| none::refused(resource, cx, ruling, clause::PAYG));
            }
            Billing::Trial => out.exit(cx, Exit::None, |ruling| none::refused(resource, cx, ruling, clause::TRIAL)),
            Billing::CommittedUse | Billing::Subscription if none::is_over(resource, cx) => {
                out.exit(cx, Exit::None, |ruling| none::term_over(resource, cx, ruling));
            }
            Billing::CommittedUse => {
                out.exit(cx, Exit::ByAgreement, |ruling| by_agreement::credits(resource, cx, ruling));
            }
            Billing::Subscription if resource.seller() == Seller::Marketplace => {
                out.exit(cx, Exit::ByAgreement, |ruling| by_agreement::marketplace(resource, cx, ruling));
            }
            Billing::Subscription if cx.is_product(product::STORE_SUBSCRIPTION) => store(resource, cx, out),
            other => out.exit(cx, Exit::None, |ruling| {
                ruling.refuse_as(ClauseId::NO_RULE, other.refused_outright().unwrap_or(Reason::RuleUnknown), true);
            }),
        }
    }

    fn recognises(file: &ImportFile<'_>) -> bool {
        import::recognises(file)
    }

    fn import(files: &[ImportFile<'_>]) -> Imported {
        import::import(files)
    }
}

/// A store subscription: only one from month to month can be terminated.
fn store<R: Resource>(resource: &R, cx: &Context<'_>, out: &mut Assessment) {
    let monthly = stop_renewal::is_month_to_month(resource, cx);
    if monthly == Some(false) {
        out.exit(cx, Exit::None, |ruling| none::refused(resource, cx, ruling, clause::TERM_LEGACY));
    } else if cx.flag(Flag::AutoRenew).is_no() {
        out.exit(cx, Exit::None, |ruling| {
            none::refused(resource, cx, ruling, clause::TERM_LEGACY_OFF);
        });
    } else {
        out.exit(cx, Exit::StopRenewal, |ruling| stop_renewal::stop_renewal(resource, cx, ruling, monthly));
    }
}

recoup_plugin::export_provider!(Oracle, "recoup_adapter_oracle");
