//! HTTP: sends the calls that an adapter describes and reads their answers by the same description.
//!
//! What decides everything is whether an unsubscription may have happened. A connection that was never
//! made, a throttled call and an error whose meaning is "later" surely changed nothing: such a call is sent
//! again, a few times, with a growing pause or the one that the provider asks for. A call whose answer
//! never came, came garbled or says that the server failed may have been carried out: its lines are *in
//! doubt*, nothing repeats it, not even with the same token, and somebody looks what became of it.
//!
//! Credentials never stand in a call: a [`Signer`] puts them on when it is sent.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use recoup_core::flow::{Answer, LineAnswer, Verdict};
use recoup_core::policy::Policy;
use serde_json::Value;

use crate::gateway::{Call, Gateway, GatewayError, LineResult, Results, Task, Work};
use crate::model::{Case, CombinedOrder, Line};
use crate::published::Published;

/// The most of an answer that is read, in bytes.
const LONGEST_ANSWER: u64 = 4 << 20;

/// A request on its way to be signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The provider.
    pub provider: String,
    /// What its pages call the way to sign.
    pub signing: String,
    /// The method.
    pub method: String,
    /// The whole address.
    pub url: String,
    /// The header fields so far.
    pub headers: Vec<(String, String)>,
    /// The body as it will be sent.
    pub body: Option<String>,
}

/// Puts credentials on a request.
pub trait Signer: Send + Sync {
    /// Adds header fields, or changes the address.
    ///
    /// # Errors
    /// Where there are no credentials for the provider. The text never holds one.
    fn sign(&self, request: &mut Outgoing) -> Result<(), String>;
}

/// Takes header fields from the environment: for the provider `acme` the variable `RECOUP_HEADERS_ACME`
/// holds them, one a line, `X-Auth-Token: ...`. For providers that take a token, and for a proxy that signs.
#[derive(Debug, Clone, Copy, Default)]
pub struct HeadersFromEnvironment;

impl HeadersFromEnvironment {
    /// The variable for a provider.
    #[must_use]
    pub fn variable(provider: &str) -> String {
        let name = provider.to_uppercase().replace(|c: char| !c.is_ascii_alphanumeric(), "_");
        format!("RECOUP_HEADERS_{name}")
    }

    fn fields(text: &str, variable: &str) -> Result<Vec<(String, String)>, String> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let fields = lines.map(|line| {
            let (name, value) = line.split_once(':')?;
            let valid = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
            valid.then(|| (name.to_owned(), value.trim().to_owned()))
        });
        // The value may be a secret, so it is not shown.
        fields
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| format!("{variable}: expected header fields, one a line, `Name: value`"))
    }
}

impl Signer for HeadersFromEnvironment {
    fn sign(&self, request: &mut Outgoing) -> Result<(), String> {
        let variable = Self::variable(&request.provider);
        let text = std::env::var(&variable).map_err(|_| {
            let way = if request.signing.is_empty() { String::new() } else { format!(" ({})", request.signing) };
            format!("no credentials for {}{way}: set {variable} to the header fields to send", request.provider)
        })?;
        request.headers.extend(Self::fields(&text, &variable)?);
        Ok(())
    }
}

/// How often and how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most times that a call is sent while it is sure that nothing happened.
    pub attempts: u32,
    /// The pause before the second time; it doubles from time to time.
    pub first_pause: Duration,
    /// The longest pause; a provider that asks for a longer one is not waited for.
    pub longest_pause: Duration,
    /// How long a connection may take.
    pub connect: Duration,
    /// How long an answer may take.
    pub answer: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            attempts: 4,
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(60),
            connect: Duration::from_secs(10),
            answer: Duration::from_secs(60),
        }
    }
}

/// Sends calls.
pub struct Http {
    published: Arc<Published>,
    signer: Arc<dyn Signer>,
    bases: BTreeMap<String, String>,
    limits: Limits,
    agent: ureq::Agent,
}

