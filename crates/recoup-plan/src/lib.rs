//! Which resources to give back, through which exit and when, so that most comes back under every quota.
//!
//! [`make`](make::make) gathers the choices there are from the rules, solves what is left to decide exactly, replays
//! what it found step by step through the rules, and says of everything else why it stays. [`check`](check::check)
//! replays a plan that was written before.
//!
//! | module | subject |
//! |---|---|
//! | [`make`](mod@make) | from a portfolio to a plan |
//! | [`accounts`] | accounts as they stand after some steps |
//! | [`document`] | the plan as a file |
//! | [`check`](mod@check) | replaying a plan |
//! | [`face`] | a plan for people |
//! | [`problem`] | what is to be decided, in whole numbers |
//! | [`solve`](mod@solve) | the best selection, its bound and its gap |
//! | [`greedy`] | the largest refund first, for comparison |
//!
//! The way of a problem: choices that others make needless go, parts that no quota connects are told apart, prices on
//! the room of quotas give an exact upper bound and rule out what cannot be part of anything better, exchanges fill
//! what room is left, and a mixed-integer program decides what is still open. Floating point is in `mip.rs` alone:
//! which choices are taken, and prices as whole numbers, come out of it, and every sum and bound is computed from them
//! exactly.

pub mod accounts;
mod batches;
pub mod check;
pub mod document;
mod exchange;
pub mod face;
mod gather;
pub mod greedy;
mod groups;
pub mod make;
mod mip;
mod outline;
mod pools;
mod prices;
pub mod problem;
mod replay;
mod rows;
pub mod solve;
mod why;
