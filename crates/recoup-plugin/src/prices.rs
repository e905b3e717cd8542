//! The prices in force that resources state, into columns and out of them.
//!
//! Few resources state any, and few rules ask: so a resource's prices are put together only when somebody does.

use std::cell::OnceCell;
use std::ops::Range;

use arrow_array::{Array, ArrayRef, Decimal128Array, StringArray, StructArray};
use arrow_schema::ArrowError;
use recoup_core::money::{Currency, Number};
use recoup_core::resource::{HourlyTier, PriceComponent, PriceTerms, TermDiscount};

use crate::columns::{Bounds, Decimals, Presence, Texts, record};
use crate::rows::{Columns, Lists, SchemaError, currencies, number_at, text_at};
use crate::schema;

/// Prices on their way into a batch.
#[derive(Debug, Default)]
pub(crate) struct PriceBuilder {
    rows: usize,
    presence: Presence,
    currency: Texts,
    /// As [`figures`] names them.
    figures: [Decimals; 5],
    components: Bounds,
    name: Texts,
    monthly: Decimals,
    tiers: Bounds,
    up_to_hours: Decimals,
    price: Decimals,
    discounts: Bounds,
    from_months: Decimals,
    rate: Decimals,
}

/// The plain figures of prices, in the order of their columns.
fn figures(terms: &PriceTerms) -> [Option<Number>; 5] {
    [terms.hourly_rate, terms.rate, terms.unit_price, terms.daily, terms.current]
}

impl PriceBuilder {
    /// Adds the prices of the next resource.
    pub(crate) fn push(&mut self, terms: Option<&PriceTerms>) {
        let row = self.rows;
        self.rows += 1;
        self.presence.push(terms.is_some());
        let Some(terms) = terms else { return };
        if let Some(currency) = terms.currency {
            self.currency.put(row, currency.as_str());
        }
        for (column, figure) in self.figures.iter_mut().zip(figures(terms)) {
            if let Some(figure) = figure {
                column.put(row, figure.units());
            }
        }
        self.components.put(row, terms.components.len());
        for component in &terms.components {
            self.name.push(component.name.as_deref());
            self.monthly.number(component.monthly);
            self.tiers.push(Some(component.hourly.len()));
            for tier in &component.hourly {
                self.up_to_hours.number(tier.up_to_hours);
                self.price.number(Some(tier.price));
            }
        }
        self.discounts.put(row, terms.discounts.len());
        for discount in &terms.discounts {
            self.from_months.number(Some(discount.from_months));
            self.rate.number(Some(discount.rate));
        }
    }

    pub(crate) fn finish(mut self) -> Result<StructArray, ArrowError> {
        let (rows, components) = (self.rows, self.components.items());
        let tiers: Vec<ArrayRef> = vec![self.up_to_hours.finish_decimal(), self.price.finish_decimal()];
        let tiers = record(schema::price_tier(), tiers, None, self.tiers.items())?;
        let parts = vec![self.name.finish()?, self.monthly.finish_decimal(), self.tiers.finish(tiers)?];
        let parts = record(schema::price_component(), parts, None, components)?;
        let discounts = vec![self.from_months.finish_decimal(), self.rate.finish_decimal()];
        let discounts = record(schema::term_discount(), discounts, None, self.discounts.items())?;
        let mut columns = vec![self.currency.close(rows).finish()?];
        columns.extend(self.figures.iter_mut().map(|column| column.close(rows).finish_decimal()));
        columns.push(self.components.close(rows).finish(parts)?);
        columns.push(self.discounts.close(rows).finish(discounts)?);
        record(schema::price_terms(), columns, self.presence.finish(), rows)
    }
}

/// The prices of a batch.
pub(crate) struct PriceColumns<'a> {
    array: &'a StructArray,
    currency: Vec<Option<Currency>>,
    figures: [&'a Decimal128Array; 5],
    components: Lists<'a>,
    name: &'a StringArray,
    monthly: &'a Decimal128Array,
    tiers: Lists<'a>,
    up_to_hours: &'a Decimal128Array,
    price: &'a Decimal128Array,
    discounts: Lists<'a>,
    from_months: &'a Decimal128Array,
    rate: &'a Decimal128Array,
    /// Those that somebody asked for; empty where no resource states any.
    read: Vec<OnceCell<Box<PriceTerms>>>,
}

impl<'a> PriceColumns<'a> {
    pub(crate) fn new(parent: &Columns<'a>) -> Result<Self, SchemaError> {
        let (array, columns) = parent.inner("price_terms")?;
        let (components, component) = columns.list("components")?;
        let (tiers, tier) = component.list("hourly")?;
        let (discounts, discount) = columns.list("discounts")?;
        let own = |name| columns.positive(name);
        let is_blank = array.null_count() == array.len();
        Ok(Self {
            array,
            currency: currencies(&columns, "currency")?,
            figures: [own("hourly_rate")?, own("rate")?, own("unit_price")?, own("daily")?, own("current")?],
            components: Lists::new(components),
            name: component.text("name")?,
            monthly: component.positive("monthly")?,
            tiers: Lists::new(tiers),
            up_to_hours: tier.positive("up_to_hours")?,
            price: tier.required_positive("price")?,
            discounts: Lists::new(discounts),
            from_months: discount.required_positive("from_months")?,
            rate: discount.required_positive("rate")?,
            read: if is_blank { Vec::new() } else { vec![OnceCell::new(); array.len()] },
        })
    }

