//! From OTLP's metrics to Datadog's series and sketches.
//!
//! The mapping is that of DataDog/datadog-agent `pkg/opentelemetry-mapping-go/otlp/metrics` 0.84 with the feature gates of contrib's exporter 0.165 at their
//! defaults: units are mapped, nothing is renamed or duplicated. The exporter's README lists where this one differs.

mod exponential;
mod histogram;
mod names;
mod number;
mod summary;

use std::sync::{Arc, Mutex, PoisonError};

use datadog::source::Source;
use datadog::stats::{is_stats, unwrap};
use datadog::tags::resource_tags;
use lambda::Function;
use pdata::Payload;
use pdata::view::{AnyValue, Attributes, Data, Metric, ResourceMetrics, Scope};
use telemetry::names::DropReason;

use super::origin;
use super::outbox::{Carries, Outbox};
use super::running::Running;
use super::sketch::Sketch;
use super::state::{Key, Point, Replaced, State, Undone};
use super::tags::{Identity, Role, TagList};
use super::units::unit;
use super::wire::{Head, Sample, put_series, put_sketch};
use crate::config::{self, InitialValue};
use crate::function::FunctionTags;

/// Translates payloads, and remembers what it has to from one to the next.
#[derive(Debug)]
pub(crate) struct Translator {
    settings: config::Metrics,
    /// The function that this process is beside, if it is.
    function: Option<Arc<Function>>,
    /// When this process began, in nanoseconds since 1970.
    began: u64,
    identity: Identity,
    state: Arc<Mutex<State>>,
    running: Mutex<Running>,
}

/// What a translation depends on beside payload and settings.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment<'a> {
    /// The time, in nanoseconds since 1970.
    pub(crate) now: u64,
    /// The host of resources that name none.
    pub(crate) fallback_host: &'a str,
}

impl Translator {
    /// A translator of a process that began at a time in nanoseconds since 1970.
    pub(crate) fn new(settings: config::Metrics, began: u64, state: Arc<Mutex<State>>) -> Self {
        let (identity, running) = (Identity::default(), Mutex::default());
        Self { settings, function: None, began, identity, state, running }
    }

    /// The same beside this function, if there is one: its tags are those of every series.
    pub(crate) fn beside(self, function: Option<Arc<Function>>) -> Self {
        Self { function, ..self }
    }

    /// Translates a payload into requests. Stats of the connector are given to `stats`.
    pub(crate) fn translate<'a>(
        &self,
        payload: &'a Payload,
        moment: Moment<'_>,
        outbox: &mut Outbox,
        mut stats: impl FnMut(&mut Outbox, &'a [u8]),
    ) {
        let seconds = moment.now / 1_000_000_000;
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.begin(seconds);
        let mut scratch = Scratch::default();
        for metrics in payload.resource_metrics() {
            let source = Source::of(&metrics.resource.attributes);
            let host = source.as_ref().map_or(moment.fallback_host, Source::host);
            let mut desk = Desk { outbox, scratch: &mut scratch, now: moment.now };
            if self.resource(&metrics, host, &mut desk, &mut stats) {
                running.note(source.as_ref(), host);
            }
        }
        running.put(seconds, outbox);
    }

    /// Translates what comes from one resource. Whether there was anything that counts as metrics of a host.
    fn resource<'a>(
        &self,
        metrics: &ResourceMetrics<'a>,
        host: &str,
        desk: &mut Desk<'_>,
        stats: &mut impl FnMut(&mut Outbox, &'a [u8]),
    ) -> bool {
        let resource = metrics.resource.attributes;
        let mut tags = TagList::default();
        if self.settings.resource_attributes_as_tags {
            resource.iter().for_each(|attribute| {
                tags.push_attribute(attribute.key.as_bytes(), &attribute.value);
            });
        }
        resource_tags(&resource, |key, value| tags.push(key, value));
        if let Some(function) = &self.function {
            FunctionTags::of(function, &resource)
                .iter()
                .for_each(|(key, value)| tags.push(key.as_bytes(), value.as_bytes()));
        }
        let mut counts = false;
        for scope_metrics in metrics.scope_metrics {
            let scope = scope_metrics.scope;
            let mut tags = tags.clone();
            if self.settings.instrumentation_scope_metadata_as_tags {
                push_scope(&mut tags, &scope);
            }
            let service = origin::service(scope.name.as_bytes());
            let overridden = self.settings.resource_attributes_as_tags.then_some(resource);
            let mut work = Work {
                translator: self,
                outbox: desk.outbox,
                scratch: desk.scratch,
                now: desk.now,
                host,
                service,
                scope_tags: &tags,
                resource,
                overridden,
                identity: None,
            };
            for metric in scope_metrics.metrics {
                if let (true, Data::Sum { points, .. }) = (is_stats(&metric), metric.data) {
                    let mut empty = points.iter().count();
                    for payload in unwrap(&metric) {
                        empty -= 1;
                        stats(work.outbox, payload);
                    }
                    work.outbox.lose(DropReason::Untranslatable, empty);
                    continue;
                }
                counts |= !names::is_of_runtime(metric.name.as_bytes());
                work.metric(&metric);
            }
        }
        counts
    }

