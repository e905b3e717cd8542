//! What portfolios of a provider typically hold: the kinds of things that are bought there, for how long,
//! in which currencies, and what exports state of them.
//!
//! Nothing here is a rule. It stands in an adapter's `policy/typical.toml` so that portfolios can be made up
//! that look like real ones, by a generator that knows no provider.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::fact::{Figure, Flag, Moment, Text};
use crate::money::{Currency, Number};
use crate::policy::{Policy, PolicyError};
use crate::vocab::{Billing, Class, Instrument, PaymentOption, Seller, TermUnit};

/// The name under `currencies` that stands for every site without a line of its own.
const ANY_SITE: &str = "*";

/// What portfolios of a provider typically hold. Lists name the commonest first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Typical {
    /// The currencies of a site's orders; `*` is any other site.
    pub currencies: BTreeMap<String, Vec<Currency>>,
    /// Regions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regions: Vec<String>,
    /// What pays.
    pub instruments: Vec<Instrument>,
    /// Facts that are stated of nearly everything and nearly always true.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub usually: Vec<Flag>,
    /// Facts that are stated of nearly everything and seldom true.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seldom: Vec<Flag>,
    /// Facts among those that accounts state, so that resources mostly do not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub of_accounts: Vec<Flag>,
    /// Figures that accounts state.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub figures_of_accounts: Vec<Figure>,
    /// Texts that accounts state, each with what it may be.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub texts_of_accounts: BTreeMap<Text, Vec<String>>,
    /// Facts that orders state too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub of_orders: Vec<Flag>,
    /// Figures that orders state.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub figures_of_orders: Vec<Figure>,
    /// Quotas by name, each with what an account may use up; one whose name ends with a dot is counted by
    /// product.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub quotas: BTreeMap<String, Number>,
    /// The kinds of things that are bought.
    #[serde(rename = "offer")]
    pub offers: Vec<Offer>,
}

/// A kind of thing that is bought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offer {
    /// How it is paid for.
    pub billing: Billing,
    /// Who sells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seller: Option<Seller>,
    /// How often it is found, against the other offers.
    #[serde(default = "once")]
    pub weight: u32,
    /// What it is, as portfolios write it; any product of the policy where there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub products: Vec<String>,
    /// For how long it is bought, by the unit of the term.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub terms: BTreeMap<TermUnit, Vec<u32>>,
    /// How the commitment is paid, where one is made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub payment_options: Vec<PaymentOption>,
    /// Classes, where there are such.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<Class>,
    /// Whether it is an amount that is used up by and by.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub measured: bool,
    /// Whether exports may carry the prices in force.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub prices: bool,
    /// Facts that are stated now and then, either way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<Flag>,
    /// Figures that are stated now and then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub figures: Vec<Figure>,
    /// Instants that are stated now and then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub moments: Vec<Moment>,
    /// Texts that are stated mostly, each with what it may be.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub texts: BTreeMap<Text, Vec<String>>,
}

const fn once() -> u32 {
    1
}

impl Typical {
    /// The currencies of a site's orders.
    #[must_use]
    pub fn currencies_of(&self, site: &str) -> &[Currency] {
        self.currencies.get(site).or_else(|| self.currencies.get(ANY_SITE)).map_or(&[], Vec::as_slice)
    }

    /// Whether all that it names is there.
    ///
    /// # Errors
    /// The first thing that is not.
    pub(crate) fn check(&self, policy: &Policy) -> Result<(), PolicyError> {
        let wrong = |what: String| Err(PolicyError { place: "typical".to_owned(), what });
        for site in &policy.sites {
            if self.currencies_of(&site.id).is_empty() {
                return wrong(format!("names no currency of the site {:?}", site.id));
            }
        }
        if let Some(name) = self.currencies.keys().find(|name| *name != ANY_SITE && policy.site(Some(name)).is_none()) {
            return wrong(format!("names the site {name:?}, which does not exist"));
        }
        if self.instruments.is_empty() {
            return wrong("names nothing that pays".to_owned());
        }
        if self.offers.iter().all(|offer| offer.weight == 0) {
            return wrong("has no offer".to_owned());
        }
        let known = |name: &String| {
            policy.products.is_empty()
                || policy.products.iter().any(|product| product.id == *name || product.names.contains(name))
        };
        for offer in &self.offers {
            if let Some(name) = offer.products.iter().find(|name| !known(name)) {
                return wrong(format!("offers the product {name:?}, which does not exist"));
            }
            if offer.products.is_empty() && policy.products.is_empty() {
                return wrong(format!("does not say what is bought as {}", offer.billing));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(typical: &str) -> Result<(), String> {
        let policy: Policy = serde_json::from_str(
            r#"{"provider": "acme", "site": [{"id": "one", "title": "One", "zone": "UTC", "default": true}],
                "product": [{"id": "vm", "names": ["server"]}]}"#,
        )
        .unwrap();
        let typical: Typical = serde_json::from_str(typical).map_err(|error| error.to_string())?;
        typical.check(&policy).map_err(|error| error.to_string())
    }

    #[test]
    fn what_it_names_must_be_there() {
        let offers = r#""instruments": ["cash"], "offer": [{"billing": "subscription", "products": ["server"]}]"#;
        assert_eq!(check(&format!(r#"{{"currencies": {{"*": ["USD"]}}, {offers}}}"#)), Ok(()));
        for (typical, what) in [
            (format!(r#"{{"currencies": {{}}, {offers}}}"#), "no currency of the site \"one\""),
            (format!(r#"{{"currencies": {{"*": ["USD"], "two": ["EUR"]}}, {offers}}}"#), "the site \"two\""),
            (
                r#"{"currencies": {"*": ["USD"]}, "instruments": ["cash"], "offer": [{"billing": "free", "products": ["car"]}]}"#
                    .to_owned(),
                "the product \"car\"",
            ),
            (r#"{"currencies": {"*": ["USD"]}, "instruments": ["cash"], "offer": []}"#.to_owned(), "has no offer"),
        ] {
            let found = check(&typical).unwrap_err();
            assert!(found.contains(what), "{found}");
        }
    }
}
