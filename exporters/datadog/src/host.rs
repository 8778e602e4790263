//! Host metadata: which hosts there are, for Datadog's list of hosts and their tags.
//!
//! Nothing is told before the first payload, and nothing of a host without a name: a function or a task is no host.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ::config::Retry;
use datadog::source::Source;
use exporter_helper::SendError;
use net::host::Host;
use pdata::Payload;
use pdata::view::{Attributes, Resource};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use crate::config::{Config, HostnameSource};
use crate::exporter::Shared;
use crate::intake::Endpoint;

mod metadata;

use metadata::Metadata;

/// The most hosts that are told about, should every payload name another one.
const HOSTS_MAX: usize = 100;

/// The hosts that payloads named.
pub(crate) struct Hosts {
    config: Arc<Config>,
    known: Mutex<Vec<Known>>,
    /// Counts the changes in what there is to tell.
    news: watch::Sender<u64>,
    /// Held by the one who tells. Each signal's exporter has a task for it, since any of them may end before the others.
    turn: tokio::sync::Mutex<()>,
}

/// A host that a payload named.
struct Known {
    name: String,
    body: Vec<u8>,
    /// Whether it was told about in this period.
    is_told: bool,
    /// Whether a payload named it in this period.
    is_named: bool,
}

impl Hosts {
    /// None so far.
    pub(crate) fn new(config: Arc<Config>) -> Self {
        Self {
            config,
            known: Mutex::default(),
            news: watch::Sender::new(0),
            turn: tokio::sync::Mutex::default(),
        }
    }

    /// Notes the host that a payload names, or the fallback host, which may be empty for none.
    pub(crate) fn note(&self, payload: &Payload, fallback_host: &str) {
        if !self.config.host_metadata.enabled {
            return;
        }
        let resource = match self.config.host_metadata.hostname_source {
            HostnameSource::ConfigOrSystem => None,
            HostnameSource::FirstResource => first_resource(payload).map(|first| first.attributes),
        };
        let named = match resource.as_ref().map(Source::of) {
            // A platform without hosts.
            Some(Some(Source::Serverless(_))) => return,
            Some(Some(Source::Host(name))) => Some(name).filter(|name| !name.is_empty()),
            Some(None) | None => None,
        };
        let (name, resource) = match named {
            Some(name) => (name, resource),
            None => (Cow::Borrowed(fallback_host), None),
        };
        if !name.is_empty() {
            self.add(&name, resource.as_ref());
        }
    }

    fn add(&self, name: &str, resource: Option<&Attributes<'_>>) {
        let mut known = self.lock();
        if let Some(host) = known.iter_mut().find(|host| host.name == name) {
            host.is_named = true;
            return;
        }
        if known.len() >= HOSTS_MAX {
            return;
        }
        let host = Metadata {
            name,
            socket_name: resource.is_none().then(|| Host::process().name.as_deref()).flatten(),
            tags: &self.config.host_metadata.tags,
            resource,
        };
        known.push(Known {
            name: name.to_owned(),
            body: host.to_json(),
            is_told: false,
            is_named: true,
        });
        drop(known);
        self.news.send_modify(|changes| *changes += 1);
    }

    /// A host that is to be told about.
    fn next(&self) -> Option<Vec<u8>> {
        let mut known = self.lock();
        let host = known.iter_mut().find(|host| !host.is_told)?;
        host.is_told = true;
        Some(host.body.clone())
    }

    /// Begins another period: the hosts that were named in the last one are told about again, others are forgotten.
    fn turn_over(&self) {
        let mut known = self.lock();
        // This machine is there for as long as the process is.
        let source = self.config.host_metadata.hostname_source;
        known.retain(|host| host.is_named || source == HostnameSource::ConfigOrSystem);
        for host in &mut *known {
            (host.is_told, host.is_named) = (false, false);
        }
    }

    /// The next host to tell about: one that was first named just now, or in every period one that was named in it. `next_period` is
    /// the caller's to keep, nothing at first.
    async fn due(&self, period: Duration, next_period: &mut Option<Instant>) -> Vec<u8> {
        let mut news = self.news.subscribe();
        loop {
            if let Some(body) = self.next() {
                let _first = next_period.get_or_insert_with(|| Instant::now() + period);
                return body;
            }
            let turn = async {
                match next_period {
                    Some(at) => sleep_until(*at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                // The sender is part of what is borrowed here, so this does not fail.
                _ = news.changed() => {}
                () = turn => {
                    *next_period = next_period.map(|at| at + period);
                    self.turn_over();
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells about hosts for as long as it is let run.
pub(crate) async fn report(shared: &Shared) {
    let period = shared.config.host_metadata.reporter_period;
    let _turn = shared.hosts.turn.lock().await;
    let mut next_period = None;
    loop {
        let body = shared.hosts.due(period, &mut next_period).await;
        tell(shared, body).await;
    }
}

/// Sends what there is to tell of a host, again if need be.
async fn tell(shared: &Shared, body: Vec<u8>) {
    // Compressing on memory does not fail.
    let Ok(request) = shared.intake.request(Endpoint::HostMetadata, body) else { return };
    let begun = Instant::now();
    let mut tries = Tries::new(shared.config.helper.retry.as_ref());
    loop {
        let Err(error) = shared.intake.send(&request).await else {
            return tracing::debug!("Datadog took the host metadata.");
        };
        let Some(wait) = tries.wait_after(&error, begun.elapsed()) else {
            return tracing::warn!(
                error = error.reason().as_str(),
                "Host metadata was not taken. The host may be missing from Datadog's list until the next time; telemetry is not affected."
            );
        };
        sleep(wait).await;
    }
}

/// When a failed request is sent again, as `retry_on_failure` says.
struct Tries<'a> {
    retry: Option<&'a Retry>,
    interval: Duration,
}

impl<'a> Tries<'a> {
    fn new(retry: Option<&'a Retry>) -> Self {
        Self { retry, interval: retry.map_or(Duration::ZERO, |retry| retry.initial_interval) }
    }

    /// How long to wait before the next try; nothing when there is none.
    fn wait_after(&mut self, error: &SendError, elapsed: Duration) -> Option<Duration> {
        let retry = self.retry?;
        let SendError::Retryable { delay, .. } = error else { return None };
        let wait = self.interval.max(delay.unwrap_or_default());
        if retry.max_elapsed_time.is_some_and(|max| elapsed + wait > max) {
            return None;
        }
        self.interval = self.interval.mul_f64(retry.multiplier.max(1.0)).min(retry.max_interval);
        Some(wait)
    }
}

fn first_resource(payload: &Payload) -> Option<Resource<'_>> {
    let spans = payload.resource_spans().map(|group| group.resource);
    let metrics = payload.resource_metrics().map(|group| group.resource);
    let logs = payload.resource_logs().map(|group| group.resource);
    spans.chain(metrics).chain(logs).next()
}

#[cfg(test)]
mod tests;
