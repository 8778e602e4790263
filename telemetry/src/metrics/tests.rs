//! Tests of the registry and its handles.

use std::{sync::mpsc, thread, time::Duration};

use super::*;
use crate::names::{self, label};

/// The readings of one family, with the label values of each.
fn readings(registry: &Registry, name: &str) -> Vec<(Vec<String>, f64)> {
    let number = |sample: Sample| match sample.reading {
        Reading::Number(number) => (sample.values, number),
        Reading::Distribution { .. } => panic!("{name} is a histogram"),
    };
    let samples = registry.snapshot().samples.into_iter();
    samples.filter(|sample| sample.family.name == name).map(number).collect()
}

#[test]
fn asking_twice_gives_the_same_number_in_whatever_order_the_labels_come() {
    let registry = Registry::new();
    let family = &names::RECEIVER_ACCEPTED.spans;
    let first = registry.counter(family, &[(label::RECEIVER, "otlp"), (label::TRANSPORT, "grpc")]);
    let again =
        registry.clone().counter(family, &[(label::TRANSPORT, "grpc"), (label::RECEIVER, "otlp")]);
    let other = registry.counter(family, &[(label::RECEIVER, "otlp"), (label::TRANSPORT, "http")]);
    first.add(5);
    again.increment();
    assert_eq!((first.get(), again.get(), other.get()), (6, 6, 0));
}

#[test]
fn gauges_go_up_and_down_and_below_zero() {
    let registry = Registry::new();
    let held = registry.gauge(&names::EXPORTER_HELD_ITEMS, &[(label::EXPORTER, "otlp")]);
    held.add(3);
    held.sub(5);
    assert_eq!(held.get(), -2);
    held.set(7);
    let again = registry.gauge(&names::EXPORTER_HELD_ITEMS, &[(label::EXPORTER, "otlp")]);
    assert_eq!(again.get(), 7);
}

#[test]
fn counts_from_many_threads_all_arrive() {
    let registry = Registry::new();
    thread::scope(|scope| {
        for _ in 0..4 {
            let counter = registry.counter(&names::PROCESSOR_INCOMING, &[]);
            let _handle = scope.spawn(move || (0..10_000).for_each(|_| counter.increment()));
        }
    });
    assert_eq!(registry.counter(&names::PROCESSOR_INCOMING, &[]).get(), 40_000);
}

#[test]
fn a_value_on_a_bound_belongs_to_the_bucket_of_that_bound() {
    let registry = Registry::new();
    let histogram = registry.histogram(&names::BATCH_SEND_SIZE, &[(label::PROCESSOR, "batch")]);
    for value in [0, 10, 11, 100_000, 100_001] {
        histogram.observe(value);
    }
    let Reading::Distribution { counts, sum } = histogram.read() else {
        panic!("a histogram reads as a distribution");
    };
    assert_eq!(counts.len(), names::BATCH_SEND_SIZE.0.bounds.len() + 1);
    assert_eq!((counts[0], counts[1]), (2, 1));
    assert_eq!((counts[counts.len() - 2], counts[counts.len() - 1]), (1, 1));
    assert_eq!(counts.iter().sum::<u64>(), 5);
    assert_eq!(sum, 200_022);
}

#[test]
fn a_callback_series_lives_as_long_as_its_registration() {
    let registry = Registry::new();
    let labels = [(label::EXPORTER, "otlp"), (label::DATA_TYPE, "traces")];
    let registration = registry.gauge_fn(&names::EXPORTER_QUEUE_SIZE, &labels, || Some(12.0));
    let unknown = registry.gauge_fn(&names::EXPORTER_QUEUE_CAPACITY, &labels, || None);
    let name = "otelcol_exporter_queue_size";
    let expected = vec![(vec!["otlp".to_owned(), "traces".to_owned()], 12.0)];
    assert_eq!(readings(&registry, name), expected);
    assert_eq!(readings(&registry, "otelcol_exporter_queue_capacity"), []);
    drop(registration);
    assert_eq!(readings(&registry, name), []);
    drop(unknown);
}

#[test]
fn a_callback_may_use_the_registry() {
    let registry = Registry::new();
    let inner = registry.clone();
    let _registration = registry.gauge_fn(&names::MEMORY_BUDGET_BYTES, &[], move || {
        Some(inner.gauge(&names::CONFIG_LAST_RELOAD_SUCCESSFUL, &[]).get() as f64)
    });
    let (done, finished) = mpsc::channel();
    let _reader = thread::spawn(move || done.send(registry.snapshot().samples.len()));
    let samples = finished.recv_timeout(Duration::from_secs(10));
    assert_eq!(samples, Ok(1), "waited 10 s for a snapshot whose callback uses the registry");
}

#[test]
#[should_panic(expected = "otelcol_processor_incoming_items has no label exporter")]
fn a_label_that_the_family_does_not_list_fails_a_debug_build() {
    let _counter = Registry::new().counter(&names::PROCESSOR_INCOMING, &[(label::EXPORTER, "x")]);
}
