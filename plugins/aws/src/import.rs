//! Readers of what AWS APIs and the AWS CLI print (section 11).
//!
//! Read are the listings of Savings Plans, Reserved Instances, Capacity Reservations and Blocks, Host
//! Reservations, reserved nodes, Bedrock throughput and Marketplace agreements, whole answers as well
//! as single items, in the `PascalCase` of the CLI and the `camelCase` of the models. Listings of the
//! Reserved Instance Marketplace, exchange quotes and Marketplace events are joined to what they
//! speak of.
//!
//! AWS prints prices and no payments: what was paid ahead is the upfront price, billed to the account's
//! invoice (instrument `credit`), and is known to be paid where the purchase has become active.

mod agreements;
mod ec2;
mod fields;
mod kind;
mod nodes;
mod savings_plans;
mod throughput;

use std::collections::{HashMap, HashSet};

use recoup_core::import::{ImportFile, Imported, Misfit, Place};
use recoup_core::record::{CommitmentRecord, Facts, ResourceRecord};

use kind::Kind;

/// The provider of every record.
const PROVIDER: &str = "aws";

/// Whether a file looks like an answer of an AWS API.
pub(crate) fn recognises(file: &ImportFile<'_>) -> bool {
    file.json.is_some_and(|json| kind::sort(json).is_some())
}

