//! The words of the formats as people read them.
//!
//! ```
//! use recoup_core::vocab::Reason;
//!
//! assert_eq!(recoup_report::words::reason(Reason::Invoiced), "invoice issued");
//! ```

use recoup_core::vocab::{Channel, Effect, Outcome, Reason};

/// A reason as a short phrase that can stand alone or in a list.
#[must_use]
pub const fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::PayAsYouGo => "pay as you go",
        Reason::OneOff => "bought once",
        Reason::Free => "free of charge",
        Reason::Trial => "a trial",
        Reason::ProductNotSupported => "product cannot be returned",
        Reason::Expired => "expired",
        Reason::NotActive => "not active",
        Reason::NotFound => "not found",
        Reason::Archived => "archived",
        Reason::FrozenSecurity => "frozen for security",
        Reason::FrozenLegal => "frozen by law",
        Reason::Arrears => "account in arrears",
        Reason::TransactionInProgress => "another transaction in progress",
        Reason::UnpaidOrder => "an order is unpaid",
        Reason::SpecialRequestOpen => "a special request is open",
        Reason::Promotion => "bought in a promotion",
        Reason::Invoiced => "invoice issued",
        Reason::Marketplace => "sold through the marketplace",
        Reason::PaidImage => "uses a paid image",
        Reason::Reseller => "bought through a reseller",
        Reason::PaidByPartner => "paid by a partner",
        Reason::SalesContract => "under a sales contract",
        Reason::SupportBenefitUsed => "support benefit used",
        Reason::TrialBenefitUsed => "trial benefit used",
        Reason::PartOfBundle => "part of a bundle",
        Reason::LeavesWithPrimary => "leaves only with its primary resource",
        Reason::AttachmentBlocks => "something attached blocks it",
        Reason::QuotaExhausted => "quota used up",
        Reason::WindowClosed => "time window closed",
        Reason::AmountOverLimit => "amount over the limit",
        Reason::CurrencyMismatch => "currencies differ",
        Reason::ZeroRefund => "nothing would come back",
        Reason::SecurityRisk => "flagged as a security risk",
        Reason::Transferred => "transferred from another account",
        Reason::FinancialGroup => "joined or left a financial group",
        Reason::AlreadyEffective => "already in effect",
        Reason::ChangedBeforeRenewal => "changed before the renewal",
        Reason::NeverCancellable => "never cancellable",
        Reason::TooNew => "too new",
        Reason::TooLittleLeft => "too little left",
        Reason::AlreadyUsed => "already used",
        Reason::AccountNotEligible => "account not eligible",
        Reason::AccountOpen => "account still open",
        Reason::NotAuthorised => "requester not authorised",
        Reason::PrivateOffer => "a private offer",
        Reason::AgreementNeeded => "needs an agreement",
        Reason::WithinCommitment => "within its commitment",
        Reason::RegionNotSupported => "region not supported",
        Reason::VolumeDiscount => "bought with a volume discount",
        Reason::TargetNotEligible => "target not eligible",
        Reason::QuantityTooLarge => "quantity too large",
        Reason::ExchangeEnded => "exchanges have ended",
        Reason::NotAutoRenewed => "does not renew by itself",
        Reason::PriceChanged => "price changed",
        Reason::PriceUnknown => "price not known",
        Reason::ReferralOrder => "a referral order",
        Reason::Converted => "converted from other billing",
        Reason::NotNewPurchase => "not a new purchase",
        Reason::Protected => "protected against deletion",
        Reason::PackageInEffect => "package already in effect",
        Reason::RuleUnknown => "no published rule known",
    }
}

/// An effect as a sentence's end.
#[must_use]
pub const fn effect(effect: Effect) -> &'static str {
    match effect {
        Effect::Irreversible => "cannot be undone",
        Effect::DataDeleted => "data is deleted",
        Effect::AccessLost => "access is lost",
        Effect::AttachedLeaveToo => "attached resources leave too",
        Effect::CouponsLost => "coupons are lost",
        Effect::OnDemandRatesApply => "on-demand rates apply afterwards",
        Effect::RenewalsLeaveToo => "renewals leave too",
    }
}

/// Where an exit is taken.
#[must_use]
pub const fn channel(channel: Channel) -> &'static str {
    match channel {
        Channel::Api => "by API",
        Channel::Console => "in the console",
        Channel::Support => "through support",
        Channel::Marketplace => "in the marketplace",
    }
}

/// A sign that tells outcomes apart without colour.
pub(crate) const fn sign(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Allowed => "✓",
        Outcome::Conditional => "?",
        Outcome::Refused => "✕",
    }
}
