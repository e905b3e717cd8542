//! Overlays and the config file: which files there are, and what is wrong in them, by line.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use recoup_core::overlay::{Overlay, Place};
use recoup_engine::{AddOverlayError, Engine};
use serde::Deserialize;
use toml::de::{DeTable, DeValue};

use crate::cli::Setup;
use crate::host::Failure;

/// The config file that is read without being named, in the current directory.
const CONFIG: &str = "recoup.toml";

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    #[serde(default)]
    overlays: Vec<PathBuf>,
    #[serde(default)]
    plugins: Option<PathBuf>,
}

/// What the command line and the config file name together.
#[derive(Debug, Default)]
pub(crate) struct Named {
    pub(crate) plugins: Option<PathBuf>,
    pub(crate) overlays: Vec<PathBuf>,
}

/// The line of a byte of a text, counted from 1.
fn line_of(text: &str, byte: usize) -> usize {
    text.bytes().take(byte).filter(|byte| *byte == b'\n').count() + 1
}

fn at_line(file: &Path, line: usize, what: impl std::fmt::Display) -> Failure {
    Failure::usage(format_args!("{}:{line}: {what}", file.display()))
}

fn read<T: serde::de::DeserializeOwned>(file: &Path, text: &str) -> Result<T, Failure> {
    toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_of(text, span.start));
        // TOML has numbers and dates of its own; here both are texts, read exactly as they are written.
        let hint = if error.message().ends_with("expected a string") { ": write it in quotes" } else { "" };
        at_line(file, line, format_args!("{}{hint}", error.message().replace('\n', ", ")))
    })
}

/// What is named in the config file and on the command line, whose folder of adapters wins and whose
/// overlays go over those of the file.
pub(crate) fn named(setup: &Setup) -> Result<Named, Failure> {
    let mut named = Named::default();
    let file = setup.config.as_deref().unwrap_or(Path::new(CONFIG));
    match fs::read_to_string(file) {
        Ok(text) => {
            let config: Config = read(file, &text)?;
            // Paths in a file are meant from where the file stands.
            let here = |path: PathBuf| file.parent().map_or_else(|| path.clone(), |folder| folder.join(&path));
            if config.plugins.is_some() && setup.config.is_none() {
                // An adapter is code. A folder that somebody else filled must not bring its own merely
                // because the program was started there.
                let line =
                    text.lines().position(|line| line.trim_start().starts_with("plugins")).map_or(1, |at| at + 1);
                let what = format!(
                    "\"plugins\" is taken only from a file that is named: run with --config {CONFIG} or --plugins DIR"
                );
                return Err(at_line(file, line, what));
            }
            named.plugins = config.plugins.map(here);
            named.overlays.extend(config.overlays.into_iter().map(here));
        }
        Err(error) if setup.config.is_none() && error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(Failure::usage(format_args!("{}: {error}", file.display()))),
    }
    if setup.plugins.is_some() {
        named.plugins.clone_from(&setup.plugins);
    }
    named.overlays.extend(setup.overlay.iter().cloned());
    Ok(named)
}

/// The line of a place in a TOML text: that of the deepest part of the way that is there.
fn line_of_place(text: &str, place: &[Place]) -> usize {
    let Ok(table) = DeTable::parse(text) else { return 1 };
    let mut byte = 0;
    let mut value: Option<&DeValue<'_>> = None;
    for step in place {
        let next = match (step, value) {
            (Place::Key(name), None) => table.get_ref().get(*name),
            (Place::Key(name), Some(value)) => value.as_table().and_then(|table| table.get(*name)),
            (Place::Item(index), Some(value)) => value.as_array().and_then(|items| items.get(*index)),
            (Place::Item(_), None) => None,
        };
        let Some(next) = next else { break };
        // A list of tables has the place of its first one; an item's own place is more exact.
        byte = next.span().start;
        value = Some(next.get_ref());
    }
    line_of(text, byte)
}

/// Puts overlays over the policies of the adapters, in the order in which they are named.
pub(crate) fn add(engine: &mut Engine, files: &[PathBuf]) -> Result<(), Failure> {
    for file in files {
        let text =
            fs::read_to_string(file).map_err(|error| Failure::usage(format_args!("{}: {error}", file.display())))?;
        let overlay: Overlay = read(file, &text)?;
        engine.add_overlay(&overlay).map_err(|error| {
            let place = match &error {
                AddOverlayError::Load(_) => vec![Place::Key("provider")],
                AddOverlayError::Overlay(error) => error.place.clone(),
            };
            at_line(file, line_of_place(&text, &place), error)
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_the_line_of_its_deepest_part() {
        let text = "provider = \"a\"\n\n[[table]]\nid = \"t\"\nrows = [\n  { key = [1], value = \"1\" },\n  { key = [2],\n    value = \"2\" },\n]\n\n[[table]]\nid = \"u\"\n[[table.rows]]\nkey = [1]\n[[table.rows]]\nkey = [2]\n";
        for (place, line) in [
            (vec![], 1),
            (vec![Place::Key("provider")], 1),
            (vec![Place::Key("table"), Place::Item(0), Place::Key("id")], 4),
            (vec![Place::Key("table"), Place::Item(0), Place::Key("rows"), Place::Item(1)], 7),
            (vec![Place::Key("table"), Place::Item(0), Place::Key("rows"), Place::Item(1), Place::Key("value")], 8),
            (vec![Place::Key("table"), Place::Item(1), Place::Key("rows"), Place::Item(1), Place::Key("sites")], 15),
            (vec![Place::Key("table"), Place::Item(1)], 11),
        ] {
            assert_eq!(line_of_place(text, &place), line, "{place:?}");
        }
    }
}
