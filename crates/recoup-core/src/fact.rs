//! Facts: what a rule must know that no order shows.
//!
//! A fact is known true, known false or unknown. It may stand on the resource, on one of its orders or
//! on its account; a place that does not state it says nothing. True in any of them is true; false
//! where at least one states it and none says true; otherwise unknown (FORMATS.md, conventions).

use crate::vocab::vocabulary;

vocabulary! {
    /// Facts that are true, false or unknown.
    Flag("fact") {
        TransactionInProgress = "transaction_in_progress",
        SpecialRequestOpen = "special_request_open",
        Promotion = "promotion",
        PromotionChannel = "promotion_channel",
        Invoiced = "invoiced",
        PaidByPartner = "paid_by_partner",
        ResellerModel = "reseller_model",
        ReferralOrder = "referral_order",
        FrozenSecurity = "frozen_security",
        FrozenLegal = "frozen_legal",
        Arrears = "arrears",
        UnpaidOrder = "unpaid_order",
        SecurityRisk = "security_risk",
        PaidImage = "paid_image",
        Archived = "archived",
        Exists = "exists",
        Used = "used",
        SupportBenefitUsed = "support_benefit_used",
        TrialBenefitUsed = "trial_benefit_used",
        ValueAddedService = "value_added_service",
        SalesContract = "sales_contract",
        FeeWaivedByContract = "fee_waived_by_contract",
        StoredValueCardBeforeReseller = "stored_value_card_before_reseller",
        TransferredIn = "transferred_in",
        JoinedFinancialGroupAfterPurchase = "joined_financial_group_after_purchase",
        LeftFinancialGroup = "left_financial_group",
        ChangedBeforeRenewal = "changed_before_renewal",
        AttachmentAddedAfterRenewal = "attachment_added_after_renewal",
        BandwidthAddon = "bandwidth_addon",
        RefundNotSupported = "refund_not_supported",
        ApiRefundSupported = "api_refund_supported",
        PlanRefundWholeValidity = "plan_refund_whole_validity",
        HostEmpty = "host_empty",
        HasDependents = "has_dependents",
        LargeReviewWaived = "large_review_waived",
        ManagementAccountChanged = "management_account_changed",
        UpfrontReceived = "upfront_received",
        SellerRegistered = "seller_registered",
        UsBankAccount = "us_bank_account",
        VolumeDiscount = "volume_discount",
        OptInRegion = "opt_in_region",
        RegionalScope = "regional_scope",
        PrivateOffer = "private_offer",
        RequesterAuthorised = "requester_authorised",
        CspCustomer = "csp_customer",
        ExchangeAfterCut = "exchange_after_cut",
        AgreementGiven = "agreement_given",
        AutoRenew = "auto_renew",
        Consumer = "consumer",
        WithdrawalWaived = "withdrawal_waived",
        AccountClosed = "account_closed",
        DeliveryDelayed = "delivery_delayed",
        ConversionRequested = "conversion_requested",
        ConvertedFromPostpaid = "converted_from_postpaid",
        ChangedAfterRenewal = "changed_after_renewal",
        Activated = "activated",
        BoundToGateway = "bound_to_gateway",
        InSharedBandwidth = "in_shared_bandwidth",
        OsChanged = "os_changed",
        RestoredAfterRefund = "restored_after_refund",
        SuspendedForContent = "suspended_for_content",
        TerminationProtection = "termination_protection",
        CrossBorder = "cross_border",
    }
}

vocabulary! {
    /// Facts that are decimals.
    Figure("fact") {
        CurrentPrice = "current_price",
        AskPrice = "ask_price",
        OrderAmount = "order_amount",
        AgreedRefund = "agreed_refund",
        RemainingBalance = "remaining_balance",
        UsdRate = "usd_rate",
        QuantityLeaving = "quantity_leaving",
        Vcpus = "vcpus",
        UsageDiscount = "usage_discount",
        DailyListPrice = "daily_list_price",
        DailyListPriceBefore = "daily_list_price_before",
        DailyListPriceNow = "daily_list_price_now",
        DowngradeDailyPrice = "downgrade_daily_price",
        DowngradeMonthlyPrice = "downgrade_monthly_price",
        TargetHourly = "target_hourly",
        TargetMonthly = "target_monthly",
        TargetCommitment = "target_commitment",
        TargetProratedUpfront = "target_prorated_upfront",
        TargetTermMonths = "target_term_months",
        WorkingDaysToStart = "working_days_to_start",
    }
}

