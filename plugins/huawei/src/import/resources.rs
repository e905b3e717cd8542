//! ListPayPerUseCustomerResources: the yearly/monthly resources, whatever its name says.

use recoup_core::fact::Flag;
use recoup_core::import::{Misfit, Place};
use recoup_core::record::ResourceRecord;
use recoup_core::vocab::{Billing, Seller, Status};

use super::{API_TIME, Listed};

/// What to do at expiry, as the API numbers it: renew by itself.
const RENEWS_BY_ITSELF: i64 = 3;

/// Reads an item of the list.
pub(super) fn resource(item: &Place<'_>) -> Result<Listed, Misfit> {
    let id = item.any(&["resource_id", "resourceId"]).required()?;
    let service = item.any(&["service_type_code", "cloud_service_type_code"]).required()?;
    let mut record = ResourceRecord::new("huawei", &id, &service, Billing::Subscription, status(&item.get("status"))?);
    record.name = item.get("resource_name").text()?;
    record.region = item.get("region_code").text()?;
    record.project = project(item)?;
    record.starts_at = item.any(&["effective_time", "valid_time"]).instant(API_TIME)?;
    record.ends_at = item.get("expire_time").instant(API_TIME)?;
    // A primary resource names itself as its primary.
    let is_primary = item.get("is_main_resource").truth()? == Some(true);
    record.primary =
        item.any(&["parent_resource_id", "main_resource_id"]).text()?.filter(|primary| !is_primary && *primary != id);
    record.seller = seller(&service);
    if let Some(policy) = item.any(&["expire_policy", "next_operation_policy"]).whole()? {
        record.facts.flags.set(Flag::AutoRenew, policy == RENEWS_BY_ITSELF);
    }
    let product_id = item.get("product_id").text()?;
    let order_id = item.any(&["order_id", "orderId"]).text()?;
    Ok(Listed { record, product_id, order_id, is_listed: true })
}

fn status(place: &Place<'_>) -> Result<Status, Misfit> {
    match place.whole()? {
        Some(2) => Ok(Status::Active),
        Some(3) => Ok(Status::Released),
        Some(4) => Ok(Status::Frozen),
        Some(5) => Ok(Status::Expired),
        _ => Err(misfit(place, "2 (in use), 3 (closed), 4 (frozen) or 5 (expired)")),
    }
}

/// The enterprise project, else the project of the region.
fn project(item: &Place<'_>) -> Result<Option<String>, Misfit> {
    let enterprise = item.get("enterprise_project").get("id").text()?;
    Ok(enterprise.or(item.any(&["project_id", "project_code"]).text()?))
}

/// What the service's code says of the seller.
pub(super) fn seller(service: &str) -> Option<Seller> {
    (service == "hws.service.type.marketplace").then_some(Seller::Marketplace)
}

/// A value that the API does not define.
pub(super) fn misfit(place: &Place<'_>, expected: &'static str) -> Misfit {
    let found = place.value.map_or_else(|| "nothing".to_owned(), |value| value.to_string().chars().take(60).collect());
    Misfit { path: place.path.clone(), expected, found }
}
