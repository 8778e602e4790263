use proptest::prelude::{prop_assert, prop_assert_eq, proptest};
use proptest::sample::select;

use crate::oracle::Request;
use crate::oracle::arbitrary::request;
use crate::oracle::cases;
use crate::oracle::entropy::{Entropy, entropy};
use crate::oracle::flat::{check, flat};
use crate::oracle::mutate::mutate;
use crate::oracle::read::views;
use crate::wire::{put_len, put_message};
use crate::{Joiner, Payload, Signal};

fn parts(bytes: &[u8], signal: Signal) -> Vec<Payload> {
    let e = &mut Entropy(bytes);
    let requests = 1 + e.below(4);
    let part = |_| {
        let encoded = request(e, signal).encode();
        let encoded = mutate(e, signal.request_schema(), &encoded);
        Payload::decode(signal, encoded.into()).unwrap().payload
    };
    (0..requests).map(part).collect()
}

fn appended(parts: &[Payload], signal: Signal) -> Payload {
    let mut all = Payload::empty(signal);
    parts.iter().for_each(|part| all.append(part.clone()));
    all
}

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn joined_payloads_hold_each_item_once_and_in_order(
        bytes in entropy(3000), signal in select(&Signal::ALL[..]),
    ) {
        let parts = parts(&bytes, signal);
        let expected: Vec<_> = parts.iter().flat_map(|part| flat(&Request::of(part))).collect();
        let all = appended(&parts, signal);
        check(&all);
        prop_assert_eq!(flat(&Request::of(&all)), expected.clone());
        prop_assert_eq!(flat(&views(&all)), parts.iter().flat_map(|p| flat(&views(p))).collect::<Vec<_>>());

        let mut joiner = Joiner::new(signal);
        parts.iter().for_each(|part| joiner.push(part.clone()));
        prop_assert_eq!(joiner.items(), expected.len());
        prop_assert_eq!(joiner.encoded_len(), all.encoded_len());
        let joined = joiner.take();
        prop_assert!(joiner.is_empty() && joiner.encoded_len() == 0 && joiner.take().is_empty());
        check(&joined);
        prop_assert_eq!(joined.to_bytes(), all.to_bytes());
    }

    #[test]
    fn split_payload_holds_each_item_once_with_resource_and_scope(
        bytes in entropy(1500), signal in select(&Signal::ALL[..]),
    ) {
        let whole = appended(&parts(&bytes, signal), signal);
        let expected = flat(&Request::of(&whole));
        for at in 0..=whole.items() + 1 {
            let mut head = whole.clone();
            let rest = head.split_off(at);
            check(&head);
            check(&rest);
            prop_assert_eq!(head.items(), at.min(whole.items()));
            let items = flat(&Request::of(&head)).into_iter().chain(flat(&Request::of(&rest)));
            prop_assert!(items.eq(expected.iter().cloned()));
        }
        for size in 0..=whole.items() + 1 {
            let parts = whole.clone().split_every(size);
            parts.iter().for_each(check);
            prop_assert_eq!(parts.len(), whole.items().div_ceil(size.max(1)).max(1));
            let sizes = parts.iter().map(Payload::items);
            prop_assert!(sizes.rev().skip(1).all(|items| items == size.max(1)));
            let items = parts.iter().flat_map(|part| flat(&Request::of(part)));
            prop_assert!(items.eq(expected.iter().cloned()));
        }
    }
}

/// A resource with one span.
fn span(name: &str) -> Vec<u8> {
    let mut out = Vec::new();
    put_message(&mut out, 1, |resource_spans| {
        put_message(resource_spans, 2, |scope_spans| {
            put_message(scope_spans, 2, |span| put_len(span, 5, name.as_bytes()));
        });
    });
    out
}

/// A resource without a span.
fn no_span(url: &str) -> Vec<u8> {
    let mut out = Vec::new();
    put_message(&mut out, 1, |resource_spans| put_len(resource_spans, 3, url.as_bytes()));
    out
}

#[test]
fn resources_without_items_are_neither_lost_nor_doubled() {
    let parts = [no_span("a"), span("b"), no_span("c"), span("d"), span("e"), no_span("f")];
    let whole = Payload::decode(Signal::Traces, parts.concat().into()).unwrap().payload;
    for at in 0..=4 {
        let mut head = whole.clone();
        let rest = head.split_off(at);
        assert_eq!([head.to_bytes(), rest.to_bytes()].concat(), whole.to_bytes());
        let parts = whole.clone().split_every(at);
        assert_eq!(
            parts.iter().map(Payload::to_bytes).collect::<Vec<_>>().concat(),
            whole.to_bytes()
        );
    }
}

#[test]
fn cut_between_resources_copies_nothing() {
    let request = bytes::Bytes::from([span("a"), span("b"), span("c")].concat());
    let start = request.as_ptr() as usize;
    let mut head = Payload::decode(Signal::Traces, request.clone()).unwrap().payload;
    let rest = head.split_off(2);
    let place = |payload: &Payload| {
        let [chunk] = payload.chunks() else { panic!("one chunk") };
        (chunk.as_ptr() as usize - start, chunk.len())
    };
    let each = request.len() / 3;
    assert_eq!((place(&head), place(&rest)), ((0, 2 * each), (2 * each, each)));
}

#[test]
fn small_chunks_are_joined_into_few_and_large_ones_are_kept() {
    let payload = |bytes: usize| {
        let mut out = Vec::new();
        put_message(&mut out, 1, |r| {
            put_len(r, 3, "u".repeat(bytes).as_bytes());
        });
        Payload::decode(Signal::Logs, out.into()).unwrap().payload
    };
    let mut joiner = Joiner::new(Signal::Logs);
    for _ in 0..200 {
        joiner.push(payload(1000));
    }
    let large = payload(100_000);
    joiner.push(large.clone());
    joiner.push(payload(1000));
    let joined = joiner.take();
    assert_eq!(joined.chunks().len(), 6);
    assert!(joined.chunks().iter().any(|chunk| chunk.as_ptr() == large.chunks()[0].as_ptr()));
}

#[test]
fn names_are_the_collectors() {
    let names = Signal::ALL.map(|signal| (signal.to_string(), signal.item_name()));
    let expected = [("traces", "spans"), ("metrics", "metric_points"), ("logs", "log_records")];
    assert_eq!(names, expected.map(|(signal, item)| (signal.to_owned(), item)));
}
