//! Stands in for the providers that need the network, to see how far a config goes without them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use confmap::{BoxFuture, Provider, ProviderError, Providers, Reference, Retrieved};

/// What stands in the place of a value that has not been fetched.
const PLACEHOLDER: &str = "not-fetched-yet";

/// A provider that fetches nothing and remembers that it was asked.
pub(crate) struct Later {
    scheme: &'static str,
    missing: Missing,
}

/// Whether anything is missing. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Missing(Arc<AtomicBool>);

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
    /// Whether a reference was left for later.
    pub(crate) fn is_any(&self) -> bool {
        self.0.load(Ordering::Relaxed)
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
        self.missing.0.store(true, Ordering::Relaxed);
        let placeholders = references.iter().map(|_| Ok(Retrieved::string(PLACEHOLDER)));
        Box::pin(std::future::ready(placeholders.collect()))
    }
}
