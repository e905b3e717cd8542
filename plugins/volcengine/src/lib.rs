//! Volcengine and BytePlus: the full return within 7 days of the payment, and the later one whose money
//! formula no known page prints.
//!
//! Sources: the pages named in `policy/provider.toml`. One file of rules for each exit.

mod full_refund;
mod import;
mod in_use;
mod none;
mod refusals;

use recoup_core::import::{ImportFile, Imported};
use recoup_core::prelude::*;

recoup_core::include_policy!();

/// Volcengine's rules.
#[derive(Debug, Default)]
pub struct Volcengine;

impl Provider for Volcengine {
    const POLICY: &'static str = POLICY;

    fn assess<R: Resource>(resource: &R, cx: &Context<'_>, out: &mut Assessment) {
        if let Some(reason) = resource.billing().refused_outright() {
            out.exit(cx, Exit::None, |ruling| none::by_billing(resource, cx, ruling, reason));
            return;
        }
        let any = |lists: &[ListId]| lists.iter().any(|id| cx.listed(*id));
        let both = any(&[list::BOTH, list::BOTH_MONGODB, list::BOTH_BYTEPLUS]);
        let seven = both || cx.listed(list::SEVEN_ONLY);
        let part = both || cx.listed(list::ARK);
        let prepaid = matches!(resource.billing(), Billing::Subscription | Billing::Package);
        if cx.listed(list::PACKS) {
            out.exit(cx, Exit::FullRefund, |ruling| full_refund::pack(resource, cx, ruling));
        } else if !(prepaid && (seven || part)) {
            out.exit(cx, Exit::None, |ruling| none::no_rule(resource, cx, ruling));
        } else {
            if seven {
                out.exit(cx, Exit::FullRefund, |ruling| full_refund::seven_days(resource, cx, ruling));
            }
            if part {
                out.exit(cx, Exit::InUse, |ruling| in_use::in_use(resource, cx, ruling));
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

recoup_plugin::export_provider!(Volcengine, "recoup_adapter_volcengine");
