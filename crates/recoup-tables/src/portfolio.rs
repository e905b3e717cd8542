//! The columns of a portfolio, for whoever builds a table of one.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Fields, Schema};
use recoup_core::fact::{Figure, Flag, Moment, Text};
use recoup_plugin::schema;

/// Where the boundary has the code of a word, a table has the word.
fn worded(field: &Field) -> Field {
    let data_type = match field.data_type() {
        DataType::UInt8 => DataType::Utf8,
        DataType::Struct(fields) => DataType::Struct(all_worded(fields)),
        DataType::List(item) => DataType::List(Arc::new(worded(item))),
        other => other.clone(),
    };
    Field::new(field.name(), data_type, true)
}

fn all_worded(fields: &Fields) -> Fields {
    fields.iter().map(|field| worded(field)).collect()
}

/// A column for every fact.
fn facts() -> Fields {
    let flags = Flag::WORDS.iter().map(|name| schema::optional(name, DataType::Boolean));
    let figures = Figure::WORDS.iter().map(|name| schema::optional(name, schema::DECIMAL));
    let texts = Text::WORDS.iter().map(|name| schema::optional(name, DataType::Utf8));
    let moments = Moment::WORDS.iter().map(|name| schema::optional(name, schema::timestamp()));
    flags.chain(figures).chain(texts).chain(moments).collect()
}

/// Orders may give their term in months, instead of a unit and a count.
fn with_months(orders: &Field, order: &Field) -> Field {
    let DataType::Struct(fields) = order.data_type() else { return orders.clone() };
    let months = Arc::new(schema::optional("term_months", DataType::UInt32));
    let fields: Fields = fields.iter().cloned().chain([months]).collect();
    let order = order.clone().with_data_type(DataType::Struct(fields));
    orders.clone().with_data_type(DataType::List(Arc::new(order)))
}

/// The columns of a portfolio in the types that are taken without a copy. A table may lack any of them but
/// `provider`, `id`, `product`, `billing` and `status`.
#[must_use]
pub fn portfolio_schema() -> Schema {
    let text = |name: &str| Field::new(name, DataType::Utf8, true);
    let mut fields = vec![text("provider"), text("name"), text("project"), text("tags")];
    let resource = schema::resource(facts(), facts());
    fields.extend(resource.iter().map(|field| match worded(field) {
        // What few records have and is nested deep is JSON text, as `tags` and `stated` are.
        field if field.name() == "price_terms" => text("price_terms"),
        field => match field.data_type() {
            DataType::List(order) => with_months(&field, order),
            _ => field,
        },
    }));
    fields.push(text("stated"));
    Schema::new(fields)
}
