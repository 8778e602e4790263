//! The deadline of a call, `grpc-timeout`.

use std::time::Duration;

use http::{HeaderMap, HeaderValue};

use super::GRPC_TIMEOUT;

/// How long the caller waits for the answer. A value that breaks the format counts as none.
#[must_use]
pub fn timeout(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(GRPC_TIMEOUT)?.to_str().ok()?;
    let (value, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let digits = !value.is_empty() && value.len() <= 8 && value.bytes().all(|b| b.is_ascii_digit());
    let value: u64 = digits.then(|| value.parse().ok()).flatten()?;
    match unit {
        "H" => Some(Duration::from_secs(value * 3600)),
        "M" => Some(Duration::from_secs(value * 60)),
        "S" => Some(Duration::from_secs(value)),
        "m" => Some(Duration::from_millis(value)),
        "u" => Some(Duration::from_micros(value)),
        "n" => Some(Duration::from_nanos(value)),
        _ => None,
    }
}

/// The header for a deadline this far away, in the finest unit that takes no more than eight
/// digits, rounded down.
#[must_use]
pub fn format_timeout(timeout: Duration) -> HeaderValue {
    const MAX: u128 = 99_999_999;
    let units = [
        (timeout.as_nanos(), "n"),
        (timeout.as_micros(), "u"),
        (timeout.as_millis(), "m"),
        (u128::from(timeout.as_secs()), "S"),
        (u128::from(timeout.as_secs() / 60), "M"),
    ];
    let (value, unit) = units
        .into_iter()
        .find(|(value, _)| *value <= MAX)
        .unwrap_or((u128::from(timeout.as_secs() / 3600).min(MAX), "H"));
    HeaderValue::from_str(&format!("{value}{unit}"))
        .unwrap_or_else(|_| HeaderValue::from_static("99999999H"))
}
