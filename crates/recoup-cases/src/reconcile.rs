//! Predicted against received: for every resource and instrument, to the currency's minor unit.
//!
//! What should have come is a [`Prediction`], from an assessment or from a line of a case; what came is a
//! [`Receipt`], from a refund order, a bill, a row of costs or a list kept by hand. A receipt belongs to the
//! prediction of the resource that it names, else of the order. What names an instrument counts for that
//! instrument; what names none goes to the money that is still to come, in the order in which it is
//! expected. Nothing is lost on the way: over all rows the expected amounts add up to what was predicted and
//! the received ones to what came.
//!
//! ```
//! use recoup_cases::reconcile::{Prediction, Receipt, Status, predicted, reconcile};
//! use recoup_core::{receipt, time::Zone};
//!
//! let assessment = serde_json::from_str(r#"{"provider": "acme", "site": "global", "resource": "vm-1", "best": "in_use",
//!   "at": "2026-03-06T00:00:00Z", "exits": [{"exit": "in_use", "outcome": "allowed", "refund": {"currency": "USD",
//!   "paid": "100.00", "consumed": "20.00", "fee": "0.00", "forfeited": "0.00", "refund": "80.00",
//!   "returned": [{"instrument": "cash", "amount": "80.00", "to": "account_balance"}]}}]}"#)?;
//! let prediction = predicted::from_assessment(&assessment, "assessments.ndjson:1")?;
//! let came = serde_json::from_str(r#"{"resource": "vm-1", "currency": "USD", "amount": "79.99"}"#)?;
//! let receipt = Receipt { refund: receipt::from_json(&came, Zone::UTC)?, source: "refunds.csv:2".into() };
//! let result = reconcile(&[prediction], &[receipt]);
//! assert_eq!(result.rows[0].status, Status::Short);
//! assert_eq!(result.rows[0].difference.to_string(), "-0.01");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod predicted;
pub mod received;

use std::collections::{BTreeMap, HashMap};

use recoup_core::money::{Amount, Currency};
use recoup_core::record::RefundRecord;
use recoup_core::refund::Refund;
use recoup_core::time::Instant;
use recoup_core::vocab::{Destination, Exit, Instrument};
use serde::Serialize;

use crate::model::{Money, when};

/// A clause and what it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Said {
    /// Its id.
    pub clause: String,
    /// The rule in one line; empty where what was read does not carry it.
    pub says: String,
}

/// What should come back for a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prediction {
    /// The provider.
    pub provider: String,
    /// Its site.
    pub site: Option<String>,
    /// The account.
    pub account: Option<String>,
    /// The resource.
    pub resource: String,
    /// Its name.
    pub name: Option<String>,
    /// Its product, where it is known; empty otherwise.
    pub product: String,
    /// The numbers of orders by which a receipt may name it: those that bought it and those that left it.
    pub orders: Vec<String>,
    /// The exit that was taken; none where all were refused.
    pub exit: Option<Exit>,
    /// The refund; none where no figure is predicted.
    pub money: Option<Money>,
    /// The last instant at which the money is not late, where it is known.
    pub due_by: Option<Instant>,
    /// The clauses that say what should come, or why nothing should.
    pub clauses: Vec<Said>,
    /// When it was predicted.
    pub at: Option<Instant>,
    /// Where it was read: a file and line, a case and line.
    pub source: String,
}

/// Something that came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The refund as it came.
    pub refund: RefundRecord,
    /// Where it was read.
    pub source: String,
}

/// How what came compares with what should have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// To the minor unit.
    Matched,
    /// Less came.
    Short,
    /// More came.
    Over,
    /// Nothing came.
    Missing,
    /// It came, and nothing predicts it.
    Unexplained,
}

impl Status {
    /// All of them, in the order in which they are counted.
    pub const ALL: [Self; 5] = [Self::Matched, Self::Short, Self::Over, Self::Missing, Self::Unexplained];

    /// The word in files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Matched => "matched",
            Self::Short => "short",
            Self::Over => "over",
            Self::Missing => "missing",
            Self::Unexplained => "unexplained",
        }
    }
}

