//! What a span costs in the concentrator, beside what it takes to know it.

use std::borrow::Cow;
use std::hint::black_box;

use datadog::stats::{
    Concentrator, ConcentratorSettings, Driver, DriverSettings, PayloadKey, StatSpan, StatsPayload,
    Tag,
};

const NOW: u64 = 1_700_000_000_000_000_000;

fn main() {
    divan::main();
}

/// Fields of spans of a service with so many endpoints, half of them calls to a database.
fn texts(groups: usize) -> Vec<[String; 3]> {
    let group = |i: usize| {
        let (name, span_type) = if i.is_multiple_of(2) {
            ("http.server.request", "web")
        } else {
            ("postgresql.query", "sql")
        };
        [name.to_owned(), format!("GET /api/v1/resources/{i}/items/{{item}}"), span_type.to_owned()]
    };
    (0..groups).map(group).collect()
}

const PEERS: &[Tag<'static>] = &[
    ("db.name", Cow::Borrowed("orders")),
    ("db.system", Cow::Borrowed("postgresql")),
    ("server.address", Cow::Borrowed("orders.db.internal")),
];

fn spans<'a>(texts: &'a [[String; 3]]) -> Vec<StatSpan<'a>> {
    let mut rng = fastrand::Rng::with_seed(1);
    let span = |[name, resource, span_type]: &'a [String; 3]| {
        let is_query = span_type == "sql";
        StatSpan {
            service: "checkout-service",
            name,
            resource,
            span_type,
            kind: if is_query { "client" } else { "server" },
            http_status_code: if is_query { 0 } else { 200 },
            peer_tags: if is_query { PEERS } else { &[] },
            top_level: !is_query,
            trace_root: !is_query,
            start: NOW,
            duration: 10_u64.pow(5) + rng.u64(..10_u64.pow(7)),
            weight: 1.0,
            ..StatSpan::default()
        }
    };
    texts.iter().cycle().take(10_000).map(span).collect()
}

/// 10,000 spans of groups that exist.
#[divan::bench(args = [20, 500, 2000])]
fn add_10000_spans(bencher: divan::Bencher<'_, '_>, groups: usize) {
    let texts = texts(groups);
    let spans = spans(&texts);
    let key = PayloadKey {
        env: "prod",
        hostname: "ip-10-0-0-1",
        version: "1.2.3",
        ..PayloadKey::default()
    };
    let mut settings = ConcentratorSettings::default();
    settings.limits.resources = 4096;
    let mut concentrator = Concentrator::new(settings, NOW, 1);
    bencher.counter(divan::counter::ItemsCount::new(spans.len())).bench_local(|| {
        let mut stats = concentrator.payload(&key, NOW + 1_000_000_000);
        for span in &spans {
            black_box(stats.add(span));
        }
    });
}

/// The deployment looked up for each span.
#[divan::bench]
fn look_up_10000_deployments(bencher: divan::Bencher<'_, '_>) {
    let key = PayloadKey {
        env: "prod",
        hostname: "ip-10-0-0-1",
        version: "1.2.3",
        ..PayloadKey::default()
    };
    let mut concentrator = Concentrator::new(ConcentratorSettings::default(), NOW, 1);
    bencher.counter(divan::counter::ItemsCount::new(10_000_usize)).bench_local(|| {
        for _ in 0..10_000 {
            black_box(concentrator.payload(black_box(&key), NOW));
        }
    });
}

/// A flush of 2,000 groups, encoded.
#[divan::bench]
fn flush_2000_groups(bencher: divan::Bencher<'_, '_>) {
    let texts = texts(2000);
    let spans = spans(&texts);
    let full = || {
        let mut settings = ConcentratorSettings::default();
        settings.limits.resources = 4096;
        let mut concentrator = Concentrator::new(settings, NOW, 1);
        let mut stats = concentrator.payload(&PayloadKey::default(), NOW + 1_000_000_000);
        spans.iter().for_each(|span| {
            stats.add(span);
        });
        concentrator
    };
    bencher.with_inputs(full).bench_local_values(|mut concentrator| {
        let flushed = concentrator.flush(NOW, true);
        let payload = StatsPayload { stats: flushed.stats(), ..Default::default() };
        black_box((payload.encode(), payload.to_msgpack()))
    });
}

/// A request as SDKs send it, extraction included.
#[divan::bench]
fn add_request_of_100_spans(bencher: divan::Bencher<'_, '_>) {
    let payload = pdata::sample::traces(100);
    let settings = DriverSettings { peer_tags: true, ..DriverSettings::default() };
    let mut driver = Driver::new(settings, NOW, 1);
    bencher
        .counter(divan::counter::ItemsCount::new(payload.items()))
        .bench_local(|| driver.add(black_box(&payload), NOW));
}