/// Reads the files of one run together.
pub(crate) fn import(files: &[ImportFile<'_>]) -> Imported {
    let mut reading = Reading::default();
    for file in files {
        let Some(json) = file.json else { continue };
        match kind::sort(json) {
            Some(sorted) => reading.add(file, sorted),
            None => reading.imported.error(file, "", "expected an answer of an AWS API, found something else"),
        }
    }
    reading.finish()
}

/// A listing of which pages were seen.
#[derive(Debug, Default)]
struct Pages {
    /// Pages that name another page, with the file and the path of the token.
    open: Vec<(String, &'static str)>,
    /// Pages that end the listing.
    last: usize,
}

#[derive(Debug, Default)]
struct Reading<'a, 'f> {
    imported: Imported,
    index: HashMap<(String, String), usize>,
    /// Items that speak of resources of other files.
    joining: Vec<(&'a ImportFile<'f>, Kind, Place<'f>)>,
    pages: HashMap<Kind, Pages>,
    /// Capacity Reservations that are the capacity of a block of the same run.
    of_blocks: HashSet<String>,
}

/// Records what does not fit its place.
fn misfit(imported: &mut Imported, file: &ImportFile<'_>, misfit: &Misfit) {
    imported.error(file, misfit.path.as_str(), format!("expected {}, found {}", misfit.expected, misfit.found));
}

impl<'a, 'f> Reading<'a, 'f> {
    fn add(&mut self, file: &'a ImportFile<'f>, sorted: kind::Sorted<'f>) {
        if let Some(kind) = sorted.listing {
            let pages = self.pages.entry(kind).or_default();
            match sorted.next {
                Some(token) => pages.open.push((file.name.to_owned(), token)),
                None => pages.last += 1,
            }
        }
        for (kind, item) in sorted.items {
            let Some(kind) = kind else {
                let expected = sorted.listing.map_or("an item of an AWS listing", Kind::expected);
                self.imported.error(file, item.path.as_str(), format!("expected {expected}, found another item"));
                continue;
            };
            if kind.joins() {
                self.joining.push((file, kind, item));
                continue;
            }
            let read = match kind {
                Kind::SavingsPlan => savings_plans::read(&item),
                Kind::ReservedInstance => ec2::reserved_instance(&item),
                Kind::CapacityReservation => ec2::capacity_reservation(&item),
                Kind::CapacityBlock => ec2::capacity_block(&item, &mut self.of_blocks),
                Kind::HostReservation => ec2::host_reservation(&item),
                Kind::Agreement => agreements::read(&item),
                Kind::Throughput => throughput::read(&item),
                _ => nodes::read(kind, &item),
            };
            match read {
                Ok(record) => self.keep(file, &item, record),
                Err(error) => misfit(&mut self.imported, file, &error),
            }
        }
    }

    /// Adds a record; the same resource a second time fills in what the first did not say.
    fn keep(&mut self, file: &ImportFile<'_>, item: &Place<'_>, record: ResourceRecord) {
        for remark in remarks(&record) {
            self.imported.remark(file, item.path.as_str(), remark);
        }
        let key = (record.product.clone(), record.id.clone());
        match self.index.get(&key).and_then(|index| self.imported.resources.get_mut(*index)) {
            Some(known) => fill(known, record),
            None => {
                self.index.insert(key, self.imported.resources.len());
                self.imported.resources.push(record);
            }
        }
    }

    fn resource(&mut self, product: &str, id: &str) -> Option<&mut ResourceRecord> {
        let index = *self.index.get(&(product.to_owned(), id.to_owned()))?;
        self.imported.resources.get_mut(index)
    }

    fn finish(mut self) -> Imported {
        for (file, kind, item) in std::mem::take(&mut self.joining) {
            let joined = match kind {
                Kind::Listing => ec2::join_listing(&item, |id| self.resource("ec2", id)),
                Kind::ExchangeQuote => ec2::join_exchange_quote(&item, |id| self.resource("ec2", id)),
                Kind::CancellationQuote => {
                    ec2::join_cancellation_quote(&item, |id| self.resource("ec2:capacity-reservation", id))
                }
                Kind::CancellationEvent => agreements::join_request(&item, &mut self.imported.resources),
                Kind::AdjustmentEvent => agreements::received(&item).and_then(|refund| {
                    self.imported.refunds.extend(refund);
                    agreements::join_adjustment(&item, &mut self.imported.resources)
                }),
                Kind::Modification => Ok(Some("a modification is no exit and says nothing of one".to_owned())),
                _ => Ok(Some("offerings of reserved nodes: nothing that is owned".to_owned())),
            };
            match joined {
                Ok(Some(remark)) => self.imported.remark(file, item.path.as_str(), remark),
                Ok(None) => {}
                Err(error) => misfit(&mut self.imported, file, &error),
            }
        }
        let of_blocks = std::mem::take(&mut self.of_blocks);
        self.imported.resources.retain(|record| !of_blocks.contains(&record.id));
        let mut cut_off: Vec<_> = self.pages.values().filter(|pages| pages.last == 0).flat_map(|p| &p.open).collect();
        cut_off.sort();
        for (name, token) in cut_off {
            self.imported.remarks.push(recoup_core::import::ImportRemark {
                file: name.clone(),
                path: (*token).to_owned(),
                what: "the listing goes on after this page, expected its further pages as well".to_owned(),
                is_error: true,
            });
        }
        self.imported
    }
}

/// What a reader of a record should know of it.
fn remarks(record: &ResourceRecord) -> Vec<&'static str> {
    let mut remarks = Vec::new();
    if record.seller == Some(recoup_core::vocab::Seller::Marketplace) {
        remarks.push("an agreement does not print its pricing: with an end it is taken as a contract, without one as usage pricing");
    }
    let upfront = record.commitment.as_ref().and_then(|commitment| commitment.upfront);
    if record.product == "ec2" && upfront.is_none() {
        remarks.push("no upfront price is printed, as after a modification (a fixed price of 0): what was paid stands on the purchase that it came from");
    }
    remarks
}

/// Fills in what a record does not say from another of the same resource.
fn fill(known: &mut ResourceRecord, other: ResourceRecord) {
    fn or<T>(known: &mut Option<T>, other: Option<T>) {
        if known.is_none() {
            *known = other;
        }
    }
    or(&mut known.site, other.site);
    or(&mut known.account, other.account);
    or(&mut known.name, other.name);
    or(&mut known.region, other.region);
    or(&mut known.purchased_at, other.purchased_at);
    or(&mut known.starts_at, other.starts_at);
    or(&mut known.ends_at, other.ends_at);
    or(&mut known.quantity, other.quantity);
    or(&mut known.orders, other.orders);
    match (&mut known.commitment, other.commitment) {
        (Some(known), Some(other)) => {
            let CommitmentRecord { term_months, payment_option, hourly, currency, upfront, recurring, .. } = other;
            or(&mut known.term_months, term_months);
            or(&mut known.payment_option, payment_option);
            or(&mut known.hourly, hourly);
            or(&mut known.currency, currency);
            or(&mut known.upfront, upfront);
            or(&mut known.recurring, recurring);
        }
        (known, other) => or(known, other),
    }
    if known.tags.is_empty() {
        known.tags = other.tags;
    }
    let Facts { flags, figures, texts, moments } = other.facts;
    known.facts.flags = known.facts.flags.or_else(flags);
    for (figure, value) in figures {
        if known.facts.figure(figure).is_none() {
            known.facts.figures.push((figure, value));
        }
    }
    for (text, value) in texts {
        if known.facts.text(text).is_none() {
            known.facts.texts.push((text, value));
        }
    }
    for (moment, value) in moments {
        if known.facts.moment(moment).is_none() {
            known.facts.moments.push((moment, value));
        }
    }
}
