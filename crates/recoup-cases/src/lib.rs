//! The flows of recoup, once for every provider: quote, confirm, review, execute, settle, reconcile,
//! with durable state.
//!
//! A *case* is an unsubscription that somebody asked for; it has a *line* for every resource that is to
//! leave. Everything that happens to a case is an entry in one *journal*, appended and never changed,
//! each entry with the hash of the one before. What a case is *now* follows from its entries and can be
//! made again from them at any time.
//!
//! No flow knows a provider or a database: what differs between providers comes in as rulings and as
//! [`Procedures`](procedure::Procedures), what differs between databases stays behind
//! [`Store`](store::Store), and what reaches the world goes through a [`Gateway`](gateway::Gateway).
//! Time is an input: nothing here reads a clock.
//!
//! | module | subject |
//! |---|---|
//! | [`model`] | cases, lines, rulings as pinned, what is expected and what came |
//! | [`journal`] | events and the entries that carry them, chained by hashes |
//! | [`state`] | what a case is now: its entries, one after the other |
//! | [`store`] | where the journal lies: SQLite and PostgreSQL |
//! | [`flow`] | quote, confirm, review, execute, settle, withdraw |
//! | [`listing`] | what can and cannot go, in the views that consoles have |
//! | [`verify`] | whether the journal, the money and the states hold |
//! | [`procedure`] | what a provider's pages say of the procedure itself |
//! | [`published`] | the same from the providers' policies, and calls and steps prepared from them |
//! | [`settle`] | when money should have come: business days and calendar days |
//! | [`gateway`] | the way out: calls to an API, or steps for a person |
//! | [`reconcile`] | predicted against received, to the minor unit |

pub mod flow;
pub mod gateway;
pub mod journal;
pub mod listing;
pub mod model;
pub mod procedure;
pub mod published;
pub mod reconcile;
pub mod settle;
pub mod state;
pub mod store;
pub mod verify;
