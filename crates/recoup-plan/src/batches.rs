//! Which steps go into one request: what a policy's flow data say of it, as the flows do that carry it out.

use std::collections::BTreeMap;

use recoup_core::flow;
use recoup_core::time::Instant;
use recoup_core::vocab::Billing;
use recoup_engine::Engine;

use crate::document::{Leaving, Step};

/// What the document does not say of a step, and its request depends on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asking {
    /// How what leads it is paid for.
    pub(crate) billing: Option<Billing>,
    /// How many of what leaves are counted: what is bound to a primary resource goes with it.
    pub(crate) counted: usize,
}

/// The kind of request by which a step is asked for, and how many it takes where the provider says.
fn request(engine: &Engine, step: &Step, lead: &Leaving, billing: Option<Billing>) -> (String, Option<usize>) {
    let site = step.site.as_str();
    let leaving = flow::Leaving { site, exit: lead.exit, product: &lead.product, billing, channel: lead.channel };
    match engine.policy(&step.provider) {
        Ok(policy) => {
            let request = policy.request(&leaving);
            (request.name(), request.most())
        }
        Err(_) => (lead.exit.to_string(), None),
    }
}

/// Numbers the requests: steps of one account at one instant that are asked for in the same way go together, as many
/// as the provider takes at once. `asking` says of each step what it does not say itself.
pub(crate) fn number(steps: &mut [Step], engine: &Engine, asking: &[Asking]) {
    type Together = (String, String, Option<String>, String, Instant);
    let mut open: BTreeMap<Together, (usize, usize)> = BTreeMap::new();
    let mut last = 0;
    for (step, asking) in steps.iter_mut().zip(asking) {
        let Some(lead) = step.leaves.first() else { continue };
        let (kind, most) = request(engine, step, lead, asking.billing);
        let together = (step.provider.clone(), step.site.clone(), step.account.clone(), kind, step.at.at);
        let (batch, held) = open.entry(together).or_insert((0, 0));
        if *batch == 0 || most.is_some_and(|most| *held + asking.counted > most) {
            last += 1;
            (*batch, *held) = (last, 0);
        }
        *held += asking.counted;
        step.batch = *batch;
    }
}
