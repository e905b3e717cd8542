//! What a rule may ask about besides the resource: the instant, the account, the edition in force.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;

use chrono::NaiveDate;
use foldhash::fast::RandomState;
use serde_json::{Map, Value};

use crate::fact::{Answer, Figure, Flag, FlagSet, Moment, Text};
use crate::money::{Amount, Currency, Number};
use crate::policy::{ClauseId, Epoch, Held, KeyRef, ListId, ParamId, ProductId, Rulebook, SiteRules, TableId};
use crate::record::{AccountRecord, Facts, Faults, ReturnRecord, ZoneOf};
use crate::refund::{Ledger, Missing};
use crate::resource::{Order, Resource};
use crate::time::{Instant, Span, Zone};

/// What a run of assessments has in common.
#[derive(Debug, Clone, Default)]
pub struct Run {
    /// The instant asked about.
    pub at: Option<Instant>,
    /// The day asked about, where no instant is given: 00:00 on each site's own wall clock.
    pub day: Option<NaiveDate>,
    /// The edition asked for by date, where it is not that of the instant.
    pub edition: Option<NaiveDate>,
    /// Facts taken for granted where a portfolio states nothing.
    pub assumed: Facts,
    /// Whether rulings keep their steps for `explain`.
    pub trace: bool,
    accounts: Vec<AccountRecord>,
    by_key: HashMap<String, Vec<usize>, RandomState>,
}

impl Run {
    /// A run at an instant, with nothing else known.
    #[must_use]
    pub fn at(at: Instant) -> Self {
        Self { at: Some(at), ..Self::default() }
    }

    /// Adds the accounts.
    #[must_use]
    pub fn with_accounts(mut self, accounts: Vec<AccountRecord>) -> Self {
        for account in accounts {
            self.by_key.entry(account.account.clone()).or_default().push(self.accounts.len());
            self.accounts.push(account);
        }
        self
    }

    /// Adds accounts of which another source speaks, where none with the same provider, site and name is
    /// there already.
    #[must_use]
    pub fn with_more_accounts(self, accounts: Vec<AccountRecord>) -> Self {
        let is_there = |account: &AccountRecord| {
            self.accounts.iter().any(|other| {
                (&other.provider, &other.site, &other.account) == (&account.provider, &account.site, &account.account)
            })
        };
        let more = accounts.into_iter().filter(|account| !is_there(account)).collect();
        self.with_accounts(more)
    }

    /// All accounts.
    #[must_use]
    pub fn accounts(&self) -> &[AccountRecord] {
        &self.accounts
    }

    /// The account of a resource: the one of its site, else the one without a site.
    #[must_use]
    #[inline]
    pub fn account(&self, provider: &str, site: &str, key: &str) -> Option<&AccountRecord> {
        let all = || self.by_key.get(key).into_iter().flatten().filter_map(|index| self.accounts.get(*index));
        let found = || all().filter(|account| account.provider == provider);
        found()
            .find(|account| account.site.as_deref() == Some(site))
            .or_else(|| found().find(|account| account.site.is_none()))
    }

