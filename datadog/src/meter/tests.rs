use bytes::Bytes;
use pdata::{Signal, wire};
use pipeline::testing::Recorder;
use pipeline::{ComponentKind, MemoryBudget, Process};
use telemetry::MetricsLevel;

use super::*;
use crate::stats::{StatsPayload, unwrap};

const INTERVAL: Duration = Duration::from_secs(10);

const SECOND: u64 = 1_000_000_000;
const T0: u64 = 1_700_000_000 * SECOND;

/// A connector with everything around it. Its clock goes with the runtime's.
struct Fixture {
    stats: Meter,
    next: Recorder,
    process: Process,
}

impl Fixture {
    async fn start() -> Self {
        Self::with((DriverSettings::default(), INTERVAL), Process::default()).await
    }

    async fn with(settings: (DriverSettings, Duration), process: Process) -> Self {
        let next = Recorder::default();
        let (id, kind) = ("datadog/c".parse().unwrap(), ComponentKind::Connector);
        let context = Context::new(process.clone(), kind, id, Some(Signal::Traces), None);
        let started = Instant::now();
        let clock = Box::new(move || T0 + started.elapsed().as_nanos() as u64);
        let outlet = Outlet::to(Arc::new(next.clone()));
        let stats = Meter::with_clock(settings, context, outlet, clock);
        stats.start().await.unwrap();
        Self { stats, next, process }
    }

    async fn consume(&self, spans: usize) {
        self.stats.consume(Envelope::of(traces(spans))).await.unwrap();
    }

    /// Hits of all statistics handed on so far.
    fn hits(&self) -> u64 {
        let envelopes = self.next.envelopes();
        envelopes.iter().map(|envelope| hits(&envelope.payload)).sum()
    }

    fn metrics(&self) -> String {
        telemetry::render(&self.process.registry, MetricsLevel::Normal)
    }

    fn assert_metric(&self, line: &str) {
        let metrics = self.metrics();
        assert!(metrics.contains(&format!("{line}\n")), "{line} is not in\n{metrics}");
    }
}

/// A payload of so many root spans of a server that end at `T0`.
fn traces(spans: usize) -> Payload {
    named_traces(spans, |_| "GET /".to_owned())
}

fn named_traces(spans: usize, name: impl Fn(usize) -> String) -> Payload {
    let mut request = Vec::new();
    wire::put_message(&mut request, 1, |resource| {
        wire::put_message(resource, 2, |scope| {
            for i in 0..spans {
                wire::put_message(scope, 2, |span| {
                    wire::put_len(span, 1, &[1; 16]);
                    wire::put_len(span, 2, &(i as u64 + 1).to_be_bytes());
                    wire::put_len(span, 5, name(i).as_bytes());
                    wire::put_uint(span, 6, 2);
                    wire::put_fixed64(span, 7, T0 - SECOND);
                    wire::put_fixed64(span, 8, T0);
                });
            }
        });
    });
    Payload::decode(Signal::Traces, Bytes::from(request)).unwrap().payload
}

fn hits(payload: &Payload) -> u64 {
    let metrics = payload.resource_metrics().flat_map(|r| r.scope_metrics);
    let stats = metrics.flat_map(|s| s.metrics).flat_map(|m| unwrap(&m).collect::<Vec<_>>());
    let hits = |stats: &[u8]| -> u64 {
        let decoded = StatsPayload::decode(stats).unwrap();
        let buckets = decoded.stats.iter().flat_map(|client| &client.stats);
        buckets.flat_map(|bucket| &bucket.stats).map(|group| group.hits).sum()
    };
    stats.map(hits).sum()
}

fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(60))
}

fn overloaded() -> ConsumeError {
    ConsumeError::overloaded("full")
}

/// Lets the tasks do what they can without time passing.
async fn settle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn statistics_are_handed_on_when_they_are_two_intervals_old() {
    let fixture = Fixture::start().await;
    fixture.consume(3).await;
    tokio::time::sleep(Duration::from_millis(19_900)).await;
    assert_eq!(fixture.next.offers(), 0);
    fixture.next.wait_for_items(1).await;
    assert_eq!(fixture.hits(), 3);
    tokio::time::sleep(Duration::from_secs(100)).await;
    assert_eq!(fixture.next.offers(), 1, "nothing is handed on when nothing was counted");
    assert_eq!(fixture.stats.shutdown(soon()).await, 0);
}

#[tokio::test(start_paused = true)]
async fn flush_hands_on_at_once_what_was_counted() {
    let fixture = Fixture::start().await;
    fixture.consume(3).await;
    assert_eq!(fixture.stats.flush(soon()).await, 0);
    assert_eq!(fixture.hits(), 3);
    fixture.consume(4).await;
    assert_eq!(fixture.stats.flush(soon()).await, 0);
    assert_eq!(fixture.hits(), 7);
    assert_eq!(fixture.stats.shutdown(soon()).await, 0);
    assert_eq!(fixture.next.offers(), 2);
}

#[tokio::test(start_paused = true)]
async fn shutdown_loses_nothing() {
    let fixture = Fixture::start().await;
    fixture.consume(5).await;
    assert_eq!(fixture.stats.shutdown(soon()).await, 0);
    assert_eq!(fixture.hits(), 5);
    fixture.assert_metric(
        "hikyaku_connector_held_items{component=\"datadog/c\",data_type=\"metrics\"} 0",
    );
}

#[tokio::test(start_paused = true)]
async fn shutdown_without_start_is_safe() {
    let context = Context::new(
        Process::default(),
        ComponentKind::Connector,
        "datadog".parse().unwrap(),
        Some(Signal::Traces),
        None,
    );
    let outlet = Outlet::to(Arc::new(Recorder::default()));
    let stats = Meter::new(DriverSettings::default(), INTERVAL, context, outlet);
    assert_eq!(stats.shutdown(soon()).await, 0);
}

