//! What a provider publishes, as data: sources, sites, editions, clauses and dated tables.
//!
//! A [`Policy`] is what an adapter's `policy/*.toml` says. A [`Rulebook`] is the same made ready for
//! rules: for every site, the times between two changes of anything dated ([`Epoch`]), each with the
//! clauses in force and the values that hold. Ids become constants when an adapter is built
//! (`recoup-policy`), so a rule that names a clause that does not exist does not compile.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::flow::Flow;
use crate::money::Number;
use crate::time::{Instant, TimeError, Zone, day_after};
use crate::typical::Typical;
use crate::vocab::Reason;

/// Index of a clause in its [`Policy`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClauseId(pub u16);

impl ClauseId {
    /// The clause cited where no rule of a provider speaks of a resource at all.
    pub const NO_RULE: Self = Self(u16::MAX);
}

/// Index of a dated value in its [`Policy`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParamId(pub u16);

/// Index of a table in its [`Policy`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableId(pub u16);

/// Index of a product list in its [`Policy`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListId(pub u16);

/// Index of a product in its [`Policy`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProductId(pub u16);

/// One of a provider's contracts with rules of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// The name in portfolios.
    pub id: String,
    /// The name for people.
    pub title: String,
    /// The wall clock of its pages, quotas and bare dates.
    pub zone: Zone,
    /// Whether it is meant where a record names none.
    #[serde(default)]
    pub default: bool,
}

/// One site's rules as in force from a date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edition {
    /// The site; every site where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// The date, or the instant, from which it holds. Its date is the edition's name.
    pub from: String,
    /// What changed.
    pub what: String,
}

/// A page of the provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Short key by which clauses name it.
    pub key: String,
    /// The page's title.
    pub title: String,
    /// Its address, as printed on the policy page.
    pub url: String,
    /// The site or edition of the page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// The date printed on it; absent where it prints none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// What else a reader should know, such as that the text is second-hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Set by the host where the source is a team's own and not the provider's.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub overlay: bool,
}

/// When and where something holds: half-open, from a date to the date at which it no longer does.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// The sites; every site where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sites: Option<Vec<String>>,
    /// First date (00:00 in the site's zone) or instant at which it holds; always where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// First date or instant at which it no longer holds; never where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// What a clause is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClauseKind {
    /// A rule that an assessment can show.
    #[default]
    Rule,
    /// A statement that no assessment can show (steps of a flow, advice); carried for the policy book.
    Text,
}

/// One published rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clause {
    /// Its id, for example `hw.inactive.refuse.promotion`.
    pub id: String,
    /// What a refusal by it is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The rule in one line, in our own words.
    pub says: String,
    /// Keys of the pages that say so.
    pub sources: Vec<String>,
    /// Where and when it holds; everywhere and always where empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holds: Vec<Scope>,
    /// What it is for.
    #[serde(default)]
    pub kind: ClauseKind,
    /// A choice, an assumption or a warning that goes with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Set by the host where the clause is a team's own, or was changed by it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub overlay: bool,
}

/// A value with the time and place in which it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatedValue {
    /// The sites; every site where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sites: Option<Vec<String>>,
    /// See [`Scope::from`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// See [`Scope::until`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// The value.
    pub value: Number,
    /// The clause that says so.
    pub clause: String,
}

/// A figure that a rule needs, with its values by date and site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Param {
    /// Its id.
    pub id: String,
    /// What it is.
    pub says: String,
    /// Its unit: `USD`, `days`, `share` ...
    pub unit: String,
    /// Its values.
    pub values: Vec<DatedValue>,
}

/// A part of a table's key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Key {
    /// A whole number: months, years, days.
    Number(i64),
    /// A word: a product, a kind.
    Word(String),
}

/// A key part as a rule looks it up, without allocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyRef<'a> {
    /// A whole number.
    Number(i64),
    /// A word.
    Word(&'a str),
}

impl From<i64> for KeyRef<'_> {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl<'a> From<&'a str> for KeyRef<'a> {
    fn from(word: &'a str) -> Self {
        Self::Word(word)
    }
}

