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
    told: BTreeSet<Seen>,
    new: Vec<Seen>,
}

/// What metrics came from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Seen {
    /// A host, and none.
    Host(String),
    /// A task on Fargate, by its tag.
    Task(String),
}

impl Running {
    /// Notes what metrics came from. `host` is the one that is written beside them.
    pub(crate) fn note(&mut self, source: Option<&Source<'_>>, host: &str) {
        let seen = match source {
            Some(Source::Serverless(on)) if on.platform == Platform::EcsFargate => {
                Seen::Task(on.identity.to_owned())
            }
            Some(Source::Serverless(_)) => return,
            Some(Source::Host(_)) | None => Seen::Host(host.to_owned()),
        };
        if self.told.len() < SOURCES_MAX && !self.told.contains(&seen) {
            self.told.insert(seen.clone());
            self.new.push(seen);
        }
    }

    /// Forgets whom it has told of, when that was long ago.
    pub(crate) fn begin(&mut self, seconds: u64) {
        if seconds.abs_diff(self.since) >= SILENCE {
            self.since = seconds;
            self.told.clear();
        }
    }

    /// Appends a series for each host and task that is new.
    pub(crate) fn put(&mut self, seconds: u64, outbox: &mut Outbox) {
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
        let on_hosts = self.new.iter().all(|seen| matches!(seen, Seen::Host(_)));
        if on_hosts && self.new.iter().any(|seen| *seen != Seen::Host(String::new())) {
            // As upstream: once without a host, unless tasks stand for that.
            put(NAME, "", &none);
        }
        for seen in self.new.drain(..) {
            match seen {
                Seen::Host(host) => put(NAME, &host, &none),
                Seen::Task(arn) => {
                    let mut tags = TagList::default();
                    tags.push(b"task_arn", arn.as_bytes());
                    put(NAME_ON_FARGATE, "", &tags);
                }
            }
        }
    }
}
