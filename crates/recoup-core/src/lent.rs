//! Records whose texts are lent: by the buffer that a reader read, or by an owned record.
//!
//! They are what a batch is made of. A reader fills one and the same [`LentResource`] again for every record of
//! a buffer, so that no record costs memory of its own.
//!
//! ```
//! use recoup_core::record::ResourceRecord;
//! use recoup_core::vocab::{Billing, Status};
//!
//! let record = ResourceRecord::new("p", "r-1", "vm", Billing::Subscription, Status::Active);
//! assert_eq!(record.lend().id, "r-1");
//! ```

use std::borrow::Cow;

use smallvec::SmallVec;

use crate::fact::{Figure, FlagSet, Moment, Text};
use crate::money::{Amount, Currency, Number};
use crate::record::{Facts, OrderRecord, ResourceRecord};
use crate::resource::{Commitment, Payment, PriceTerms, Term};
use crate::time::Instant;
use crate::vocab::{Billing, OrderKind, OrderStatus, Relation, Seller, Status};

/// The facts that one place states. Few places state more than flags.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LentFacts<'a> {
    /// True or false.
    pub flags: FlagSet,
    /// Decimals.
    pub figures: SmallVec<[(Figure, Number); 1]>,
    /// Texts.
    pub texts: SmallVec<[(Text, &'a str); 1]>,
    /// Instants.
    pub moments: SmallVec<[(Moment, Instant); 1]>,
}

impl LentFacts<'_> {
    /// Forgets what is stated.
    pub fn clear(&mut self) {
        self.flags = FlagSet::EMPTY;
        self.figures.clear();
        self.texts.clear();
        self.moments.clear();
    }
}

/// An order. Field meanings: FORMATS.md, section 1.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are defined by the published formats")]
pub struct LentOrder<'a> {
    pub id: Option<&'a str>,
    pub kind: OrderKind,
    pub status: OrderStatus,
    pub placed_at: Option<Instant>,
    pub paid_at: Option<Instant>,
    pub starts_at: Option<Instant>,
    pub ends_at: Option<Instant>,
    pub term: Option<Term>,
    pub quantity: Option<Number>,
    pub currency: Option<Currency>,
    pub list_price: Option<Amount>,
    pub due: Option<Amount>,
    pub payments: Option<SmallVec<[Payment; 3]>>,
    pub facts: LentFacts<'a>,
}

impl LentOrder<'_> {
    /// An order of which only kind and status are known.
    #[must_use]
    pub fn new(kind: OrderKind, status: OrderStatus) -> Self {
        Self {
            id: None,
            kind,
            status,
            placed_at: None,
            paid_at: None,
            starts_at: None,
            ends_at: None,
            term: None,
            quantity: None,
            currency: None,
            list_price: None,
            due: None,
            payments: None,
            facts: LentFacts::default(),
        }
    }
}

/// A resource. Field meanings: FORMATS.md, section 1. What no rule and no answer speaks of is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are defined by the published formats")]
pub struct LentResource<'a> {
    pub provider: &'a str,
    pub site: Option<&'a str>,
    pub account: Option<&'a str>,
    pub id: &'a str,
    pub name: Option<&'a str>,
    pub product: &'a str,
    pub region: Option<&'a str>,
    pub billing: Billing,
    pub seller: Option<Seller>,
    pub status: Status,
    pub purchased_at: Option<Instant>,
    pub starts_at: Option<Instant>,
    pub ends_at: Option<Instant>,
    pub primary: Option<&'a str>,
    pub relation: Option<Relation>,
    pub bundle: Option<&'a str>,
    pub quantity: Option<Number>,
    pub commitment: Option<Commitment<'a>>,
    pub price_terms: Option<Cow<'a, PriceTerms>>,
    /// Whether the orders are known; where they are not, there are none.
    pub orders_known: bool,
    pub orders: Vec<LentOrder<'a>>,
    pub facts: LentFacts<'a>,
}

impl Default for LentResource<'_> {
    /// A resource of which nothing is known yet.
    fn default() -> Self {
        Self {
            provider: "",
            site: None,
            account: None,
            id: "",
            name: None,
            product: "",
            region: None,
            billing: Billing::Subscription,
            seller: None,
            status: Status::Active,
            purchased_at: None,
            starts_at: None,
            ends_at: None,
            primary: None,
            relation: None,
            bundle: None,
            quantity: None,
            commitment: None,
            price_terms: None,
            orders_known: false,
            orders: Vec::new(),
            facts: LentFacts::default(),
        }
    }
}

impl LentResource<'_> {
    /// Forgets everything but the memory of the orders.
    pub fn clear(&mut self) {
        let mut orders = std::mem::take(&mut self.orders);
        orders.clear();
        *self = Self { orders, ..Self::default() };
    }
}

impl Facts {
    /// Lends the facts.
    #[must_use]
    pub fn lend(&self) -> LentFacts<'_> {
        LentFacts {
            flags: self.flags,
            figures: self.figures.iter().copied().collect(),
            texts: self.texts.iter().map(|(name, text)| (*name, text.as_str())).collect(),
            moments: self.moments.iter().copied().collect(),
        }
    }
}

impl OrderRecord {
    /// Lends the order.
    #[must_use]
    pub fn lend(&self) -> LentOrder<'_> {
        LentOrder {
            id: self.id.as_deref(),
            kind: self.kind,
            status: self.status,
            placed_at: self.placed_at,
            paid_at: self.paid_at,
            starts_at: self.starts_at,
            ends_at: self.ends_at,
            term: self.term,
            quantity: self.quantity,
            currency: self.currency,
            list_price: self.list_price,
            due: self.due,
            payments: self.payments.as_ref().map(|payments| payments.iter().copied().collect()),
            facts: self.facts.lend(),
        }
    }
}

impl ResourceRecord {
    /// Lends the resource.
    #[must_use]
    pub fn lend(&self) -> LentResource<'_> {
        LentResource {
            provider: &self.provider,
            site: self.site.as_deref(),
            account: self.account.as_deref(),
            id: &self.id,
            name: self.name.as_deref(),
            product: &self.product,
            region: self.region.as_deref(),
            billing: self.billing,
            seller: self.seller,
            status: self.status,
            purchased_at: self.purchased_at,
            starts_at: self.starts_at,
            ends_at: self.ends_at,
            primary: self.primary.as_deref(),
            relation: self.relation,
            bundle: self.bundle.as_deref(),
            quantity: self.quantity,
            commitment: self.commitment.as_ref().map(crate::record::CommitmentRecord::view),
            price_terms: self.price_terms.as_ref().map(Cow::Borrowed),
            orders_known: self.orders.is_some(),
            orders: self.orders.iter().flatten().map(OrderRecord::lend).collect(),
            facts: self.facts.lend(),
        }
    }
}
