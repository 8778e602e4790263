use std::sync::Arc;

use pdata::view::SpanKind;

use super::*;
use crate::config::Config;

fn key(id: u16) -> Option<Key> {
    Key::new(&id.to_be_bytes())
}

fn row(id: u16, parent: u16) -> Row {
    Row {
        id: key(id),
        parent: key(parent),
        start: u64::from(id),
        end: u64::from(id),
        name: format!("span {id}").into(),
        service: Arc::from("s"),
        kind: SpanKind::Internal,
        failed: false,
        facts: "".into(),
        errors: Vec::new(),
    }
}

fn store(memories: usize) -> Store {
    let bounds = Bounds { memories, ..Bounds::default() };
    Store::new(&Config::default().tree, bounds, MemoryBudget::default())
}

#[test]
fn everything_that_goes_in_comes_out_once() {
    let (mut store, now) = (store(100), Instant::now());
    for id in 1..100 {
        store.add(key(id % 7), row(id, id / 2), now);
    }
    assert_eq!(store.spans(), 99);
    let mut ids = Vec::new();
    while let Some(picture) = store.take_oldest() {
        ids.extend(picture.rows.iter().map(|row| row.id));
    }
    ids.sort();
    assert_eq!(ids, (1..100).map(key).collect::<Vec<_>>());
    assert_eq!((store.spans(), store.bytes, store.traces.len()), (0, 0, 0));
}

#[test]
fn memory_of_shown_spans_is_bounded_and_the_oldest_is_forgotten() {
    let (mut store, now) = (store(10), Instant::now());
    for trace in 1..50 {
        for id in 0..3 {
            store.add(key(trace), row(trace * 3 + id, 0), now);
        }
        store.take_oldest().unwrap();
        assert!(store.memories <= 10);
        let remembered: usize = store.shown.values().map(|shown| shown.spans.len() + 1).sum();
        assert_eq!(store.memories, remembered);
    }
    assert!(store.shown.contains_key(&key(49).unwrap()));
    assert!(!store.shown.contains_key(&key(1).unwrap()));
    // A trace without end does not break the bound either.
    for id in 1..1_000 {
        store.add(key(1), row(id, 0), now);
        store.take_oldest().unwrap();
        assert!(store.memories <= 10);
    }
}

#[test]
fn spans_without_a_trace_are_no_trace_that_can_be_late() {
    let (mut store, now) = (store(10), Instant::now());
    for _ in 0..2 {
        store.add(None, row(1, 0), now);
        let picture = store.take_oldest().unwrap();
        assert!(picture.trace.is_none() && picture.earlier.is_none());
    }
}
