//! What providers publish of the procedure, as their policies carry it.
//!
//! [`Published`] answers the flows' questions ([`Procedures`]) and prepares calls and steps for the
//! gateways from the same data, so that a quote, a dry run and what is sent cannot differ.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use recoup_core::flow::{Call as Described, Leaving, PrepareError, Purpose, Values, WEEKDAYS, WorkStep, Worklist};
use recoup_core::policy::Policy;
use recoup_core::time::Instant;
use recoup_core::vocab::Reason;
use sha2::{Digest, Sha256};

use crate::gateway::{Call, GatewayError, Steps, Task, Work};
use crate::model::{Case, CombinedOrder, Line, Place, Refusal};
use crate::procedure::{BatchTerms, Procedures, ReasonOption};

/// The clause cited where a batch is refused and the rule has none of its own.
const NO_BATCH: &str = "recoup.batch";

/// What providers publish of the procedure.
#[derive(Debug, Clone, Default)]
pub struct Published {
    policies: HashMap<String, Arc<Policy>>,
    given: BTreeMap<String, String>,
}

impl Published {
    /// The procedures of some providers.
    #[must_use]
    pub fn new(policies: impl IntoIterator<Item = Arc<Policy>>) -> Self {
        let policies = policies.into_iter().map(|policy| (policy.provider.clone(), policy)).collect();
        Self { policies, given: BTreeMap::new() }
    }

    /// Values that calls need and no record shows, by the names that the calls give them.
    #[must_use]
    pub fn with_given(mut self, given: BTreeMap<String, String>) -> Self {
        self.given = given;
        self
    }

    /// A provider's policy.
    #[must_use]
    pub fn policy(&self, provider: &str) -> Option<&Arc<Policy>> {
        self.policies.get(provider)
    }

    /// Whether a call is published that carries out a line.
    #[must_use]
    pub fn has_call(&self, line: &Line) -> bool {
        self.policies
            .get(&line.place.provider)
            .is_some_and(|policy| policy.call(Purpose::Leave, &leaving(line)).is_some())
    }

    /// The tasks that carry out some lines by calls.
    ///
    /// # Errors
    /// Where no call is published for a line, or a value that the call needs is not known.
    pub fn calls(&self, case: &Case, order: &CombinedOrder, lines: &[&Line]) -> Result<Vec<Task>, GatewayError> {
        let mut tasks = Vec::new();
        for group in self.groups(order, lines, |policy, line| policy.call(Purpose::Leave, &leaving(line))) {
            let (policy, call, group) = group?;
            for chunk in group.chunks(chunk_size(policy, call, order, &group)) {
                tasks.push(self.call_task(case, order, policy, call, chunk)?);
            }
        }
        Ok(tasks)
    }

    /// The tasks that carry out some lines by hand. Where no page describes the steps, the one step is to
    /// take the exit, with the page of a clause that the ruling rests on.
    ///
    /// # Errors
    /// Where a provider is not known.
    pub fn steps(&self, case: &Case, order: &CombinedOrder, lines: &[&Line]) -> Result<Vec<Task>, GatewayError> {
        let mut tasks = Vec::new();
        for group in self.groups(order, lines, |policy, line| Some(steps_of(policy, line))) {
            let (_, (title, link, steps), group) = group?;
            let about = group.iter().map(|line| (line.number, about(line))).collect();
            let numbers = group.iter().map(|line| line.number).collect();
            let work = Work::Steps(Steps { title, link, steps, about, reason: reason_words(self, case, &order.place) });
            tasks.push(Task { id: task_id(case, order, &group, "steps"), lines: numbers, work });
        }
        Ok(tasks)
    }

    /// Lines that are carried out in the same way, in the order in which they stand.
    #[allow(clippy::type_complexity, reason = "the tuple is taken apart where it is used")]
    fn groups<'a, T: PartialEq>(
        &'a self,
        order: &CombinedOrder,
        lines: &[&'a Line],
        way: impl Fn(&'a Policy, &'a Line) -> Option<T>,
    ) -> Vec<Result<(&'a Policy, T, Vec<&'a Line>), GatewayError>> {
        let mut groups: Vec<Result<(&Policy, T, Vec<&Line>), GatewayError>> = Vec::new();
        for line in lines {
            let no_way = |what: String| GatewayError::NoWay { line: line.number, what };
            let Some(policy) = self.policies.get(&order.place.provider) else {
                groups.push(Err(no_way(format!("no adapter serves the provider {:?}", order.place.provider))));
                continue;
            };
            let Some(way) = way(policy, line) else {
                let exit = line.ruling.exit;
                groups.push(Err(no_way(format!(
                    "{}: no call is published that leaves {} by {exit}; take the worklist instead",
                    line.place, line.product
                ))));
                continue;
            };
            let same = |group: &&mut Result<(&Policy, T, Vec<&Line>), GatewayError>| match group {
                Ok((_, other, members)) => {
                    *other == way && members.first().is_none_or(|first| first.region == line.region)
                }
                Err(_) => false,
            };
            match groups.iter_mut().find(same) {
                Some(Ok((_, _, members))) => members.push(line),
                _ => groups.push(Ok((policy, way, vec![line]))),
            }
        }
        groups
    }

