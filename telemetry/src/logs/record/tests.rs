//! Tests of what is kept of an event.

use std::io;

use tracing::field::FieldSet;
use tracing_core::Kind;

use super::*;

#[derive(Debug, thiserror::Error)]
#[error("cannot send")]
struct Outer {
    source: io::Error,
}

#[test]
fn a_text_is_cut_at_a_character_and_formatting_stops_there() {
    let text = |value: Value| value.as_str().expect("a string").to_owned();
    let fits = "x".repeat(TEXT_BYTES_MAX);
    assert_eq!(text(capped(format_args!("{fits}"))), fits);

    let long = format!("x{}", "é".repeat(TEXT_BYTES_MAX));
    let cut = text(capped(format_args!("{long}")));
    assert_eq!(cut.len(), TEXT_BYTES_MAX - 1 + '…'.len_utf8());
    assert!(cut.ends_with("é…"));

    struct Endless;
    impl fmt::Debug for Endless {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            loop {
                f.write_str("on and on ")?;
            }
        }
    }
    assert!(text(capped(format_args!("{Endless:?}"))).starts_with("on and on"));
}

#[test]
fn an_error_is_shown_with_its_sources() {
    let error = Outer { source: io::Error::other(io::Error::from(io::ErrorKind::TimedOut)) };
    assert_eq!(Chain(&error).to_string(), "cannot send: timed out");
    let nested = Outer { source: io::Error::other(Outer { source: io::Error::other("deepest") }) };
    assert_eq!(Chain(&nested).to_string(), "cannot send: cannot send: deepest");
}

#[test]
fn only_our_own_crates_are_heard_below_info() {
    let level_of = |shown: Level, file: Option<&'static str>| {
        let fields = FieldSet::new(&[], tracing_core::identify_callsite!(&CALLSITE));
        level(&Metadata::new("e", "t", shown, file, Some(1), None, fields, Kind::EVENT))
    };
    let ours = Some("exporters/otlp/src/lib.rs");
    let foreign = Some("/home/someone/.cargo/registry/src/index-1/h2-0.4.1/src/lib.rs");
    assert_eq!(level_of(Level::TRACE, ours), None);
    assert_eq!(level_of(Level::DEBUG, ours), Some(LogLevel::Debug));
    for file in [foreign, Some("registry/src/index/h2-0.4.1/src/lib.rs"), None] {
        assert_eq!(level_of(Level::DEBUG, file), None, "{file:?}");
        assert_eq!(level_of(Level::INFO, file), Some(LogLevel::Info), "{file:?}");
    }
    assert_eq!(level_of(Level::WARN, foreign), Some(LogLevel::Warn));
    assert_eq!(level_of(Level::ERROR, foreign), Some(LogLevel::Error));
}

/// A callsite that only lends its identity.
struct Identity;

static CALLSITE: Identity = Identity;

impl tracing_core::Callsite for Identity {
    fn set_interest(&self, _interest: tracing::subscriber::Interest) {}

    fn metadata(&self) -> &Metadata<'_> {
        unreachable!("only its address is used")
    }
}
