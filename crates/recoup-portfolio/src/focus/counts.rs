//! How many rows were used, for what, and why the others were not.

use std::collections::BTreeMap;
use std::fmt;

/// What a row was used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Use {
    /// It is the charge of something bought.
    Purchase,
    /// It is a use that shows the commitment that it falls under.
    UnderCommitment,
    /// It is a contract commitment.
    Contract,
    /// It gives money back for something bought.
    Refund,
    /// It is a refund that recoup itself predicted.
    Prediction,
}

/// Why a row was not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Left {
    /// Use of something that is paid as it is used.
    Usage,
    /// A tax.
    Tax,
    /// A credit or refund that names no resource.
    CreditOfNothing,
    /// A credit or adjustment that gives nothing back.
    NothingBack,
    /// The row that states a fee kept from a predicted refund.
    Fee,
    /// A commitment that is only proposed.
    Proposed,
    /// A purchase that names neither a resource nor a commitment.
    PurchaseOfNothing,
    /// A commitment without type and category.
    KindUnknown,
    /// Of a provider that no adapter serves.
    UnknownProvider,
    /// Of no provider that the row names.
    NoProvider,
    /// It could not be read.
    Bad,
}

impl Use {
    const fn says(self) -> &'static str {
        match self {
            Self::Purchase => "purchases",
            Self::UnderCommitment => "usage under a commitment",
            Self::Contract => "contract commitments",
            Self::Refund => "refunds",
            Self::Prediction => "predicted refunds",
        }
    }
}

impl Left {
    const fn says(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::Tax => "tax",
            Self::CreditOfNothing => "credits or refunds without a resource id",
            Self::NothingBack => "credits or adjustments that give nothing back",
            Self::Fee => "fees of predicted refunds",
            Self::Proposed => "commitments only proposed",
            Self::PurchaseOfNothing => "purchases without a resource or commitment id",
            Self::KindUnknown => "commitments without type and category",
            Self::UnknownProvider => "of a provider that no adapter serves",
            Self::NoProvider => "without a provider's name",
            Self::Bad => "unreadable",
        }
    }

    /// Whether something that was bought is missing from the answer because of it.
    const fn is_loss(self) -> bool {
        matches!(
            self,
            Self::PurchaseOfNothing | Self::KindUnknown | Self::UnknownProvider | Self::NoProvider | Self::Bad
        )
    }
}

/// Counts of rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Rows used, by use.
    pub used: BTreeMap<Use, u64>,
    /// Rows not used, by reason.
    pub left: BTreeMap<Left, u64>,
    /// Rows of providers that no adapter serves, by the provider's name.
    pub unknown_providers: BTreeMap<String, u64>,
}

impl Counts {
    /// All rows.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.used.values().sum::<u64>() + self.left.values().sum::<u64>()
    }

    /// Rows of things that were bought and cannot be assessed.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.left.iter().filter(|(left, _)| left.is_loss()).map(|(_, count)| count).sum()
    }
}

/// Names of unknown providers that are shown.
const NAMES: usize = 5;

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, items: &mut dyn Iterator<Item = (&'static str, u64)>| {
            for (index, (says, count)) in items.enumerate() {
                write!(f, "{}{says} {count}", if index > 0 { ", " } else { " (" })?;
            }
            f.write_str(")")
        };
        let used: u64 = self.used.values().sum();
        let left: u64 = self.left.values().sum();
        write!(f, "FOCUS rows: {}; used: {used}", used + left)?;
        if used > 0 {
            list(f, &mut self.used.iter().map(|(key, count)| (key.says(), *count)))?;
        }
        write!(f, "; not used: {left}")?;
        if left > 0 {
            list(f, &mut self.left.iter().map(|(key, count)| (key.says(), *count)))?;
        }
        if !self.unknown_providers.is_empty() {
            let names: Vec<String> =
                self.unknown_providers.keys().take(NAMES).map(|name| format!("{name:?}")).collect();
            let more = if self.unknown_providers.len() > NAMES { ", ..." } else { "" };
            write!(f, "; providers not served: {}{more}", names.join(", "))?;
        }
        Ok(())
    }
}
