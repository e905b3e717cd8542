//! Resources such as a billing team's portfolio holds, the same ones in every run: seeded, no clock.

use recoup_core::fact::{Figure, Flag, FlagSet};
use recoup_core::money::{Amount, Currency, Exact, Number};
use recoup_core::record::{AccountRecord, Facts, OrderRecord, QuotaRecord, ResourceRecord, ReturnRecord};
use recoup_core::resource::{Payment, Term};
use recoup_core::time::{Instant, Span, Zone};
use recoup_core::vocab::{Billing, Exit, Instrument, OrderKind, OrderStatus, Relation, Seller, Status, TermUnit};

/// What the generator must know of a provider.
#[derive(Debug)]
pub(crate) struct Profile {
    /// Its name in portfolios.
    pub(crate) name: &'static str,
    sites: &'static [(&'static str, Currency)],
    products: &'static [&'static str],
    packages: &'static [&'static str],
    regions: &'static [&'static str],
    quota: &'static str,
}

/// The providers that are measured.
pub(crate) const PROVIDERS: &[Profile] = &[
    Profile {
        name: "huawei",
        sites: &[("intl", Currency::USD), ("cn", Currency::CNY), ("eu", Currency::EUR)],
        products: &["ecs", "hws.service.type.ec2", "evs", "hws.service.type.ebs", "vpc", "rds", "cce", "bms", "mrs"],
        packages: &["evs", "cbr", "dws", "traffic-package"],
        regions: &["cn-north-4", "ap-southeast-3", "eu-west-101"],
        quota: "five_day_returns",
    },
    Profile {
        name: "alibaba",
        sites: &[("intl", Currency::USD), ("cn", Currency::CNY)],
        products: &["ecs", "rds", "redis", "polardb", "slb", "eip", "mongodb", "swas", "nat", "elasticsearch"],
        packages: &["oss_plan", "cdn_plan", "nat_plan", "sls_plan"],
        regions: &["cn-hangzhou", "ap-southeast-1", "eu-central-1"],
        quota: "ecs_unsubscription",
    },
];

const ACCOUNTS: u64 = 12;

/// The instant asked about.
pub(crate) fn now() -> Instant {
    Instant::parse("2026-02-10T15:20:00+08:00", Zone::UTC).unwrap_or(Instant::from_micros(0))
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

    fn below(&mut self, limit: u64) -> u64 {
        self.roll() % limit.max(1)
    }

    fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }

    fn between(&mut self, low: i64, high: i64) -> i64 {
        let width = high.saturating_sub(low).unsigned_abs();
        low.saturating_add(i64::try_from(self.below(width)).unwrap_or(0))
    }

    fn pick<T: Copy>(&mut self, from: &[T], otherwise: T) -> T {
        let place = usize::try_from(self.below(from.len() as u64)).unwrap_or(0);
        from.get(place).copied().unwrap_or(otherwise)
    }

    /// One of several by weight.
    fn weighted<T: Copy>(&mut self, from: &[(u64, T)], otherwise: T) -> T {
        let mut place = self.below(from.iter().map(|(weight, _)| weight).sum());
        for (weight, item) in from {
            if place < *weight {
                return *item;
            }
            place -= weight;
        }
        otherwise
    }
}

fn cents(value: i64) -> Amount {
    Exact::ratio(value, 100).to_amount()
}

/// The accounts to which the resources belong.
pub(crate) fn accounts(profile: &Profile) -> Vec<AccountRecord> {
    let mut dice = Dice(7);
    let mut all = Vec::new();
    for number in 0..ACCOUNTS {
        let (site, currency) = dice.pick(profile.sites, ("intl", Currency::USD));
        let mut facts = Facts::default();
        for flag in [Flag::ResellerModel, Flag::Arrears, Flag::FrozenLegal, Flag::FrozenSecurity] {
            facts.flags.set(flag, false);
        }
        facts.flags.set(Flag::RequesterAuthorised, true);
        let used = Number::whole(dice.between(0, 12));
        let returned = |days: i64| ReturnRecord {
            at: now() - Span::days(days),
            amount: Some(cents(12_345)),
            currency: Some(currency),
            exit: Some(Exit::FullRefund),
            product: Some("ecs".to_owned()),
        };
        all.push(AccountRecord {
            provider: profile.name.to_owned(),
            site: Some(site.to_owned()),
            account: format!("account-{number}"),
            currency: Some(currency),
            facts,
            quotas: vec![QuotaRecord { name: profile.quota.to_owned(), used, limit: None }],
            returns: Some(vec![returned(30), returned(200)]),
        });
    }
    all
}

