//! Whether a flow can be carried out: what it names exists, and what it needs is there.

use super::prepare::parts;
use super::{Call, Flow, KnownError, Listed, Purpose, Verdict, WEEKDAYS, When, Worklist};
use crate::policy::{Policy, PolicyError};

/// What is checked when an adapter is built: a flow that names what does not exist, or that could not be
/// carried out, does not build.
struct Checker<'p> {
    policy: &'p Policy,
}

impl Checker<'_> {
    fn fail<T>(place: &str, what: impl Into<String>) -> Result<T, PolicyError> {
        Err(PolicyError { place: format!("flow: {place}"), what: what.into() })
    }

    fn sources(&self, place: &str, sources: &[String], clause: Option<&String>) -> Result<(), PolicyError> {
        if sources.is_empty() {
            return Self::fail(place, "names no source");
        }
        if let Some(key) = sources.iter().find(|key| self.policy.source(key).is_none()) {
            return Self::fail(place, format!("names the source {key:?}, which does not exist"));
        }
        match clause.filter(|id| !self.policy.clauses.iter().any(|clause| clause.id == **id)) {
            Some(id) => Self::fail(place, format!("names the clause {id:?}, which does not exist")),
            None => Ok(()),
        }
    }

    fn when(&self, place: &str, when: &When) -> Result<(), PolicyError> {
        if let Some(site) = when.sites.iter().find(|name| !self.policy.sites.iter().any(|site| site.id == **name)) {
            return Self::fail(place, format!("names the site {site:?}, which does not exist"));
        }
        let is_product =
            |name: &str| self.policy.products.iter().any(|product| self.policy.same_product(&product.id, name));
        match when.products.iter().find(|name| !is_product(name)) {
            Some(name) => Self::fail(place, format!("names the product {name:?}, which does not exist")),
            None => Ok(()),
        }
    }

    fn pointers<'t>(place: &str, pointers: impl Iterator<Item = &'t String>) -> Result<(), PolicyError> {
        for at in pointers {
            if !at.starts_with('/') && !at.is_empty() {
                return Self::fail(
                    place,
                    format!("has the place {at:?}, expected a JSON pointer such as \"/data/id\""),
                );
            }
        }
        Ok(())
    }

    fn call(&self, call: &Call) -> Result<(), PolicyError> {
        let place = format!("call {:?}", call.id);
        self.sources(&place, &call.sources, call.clause.as_ref())?;
        self.when(&place, &call.when)?;
        if !["GET", "POST", "PUT", "PATCH", "DELETE"].contains(&call.method.as_str()) {
            return Self::fail(
                &place,
                format!("has the method {:?}, expected GET, POST, PUT, PATCH or DELETE", call.method),
            );
        }
        if call.purpose == Purpose::Leave && call.method == "GET" {
            return Self::fail(&place, "leaves by GET, which may be repeated by anything between");
        }
        if !call.path.starts_with('/') {
            return Self::fail(&place, format!("has the path {:?}, expected one that begins with /", call.path));
        }
        let is_site = |name: &str| name == "*" || self.policy.sites.iter().any(|site| site.id == name);
        if let Some(site) = call.hosts.keys().find(|name| !is_site(name)) {
            return Self::fail(&place, format!("names the site {site:?}, which does not exist"));
        }
        for template in call.templates() {
            if let Err(what) = parts(template) {
                return Self::fail(&place, what);
            }
        }
        let uses_token = call.templates().any(|template| template.contains("{token"));
        if uses_token != call.token.is_some() {
            return Self::fail(&place, "needs both a {token} and what the page says of it (`token = {}`), or neither");
        }
        if call.purpose == Purpose::Leave && !call.templates().any(|template| template.contains("{resource")) {
            return Self::fail(&place, "leaves without naming a resource: {resource} or {resources} is missing");
        }
        self.answer(&place, call)
    }

    fn answer(&self, place: &str, call: &Call) -> Result<(), PolicyError> {
        let answer = &call.answer;
        if answer.ok.is_empty() || answer.ok.iter().any(|status| !(100..600).contains(status)) {
            return Self::fail(place, "needs the HTTP statuses of success (`answer.ok = [200]`)");
        }
        if call.purpose == Purpose::Quote && answer.amount.is_none() {
            return Self::fail(place, "quotes, but does not say where the amount is (`answer.amount`)");
        }
        let lines = answer.lines.iter();
        if let Some(lines) =
            answer.lines.as_ref().filter(|lines| (lines.listed == Listed::All) != lines.state.is_some())
        {
            return Self::fail(
                place,
                format!("lists {} lines: a state belongs to a list of all, and only there", lines.listed),
            );
        }
        let places = [&answer.orders, &answer.amount, &answer.currency, &answer.session];
        Self::pointers(
            place,
            places
                .into_iter()
                .flatten()
                .chain(&answer.error_code)
                .chain(&answer.error_message)
                .chain(answer.checks.iter().map(|check| &check.at).chain(lines.map(|lines| &lines.at))),
        )
    }

    fn worklist(&self, list: &Worklist) -> Result<(), PolicyError> {
        let place = format!("worklist {:?}", list.title);
        self.sources(&place, &list.sources, list.clause.as_ref())?;
        self.when(&place, &list.when)?;
        if list.steps.is_empty() {
            return Self::fail(&place, "has no step");
        }
        match list.steps.iter().filter_map(|step| step.page.as_ref()).find(|key| self.policy.source(key).is_none()) {
            Some(key) => Self::fail(&place, format!("has a step on the page {key:?}, which does not exist")),
            None => Ok(()),
        }
    }

    fn error(&self, flow: &Flow, error: &KnownError) -> Result<(), PolicyError> {
        let place = format!("error {:?}", error.code);
        self.sources(&place, &error.sources, error.clause.as_ref())?;
        if error.verdict == Verdict::InDoubt && error.reason.is_some() {
            return Self::fail(&place, "has a reason, but what is in doubt refuses nothing");
        }
        match error.calls.iter().find(|name| !flow.calls.iter().any(|call| call.id == **name)) {
            Some(name) => Self::fail(&place, format!("names the call {name:?}, which does not exist")),
            None => Ok(()),
        }
    }
}

