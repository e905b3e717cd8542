//! What a team knows better than the provider's public pages: its own contract, or rows of a table that
//! no public page shows whole.
//!
//! An [`Overlay`] adds clauses, values and rows to a [`Policy`], or replaces published ones within the
//! overlay's own period. Everything that it says is tied to a source of the team's own, so a ruling that
//! rests on it can say so. An overlay changes what clauses say and which figures hold; the arithmetic
//! stays the adapter's, so money is conserved whatever the figures are.
//!
//! ```
//! use recoup_core::overlay::Overlay;
//! use recoup_core::policy::Policy;
//!
//! let policy: Policy = serde_json::from_str(
//!     r#"{"provider": "acme", "title": "Acme", "site": [{"id": "one", "title": "One", "zone": "UTC"}],
//!         "source": [{"key": "page", "title": "Page", "url": "https://example.org"}],
//!         "clause": [{"id": "ac.fee", "says": "The fee is 20%", "sources": ["page"]}],
//!         "param": [{"id": "fee", "says": "fee", "unit": "share", "values": [{"value": "0.2", "clause": "ac.fee"}]}]}"#,
//! )?;
//! let overlay: Overlay = serde_json::from_str(
//!     r#"{"provider": "acme", "source": [{"key": "contract", "title": "Our contract"}],
//!         "clause": [{"id": "our.fee", "says": "The fee is 10%", "sources": ["contract"]}],
//!         "param": [{"id": "fee", "clause": "our.fee", "values": [{"from": "2026-01-01", "value": "0.1"}]}]}"#,
//! )?;
//! let merged = policy.overlaid(&overlay)?;
//! let values: Vec<String> = merged.params[0].values.iter().map(|value| value.value.to_string()).collect();
//! assert_eq!(values, ["0.2", "0.1"]);
//! assert_eq!(merged.params[0].values[0].until.as_deref(), Some("2026-01-01"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use serde::Deserialize;

use crate::money::Number;
use crate::policy::{Clause, ClauseKind, DatedValue, Key, Policy, Row, Rulebook, Scope, Site, Source};
use crate::time::Instant;
use crate::vocab::Reason;

/// A document of the team's own.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnSource {
    /// Short key by which the overlay's clauses name it. No page of the provider has the same.
    pub key: String,
    /// The document's title.
    pub title: String,
    /// Where it is kept, where it has an address.
    #[serde(default)]
    pub url: String,
    /// The site that it speaks of.
    #[serde(default)]
    pub site: Option<String>,
    /// The date printed on it.
    #[serde(default)]
    pub date: Option<String>,
    /// What else a reader should know.
    #[serde(default)]
    pub note: Option<String>,
}

/// A clause of the team's own, or changes to a published one.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnClause {
    /// Its id. That of a published clause changes that one.
    pub id: String,
    /// What a refusal by it is called.
    #[serde(default)]
    pub reason: Option<Reason>,
    /// The rule in one line. A published clause keeps its own where absent.
    #[serde(default)]
    pub says: Option<String>,
    /// Keys of the documents that say so, one of the team's own among them.
    #[serde(default)]
    pub sources: Vec<String>,
    /// Where and when it holds. A published clause keeps its own where absent.
    #[serde(default)]
    pub holds: Option<Vec<Scope>>,
    /// A choice, an assumption or a warning that goes with it.
    #[serde(default)]
    pub note: Option<String>,
}

/// A value of a published parameter.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnValue {
    /// The sites; every site where absent.
    #[serde(default)]
    pub sites: Option<Vec<String>>,
    /// See [`Scope::from`].
    #[serde(default)]
    pub from: Option<String>,
    /// See [`Scope::until`].
    #[serde(default)]
    pub until: Option<String>,
    /// The value.
    pub value: Number,
    /// The clause that says so, where it is not that of all.
    #[serde(default)]
    pub clause: Option<String>,
}

/// Values of a published parameter.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnParam {
    /// The parameter's id.
    pub id: String,
    /// The clause of values that name none.
    #[serde(default)]
    pub clause: Option<String>,
    /// The values.
    pub values: Vec<OwnValue>,
}

