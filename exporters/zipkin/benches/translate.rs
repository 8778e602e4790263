//! Time to translate 100 spans like a web service's: eight resource attributes, five to eight span attributes, an event on
//! every tenth, about 360 bytes of OTLP and 1.3 kB of Zipkin JSON a span. Divide by 100 for the time of a span.

use divan::counter::ItemsCount;
use exporter_zipkin::translate::{Format, Options, translate};
use pdata::sample::traces;

const SPANS: u64 = 100;

fn main() {
    divan::main();
}

#[divan::bench(args = [Format::Json, Format::Proto])]
fn hundred_spans(bencher: divan::Bencher<'_, '_>, format: Format) {
    let payload = traces(SPANS);
    bencher
        .counter(ItemsCount::new(SPANS))
        .bench_local(|| translate(divan::black_box(&payload), &Options::of(format)));
}

#[divan::bench]
fn one_span_a_payload(bencher: divan::Bencher<'_, '_>) {
    let mut payload = traces(SPANS);
    let _rest = payload.split_off(1);
    bencher.bench_local(|| translate(divan::black_box(&payload), &Options::of(Format::Json)));
}

/// The cost of the walk alone, as a floor.
#[divan::bench]
fn views_of_hundred_spans(bencher: divan::Bencher<'_, '_>) {
    let payload = traces(SPANS);
    bencher.counter(ItemsCount::new(SPANS)).bench_local(|| {
        let mut len = 0;
        for resource_spans in divan::black_box(&payload).resource_spans() {
            for scope_spans in resource_spans.scope_spans {
                for span in scope_spans.spans {
                    for attribute in span.attributes {
                        let text = attribute.value.as_str().unwrap_or_default();
                        len += attribute.key.as_bytes().len() + text.as_bytes().len();
                    }
                }
            }
        }
        len
    });
}
