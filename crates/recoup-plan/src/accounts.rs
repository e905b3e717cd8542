//! Accounts as they stand at some point of a plan.

use std::collections::{BTreeMap, BTreeSet};

use recoup_core::context::{QuotaDraw, Run};
use recoup_core::money::{Amount, Number};
use recoup_core::record::{AccountRecord, QuotaRecord, ResourceRecord, ReturnRecord};
use recoup_core::refund::RefundQuote;
use recoup_core::ruling::RulingData;
use recoup_core::time::Instant;

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
pub(crate) fn run_with(run: &Run, accounts: Vec<AccountRecord>) -> Run {
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

/// What a step that was taken leaves behind in its account.
#[derive(Debug, Clone)]
pub(crate) struct Taken {
    pub(crate) at: Instant,
    draws: Vec<QuotaDraw>,
    record: ReturnRecord,
}

impl Taken {
    /// Of a ruling by which a resource left.
    pub(crate) fn of(resource: &ResourceRecord, at: Instant, ruling: &RulingData) -> Self {
        let quote = ruling.refund.as_ref();
        let money = ruling.quota.iter().filter_map(|draw| draw.draws).find(|draws| !counts_pieces(*draws, resource));
        // Where a quota counts money, the amount of a return is what it drew, in the quota's currency.
        let (amount, currency) = match money {
            Some(draws) => (Some(draws.as_amount()), None),
            None => (quote.map(RefundQuote::refund), quote.map(currency_of)),
        };
        let record = ReturnRecord {
            at,
            amount: amount.map(Amount::floor_zero),
            currency,
            exit: Some(ruling.exit),
            product: Some(resource.product.clone()),
        };
        Self { at, draws: ruling.quota.clone(), record }
    }
}

fn currency_of(quote: &RefundQuote) -> recoup_core::money::Currency {
    use recoup_core::refund::Refund;
    quote.currency()
}

fn counts_pieces(draws: Number, resource: &ResourceRecord) -> bool {
    draws == Number::ONE || Some(draws) == resource.quantity
}

/// An account after steps were taken, asked at an instant, under another name so that many states of it stand
/// beside each other in one run. A quota that the account states goes on from there; what is counted from
/// returns gets them as returns.
pub(crate) fn after(
    record: &AccountRecord,
    key: &AccountKey,
    name: String,
    taken: &[Taken],
    at: Instant,
    zone: recoup_core::time::Zone,
) -> AccountRecord {
    let mut after = AccountRecord { site: Some(key.site.clone()), account: name, ..record.clone() };
    for quota in &mut after.quotas {
        let drawn = taken.iter().flat_map(|taken| taken.draws.iter().map(move |draw| (taken.at, draw)));
        quota.used += drawn
            .filter(|(then, draw)| draw.name == quota.name && draw.window.start(at, zone) <= *then && *then <= at)
            .filter_map(|(_, draw)| draw.draws)
            .sum();
    }
    if let Some(returns) = &mut after.returns {
        returns.extend(taken.iter().map(|taken| taken.record.clone()));
    }
    after
}
