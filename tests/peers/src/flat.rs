//! The records: flat ones as a peer would have them, and the same as recoup's.

use recoup_core::fact::Flag;
use recoup_core::money::{Amount, Currency, Exact};
use recoup_core::record::{OrderRecord, ResourceRecord};
use recoup_core::resource::{Payment, Term};
use recoup_core::time::{Instant, Span, Zone};
use recoup_core::vocab::{Billing, Instrument, OrderKind, OrderStatus, Seller, Status, TermUnit};
use serde_json::{Value, json};

/// The instant asked about: 2026-02-10, in seconds.
pub(crate) const AT: i64 = 1_770_681_600;

const PRODUCTS: [&str; 10] =
    ["vm", "disk", "database", "cache", "queue", "network", "domain", "certificate", "meeting", "hardware"];
const REGIONS: [&str; 3] = ["north", "south", "east"];
const TERMS: [i64; 6] = [1, 3, 6, 12, 24, 36];

/// A record of eighteen fields.
#[derive(Debug, Clone)]
pub(crate) struct Flat {
    pub(crate) id: String,
    pub(crate) account: String,
    pub(crate) name: String,
    pub(crate) product: &'static str,
    pub(crate) region: &'static str,
    pub(crate) billing: Billing,
    pub(crate) status: Status,
    pub(crate) seller: Seller,
    pub(crate) purchased_at: i64,
    pub(crate) starts_at: i64,
    pub(crate) ends_at: i64,
    pub(crate) term_months: i64,
    pub(crate) paid_cents: i64,
    pub(crate) frozen_security: bool,
    pub(crate) unpaid_order: bool,
    pub(crate) promotion: bool,
    pub(crate) invoiced: bool,
}

/// `SplitMix64`: small, and the same everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: i64) -> i64 {
        i64::try_from(self.roll() % limit.unsigned_abs().max(1)).unwrap_or(0)
    }

    fn percent(&mut self, chance: i64) -> bool {
        self.below(100) < chance
    }

    fn pick<T: Copy, const N: usize>(&mut self, from: [T; N]) -> T {
        let place = usize::try_from(self.roll()).unwrap_or(0) % N;
        from.get(place).copied().unwrap_or(from[0])
    }
}

impl Flat {
    /// The record with a number.
    pub(crate) fn new(number: u64) -> Self {
        let mut dice = Dice(number.wrapping_mul(0xD134_2543_DE82_EF95));
        let term_months = dice.pick(TERMS);
        let length = term_months * 30 * 86_400;
        // Some are over, and some are not begun.
        let starts_at = AT - dice.below(length * 5 / 4) + length / 20;
        Self {
            id: format!("res-{number:012}"),
            account: format!("account-{}", dice.below(500)),
            name: format!("{}-{}", dice.pick(["web", "batch", "build"]), dice.below(10_000)),
            product: if dice.percent(80) { dice.pick(["vm", "disk", "database"]) } else { dice.pick(PRODUCTS) },
            region: dice.pick(REGIONS),
            billing: if dice.percent(8) { Billing::PayAsYouGo } else { Billing::Subscription },
            status: if dice.percent(4) { Status::Expired } else { Status::Active },
            seller: if dice.percent(6) { Seller::Marketplace } else { Seller::Provider },
            purchased_at: starts_at - dice.below(3_600),
            starts_at,
            ends_at: starts_at + length,
            term_months,
            paid_cents: 100 + dice.below(5_000_000),
            frozen_security: dice.percent(3),
            unpaid_order: dice.percent(5),
            promotion: dice.percent(12),
            invoiced: dice.percent(15),
        }
    }

    fn amount(&self) -> Amount {
        Exact::ratio(self.paid_cents, 100).to_amount()
    }

    /// As a file for analysts holds it.
    pub(crate) fn to_json(&self) -> Value {
        let time = |seconds: i64| instant(seconds).display(Zone::UTC).to_string();
        json!({
            "id": self.id, "account": self.account, "name": self.name, "product": self.product, "region": self.region,
            "billing": self.billing.as_str(), "status": self.status.as_str(), "seller": self.seller.as_str(),
            "purchased_at": time(self.purchased_at), "starts_at": time(self.starts_at), "ends_at": time(self.ends_at),
            "term_months": self.term_months, "currency": "USD", "paid": self.amount().to_string(),
            "frozen_security": self.frozen_security, "unpaid_order": self.unpaid_order,
            "promotion": self.promotion, "invoiced": self.invoiced,
        })
    }

    /// As a rule engine is asked: what it would have to compute by itself, seconds and cents, is made ready for it.
    pub(crate) fn to_input(&self) -> Value {
        json!({
            "product": self.product, "billing": self.billing.as_str(), "status": self.status.as_str(),
            "seller": self.seller.as_str(), "starts_at": self.starts_at, "ends_at": self.ends_at, "at": AT,
            "term_months": self.term_months, "paid": self.paid_cents, "frozen_security": self.frozen_security,
            "unpaid_order": self.unpaid_order, "promotion": self.promotion, "invoiced": self.invoiced,
        })
    }

    /// As recoup has it: a resource, with what paid its order.
    pub(crate) fn to_record(&self) -> ResourceRecord {
        let mut record = ResourceRecord::new("bench-cloud", &self.id, self.product, self.billing, self.status);
        let time = |seconds: i64| Some(instant(seconds));
        record.account = Some(self.account.clone());
        record.name = Some(self.name.clone());
        record.region = Some(self.region.to_owned());
        record.seller = Some(self.seller);
        (record.purchased_at, record.starts_at, record.ends_at) =
            (time(self.purchased_at), time(self.starts_at), time(self.ends_at));
        let mut order = OrderRecord::new(OrderKind::Purchase, OrderStatus::Paid);
        (order.placed_at, order.starts_at, order.ends_at) =
            (time(self.purchased_at), time(self.starts_at), time(self.ends_at));
        order.term = u32::try_from(self.term_months).ok().map(|count| Term { unit: TermUnit::Month, count });
        order.currency = Some(Currency::USD);
        order.due = Some(self.amount());
        order.payments = Some(vec![Payment { instrument: Instrument::Cash, amount: self.amount(), expires_at: None }]);
        record.orders = Some(vec![order]);
        for (flag, holds) in [
            (Flag::FrozenSecurity, self.frozen_security),
            (Flag::UnpaidOrder, self.unpaid_order),
            (Flag::Promotion, self.promotion),
            (Flag::Invoiced, self.invoiced),
        ] {
            record.facts.flags.set(flag, holds);
        }
        record
    }
}

/// So many seconds after 1970.
pub(crate) fn instant(seconds: i64) -> Instant {
    Instant::from_micros(0) + Span::seconds(seconds)
}
