//! Time to translate 100 spans like a web service's. Divide by 100 for the time of a span.

use divan::counter::ItemsCount;
use exporter_datadog::traces::{Options, Workbench, translate};
use pdata::sample::traces;

const SPANS: u64 = 100;
const NOW: i64 = 1_700_000_001_000_000_000;

fn main() {
    divan::main();
}

#[divan::bench]
fn hundred_spans(bencher: divan::Bencher<'_, '_>) {
    let mut workbench = Workbench::default();
    let (payload, options) = (traces(SPANS), Options::default());
    bencher.counter(ItemsCount::new(SPANS)).bench_local(|| {
        translate(divan::black_box(&payload), &options, &mut workbench, NOW, |_| {})
    });
}

#[divan::bench]
fn one_span_a_payload(bencher: divan::Bencher<'_, '_>) {
    let mut workbench = Workbench::default();
    let (payload, options) = (traces(1), Options::default());
    bencher.bench_local(|| {
        translate(divan::black_box(&payload), &options, &mut workbench, NOW, |_| {})
    });
}
