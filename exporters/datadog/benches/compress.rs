//! What compression costs and gains, by body, codec and level: sizes first, then times of 1000 items.

#![expect(clippy::print_stdout, reason = "the sizes are half of what is to be seen")]

use std::slice;

use bytes::Bytes;
use config::{Compression, CompressionLevel};
use divan::Bencher;
use divan::counter::BytesCount;
use exporter_datadog::{logs, traces};
use net::compress::compress_now;
use pdata::wire::{put_fixed64, put_len, put_message, put_uint};
use pdata::{Payload, Signal, sample};

const ITEMS: u64 = 1000;
const CODECS: [(Compression, i32); 6] = [
    (Compression::Gzip, 1),
    (Compression::Gzip, 3),
    (Compression::Gzip, 6),
    (Compression::Zstd, 1),
    (Compression::Zstd, 3),
    (Compression::Zstd, 5),
];

fn main() {
    for (name, body) in [("traces", spans()), ("logs", records()), ("series", series())] {
        for (codec, level) in CODECS {
            let compressed =
                compress_now(slice::from_ref(&body), codec, CompressionLevel::Set(level));
            let len = compressed.map(|body| body.len()).unwrap_or_default();
            println!(
                "{name} {codec} {level}: {} bytes of {}, {} an item",
                len,
                body.len(),
                len / 1000
            );
        }
    }
    divan::main();
}

#[divan::bench(args = CODECS)]
fn body_of_traces(bencher: Bencher<'_, '_>, codec: &(Compression, i32)) {
    compress(bencher, spans(), *codec);
}

#[divan::bench(args = CODECS)]
fn body_of_logs(bencher: Bencher<'_, '_>, codec: &(Compression, i32)) {
    compress(bencher, records(), *codec);
}

#[divan::bench(args = CODECS)]
fn body_of_series(bencher: Bencher<'_, '_>, codec: &(Compression, i32)) {
    compress(bencher, series(), *codec);
}

fn compress(bencher: Bencher<'_, '_>, body: Bytes, (codec, level): (Compression, i32)) {
    bencher
        .counter(BytesCount::new(body.len()))
        .bench_local(|| compress_now(slice::from_ref(&body), codec, CompressionLevel::Set(level)));
}

/// An `AgentPayload`.
fn spans() -> Bytes {
    let options = traces::Options::default();
    let (payload, now) = (sample::traces(ITEMS), 1_700_000_001_000_000_000);
    let mut bytes = Bytes::new();
    let seal = |body: &mut traces::Body| bytes = std::mem::take(&mut body.bytes).into();
    let _left_out =
        traces::translate(&payload, &options, &mut traces::Workbench::default(), now, seal);
    bytes
}

/// A list of log items.
fn records() -> Bytes {
    let mut body = Vec::new();
    let options = logs::translate::Options { fallback_host: "web-1", function: None };
    let _done = logs::translate::translate(&log_records(), &options, &mut body);
    body.into()
}

/// Numbers without a pattern.
fn random(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *seed >> 11
}

fn put_text(out: &mut Vec<u8>, number: u32, key: &str, value: &str) {
    put_message(out, number, |out| {
        put_len(out, 1, key.as_bytes());
        put_message(out, 2, |out| put_len(out, 1, value.as_bytes()));
    });
}

/// Log records like a web service's.
fn log_records() -> Payload {
    let mut seed = 7;
    let mut request = Vec::new();
    put_message(&mut request, 1, |out| {
        put_message(out, 1, |out| {
            for (key, value) in [
                ("service.name", "checkout"),
                ("service.version", "2.14.1"),
                ("deployment.environment.name", "production"),
                ("host.name", "ip-10-1-24-7.eu-west-1.compute.internal"),
                ("k8s.pod.name", "checkout-7d9f8b6c5-x2x4k"),
                ("telemetry.sdk.language", "java"),
            ] {
                put_text(out, 1, key, value);
            }
        });
        put_message(out, 2, |out| {
            for nth in 0..ITEMS {
                let (order, user, millis) =
                    (random(&mut seed), random(&mut seed) % 90_000, random(&mut seed) % 900);
                let body = match nth % 4 {
                    0 => format!("order {order:x} of user {user} was paid in {millis} ms"),
                    1 => format!("GET /api/v1/users/{user}/cart took {millis} ms"),
                    2 => format!(
                        "cache miss for key cart:{user}:{order:x}, falling back to the database"
                    ),
                    _ => format!(
                        "retrying payment of order {order:x}: upstream answered 503 after {millis} ms"
                    ),
                };
                put_message(out, 2, |out| {
                    put_fixed64(out, 1, 1_700_000_000_000_000_000 + nth * 1_037_911);
                    put_uint(out, 2, if nth % 4 == 3 { 13 } else { 9 });
                    put_message(out, 5, |out| put_len(out, 1, body.as_bytes()));
                    put_text(out, 6, "logger.name", "com.example.checkout.PaymentService");
                    put_text(out, 6, "thread.name", "http-nio-8080-exec-7");
                    put_text(out, 6, "user.id", &user.to_string());
                    let trace_id = (u128::from(random(&mut seed)) << 64) | u128::from(order);
                    put_len(out, 9, &trace_id.to_be_bytes());
                    put_len(out, 10, &random(&mut seed).to_be_bytes());
                });
            }
        });
    });
    let decoded = Payload::decode(Signal::Logs, Bytes::from(request));
    decoded.expect("the request above is sound").payload
}

/// A `MetricPayload` with gauges and counts of ten services.
fn series() -> Bytes {
    let mut seed = 7;
    let mut body = Vec::new();
    for nth in 0..ITEMS {
        put_message(&mut body, 1, |out| {
            put_message(out, 1, |out| {
                put_len(out, 1, b"host");
                put_len(out, 2, b"ip-10-1-24-7.eu-west-1.compute.internal");
            });
            let names = [
                "http.server.request.count",
                "jvm.memory.used",
                "db.client.connections",
                "queue.size",
            ];
            put_len(out, 2, names.get((nth % 4) as usize).copied().unwrap_or_default().as_bytes());
            for tag in [
                format!("service:service-{}", nth % 10),
                "env:production".to_owned(),
                "version:2.14.1".to_owned(),
                format!("http.route:/api/v1/resource-{}", nth % 25),
                format!("http.response.status_code:{}", 200 + nth % 3),
                format!("pod_name:service-{}-7d9f8b6c5-{:x}", nth % 10, nth % 60),
                "instrumentation_scope:io.opentelemetry.runtime-telemetry".to_owned(),
            ] {
                put_len(out, 3, tag.as_bytes());
            }
            put_message(out, 4, |out| {
                put_fixed64(out, 1, ((random(&mut seed) % 100_000) as f64 / 8.0).to_bits());
                put_uint(out, 2, 1_700_000_000);
            });
            put_uint(out, 5, 3);
            put_uint(out, 8, 10);
        });
    }
    body.into()
}
