//! Which resources to give back, through which exit and when, so that most comes back under every quota.

mod exchange;
pub mod greedy;
mod mip;
mod prices;
pub mod problem;
mod rows;
pub mod solve;
