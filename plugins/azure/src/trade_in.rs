//! Trading a reservation in for a savings plan (policy page, section 4.3).

use recoup_core::prelude::*;

use crate::exchange::{Target, give_up};
use crate::held::Held;
use crate::refusals;
use crate::{clause, list, product, table};

/// Give back for a savings plan whose commitment is at least what is given up.
pub(crate) fn trade_in<R: Resource>(resource: &R, cx: &Context<'_>, held: &Held, ruling: &mut Ruling<'_>) {
    let traded_in = cx.listed(list::TRADED_IN) || cx.listed(list::TRADED_IN_2026);
    let unnamed = cx.is_product(product::RESERVATION);
    let supported = Answer::named("product", (!unnamed).then_some(traded_in));
    ruling.refuse_as(clause::RI_EX_TRADE_IN, Reason::ProductNotSupported, !supported);
    refusals::requester(cx, ruling);
    refusals::quantity(resource, cx, ruling);
    refusals::state(resource, cx, held, ruling);
    let of_a_plan = |target: &&str| cx.book().product(target) == Some(product::SAVINGSPLAN);
    let product = cx.text(resource, Text::TargetProduct).filter(of_a_plan);
    let target = Target {
        product,
        commitment: cx.figure(resource, Figure::TargetCommitment).filter(|_| product.is_some()),
        term_months: cx.figure(resource, Figure::TargetTermMonths).filter(|_| product.is_some()),
        upfront: cx.text(resource, Text::TargetPaymentOption) == Some(PaymentOption::AllUpfront.as_str()),
    };
    if let (Some(months), true) = (target.term_months, traded_in) {
        let covers = if cx.listed(list::DATABASE_PLAN) { "database" } else { "compute" };
        let sold = months
            .as_whole()
            .is_some_and(|months| cx.cell(table::PLAN_HOURS, &[covers.into(), months.into()]).is_some());
        ruling.refuse_if(clause::RI_EX_TRADE_IN, !sold);
    }
    ruling.cite(clause::RI_EX_TRADE_IN);
    give_up(resource, cx, held, &target, clause::RI_EX_TRADE_IN, ruling);
    if cx.in_force(clause::SITE_USGOV_PLANS) {
        // Whether this cloud has savings plans at all was not seen.
        ruling.no_figure(clause::SITE_USGOV_PLANS, Reason::RuleUnknown, None);
    }
}
