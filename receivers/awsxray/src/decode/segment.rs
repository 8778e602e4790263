//! A segment document as a tree: a segment, its subsegments, and what each of them must have.

use serde_json::value::RawValue;

use super::members::Members;
use super::{DEPTH_MAX, DecodeError};

/// A segment or subsegment, checked for what it must have. All else is in its members still.
#[derive(Debug)]
pub(super) struct Segment<'a> {
    pub(super) name: String,
    pub(super) id: [u8; 8],
    pub(super) parent_id: Option<[u8; 8]>,
    pub(super) trace_id: [u8; 16],
    /// Nanoseconds since 1970.
    pub(super) start: u64,
    /// Nanoseconds since 1970; `None` while it is in progress.
    pub(super) end: Option<u64>,
    pub(super) in_progress: Option<bool>,
    pub(super) is_subsegment: bool,
    pub(super) members: Members<'a>,
    pub(super) subsegments: Vec<Segment<'a>>,
}

/// What a subsegment inherits.
#[derive(Clone, Copy)]
struct Parent {
    id: [u8; 8],
    trace_id: [u8; 16],
}

impl<'a> Segment<'a> {
    /// Reads a document.
    pub(super) fn parse(text: &'a str) -> Result<Self, DecodeError> {
        let value: &RawValue = serde_json::from_str(text).map_err(|error| {
            // A line of the document begins behind each line break.
            let lines = text.split_inclusive('\n').take(error.line().saturating_sub(1));
            DecodeError::Syntax { offset: lines.map(str::len).sum::<usize>() + error.column() }
        })?;
        Self::read(value, None, 0)
    }

    fn read(
        value: &'a RawValue,
        parent: Option<Parent>,
        depth: usize,
    ) -> Result<Self, DecodeError> {
        if depth > DEPTH_MAX {
            return Err(DecodeError::TooDeep);
        }
        let mut members = Members::of(value).ok_or(DecodeError::NotAnObject)?;
        let must = |member, expected| DecodeError::Member { member, expected };
        const ID: &str = "16 hexadecimal digits, not all zero";
        let name = members.text("name").ok_or(must("name", "a text"))?;
        let id = members.text("id").and_then(|text| hex(&text)).filter(|id| *id != [0; 8]);
        let id = id.ok_or(must("id", ID))?;
        let of_trace = |text: String| trace_id(&text);
        let trace_id = match (members.text("trace_id"), parent) {
            (Some(text), _) => of_trace(text),
            (None, parent) => parent.map(|parent| parent.trace_id),
        };
        let trace_id = trace_id
            .ok_or(must("trace_id", "1-, 8 hexadecimal digits, - and 24 more, not all zero"))?;
        let own_parent = match members.text("parent_id") {
            Some(text) => Some(hex(&text).ok_or(must("parent_id", ID))?),
            None => None,
        };
        let parent_id = parent.map(|parent| parent.id).or(own_parent);
        let start = members.take("start_time", nanos);
        let start = start.ok_or(must("start_time", "seconds since 1970"))?;
        let end = members.take("end_time", nanos);
        let in_progress = members.bool("in_progress");
        let kind = members.text("type");
        let is_embedded = parent.is_some();
        let is_subsegment = is_embedded
            || own_parent.is_some()
                && kind.is_some_and(|kind| kind.eq_ignore_ascii_case("subsegment"));
        let of_this = Parent { id, trace_id };
        let values = members.list("subsegments", Some).unwrap_or_default();
        let subsegments = values.into_iter();
        let subsegments = subsegments.map(|value| Self::read(value, Some(of_this), depth + 1));
        Ok(Self {
            name,
            id,
            parent_id: parent_id.filter(|id| *id != [0; 8]),
            trace_id,
            start,
            end,
            in_progress,
            is_subsegment,
            subsegments: subsegments.collect::<Result<_, _>>()?,
            members,
        })
    }

    /// Whether it or one below it has this member.
    pub(super) fn has(&self, member: &str) -> bool {
        self.members.has(member) || self.subsegments.iter().any(|below| below.has(member))
    }
}

/// X-Ray's form of a trace id, or the 32 digits of W3C's.
pub(super) fn trace_id(text: &str) -> Option<[u8; 16]> {
    let digits = match text.strip_prefix("1-").and_then(|rest| rest.split_once('-')) {
        Some((time, rest)) if time.len() == 8 => format!("{time}{rest}"),
        _ => text.to_owned(),
    };
    hex(&digits).filter(|id| *id != [0; 16])
}

/// Exactly `2 * N` hexadecimal digits, in either case.
pub(super) fn hex<const N: usize>(digits: &str) -> Option<[u8; N]> {
    if digits.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks(2)) {
        for digit in pair {
            *byte = *byte << 4 | u8::try_from(char::from(*digit).to_digit(16)?).ok()?;
        }
    }
    Some(bytes)
}

/// Seconds as nanoseconds: digit by digit, since a double of the seconds of today has steps of a quarter of a microsecond.
fn nanos(value: &RawValue) -> Option<u64> {
    const NANOS: u64 = 1_000_000_000;
    let text = value.get();
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if are_digits(whole) && are_digits(fraction) {
        let seconds: u64 = whole.parse().ok()?;
        let digits = fraction.bytes().chain(std::iter::repeat(b'0')).take(9);
        let nanos = digits.fold(0, |nanos, digit| nanos * 10 + u64::from(digit - b'0'));
        return seconds.checked_mul(NANOS)?.checked_add(nanos);
    }
    let seconds: f64 = text.parse().ok()?;
    let nanos = seconds * NANOS as f64;
    (nanos >= 0.0 && nanos < u64::MAX as f64).then_some(nanos as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_to_the_last_digit() {
        for (text, expected) in [
            ("1795206735.29", Some(1_795_206_735_290_000_000)),
            ("1795206735.123456789", Some(1_795_206_735_123_456_789)),
            ("1795206735.1234567899", Some(1_795_206_735_123_456_789)),
            ("1795206735", Some(1_795_206_735_000_000_000)),
            ("0", Some(0)),
            ("1.5e3", Some(1_500_000_000_000)),
            ("1.47E+9", Some(1_470_000_000_000_000_000)),
            ("-1", None),
            ("1e300", None),
            ("99999999999999999999", None),
            ("18446744074", None),
            ("\"1\"", None),
            ("true", None),
        ] {
            let value: &RawValue = serde_json::from_str(text).unwrap();
            assert_eq!(nanos(value), expected, "{text}");
        }
    }

    #[test]
    fn trace_ids_are_x_rays_or_w3cs() {
        let expected = Some(*b"\x65\x54\xab\x10\xa1\xb2\xc3\xd4\xe5\xf6\x07\x18\x29\x3a\x4b\x5c");
        assert_eq!(trace_id("1-6554ab10-a1b2c3d4e5f60718293a4b5c"), expected);
        assert_eq!(trace_id("1-6554AB10-A1B2C3D4E5F60718293A4B5C"), expected);
        assert_eq!(trace_id("6554ab10a1b2c3d4e5f60718293a4b5c"), expected);
        for text in [
            "",
            "1-6554ab10-a1b2c3d4e5f60718293a4b5",
            "1-6554ab1-0a1b2c3d4e5f60718293a4b5c",
            "2-6554ab10-a1b2c3d4e5f60718293a4b5c",
            "1-00000000-000000000000000000000000",
            "1-6554ab10-a1b2c3d4e5f60718293a4b5é",
        ] {
            assert_eq!(trace_id(text), None, "{text}");
        }
    }
}
