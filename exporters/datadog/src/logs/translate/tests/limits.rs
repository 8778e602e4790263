//! What does not fit.

use bytes::Bytes;
use pdata::wire::{put_len, put_message};
use pdata::{Payload, Signal};
use serde_json::Value;

use super::super::{BODY_BYTES_MAX, Done, Options, RECORD_BYTES_MAX, translate};

type Attributes<'a> = &'a [(&'a str, &'a str)];

/// A payload of one resource with records of these bodies and attributes.
fn payload(resource: Attributes<'_>, records: &[(&str, Attributes<'_>)]) -> Payload {
    let put = |out: &mut Vec<u8>, number, attributes: Attributes<'_>| {
        for (key, value) in attributes {
            put_message(out, number, |out| {
                put_len(out, 1, key.as_bytes());
                put_message(out, 2, |out| put_len(out, 1, value.as_bytes()));
            });
        }
    };
    let mut request = Vec::new();
    put_message(&mut request, 1, |out| {
        put_message(out, 1, |out| put(out, 1, resource));
        put_message(out, 2, |out| {
            for (body, attributes) in records {
                put_message(out, 2, |out| {
                    put_message(out, 5, |out| put_len(out, 1, body.as_bytes()));
                    put(out, 6, attributes);
                });
            }
        });
    });
    Payload::decode(Signal::Logs, Bytes::from(request)).unwrap().payload
}

fn body_of(payload: &Payload) -> (Done, Vec<u8>) {
    let mut body = Vec::new();
    let done = translate(payload, &Options { fallback_host: "", function: None }, &mut body);
    (done, body)
}

fn messages(body: &[u8]) -> Vec<String> {
    let items: Vec<Value> = serde_json::from_slice(body).unwrap();
    items.iter().map(|item| item["message"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn body_ends_before_the_record_that_makes_it_too_long() {
    let long = "é".repeat(400_000);
    let records: Vec<(&str, Attributes<'_>)> = vec![(&long, &[]); 8];
    let mut rest = payload(&[], &records);
    let mut counts = Vec::new();
    while rest.items() > 0 {
        let (done, body) = body_of(&rest);
        assert!(body.len() <= BODY_BYTES_MAX, "{}", body.len());
        assert!(messages(&body).iter().all(|message| *message == long));
        counts.push(done.written);
        rest = rest.split_off(done.consumed());
    }
    assert_eq!(counts, [6, 2]);
}

#[test]
fn message_that_makes_its_item_too_long_is_cut_between_characters_and_says_so() {
    for (name, unit) in [("ascii", "a"), ("wide", "日"), ("escaped", "\u{1}"), ("quotes", "\"")] {
        let long = unit.repeat(1_300_000 / unit.len());
        let (done, body) = body_of(&payload(&[], &[(&long, &[("k", "v")]), ("short", &[])]));
        assert_eq!(done, Done { written: 2, too_large: 0 }, "{name}");
        let items: Vec<&serde_json::value::RawValue> = serde_json::from_slice(&body).unwrap();
        assert!(items[0].get().len() <= RECORD_BYTES_MAX, "{name}");
        let [cut, short] = &messages(&body)[..] else { panic!("{name}") };
        let kept = cut.strip_suffix("...TRUNCATED...").unwrap();
        assert!(long.starts_with(kept), "{name}");
        assert_eq!(short, "short");
        // As long as it can be, where a character takes as much room as it does in the text.
        if name == "ascii" {
            assert_eq!(items[0].get().len(), RECORD_BYTES_MAX);
        }
    }
}

#[test]
fn item_that_other_attributes_make_too_long_is_left_to_the_intake() {
    let long = "v".repeat(1_200_000);
    let (done, body) = body_of(&payload(&[], &[("message", &[("k", &long)])]));
    assert_eq!(done.written, 1);
    assert_eq!(messages(&body), ["message"]);
}

#[test]
fn record_that_no_body_has_room_for_is_counted_and_stands_in_nobodys_way() {
    let long = "v".repeat(BODY_BYTES_MAX);
    let mut rest = payload(&[], &[("first", &[]), ("second", &[("k", &long)]), ("third", &[])]);
    let mut seen = Vec::new();
    while rest.items() > 0 {
        let (done, body) = body_of(&rest);
        seen.push((done, messages(&body)));
        rest = rest.split_off(done.consumed());
    }
    let one = Done { written: 1, too_large: 0 };
    let expected = [
        (one, vec!["first".to_owned()]),
        (Done { written: 0, too_large: 1 }, vec![]),
        (one, vec!["third".to_owned()]),
    ];
    assert_eq!(seen, expected);
}

#[test]
fn long_key_before_many_others_does_not_take_memory_without_end() {
    let key = "k".repeat(100_000);
    let mut request = Vec::new();
    put_message(&mut request, 1, |out| {
        put_message(out, 2, |out| {
            put_message(out, 2, |out| {
                put_message(out, 6, |out| {
                    put_len(out, 1, key.as_bytes());
                    put_message(out, 2, |out| {
                        put_message(out, 6, |out| {
                            for _ in 0..100_000 {
                                put_message(out, 1, |out| put_len(out, 1, b"x"));
                            }
                        });
                    });
                });
            });
        });
    });
    let payload = Payload::decode(Signal::Logs, Bytes::from(request)).unwrap().payload;
    let (done, body) = body_of(&payload);
    assert_eq!(done, Done { written: 0, too_large: 1 });
    assert!(body.capacity() < 2 * BODY_BYTES_MAX);
}