/// A receipt as a row names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Came {
    /// The provider's number of it.
    pub reference: Option<String>,
    /// When it was booked.
    #[serde(with = "when::maybe")]
    pub at: Option<Instant>,
    /// The part of it that counts here.
    pub amount: Amount,
    /// Where it was read.
    pub source: String,
}

/// One instrument of one resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// How the two compare.
    pub status: Status,
    /// The provider, where it is known.
    pub provider: Option<String>,
    /// Its site.
    pub site: Option<String>,
    /// The account.
    pub account: Option<String>,
    /// The resource, where it is known.
    pub resource: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// The exit that was taken.
    pub exit: Option<Exit>,
    /// The instrument; none where neither side names it.
    pub instrument: Option<Instrument>,
    /// Where it goes.
    pub to: Vec<Destination>,
    /// The currency of the amounts.
    pub currency: Currency,
    /// What should have come.
    pub expected: Amount,
    /// What came.
    pub received: Amount,
    /// What came less what should have come.
    pub difference: Amount,
    /// The last instant at which it is not late, where it is known.
    #[serde(with = "when::maybe")]
    pub due_by: Option<Instant>,
    /// The clauses that say what should have come, or why nothing should.
    pub clauses: Vec<Said>,
    /// What came, one for one.
    pub receipts: Vec<Came>,
    /// Where the prediction was read.
    pub predicted_by: Option<String>,
    /// What else a reader should know.
    pub note: Option<String>,
}

/// The rows of one currency and instrument together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Total {
    /// The currency.
    pub currency: Currency,
    /// The instrument.
    pub instrument: Option<Instrument>,
    /// What should have come.
    pub expected: Amount,
    /// What came.
    pub received: Amount,
    /// What came less what should have come.
    pub difference: Amount,
    /// How many rows there are of each status.
    pub rows: BTreeMap<&'static str, usize>,
}

/// Predicted against received.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Reconciliation {
    /// A row for every instrument of every resource, in the order of the predictions; what nothing predicts
    /// at the end.
    pub rows: Vec<Row>,
    /// By currency and instrument.
    pub totals: Vec<Total>,
    /// What a reader should know.
    pub remarks: Vec<String>,
}

impl Reconciliation {
    /// Whether everything came as predicted and nothing else came.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.rows.iter().all(|row| row.status == Status::Matched)
    }

    /// How many rows have a status.
    #[must_use]
    pub fn count(&self, status: Status) -> usize {
        self.rows.iter().filter(|row| row.status == status).count()
    }
}

/// One instrument of a prediction while receipts are counted.
#[derive(Debug, Clone)]
struct Cell {
    instrument: Option<Instrument>,
    to: Vec<Destination>,
    expected: Amount,
    received: Amount,
    receipts: Vec<Came>,
}

impl Cell {
    fn new(instrument: Option<Instrument>) -> Self {
        Self { instrument, to: Vec::new(), expected: Amount::ZERO, received: Amount::ZERO, receipts: Vec::new() }
    }

    fn left(&self) -> Amount {
        self.expected - self.received
    }

    fn is_money(&self) -> bool {
        self.instrument.is_none_or(Instrument::is_money)
    }

    fn count(&mut self, receipt: &Receipt, amount: Amount) {
        self.received += amount;
        self.receipts.push(came(receipt, amount));
    }
}

fn came(receipt: &Receipt, amount: Amount) -> Came {
    let refund = &receipt.refund;
    Came { reference: refund.id.clone(), at: refund.at, amount, source: receipt.source.clone() }
}

/// What a refund gives back, by instrument, whether it is predicted or came.
fn by_instrument(refund: &impl Refund) -> Vec<(Option<Instrument>, Amount)> {
    let mut amounts: Vec<(Option<Instrument>, Amount)> = Vec::new();
    let unnamed = Some((None, refund.unnamed())).filter(|(_, amount)| !amount.is_zero());
    for (instrument, amount) in refund.returned().map(|(instrument, amount)| (Some(instrument), amount)).chain(unnamed)
    {
        match amounts.iter_mut().find(|(other, _)| *other == instrument) {
            Some((_, sum)) => *sum += amount,
            None => amounts.push((instrument, amount)),
        }
    }
    amounts
}

