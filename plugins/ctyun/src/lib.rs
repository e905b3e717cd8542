//! Tianyi Cloud: whole within seven days, otherwise less usage and a fee that is not published; live
//! traffic packs by a formula of their own.
//!
//! Source: the pages named in `policy/provider.toml`. One file of rules for each exit.

mod failed;
mod full_refund;
mod import;
mod in_use;
mod live_pack;
mod marketplace;
mod refusals;

use recoup_core::import::{ImportFile, Imported};
use recoup_core::prelude::*;

recoup_core::include_policy!();

/// Tianyi Cloud's rules.
#[derive(Debug, Default)]
pub struct Ctyun;

impl Provider for Ctyun {
    const POLICY: &'static str = POLICY;

    fn assess<R: Resource>(resource: &R, cx: &Context<'_>, out: &mut Assessment) {
        if let Some(reason) = resource.billing().refused_outright() {
            out.exit(cx, Exit::None, |ruling| ruling.refuse_as(clause::METERED, reason, true));
        } else if resource.seller() == Seller::Marketplace {
            out.exit(cx, Exit::Marketplace, |ruling| marketplace::marketplace(cx, ruling));
        } else if cx.in_force(clause::BEFORE_2023) {
            out.exit(cx, Exit::None, |ruling| ruling.refuse(clause::BEFORE_2023));
        } else if resource.status() == Status::Failed {
            out.exit(cx, Exit::Failed, |ruling| failed::failed(resource, cx, ruling));
        } else if cx.is_product(product::LIVE_PACK) && cx.in_force(clause::LIVE_PACK) {
            live_pack::exits(resource, cx, out);
        } else {
            out.exit(cx, Exit::FullRefund, |ruling| full_refund::full_refund(resource, cx, ruling));
            out.exit(cx, Exit::InUse, |ruling| in_use::in_use(resource, cx, ruling));
        }
    }

    fn recognises(file: &ImportFile<'_>) -> bool {
        import::recognises(file)
    }

    fn import(files: &[ImportFile<'_>]) -> Imported {
        import::import(files)
    }
}

recoup_plugin::export_provider!(Ctyun, "recoup_adapter_ctyun");
