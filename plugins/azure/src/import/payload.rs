//! Telling Azure's payloads apart, in every spelling that its API, CLI and SDKs print.

use serde_json::{Map, Value};

/// What an item of a payload is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A reservation order, with its payment schedule where that was asked for.
    Order,
    /// A reservation.
    Reservation,
    /// A savings plan.
    SavingsPlan,
    /// A purchase, cancellation or refund of reservations in the bill.
    Transaction,
    /// What a refund would bring, or brought.
    Quote,
    /// What an exchange would bring, or brought.
    Exchange,
}

/// An item of a payload.
#[derive(Debug, Clone)]
pub(super) struct Item {
    /// What it is.
    pub(super) kind: Kind,
    /// The item with its names in the API's spelling.
    pub(super) value: Value,
    /// What was asked, where the file shows it.
    pub(super) request: Option<Value>,
    /// Where it stands in the file.
    pub(super) path: String,
}

/// A page of a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Page {
    /// What it lists.
    pub(super) kind: Kind,
    /// Whether it says that it goes on.
    pub(super) goes_on: bool,
    /// How many items it has.
    pub(super) items: usize,
    /// How many items the whole listing has, where it says so.
    pub(super) counted: Option<usize>,
}

const DEPTH: usize = 24;

/// The items of a file that are Azure's; none where it is something else.
pub(super) fn items(json: &Value) -> Vec<Item> {
    let mut found = Vec::new();
    if !mentions(json, DEPTH) {
        return found;
    }
    collect(&spelled(json, DEPTH), None, "", DEPTH, &mut found);
    found
}

/// Reads a file as a page of a listing.
pub(super) fn page(json: &Value) -> Option<Page> {
    let json = spelled(json, DEPTH);
    let mut bodies = Vec::new();
    let mut answer = &json;
    for body in answers(&json) {
        bodies.push(body.0);
        answer = bodies.first().copied().unwrap_or(&json);
    }
    let listed = answer.get("value")?.as_array()?;
    let kind = listed.iter().find_map(kind_of)?;
    let goes_on = answer.get("nextLink").and_then(Value::as_str).is_some_and(|link| !link.is_empty());
    let counted = answer.get("summary").and_then(Value::as_object).map(|summary| {
        let counts = summary.iter().filter(|(name, _)| name.ends_with("Count"));
        counts.filter_map(|(_, count)| count.as_u64()).filter_map(|count| usize::try_from(count).ok()).sum()
    });
    Some(Page { kind, goes_on, items: listed.len(), counted })
}

/// The GUID of the order in the id of a reservation or an order, in small letters.
pub(super) fn order_of(id: &str) -> Option<String> {
    after(id, "reservationorders")
}

/// Whether an id is that of a reservation and not of its order.
pub(super) fn is_reservation(id: &str) -> bool {
    after(id, "reservations").is_some()
}

fn after(id: &str, folder: &str) -> Option<String> {
    let id = id.to_ascii_lowercase();
    let mut parts = id.split('/').skip_while(|part| *part != folder);
    parts.next()?;
    parts.next().filter(|part| !part.is_empty()).map(str::to_owned)
}

/// Whether a file names one of these resources anywhere: asked of every file of every provider, so
/// nothing is copied for it.
fn mentions(json: &Value, depth: usize) -> bool {
    const PLACES: [&str; 3] = ["microsoft.capacity/", "microsoft.consumption/", "microsoft.billingbenefits/"];
    match json {
        _ if depth == 0 => false,
        Value::Array(items) => items.iter().any(|item| mentions(item, depth - 1)),
        Value::Object(map) => map.iter().any(|(name, value)| match value {
            Value::String(text) => {
                let names = ["id", "type", "reservationId", "reservation_id"].iter();
                let names_one = names.clone().any(|known| known.eq_ignore_ascii_case(name)) && {
                    let text = text.to_ascii_lowercase();
                    PLACES.iter().any(|place| text.contains(place))
                };
                names_one
                    || ["reservationOrderId", "reservation_order_id"]
                        .iter()
                        .any(|known| known.eq_ignore_ascii_case(name))
            }
            other => mentions(other, depth - 1),
        }),
        _ => false,
    }
}