/// A prediction while receipts are counted.
struct Account<'p> {
    prediction: &'p Prediction,
    cells: Vec<Cell>,
    fee: Option<Amount>,
}

impl<'p> Account<'p> {
    fn new(prediction: &'p Prediction) -> Self {
        let mut cells = Vec::new();
        if let Some(money) = &prediction.money {
            for (instrument, expected) in by_instrument(money) {
                let mut cell = Cell { expected, ..Cell::new(instrument) };
                for item in money.returned.iter().filter(|item| Some(item.instrument) == instrument) {
                    if !cell.to.contains(&item.to) {
                        cell.to.push(item.to);
                    }
                }
                cells.push(cell);
            }
        }
        Self { prediction, cells, fee: None }
    }

    fn currency(&self) -> Option<Currency> {
        self.prediction.money.as_ref().map(|money| money.currency)
    }

    /// Money that is still to come.
    fn left(&self) -> Amount {
        self.cells.iter().filter(|cell| cell.is_money()).map(Cell::left).sum()
    }

    fn cell(&mut self, instrument: Option<Instrument>) -> Option<&mut Cell> {
        if !self.cells.iter().any(|cell| cell.instrument == instrument) {
            self.cells.push(Cell::new(instrument));
        }
        self.cells.iter_mut().find(|cell| cell.instrument == instrument)
    }

    fn count_named(&mut self, receipt: &Receipt) {
        if let Some(fee) = receipt.refund.fee() {
            self.fee = Some(self.fee.unwrap_or_default() + fee);
        }
        for (instrument, amount) in by_instrument(&receipt.refund) {
            if let Some(cell) = instrument.and_then(|instrument| self.cell(Some(instrument))) {
                cell.count(receipt, amount);
            }
        }
    }

    /// Gives what names no instrument to the money that is still to come, and what is then left over to the
    /// first of it.
    fn count_unnamed(&mut self, receipt: &Receipt) {
        let mut rest = receipt.refund.unnamed();
        if rest.is_zero() {
            return;
        }
        for cell in self.cells.iter_mut().filter(|cell| cell.is_money()) {
            let part = rest.at_most(cell.left()).floor_zero();
            if part.is_positive() {
                cell.count(receipt, part);
                rest -= part;
            }
        }
        if rest.is_zero() {
            return;
        }
        let first = self.cells.iter().find(|cell| cell.is_money()).and_then(|cell| cell.instrument);
        if let Some(cell) = self.cell(first) {
            cell.count(receipt, rest);
        }
    }

    fn note(&self) -> Option<String> {
        let predicted = self.prediction.money.as_ref()?.fee;
        let kept = self.fee.filter(|kept| *kept != predicted)?;
        Some(format!("a fee of {kept} was kept, {predicted} was predicted"))
    }

    fn rows(self) -> impl Iterator<Item = Row> + use<'p> {
        let (prediction, note) = (self.prediction, self.note());
        let currency = self.currency();
        let open = |cell: &Cell| !cell.expected.is_zero() || !cell.received.is_zero() || !cell.receipts.is_empty();
        self.cells.into_iter().filter(open).filter_map(move |cell| {
            let currency = currency?;
            let status = compare(cell.expected, cell.received, currency);
            Some(Row { note: note.clone(), ..row(Some(prediction), currency, status, cell) })
        })
    }
}

fn compare(expected: Amount, received: Amount, currency: Currency) -> Status {
    let difference = (received - expected).round(currency);
    if difference.is_zero() {
        Status::Matched
    } else if difference.is_positive() {
        Status::Over
    } else if received.round(currency).is_zero() {
        Status::Missing
    } else {
        Status::Short
    }
}

