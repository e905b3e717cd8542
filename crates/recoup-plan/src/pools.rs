//! The quotas that choices draw on, numbered as they are met.

use std::collections::BTreeMap;

use crate::accounts::AccountKey;

/// Numbers for quotas of accounts.
#[derive(Debug, Clone, Default)]
pub(crate) struct PoolNumbers {
    all: Vec<(AccountKey, String)>,
    by_account: BTreeMap<AccountKey, BTreeMap<String, usize>>,
}

impl PoolNumbers {
    /// The number of a quota; a new one where it was not met yet.
    pub(crate) fn number(&mut self, account: &AccountKey, name: &str) -> usize {
        let known = self.by_account.get(account).and_then(|names| names.get(name));
        if let Some(number) = known {
            return *number;
        }
        let number = self.all.len();
        self.all.push((account.clone(), name.to_owned()));
        self.by_account.entry(account.clone()).or_default().insert(name.to_owned(), number);
        number
    }

    /// The account and the name of a quota.
    pub(crate) fn get(&self, number: usize) -> Option<&(AccountKey, String)> {
        self.all.get(number)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }
}