impl PartialEq<KeyRef<'_>> for Key {
    fn eq(&self, other: &KeyRef<'_>) -> bool {
        match (self, other) {
            (Self::Number(a), KeyRef::Number(b)) => a == b,
            (Self::Word(a), KeyRef::Word(b)) => a == b,
            _ => false,
        }
    }
}

/// A row of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The sites; every site of the table where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sites: Option<Vec<String>>,
    /// See [`Scope::from`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// See [`Scope::until`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// The key, one part a key column.
    pub key: Vec<Key>,
    /// The value.
    pub value: Number,
    /// The clause, where it is not the table's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clause: Option<String>,
}

/// A table that a provider prints. A cell that no source shows has no row, and an answer that needs
/// it is `rule_unknown`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Its id.
    pub id: String,
    /// What it is.
    pub says: String,
    /// The key columns' names.
    pub key: Vec<String>,
    /// The value's unit.
    pub unit: String,
    /// The clause that prints it.
    pub clause: String,
    /// Its rows.
    pub rows: Vec<Row>,
}

/// A list of products that a provider prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// Its id.
    pub id: String,
    /// What it is.
    pub says: String,
    /// The clause that prints it.
    pub clause: String,
    /// Where and when it holds; everywhere and always where empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holds: Vec<Scope>,
    /// Ids or names of products.
    pub products: Vec<String>,
}

/// A product by its names: service codes, short names and names for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Product {
    /// Its short name.
    pub id: String,
    /// Every other name it goes by, compared without regard to case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// The names of services, meters and service codes by which cost exports (FOCUS) speak of it. They
    /// lead to it when such an export is read; records go by the names above.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub focus: Vec<String>,
}

/// What is mostly bought ahead from a provider, so that the same money, term and dates can be put before
/// several providers, each with its own usual commitment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Usual {
    /// The product, as portfolios write it.
    pub product: String,
    /// How it is billed, as portfolios write it.
    pub billing: String,
    /// Standard or convertible, where the provider has both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// How the commitment is paid, as portfolios write it, where one is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_option: Option<String>,
    /// What it is called, for people.
    pub says: String,
}

/// Everything that a provider publishes about leaving, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "each field holds what its type says")]
pub struct Policy {
    #[serde(default)]
    pub provider: String,
    /// The provider's name for people.
    #[serde(default)]
    pub title: String,
    /// Other names by which cost exports call the provider, compared without regard to case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// Texts of which every payload that the adapter reads contains at least one, compared without regard
    /// to case, so that a host need not open the library for other files. Empty where it reads none;
    /// where absent, it is asked about every file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marks: Option<Vec<String>>,
    /// What is mostly bought ahead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usual: Option<Usual>,
    /// What portfolios typically hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub typical: Option<Typical>,
    #[serde(default, rename = "site")]
    pub sites: Vec<Site>,
    #[serde(default, rename = "edition")]
    pub editions: Vec<Edition>,
    #[serde(default, rename = "source")]
    pub sources: Vec<Source>,
    #[serde(default, rename = "clause")]
    pub clauses: Vec<Clause>,
    #[serde(default, rename = "param")]
    pub params: Vec<Param>,
    #[serde(default, rename = "table")]
    pub tables: Vec<Table>,
    #[serde(default, rename = "list")]
    pub lists: Vec<List>,
    #[serde(default, rename = "product")]
    pub products: Vec<Product>,
    /// What flows need of the provider.
    #[serde(default, skip_serializing_if = "Flow::is_empty")]
    pub flow: Flow,
}

/// A policy that contradicts itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {what}")]
pub struct PolicyError {
    /// The clause, table or other part at fault.
    pub place: String,
    /// What is wrong and what was expected.
    pub what: String,
}

impl PolicyError {
    fn new(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self { place: place.into(), what: what.into() }
    }
}

impl Policy {
    /// Adds another file's parts to this policy.
    pub fn merge(&mut self, other: Self) {
        if !other.provider.is_empty() {
            self.provider = other.provider;
            self.title = other.title;
        }
        self.aliases.extend(other.aliases);
        self.marks = self.marks.take().or(other.marks);
        self.usual = self.usual.take().or(other.usual);
        self.typical = self.typical.take().or(other.typical);
        self.sites.extend(other.sites);
        self.editions.extend(other.editions);
        self.sources.extend(other.sources);
        self.clauses.extend(other.clauses);
        self.params.extend(other.params);
        self.tables.extend(other.tables);
        self.lists.extend(other.lists);
        self.products.extend(other.products);
        self.flow.merge(other.flow);
    }

