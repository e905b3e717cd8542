//! What a host calls, whether an adapter is linked in or loaded: [`Adapter`] and [`Session`].

use std::sync::Arc;

use arrow_array::StructArray;
use recoup_core::adapter::{AdapterError, Provider, Rules};
use recoup_core::assessment::Assessment;
use recoup_core::context::{ContextError, Place, Ready, Run};
use recoup_core::import::{Imported, may_hold};
use recoup_core::policy::{Policy, ProductId};
use recoup_core::time::Zone;

use crate::answers::Answers;
use crate::messages::FileText;
use crate::rows::{Rows, SchemaError};
use crate::writer::AnswerWriter;

/// Something that an adapter could not do, or did wrongly.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The adapter says so.
    #[error("the adapter {provider} failed: {message}")]
    Failed {
        /// The provider.
        provider: String,
        /// What it says.
        message: String,
    },
    /// The adapter panicked and answers nothing more.
    #[error("the adapter {provider} panicked and is not used any more: {message}")]
    Poisoned {
        /// The provider.
        provider: String,
        /// What it says.
        message: String,
    },
    /// The adapter gave something that the boundary does not allow.
    #[error("the adapter {provider} does not keep to the boundary: {what}")]
    Malformed {
        /// The provider.
        provider: String,
        /// What is wrong.
        what: String,
    },
    /// The batch is malformed.
    #[error("the batch of resources is malformed: {0}")]
    Batch(#[from] SchemaError),
}

/// An adapter in use.
pub trait Adapter: Send + Sync {
    /// The provider's name in portfolios.
    fn provider(&self) -> &str;

    /// The provider's policy, as published.
    fn policy(&self) -> &Arc<Policy>;

    /// Where the adapter comes from, for people.
    fn origin(&self) -> String;

    /// Opens a session for a run. `policy` replaces the adapter's own, for overlays.
    ///
    /// # Errors
    /// Where the run or the policy is not understood.
    fn open(&self, run: &Run, policy: Option<&Policy>) -> Result<Box<dyn Session>, CallError>;

    /// Which of the files this provider's API or CLI printed.
    ///
    /// # Errors
    /// Where the adapter fails.
    fn recognise(&self, files: &[FileText]) -> Result<Vec<bool>, CallError>;

    /// Reads such files into records.
    ///
    /// # Errors
    /// Where the adapter fails.
    fn import(&self, files: &[FileText]) -> Result<Imported, CallError>;

    /// Whether a file bears a mark of the provider's payloads; no other is recognised.
    fn may_hold(&self, file: &FileText) -> bool {
        may_hold(self.policy().marks.as_deref(), &file.text)
    }

    /// The time zone of a site.
    fn zone_of(&self, site: Option<&str>) -> Option<Zone> {
        self.policy().site(site).map(|site| site.zone)
    }
}

/// A run on its way through an adapter. May be used from several threads at once.
pub trait Session: Send + Sync {
    /// Assesses a batch: one row out for each row in, in the same order, as
    /// [`Answers`] reads it.
    ///
    /// # Errors
    /// Where the batch is malformed or the adapter fails.
    fn assess(&self, resources: StructArray) -> Result<StructArray, CallError>;

    /// How many clauses the policy of the session has.
    fn clauses(&self) -> usize;
}

/// Checks a batch of assessments against the batch of resources it answers.
///
/// # Errors
/// Where the counts differ or the columns are not those of the boundary.
pub fn check_answers<'a>(
    provider: &str,
    resources: usize,
    clauses: usize,
    answers: &'a StructArray,
) -> Result<Answers<'a>, CallError> {
    let malformed = |what: String| CallError::Malformed { provider: provider.to_owned(), what };
    if answers.len_rows() != resources {
        return Err(malformed(format!(
            "it was asked about {resources} resources and answered about {}",
            answers.len_rows()
        )));
    }
    Answers::new(answers, clauses).map_err(|error| malformed(error.to_string()))
}

trait LenRows {
    fn len_rows(&self) -> usize;
}

impl LenRows for StructArray {
    fn len_rows(&self) -> usize {
        arrow_array::Array::len(self)
    }
}

/// Where the resources of a batch belong, each site, account and product looked up once.
struct Whereabouts<'a, 'b> {
    ready: &'b Ready<'a>,
    rows: &'b Rows<'b>,
    /// By site and account, with their numbers among the answers.
    places: Vec<Option<(Place<'a>, u32)>>,
    products: Vec<Option<ProductId>>,
}

impl<'a, 'b> Whereabouts<'a, 'b> {
    fn of(ready: &'b Ready<'a>, rows: &'b Rows<'b>) -> Self {
        let products = rows.products.distinct().map(|name| ready.product(name.unwrap_or_default())).collect();
        let pairs = rows.sites.distinct().len().saturating_mul(rows.accounts.distinct().len());
        // With as many accounts as resources there is nothing to be kept.
        let places = vec![None; if pairs <= rows.len().saturating_mul(2) { pairs } else { 0 }];
        Self { ready, rows, places, products }
    }