/// Rows of a published table.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnTable {
    /// The table's id.
    pub id: String,
    /// The clause of rows that name none.
    #[serde(default)]
    pub clause: Option<String>,
    /// The rows.
    pub rows: Vec<Row>,
}

/// What a team adds to one provider's policy, or replaces in it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overlay {
    /// The provider.
    pub provider: String,
    /// The team's documents.
    #[serde(default, rename = "source")]
    pub sources: Vec<OwnSource>,
    /// Clauses.
    #[serde(default, rename = "clause")]
    pub clauses: Vec<OwnClause>,
    /// Values of parameters.
    #[serde(default, rename = "param")]
    pub params: Vec<OwnParam>,
    /// Rows of tables.
    #[serde(default, rename = "table")]
    pub tables: Vec<OwnTable>,
}

/// A step on the way to a place in an overlay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A key, as written.
    Key(&'static str),
    /// An item of a list, counted from 0.
    Item(usize),
}

/// An overlay that is wrong by itself or does not fit the policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct OverlayError {
    /// Where it is wrong: the way from the top of the overlay, as far as it leads.
    pub place: Vec<Place>,
    /// What was found and what was expected.
    pub what: String,
}

impl OverlayError {
    fn new(place: &[Place], what: impl Into<String>) -> Self {
        Self { place: place.to_vec(), what: what.into() }
    }

    fn at(place: &[Place], field: &'static str, what: impl Into<String>) -> Self {
        let mut error = Self::new(place, what);
        error.place.push(Place::Key(field));
        error
    }
}

type Done = Result<(), OverlayError>;
type Period = (Instant, Instant);

/// The period of a scope on a site, where it covers the site.
fn period(site: &Site, scope: &Scope, place: &[Place]) -> Result<Option<Period>, OverlayError> {
    if scope.sites.as_ref().is_some_and(|sites| !sites.contains(&site.id)) {
        return Ok(None);
    }
    let bound = |field, text: Option<&String>, open| {
        text.map_or(Ok(open), |text| {
            Instant::parse(text, site.zone)
                .map_err(|error| OverlayError::at(place, field, format!("{field:?}: {error}")))
        })
    };
    let from = bound("from", scope.from.as_ref(), Instant::from_micros(i64::MIN))?;
    let until = bound("until", scope.until.as_ref(), Instant::from_micros(i64::MAX))?;
    Ok(Some((from, until)))
}

/// Refuses a scope that names what does not exist or ends before it begins.
fn check_scope(sites: &[Site], scope: &Scope, place: &[Place]) -> Done {
    let names = || sites.iter().map(|site| site.id.as_str()).collect::<Vec<_>>().join(", ");
    for name in scope.sites.iter().flatten() {
        if !sites.iter().any(|site| site.id == *name) {
            return Err(OverlayError::at(
                place,
                "sites",
                format!("{name:?} is not a site of this provider, expected one of {}", names()),
            ));
        }
    }
    if scope.sites.as_ref().is_some_and(Vec::is_empty) {
        return Err(OverlayError::at(place, "sites", "names no site; leave \"sites\" out for every site"));
    }
    for site in sites {
        if let Some((from, until)) = period(site, scope, place)?
            && from >= until
        {
            let word = |text: &Option<String>| text.clone().unwrap_or_default();
            let what = format!("\"from\" is not before \"until\" ({} and {})", word(&scope.from), word(&scope.until));
            return Err(OverlayError::at(place, "until", what));
        }
    }
    Ok(())
}