    /// As JSON, in which form a run crosses the plugin boundary.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut map = Map::new();
        if let Some(at) = self.at {
            map.insert("at".into(), at.display(Zone::UTC).to_string().into());
        }
        if let Some(day) = self.day {
            map.insert("day".into(), day.to_string().into());
        }
        if let Some(edition) = self.edition {
            map.insert("edition".into(), edition.to_string().into());
        }
        map.insert("assumed".into(), self.assumed.to_json(Zone::UTC));
        map.insert("trace".into(), self.trace.into());
        map.insert("accounts".into(), self.accounts.iter().map(|account| account.to_json(Zone::UTC)).collect());
        Value::Object(map)
    }

    /// Reads what [`to_json`](Self::to_json) wrote.
    ///
    /// # Errors
    /// What is missing or malformed.
    pub fn from_json(json: &Value, zone_of: &ZoneOf<'_>) -> Result<Self, Faults> {
        let fault = |path: &str, what: String| Faults(vec![crate::record::Fault { path: path.to_owned(), what }]);
        let text = |name: &str| json.get(name).and_then(Value::as_str);
        let at = text("at")
            .map(|text| Instant::parse(text, Zone::UTC).map_err(|error| fault("at", error.to_string())))
            .transpose()?;
        let date = |name: &str| {
            let parse = |text: &str| {
                text.parse::<NaiveDate>().map_err(|_| fault(name, format!("{text:?} is not a date such as 2024-10-29")))
            };
            text(name).map(parse).transpose()
        };
        let (day, edition) = (date("day")?, date("edition")?);
        let assumed = match json.get("assumed") {
            None | Some(Value::Null) => Facts::default(),
            Some(facts) => Facts::from_json(facts, Zone::UTC)?.record,
        };
        let mut accounts = Vec::new();
        for account in json.get("accounts").and_then(Value::as_array).into_iter().flatten() {
            accounts.push(AccountRecord::from_json(account, zone_of)?.record);
        }
        let trace = json.get("trace").and_then(Value::as_bool).unwrap_or(false);
        Ok(Self { at, day, edition, assumed, trace, ..Self::default() }.with_accounts(accounts))
    }
}

/// The time over which a quota counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// January 1 to December 31 on the site's wall clock.
    CalendarYear,
    /// The first to the last of a month on the site's wall clock.
    CalendarMonth,
    /// The last so many days of 24 hours.
    RollingDays(u16),
    /// The life of the account.
    Lifetime,
    /// Not published.
    Unpublished,
}

impl Window {
    /// The first instant that the window counts, asked at `at`.
    #[must_use]
    pub fn start(self, at: Instant, zone: Zone) -> Instant {
        let date = zone.date(at);
        match self {
            Self::CalendarYear => zone.midnight(chrono::Datelike::with_ordinal(&date, 1).unwrap_or(date)),
            Self::CalendarMonth => zone.midnight(crate::time::first_of_month(date)),
            Self::RollingDays(days) => at - Span::days(i64::from(days)),
            Self::Lifetime | Self::Unpublished => Instant::from_micros(i64::MIN),
        }
    }

    /// As it is written in an assessment; nothing where it is not published.
    #[must_use]
    pub fn name(self) -> Option<Cow<'static, str>> {
        match self {
            Self::CalendarYear => Some("calendar_year".into()),
            Self::CalendarMonth => Some("calendar_month".into()),
            Self::RollingDays(days) => Some(format!("rolling_{days}_days").into()),
            Self::Lifetime => Some("lifetime".into()),
            Self::Unpublished => None,
        }
    }

    /// Reads what [`name`](Self::name) wrote.
    #[must_use]
    pub fn from_name(name: Option<&str>) -> Option<Self> {
        match name {
            None => Some(Self::Unpublished),
            Some("calendar_year") => Some(Self::CalendarYear),
            Some("calendar_month") => Some(Self::CalendarMonth),
            Some("lifetime") => Some(Self::Lifetime),
            Some(other) => other.strip_prefix("rolling_")?.strip_suffix("_days")?.parse().ok().map(Self::RollingDays),
        }
    }
}

/// What an exit would draw on a quota.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuotaDraw {
    /// The quota's name.
    pub name: Cow<'static, str>,
    /// Its limit, where one is known.
    pub limit: Option<Number>,
    /// What is used up, where it is known.
    pub used: Option<Number>,
    /// What this exit would draw, where it is known.
    pub draws: Option<Number>,
    /// The time over which it counts.
    pub window: Window,
}

impl QuotaDraw {
    /// Whether the draw would exceed the limit; unknown where a figure is. What alone is more than the limit
    /// exceeds it, however much is used.
    #[must_use]
    pub fn exceeds(&self) -> Option<bool> {
        let (draws, limit) = (self.draws?, self.limit?);
        match self.used {
            Some(used) => Some(used + draws > limit),
            None => (draws > limit).then_some(true),
        }
    }
}

