//! Huawei Cloud: which exits a prepaid resource has on the international, Chinese and European site.
//!
//! Sources: the pages named in `policy/sources.toml`. One file of rules for each exit; what several
//! exits share is in `refusals.rs`, `periods.rs`, `money.rs` and `review.rs`.

mod failed;
mod full_refund;
mod import;
mod in_use;
mod inactive;
mod money;
mod periods;
mod refusals;
mod renewal_period;
mod review;

use recoup_core::import::{ImportFile, Imported};
use recoup_core::prelude::*;

use crate::periods::Periods;

recoup_core::include_policy!();

/// Huawei Cloud's rules.
#[derive(Debug, Default)]
pub struct Huawei;

impl Provider for Huawei {
    const POLICY: &'static str = POLICY;

    const PREFERENCE: &'static [Exit] =
        &[Exit::FullRefund, Exit::Failed, Exit::Inactive, Exit::RenewalPeriod, Exit::InUse];

    fn assess<R: Resource>(resource: &R, cx: &Context<'_>, out: &mut Assessment) {
        match resource.billing() {
            Billing::PayAsYouGo | Billing::Spot => nothing_to_leave(cx, out, clause::SCENARIO_PREPAID_ONLY),
            Billing::Free => nothing_to_leave(cx, out, clause::NO_FREE),
            Billing::Trial => nothing_to_leave(cx, out, clause::NO_TRIAL),
            _ if resource.status() == Status::Failed => {
                out.exit(cx, Exit::Failed, |ruling| failed::failed(resource, cx, ruling));
            }
            Billing::OneOff => out.exit(cx, Exit::None, |ruling| {
                ruling.refuse(clause::NO_ONE_OFF);
                ruling.cite(clause::HIDDEN_ONE_OFF);
            }),
            Billing::Package if resource.status() == Status::Queued => {
                out.exit(cx, Exit::Inactive, |ruling| inactive::inactive(resource, cx, ruling));
                // The record is older than the package's effective time: it is ruled as what it now is, too.
                if inactive::has_taken_effect(resource, cx) {
                    what_is_in_use(resource, cx, out);
                }
            }
            Billing::Subscription
            | Billing::Package
            | Billing::SupportPlan
            | Billing::Reservation
            | Billing::SavingsPlan => what_is_in_use(resource, cx, out),
            // No page speaks of anything else.
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

fn nothing_to_leave(cx: &Context<'_>, out: &mut Assessment, why: ClauseId) {
    out.exit(cx, Exit::None, |ruling| ruling.refuse(why));
}

fn what_is_in_use<R: Resource>(resource: &R, cx: &Context<'_>, out: &mut Assessment) {
    let periods = Periods::of(resource, cx);
    if resource.billing() == Billing::Subscription && cx.in_force(clause::FIVE_DAY_SITE) {
        out.exit(cx, Exit::FullRefund, |ruling| full_refund::full_refund(resource, cx, &periods, ruling));
    }
    out.exit(cx, Exit::InUse, |ruling| in_use::in_use(resource, cx, &periods, ruling));
    if periods.renewed {
        out.exit(cx, Exit::RenewalPeriod, |ruling| renewal_period::renewal_period(resource, cx, &periods, ruling));
    }
}

recoup_plugin::export_provider!(Huawei, "recoup_adapter_huawei");
