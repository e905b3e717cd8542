//! What sellers of the Marketplace take back (section 4.9 of the rules). Nothing is known of the
//! international Marketplace.

use recoup_core::prelude::*;

use crate::effects::{self, days};
use crate::{clause, full_refund, param, product, refusals, settle};

/// The kinds of things that sellers sell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Saas,
    Image,
    Service,
    Never,
}

/// Whether a product is one of the Marketplace's kinds, whatever the record says of its seller.
pub(crate) fn is_kind(cx: &Context<'_>) -> bool {
    kind(cx).is_some()
}

fn kind(cx: &Context<'_>) -> Option<Kind> {
    match cx.product()? {
        product::MARKETPLACE_SAAS => Some(Kind::Saas),
        product::MARKETPLACE_IMAGE => Some(Kind::Image),
        product::MARKETPLACE_SERVICE => Some(Kind::Service),
        product::MARKETPLACE_TOOL | product::MARKETPLACE_API => Some(Kind::Never),
        _ => None,
    }
}

/// The exit of a Marketplace product.
pub(crate) fn assess<R: Resource>(resource: &R, cx: &Context<'_>, out: &mut Assessment) {
    let known = cx.in_force(clause::ROW_MKT_SAAS);
    match kind(cx) {
        None => out.exit(cx, Exit::Marketplace, |ruling| {
            ruling.channel(Channel::Marketplace);
            ruling.no_figure(clause::ROW_MKT_UNKNOWN, Reason::RuleUnknown, Some("product"));
        }),
        Some(_) if !known => out.exit(cx, Exit::None, |ruling| ruling.refuse(clause::ROW_MKT_UNKNOWN)),
        Some(Kind::Never) => out.exit(cx, Exit::None, |ruling| ruling.refuse(clause::ROW_MKT_NEVER)),
        Some(kind) => out.exit(cx, Exit::Marketplace, |ruling| marketplace(resource, cx, kind, ruling)),
    }
}

fn marketplace<R: Resource>(resource: &R, cx: &Context<'_>, kind: Kind, ruling: &mut Ruling<'_>) {
    refusals::state(resource, cx, ruling);
    let length = days(cx, param::MARKETPLACE_DAYS).unwrap_or(Span::days(0));
    let used = cx.flag(Flag::Used);
    match kind {
        Kind::Saas => {
            let paid_at = resource
                .paid_orders()
                .find(|order| order.kind() == OrderKind::Purchase)
                .and_then(|order| order.paid_at().or_else(|| order.placed_at()))
                .or_else(|| resource.purchased_at());
            ruling.window_through(clause::ROW_MKT_SAAS, "paid_at", paid_at, length);
        }
        Kind::Image => {
            ruling.refuse_if(clause::ROW_MKT_IMAGE_USED, used);
            ruling.window_through(clause::ROW_MKT_IMAGE, "purchased_at", full_refund::bought(resource), length);
        }
        // A service that was accepted was used.
        Kind::Service => {
            ruling.cite(clause::ROW_MKT_SERVICE);
            ruling.refuse_if(clause::ROW_MKT_IMAGE_USED, used);
        }
        Kind::Never => {}
    }
    ruling.channel(Channel::Marketplace);
    let by = match kind {
        Kind::Saas => clause::ROW_MKT_SAAS,
        Kind::Image => clause::ROW_MKT_IMAGE,
        Kind::Service | Kind::Never => clause::ROW_MKT_SERVICE,
    };
    ruling.review("seller", by, None);
    effects::of_cancelling(effects::pays_with_vouchers(resource.paid_orders()), ruling);
    effects::settlement(cx, ruling);
    settle::refund_whole(resource, cx, ruling);
}