    fn call_task(
        &self,
        case: &Case,
        order: &CombinedOrder,
        policy: &Policy,
        call: &Described,
        lines: &[&Line],
    ) -> Result<Task, GatewayError> {
        let number = lines.first().map_or(0, |line| line.number);
        let failed = |what: String| GatewayError::NoWay { line: number, what };
        let id = task_id(case, order, lines, &call.id);
        let resources: Vec<String> = lines.iter().map(|line| line.resource.clone()).collect();
        let first = lines.first().ok_or_else(|| failed("a call without a line".to_owned()))?;
        let quantity = quantity(first);
        let values = Values {
            resources: &resources,
            token: Some(&id),
            reason: case.reason.option.as_deref(),
            reason_text: case.reason.text.as_deref(),
            quantity: Some(&quantity),
            product: Some(&first.product),
            region: first.region.as_deref(),
            project: first.project.as_deref(),
            account: first.place.account.as_deref(),
            order: first.orders.first().map(String::as_str),
            session: self.given.get("session").map(String::as_str),
            given: Some(&self.given),
        };
        let prepared =
            call.prepare(&order.place.site, &values).map_err(|error: PrepareError| failed(error.to_string()))?;
        let numbers: Vec<u32> = lines.iter().map(|line| line.number).collect();
        let call = Call {
            provider: policy.provider.clone(),
            resources: numbers.iter().copied().zip(resources).collect(),
            operation: prepared.call.clone(),
            method: prepared.method.clone(),
            host: prepared.host.clone().unwrap_or_default(),
            path: prepared.path_and_query(),
            headers: prepared.headers.clone().into_iter().collect(),
            body: prepared.body.clone().unwrap_or_default(),
            encoding: prepared.encoding,
            signing: prepared.signing.clone().unwrap_or_default(),
            token: prepared.token,
        };
        Ok(Task { id, lines: numbers, work: Work::Call(Box::new(call)) })
    }
}

/// How many lines go into one call: as many as the call takes and the provider's limit allows.
fn chunk_size(policy: &Policy, call: &Described, order: &CombinedOrder, lines: &[&Line]) -> usize {
    if !call.takes_many() {
        return 1;
    }
    let rule = lines.first().and_then(|line| policy.batch_rule(&leaving(line)));
    let most = rule.and_then(|rule| rule.max).unwrap_or(usize::MAX);
    // An order that succeeds or fails as a whole is not cut; the flow has split it by the same limit before.
    if order.whole { lines.len().max(1) } else { most.max(1) }
}

