//! Accounts as they stand at some point of a plan.

use std::collections::{BTreeMap, BTreeSet};

use recoup_core::context::{QuotaDraw, Run};
use recoup_core::money::{Amount, Currency, Number};
use recoup_core::record::{AccountRecord, QuotaRecord, ResourceRecord, ReturnRecord};
use recoup_core::refund::Refund as _;
use recoup_core::ruling::RulingData;
use recoup_core::time::{Instant, Zone};
use recoup_core::vocab::Exit;

/// An account of a site of a provider.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct AccountKey {
    pub(crate) provider: String,
    pub(crate) site: String,
    pub(crate) account: Option<String>,
}

impl AccountKey {
    pub(crate) fn record<'r>(&self, run: &'r Run) -> Option<&'r AccountRecord> {
        run.account(&self.provider, &self.site, self.account.as_deref()?)
    }
}

/// A run as another, with accounts of its own.
#[must_use]
pub fn run_with(run: &Run, accounts: Vec<AccountRecord>) -> Run {
    let mut other = Run::default();
    other.at = run.at;
    other.day = run.day;
    other.edition = run.edition;
    other.assumed = run.assumed.clone();
    other.trace = run.trace;
    other.with_accounts(accounts)
}

/// A run in which nothing is used of some quotas: what the rules say where only the quotas do not stand against
/// it. A quota keeps a limit of the account's own.
pub(crate) fn with_room(run: &Run, quotas: &BTreeMap<AccountKey, BTreeSet<String>>) -> Run {
    let mut accounts = Vec::new();
    for (key, names) in quotas {
        let Some(record) = key.record(run) else { continue };
        let mut record = AccountRecord { site: Some(key.site.clone()), ..record.clone() };
        for name in names {
            let limit = record.quotas.iter().find(|quota| quota.name == *name).and_then(|quota| quota.limit);
            record.quotas.retain(|quota| quota.name != *name);
            record.quotas.push(QuotaRecord { name: name.clone(), used: Number::ZERO, limit });
        }
        accounts.push(record);
    }
    // Accounts without a quota that anything draws on stay as they are.
    run_with(run, accounts).with_more_accounts(run.accounts().to_vec())
}

/// What a resource that left leaves behind in its account.
#[derive(Debug, Clone)]
pub struct Taken {
    /// When it left.
    pub at: Instant,
    draws: Vec<QuotaDraw>,
    record: ReturnRecord,
}

impl Taken {
    /// Of a resource that left through an exit, with what that drew on quotas and what came back.
    #[must_use]
    pub fn new(
        at: Instant,
        exit: Exit,
        product: &str,
        quantity: Option<Number>,
        draws: Vec<QuotaDraw>,
        refund: Option<(Amount, Currency)>,
    ) -> Self {
        let counts_pieces = |draws: Number| draws == Number::ONE || Some(draws) == quantity;
        let money = draws.iter().filter_map(|draw| draw.draws).find(|draws| !counts_pieces(*draws));
        // Where a quota counts money, the amount of a return is what it drew, in the quota's currency.
        let (amount, currency) = match money {
            Some(draws) => (Some(draws.as_amount()), None),
            None => refund.unzip(),
        };
        let record = ReturnRecord {
            at,
            amount: amount.map(Amount::floor_zero),
            currency,
            exit: Some(exit),
            product: Some(product.to_owned()),
        };
        Self { at, draws, record }
    }

    /// Of a ruling by which a resource left.
    pub(crate) fn of(resource: &ResourceRecord, at: Instant, ruling: &RulingData) -> Self {
        let refund = ruling.refund.as_ref().map(|quote| (quote.refund(), quote.currency()));
        Self::new(at, ruling.exit, &resource.product, resource.quantity, ruling.quota.clone(), refund)
    }

    /// What it drew on a quota that counts over a time that ends at an instant.
    #[must_use]
    pub fn drew(&self, quota: &str, at: Instant, zone: Zone) -> Number {
        let counts = |draw: &&QuotaDraw| draw.name == quota && draw.window.start(at, zone) <= self.at && self.at <= at;
        self.draws.iter().filter(counts).filter_map(|draw| draw.draws).sum()
    }
}

/// An account after steps were taken, asked at an instant, under another name so that many states of it stand
/// beside each other in one run. A quota that the account states goes on from there; what is counted from
/// returns gets them as returns.
#[must_use]
pub fn after(
    record: &AccountRecord,
    site: &str,
    name: String,
    taken: &[Taken],
    at: Instant,
    zone: Zone,
) -> AccountRecord {
    let mut after = AccountRecord { site: Some(site.to_owned()), account: name, ..record.clone() };
    for quota in &mut after.quotas {
        quota.used += taken.iter().map(|taken| taken.drew(&quota.name, at, zone)).sum();
    }
    if let Some(returns) = &mut after.returns {
        returns.extend(taken.iter().map(|taken| taken.record.clone()));
    }
    after
}
