//! Akamai Cloud (Linode): what closing an account pays out. Services are paid afterwards.
//!
//! Source: the pages named in `policy/provider.toml`. One file of rules for each exit.

mod balance_payout;
mod full_refund;
mod import;
mod in_use;
mod payments;

use recoup_core::import::{ImportFile, Imported};
use recoup_core::prelude::*;

recoup_core::include_policy!();

/// Akamai Cloud's rules.
#[derive(Debug, Default)]
pub struct Linode;

impl Provider for Linode {
    const POLICY: &'static str = POLICY;

    fn assess<R: Resource>(resource: &R, cx: &Context<'_>, out: &mut Assessment) {
        match resource.billing() {
            Billing::PrepaidBalance if cx.in_force(clause::BALANCE_2019) => {
                out.exit(cx, Exit::None, |ruling| ruling.refuse(clause::BALANCE_2019));
            }
            Billing::PrepaidBalance => {
                if cx.in_force(clause::N7DAY) {
                    out.exit(cx, Exit::FullRefund, |ruling| {
                        full_refund::full_refund(resource, cx, ruling);
                        ruling.waits_only_for(&[]);
                    });
                }
                out.exit(cx, Exit::BalancePayout, |ruling| {
                    balance_payout::balance_payout(resource, cx, ruling);
                    ruling.waits_only_for(&[]);
                });
            }
            Billing::Subscription if cx.in_force(clause::PREPAID) => {
                out.exit(cx, Exit::InUse, in_use::in_use);
            }
            billing => {
                if let Some(reason) = billing.refused_outright() {
                    out.exit(cx, Exit::None, |ruling| ruling.refuse_as(clause::POSTPAID, reason, true));
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

recoup_plugin::export_provider!(Linode, "recoup_adapter_linode");
