//! Which steps go into one request.

use std::collections::BTreeMap;

use recoup_core::flow;
use recoup_core::policy::{Key, Policy};
use recoup_core::time::Instant;
use recoup_core::vocab::Billing;
use recoup_engine::Engine;

use crate::document::{Leaving, Step};

/// The table in which a policy says how many resources of a product go into one request. `*` stands for every
/// product that is not named.
pub const TABLE: &str = "batch-size";

/// How many resources of a product a request takes by the table, where there is one.
fn size(policy: &Policy, product: &str) -> Option<usize> {
    let table = policy.tables.iter().find(|table| table.id == TABLE)?;
    let is_it = |product: &recoup_core::policy::Product, name: &str| {
        product.id == name || product.names.iter().any(|other| other.eq_ignore_ascii_case(name))
    };
    let short = policy.products.iter().find(|one| is_it(one, product)).map_or(product, |one| one.id.as_str());
    let of = |name: &str| {
        let row = table.rows.iter().find(|row| row.key.first() == Some(&Key::Word(name.to_owned())))?;
        usize::try_from(row.value.as_whole()?).ok()
    };
    of(short).or_else(|| of("*"))
}

/// How many resources one request takes, where the provider says: what its procedure takes at once, and no more than
/// its table.
fn most(policy: &Policy, site: &str, leaves: &Leaving, billing: Option<Billing>) -> Option<usize> {
    let leaving = flow::Leaving { site, exit: leaves.exit, product: &leaves.product, billing, channel: leaves.channel };
    let at_once = policy.batch_rule(&leaving).and_then(|rule| rule.max);
    at_once.into_iter().chain(size(policy, &leaves.product)).min()
}

/// Numbers the requests: steps of one account through one exit at one instant go together, as many as the provider
/// takes at once. `billing` says how what leads a step is paid for.
pub(crate) fn number(steps: &mut [Step], engine: &Engine, billing: &[Option<Billing>]) {
    type Together = (String, String, Option<String>, String, Option<usize>, Instant);
    let mut open: BTreeMap<Together, (usize, usize)> = BTreeMap::new();
    let mut last = 0;
    for (step, billing) in steps.iter_mut().zip(billing) {
        let Some(lead) = step.leaves.first() else { continue };
        let policy = engine.policy(&step.provider).ok();
        let most = policy.and_then(|policy| most(&policy, &step.site, lead, *billing));
        let exit = lead.exit.as_str().to_owned();
        // Where the provider counts by product, a request holds one product.
        let together = (step.provider.clone(), step.site.clone(), step.account.clone(), exit, most, step.at.at);
        let (batch, held) = open.entry(together).or_insert((0, 0));
        if *batch == 0 || most.is_some_and(|most| *held + step.leaves.len() > most) {
            last += 1;
            (*batch, *held) = (last, 0);
        }
        *held += step.leaves.len();
        step.batch = *batch;
    }
}
