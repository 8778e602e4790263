//! Durations as Go writes them: `1h30m`, `1.5s`, `300ms`.

use std::time::Duration;

use crate::{Decode, Mismatch, Node, Value};

/// The units of Go's `time.ParseDuration` in nanoseconds; both signs for micro are accepted.
const UNITS: [(&str, u64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("\u{b5}s", 1_000),
    ("\u{3bc}s", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// The largest duration Go knows, about 292 years.
const MAX_NANOS: u128 = i64::MAX as u128;

const HELP: &str = "write a number with a unit of ns, us, ms, s, m or h, such as 5s or 1h30m";

/// A Go duration string. A bare number counts nanoseconds, as upstream, and gets a warning.
impl Decode for Duration {
    fn decode(node: &Node) -> Result<Self, Mismatch> {
        match node.value() {
            Value::String(text) => {
                parse(text).map_err(|error| Mismatch::new(error.to_string()).help(HELP))
            }
            Value::Int(_) | Value::Float(_) => {
                let nanos = i64::decode(node)?;
                let nanos =
                    u64::try_from(nanos).map_err(|_| Mismatch::new("must not be negative"))?;
                Ok(Self::from_nanos(nanos))
            }
            _ => Err(Mismatch::expected("time.Duration", node).help(HELP)),
        }
    }

    fn decode_null(_: &Node) -> Option<Self> {
        Some(Self::ZERO)
    }

    fn lint(node: &Node) -> Option<String> {
        match node.value() {
            Value::Null if !node.is_expanded() => {
                Some("null sets this to 0s; leave the key out to keep the default".to_owned())
            }
            Value::Int(value) if *value != 0 => {
                Some(format!("{value} without a unit means {value} nanoseconds; {HELP}"))
            }
            Value::Float(_) => Some(format!("a number without a unit means nanoseconds; {HELP}")),
            _ => None,
        }
    }
}

/// Why a text is no duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// Nothing that Go would take.
    #[error("invalid duration")]
    Invalid,
    /// A number that no unit follows.
    #[error("missing unit in duration")]
    MissingUnit,
    /// A unit that is none of ns, us, µs, ms, s, m and h.
    #[error("unknown unit in duration")]
    UnknownUnit,
    /// Below zero.
    #[error("the duration must not be negative")]
    Negative,
    /// Beyond about 292 years, where Go's durations end.
    #[error("the duration is too long")]
    TooLong,
}

/// Parses a duration as Go's `time.ParseDuration` does, except that it must not be negative.
///
/// # Errors
/// Text that Go would refuse, and a negative duration other than zero.
pub fn parse(text: &str) -> Result<Duration, DurationError> {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if unsigned == "0" {
        return Ok(Duration::ZERO);
    }
    if unsigned.is_empty() {
        return Err(DurationError::Invalid);
    }
    let mut rest = unsigned;
    let mut total: u128 = 0;
    while !rest.is_empty() {
        let nanos;
        (nanos, rest) = parse_part(rest)?;
        total = total
            .checked_add(nanos)
            .filter(|nanos| *nanos <= MAX_NANOS)
            .ok_or(DurationError::TooLong)?;
    }
    if negative && total > 0 {
        return Err(DurationError::Negative);
    }
    u64::try_from(total).map(Duration::from_nanos).map_err(|_| DurationError::TooLong)
}

/// One number with its unit, in nanoseconds, and what follows.
fn parse_part(text: &str) -> Result<(u128, &str), DurationError> {
    let (whole, rest) = digits(text);
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(rest) => digits(rest),
        None => ("", rest),
    };
    if whole.is_empty() && fraction.is_empty() {
        return Err(DurationError::Invalid);
    }
    let end = rest.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(rest.len());
    let (unit, rest) = rest.split_at(end);
    if unit.is_empty() {
        return Err(DurationError::MissingUnit);
    }
    let unit = UNITS.iter().find(|(name, _)| *name == unit).ok_or(DurationError::UnknownUnit)?.1;
    let whole: u128 =
        if whole.is_empty() { 0 } else { whole.parse().map_err(|_| DurationError::TooLong)? };
    let whole = whole
        .checked_mul(u128::from(unit))
        .filter(|nanos| *nanos <= MAX_NANOS)
        .ok_or(DurationError::TooLong)?;
    Ok((whole + fraction_of(fraction, unit), rest))
}

fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}

/// The part of a unit that the digits behind the point make, cut off below a nanosecond.
fn fraction_of(digits: &str, unit: u64) -> u128 {
    let mut scale: u128 = 1;
    let mut value: u128 = 0;
    // Eighteen digits decide every nanosecond of an hour; more change nothing.
    for digit in digits.bytes().take(18) {
        value = value * 10 + u128::from(digit - b'0');
        scale *= 10;
    }
    value * u128::from(unit) / scale
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{DurationError, parse};

    #[test]
    fn go_durations_are_read() {
        let cases = [
            ("0", 0),
            ("-0s", 0),
            ("5s", 5_000_000_000),
            ("+5s", 5_000_000_000),
            ("1.5s", 1_500_000_000),
            (".5m", 30_000_000_000),
            ("1.s", 1_000_000_000),
            ("1h30m", 5_400_000_000_000),
            ("1m30s5ms", 90_005_000_000),
            ("300ms", 300_000_000),
            ("7us", 7_000),
            ("7\u{b5}s", 7_000),
            ("7\u{3bc}s", 7_000),
            ("9ns", 9),
            ("0.1ns", 0),
            ("0.3333333333333333333h", 1_199_999_999_999),
            ("9223372036854775807ns", 9_223_372_036_854_775_807),
        ];
        for (text, nanos) in cases {
            assert_eq!(parse(text), Ok(Duration::from_nanos(nanos)), "{text}");
        }
    }

    #[test]
    fn other_text_is_refused() {
        use DurationError::{Invalid, MissingUnit, Negative, TooLong, UnknownUnit};
        let cases = [
            ("", Invalid),
            ("-", Invalid),
            (".s", Invalid),
            ("s", Invalid),
            ("1h 30m", UnknownUnit),
            ("3", MissingUnit),
            ("1h5", MissingUnit),
            ("1.2.3s", MissingUnit),
            ("1d", UnknownUnit),
            ("1S", UnknownUnit),
            (" 1s", Invalid),
            ("-1s", Negative),
            ("9223372036854775808ns", TooLong),
            ("2562048h", TooLong),
            ("2562047h59m", TooLong),
            ("99999999999999999999999999999999999999999s", TooLong),
            ("\"5s\"", Invalid),
        ];
        for (text, error) in cases {
            assert_eq!(parse(text), Err(error), "{text}");
        }
    }
}