/// A record that names something that its provider's rules do not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContextError {
    /// The site does not exist.
    #[error("\"site\": {found:?} is not a site of {provider}, expected one of {}", .expected.join(", "))]
    UnknownSite {
        /// The provider.
        provider: String,
        /// What the record names.
        found: String,
        /// The provider's sites.
        expected: Vec<String>,
    },
    /// The run has no instant.
    #[error("no instant was given at which to assess")]
    NoInstant,
}

/// A site's rules at an instant.
#[derive(Debug, Clone, Copy)]
struct SiteAt<'a> {
    site: &'a SiteRules,
    at: Instant,
    rules_at: Instant,
    epoch: &'a Epoch,
    edition: Option<&'a str>,
}

impl<'a> SiteAt<'a> {
    fn new(site: &'a SiteRules, run: &Run, at: Instant) -> Option<Self> {
        let rules_at = run.edition.map_or(at, |date| site.end_of_day(date));
        let epoch = site.epoch(rules_at)?;
        Some(Self { site, at, rules_at, epoch, edition: site.edition(rules_at) })
    }
}

/// What resources of one site and account have in common: the rules they go by, and what is known of the
/// account.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    here: SiteAt<'a>,
    account: Option<&'a AccountRecord>,
}

impl<'a> Place<'a> {
    /// The instant asked about.
    #[must_use]
    #[inline]
    pub fn at(&self) -> Instant {
        self.here.at
    }

    /// The name of the site.
    #[must_use]
    pub fn site(&self) -> &'a str {
        &self.here.site.name
    }

    /// The edition in force.
    #[must_use]
    pub fn edition(&self) -> Option<&'a str> {
        self.here.edition
    }
}

/// A run made ready for one provider's rules: what every resource of a site has in common is looked up
/// once and not for each.
#[derive(Debug, Clone)]
pub struct Ready<'a> {
    book: &'a Rulebook,
    run: &'a Run,
    /// The sites at the run's own instant, as the rulebook lists them; none where the run has no instant.
    sites: Vec<Option<SiteAt<'a>>>,
}

impl<'a> Ready<'a> {
    /// Makes a run ready.
    #[must_use]
    pub fn new(book: &'a Rulebook, run: &'a Run) -> Self {
        let own = |site: &'a SiteRules| {
            let at = run.at.or_else(|| run.day.map(|day| site.zone.midnight(day)))?;
            SiteAt::new(site, run, at)
        };
        Self { book, run, sites: book.sites().iter().map(own).collect() }
    }

    /// The context of a resource; `at` overrides the run's instant for this resource.
    ///
    /// # Errors
    /// Where the resource names a site that does not exist, or there is no instant.
    #[inline]
    pub fn context<R: Resource>(&self, at: Option<Instant>, resource: &R) -> Result<Context<'a>, ContextError> {
        let place = self.place(at, resource.site(), resource.account())?;
        Ok(self.context_in(place, self.product(resource.product()), resource))
    }

    /// The rules and the account that resources of one site and account go by; `at` overrides the run's instant.
    ///
    /// # Errors
    /// Where the site does not exist, or there is no instant.
    pub fn place(
        &self,
        at: Option<Instant>,
        site: Option<&str>,
        account: Option<&str>,
    ) -> Result<Place<'a>, ContextError> {
        let number = self.book.place_of_site(site).ok_or_else(|| self.unknown_site(site))?;
        let here = match at {
            None => self.sites.get(number).copied().flatten(),
            Some(at) => self.book.sites().get(number).and_then(|site| SiteAt::new(site, self.run, at)),
        };
        let here = here.ok_or(ContextError::NoInstant)?;
        let account = account.and_then(|key| self.run.account(&self.book.policy().provider, &here.site.name, key));
        Ok(Place { here, account })
    }

    /// The product of this name, where the provider's pages speak of it.
    #[must_use]
    pub fn product(&self, name: &str) -> Option<ProductId> {
        self.book.product(name)
    }

    /// The context of a resource whose place and product were looked up before.
    #[inline]
    pub fn context_in<R: Resource>(&self, place: Place<'a>, product: Option<ProductId>, resource: &R) -> Context<'a> {
        let (book, run) = (self.book, self.run);
        let Place { here: SiteAt { site, at, rules_at, epoch, edition }, account } = place;
        let mut flags = resource.flags();
        for order in resource.known_orders() {
            flags = flags.and_also(order.flags());
        }
        if let Some(account) = account {
            flags = flags.and_also(account.facts.flags);
        }
        flags = flags.or_else(run.assumed.flags);
        let keeps_steps = run.trace || book.is_overlaid();
        Context {
            at,
            zone: site.zone,
            rules_at,
            book,
            site,
            edition,
            epoch,
            in_force: epoch.clauses(),
            lists: epoch.lists_of(product),
            account,
            assumed: &run.assumed,
            flags,
            // Where steps are kept, what lets pass is noted too.
            open: if keeps_steps { u128::MAX } else { flags.open() },
            product,
            trace: run.trace,
            keeps_steps,
            own_read: RefCell::default(),
        }
    }

    #[cold]
    fn unknown_site(&self, found: Option<&str>) -> ContextError {
        ContextError::UnknownSite {
            provider: self.book.policy().provider.clone(),
            found: found.unwrap_or_default().chars().take(60).collect(),
            expected: self.book.sites().iter().map(|site| site.name.clone()).collect(),
        }
    }
}

