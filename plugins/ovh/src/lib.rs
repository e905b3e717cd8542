//! OVHcloud: a consumer's withdrawal, the end of a period, Hosted Private Cloud.
//!
//! Source: the pages named in `policy/sources.toml`. One file of rules for each exit.

mod import;
mod in_use;
mod money;
mod stop_renewal;
mod withdrawal;

use recoup_core::import::{ImportFile, Imported};
use recoup_core::prelude::*;

recoup_core::include_policy!();

/// OVHcloud's rules.
#[derive(Debug, Default)]
pub struct Ovh;

impl Provider for Ovh {
    const POLICY: &'static str = POLICY;

    fn assess<R: Resource>(resource: &R, cx: &Context<'_>, out: &mut Assessment) {
        if let Some(clause) = nothing_open(resource, cx) {
            out.exit(cx, Exit::None, |ruling| ruling.refuse(clause));
            return;
        }
        match resource.billing() {
            Billing::Subscription => subscription(resource, cx, out),
            billing => {
                if let Some(reason) = billing.refused_outright() {
                    out.exit(cx, Exit::None, |ruling| ruling.refuse_as(clause::PCI, reason, true));
                }
            }
        }
    }

    fn recognises(file: &ImportFile<'_>) -> bool {
        import::recognises(file)
    }

    fn import(files: &[ImportFile<'_>]) -> Imported {
        import::import(files)
    }
}

/// What has no exit at all, by the clause that says so.
fn nothing_open<R: Resource>(resource: &R, cx: &Context<'_>) -> Option<ClauseId> {
    if cx.in_force(clause::US) {
        return Some(clause::US);
    }
    match resource.billing() {
        Billing::SavingsPlan => Some(clause::SP),
        Billing::PrepaidBalance => Some(clause::PREPAID),
        Billing::Package | Billing::Subscription if cx.is_product(product::SMS) => Some(clause::SMS_NO_CANCEL),
        Billing::Subscription if cx.is_product(product::PRIVATE_CLOUD) => {
            cx.in_force(clause::PCC_BEFORE_2020).then_some(clause::PCC_BEFORE_2020)
        }
        Billing::Subscription => cx.in_force(clause::CANCEL_BEFORE_2022).then_some(clause::CANCEL_BEFORE_2022),
        _ => None,
    }
}

fn subscription<R: Resource>(resource: &R, cx: &Context<'_>, out: &mut Assessment) {
    out.exit(cx, Exit::Withdrawal, |ruling| withdrawal::withdrawal(resource, cx, ruling));
    if cx.is_product(product::PRIVATE_CLOUD) {
        out.exit(cx, Exit::InUse, |ruling| in_use::in_use(resource, cx, ruling));
    } else {
        out.exit(cx, Exit::StopRenewal, |ruling| stop_renewal::stop_renewal(resource, cx, ruling));
    }
}

recoup_plugin::export_provider!(Ovh, "recoup_adapter_ovh");
