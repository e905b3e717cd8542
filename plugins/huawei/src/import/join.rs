//! Brings resources and their orders together.
//!
//! An order finds its resource by a number that the payloads name: the order's on the resource or the
//! resource's on the order, its line or its refund. The lists of resources name no order; there a line
//! finds the one resource of the same product that took effect, or ends, in the same second.

use std::collections::{HashMap, HashSet};

use recoup_core::import::Imported;
use recoup_core::money::{Amount, Currency};
use recoup_core::record::{OrderRecord, RefundRecord, ResourceRecord};
use recoup_core::time::{Instant, Span};
use recoup_core::vocab::{Billing, Instrument, OrderKind, OrderStatus, Status};

use super::orders::{Bought, Line, Purpose};
use super::refunds::Refunded;
use super::resources::seller;
use super::{Found, Listed, Reading};

/// Joins everything that was read.
pub(super) fn join(reading: Reading<'_>, out: &mut Imported) {
    let Reading { resources, packages, orders, refunds, .. } = reading;
    let mut listed = Resources::default();
    for found in resources.into_iter().chain(packages) {
        listed.add(found);
    }
    let mut orders = unique(orders);
    // A renewal finds its resource by the period before it.
    orders.sort_by_key(|order| order.what.lines.iter().filter_map(|line| line.order.starts_at).min());
    let site = site_of(&orders);
    for (what, found) in assumptions(&orders, site) {
        out.remark(found.file, found.path.clone(), what);
    }
    let mut joined = Joined { listed, orders: HashMap::new(), refunded: refunded(&refunds) };
    let elsewhere = told_elsewhere(&orders);
    for order in orders.iter().filter(|order| !elsewhere.contains(order.what.id.as_str())) {
        joined.place(order, out);
    }
    joined.apply_refunds(&refunds, out);
    received(&refunds, &orders, out);
    let Joined { listed, orders: mut of_resources, .. } = joined;
    for (index, found) in listed.all.into_iter().enumerate() {
        let mut record = found.what.record;
        if let Some(mut orders) = of_resources.remove(&index) {
            orders.sort_by_key(|order| order.starts_at.or(order.paid_at).or(order.placed_at));
            record.purchased_at = orders
                .iter()
                .find(|order| order.kind == OrderKind::Purchase)
                .and_then(|order| order.paid_at.or(order.placed_at));
            match gap(&record, &orders) {
                None => record.orders = Some(orders),
                Some(what) => out.error(found.file, found.path, what),
            }
        }
        record.site = site.map(str::to_owned);
        out.resources.push(record);
    }
}