#[tokio::test(start_paused = true)]
async fn statistics_that_are_refused_for_now_are_held_and_offered_again() {
    let fixture = Fixture::start().await;
    fixture.next.refuse(Some(overloaded()));
    fixture.consume(2).await;
    assert_eq!(fixture.stats.flush(Deadline::after(Duration::from_secs(3))).await, 1);
    fixture.assert_metric(
        "hikyaku_connector_held_items{component=\"datadog/c\",data_type=\"metrics\"} 1",
    );
    assert!(fixture.next.offers() > 2);
    fixture.consume(3).await;
    fixture.next.refuse(None);
    assert_eq!(fixture.stats.shutdown(soon()).await, 0);
    assert_eq!(fixture.hits(), 5);
}

#[tokio::test(start_paused = true)]
async fn spans_are_taken_however_long_the_metrics_pipeline_takes_nothing_and_what_is_held_is_bounded()
 {
    let fixture = Fixture::start().await;
    fixture.next.refuse(Some(overloaded()));
    for _ in 0..100 {
        fixture.consume(1).await;
        fixture.stats.emitter.push(fixture.stats.counting.flush_now(true));
    }
    settle().await;
    let of = "component=\"datadog/c\",data_type=\"metrics\"";
    fixture.assert_metric(&format!("hikyaku_connector_held_items{{{of}}} 64"));
    fixture.assert_metric(&format!(
        "hikyaku_connector_dropped_items{{{of},reason=\"queue_full\"}} 36"
    ));
    fixture.next.refuse(None);
    assert_eq!(fixture.stats.shutdown(soon()).await, 0);
    assert_eq!(fixture.hits(), 64);
}

#[tokio::test(start_paused = true)]
async fn statistics_that_are_refused_for_good_are_dropped_and_counted() {
    let fixture = Fixture::start().await;
    fixture.next.refuse(Some(ConsumeError::permanent("no")));
    fixture.consume(2).await;
    assert_eq!(fixture.stats.flush(soon()).await, 0);
    assert_eq!(fixture.next.offers(), 1);
    fixture.assert_metric(
        "hikyaku_connector_dropped_items{component=\"datadog/c\",data_type=\"metrics\",reason=\"component_failed\"} 1",
    );
}

#[tokio::test(start_paused = true)]
async fn shutdown_says_and_counts_what_it_gave_up_at_the_deadline() {
    let fixture = Fixture::start().await;
    fixture.next.close(true);
    fixture.consume(2).await;
    assert_eq!(fixture.stats.shutdown(Deadline::after(Duration::from_secs(1))).await, 1);
    let of = "component=\"datadog/c\",data_type=\"metrics\"";
    fixture
        .assert_metric(&format!("hikyaku_connector_dropped_items{{{of},reason=\"shutdown\"}} 1"));
    fixture.assert_metric(&format!("hikyaku_connector_held_items{{{of}}} 0"));
}

#[tokio::test(start_paused = true)]
async fn what_is_counted_and_held_takes_from_the_memory_budget_and_gives_it_back() {
    let budget = MemoryBudget::new(1 << 30, 1 << 30);
    let mut process = Process::default();
    process.budget = budget.clone();
    let fixture = Fixture::with((DriverSettings::default(), INTERVAL), process).await;
    fixture.consume(1).await;
    let counted = budget.held_bytes();
    assert!(counted > 0);
    fixture.next.refuse(Some(overloaded()));
    fixture.stats.flush(Deadline::after(Duration::from_secs(1))).await;
    let waiting = budget.held_bytes();
    assert!(waiting > 0);
    fixture.next.refuse(None);
    assert_eq!(fixture.stats.shutdown(soon()).await, 0);
    let sent: usize = fixture.next.envelopes().iter().map(|e| e.payload.encoded_len()).sum();
    assert_eq!((waiting, budget.held_bytes()), (sent, sent), "the next pipeline has it now");
}

#[tokio::test]
async fn large_payload_is_counted_like_any_other() {
    let fixture = Fixture::start().await;
    let payload = named_traces(5000, |i| format!("GET /{}", i % 7));
    assert!(payload.encoded_len() > INLINE_BYTES_MAX);
    fixture.stats.consume(Envelope::of(payload)).await.unwrap();
    assert_eq!(fixture.stats.shutdown(soon()).await, 0);
    assert_eq!(fixture.hits(), 5000);
}

#[tokio::test]
async fn spans_that_are_not_told_apart_are_counted() {
    let mut settings = DriverSettings::default();
    settings.concentrator.limits.resources = 1024;
    let fixture = Fixture::with((settings, INTERVAL), Process::default()).await;
    let payload = named_traces(1100, |i| format!("GET /{i}"));
    fixture.stats.consume(Envelope::of(payload)).await.unwrap();
    assert_eq!(fixture.stats.shutdown(soon()).await, 0);
    assert_eq!(fixture.hits(), 1100);
    fixture.assert_metric("hikyaku_apm_stats_collapsed_spans{component=\"datadog/c\"} 76");
}

#[tokio::test(start_paused = true)]
async fn intervals_are_as_long_as_the_settings_say() {
    let interval = Duration::from_secs(60);
    let mut settings = DriverSettings::default();
    settings.concentrator.bucket_interval = interval;
    let fixture = Fixture::with((settings, interval), Process::default()).await;
    fixture.consume(1).await;
    tokio::time::sleep(Duration::from_secs(119)).await;
    assert_eq!(fixture.next.offers(), 0);
    fixture.next.wait_for_items(1).await;
    assert_eq!(fixture.hits(), 1);
}
