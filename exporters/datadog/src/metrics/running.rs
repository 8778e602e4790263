//! The metric by which Datadog sees that its exporter runs, and where.

use std::collections::BTreeSet;

use datadog::source::{Platform, Source};

use super::outbox::{Carries, Outbox};
use super::tags::TagList;
use super::wire::{Head, Sample, Type, put_series};

/// The name upstream gives it, so that it is counted as the exporter that it stands for.
const NAME: &str = "otel.datadog_exporter.metrics.running";
/// The name of the same for tasks on Fargate.
const NAME_ON_FARGATE: &str = "otel.datadog_exporter.metrics.running.fargate";
/// How long hosts that were told of are not told of again, in seconds. Upstream tells of them with each request.
const SILENCE: u64 = 10;
/// How many hosts and tasks are told of in that time.
const SOURCES_MAX: usize = 10_000;

/// Hosts and tasks whose metrics were sent lately.
#[derive(Debug, Default)]
pub(crate) struct Running {
    /// When it was last told of any, in seconds since 1970.
    since: u64,
    hosts: Told,
    /// Tasks on Fargate, by their ARNs.
    tasks: Told,
}

/// Names that were told, and those that are still to be told.
#[derive(Debug, Default)]
struct Told {
    told: BTreeSet<String>,
    new: Vec<String>,
}

impl Told {
    fn note(&mut self, name: &str) {
        if !self.told.contains(name) && self.told.len() < SOURCES_MAX {
            self.told.insert(name.to_owned());
            self.new.push(name.to_owned());
        }
    }
}

impl Running {
    /// Notes what metrics came from. `host` is the one that is written beside them.
    pub(crate) fn note(&mut self, source: Option<&Source<'_>>, host: &str) {
        match source {
            Some(Source::Serverless(on)) if on.platform == Platform::EcsFargate => {
                self.tasks.note(on.identity);
            }
            Some(Source::Serverless(_)) => {}
            Some(Source::Host(_)) | None => self.hosts.note(host),
        }
    }

    /// Forgets whom it has told of, when that was long ago.
    pub(crate) fn begin(&mut self, seconds: u64) {
        if seconds.abs_diff(self.since) >= SILENCE {
            self.since = seconds;
            self.hosts.told.clear();
            self.tasks.told.clear();
        }
    }

    /// Appends a series for each host and task that is new.
    pub(crate) fn put(&mut self, seconds: u64, outbox: &mut Outbox) {
        if self.hosts.new.is_empty() && self.tasks.new.is_empty() {
            return;
        }
        let mut about = TagList::default();
        about.push(b"version", env!("CARGO_PKG_VERSION").as_bytes());
        about.push(b"command", b"hikyaku");
        let none = TagList::default();
        let mut put = |name: &str, host: &str, tags: &TagList| {
            let start = outbox.series.body.len();
            let tags = [&about, tags];
            let name = name.as_bytes();
            let head = Head { name, suffix: "", host, unit: "", tags: &tags, service: 0 };
            let seconds = seconds as i64;
            let sample = Sample { kind: Type::Gauge, seconds, interval: 0, value: 1.0 };
            put_series(&mut outbox.series.body, &head, sample);
            outbox.end_entry(|outbox| &mut outbox.series, start, Carries::Nothing, None);
        };
        // As upstream: once without a host, unless tasks stand for that.
        if self.tasks.new.is_empty() && self.hosts.new.iter().any(|host| !host.is_empty()) {
            put(NAME, "", &none);
        }
        for host in self.hosts.new.drain(..) {
            put(NAME, &host, &none);
        }
        for arn in self.tasks.new.drain(..) {
            let mut tags = TagList::default();
            tags.push(b"task_arn", arn.as_bytes());
            put(NAME_ON_FARGATE, "", &tags);
        }
    }
}