/// The orders without lines that say nothing that others do not say better: a combined order has its
/// amounts on its parts, and a part its lines with the whole.
fn told_elsewhere<'a>(orders: &'a [Found<'_, Bought>]) -> HashSet<&'a str> {
    let ids: HashSet<&str> = orders.iter().map(|order| order.what.id.as_str()).collect();
    let mut in_lines: HashSet<&str> = HashSet::new();
    for Found { what: order, .. } in orders {
        let others = order.lines.iter().filter_map(|line| line.order_id.as_deref()).filter(|id| *id != order.id);
        in_lines.extend(others);
    }
    let without_lines = orders.iter().map(|found| &found.what).filter(|order| order.lines.is_empty());
    without_lines
        .filter(|order| {
            let id = order.id.as_str();
            in_lines.contains(id) || order.parts.iter().any(|part| *part != order.id && ids.contains(part.as_str()))
        })
        .map(|order| order.id.as_str())
        .collect()
}

/// The resources that refunds name, by the order that was refunded.
fn refunded<'a>(refunds: &'a [Found<'_, Refunded>]) -> HashMap<&'a str, Vec<&'a str>> {
    let mut refunded: HashMap<&str, Vec<&str>> = HashMap::new();
    for Found { what: refund, .. } in refunds {
        refunded.entry(&refund.base_order).or_default().extend(refund.resource.as_deref());
    }
    refunded
}

/// What refund orders show as having come back. They print no currency and no instrument: the one is that of
/// the order that was refunded, the other stays open.
fn received(refunds: &[Found<'_, Refunded>], orders: &[Found<'_, Bought>], out: &mut Imported) {
    for found in refunds {
        let refund = &found.what;
        let Some(amount) = refund.amount.filter(|amount| amount.is_negative()) else { continue };
        let base = orders.iter().find(|order| order.what.id == refund.base_order);
        match base.and_then(|order| order.what.order.currency) {
            Some(currency) => out.refunds.push(RefundRecord {
                resource: refund.resource.clone(),
                id: refund.id.clone(),
                order: Some(refund.base_order.clone()),
                unnamed: amount.magnitude(),
                ..RefundRecord::new(currency)
            }),
            None => {
                let what = format!(
                    "prints no currency, so it is not counted as received; add the order {} to the files",
                    refund.base_order
                );
                out.remark(found.file, found.path.clone(), what);
            }
        }
    }
}

/// What is missing where the orders of a resource do not cover its period: a purchase, or a renewal.
/// Then nobody knows which order runs.
fn gap(record: &ResourceRecord, orders: &[OrderRecord]) -> Option<String> {
    // Orders and lists differ by seconds; what can be missing lasts longer than a day.
    let slack = Span::days(1);
    let buys = |order: &&OrderRecord| matches!(order.kind, OrderKind::Purchase | OrderKind::Renewal);
    let mut covered = record.starts_at?;
    let end = record.ends_at?;
    for order in orders.iter().filter(buys).filter(|order| order.status != OrderStatus::Cancelled) {
        let (Some(from), Some(to)) = (order.starts_at, order.ends_at) else { return None };
        if from > covered + slack {
            break;
        }
        covered = covered.max(to);
    }
    let changed = orders.iter().any(|order| !buys(&order));
    (covered + slack < end && !changed).then(|| {
        let [covered, end] = [covered, end].map(|instant| instant.display(super::API_TIME).to_string());
        let id = &record.id;
        format!(
            "the orders of {id} cover its period until {covered} only, not until {end}: \
             expected the details of every order, so they are left out"
        )
    })
}

/// The Chinese site is the one that settles in yuan; dollars do not tell the others apart.
fn site_of(orders: &[Found<'_, Bought>]) -> Option<&'static str> {
    let mut currencies = orders.iter().filter_map(|order| order.what.order.currency);
    let first = currencies.next()?;
    (first == Currency::CNY && currencies.all(|currency| currency == first)).then_some("cn")
}

/// What the payloads leave open and the records must say, each once.
fn assumptions<'a, 'f>(
    orders: &'a [Found<'f, Bought>],
    site: Option<&str>,
) -> impl Iterator<Item = (&'static str, &'a Found<'f, Bought>)> {
    let by_cash = |found: &&Found<'f, Bought>| {
        found.what.order.payments.iter().flatten().any(|payment| payment.instrument == Instrument::Cash)
    };
    let cash = "what balance, credit or online payments paid is one amount here: it counts as balance";
    let chinese = "orders in CNY: of the sites, only the Chinese one settles in it";
    let of_site = orders.iter().find(|_| site.is_some()).map(|found| (chinese, found));
    orders.iter().find(by_cash).map(|found| (cash, found)).into_iter().chain(of_site)
}

/// Each order once: details say more than a list does.
fn unique<'f>(orders: Vec<Found<'f, Bought>>) -> Vec<Found<'f, Bought>> {
    let mut unique: Vec<Found<'f, Bought>> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for order in orders {
        match places.get(&order.what.id).and_then(|place| unique.get_mut(*place)) {
            None => {
                places.insert(order.what.id.clone(), unique.len());
                unique.push(order);
            }
            Some(known) => merge(known, order),
        }
    }
    unique
}

/// What a second reading of an order adds to the first; the one with lines is the ground.
fn merge<'f>(known: &mut Found<'f, Bought>, mut other: Found<'f, Bought>) {
    if known.what.lines.is_empty() && !other.what.lines.is_empty() {
        std::mem::swap(known, &mut other);
    }
    let (bought, more) = (&mut known.what, other.what);
    bought.account = bought.account.take().or(more.account);
    bought.service = bought.service.take().or(more.service);
    bought.order.facts.flags = bought.order.facts.flags.and_also(more.order.facts.flags);
    for line in &mut bought.lines {
        line.order.facts.flags = bought.order.facts.flags;
    }
    for resource in more.resources {
        if !bought.resources.contains(&resource) {
            bought.resources.push(resource);
        }
    }
    for line in more.lines {
        if !bought.lines.iter().any(|other| other.id.is_some() && other.id == line.id) {
            bought.lines.push(line);
        }
    }
}