    /// The product of which a cost export speaks by this name of a service, meter or service code; names
    /// are compared by their letters and digits alone, since exporters space and join them as they like.
    #[must_use]
    pub fn product_of_export(&self, name: &str) -> Option<&Product> {
        let letters = |name: &str| -> String {
            name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
        };
        let wanted = letters(name);
        let is = |known: &String| letters(known) == wanted;
        let by_export = self.products.iter().find(|product| product.focus.iter().any(is));
        by_export
            .or_else(|| self.products.iter().find(|product| is(&product.id) || product.names.iter().any(is)))
            .filter(|_| !wanted.is_empty())
    }

    /// The clause with this id.
    #[must_use]
    pub fn clause(&self, id: ClauseId) -> Option<&Clause> {
        self.clauses.get(usize::from(id.0))
    }

    /// The source with this key.
    #[must_use]
    pub fn source(&self, key: &str) -> Option<&Source> {
        self.sources.iter().find(|source| source.key == key)
    }

    /// The site with this name, or the default one where no name is given.
    #[must_use]
    pub fn site(&self, name: Option<&str>) -> Option<&Site> {
        match name {
            Some(name) => self.sites.iter().find(|site| site.id == name),
            None => self.sites.iter().find(|site| site.default).or_else(|| self.sites.first()),
        }
    }
}

/// A value that holds, and the clause that says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// The value.
    pub value: Number,
    /// The clause that says so.
    pub clause: ClauseId,
    whole: Option<i64>,
}

impl Held {
    fn new(value: Number, clause: ClauseId) -> Self {
        Self { value, clause, whole: value.as_whole() }
    }

