//! Readers of what Tianyi Cloud's API answers about orders. Neither answer says how a resource is
//! billed, so none becomes a record; a file is claimed to say so.

use recoup_core::import::{ImportFile, Imported, Misfit, Place};

/// The answer inside a file; the printed examples hold the request beside it.
fn answer<'a>(file: &ImportFile<'a>) -> Option<Place<'a>> {
    let root = Place::root(file.json?);
    let answer = if root.has("response") { root.get("response") } else { root };
    let object = answer.get("returnObj");
    let asked = object.has("resourceUuid") && object.has("orderStatus");
    let ordered = object.has("masterOrderID") || object.has("masterOrderNO");
    (answer.has("statusCode") && (asked || ordered)).then_some(answer)
}

pub(crate) fn recognises(file: &ImportFile<'_>) -> bool {
    answer(file).is_some()
}

pub(crate) fn import(files: &[ImportFile<'_>]) -> Imported {
    let mut out = Imported::default();
    for file in files {
        let Some(answer) = answer(file) else { continue };
        match remark(&answer) {
            Ok(what) => out.error(file, answer.get("returnObj").path, what),
            Err(misfit) => {
                let what = format!("expected {}, found {}", misfit.expected, misfit.found);
                out.error(file, misfit.path, what);
            }
        }
    }
    out
}

/// What the answer says, and what it lacks.
fn remark(answer: &Place<'_>) -> Result<String, Misfit> {
    let object = answer.get("returnObj");
    if !object.has("resourceUuid") {
        let order = object.any(&["masterOrderNO", "masterOrderID"]).required()?;
        return Ok(format!("order {order} names no resource: expected the answer to a query of that order"));
    }
    let status = object.get("orderStatus").required()?;
    let kind = object.get("resourceType").text()?.unwrap_or_default();
    let resources = object.get("resourceUuid").items()?;
    Ok(format!(
        "{} resources of type {kind:?} in an order with status {status} ({}): how they are billed is not said, \
         expected a portfolio that says so",
        resources.len(),
        meaning(&status)
    ))
}

/// What an order's status means, as far as it concerns leaving.
fn meaning(status: &str) -> &'static str {
    match status {
        "1" => "to pay",
        "2" => "paid",
        "3" => "done",
        "4" => "cancelled",
        "5" => "provisioning failed",
        "7" => "paying",
        "12" => "unsubscribing",
        "13" => "unsubscribed",
        "14" => "opening",
        "22" => "payment failed",
        "999" => "deleted",
        _ => "another status",
    }
}