    /// The prices that a resource states.
    pub(crate) fn get(&self, row: usize) -> Option<&PriceTerms> {
        let read = self.read.get(row).filter(|_| self.array.is_valid(row))?;
        Some(read.get_or_init(|| Box::new(self.terms(row))))
    }

    fn terms(&self, row: usize) -> PriceTerms {
        let [hourly_rate, rate, unit_price, daily, current] = self.figures.map(|column| number_at(column, row));
        let of = |lists: &Lists<'_>, row| lists.get(row).unwrap_or_default();
        PriceTerms {
            currency: self.currency.get(row).copied().flatten(),
            components: of(&self.components, row).map(|component| self.component(component)).collect(),
            discounts: of(&self.discounts, row).map(|discount| self.discount(discount)).collect(),
            hourly_rate,
            rate,
            unit_price,
            daily,
            current,
        }
    }

    fn component(&self, row: usize) -> PriceComponent {
        let tiers: Range<usize> = self.tiers.get(row).unwrap_or_default();
        PriceComponent {
            name: text_at(self.name, row).map(str::to_owned),
            monthly: number_at(self.monthly, row),
            hourly: tiers.map(|tier| self.tier(tier)).collect(),
        }
    }

    fn tier(&self, row: usize) -> HourlyTier {
        let price = number_at(self.price, row).unwrap_or(Number::ZERO);
        HourlyTier { up_to_hours: number_at(self.up_to_hours, row), price }
    }

    fn discount(&self, row: usize) -> TermDiscount {
        let figure = |column| number_at(column, row).unwrap_or(Number::ZERO);
        TermDiscount { from_months: figure(self.from_months), rate: figure(self.rate) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::cast::AsArray;
    use proptest::prelude::*;
    use std::sync::Arc;

    fn number() -> impl Strategy<Value = Number> {
        (0_i64..10_000_000).prop_map(|units| Number::from_units(i128::from(units) * 1_000_000_000))
    }

    fn terms() -> impl Strategy<Value = PriceTerms> {
        let tier =
            (prop::option::of(number()), number()).prop_map(|(up_to_hours, price)| HourlyTier { up_to_hours, price });
        let component = (prop::option::of("[a-z]{0,5}"), prop::option::of(number()), prop::collection::vec(tier, 0..3))
            .prop_map(|(name, monthly, hourly)| PriceComponent { name, monthly, hourly });
        let discount = (number(), number()).prop_map(|(from_months, rate)| TermDiscount { from_months, rate });
        let lists = (prop::collection::vec(component, 0..3), prop::collection::vec(discount, 0..3));
        let currency = prop::option::of(prop::sample::select(vec![Currency::USD, Currency::CNY]));
        (currency, lists, prop::array::uniform5(prop::option::of(number()))).prop_map(
            |(currency, (components, discounts), [hourly_rate, rate, unit_price, daily, current])| PriceTerms {
                currency,
                components,
                discounts,
                hourly_rate,
                rate,
                unit_price,
                daily,
                current,
            },
        )
    }

    fn batch(all: &[Option<PriceTerms>]) -> StructArray {
        let mut builder = PriceBuilder::default();
        all.iter().for_each(|terms| builder.push(terms.as_ref()));
        let prices: ArrayRef = Arc::new(builder.finish().unwrap());
        let fields = vec![schema::optional("price_terms", prices.data_type().clone())];
        StructArray::try_new(fields.into(), vec![prices], None).unwrap()
    }

    proptest! {
        #[test]
        fn prices_come_out_of_their_columns_as_they_went_in(all in prop::collection::vec(prop::option::of(terms()), 1..8)) {
            let batch = batch(&all);
            let columns = PriceColumns::new(&Columns::new(&batch, "")).unwrap();
            for (row, terms) in all.iter().enumerate() {
                prop_assert_eq!(columns.get(row), terms.as_ref());
            }
        }
    }

    #[test]
    fn negative_prices_are_refused_with_their_column_and_row() {
        let minus = Number::from_units(-1);
        let tier = HourlyTier { up_to_hours: Some(minus), price: Number::ONE };
        let component = PriceComponent { hourly: vec![tier], ..PriceComponent::default() };
        for (column, terms) in [
            ("price_terms.unit_price", PriceTerms { unit_price: Some(minus), ..PriceTerms::default() }),
            (
                "price_terms.components[].hourly[].up_to_hours",
                PriceTerms { components: vec![component], ..PriceTerms::default() },
            ),
        ] {
            let batch = batch(&[None, Some(terms)]);
            let refused =
                PriceColumns::new(&Columns::new(&batch, "")).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(refused.starts_with(&format!("the column {column:?}, row ")), "{refused}");
            assert!(refused.ends_with("is negative, which a price may not be"), "{refused}");
            assert!(batch.column(0).as_struct().is_null(0));
        }
    }
}
