//! UCloud: deleting a resource is its refund, by coefficients that hang on how it was bought.
//!
//! Sources: the pages named in `policy/provider.toml`. One file of rules for each exit.

mod downgrade;
mod import;
mod in_use;
mod none;

use recoup_core::import::{ImportFile, Imported};
use recoup_core::prelude::*;

recoup_core::include_policy!();

/// UCloud's rules.
#[derive(Debug, Default)]
pub struct Ucloud;

impl Provider for Ucloud {
    const POLICY: &'static str = POLICY;

    fn assess<R: Resource>(resource: &R, cx: &Context<'_>, out: &mut Assessment) {
        match resource.billing() {
            Billing::PayAsYouGo | Billing::Spot => {
                out.exit(cx, Exit::None, |ruling| none::refused(resource, cx, ruling, clause::POSTPAID, None));
            }
            Billing::Free | Billing::Trial => {
                let reason = resource.billing().refused_outright();
                out.exit(cx, Exit::None, |ruling| none::refused(resource, cx, ruling, clause::GIFTED, reason));
            }
            Billing::Package | Billing::OneOff => {
                out.exit(cx, Exit::None, |ruling| none::refused(resource, cx, ruling, clause::REFUSE_PACKS, None));
            }
            _ if cx.listed(list::PACKS) => {
                out.exit(cx, Exit::None, |ruling| none::refused(resource, cx, ruling, clause::REFUSE_PACKS, None));
            }
            Billing::Subscription if in_use::is_cloud_phone_by_the_day(resource, cx) => {
                out.exit(cx, Exit::None, |ruling| {
                    none::refused(resource, cx, ruling, clause::REFUSE_CLOUD_PHONE, None);
                    if let Some(end) = resource.ends_at() {
                        ruling.changes_at(end);
                    }
                });
            }
            Billing::Subscription => {
                out.exit(cx, Exit::InUse, |ruling| in_use::in_use(resource, cx, ruling));
                if let Some(monthly) = cx.figure(resource, Figure::DowngradeMonthlyPrice) {
                    out.exit(cx, Exit::Downgrade, |ruling| downgrade::downgrade(resource, cx, ruling, monthly));
                }
            }
            _ => out.exit(cx, Exit::None, |ruling| {
                none::refused(resource, cx, ruling, clause::UNKNOWN_PRODUCT, None);
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

recoup_plugin::export_provider!(Ucloud, "recoup_adapter_ucloud");
