//! The vocabulary and the rule framework of recoup.
//!
//! A *resource* was bought ahead from a cloud through one or more *orders*. A provider's adapter
//! rules on every *exit* that its published *clauses* offer for it, at an explicit instant, and each
//! *ruling* says whether that exit is open, every reason why not, and what comes back.
//!
//! This crate holds no provider, no clock, no I/O and no `unsafe`; adapters add the rules, hosts add
//! the rest. Read the modules in this order:
//!
//! | module | subject |
//! |---|---|
//! | [`vocab`] | the closed word lists of the formats: billing, exits, reasons ... |
//! | [`money`] | amounts, currencies, exact fractions |
//! | [`time`] | instants, zones, calendar arithmetic |
//! | [`fact`] | three-valued facts |
//! | [`resource`] | the traits [`Resource`](resource::Resource) and [`Order`](resource::Order) |
//! | [`record`] | owned records of the same, read from and written to JSON |
//! | [`lent`] | the same with texts that a buffer lends, on their way into a batch |
//! | [`policy`] | clauses, sources, editions and dated tables |
//! | [`typical`] | what portfolios of a provider look like, for generated ones |
//! | [`flow`] | what flows need of a provider: reasons, batches, calls, console steps |
//! | [`overlay`] | what a team knows better than the provider's pages |
//! | [`context`] | what a rule may ask about: the instant, the account, the edition |
//! | [`refund`] | money that conserves by construction |
//! | [`ruling`] | what the rules say of one exit |
//! | [`assessment`] | all rulings of one resource, best first, and their written form |
//! | [`stated`] | the provider's own answer beside the rules' |
//! | [`adapter`] | what an adapter implements |
//! | [`import`] | tools for readers of providers' API payloads |
//! | [`receipt`] | refunds as they came, read from and written to JSON |
//! | [`conformance`] | case files and how they are judged |

pub mod adapter;
pub mod assessment;
pub mod conformance;
pub mod context;
pub mod fact;
pub mod flow;
pub mod import;
pub mod lent;
pub mod money;
pub mod overlay;
pub mod policy;
pub mod receipt;
pub mod record;
pub mod refund;
pub mod resource;
pub mod ruling;
pub mod stated;
pub mod time;
pub mod typical;
pub mod vocab;

/// What a rule file needs: `use recoup_core::prelude::*;`.
pub mod prelude {
    pub use crate::adapter::Provider;
    pub use crate::assessment::Assessment;
    pub use crate::context::{Context, QuotaDraw, Window};
    pub use crate::fact::{Answer, Figure, Flag, Moment, Text};
    pub use crate::money::{Amount, Currency, Exact, Number};
    pub use crate::policy::{ClauseId, ListId, ParamId, ProductId, Rulebook, TableId};
    pub use crate::refund::{Disposition, Ledger, Refund, RefundQuote};
    pub use crate::resource::{Commitment, Order, Payment, Resource};
    pub use crate::ruling::{Review, Ruling, Settlement};
    pub use crate::time::{Instant, Span, Zone};
    pub use crate::vocab::{
        Billing, Channel, Class, DayKind, Destination, Effect, Exit, Instrument, InstrumentSet, OrderKind, OrderStatus,
        Outcome, PaymentOption, Reason, Recurrence, Relation, Seller, Status, TermUnit,
    };
}

/// Includes what `recoup-policy` wrote when the adapter was built: a constant for every clause,
/// parameter, table, list and product, and the policy itself.
#[macro_export]
macro_rules! include_policy {
    () => {
        include!(concat!(env!("OUT_DIR"), "/policy.rs"));
    };
}