/// Resources in the order in which they were met, each once.
#[derive(Default)]
struct Resources<'f> {
    all: Vec<Found<'f, Listed>>,
    by_id: HashMap<String, usize>,
    by_order: HashMap<String, Vec<usize>>,
    by_product: HashMap<String, Vec<usize>>,
}

impl<'f> Resources<'f> {
    fn add(&mut self, found: Found<'f, Listed>) -> usize {
        let id = found.what.record.id.clone();
        if let Some(place) = self.by_id.get(&id).copied() {
            if let Some(known) = self.all.get_mut(place) {
                fill(&mut known.what, found.what);
            }
            return place;
        }
        let place = self.all.len();
        self.by_id.insert(id, place);
        if let Some(order) = &found.what.order_id {
            self.by_order.entry(order.clone()).or_default().push(place);
        }
        if let Some(product) = &found.what.product_id {
            self.by_product.entry(product.clone()).or_default().push(place);
        }
        self.all.push(found);
        place
    }

    fn get(&self, place: usize) -> Option<&Listed> {
        self.all.get(place).map(|found| &found.what)
    }
}

/// What a second reading of a resource adds to the first.
fn fill(known: &mut Listed, other: Listed) {
    let (record, more) = (&mut known.record, other.record);
    record.name = record.name.take().or(more.name);
    record.region = record.region.take().or(more.region);
    record.project = record.project.take().or(more.project);
    record.primary = record.primary.take().or(more.primary);
    record.starts_at = record.starts_at.or(more.starts_at);
    record.ends_at = record.ends_at.max(more.ends_at);
    record.commitment = record.commitment.take().or(more.commitment);
    record.facts.flags = record.facts.flags.or_else(more.facts.flags);
    known.product_id = known.product_id.take().or(other.product_id);
    known.order_id = known.order_id.take().or(other.order_id);
}

struct Joined<'f, 'r> {
    listed: Resources<'f>,
    /// The orders of each resource.
    orders: HashMap<usize, Vec<OrderRecord>>,
    /// The resources that refunds name, by order.
    refunded: HashMap<&'r str, Vec<&'r str>>,
}

