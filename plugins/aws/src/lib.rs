//! Amazon Web Services: returning, deleting, reselling and exchanging commitments.
//!
//! AWS has almost no refund in proportion to time: the usual answer is a refusal with its reasons,
//! beside a short list of exits. Sources: the pages named in `policy/sources.toml`. One file of rules
//! for each exit, in the order of the policy page.
//!
//! ```
//! use recoup_aws::Aws;
//! use recoup_core::adapter::Rules;
//! use recoup_core::context::Run;
//! use recoup_core::time::{Instant, Zone};
//!
//! // A Support plan is kept for at least 30 days.
//! let plan = serde_json::json!({"provider": "aws", "id": "support", "product": "support", "billing": "support_plan",
//!     "status": "active", "starts_at": "2026-06-10", "facts": {"plan": "business"}});
//! let rules = Rules::<Aws>::load()?;
//! let run = Run::at(Instant::parse("2026-07-09", Zone::UTC)?);
//! let answer = rules.assess_json(&run, &plan)?;
//! assert_eq!(answer["exits"][0]["refusals"][0]["reason"], "too_new");
//! assert_eq!(answer["exits"][0]["until"], "2026-07-10T00:00:00Z");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod by_agreement;
mod cancel_reservation;
mod delete_queued;
mod exchange;
mod import;
mod in_use;
mod marketplace;
mod no_exit;
mod refusals;
mod resale;
mod return_;
mod stop_renewal;
mod terms;

use recoup_core::import::{ImportFile, Imported};
use recoup_core::prelude::*;

recoup_core::include_policy!();

/// The rules of Amazon Web Services.
#[derive(Debug, Default)]
pub struct Aws;

impl Provider for Aws {
    const POLICY: &'static str = POLICY;

    fn assess<R: Resource>(resource: &R, cx: &Context<'_>, out: &mut Assessment) {
        // A Reserved Instance bought from another seller is a Reserved Instance like any other.
        let reserved_instance = resource.billing() == Billing::Reservation && cx.is_product(product::EC2);
        if resource.seller() == Seller::Marketplace && !reserved_instance {
            return marketplace_agreement(resource, cx, out);
        }
        match resource.billing() {
            Billing::SavingsPlan => savings_plan(resource, cx, out),
            Billing::Reservation => reservation(resource, cx, out),
            Billing::CommittedUse if cx.is_product(product::BEDROCK) => {
                out.exit(cx, Exit::CancelReservation, |ruling| {
                    cancel_reservation::provisioned_throughput(resource, cx, ruling);
                });
                renewal(resource, cx, out, clause::BEDROCK_PT_RENEWAL);
            }
            Billing::SupportPlan => out.exit(cx, Exit::InUse, |ruling| in_use::support_plan(resource, cx, ruling)),
            billing => no_exit::by_billing(billing, cx, out),
        }
    }

    fn recognises(file: &ImportFile<'_>) -> bool {
        import::recognises(file)
    }

    fn import(files: &[ImportFile<'_>]) -> Imported {
        import::import(files)
    }
}

fn savings_plan<R: Resource>(resource: &R, cx: &Context<'_>, out: &mut Assessment) {
    if resource.status() == Status::Queued {
        out.exit(cx, Exit::DeleteQueued, |ruling| delete_queued::savings_plan(resource, cx, ruling));
    } else if cx.in_force(clause::SP_RETURN_WINDOW) {
        out.exit(cx, Exit::Return, |ruling| return_::return_plan(resource, cx, ruling));
    } else {
        no_exit::never(clause::SP_CANCEL_NEVER, cx, out);
    }
}

fn reservation<R: Resource>(resource: &R, cx: &Context<'_>, out: &mut Assessment) {
    match cx.product() {
        Some(product::EC2) => reserved_instance(resource, cx, out),
        Some(product::EC2_CAPACITY_RESERVATION) => {
            out.exit(cx, Exit::CancelReservation, |ruling| {
                cancel_reservation::capacity_reservation(resource, cx, ruling);
            });
        }
        Some(product::REDSHIFT) if exchange::has_target(resource) => {
            out.exit(cx, Exit::Exchange, |ruling| exchange::redshift_node(resource, cx, ruling));
        }
        Some(product::EC2_CAPACITY_BLOCK) => no_exit::never(clause::CB, cx, out),
        Some(product::EC2_HOST_RESERVATION) => no_exit::never(clause::DH_RESERVATION, cx, out),
        Some(product::RDS) => no_exit::never(clause::RDS_RI, cx, out),
        Some(product::ELASTICACHE) => no_exit::never(clause::ELASTICACHE_RN, cx, out),
        Some(product::MEMORYDB) => no_exit::never(clause::MEMORYDB_RN, cx, out),
        Some(product::REDSHIFT) => no_exit::never(clause::REDSHIFT_RN, cx, out),
        Some(product::OPENSEARCH) => no_exit::never(clause::OS_RI, cx, out),
        // No page that is known speaks of other reservations.
        _ => {}
    }
}

fn reserved_instance<R: Resource>(resource: &R, cx: &Context<'_>, out: &mut Assessment) {
    if resource.status() == Status::Queued {
        out.exit(cx, Exit::DeleteQueued, |ruling| delete_queued::reserved_instance(resource, cx, ruling));
        return;
    }
    out.exit(cx, Exit::Resale, |ruling| resale::reserved_instance(resource, cx, ruling));
    if exchange::is_ruled(resource, cx) {
        out.exit(cx, Exit::Exchange, |ruling| exchange::reserved_instance(resource, cx, ruling));
    }
}

fn marketplace_agreement<R: Resource>(resource: &R, cx: &Context<'_>, out: &mut Assessment) {
    match resource.billing() {
        Billing::PayAsYouGo => out.exit(cx, Exit::Marketplace, |ruling| marketplace::usage(resource, cx, ruling)),
        billing if billing.refused_outright().is_some() => return no_exit::by_billing(billing, cx, out),
        _ => {
            out.exit(cx, Exit::Marketplace, |ruling| marketplace::contract(resource, cx, ruling));
            renewal(resource, cx, out, clause::MP_RENEWAL);
        }
    }
    // The seller can always be asked, but there is a reason to only where AWS does not simply refund.
    if out.ruling(Exit::Marketplace).is_some_and(|ruling| ruling.outcome() != Outcome::Allowed) {
        out.exit(cx, Exit::ByAgreement, |ruling| by_agreement::by_agreement(resource, cx, ruling));
    }
}

fn renewal<R: Resource>(resource: &R, cx: &Context<'_>, out: &mut Assessment, clause: ClauseId) {
    if !cx.flag(Flag::AutoRenew).is_no() {
        out.exit(cx, Exit::StopRenewal, |ruling| stop_renewal::stop_renewal(clause, resource, cx, ruling));
    }
}

recoup_plugin::export_provider!(Aws, "recoup_adapter_aws");
