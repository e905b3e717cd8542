//! Reading what Azure prints: `Microsoft.Capacity` (reservation orders, reservations, quotes of
//! refunds and exchanges), `Microsoft.Consumption` (reservation transactions),
//! `Microsoft.BillingBenefits` (savings plans) and cost exports (policy page, section 11).
//!
//! The files of one run are joined: an order's payments to its reservation, a quote's own answer to
//! the reservation it speaks of, transactions to their order. What no file says stays unknown: no
//! payload says what an order was paid with, so `payments` is never filled in.

mod capacity;
mod consumption;
mod cost_export;
mod payload;
mod savings_plans;

use std::collections::HashSet;

use recoup_core::import::{ImportFile, Imported, Misfit};
use recoup_core::prelude::*;
use recoup_core::record::{
    AccountRecord, CommitmentRecord, Facts, OrderRecord, QuotaRecord, ResourceRecord, ReturnRecord,
};

use self::payload::{Item, Kind};

const PROVIDER: &str = "azure";
/// What a reservation is called whose product no file names.
const UNNAMED: &str = "reservation";

/// Whether a file looks like one of these.
pub(crate) fn recognises(file: &ImportFile<'_>) -> bool {
    match file.json {
        Some(json) => !payload::items(json).is_empty(),
        None => cost_export::recognises(file.text),
    }
}

