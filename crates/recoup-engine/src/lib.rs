//! Runs portfolios through adapters, in parallel and in order.
//!
//! An [`Engine`] knows the adapters, an [`Assessor`] is one run with sessions in them, and
//! [`pipeline::run`] and [`stream::stream`] take files through it: chunks are read, assessed and given out by
//! several threads at once, in input order, with memory bounded by chunk size and thread count whatever the size
//! of the input.

mod ids;
pub mod import;
pub mod names;
mod ordered;
pub mod pipeline;
pub mod question;
pub mod services;
mod stated;
pub mod stream;
pub mod timeline;
pub mod usual;

use std::borrow::Borrow;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::{Array, StructArray};
use recoup_core::assessment::Subject;
use recoup_core::context::Run;
use recoup_core::import::may_hold;
use recoup_core::overlay::{Overlay, OverlayError};
use recoup_core::policy::Policy;
use recoup_core::record::ResourceRecord;
use recoup_core::time::{Instant, Zone};
use recoup_plugin::answers::Answers;
use recoup_plugin::batch::BatchBuilder;
use recoup_plugin::host::{LoadError, PluginDir};
use recoup_plugin::session::check_answers;
use recoup_plugin::{Adapter, CallError, Session};

/// The adapters of a host.
pub struct Engine {
    plugins: Option<PluginDir>,
    linked: Vec<Arc<dyn Adapter>>,
    overlaid: HashMap<String, Arc<Policy>>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("providers", &self.providers()).finish_non_exhaustive()
    }
}

impl Engine {
    /// An engine over the libraries of a folder.
    #[must_use]
    pub fn from_plugins(plugins: PluginDir) -> Self {
        Self { plugins: Some(plugins), linked: Vec::new(), overlaid: HashMap::new() }
    }

    /// An engine over adapters that are there already.
    #[must_use]
    pub fn from_adapters(linked: Vec<Arc<dyn Adapter>>) -> Self {
        Self { plugins: None, linked, overlaid: HashMap::new() }
    }

    /// The providers that are served, in alphabetical order.
    #[must_use]
    pub fn providers(&self) -> Vec<String> {
        let mut names: Vec<String> = self.linked.iter().map(|adapter| adapter.provider().to_owned()).collect();
        names.extend(self.plugins.iter().flat_map(PluginDir::providers).map(str::to_owned));
        names.sort();
        names
    }

    /// The folder of libraries, where there is one.
    #[must_use]
    pub fn plugins(&self) -> Option<&PluginDir> {
        self.plugins.as_ref()
    }

    /// The adapter of a provider.
    ///
    /// # Errors
    /// Where none serves the provider, or its library cannot be used.
    pub fn adapter(&self, provider: &str) -> Result<Arc<dyn Adapter>, LoadError> {
        if let Some(adapter) = self.linked.iter().find(|adapter| adapter.provider() == provider) {
            return Ok(Arc::clone(adapter));
        }
        match &self.plugins {
            Some(plugins) => plugins.adapter(provider),
            None => Err(LoadError::NoAdapter { provider: provider.to_owned(), installed: self.providers() }),
        }
    }

    /// The names by which cost exports call a provider. Where the manifest beside its library says them,
    /// the library is not opened; one that cannot be opened goes by its provider's name alone.
    #[must_use]
    pub fn names_of(&self, provider: &str) -> Vec<String> {
        let mut names = vec![provider.to_owned()];
        match self.plugins.as_ref().and_then(|plugins| plugins.manifest(provider)) {
            Some(manifest) if !manifest.names.is_empty() => names.extend(manifest.names.iter().cloned()),
            _ => {
                if let Ok(adapter) = self.adapter(provider) {
                    names.push(adapter.policy().title.clone());
                    names.extend(adapter.policy().aliases.iter().cloned());
                }
            }
        }
        names
    }

    /// Whether a file may be a payload of a provider, as far as is known without opening its library.
    #[must_use]
    pub fn may_hold(&self, provider: &str, text: &str) -> bool {
        let manifest = self.plugins.as_ref().and_then(|plugins| plugins.manifest(provider));
        manifest.is_none_or(|manifest| may_hold(manifest.marks.as_deref(), text))
    }

