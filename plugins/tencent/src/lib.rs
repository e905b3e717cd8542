//! Tencent Cloud: the five-day return, the ordinary return with its three formulas, downgrade and
//! conversion, packs and third-party goods.
//!
//! Sources: the pages named in `policy/sources.toml`. One file of rules for each exit, in the order of
//! the pages; [`consumed`] holds the formulas, [`money`] the kinds of money and where they go.

mod agreement;
mod consumed;
mod conversion;
mod downgrade;
mod full_refund;
mod import;
mod in_use;
mod marketplace;
mod money;
mod none;
mod offer;
mod quota;
mod refusals;
mod special;

use recoup_core::import::{ImportFile, Imported};
use recoup_core::prelude::*;

use crate::offer::Offer;

recoup_core::include_policy!();

/// Tencent Cloud's rules.
#[derive(Debug, Default)]
pub struct Tencent;

impl Provider for Tencent {
    const POLICY: &'static str = POLICY;

    const PREFERENCE: &'static [Exit] = &[Exit::FullRefund, Exit::InUse, Exit::Conversion, Exit::Downgrade];

    fn assess<R: Resource>(resource: &R, cx: &Context<'_>, out: &mut Assessment) {
        match offer::of(resource, cx) {
            Offer::Metered => out.exit(cx, Exit::None, |ruling| none::metered(resource, cx, ruling)),
            Offer::Gifted(reason) => out.exit(cx, Exit::None, |ruling| none::gifted(resource, cx, ruling, reason)),
            Offer::Never => out.exit(cx, Exit::None, |ruling| none::never(resource, cx, ruling)),
            Offer::NoRule(reason) => out.exit(cx, Exit::None, |ruling| none::no_rule(resource, cx, ruling, reason)),
            Offer::Marketplace => marketplace::exits(resource, cx, out),
            Offer::Agreement => out.exit(cx, Exit::ByAgreement, |ruling| {
                agreement::case_by_case(resource, cx, ruling);
            }),
            Offer::RefundInstance => out.exit(cx, Exit::InUse, |ruling| in_use::refund_instance(resource, cx, ruling)),
            Offer::Certificate => out.exit(cx, Exit::FullRefund, |ruling| special::certificate(resource, cx, ruling)),
            Offer::Training => out.exit(cx, Exit::InUse, |ruling| special::training(resource, cx, ruling)),
            Offer::QiDian => special::qidian(resource, cx, out),
            Offer::LivePlugin => out.exit(cx, Exit::FullRefund, |ruling| special::live_plugin(resource, cx, ruling)),
            Offer::Returns { full, part } => {
                if full {
                    out.exit(cx, Exit::FullRefund, |ruling| full_refund::full_refund(resource, cx, ruling));
                }
                if part {
                    out.exit(cx, Exit::InUse, |ruling| in_use::in_use(resource, cx, ruling));
                }
                conversion::exit(resource, cx, out);
                downgrade::exit(resource, cx, out);
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

recoup_plugin::export_provider!(Tencent, "recoup_adapter_tencent");