/// Flags that an export of an account's orders states of nearly every resource.
const STATED: &[Flag] = &[
    Flag::TransactionInProgress,
    Flag::SpecialRequestOpen,
    Flag::Promotion,
    Flag::Invoiced,
    Flag::PaidByPartner,
    Flag::FrozenSecurity,
    Flag::FrozenLegal,
    Flag::Arrears,
    Flag::UnpaidOrder,
    Flag::SecurityRisk,
    Flag::PaidImage,
    Flag::Archived,
    Flag::SupportBenefitUsed,
    Flag::TrialBenefitUsed,
    Flag::ValueAddedService,
    Flag::SalesContract,
    Flag::FeeWaivedByContract,
    Flag::TransferredIn,
    Flag::JoinedFinancialGroupAfterPurchase,
    Flag::LeftFinancialGroup,
    Flag::ChangedBeforeRenewal,
    Flag::AttachmentAddedAfterRenewal,
    Flag::BandwidthAddon,
    Flag::RefundNotSupported,
    Flag::ReferralOrder,
    Flag::StoredValueCardBeforeReseller,
];

fn flags(dice: &mut Dice) -> FlagSet {
    let mut flags = FlagSet::EMPTY;
    for flag in STATED {
        if dice.percent(94) {
            flags.set(*flag, dice.below(200) == 0);
        }
    }
    flags.set(Flag::Exists, true);
    flags.set(Flag::RequesterAuthorised, true);
    flags
}

/// What paid an order: money, or money and a coupon, or two kinds of money and a coupon.
fn payments(dice: &mut Dice, due: i64, at: Instant) -> Vec<Payment> {
    let money = dice.weighted(
        &[
            (50, Instrument::Cash),
            (25, Instrument::Card),
            (10, Instrument::Credit),
            (10, Instrument::Online),
            (5, Instrument::StoredValueCard),
        ],
        Instrument::Cash,
    );
    let pay = |instrument, amount| Payment { instrument, amount: cents(amount), expires_at: None };
    match dice.below(10) {
        0..6 => vec![pay(money, due)],
        6..9 => {
            let coupon = dice.between(1, due.max(3) / 2);
            let until = at + Span::days(dice.between(10, 400));
            let kind = dice.pick(&[Instrument::CashCoupon, Instrument::DiscountCoupon], Instrument::CashCoupon);
            vec![pay(money, due - coupon), Payment { expires_at: Some(until), ..pay(kind, coupon) }]
        }
        _ => {
            let (first, second) = (due / 3, due / 4);
            let rest = due - first - second;
            vec![pay(Instrument::Cash, first), pay(Instrument::Card, second), pay(Instrument::Voucher, rest)]
        }
    }
}

fn order(dice: &mut Dice, kind: OrderKind, starts_at: Instant, months: u32, currency: Currency) -> OrderRecord {
    let list = dice.between(500, 90_000) * i64::from(months);
    let due = list * dice.pick(&[100, 90, 85, 70], 100) / 100;
    let placed_at = starts_at - Span::seconds(dice.between(0, 600));
    let mut order = OrderRecord::new(kind, OrderStatus::Paid);
    order.id = Some(format!("CS{:016x}", dice.roll()));
    order.placed_at = Some(placed_at);
    order.paid_at = Some(placed_at + Span::seconds(40));
    order.starts_at = Some(starts_at);
    order.ends_at = Some(Zone::fixed_hours(8).add_months(starts_at, i32::try_from(months).unwrap_or(1)));
    order.term = Some(Term { unit: TermUnit::Month, count: months });
    order.quantity = Some(Number::ONE);
    order.currency = Some(currency);
    order.list_price = Some(cents(list));
    order.due = Some(cents(due));
    order.payments = Some(payments(dice, due, placed_at));
    for flag in [Flag::Promotion, Flag::Invoiced] {
        if dice.percent(90) {
            order.facts.flags.set(flag, false);
        }
    }
    order.facts.figures.push((Figure::UsageDiscount, Number::ONE));
    order
}

