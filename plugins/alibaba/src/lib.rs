//! Alibaba Cloud: unsubscription, refunds, downgrades and conversions of the international and the
//! China site, two contracts with different rules.
//!
//! Source: the pages named in `policy/sources.toml`. Which product has which exit stands in
//! `policy/tables.toml` and is read in `scope`; one file of rules for each exit.

mod consumption;
mod conversion;
mod downgrade;
mod effects;
mod failed;
mod full_refund;
mod goods;
mod import;
mod in_use;
mod inactive;
mod marketplace;
mod quota;
mod refusals;
mod renewal_period;
mod scope;
mod settle;
mod until;

use recoup_core::import::{ImportFile, Imported};
use recoup_core::prelude::*;

use crate::scope::{Scope, Support};

recoup_core::include_policy!();

/// Alibaba Cloud's rules.
#[derive(Debug, Default)]
pub struct Alibaba;

impl Provider for Alibaba {
    const POLICY: &'static str = POLICY;

    fn assess<R: Resource>(resource: &R, cx: &Context<'_>, out: &mut Assessment) {
        if cx.is_product(product::PHYSICAL_GOODS) {
            return out.exit(cx, Exit::Return, |ruling| goods::take_back(resource, cx, ruling));
        }
        if let Some(reason) = resource.billing().refused_outright() {
            return out.exit(cx, Exit::None, |ruling| ruling.refuse_as(clause::SCOPE_PREPAID_ONLY, reason, true));
        }
        if resource.status() == Status::Failed {
            return out.exit(cx, Exit::Failed, |ruling| failed::failed(resource, cx, ruling));
        }
        if resource.seller() == Seller::Marketplace || marketplace::is_kind(cx) {
            return marketplace::assess(resource, cx, out);
        }
        if resource.billing() == Billing::PrepaidBalance {
            // No page speaks of paying out a balance: no exit is ruled, which is exit `none`.
            return;
        }
        let scope = Scope::of(resource, cx);
        if let Some(never) = scope.never {
            return out.exit(cx, Exit::None, |ruling| {
                ruling.refuse(never);
                // Savings plans of the China site are negotiated by ticket (ali.deny.savings-plan).
                if resource.billing() == Billing::SavingsPlan && cx.in_force(clause::ECS_RETENTION) {
                    ruling.channel(Channel::Support);
                }
            });
        }
        exits(resource, cx, &scope, out);
    }

    fn recognises(file: &ImportFile<'_>) -> bool {
        import::recognises(file)
    }

    fn import(files: &[ImportFile<'_>]) -> Imported {
        import::import(files)
    }
}

/// Every exit that the product has.
fn exits<R: Resource>(resource: &R, cx: &Context<'_>, scope: &Scope, out: &mut Assessment) {
    let waiting = resource.status() == Status::Queued && resource.starts_at().is_none_or(|start| start > cx.at);
    if waiting && inactive::offered(resource, cx) {
        out.exit(cx, Exit::Inactive, |ruling| inactive::inactive(resource, cx, scope, ruling));
    }
    if let Some(kind) = scope.full {
        out.exit(cx, Exit::FullRefund, |ruling| full_refund::full_refund(resource, cx, kind, ruling));
    }
    if scope.partial != Support::No {
        out.exit(cx, Exit::InUse, |ruling| in_use::in_use(resource, cx, scope, ruling));
    }
    if resource.pending_renewals(cx.at).next().is_some() {
        out.exit(cx, Exit::RenewalPeriod, |ruling| renewal_period::renewal_period(resource, cx, scope, ruling));
    }
    if resource.billing() == Billing::Subscription
        && !scope::is_plan(resource, cx)
        && resource.status() != Status::Released
    {
        if downgrade::asked_for(resource, cx) {
            out.exit(cx, Exit::Downgrade, |ruling| downgrade::downgrade(resource, cx, ruling));
        }
        if cx.flag(Flag::ConversionRequested).is_yes() {
            out.exit(cx, Exit::Conversion, |ruling| conversion::conversion(resource, cx, scope, ruling));
        }
    }
}

recoup_plugin::export_provider!(Alibaba, "recoup_adapter_alibaba");
