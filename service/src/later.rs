//! Stands in for the providers that need the network, to see how far a config goes without them.

use std::sync::{Arc, Mutex, PoisonError};

use confmap::{BoxFuture, Provider, ProviderError, Providers, Reference, Retrieved};

/// What stands in the place of a value that has not been fetched.
pub(crate) const PLACEHOLDER: &str = "not-fetched-yet";

/// A provider that fetches nothing and remembers that it was asked.
pub(crate) struct Later {
    scheme: &'static str,
    missing: Missing,
}

/// What is missing, as errors name it. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Missing(Arc<Mutex<Vec<String>>>);

impl Later {
    /// `local`, with a stand-in for every provider that only `all` has.
    pub(crate) fn instead_of(all: &Providers, local: Providers) -> (Providers, Missing) {
        let missing = Missing::default();
        let known = local.schemes();
        let remote = all.schemes().into_iter().filter(|scheme| !known.contains(scheme));
        let providers = remote.fold(local, |providers, scheme| {
            providers.with(Later { scheme, missing: missing.clone() })
        });
        (providers, missing)
    }
}

impl Missing {
    /// The references that were left for later, in the order in which they were asked for.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn note(&self, references: &[Reference]) {
        let mut missing = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        missing.extend(references.iter().map(Reference::to_string));
    }
}

impl Provider for Later {
    fn scheme(&self) -> &'static str {
        self.scheme
    }

    fn retrieve<'a>(
        &'a self,
        references: &'a [Reference],
    ) -> BoxFuture<'a, Vec<Result<Retrieved, ProviderError>>> {
        self.missing.note(references);
        let placeholders = references.iter().map(|_| Ok(Retrieved::string(PLACEHOLDER)));
        Box::pin(std::future::ready(placeholders.collect()))
    }
}
