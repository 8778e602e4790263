//! Time to translate 100 spans like a web service's. Divide by 100 for the time of a span.

use divan::counter::ItemsCount;
use exporter_awsxray::translate::{Options, translate};
use pdata::sample::traces;

const SPANS: u64 = 100;

fn main() {
    divan::main();
}

#[divan::bench]
fn hundred_spans(bencher: divan::Bencher<'_, '_>) {
    let (payload, options) = (traces(SPANS), Options::default());
    bencher
        .counter(ItemsCount::new(SPANS))
        .bench_local(|| translate(divan::black_box(&payload), &options));
}

#[divan::bench]
fn hundred_spans_with_everything_indexed(bencher: divan::Bencher<'_, '_>) {
    let (payload, options) = (traces(SPANS), Options::new(&[], true, &[]));
    bencher
        .counter(ItemsCount::new(SPANS))
        .bench_local(|| translate(divan::black_box(&payload), &options));
}

#[divan::bench]
fn one_span_a_payload(bencher: divan::Bencher<'_, '_>) {
    let (payload, options) = (traces(1), Options::default());
    bencher.bench_local(|| translate(divan::black_box(&payload), &options));
}