impl std::fmt::Debug for Http {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Http").field("bases", &self.bases).field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// What came of sending a call once.
#[derive(Debug)]
enum Sent {
    /// It surely did not reach anybody.
    Not(String),
    /// It may have reached somebody.
    Perhaps(String),
    /// It was answered.
    Answered { status: u16, retry_after: Option<Duration>, text: String },
}

/// What is to be done after an answer.
enum Next {
    Over(Results),
    Again { says: String, pause: Option<Duration> },
}

impl Http {
    /// Sends calls to the hosts that the pages print.
    #[must_use]
    pub fn new(published: Arc<Published>, signer: Arc<dyn Signer>) -> Self {
        Self::with_limits(published, signer, Limits::default())
    }

    /// As [`new`](Self::new), with limits of one's own.
    #[must_use]
    pub fn with_limits(published: Arc<Published>, signer: Arc<dyn Signer>, limits: Limits) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            // A redirect could repeat a call or carry credentials elsewhere.
            .max_redirects(0)
            .max_redirects_will_error(false)
            // A connection that idled may break while a call is on it, which would be in doubt for nothing.
            .max_idle_connections(0)
            .timeout_connect(Some(limits.connect))
            .timeout_recv_response(Some(limits.answer))
            .timeout_recv_body(Some(limits.answer))
            .timeout_send_request(Some(limits.answer))
            .timeout_send_body(Some(limits.answer))
            .user_agent(concat!("recoup/", env!("CARGO_PKG_VERSION")))
            .build();
        Self { published, signer, bases: BTreeMap::new(), limits, agent: config.new_agent() }
    }

    /// Sends a provider's calls to another place, `https://host`: its regional host, or a proxy that signs.
    #[must_use]
    pub fn with_base(mut self, provider: impl Into<String>, base: impl Into<String>) -> Self {
        self.bases.insert(provider.into(), base.into().trim_end_matches('/').to_owned());
        self
    }

    fn outgoing(&self, call: &Call) -> Result<Outgoing, String> {
        let base = match self.bases.get(&call.provider) {
            Some(base) => base.clone(),
            None if call.host.is_empty() => {
                return Err(format!("no page prints the host of {}: name it with an endpoint", call.operation));
            }
            None => format!("https://{}", call.host),
        };
        let mut request = Outgoing {
            provider: call.provider.clone(),
            signing: call.signing.clone(),
            method: call.method.clone(),
            url: base + &call.path,
            headers: call.headers.clone(),
            body: call.body_text(),
        };
        let is_content_type = |(name, _): &(String, String)| name.eq_ignore_ascii_case("content-type");
        if request.body.is_some() && !request.headers.iter().any(is_content_type) {
            let kind = match call.encoding {
                recoup_core::flow::Encoding::Json => "application/json",
                recoup_core::flow::Encoding::Form => "application/x-www-form-urlencoded",
            };
            request.headers.push(("Content-Type".to_owned(), kind.to_owned()));
        }
        self.signer.sign(&mut request)?;
        Ok(request)
    }

    async fn send(&self, request: Outgoing) -> Sent {
        let agent = self.agent.clone();
        match tokio::task::spawn_blocking(move || send(&agent, &request)).await {
            Ok(sent) => sent,
            Err(error) => Sent::Perhaps(format!("the call was broken off: {error}")),
        }
    }