/// What a rule may ask about besides the resource.
#[derive(Debug, Clone)]
pub struct Context<'a> {
    /// The instant asked about.
    pub at: Instant,
    /// The site's wall clock.
    pub zone: Zone,
    rules_at: Instant,
    book: &'a Rulebook,
    site: &'a SiteRules,
    edition: Option<&'a str>,
    epoch: &'a Epoch,
    in_force: &'a [u64],
    /// The lists in force that hold the product.
    lists: &'a [u64],
    account: Option<&'a AccountRecord>,
    assumed: &'a Facts,
    flags: FlagSet,
    /// The flags of which a rule has something to say: those that are not known to be false.
    open: u128,
    product: Option<ProductId>,
    trace: bool,
    keeps_steps: bool,
    /// Clauses of a team's own whose figures were read, so that a ruling can say what it rests on though
    /// the rules, which are written for the published clauses, do not name them.
    own_read: RefCell<Vec<ClauseId>>,
}

impl<'a> Context<'a> {
    /// The context of a resource in a run; `at` overrides the run's instant for this resource. For many
    /// resources, make the run [`Ready`] once.
    ///
    /// # Errors
    /// Where the resource names a site that does not exist, or there is no instant.
    pub fn new<R: Resource>(
        book: &'a Rulebook,
        run: &'a Run,
        at: Option<Instant>,
        resource: &R,
    ) -> Result<Self, ContextError> {
        Ready::new(book, run).context(at, resource)
    }