vocabulary! {
    /// Facts that are texts.
    Text("fact") {
        SellerOfRecord = "seller_of_record",
        MarketplaceProduct = "marketplace_product",
        BillingChannel = "billing_channel",
        Plan = "plan",
        PlanKind = "plan_kind",
        BillingCycle = "billing_cycle",
        TargetProduct = "target_product",
        TargetBilling = "target_billing",
        TargetPaymentOption = "target_payment_option",
    }
}

vocabulary! {
    /// Facts that are instants.
    Moment("fact") {
        ReturnableUntil = "returnable_until",
        CommitmentEndsAt = "commitment_ends_at",
        LocksAt = "locks_at",
        RestoredAt = "restored_at",
    }
}

/// The flags that one place states, as two bit sets: which are stated, and which of these are true.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FlagSet {
    known: u128,
    truth: u128,
}

const _: () = assert!(Flag::ALL.len() <= 128, "flags are kept in 128 bits");

impl FlagSet {
    /// Nothing stated.
    pub const EMPTY: Self = Self { known: 0, truth: 0 };

    /// What is stated of a flag.
    #[must_use]
    #[inline]
    pub const fn get(self, flag: Flag) -> Option<bool> {
        let bit = 1_u128 << flag.code();
        if self.known & bit == 0 { None } else { Some(self.truth & bit != 0) }
    }

    /// States a flag.
    #[inline]
    pub const fn set(&mut self, flag: Flag, value: bool) {
        let bit = 1_u128 << flag.code();
        self.known |= bit;
        if value {
            self.truth |= bit;
        } else {
            self.truth &= !bit;
        }
    }

    /// What two places state together: true where either says true, false where one states it and
    /// none says true.
    #[must_use]
    #[inline]
    pub const fn and_also(self, other: Self) -> Self {
        Self { known: self.known | other.known, truth: self.truth | other.truth }
    }

    /// The flags of this place, and where it states nothing those of `other`.
    #[must_use]
    #[inline]
    pub const fn or_else(self, other: Self) -> Self {
        Self { known: self.known | other.known, truth: self.truth | (other.truth & !self.known) }
    }

    /// The flags that are not known to be false, as bits by their codes.
    #[must_use]
    #[inline]
    pub(crate) const fn open(self) -> u128 {
        !self.known | self.truth
    }

    /// Every flag that is stated, with its value.
    pub fn iter(self) -> impl Iterator<Item = (Flag, bool)> {
        Flag::ALL.iter().filter_map(move |flag| self.get(*flag).map(|value| (*flag, value)))
    }

    /// Whether nothing is stated.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.known == 0
    }

    /// The two bit sets, stated and true, as they are written into columns.
    #[must_use]
    #[inline]
    pub const fn bits(self) -> (u128, u128) {
        (self.known, self.truth)
    }

    /// The two bit sets, stated and true, as they are read from columns.
    #[must_use]
    #[inline]
    pub const fn from_bits(known: u128, truth: u128) -> Self {
        Self { known, truth: truth & known }
    }
}

/// What is known of a question that a rule asks, and which fact would settle it.
///
/// ```
/// use recoup_core::fact::{Answer, Flag};
///
/// let partner = Answer::of(Flag::PaidByPartner, Some(true));
/// let invoiced = Answer::of(Flag::Invoiced, None);
/// // Both must hold: what is still open is the invoice.
/// let both = partner.and(invoiced);
/// assert_eq!(both.known(), None);
/// assert_eq!(both.fact(), Some("invoiced"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    known: Option<bool>,
    fact: Option<&'static str>,
    /// What the fact would be where the question is answered no.
    fact_if_no: bool,
}

