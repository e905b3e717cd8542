//! Answers about leaving: quotes, refunds, failures with their codes, and finance relations.

use recoup_core::fact::Flag;
use recoup_core::import::{ImportFile, Misfit, Place};
use recoup_core::stated::Statement;
use recoup_core::time::Instant;
use recoup_core::vocab::OrderStatus;

use super::fields::{instant, short, word};
use super::{Draft, Kind};

/// Something learned of a resource or an order.
#[derive(Debug)]
pub(crate) enum Learned {
    /// A fact of a resource.
    Fact { resource: String, flag: Flag, value: bool, file: String, path: String },
    /// The order was refunded.
    Refunded(String),
    /// The provider's own answer about a resource.
    Stated { resource: String, statement: Box<Statement>, file: String, path: String },
}

/// A membership in another account's finance group.
#[derive(Debug)]
pub(crate) struct Membership {
    since: Option<Instant>,
    /// When it ended, where it has.
    ended: Option<Instant>,
}

/// What an error code of RefundInstance and InquiryPriceRefundInstance says of the resource.
const CODES: &[(&str, Option<(Flag, bool)>)] = &[
    ("ResourceNotExists", Some((Flag::Exists, false))),
    ("ResourceStatusError", None),
    ("InvalidOwner", Some((Flag::RequesterAuthorised, false))),
    ("NotApplicable", None),
    ("NotAuthorized", Some((Flag::RequesterAuthorised, false))),
    ("BindMirrorInstanceError", Some((Flag::PaidImage, true))),
    ("ExceedRefundQuotaError", None),
    ("ExistUnPaidOrderError", Some((Flag::UnpaidOrder, true))),
    ("ExistRefundingOrderError", None),
    ("NoRestValueError", None),
    ("AmbassadorOrderLimitError", Some((Flag::ReferralOrder, true))),
    ("ActivityForbiddenError", Some((Flag::Promotion, true))),
    ("ProductCheckError", Some((Flag::RefundNotSupported, true))),
    // The API does not answer for this commodity; the console may.
    ("CommodityNotSupported", Some((Flag::ApiRefundSupported, false))),
];

/// Whether an answer carries one of the refund calls' error codes.
pub(crate) fn is_refund_code(payload: &Place<'_>) -> bool {
    payload.get("Code").text().ok().flatten().is_some_and(|code| CODES.iter().any(|(known, _)| *known == code))
}

/// Reads an answer that is no listing.
pub(crate) fn read(draft: &mut Draft, file: &ImportFile<'_>, payload: &Place<'_>, kind: Kind) {
    let done = match kind {
        Kind::Quote | Kind::Done | Kind::Failure => answer(draft, file, payload, kind),
        Kind::ConversionFees => conversion_fees(draft, file, payload),
        Kind::DesktopQuote => desktop_quote(draft, file, payload),
        _ => {
            draft.out.remark(file, payload.get("Data").path, "coupons and cards that no order names: nothing to read");
            Ok(())
        }
    };
    if let Err(misfit) = done {
        draft.out.error(file, misfit.path.clone(), misfit.to_string());
    }
}

/// A quote, a refund or its failure. Success and Code decide, not Message.
fn answer(draft: &mut Draft, file: &ImportFile<'_>, payload: &Place<'_>, kind: Kind) -> Result<(), Misfit> {
    let data = payload.get("Data");
    let resource = data.get("InstanceId").text()?;
    let code = payload.get("Code").text()?.unwrap_or_default();
    let succeeded = payload.get("Success").truth()?.unwrap_or(false);
    if !succeeded {
        let learned = CODES.iter().find(|(known, _)| *known == code).and_then(|(_, fact)| *fact);
        if let (Some(resource), Some((flag, value))) = (resource, learned) {
            let path = payload.get("Code").path;
            draft.facts.push(Learned::Fact { resource, flag, value, file: file.name.to_owned(), path });
        } else {
            let what = format!(
                "the call failed with {:?}; which resource it is about or what follows is not said",
                short(&code)
            );
            draft.out.remark(file, payload.get("Code").path, what);
        }
        return Ok(());
    }
    match (kind, resource) {
        (Kind::Quote, Some(resource)) => {
            let amount: Option<recoup_core::money::Amount> = data.get("RefundAmount").decimal()?;
            if amount.is_some() {
                draft.facts.push(Learned::Stated {
                    resource: resource.clone(),
                    statement: Box::new(Statement {
                        // The documents print an explanation in the place of the currency.
                        currency: data.get("Currency").text()?.and_then(|code| code.parse().ok()),
                        refund: amount,
                        ..Statement::by("InquiryPriceRefundInstance")
                    }),
                    file: file.name.to_owned(),
                    path: data.get("RefundAmount").path,
                });
            }
            // A quote that was answered says that the API serves this resource.
            let path = data.get("InstanceId").path;
            let flag = Flag::ApiRefundSupported;
            draft.facts.push(Learned::Fact { resource, flag, value: true, file: file.name.to_owned(), path });
        }
        _ => {
            let order = data.get("OrderId").text()?;
            let what = match order {
                Some(order) => format!("the call gave the order {order}; which resource it is of is not said"),
                None => "an answer without a resource: nothing to read".to_owned(),
            };
            draft.out.remark(file, data.path, what);
        }
    }
    Ok(())
}

