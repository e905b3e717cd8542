//! Answers read by their description.

use serde_json::Value;

use super::{Answer, Lines, Listed, plain, same_scalar};

impl Answer {
    /// Whether an answer says that the provider took the call.
    #[must_use]
    pub fn is_success(&self, status: u16, body: &Value) -> bool {
        self.ok.contains(&status) && self.checks.iter().all(|check| check.holds(body))
    }

    /// The error code of an answer, where it has one.
    #[must_use]
    pub fn code(&self, body: &Value) -> Option<String> {
        first(&self.error_code, body)
    }

    /// The error message of an answer, where it has one.
    #[must_use]
    pub fn message(&self, body: &Value) -> Option<String> {
        first(&self.error_message, body)
    }

    /// The numbers of the orders in an answer.
    #[must_use]
    pub fn order_numbers(&self, body: &Value) -> Vec<String> {
        let found = self.orders.as_ref().and_then(|at| body.pointer(at));
        let all = match found {
            Some(Value::Array(items)) => items.as_slice(),
            Some(one) => std::slice::from_ref(one),
            None => &[],
        };
        let numbers = all.iter().filter(|value| value.is_string() || value.is_number()).map(plain);
        // Some print an order number of nothing beside a failure.
        numbers.filter(|number| !number.is_empty() && number != "0").collect()
    }
}

/// The first of some places that has a text or a number.
fn first(places: &[String], body: &Value) -> Option<String> {
    let found = places.iter().filter_map(|at| body.pointer(at));
    found.filter(|value| value.is_string() || value.is_number()).map(plain).find(|text| !text.is_empty())
}

/// What an answer says of a line of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineAnswer {
    /// The resource.
    pub resource: String,
    /// The number of its order, where the answer has it.
    pub order: Option<String>,
    /// Whether it was done; `None` where the answer does not say.
    pub done: Option<bool>,
    /// The error code.
    pub code: Option<String>,
    /// The error message.
    pub message: Option<String>,
}

impl Lines {
    fn line(&self, item: &Value) -> Option<LineAnswer> {
        let field = |name: &Option<String>| name.as_ref().and_then(|name| item.get(name)).filter(|v| !v.is_null());
        let resource = match &self.id {
            Some(_) => field(&self.id).map(plain)?,
            None => item.as_str()?.to_owned(),
        };
        let done = match (self.listed, &self.state) {
            (Listed::Failed, _) => Some(false),
            (Listed::Done, _) => Some(true),
            (Listed::All, Some(state)) => {
                item.get(&state.field).map(|found| state.done.iter().any(|word| same_scalar(word, found)))
            }
            (Listed::All, None) => None,
        };
        let text = |name: &Option<String>| field(name).map(plain).filter(|text| !text.is_empty());
        Some(LineAnswer {
            resource,
            order: text(&self.order),
            done,
            code: text(&self.code),
            message: text(&self.message),
        })
    }

    /// What an answer says of each of the resources that were asked for. An answer without the list says
    /// nothing of lines that it would list as done.
    #[must_use]
    pub fn read(&self, body: &Value, resources: &[String]) -> Vec<LineAnswer> {
        let items = body.pointer(&self.at).and_then(Value::as_array);
        let listed: Vec<LineAnswer> = items.into_iter().flatten().filter_map(|item| self.line(item)).collect();
        let absent = |resource: &String| LineAnswer {
            resource: resource.clone(),
            order: None,
            done: (self.listed == Listed::Failed).then_some(true),
            code: None,
            message: None,
        };
        let find = |resource: &String| listed.iter().find(|line| line.resource == *resource).cloned();
        resources.iter().map(|resource| find(resource).unwrap_or_else(|| absent(resource))).collect()
    }
}