/// The same JSON with its names as the API writes them: `ReservedResourceType` (PowerShell) and
/// `reserved_resource_type` (Python) are `reservedResourceType`.
fn spelled(json: &Value, depth: usize) -> Value {
    match json {
        _ if depth == 0 => Value::Null,
        Value::Object(map) => {
            let mut out = Map::new();
            for (name, value) in map {
                out.insert(camel(name), spelled(value, depth - 1));
            }
            Value::Object(out)
        }
        Value::Array(items) => Value::Array(items.iter().map(|item| spelled(item, depth - 1)).collect()),
        other => other.clone(),
    }
}

fn camel(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut upper = false;
    for letter in name.chars() {
        if letter == '_' && !out.is_empty() {
            upper = true;
        } else if upper {
            out.push(letter.to_ascii_uppercase());
            upper = false;
        } else if out.is_empty() {
            out.push(letter.to_ascii_lowercase());
        } else {
            out.push(letter);
        }
    }
    out
}

/// The answers in a file that shows request and answer beside each other, as the page and the
/// specification's examples do: `response200`, `responses.200.body`.
fn answers(json: &Value) -> Vec<(&Value, String)> {
    let Value::Object(map) = json else { return Vec::new() };
    if let Some(Value::Object(responses)) = map.get("responses") {
        return responses
            .iter()
            .filter_map(|(status, answer)| Some((answer.get("body")?, format!("responses.{status}.body"))))
            .collect();
    }
    map.iter().filter(|(name, _)| name.starts_with("response2")).map(|(name, body)| (body, name.clone())).collect()
}

fn collect(json: &Value, request: Option<&Value>, path: &str, depth: usize, found: &mut Vec<Item>) {
    if depth == 0 {
        return;
    }
    let at = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match json {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                collect(item, request, &format!("{path}[{index}]"), depth - 1, found);
            }
        }
        Value::Object(map) => {
            let answers = answers(json);
            if !answers.is_empty() {
                let asked =
                    map.get("request").or_else(|| map.get("parameters").and_then(|parameters| parameters.get("body")));
                for (body, name) in answers {
                    collect(body, asked, &at(&name), depth - 1, found);
                }
            } else if let Some(kind) = kind_of(json) {
                found.push(Item { kind, value: json.clone(), request: request.cloned(), path: path.to_owned() });
            } else if let Some(listed) = map.get("value") {
                collect(listed, request, &at("value"), depth - 1, found);
            }
        }
        _ => {}
    }
}

/// What an object is, by its type and by names that only this kind has.
fn kind_of(json: &Value) -> Option<Kind> {
    let text = |name: &str| json.get(name).and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
    let properties = json.get("properties").filter(|properties| properties.is_object()).unwrap_or(json);
    let has = |name: &str| properties.get(name).is_some();
    let (kind, id) = (text("type"), text("id"));
    if has("reservationsToExchange") && (has("netPayable") || has("refundsTotal")) {
        return Some(Kind::Exchange);
    }
    if has("billingRefundAmount") && has("billingInformation") && id.contains("/reservationorders/") {
        return Some(Kind::Quote);
    }
    match kind.as_str() {
        "microsoft.capacity/reservationorders/reservations" => return Some(Kind::Reservation),
        "microsoft.capacity/reservationorders" => return Some(Kind::Order),
        "microsoft.consumption/reservationtransactions" => return Some(Kind::Transaction),
        "microsoft.billingbenefits/savingsplanorders/savingsplans" | "microsoft.billingbenefits/savingsplans" => {
            return Some(Kind::SavingsPlan);
        }
        _ => {}
    }
    if kind.is_empty() {
        if id.contains("/microsoft.capacity/reservationorders/") {
            if id.contains("/revisions/") {
                return None;
            }
            if id.contains("/reservations/") {
                return (has("reservedResourceType") || has("provisioningState")).then_some(Kind::Reservation);
            }
            return has("originalQuantity").then_some(Kind::Order);
        }
        if id.contains("/microsoft.billingbenefits/savingsplanorders/") && id.contains("/savingsplans/") {
            return Some(Kind::SavingsPlan);
        }
        if has("reservationOrderId") && has("eventType") && has("eventDate") {
            return Some(Kind::Transaction);
        }
    }
    None
}
