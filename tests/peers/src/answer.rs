//! What everybody must say of a record.

use recoup_core::assessment::Assessment;
use recoup_core::money::{Amount, Currency};
use recoup_core::vocab::Reason;

/// The reasons for which Bench Cloud refuses, each a bit.
pub(crate) const REASONS: [Reason; 8] = [
    Reason::PayAsYouGo,
    Reason::Expired,
    Reason::FrozenSecurity,
    Reason::UnpaidOrder,
    Reason::Promotion,
    Reason::Invoiced,
    Reason::Marketplace,
    Reason::ProductNotSupported,
];

/// An answer: every reason, and the money in cents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) reasons: u8,
    pub(crate) consumed: i64,
    pub(crate) fee: i64,
    pub(crate) refund: i64,
}

/// The bit of a reason, by its name.
pub(crate) fn bit(name: &str) -> Option<u8> {
    REASONS.iter().position(|reason| reason.as_str() == name).map(|place| 1 << place)
}

fn cents(amount: Amount) -> i64 {
    let cent = Currency::USD.minor_unit().units();
    i64::try_from(amount.units() / cent).unwrap_or(i64::MAX)
}

impl Answer {
    /// What recoup says.
    pub(crate) fn of(assessment: &Assessment) -> Option<Self> {
        let [ruling] = assessment.rulings() else { return None };
        let refund = ruling.refund.as_ref()?;
        let bits = ruling.refusals.iter().filter_map(|refusal| bit(refusal.reason.as_str()));
        Some(Self {
            reasons: bits.fold(0, |all, bit| all | bit),
            consumed: cents(refund.consumed()?),
            fee: cents(refund.fee()),
            refund: cents(refund.refund()),
        })
    }
}
