//! Reading and writing portfolios, reading accounts, and writing assessments as Parquet.
//!
//! A portfolio is NDJSON, a JSON array, CSV or Parquet; the form is recognised by content. Reading is
//! streamed: [`read::Portfolio`] gives chunks of [`read::Item`]s, each with the line it came from, and
//! holds no more than a chunk. A file of FOCUS is [`read::Opened::Focus`]: what was bought is gathered
//! from its rows. A file that is none of these, but JSON of another kind, is
//! [`read::Opened::Foreign`]: perhaps something that a provider's API printed.
//!
//! | module | subject |
//! |---|---|
//! | [`read`] | opening a file, its form, its chunks |
//! | [`coming`] | rows of Parquet on their way, decoded by whoever takes them |
//! | [`quick`] | most records of NDJSON, straight from their text |
//! | [`quick_csv`] | most rows of CSV, straight from their cells |
//! | [`quick_rows`] | most records of Parquet, straight from their columns |
//! | [`focus`] | what was bought, out of FOCUS cost and usage |
//! | [`accounts`] | the accounts file |
//! | [`rows`] | rows of Parquet as JSON |
//! | [`mod@write`] | portfolios in any of these forms |
//! | [`parquet`] | assessments as Parquet |

pub mod accounts;
pub mod coming;
mod csv_rows;
mod encoders;
pub mod focus;
mod json_split;
mod json_text;
mod lines;
mod packed;
pub mod parquet;
pub mod quick;
pub mod quick_csv;
mod quick_prices;
pub mod quick_rows;
pub mod read;
pub mod rows;
pub mod write;
