//! Rows of the Contract Commitment data set.

use recoup_core::money::{Amount, Number};
use recoup_core::vocab::{PaymentOption, Status};

use super::cells::Cells;
use super::charges::billing_of;
use super::columns::Column;
use super::counts::{Left, Use};
use super::things::{Charge, Contract, Frequency, fill};
use super::{Fate, Focus};

/// The stations of a commitment's life (FOCUS 1.4). None for one that was never agreed.
fn status(word: &str) -> Result<Option<(Status, bool)>, String> {
    Ok(Some(match word.to_ascii_lowercase().as_str() {
        "proposed" => return Ok(None),
        "pending" => (Status::Queued, false),
        "active" => (Status::Active, false),
        // In effect still, with nothing left of it.
        "exhausted" => (Status::Active, true),
        "expired" => (Status::Expired, false),
        "canceled" | "cancelled" | "superseded" => (Status::Released, false),
        _ => {
            let shown: String = word.chars().take(60).collect();
            return Err(format!(
                "\"ContractCommitmentLifecycleStatus\": {shown:?} is not known, expected one of Proposed, Pending, Active, Exhausted, Expired, Canceled, Superseded"
            ));
        }
    }))
}

fn payment_option(model: Option<&str>, upfront: Option<Number>) -> Option<PaymentOption> {
    let model: Option<String> =
        model.map(|model| model.chars().filter(|c| c.is_alphabetic()).flat_map(char::to_lowercase).collect());
    match (model.as_deref(), upfront) {
        (Some("allupfront"), _) => Some(PaymentOption::AllUpfront),
        (Some("partialupfront"), _) => Some(PaymentOption::PartialUpfront),
        (Some("noupfront"), _) => Some(PaymentOption::NoUpfront),
        (_, Some(share)) if share == Number::ONE => Some(PaymentOption::AllUpfront),
        (_, Some(share)) if share.is_zero() => Some(PaymentOption::NoUpfront),
        (_, Some(share)) if share.is_positive() && share < Number::ONE => Some(PaymentOption::PartialUpfront),
        _ => None,
    }
}

impl Focus<'_> {
    /// Takes a row of the Contract Commitment data set.
    pub(super) fn contract_commitment(&mut self, cells: &Cells<'_>) -> Result<Fate, String> {
        let Some(id) = cells.owned(Column::ContractCommitmentId)? else {
            return Err("\"ContractCommitmentId\": is missing".to_owned());
        };
        let word = cells.text(Column::ContractCommitmentLifecycleStatus)?;
        let known = match word.as_deref().map(status).transpose()? {
            Some(None) => return Ok(Fate::Left(Left::Proposed)),
            Some(known) => known,
            None => None,
        };
        let (starts_at, ends_at) = (
            cells.instant(Column::ContractCommitmentPeriodStart)?,
            cells.instant(Column::ContractCommitmentPeriodEnd)?,
        );
        if let (Some(start), Some(end)) = (starts_at, ends_at)
            && end < start
        {
            return Err("\"ContractCommitmentPeriodEnd\": is before \"ContractCommitmentPeriodStart\"".to_owned());
        }
        let kind = cells.owned(Column::ContractCommitmentType)?;
        let category = cells.text(Column::ContractCommitmentCategory)?;
        let cost: Option<Amount> = cells.amount(Column::ContractCommitmentCost)?;
        let currency = cells.currency(Column::BillingCurrency)?;
        let model = cells.text(Column::ContractCommitmentPaymentModel)?;
        let upfront = cells.number(Column::ContractCommitmentPaymentUpfrontPercentage)?;
        let option = payment_option(model.as_deref(), upfront);
        let units = cells.number(Column::ContractCommitmentQuantity)?;
        let unit = cells.owned(Column::ContractCommitmentUnit)?;
        let name = cells.owned(Column::ContractCommitmentDescription)?;
        let account = cells.owned(Column::BillingAccountId)?;
        let Some(billing) = billing_of(kind.as_deref(), category.as_deref()) else {
            return Ok(Fate::Left(Left::KindUnknown));
        };
        let provider = match self.provider(cells)? {
            Ok(provider) => provider,
            Err(left) => return Ok(Fate::Left(left)),
        };
        let thing = self.thing(provider, id);
        thing.is_commitment = true;
        let services = kind.iter().cloned().collect();
        thing.product(kind, services, false);
        fill(&mut thing.billing, Some(billing));
        fill(&mut thing.account, account);
        fill(&mut thing.name, name);
        if units.is_some() {
            fill(&mut thing.units, units);
            fill(&mut thing.unit, unit);
        }
        // What is paid at the start is an order; of later instalments FOCUS says no dates.
        if option == Some(PaymentOption::AllUpfront) && thing.contract.is_none() && thing.charges.is_empty() {
            thing.charge(Charge {
                start: starts_at,
                end: ends_at,
                frequency: Frequency::OneTime,
                currency,
                list: None,
                due: cost,
                refunded: false,
            });
        }
        thing.contract = Some(Contract {
            status: known.map(|(status, _)| status),
            exhausted: known.is_some_and(|(_, exhausted)| exhausted),
            starts_at,
            ends_at,
            payment_option: option,
            cost,
            currency,
        });
        Ok(Fate::Used(Use::Contract))
    }
}