/// The number of a task: the same for the same lines of the same quote, and another one everywhere else, so
/// that it can serve as the provider's token. Short enough for the shortest token that is printed.
fn task_id(case: &Case, order: &CombinedOrder, lines: &[&Line], way: &str) -> String {
    let mut hash = Sha256::new();
    let quoted = case.quoted_at.micros().to_string();
    for part in [case.id.0.as_str(), &quoted, &case.portfolio, &order.id, way] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    for line in lines {
        hash.update(line.number.to_be_bytes());
        hash.update(line.resource.as_bytes());
        hash.update([0]);
    }
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// How many leave of a resource: the fact where it is stated, else the quantity, else one.
fn quantity(line: &Line) -> String {
    let text = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => Some(text.clone()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let leaving = line.record.pointer("/facts/quantity_leaving").and_then(text);
    leaving.or_else(|| line.record.get("quantity").and_then(text)).unwrap_or_else(|| "1".to_owned())
}

/// What is being left by a line.
#[must_use]
pub fn leaving(line: &Line) -> Leaving<'_> {
    Leaving {
        site: &line.place.site,
        exit: line.ruling.exit,
        product: &line.product,
        billing: Some(line.billing),
        channel: line.ruling.channel,
    }
}

/// A line in one line of text.
fn about(line: &Line) -> String {
    let name = line.name.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
    let money = line.ruling.refund.as_ref().map_or_else(
        || "refund not known".to_owned(),
        |refund| format!("refund {} {}", refund.refund, refund.currency),
    );
    let orders = if line.orders.is_empty() { String::new() } else { format!(", orders {}", line.orders.join(" ")) };
    format!("{}{name} {}{orders}, {money}", line.resource, line.product)
}

/// The reason as it is chosen on the provider's form.
fn reason_words(published: &Published, case: &Case, place: &Place) -> Option<String> {
    let options = published.reasons(place, case.quoted_at);
    let option = case.reason.option.as_ref();
    let says = option.map(|id| options.iter().find(|option| option.id == *id).map_or(id, |option| &option.says));
    let parts: Vec<&str> = says.into_iter().chain(&case.reason.text).map(String::as_str).collect();
    (!parts.is_empty()).then(|| parts.join(": "))
}

type StepsOf = (String, Option<String>, Vec<String>);

/// The steps for a line: those that are published, or the one that is always right.
fn steps_of(policy: &Policy, line: &Line) -> StepsOf {
    let address = |key: &String| policy.source(key).map(|source| source.url.clone()).filter(|url| is_link(url));
    match policy.worklist(&leaving(line)) {
        Some(list) => published_steps(list, address),
        None => {
            let cited = line.ruling.clauses();
            let mut sources = policy.clauses.iter().filter(|clause| cited.contains(&clause.id));
            let link = sources.find_map(|clause| clause.sources.iter().find_map(address));
            let channel = line.ruling.channel.map_or("console", recoup_core::vocab::Channel::as_str);
            let step = format!(
                "Take the exit {} of {} ({channel}); no page that is known prints the steps",
                line.ruling.exit, line.product
            );
            ("Take the exit by hand".to_owned(), link, vec![step])
        }
    }
}

fn is_link(url: &str) -> bool {
    url.starts_with("https://") && !url.contains(' ')
}

fn published_steps(list: &Worklist, address: impl Fn(&String) -> Option<String>) -> StepsOf {
    let link_of = |step: &WorkStep| step.page.as_ref().and_then(&address);
    let link = list.steps.iter().find_map(link_of).or_else(|| list.sources.iter().find_map(&address));
    let text = |step: &WorkStep| match link_of(step) {
        Some(link) => format!("{} ({link})", step.says),
        None => step.says.clone(),
    };
    (list.title.clone(), link, list.steps.iter().map(text).collect())
}

impl Procedures for Published {
    fn reasons(&self, place: &Place, _at: Instant) -> Vec<ReasonOption> {
        let Some(policy) = self.policies.get(&place.provider) else { return Vec::new() };
        let mut options: Vec<ReasonOption> = Vec::new();
        let offered = |reason: &&recoup_core::flow::LeavingReason| {
            reason.when.sites.is_empty() || reason.when.sites.contains(&place.site)
        };
        for reason in policy.flow.reasons.iter().filter(offered) {
            if !options.iter().any(|option| option.id == reason.code) {
                options.push(ReasonOption { id: reason.code.clone(), says: reason.says.clone(), needs_text: false });
            }
        }
        options
    }

    fn longest_text(&self, place: &Place, _at: Instant) -> Option<usize> {
        Some(self.policies.get(&place.provider)?.flow.reason_text.as_ref()?.max_chars)
    }

    fn batch(&self, line: &Line, _at: Instant) -> BatchTerms {
        let Some(policy) = self.policies.get(&line.place.provider) else { return BatchTerms::default() };
        let request = policy.request(&leaving(line));
        let group = request.name();
        let Some(rule) = request.rule else { return BatchTerms { group, ..BatchTerms::default() } };
        let alone = (!rule.allows_batch()).then(|| Refusal {
            clause: rule.clause.clone().unwrap_or_else(|| NO_BATCH.to_owned()),
            reason: Reason::ProductNotSupported,
            says: rule.says.clone(),
        });
        BatchTerms {
            group,
            at_most: rule.max.and_then(|max| u32::try_from(max).ok()),
            whole: rule.failure == Some(recoup_core::flow::Failure::WholeOrder),
            alone,
        }
    }

    fn hidden(&self, line: &Line, _at: Instant) -> Option<Refusal> {
        let policy = self.policies.get(&line.place.provider)?;
        let hidden = policy.hidden(&leaving(line))?;
        Some(Refusal {
            clause: hidden.clause.clone().unwrap_or_else(|| "recoup.hidden".to_owned()),
            reason: Reason::ProductNotSupported,
            says: hidden.says.clone(),
        })
    }

    fn business_days(&self, place: &Place) -> [bool; 7] {
        let days = self.policies.get(&place.provider).and_then(|policy| policy.flow.business_days.as_ref());
        match days {
            Some(days) => WEEKDAYS.map(|day| days.days.iter().any(|name| name == day)),
            None => crate::procedure::MONDAY_TO_FRIDAY,
        }
    }
}
