//! What the generator knows of a provider: its policy, made ready.

use std::sync::Arc;

use chrono::NaiveDate;
use recoup_core::money::Currency;
use recoup_core::policy::{Policy, Rulebook};
use recoup_core::time::{Instant, Span, Zone};
use recoup_core::typical::Typical;

use crate::GenerateError;

/// How far from something a rule may look: what a window of a policy is long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reach {
    Time(i64),
    Months(i32),
}

impl Reach {
    /// What a figure of a policy reaches, where its unit is one of time.
    fn of(value: i64, unit: &str) -> Option<Self> {
        let time = |seconds: i64| value.checked_mul(seconds).map(Self::Time);
        match unit {
            "minutes" => time(60),
            "hours" => time(3_600),
            "days" | "calendar days" | "working days" => time(86_400),
            "weeks" => time(7 * 86_400),
            "months" => i32::try_from(value).ok().map(Self::Months),
            "years" => i32::try_from(value).ok()?.checked_mul(12).map(Self::Months),
            _ => None,
        }
    }

    pub(crate) fn before(self, instant: Instant, zone: Zone) -> Instant {
        match self {
            Self::Time(seconds) => instant - Span::seconds(seconds),
            Self::Months(months) => zone.add_months(instant, -months),
        }
    }

    pub(crate) fn after(self, instant: Instant, zone: Zone) -> Instant {
        match self {
            Self::Time(seconds) => instant + Span::seconds(seconds),
            Self::Months(months) => zone.add_months(instant, months),
        }
    }
}

/// One of a provider's contracts.
#[derive(Debug)]
pub(crate) struct SiteMarket {
    pub(crate) name: String,
    pub(crate) is_default: bool,
    pub(crate) zone: Zone,
    pub(crate) currencies: Vec<Currency>,
    /// Every instant at which anything dated changes, oldest first.
    pub(crate) edges: Vec<Instant>,
}

/// A provider as the generator sees it.
#[derive(Debug)]
pub(crate) struct Market {
    pub(crate) provider: String,
    pub(crate) typical: Typical,
    pub(crate) sites: Vec<SiteMarket>,
    /// Every name of every product.
    pub(crate) products: Vec<String>,
    /// How long the windows of its rules are.
    pub(crate) windows: Vec<Reach>,
}

/// The longest window that is worth a resource right at its edge, in years.
const LONGEST: i64 = 6;

impl Market {
    /// What a policy says; `None` where it does not say what portfolios hold.
    pub(crate) fn of(policy: &Arc<Policy>) -> Result<Option<Self>, GenerateError> {
        let Some(typical) = policy.typical.clone() else { return Ok(None) };
        let book = Rulebook::new(Policy::clone(policy))?;
        let sites = book.sites().iter().map(|site| {
            let is_default = policy.site(None).is_some_and(|default| default.id == site.name);
            let next = |edge: &Instant| site.changes_after(*edge);
            let edges = std::iter::successors(site.changes_after(Instant::from_micros(i64::MIN)), next).collect();
            let currencies = typical.currencies_of(&site.name).to_vec();
            SiteMarket { name: site.name.clone(), is_default, zone: site.zone, currencies, edges }
        });
        let mut sites: Vec<SiteMarket> = sites.collect();
        sites.sort_by_key(|site| !site.is_default);
        let names = policy.products.iter().flat_map(|product| std::iter::once(&product.id).chain(&product.names));
        let dated = policy
            .params
            .iter()
            .flat_map(|param| param.values.iter().filter_map(|value| Reach::of(value.value.as_whole()?, &param.unit)));
        let mut windows: Vec<Reach> = dated.filter(Reach::is_worth_while).collect();
        windows.sort_unstable();
        windows.dedup();
        Ok(Some(Self {
            provider: policy.provider.clone(),
            sites,
            products: names.cloned().collect(),
            windows,
            typical,
        }))
    }
}

impl Reach {
    fn is_worth_while(&self) -> bool {
        match self {
            Self::Time(seconds) => (1..=LONGEST * 366 * 86_400).contains(seconds),
            Self::Months(months) => (1..=LONGEST * 12).contains(&i64::from(*months)),
        }
    }
}

/// The days near which calendars go wrong, of the years around a date.
pub(crate) fn days_to_mind(around: NaiveDate) -> Vec<NaiveDate> {
    use chrono::Datelike;
    let mut days = Vec::new();
    for year in around.year().saturating_sub(4)..=around.year().saturating_add(1) {
        let of = |month, day| NaiveDate::from_ymd_opt(year, month, day);
        days.extend(of(2, 29));
        days.extend([of(1, 1), of(1, 30), of(1, 31), of(2, 28), of(3, 1), of(12, 31)].into_iter().flatten());
        days.extend((3..=11).filter_map(|month| of(month, 1)?.pred_opt()));
        days.extend((3..=11).filter_map(|month| of(month, 5)));
    }
    days
}
