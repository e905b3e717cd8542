//! Rows of CSV, read quickly: cells straight into lent records. As with [`quick`](crate::quick), what is not plain is
//! left to the full reader.

use recoup_core::fact::{Figure, Flag, Moment, Text};
use recoup_core::lent::LentResource;
use recoup_core::record::{ZoneOf, limits};
use recoup_core::time::Instant;
use recoup_core::vocab::{Billing, Relation, Seller, Status};

use crate::json_text::Cursor;
use crate::quick::{Clock, Field, Quick, in_order};

/// What the cells of a column are.
#[derive(Debug, Clone, Copy)]
enum Column {
    Field(Field),
    Flag(Flag),
    Figure(Figure),
    Text(Text),
    Moment(Moment),
}

impl Column {
    fn of(name: &str) -> Option<Self> {
        let name = name.trim();
        match name.strip_prefix("facts.") {
            None => Field::ALL
                .iter()
                .zip(Field::WORDS)
                .find(|(_, word)| **word == name)
                .map(|(field, _)| Self::Field(*field)),
            Some(fact) => {
                let flag = Flag::parse(fact).map(Self::Flag);
                let figure = flag.or_else(|_| Figure::parse(fact).map(Self::Figure));
                let text = figure.or_else(|_| Text::parse(fact).map(Self::Text));
                text.or_else(|_| Moment::parse(fact).map(Self::Moment)).ok()
            }
        }
    }
}

/// The columns of a file whose rows can be read quickly.
#[derive(Debug, Clone)]
pub struct QuickCsv {
    /// In the order in which they are read: whose record it is comes first, so that its dates find their clock.
    columns: Vec<(usize, Column)>,
}

impl QuickCsv {
    /// Resolves a head; nothing where a column is not for the quick way.
    #[must_use]
    pub fn new(header: &csv::StringRecord) -> Option<Self> {
        let columns = header.iter().enumerate().map(|(place, name)| Some((place, Column::of(name)?)));
        let mut columns = columns.collect::<Option<Vec<_>>>()?;
        let is_whose = |column: &Column| matches!(column, Column::Field(Field::Provider | Field::Site));
        columns.sort_by_key(|(_, column)| !is_whose(column));
        let mut names: Vec<&str> = header.iter().map(str::trim).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        // Facts may stand in one cell or in a column each; how the two go together is for the full reader.
        let has_both = names.contains(&"facts") && names.iter().any(|name| name.starts_with("facts."));
        (names.len() == count && !has_both).then_some(Self { columns })
    }

    /// Reads a row, where it is one of those that can be read quickly. Otherwise what `into` holds means nothing.
    pub fn read<'a>(
        &self,
        quick: &mut Quick,
        row: &'a csv::StringRecord,
        zone_of: &ZoneOf<'_>,
        into: &mut LentResource<'a>,
    ) -> Option<()> {
        into.clear();
        let clock = &mut Clock { zone_of, known: None };
        let mut stated = (false, false);
        for (place, column) in &self.columns {
            let cell = row.get(*place)?;
            if cell.is_empty() {
                continue;
            }
            let (provider, site) = (into.provider, into.site);
            match column {
                Column::Flag(flag) => into.facts.flags.set(
                    *flag,
                    match cell {
                        "true" | "TRUE" | "True" => true,
                        "false" | "FALSE" | "False" => false,
                        _ => return None,
                    },
                ),
                // A truth is no text, no figure and no instant.
                _ if matches!(column, Column::Text(_)) && is_truth(cell) => return None,
                Column::Figure(figure) => into.facts.figures.push((*figure, positive(cell)?)),
                Column::Text(text) => into.facts.texts.push((*text, cell)),
                Column::Moment(moment) => into.facts.moments.push((*moment, clock.instant(cell, provider, site)?)),
                Column::Field(Field::Billing) => (into.billing, stated.0) = (Billing::parse(cell).ok()?, true),
                Column::Field(Field::Status) => (into.status, stated.1) = (Status::parse(cell).ok()?, true),
                Column::Field(field) => put(*field, cell, quick, clock, into)?,
            }
        }
        let is_whole = stated == (true, true)
            && !into.provider.is_empty()
            && !into.id.is_empty()
            && !into.product.is_empty()
            && in_order(into.starts_at, into.ends_at);
        is_whole.then_some(())
    }
}

fn is_truth(cell: &str) -> bool {
    matches!(cell, "true" | "TRUE" | "True" | "false" | "FALSE" | "False")
}

fn positive(cell: &str) -> Option<recoup_core::money::Number> {
    cell.parse().ok().filter(|number: &recoup_core::money::Number| !number.is_negative())
}

/// Puts a cell where it belongs.
fn put<'a>(
    field: Field,
    cell: &'a str,
    quick: &mut Quick,
    clock: &mut Clock<'_>,
    into: &mut LentResource<'a>,
) -> Option<()> {
    let (provider, site) = (into.provider, into.site);
    let mut instant = || -> Option<Option<Instant>> { clock.instant(cell, provider, site).map(Some) };
    let text = Some(cell).filter(|cell| cell.len() <= limits::TEXT);
    match field {
        Field::Provider => into.provider = text?,
        Field::Site => into.site = Some(text?),
        Field::Account => into.account = Some(text?),
        Field::Id => into.id = text?,
        Field::Name => into.name = Some(text?),
        Field::Product => into.product = text?,
        Field::Region => into.region = Some(text?),
        Field::Project => drop(text?),
        Field::Seller => into.seller = Some(Seller::parse(cell).ok()?),
        Field::PurchasedAt => into.purchased_at = instant()?,
        Field::StartsAt => into.starts_at = instant()?,
        Field::EndsAt => into.ends_at = instant()?,
        Field::Primary => into.primary = Some(text?),
        Field::Relation => into.relation = Some(Relation::parse(cell).ok()?),
        Field::Bundle => into.bundle = Some(text?),
        Field::Quantity => into.quantity = Some(positive(cell)?),
        Field::Tags | Field::Commitment | Field::PriceTerms | Field::Orders | Field::Facts => {
            let mut cursor = Cursor::new(cell);
            if !cursor.null() {
                quick.structure(field, &mut cursor, clock, into)?;
            }
            cursor.end()?;
        }
        Field::Billing | Field::Status | Field::Stated => return None,
    }
    Some(())
}
