//! Files that show what came back: lists of receipts, FOCUS, and what providers' APIs printed.

use recoup_cases::reconcile::Receipt;
use recoup_cases::reconcile::received::{Read, read as read_list};
use recoup_core::record::RefundRecord;
use recoup_engine::Engine;
use recoup_engine::import::import;
use recoup_plugin::messages::FileText;
use recoup_portfolio::focus;
use recoup_portfolio::read::{self, Opened};

use crate::host::{Failure, Status, read_focus, say};

/// Reads files that show what came back, all of one provider's together: a refund order may need the order
/// that it refunds.
pub(crate) fn read(
    engine: &Engine,
    files: &[String],
    provider: Option<&str>,
) -> Result<(Vec<Receipt>, Status), Failure> {
    if files.iter().filter(|file| *file == "-").count() > 1 {
        return Err(Failure::usage("standard input can be read only once"));
    }
    let mut status = Status::Done;
    let (mut receipts, mut foreign, mut costs) = (Vec::new(), Vec::new(), Vec::new());
    for file in files {
        match open(file) {
            Ok(What::List(list)) => receipts.extend(told(file, list, &mut status)),
            Ok(What::Costs(source)) => costs.push(source),
            Ok(What::Foreign(text)) => foreign.push(FileText::new(file.clone(), text)),
            Err(error) => {
                say(error);
                status = Status::BadInput;
            }
        }
    }
    if !costs.is_empty() {
        receipts.extend(from_costs(engine, costs, provider, &mut status));
    }
    if !foreign.is_empty() {
        receipts.extend(from_payloads(engine, foreign, provider, &mut status));
    }
    Ok((receipts, status))
}

enum What {
    List(Read),
    Costs(focus::Source),
    Foreign(String),
}

/// A list of receipts may look like a portfolio to somebody who asks for one, so it is asked for first.
fn open(file: &str) -> Result<What, String> {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).ok();
    let bytes = if file == "-" {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut std::io::stdin().lock(), &mut bytes).map(|_| bytes)
    } else {
        std::fs::read(file)
    };
    let bytes = bytes.map_err(|error| format!("{file}: {error}"))?;
    if let Some(list) = text(bytes.clone()).and_then(|text| read_list(file, &text)) {
        return Ok(What::List(list));
    }
    match read::from_reader(file, Box::new(std::io::Cursor::new(bytes.clone()))) {
        Ok(Opened::Focus(source)) => Ok(What::Costs(source)),
        Ok(Opened::Foreign { text }) => Ok(What::Foreign(text)),
        // One payload a line, as some tools print them.
        Ok(Opened::Portfolio(_)) => Err(format!(
            "{file}: a portfolio shows what was bought, not what came back: expected receipts, FOCUS, or a provider's refund orders or bills"
        )),
        Err(error) => Err(error.to_string()),
    }
}

fn told(file: &str, list: Read, status: &mut Status) -> Vec<Receipt> {
    for fault in &list.faults {
        say(fault);
        *status = Status::BadInput;
    }
    if !list.unknown.is_empty() {
        say(format_args!("{file}: warning: {} passed over: a receipt has no such field", list.unknown.join(", ")));
    }
    list.receipts
}

/// The refunds among rows of cost, in whichever of their forms they stand.
fn from_costs(
    engine: &Engine,
    sources: Vec<focus::Source>,
    provider: Option<&str>,
    status: &mut Status,
) -> Vec<Receipt> {
    let (read, files) = read_focus(engine, sources, provider, status);
    let files = files.join("+");
    let (mut receipts, mut predicted, mut without) = (Vec::new(), 0, 0);
    for refund in read.refunds {
        // Rows of recoup's own are predictions: nothing came.
        if refund.exit.is_some() {
            predicted += 1;
            continue;
        }
        let Some(currency) = refund.currency else {
            without += 1;
            continue;
        };
        let mut record = RefundRecord::new(currency);
        record.provider = Some(refund.provider);
        record.resource = Some(refund.resource);
        record.at = refund.at;
        match refund.instrument {
            Some(instrument) => record.returned.push((instrument, refund.amount)),
            None => record.unnamed = refund.amount,
        }
        receipts.push(Receipt { refund: record, source: files.clone() });
    }
    say(format_args!("{files}: {}; {} refund(s) read", read.counts, receipts.len()));
    if predicted > 0 {
        say(format_args!("{files}: note: {predicted} row(s) are predictions of recoup's own and were left out"));
    }
    if without > 0 {
        say(format_args!("{files}: {without} refund(s) name no currency and were left out"));
        *status = Status::BadInput;
    }
    receipts
}

/// The refunds that the adapters read in what their providers printed.
fn from_payloads(engine: &Engine, files: Vec<FileText>, provider: Option<&str>, status: &mut Status) -> Vec<Receipt> {
    let (imported, errors) = import(engine, files, provider);
    for error in errors {
        say(error);
        *status = Status::BadInput;
    }
    let mut receipts = Vec::new();
    for group in imported {
        let source = group.files.join("+");
        for remark in &group.imported.remarks {
            let kind = if remark.is_error { "" } else { "note: " };
            let path = if remark.path.is_empty() { String::new() } else { format!("{}: ", remark.path) };
            say(format_args!("{kind}{}: {path}{}", remark.file, remark.what));
            if remark.is_error {
                *status = Status::BadInput;
            }
        }
        say(format_args!("{source}: {} refund(s) read as {}", group.imported.refunds.len(), group.provider));
        for mut refund in group.imported.refunds {
            refund.provider = refund.provider.or_else(|| Some(group.provider.clone()));
            receipts.push(Receipt { refund, source: source.clone() });
        }
    }
    receipts
}
