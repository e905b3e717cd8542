//! Files that show what came back, read for one case.

use std::collections::HashMap;

use recoup_cases::model::{Case, Line, Received};
use recoup_cases::reconcile::received::as_received;
use recoup_core::record::RefundRecord;
use recoup_core::vocab::Instrument;

use crate::cli::Setup;
use crate::host::{Failure, Status, engine, say};
use crate::received;

/// The lines that a refund is for: those whose resource it names, else whose order it names, else whose
/// unsubscription it is.
fn lines_of<'c>(case: &'c Case, refund: &RefundRecord) -> Vec<&'c Line> {
    let same = |a: Option<&String>, b: Option<&String>| a.zip(b).is_none_or(|(a, b)| a == b);
    let whose = |line: &&Line| {
        same(refund.provider.as_ref(), Some(&line.place.provider))
            && same(refund.account.as_ref(), line.place.account.as_ref())
    };
    let names = |line: &Line, number: &Option<String>| {
        number.as_ref().is_some_and(|number| line.orders.contains(number) || line.references.contains(number))
    };
    let resource = |line: &&Line| refund.resource.as_ref().is_some_and(|id| id.eq_ignore_ascii_case(&line.resource));
    let all = || case.lines.iter().filter(whose);
    let found: Vec<&Line> = all().filter(resource).collect();
    if !found.is_empty() || refund.resource.is_some() {
        return found;
    }
    let found: Vec<&Line> = all().filter(|line| names(line, &refund.order)).collect();
    if found.is_empty() { all().filter(|line| names(line, &refund.id)).collect() } else { found }
}

/// One number of the provider's may stand for several amounts: of two resources, by two instruments. Each is
/// booked, so each gets a number of its own; the same files give the same numbers again.
fn tell_apart(all: &mut [Received]) {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for reference in all.iter().filter_map(|received| received.reference.clone()) {
        *counts.entry(reference).or_default() += 1;
    }
    let mut taken: HashMap<String, usize> = HashMap::new();
    for received in all {
        let Some(reference) = received.reference.clone().filter(|number| counts.get(number).is_some_and(|n| *n > 1))
        else {
            continue;
        };
        let subject = received.resource.as_ref().or(received.order.as_ref()).map_or("", String::as_str);
        let instrument = received.instrument.map_or("", Instrument::as_str);
        let mut own = [reference.as_str(), subject, instrument].join(" ").trim_end().to_owned();
        let times = taken.entry(own.clone()).or_default();
        *times += 1;
        if *times > 1 {
            own = format!("{own} #{times}");
        }
        received.reference = Some(own);
    }
}

/// Reads lists of receipts, FOCUS files, and providers' refund orders and bills. What belongs to no line of
/// the case is left out, and said.
pub(super) fn read(setup: &Setup, files: &[String], case: &Case) -> Result<(Vec<Received>, Status), Failure> {
    let (receipts, status) = received::read(&engine(setup)?, files, None)?;
    let (mut all, mut others) = (Vec::new(), 0);
    for receipt in receipts {
        let lines = lines_of(case, &receipt.refund);
        if lines.is_empty() {
            others += 1;
            continue;
        }
        // An order of several lines says which of them only where there is one.
        let line = if let [only] = lines.as_slice() { Some(only.number) } else { None };
        all.extend(
            as_received(&receipt.refund, &receipt.source).into_iter().map(|received| Received { line, ..received }),
        );
    }
    tell_apart(&mut all);
    if others > 0 {
        say(format_args!("note: {others} receipt(s) belong to no line of {} and were left out", case.id));
    }
    Ok((all, status))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(reference: Option<&str>, resource: &str, instrument: Option<Instrument>) -> Received {
        let mut refund = RefundRecord::new(recoup_core::money::Currency::USD);
        refund.id = reference.map(str::to_owned);
        refund.resource = Some(resource.to_owned());
        match instrument {
            Some(instrument) => refund.returned.push((instrument, "1".parse().unwrap())),
            None => refund.unnamed = "1".parse().unwrap(),
        }
        as_received(&refund, "file").remove(0)
    }

    #[test]
    fn one_number_for_several_amounts_loses_none_of_them() {
        let mut all = vec![
            received(Some("R-1"), "a", Some(Instrument::Cash)),
            received(Some("R-1"), "a", Some(Instrument::CashCoupon)),
            received(Some("R-1"), "b", None),
            received(Some("R-1"), "b", None),
            received(Some("R-2"), "c", None),
            received(None, "d", None),
        ];
        tell_apart(&mut all);
        let numbers: Vec<_> = all.iter().map(|received| received.reference.as_deref().unwrap_or("-")).collect();
        assert_eq!(numbers, ["R-1 a cash", "R-1 a cash_coupon", "R-1 b", "R-1 b #2", "R-2", "-"]);
    }
}