impl Flow {
    /// Checks a flow against the policy whose part it is.
    ///
    /// # Errors
    /// Where it names what does not exist, or could not be carried out.
    pub fn check(&self, policy: &Policy) -> Result<(), PolicyError> {
        let checker = Checker { policy };
        for reason in &self.reasons {
            let place = format!("reason {:?}", reason.code);
            checker.sources(&place, &reason.sources, None)?;
            checker.when(&place, &reason.when)?;
        }
        if let Some(text) = &self.reason_text {
            checker.sources("reason_text", &text.sources, None)?;
        }
        for rule in &self.batches {
            let place = format!("batch {:?}", rule.says);
            checker.sources(&place, &rule.sources, rule.clause.as_ref())?;
            checker.when(&place, &rule.when)?;
            if rule.max == Some(0) {
                return Checker::fail(&place, "takes 0 resources at a time, expected 1 or more");
            }
        }
        for hidden in &self.hidden {
            let place = format!("hidden {:?}", hidden.says);
            checker.sources(&place, &hidden.sources, hidden.clause.as_ref())?;
            checker.when(&place, &hidden.when)?;
            if hidden.when.is_always() {
                return Checker::fail(&place, "hides everything: `when` says nothing");
            }
        }
        for owed in &self.owed {
            let place = format!("owed {:?}", owed.clause);
            if !policy.clauses.iter().any(|clause| clause.id == owed.clause) {
                return Checker::fail(&place, "is no clause of this policy");
            }
            checker.when(&place, &owed.when)?;
        }
        for (index, call) in self.calls.iter().enumerate() {
            checker.call(call)?;
            if self.calls.iter().skip(index + 1).any(|other| other.id == call.id && other.when == call.when) {
                return Checker::fail(&format!("call {:?}", call.id), "is there twice");
            }
        }
        for (index, error) in self.errors.iter().enumerate() {
            checker.error(self, error)?;
            if self.errors.iter().skip(index + 1).any(|other| other.code == error.code && other.calls == error.calls) {
                return Checker::fail(&format!("error {:?}", error.code), "is there twice");
            }
        }
        self.worklists.iter().try_for_each(|list| checker.worklist(list))?;
        if let Some(days) = &self.business_days {
            checker.sources("business_days", &days.sources, None)?;
            if let Some(day) = days.days.iter().find(|day| !WEEKDAYS.contains(&day.as_str())) {
                return Checker::fail(
                    "business_days",
                    format!("names the day {day:?}, expected {}", WEEKDAYS.join(", ")),
                );
            }
            if days.days.is_empty() {
                return Checker::fail("business_days", "has no day");
            }
        }
        Ok(())
    }
}
