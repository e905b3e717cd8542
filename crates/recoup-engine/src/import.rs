//! Files that are no portfolio: which provider printed them, and what they say.

use std::sync::Arc;

use recoup_core::import::Imported;
use recoup_plugin::host::LoadError;
use recoup_plugin::messages::FileText;
use recoup_plugin::{Adapter, CallError};

use crate::Engine;

/// What recoup can work with, for someone who has something else.
const NEEDED: &str = "recoup needs what was bought, not what it cost by the day: a portfolio, what the provider's own API or CLI lists of reservations, subscriptions or orders, or a FOCUS export";

/// Columns of a foreign table that are shown.
const SHOWN: usize = 6;

/// What is said of a file that no adapter recognises.
fn unrecognised(file: FileText, asked: Vec<String>) -> ImportError {
    let header = file.text.lines().next().unwrap_or_default().trim_start_matches('\u{feff}').trim();
    if file.json.is_some() || header.starts_with(['{', '[', '<']) || !header.contains([',', ';', '\t']) {
        return ImportError::Unrecognised { file: file.name, asked };
    }
    let names = header.split([',', ';', '\t']).map(|name| name.trim().trim_matches('"'));
    let folded = header.to_lowercase();
    let is_cost = ["cost", "price", "charge", "billing", "invoice", "amount"].iter().any(|word| folded.contains(word));
    let mut columns: Vec<String> = names.clone().take(SHOWN).map(|name| name.chars().take(60).collect()).collect();
    if names.count() > SHOWN {
        columns.push("...".to_owned());
    }
    ImportError::ForeignTable { file: file.name, columns, is_cost }
}

/// Files that no adapter, or more than one, takes for its own.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// No adapter recognises the file, which is a table.
    #[error(
        "{file}: CSV, but neither a portfolio, nor a FOCUS file, nor a payload that an installed adapter recognises; {} (first columns: {}). {NEEDED}",
        if *.is_cost { "it looks like a cost export" } else { "what its columns are is not known" },
        .columns.join(", ")
    )]
    ForeignTable {
        /// The file.
        file: String,
        /// Its first columns.
        columns: Vec<String>,
        /// Whether its columns are those of costs.
        is_cost: bool,
    },
    /// No adapter recognises the file.
    #[error("{file}: JSON or CSV, but neither a portfolio nor a payload that an installed adapter recognises ({})", .asked.join(", "))]
    Unrecognised {
        /// The file.
        file: String,
        /// The adapters that were asked.
        asked: Vec<String>,
    },
    /// Several adapters recognise the file.
    #[error("{file}: recognised by more than one adapter ({}); say which with --provider", .claimed_by.join(", "))]
    Ambiguous {
        /// The file.
        file: String,
        /// The adapters that recognise it.
        claimed_by: Vec<String>,
    },
    /// An adapter cannot be used.
    #[error("{0}")]
    Load(#[from] LoadError),
    /// An adapter failed.
    #[error("{0}")]
    Call(#[from] CallError),
}

/// What was read of one provider's files.
#[derive(Debug)]
pub struct ImportedFiles {
    /// The provider.
    pub provider: String,
    /// The files, for messages.
    pub files: Vec<String>,
    /// What was read.
    pub imported: Imported,
}

/// Asks the adapters whose files these are, and has each read its own, all together: several files of
/// one account are joined. `only` names the provider where a user said so.
#[must_use]
pub fn import(engine: &Engine, files: Vec<FileText>, only: Option<&str>) -> (Vec<ImportedFiles>, Vec<ImportError>) {
    let mut errors = Vec::new();
    let mut adapters: Vec<Arc<dyn Adapter>> = Vec::new();
    let providers: Vec<String> =
        engine.providers().into_iter().filter(|provider| only.is_none_or(|only| only == provider)).collect();
    // A library is opened only for files that bear a mark of its provider's payloads.
    let may_hold_one = |provider: &&String| files.iter().any(|file| engine.may_hold(provider, &file.text));
    for provider in providers.iter().filter(may_hold_one) {
        match engine.adapter(provider) {
            Ok(adapter) => adapters.push(adapter),
            Err(error) => errors.push(error.into()),
        }
    }
    let mut claims: Vec<Vec<usize>> = files.iter().map(|_| Vec::new()).collect();
    for (index, adapter) in adapters.iter().enumerate() {
        match adapter.recognise(&files) {
            Ok(answers) => {
                for (claim, _) in claims.iter_mut().zip(answers).filter(|(_, mine)| *mine) {
                    claim.push(index);
                }
            }
            Err(error) => errors.push(error.into()),
        }
    }
    let name = |index: &usize| adapters.get(*index).map(|adapter| adapter.provider().to_owned()).unwrap_or_default();
    let mut groups: Vec<(usize, Vec<FileText>)> = Vec::new();
    for (file, claim) in files.into_iter().zip(claims) {
        match claim.as_slice() {
            [] => errors.push(unrecognised(file, providers.clone())),
            [one] => match groups.iter_mut().find(|(index, _)| index == one) {
                Some((_, group)) => group.push(file),
                None => groups.push((*one, vec![file])),
            },
            several => {
                errors.push(ImportError::Ambiguous { file: file.name, claimed_by: several.iter().map(name).collect() });
            }
        }
    }
    let mut imported = Vec::new();
    for (index, group) in groups {
        let Some(adapter) = adapters.get(index) else { continue };
        match adapter.import(&group) {
            Ok(read) => imported.push(ImportedFiles {
                provider: adapter.provider().to_owned(),
                files: group.into_iter().map(|file| file.name).collect(),
                imported: read,
            }),
            Err(error) => errors.push(error.into()),
        }
    }
    (imported, errors)
}