    #[inline]
    fn place(&mut self, index: usize, writer: &mut AnswerWriter<'a>) -> Result<(Place<'a>, u32), ContextError> {
        let (sites, accounts) = (&self.rows.sites, &self.rows.accounts);
        let pair = sites.number(index) * accounts.distinct().len() + accounts.number(index);
        match self.places.get(pair) {
            Some(Some(place)) if self.rows.at(index).is_none() => Ok(*place),
            _ => self.look_up(index, pair, writer),
        }
    }

    #[inline(never)]
    fn look_up(
        &mut self,
        index: usize,
        pair: usize,
        writer: &mut AnswerWriter<'a>,
    ) -> Result<(Place<'a>, u32), ContextError> {
        let at = self.rows.at(index);
        let place = self.ready.place(at, self.rows.sites.get(index), self.rows.accounts.get(index))?;
        let place = (place, writer.place(&place));
        if let (Some(kept), None) = (self.places.get_mut(pair), at) {
            *kept = Some(place);
        }
        Ok(place)
    }

    #[inline]
    fn product(&self, index: usize) -> Option<ProductId> {
        self.products.get(self.rows.products.number(index)).copied().flatten()
    }
}

/// Runs rules over a batch. What both a linked and an exported adapter do.
pub(crate) fn assess_batch<P: Provider>(
    rules: &Rules<P>,
    run: &Run,
    resources: &StructArray,
) -> Result<StructArray, CallError> {
    let rows = Rows::new(resources)?;
    let mut writer = AnswerWriter::with_room_for(rows.len());
    let mut assessment = Assessment::default();
    let ready = rules.ready(run);
    let mut whereabouts = Whereabouts::of(&ready, &rows);
    for index in 0..rows.len() {
        match whereabouts.place(index, &mut writer) {
            Ok((place, number)) => {
                rules.assess_in(&ready, place, whereabouts.product(index), &rows.row(index), &mut assessment);
                writer.push(number, place.at(), &assessment);
            }
            Err(error) => writer.push_error(&error.to_string()),
        }
    }
    writer.finish().map_err(|error| CallError::Failed {
        provider: rules.book().policy().provider.clone(),
        message: error.to_string(),
    })
}

/// An adapter that is linked in.
#[derive(Debug)]
pub struct Linked<P> {
    rules: Arc<Rules<P>>,
    policy: Arc<Policy>,
}

impl<P: Provider> Linked<P> {
    /// Makes the adapter ready.
    ///
    /// # Errors
    /// Where its policy is malformed.
    pub fn new() -> Result<Self, AdapterError> {
        let rules = Rules::load()?;
        let policy = Arc::new(rules.book().policy().clone());
        Ok(Self { rules: Arc::new(rules), policy })
    }
}

struct LinkedSession<P> {
    rules: Arc<Rules<P>>,
    run: Run,
}

impl<P: Provider> Session for LinkedSession<P> {
    fn assess(&self, resources: StructArray) -> Result<StructArray, CallError> {
        assess_batch(&self.rules, &self.run, &resources)
    }

    fn clauses(&self) -> usize {
        self.rules.book().policy().clauses.len()
    }
}

impl<P: Provider> Adapter for Linked<P> {
    fn provider(&self) -> &str {
        &self.policy.provider
    }

    fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }

    fn origin(&self) -> String {
        "linked in".to_owned()
    }

    fn open(&self, run: &Run, policy: Option<&Policy>) -> Result<Box<dyn Session>, CallError> {
        let rules = match policy {
            None => Arc::clone(&self.rules),
            Some(policy) => Arc::new(Rules::with_policy(policy.clone()).map_err(|error| CallError::Failed {
                provider: self.policy.provider.clone(),
                message: error.to_string(),
            })?),
        };
        Ok(Box::new(LinkedSession { rules, run: run.clone() }))
    }

    fn recognise(&self, files: &[FileText]) -> Result<Vec<bool>, CallError> {
        Ok(files.iter().map(|file| self.may_hold(file) && P::recognises(&file.view())).collect())
    }

    fn import(&self, files: &[FileText]) -> Result<Imported, CallError> {
        let views: Vec<_> = files.iter().map(FileText::view).collect();
        Ok(P::import(&views))
    }
}
