use std::time::Duration;

use confmap::{Diagnostics, Node, Presence, Section};

use super::{Batch, Queue, Sizer};

fn read(yaml: &str) -> (Option<Queue>, String) {
    let node = Node::from_yaml("file:c.yaml", yaml).expect("valid YAML");
    let diagnostics = Diagnostics::new();
    let mut section = Section::new(Some(&node), "exporters::otlp", &diagnostics);
    let queue = Queue::read(&mut section, Queue::default(), Presence::Some);
    section.finish();
    (queue, diagnostics.to_string())
}

fn batch(yaml: &str) -> (Option<Batch>, String) {
    let (queue, report) = read(&format!("sending_queue: {{{yaml}}}"));
    (queue.and_then(|queue| queue.batch), report)
}

#[test]
fn queue_is_on_and_its_batch_is_off_until_it_is_written() {
    assert_eq!(read("{}").0, Some(Queue::default()));
    assert_eq!(read("sending_queue: {enabled: false, queue_size: -1}").0, None);
    assert_eq!(batch("batch: ").0, Some(Batch::default()));
    assert_eq!(batch("batch: {}").0, Some(Batch::default()));
    assert_eq!(batch("batch: {enabled: false}").0, None);
}

#[test]
fn every_key_is_carried_out() {
    let yaml = "sending_queue: {num_consumers: 2, queue_size: 9000, sizer: items, storage: file_storage,\
        block_on_overflow: true, batch: {flush_timeout: 1s, sizer: bytes, min_size: 1, max_size: 7,\
        partition: {metadata_keys: [X-Tenant]}}}";
    let (queue, report) = read(yaml);
    assert_eq!(report, "");
    let expected = Queue {
        num_consumers: 2,
        queue_size: 9000,
        sizer: Sizer::Items,
        block_on_overflow: true,
        wait_for_result: false,
        storage: Some("file_storage".into()),
        batch: Some(Batch {
            flush_timeout: Duration::from_secs(1),
            sizer: Sizer::Bytes,
            min_size: 1,
            max_size: Some(7),
            metadata_keys: vec!["x-tenant".into()],
        }),
    };
    assert_eq!(queue, Some(expected));
}

#[test]
fn batch_counts_as_the_queue_does_when_only_the_queue_is_told() {
    let sizer = |yaml: &str| batch(yaml).0.map(|batch| batch.sizer);
    assert_eq!(sizer("sizer: bytes, queue_size: 100000, batch: {min_size: 1}"), Some(Sizer::Bytes));
    assert_eq!(sizer("sizer: bytes, batch: {sizer: items}"), Some(Sizer::Items));
    assert_eq!(
        sizer("sizer: bytes, batch: "),
        Some(Sizer::Items),
        "a null batch keeps its default"
    );
}

#[test]
fn broken_rules_are_told_in_upstreams_words() {
    let report = |yaml: &str| batch(yaml).1;
    assert!(report("num_consumers: 0").contains("`num_consumers` must be positive"));
    assert!(report("queue_size: -5").contains("`queue_size` must be positive"));
    assert!(
        report("storage: x, wait_for_result: true").contains("not supported with a persistent")
    );
    assert!(report("sizer: items, batch: {}").contains("`min_size` must be less than or equal"));
    assert!(report("sizer: requests, batch: {}").contains("supports only `items` or `bytes`"));
    assert!(report("sizer: spans").contains("invalid sizer: \"spans\""));
    assert!(report("batch: {flush_timeout: 0s}").contains("must be positive, found 0"));
    assert!(report("batch: {min_size: -1}").contains("must be non-negative, found -1"));
    assert!(report("batch: {max_size: 1}").contains("`max_size` (1) must be greater or equal"));
    assert!(report("batch: {partition: {metadata_keys: [a, A]}}").contains("duplicate entry"));
}

#[test]
fn batcher_is_told_what_took_its_place() {
    let (_, report) = read("batcher: {enabled: true}");
    assert!(report.contains("was removed in favor of \"sending_queue::batch\""), "{report}");
    assert!(!report.contains("invalid keys"), "{report}");
}
