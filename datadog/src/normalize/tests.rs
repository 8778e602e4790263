use proptest::prelude::*;

use super::*;

/// Text, and what `NormalizeTag`, `NormalizeTagValue`, `NormalizeService`, `NormalizePeerService` and `NormalizeName` of
/// DataDog/datadog-agent `pkg/trace/traceutil` 0.83.0 make of it.
const RECORDED: &str = include_str!("../../testdata/normalize.json");

#[test]
fn every_text_becomes_what_the_agent_makes_of_it() {
    let cases: Vec<[String; 6]> = serde_json::from_str(RECORDED).unwrap();
    assert!(cases.len() > 400);
    for [text, whole, value, own, other, operation] in &cases {
        assert_eq!(tag(text), *whole, "tag {text:?}");
        assert_eq!(tag_value(text), *value, "tag value {text:?}");
        assert_eq!(service(text), *own, "service {text:?}");
        assert_eq!(other_service(text), *other, "other service {text:?}");
        assert_eq!(name(text), *operation, "name {text:?}");
    }
}

#[test]
fn normal_text_is_not_copied() {
    for text in ["checkout", "a.b/c-d:e", "http.server.request", "x_1"] {
        assert!(matches!(service(text), Cow::Borrowed(_)), "{text}");
        assert!(matches!(tag(text), Cow::Borrowed(_)), "{text}");
    }
    assert!(matches!(name("Messaging.Publish_now"), Cow::Borrowed(_)));
}

#[test]
fn truncation_ends_between_characters() {
    assert_eq!(truncate("añb", 2), "a");
    assert_eq!(truncate("añb", 3), "añ");
    assert_eq!(truncate("añb", 9), "añb");
    assert_eq!(truncate("", 0), "");
}

proptest! {
    #[test]
    fn what_is_normal_stays_so(text in any::<String>()) {
        for normal in [tag_value(&text), service(&text)] {
            // Truncated tags may end in what is dropped from the end of a tag.
            if normal.len() < SERVICE_LEN_MAX {
                prop_assert_eq!(&tag_value(&normal), &normal);
            }
        }
        let operation = name(&text);
        prop_assert_eq!(&name(&operation), &operation);
        prop_assert!(operation.len() <= NAME_LEN_MAX && !operation.is_empty());
        prop_assert!(tag(&text).chars().count() <= TAG_CHARS_MAX);
    }
}