    async fn call(&self, task: &Task, call: &Call) -> Results {
        let all = |result: LineResult| -> Results { task.lines.iter().map(|line| (*line, result.clone())).collect() };
        let Some(policy) = self.published.policy(&call.provider) else {
            return all(LineResult::NotSent { says: format!("no adapter serves the provider {:?}", call.provider) });
        };
        let Some(described) = policy.flow.calls.iter().find(|described| described.id == call.operation) else {
            return all(LineResult::NotSent {
                says: format!("{} describes no call {}", call.provider, call.operation),
            });
        };
        let request = match self.outgoing(call) {
            Ok(request) => request,
            Err(says) => return all(LineResult::NotSent { says }),
        };
        let reading = Reading { policy, answer: &described.answer, call };
        let mut pause = self.limits.first_pause;
        let mut attempt = 1;
        loop {
            let next = match self.send(request.clone()).await {
                Sent::Not(says) => Next::Again { says, pause: None },
                Sent::Perhaps(says) => return all(LineResult::InDoubt { says }),
                Sent::Answered { status, retry_after, text } => reading.read(status, retry_after, &text),
            };
            let (says, asked) = match next {
                Next::Over(results) => return results,
                Next::Again { says, pause } => (says, pause),
            };
            let wait = asked.unwrap_or(pause);
            if attempt >= self.limits.attempts {
                return all(LineResult::NotSent { says: format!("{says}; sent {attempt} time(s)") });
            }
            if wait > self.limits.longest_pause {
                let seconds = wait.as_secs();
                return all(LineResult::NotSent { says: format!("{says}; the provider asks to wait {seconds} s") });
            }
            tokio::time::sleep(wait).await;
            pause = pause.saturating_mul(2).min(self.limits.longest_pause);
            attempt += 1;
        }
    }
}

/// Sends a request once.
fn send(agent: &ureq::Agent, request: &Outgoing) -> Sent {
    let mut builder = ureq::http::Request::builder().method(request.method.as_str()).uri(request.url.as_str());
    for (name, value) in &request.headers {
        builder = builder.header(name.as_str(), value.as_str());
    }
    let answered = match &request.body {
        Some(body) => builder.body(body.clone()).map(|request| agent.run(request)),
        None => builder.body(()).map(|request| agent.run(request)),
    };
    let mut answer = match answered {
        Err(error) => return Sent::Not(format!("the request cannot be built: {error}")),
        Ok(Err(error)) => return unanswered(&error),
        Ok(Ok(answer)) => answer,
    };
    let status = answer.status().as_u16();
    let seconds = answer.headers().get("retry-after").and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let read = answer.body_mut().with_config().limit(LONGEST_ANSWER).read_to_string();
    match read {
        Ok(text) => Sent::Answered { status, retry_after: seconds.map(Duration::from_secs), text },
        Err(error) => Sent::Perhaps(format!("the answer (status {status}) broke off: {error}")),
    }
}

/// Whether a call that was not answered may have been carried out.
fn unanswered(error: &ureq::Error) -> Sent {
    use ureq::{Error, Timeout};
    let never_left = match error {
        Error::HostNotFound | Error::ConnectionFailed | Error::BadUri(_) | Error::InvalidProxyUrl | Error::Tls(_) => {
            true
        }
        Error::Timeout(Timeout::Resolve | Timeout::Connect) => true,
        Error::Io(error) => error.kind() == io::ErrorKind::ConnectionRefused,
        _ => false,
    };
    if never_left {
        Sent::Not(format!("the provider could not be reached: {error}"))
    } else {
        Sent::Perhaps(format!("no answer came: {error}"))
    }
}

/// An answer and what is known of it.
struct Reading<'a> {
    policy: &'a Policy,
    answer: &'a Answer,
    call: &'a Call,
}