    /// The name of the site.
    #[must_use]
    #[inline]
    pub fn site(&self) -> &'a str {
        &self.site.name
    }

    /// The edition in force.
    #[must_use]
    #[inline]
    pub fn edition(&self) -> Option<&'a str> {
        self.edition
    }

    /// The instant whose rules apply: the instant asked about, unless an edition was asked for.
    #[must_use]
    #[inline]
    pub fn rules_at(&self) -> Instant {
        self.rules_at
    }

    /// The rulebook.
    #[must_use]
    #[inline]
    pub fn book(&self) -> &'a Rulebook {
        self.book
    }

    /// Whether rulings keep any step at all: all of them where somebody asked, else those that rest on a
    /// team's own clauses.
    #[must_use]
    #[inline]
    pub(crate) fn keeps_steps(&self) -> bool {
        self.keeps_steps
    }

    /// Whether rulings keep their steps.
    #[must_use]
    #[inline]
    pub fn tracing(&self) -> bool {
        self.trace
    }

    /// The product, where the provider's pages name it.
    #[must_use]
    #[inline]
    pub fn product(&self) -> Option<ProductId> {
        self.product
    }

    /// Whether the product is this one.
    #[must_use]
    #[inline]
    pub fn is_product(&self, product: ProductId) -> bool {
        self.product == Some(product)
    }

    /// The product's short name, else the name that the record gives.
    #[must_use]
    pub fn product_name<'r, R: Resource>(&'r self, resource: &'r R) -> &'r str {
        self.product
            .and_then(|product| self.book.policy().products.get(usize::from(product.0)))
            .map_or_else(|| resource.product(), |product| product.id.as_str())
    }

    /// What is known of a flag: on the resource, its orders and its account together.
    #[must_use]
    #[inline]
    pub fn flag(&self, flag: Flag) -> Answer {
        Answer::of(flag, self.flags.get(flag))
    }

    /// Whether a flag may make a clause refuse, or is to be noted; nearly none is.
    #[inline]
    pub(crate) fn may_bite(&self, flag: Flag) -> bool {
        self.open & (1 << flag.code()) != 0
    }

    /// What the account and the assumptions alone say of a flag.
    #[must_use]
    #[inline]
    pub fn account_flag(&self, flag: Flag) -> Answer {
        let own = self.account.map(|account| account.facts.flags).unwrap_or_default();
        Answer::of(flag, own.or_else(self.assumed.flags).get(flag))
    }

    /// A decimal fact: of the resource, else of the first order that states it, else of the account.
    #[must_use]
    pub fn figure<R: Resource>(&self, resource: &R, figure: Figure) -> Option<Number> {
        resource
            .figure(figure)
            .or_else(|| resource.known_orders().find_map(|order| order.figure(figure)))
            .or_else(|| self.account.and_then(|account| account.facts.figure(figure)))
            .or_else(|| self.assumed.figure(figure))
    }

    /// A decimal fact of one order, else an assumption.
    #[must_use]
    pub fn order_figure(&self, order: &impl Order, figure: Figure) -> Option<Number> {
        order.figure(figure).or_else(|| self.assumed.figure(figure))
    }

    /// A text fact: of the resource, else of the account.
    #[must_use]
    pub fn text<'r, R: Resource>(&'r self, resource: &'r R, text: Text) -> Option<&'r str> {
        resource
            .text(text)
            .or_else(|| self.account.and_then(|account| account.facts.text(text)))
            .or_else(|| self.assumed.text(text))
    }

    /// An instant stated as a fact: of the resource, else of the account.
    #[must_use]
    pub fn moment<R: Resource>(&self, resource: &R, moment: Moment) -> Option<Instant> {
        resource
            .moment(moment)
            .or_else(|| self.account.and_then(|account| account.facts.moment(moment)))
            .or_else(|| self.assumed.moment(moment))
    }

    /// The account, where it is known.
    #[must_use]
    #[inline]
    pub fn account(&self) -> Option<&'a AccountRecord> {
        self.account
    }

    /// The currency in which the account settles now.
    #[must_use]
    #[inline]
    pub fn settlement_currency(&self) -> Option<Currency> {
        self.account.and_then(|account| account.currency)
    }

    /// Whether a clause is in force.
    #[must_use]
    #[inline]
    pub fn in_force(&self, clause: ClauseId) -> bool {
        let place = usize::from(clause.0);
        clause == ClauseId::NO_RULE || self.in_force.get(place / 64).is_some_and(|word| word & (1 << (place % 64)) != 0)
    }

    /// A dated value, where one holds.
    #[must_use]
    #[inline]
    pub fn param(&self, param: ParamId) -> Option<Held> {
        self.read(self.epoch.param(param))
    }

    /// A table's cell, where a source shows it.
    #[must_use]
    pub fn cell(&self, table: TableId, key: &[KeyRef<'_>]) -> Option<Held> {
        self.read(self.epoch.cell(table, key))
    }

    #[inline]
    fn read(&self, held: Option<Held>) -> Option<Held> {
        if self.book.is_overlaid() {
            self.note_own(held);
        }
        held
    }

    #[cold]
    fn note_own(&self, held: Option<Held>) {
        if let Some(held) = held
            && self.is_own(held.clause)
            && let Ok(mut read) = self.own_read.try_borrow_mut()
        {
            read.push(held.clause);
        }
    }

    /// Whether a clause is a team's own, or was changed by it.
    #[must_use]
    pub fn is_own(&self, clause: ClauseId) -> bool {
        self.book.policy().is_overlaid(clause)
    }

    /// How many figures of a team's own were read so far.
    #[inline]
    pub(crate) fn own_read(&self) -> usize {
        if self.book.is_overlaid() { self.count_own_read() } else { 0 }
    }

    #[cold]
    fn count_own_read(&self) -> usize {
        self.own_read.try_borrow().map_or(0, |read| read.len())
    }

    /// The clauses of the figures of a team's own that were read so far, of which only the first `keep`
    /// are remembered.
    pub(crate) fn take_own_read(&self, keep: usize) -> Vec<ClauseId> {
        let Ok(mut read) = self.own_read.try_borrow_mut() else { return Vec::new() };
        let all = read.clone();
        read.truncate(keep);
        all
    }

    /// Everything dated that holds now.
    #[must_use]
    #[inline]
    pub fn epoch(&self) -> &'a Epoch {
        self.epoch
    }

    /// Whether a product list that is in force holds the resource's product.
    #[must_use]
    #[inline]
    pub fn listed(&self, list: ListId) -> bool {
        let place = usize::from(list.0);
        self.lists.get(place / 64).is_some_and(|word| word & (1 << (place % 64)) != 0)
    }

    /// What is used of a quota and its limit: as the account's `quotas` say, else counted from its
    /// `returns` within the window, else unknown. `count` says what an earlier cancellation counts;
    /// `None` where that cannot be told. A limit of the account's own wins over `limit`.
    #[must_use]
    pub fn quota(
        &self,
        name: impl Into<Cow<'static, str>>,
        limit: Option<Number>,
        window: Window,
        count: impl Fn(&ReturnRecord) -> Option<Number>,
    ) -> QuotaDraw {
        let name = name.into();
        let stated = self.account.and_then(|account| account.quotas.iter().find(|quota| quota.name == name));
        let counted = || {
            let start = window.start(self.at, self.zone);
            let returns = self.account?.returns.as_ref()?;
            returns
                .iter()
                .filter(|entry| start <= entry.at && entry.at <= self.at)
                .try_fold(Number::ZERO, |sum, entry| Some(sum + count(entry)?))
        };
        QuotaDraw {
            used: stated.map(|quota| quota.used).or_else(counted),
            limit: stated.and_then(|quota| quota.limit).or(limit),
            draws: Some(Number::ONE),
            window,
            name,
        }
    }

    /// The currency of a resource's money: that of its orders, else of its commitment, else of the
    /// account.
    ///
    /// # Errors
    /// Where orders have different currencies, or no currency is known.
    pub fn currency<R: Resource>(&self, resource: &R) -> Result<Currency, Missing> {
        let mut currency = None;
        for order in resource.paid_orders() {
            match (currency, order.currency()) {
                (Some(one), Some(other)) if one != other => return Err(Missing::OneCurrency),
                (None, Some(one)) => currency = Some(one),
                _ => {}
            }
        }
        currency
            .or_else(|| resource.commitment().and_then(|commitment| commitment.currency))
            .or_else(|| self.settlement_currency())
            .ok_or(Missing::Currency)
    }

    /// The money that orders were paid with, by instrument.
    ///
    /// # Errors
    /// Where the orders, what paid them or their currency are unknown.
    pub fn ledger<R: Resource, O: Order>(
        &self,
        resource: &R,
        orders: impl Iterator<Item = O>,
    ) -> Result<Ledger, Missing> {
        if resource.orders().is_none() {
            return Err(Missing::Orders);
        }
        let mut ledger = Ledger::new(self.currency(resource)?);
        for order in orders {
            ledger.add_order(&order)?;
        }
        Ok(ledger)
    }

    /// What was paid in all, by every instrument.
    ///
    /// # Errors
    /// As [`ledger`](Self::ledger).
    pub fn paid<R: Resource>(&self, resource: &R) -> Result<Amount, Missing> {
        self.ledger(resource, resource.paid_orders()).map(|ledger| ledger.paid())
    }
}
