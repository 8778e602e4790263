//! Laws that hold for all spans.

use pdata::wire::{put_fixed64, put_len, put_message, put_uint};
use proptest::prelude::{Strategy, any, prop, prop_oneof, proptest};
use proptest::sample::select;

use super::super::keys::Key;
use super::*;

/// An attribute's key and its value, encoded.
type Pair = (String, Vec<u8>);

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,12}",
        any::<String>(),
        select(vec![
            "LOCAL_ROOT",
            "aws-api",
            "mysql",
            "10.0.0.1",
            "{\"a\":[1,{}]}",
            "AWS.SDK.",
            "\"\\\n\u{1}",
            "jdbc:mysql://h:1/x",
            "aws_ecs",
        ])
        .prop_map(str::to_owned),
    ]
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    let len = |number, bytes: &[u8]| {
        let mut out = Vec::new();
        put_len(&mut out, number, bytes);
        out
    };
    prop_oneof![
        4 => text().prop_map(move |text| len(1, text.as_bytes())),
        1 => any::<bool>().prop_map(|bit| vec![2 << 3, u8::from(bit)]),
        2 => any::<u64>().prop_map(|int| {
            let mut out = Vec::new();
            put_uint(&mut out, 3, int);
            out
        }),
        1 => any::<u64>().prop_map(|bits| {
            let mut out = Vec::new();
            put_fixed64(&mut out, 4, bits);
            out
        }),
        1 => prop::collection::vec(text(), 0..3).prop_map(move |texts| {
            let mut list = Vec::new();
            for text in texts {
                put_message(&mut list, 1, |value| put_len(value, 1, text.as_bytes()));
            }
            len(5, &list)
        }),
        1 => prop::collection::vec(any::<u8>(), 0..9).prop_map(move |bytes| len(7, &bytes)),
        1 => proptest::strategy::Just(Vec::new()),
    ]
}

fn key() -> impl Strategy<Value = String> {
    let known = select(Key::ALL.to_vec()).prop_map(|key| key.text().to_owned());
    let named = select(vec![
        "aws.xray.metadata.a",
        "aws.xray.metadata.default",
        "otel.resource.k",
        "k",
        "a-b",
        "",
    ]);
    prop_oneof![4 => known, 2 => named.prop_map(str::to_owned), 1 => text()]
}

fn pairs() -> impl Strategy<Value = Vec<Pair>> {
    prop::collection::vec((key(), value()), 0..14)
}

fn put_pairs(out: &mut Vec<u8>, number: u32, pairs: &[Pair]) {
    for (key, value) in pairs {
        put_message(out, number, |pair| {
            put_len(pair, 1, key.as_bytes());
            put_len(pair, 2, value);
        });
    }
}

fn one_span(
    resource: &[Pair],
    own: &[Pair],
    event: &[Pair],
    kind: u64,
    parent: bool,
    name: &str,
    times: (u64, u64),
) -> Payload {
    let mut request = Vec::new();
    put_message(&mut request, 1, |group| {
        put_message(group, 1, |out| put_pairs(out, 1, resource));
        put_message(group, 2, |scope| {
            put_message(scope, 2, |span| {
                put_len(span, 1, &[7; 16]);
                put_len(span, 2, &[8; 8]);
                if parent {
                    put_len(span, 4, &[9; 8]);
                }
                put_len(span, 5, name.as_bytes());
                put_uint(span, 6, kind);
                put_fixed64(span, 7, times.0);
                put_fixed64(span, 8, times.1);
                put_pairs(span, 9, own);
                put_message(span, 11, |out| {
                    put_len(out, 2, b"exception");
                    put_pairs(out, 3, event);
                });
                put_message(span, 13, |link| {
                    put_len(link, 1, &[1; 16]);
                    put_len(link, 2, &[2; 8]);
                    put_pairs(link, 4, event);
                });
                put_message(span, 15, |status| put_uint(status, 3, kind % 3));
            });
        });
    });
    Payload::decode(Signal::Traces, request.into()).unwrap().payload
}

/// What X-Ray asks of a document.
fn assert_sound(document: &Value) {
    let text = |key: &str| document[key].as_str().unwrap_or_else(|| panic!("{key}: {document}"));
    let is_hex = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let name = text("name");
    assert!((1..=200).contains(&name.len()), "{name:?}");
    let is_taken = |c: char| c.is_alphabetic() || c.is_ascii_digit() || " _.:/%&#=+-@".contains(c);
    assert!(name.chars().all(is_taken), "{name:?}");
    assert!(text("id").len() == 16 && is_hex(text("id")));
    let trace: Vec<&str> = text("trace_id").split('-').collect();
    assert!(trace.len() == 3 && trace[0] == "1" && trace[1].len() == 8 && trace[2].len() == 24);
    assert!(document["start_time"].is_number());
    assert!(document["end_time"].is_number() != (document["in_progress"] == true));
    if let Some(annotations) = document.get("annotations") {
        for (key, value) in annotations.as_object().unwrap() {
            assert!((1..=500).contains(&key.len()), "{key}");
            assert!(
                key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'.'),
                "{key}"
            );
            assert!(!value.is_object() && !value.is_array() && !value.is_null());
            assert!(value.as_str().is_none_or(|text| text.chars().count() <= 1000));
        }
    }
}

proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(600))]

    #[test]
    fn every_span_becomes_documents_that_x_ray_takes(
        resource in pairs(),
        own in pairs(),
        event in pairs(),
        kind in 0u64..6,
        parent in any::<bool>(),
        name in text(),
        times in any::<(u64, u64)>(),
        index_all in any::<bool>(),
        indexed in prop::collection::vec(key(), 0..4),
        groups in prop::collection::vec(text(), 0..2),
    ) {
        let payload = one_span(&resource, &own, &event, kind, parent, &name, times);
        let translation = translate(&payload, &Options::new(&indexed, index_all, &groups));
        assert_eq!((translation.without_ids, translation.too_large), (0, 0));
        let [call] = &translation.calls[..] else { panic!("one call") };
        let body: Value = serde_json::from_slice(&call.body).unwrap();
        for text in body["TraceSegmentDocuments"].as_array().unwrap() {
            let text = text.as_str().unwrap();
            test_golden::keys_once(text).unwrap_or_else(|twice| panic!("{twice}: {text}"));
        }
        for document in documents_of(call) {
            assert_sound(&document);
        }
    }

    #[test]
    fn any_text_as_a_stack_trace_is_read_without_fail(
        text in prop_oneof![
            any::<String>(),
            "(\tat |Caused by: |  File \"|During handling of the above exception, another exception occurred:|---> |    at |goroutine |from | in |:|\\(|\\)|\n|\"|, line |3|@|'|`|x){0,40}",
        ],
        language in select(vec!["java", "python", "javascript", "nodejs", "dotnet", "go", "ruby", "erlang", "rust"]),
    ) {
        let event = vec![("exception.stacktrace".to_owned(), {
            let mut out = Vec::new();
            put_len(&mut out, 1, text.as_bytes());
            out
        })];
        let resource = vec![("telemetry.sdk.language".to_owned(), {
            let mut out = Vec::new();
            put_len(&mut out, 1, language.as_bytes());
            out
        })];
        let payload = one_span(&resource, &[], &event, 1, true, "n", (1, 2));
        let documents = documents(&translate(&payload, &Options::default()));
        assert!(documents[0]["cause"]["exceptions"].is_array());
    }
}
