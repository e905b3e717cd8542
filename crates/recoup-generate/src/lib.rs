//! Makes up portfolios that look like real ones, of any size, for trying things out, for benchmarks and for
//! tests that put one path beside another.
//!
//! A [`Generator`] knows no provider: what is bought at each, in which currencies, paid by what, and what
//! exports state of it comes from the adapters' policies ([`typical`](recoup_core::typical)); the windows and
//! editions near whose edges things were bought are those of their rules. The same seed gives the same
//! resources on every machine, and each resource depends on the seed and its number alone, so that any part of
//! a portfolio can be made without the rest.
//!
//! | module | subject |
//! |---|---|
//! | `market` | what the generator knows of a provider |
//! | `resource` | one resource: what it is, what it hangs on |
//! | `dates` | when it was bought: often right where an answer changes |
//! | `orders`, `money`, `commitment` | what was paid, with what, for how long |
//! | `facts` | what is stated of it, and how much stays unknown |
//! | `accounts` | the accounts, with quotas partly used |
//! | `dice` | chance that is the same everywhere |

mod accounts;
mod commitment;
mod dates;
mod dice;
mod facts;
mod market;
mod money;
mod orders;
mod resource;

use std::collections::BTreeSet;
use std::sync::Arc;

use recoup_core::policy::{Policy, PolicyError};
use recoup_core::record::{AccountRecord, ResourceRecord};
use recoup_core::time::{Instant, Zone};

use crate::dates::Clock;
use crate::dice::Dice;
use crate::market::Market;

/// Why no portfolio can be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GenerateError {
    /// A policy contradicts itself.
    #[error("{0}")]
    Policy(#[from] PolicyError),
    /// A policy does not say what portfolios hold.
    #[error("the policy of {provider} does not say what portfolios typically hold (\"typical\")")]
    NotSaid {
        /// The provider.
        provider: String,
    },
    /// No policy was given.
    #[error("there is no provider whose resources could be generated")]
    NoProvider,
}

/// Makes the resources and accounts of a seed.
#[derive(Debug)]
pub struct Generator {
    seed: u64,
    at: Instant,
    markets: Vec<Market>,
}

impl Generator {
    /// A generator of what is bought from the providers of some policies, as it looks at an instant. The order
    /// of the policies matters no more than a machine's.
    ///
    /// # Errors
    /// Where there is no policy, or one of them contradicts itself or does not say what portfolios hold.
    pub fn new(seed: u64, at: Instant, policies: &[Arc<Policy>]) -> Result<Self, GenerateError> {
        let mut markets = Vec::new();
        for policy in policies {
            let not_said = || GenerateError::NotSaid { provider: policy.provider.clone() };
            markets.push(Market::of(policy)?.ok_or_else(not_said)?);
        }
        if markets.is_empty() {
            return Err(GenerateError::NoProvider);
        }
        markets.sort_by(|one, other| one.provider.cmp(&other.provider));
        Ok(Self { seed, at, markets })
    }

    /// The resource with a number.
    #[must_use]
    pub fn resource(&self, number: u64) -> ResourceRecord {
        let mut dice = Dice::of(self.seed, number);
        loop {
            // There is always a provider, with a site and an offer: policies without do not build.
            let Some(market) = dice.one_of(&self.markets) else { continue };
            let Some(site) = dice.commonest(&market.sites) else { continue };
            let clock = Clock { at: self.at, market, site };
            if let Some(made) = resource::resource(self.seed, number, &mut dice, &clock) {
                return made;
            }
        }
    }

    /// The first `count` resources, made one by one.
    pub fn resources(&self, count: u64) -> impl Iterator<Item = ResourceRecord> + '_ {
        (0..count).map(|number| self.resource(number))
    }

    /// All accounts to which resources belong.
    #[must_use]
    pub fn accounts(&self) -> Vec<AccountRecord> {
        let mut all = Vec::new();
        for market in &self.markets {
            for site in &market.sites {
                let clock = Clock { at: self.at, market, site };
                for number in 0..accounts::EACH {
                    let mut dice = Dice::of(self.seed ^ 0xACC0, all.len() as u64);
                    all.push(accounts::account(&mut dice, &clock, number));
                }
            }
        }
        all
    }

    /// The time zone in which a resource's provider writes its instants.
    #[must_use]
    pub fn zone_of(&self, provider: &str, site: Option<&str>) -> Option<Zone> {
        let market = self.markets.iter().find(|market| market.provider == provider)?;
        let is_meant = |place: &&market::SiteMarket| site.map_or(place.is_default, |name| place.name == name);
        market.sites.iter().find(is_meant).map(|place| place.zone)
    }

    /// Every fact that a resource of these providers may state, by name: the columns of a file of them.
    #[must_use]
    pub fn facts(&self) -> BTreeSet<&'static str> {
        let mut names = BTreeSet::new();
        for typical in self.markets.iter().map(|market| &market.typical) {
            names.extend(typical.usually.iter().chain(&typical.seldom).map(|flag| flag.as_str()));
            for offer in &typical.offers {
                names.extend(offer.flags.iter().map(|flag| flag.as_str()));
                names.extend(offer.figures.iter().map(|figure| figure.as_str()));
                names.extend(offer.texts.keys().map(|text| text.as_str()));
                names.extend(offer.moments.iter().map(|moment| moment.as_str()));
            }
        }
        names
    }

    /// Every fact that an order may state, by name.
    #[must_use]
    pub fn facts_of_orders(&self) -> BTreeSet<&'static str> {
        let mut names = BTreeSet::new();
        for typical in self.markets.iter().map(|market| &market.typical) {
            names.extend(typical.of_orders.iter().map(|flag| flag.as_str()));
            names.extend(typical.figures_of_orders.iter().map(|figure| figure.as_str()));
        }
        names
    }
}
