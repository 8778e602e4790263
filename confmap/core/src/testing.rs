//! What the tests of several modules share.

use std::{
    collections::HashMap,
    ffi::OsString,
    future::Future,
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, Waker},
};

use crate::{
    BoxFuture, Diagnostics, Provider, ProviderError, Providers, Reference, ResolveOptions,
    Resolved, Retrieved, resolve,
};

/// Runs a future whose waits are all over at the next poll.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..10_000 {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
    }
    panic!("the future did not become ready within 10000 polls");
}

/// `file`, `yaml`, and `env` with the given variables.
pub(crate) fn providers(env: &[(&str, &str)]) -> Providers {
    let env: HashMap<String, OsString> =
        env.iter().map(|(name, value)| ((*name).to_owned(), value.into())).collect();
    Providers::local(move |name| env.get(name).cloned())
}

/// Resolves YAML given as one location, with `env` as the default scheme.
pub(crate) fn resolve_yaml(yaml: &str, env: &[(&str, &str)]) -> Result<Resolved, Diagnostics> {
    resolve_with(&[&format!("yaml:{yaml}")], &[], &providers(env), Some("env"))
}

pub(crate) fn resolve_with(
    locations: &[&str],
    sets: &[&str],
    providers: &Providers,
    default_scheme: Option<&'static str>,
) -> Result<Resolved, Diagnostics> {
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let options = ResolveOptions { default_scheme };
    block_on(resolve(&owned(locations), &owned(sets), providers, options))
}

/// A provider with fixed answers that notes what it was asked for, and that is ready only after
/// it was polled a few times.
pub(crate) struct Fake {
    scheme: &'static str,
    answer: Box<Answer>,
    log: Log,
}

type Answer = dyn Fn(&str) -> Result<Retrieved, ProviderError> + Send + Sync;

/// The sets of references that providers were asked for, and the moments they were polled at.
pub(crate) type Log = Arc<Mutex<Vec<String>>>;

impl Fake {
    pub(crate) fn new(
        scheme: &'static str,
        log: &Log,
        answer: impl Fn(&str) -> Result<Retrieved, ProviderError> + Send + Sync + 'static,
    ) -> Self {
        Self { scheme, answer: Box::new(answer), log: log.clone() }
    }

    fn note(&self, entry: String) {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
    }
}

impl Provider for Fake {
    fn scheme(&self) -> &'static str {
        self.scheme
    }

    fn retrieve<'a>(
        &'a self,
        references: &'a [Reference],
    ) -> BoxFuture<'a, Vec<Result<Retrieved, ProviderError>>> {
        Box::pin(async move {
            let asked: Vec<&str> = references.iter().map(Reference::opaque).collect();
            self.note(format!("{}? {}", self.scheme, asked.join(" ")));
            let mut polls = 0;
            std::future::poll_fn(|context| {
                polls += 1;
                context.waker().wake_by_ref();
                if polls > 2 { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
            self.note(format!("{}!", self.scheme));
            asked.into_iter().map(|opaque| (self.answer)(opaque)).collect()
        })
    }
}

pub(crate) fn entries(log: &Log) -> Vec<String> {
    log.lock().unwrap_or_else(PoisonError::into_inner).clone()
}
