//! What a store says of resources and accounts: who asks for what, what waits to be asked for, what was drawn.

use std::collections::{BTreeMap, BTreeSet};

use recoup_cases::model::{Case, CaseId, Line, LineState, Place};
use recoup_cases::state::{Gone, key_of, kinds, resource_key};
use recoup_cases::store::{Store, StoreError};
use recoup_core::context::{QuotaDraw, Window};
use recoup_core::time::Instant;
use recoup_core::vocab::Exit;
use recoup_plan::accounts::Taken;
use recoup_plan::document::{Leaving, Step};

use super::place;
use crate::host::Failure;

/// What a store says of resources and accounts when the command begins, and what the command adds to it.
#[derive(Default)]
pub(super) struct Standing {
    /// By resource: the case that asks for it, or in which it left, through which exit.
    claimed: BTreeMap<String, (CaseId, Option<Exit>)>,
    /// By resource and exit: the quote that waits to be confirmed.
    quoted: BTreeMap<(String, Exit), (CaseId, u32)>,
    /// By account: what drew on its quotas.
    pub(super) taken: BTreeMap<Place, Vec<Taken>>,
}

impl Standing {
    pub(super) async fn of(store: &dyn Store, at: Instant, since: Option<Instant>) -> Result<Self, Failure> {
        let mut standing = Self::default();
        for mark in store.marks(kinds::HELD, None).await? {
            standing.claimed.insert(mark.key, (CaseId(mark.case), None));
        }
        for mark in store.marks(kinds::GONE, None).await? {
            let gone: Gone = serde_json::from_str(&mark.value)
                .map_err(|error| StoreError::Damaged(format!("a mark of {}: {error}", mark.case)))?;
            let exit = (!gone.whole).then_some(gone.exit);
            standing.claimed.entry(mark.key).or_insert((CaseId(mark.case), exit));
        }
        let mut cases = BTreeSet::new();
        for kind in [kinds::DRAWN, kinds::DUE] {
            cases.extend(store.marks(kind, None).await?.into_iter().map(|mark| CaseId(mark.case)));
        }
        for id in cases {
            let Some(case) = store.case(&id).await? else { continue };
            standing.add_quotes(&case, at);
            let all: Vec<u32> = case.lines.iter().map(|line| line.number).collect();
            standing.add_taken(&case, &all, since);
        }
        Ok(standing)
    }

    fn add_quotes(&mut self, case: &Case, at: Instant) {
        let waits = |line: &&Line| line.state == LineState::Quoted && at < case.expires_at;
        for line in case.lines.iter().filter(waits) {
            self.quoted.insert((resource_key(line), line.ruling.exit), (case.id.clone(), line.number));
        }
    }

    pub(super) fn add_taken(&mut self, case: &Case, lines: &[u32], since: Option<Instant>) {
        for line in case.lines.iter().filter(|line| lines.contains(&line.number)) {
            let asked = line.state.holds() || line.state == LineState::Executed;
            let Some(at) = line.confirmed_at.filter(|at| asked && since.is_none_or(|since| since <= *at)) else {
                continue;
            };
            if line.follows.is_none() && !line.ruling.quota.is_empty() {
                self.taken.entry(line.place.clone()).or_default().push(taken(line, at));
            }
        }
    }

    pub(super) fn claim(&self, place: &Place, leaving: &Leaving) -> Option<&CaseId> {
        let (case, exit) = self.claimed.get(&key_of(place, &leaving.resource))?;
        exit.is_none_or(|exit| exit == leaving.exit).then_some(case)
    }

    /// The one case in which all of some steps are quoted already.
    pub(super) fn quote_of(&self, steps: &[&Step]) -> Option<CaseId> {
        let leaves = steps.iter().flat_map(|step| step.leaves.iter().map(|leaving| (place(step), leaving)));
        let cases: Option<BTreeSet<&CaseId>> = leaves
            .map(|(place, leaving)| {
                let found = self.quoted.get(&(key_of(&place, &leaving.resource), leaving.exit));
                found.map(|(case, _)| case)
            })
            .collect();
        let cases = cases?;
        cases.first().filter(|_| cases.len() == 1).map(|case| (*case).clone())
    }
}

/// A line that was asked for, as it counts in its account.
fn taken(line: &Line, at: Instant) -> Taken {
    let draws = line.ruling.quota.iter().map(|quota| QuotaDraw {
        name: quota.name.clone().into(),
        limit: quota.limit,
        used: quota.used,
        draws: quota.draws,
        window: Window::from_name(quota.window.as_deref()).unwrap_or(Window::Unpublished),
    });
    let quantity = line.record.get("quantity").and_then(|quantity| quantity.as_str()?.parse().ok());
    let refund = line.ruling.refund.as_ref().map(|money| (money.refund, money.currency));
    Taken::new(at, line.ruling.exit, &line.product, quantity, draws.collect(), refund)
}