/// Reads and joins the files of one run.
pub(crate) fn import(files: &[ImportFile<'_>]) -> Imported {
    let mut desk = Desk::default();
    let read: Vec<(usize, Vec<Item>)> = files
        .iter()
        .enumerate()
        .map(|(index, file)| (index, file.json.map(payload::items).unwrap_or_default()))
        .collect();
    // What stands on its own first, then what speaks of it.
    for pass in [Kind::Order, Kind::Reservation, Kind::SavingsPlan, Kind::Transaction, Kind::Quote, Kind::Exchange] {
        if pass == Kind::Transaction {
            desk.place_orders();
            for file in files.iter().filter(|file| file.json.is_none()) {
                cost_export::read(file, &mut desk);
            }
        }
        for (index, items) in &read {
            let Some(file) = files.get(*index) else { continue };
            for item in items.iter().filter(|item| item.kind == pass) {
                let done = match pass {
                    Kind::Order => capacity::order(item, file, &mut desk),
                    Kind::Reservation => capacity::reservation(item, file, &mut desk),
                    Kind::SavingsPlan => savings_plans::plan(item, file, &mut desk),
                    Kind::Transaction => consumption::transaction(item, file, &mut desk),
                    Kind::Quote => capacity::quote(item, file, &mut desk),
                    Kind::Exchange => capacity::exchange(item, file, &mut desk),
                };
                if let Err(misfit) = done {
                    let what = format!("expected {}, found {}", misfit.expected, misfit.found);
                    desk.out.error(file, misfit.path, what);
                }
            }
        }
    }
    for (index, items) in &read {
        if let (Some(file), true) = (files.get(*index), items.is_empty())
            && file.json.is_some()
        {
            desk.out.error(file, "", "no reservation, order, quote, transaction or savings plan was found in it");
        }
    }
    truncated(files, &mut desk.out);
    desk.out
}

/// A listing that goes on where no file goes on, or that counts more than is there.
fn truncated(files: &[ImportFile<'_>], out: &mut Imported) {
    let pages: Vec<(&ImportFile<'_>, payload::Page)> =
        files.iter().filter_map(|file| Some((file, payload::page(file.json?)?))).collect();
    for (file, page) in &pages {
        let same = || pages.iter().filter(|(_, other)| other.kind == page.kind);
        let ends = same().any(|(_, other)| !other.goes_on);
        if page.goes_on && !ends {
            out.error(file, "nextLink", "the listing goes on, and its next page is not among the files");
        }
        let there: usize = same().map(|(_, other)| other.items).sum();
        if let Some(counted) = page.counted.filter(|counted| *counted > there) {
            let what = format!("counts {counted} items, expected them in the files, found {there}");
            out.error(file, "summary", what);
        }
    }
}

/// What is being joined.
#[derive(Debug, Default)]
pub(super) struct Desk {
    out: Imported,
    plans: Vec<OrderPlan>,
    /// Events of the bill that were read.
    seen: HashSet<String>,
    /// Orders whose charges are added up from the bill.
    billed: HashSet<String>,
}

/// What a reservation order says for its reservations.
#[derive(Debug, Clone, Default)]
pub(super) struct OrderPlan {
    id: String,
    reservations: Vec<String>,
    account: Option<String>,
    quantity: Option<Number>,
    currency: Option<Currency>,
    paid: Option<Amount>,
    instalment: Option<Amount>,
    record: Option<ResourceRecord>,
}

impl Desk {
    /// The resource with this id, compared without regard to case.
    fn resource(&mut self, id: &str) -> Option<&mut ResourceRecord> {
        self.out.resources.iter_mut().find(|resource| resource.id.eq_ignore_ascii_case(id))
    }

    /// The resources of a reservation order.
    fn of_order(&mut self, order: &str) -> impl Iterator<Item = &mut ResourceRecord> {
        let order = order.to_ascii_lowercase();
        self.out.resources.iter_mut().filter(move |resource| payload::order_of(&resource.id) == Some(order.clone()))
    }

    /// Adds a resource, or what it newly says of one that is there.
    fn add(&mut self, record: ResourceRecord) {
        if let Some(known) = self.resource(&record.id) {
            join(known, record);
            return;
        }
        // An order that stood for its reservation, until a file names that.
        let order = payload::order_of(&record.id);
        let stands_for = |known: &&mut ResourceRecord| {
            order.is_some() && payload::order_of(&known.id) == order && !payload::is_reservation(&known.id)
        };
        match self.out.resources.iter_mut().find(stands_for).filter(|_| payload::is_reservation(&record.id)) {
            Some(known) => {
                known.id.clone_from(&record.id);
                join(known, record);
            }
            None => self.out.resources.push(record),
        }
    }

    /// The account with this key.
    fn account(&mut self, key: &str) -> &mut AccountRecord {
        let place = self.out.accounts.iter().position(|account| account.account == key);
        let place = place.unwrap_or_else(|| {
            self.out.accounts.push(AccountRecord {
                provider: PROVIDER.to_owned(),
                site: None,
                account: key.to_owned(),
                currency: None,
                facts: Facts::default(),
                quotas: Vec::new(),
                returns: None,
            });
            self.out.accounts.len() - 1
        });
        // INVARIANT: `place` was found or pushed just now.
        #[allow(clippy::indexing_slicing, reason = "see the invariant")]
        &mut self.out.accounts[place]
    }

    /// States what a quote says is used of the pool.
    fn state_pool(&mut self, account: &str, used: Number, limit: Option<Number>) {
        let quota = QuotaRecord { name: "cancelled_commitment".to_owned(), used, limit };
        let quotas = &mut self.account(account).quotas;
        quotas.retain(|known| known.name != quota.name);
        quotas.push(quota);
    }

    fn add_return(&mut self, account: &str, entry: ReturnRecord) {
        let returns = self.account(account).returns.get_or_insert_default();
        if !returns.contains(&entry) {
            returns.push(entry);
            returns.sort_by_key(|entry| entry.at);
        }
    }

    /// Orders whose reservations no file lists become resources of their own.
    fn place_orders(&mut self) {
        for plan in std::mem::take(&mut self.plans) {
            if self.of_order(&plan.id).next().is_none()
                && let Some(record) = plan.record
            {
                self.out.resources.push(record);
            }
        }
    }

    /// Whether something of the bill is there for the first time: two files may list it.
    fn first_time(&mut self, event: String) -> bool {
        self.seen.insert(event)
    }
}

/// A reservation of which nothing but its id is known.
pub(super) fn blank(id: &str) -> ResourceRecord {
    ResourceRecord::new(PROVIDER, id, UNNAMED, Billing::Reservation, Status::Active)
}

/// What a second file says of a resource fills what the first left open.
fn join(known: &mut ResourceRecord, new: ResourceRecord) {
    fn fill<T>(known: &mut Option<T>, new: Option<T>) {
        if known.is_none() {
            *known = new;
        }
    }
    if known.product == UNNAMED {
        known.product = new.product;
        known.seller = new.seller;
        known.status = new.status;
    }
    fill(&mut known.account, new.account);
    fill(&mut known.name, new.name);
    fill(&mut known.region, new.region);
    fill(&mut known.project, new.project);
    fill(&mut known.purchased_at, new.purchased_at);
    fill(&mut known.starts_at, new.starts_at);
    fill(&mut known.ends_at, new.ends_at);
    fill(&mut known.quantity, new.quantity);
    fill(&mut known.orders, new.orders);
    match (&mut known.commitment, new.commitment) {
        (Some(known), Some(new)) => {
            fill(&mut known.term_months, new.term_months);
            fill(&mut known.payment_option, new.payment_option);
            fill(&mut known.currency, new.currency);
            fill(&mut known.upfront, new.upfront);
            fill(&mut known.recurring, new.recurring);
            fill(&mut known.recurring_every, new.recurring_every);
        }
        (known, new) => fill(known, new),
    }
    known.facts.flags = known.facts.flags.or_else(new.facts.flags);
    new.stated.into_iter().for_each(|statement| known.state(statement));
    for (figure, value) in new.facts.figures {
        state_figure(&mut known.facts, figure, value);
    }
    for (text, value) in new.facts.texts {
        state_text(&mut known.facts, text, &value);
    }
}

/// States a decimal fact that is not stated yet.
fn state_figure(facts: &mut Facts, figure: Figure, value: Number) {
    if facts.figure(figure).is_none() {
        facts.figures.push((figure, value));
    }
}

/// States a text fact that is not stated yet.
fn state_text(facts: &mut Facts, text: Text, value: &str) {
    if facts.text(text).is_none() {
        facts.texts.push((text, value.to_owned()));
    }
}

/// The months of a term as Azure writes it: `P1Y`, `P3Y`, `P1M`, or a count of months.
fn months(text: &str) -> Option<u32> {
    let text = text.trim();
    let counted = |digits: &str, each: u32| digits.parse::<u32>().ok().and_then(|count| count.checked_mul(each));
    match text.strip_prefix(['P', 'p']) {
        Some(term) => match (term.strip_suffix(['Y', 'y']), term.strip_suffix(['M', 'm'])) {
            (Some(years), _) => counted(years, 12),
            (_, Some(months)) => counted(months, 1),
            _ => None,
        },
        None => counted(text, 1),
    }
}

/// The commitment of a billing plan, where anything is known of it.
fn commitment(term_months: Option<u32>, billing_plan: Option<&str>) -> Option<CommitmentRecord> {
    let payment_option = match billing_plan {
        Some(plan) if plan.eq_ignore_ascii_case("upfront") => Some(PaymentOption::AllUpfront),
        Some(plan) if plan.eq_ignore_ascii_case("monthly") || plan.eq_ignore_ascii_case("p1m") => {
            Some(PaymentOption::Monthly)
        }
        _ => None,
    };
    let known = term_months.is_some() || payment_option.is_some();
    known.then(|| CommitmentRecord { term_months, payment_option, ..CommitmentRecord::default() })
}

/// The purchase of a reservation, with what was charged so far.
fn purchase(
    id: Option<String>,
    resource: &ResourceRecord,
    currency: Option<Currency>,
    due: Option<Amount>,
) -> OrderRecord {
    OrderRecord {
        id,
        placed_at: resource.purchased_at,
        starts_at: resource.starts_at,
        ends_at: resource.ends_at,
        quantity: resource.quantity,
        currency,
        due,
        ..OrderRecord::new(OrderKind::Purchase, OrderStatus::Paid)
    }
}

/// A value that a field has, in words that a reader of the payload knows.
fn unexpected(place: &recoup_core::import::Place<'_>, expected: &'static str) -> Misfit {
    Misfit {
        path: place.path.clone(),
        expected,
        found: place.value.map_or_else(|| "nothing".to_owned(), |value| value.to_string().chars().take(60).collect()),
    }
}