impl Answer {
    /// The answer that a flag gives.
    #[must_use]
    #[inline]
    pub const fn of(flag: Flag, known: Option<bool>) -> Self {
        Self { known, fact: Some(flag.as_str()), fact_if_no: false }
    }

    /// An answer that does not rest on a fact, such as a comparison of dates that may be missing.
    #[must_use]
    #[inline]
    pub const fn from_known(known: Option<bool>) -> Self {
        Self { known, fact: None, fact_if_no: false }
    }

    /// An answer that rests on a named field or fact.
    #[must_use]
    #[inline]
    pub const fn named(name: &'static str, known: Option<bool>) -> Self {
        Self { known, fact: Some(name), fact_if_no: false }
    }

    /// Yes, no or unknown.
    #[must_use]
    #[inline]
    pub const fn known(self) -> Option<bool> {
        self.known
    }

    /// Whether the answer is a known yes.
    #[must_use]
    #[inline]
    pub const fn is_yes(self) -> bool {
        matches!(self.known, Some(true))
    }

    /// Whether the answer is a known no.
    #[must_use]
    #[inline]
    pub const fn is_no(self) -> bool {
        matches!(self.known, Some(false))
    }

    /// The fact that would settle an open answer.
    #[must_use]
    #[inline]
    pub const fn fact(self) -> Option<&'static str> {
        self.fact
    }

    /// The value of the fact under which the question is answered no.
    #[must_use]
    #[inline]
    pub const fn fact_if_no(self) -> bool {
        self.fact_if_no
    }

    /// The same question, where not knowing counts as no.
    #[must_use]
    #[inline]
    pub const fn unknown_is_no(self) -> Self {
        Self { known: Some(matches!(self.known, Some(true))), ..self }
    }

    /// Either holds.
    #[must_use]
    #[inline]
    pub const fn or(self, other: Self) -> Self {
        match (self.known, other.known) {
            (Some(true), _) => self,
            (_, Some(true)) => other,
            (None, _) => self,
            (Some(false), _) => other,
        }
    }

    /// Both hold.
    #[must_use]
    #[inline]
    pub const fn and(self, other: Self) -> Self {
        match (self.known, other.known) {
            (Some(false), _) => self,
            (_, Some(false)) => other,
            (None, _) => self,
            (Some(true), _) => other,
        }
    }
}

impl std::ops::Not for Answer {
    type Output = Self;

    #[inline]
    fn not(self) -> Self {
        Self { known: self.known.map(|known| !known), fact: self.fact, fact_if_no: !self.fact_if_no }
    }
}

impl From<bool> for Answer {
    #[inline]
    fn from(known: bool) -> Self {
        Self::from_known(Some(known))
    }
}

impl From<Option<bool>> for Answer {
    #[inline]
    fn from(known: Option<bool>) -> Self {
        Self::from_known(known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_add_up_as_the_conventions_say() {
        let mut says_true = FlagSet::EMPTY;
        says_true.set(Flag::Promotion, true);
        let mut says_false = FlagSet::EMPTY;
        says_false.set(Flag::Promotion, false);
        assert_eq!(says_false.and_also(says_true).get(Flag::Promotion), Some(true));
        assert_eq!(says_false.and_also(FlagSet::EMPTY).get(Flag::Promotion), Some(false));
        assert_eq!(FlagSet::EMPTY.get(Flag::Promotion), None);
        assert_eq!(says_false.or_else(says_true).get(Flag::Promotion), Some(false));
    }

    #[test]
    fn an_unknown_never_settles_a_question() {
        let answers = [Some(true), Some(false), None].map(Answer::from_known);
        for a in answers {
            for b in answers {
                let (or, and) = (a.or(b).known(), a.and(b).known());
                for x in [false, true] {
                    for y in [false, true] {
                        let consistent = a.known().is_none_or(|k| k == x) && b.known().is_none_or(|k| k == y);
                        if consistent {
                            assert!(or.is_none_or(|known| known == (x || y)));
                            assert!(and.is_none_or(|known| known == (x && y)));
                        }
                    }
                }
            }
        }
    }
}
