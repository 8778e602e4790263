//! Tests of the words that users write, and of the defaults.

use super::*;

#[test]
fn the_collectors_words_are_taken_in_any_case() {
    let levels = [
        ("debug", LogLevel::Debug),
        ("INFO", LogLevel::Info),
        ("Warn", LogLevel::Warn),
        ("error", LogLevel::Error),
        ("dpanic", LogLevel::Fatal),
        ("panic", LogLevel::Fatal),
        ("FATAL", LogLevel::Fatal),
    ];
    for (word, level) in levels {
        assert_eq!(word.parse(), Ok(level), "{word}");
    }
    let metrics = ["none", "basic", "normal", "detailed"];
    for word in metrics {
        assert_eq!(word.parse::<MetricsLevel>().map(MetricsLevel::as_str), Ok(word));
    }
    assert_eq!("JSON".parse(), Ok(Encoding::Json));
    assert_eq!("console".parse(), Ok(Encoding::Console));
}

#[test]
fn another_word_is_refused_with_the_key_and_the_words_there_are() {
    let error = "loud".parse::<LogLevel>().expect_err("no such level").to_string();
    let expected = "service::telemetry::logs::level: \"loud\" is not one of debug, info, warn, error, \
                    fatal, dpanic, panic";
    assert_eq!(error, expected);
    let error = "max".parse::<MetricsLevel>().expect_err("no such level").to_string();
    assert!(error.starts_with("service::telemetry::metrics::level: \"max\""), "{error}");
    let error = "xml".parse::<Encoding>().expect_err("no such encoding").to_string();
    assert!(error.starts_with("service::telemetry::logs::encoding: \"xml\""), "{error}");
}

#[test]
fn the_defaults_are_the_collectors() {
    let logs = LogSettings::default();
    assert_eq!(
        (logs.level, logs.encoding, logs.disable_caller),
        (LogLevel::Info, Encoding::Console, false)
    );
    assert_eq!(
        (logs.output_paths, logs.error_output_paths),
        (vec!["stderr".into()], vec!["stderr".into()])
    );
    let sampling = Sampling { tick: Duration::from_secs(10), initial: 10, thereafter: 100 };
    assert_eq!(logs.sampling, Some(sampling));
    assert_eq!(MetricsSettings::default().level, MetricsLevel::Normal);
}
