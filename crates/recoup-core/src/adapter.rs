//! What an adapter implements ([`Provider`]), and the rules made ready for use in one process ([`Rules`]).
//! What a host calls, linked or loaded, is in `recoup-plugin`.

use serde_json::Value;

use crate::assessment::{Assessment, Subject, to_json};
use crate::context::{Context, ContextError, Place, Ready, Run};
use crate::import::{ImportFile, Imported};
use crate::policy::{Policy, PolicyError, ProductId, Rulebook};
use crate::record::{AccountRecord, Faults, ResourceRecord};
use crate::resource::Resource;
use crate::time::Zone;
use crate::vocab::Exit;

/// A provider's rules, as an adapter crate implements them. Everything is pure: the same input gives
/// the same answer, there is no clock and no I/O.
pub trait Provider: Default + Send + Sync + 'static {
    /// The policy, as `recoup-policy` wrote it from the adapter's `policy/*.toml`.
    const POLICY: &'static str;

    /// The provider's own order of preference among exits with equal outcome and refund.
    const PREFERENCE: &'static [Exit] = &[];

    /// Rules on every exit that applies to the resource.
    fn assess<R: Resource>(resource: &R, cx: &Context<'_>, out: &mut Assessment);

    /// Whether a file looks like something that this provider's API or CLI prints. Only the content
    /// counts, not the name.
    fn recognises(_file: &ImportFile<'_>) -> bool {
        false
    }

    /// Reads what this provider's API or CLI printed, all files of one run together, into records.
    fn import(_files: &[ImportFile<'_>]) -> Imported {
        Imported::default()
    }
}

/// Something that an adapter could not do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AdapterError {
    /// Its own policy contradicts itself.
    #[error("the policy of the adapter is malformed: {0}")]
    Policy(String),
    /// The resource cannot be read.
    #[error("{0}")]
    Record(#[from] Faults),
    /// The resource names something that the rules do not know.
    #[error("{0}")]
    Context(#[from] ContextError),
}

impl From<PolicyError> for AdapterError {
    fn from(error: PolicyError) -> Self {
        Self::Policy(error.to_string())
    }
}

/// A provider's rules, ready for use in this process.
#[derive(Debug)]
pub struct Rules<P> {
    book: Rulebook,
    provider: std::marker::PhantomData<P>,
}

impl<P: Provider> Rules<P> {
    /// Makes the provider's policy ready.
    ///
    /// # Errors
    /// Where the policy is malformed or contradicts itself; a test of every adapter shows that it does
    /// not.
    pub fn load() -> Result<Self, AdapterError> {
        Self::with_policy(Self::policy()?)
    }

    /// The provider's policy as published, before it is made ready.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn policy() -> Result<Policy, AdapterError> {
        serde_json::from_str(P::POLICY).map_err(|error| AdapterError::Policy(error.to_string()))
    }

    /// Makes a policy ready: the provider's own, with overlays.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn with_policy(policy: Policy) -> Result<Self, AdapterError> {
        Ok(Self { book: Rulebook::new(policy)?, provider: std::marker::PhantomData })
    }

    /// The rulebook.
    #[must_use]
    pub fn book(&self) -> &Rulebook {
        &self.book
    }

    /// The zone of a site, for reading bare dates.
    #[must_use]
    pub fn zone_of(&self, site: Option<&str>) -> Option<Zone> {
        self.book.site(site).map(|site| site.zone)
    }

    /// Rules on a resource, into memory that is used again. Gives the context in which it was ruled.
    ///
    /// # Errors
    /// Where the resource names a site that does not exist.
    pub fn assess<'a, R: Resource>(
        &'a self,
        run: &'a Run,
        at: Option<crate::time::Instant>,
        resource: &R,
        out: &mut Assessment,
    ) -> Result<Context<'a>, ContextError> {
        out.clear();
        let cx = Context::new(&self.book, run, at, resource)?;
        P::assess(resource, &cx, out);
        out.finish(&cx, P::PREFERENCE);
        Ok(cx)
    }

    /// Makes a run ready for these rules.
    #[must_use]
    pub fn ready<'a>(&'a self, run: &'a Run) -> Ready<'a> {
        Ready::new(&self.book, run)
    }

    /// As [`assess`](Self::assess) for one of many resources of a run, whose place and product were looked up
    /// for all of them. The rulings are ranked, but stay where they were ruled.
    #[inline]
    pub fn assess_in<R: Resource>(
        &self,
        ready: &Ready<'_>,
        place: Place<'_>,
        product: Option<ProductId>,
        resource: &R,
        out: &mut Assessment,
    ) {
        out.clear();
        let cx = ready.context_in(place, product, resource);
        P::assess(resource, &cx, out);
        out.rank(&cx, P::PREFERENCE);
    }

    /// Rules on an owned record.
    ///
    /// # Errors
    /// Where the resource names a site that does not exist.
    pub fn assess_record(&self, run: &Run, resource: &ResourceRecord) -> Result<(Subject, Assessment), ContextError> {
        let mut out = Assessment::default();
        let cx = self.assess(run, None, resource, &mut out)?;
        let subject = Subject {
            provider: resource.provider.clone(),
            site: cx.site().to_owned(),
            edition: cx.edition().map(str::to_owned),
            account: resource.account.clone(),
            resource: resource.id.clone(),
            name: resource.name.clone(),
            product: resource.product.clone(),
            at: cx.at,
            zone: cx.zone,
        };
        Ok((subject, out))
    }

    /// Reads a resource from JSON, rules on it and writes the assessment as JSON.
    ///
    /// # Errors
    /// Where the resource cannot be read or names something that does not exist.
    pub fn assess_json(&self, run: &Run, resource: &Value) -> Result<Value, AdapterError> {
        let record = ResourceRecord::from_json(resource, &|_, site| self.zone_of(site))?.record;
        let (subject, assessment) = self.assess_record(run, &record)?;
        Ok(to_json(&subject, &assessment, self.book.policy()))
    }

    /// Reads an account from JSON.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn account(&self, account: &Value) -> Result<AccountRecord, Faults> {
        Ok(AccountRecord::from_json(account, &|_, site| self.zone_of(site))?.record)
    }
}
