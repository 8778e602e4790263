//! Pieces of a document. A document travels as a JSON string, so what is JSON in it is escaped once more: a quote is `\"`.

use pdata::text::{
    Escaping, put_base64, put_double, put_escaped, put_escaped_twice, put_json, put_text, put_uint,
};
use pdata::view::AnyValue;

/// Appends a member with a text, cut to a length; `name` is all that stands before the text: `,\"url\":\"`.
#[inline]
pub(super) fn put_member(out: &mut Vec<u8>, name: &[u8], text: &[u8], len_max: usize) {
    out.extend_from_slice(name);
    put_escaped_twice(out, cut(text, len_max));
    out.extend_from_slice(br#"\""#);
}

/// The same, or nothing if the text is empty.
#[inline]
pub(super) fn put_if(out: &mut Vec<u8>, name: &[u8], text: &[u8], len_max: usize) {
    if !text.is_empty() {
        put_member(out, name, text, len_max);
    }
}

/// Appends a value; lists and maps as JSON, bytes in base64, doubles that JSON has no number for as text.
#[inline]
pub(super) fn put_value(out: &mut Vec<u8>, value: &AnyValue<'_>, scratch: &mut Vec<u8>) {
    match value {
        AnyValue::Str(text) => put_member(out, br#"\""#, text.as_bytes(), usize::MAX),
        AnyValue::Empty => out.extend_from_slice(b"null"),
        AnyValue::Bool(_) | AnyValue::Int(_) => put_text(out, value),
        AnyValue::Double(double) if double.is_finite() => put_double(out, *double),
        AnyValue::Double(double) => {
            out.extend_from_slice(br#"\""#);
            put_double(out, *double);
            out.extend_from_slice(br#"\""#);
        }
        AnyValue::Bytes(bytes) => {
            out.extend_from_slice(br#"\""#);
            put_base64(out, bytes);
            out.extend_from_slice(br#"\""#);
        }
        AnyValue::Array(_) | AnyValue::KeyValueList(_) => {
            scratch.clear();
            put_json(scratch, value, Escaping::Plain);
            put_escaped(out, scratch);
        }
    }
}

/// The beginning of a text, whole characters only.
#[inline]
pub(super) fn cut(text: &[u8], len_max: usize) -> &[u8] {
    if text.len() <= len_max { text } else { cut_between(text, len_max) }
}

#[cold]
fn cut_between(text: &[u8], len_max: usize) -> &[u8] {
    let is_inside = |at: usize| text.get(at).is_some_and(|byte| byte & 0xc0 == 0x80);
    let mut end = len_max;
    while end > 0 && is_inside(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// The first so many characters of a text.
#[inline]
pub(super) fn cut_chars(text: &[u8], chars_max: usize) -> &[u8] {
    if text.len() <= chars_max {
        return text;
    }
    let starts = text.iter().enumerate().filter(|(_, byte)| **byte & 0xc0 != 0x80);
    let end = starts.map(|(at, _)| at).nth(chars_max).unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

/// Ends an object or a list whose members end in commas; takes it back if there are none.
pub(super) fn close(out: &mut Vec<u8>, mark: usize, opening_len: usize, closing: u8) {
    if out.len() == mark + opening_len {
        out.truncate(mark);
    } else if let Some(comma) = out.last_mut() {
        *comma = closing;
    }
}

/// Appends Unix seconds as the double that Go makes of nanoseconds, with the fewest digits that read back as that double.
pub(super) fn put_seconds(out: &mut Vec<u8>, nanos: u64) {
    const BITS: u32 = 22;
    let seconds = nanos as f64 / 1e9;
    let bits = seconds.to_bits();
    // From 2004 to 2038 such a double has 22 bits behind its point.
    if bits >> 52 != 1023 + 30 {
        return put_double(out, seconds);
    }
    let mantissa = bits & ((1 << 52) - 1) | 1 << 52;
    let (mut whole, fraction) = (mantissa >> BITS, mantissa & ((1 << BITS) - 1));
    let digits_of = |scale: u64| {
        let (scaled, half) = (fraction * scale, 1 << (BITS - 1));
        let digits = (scaled + half) >> BITS;
        // What lies in the middle goes to the even digit.
        if scaled & ((1 << BITS) - 1) == half { digits & !1 } else { digits }
    };
    let read_back = |digits: u64, scale: u64| ((digits << BITS) + scale / 2) / scale;
    // Seven digits tell all such doubles apart; six tell those that come of microseconds and less.
    let (mut digits, mut scale) = (digits_of(1_000_000), 1_000_000);
    if read_back(digits, scale) != fraction {
        (digits, scale) = (digits_of(10_000_000), 10_000_000);
    }
    if digits == scale {
        (whole, digits) = (whole + 1, 0);
    }
    put_uint(out, whole);
    if digits == 0 {
        return;
    }
    // The point takes the place of the one in front of the digits.
    let point = out.len();
    put_uint(out, scale + digits);
    if let Some(byte) = out.get_mut(point) {
        *byte = b'.';
    }
    while out.last() == Some(&b'0') {
        out.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(nanos: u64) -> String {
        let mut out = Vec::new();
        put_seconds(&mut out, nanos);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn seconds_read_back_as_the_double_that_go_makes() {
        assert_eq!(seconds(1_700_047_632_123_000_000), "1700047632.1230001");
        assert_eq!(seconds(1_700_047_632_456_000_000), "1700047632.456");
        assert_eq!(seconds(1_700_047_633_000_000_000), "1700047633");
        assert_eq!(seconds(1_700_047_632_123_456_789), "1700047632.1234567");
        assert_eq!(seconds(0), "0");
        let mut mixed = 1u64;
        for _ in 0..50_000 {
            mixed = mixed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let of_this_age = (1 << 30) * 1_000_000_000 + mixed % 1_000_000_000 * (1 << 30);
            for nanos in [mixed, mixed >> 1, mixed >> 3, of_this_age, of_this_age / 1000 * 1000] {
                let value = nanos as f64 / 1e9;
                let mut shortest = Vec::new();
                put_double(&mut shortest, value);
                assert_eq!(seconds(nanos).as_bytes(), shortest, "{nanos}");
            }
        }
    }

    #[test]
    fn texts_are_cut_between_characters() {
        let text = "aé日x".as_bytes();
        let cuts: Vec<usize> = (0..=8).map(|len| cut(text, len).len()).collect();
        assert_eq!(cuts, [0, 1, 1, 3, 3, 3, 6, 7, 7]);
        let cuts: Vec<usize> = (0..=5).map(|chars| cut_chars(text, chars).len()).collect();
        assert_eq!(cuts, [0, 1, 3, 6, 7, 7]);
    }
}
