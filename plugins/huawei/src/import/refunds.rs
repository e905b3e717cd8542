//! ShowRefundOrderDetails: what an unsubscription or downgrade gave back, order by order.

use recoup_core::import::{Misfit, Place};
use recoup_core::money::Amount;

use super::orders::in_units;

/// An amount of a refund order: negative where money came back, positive where consumption or a fee
/// was kept.
#[derive(Debug)]
pub(super) struct Refunded {
    pub(super) id: Option<String>,
    pub(super) amount: Option<Amount>,
    /// The purchase or renewal that was refunded.
    pub(super) base_order: String,
    pub(super) resource: Option<String>,
}

/// Reads an item of the list.
pub(super) fn refund(item: &Place<'_>) -> Result<Refunded, Misfit> {
    let measure = item.any(&["measure_id", "measureId"]);
    let amount = item.get("amount").decimal()?;
    Ok(Refunded {
        id: item.get("id").text()?,
        amount: in_units(amount, &measure)?,
        base_order: item.any(&["base_order_id", "preOrderId"]).required()?,
        resource: item.any(&["resource_id", "resourceId"]).text()?,
    })
}