    /// Whether the first point of a series says how much was added in a time that is known. `start` and `time` are the point's.
    fn is_complete(&self, start: u64, time: u64) -> bool {
        match self.settings.sums.initial_cumulative_monotonic_value {
            InitialValue::Auto => start > self.began && start != time,
            InitialValue::Drop => false,
            InitialValue::Keep => true,
        }
    }
}

/// What all of a payload is translated with.
struct Desk<'a> {
    outbox: &'a mut Outbox,
    scratch: &'a mut Scratch,
    now: u64,
}

/// Translating what comes from one scope.
struct Work<'a> {
    translator: &'a Translator,
    outbox: &'a mut Outbox,
    scratch: &'a mut Scratch,
    now: u64,
    host: &'a str,
    service: u32,
    scope_tags: &'a TagList,
    resource: Attributes<'a>,
    /// Attributes that stand in the place of a point's of the same key.
    overridden: Option<Attributes<'a>>,
    /// What identifies the scope's series, but for name and the tags of a point; made when it is needed.
    identity: Option<Key>,
}

/// Memory that is used again.
#[derive(Debug, Default)]
struct Scratch {
    /// The tags of the point at hand.
    point: TagList,
    /// Tags that one of several series of a point has.
    own: TagList,
    sketch: Sketch,
}

/// A metric at work.
#[derive(Clone, Copy)]
struct Named<'a> {
    name: &'a [u8],
    unit: &'a str,
}

/// What has become of a data point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It stands in a request.
    Sent,
    /// It is not sent.
    Lost(DropReason),
}

/// What a cumulative point has come to.
enum Step {
    /// There is one that is as new already.
    Stale,
    /// The first, which later ones are measured from.
    Baseline,
    /// The first, and what it says was added in a time that is known.
    Complete,
    /// One after another of the same sequence.
    After(Point),
}