/// The fees of a conversion by instance.
fn conversion_fees(draft: &mut Draft, file: &ImportFile<'_>, payload: &Place<'_>) -> Result<(), Misfit> {
    for fee in payload.get("FeeOfInstances").get("FeeOfInstance").items()? {
        let (id, amount) = (fee.get("InstanceId").required()?, fee.get("Fee").required()?);
        let currency = fee.get("Currency").text()?.unwrap_or_default();
        draft.out.remark(
            file,
            fee.path,
            format!("the provider states a fee of {amount} {currency} for converting {id:?}"),
        );
    }
    Ok(())
}

fn desktop_quote(draft: &mut Draft, file: &ImportFile<'_>, payload: &Place<'_>) -> Result<(), Misfit> {
    let price = payload.get("PriceInfo");
    let (amount, currency) = (price.get("RefundFee").required()?, price.get("Currency").text()?.unwrap_or_default());
    draft.out.remark(
        file,
        price.path,
        format!("the provider quotes {amount} {currency}; for which desktops is not said"),
    );
    Ok(())
}

/// A row of QueryRelationList: where the other account is the master, this account joined its group.
pub(crate) fn relation(draft: &mut Draft, file: &ImportFile<'_>, item: &Place<'_>) -> Result<(), Misfit> {
    let types = [("MASTER", true), ("MEMBER", false)];
    if word(&mut draft.out, file, &item.get("AccountType"), &types)? != Some(true) {
        return Ok(());
    }
    let is_current = item.get("State").text()?.is_some_and(|state| state.eq_ignore_ascii_case("RELATED"));
    let ended = if is_current { None } else { instant(&item.get("EndTime"))? };
    draft.groups.push(Membership { since: instant(&item.get("StartTime"))?, ended });
    Ok(())
}

/// Gives the resources what was learned.
pub(crate) fn apply(draft: &mut Draft) {
    for learned in std::mem::take(&mut draft.facts) {
        let (resource, file, path) = match &learned {
            Learned::Fact { resource, file, path, .. } | Learned::Stated { resource, file, path, .. } => {
                (resource.clone(), file.clone(), path.clone())
            }
            Learned::Refunded(_) => continue,
        };
        match (draft.out.resources.iter_mut().find(|record| record.id == resource), learned) {
            (Some(record), Learned::Fact { flag, value, .. }) => record.facts.flags.set(flag, value),
            (Some(record), Learned::Stated { statement, .. }) => record.state(*statement),
            _ => draft.out.remarks.push(recoup_core::import::ImportRemark {
                file,
                path,
                what: format!("says something of {resource:?}, which no listing shows"),
                is_error: false,
            }),
        }
    }
    for group in std::mem::take(&mut draft.groups) {
        let Some(since) = group.since else { continue };
        let orders = draft.out.resources.iter_mut().filter_map(|resource| resource.orders.as_mut()).flatten();
        for order in orders.filter(|order| order.status == OrderStatus::Paid) {
            let Some(paid_at) = order.paid_at else { continue };
            let flags = &mut order.facts.flags;
            if since > paid_at {
                flags.set(Flag::JoinedFinancialGroupAfterPurchase, true);
            } else if flags.get(Flag::JoinedFinancialGroupAfterPurchase).is_none() {
                flags.set(Flag::JoinedFinancialGroupAfterPurchase, false);
            }
            // A group that was left before the purchase took nothing.
            if group.ended.is_some_and(|ended| ended > paid_at) {
                flags.set(Flag::LeftFinancialGroup, true);
            }
        }
    }
}
