//! Looks whether what stood behind references is still the same.

use std::{fmt, sync::Arc, time::Duration};

use super::fetch::{Fetcher, Wanted};
use crate::{Providers, Reference};

/// The references of a configuration that are to be retrieved again from time to time, and what
/// they yielded.
pub struct Refresh {
    every: Duration,
    held: Vec<Held>,
}

struct Held {
    reference: Reference,
    text: Arc<str>,
}

/// What came of a look.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refreshed {
    /// The references that yield something else now.
    pub changed: Vec<String>,
    /// What could not be found out, and what providers said besides.
    pub warnings: Vec<String>,
}

impl Refresh {
    pub(super) fn new(every: Duration) -> Self {
        Self { every, held: Vec::new() }
    }

    pub(super) fn add(&mut self, reference: Reference, text: &str, after: Duration) {
        self.every = self.every.min(after);
        self.held.push(Held { reference, text: text.into() });
    }

    /// The shortest time that one of the references asks for.
    #[must_use]
    pub fn every(&self) -> Duration {
        self.every
    }

    /// Retrieves the references again, all of them together, and compares. What can't be retrieved
    /// counts as unchanged. May be dropped at any point.
    pub async fn check(&self, providers: &Providers) -> Refreshed {
        providers.begin();
        let wanted =
            self.held.iter().map(|held| Wanted { reference: held.reference.clone(), at: None });
        let retrieved = Fetcher::new(providers).retrieve(wanted.collect()).await;
        let mut refreshed = Refreshed::default();
        for (Wanted { reference, .. }, outcome) in retrieved {
            match outcome {
                Ok(retrieved) => {
                    let held = self.held.iter().find(|held| held.reference == reference);
                    if held.is_none_or(|held| *held.text != *retrieved.text) {
                        refreshed.changed.push(reference.to_string());
                    }
                    refreshed.warnings.extend(retrieved.warnings);
                }
                Err(failure) => {
                    let help = failure.help.map_or(String::new(), |help| format!("; {help}"));
                    refreshed.warnings.push(format!("{}{help}", failure.message));
                }
            }
        }
        refreshed
    }
}

/// Without the texts.
impl fmt::Debug for Refresh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let references = self.held.iter().map(|held| &held.reference);
        f.debug_struct("Refresh")
            .field("every", &self.every)
            .field("references", &references.collect::<Vec<_>>())
            .finish()
    }
}