impl Work<'_> {
    fn metric(&mut self, metric: &Metric<'_>) {
        let unit = unit(metric.unit.as_str());
        let named = Named { name: metric.name.as_bytes(), unit: &unit };
        match metric.data {
            // What has no points is no item either.
            Data::Empty => {}
            Data::Gauge(points) => self.gauges(named, points),
            Data::Sum { points, temporality, monotonic } => {
                self.sums(named, points, temporality, monotonic);
            }
            Data::Histogram { points, temporality } => self.histograms(named, points, temporality),
            Data::ExponentialHistogram { points, temporality } => {
                self.exponentials(named, points, temporality);
            }
            Data::Summary(points) => self.summaries(named, points),
        }
    }

    /// Counts what has become of a point.
    fn settle(&mut self, fate: Fate) {
        if let Fate::Lost(reason) = fate {
            self.outbox.lose(reason, 1);
        }
    }

    /// Makes tags of a point's attributes.
    fn tag(&mut self, attributes: &Attributes<'_>) {
        self.scratch.point.clear();
        for attribute in attributes.iter() {
            let key = attribute.key;
            if self.overridden.is_some_and(|resource| resource.get(key.as_str()).is_some()) {
                continue;
            }
            self.scratch.point.push_attribute(key.as_bytes(), &attribute.value);
        }
    }

    /// What identifies the series of the point at hand.
    fn identity(&mut self, role: Role, name: &[u8]) -> Key {
        let identity = &self.translator.identity;
        let of_scope = *self.identity.get_or_insert_with(|| {
            identity
                .tags(self.scope_tags)
                .wrapping_add(identity.part(Role::Host, self.host.as_bytes()))
                .wrapping_add(identity.part(Role::Origin, &origin_id(&self.resource)))
        });
        let named = of_scope.wrapping_add(identity.part(role, name));
        named.wrapping_add(identity.tags(&self.scratch.point))
    }

    /// Remembers a cumulative point, and tells what it is after.
    fn step(&mut self, key: Key, point: Point) -> Step {
        let (start, time) = (point.start, point.time);
        let continues = |earlier: &Point| start == 0 || start != time && start == earlier.start;
        let mut state = self.translator.state.lock().unwrap_or_else(PoisonError::into_inner);
        match state.replace(key, point, self.now) {
            Replaced::Newer => Step::Stale,
            Replaced::Forgotten => Step::Baseline,
            Replaced::Point(earlier) if continues(&earlier) => Step::After(earlier),
            // It may be one of a series that was forgotten.
            Replaced::Nothing if start <= state.forgot() && state.forgot() > 0 => Step::Baseline,
            Replaced::Point(_) | Replaced::Nothing => self.first(start, time),
        }
    }

    /// What the first point of a sequence comes to.
    fn first(&self, start: u64, time: u64) -> Step {
        match self.translator.is_complete(start, time) {
            true => Step::Complete,
            false => Step::Baseline,
        }
    }

    /// Appends a series for the point at hand.
    fn series(
        &mut self,
        named: Named<'_>,
        suffix: &str,
        sample: Sample,
        carries: Carries,
        sent: Option<Undone>,
    ) {
        let Self { outbox, scratch, .. } = self;
        let start = outbox.series.body.len();
        let tags = [&scratch.own, &scratch.point, self.scope_tags];
        let (host, service) = (self.host, self.service);
        let Named { name, unit } = named;
        let head = Head { name, suffix, host, unit, tags: &tags, service };
        put_series(&mut outbox.series.body, &head, sample);
        outbox.end_entry(|outbox| &mut outbox.series, start, carries, sent);
    }

    /// Appends the sketch at hand, for the point at hand, unless no request can hold it.
    fn sketch(&mut self, named: Named<'_>, time: u64, sent: Option<Undone>) -> Fate {
        let Self { outbox, scratch, .. } = self;
        if scratch.sketch.encoded_len_max() > SKETCH_BYTES_MAX {
            return Fate::Lost(DropReason::TooLarge);
        }
        let start = outbox.sketches.body.len();
        let tags = [&scratch.point, self.scope_tags];
        let (host, service) = (self.host, self.service);
        let head = Head { name: named.name, suffix: "", host, unit: "", tags: &tags, service };
        put_sketch(&mut outbox.sketches.body, &head, seconds(time), &scratch.sketch);
        outbox.end_entry(|outbox| &mut outbox.sketches, start, Carries::Point, sent);
        Fate::Sent
    }
}

/// No sketch is written that is longer. What limits requests is checked besides; this keeps absurd counts from filling memory.
const SKETCH_BYTES_MAX: usize = 4 << 20;

/// Whether a point says that there is nothing to be said: `DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK`.
fn has_no_value(flags: u32) -> bool {
    flags & 1 != 0
}

/// Nanoseconds as seconds, as the backend has times.
fn seconds(time: u64) -> i64 {
    (time / 1_000_000_000) as i64
}

fn push_scope(tags: &mut TagList, scope: &Scope<'_>) {
    tags.push_attribute(b"instrumentation_scope", &AnyValue::Str(scope.name));
    tags.push_attribute(b"instrumentation_scope_version", &AnyValue::Str(scope.version));
    scope.attributes.iter().for_each(|attribute| {
        tags.push_attribute(attribute.key.as_bytes(), &attribute.value);
    });
}

/// The container that metrics come from, or else the pod.
fn origin_id(resource: &Attributes<'_>) -> Vec<u8> {
    let mut id = Vec::new();
    for key in ["container.id", "k8s.pod.uid"] {
        if let Some(value) = resource.get(key) {
            id.extend_from_slice(key.as_bytes());
            pdata::text::put_text(&mut id, &value);
            break;
        }
    }
    id
}

#[cfg(test)]
mod tests;
