//! The prices in force that a record states, read quickly.

use recoup_core::record::limits;
use recoup_core::resource::{HourlyTier, PriceComponent, PriceTerms, TermDiscount};

use crate::json_text::Cursor;
use crate::quick::{Names, fields, number, object, text, word};

fields!(PriceField {
    Currency = "currency",
    Components = "components",
    Discounts = "discounts",
    HourlyRate = "hourly_rate",
    Rate = "rate",
    UnitPrice = "unit_price",
    Daily = "daily",
    Current = "current",
});

fields!(ComponentField { Name = "name", Monthly = "monthly", Hourly = "hourly" });

fields!(TierField { UpToHours = "up_to_hours", Price = "price" });

fields!(DiscountField { FromMonths = "from_months", Rate = "rate" });

/// The names inside prices.
#[derive(Debug)]
pub(crate) struct Prices {
    terms: Names,
    component: Names,
    tier: Names,
    discount: Names,
}

impl Default for Prices {
    fn default() -> Self {
        Self {
            terms: Names::new(PriceField::WORDS),
            component: Names::new(ComponentField::WORDS),
            tier: Names::new(TierField::WORDS),
            discount: Names::new(DiscountField::WORDS),
        }
    }
}

impl Prices {
    pub(crate) fn read(&mut self, cursor: &mut Cursor<'_>) -> Option<PriceTerms> {
        let mut terms = PriceTerms::default();
        let Self { terms: names, component, tier, discount } = self;
        object(cursor, names, |cursor, place| {
            match PriceField::ALL.get(place)? {
                PriceField::Currency => terms.currency = Some(word(cursor, str::parse)?),
                PriceField::Components => {
                    terms.components = list(cursor, |cursor| read_component(cursor, component, tier))?;
                }
                PriceField::Discounts => terms.discounts = list(cursor, |cursor| read_discount(cursor, discount))?,
                PriceField::HourlyRate => terms.hourly_rate = Some(number(cursor)?),
                PriceField::Rate => terms.rate = Some(number(cursor)?),
                PriceField::UnitPrice => terms.unit_price = Some(number(cursor)?),
                PriceField::Daily => terms.daily = Some(number(cursor)?),
                PriceField::Current => terms.current = Some(number(cursor)?),
            }
            Some(())
        })?;
        Some(terms)
    }
}

/// As many as the full reader takes.
fn list<'a, T>(cursor: &mut Cursor<'a>, mut read: impl FnMut(&mut Cursor<'a>) -> Option<T>) -> Option<Vec<T>> {
    let mut items = Vec::new();
    cursor.array(|cursor| {
        items.push(read(cursor)?);
        (items.len() <= limits::PRICES).then_some(())
    })?;
    Some(items)
}

fn read_component(cursor: &mut Cursor<'_>, names: &mut Names, tier: &mut Names) -> Option<PriceComponent> {
    let mut component = PriceComponent::default();
    object(cursor, names, |cursor, place| {
        match ComponentField::ALL.get(place)? {
            ComponentField::Name => component.name = Some(text(cursor)?.to_owned()),
            ComponentField::Monthly => component.monthly = Some(number(cursor)?),
            ComponentField::Hourly => component.hourly = list(cursor, |cursor| read_tier(cursor, tier))?,
        }
        Some(())
    })?;
    Some(component)
}

fn read_tier(cursor: &mut Cursor<'_>, names: &mut Names) -> Option<HourlyTier> {
    let (mut up_to_hours, mut price) = (None, None);
    object(cursor, names, |cursor, place| {
        match TierField::ALL.get(place)? {
            TierField::UpToHours => up_to_hours = Some(number(cursor)?),
            TierField::Price => price = Some(number(cursor)?),
        }
        Some(())
    })?;
    Some(HourlyTier { up_to_hours, price: price? })
}

fn read_discount(cursor: &mut Cursor<'_>, names: &mut Names) -> Option<TermDiscount> {
    let (mut from_months, mut rate) = (None, None);
    object(cursor, names, |cursor, place| {
        match DiscountField::ALL.get(place)? {
            DiscountField::FromMonths => from_months = Some(number(cursor)?),
            DiscountField::Rate => rate = Some(number(cursor)?),
        }
        Some(())
    })?;
    Some(TermDiscount { from_months: from_months?, rate: rate? })
}
