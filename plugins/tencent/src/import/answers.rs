//! The provider's own answers: quotes, eligibility, refund orders.

use recoup_core::fact::Flag;
use recoup_core::import::{ImportFile, Misfit, Place};
use recoup_core::prelude::*;
use recoup_core::stated::Statement;

use super::Join;

/// `InquiryPriceTerminateInstances`: what a return of CVM instances gives.
pub(super) fn quotes<'f>(join: &mut Join<'f>, file: &ImportFile<'f>, place: &Place<'f>) {
    let items = match place.get("InstanceRefundsSet").items() {
        Ok(items) => items,
        Err(misfit) => return join.misfit(file, &misfit),
    };
    for item in &items {
        let read = || -> Result<(String, Option<Amount>, Option<String>), Misfit> {
            Ok((item.get("InstanceId").required()?, item.get("Refunds").decimal()?, item.get("PriceDetail").text()?))
        };
        match read() {
            Ok((id, refund, detail)) => {
                let resource = join.resource(&id, "cvm", Billing::Subscription);
                // Its detail says what happens to coupons; a quote speaks of whichever return applies.
                resource.state(Statement { refund, says: detail, ..Statement::by("InquiryPriceTerminateInstances") });
            }
            Err(misfit) => join.misfit(file, &misfit),
        }
    }
}

/// `InquiryPriceRefundLoadBalancer`: a quote that does not name its load balancer.
pub(super) fn balancer_quote<'f>(join: &mut Join<'f>, file: &ImportFile<'f>, place: &Place<'f>) {
    let price = place.get("Price");
    let mut parts = Vec::new();
    for name in ["InstancePrice", "BandwidthPrice", "LcuPrice"] {
        match price.get(name).get("OriginalPrice").decimal::<Amount>() {
            Ok(Some(amount)) => parts.push(format!("{name} {amount}")),
            Ok(None) => {}
            Err(misfit) => join.misfit(file, &misfit),
        }
    }
    let what = format!("the provider quotes {}; the payload does not name the load balancer", parts.join(", "));
    join.out.remark(file, price.path, what);
}

/// `DescribeInstancesReturnable`, `DescribeDisksReturnable`: eligibility by code.
pub(super) fn returnable<'f>(join: &mut Join<'f>, file: &ImportFile<'f>, place: &Place<'f>) {
    let sets =
        [("InstanceReturnableSet", "InstanceId", "lighthouse"), ("DiskReturnableSet", "DiskId", "lighthouse-disk")];
    for (set, id, product) in sets {
        let items = match place.get(set).items() {
            Ok(items) => items,
            Err(misfit) => return join.misfit(file, &misfit),
        };
        if let Ok(Some(total)) = place.get("TotalCount").whole()
            && !items.is_empty()
            && usize::try_from(total).is_ok_and(|total| items.len() < total)
        {
            let what = format!("says {total} answers, {} are there: add the other pages", items.len());
            join.out.error(file, place.get("TotalCount").path, what);
        }
        for item in &items {
            if let Err(misfit) = answer(join, file, item, id, product) {
                join.misfit(file, &misfit);
            }
        }
    }
}

fn answer(join: &mut Join<'_>, file: &ImportFile<'_>, item: &Place<'_>, id: &str, product: &str) -> Result<(), Misfit> {
    let id = item.get(id).required()?;
    let code = item.get("ReturnFailCode").whole()?;
    let message = item.get("ReturnFailMessage").text()?.unwrap_or_default();
    let resource = join.resource(&id, product, Billing::Subscription);
    let flags = &mut resource.facts.flags;
    match code {
        // Returnable: neither a campaign nor a rule of the product forbids it.
        Some(0) => {
            flags.set(Flag::Promotion, false);
            flags.set(Flag::RefundNotSupported, false);
        }
        Some(1) => resource.status = Status::Released,
        Some(2) => resource.status = Status::Expired,
        Some(4) => resource.billing = Billing::PayAsYouGo,
        Some(9) => flags.set(Flag::Promotion, true),
        Some(11) => flags.set(Flag::ReferralOrder, true),
        Some(12) => flags.set(Flag::RefundNotSupported, true),
        // 3 older than five days, 8 quota, 10 by ticket: no fact of the resource.
        _ => {}
    }
    let said = item.get("IsReturnable").truth()?.or(code.map(|code| code == 0));
    resource.state(Statement {
        allowed: said,
        says: code.map(|code| format!("code {code} {message}").trim_end().to_owned()),
        ..Statement::by("IsReturnable")
    });
    if code.is_none() {
        join.out.remark(file, item.path.clone(), format!("the provider answers for {id} without a code: {message}"));
    }
    Ok(())
}

/// `RefundInstance`: the refund orders that were made.
pub(super) fn refund_orders<'f>(join: &mut Join<'f>, file: &ImportFile<'f>, place: &Place<'f>) {
    let list = place.get("OrderIdList");
    match list.items() {
        Ok(items) => {
            let ids: Vec<String> = items.iter().filter_map(|item| item.text().ok().flatten()).collect();
            let what = format!("refund orders {}: the payload does not name what they refund", ids.join(", "));
            join.out.remark(file, list.path, what);
        }
        Err(misfit) => join.misfit(file, &misfit),
    }
}
