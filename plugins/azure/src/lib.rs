//! Microsoft Azure: reservations, savings plans, Marketplace items, subscriptions and support plans,
//! as bought by a customer or held for one by a partner.
//!
//! Source: the pages named in `policy/sources.toml`; figures, dates and lists in `policy/*.toml`. One
//! file of rules for each exit, besides:
//!
//! | module | subject |
//! |---|---|
//! | `held` | which purchase or renewal is held now, and how much of it leaves |
//! | `refusals` | what refuses a reservation whatever the exit |
//! | `remainder` | the value of the remaining term, by days or payment months |
//! | `pool` | the pool of USD 50,000 in 12 months |
//! | `destination` | where money goes back to |

mod by_agreement;
mod destination;
mod exchange;
mod held;
mod import;
mod in_use;
mod marketplace;
mod none;
mod pool;
mod refusals;
mod remainder;
mod return_exit;
mod trade_in;

use recoup_core::import::{ImportFile, Imported};
use recoup_core::prelude::*;

use crate::held::Held;

recoup_core::include_policy!();

/// Azure's rules.
#[derive(Debug, Default)]
pub struct Azure;

impl Provider for Azure {
    const POLICY: &'static str = POLICY;

    /// An exit that obliges to buy comes last (policy page, section 4).
    const PREFERENCE: &'static [Exit] =
        &[Exit::Marketplace, Exit::Return, Exit::InUse, Exit::ByAgreement, Exit::TradeIn, Exit::Exchange];

    fn assess<R: Resource>(resource: &R, cx: &Context<'_>, out: &mut Assessment) {
        if cx.in_force(clause::SITE_CHINA) {
            out.exit(cx, Exit::None, |ruling| ruling.refuse(clause::SITE_CHINA));
            return;
        }
        match cx.product() {
            Some(product::MONETARYCOMMITMENT) => {
                out.exit(cx, Exit::InUse, |ruling| in_use::monetary_commitment(resource, cx, ruling));
            }
            Some(product::MACC) => out.exit(cx, Exit::None, |ruling| ruling.refuse(clause::MACC)),
            _ => match resource.billing() {
                Billing::SavingsPlan => out.exit(cx, Exit::None, |ruling| ruling.refuse(clause::SP_FINAL)),
                Billing::Reservation => reservation(resource, cx, out),
                Billing::SupportPlan => {
                    out.exit(cx, Exit::InUse, |ruling| in_use::support_plan(resource, cx, ruling));
                }
                _ if resource.seller() == Seller::Marketplace || cx.listed(list::PUBLISHED) => {
                    marketplace_item(resource, cx, out);
                }
                _ => out.exit(cx, Exit::None, |ruling| none::none(resource, cx, ruling)),
            },
        }
    }

    fn recognises(file: &ImportFile<'_>) -> bool {
        import::recognises(file)
    }

    fn import(files: &[ImportFile<'_>]) -> Imported {
        import::import(files)
    }
}

/// Reservations and pre-purchase plans; VM software is the publisher's and has a window instead of the
/// return.
fn reservation<R: Resource>(resource: &R, cx: &Context<'_>, out: &mut Assessment) {
    let held = Held::of(resource, cx);
    let vm_software = cx.is_product(product::VIRTUALMACHINESOFTWARE)
        || (cx.product().is_none() && resource.seller() == Seller::Marketplace);
    if vm_software {
        out.exit(cx, Exit::Marketplace, |ruling| marketplace::vm_software(resource, cx, &held, ruling));
    } else if cx.in_force(clause::RI_BEFORE_2019) {
        out.exit(cx, Exit::None, |ruling| ruling.refuse(clause::RI_BEFORE_2019));
        return;
    } else {
        out.exit(cx, Exit::Return, |ruling| return_exit::return_exit(resource, cx, &held, ruling));
    }
    out.exit(cx, Exit::Exchange, |ruling| exchange::exchange(resource, cx, &held, vm_software, ruling));
    if cx.in_force(clause::RI_EX_TRADE_IN) {
        out.exit(cx, Exit::TradeIn, |ruling| trade_in::trade_in(resource, cx, &held, ruling));
    }
}

/// What a publisher sold: a fixed fee has a window, usage has nothing.
fn marketplace_item<R: Resource>(resource: &R, cx: &Context<'_>, out: &mut Assessment) {
    let held = Held::of(resource, cx);
    let metered = matches!(resource.billing(), Billing::PayAsYouGo | Billing::Spot | Billing::Free);
    let trial = resource.billing() == Billing::Trial;
    if trial && cx.is_product(product::SAAS) && cx.in_force(clause::SAAS_TRIAL) {
        out.exit(cx, Exit::Marketplace, |ruling| marketplace::saas_trial(resource, cx, ruling));
    } else if metered || trial || cx.is_product(product::VIRTUAL_MACHINE_OFFER) {
        out.exit(cx, Exit::None, |ruling| none::none(resource, cx, ruling));
    } else if cx.is_product(product::DATABRICKS_ASSET) {
        out.exit(cx, Exit::InUse, |ruling| in_use::databricks_asset(resource, cx, &held, ruling));
    } else if cx.listed(list::FIXED_FEE) {
        let mut open = None;
        out.exit(cx, Exit::Marketplace, |ruling| open = marketplace::fixed_fee(resource, cx, &held, ruling));
        if cx.listed(list::BY_PUBLISHER) && open != Some(true) {
            out.exit(cx, Exit::ByAgreement, |ruling| by_agreement::by_agreement(resource, cx, &held, ruling));
        }
        if cx.is_product(product::OFFICE_ADD_IN) && open == Some(false) {
            out.exit(cx, Exit::InUse, |ruling| in_use::office_add_in(resource, cx, &held, ruling));
        }
    } else if cx.in_force(clause::BEFORE_2020_11_20) {
        out.exit(cx, Exit::Marketplace, |ruling| {
            marketplace::no_rule(resource, cx, clause::BEFORE_2020_11_20, &held, ruling);
            marketplace::manner(ruling);
        });
    } else {
        out.exit(cx, Exit::None, |ruling| none::none(resource, cx, ruling));
    }
}

recoup_plugin::export_provider!(Azure, "recoup_adapter_azure");