/// How long ago something was bought: near one of the boundaries that rules have, or anywhere.
fn age(dice: &mut Dice) -> Span {
    let near = |days: i64| Span::days(days) + Span::seconds(1);
    match dice.below(10) {
        0 => near(dice.between(4, 7)),
        1 => near(dice.between(29, 32)),
        2 => near(dice.between(364, 368)),
        _ => Span::seconds(dice.between(3_600, 500 * 86_400)),
    }
}

/// The `number`th resource of a provider.
pub(crate) fn resource(profile: &Profile, number: u64) -> ResourceRecord {
    let mut dice = Dice(number.wrapping_mul(0x2545_F491_4F6C_DD1D).wrapping_add(profile.name.len() as u64));
    let (site, currency) = dice.pick(profile.sites, ("intl", Currency::USD));
    let billing = dice.weighted(
        &[
            (80, Billing::Subscription),
            (10, Billing::Package),
            (4, Billing::SupportPlan),
            (3, Billing::Reservation),
            (2, Billing::PayAsYouGo),
            (1, Billing::OneOff),
        ],
        Billing::Subscription,
    );
    let status = dice.weighted(
        &[(88, Status::Active), (4, Status::Queued), (4, Status::Expired), (2, Status::Frozen), (2, Status::Failed)],
        Status::Active,
    );
    let products = if billing == Billing::Package { profile.packages } else { profile.products };
    let months = dice.weighted(&[(30, 1), (10, 3), (10, 6), (40, 12), (7, 24), (3, 36)], 1);
    let begun = if status == Status::Queued { now() + Span::days(10) } else { now() - age(&mut dice) };
    let mut orders = vec![order(&mut dice, OrderKind::Purchase, begun, months, currency)];
    let renewals = dice.weighted(&[(70, 0), (22, 1), (8, 2)], 0);
    for _ in 0..renewals {
        let from = orders.last().and_then(|last| last.ends_at).unwrap_or(begun);
        orders.push(order(&mut dice, OrderKind::Renewal, from, months, currency));
    }
    let relation = dice.weighted(&[(90, None), (7, Some(Relation::Attached)), (3, Some(Relation::Bound))], None);
    ResourceRecord {
        provider: profile.name.to_owned(),
        site: Some(site.to_owned()),
        account: Some(format!("account-{}", dice.below(ACCOUNTS))),
        id: format!("{:08x}-{:04x}-4{:03x}", dice.roll() >> 32, dice.below(1 << 16), number),
        name: Some(format!("{}-prod-{number:06}", dice.pick(&["web", "db", "queue", "batch"], "web"))),
        product: dice.pick(products, "ecs").to_owned(),
        region: Some(dice.pick(profile.regions, "eu").to_owned()),
        project: Some(format!("project-{}", dice.below(9))),
        tags: Vec::new(),
        billing,
        seller: Some(if dice.percent(98) { Seller::Provider } else { Seller::Marketplace }),
        status,
        purchased_at: orders.first().and_then(|order| order.placed_at),
        starts_at: Some(begun),
        ends_at: orders.last().and_then(|order| order.ends_at),
        primary: relation.map(|_| format!("primary-{}", number / 3)),
        relation,
        bundle: None,
        quantity: Some(Number::ONE),
        commitment: None,
        price_terms: None,
        orders: Some(orders),
        facts: Facts { flags: flags(&mut dice), ..Facts::default() },
        stated: Vec::new(),
    }
}

/// The first `count` resources of a provider.
pub(crate) fn resources(profile: &Profile, count: usize) -> Vec<ResourceRecord> {
    (0..count as u64).map(|number| resource(profile, number)).collect()
}