    /// The policy that a provider's resources are judged by: the adapter's own, with the overlays.
    ///
    /// # Errors
    /// As [`adapter`](Self::adapter).
    pub fn policy(&self, provider: &str) -> Result<Arc<Policy>, LoadError> {
        match self.overlaid.get(provider) {
            Some(policy) => Ok(Arc::clone(policy)),
            None => self.adapter(provider).map(|adapter| Arc::clone(adapter.policy())),
        }
    }

    /// Puts a team's overlay over a provider's policy. A later one goes over earlier ones.
    ///
    /// # Errors
    /// Where no adapter serves the provider, or the overlay does not fit its policy.
    pub fn add_overlay(&mut self, overlay: &Overlay) -> Result<(), AddOverlayError> {
        let merged = self.policy(&overlay.provider)?.overlaid(overlay)?;
        self.overlaid.insert(overlay.provider.clone(), Arc::new(merged));
        Ok(())
    }

    /// The time zone of a provider's site.
    #[must_use]
    pub fn zone_of(&self, provider: &str, site: Option<&str>) -> Option<Zone> {
        self.adapter(provider).ok()?.zone_of(site)
    }
}

pub use recoup_core::assessment::Answered;

/// An overlay that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddOverlayError {
    /// No adapter serves its provider, or the adapter cannot be used.
    #[error("{0}")]
    Load(#[from] LoadError),
    /// It does not fit the provider's policy.
    #[error("{0}")]
    Overlay(#[from] OverlayError),
}

/// A resource that could not be assessed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AssessError {
    /// No adapter serves its provider, or the adapter cannot be used.
    #[error("\"provider\": {0}")]
    Load(#[from] LoadError),
    /// The adapter failed.
    #[error("{0}")]
    Call(#[from] CallError),
    /// The adapter says that it cannot be assessed.
    #[error("{0}")]
    Refused(String),
}

/// The answers to a batch, before they are read.
pub(crate) struct Ruled {
    provider: String,
    adapter: Arc<dyn Adapter>,
    policy: Arc<Policy>,
    resources: usize,
    clauses: usize,
    answers: StructArray,
}

impl Ruled {
    pub(crate) fn answers(&self) -> Result<Answers<'_>, AssessError> {
        Ok(check_answers(&self.provider, self.resources, self.clauses, &self.answers)?)
    }

    pub(crate) fn malformed(&self, what: impl std::fmt::Display) -> AssessError {
        CallError::Malformed { provider: self.provider.clone(), what: what.to_string() }.into()
    }
}

/// What is said of a resource beside what rules read.
#[derive(Debug, Clone, Default)]
pub struct Named {
    /// Its account.
    pub account: Option<String>,
    /// Its id.
    pub resource: String,
    /// Its display name.
    pub name: Option<String>,
    /// Its product.
    pub product: String,
}

impl From<&ResourceRecord> for Named {
    fn from(resource: &ResourceRecord) -> Self {
        Self {
            account: resource.account.clone(),
            resource: resource.id.clone(),
            name: resource.name.clone(),
            product: resource.product.clone(),
        }
    }
}

type Opened = Result<(Arc<dyn Adapter>, Arc<dyn Session>), AssessError>;

/// The engine of a run: its owner's, or one that several runs share.
enum Held<'e> {
    Borrowed(&'e Engine),
    Shared(Arc<Engine>),
}

impl std::ops::Deref for Held<'_> {
    type Target = Engine;

    fn deref(&self) -> &Engine {
        match self {
            Self::Borrowed(engine) => engine,
            Self::Shared(engine) => engine,
        }
    }
}

/// One run: the instant asked about, the accounts, the assumptions, and a session in each adapter that
/// turns out to be needed.
pub struct Assessor<'e> {
    engine: Held<'e>,
    run: Run,
    sessions: Mutex<HashMap<String, Opened>>,
}