impl Reading<'_> {
    fn read(&self, status: u16, retry_after: Option<Duration>, text: &str) -> Next {
        let body = serde_json::from_str::<Value>(text).unwrap_or(Value::Null);
        let code = self.answer.code(&body);
        let message = self.answer.message(&body);
        let says = |meaning: &str| {
            let code = code.as_ref().map(|code| format!("{code}: ")).unwrap_or_default();
            let message = message.as_ref().filter(|said| *said != meaning).map(|said| format!(" ({said})"));
            format!("{code}{meaning}{}", message.unwrap_or_default())
        };
        if status == 429 {
            return Next::Again { says: says("throttled (status 429)"), pause: retry_after };
        }
        let known = code.as_ref().and_then(|code| self.policy.known_error(&self.call.operation, code));
        if let Some(known) = known {
            let says = says(&known.says);
            return match known.verdict {
                Verdict::Retry => Next::Again { says, pause: retry_after },
                Verdict::InDoubt => Next::Over(self.all(&LineResult::InDoubt { says })),
                Verdict::Refused | Verdict::Gone => {
                    Next::Over(self.all(&LineResult::Failed { code: code.clone(), reason: known.reason, says }))
                }
            };
        }
        if self.answer.is_success(status, &body) {
            return Next::Over(self.lines(&body, text));
        }
        Next::Over(self.all(&match status {
            // What is wrong with the request itself was not carried out.
            400..=407 | 409..=428 | 430..=499 => LineResult::Failed {
                code: code.clone(),
                reason: None,
                says: says(&format!("refused (status {status})")),
            },
            300..=399 => LineResult::Failed {
                code: code.clone(),
                reason: None,
                says: format!("answered with a redirect (status {status}), which is not followed"),
            },
            _ => LineResult::InDoubt { says: says(&format!("an answer that says nothing certain (status {status})")) },
        }))
    }

    fn all(&self, result: &LineResult) -> Results {
        self.call.resources.keys().map(|line| (*line, result.clone())).collect()
    }

    /// What a successful answer says of each line.
    fn lines(&self, body: &Value, text: &str) -> Results {
        let orders = self.answer.order_numbers(body);
        let resources: Vec<String> = self.call.resources.values().cloned().collect();
        let answers = match &self.answer.lines {
            Some(lines) => lines.read(body, &resources),
            None => resources.iter().map(|resource| done(resource)).collect(),
        };
        let unreadable = body.is_null() && !text.trim().is_empty();
        let results = self.call.resources.keys().zip(answers);
        results.map(|(line, answer)| (*line, self.line(&answer, &orders, unreadable))).collect()
    }

    fn line(&self, answer: &LineAnswer, orders: &[String], unreadable: bool) -> LineResult {
        match answer.done {
            Some(true) => {
                let own: Vec<String> = answer.order.iter().cloned().collect();
                let references = if own.is_empty() { orders.to_vec() } else { own };
                // Success without the order's number that the pages promise is no success that can be shown.
                if unreadable || (references.is_empty() && self.answer.orders.is_some()) {
                    return LineResult::InDoubt {
                        says: "the answer says success, but not the order's number".to_owned(),
                    };
                }
                LineResult::Done { references }
            }
            Some(false) => self.failed(answer),
            None => LineResult::InDoubt { says: "the answer does not name the resource".to_owned() },
        }
    }

    fn failed(&self, answer: &LineAnswer) -> LineResult {
        let known = answer.code.as_ref().and_then(|code| self.policy.known_error(&self.call.operation, code));
        let meaning = known.map(|known| known.says.clone()).or_else(|| answer.message.clone());
        let code = answer.code.as_ref().map(|code| format!("{code}: ")).unwrap_or_default();
        let says = format!("{code}{}", meaning.unwrap_or_else(|| "the provider listed it as failed".to_owned()));
        match known.map(|known| known.verdict) {
            Some(Verdict::Retry) => LineResult::NotSent { says },
            Some(Verdict::InDoubt) => LineResult::InDoubt { says },
            _ => LineResult::Failed { code: answer.code.clone(), reason: known.and_then(|known| known.reason), says },
        }
    }
}

fn done(resource: &str) -> LineAnswer {
    LineAnswer { resource: resource.to_owned(), order: None, done: Some(true), code: None, message: None }
}

#[async_trait]
impl Gateway for Http {
    fn name(&self) -> &str {
        "http"
    }

    fn sends(&self) -> bool {
        true
    }

    fn prepare(&self, case: &Case, order: &CombinedOrder, lines: &[&Line]) -> Result<Vec<Task>, GatewayError> {
        let tasks = self.published.calls(case, order, lines)?;
        for task in &tasks {
            // Credentials and hosts that are missing are found before anything is begun.
            if let Work::Call(call) = &task.work {
                self.outgoing(call).map_err(GatewayError::NotReady)?;
            }
        }
        Ok(tasks)
    }

    async fn carry_out(&self, task: &Task) -> Results {
        match &task.work {
            Work::Call(call) => self.call(task, call).await,
            Work::Steps(_) => {
                let says = "these are steps for a person, not a call".to_owned();
                task.lines.iter().map(|line| (*line, LineResult::NotSent { says: says.clone() })).collect()
            }
        }
    }
}
