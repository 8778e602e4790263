//! Tests of the logger from the event to the file.

use std::{fs, io, path::PathBuf};

use serde_json::Value;
use tracing::{debug, dispatcher::with_default, error, info, trace, warn};

use super::*;
use crate::settings::{Encoding, Sampling};

/// A folder for a log file, and settings that write JSON to it.
struct Place {
    _folder: tempfile::TempDir,
    path: PathBuf,
    settings: LogSettings,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("agent.log");
        let settings = LogSettings {
            encoding: Encoding::Json,
            output_paths: vec![path.to_str().expect("UTF-8").to_owned()],
            error_output_paths: Vec::new(),
            sampling: None,
            ..LogSettings::default()
        };
        Self { _folder: folder, path, settings }
    }

    fn records(&self) -> Vec<Value> {
        let text = fs::read_to_string(&self.path).expect("the log");
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    fn messages(&self) -> Vec<String> {
        let message = |record: &Value| record["msg"].as_str().expect("a message").to_owned();
        self.records().iter().map(message).collect()
    }
}

fn dropped(logger: &Logger, reason: LogDropReason) -> u64 {
    logger.core.dropped.counter(reason).get()
}

#[test]
fn every_kind_of_field_arrives_with_its_type() {
    let place = Place::new();
    let early = Early::new();
    let dispatch = early.dispatch();
    let _logger = early.install(&place.settings).expect("the file opens");
    with_default(&dispatch, || {
        let error = io::Error::other("no route");
        warn!(
            "otelcol.component.id" = "otlp/eu",
            "otelcol.component.kind" = "exporter",
            count = 3_u64,
            delta = -2_i32,
            ratio = 0.5,
            odd = f64::NAN,
            retry = true,
            shown = %"text",
            debugged = ?Some(1),
            error = &error as &(dyn std::error::Error + 'static),
            "Exporting failed after {} tries",
            2
        );
    });
    let records = place.records();
    let record = records.first().expect("one record");
    let expected = [
        ("level", Value::from("warn")),
        ("msg", Value::from("Exporting failed after 2 tries")),
        ("otelcol.component.id", Value::from("otlp/eu")),
        ("otelcol.component.kind", Value::from("exporter")),
        ("count", Value::from(3)),
        ("delta", Value::from(-2)),
        ("ratio", Value::from(0.5)),
        ("odd", Value::from("NaN")),
        ("retry", Value::from(true)),
        ("shown", Value::from("text")),
        ("debugged", Value::from("Some(1)")),
        ("error", Value::from("no route")),
    ];
    for (name, value) in expected {
        assert_eq!(record[name], value, "{name}");
    }
    let caller = record["caller"].as_str().expect("a caller");
    assert!(caller.starts_with("logs/tests.rs:"), "{caller}");
    assert_eq!(record["ts"].as_str().map(str::len), Some("2024-02-29T12:34:56.789Z".len()));
}

#[test]
fn what_is_logged_before_the_configuration_is_replayed_at_its_level_and_in_order() {
    let place = Place::new();
    let early = Early::new();
    let dispatch = early.dispatch();
    let quiet = with_default(&dispatch, || {
        debug!("reading the configuration");
        info!("first");
        let logger = early.install(&place.settings).expect("the file opens");
        warn!("second");
        logger
    });
    assert_eq!(place.messages(), ["first", "second"]);
    drop(quiet);

    let place = Place::new();
    let early = Early::new();
    with_default(&early.dispatch(), || debug!("wanted"));
    let settings = LogSettings { level: LogLevel::Debug, ..place.settings.clone() };
    let _logger = early.install(&settings).expect("the file opens");
    assert_eq!(place.messages(), ["wanted"]);
}

#[test]
fn the_early_buffer_is_bounded_and_counts_what_it_cannot_keep() {
    let place = Place::new();
    let early = Early::new();
    with_default(&early.dispatch(), || {
        for number in 0..EARLY_RECORDS_MAX + 5 {
            info!(number, "many");
        }
    });
    let logger = early.install(&place.settings).expect("the file opens");
    assert_eq!(place.records().len(), EARLY_RECORDS_MAX);
    assert_eq!(dropped(&logger, LogDropReason::EarlyBufferFull), 5);

    let place = Place::new();
    let early = Early::new();
    let text = "x".repeat(8 * 1024);
    with_default(&early.dispatch(), || (0..100).for_each(|_| info!(text, "large")));
    let logger = early.install(&place.settings).expect("the file opens");
    let kept = place.records().len() as u64;
    assert!((20..=EARLY_BYTES_MAX as u64 / 8192).contains(&kept), "{kept} large records were kept");
    assert_eq!(dropped(&logger, LogDropReason::EarlyBufferFull), 100 - kept);
}

#[test]
fn a_failed_start_goes_over_to_the_fallback_and_replays() {
    let early = Early::new();
    let core = Arc::clone(&early.logger.core);
    let dispatch = early.dispatch();
    with_default(&dispatch, || debug!("not for the fallback"));
    let settings =
        LogSettings { output_paths: vec!["nats://x".to_owned()], ..LogSettings::default() };
    let error = early.install(&settings).expect_err("there is no such output");
    assert!(error.to_string().starts_with("service::telemetry::logs::output_paths: "), "{error}");
    let state = core.lock();
    let State::Ready(sink) = &*state else { panic!("the buffer was not given up") };
    let mut line = Vec::new();
    let record = Record {
        time: std::time::UNIX_EPOCH,
        level: LogLevel::Error,
        source: None,
        message: "broken".to_owned(),
        fields: Vec::new(),
    };
    encode::encode(&record, &sink.format, &mut line).expect("writing to memory");
    assert_eq!(line, b"1970-01-01T00:00:00.000Z\terror\tbroken\n");
    assert_eq!(sink.outputs.len(), 1);
    assert_eq!(core.level.load(Ordering::Relaxed), LogLevel::Info as u8);
}

#[test]
fn the_level_can_be_changed_while_running() {
    let place = Place::new();
    let early = Early::new();
    let dispatch = early.dispatch();
    let logger = early.install(&place.settings).expect("the file opens");
    let log_all = || {
        trace!("trace");
        debug!("debug");
        info!("info");
        warn!("warn");
        error!("error");
    };
    let cases = [
        (LogLevel::Debug, &["debug", "info", "warn", "error"][..]),
        (LogLevel::Info, &["info", "warn", "error"]),
        (LogLevel::Warn, &["warn", "error"]),
        (LogLevel::Error, &["error"]),
        (LogLevel::Fatal, &[]),
        (LogLevel::Debug, &["debug", "info", "warn", "error"]),
    ];
    with_default(&dispatch, || {
        for (level, expected) in cases {
            logger.set_level(level);
            fs::write(&place.path, "").expect("emptying the log");
            log_all();
            assert_eq!(place.messages(), expected, "level {level}");
            let subscriber = EventSubscriber { core: Arc::clone(&logger.core) };
            let hint = subscriber.max_level_hint().expect("a hint").to_string();
            assert_eq!(hint, expected.first().copied().unwrap_or("off"), "level {level}");
        }
    });
}

#[test]
fn a_disabled_event_is_not_even_formatted() {
    struct Loud;
    impl fmt::Debug for Loud {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("formatted though disabled")
        }
    }
    let place = Place::new();
    let early = Early::new();
    let dispatch = early.dispatch();
    let _logger = early.install(&place.settings).expect("the file opens");
    with_default(&dispatch, || debug!(value = ?Loud, "below the level"));
}

