//! The closed word lists of the formats.
//!
//! Every word has a stable number, which is what crosses the plugin boundary: numbers are part of
//! the published C header, so words are only ever appended.

/// A word that is not in its list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is not a known {kind}{}", hint(.expected, .found))]
pub struct UnknownWord {
    /// What kind of word was expected, for example `billing`.
    pub kind: &'static str,
    /// What was found instead.
    pub found: String,
    /// The words that would have been understood.
    pub expected: &'static [&'static str],
}

fn hint(expected: &[&str], found: &str) -> String {
    match closest(expected, found) {
        Some(word) => format!(", did you mean {word:?}?"),
        None if expected.len() <= 16 => format!(", expected one of {}", expected.join(", ")),
        None => String::new(),
    }
}

/// The word nearest in spelling to `found`, if any is near enough to be meant.
#[must_use]
pub fn closest<'a>(words: &[&'a str], found: &str) -> Option<&'a str> {
    words
        .iter()
        .map(|word| (edit_distance(word, found), *word))
        .filter(|(distance, word)| *distance <= 1 + word.len() / 5)
        .min()
        .map(|(_, word)| word)
}

fn edit_distance(a: &str, b: &str) -> usize {
    // A longer word than this is no misspelling of ours.
    if b.len() > 64 {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        let mut next = vec![left];
        for (y, above) in b.chars().zip(row.iter().skip(1)) {
            let substituted = diagonal + usize::from(x != y);
            left = substituted.min(left + 1).min(above + 1);
            diagonal = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or(usize::MAX)
}

macro_rules! vocabulary {
    ($(#[$meta:meta])* $name:ident ($kind:literal) { $($(#[$word_meta:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        #[allow(missing_docs, reason = "the words are defined by the published formats")]
        pub enum $name { $($(#[$word_meta])* $variant),+ }

        impl $name {
            /// Every word of the list, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// The words as they are written in files.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// The word as it is written in files.
            #[must_use]
            #[inline]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// The word's stable number.
            #[must_use]
            #[inline]
            pub const fn code(self) -> u8 {
                self as u8
            }

            /// The word with this number, if there is one.
            #[must_use]
            #[inline]
            pub fn from_code(code: u8) -> Option<Self> {
                Self::ALL.get(usize::from(code)).copied()
            }

            /// Reads a word as it is written in files.
            ///
            /// # Errors
            /// When the word is not in the list; the error names the nearest one.
            pub fn parse(word: &str) -> Result<Self, $crate::vocab::UnknownWord> {
                match word {
                    $($word => Ok(Self::$variant),)+
                    _ => Err($crate::vocab::UnknownWord { kind: $kind, found: word.chars().take(80).collect(), expected: Self::WORDS }),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let word = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                Self::parse(&word).map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use vocabulary;

vocabulary! {
    /// How a resource is paid for.
    Billing("billing") {
        Subscription = "subscription",
        Package = "package",
        Reservation = "reservation",
        SavingsPlan = "savings_plan",
        CommittedUse = "committed_use",
        License = "license",
        SupportPlan = "support_plan",
        OneOff = "one_off",
        PayAsYouGo = "pay_as_you_go",
        Spot = "spot",
        Free = "free",
        Trial = "trial",
        PrepaidBalance = "prepaid_balance",
    }
}

impl Billing {
    /// The reason of a refusal that follows from this way of billing alone, if there is one
    /// (FORMATS.md, conventions): nothing that is metered, free, on trial or bought once is left.
    #[must_use]
    pub const fn refused_outright(self) -> Option<Reason> {
        match self {
            Self::PayAsYouGo | Self::Spot => Some(Reason::PayAsYouGo),
            Self::Free => Some(Reason::Free),
            Self::Trial => Some(Reason::Trial),
            Self::OneOff => Some(Reason::OneOff),
            _ => None,
        }
    }
}

vocabulary! {
    /// Who sold the resource.
    Seller("seller") { Provider = "provider", Marketplace = "marketplace" }
}

vocabulary! {
    /// Where a resource stands in its life.
    Status("status") {
        Pending = "pending",
        Queued = "queued",
        Active = "active",
        Expired = "expired",
        Frozen = "frozen",
        Failed = "failed",
        Released = "released",
    }
}

vocabulary! {
    /// How a resource hangs on its primary: `bound` leaves only with it, `attached` may leave alone.
    Relation("relation") { Bound = "bound", Attached = "attached" }
}

vocabulary! {
    /// What an order did.
    OrderKind("order kind") {
        Purchase = "purchase",
        Renewal = "renewal",
        Upgrade = "upgrade",
        Downgrade = "downgrade",
        Conversion = "conversion",
    }
}

vocabulary! {
    /// What became of an order.
    OrderStatus("order status") {
        Paid = "paid",
        Unpaid = "unpaid",
        Refunded = "refunded",
        Cancelled = "cancelled",
    }
}

vocabulary! {
    /// What paid.
    Instrument("instrument") {
        Cash = "cash",
        Card = "card",
        Online = "online",
        Credit = "credit",
        Prepayment = "prepayment",
        StoredValueCard = "stored_value_card",
        FlexiCoupon = "flexi_coupon",
        CashCoupon = "cash_coupon",
        DiscountCoupon = "discount_coupon",
        Voucher = "voucher",
        Bonus = "bonus",
        Earnings = "earnings",
        Partner = "partner",
    }
}

impl Instrument {
    /// Whether the instrument is money: everything but cash coupons, discount coupons and vouchers.
    #[must_use]
    #[inline]
    pub const fn is_money(self) -> bool {
        !matches!(self, Self::CashCoupon | Self::DiscountCoupon | Self::Voucher)
    }
}

/// A set of instruments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct InstrumentSet(u16);

const _: () = assert!(Instrument::ALL.len() <= 16, "instruments are kept in 16 bits");

impl InstrumentSet {
    /// No instrument.
    pub const NONE: Self = Self(0);
    /// Every instrument that is no money.
    pub const NOT_MONEY: Self =
        Self::NONE.with(Instrument::CashCoupon).with(Instrument::DiscountCoupon).with(Instrument::Voucher);

    /// The set with one more instrument.
    #[must_use]
    #[inline]
    pub const fn with(self, instrument: Instrument) -> Self {
        Self(self.0 | 1 << instrument.code())
    }

    /// Whether an instrument is in the set.
    #[must_use]
    #[inline]
    pub const fn contains(self, instrument: Instrument) -> bool {
        self.0 & (1 << instrument.code()) != 0
    }

    /// Whether the two sets have an instrument in common.
    #[must_use]
    #[inline]
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

vocabulary! {
    /// A way out that a provider offers.
    Exit("exit") {
        InUse = "in_use",
        FullRefund = "full_refund",
        RenewalPeriod = "renewal_period",
        Inactive = "inactive",
        Failed = "failed",
        Return = "return",
        DeleteQueued = "delete_queued",
        CancelReservation = "cancel_reservation",
        Exchange = "exchange",
        TradeIn = "trade_in",
        Resale = "resale",
        Downgrade = "downgrade",
        Conversion = "conversion",
        Marketplace = "marketplace",
        ByAgreement = "by_agreement",
        BalancePayout = "balance_payout",
        Withdrawal = "withdrawal",
        StopRenewal = "stop_renewal",
        None = "none",
    }
}

impl Exit {
    /// The order in which exits stand where outcome and refund are equal and a provider's page says
    /// nothing (FORMATS.md, `best`).
    pub const PREFERENCE: &'static [Self] = &[
        Self::FullRefund,
        Self::Inactive,
        Self::InUse,
        Self::RenewalPeriod,
        Self::Failed,
        Self::Return,
        Self::DeleteQueued,
        Self::CancelReservation,
        Self::Exchange,
        Self::TradeIn,
        Self::Resale,
        Self::Downgrade,
        Self::Conversion,
        Self::Marketplace,
        Self::ByAgreement,
        Self::BalancePayout,
        Self::Withdrawal,
        Self::StopRenewal,
        Self::None,
    ];
}

vocabulary! {
    /// What the rules say of an exit. Ordered from best to worst.
    Outcome("outcome") { Allowed = "allowed", Conditional = "conditional", Refused = "refused" }
}

vocabulary! {
    /// Why an exit is refused, or would be.
    Reason("reason") {
        PayAsYouGo = "pay_as_you_go",
        OneOff = "one_off",
        Free = "free",
        Trial = "trial",
        ProductNotSupported = "product_not_supported",
        Expired = "expired",
        NotActive = "not_active",
        NotFound = "not_found",
        Archived = "archived",
        FrozenSecurity = "frozen_security",
        FrozenLegal = "frozen_legal",
        Arrears = "arrears",
        TransactionInProgress = "transaction_in_progress",
        UnpaidOrder = "unpaid_order",
        SpecialRequestOpen = "special_request_open",
        Promotion = "promotion",
        Invoiced = "invoiced",
        Marketplace = "marketplace",
        PaidImage = "paid_image",
        Reseller = "reseller",
        PaidByPartner = "paid_by_partner",
        SalesContract = "sales_contract",
        SupportBenefitUsed = "support_benefit_used",
        TrialBenefitUsed = "trial_benefit_used",
        PartOfBundle = "part_of_bundle",
        LeavesWithPrimary = "leaves_with_primary",
        AttachmentBlocks = "attachment_blocks",
        QuotaExhausted = "quota_exhausted",
        WindowClosed = "window_closed",
        AmountOverLimit = "amount_over_limit",
        CurrencyMismatch = "currency_mismatch",
        ZeroRefund = "zero_refund",
        SecurityRisk = "security_risk",
        Transferred = "transferred",
        FinancialGroup = "financial_group",
        AlreadyEffective = "already_effective",
        ChangedBeforeRenewal = "changed_before_renewal",
        NeverCancellable = "never_cancellable",
        TooNew = "too_new",
        TooLittleLeft = "too_little_left",
        AlreadyUsed = "already_used",
        AccountNotEligible = "account_not_eligible",
        AccountOpen = "account_open",
        NotAuthorised = "not_authorised",
        PrivateOffer = "private_offer",
        AgreementNeeded = "agreement_needed",
        WithinCommitment = "within_commitment",
        RegionNotSupported = "region_not_supported",
        VolumeDiscount = "volume_discount",
        TargetNotEligible = "target_not_eligible",
        QuantityTooLarge = "quantity_too_large",
        ExchangeEnded = "exchange_ended",
        NotAutoRenewed = "not_auto_renewed",
        PriceChanged = "price_changed",
        PriceUnknown = "price_unknown",
        ReferralOrder = "referral_order",
        Converted = "converted",
        NotNewPurchase = "not_new_purchase",
        Protected = "protected",
        PackageInEffect = "package_in_effect",
        RuleUnknown = "rule_unknown",
    }
}

vocabulary! {
    /// Where a returned amount goes.
    Destination("destination") {
        AccountBalance = "account_balance",
        OriginalPaymentMethod = "original_payment_method",
        BankAccount = "bank_account",
        NextInvoice = "next_invoice",
        CreditMemo = "credit_memo",
        HeldForNextPurchase = "held_for_next_purchase",
        Prepayment = "prepayment",
        PartnerAccount = "partner_account",
        CashCoupon = "cash_coupon",
        DiscountCoupon = "discount_coupon",
        Voucher = "voucher",
        FlexiCoupon = "flexi_coupon",
        StoredValueCard = "stored_value_card",
        Bonus = "bonus",
        Earnings = "earnings",
    }
}

impl Destination {
    /// The instrument itself as destination: a coupon, a card or a bonus goes back to what it was.
    #[must_use]
    pub const fn itself(instrument: Instrument) -> Self {
        match instrument {
            Instrument::CashCoupon => Self::CashCoupon,
            Instrument::DiscountCoupon => Self::DiscountCoupon,
            Instrument::Voucher => Self::Voucher,
            Instrument::FlexiCoupon => Self::FlexiCoupon,
            Instrument::StoredValueCard => Self::StoredValueCard,
            Instrument::Bonus => Self::Bonus,
            Instrument::Earnings => Self::Earnings,
            Instrument::Prepayment => Self::Prepayment,
            Instrument::Partner => Self::PartnerAccount,
            Instrument::Cash | Instrument::Credit => Self::AccountBalance,
            Instrument::Card | Instrument::Online => Self::OriginalPaymentMethod,
        }
    }
}

vocabulary! {
    /// What else happens when the exit is taken.
    Effect("effect") {
        Irreversible = "irreversible",
        DataDeleted = "data_deleted",
        AccessLost = "access_lost",
        AttachedLeaveToo = "attached_leave_too",
        CouponsLost = "coupons_lost",
        OnDemandRatesApply = "on_demand_rates_apply",
        RenewalsLeaveToo = "renewals_leave_too",
    }
}

vocabulary! {
    /// Where the exit is taken.
    Channel("channel") { Api = "api", Console = "console", Support = "support", Marketplace = "marketplace" }
}

vocabulary! {
    /// Which days a settlement time counts.
    DayKind("day kind") { Business = "business", Calendar = "calendar" }
}

vocabulary! {
    /// How a commitment is paid.
    PaymentOption("payment option") {
        AllUpfront = "all_upfront",
        PartialUpfront = "partial_upfront",
        NoUpfront = "no_upfront",
        Monthly = "monthly",
    }
}

vocabulary! {
    /// The class of a reservation.
    Class("class") { Standard = "standard", Convertible = "convertible" }
}

vocabulary! {
    /// How often a recurring price is charged.
    Recurrence("recurrence") { Hour = "hour", Month = "month" }
}

vocabulary! {
    /// The unit in which an order's term is counted.
    TermUnit("term unit") { Hour = "hour", Day = "day", Week = "week", Month = "month", Year = "year" }
}
