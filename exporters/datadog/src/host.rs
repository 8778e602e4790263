//! Host metadata: which hosts there are, for Datadog's list of hosts and their tags.
//!
//! Nothing is told before the first payload, and nothing of a host without a name: a function or a task is no host.

use std::borrow::Cow;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

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
    is_on: bool,
    source: HostnameSource,
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
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            is_on: config.host_metadata.enabled,
            source: config.host_metadata.hostname_source,
            known: Mutex::default(),
            news: watch::Sender::new(0),
            turn: tokio::sync::Mutex::default(),
        }
    }

    /// Notes the host that a payload names.
    pub(crate) fn note(&self, payload: &Payload, shared: &Shared) {
        if !self.is_on {
            return;
        }
        let resource = match self.source {
            HostnameSource::ConfigOrSystem => None,
            HostnameSource::FirstResource => first_resource(payload).map(|first| first.attributes),
        };
        let fallback = shared.fallback_host();
        let named = match resource.as_ref().map(Source::of) {
            // A platform without hosts.
            Some(Some(Source::Serverless(_))) => return,
            Some(Some(Source::Host(name))) => Some(name),
            Some(None) | None => None,
        };
        let (name, resource) = match named {
            Some(name) => (name, resource),
            None => (Cow::Borrowed(fallback), None),
        };
        if !name.is_empty() {
            self.add(&name, resource.as_ref(), shared);
        }
    }

    fn add(&self, name: &str, resource: Option<&Attributes<'_>>, shared: &Shared) {
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
            tags: &shared.config.host_metadata.tags,
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
        let stays = self.source == HostnameSource::ConfigOrSystem;
        known.retain(|host| host.is_named || stays);
        for host in &mut *known {
            (host.is_told, host.is_named) = (false, false);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells about hosts for as long as it is let run.
pub(crate) async fn report(shared: &Shared) {
    let hosts = &shared.hosts;
    let period = shared.config.host_metadata.reporter_period;
    let _turn = hosts.turn.lock().await;
    let mut news = hosts.news.subscribe();
    let mut is_first = true;
    let mut next_period = Instant::now();
    loop {
        news.mark_unchanged();
        while let Some(body) = hosts.next() {
            if std::mem::take(&mut is_first) {
                next_period = Instant::now() + period;
            }
            tell(shared, body).await;
        }
        tokio::select! {
            // The sender is part of what is borrowed here, so this does not fail.
            _ = news.changed() => {}
            () = sleep_until(next_period), if !is_first => {
                next_period += period;
                hosts.turn_over();
            }
        }
    }
}

/// Tells about a host, again if need be.
async fn tell(shared: &Shared, body: Vec<u8>) {
    let Ok(request) = shared.intake.request(Endpoint::HostMetadata, body) else { return };
    let begun = Instant::now();
    let retry = shared.config.helper.retry.as_ref();
    let mut wait = retry.map_or(Duration::ZERO, |retry| retry.initial_interval);
    loop {
        let Err(error) = shared.intake.send(&request).await else {
            return tracing::debug!("Datadog took the host metadata.");
        };
        let again = retry.filter(|_| error.is_retryable());
        let until = begun.elapsed() + wait;
        let Some(retry) =
            again.filter(|retry| retry.max_elapsed_time.is_none_or(|limit| until < limit))
        else {
            return tracing::warn!(
                error = error.reason().as_str(),
                "Host metadata was not taken, so this host may be missing from Datadog's list until the next time; telemetry is not affected."
            );
        };
        let asked = match error {
            SendError::Retryable { delay, .. } => delay.unwrap_or_default(),
            _ => Duration::ZERO,
        };
        sleep(wait.max(asked)).await;
        wait = wait.mul_f64(retry.multiplier.max(1.0)).min(retry.max_interval);
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
