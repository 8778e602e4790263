//! Tests of the two forms of a record.

use std::time::Duration;

use serde_json::json;

use super::*;
use crate::settings::LogLevel;

/// A record of a known moment, 2024-02-29T12:34:56.789Z.
fn record(message: &str, fields: Vec<(&'static str, Value)>) -> Record {
    Record {
        time: UNIX_EPOCH + Duration::from_millis(1_709_210_096_789),
        level: LogLevel::Warn,
        source: Some(("exporters/otlp/src/send.rs", 42)),
        message: message.to_owned(),
        fields,
    }
}

fn encoded(record: &Record, settings: &LogSettings) -> String {
    let mut line = Vec::new();
    encode(record, &Format::new(settings), &mut line).expect("writing to memory");
    String::from_utf8(line).expect("UTF-8")
}

fn settings(encoding: Encoding) -> LogSettings {
    let initial = json!({"zone": "a", "nested": {"list": [1, 2]}});
    LogSettings {
        encoding,
        resource: vec![("service.name".to_owned(), "hikyaku".to_owned())],
        initial_fields: initial.as_object().cloned().unwrap_or_default(),
        ..LogSettings::default()
    }
}

#[test]
fn console_is_columns_and_one_object() {
    let fields = vec![("otelcol.component.id", json!("otlp")), ("dropped_items", json!(7))];
    let record = record("Exporting failed. Dropping data.", fields);
    assert_eq!(
        encoded(&record, &settings(Encoding::Console)),
        "2024-02-29T12:34:56.789Z\twarn\totlp/send.rs:42\tExporting failed. Dropping data.\t\
         {\"resource\": {\"service.name\": \"hikyaku\"}, \"nested\": {\"list\": [1, 2]}, \"zone\": \"a\", \
         \"otelcol.component.id\": \"otlp\", \"dropped_items\": 7}\n"
    );
}

#[test]
fn console_without_fields_or_caller_has_no_columns_for_them() {
    let settings = LogSettings { disable_caller: true, ..LogSettings::default() };
    assert_eq!(encoded(&record("up", vec![]), &settings), "2024-02-29T12:34:56.789Z\twarn\tup\n");
}

#[test]
fn json_is_one_object_with_the_same_fields() {
    let fields = vec![("otelcol.signal", json!("traces")), ("error", json!("a\n\"b\""))];
    let line = encoded(&record("x\ty", fields), &settings(Encoding::Json));
    assert!(
        line.starts_with("{\"level\":\"warn\",\"ts\":\"2024-02-29T12:34:56.789Z\",\"caller\":")
    );
    let parsed: Value = serde_json::from_str(&line).expect("JSON");
    let expected = json!({
        "level": "warn", "ts": "2024-02-29T12:34:56.789Z", "caller": "otlp/send.rs:42", "msg": "x\ty",
        "resource": {"service.name": "hikyaku"}, "zone": "a", "nested": {"list": [1, 2]},
        "otelcol.signal": "traces", "error": "a\n\"b\"",
    });
    assert_eq!(parsed, expected);
    let bare =
        LogSettings { disable_caller: true, encoding: Encoding::Json, ..LogSettings::default() };
    let line = encoded(&record("up", vec![]), &bare);
    assert_eq!(line, "{\"level\":\"warn\",\"ts\":\"2024-02-29T12:34:56.789Z\",\"msg\":\"up\"}\n");
}

#[test]
fn a_record_is_one_line_and_cannot_speak_to_the_terminal() {
    let hostile = record("a\nb\tc\u{1b}[31md\u{9b}é", vec![("k", json!("x\ny\u{1b}"))]);
    let line = encoded(&hostile, &LogSettings::default());
    assert!(
        line.contains("\ta\\nb\\tc\\u{1b}[31md\\u{9b}é\t{\"k\": \"x\\ny\\u001b\"}\n"),
        "{line}"
    );
    for encoding in [Encoding::Console, Encoding::Json] {
        let line = encoded(&hostile, &settings(encoding));
        assert_eq!(line.matches('\n').count(), 1, "{line}");
        assert!(!line.contains('\u{1b}'), "{line}");
    }
}

#[test]
fn the_caller_is_the_file_under_the_folder_that_says_something() {
    let shown = |file| Caller { file, line: 7 }.to_string();
    assert_eq!(shown("exporters/otlp/src/lib.rs"), "otlp/lib.rs:7");
    assert_eq!(shown("pipeline/src/graph/start.rs"), "graph/start.rs:7");
    assert_eq!(shown("/cargo/registry/src/index/h2-0.4.0/src/lib.rs"), "h2-0.4.0/lib.rs:7");
    assert_eq!(shown("src/main.rs"), "main.rs:7");
    assert_eq!(shown("main.rs"), "main.rs:7");
}

#[test]
fn known_instants_have_their_known_dates() {
    let cases = [
        (0, "1970-01-01T00:00:00.000Z"),
        (1, "1970-01-01T00:00:00.001Z"),
        (86_399_999, "1970-01-01T23:59:59.999Z"),
        (68_169_600_000, "1972-02-29T00:00:00.000Z"),
        (946_684_799_000, "1999-12-31T23:59:59.000Z"),
        (951_782_400_000, "2000-02-29T00:00:00.000Z"),
        (951_868_800_000, "2000-03-01T00:00:00.000Z"),
        (1_000_000_000_000, "2001-09-09T01:46:40.000Z"),
        (2_147_483_648_000, "2038-01-19T03:14:08.000Z"),
        (4_107_542_399_999, "2100-02-28T23:59:59.999Z"),
        (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
    ];
    for (millis, expected) in cases {
        let time = UNIX_EPOCH + Duration::from_millis(millis);
        assert_eq!(Iso8601(time).to_string(), expected);
    }
    assert_eq!(
        Iso8601(UNIX_EPOCH - Duration::from_secs(9)).to_string(),
        "1970-01-01T00:00:00.000Z"
    );
}

#[test]
fn each_day_of_eight_centuries_follows_the_one_before() {
    let is_leap = |year: u64| match (year % 4, year % 100, year % 400) {
        (_, _, 0) => true,
        (_, 0, _) => false,
        (of_four, _, _) => of_four == 0,
    };
    let (mut year, mut month, mut day) = (1970, 1, 1);
    for days in 0..800 * 365 {
        assert_eq!(civil_from_days(days), (year, month, day), "day {days}");
        let length = match month {
            2 => 28 + u64::from(is_leap(year)),
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        day += 1;
        if day > length {
            (month, day) = (month + 1, 1);
        }
        if month > 12 {
            (year, month) = (year + 1, 1);
        }
    }
}
