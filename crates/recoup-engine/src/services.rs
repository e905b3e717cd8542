//! Which of a provider's products a cost export speaks of.
//!
//! FOCUS names services as their provider likes, by name, code or meter; the adapter's policy says which
//! of its products goes by which (`focus` of a product). A service that the policy does not know stays
//! what it is called, and is said to be so.

use std::collections::BTreeMap;

use recoup_portfolio::focus::FocusRead;

use crate::Engine;

/// Gives the records the adapters' own products. Gives what a reader should know: the services that no
/// product of the adapter goes by.
pub fn name_products(engine: &Engine, read: &mut FocusRead) -> Vec<String> {
    let mut unknown: BTreeMap<(String, String), usize> = BTreeMap::new();
    for (record, services) in read.records.iter_mut().zip(&read.services) {
        // An adapter that cannot be used is reported where the record is assessed.
        let Ok(policy) = engine.policy(&record.provider) else { continue };
        match services.iter().find_map(|name| policy.product_of_export(name)) {
            Some(product) => record.product.clone_from(&product.id),
            None if policy.products.is_empty() => {}
            None => *unknown.entry((record.provider.clone(), record.product.clone())).or_default() += 1,
        }
    }
    let say = |((provider, service), count): ((String, String), usize)| {
        format!(
            "{count} resource(s) of the service {service:?}: no product of {provider} is known by that name, so it is left as it is"
        )
    };
    unknown.into_iter().map(say).collect()
}
