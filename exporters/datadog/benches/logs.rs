//! Time to translate 100 log records. Divide by 100 for the time of a record.

use bytes::Bytes;
use divan::Bencher;
use divan::counter::ItemsCount;
use exporter_datadog::logs::translate::{Options, translate};
use pdata::wire::{put_fixed64, put_len, put_message, put_uint};
use pdata::{Payload, Signal};

const RECORDS: u64 = 100;

fn main() {
    divan::main();
}

#[divan::bench]
fn hundred_records(bencher: Bencher<'_, '_>) {
    let (payload, options) = (records(RECORDS), Options { fallback_host: "web-1", function: None });
    bencher.counter(ItemsCount::new(RECORDS)).bench_local(|| {
        let mut body = Vec::new();
        let done = translate(divan::black_box(&payload), &options, &mut body);
        (done, body)
    });
}

#[divan::bench]
fn one_record_a_payload(bencher: Bencher<'_, '_>) {
    let (payload, options) = (records(1), Options { fallback_host: "web-1", function: None });
    bencher.bench_local(|| {
        let mut body = Vec::new();
        let done = translate(divan::black_box(&payload), &options, &mut body);
        (done, body)
    });
}

fn put_text(out: &mut Vec<u8>, number: u32, key: &str, value: &str) {
    put_message(out, number, |out| {
        put_len(out, 1, key.as_bytes());
        put_message(out, 2, |out| put_len(out, 1, value.as_bytes()));
    });
}

/// Records like a web service's: ten attributes of the resource, seven of each record.
fn records(count: u64) -> Payload {
    let mut request = Vec::new();
    put_message(&mut request, 1, |out| {
        put_message(out, 1, |out| {
            for (key, value) in [
                ("service.name", "checkout"),
                ("service.version", "2.14.1"),
                ("service.namespace", "shop"),
                ("deployment.environment.name", "production"),
                ("host.name", "ip-10-1-24-7.eu-west-1.compute.internal"),
                ("k8s.pod.name", "checkout-7d9f8b6c5-x2x4k"),
                ("k8s.namespace.name", "shop"),
                ("telemetry.sdk.language", "java"),
                ("telemetry.sdk.name", "opentelemetry"),
                ("telemetry.sdk.version", "1.40.0"),
            ] {
                put_text(out, 1, key, value);
            }
        });
        put_message(out, 2, |out| {
            put_message(out, 1, |out| put_len(out, 1, b"com.example.checkout"));
            for nth in 0..count {
                put_message(out, 2, |out| {
                    put_fixed64(out, 1, 1_700_000_000_000_000_000 + nth);
                    put_uint(out, 2, 9);
                    put_len(out, 3, b"INFO");
                    put_message(out, 5, |out| {
                        put_len(out, 1, b"order 81f3 of user 4711 was paid in 37 ms")
                    });
                    put_text(out, 6, "logger.name", "com.example.checkout.PaymentService");
                    put_text(out, 6, "thread.name", "http-nio-8080-exec-7");
                    put_text(out, 6, "user.id", "4711");
                    put_text(out, 6, "http.request.method", "POST");
                    put_text(out, 6, "http.route", "/api/v1/users/{id}/cart");
                    put_text(out, 6, "code.function.name", "pay");
                    put_message(out, 6, |out| {
                        put_len(out, 1, b"duration_ms");
                        put_message(out, 2, |out| put_uint(out, 3, 37));
                    });
                    put_len(out, 9, &(u128::MAX / 3).to_be_bytes());
                    put_len(out, 10, &(u64::MAX / 3 + nth).to_be_bytes());
                });
            }
        });
    });
    let decoded = Payload::decode(Signal::Logs, Bytes::from(request));
    decoded.expect("the request above is sound").payload
}
