//! IBM Cloud: VPC reservations, Classic contracts and devices, subscriptions, Passport Advantage.
//!
//! Source: the pages named in `policy/sources.toml`. One file of rules for each exit; what several
//! exits share stands in `terms.rs`.

mod balance_payout;
mod by_agreement;
mod cancel_reservation;
mod exchange;
mod import;
mod in_use;
mod no_exit;
mod program_return;
mod stop_renewal;
mod terms;

use recoup_core::import::{ImportFile, Imported};
use recoup_core::prelude::*;

recoup_core::include_policy!();

/// IBM Cloud's rules.
#[derive(Debug, Default)]
pub struct Ibm;

impl Provider for Ibm {
    const POLICY: &'static str = POLICY;

    fn assess<R: Resource>(resource: &R, cx: &Context<'_>, out: &mut Assessment) {
        // How a thing is billed comes first: a metered device has no month to keep.
        if let Some(reason) = resource.billing().refused_outright() {
            out.exit(cx, Exit::None, |ruling| no_exit::by_billing(reason, resource, cx, ruling));
            return;
        }
        match cx.product() {
            Some(product::IS_RESERVATION) => reservation(resource, cx, out),
            Some(product::CLASSIC_RESERVED_CAPACITY) => classic_term(clause::CLASSIC_RESERVED, resource, cx, out),
            Some(product::CLASSIC_BARE_METAL) => classic_term(clause::CLASSIC_BM_TERM, resource, cx, out),
            Some(product::CLASSIC_DEVICE) => {
                out.exit(cx, Exit::InUse, |ruling| in_use::in_use(resource, cx, ruling));
                if terms::may_renew(resource, cx) {
                    out.exit(cx, Exit::StopRenewal, |ruling| stop_renewal::device(resource, cx, ruling));
                }
            }
            Some(product::CLASSIC_PANEL_LICENCE) if terms::may_renew(resource, cx) => {
                out.exit(cx, Exit::StopRenewal, |ruling| stop_renewal::panel_licence(resource, cx, ruling));
            }
            Some(product::CLASSIC_PANEL_LICENCE) => {
                out.exit(cx, Exit::None, |ruling| no_exit::lapses(resource, cx, ruling));
            }
            Some(product::PLATFORM_SUBSCRIPTION) => subscription(resource, cx, out),
            Some(product::SUPPORT_SUBSCRIPTION) => {
                subscription(resource, cx, out);
                if exchange::applies(resource, cx) {
                    out.exit(cx, Exit::Exchange, |ruling| exchange::exchange(resource, cx, ruling));
                }
            }
            Some(product::PROMO_CREDIT) => {
                out.exit(cx, Exit::BalancePayout, |ruling| balance_payout::balance_payout(resource, cx, ruling));
            }
            Some(product::ENTERPRISE_SAVINGS_PLAN) => {
                out.exit(cx, Exit::None, |ruling| no_exit::unpublished(clause::ESP, resource, cx, ruling));
            }
            Some(product::SERVICE_COMMITMENT) => {
                out.exit(cx, Exit::None, |ruling| no_exit::unpublished(clause::SVC_COMMIT, resource, cx, ruling));
            }
            Some(product::PASSPORT_ADVANTAGE) if resource.billing() == Billing::Subscription => {
                out.exit(cx, Exit::None, |ruling| no_exit::subscription_licence(resource, cx, ruling));
            }
            Some(product::PASSPORT_ADVANTAGE) => {
                out.exit(cx, Exit::Return, |ruling| program_return::program_return(resource, cx, ruling));
            }
            _ => {}
        }
    }

    fn recognises(file: &ImportFile<'_>) -> bool {
        import::recognises(file)
    }

    fn import(files: &[ImportFile<'_>]) -> Imported {
        import::import(files)
    }
}

fn reservation<R: Resource>(resource: &R, cx: &Context<'_>, out: &mut Assessment) {
    out.exit(cx, Exit::CancelReservation, |ruling| cancel_reservation::cancel_reservation(resource, cx, ruling));
    if resource.status() == Status::Active && !terms::is_over(resource, cx) {
        out.exit(cx, Exit::ByAgreement, |ruling| by_agreement::reservation(resource, cx, ruling));
    }
    if terms::may_renew(resource, cx) {
        out.exit(cx, Exit::StopRenewal, |ruling| stop_renewal::reservation(resource, cx, ruling));
    }
}

fn classic_term<R: Resource>(clause: ClauseId, resource: &R, cx: &Context<'_>, out: &mut Assessment) {
    out.exit(cx, Exit::None, |ruling| no_exit::classic_term(clause, resource, cx, ruling));
}

fn subscription<R: Resource>(resource: &R, cx: &Context<'_>, out: &mut Assessment) {
    out.exit(cx, Exit::ByAgreement, |ruling| by_agreement::subscription(resource, cx, ruling));
    if terms::may_renew(resource, cx) {
        out.exit(cx, Exit::StopRenewal, |ruling| stop_renewal::subscription(resource, cx, ruling));
    }
}

recoup_plugin::export_provider!(Ibm, "recoup_adapter_ibm");