impl<'f> Joined<'f, '_> {
    /// Gives an order to the resources that it bought.
    fn place(&mut self, found: &Found<'f, Bought>, out: &mut Imported) {
        let bought = &found.what;
        match bought.purpose {
            Purpose::Unsubscription | Purpose::Adjustment => {
                let what = format!("order {} buys nothing and is left out of the resources' orders", bought.id);
                return out.remark(found.file, found.path.clone(), what);
            }
            Purpose::Of(_) | Purpose::Trial => {}
        }
        if bought.lines.is_empty() {
            return self.place_whole(found, out);
        }
        for line in &bought.lines {
            match self.resource_of(bought, line) {
                Match::One(place) => self.give(place, bought, line.order.clone()),
                Match::New => self.add_from_line(found, line, out),
                Match::Several => {
                    let what = format!("line of order {} fits several resources and was given to none", bought.id);
                    out.error(found.file, line.path.clone(), what);
                }
                Match::NotThese => {
                    let what = format!("line of order {} fits none of the resources of its product", bought.id);
                    out.error(found.file, line.path.clone(), what);
                }
            }
        }
    }

    /// An order without lines: only a number says what it bought.
    fn place_whole(&mut self, found: &Found<'f, Bought>, out: &mut Imported) {
        let bought = &found.what;
        let places = self.named(&bought.id, &bought.resources);
        match places.as_slice() {
            [place] => self.give(*place, bought, bought.order.clone()),
            [] if bought.order.status == OrderStatus::Cancelled => {
                let what = format!("order {} was cancelled: it bought nothing", bought.id);
                out.remark(found.file, found.path.clone(), what);
            }
            [] => {
                let what = format!(
                    "nothing here tells what order {} bought: expected its details (ShowCustomerOrderDetails) too",
                    bought.id
                );
                out.error(found.file, found.path.clone(), what);
            }
            several => {
                // How the amounts are split over several resources is not told.
                let mut order = bought.order.clone();
                (order.list_price, order.due, order.payments) = (None, None, None);
                for place in several {
                    self.give(*place, bought, order.clone());
                }
                let what = format!(
                    "order {} bought {} resources: what was paid for each is told by its details only",
                    bought.id,
                    several.len()
                );
                out.error(found.file, found.path.clone(), what);
            }
        }
    }

    fn give(&mut self, place: usize, bought: &Bought, order: OrderRecord) {
        if let Some(listed) = self.listed.all.get_mut(place).map(|found| &mut found.what) {
            listed.record.account = listed.record.account.take().or_else(|| bought.account.clone());
            if bought.purpose == Purpose::Trial {
                listed.record.billing = Billing::Trial;
            }
            if !listed.is_listed {
                listed.record.ends_at = listed.record.ends_at.max(order.ends_at);
            }
        }
        let orders = self.orders.entry(place).or_default();
        if !orders.contains(&order) {
            orders.push(order);
        }
    }

    /// The resources that an order's number, or a resource's number beside it, names.
    fn named(&self, order: &str, resources: &[String]) -> Vec<usize> {
        let mut places = self.listed.by_order.get(order).cloned().unwrap_or_default();
        let by_refund = self.refunded.get(order).into_iter().flatten().copied();
        let ids = by_refund.chain(resources.iter().map(String::as_str));
        places.extend(ids.filter_map(|id| self.listed.by_id.get(id)));
        places.sort_unstable();
        places.dedup();
        places
    }

    fn resource_of(&self, bought: &Bought, line: &Line) -> Match {
        if let Some(place) = line.resource.as_ref().and_then(|id| self.listed.by_id.get(id)) {
            return Match::One(*place);
        }
        let number = line.order_id.as_deref().unwrap_or(&bought.id);
        let named = self.named(number, &bought.resources);
        // An order of several lines names several things; then the product tells which is which.
        let alone = bought.lines.len() == 1;
        let mut fitting = named.into_iter().filter(|place| alone || self.is_product(*place, line));
        match (fitting.next(), fitting.next()) {
            (Some(place), None) => return Match::One(place),
            (Some(_), Some(_)) => return Match::Several,
            (None, _) => {}
        }
        let same = line.product_id.as_ref().and_then(|product| self.listed.by_product.get(product));
        let same = || same.into_iter().flatten().copied().filter(|place| self.is_product(*place, line));
        let mut fitting = same().filter(|place| self.is_period(*place, line));
        match (fitting.next(), fitting.next()) {
            (Some(place), None) => Match::One(place),
            (Some(_), Some(_)) => Match::Several,
            // Beside a list, another resource of the product would count it twice.
            (None, _) if same().any(|place| self.listed.get(place).is_some_and(|listed| listed.is_listed)) => {
                Match::NotThese
            }
            (None, _) => Match::New,
        }
    }

    fn is_product(&self, place: usize, line: &Line) -> bool {
        self.listed.get(place).is_some_and(|listed| {
            line.product_id.is_some()
                && listed.product_id == line.product_id
                && line.service.as_ref().is_none_or(|service| *service == listed.record.product)
        })
    }

    /// Whether a line's period begins or ends with the resource, follows one of its periods, or, where
    /// it changed something, began within it.
    fn is_period(&self, place: usize, line: &Line) -> bool {
        let Some(listed) = self.listed.get(place) else { return false };
        let same = |a: Option<Instant>, b: Option<Instant>| a.is_some() && a == b;
        let (start, end) = (line.order.starts_at, line.order.ends_at);
        let orders = || self.orders.get(&place).into_iter().flatten();
        let is_bought = || orders().any(|order| order.kind == OrderKind::Purchase);
        let follows = || orders().any(|order| same(order.ends_at.map(|end| end + Span::seconds(1)), start));
        match line.order.kind {
            OrderKind::Purchase => same(listed.record.starts_at, start) && !is_bought(),
            OrderKind::Renewal => same(listed.record.ends_at, end) || follows(),
            OrderKind::Upgrade | OrderKind::Downgrade | OrderKind::Conversion => {
                let within = |start| listed.record.starts_at <= Some(start) && Some(start) <= listed.record.ends_at;
                start.is_some_and(within)
            }
        }
    }

    /// A resource of which only the order's line is known.
    fn add_from_line(&mut self, found: &Found<'f, Bought>, line: &Line, out: &mut Imported) {
        let bought = &found.what;
        let Some(service) = line.service.as_ref().or(bought.service.as_ref()) else {
            let what = format!("line of order {} does not say what it bought: expected a service type", bought.id);
            return out.error(found.file, line.path.clone(), what);
        };
        if bought.order.status == OrderStatus::Cancelled {
            let what = format!("order {} was cancelled: it bought nothing", bought.id);
            return out.remark(found.file, line.path.clone(), what);
        }
        let billing = match bought.purpose {
            Purpose::Trial => Billing::Trial,
            _ if line.billed_once => Billing::OneOff,
            _ => Billing::Subscription,
        };
        let finished = bought.order.status == OrderStatus::Paid && !bought.in_progress;
        let status = if finished { Status::Active } else { Status::Pending };
        let id = line.resource.clone().or_else(|| line.id.clone()).unwrap_or_else(|| bought.id.clone());
        let mut record = ResourceRecord::new("huawei", &id, service, billing, status);
        record.name.clone_from(&line.description);
        record.starts_at = line.order.starts_at;
        record.ends_at = line.order.ends_at;
        record.quantity = line.order.quantity;
        record.seller = seller(service);
        let what = format!("no list of resources shows what order {} bought: read from its line", bought.id);
        out.remark(found.file, line.path.clone(), what);
        let listed = Listed { record, product_id: line.product_id.clone(), order_id: None, is_listed: false };
        let place = self.listed.add(Found { file: found.file, path: line.path.clone(), what: listed });
        self.give(place, bought, line.order.clone());
    }

    /// Marks the orders that a refund order gave back.
    ///
    /// A refund on an order whose resource is still in use came from a downgrade: how an unsubscription
    /// then treats its money is not published, so the downgrade stands among the orders.
    fn apply_refunds(&mut self, refunds: &[Found<'_, Refunded>], out: &mut Imported) {
        let mut by_order: HashMap<String, Vec<usize>> = HashMap::new();
        for (place, orders) in &self.orders {
            for id in orders.iter().filter_map(|order| order.id.as_ref()) {
                by_order.entry(id.clone()).or_default().push(*place);
            }
        }
        for refund in refunds {
            let base = refund.what.base_order.as_str();
            if !refund.what.amount.is_none_or(Amount::is_negative) {
                // Consumption or a fee that was kept, beside the refund itself.
                continue;
            }
            let mut found = false;
            for place in by_order.get(base).into_iter().flatten() {
                let of_it = |listed: &&Listed| {
                    refund.what.resource.as_ref().is_none_or(|resource| *resource == listed.record.id)
                };
                let Some(listed) = self.listed.get(*place).filter(of_it) else { continue };
                let Some(orders) = self.orders.get_mut(place) else { continue };
                found = true;
                if listed.is_listed && matches!(listed.record.status, Status::Active | Status::Queued) {
                    orders.push(OrderRecord::new(OrderKind::Downgrade, OrderStatus::Paid));
                } else {
                    let of_base = |order: &&mut OrderRecord| order.id.as_deref() == Some(base);
                    orders.iter_mut().filter(of_base).for_each(|order| order.status = OrderStatus::Refunded);
                }
            }
            if !found {
                let what = format!("no file shows order {base}, to which this refund belongs");
                out.remark(refund.file, refund.path.clone(), what);
            }
        }
    }
}

/// Which resource a line bought.
enum Match {
    One(usize),
    /// No list shows one of its product.
    New,
    /// More than one.
    Several,
    /// There are resources of its product, but none of its period.
    NotThese,
}
