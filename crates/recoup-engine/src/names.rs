//! Which adapter serves a provider that a cost export calls by one of its names for people.

use std::collections::BTreeMap;

use crate::Engine;

/// Words that companies hang on their names.
const LEGAL_FORMS: &[&str] =
    &["inc", "llc", "ltd", "limited", "corp", "corporation", "co", "company", "gmbh", "sas", "sarl", "sa", "bv", "plc"];

/// The words of a name, as they are compared: without letter case, punctuation and legal form.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> =
        name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase).collect();
    while words.len() > 1 && words.last().is_some_and(|word| LEGAL_FORMS.contains(&word.as_str())) {
        words.pop();
    }
    words
}

/// The names of the providers that are served, for looking up the one that is meant.
#[derive(Debug, Clone, Default)]
pub struct Names {
    names: Vec<(Vec<String>, String)>,
}

impl Names {
    /// The names that the adapters' policies give: the provider's short name, its title, its aliases. No
    /// library is opened whose manifest says them.
    #[must_use]
    pub fn of(engine: &Engine) -> Self {
        let mut names = Self::default();
        for provider in engine.providers() {
            engine.names_of(&provider).iter().for_each(|name| names.add(name, &provider));
        }
        names
    }

    fn add(&mut self, name: &str, provider: &str) {
        let words = words(name);
        if !words.is_empty() {
            self.names.push((words, provider.to_owned()));
        }
    }

    /// The provider that is meant: the one with the longest name with which this name begins, so that
    /// a provider's subsidiaries are understood too. None where no or more than one provider is meant.
    ///
    /// ```
    /// assert!(recoup_engine::names::Names::default().provider("Example Cloud, Inc.").is_none());
    /// ```
    #[must_use]
    pub fn provider(&self, name: &str) -> Option<String> {
        let wanted = words(name);
        let mut meant: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
        for (name, provider) in self.names.iter().filter(|(name, _)| wanted.starts_with(name)) {
            let providers = meant.entry(name.len()).or_default();
            if !providers.contains(&provider.as_str()) {
                providers.push(provider);
            }
        }
        match meant.into_iter().next_back()?.1.as_slice() {
            [one] => Some((*one).to_owned()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_for_people_lead_to_the_adapter() {
        let mut names = Names::default();
        for (name, provider) in [
            ("acme", "acme"),
            ("Acme Cloud", "acme"),
            ("acme-partner", "acme-partner"),
            ("Both", "acme"),
            ("both", "other"),
        ] {
            names.add(name, provider);
        }
        for (name, expected) in [
            ("Acme", Some("acme")),
            ("ACME CLOUD", Some("acme")),
            ("Acme, Inc.", Some("acme")),
            ("Acme Cloud EMEA SARL", Some("acme")),
            ("Acme Partner Center", Some("acme-partner")),
            ("acmex", None),
            ("Both", None),
            ("", None),
        ] {
            assert_eq!(names.provider(name).as_deref(), expected, "{name}");
        }
    }
}