#[test]
fn a_reload_goes_over_to_the_new_output_or_changes_nothing() {
    let (old, new) = (Place::new(), Place::new());
    let early = Early::new();
    let dispatch = early.dispatch();
    let logger = early.install(&old.settings).expect("the file opens");
    with_default(&dispatch, || {
        info!("one");
        let wrong = LogSettings {
            level: LogLevel::Debug,
            output_paths: vec!["/nonexistent-folder/x".to_owned()],
            ..LogSettings::default()
        };
        let error = logger.reconfigure(&wrong).expect_err("there is no such folder");
        assert!(error.to_string().contains("/nonexistent-folder/x"), "{error}");
        debug!("still hidden");
        info!("two");
        logger.reconfigure(&new.settings).expect("the file opens");
        info!("three");
    });
    assert_eq!(old.messages(), ["one", "two"]);
    assert_eq!(new.messages(), ["three"]);
}

#[test]
fn sampled_records_are_counted_and_exposed() {
    let place = Place::new();
    let early = Early::new();
    let dispatch = early.dispatch();
    let sampling =
        Sampling { tick: std::time::Duration::from_secs(3600), initial: 2, thereafter: 0 };
    let settings = LogSettings { sampling: Some(sampling), ..place.settings.clone() };
    let logger = early.install(&settings).expect("the file opens");
    with_default(&dispatch, || (0..7).for_each(|number| info!(number, "again")));
    assert_eq!(place.records().len(), 2);
    let registry = Registry::new();
    let _registrations = logger.observe(&registry);
    let text = crate::render(&registry, crate::MetricsLevel::Basic);
    assert!(text.contains("hikyaku_log_records_dropped{reason=\"sampled\"} 5\n"), "{text}");
    assert!(text.contains("hikyaku_log_records_dropped{reason=\"output_failed\"} 0\n"), "{text}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_counted_and_noted_where_errors_go() {
    let place = Place::new();
    let early = Early::new();
    let dispatch = early.dispatch();
    let settings = LogSettings {
        output_paths: vec!["/dev/full".to_owned()],
        error_output_paths: place.settings.output_paths.clone(),
        ..place.settings.clone()
    };
    let logger = early.install(&settings).expect("the device opens");
    with_default(&dispatch, || (0..3).for_each(|_| info!("lost")));
    assert_eq!(dropped(&logger, LogDropReason::OutputFailed), 3);
    let notes = fs::read_to_string(&place.path).expect("the notes");
    assert_eq!(notes.lines().count(), 1, "{notes}");
    assert!(notes.contains(" write error: /dev/full: "), "{notes}");
}

#[test]
fn every_output_gets_every_record() {
    let (one, two) = (Place::new(), Place::new());
    let early = Early::new();
    let dispatch = early.dispatch();
    let output_paths = [one.settings.output_paths.clone(), two.settings.output_paths.clone()];
    let settings = LogSettings { output_paths: output_paths.concat(), ..one.settings.clone() };
    let _logger = early.install(&settings).expect("both open");
    with_default(&dispatch, || info!("twice"));
    assert_eq!(
        (one.messages(), two.messages()),
        (vec!["twice".to_owned()], vec!["twice".to_owned()])
    );
}

#[test]
fn spans_are_ignored_and_events_inside_them_are_not() {
    let place = Place::new();
    let early = Early::new();
    let dispatch = early.dispatch();
    let _logger = early.install(&place.settings).expect("the file opens");
    with_default(&dispatch, || {
        let span = tracing::error_span!("request", id = 1);
        assert!(span.is_disabled());
        span.in_scope(|| info!("inside"));
    });
    assert_eq!(place.messages(), ["inside"]);
}

#[test]
fn what_must_not_be_shown_is_taken_out_of_early_and_later_records() {
    let place = Place::new();
    let early = Early::new();
    with_default(&early.dispatch(), || info!("early canary"));
    early.conceal(|line| line.replace("canary", "[REDACTED]").into());
    let dispatch = early.dispatch();
    let _logger = early.install(&place.settings).expect("a file");
    with_default(&dispatch, || info!(what = "canary", "later"));
    let log = fs::read_to_string(&place.path).expect("the log");
    assert_eq!(log.matches("[REDACTED]").count(), 2, "{log}");
    assert!(!log.contains("canary"), "{log}");
}

#[test]
fn a_part_of_the_program_may_have_a_level_of_its_own() {
    for (part, seen) in
        [("telemetry/src/logs/tests.rs", &["early", "late"][..]), ("elsewhere/", &[])]
    {
        let place = Place::new();
        let early = Early::new();
        let dispatch = early.dispatch();
        let settings = LogSettings {
            level: LogLevel::Error,
            part_levels: vec![(part, LogLevel::Debug)],
            ..place.settings.clone()
        };
        let _logger = with_default(&dispatch, || {
            debug!("early");
            let logger = early.install(&settings).expect("the file opens");
            debug!("late");
            logger
        });
        assert_eq!(place.messages(), seen, "{part}");
    }
}
