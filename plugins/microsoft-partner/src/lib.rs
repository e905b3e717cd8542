//! Microsoft Partner Center: what partners buy for their customers, and how it is given back.
//!
//! New Commerce licences, software, legacy offers of the Cloud Solution Provider programme, third-party
//! SaaS, and the partners' own dated rule for Azure reservations. Microsoft credits the partner.
//! Source: the pages named in `policy/sources.toml`. One file of rules for each exit.

mod exchange;
mod full_refund;
mod held;
mod import;
mod in_use;
mod legacy;
mod marketplace;
mod refusals;
mod return_;
mod stop_renewal;

use recoup_core::import::{ImportFile, Imported};
use recoup_core::prelude::*;

recoup_core::include_policy!();

/// Microsoft Partner Center's rules.
#[derive(Debug, Default)]
pub struct MicrosoftPartner;

impl Provider for MicrosoftPartner {
    const POLICY: &'static str = POLICY;

    fn assess<R: Resource>(resource: &R, cx: &Context<'_>, out: &mut Assessment) {
        match resource.billing() {
            Billing::PayAsYouGo | Billing::Spot => out.exit(cx, Exit::None, |ruling| ruling.refuse(clause::USAGE)),
            Billing::Reservation if cx.in_force(clause::RI_CSP_FEE_TABLE) => {
                out.exit(cx, Exit::Return, |ruling| return_::return_(resource, cx, ruling));
            }
            Billing::Reservation => out.exit(cx, Exit::None, |ruling| ruling.refuse(clause::RI_CSP_NO_TABLE)),
            Billing::OneOff | Billing::License | Billing::Subscription
                if cx.is_product(product::PERPETUAL_SOFTWARE) =>
            {
                out.exit(cx, Exit::FullRefund, |ruling| full_refund::full_refund(resource, cx, ruling));
            }
            Billing::License | Billing::Subscription => bought_for_a_term(resource, cx, out),
            Billing::Trial if cx.is_product(product::MARKETPLACE_SAAS) => third_party(resource, cx, out),
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

/// Licences and subscriptions (page, section 3).
fn bought_for_a_term<R: Resource>(resource: &R, cx: &Context<'_>, out: &mut Assessment) {
    match cx.product() {
        Some(product::NCE_LICENSE | product::BUSINESS_CENTRAL) => {
            out.exit(cx, Exit::InUse, |ruling| in_use::licence(resource, cx, ruling));
        }
        Some(product::SOFTWARE_SUBSCRIPTION) => {
            out.exit(cx, Exit::InUse, |ruling| in_use::software(resource, cx, ruling));
        }
        Some(product::REDHAT | product::SUSELINUX) => {
            out.exit(cx, Exit::InUse, |ruling| in_use::plan(resource, cx, ruling));
        }
        Some(product::LEGACY_LICENSE) => out.exit(cx, Exit::InUse, |ruling| legacy::licence(resource, cx, ruling)),
        Some(product::ONETIME_RECURRING) => out.exit(cx, Exit::InUse, |ruling| legacy::one_time(resource, cx, ruling)),
        Some(product::MARKETPLACE_SAAS) => third_party(resource, cx, out),
        // Anything else that a publisher sold through the programme is third-party SaaS as well.
        _ if resource.seller() == Seller::Marketplace => third_party(resource, cx, out),
        _ => {}
    }
}

/// Third-party SaaS: in its window everything, later only the end of the renewals, and on the day of
/// purchase a conversion.
fn third_party<R: Resource>(resource: &R, cx: &Context<'_>, out: &mut Assessment) {
    let window = marketplace::window(resource, cx);
    out.exit(cx, Exit::Marketplace, |ruling| marketplace::marketplace(resource, cx, ruling, window));
    if window.end.is_some_and(|end| end <= cx.at) && !cx.flag(Flag::AutoRenew).is_no() {
        out.exit(cx, Exit::StopRenewal, |ruling| stop_renewal::stop_renewal(resource, cx, ruling));
    }
    if marketplace::bought_today(resource, cx) {
        out.exit(cx, Exit::Exchange, |ruling| exchange::exchange(resource, cx, ruling));
    }
}

recoup_plugin::export_provider!(MicrosoftPartner, "recoup_adapter_microsoft_partner");