impl std::fmt::Debug for Assessor<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Assessor").field("run", &self.run).finish_non_exhaustive()
    }
}

impl Assessor<'static> {
    /// A run over an engine that it shares with others, for hosts in which runs come and go.
    #[must_use]
    pub fn shared(engine: Arc<Engine>, run: Run) -> Self {
        Self { engine: Held::Shared(engine), run, sessions: Mutex::default() }
    }
}

impl<'e> Assessor<'e> {
    /// A run over an engine.
    #[must_use]
    pub fn new(engine: &'e Engine, run: Run) -> Self {
        Self { engine: Held::Borrowed(engine), run, sessions: Mutex::default() }
    }

    /// The engine.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The run.
    #[must_use]
    pub fn run(&self) -> &Run {
        &self.run
    }

    /// Assesses resources each at its own instant, whatever the run's; the answers stand in the order of the rows.
    /// What a provider stated is left aside: it speaks of the day on which it was stated.
    #[must_use]
    pub fn assess_at<R: Borrow<ResourceRecord>>(&self, rows: &[(R, Instant)]) -> Vec<Result<Answered, AssessError>> {
        let mut answers = Slots::of(rows.len());
        for (provider, places) in by_provider(rows.iter().map(|(resource, _)| resource.borrow())) {
            let group = places.iter().filter_map(|place| rows.get(*place));
            let group: Vec<(&ResourceRecord, Instant)> = group.map(|(resource, at)| (resource.borrow(), *at)).collect();
            answers.put(places, self.assess_rows(provider, &group));
        }
        answers.filled()
    }

    /// The session in a provider's adapter, opened if it was not yet.
    fn session(&self, provider: &str) -> Opened {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(opened) = sessions.get(provider) {
            return opened.clone();
        }
        let opened = self.engine.adapter(provider).map_err(AssessError::from).and_then(|adapter| {
            let session = adapter.open(&self.run, self.engine.overlaid.get(provider).map(Arc::as_ref))?;
            Ok((adapter, Arc::from(session)))
        });
        sessions.insert(provider.to_owned(), opened.clone());
        opened
    }

    /// Assesses resources of any providers; the answers stand in the order of the resources.
    #[must_use]
    pub fn assess(&self, resources: Vec<ResourceRecord>) -> Vec<Result<Answered, AssessError>> {
        let mut answers = Slots::of(resources.len());
        let mut groups: Vec<(String, Vec<usize>, Vec<ResourceRecord>)> = by_provider(&resources)
            .into_iter()
            .map(|(provider, places)| (provider.to_owned(), places, Vec::new()))
            .collect();
        for resource in resources {
            if let Some((_, _, group)) = groups.iter_mut().find(|(provider, ..)| *provider == resource.provider) {
                group.push(resource);
            }
        }
        for (provider, places, group) in groups {
            answers.put(places, self.assess_batch(&provider, &group));
        }
        answers.filled()
    }

    /// Has a provider's adapter rule on a batch that was made already.
    pub(crate) fn rule(&self, provider: &str, batch: BatchBuilder) -> Result<Ruled, AssessError> {
        let (adapter, session) = self.session(provider)?;
        let policy = self.engine.overlaid.get(provider).unwrap_or_else(|| adapter.policy());
        let policy = Arc::clone(policy);
        let resources = batch.len();
        let batch = batch.finish(None).map_err(|error| AssessError::Refused(error.to_string()))?;
        let answers = session.assess(batch)?;
        Ok(Ruled { provider: provider.to_owned(), adapter, policy, resources, clauses: session.clauses(), answers })
    }

    fn assess_batch(&self, provider: &str, group: &[ResourceRecord]) -> Result<Vec<Answer>, AssessError> {
        let (adapter, session) = self.session(provider)?;
        let batch = recoup_plugin::batch::resources(group, None).map_err(|error| too_large(&error))?;
        let named = |row: usize| group.get(row).map(Named::from).unwrap_or_default();
        let mut out = self.assess_columns(provider, batch, &named)?;
        let session_at = |at| {
            let mut run = self.run.clone();
            (run.at, run.day) = (Some(at), None);
            adapter.open(&run, self.engine.overlaid.get(provider).map(Arc::as_ref))
        };
        stated::compare(provider, session.as_ref(), &session_at, group, &mut out)?;
        Ok(out)
    }