/// Whether two scopes hold at one time on one site.
fn meet(sites: &[Site], one: &Scope, other: &Scope) -> Result<bool, OverlayError> {
    for site in sites {
        if let (Some(one), Some(other)) = (period(site, one, &[])?, period(site, other, &[])?)
            && one.0 < other.1
            && other.0 < one.1
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What is left of a published scope beside one of the overlay; `None` where they never meet.
fn left_over(sites: &[Site], published: &Scope, own: &Scope) -> Result<Option<Vec<Scope>>, OverlayError> {
    if !meet(sites, published, own)? {
        return Ok(None);
    }
    let mut left: Vec<Scope> = Vec::new();
    let mut keep = |site: &Site, from: &Option<String>, until: &Option<String>| match left
        .iter_mut()
        .find(|scope| scope.from == *from && scope.until == *until)
    {
        Some(scope) => scope.sites.get_or_insert_default().push(site.id.clone()),
        None => left.push(Scope { sites: Some(vec![site.id.clone()]), from: from.clone(), until: until.clone() }),
    };
    for site in sites {
        let Some(old) = period(site, published, &[])? else { continue };
        match period(site, own, &[])? {
            Some(new) if old.0 < new.1 && new.0 < old.1 => {
                // A bound is a text that each site reads on its own clock, so it can be taken over as it is.
                if old.0 < new.0 {
                    keep(site, &published.from, &own.from);
                }
                if new.1 < old.1 {
                    keep(site, &own.until, &published.until);
                }
            }
            _ => keep(site, &published.from, &published.until),
        }
    }
    Ok(Some(left))
}

/// Something dated that an overlay can replace: a value or a row.
trait Dated: Clone {
    fn scope(&self) -> Scope;
    fn in_scope(&self, scope: Scope) -> Self;
    fn same_key(&self, other: &Self) -> bool;
}

impl Dated for DatedValue {
    fn scope(&self) -> Scope {
        Scope { sites: self.sites.clone(), from: self.from.clone(), until: self.until.clone() }
    }

    fn in_scope(&self, scope: Scope) -> Self {
        Self { sites: scope.sites, from: scope.from, until: scope.until, ..self.clone() }
    }

    fn same_key(&self, _other: &Self) -> bool {
        true
    }
}

impl Dated for Row {
    fn scope(&self) -> Scope {
        Scope { sites: self.sites.clone(), from: self.from.clone(), until: self.until.clone() }
    }

    fn in_scope(&self, scope: Scope) -> Self {
        Self { sites: scope.sites, from: scope.from, until: scope.until, ..self.clone() }
    }

    fn same_key(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

/// Puts one item of the overlay in the place of what it replaces, or behind all others. What holds at
/// other times or on other sites stays.
fn put<T: Dated>(sites: &[Site], items: &mut Vec<T>, own: T) -> Done {
    let scope = own.scope();
    let mut made = Vec::with_capacity(items.len() + 1);
    let mut place = None;
    for item in items.drain(..) {
        let left = if item.same_key(&own) { left_over(sites, &item.scope(), &scope)? } else { None };
        match left {
            None => made.push(item),
            Some(left) => {
                made.extend(left.into_iter().map(|scope| item.in_scope(scope)));
                place.get_or_insert(made.len());
            }
        }
    }
    made.insert(place.unwrap_or(made.len()), own);
    *items = made;
    Ok(())
}

/// Refuses two items of one overlay that hold at one time.
fn check_apart<T: Dated>(sites: &[Site], before: &[T], own: &T, place: &[Place]) -> Done {
    for other in before.iter().filter(|other| other.same_key(own)) {
        if meet(sites, &other.scope(), &own.scope())? {
            return Err(OverlayError::new(place, "another entry of this file holds at the same time on the same site"));
        }
    }
    Ok(())
}

/// Refuses a value that its unit does not allow.
fn check_value(value: Number, unit: &str, place: &[Place]) -> Done {
    if value < Number::ZERO {
        return Err(OverlayError::at(place, "value", format!("{value} is negative")));
    }
    if unit.starts_with("share") && value > Number::ONE {
        let what = format!("{value} is above 1, and the unit is {unit:?}: 30% is written \"0.30\"");
        return Err(OverlayError::at(place, "value", what));
    }
    Ok(())
}

fn choices<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

fn key_text(key: &[Key]) -> String {
    let part = |part: &Key| match part {
        Key::Number(number) => number.to_string(),
        Key::Word(word) => format!("{word:?}"),
    };
    format!("[{}]", key.iter().map(part).collect::<Vec<_>>().join(", "))
}

impl Policy {
    /// Whether a clause is a team's own, or was changed by it.
    #[must_use]
    pub fn is_overlaid(&self, clause: crate::policy::ClauseId) -> bool {
        self.clause(clause).is_some_and(|clause| clause.overlay)
    }

    /// This policy with a team's overlay: its clauses, values and rows are added, or take the place of
    /// published ones within their own period. Clauses, parameters and tables keep their index; new
    /// clauses follow behind.
    ///
    /// # Errors
    /// The first thing in which the overlay contradicts itself or names what the policy does not have.
    pub fn overlaid(&self, overlay: &Overlay) -> Result<Self, OverlayError> {
        if overlay.provider != self.provider {
            let what = format!("is for {:?}, the policy is that of {:?}", overlay.provider, self.provider);
            return Err(OverlayError::new(&[Place::Key("provider")], what));
        }
        let mut merged = self.clone();
        for (index, source) in overlay.sources.iter().enumerate() {
            merged.add_source(source, &[Place::Key("source"), Place::Item(index)])?;
        }
        for (index, clause) in overlay.clauses.iter().enumerate() {
            let place = [Place::Key("clause"), Place::Item(index)];
            if overlay.clauses.iter().take(index).any(|other| other.id == clause.id) {
                return Err(OverlayError::at(&place, "id", format!("clause {:?} is there twice", clause.id)));
            }
            merged.add_clause(clause, &place)?;
        }
        for (index, param) in overlay.params.iter().enumerate() {
            let place = [Place::Key("param"), Place::Item(index)];
            if overlay.params.iter().take(index).any(|other| other.id == param.id) {
                return Err(OverlayError::at(&place, "id", format!("param {:?} is there twice", param.id)));
            }
            merged.add_values(param, &place)?;
        }
        for (index, table) in overlay.tables.iter().enumerate() {
            let place = [Place::Key("table"), Place::Item(index)];
            if overlay.tables.iter().take(index).any(|other| other.id == table.id) {
                return Err(OverlayError::at(&place, "id", format!("table {:?} is there twice", table.id)));
            }
            merged.add_rows(table, &place)?;
        }
        // What is merged is held to everything that a published policy is held to.
        Rulebook::new(merged.clone()).map_err(|error| OverlayError::new(&[], error.to_string()))?;
        Ok(merged)
    }

    fn add_source(&mut self, own: &OwnSource, place: &[Place]) -> Done {
        let source = Source {
            key: own.key.clone(),
            title: own.title.clone(),
            url: own.url.clone(),
            site: own.site.clone(),
            date: own.date.clone(),
            note: own.note.clone(),
            overlay: true,
        };
        match self.source(&own.key) {
            None => self.sources.push(source),
            // Several overlays may cite the same contract.
            Some(other) if *other == source => {}
            Some(other) => {
                let what = format!("the key {:?} already names {:?}; choose another", own.key, other.title);
                return Err(OverlayError::at(place, "key", what));
            }
        }
        Ok(())
    }

    fn add_clause(&mut self, own: &OwnClause, place: &[Place]) -> Done {
        if let Some(key) = own.sources.iter().find(|key| self.source(key).is_none()) {
            let what = format!("clause {:?} names the source {key:?}, which does not exist", own.id);
            return Err(OverlayError::at(place, "sources", what));
        }
        if !own.sources.iter().any(|key| self.source(key).is_some_and(|source| source.overlay)) {
            let what = format!("clause {:?} names no source of your own; say in \"sources\" what it rests on", own.id);
            return Err(OverlayError::at(place, "sources", what));
        }
        for (index, scope) in own.holds.iter().flatten().enumerate() {
            let place = [place, &[Place::Key("holds"), Place::Item(index)]].concat();
            check_scope(&self.sites, scope, &place)?;
        }
        if let Some(clause) = self.clauses.iter_mut().find(|clause| clause.id == own.id) {
            clause.reason = own.reason.or(clause.reason);
            if let Some(says) = &own.says {
                clause.says.clone_from(says);
            }
            if let Some(holds) = &own.holds {
                clause.holds.clone_from(holds);
            }
            clause.note.clone_from(&own.note);
            clause.sources.clone_from(&own.sources);
            clause.overlay = true;
            return Ok(());
        }
        let Some(says) = own.says.clone() else {
            let what = format!(
                "clause {:?} is new and says nothing; give it \"says\", or the id of a clause that is published",
                own.id
            );
            return Err(OverlayError::new(place, what));
        };
        self.clauses.push(Clause {
            id: own.id.clone(),
            reason: own.reason,
            says,
            sources: own.sources.clone(),
            holds: own.holds.clone().unwrap_or_default(),
            kind: ClauseKind::Rule,
            note: own.note.clone(),
            overlay: true,
        });
        Ok(())
    }

    /// The clause that a value or row rests on, which must have a source of the team's own.
    fn own_clause(&self, named: [Option<&String>; 2], place: &[Place]) -> Result<String, OverlayError> {
        let Some(id) = named.into_iter().flatten().next() else {
            return Err(OverlayError::new(place, "names no clause that says so; give it \"clause\""));
        };
        match self.clauses.iter().find(|clause| clause.id == *id) {
            None => {
                let what = format!("the clause {id:?} does not exist; give it as a [[clause]] of this file");
                Err(OverlayError::at(place, "clause", what))
            }
            Some(clause) if !clause.overlay => {
                let what = format!(
                    "the clause {id:?} has no source of your own; give it in this file as a [[clause]] with one"
                );
                Err(OverlayError::at(place, "clause", what))
            }
            Some(clause) => Ok(clause.id.clone()),
        }
    }

    fn add_values(&mut self, own: &OwnParam, place: &[Place]) -> Done {
        let Some(index) = self.params.iter().position(|param| param.id == own.id) else {
            let names = choices(self.params.iter().map(|param| param.id.as_str()));
            let what = format!("there is no param {:?}, expected one of {names}", own.id);
            return Err(OverlayError::at(place, "id", what));
        };
        let mut made: Vec<DatedValue> = Vec::new();
        for (item, value) in own.values.iter().enumerate() {
            let place = [place, &[Place::Key("values"), Place::Item(item)]].concat();
            let clause = self.own_clause([value.clause.as_ref(), own.clause.as_ref()], &place)?;
            let dated = DatedValue {
                sites: value.sites.clone(),
                from: value.from.clone(),
                until: value.until.clone(),
                value: value.value,
                clause,
            };
            check_scope(&self.sites, &dated.scope(), &place)?;
            check_apart(&self.sites, &made, &dated, &place)?;
            let Some(param) = self.params.get_mut(index) else { continue };
            check_value(value.value, &param.unit, &place)?;
            put(&self.sites, &mut param.values, dated.clone())?;
            made.push(dated);
        }
        Ok(())
    }

    fn add_rows(&mut self, own: &OwnTable, place: &[Place]) -> Done {
        let Some(index) = self.tables.iter().position(|table| table.id == own.id) else {
            let names = choices(self.tables.iter().map(|table| table.id.as_str()));
            let what = format!("there is no table {:?}, expected one of {names}", own.id);
            return Err(OverlayError::at(place, "id", what));
        };
        let mut made: Vec<Row> = Vec::new();
        for (item, row) in own.rows.iter().enumerate() {
            let place = [place, &[Place::Key("rows"), Place::Item(item)]].concat();
            let clause = self.own_clause([row.clause.as_ref(), own.clause.as_ref()], &place)?;
            let row = Row { clause: Some(clause), ..row.clone() };
            check_scope(&self.sites, &row.scope(), &place)?;
            check_apart(&self.sites, &made, &row, &place)?;
            let Some(table) = self.tables.get_mut(index) else { continue };
            if row.key.len() != table.key.len() {
                let what = format!(
                    "the key {} has {} parts, expected {} ({})",
                    key_text(&row.key),
                    row.key.len(),
                    table.key.len(),
                    table.key.join(", ")
                );
                return Err(OverlayError::at(&place, "key", what));
            }
            // A part of the wrong kind would never be looked up, and the row would silently do nothing.
            let kinds = table.rows.first().map(|first| &first.key);
            for (part, like) in row.key.iter().zip(kinds.into_iter().flatten()) {
                if std::mem::discriminant(part) != std::mem::discriminant(like) {
                    let kind = if matches!(like, Key::Number(_)) { "whole numbers" } else { "words" };
                    let what = format!(
                        "the key {} mixes up words and numbers: the table has {kind} there",
                        key_text(&row.key)
                    );
                    return Err(OverlayError::at(&place, "key", what));
                }
            }
            check_value(row.value, &table.unit, &place)?;
            put(&self.sites, &mut table.rows, row.clone())?;
            made.push(row);
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::needless_pass_by_value, reason = "a test builds its values in place")]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::policy::{ClauseId, Held, ParamId, TableId};

    const TABLE: TableId = TableId(0);
    const PARAM: ParamId = ParamId(0);

    fn policy() -> Policy {
        let policy = json!({
            "provider": "acme", "title": "Acme",
            "site": [{"id": "east", "title": "East", "zone": "+08:00", "default": true}, {"id": "west", "title": "West", "zone": "UTC"}],
            "edition": [{"from": "2020-01-01", "what": "first"}],
            "source": [{"key": "page", "title": "Page", "url": "https://example.org"}],
            "clause": [{"id": "ac.fee", "reason": "rule_unknown", "says": "published", "sources": ["page"]},
                       {"id": "ac.promotion", "reason": "promotion", "says": "published", "sources": ["page"]}],
            "param": [{"id": "days", "says": "days", "unit": "days", "values": [{"value": "5", "clause": "ac.fee"}]}],
            "table": [{"id": "fee", "says": "fee", "key": ["term", "year"], "unit": "share", "clause": "ac.fee",
                "rows": [{"key": [1, 1], "value": "0.1", "until": "2025-01-01"}, {"key": [1, 1], "value": "0.2", "from": "2025-01-01"},
                         {"key": [1, 2], "value": "0.3", "sites": ["east"]}]}],
        });
        serde_json::from_value(policy).unwrap()
    }

    /// An overlay with a contract, a clause that cites it, and more.
    fn overlay(more: Value) -> Overlay {
        let mut overlay = json!({"provider": "acme", "source": [{"key": "contract", "title": "Our contract"}],
            "clause": [{"id": "our.fee", "says": "ours", "sources": ["contract"]}]});
        let map = overlay.as_object_mut().unwrap();
        for (key, value) in more.as_object().unwrap() {
            map.insert(key.clone(), value.clone());
        }
        serde_json::from_value(overlay).unwrap()
    }

    fn rows(rows: Value) -> Overlay {
        overlay(json!({"table": [{"id": "fee", "clause": "our.fee", "rows": rows}]}))
    }

    fn at(policy: &Policy, site: &str, at: &str) -> (Option<Held>, Option<Held>) {
        let book = Rulebook::new(policy.clone()).unwrap();
        let rules = book.site(Some(site)).unwrap();
        let epoch = rules.epoch(Instant::parse(at, rules.zone).unwrap()).unwrap();
        (epoch.cell(TABLE, &[1.into(), 1.into()]), epoch.param(PARAM))
    }

    fn fee(policy: &Policy, site: &str, day: &str) -> String {
        at(policy, site, day).0.map_or_else(|| "-".to_owned(), |held| held.value.to_string())
    }

    #[test]
    fn a_row_replaces_the_published_ones_within_its_own_period_and_sites() {
        let own = rows(
            json!([{"sites": ["east"], "from": "2024-06-01", "until": "2025-06-01", "key": [1, 1], "value": "0"}]),
        );
        let merged = policy().overlaid(&own).unwrap();
        for (site, day, expected) in [
            ("east", "2024-05-31T23:59:59+08:00", "0.1"),
            ("east", "2024-06-01", "0"),
            ("east", "2025-05-31T23:59:59+08:00", "0"),
            ("east", "2025-06-01", "0.2"),
            ("west", "2024-06-01", "0.1"),
            ("west", "2025-06-01", "0.2"),
        ] {
            assert_eq!(fee(&merged, site, day), expected, "{site} {day}");
        }
        let held = at(&merged, "east", "2024-07-01").0.unwrap();
        assert_eq!(held.clause, ClauseId(2));
        assert!(merged.is_overlaid(ClauseId(2)) && !merged.is_overlaid(ClauseId(0)));
        assert!(merged.source("contract").unwrap().overlay && !merged.source("page").unwrap().overlay);
    }

    #[test]
    fn ids_keep_their_index_and_a_changed_clause_keeps_what_is_not_said() {
        let own = overlay(json!({"clause": [
            {"id": "our.fee", "says": "ours", "sources": ["contract"]},
            {"id": "ac.promotion", "says": "not for us", "sources": ["contract", "page"], "holds": [{"until": "2024-01-01"}]}],
            "param": [{"id": "days", "values": [{"value": "30", "clause": "our.fee", "from": "2024-01-01"}]}]}));
        let merged = policy().overlaid(&own).unwrap();
        let ids: Vec<&str> = merged.clauses.iter().map(|clause| clause.id.as_str()).collect();
        assert_eq!(ids, ["ac.fee", "ac.promotion", "our.fee"]);
        let changed = &merged.clauses[1];
        assert_eq!(
            (changed.reason, changed.says.as_str(), changed.overlay),
            (Some(Reason::Promotion), "not for us", true)
        );
        assert_eq!(at(&merged, "east", "2023-12-31").1.unwrap().value.to_string(), "5");
        assert_eq!(at(&merged, "east", "2024-01-01").1.unwrap().value.to_string(), "30");
        let book = Rulebook::new(merged).unwrap();
        let site = book.site(None).unwrap();
        let in_force = |day| site.epoch(Instant::parse(day, site.zone).unwrap()).unwrap().in_force(ClauseId(1));
        assert!(in_force("2023-12-31") && !in_force("2024-01-01"));
    }

    #[test]
    fn a_later_overlay_goes_over_an_earlier_one() {
        let first = policy().overlaid(&rows(json!([{"key": [1, 1], "value": "0.05"}]))).unwrap();
        let again = json!({"clause": [{"id": "our.other", "says": "ours", "sources": ["contract"]}],
            "table": [{"id": "fee", "clause": "our.other", "rows": [{"key": [1, 1], "value": "0.01", "from": "2030-01-01"}]}]});
        let second = first.overlaid(&overlay(again)).unwrap();
        assert_eq!(
            (fee(&second, "east", "2029-12-31"), fee(&second, "east", "2030-01-01")),
            ("0.05".into(), "0.01".into())
        );
    }

    #[test]
    fn what_is_wrong_is_refused_with_its_place() {
        use Place::{Item, Key};
        let row = |row: Value| rows(json!([{"key": [1, 2], "value": "0.5"}, row]));
        let in_row = |field| vec![Key("table"), Item(0), Key("rows"), Item(1), Key(field)];
        for (own, place, what) in [
            (overlay(json!({"provider": "other"})), vec![Key("provider")], "the policy is that of"),
            (
                overlay(json!({"table": [{"id": "fees", "rows": []}]})),
                vec![Key("table"), Item(0), Key("id")],
                "expected one of fee",
            ),
            (
                overlay(json!({"param": [{"id": "day", "values": []}]})),
                vec![Key("param"), Item(0), Key("id")],
                "expected one of days",
            ),
            (row(json!({"key": [1], "value": "0.5"})), in_row("key"), "has 1 parts, expected 2 (term, year)"),
            (row(json!({"key": [1, "2"], "value": "0.5"})), in_row("key"), "mixes up words and numbers"),
            (row(json!({"key": [1, 1], "value": "30"})), in_row("value"), "30 is above 1"),
            (row(json!({"key": [1, 1], "value": "-0.1"})), in_row("value"), "-0.1 is negative"),
            (
                row(json!({"key": [1, 1], "value": "0.1", "sites": ["north"]})),
                in_row("sites"),
                "expected one of east, west",
            ),
            (row(json!({"key": [1, 1], "value": "0.1", "sites": []})), in_row("sites"), "names no site"),
            (row(json!({"key": [1, 1], "value": "0.1", "from": "soon"})), in_row("from"), "is not an instant"),
            (
                row(json!({"key": [1, 1], "value": "0.1", "from": "2025-01-01", "until": "2024-01-01"})),
                in_row("until"),
                "is not before",
            ),
            (row(json!({"key": [1, 1], "value": "0.1", "clause": "our.other"})), in_row("clause"), "does not exist"),
            (
                row(json!({"key": [1, 1], "value": "0.1", "clause": "ac.fee"})),
                in_row("clause"),
                "has no source of your own",
            ),
            (
                row(json!({"key": [1, 2], "value": "0.4", "sites": ["west"]})),
                vec![Key("table"), Item(0), Key("rows"), Item(1)],
                "at the same time",
            ),
            (
                overlay(json!({"table": [{"id": "fee", "rows": [{"key": [1, 1], "value": "0.1"}]}]})),
                vec![Key("table"), Item(0), Key("rows"), Item(0)],
                "names no clause",
            ),
            (
                overlay(json!({"clause": [{"id": "our.fee", "says": "ours"}]})),
                vec![Key("clause"), Item(0), Key("sources")],
                "names no source of your own",
            ),
            (
                overlay(json!({"clause": [{"id": "our.fee", "says": "ours", "sources": ["page"]}]})),
                vec![Key("clause"), Item(0), Key("sources")],
                "names no source of your own",
            ),
            (
                overlay(json!({"clause": [{"id": "our.fee", "says": "ours", "sources": ["letter"]}]})),
                vec![Key("clause"), Item(0), Key("sources")],
                "which does not exist",
            ),
            (
                overlay(json!({"clause": [{"id": "our.fee", "sources": ["contract"]}]})),
                vec![Key("clause"), Item(0)],
                "says nothing",
            ),
            (
                overlay(json!({"source": [{"key": "page", "title": "Ours"}]})),
                vec![Key("source"), Item(0), Key("key")],
                "already names",
            ),
        ] {
            let error = policy().overlaid(&own).unwrap_err();
            assert!(error.what.contains(what), "{error}");
            assert_eq!(error.place, place, "{error}");
        }
    }

    /// A day of 2024, or none.
    fn day() -> impl Strategy<Value = Option<u32>> {
        proptest::option::of(0_u32..12)
    }

    fn date(month: Option<u32>) -> Option<String> {
        month.map(|month| format!("2024-{:02}-01", month + 1))
    }

    proptest! {
        /// Whatever the periods: inside its own an overlay's row holds, outside it the published one.
        #[test]
        fn a_row_holds_in_its_own_period_and_nothing_changes_outside(
            old in (day(), day()), new in (day(), day()), site in proptest::option::of(0_usize..2), asked in 0_u32..12,
        ) {
            let valid = |(from, until): (Option<u32>, Option<u32>)| from.is_none_or(|from| until.is_none_or(|until| from < until));
            prop_assume!(valid(old) && valid(new));
            let names = ["east", "west"];
            let mut published = policy();
            published.tables[0].rows = serde_json::from_value(json!([{"key": [1, 1], "value": "0.1", "from": date(old.0), "until": date(old.1)}])).unwrap();
            let own = rows(json!([{"sites": site.map(|site| [names[site]]), "from": date(new.0), "until": date(new.1), "key": [1, 1], "value": "0.9"}]));
            let merged = published.overlaid(&own).unwrap();
            let within = |(from, until): (Option<u32>, Option<u32>)| from.is_none_or(|from| from <= asked) && until.is_none_or(|until| asked < until);
            for (index, name) in names.iter().enumerate() {
                let day = date(Some(asked)).unwrap();
                let expected = if within(new) && site.is_none_or(|site| site == index) { "0.9" } else if within(old) { "0.1" } else { "-" };
                prop_assert_eq!(fee(&merged, name, &day), expected);
                prop_assert_eq!(fee(&published, name, &day), if within(old) { "0.1" } else { "-" });
            }
        }
    }
}
