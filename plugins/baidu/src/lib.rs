//! Baidu AI Cloud: three rule sets side by side, chosen by site, product and date.
//!
//! Source: the pages named in `policy/provider.toml`. One file of rules for each exit.

mod full_refund;
mod in_use;
mod money;
mod renewal_period;

use recoup_core::prelude::*;

recoup_core::include_policy!();

/// Baidu AI Cloud's rules.
#[derive(Debug, Default)]
pub struct Baidu;

impl Provider for Baidu {
    const POLICY: &'static str = POLICY;

    fn assess<R: Resource>(resource: &R, cx: &Context<'_>, out: &mut Assessment) {
        if let Some(reason) = resource.billing().refused_outright() {
            out.exit(cx, Exit::None, |ruling| ruling.refuse_as(clause::METERED, reason, true));
        } else if cx.listed(list::SEVEN_DAY) || cx.listed(list::SEVEN_DAY_LIGHT) {
            out.exit(cx, Exit::InUse, |ruling| in_use::seven_days(resource, cx, ruling));
        } else if cx.listed(list::PENALTY_EIP) || cx.listed(list::PENALTY_GROUP) {
            out.exit(cx, Exit::InUse, |ruling| in_use::with_factor(resource, cx, ruling));
        } else if cx.listed(list::PORT) {
            out.exit(cx, Exit::InUse, |ruling| in_use::port(resource, cx, ruling));
        } else if cx.in_force(clause::NEW_PART) {
            if resource.billing() == Billing::Package {
                out.exit(cx, Exit::FullRefund, |ruling| full_refund::full_refund(resource, cx, ruling));
            }
            if resource.pending_renewals(cx.at).next().is_some() {
                out.exit(cx, Exit::RenewalPeriod, |ruling| renewal_period::renewal_period(resource, cx, ruling));
            }
            out.exit(cx, Exit::InUse, |ruling| in_use::difference(resource, cx, ruling));
        } else {
            out.exit(cx, Exit::None, |ruling| {
                ruling.refuse(clause::UNKNOWN);
                ruling.channel(Channel::Support);
            });
        }
    }
}

recoup_plugin::export_provider!(Baidu, "recoup_adapter_baidu");