    fn assess_rows(&self, provider: &str, group: &[(&ResourceRecord, Instant)]) -> Result<Vec<Answer>, AssessError> {
        let mut batch = BatchBuilder::default();
        group.iter().for_each(|(resource, _)| batch.push(&resource.lend()));
        let at: Vec<Instant> = group.iter().map(|(_, at)| *at).collect();
        let batch = batch.finish(Some(&at)).map_err(|error| too_large(&error))?;
        self.assess_columns(provider, batch, &|row| {
            group.get(row).map(|(one, _)| Named::from(*one)).unwrap_or_default()
        })
    }

    /// Assesses a batch that has the boundary's columns already, all of one provider. `named` gives what
    /// is said of a row's resource beside what rules read. What the provider itself states is not
    /// compared: the boundary has no column for it.
    ///
    /// # Errors
    /// Where the provider's adapter cannot be used or fails.
    pub fn assess_columns(
        &self,
        provider: &str,
        batch: StructArray,
        named: &dyn Fn(usize) -> Named,
    ) -> Result<Vec<Result<Answered, AssessError>>, AssessError> {
        let (adapter, session) = self.session(provider)?;
        let policy = self.engine.overlaid.get(provider).unwrap_or_else(|| adapter.policy());
        let malformed = |what: String| AssessError::Call(CallError::Malformed { provider: provider.to_owned(), what });
        let rows = batch.len();
        let answers = session.assess(batch)?;
        let answers = check_answers(provider, rows, session.clauses(), &answers)?;
        let mut out = Vec::with_capacity(rows);
        for row in 0..rows {
            let answer = answers.get(row).map_err(|error| malformed(error.to_string()))?;
            out.push(answer.map_err(AssessError::Refused).map(|answer| {
                let Named { account, resource, name, product } = named(row);
                Answered {
                    subject: Subject {
                        provider: provider.to_owned(),
                        zone: adapter.zone_of(Some(&answer.site)).unwrap_or(Zone::UTC),
                        site: answer.site,
                        edition: answer.edition,
                        account,
                        resource,
                        name,
                        product,
                        at: answer.at,
                    },
                    assessment: answer.assessment,
                    policy: Arc::clone(policy),
                    stated: Vec::new(),
                }
            }));
        }
        Ok(out)
    }
}

type Answer = Result<Answered, AssessError>;

fn too_large(error: &impl fmt::Display) -> AssessError {
    AssessError::Refused(error.to_string())
}

/// The places of resources by their providers, in the order in which these first come.
fn by_provider<'r>(resources: impl IntoIterator<Item = &'r ResourceRecord>) -> Vec<(&'r str, Vec<usize>)> {
    let mut groups: Vec<(&str, Vec<usize>)> = Vec::new();
    for (place, resource) in resources.into_iter().enumerate() {
        match groups.iter_mut().find(|(provider, _)| *provider == resource.provider) {
            Some((_, places)) => places.push(place),
            None => groups.push((&resource.provider, vec![place])),
        }
    }
    groups
}

/// Answers on their way back into the order of what was asked.
struct Slots(Vec<Option<Answer>>);

impl Slots {
    fn of(count: usize) -> Self {
        Self(std::iter::repeat_with(|| None).take(count).collect())
    }

    /// Puts the answers of a group where they belong; where it has none, its error stands for each.
    fn put(&mut self, places: Vec<usize>, answers: Result<Vec<Answer>, AssessError>) {
        let answers = answers.unwrap_or_else(|error| places.iter().map(|_| Err(error.clone())).collect());
        for (place, answer) in places.into_iter().zip(answers) {
            if let Some(slot) = self.0.get_mut(place) {
                *slot = Some(answer);
            }
        }
    }

    fn filled(self) -> Vec<Answer> {
        self.0.into_iter().flatten().collect()
    }
}
