//! Google Cloud: commitments, reservations, Marketplace orders and prepaid balances.
//!
//! Nothing is refundable by rule: what can be ended early was never charged ahead. Commitments start and
//! end at midnight US Pacific. Source: the pages named in `policy/sources.toml`. One file of rules for
//! each exit.

mod balance_payout;
mod by_agreement;
mod cancel_reservation;
mod import;
mod in_use;
mod marketplace;
mod money;
mod none;
mod stop_renewal;

use recoup_core::import::{ImportFile, Imported};
use recoup_core::prelude::*;

recoup_core::include_policy!();

/// Google Cloud's rules.
#[derive(Debug, Default)]
pub struct Gcp;

impl Provider for Gcp {
    const POLICY: &'static str = POLICY;

    fn assess<R: Resource>(resource: &R, cx: &Context<'_>, out: &mut Assessment) {
        match resource.billing() {
            Billing::CommittedUse if cx.is_product(product::VERTEX_AI) => throughput(resource, cx, out),
            Billing::CommittedUse => commitment(resource, cx, out),
            Billing::Reservation if cx.is_product(product::BIGQUERY) => {
                out.exit(cx, Exit::CancelReservation, |ruling| cancel_reservation::capacity(resource, cx, ruling));
            }
            Billing::Reservation if cx.is_product(product::COMPUTE) => {
                out.exit(cx, Exit::CancelReservation, |ruling| cancel_reservation::future(resource, cx, ruling));
            }
            Billing::Subscription if resource.product().starts_with(in_use::ENTITLEMENT) => {
                out.exit(cx, Exit::InUse, |ruling| in_use::in_use(resource, cx, ruling));
            }
            Billing::Subscription if resource.seller() == Seller::Marketplace => order(resource, cx, out),
            Billing::SupportPlan => care(resource, cx, out),
            Billing::PrepaidBalance => {
                out.exit(cx, Exit::BalancePayout, |ruling| balance_payout::balance_payout(resource, cx, ruling));
            }
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

/// A committed use discount: no exit, and the end of its renewals while it runs.
fn commitment<R: Resource>(resource: &R, cx: &Context<'_>, out: &mut Assessment) {
    out.exit(cx, Exit::None, |ruling| none::commitment(resource, cx, ruling));
    let renews = cx.flag(Flag::AutoRenew);
    let shown = match none::state(resource, cx) {
        none::State::Running => !renews.is_no(),
        // Still recorded as active after its end: shown, and too late.
        none::State::Over => resource.status() == Status::Active && renews.is_yes(),
        none::State::MergedAway => false,
    };
    if shown {
        out.exit(cx, Exit::StopRenewal, |ruling| stop_renewal::commitment(resource, cx, ruling));
    }
}

/// Provisioned Throughput.
fn throughput<R: Resource>(resource: &R, cx: &Context<'_>, out: &mut Assessment) {
    out.exit(cx, Exit::ByAgreement, |ruling| {
        by_agreement::by_agreement(resource, cx, ruling, clause::VERTEX_PT, Channel::Support);
    });
    if !cx.flag(Flag::AutoRenew).is_no() && !stop_renewal::is_weekly(resource, cx) {
        out.exit(cx, Exit::StopRenewal, |ruling| stop_renewal::throughput(resource, cx, ruling));
    }
}

/// A Marketplace order.
fn order<R: Resource>(resource: &R, cx: &Context<'_>, out: &mut Assessment) {
    out.exit(cx, Exit::Marketplace, |ruling| marketplace::marketplace(resource, cx, ruling));
    if marketplace::is_accepted(resource) {
        out.exit(cx, Exit::ByAgreement, |ruling| {
            by_agreement::by_agreement(resource, cx, ruling, clause::MP_REFUND, Channel::Marketplace);
        });
    }
    if !cx.flag(Flag::AutoRenew).is_no() {
        out.exit(cx, Exit::StopRenewal, |ruling| stop_renewal::order(resource, cx, ruling));
    }
}

/// Customer Care.
fn care<R: Resource>(resource: &R, cx: &Context<'_>, out: &mut Assessment) {
    if cx.flag(Flag::AutoRenew).is_no() {
        out.exit(cx, Exit::None, |ruling| none::not_renewed(resource, cx, ruling));
    } else {
        out.exit(cx, Exit::StopRenewal, |ruling| stop_renewal::care(resource, cx, ruling));
    }
}

recoup_plugin::export_provider!(Gcp, "recoup_adapter_gcp");