    /// The value as a whole number, where it is one: a number of days, of months, of instances.
    #[must_use]
    #[inline]
    pub fn whole(&self) -> Option<i64> {
        self.whole
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct HeldRow {
    key: Vec<Key>,
    held: Held,
}

/// A set of small numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct BitSet(Vec<u64>);

impl BitSet {
    /// The set in machine words: number `n` is bit `n % 64` of word `n / 64`.
    fn words(&self) -> &[u64] {
        &self.0
    }

    fn insert(&mut self, bit: usize) {
        let word = bit / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        if let Some(word) = self.0.get_mut(word) {
            *word |= 1 << (bit % 64);
        }
    }

    #[inline]
    fn contains(&self, bit: usize) -> bool {
        self.0.get(bit / 64).is_some_and(|word| word & (1 << (bit % 64)) != 0)
    }
}

/// A time between two changes of anything dated on a site.
#[derive(Debug, Clone)]
pub struct Epoch {
    from: Instant,
    in_force: BitSet,
    params: Vec<Option<Held>>,
    tables: Vec<Vec<HeldRow>>,
    /// For each product which lists in force hold it.
    lists: Vec<BitSet>,
}

impl Epoch {
    /// The first instant of the epoch.
    #[must_use]
    pub fn from(&self) -> Instant {
        self.from
    }

    /// Whether a clause is in force.
    #[must_use]
    #[inline]
    pub fn in_force(&self, clause: ClauseId) -> bool {
        clause == ClauseId::NO_RULE || self.in_force.contains(usize::from(clause.0))
    }

    /// The clauses in force as a set of bits, clause `n` being bit `n % 64` of word `n / 64`.
    #[must_use]
    #[inline]
    pub(crate) fn clauses(&self) -> &[u64] {
        self.in_force.words()
    }

    /// A dated value, where one holds.
    #[must_use]
    #[inline]
    pub fn param(&self, param: ParamId) -> Option<Held> {
        self.params.get(usize::from(param.0)).copied().flatten()
    }

    /// A table's cell, where a source shows it.
    #[must_use]
    pub fn cell(&self, table: TableId, key: &[KeyRef<'_>]) -> Option<Held> {
        self.tables
            .get(usize::from(table.0))?
            .iter()
            .find(|row| row.key.len() == key.len() && row.key.iter().zip(key).all(|(a, b)| a == b))
            .map(|row| row.held)
    }

    /// The rows of a table as (key, value), in the order printed.
    pub fn rows(&self, table: TableId) -> impl Iterator<Item = (&[Key], Held)> {
        self.tables.get(usize::from(table.0)).into_iter().flatten().map(|row| (row.key.as_slice(), row.held))
    }

    /// Whether a product list is in force and holds the product.
    #[must_use]
    #[inline]
    pub fn listed(&self, list: ListId, product: Option<ProductId>) -> bool {
        let place = usize::from(list.0);
        self.lists_of(product).get(place / 64).is_some_and(|word| word & (1 << (place % 64)) != 0)
    }

    /// The lists in force that hold a product as a set of bits, list `n` being bit `n % 64` of word `n / 64`.
    #[must_use]
    #[inline]
    pub(crate) fn lists_of(&self, product: Option<ProductId>) -> &[u64] {
        product.and_then(|product| self.lists.get(usize::from(product.0))).map_or(&[], BitSet::words)
    }
}

/// A site's rules, ready for use.
#[derive(Debug, Clone)]
pub struct SiteRules {
    /// The name in portfolios.
    pub name: String,
    /// The wall clock.
    pub zone: Zone,
    editions: Vec<(Instant, String)>,
    epochs: Vec<Epoch>,
}

impl SiteRules {
    /// The epoch of an instant; the first one on all earlier days too.
    #[must_use]
    pub fn epoch(&self, at: Instant) -> Option<&Epoch> {
        let after = self.epochs.partition_point(|epoch| epoch.from <= at);
        self.epochs.get(after.saturating_sub(1))
    }

    /// The first instant after `at` from which anything dated holds that did not before, or no longer does.
    #[must_use]
    pub fn changes_after(&self, at: Instant) -> Option<Instant> {
        let after = self.epochs.partition_point(|epoch| epoch.from <= at);
        // The first epoch holds on all earlier days too, so it never begins.
        self.epochs.get(after.max(1)).map(|epoch| epoch.from)
    }

    /// The edition in force at an instant; the oldest one on all earlier days too.
    #[must_use]
    pub fn edition(&self, at: Instant) -> Option<&str> {
        let after = self.editions.partition_point(|(from, _)| *from <= at);
        self.editions.get(after.saturating_sub(1)).map(|(_, name)| name.as_str())
    }

    /// The editions, oldest first, with the instant from which each holds.
    pub fn editions(&self) -> impl Iterator<Item = (Instant, &str)> {
        self.editions.iter().map(|(from, name)| (*from, name.as_str()))
    }

    /// The last instant of a day: what a request for an edition is judged at.
    #[must_use]
    pub fn end_of_day(&self, date: NaiveDate) -> Instant {
        Instant::from_micros(self.zone.midnight(day_after(date, 1)).micros() - 1)
    }
}

/// A policy made ready for rules.
#[derive(Debug, Clone)]
pub struct Rulebook {
    policy: Policy,
    sites: Vec<SiteRules>,
    default_site: usize,
    products: HashMap<String, ProductId, RandomState>,
    /// The clauses' reasons by their index, close together: rules ask for them all the time.
    reasons: Vec<Reason>,
    /// Whether any clause is a team's own.
    overlaid: bool,
}

fn parse_bound(text: &str, zone: Zone) -> Result<Instant, TimeError> {
    Instant::parse(text, zone)
}

struct Builder<'p> {
    policy: &'p Policy,
    clauses: HashMap<&'p str, ClauseId>,
}

impl<'p> Builder<'p> {
    fn clause(&self, place: &str, id: &str) -> Result<ClauseId, PolicyError> {
        self.clauses
            .get(id)
            .copied()
            .ok_or_else(|| PolicyError::new(place, format!("names the clause {id:?}, which does not exist")))
    }

    /// The period in which a scope holds on a site, if it does at all.
    fn period(
        place: &str,
        site: &Site,
        sites: Option<&[String]>,
        from: Option<&str>,
        until: Option<&str>,
    ) -> Result<Option<(Instant, Instant)>, PolicyError> {
        if sites.is_some_and(|sites| !sites.contains(&site.id)) {
            return Ok(None);
        }
        let bound = |text: Option<&str>, open: Instant| {
            text.map_or(Ok(open), |text| {
                parse_bound(text, site.zone).map_err(|error| PolicyError::new(place, error.to_string()))
            })
        };
        let from = bound(from, Instant::from_micros(i64::MIN))?;
        let until = bound(until, Instant::from_micros(i64::MAX))?;
        if from >= until {
            return Err(PolicyError::new(place, "holds until a time that is not after the time from which it holds"));
        }
        Ok(Some((from, until)))
    }

    fn check_sites(&self, place: &str, sites: Option<&[String]>) -> Result<(), PolicyError> {
        for name in sites.unwrap_or_default() {
            if !self.policy.sites.iter().any(|site| site.id == *name) {
                return Err(PolicyError::new(place, format!("names the site {name:?}, which does not exist")));
            }
        }
        Ok(())
    }

    fn scopes(place: &str, site: &Site, holds: &[Scope]) -> Result<Vec<(Instant, Instant)>, PolicyError> {
        if holds.is_empty() {
            return Ok(vec![(Instant::from_micros(i64::MIN), Instant::from_micros(i64::MAX))]);
        }
        let mut periods = Vec::new();
        for scope in holds {
            periods.extend(Self::period(
                place,
                site,
                scope.sites.as_deref(),
                scope.from.as_deref(),
                scope.until.as_deref(),
            )?);
        }
        Ok(periods)
    }

    fn site_rules(
        &self,
        site: &Site,
        products: &HashMap<String, ProductId, RandomState>,
    ) -> Result<SiteRules, PolicyError> {
        type Period = (Instant, Instant);
        let mut clauses: Vec<Vec<Period>> = Vec::new();
        for clause in &self.policy.clauses {
            clauses.push(Self::scopes(&clause.id, site, &clause.holds)?);
        }
        let mut params: Vec<Vec<(Period, Held)>> = Vec::new();
        for param in &self.policy.params {
            let mut values = Vec::new();
            for value in &param.values {
                let clause = self.clause(&param.id, &value.clause)?;
                if let Some(period) = Self::period(
                    &param.id,
                    site,
                    value.sites.as_deref(),
                    value.from.as_deref(),
                    value.until.as_deref(),
                )? {
                    values.push((period, Held::new(value.value, clause)));
                }
            }
            for (index, ((from, until), _)) in values.iter().enumerate() {
                if values
                    .iter()
                    .skip(index + 1)
                    .any(|((other_from, other_until), _)| from < other_until && other_from < until)
                {
                    return Err(PolicyError::new(
                        &param.id,
                        format!("has two values at one time on site {:?}", site.id),
                    ));
                }
            }
            params.push(values);
        }
        let mut tables: Vec<Vec<(Period, HeldRow)>> = Vec::new();
        for table in &self.policy.tables {
            let mut rows: Vec<(Period, HeldRow)> = Vec::new();
            for row in &table.rows {
                if row.key.len() != table.key.len() {
                    return Err(PolicyError::new(
                        &table.id,
                        format!("has a row with {} key parts, expected {}", row.key.len(), table.key.len()),
                    ));
                }
                let clause = self.clause(&table.id, row.clause.as_ref().unwrap_or(&table.clause))?;
                if let Some(period) =
                    Self::period(&table.id, site, row.sites.as_deref(), row.from.as_deref(), row.until.as_deref())?
                {
                    if rows
                        .iter()
                        .any(|((from, until), other)| other.key == row.key && period.0 < *until && *from < period.1)
                    {
                        return Err(PolicyError::new(
                            &table.id,
                            format!("has two rows with the key {:?} at one time on site {:?}", row.key, site.id),
                        ));
                    }
                    rows.push((period, HeldRow { key: row.key.clone(), held: Held::new(row.value, clause) }));
                }
            }
            tables.push(rows);
        }
        let mut lists: Vec<(Vec<Period>, BitSet)> = Vec::new();
        for list in &self.policy.lists {
            self.clause(&list.id, &list.clause)?;
            let mut set = BitSet::default();
            for name in &list.products {
                if let Some(product) = products.get(&name.to_lowercase()) {
                    set.insert(usize::from(product.0));
                }
            }
            lists.push((Self::scopes(&list.id, site, &list.holds)?, set));
        }
        let mut edges: Vec<Instant> = clauses
            .iter()
            .flatten()
            .chain(params.iter().flatten().map(|(period, _)| period))
            .chain(tables.iter().flatten().map(|(period, _)| period))
            .chain(lists.iter().flat_map(|(periods, _)| periods))
            .flat_map(|(from, until)| [*from, *until])
            .filter(|edge| edge.micros() != i64::MAX)
            .collect();
        edges.push(Instant::from_micros(i64::MIN));
        edges.sort_unstable();
        edges.dedup();
        let lists_of = |product: usize, holds: &dyn Fn(&Period) -> bool| {
            let mut own = BitSet::default();
            for (list, (periods, products)) in lists.iter().enumerate() {
                if products.contains(product) && periods.iter().any(holds) {
                    own.insert(list);
                }
            }
            own
        };
        let epochs = edges
            .into_iter()
            .map(|from| {
                let holds = |period: &Period| period.0 <= from && from < period.1;
                let mut in_force = BitSet::default();
                for (index, periods) in clauses.iter().enumerate() {
                    if periods.iter().any(holds) {
                        in_force.insert(index);
                    }
                }
                let current = |values: &Vec<(Period, Held)>| {
                    values.iter().find(|(period, _)| holds(period)).map(|(_, held)| *held)
                };
                Epoch {
                    from,
                    in_force,
                    params: params.iter().map(current).collect(),
                    tables: tables
                        .iter()
                        .map(|rows| {
                            rows.iter().filter(|(period, _)| holds(period)).map(|(_, row)| row.clone()).collect()
                        })
                        .collect(),
                    lists: (0..self.policy.products.len()).map(|product| lists_of(product, &holds)).collect(),
                }
            })
            .collect();
        let mut editions = Vec::new();
        for edition in &self.policy.editions {
            if edition.site.as_ref().is_none_or(|name| *name == site.id) {
                let from = parse_bound(&edition.from, site.zone)
                    .map_err(|error| PolicyError::new("edition", error.to_string()))?;
                editions.push((from, site.zone.date(from).to_string()));
            }
        }
        editions.sort();
        Ok(SiteRules { name: site.id.clone(), zone: site.zone, editions, epochs })
    }
}

impl Rulebook {
    /// Makes a policy ready for rules.
    ///
    /// # Errors
    /// The first thing in which the policy contradicts itself: an id used twice, a name that does not
    /// exist, a period that ends before it begins, two values that hold at one time.
    pub fn new(policy: Policy) -> Result<Self, PolicyError> {
        if policy.sites.is_empty() {
            return Err(PolicyError::new(&policy.provider, "has no site"));
        }
        let mut clauses = HashMap::new();
        for (index, clause) in policy.clauses.iter().enumerate() {
            let id = u16::try_from(index).map_err(|_| PolicyError::new(&clause.id, "is one clause too many"))?;
            if clauses.insert(clause.id.as_str(), ClauseId(id)).is_some() {
                return Err(PolicyError::new(&clause.id, "is there twice"));
            }
            if clause.sources.is_empty() {
                return Err(PolicyError::new(&clause.id, "names no source"));
            }
            if let Some(key) = clause.sources.iter().find(|key| policy.source(key).is_none()) {
                return Err(PolicyError::new(&clause.id, format!("names the source {key:?}, which does not exist")));
            }
        }
        for (index, source) in policy.sources.iter().enumerate() {
            if policy.sources.iter().skip(index + 1).any(|other| other.key == source.key) {
                return Err(PolicyError::new(&source.key, "is there twice"));
            }
        }
        policy.flow.check(&policy)?;
        let products = Self::names(&policy)?;
        Self::check_exports(&policy)?;
        Self::check_usual(&policy)?;
        if let Some(typical) = &policy.typical {
            typical.check(&policy)?;
        }
        let builder = Builder { policy: &policy, clauses };
        for clause in &policy.clauses {
            for scope in &clause.holds {
                builder.check_sites(&clause.id, scope.sites.as_deref())?;
            }
        }
        for param in &policy.params {
            for value in &param.values {
                builder.check_sites(&param.id, value.sites.as_deref())?;
            }
        }
        for table in &policy.tables {
            for row in &table.rows {
                builder.check_sites(&table.id, row.sites.as_deref())?;
            }
        }
        for list in &policy.lists {
            for scope in &list.holds {
                builder.check_sites(&list.id, scope.sites.as_deref())?;
            }
            if let Some(name) = list.products.iter().find(|name| !products.contains_key(&name.to_lowercase())) {
                return Err(PolicyError::new(&list.id, format!("names the product {name:?}, which does not exist")));
            }
        }
        let sites =
            policy.sites.iter().map(|site| builder.site_rules(site, &products)).collect::<Result<Vec<_>, _>>()?;
        let default_site = policy.sites.iter().position(|site| site.default).unwrap_or(0);
        // A clause without a reason of its own never refuses by itself; the build checks that those which do
        // have one.
        let reasons = policy.clauses.iter().map(|clause| clause.reason.unwrap_or(Reason::RuleUnknown)).collect();
        let overlaid = policy.clauses.iter().any(|clause| clause.overlay);
        Ok(Self { sites, default_site, products, reasons, overlaid, policy })
    }

    fn names(policy: &Policy) -> Result<HashMap<String, ProductId, RandomState>, PolicyError> {
        let mut names = HashMap::default();
        for (index, product) in policy.products.iter().enumerate() {
            let id =
                ProductId(u16::try_from(index).map_err(|_| PolicyError::new(&product.id, "is one product too many"))?);
            for name in std::iter::once(&product.id).chain(&product.names) {
                if names.insert(name.to_lowercase(), id).is_some_and(|other| other != id) {
                    return Err(PolicyError::new(&product.id, format!("the name {name:?} belongs to two products")));
                }
            }
        }
        Ok(names)
    }

    fn check_exports(policy: &Policy) -> Result<(), PolicyError> {
        let mut seen: HashMap<String, &str, RandomState> = HashMap::default();
        for product in &policy.products {
            for name in &product.focus {
                if seen.insert(name.to_lowercase(), &product.id).is_some() {
                    return Err(PolicyError::new(&product.id, format!("the name {name:?} of exports is there twice")));
                }
            }
        }
        Ok(())
    }

    fn check_usual(policy: &Policy) -> Result<(), PolicyError> {
        let Some(usual) = &policy.usual else { return Ok(()) };
        let wrong = |what: String| Err(PolicyError::new("usual", what));
        if let Err(error) = crate::vocab::Billing::parse(&usual.billing) {
            return wrong(error.to_string());
        }
        if let Some(Err(error)) = usual.class.as_deref().map(crate::vocab::Class::parse) {
            return wrong(error.to_string());
        }
        if let Some(Err(error)) = usual.payment_option.as_deref().map(crate::vocab::PaymentOption::parse) {
            return wrong(error.to_string());
        }
        Ok(())
    }

    /// The policy itself.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The sites.
    #[must_use]
    pub fn sites(&self) -> &[SiteRules] {
        &self.sites
    }

    /// The site with this name, or the default one where no name is given.
    #[must_use]
    pub fn site(&self, name: Option<&str>) -> Option<&SiteRules> {
        self.place_of_site(name).and_then(|place| self.sites.get(place))
    }

    /// Where that site stands among [`sites`](Self::sites).
    #[must_use]
    #[inline]
    pub fn place_of_site(&self, name: Option<&str>) -> Option<usize> {
        match name {
            Some(name) => self.sites.iter().position(|site| site.name == name),
            None => Some(self.default_site),
        }
    }

    /// The product that goes by a name, compared without regard to case.
    #[must_use]
    pub fn product(&self, name: &str) -> Option<ProductId> {
        if let Some(found) = self.products.get(name) {
            return Some(*found);
        }
        if name.chars().any(char::is_uppercase) { self.products.get(&name.to_lowercase()).copied() } else { None }
    }

    /// What a refusal by a clause is called.
    #[must_use]
    #[inline]
    pub fn reason(&self, clause: ClauseId) -> Reason {
        self.reasons.get(usize::from(clause.0)).copied().unwrap_or(Reason::RuleUnknown)
    }

    /// Whether a team's own clauses are among the rules.
    #[must_use]
    #[inline]
    pub fn is_overlaid(&self) -> bool {
        self.overlaid
    }

    /// A clause's id as written.
    #[must_use]
    pub fn clause_id(&self, clause: ClauseId) -> &str {
        self.policy.clause(clause).map_or("recoup.no-rule", |clause| clause.id.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> Policy {
        let scope = |from: Option<&str>, until: Option<&str>| Scope {
            sites: None,
            from: from.map(str::to_owned),
            until: until.map(str::to_owned),
        };
        let value = |value: &str, from: Option<&str>, until: Option<&str>| DatedValue {
            sites: None,
            from: from.map(str::to_owned),
            until: until.map(str::to_owned),
            value: value.parse().unwrap(),
            clause: "t.old".into(),
        };
        let clause = |id: &str, holds: Vec<Scope>| Clause {
            id: id.into(),
            reason: None,
            says: "says".into(),
            sources: vec!["page".into()],
            holds,
            kind: ClauseKind::Rule,
            note: None,
            overlay: false,
        };
        Policy {
            provider: "test".into(),
            title: "Test".into(),
            sites: vec![Site { id: "one".into(), title: "One".into(), zone: Zone::fixed_hours(8), default: true }],
            editions: vec![
                Edition { site: None, from: "2020-01-01".into(), what: "first".into() },
                Edition { site: None, from: "2025-07-25".into(), what: "second".into() },
            ],
            sources: vec![Source {
                key: "page".into(),
                title: "Page".into(),
                url: "https://example.org".into(),
                site: None,
                date: None,
                note: None,
                overlay: false,
            }],
            clauses: vec![
                clause("t.old", vec![scope(None, Some("2025-07-25"))]),
                clause("t.new", vec![scope(Some("2025-07-25"), None)]),
            ],
            params: vec![Param {
                id: "large".into(),
                says: "large".into(),
                unit: "USD".into(),
                values: vec![value("1000", None, Some("2025-07-25")), value("7000", Some("2025-07-25"), None)],
            }],
            ..Policy::default()
        }
    }

    #[test]
    fn what_is_dated_switches_at_midnight_of_the_site() {
        let book = Rulebook::new(policy()).unwrap();
        let site = book.site(None).unwrap();
        for (at, old, new, large, edition) in [
            ("2010-01-01T00:00:00Z", true, false, "1000", "2020-01-01"),
            ("2025-07-24T23:59:59+08:00", true, false, "1000", "2020-01-01"),
            ("2025-07-25T00:00:00+08:00", false, true, "7000", "2025-07-25"),
        ] {
            let at = Instant::parse(at, Zone::UTC).unwrap();
            let epoch = site.epoch(at).unwrap();
            assert_eq!(epoch.in_force(ClauseId(0)), old);
            assert_eq!(epoch.in_force(ClauseId(1)), new);
            assert_eq!(epoch.param(ParamId(0)).unwrap().value.to_string(), large);
            assert_eq!(site.edition(at), Some(edition));
        }
    }

    #[test]
    fn contradictions_are_refused() {
        let mut twice = policy();
        let again = twice.clauses[0].clone();
        twice.clauses.push(again);
        let mut overlapping = policy();
        overlapping.params[0].values[0].until = None;
        let mut sourceless = policy();
        sourceless.clauses[0].sources.clear();
        let mut unknown_source = policy();
        unknown_source.clauses[0].sources = vec!["other".into()];
        let mut backwards = policy();
        backwards.clauses[0].holds[0].from = Some("2026-01-01".into());
        for (policy, what) in [
            (twice, "is there twice"),
            (overlapping, "two values at one time"),
            (sourceless, "names no source"),
            (unknown_source, "which does not exist"),
            (backwards, "not after the time"),
        ] {
            let error = Rulebook::new(policy).unwrap_err().to_string();
            assert!(error.contains(what), "{error}");
        }
    }
}