fn row(prediction: Option<&Prediction>, currency: Currency, status: Status, cell: Cell) -> Row {
    Row {
        status,
        provider: prediction.map(|prediction| prediction.provider.clone()),
        site: prediction.and_then(|prediction| prediction.site.clone()),
        account: prediction.and_then(|prediction| prediction.account.clone()),
        resource: prediction.map(|prediction| prediction.resource.clone()),
        name: prediction.and_then(|prediction| prediction.name.clone()),
        exit: prediction.and_then(|prediction| prediction.exit),
        instrument: cell.instrument,
        to: cell.to,
        currency,
        expected: cell.expected,
        received: cell.received,
        difference: cell.received - cell.expected,
        due_by: prediction.and_then(|prediction| prediction.due_by),
        clauses: prediction.map(|prediction| prediction.clauses.clone()).unwrap_or_default(),
        receipts: cell.receipts,
        predicted_by: prediction.map(|prediction| prediction.source.clone()),
        note: None,
    }
}

/// Rows for what nothing predicts.
fn unexplained(receipt: &Receipt, prediction: Option<&Prediction>, note: Option<&str>) -> Vec<Row> {
    let refund = &receipt.refund;
    let rows = by_instrument(refund).into_iter().map(|(instrument, amount)| {
        let cell = Cell { received: amount, receipts: vec![came(receipt, amount)], ..Cell::new(instrument) };
        let found = row(prediction, refund.currency, Status::Unexplained, cell);
        Row {
            provider: found.provider.clone().or_else(|| refund.provider.clone()),
            account: found.account.clone().or_else(|| refund.account.clone()),
            resource: found.resource.clone().or_else(|| refund.resource.clone()),
            note: note.map(str::to_owned).or_else(|| {
                let order = refund.order.as_ref()?;
                prediction.is_none().then(|| format!("order {order}"))
            }),
            due_by: None,
            ..found
        }
    });
    rows.collect()
}

/// Finds the prediction to which a receipt belongs.
struct Finder<'p> {
    by_resource: HashMap<String, Vec<usize>>,
    by_order: HashMap<&'p str, Vec<usize>>,
}

impl<'p> Finder<'p> {
    fn new(accounts: &[Account<'p>]) -> Self {
        let mut finder = Self { by_resource: HashMap::new(), by_order: HashMap::new() };
        for (index, account) in accounts.iter().enumerate() {
            // Some providers print the same id in several letter cases.
            finder.by_resource.entry(account.prediction.resource.to_lowercase()).or_default().push(index);
            for order in &account.prediction.orders {
                finder.by_order.entry(order).or_default().push(index);
            }
        }
        finder
    }

    fn find(&self, accounts: &[Account<'_>], refund: &RefundRecord) -> Option<usize> {
        let agrees = |index: &&usize| {
            accounts.get(**index).is_some_and(|account| {
                let same = |a: &Option<String>, b: Option<&String>| a.as_ref().zip(b).is_none_or(|(a, b)| a == b);
                same(&refund.provider, Some(&account.prediction.provider))
                    && same(&refund.account, account.prediction.account.as_ref())
            })
        };
        let of_resource = refund.resource.as_ref().and_then(|id| self.by_resource.get(&id.to_lowercase()));
        let numbers = refund.order.iter().chain(&refund.id);
        let of_orders = numbers.filter_map(|number| self.by_order.get(number.as_str()));
        let sets = of_resource.into_iter().chain(of_orders);
        let mut candidates = sets.map(|set| set.iter().filter(agrees).copied().collect::<Vec<_>>());
        let candidates = candidates.find(|set| !set.is_empty())?;
        let of = |index: usize| accounts.get(index);
        let same_currency = |index: &usize| of(*index).is_some_and(|a| a.currency() == Some(refund.currency));
        let exact = |index: &usize| of(*index).is_some_and(|account| account.left() == refund.money_back());
        let open = |index: &usize| of(*index).is_some_and(|account| account.left().is_positive());
        let in_currency: Vec<usize> = candidates.iter().copied().filter(same_currency).collect();
        let pick = |test: &dyn Fn(&usize) -> bool| in_currency.iter().copied().find(|index| test(index));
        pick(&exact).or_else(|| pick(&open)).or_else(|| in_currency.first().copied()).or(candidates.first().copied())
    }
}

/// The predictions that count: of several for one resource and exit, the latest.
fn latest<'p>(predictions: &'p [Prediction], remarks: &mut Vec<String>) -> Vec<Account<'p>> {
    let mut places: HashMap<(&str, Option<&str>, &str), usize> = HashMap::new();
    let mut accounts: Vec<Account<'p>> = Vec::new();
    for prediction in predictions {
        let key = (prediction.provider.as_str(), prediction.account.as_deref(), prediction.resource.as_str());
        let Some(place) = places.get(&key).copied() else {
            places.insert(key, accounts.len());
            accounts.push(Account::new(prediction));
            continue;
        };
        let Some(other) = accounts.get_mut(place) else { continue };
        let (kept, left) = if prediction.at >= other.prediction.at {
            (prediction, other.prediction)
        } else {
            (other.prediction, prediction)
        };
        remarks.push(format!(
            "{} is predicted twice: {} counts, {} does not",
            prediction.resource, kept.source, left.source
        ));
        *other = Account::new(kept);
    }
    accounts
}

