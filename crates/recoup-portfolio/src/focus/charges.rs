//! Rows of the Cost and Usage data set.

use recoup_core::money::Amount;
use recoup_core::vocab::{Billing, Exit, Instrument, Seller};
use serde_json::Value;

use super::cells::Cells;
use super::columns::Column;
use super::counts::{Left, Use};
use super::things::{Charge, FocusRefund, Frequency, RefundForm, Thing, fill};
use super::{Fate, Focus};

/// The kinds of commitment that words of a provider's own show, whatever the provider.
pub(super) fn billing_of(kind: Option<&str>, category: Option<&str>) -> Option<Billing> {
    let words =
        kind.map(|kind| kind.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>());
    let by_kind = words.as_deref().and_then(|words| {
        if words.contains("saving") {
            Some(Billing::SavingsPlan)
        } else if words.contains("reserv") {
            Some(Billing::Reservation)
        } else if words.contains("commit") || words == "cud" {
            Some(Billing::CommittedUse)
        } else {
            None
        }
    });
    // FOCUS knows a commitment to spend and one to use; a kind that has no word of its own is a
    // commitment all the same.
    by_kind.or_else(|| (kind.is_some() || category.is_some()).then_some(Billing::CommittedUse))
}

/// The one contract commitment that a charge was applied to; none where there are several.
fn contract_commitment(applied: &str) -> Option<String> {
    fn gather(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                for (name, inner) in map {
                    match inner {
                        Value::String(id) if name.eq_ignore_ascii_case("ContractCommitmentId") => {
                            found.push(id.clone());
                        }
                        inner => gather(inner, found),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| gather(item, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    gather(&serde_json::from_str(applied).ok()?, &mut found);
    found.sort();
    found.dedup();
    match found.as_slice() {
        [one] => Some(one.clone()),
        _ => None,
    }
}

/// Tags, where they are a JSON object of texts.
fn tags(cells: &Cells<'_>) -> Result<Vec<(String, String)>, String> {
    let Some(text) = cells.text(Column::Tags)? else { return Ok(Vec::new()) };
    let Ok(Value::Object(map)) = serde_json::from_str::<Value>(&text) else { return Ok(Vec::new()) };
    let text = |value: Value| match value {
        Value::String(text) => Some(text),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        _ => None,
    };
    Ok(map.into_iter().filter_map(|(name, value)| Some((name, text(value)?))).collect())
}

impl Focus<'_> {
    /// Takes a row of the Cost and Usage data set.
    pub(super) fn charge(&mut self, cells: &Cells<'_>) -> Result<Fate, String> {
        let category = cells.text(Column::ChargeCategory)?.map(|word| word.to_ascii_lowercase());
        let form = match category.as_deref() {
            Some("usage") => return self.usage(cells),
            Some("tax") => return Ok(Fate::Left(Left::Tax)),
            Some("purchase") => RefundForm::Purchase,
            Some("credit") => RefundForm::Credit,
            Some("adjustment") => RefundForm::Adjustment,
            Some(other) => {
                let shown: String = other.chars().take(60).collect();
                return Err(format!(
                    "\"ChargeCategory\": {shown:?} is not known, expected one of Usage, Purchase, Tax, Credit, Adjustment"
                ));
            }
            None => {
                return Err("\"ChargeCategory\": is missing, expected one of Usage, Purchase, Tax, Credit, Adjustment"
                    .to_owned());
            }
        };
        if cells.text(Column::XRecoupPart)?.is_some_and(|part| part != "returned") {
            return Ok(Fate::Left(Left::Fee));
        }
        let billed = cells.amount(Column::BilledCost)?;
        let gives_back = billed.is_some_and(Amount::is_negative);
        if form != RefundForm::Purchase && !gives_back {
            return Ok(Fate::Left(Left::NothingBack));
        }
        let (start, end) = (cells.instant(Column::ChargePeriodStart)?, cells.instant(Column::ChargePeriodEnd)?);
        if let (Some(start), Some(end)) = (start, end)
            && end < start
        {
            return Err("\"ChargePeriodEnd\": is before \"ChargePeriodStart\"".to_owned());
        }
        let currency = cells.currency(Column::BillingCurrency)?;
        let commitment = cells.owned(Column::CommitmentDiscountId)?;
        let resource = cells.owned(Column::ResourceId)?;
        let contract = match (&commitment, &resource) {
            (None, None) => cells.text(Column::ContractApplied)?.and_then(|applied| contract_commitment(&applied)),
            _ => None,
        };
        let is_commitment = commitment.is_some() || contract.is_some();
        let is_contract = contract.is_some();
        let Some(id) = commitment.or(resource).or(contract) else {
            let left = if form == RefundForm::Purchase && !gives_back {
                Left::PurchaseOfNothing
            } else {
                Left::CreditOfNothing
            };
            return Ok(Fate::Left(left));
        };
        let provider = match self.provider(cells)? {
            Ok(provider) => provider,
            Err(left) => return Ok(Fate::Left(left)),
        };
        if let (true, Some(billed)) = (gives_back, billed) {
            let word = cells.text(Column::XRecoupInstrument)?;
            let exit = cells.text(Column::XRecoupExit)?.and_then(|word| Exit::parse(&word).ok());
            let instrument = word.and_then(|word| Instrument::parse(&word).ok());
            let refund = FocusRefund {
                provider: provider.clone(),
                resource: id.clone(),
                currency,
                amount: -billed,
                at: start,
                form,
                instrument,
                exit,
            };
            self.thing(provider, id).refunds.push(refund);
            return Ok(Fate::Used(if exit.is_some() { Use::Prediction } else { Use::Refund }));
        }
        let frequency = match cells.text(Column::ChargeFrequency)?.map(|word| word.to_ascii_lowercase()).as_deref() {
            Some("one-time" | "onetime" | "one time") => Frequency::OneTime,
            Some("recurring") => Frequency::Recurring,
            _ => Frequency::Other,
        };
        let charge = Charge {
            start,
            end,
            frequency,
            currency,
            list: cells.amount(Column::ListCost)?,
            due: billed,
            refunded: false,
        };
        // How many units a commitment has stands beside the charge that pays for all of it.
        let units = match frequency {
            Frequency::OneTime => cells.number(Column::CommitmentDiscountQuantity)?,
            _ => None,
        };
        let kind = cells.owned(Column::CommitmentDiscountType)?;
        let category = cells.text(Column::CommitmentDiscountCategory)?;
        let billing = if is_contract {
            Some(Billing::CommittedUse)
        } else if is_commitment {
            billing_of(kind.as_deref(), category.as_deref())
        } else {
            Some(Billing::Subscription)
        };
        let Some(billing) = billing else { return Ok(Fate::Left(Left::KindUnknown)) };
        let seller = self.seller(cells, &provider)?;
        let services = services(cells, kind.clone())?;
        let product = match cells.owned(Column::ServiceName)? {
            Some(product) => Some(product),
            None => cells.owned(Column::ResourceType)?.or(kind),
        };
        let name = match (is_commitment, cells.owned(Column::CommitmentDiscountName)?) {
            (true, Some(name)) => Some(name),
            _ => cells.owned(Column::ResourceName)?,
        };
        let region = match cells.owned(Column::RegionId)? {
            Some(region) => Some(region),
            None => cells.owned(Column::RegionName)?,
        };
        let (account, project) = (cells.owned(Column::BillingAccountId)?, cells.owned(Column::SubAccountId)?);
        let (unit, tags) = (cells.owned(Column::CommitmentDiscountUnit)?, tags(cells)?);
        let thing = self.thing(provider, id);
        thing.product(product, services, true);
        thing.is_commitment |= is_commitment;
        fill(&mut thing.billing, Some(billing));
        fill(&mut thing.account, account);
        fill(&mut thing.name, name);
        fill(&mut thing.region, region);
        fill(&mut thing.project, project);
        fill(&mut thing.seller, seller);
        if units.is_some() {
            fill(&mut thing.units, units);
            fill(&mut thing.unit, unit);
        }
        if thing.tags.is_empty() {
            thing.tags = tags;
        }
        thing.charge(charge);
        Ok(Fate::Used(Use::Purchase))
    }

    /// A row of use: only what it says of the commitment that it falls under is of interest.
    fn usage(&mut self, cells: &Cells<'_>) -> Result<Fate, String> {
        let Some(id) = cells.owned(Column::CommitmentDiscountId)? else { return Ok(Fate::Left(Left::Usage)) };
        let provider = match self.provider(cells)? {
            Ok(provider) => provider,
            Err(left) => return Ok(Fate::Left(left)),
        };
        let kind = cells.owned(Column::CommitmentDiscountType)?;
        let category = cells.text(Column::CommitmentDiscountCategory)?;
        let Some(billing) = billing_of(kind.as_deref(), category.as_deref()) else {
            return Ok(Fate::Left(Left::KindUnknown));
        };
        // A commitment to spend covers many services, one to use covers the one in the row.
        let covers_one = category.is_some_and(|category| category.eq_ignore_ascii_case("usage"));
        let (service, region) = match covers_one {
            true => (cells.owned(Column::ServiceName)?, cells.owned(Column::RegionId)?),
            false => (None, None),
        };
        let services = if covers_one { services(cells, kind.clone())? } else { kind.iter().cloned().collect() };
        let account = cells.owned(Column::BillingAccountId)?;
        let name = cells.owned(Column::CommitmentDiscountName)?;
        let used = cells.text(Column::CommitmentDiscountStatus)?.is_some_and(|word| word.eq_ignore_ascii_case("used"));
        let thing = self.thing(provider, id);
        thing.product(service.or(kind), services, false);
        thing.is_commitment = true;
        thing.shown = true;
        thing.used |= used;
        fill(&mut thing.billing, Some(billing));
        fill(&mut thing.account, account);
        fill(&mut thing.name, name);
        fill(&mut thing.region, region);
        Ok(Fate::Used(Use::UnderCommitment))
    }

    /// Who sold it: a publisher that is not the provider sells through its marketplace.
    fn seller(&mut self, cells: &Cells<'_>, provider: &str) -> Result<Option<Seller>, String> {
        let Some(publisher) = cells.text(Column::PublisherName)? else { return Ok(None) };
        let is_provider = self.provider_named(&publisher).as_deref() == Some(provider);
        Ok(Some(if is_provider { Seller::Provider } else { Seller::Marketplace }))
    }
}

/// The names by which a row speaks of what was bought, the most telling first: a service code, the
/// service, its meters, the type of the resource, and at last the kind of the commitment.
fn services(cells: &Cells<'_>, kind: Option<String>) -> Result<Vec<String>, String> {
    let columns =
        [Column::XServiceCode, Column::ServiceName, Column::XSkuMeterCategory, Column::SkuMeter, Column::ResourceType];
    let mut services = Vec::new();
    for column in columns {
        services.extend(cells.owned(column)?);
    }
    services.extend(kind);
    Ok(services)
}

impl Focus<'_> {
    /// The thing with this id. Exporters do not agree on the letter case of ids.
    pub(super) fn thing(&mut self, provider: String, id: String) -> &mut Thing {
        let key = (provider.clone(), id.to_lowercase());
        let place = *self.places.entry(key).or_insert_with(|| {
            self.things.push(None);
            self.things.len() - 1
        });
        // The place was made by the line above or by an earlier row.
        let slot = match self.things.get_mut(place) {
            Some(slot) => slot,
            None => &mut self.spare,
        };
        slot.get_or_insert_with(|| Thing::new(provider, id))
    }
}