/// The receipts that count: the same reference with the same content counts once.
fn once<'r>(receipts: &'r [Receipt], remarks: &mut Vec<String>) -> Vec<&'r Receipt> {
    let mut kept: Vec<&Receipt> = Vec::new();
    let mut seen: HashMap<&str, Vec<&Receipt>> = HashMap::new();
    for receipt in receipts {
        if let Some(reference) = &receipt.refund.id {
            let same = seen.entry(reference).or_default();
            if let Some(first) = same.iter().find(|other| other.refund == receipt.refund) {
                remarks
                    .push(format!("{}: {reference} was read before ({}), counted once", receipt.source, first.source));
                continue;
            }
            same.push(receipt);
        }
        kept.push(receipt);
    }
    kept
}

/// Compares what came with what was predicted.
#[must_use]
pub fn reconcile(predictions: &[Prediction], receipts: &[Receipt]) -> Reconciliation {
    let mut remarks = Vec::new();
    let mut accounts = latest(predictions, &mut remarks);
    let receipts = once(receipts, &mut remarks);
    let finder = Finder::new(&accounts);
    let mut strangers = Vec::new();
    let mut unnamed = Vec::new();
    for receipt in receipts {
        let found = finder.find(&accounts, &receipt.refund);
        let Some(account) = found.and_then(|index| accounts.get_mut(index)) else {
            strangers.extend(unexplained(receipt, None, None));
            continue;
        };
        match account.currency() {
            Some(currency) if currency == receipt.refund.currency => {
                account.count_named(receipt);
                unnamed.push((found, receipt));
            }
            Some(currency) => {
                let note = format!("came in {}, predicted in {currency}", receipt.refund.currency);
                strangers.extend(unexplained(receipt, Some(account.prediction), Some(&note)));
            }
            None => {
                strangers.extend(unexplained(receipt, Some(account.prediction), Some("no figure was predicted")));
            }
        }
    }
    // What names an instrument comes first, so that what names none goes to what is left.
    for (index, receipt) in unnamed {
        if let Some(account) = index.and_then(|index| accounts.get_mut(index)) {
            account.count_unnamed(receipt);
        }
    }
    let rows: Vec<Row> = accounts.into_iter().flat_map(Account::rows).chain(strangers).collect();
    Reconciliation { totals: totals(&rows), rows, remarks }
}

fn totals(rows: &[Row]) -> Vec<Total> {
    let mut totals: BTreeMap<(String, Option<Instrument>), Total> = BTreeMap::new();
    for row in rows {
        let total = totals.entry((row.currency.to_string(), row.instrument)).or_insert_with(|| Total {
            currency: row.currency,
            instrument: row.instrument,
            expected: Amount::ZERO,
            received: Amount::ZERO,
            difference: Amount::ZERO,
            rows: Status::ALL.iter().map(|status| (status.as_str(), 0)).collect(),
        });
        total.expected += row.expected;
        total.received += row.received;
        total.difference += row.difference;
        *total.rows.entry(row.status.as_str()).or_default() += 1;
    }
    totals.into_values().collect()
}
